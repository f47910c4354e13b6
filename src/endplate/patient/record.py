"""The patient record: age and sex, and whatever else is known. What is not told stays None."""

from __future__ import annotations

import json
import tomllib
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from endplate.cited import cited
from endplate.errors import RecordError, text_fault
from endplate.level import Level
from endplate.patient.base import Part, Text
from endplate.patient.dates import check_dates
from endplate.patient.doubt import ask_doubts, quantities, with_ranges
from endplate.patient.drugs import Drugs
from endplate.patient.episode import Care, Episode, Examination, Mobility, Neurology, Pain
from endplate.patient.health import Allergies, Cancer, Falls, Fitness, History, Infection, Procedure
from endplate.patient.imaging import BoneTests, LevelRecord, Studies
from endplate.patient.laboratory import Laboratory
from endplate.patient.limits import bounded_bytes, checked_text
from endplate.patient.questionnaire import Questionnaires
from endplate.patient.validation_message import validation_message

SEX_LETTERS = {"f": "female", "m": "male"}
SCHEMA_KEY = "$schema"
"""By this key a file tells an editor where the schema lies; it is no part of the record."""
BIRTH_YEAR = "birth_year"
MID_MONTH = int(cited(7.0, "mo", "The middle of a year: an age by the year of birth is right to half a year", "design"))
DAYS_PER_YEAR = cited(365.2425, "d", "Mean year of the Gregorian calendar, exact", "recomputed", cite="iso_8601")
YEAR_OFF = cited(1.6, "a", "A year of birth leaves the age open by a year, and ages are rounded", "design")
PAST_MENOPAUSE_YR = cited(60.0, "a", "Menopause at 60 or later is not seen: a slip, or another question", "design")
SEVERAL = ("patients", "records")
"""Names under which several patients would come in one file."""


def _whole_word(value: object) -> object:
    """DICOM's F and M as words."""
    return SEX_LETTERS.get(value.lower(), value.lower()) if isinstance(value, str) else value


