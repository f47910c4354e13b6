"""Everything that the page prints of one rehearsal."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import Markup

from endplate.case import Case
from endplate.repair.access.access_result import Access
from endplate.repair.access.clearance import describe, refusal
from endplate.repair.rehearsal.result import Rehearsal, Unknown
from endplate.report.figure.balloon import TOP_OF_SCALE, balloon_figures
from endplate.report.figure.cement import cement_figures
from endplate.report.figure.course import course_figures
from endplate.report.figure.gain import gain_figure, has_bars
from endplate.report.figure.height_steps import height_steps_figure
from endplate.report.figure.path_planes import path_figures
from endplate.report.figure.path_solid import solid_figures
from endplate.report.figure.silhouette import silhouette_figure
from endplate.report.markups import path_summary
from endplate.report.phrase import listed
from endplate.report.rehearsal.before import age_words, intact_words, zone_words
from endplate.report.rehearsal.table import UNKNOWN_WORDS, Moved, Way, comparison, moved, neighbours, openings
from endplate.report.rehearsal.words import (
    CAN,
    CANNOT,
    PLAUSIBLE,
    band_words,
    beyond_words,
    cured_words,
    loss_words,
    posture_words,
    sentences,
    sphere_words,
)
from endplate.report.table import Table

Pictures = list[tuple[str, Markup]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cemented:
    """The cement of one procedure: planes with their names, a line of words, and one on the plain sphere."""

    procedure: str
    pictures: Pictures
    words: str
    against: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WayIn:
    """The needles of one procedure: a line of words each, planes, the vertebra in 3-D; without a path words alone."""

    procedure: str
    lines: tuple[str, ...]
    pictures: tuple[Markup, ...]
    solid: tuple[Markup, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One rehearsal on the page."""

    level: str
    sentences: list[str]
    bands: str
    zone: str
    before: str
    loss: str
    ways: list[WayIn]
    cements: list[Cemented]
    balloon: Pictures
    silhouette: Markup | None
    gain: Markup | None
    steps: Markup | None
    gain_bars: bool
    courses: list[Markup]
    tables: list[Table]
    neighbours: Table | None
    moved: list[Moved]
    openings: list[Way]
    stops: list[tuple[str, str]]
    unknowns: list[tuple[str, Unknown]]
    can: tuple[str, ...] = CAN
    plausible: tuple[str, ...] = PLAUSIBLE
    cannot: tuple[str, ...] = CANNOT
    compaction_top: str = f"{TOP_OF_SCALE:g}"


def sections(case: Case) -> list[Section]:
    """Every rehearsal of a case."""
    return [_section(case, rehearsal) for rehearsal in case.rehearsals]


def _section(case: Case, rehearsal: Rehearsal) -> Section:
    vertebra = case.spine.at(rehearsal.level) if case.spine else None
    blown = next((done.inflation for done in rehearsal.nominal if done.inflation is not None), None)
    drawable = vertebra is not None and case.volume is not None
    return Section(
        level=str(rehearsal.level),
        sentences=sentences(rehearsal),
        bands=band_words(rehearsal),
        zone=" ".join(words for words in (zone_words(rehearsal), age_words(rehearsal)) if words),
        before=intact_words(rehearsal),
        loss=" ".join(
            words
            for words in (
                posture_words(rehearsal),
                beyond_words(rehearsal),
                loss_words(rehearsal),
                cured_words(rehearsal),
            )
            if words
        ),
        ways=_ways(case, rehearsal) if drawable else [],
        cements=_cements(case, rehearsal) if drawable else [],
        balloon=balloon_figures(blown, vertebra) if blown is not None and vertebra is not None else [],
        silhouette=silhouette_figure(rehearsal, vertebra) if vertebra is not None else None,
        gain=gain_figure(rehearsal),
        steps=height_steps_figure(rehearsal, _scanned_mm(case, rehearsal)),
        gain_bars=has_bars(rehearsal),
        courses=course_figures(rehearsal),
        tables=comparison(rehearsal),
        neighbours=neighbours(rehearsal),
        moved=moved(rehearsal),
        openings=openings(rehearsal),
        stops=_stops(rehearsal),
        unknowns=[(UNKNOWN_WORDS[unknown.name], unknown) for unknown in rehearsal.unknowns],
    )


