"""What the README and the docs tell a reader to type works."""

from __future__ import annotations

import ast
import io
import json
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if page.exists()]
FETCHING = (
    "git clone",
    "pip install",
    "python -m pip",
    "python -m venv",
    "python3 -m venv",
    "source ",
    "cd ",
    ". .venv",
)
"""Steps that need a network or change the reader's shell; listed so that any other unknown command fails."""
QUICK = {
    "assess": ["--no-mechanics", "--quiet"],
    "plan": ["--no-mechanics", "--quiet"],
    "rehearse": ["--voxel-mm", "2", "--linear-only", "--members", "0", "--quiet"],
}
"""What keeps a shown command quick here; its own tests run it whole."""
MINUTES = {
    "cohort": "tests/cohort/test_cluster.py",
    "compile": "tests/cli/test_kernels.py",
    "fracture": "tests/cli/test_fracture_command.py",
    "rehearse": "benchmarks/rehearse.py",
    "dicom": "tests/dicom_export/test_refusals.py",
    "pacs": "tests/pacs/test_archives.py",
    "fhir": "tests/pacs/test_fhir_push.py",
    "serve": "tests/web/test_in_a_browser.py",
}
"""Commands that take minutes or need a server, and where they are run: here options are checked. One procedure on a
small scan takes seconds, so `rehearse --procedure vertebroplasty` is run."""
GENERATED = ("reference/cli.md", "auto_examples/index")
"""Pages that only the build of the site makes; `make docs` fails where a link to one leads nowhere."""
STARTED = "2026-06-01"
"""Day of the first visit of the follow-up shown."""


def blocks(language: str) -> list[tuple[str, str]]:
    """(page name, block text) of every fenced block of a language."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [(page.name, block) for page in PAGES for block in pattern.findall(page.read_text(encoding="utf-8"))]


def commands() -> list[str]:
    """Every shown command once: lines with "$ ", or whole blocks without prompts; continuation lines joined."""
    found: list[str] = []
    for _, block in blocks("console"):
        lines = block.replace("\\\n", " ").splitlines()
        prompted = [line[2:] for line in lines if line.startswith("$ ")]
        found += prompted or [line for line in lines if line.strip()]
    return list(dict.fromkeys(re.sub(r"\s+#.*$", "", line).strip() for line in found))


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that the shown commands name, whichever of them is run first."""
    from endplate.cli.app import main
    from endplate.image.nifti import write_labels, write_volume
    from endplate.image.phantom import PhantomSpec, make_phantom
    from endplate.level import Level

    folder = tmp_path_factory.mktemp("readme")
    phantom = make_phantom(PhantomSpec(levels=(Level.L1, Level.L2), spacing_mm=(1.5, 1.5, 1.5), field_mm=(110, 130)))
    write_volume(folder / "ct.nii.gz", phantom.volume.grid, phantom.volume.hu)
    write_labels(folder / "labels.nii.gz", phantom.labels)
    record = {"id": "anna", "age_yr": 74, "sex": "female", "mass_kg": 61, "height_cm": 158}
    (folder / "patient.json").write_text(json.dumps(record))
    (folder / "records.jsonl").write_text(f"{json.dumps(record)}\n" * 2)
    said = {"what": "renumber", "level": "L1", "to": "T12", "reason": "last rib", "who": "A", "at": "2026-11-30"}
    (folder / "readings.json").write_text(json.dumps([said]))
    given = [str(folder / "patient.json"), "--level", "L1", "--on", STARTED]
    assert main(["follow", "start", *given, "--database", str(folder / "endplate.db"), "--quiet"]) == 0
    return folder


@pytest.fixture(scope="module")
def results(scan: Path) -> Path:
    """The same folder with an assessed scan in it."""
    from endplate.cli.app import main

    given = [str(scan / "ct.nii.gz"), "--labels", str(scan / "labels.nii.gz"), "--out", str(scan / "results")]
    assert main(["assess", *given, *QUICK["assess"]]) == 0
    return scan


def test_the_readme_shows_commands() -> None:
    assert any(command.startswith("make demo") for command in commands())
    assert any(command.startswith("endplate assess") for command in commands())


@pytest.mark.parametrize("command", commands())
def test_a_shown_command_works(command: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if command.startswith("make "):
        _check_target(shlex.split(command)[1:])
    elif command.startswith("endplate "):
        _run(shlex.split(command)[1:], request, monkeypatch)
    else:
        assert command.startswith(FETCHING), f"no way known to check this shown command: {command}"


def _check_target(words: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in (word for word in words if "=" not in word):
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), f"the Makefile has no target {target}"


def _run(tokens: list[str], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    from endplate.cli.app import app, main

    if "totalsegmentator" in tokens or "--dicom" in tokens or _takes_minutes(tokens):
        app.parse_args(tokens, exit_on_error=False, print_error=False)
        return
    monkeypatch.chdir(request.getfixturevalue("results" if tokens[1:2] == ["results"] else "scan"))
    if tokens[:2] == ["record", "new"]:
        # The scan's folder has a record already, which is a person's own and never replaced.
        monkeypatch.chdir(request.getfixturevalue("tmp_path"))
    monkeypatch.delenv("ENDPLATE_DATABASE", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("anna\n\n74\nfemale\n" + "\n" * 200))  # for `record new`
    if tokens[:2] == ["follow", "start"]:
        tokens = [*tokens, "--database", "another.db"]  # the one here has its episode already
    if "--help" not in tokens:
        tokens = tokens + QUICK.get(tokens[0], [])
    try:
        code = main(tokens)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    assert code in (0, None)


def _takes_minutes(tokens: list[str]) -> bool:
    one = "--procedure" in tokens and "vertebroplasty" in tokens
    return tokens[0] in MINUTES and "--help" not in tokens and not one


@pytest.mark.parametrize("command", MINUTES)
def test_a_command_that_is_only_parsed_here_is_run_elsewhere(command: str) -> None:
    assert f'"{command}"' in (ROOT / MINUTES[command]).read_text(encoding="utf-8")


@pytest.mark.parametrize(("page", "block"), blocks("python"))
def test_names_in_shown_python_exist(page: str, block: str) -> None:
    import importlib

    tree = ast.parse(block)
    names: dict[str, object] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = importlib.import_module(alias.name)
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                assert hasattr(importlib.import_module(node.module), alias.name), f"{page}: {node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            assert hasattr(names[node.value.id], node.attr), f"{page}: {node.value.id}.{node.attr} does not exist"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target) and not target.endswith(GENERATED):
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which does not exist"


def test_every_decision_has_a_number_of_its_own_and_is_listed() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert numbers == list(range(1, len(pages) + 1))
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    for number, page in zip(numbers, pages, strict=True):
        title = page.read_text(encoding="utf-8").splitlines()[0].removeprefix(f"# {number}. ")
        assert f"{number}. [{title}]({page.name})" in listed
