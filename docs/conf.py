"""The documentation site: `make docs`; every warning is an error."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "src"))

from endplate import __version__  # noqa: E402

project = "endplate"
author = "The endplate authors"
copyright = "2026, the endplate authors (Apache-2.0)"
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_templates", "auto_examples/*.py", "auto_examples/*.ipynb", "reference/README.md"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"endplate {__version__}"
html_static_path = ["_static"]
templates_path = ["_templates"]

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say type, shape and unit
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": str(HERE.parent / "examples"),
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "min_reported_time": 1e9,
}
suppress_warnings = ["config.cache"]  # functions in this file cannot be pickled


def _write_cli_page(app: Any) -> None:
    """The reference of all commands, from the commands themselves."""
    from endplate.cli.app import app as commands

    text = commands.generate_docs(output_format="markdown")
    body = text.partition("\n## ")[2]
    kept = "\n## ".join(part for part in ["", *body.split("\n## ")] if not part.startswith("Table of Contents"))
    page = "# Commands\n\nGenerated from the commands' own help; `endplate COMMAND --help` prints the same.\n" + kept
    (HERE / "reference" / "cli.md").write_text(page + "\n", encoding="utf-8")


def _clean(app: Any, error: Exception | None) -> None:
    """Leave no generated file in the source tree."""
    for made in ("reference/cli.md", "sg_execution_times.rst"):
        (HERE / made).unlink(missing_ok=True)
    for made in ("auto_examples", "reference/generated"):
        shutil.rmtree(HERE / made, ignore_errors=True)


def setup(app: Any) -> None:
    """Hook the generated pages into the build."""
    app.connect("builder-inited", _write_cli_page, priority=100)
    app.connect("build-finished", _clean, priority=900)
