"""The patient record: age and sex, and whatever else is known. What is not told stays None."""

from __future__ import annotations

import json
import tomllib
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from endplate.errors import RecordError
from endplate.level import Level
from endplate.patient.base import Part, Text
from endplate.patient.dates import check_dates
from endplate.patient.drugs import Drugs
from endplate.patient.episode import Care, Episode, Examination, Mobility, Neurology, Pain
from endplate.patient.health import Allergies, Cancer, Falls, Fitness, History, Infection, Procedure
from endplate.patient.imaging import BoneTests, LevelRecord, Studies
from endplate.patient.laboratory import Laboratory
from endplate.patient.questionnaire import Questionnaires
from endplate.patient.validation_message import validation_message

SEX_LETTERS = {"f": "female", "m": "male"}
SCHEMA_KEY = "$schema"
"""By this key a file tells an editor where the schema lies; it is no part of the record."""
SEVERAL = ("patients", "records")
"""Names under which several patients would come in one file."""


def _whole_word(value: object) -> object:
    """DICOM's F and M as words."""
    return SEX_LETTERS.get(value.lower(), value.lower()) if isinstance(value, str) else value


def _whole_number(value: object) -> object:
    """A number as the name of a patient."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _told(levels: dict[Level, LevelRecord]) -> dict[Level, LevelRecord]:
    """Only the levels of which anything is told."""
    return {level: read for level, read in levels.items() if read != LevelRecord()}


def _allow_schema(schema: dict[str, Any]) -> None:
    """Let a file name this schema, so that an editor checks it while somebody types."""
    says = "Where this schema lies, for editors; not part of the record."
    schema["properties"][SCHEMA_KEY] = {"type": "string", "description": says}


class PatientRecord(Part):
    """A patient record; only age and sex are needed.

    Attributes
    ----------
    id : any name or number. recorded_on : the day it describes; days since onset count to it.
    sex : female or male, or DICOM's F or M. mass_kg, height_cm : today's.
    levels : what people read at each vertebra, by its name (L1).
    """

    model_config = ConfigDict(json_schema_extra=_allow_schema)

    id: Annotated[Text, BeforeValidator(_whole_number)] | None = None
    recorded_on: date | None = None
    age_yr: Annotated[float, Field(ge=0, le=120)]
    sex: Annotated[Literal["female", "male"], BeforeValidator(_whole_word)]
    mass_kg: Annotated[float, Field(gt=2, lt=400)] | None = None
    height_cm: Annotated[float, Field(gt=40, lt=260)] | None = None
    pregnant: bool | None = None
    episode: Episode = Episode()
    pain: Pain = Pain()
    questionnaires: Questionnaires = Questionnaires()
    examination: Examination = Examination()
    neurology: Neurology = Neurology()
    mobility: Mobility = Mobility()
    care: Care = Care()
    levels: Annotated[dict[Level, LevelRecord], AfterValidator(_told)] = Field(default_factory=dict)
    studies: Studies = Studies()
    bone: BoneTests = BoneTests()
    laboratory: Laboratory = Laboratory()
    drugs: Drugs = Drugs()
    allergies: Allergies = Allergies()
    infection: Infection = Infection()
    cancer: Cancer = Cancer()
    fitness: Fitness = Fitness()
    history: History = History()
    falls: Falls = Falls()
    procedures: tuple[Procedure, ...] = ()

    @model_validator(mode="after")
    def _dates(self) -> PatientRecord:
        check_dates(self)
        return self

    @model_validator(mode="after")
    def _possible(self) -> PatientRecord:
        if self.pregnant and self.sex == "male":
            raise ValueError("pregnant is true, but sex is male")
        return self


def read_record(path: Path | str) -> PatientRecord:
    """A patient record from a JSON or TOML file.

    Raises
    ------
    RecordError : unreadable file, unknown field, missing age or sex, a value out of range, or dates in the wrong
    order; the message names it.
    """
    path = Path(path)
    try:
        # Some editors of Windows put a mark before the first letter.
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".toml":
            text = json.dumps(tomllib.loads(text), default=str)
        else:
            _refuse_doubles(text, path)
        return parse_record(text, f"record {path}")
    except OSError as error:
        raise RecordError(f"cannot read the record {path}", error.strerror or "", "check the path") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"record {path} is not valid JSON or TOML", str(error), "mend the file") from error


def _refuse_doubles(text: str, path: Path) -> None:
    """Refuse a field that stands twice in one object: one of its two values would be lost unseen."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            double = next(name for name in names if names.count(name) > 1)
            raise RecordError(f"record {path} gives {double} twice", "one of the two would be lost", "leave one out")
        return found

    # What is no JSON is told better by the parser proper.
    with suppress(ValueError, RecursionError):
        json.loads(text, object_pairs_hook=unique)


def parse_record(text: str | bytes, name: str = "record") -> PatientRecord:
    """A patient record from JSON text; `name` opens the message of an error.

    Raises
    ------
    RecordError : as `read_record`.
    """
    try:
        return PatientRecord.model_validate_json(_without_schema(text))
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise RecordError(f"{name} is not valid JSON or TOML", error.errors()[0]["msg"], "mend the file") from error
        if _several(text):
            raise RecordError(
                f"{name} holds several patients", "a record is of one", "give one file per patient, or use --batch"
            ) from error
        what, fix = validation_message(error, PatientRecord)
        raise RecordError(f"{name}: {what}", "it cannot be used", fix) from error


def _without_schema(text: str | bytes) -> str | bytes:
    """JSON text without the key by which an editor finds the schema."""
    named = SCHEMA_KEY in text if isinstance(text, str) else SCHEMA_KEY.encode() in text
    if not named:
        return text
    # What is no JSON, or no object, is told better by the parser proper.
    with suppress(ValueError, RecursionError):
        data = json.loads(text)
        if isinstance(data, dict) and SCHEMA_KEY in data:
            return json.dumps({name: value for name, value in data.items() if name != SCHEMA_KEY})
    return text


def _several(text: str | bytes) -> bool:
    """Whether JSON text holds a list of patients."""
    data: Any = json.loads(text)
    lists = [data] if isinstance(data, list) else [data[k] for k in SEVERAL if isinstance(data, dict) and k in data]
    return any(isinstance(item, list) and len(item) > 1 and isinstance(item[0], dict) for item in lists)
