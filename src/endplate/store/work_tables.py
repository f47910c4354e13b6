"""The tables of the workbench: cases and their files, jobs, readings, users, and who read or changed what."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
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

stored_file = Table(
    "stored_file",
    metadata,
    # Of a file its SHA-256; of a series that of the sorted hashes of its files.
    Column("sha256", String(64), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("added_at", DateTime, nullable=False),
)

case = Table(
    "case",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("patient_id", String(200), index=True),
    Column("record", JSON),
    # By the names of the labels, those under which the levels of the record were last said, where they differ.
    Column("record_names", JSON),
    # Where its results lie: a folder of ours by the id of the case, or an absolute path that was opened.
    Column("folder", Text),
    # What the worklist shows of its document: levels, grades, worst level, emergencies.
    Column("summary", JSON),
    Column("added_at", DateTime, nullable=False),
    Column("changed_at", DateTime, nullable=False),
    Column("removed_at", DateTime),
    Column("version", Integer, nullable=False),
)

case_input = Table(
    "case_input",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", String(32), ForeignKey("case.id"), nullable=False, index=True),
    Column("role", String(20), nullable=False),
    Column("sha256", String(64), ForeignKey("stored_file.sha256"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("replaced_at", DateTime),
)

job = Table(
    "job",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("case_id", String(32), ForeignKey("case.id"), index=True),
    Column("task", String(40), nullable=False),
    Column("title", String(200), nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("stage", String(40)),
    Column("fraction", Float),
    Column("detail", String(200)),
    Column("seconds_left", Float),
    # Seconds that each finished stage took: what the time left of the next run is estimated from.
    Column("stage_seconds", JSON),
    Column("kept", Text),
    Column("result", JSON),
    Column("error", JSON),
    Column("pid", Integer),
    Column("host", String(200)),
    Column("cancel_asked", Boolean, nullable=False),
    Column("asked_by", String(200), nullable=False),
    Column("asked_at", DateTime, nullable=False),
    Column("started_at", DateTime),
    Column("ended_at", DateTime),
    # Goes up with every write, so that a page asks only for what changed since.
    Column("version", Integer, nullable=False),
    Index("ix_job_state", "state", "asked_at"),
)

reading = Table(
    "reading",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", String(32), ForeignKey("case.id"), nullable=False, index=True),
    Column("level", String(4)),
    Column("what", String(40), nullable=False),
    Column("value", JSON),
    Column("reason", Text, nullable=False),
    Column("who", String(200), nullable=False),
    Column("at", DateTime, nullable=False),
    Column("withdrawn_by", String(200)),
    Column("withdrawn_at", DateTime),
)

rehearsal = Table(
    "rehearsal",
    metadata,
    # The id of the job that computed it: what it left besides (course, parts of a report) lies in that job's folder.
    Column("id", String(32), primary_key=True),
    Column("case_id", String(32), ForeignKey("case.id"), nullable=False, index=True),
    # The name that the vertebra had then.
    Column("level", String(4), nullable=False),
    Column("title", String(200), nullable=False),
    Column("asked", JSON, nullable=False),
    Column("result", JSON, nullable=False),
    # Hashes of the files that the case was read from, and the readings that named and judged its levels.
    Column("basis", JSON, nullable=False),
    Column("version", String(40), nullable=False),
    Column("who", String(200), nullable=False),
    Column("at", DateTime, nullable=False),
    Column("removed_by", String(200)),
    Column("removed_at", DateTime),
)

user = Table(
    "user",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("role", String(10), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("added_at", DateTime, nullable=False),
    Column("disabled_at", DateTime),
)

session = Table(
    "session",
    metadata,
    Column("key_sha256", String(64), primary_key=True),
    Column("user_name", String(200), nullable=False),
    Column("role", String(10), nullable=False),
    # Begun with the address of a local server: no password was asked, so it opens nothing on a network.
    Column("local", Boolean, nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("begun_at", DateTime, nullable=False),
    Column("seen_at", DateTime, nullable=False),
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key_sha256", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("user_name", String(200), nullable=False),
    Column("role", String(10), nullable=False),
    Column("added_at", DateTime, nullable=False),
    Column("withdrawn_at", DateTime),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", DateTime, nullable=False),
    Column("who", String(200), nullable=False),
    Column("did", String(60), nullable=False),
    Column("case_id", String(32)),
    Column("patient_id", String(200)),
    Column("detail", String(400)),
    Index("ix_audit_patient", "patient_id", "at"),
    Index("ix_audit_case", "case_id", "at"),
)
