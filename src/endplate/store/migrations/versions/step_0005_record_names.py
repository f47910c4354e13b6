"""Of each case the names of its vertebrae under which the levels of its record were last said."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("case", sa.Column("record_names", sa.JSON))
