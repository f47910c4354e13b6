"""EQ-5D, QUALEFFO and SF-36 of visits; and of episodes, since when an emergency sign stands."""

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SIGNS = ("deficit", "fever", "breathless")


def upgrade() -> None:
    """Add the columns, and count the new one for what is stored."""
    for name in ("eq5d", "qualeffo", "pcs"):
        op.add_column("visit", sa.Column(name, sa.Float))
    op.add_column("episode", sa.Column("alarm_since", sa.Date))
    op.create_index("ix_episode_alarm", "episode", ["alarm_since", "closed_on"])
    episode = sa.table("episode", sa.column("id", sa.Integer), sa.column("alarm_since", sa.Date))
    for number, on in _alarms(op.get_bind()).items():
        op.execute(sa.update(episode).where(episode.c.id == number).values(alarm_since=on))


def _alarms(connection: sa.Connection) -> dict[int, date]:
    """By episode, the first day since its start of a sign that no visit of a later day denies."""
    episode = sa.table("episode", sa.column("id", sa.Integer), sa.column("counts_from", sa.Date))
    numbers = (sa.column(name, sa.Integer) for name in ("id", "episode_id"))
    visit = sa.table("visit", *numbers, sa.column("on", sa.Date), *(sa.column(sign, sa.Boolean) for sign in SIGNS))
    query = (
        sa.select(visit)
        .join_from(visit, episode, visit.c.episode_id == episode.c.id)
        .where(visit.c.on >= episode.c.counts_from)
        .order_by(visit.c.on, visit.c.id)
    )
    standing: dict[tuple[int, str], tuple[date, date]] = {}
    for row in connection.execute(query):
        for sign in SIGNS:
            key, said = (row.episode_id, sign), getattr(row, sign)
            first, last = standing.get(key, (row.on, row.on))
            if said:
                standing[key] = (first, row.on)
            elif said is False and row.on > last:
                standing.pop(key, None)
    found: dict[int, date] = {}
    for (number, _), (first, _) in standing.items():
        found[number] = min(first, found.get(number, first))
    return found
