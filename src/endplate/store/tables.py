"""The tables of the course of patients. Dates are days; times of changes are UTC; what is unknown is NULL."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from endplate.store.schema import metadata

patient = Table(
    "patient",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("sex", String(10), nullable=False),
    Column("age_yr", Float, nullable=False),
    Column("version", Integer, nullable=False),
)

episode = Table(
    "episode",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("patient_id", String(200), ForeignKey("patient.id"), nullable=False),
    Column("started_on", Date, nullable=False),
    Column("onset_on", Date),
    Column("levels", JSON, nullable=False),
    Column("low_energy", Boolean),
    Column("record", JSON),
    Column("closed_on", Date),
    # Kept with every write, so that the due list is one walk along an index.
    Column("counts_from", Date, nullable=False),
    Column("last_seen", Date),
    Column("due_from", Date),
    Column("alarm_since", Date),
    Column("version", Integer, nullable=False),
    Index("ix_episode_due", "due_from", "closed_on"),
    Index("ix_episode_alarm", "alarm_since", "closed_on"),
    Index("ix_episode_patient", "patient_id"),
)

repair = Table(
    "repair",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("episode_id", Integer, ForeignKey("episode.id"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("levels", JSON, nullable=False),
    Column("on", Date, nullable=False),
    Column("version", Integer, nullable=False),
)

visit = Table(
    "visit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("episode_id", Integer, ForeignKey("episode.id"), nullable=False, index=True),
    Column("on", Date, nullable=False),
    Column("nrs", Float),
    Column("rmdq", Float),
    Column("odi", Float),
    Column("eq5d", Float),
    Column("qualeffo", Float),
    Column("pcs", Float),
    Column("height_cm", Float),
    Column("new_focal_pain", Boolean),
    Column("deficit", Boolean),
    Column("fever", Boolean),
    Column("breathless", Boolean),
    Column("note", Text),
    Column("version", Integer, nullable=False),
)

scan = Table(
    "scan",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("episode_id", Integer, ForeignKey("episode.id"), nullable=False, index=True),
    Column("on", Date, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("document", JSON, nullable=False),
    Column("version", Integer, nullable=False),
)

milestone = Table(
    "milestone",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("episode_id", Integer, ForeignKey("episode.id"), nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("on", Date, nullable=False),
    Column("version", Integer, nullable=False),
)

change = Table(
    "change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", DateTime, nullable=False),
    Column("who", String(200), nullable=False),
    Column("entity", String(20), nullable=False),
    Column("entity_id", String(200), nullable=False),
    Column("episode_id", Integer, index=True),
    Column("before", JSON),
    Column("after", JSON),
)

TABLES = {table.name: table for table in (patient, episode, repair, visit, scan, milestone)}
"""What may be changed; every change of it is kept in `change`."""