def _whole_number(value: object) -> object:
    """A number as the name of a patient."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _known_levels(levels: dict[Level, LevelRecord]) -> dict[Level, LevelRecord]:
    """Only the levels of which anything is known."""
    return {level: read for level, read in levels.items() if read != LevelRecord()}


def _asked(path: str) -> str:
    """A field that a question may be asked about."""
    if path not in quantities():
        raise ValueError(f"{path!r} is no number that is asked about; those are: {', '.join(quantities())}")
    return path


def _allow_schema(schema: dict[str, Any]) -> None:
    """Let a file name this schema, so that an editor checks it while somebody types."""
    says = "Where this schema lies, for editors; not part of the record."
    with_ranges()(schema)
    schema["properties"][SCHEMA_KEY] = {"type": "string", "description": says}


class PatientRecord(Part):
    """A patient record; only age and sex are needed. What is not known stays None.

    Parameters
    ----------
    id : str or int, optional
        Any name or number of the patient.
    recorded_on : date, optional
        The day it describes; days since onset count to it.
    age_yr : float
        Age in years, 0 to 120.
    birth_year : int, optional
        May stand instead of `age_yr`, which is then known to half a year.
    sex : {"female", "male"}
        Female or male, or DICOM's F or M.
    mass_kg : float, optional
        Body mass today, kg.
    height_cm : float, optional
        Stature today, cm.
    pregnant : bool, optional
        Whether she is pregnant.
    episode : Episode, optional
        When and how the present pain began.
    pain : Pain, optional
        Back pain: numeric ratings 0-10, and what makes it better or worse.
    questionnaires : Questionnaires, optional
        Questionnaires that were filled in at this visit.
    examination : Examination, optional
        What the examiner found.
    neurology : Neurology, optional
        Neurological state, AO Spine grade N0 to N4.
    mobility : Mobility, optional
        What the patient can do, under analgesia.
    care : Care, optional
        Conservative care so far.
    levels : dict of Level to LevelRecord, optional
        What people read at each vertebra, by its name (L1).
    studies : Studies, optional
        Which imaging studies exist, and when; whether MRI can be done.
    bone : BoneTests, optional
        Density tests and FRAX as the patient brought them.
    laboratory : Laboratory, optional
        Blood tests.
    drugs : Drugs, optional
        What is taken.
    allergies : Allergies, optional
        Allergies that bear on a repair.
    infection : Infection, optional
        Infection and its signs.
    cancer : Cancer, optional
        Cancer, present or past.
    fitness : Fitness, optional
        General state and frailty.
    history : History, optional
        What bears on bone and on its drugs.
    falls : Falls, optional
        Falls and fall tests.
    procedures : tuple of Procedure, optional
        Repairs that were done.
    confirmed : tuple of str, optional
        Fields whose odd value was asked about and is right.
    """

    model_config = ConfigDict(json_schema_extra=_allow_schema)

    id: Annotated[Text, BeforeValidator(_whole_number)] | None = None
    recorded_on: date | None = None
    age_yr: Annotated[float, Field(ge=0, le=120)]
    birth_year: Annotated[int, Field(ge=1880, le=2100)] | None = None
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
    levels: Annotated[dict[Level, LevelRecord], AfterValidator(_known_levels)] = Field(default_factory=dict)
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
    confirmed: tuple[Annotated[str, AfterValidator(_asked)], ...] | None = None

    @model_validator(mode="after")
    def _dates(self) -> PatientRecord:
        check_dates(self)
        return self

    @model_validator(mode="after")
    def _possible(self) -> PatientRecord:
        if self.pregnant and self.sex == "male":
            raise ValueError("pregnant is true, but sex is male")
        if self.history.postmenopausal is False and self.sex == "female" and self.age_yr >= PAST_MENOPAUSE_YR:
            raise ValueError(f"history.postmenopausal is false at an age of {self.age_yr:g}: is the age right?")
        major, hip = self.bone.frax_major_percent, self.bone.frax_hip_percent
        if major is not None and hip is not None and hip > major:
            raise ValueError(
                f"bone.frax_hip_percent is {hip:g}, above bone.frax_major_percent, {major:g}, which holds hip "
                "fractures too: are the two exchanged?"
            )
        return self

    @model_validator(mode="after")
    def _doubtful(self) -> PatientRecord:
        ask_doubts(self)
        return self

    @model_validator(mode="after")
    def _born(self) -> PatientRecord:
        if self.birth_year is None:
            return self
        year = (self.recorded_on or date.today()).year
        if abs(year - self.birth_year - self.age_yr) > YEAR_OFF:
            raise ValueError(f"birth_year is {self.birth_year}, but age_yr is {self.age_yr:g} in {year}")
        return self


def read_record(path: Path | str) -> PatientRecord:
    """A patient record from a JSON or TOML file.

    Parameters
    ----------
    path : str or Path
        The file; a name that ends in .toml is read as TOML, any other as JSON.

    Returns
    -------
    PatientRecord
        The record, every value checked.

    Raises
    ------
    RecordError
        Unreadable, no plain file or too large (`limits`), unknown field, missing age or sex, a value out of
        range or in doubt, or dates in the wrong order; the message names it.
    """
    path = Path(path)
    try:
        # Some editors of Windows put a mark before the first letter.
        text = bounded_bytes(path).decode("utf-8-sig")
        if path.suffix.lower() == ".toml":
            text = json.dumps(tomllib.loads(text), default=str)
        return parse_record(text, f"record {path}")
    except OSError as error:
        raise RecordError(f"cannot read the record {path}", error.strerror or "", "check the path") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"record {path} is not valid JSON or TOML", text_fault(error), "mend the file") from error


def parse_record(text: str | bytes, name: str = "record") -> PatientRecord:
    """A patient record from JSON text; `name` opens the message of an error.

    Raises
    ------
    RecordError : as `read_record`.
    """
    checked_text(text, name)
    try:
        return PatientRecord.model_validate_json(_prepared(text))
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise RecordError(f"{name} is not valid JSON or TOML", text_fault(error), "mend the file") from error
        if _several(text):
            raise RecordError(
                f"{name} holds several patients", "a record is of one", "give one file per patient, or use --batch"
            ) from error
        what, fix = validation_message(error, PatientRecord)
        raise RecordError(f"{name}: {what}", "it cannot be used", fix) from error


def _prepared(text: str | bytes) -> str | bytes:
    """JSON text without the key by which an editor finds the schema, and with the age where the year of birth tells it.

    What is no JSON, or no object, is told better by the parser proper.
    """
    keys = (SCHEMA_KEY, BIRTH_YEAR)
    if not any(key in text if isinstance(text, str) else key.encode() in text for key in keys):
        return text
    with suppress(ValueError, RecursionError):
        data = json.loads(text)
        if isinstance(data, dict):
            data.pop(SCHEMA_KEY, None)
            age = _age(data)
            return json.dumps(data if age is None else {**data, "age_yr": age})
    return text


def _age(data: dict[str, Any]) -> float | None:
    """Years from the middle of the year of birth to the day of the record, else to today; None where an age is told."""
    year, day = data.get(BIRTH_YEAR), data.get("recorded_on")
    if data.get("age_yr") is not None or not isinstance(year, int) or not date.min.year <= year <= date.max.year:
        return None
    try:
        on = date.fromisoformat(day) if isinstance(day, str) else date.today()
    except ValueError:
        return None
    return max(round((on - date(year, MID_MONTH, 1)).days / DAYS_PER_YEAR, 1), 0.0)


def _several(text: str | bytes) -> bool:
    """Whether JSON text holds a list of patients."""
    data: Any = json.loads(text)
    lists = [data] if isinstance(data, list) else [data[k] for k in SEVERAL if isinstance(data, dict) and k in data]
    return any(isinstance(item, list) and len(item) > 1 and isinstance(item[0], dict) for item in lists)
