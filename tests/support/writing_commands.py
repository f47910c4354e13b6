"""Every command that writes, ready to run in a folder: real writing, a small made case in place of the computing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
from tests.support.small_case import small_document, small_finding, write_small_case
from tests.support.synthetic_case import synthetic_case

from endplate.case import Case
from endplate.case.care import Care, weigh
from endplate.cli.app import main
from endplate.image.volume import Grid, LabelMap, Volume
from endplate.level import Level
from endplate.patient import parse_record

RECORD = {
    "id": "p", "age_yr": 76, "sex": "F", "recorded_on": "2026-05-10", "episode": {"onset_days": 20},
    "pain": {"under_analgesia": 8}, "levels": {"L1": {"fracture": True}},
}  # fmt: skip
REPORT = "<main><!-- care: begin --><!-- care: end --><p>the scan</p></main>"
BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": {"resourceType": "Patient", "id": "x", "gender": "male", "birthDate": "1950-01-01"}}],
}
MINE = ("notes.txt", "out/notes.txt", "out/volumes/notes.txt", "results/notes.txt", "thesis.html")
"""What a person keeps beside and among the results."""


@dataclass(frozen=True)
class Command:
    """Its words, and the folder whose files change at once."""

    words: tuple[str, ...]
    folder: str


COMMANDS = {
    "assess": Command(("assess", "ct.nii.gz", "--labels", "labels.nii.gz", "--out", "out"), "out"),
    "plan": Command(("plan", "ct.nii.gz", "--labels", "labels.nii.gz", "--record", "p.json", "--out", "out"), "out"),
    "rehearse": Command(("rehearse", "ct.nii.gz", "--labels", "labels.nii.gz", "--level", "L1", "--out", "out"), "out"),
    "fracture": Command(("fracture", "ct.nii.gz", "--labels", "labels.nii.gz", "--level", "L1", "--out", "out"), "out"),
    "demo": Command(("demo", "--out", "out"), "out"),
    "decide": Command(("decide", "--record", "p.json", "--out", "advice"), "advice"),
    "decide in a case": Command(("decide", "results", "--record", "p.json"), "results"),
    "batch": Command(("decide", "--batch", "lines.jsonl", "--out", "rows.jsonl", "--threads", "1"), "."),
    "record": Command(("record", "new", "--from-fhir", "bundle.json", "--out", "new.json"), "."),
    "page": Command(("follow", "show", "1", "--page", "course.html", "--database", "clinic.db"), "."),
}


def furnish(desk: Path) -> None:
    """Inputs of every command, a results folder, a database, and what a person keeps there."""
    with mock.patch.dict("os.environ"):
        (desk / "p.json").write_text(json.dumps(RECORD))
        (desk / "lines.jsonl").write_text(json.dumps(RECORD) + "\n")
        (desk / "bundle.json").write_text(json.dumps(BUNDLE))
        for name in ("ct.nii.gz", "labels.nii.gz"):
            (desk / name).write_bytes(b"the scan itself")
        (desk / "ct.json").write_text('{"Modality": "CT"}')
        finding = small_finding("height_loss", 0.32, unit="1", low=0.28, high=0.36)
        write_small_case(desk / "results", small_document(finding), REPORT)
        for name in MINE:
            (desk / name).parent.mkdir(parents=True, exist_ok=True)
            (desk / name).write_text(f"{name} is mine")
        start = ["follow", "start", str(desk / "p.json"), "--database", str(desk / "clinic.db"), "--quiet"]
        assert main(start) == 0


def run(command: Command) -> int:
    """Run it in the current folder; returns the exit code."""
    with stubbed():
        return main([*command.words, "--quiet"])


@contextmanager
def stubbed() -> Iterator[None]:
    """The computing replaced by a small made case; everything from the results to the disk is real."""
    with ExitStack() as stack:
        for place, instead in {
            "endplate.case.read.read_case": lambda *a, **k: _case(),
            "endplate.case.assess.assess": lambda case, *a, **k: case,
            "endplate.case.plan.plan": lambda case, *a, **k: _weighed(),
            "endplate.case.rehearse.rehearse": lambda case, *a, **k: case,
            "endplate.cli.fracture.crushed": lambda *a, **k: _made(),
            "endplate.cli.demo.run._filled": _demo,
            "endplate.report.write._pages": lambda case: {"report.html": f"<p>{case.id}</p>", "report.json": "{}"},
            "endplate.cli.decide.actions.document": _told,
            "endplate.report.care.write.document": _told,
            "endplate.report.care.write.to_bundle": lambda care, findings: _told(care),
            "endplate.report.care.write.decision_aid": lambda care: f"<p>{_told(care)}</p>",
            "endplate.report.care.write.after_page": lambda care: f"<p>after {_told(care)}</p>",
            "endplate.report.care.write.care_page": lambda care: f"<p>{_told(care)}</p>",
            "endplate.report.care.write.within": lambda page, care: f"{page.split('</main>')[0]}</main>{_told(care)}",
        }.items():
            stack.enter_context(mock.patch(place, instead))
        yield


@cache
def _case() -> Case:
    return replace(synthetic_case(), strengths=(), densities=(), spine=None, findings=())


@cache
def _weighed() -> Case:
    return replace(_case(), care=weigh(parse_record(json.dumps(RECORD)), (), [Level.L1]))


def _told(care: Care) -> dict[str, Any]:
    """Short, and another one for another record."""
    return {"patient": care.record.id, "pain": care.record.pain.under_analgesia}


@cache
def _made() -> tuple[Any, dict[str, Any]]:
    grid = Grid(shape=(3, 4, 5), affine=np.eye(4))
    labels = LabelMap(grid=grid, labels=np.full(grid.shape, 20, np.uint8), scheme="verse")
    volume = Volume(grid=grid, hu=np.zeros(grid.shape, np.int16))
    return SimpleNamespace(warped=SimpleNamespace(volume=volume, labels=labels)), {"level": "L1"}


def _demo(new: Path, settings: object, tell: object) -> tuple[Case, dict[str, Path], dict[str, Any]]:
    from endplate.cli.fracture import fill_fracture
    from endplate.report.write import fill_report

    made, document = _made()
    fill_fracture(made, document, new / "none.nii.gz", new)
    (new / "intact").mkdir()
    for name in ("patient.toml", "intact/ct.nii.gz", "intact/labels.nii.gz"):
        (new / name).write_text(name)
    return _weighed(), fill_report(_weighed(), new), document
