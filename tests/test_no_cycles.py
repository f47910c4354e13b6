"""No module imports another that leads back to it: imports in functions and for types counted, too."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

SRC = Path(__file__).resolve().parents[1] / "src"


def imports() -> dict[str, set[str]]:
    """Each module with the modules of the package that it imports anywhere in its text."""
    files = {".".join(file.relative_to(SRC).with_suffix("").parts): file for file in sorted(SRC.rglob("*.py"))}
    names = {name.removesuffix(".__init__"): file for name, file in files.items()}
    found: dict[str, set[str]] = {name: set() for name in names}
    for name, file in names.items():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    for target in (f"{node.module}.{alias.name}", node.module):
                        if target in names:
                            found[name].add(target)
                            break
            elif isinstance(node, ast.Import):
                found[name] |= {alias.name for alias in node.names if alias.name in names}
        found[name].discard(name)
    return found


def test_no_module_leads_back_to_itself() -> None:
    try:
        TopologicalSorter(imports()).prepare()
    except CycleError as error:
        raise AssertionError(f"modules that import each other: {' -> '.join(error.args[1])}") from None
