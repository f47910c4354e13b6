"""The workbench: files, cases, jobs, readings, users with their sessions and tokens, and the audit."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _text(name: str, length: int, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), **more)


def _time(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime, nullable=nullable)


def _of_case(nullable: bool = False) -> sa.Column[Any]:
    return sa.Column("case_id", sa.String(32), sa.ForeignKey("case.id"), nullable=nullable, index=True)


def upgrade() -> None:
    """Create the tables."""
    _cases()
    _jobs()
    _people()


def _cases() -> None:
    op.create_table(
        "stored_file",
        _text("sha256", 64, primary_key=True),
        _text("kind", 20, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        _time("added_at", nullable=False),
    )
    op.create_table(
        "case",
        _text("id", 32, primary_key=True),
        _text("name", 200, nullable=False),
        _text("patient_id", 200, index=True),
        sa.Column("record", sa.JSON),
        sa.Column("folder", sa.Text),
        sa.Column("summary", sa.JSON),
        _time("added_at", nullable=False),
        _time("changed_at", nullable=False),
        _time("removed_at"),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "case_input",
        sa.Column("id", sa.Integer, primary_key=True),
        _of_case(),
        _text("role", 20, nullable=False),
        sa.Column("sha256", sa.String(64), sa.ForeignKey("stored_file.sha256"), nullable=False),
        _text("name", 200, nullable=False),
        _time("replaced_at"),
    )
    op.create_table(
        "reading",
        sa.Column("id", sa.Integer, primary_key=True),
        _of_case(),
        _text("level", 4),
        _text("what", 40, nullable=False),
        sa.Column("value", sa.JSON),
        sa.Column("reason", sa.Text, nullable=False),
        _text("who", 200, nullable=False),
        _time("at", nullable=False),
        _text("withdrawn_by", 200),
        _time("withdrawn_at"),
    )


def _jobs() -> None:
    op.create_table(
        "job",
        _text("id", 32, primary_key=True),
        _of_case(nullable=True),
        _text("task", 40, nullable=False),
        _text("title", 200, nullable=False),
        sa.Column("arguments", sa.JSON, nullable=False),
        _text("state", 20, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        _text("stage", 40),
        sa.Column("fraction", sa.Float),
        _text("detail", 200),
        sa.Column("seconds_left", sa.Float),
        sa.Column("stage_seconds", sa.JSON),
        sa.Column("kept", sa.Text),
        sa.Column("result", sa.JSON),
        sa.Column("error", sa.JSON),
        sa.Column("pid", sa.Integer),
        _text("host", 200),
        sa.Column("cancel_asked", sa.Boolean, nullable=False),
        _text("asked_by", 200, nullable=False),
        _time("asked_at", nullable=False),
        _time("started_at"),
        _time("ended_at"),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("ix_job_state", "job", ["state", "asked_at"])


def _people() -> None:
    op.create_table(
        "user",
        _text("name", 200, primary_key=True),
        _text("role", 10, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        _time("added_at", nullable=False),
        _time("disabled_at"),
    )
    op.create_table(
        "session",
        _text("key_sha256", 64, primary_key=True),
        _text("user_name", 200, nullable=False),
        _text("role", 10, nullable=False),
        sa.Column("local", sa.Boolean, nullable=False),
        _text("csrf", 64, nullable=False),
        _time("begun_at", nullable=False),
        _time("seen_at", nullable=False),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("key_sha256", 64, nullable=False, unique=True),
        _text("name", 200, nullable=False),
        _text("user_name", 200, nullable=False),
        _text("role", 10, nullable=False),
        _time("added_at", nullable=False),
        _time("withdrawn_at"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        _time("at", nullable=False),
        _text("who", 200, nullable=False),
        _text("did", 60, nullable=False),
        _text("case_id", 32),
        _text("patient_id", 200),
        _text("detail", 400),
    )
    op.create_index("ix_audit_patient", "audit", ["patient_id", "at"])
    op.create_index("ix_audit_case", "audit", ["case_id", "at"])
