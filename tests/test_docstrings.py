"""Every public object is documented in numpydoc's sections: each parameter with its type, each result."""

from __future__ import annotations

import ast
import doctest
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from numpydoc.validate import validate

import endplate as ep
from endplate import progress

CHECKS = {"GL08", "PR01", "PR02", "PR03", "PR04", "PR07", "RT01", "YD01"}
"""No docstring; parameters undocumented, unknown, out of order, without type, without words; no Returns; no Yields."""

EXCEPTIONS = {
    ("endplate.Level", "PR01"): "an Enum's signature is that of Enum itself: value, names, module, ...",
    ("endplate.Progress", "GL08"): "an alias of a type has no docstring; its words stand below it in the source",
}
NO_OBJECTS = {"__version__", "numerics"}


def public_names() -> list[str]:
    tops = [f"endplate.{name}" for name in ep.__all__ if name not in NO_OBJECTS]
    tops += [f"endplate.numerics.{name}" for name in ep.numerics.__all__]
    return [name for top in tops for name in (top, *(f"{top}.{member}" for member in members(find(top))))]


def find(name: str) -> Any:
    thing: Any = ep
    for part in name.split(".")[1:]:
        thing = getattr(thing, part)
    return thing


def members(thing: Any) -> Iterator[str]:
    """Public methods and properties of a class, inherited ones of this package included."""
    for name in sorted({name for cls in ours(thing) for name in vars(cls) if not name.startswith("_")}):
        value = inspect.getattr_static(thing, name)
        if inspect.isfunction(value) or isinstance(value, classmethod | staticmethod | property):
            yield name


def ours(thing: Any) -> list[type]:
    return (
        [cls for cls in inspect.getmro(thing) if cls.__module__.startswith("endplate")]
        if inspect.isclass(thing)
        else []
    )


PUBLIC = public_names()


def test_methods_are_among_the_names() -> None:
    assert {"endplate.Case", "endplate.Case.save", "endplate.Case.to_dataframe", "endplate.Volume.from_array"} <= {
        *PUBLIC
    }
    assert {"endplate.numerics.ElasticSolver.solve", "endplate.Level.follows", "endplate.Level.order"} <= {*PUBLIC}


@pytest.mark.parametrize("name", PUBLIC)
def test_the_docstring_passes_numpydoc(name: str) -> None:
    found = {code: words for code, words in validate(name)["errors"] if code in CHECKS}
    assert {code: words for code, words in found.items() if (name, code) not in EXCEPTIONS} == {}


@pytest.mark.parametrize(("name", "code"), EXCEPTIONS)
def test_every_exception_is_still_needed(name: str, code: str) -> None:
    assert code in dict(validate(name)["errors"])


def test_the_alias_has_its_words_in_the_source() -> None:
    body = ast.parse(Path(inspect.getfile(progress)).read_text(encoding="utf-8")).body
    after = next(body[i + 1] for i, node in enumerate(body) if ast.unparse(node).startswith("Progress ="))
    assert isinstance(after, ast.Expr) and "fraction" in ast.literal_eval(after.value)


EXAMPLES = [
    test
    for name in PUBLIC
    for test in doctest.DocTestFinder(recurse=False).find(find(name), name, module=False, globs={})
    if any(not example.options.get(doctest.SKIP) for example in test.examples)
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda test: test.name)
def test_the_example_gives_what_it_shows(example: doctest.DocTest) -> None:
    said: list[str] = []
    failed, tried = doctest.DocTestRunner().run(example, out=said.append)
    assert tried and not failed, "".join(said)