def _scanned_mm(case: Case, rehearsal: Rehearsal) -> float | None:
    """Anterior height of the body in the scan."""
    reading = next((item for item in case.fractures if item.level is rehearsal.level), None)
    return None if reading is None else reading.heights.anterior.value


def _ways(case: Case, rehearsal: Rehearsal) -> list[WayIn]:
    """Needles that were found, procedure by procedure."""
    vertebra = case.spine.at(rehearsal.level) if case.spine else None
    found = []
    for done in rehearsal.nominal:
        if vertebra is None or done.access is None:
            continue
        if not done.access.paths:
            found.append(WayIn(procedure=done.procedure, lines=_refused(done.access), pictures=(), solid=()))
            continue
        planes = tuple(picture for path in done.access.paths for picture in path_figures(path, vertebra, case.volume))
        found.append(
            WayIn(
                procedure=done.procedure,
                lines=tuple(f"{path.side}: {path_summary(path)}" for path in done.access.paths),
                pictures=tuple(_apart(picture, done.procedure) for picture in planes),
                solid=tuple(_apart(picture, done.procedure) for picture in solid_figures(done.access, vertebra)),
            )
        )
    return found


def _refused(access: Access) -> tuple[str, ...]:
    """Why there is no path, and the best refused one with where it breaks what."""
    if not access.alternatives:
        return (access.reason,)
    best = access.alternatives[0]
    places = [f"{describe(b.wall)} at {', '.join(f'{x:.1f}' for x in b.at_mm)} mm (LPS)" for b in best.breaches]
    where = f"; where: {listed(places)}" if places else ""
    return access.reason, f"best of those refused, {best.side}: {path_summary(best)}; {refusal(best)}{where}"


def _apart(picture: Markup, procedure: str) -> Markup:
    """The same drawing with names of its own: both procedures may go the same way."""
    named = re.sub(r'(\bid|aria-labelledby)="([^"]*)"', rf'\1="{procedure}-\2"', str(picture))
    return Markup(named.replace("url(#", f"url(#{procedure}-"))


def _cements(case: Case, rehearsal: Rehearsal) -> list[Cemented]:
    vertebra = case.spine.at(rehearsal.level) if case.spine else None
    if vertebra is None or case.volume is None:
        return []
    found = []
    for done in rehearsal.nominal:
        pictures = cement_figures(done, vertebra, case.volume)
        if pictures and done.fill is not None:
            words = f"{done.fill.volume_ml:.1f} mL of {done.fill.cement.name} in the body, stopped by: {done.fill.stop}"
            against = sphere_words(done.fill)
            found.append(
                Cemented(procedure=done.procedure.capitalize(), pictures=pictures, words=words, against=against)
            )
    return found


def _stops(rehearsal: Rehearsal) -> list[tuple[str, str]]:
    """What ended the filling of balloon and body, how well the books balance, and what there was to note."""
    out = []
    for done in rehearsal.nominal:
        name = done.procedure.capitalize()
        if done.access is not None and done.access.notes:
            out.append((f"{name}, needle", "; ".join(done.access.notes)))
        if done.inflation is not None:
            blown = done.inflation
            books = (
                f"mass of bone within {100 * abs(blown.mass_error):.2g} %, balloon volume within "
                f"{100 * abs(blown.volume_error):.2g} %, energy within {100 * abs(blown.energy_error):.2g} %"
            )
            out.append((f"{name}, balloon", "; ".join((f"stopped by: {blown.stop}", books, *blown.notes))))
        if done.fill is not None:
            books = f"injected against pores and leaks within {100 * abs(done.fill.balance):.2g} %"
            out.append((f"{name}, cement", "; ".join((f"stopped by: {done.fill.stop}", books, *done.fill.notes))))
        if done.stopped:
            out.append((name, f"ended early: {done.stopped}"))
    return out
