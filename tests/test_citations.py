"""Every clinical and physical number of the stages carries its source: read from the source text, not from a list."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "endplate"
STAGES = (
    "anatomy",
    "fracture",
    "bone",
    "biomechanics",
    "image/phantom",
    "repair",
    "synthetic_fracture",
    "patient",
    "decision",
)
SINGLE_FILES = ("image/calibration.py", "followup/key_figures.py")
CITING = {"cited", "cited_table"}
PLAIN = {0, 1, 2, 3, 4, 0.5, 10, 12, 100, 1000}
"""Numbers of arithmetic, not of medicine; 12 is the second moment of a unit interval."""
LARGEST_INDEX = 16
"""Whole and half numbers up to this are axes, indices, sizes and steps where they index, slice, shape or count."""
TOLERANCE = 1e-3
ROBUST_CALLS = {"percentile", "nanpercentile", "quantile", "nanquantile"}
"""Calls whose numbers say how much of a sample is taken for stray."""
COUNTING_CALLS = {"range", "reshape", "zeros", "ones", "empty", "full", "linspace", "arange", "eye", "round", "islice"}
DEGREES = {45, 90, 180, 360}
"""Parts of a turn: geometry, not measurement."""
SUBREGION_CODES = set(range(41, 51))
"""TPTBox codes of the parts of a vertebra: names, not measurements."""


def stage_files() -> list[Path]:
    files = [file for stage in STAGES for file in sorted((PACKAGE / stage).rglob("*.py"))]
    return files + [PACKAGE / name for name in SINGLE_FILES if (PACKAGE / name).exists()]


def uncited_constants(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Module-level UPPERCASE names whose value holds a bare number of more than arithmetic."""
    citing = CITING | _makers(tree)
    for node in tree.body:
        for name, value in _assigned(node):
            numbers = _numbers_outside_calls(value, citing)
            if name.strip("_").isupper() and any(not _is_plain(number) for number in numbers):
                yield node.lineno, f"{name} = {ast.unparse(value)[:60]}: make it with cited() or cited_table()"


def _assigned(node: ast.stmt) -> list[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        return [(target.id, node.value) for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
        return [(node.target.id, node.value)]
    return []


def _makers(tree: ast.Module) -> set[str]:
    """Functions of this file that pass what they are given on to cited() or cited_table()."""
    return {
        function.name
        for function in tree.body
        if isinstance(function, ast.FunctionDef)
        and any(isinstance(node, ast.Call) and _called(node) in CITING for node in ast.walk(function))
    }


def _numbers_outside_calls(value: ast.AST, citing: set[str]) -> Iterator[ast.Constant]:
    """Number literals, not looking into calls that cite."""
    if isinstance(value, ast.Call) and _called(value) in citing:
        return
    if isinstance(value, ast.Constant) and _is_number(value.value):
        yield value
    for child in ast.iter_child_nodes(value):
        yield from _numbers_outside_calls(child, citing)


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_plain(node: ast.Constant) -> bool:
    value = node.value
    if isinstance(value, int) and value in SUBREGION_CODES:
        return True
    return value in PLAIN or value in DEGREES or (isinstance(value, float) and 0 < abs(value) <= TOLERANCE)


def bare_literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Number literals inside functions and defaults that are neither arithmetic, nor index, nor tolerance."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in _literals(function, counting=False):
                yield node.lineno, f"{function.name}: {node.value!r} has no source"


def _literals(node: ast.AST, counting: bool) -> Iterator[ast.Constant]:
    if isinstance(node, ast.Call) and _called(node) in CITING | ROBUST_CALLS:
        return
    if isinstance(node, ast.Constant) and _is_number(node.value):
        small = float(2 * node.value).is_integer() and abs(node.value) <= LARGEST_INDEX
        if not (_is_plain(node) or (small and counting)):
            yield node
        return
    for name, child in ast.iter_fields(node):
        for item in child if isinstance(child, list) else [child]:
            if isinstance(item, ast.FunctionDef) or not isinstance(item, ast.AST):
                continue
            yield from _literals(item, counting or _counts(node, name))


def _counts(node: ast.AST, field: str) -> bool:
    """Whether a field of a node holds indices, sizes, counts, bit masks or the format of a text."""
    if isinstance(node, ast.Subscript | ast.Slice | ast.Set | ast.List | ast.Tuple | ast.FormattedValue):
        return True
    if isinstance(node, ast.Call) and _called(node) in COUNTING_CALLS:
        return True
    if isinstance(node, ast.keyword):
        return node.arg in {"axis", "axes", "iterations", "order", "ndmin", "n", "size", "dtype", "shape", "decimals"}
    if isinstance(node, ast.Compare):
        return _compares_count(node)
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.LShift | ast.BitAnd | ast.BitOr | ast.FloorDiv)


def _compares_count(node: ast.Compare) -> bool:
    """len(x) < 8, mask.sum() < 12, array.ndim == 3: how many, not how much."""
    counts = {"len", "sum", "count_nonzero"}
    return any(
        (isinstance(item, ast.Call) and _called(item) in counts)
        or (isinstance(item, ast.Attribute) and item.attr in {"size", "ndim", "shape"})
        or (isinstance(item, ast.Name) and item.id in {"count", "n"})
        for item in (node.left, *node.comparators)
    )


def violations(file: Path) -> list[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = sorted({*uncited_constants(tree), *bare_literals(tree)})
    return [f"{file.relative_to(PACKAGE.parents[1])}:{line}: {told}" for line, told in found]


@pytest.mark.parametrize("file", stage_files(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_every_number_of_a_stage_has_a_source(file: Path) -> None:
    found = violations(file)
    assert not found, "numbers without a source:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("CUT_OFF = 0.20", 1),
        ("CUT_OFF = cited(0.20, '1', 'Genant 1993 J Bone Miner Res', 'knowledge')", 0),
        ("TABLE = {'a': 7.5}", 1),
        ("TABLE = {'a': cited(7.5, 'mm', 'Someone 1999, Spine', 'weak')}", 0),
        ("def f(x):\n    return x > 0.85", 1),
        ("def f(x, margin=7.5):\n    return x", 1),
        ("def f(x):\n    return 0.5 * x[5] + np.zeros(6) / 100", 0),
        ("def f(x):\n    return x < 1e-9", 0),
        ("def f(x):\n    return x * 23", 1),
    ],
)
def test_the_rule_sees_what_it_should(source: str, count: int) -> None:
    tree = ast.parse(source)
    assert len({*uncited_constants(tree), *bare_literals(tree)}) == count
