"""Reads: the course of an episode, the due list, the history of changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, and_, func, or_, select

from endplate.decision.recovery.deformity import RANK, Change
from endplate.decision.recovery.expected_course import Procedure
from endplate.decision.recovery.flags import Flag, flags
from endplate.decision.recovery.scan_series import scan_series
from endplate.decision.recovery.visit_scores import SCORES, VisitScores
from endplate.decision.recovery.visits import Due, alarm_visit, due_visit
from endplate.followup.row import Damage, Row, parsed, read_rows, stored
from endplate.patient.scale import SCALES
from endplate.store import tables
from endplate.store.database import Store, StoreError

Rows = Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreChange:
    """A score at the start and the last one since; `answer` and `text` by `Scale.changed` and `Scale.change_text`."""

    scale: str
    name: str
    before: float | None
    after: float
    on: date
    answer: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeCourse:
    """An episode as it went.

    Attributes
    ----------
    episode, repairs, visits, scans, milestones : rows, by day. procedure : the last repair, or "none".
    start : the reading that the course counts from. readings : all later ones, and the signs of that day.
    fracture_days : age of the fracture at the start, None where the onset is unknown.
    damage : what of the stored rows cannot be read; it is missing from all the rest.
    """

    episode: Any
    repairs: Rows
    visits: Rows
    scans: Rows
    milestones: Rows
    procedure: Procedure
    start: VisitScores
    readings: tuple[VisitScores, ...]
    fracture_days: float | None
    damage: tuple[Damage, ...] = ()

    def flags(self, today: date | None = None) -> tuple[Flag, ...]:
        """All open flags of the course; with `today`, also a visit that was missed."""
        found = tuple(flag for flag in self._of_visits() if flag.settled_on is None)
        found += tuple(self._deformities())
        lost = self.due(today) if today and self.episode.closed_on is None else None
        if lost is not None and lost.overdue:
            found += (
                Flag(
                    code="lost_to_follow_up",
                    since=lost.missed_since,
                    text=f"a visit was due by {lost.missed_since} and was missed",
                    action="call the patient",
                    urgency="next visit",
                    source="own choice of windows",
                ),
            )
        return found

    def settled(self) -> tuple[Flag, ...]:
        """Flags of the past: a later visit said otherwise."""
        return tuple(flag for flag in self._of_visits() if flag.settled_on is not None)

    def _of_visits(self) -> tuple[Flag, ...]:
        return flags(self.procedure, self.start, self.readings, self.fracture_days)

    def score_changes(self) -> tuple[ScoreChange, ...]:
        """Of each scale that was asked since the start: whether it changed beyond what errs and by what matters."""
        found = []
        for key, scale in SCALES.items():
            before = getattr(self.start, key)
            known = [(reading.on, value) for reading in self.readings if (value := getattr(reading, key)) is not None]
            if known:
                on, after = known[-1]
                answer, text = scale.changed(before, after), scale.change_text(before, after)
                change = {"before": before, "after": after, "on": on, "answer": answer, "text": text}
                found.append(ScoreChange(scale=key, name=scale.name, **change))
        return tuple(found)

    def due(self, today: date) -> Due | None:
        """The visit that is due by the calendar."""
        return due_visit(self.start.on, [visit.on for visit in self.visits], today)

    def _deformities(self) -> Iterator[Flag]:
        """What is worse at any scan than before; what only may be worse, at the last one alone."""
        for scan, found in zip(self.scans, self._series(), strict=True):
            for level in dict.fromkeys(change.level for change in found):
                worst = max((c for c in found if c.level == level), key=lambda change: RANK[change.worse])
                if worst.worse == "yes" or (worst.worse == "indeterminate" and scan is self.scans[-1]):
                    yield _worse(worst, scan.on)

    def changes(self, scan_id: int | None = None) -> tuple[Change, ...]:
        """A scan (the last one by its day) against the one before it and the first, by level; empty for the first."""
        place = next((n for n, scan in enumerate(self.scans) if scan.id == scan_id), len(self.scans) - 1)
        return self._series()[place] if self.scans else ()

    def _series(self) -> tuple[tuple[Change, ...], ...]:
        scans = [(scan.on, scan.document) for scan in self.scans]
        return scan_series(scans, [(repair.on, repair.levels) for repair in self.repairs])


def _worse(change: Change, on: date) -> Flag:
    sure = change.worse == "yes"
    size = ""
    if change.change is not None:
        size = f" ({change.what.replace('_', ' ')} {change.change:+.1f} against {change.against})"
    return Flag(
        code="deformity" if sure else "possible_deformity",
        since=on,
        text=f"{change.level}: {'new or worse' if sure else 'possibly new or worse'} deformity{size}",
        action="read both scans side by side; MRI with STIR",
        urgency="soon",
        source=change.rule,
    )


def course(store: Store, episode_id: int) -> EpisodeCourse:
    """The course of an episode.

    Raises
    ------
    StoreError : no such episode, or its own row cannot be read; of all other rows what cannot be read is a gap.
    """
    damage: list[Damage] = []
    with store.reading() as connection:
        episode = episode_row(connection, episode_id, damage)

        def rows(of: Table) -> list[Row]:
            found = read_rows(connection, of, stored(of).where(of.c.episode_id == episode_id), damage)
            return sorted(found, key=lambda row: (row.on, row.id))

        repairs, visits = rows(tables.repair), rows(tables.visit)
        scans, milestones = rows(tables.scan), rows(tables.milestone)
    readings = [_reading(row) for row in visits]
    start_on = episode.counts_from
    onset = episode.onset_on
    return EpisodeCourse(
        episode=episode,
        repairs=repairs,
        visits=visits,
        scans=scans,
        milestones=milestones,
        procedure=repairs[-1].kind if repairs else "none",
        start=_baseline(start_on, readings),
        readings=(
            *(_signs(reading) for reading in readings if reading.on == start_on),
            *(reading for reading in readings if reading.on > start_on),
        ),
        fracture_days=None if onset is None else float((start_on - onset).days),
        damage=tuple(damage),
    )


def episode_exists(store: Store, episode_id: int) -> None:
    """Refuse the number of no episode; its row may be damaged."""
    with store.reading() as connection:
        if connection.execute(stored(tables.episode, "id").where(tables.episode.c.id == episode_id)).first() is None:
            raise StoreError(f"there is no episode {episode_id}", "", "`endplate follow list` shows all")


def episode_row(connection: Connection, episode_id: int, damage: list[Damage] | None = None, lock: bool = False) -> Row:
    """The row of an episode.

    Raises
    ------
    StoreError : no such episode, or its row cannot be read.
    """
    table = tables.episode
    query = stored(table).where(table.c.id == episode_id)
    raw = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if raw is None:
        raise StoreError(f"there is no episode {episode_id}", "", "`endplate follow list` shows all")
    row, stated = parsed(table, raw)
    if damage is not None:
        damage += stated
    if row is None:
        reason = "; ".join(one.reason for one in stated if one.whole)
        raise StoreError(
            f"episode {episode_id} cannot be read: {reason}",
            "its course counts from it",
            f"mend it with `endplate follow correct episode {episode_id} FIELD=VALUE`",
        )
    return row


def _reading(row: Any) -> VisitScores:
    return VisitScores(**{field.name: getattr(row, field.name) for field in fields(VisitScores)})


def _signs(reading: VisitScores) -> VisitScores:
    """What was seen on the day the course counts from: its scores are the start, its signs already need an answer."""
    nothing: dict[str, Any] = dict.fromkeys(SCORES)
    return replace(reading, **nothing)


def _baseline(on: date, readings: Sequence[VisitScores]) -> VisitScores:
    """The state when the course began: of each score, the last known up to that day."""
    before = [reading for reading in readings if reading.on <= on]
    known = {
        name: next((value for r in reversed(before) if (value := getattr(r, name)) is not None), None)
        for name in SCORES
    }
    return VisitScores(on=on, **known)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRow:
    """One line of the due list."""

    episode_id: int
    patient_id: str
    due: Due
    last_seen: date | None


def due_list(
    store: Store, today: date, limit: int = 100, damage: list[Damage] | None = None
) -> tuple[list[DueRow], int]:
    """Whom to see, and how many there are in all: who has an open emergency sign, then the longest due first.

    What cannot be read is added to `damage`.
    """
    table = tables.episode
    alarmed = and_(table.c.alarm_since <= today, table.c.closed_on.is_(None))
    waiting = and_(table.c.due_from <= today, table.c.closed_on.is_(None))
    calm = or_(table.c.alarm_since.is_(None), table.c.alarm_since > today)
    early = or_(table.c.due_from.is_(None), table.c.due_from > today)
    columns = ("id", "patient_id", "counts_from", "last_seen", "alarm_since", "started_on")
    rows: list[Any] = []
    total = 0
    with store.reading() as connection:
        # Walks along one index each; the long count reads nothing but its index.
        for where in (waiting, and_(alarmed, early)):
            total += connection.execute(select(func.count()).select_from(table).where(where)).scalar_one()
        for where, order in ((alarmed, table.c.alarm_since), (and_(waiting, calm), table.c.due_from)):
            query = stored(table, *columns).where(where).order_by(order, table.c.id).limit(limit - len(rows))
            rows += read_rows(connection, table, query, damage)
    found = []
    for row in rows:
        seen = [] if row.last_seen is None else [row.last_seen]
        due = due_visit(row.counts_from, seen, today)
        if row.alarm_since is not None and row.alarm_since <= today:
            due = alarm_visit(row.alarm_since, today)
        if due is not None:
            found.append(DueRow(episode_id=row.id, patient_id=row.patient_id, due=due, last_seen=row.last_seen))
    return found, int(total)


def episodes(store: Store, patient_id: str | None = None, limit: int = 100, damage: list[Damage] | None = None) -> Rows:
    """Episodes, newest first, of one patient or of all; what cannot be read is added to `damage`."""
    table = tables.episode
    query = stored(table).order_by(table.c.started_on.desc(), table.c.id.desc()).limit(limit)
    with store.reading() as connection:
        return read_rows(
            connection, table, query.where(table.c.patient_id == patient_id) if patient_id else query, damage
        )


def history(store: Store, episode_id: int, damage: list[Damage] | None = None) -> Rows:
    """Every change of an episode and of its patient, oldest first; what cannot be read is added to `damage`."""
    table, episode = tables.change, tables.episode
    with store.reading() as connection:
        patient = connection.execute(stored(episode, "patient_id").where(episode.c.id == episode_id)).scalar()
        about = or_(
            table.c.episode_id == episode_id, and_(table.c.entity == "patient", table.c.entity_id == str(patient))
        )
        return read_rows(connection, table, stored(table).where(about).order_by(table.c.id), damage)
