"""What `import endplate` offers: the list, every signature, quickly and lazily; and no repr over a screen."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from tests.support.synthetic_rehearsal import rehearsed_case

import endplate as ep

SCREEN = 80 * 24
EXPORTED = [
    "AssessSettings",
    "Balloon",
    "Care",
    "Case",
    "Caution",
    "Cement",
    "Deformity",
    "EndplateError",
    "Finding",
    "Gap",
    "InputError",
    "LabelMap",
    "Level",
    "LevelView",
    "Needle",
    "PatientRecord",
    "PhantomSpec",
    "PlanSettings",
    "Progress",
    "Quantity",
    "RehearsalSettings",
    "Report",
    "RodSettings",
    "Rods",
    "SavedCase",
    "Volume",
    "__version__",
    "assess",
    "catalogue",
    "load_case",
    "make_phantom",
    "numerics",
    "plan",
    "read_case",
    "read_record",
    "rehearse",
    "weigh",
    "write_report",
]
SIGNATURES = {
    "read_case": "ct labels record scheme affine frame readings",
    "assess": "case settings progress choices",
    "rehearse": "case level settings progress measuring choices",
    "plan": "case settings progress levels choices",
    "weigh": "record findings levels guidelines",
    "load_case": "place",
    "read_record": "path",
    "write_report": "case out_dir formats inputs crop beside",
    "make_phantom": "spec",
    "catalogue": "",
    "Case.of": "case",
    "Case.report": "self",
    "Case.save": "self folder crop",
    "Case.to_dataframe": "self gaps",
    "SavedCase.report": "self",
    "Report.save": "self path",
    "LevelView.get": "self code condition",
    "LevelView.conditions": "self code",
    "Volume.from_array": "hu affine frame",
    "Volume.from_nibabel": "image",
    "Volume.from_sitk": "image",
    "Volume.to_nibabel": "self",
    "Volume.to_sitk": "self",
    "numerics.VoxelMesh.from_active": "active spacing_mm",
    "numerics.ElasticSolver": "mesh modulus_mpa poisson fixed element backend",
    "numerics.ElasticSolver.solve": "self force prescribed tolerance initial callback",
    "numerics.ElasticSolver.aspreconditioner": "self",
    "numerics.ElasticSolver.aslinearoperator": "self",
    "numerics.ElasticSolver.right_side": "self force prescribed",
}
"""A parameter that goes or is renamed breaks somebody's script: it is announced first."""


def test_the_list_of_exports() -> None:
    assert sorted(EXPORTED) == sorted(ep.__all__) == dir(ep)
    for name in ep.__all__:
        assert getattr(ep, name) is not None


def test_every_signature() -> None:
    for path, wanted in SIGNATURES.items():
        thing: Any = ep
        for part in path.split("."):
            thing = getattr(thing, part)
        assert list(inspect.signature(thing).parameters) == wanted.split(), path


def test_what_is_public_has_words() -> None:
    for name in EXPORTED:
        thing = getattr(ep, name)
        if inspect.isclass(thing) or inspect.isfunction(thing) or inspect.ismodule(thing):
            assert inspect.getdoc(thing), name


def test_importing_is_light() -> None:
    code = "import endplate, sys; print(len([m for m in sys.modules if m.split('.')[0] in HEAVY]))"
    heavy = "{'numpy', 'scipy', 'numba', 'pandas', 'nibabel', 'SimpleITK', 'pydantic', 'sqlalchemy', 'matplotlib'}"
    found = subprocess.run(
        [sys.executable, "-c", code.replace("HEAVY", heavy)], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "0"


def test_a_verb_does_not_load_what_it_does_not_need() -> None:
    code = "import endplate, sys; endplate.read_case; endplate.load_case; print(*(n in sys.modules for n in ({})))"
    code = code.format("'pandas', 'sqlalchemy'")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]


def reached(thing: Any, seen: dict[int, Any]) -> Iterator[Any]:
    """Everything of endplate that hangs on a thing."""
    if id(thing) in seen:
        return
    seen[id(thing)] = thing
    if type(thing).__module__.startswith("endplate."):
        yield thing
    parts: Any = ()
    if is_dataclass(thing) and not isinstance(thing, type):
        parts = [getattr(thing, field.name) for field in fields(thing)]
    elif hasattr(type(thing), "model_fields"):
        parts = [getattr(thing, name) for name in type(thing).model_fields]
    elif isinstance(thing, dict):
        parts = thing.values()
    elif isinstance(thing, list | tuple | set | frozenset):
        parts = thing
    for part in parts:
        yield from reached(part, seen)


def test_nothing_prints_over_a_screen() -> None:
    case = rehearsed_case()
    assert case.record is not None
    care = ep.weigh(case.record, case.findings)
    things = [case, care, ep.PlanSettings(), ep.AssessSettings(), ep.RehearsalSettings()]
    seen: dict[int, Any] = {}
    long = {type(part).__name__: len(repr(part)) for thing in things for part in reached(thing, seen)}
    assert len(long) > 60
    assert {name: length for name, length in long.items() if length > SCREEN} == {}
