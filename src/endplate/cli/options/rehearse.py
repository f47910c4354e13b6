"""The options of `endplate rehearse`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from endplate.cli.options.run import option

REPAIR = Group("Repair", sort_key=0)
INJECTION = Group("Injection of the cement", sort_key=0)
UNKNOWN = Group("What the scan does not hold", sort_key=3)


def injection_option(words: str) -> Parameter:
    """As `option`, shown in the group of the injection."""
    return Parameter(negative="", show_default=False, group=INJECTION, help=words)


@Parameter(name="*", group=REPAIR)
@dataclass(frozen=True, slots=True, kw_only=True)
class RepairOptions:
    """What is to be done."""

    level: Annotated[str | None, option("Vertebra to repair, such as L1.")] = None
    procedure: Annotated[
        Literal["vertebroplasty", "kyphoplasty", "both"], option("What to rehearse; default both, side by side.")
    ] = "both"
    needle: Annotated[str | None, option("Gauge, such as 11G; default the usual one, thinner where it must be.")] = None
    sides: Annotated[
        Literal["auto", "left", "right", "both"], option("Patient's sides the needle goes in from; default auto.")
    ] = "auto"
    route: Annotated[
        Literal["auto", "transpedicular", "extrapedicular"], option("Way into the body; default usual for the level.")
    ] = "auto"
    portions: Annotated[
        str | None,
        injection_option("How many even portions, or their shares, such as 0.5,0.3,0.2; default one."),
    ] = None
    pause_s: Annotated[float | None, injection_option("Rest between portions or needles in s; default 30.")] = None
    flow_ml_s: Annotated[float | None, injection_option("Through all needles together, in mL/s; default 0.1.")] = None
    needle_order: Annotated[
        Literal["together", "in-turn"] | None,
        injection_option("Two needles at once, or one after the other; default together."),
    ] = None
    max_pressure_mpa: Annotated[
        float | None, injection_option("Pressure in the syringe, in MPa, at which the hand gives up; default 5.")
    ] = None
    max_time_s: Annotated[
        float | None, injection_option("Time limit in s; default the cement's own end of handling.")
    ] = None
    continue_on_leak: Annotated[
        bool, injection_option("Go on when cement leaves the body, and count what goes out; default stop.")
    ] = False
    cement: Annotated[str | None, option("Name in the catalogue; default standard PMMA. A wrong name lists all.")] = (
        None
    )
    cement_ml: Annotated[float | None, option("Cement to inject; default 20 % of the body, at most 7 mL.")] = None
    balloon: Annotated[
        str | None,
        option("Name in the catalogue; default Xpander 15/3, Express 15/2 through 10G. A wrong name lists all."),
    ] = None
    balloon_ml: Annotated[
        float | None, option("Volume of all balloons together; default 2 mL each, less in small bodies.")
    ] = None


@Parameter(name="*", group=UNKNOWN)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownOptions:
    """What is assumed where the scan is silent, and how many runs span it."""

    members: Annotated[
        int | None,
        option(
            "Runs that span what is unknown: 0, 8, 16 or 32; 2 only span the height gained. Default 16 for both, 2 "
            "for kyphoplasty, 0 for vertebroplasty."
        ),
    ] = None
    member_voxel_mm: Annotated[float | None, option("Voxels of those runs; default 2.")] = None
    seed: Annotated[int | None, option("Of their design; default 4711.")] = None
    preload: Annotated[float | None, option("Usual load on the spine while a balloon lifts, N; default 100.")] = None
    fracture_mobility: Annotated[
        Literal["rigid", "mobile"] | None, option("Is the fracture loose? Default by its age.")
    ] = None


NO_REPAIR, NO_UNKNOWN = RepairOptions(), UnknownOptions()
