"""The tables of a rehearsal: procedures side by side, what moves each result, openings reached, neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from endplate.repair.augmented.motion_segment import FLEXED_MOMENT_NMM, FLEXED_N, STANDING_N
from endplate.repair.band import Band
from endplate.repair.rehearsal.findings import PROCEDURE_WORDS
from endplate.repair.rehearsal.result import Rehearsal
from endplate.repair.rehearsal.result_table import NEIGHBOUR, result_kind
from endplate.report.phrase import anatomical, number
from endplate.report.rehearsal.before import results
from endplate.report.table import Cell, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A result to print: title, unit, decimals, and the factor from its own unit to the printed one."""

    name: str
    title: str
    unit: str
    decimals: int = 1
    factor: float = 1.0


UNSETTLED = "our verification does not settle two published figures (docs/verification.md, rows R22 and R23)"
"""Pressure of a balloon, and what its deflation loses."""
SHAPE, BALLOON = "Shape with the cement set", "Balloon"
GROUPS: dict[str, tuple[Row, ...]] = {
    SHAPE: (
        Row(name="cured_anterior_mm", title="Anterior height gained", unit="mm"),
        Row(name="cured_middle_mm", title="Middle height gained", unit="mm"),
        Row(name="cured_posterior_mm", title="Posterior height gained", unit="mm"),
        Row(name="standing_anterior_mm", title="Anterior height gained when standing, posture included", unit="mm"),
        Row(name="cured_wedge_deg", title="Wedge angle changed (minus: less wedged)", unit="°"),
        Row(
            name="cured_kyphosis_deg",
            title="Kyphosis changed, as the wedge angle: discs assumed to keep theirs",
            unit="°",
        ),
    ),
    "Strength": (
        Row(name="strength_n", title="Predicted failure load", unit="kN", decimals=2, factor=0.001),
        Row(name="strength_ratio", title="… over no repair", unit="×", decimals=2),
        Row(name="load_share_standing", title="Load of standing over it", unit="%", decimals=0, factor=100.0),
        Row(name="load_share_flexed", title="Load of bending forward over it", unit="%", decimals=0, factor=100.0),
        Row(name="stiffness_n_per_mm", title="Stiffness", unit="kN/mm", factor=0.001),
        Row(name="stiffness_ratio", title="… over no repair", unit="×", decimals=2),
    ),
    "Cement": (
        Row(name="cement_ml", title="Cement in the body", unit="mL"),
        Row(name="leaked_ml", title="Cement outside", unit="mL", decimals=2),
        Row(name="fill_fraction", title="Share of the body filled", unit="%", decimals=0, factor=100.0),
        Row(name="fill_of_intact", title="… of the body before it broke", unit="%", decimals=0, factor=100.0),
        Row(name="right_share", title="Cement in the patient's right half", unit="%", decimals=0, factor=100.0),
        Row(
            name="contact_superior",
            title="Superior endplate in contact with cement",
            unit="%",
            decimals=0,
            factor=100.0,
        ),
        Row(
            name="contact_inferior",
            title="Inferior endplate in contact with cement",
            unit="%",
            decimals=0,
            factor=100.0,
        ),
        Row(name="openings", title="Leakage routes reached", unit="", decimals=0),
        Row(name="bone_pressure_mpa", title="Highest pressure in the bone", unit="kPa", decimals=0, factor=1000.0),
    ),
    BALLOON: (
        Row(name="upright_anterior_mm", title="Anterior height, standing against lying, before", unit="mm"),
        Row(name="posture_anterior_mm", title="Anterior height gained on the table, before the balloon", unit="mm"),
        Row(name="posture_wedge_deg", title="Wedge angle changed on the table (minus: less wedged)", unit="°"),
        Row(name="full_anterior_mm", title="Anterior height gained, balloon full", unit="mm"),
        Row(name="deflated_anterior_mm", title="Anterior height gained, balloon deflated", unit="mm"),
        Row(name="full_back_wall_mm", title="Posterior wall displaced towards the canal, balloon full", unit="mm"),
        Row(
            name="deflated_back_wall_mm",
            title="Posterior wall displaced towards the canal, balloon deflated",
            unit="mm",
        ),
        Row(name="full_side_wall_mm", title="Anterior or lateral wall displaced outwards, balloon full", unit="mm"),
        Row(name="balloon_volume_ml", title="Volume of all balloons", unit="mL"),
        Row(name="balloon_pressure_mpa", title="Highest balloon pressure", unit="MPa", decimals=2),
        Row(name="cavity_ml", title="Cavity left", unit="mL"),
    ),
}
INTROS = {
    SHAPE: "Heights are those of the emptied balloon less the creep of broken bone until the cement has set; setting "
    "itself is not computed. The change of kyphosis equals the wedge change: discs are assumed to keep their angles.",
    BALLOON: f"Pressure, and what is lost on emptying, are orders of magnitude: {UNSETTLED}.",
}
NEIGHBOUR_ROWS = {
    "load": "Load when the posture is held as before",
    "strain": "Strain of the facing endplate under the same load",
    "disc": "Pressure in the disc between under the same load",
}
LOAD_WORDS = {
    "standing": f"{number(STANDING_N, 0)} N",
    "flexed": f"{number(FLEXED_N, 0)} N and {number(FLEXED_MOMENT_NMM / 1000, 1)} N m",
}
UNKNOWN_WORDS = {
    "density": "bone density",
    "permeability": "how easily cement flows through the bone",
    "interface": "bond of cement and bone",
    "mobility": "looseness of the fracture",
    "preload": "load on the spine",
    "surroundings": "stiffness of what surrounds the body",
    "start viscosity": "thickness of the cement at the start",
}
MIN_SHARE = 0.05
"""An unknown that moves a result by less than this share of what the strongest does is left out."""
NO_MOVE = 1e-3
"""Effects below this share of the result are no effect."""


