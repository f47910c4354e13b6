"""How every quantity was measured, each sentence once: what is shared, what belongs to some quantities or levels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from endplate.case import Case
from endplate.finding import Finding
from endplate.level import Level
from endplate.report.phrase import levels_listed, listed, title_of, titles_listed
from endplate.report.table import GROUPS, STRENGTH

TOGETHER = {
    "Heights": ("anterior_height", "middle_height", "posterior_height"),
    "Bone density": ("trabecular_hu", "trabecular_density", "density_category", "density_calibration"),
    STRENGTH: ("stiffness", "failure_load", "failure_load_plateau", "failure_load_linear"),
    "Rehearsal: balloon and height": (
        "repair_gain_anterior", "repair_gain_middle", "repair_gain_posterior", "repair_wedge_change",
        "repair_kyphosis_change", "repair_settled_anterior", "repair_settled_middle", "repair_settled_posterior",
        "repair_back_wall_pushed", "repair_side_wall_pushed", "balloon_volume", "balloon_pressure",
        "balloon_cavity",
    ),
    "Rehearsal: cement": (
        "cement_volume", "cement_outside", "cement_fill_fraction", "cement_openings_reached", "cement_reached",
        "cement_right_share", "cement_endplate_contact", "cement_bone_pressure", "cement_cannula_pressure",
    ),
    "Rehearsal: strength": (
        "repair_failure_load", "repair_load_to_strength", "repair_stiffness",
        "repair_failure_load_ratio", "repair_stiffness_ratio",
    ),
    "Rehearsal: neighbours": (
        "neighbour_load_ratio", "neighbour_endplate_strain_ratio", "neighbour_disc_pressure_ratio",
    ),
    "Rehearsal: needle": ("needle_clearance", "needle_axial_angle", "needle_sagittal_angle", "needle_depth"),
}  # fmt: skip
"""Quantities measured in one go, whose methods share most of their words."""
CLAUSE = "; "
"""What parts the clauses of a method."""
NUMBER = re.compile(r"(?<![\w.,+-])\d+(?:\.\d+)?")

Place = tuple[str, Level | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How a quantity was measured: what all its findings share, what is some levels' own, and the sources."""

    title: str
    shared: str
    own: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]


def methods(case: Case) -> list[Method]:
    """Method and source of every quantity that was reported, in the order of the tables."""
    order = [code for codes in GROUPS.values() for code in codes]
    held = sorted({f.code for f in case.findings}, key=lambda c: order.index(c) if c in order else len(order))
    group_of = {code: name for name, codes in TOGETHER.items() for code in codes}
    gathered: dict[str, list[str]] = {}
    for code in held:
        gathered.setdefault(group_of.get(code, code), []).append(code)
    return [_method(codes, [f for f in case.findings if f.code in codes]) for codes in gathered.values()]


def _method(codes: list[str], findings: list[Finding]) -> Method:
    title = next((name for name, together in TOGETHER.items() if codes[0] in together), "") if len(codes) > 1 else ""
    places = {(finding.code, finding.level) for finding in findings}
    shared: list[str] = []
    own: dict[str, list[str]] = {}
    for clauses in _by_pattern(findings):
        held = {place for place, _ in clauses}
        words = _merged([clause for _, clause in clauses])
        if held == places:
            shared.append(words)
        else:
            own.setdefault(_named(held, places, codes), []).append(words)
    return Method(
        title=title or title_of(codes[0]),
        shared=CLAUSE.join(shared),
        own=tuple((where, CLAUSE.join(words)) for where, words in own.items()),
        sources=tuple(dict.fromkeys(finding.source for finding in findings)),
    )


def _by_pattern(findings: list[Finding]) -> Iterable[list[tuple[Place, str]]]:
    """Clauses that differ in nothing but numbers, with the quantity and level of each."""
    patterns: dict[str, list[tuple[Place, str]]] = {}
    for finding in findings:
        for clause in finding.method.split(CLAUSE):
            patterns.setdefault(NUMBER.sub("#", clause), []).append(((finding.code, finding.level), clause))
    return patterns.values()


def _merged(clauses: list[str]) -> str:
    """One clause for all: a number that differs is given as its range."""
    columns = zip(*(NUMBER.findall(clause) for clause in clauses), strict=True)
    ranges = iter([sorted(set(column), key=float) for column in columns])

    def replacement(match: re.Match[str]) -> str:
        ends = next(ranges)
        return ends[0] if len(ends) == 1 else f"{ends[0]} to {ends[-1]}"

    return NUMBER.sub(replacement, clauses[0])


def _named(held: set[Place], places: set[Place], codes: list[str]) -> str:
    """Which quantities, at which levels, in the fewest words."""
    here = [code for code in codes if any(code == name for name, _ in held)]
    levels = {level for _, level in held}
    where = levels_listed(list(levels))
    if held == {place for place in places if place[0] in here}:
        return titles_listed(here)
    if len(here) == len(codes) or held == {place for place in places if place[1] in levels}:
        return where
    return f"{listed([titles_listed(here)])}, {where}"
