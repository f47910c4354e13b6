"""Run the steps on the connection that `store.open_store` hands over."""

from alembic import context

from endplate.followup.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