def comparison(rehearsal: Rehearsal) -> list[Table]:
    """One table a group: results down, procedures across."""
    tables = []
    held = results(rehearsal)
    for title, rows in GROUPS.items():
        names = {row.name for row in rows}
        columns = [name for name in PROCEDURE_WORDS if names & set(held.get(name, {}))]
        if title == SHAPE and columns and "cement_ml" in held.get("vertebroplasty", {}):
            columns = [name for name in PROCEDURE_WORDS if name in {*columns, "vertebroplasty"}]
        heads = tuple((PROCEDURE_WORDS[name].capitalize(), "") for name in columns)
        lines = tuple(
            (_titled(row), tuple(cell(held[name].get(row.name), row, name) for name in columns))
            for row in rows
            if any(row.name in held[name] for name in columns)
        )
        if lines:
            tables.append(Table(title=title, intro=INTROS.get(title, ""), heads=heads, rows=lines))
    return tables


def _titled(row: Row) -> str:
    return f"{row.title} ({row.unit})" if row.unit else row.title


def cell(band: Band | None, row: Row, procedure: str) -> Cell:
    """A result as a cell: its value with its band, or the reason why there is none."""
    if band is None and procedure == "vertebroplasty" and row.name.startswith("cured_"):
        return Cell(value="taken as unchanged")
    if band is None or band.value is None:
        text = "not computed" if band is None else band.reason
        return Cell(reason="no part of this" if band is None and procedure == "none" else text)
    value = number(row.factor * band.value, row.decimals)
    if band.low is None or band.high is None:
        return Cell(value=value)
    low, high = (number(row.factor * end, row.decimals) for end in (band.low, band.high))
    return Cell(value=value) if low == high == value else Cell(value=value, band=f"{low} to {high}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A result of a procedure and what moves it, strongest first."""

    procedure: str
    result: str
    by: tuple[str, ...]


def moved(rehearsal: Rehearsal) -> list[Moved]:
    """The unknowns that move each printed result, with the size of their effect; empty without an ensemble."""
    out = []
    for rows in GROUPS.values():
        for row in rows:
            for procedure in rehearsal.bands:
                effects = rehearsal.drivers.get(f"{procedure}: {row.name}", ())
                band = rehearsal.bands[procedure].get(row.name)
                stated = _strongest(effects, row, band)
                if stated:
                    out.append(Moved(procedure=PROCEDURE_WORDS[procedure].capitalize(), result=row.title, by=stated))
    return [item for item in out if not item.result.startswith("…")]


def _strongest(effects: Sequence[tuple[str, float]], row: Row, band: Band | None) -> tuple[str, ...]:
    """Up to three unknowns in words with their effect from low to high end."""
    if not effects or band is None or band.value is None:
        return ()
    top = abs(effects[0][1])
    scale = abs(band.value) if result_kind(row.name).carry == "ratio" else 1.0
    if top <= NO_MOVE * max(scale, NO_MOVE):
        return ()
    shown = [(name, effect) for name, effect in effects[:3] if abs(effect) >= MIN_SHARE * top]
    return tuple(f"{UNKNOWN_WORDS[name]} {_signed(row.factor * effect, row)}" for name, effect in shown)


def _signed(value: float, row: Row) -> str:
    decimals = row.decimals + (1 if abs(value) < 10.0**-row.decimals else 0)
    text = number(value, decimals)
    return f"{'+' if value > 0 else ''}{text}{'' if row.unit == '°' else ' ' if row.unit else ''}{row.unit}"


def neighbours(rehearsal: Rehearsal) -> Table | None:
    """After over before at each neighbour, per procedure and load case."""
    columns = [name for name in rehearsal.bands if name != "none"]
    names = dict.fromkeys(name for column in columns for name in rehearsal.bands[column] if NEIGHBOUR.fullmatch(name))
    rows = []
    for name in names:
        what, level, case = NEIGHBOUR.fullmatch(name).groups()  # type: ignore[union-attr]
        row = Row(name=name, title="", unit="", decimals=2)
        cells = tuple(cell(rehearsal.bands[column].get(name), row, column) for column in columns)
        rows.append((f"{level}, {case} ({LOAD_WORDS[case]}): {NEIGHBOUR_ROWS[what].lower()}", cells))
    if not rows:
        return None
    heads = tuple((PROCEDURE_WORDS[name].capitalize(), "after over before") for name in columns)
    intro = (
        f"Loads: standing, {LOAD_WORDS['standing']}; flexed, {LOAD_WORDS['flexed']}. Only the three bodies and the two "
        "discs between them are in the model: facet joints, ligaments and muscles are left out."
    )
    return Table(title=f"Neighbours of {rehearsal.level}", intro=intro, heads=heads, rows=tuple(rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """An opening that cement reached, in words."""

    procedure: str
    name: str
    route: str
    when: str
    out: str


ROUTES = {
    "B": "basivertebral vein",
    "S": "segmental vein",
    "C": "cortical defect",
    "D": "disc",
    "T": "needle track",
    "cleft": "cleft inside the body",
}


def openings(rehearsal: Rehearsal) -> list[Way]:
    """Every opening reached, in the order of time."""
    return [
        Way(
            procedure=PROCEDURE_WORDS[done.procedure].capitalize(),
            name=anatomical(reached.opening.name),
            route=f"{reached.opening.route}: {ROUTES[reached.opening.route]}"
            if len(reached.opening.route) == 1
            else ROUTES[reached.opening.route],
            when=f"{number(reached.time_s, 0)} s, {number(reached.injected_ml, 1)} mL in",
            out=f"{number(reached.leaked_ml, 2)} mL",
        )
        for done in rehearsal.nominal
        if done.fill is not None
        for reached in sorted(done.fill.reached, key=lambda item: item.time_s)
    ]
