"""Every cited number that the program uses, gathered for the audit page: name, value, unit, source, trust."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from endplate.case import Case
from endplate.cited import Cited, citation_of, is_cited
from endplate.report.phrase import BUILT, UNIT_WORDS

PHANTOM = "endplate.image.phantom"
STAGES = ("image", "anatomy", "fracture", "bone", "biomechanics", "repair")


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """One cited number; `cite` are the keys of its publications."""

    stage: str
    name: str
    value: str
    unit: str
    source: str
    trust: str
    cite: tuple[str, ...]


def stages_used(case: Case) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(stages, modules to leave out) of a case: a patient's report needs nothing of the digital spine."""
    ran = {
        "bone": case.volume is not None,
        "biomechanics": bool(case.strengths or case.rehearsals),
        "repair": bool(case.rehearsals),
    }
    digital = any(caution.code == BUILT for caution in case.cautions)
    return tuple(stage for stage in STAGES if ran.get(stage, True)), () if digital else (PHANTOM,)


def constants(stages: Sequence[str] = STAGES, without: Sequence[str] = ()) -> list[Constant]:
    """All module-level cited numbers and tables of the stages, by stage and name; not those of modules left out."""
    found: dict[tuple[str, str], Constant] = {}
    for stage in stages:
        for module in _modules(stage):
            if module.startswith(tuple(without)):
                continue
            for name, value in vars(sys.modules[module]).items():
                for key, number in _cited(name, value):
                    found.setdefault((stage, key), _constant(stage, key, number))
    return [found[key] for key in sorted(found)]


def by_source(
    found: Sequence[Mapping[str, Any]],
) -> list[tuple[str, str, list[tuple[list[Mapping[str, Any]], str, Any]]]]:
    """Constants as the page prints them: those of one stage, trust and source together, each source once.

    Returns
    -------
    list of (stage, trust, rows)
        A row is (constants, source, keys of its publications).
    """
    groups: dict[tuple[str, str], dict[tuple[str, tuple[str, ...]], list[Mapping[str, Any]]]] = {}
    for one in found:
        rows = groups.setdefault((one["stage"], one["trust"]), {})
        rows.setdefault((one["source"], tuple(one["cite"])), []).append(one)
    return [
        (stage, trust, [(those, source, cite) for (source, cite), those in rows.items()])
        for (stage, trust), rows in groups.items()
    ]


def _modules(stage: str) -> list[str]:
    package = importlib.import_module(f"endplate.{stage}")
    names = [info.name for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [name for name in names if name in sys.modules or _imported(name)]


def _imported(name: str) -> bool:
    """Import a stage module; one whose optional dependency is absent holds no constant in use."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _cited(name: str, value: object) -> list[tuple[str, Cited]]:
    if isinstance(value, float) and is_cited(value):
        return [(name, citation_of(value))]
    if isinstance(value, dict):
        return [(f"{name}[{key}]", citation_of(item)) for key, item in value.items() if is_cited(item)]
    return []


def _constant(stage: str, name: str, number: Cited) -> Constant:
    return Constant(
        stage=stage,
        name=name,
        value=f"{number.value:g}",
        unit=UNIT_WORDS.get(number.unit, number.unit),
        source=number.source,
        trust=number.trust,
        cite=tuple(number.cite),
    )
