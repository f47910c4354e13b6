"""The first tables: patients, episodes, repairs, visits, scans, milestones, and every change of them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _key() -> sa.Column[Any]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _of_episode() -> sa.Column[Any]:
    return sa.Column("episode_id", sa.Integer, sa.ForeignKey("episode.id"), nullable=False, index=True)


def _version() -> sa.Column[Any]:
    return sa.Column("version", sa.Integer, nullable=False)


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "patient",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("sex", sa.String(10), nullable=False),
        sa.Column("age_yr", sa.Float, nullable=False),
        _version(),
    )
    op.create_table(
        "episode",
        _key(),
        sa.Column("patient_id", sa.String(200), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("started_on", sa.Date, nullable=False),
        sa.Column("onset_on", sa.Date),
        sa.Column("levels", sa.JSON, nullable=False),
        sa.Column("low_energy", sa.Boolean),
        sa.Column("record", sa.JSON),
        sa.Column("closed_on", sa.Date),
        sa.Column("counts_from", sa.Date, nullable=False),
        sa.Column("last_seen", sa.Date),
        sa.Column("due_from", sa.Date),
        _version(),
    )
    op.create_index("ix_episode_due", "episode", ["due_from", "closed_on"])
    op.create_index("ix_episode_patient", "episode", ["patient_id"])
    op.create_table(
        "repair",
        _key(),
        _of_episode(),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("levels", sa.JSON, nullable=False),
        sa.Column("on", sa.Date, nullable=False),
        _version(),
    )
    op.create_table(
        "visit",
        _key(),
        _of_episode(),
        sa.Column("on", sa.Date, nullable=False),
        *(sa.Column(name, sa.Float) for name in ("nrs", "rmdq", "odi", "height_cm")),
        *(sa.Column(name, sa.Boolean) for name in ("new_focal_pain", "deficit", "fever", "breathless")),
        sa.Column("note", sa.Text),
        _version(),
    )
    op.create_table(
        "scan",
        _key(),
        _of_episode(),
        sa.Column("on", sa.Date, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        _version(),
    )
    op.create_table(
        "milestone",
        _key(),
        _of_episode(),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("on", sa.Date, nullable=False),
        _version(),
    )
    op.create_table(
        "change",
        _key(),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("entity", sa.String(20), nullable=False),
        sa.Column("entity_id", sa.String(200), nullable=False),
        sa.Column("episode_id", sa.Integer, index=True),
        sa.Column("before", sa.JSON),
        sa.Column("after", sa.JSON),
    )
