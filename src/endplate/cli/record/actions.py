"""What `endplate record` does: ask or convert, check, and write whole."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from endplate.cli.exit_codes import Output
from endplate.cli.record.ask import Interview
from endplate.cli.terminal import LONGEST, aside, plain, prompt, say
from endplate.decision.explanation.prompts import NAMED, PARTS, label
from endplate.errors import OptionError, RecordError
from endplate.patient import PatientRecord, read_record
from endplate.report.folder import check_file, write_file

if TYPE_CHECKING:
    from endplate.patient.fhir import FromFhir


def new_record(
    out: Path, from_fhir: Path | None, talk: Output, sex: str | None = None, age_yr: float | None = None
) -> dict[str, Any]:
    """Make a record and write it; `sex` and `age_yr` tell what a bundle does not.

    Raises
    ------
    RecordError : the bundle cannot be used. OptionError : the input ended before the record was whole.
    """
    if out.suffix not in (".json", ""):
        raise OptionError(f"--out {out} is not a .json file", "records are written as JSON", "name it patient.json")
    check_file(out, "record", [] if from_fhir is None else [from_fhir])
    unused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    if from_fhir is not None:
        found = _converted(from_fhir, sex, age_yr)
        record, unused, notes = found.record, found.unused, found.notes
    elif sex is not None or age_yr is not None:
        raise OptionError(
            "--sex and --age go with --from-fhir", "a record that is asked for asks them", "leave them out"
        )
    else:
        record = _asked()
    inputs = [] if from_fhir is None else [from_fhir]
    write_file(out, record.model_dump_json(indent=2, exclude_unset=True) + "\n", "record", inputs)
    if talk.for_people:
        for name in unused:
            say(f"not used: {plain(name, LONGEST)}")
        for note in notes:
            say(f"please check: {plain(note, LONGEST)}")
        say(f"Record   {out.resolve()}")
    return {"path": str(out.resolve()), "unused": list(unused), "notes": list(notes)}


def _converted(path: Path, sex: str | None, age_yr: float | None) -> FromFhir:
    try:
        from endplate.patient.fhir import bundle_bytes, record_from_bundle

        return record_from_bundle(bundle_bytes(path), str(path), sex=sex, age_yr=age_yr)
    except OSError as error:
        raise RecordError(f"cannot read {path}", error.strerror or "", "check the path") from error
    except ModuleNotFoundError as error:
        raise OptionError(
            "FHIR cannot be read here", f"{error.name} is not installed", "install endplate[fhir]"
        ) from error


def _asked() -> PatientRecord:
    def ask(question: str) -> str:
        prompt(question)
        line = sys.stdin.readline()
        if not line:
            raise OptionError("the input ended before the record was whole", "nothing was written", "answer to the end")
        return line

    return Interview(ask, aside).record()


def check_record(path: Path, talk: Output) -> dict[str, Any]:
    """Read a record, and count what is known of each part."""
    record = read_record(path)
    known = {name: list(counts) for name, counts in _known(record)}
    if talk.for_people:
        say(f"{path} is a valid record. Known of each part:")
        for name, (have, of) in known.items():
            say(f"  {PARTS[name]:<22} {have} of {of}{_lacking(record, name)}", wrap=True)
    return {"valid": True, "known": known}


def _lacking(record: PatientRecord, name: str) -> str:
    """The first things that a part does not tell, by their labels, and how many more; nothing of an empty part."""
    part = getattr(record, name)
    lacking = [field for field in type(part).model_fields if getattr(part, field) is None]
    if not lacking or len(lacking) == len(type(part).model_fields):
        return ""
    labels = (label(f"{name}.{field}") for field in lacking[:NAMED])
    words = "; ".join(words[:1].upper() + words[1:] for words in labels)
    more = f"; and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
    return f"; not known: {words}{more}"


def _known(record: PatientRecord) -> Iterator[tuple[str, tuple[int, int]]]:
    """Name of each part, how many of its fields are known, and how many it has."""
    for name in PatientRecord.model_fields:
        value = getattr(record, name)
        if isinstance(value, BaseModel):
            names = type(value).model_fields
            yield name, (sum(getattr(value, field) is not None for field in names), len(names))
