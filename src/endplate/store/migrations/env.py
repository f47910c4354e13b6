"""Run the steps on the connection that `store.open_store` hands over."""

from alembic import context

from endplate.store import tables, work_tables

if work_tables.metadata is not tables.metadata:
    raise RuntimeError("two schemas")
connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=tables.metadata, render_as_batch=True, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
