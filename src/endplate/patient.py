"""The part of the patient record that endplate uses today; every field but age and sex is optional."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from endplate.errors import RecordError

SEX_LETTERS = {"f": "female", "m": "male"}


def _whole_word(value: object) -> object:
    """DICOM's F and M as words."""
    return SEX_LETTERS.get(value.lower(), value.lower()) if isinstance(value, str) else value


class PatientRecord(BaseModel):
    """A patient record; unknown stays None.

    Attributes
    ----------
    age_yr, sex : always needed; sex is female or male, or DICOM's F or M.
    mass_kg, height_cm : for the load on the spine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str | None = None
    age_yr: Annotated[float, Field(ge=0, le=120)]
    sex: Annotated[Literal["female", "male"], BeforeValidator(_whole_word)]
    mass_kg: Annotated[float, Field(gt=2, lt=400)] | None = None
    height_cm: Annotated[float, Field(gt=40, lt=260)] | None = None


def read_record(path: Path | str) -> PatientRecord:
    """A patient record from a JSON or TOML file.

    Raises
    ------
    RecordError : unreadable file, unknown field, missing age or sex, or a value out of range; the message names it.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
        return PatientRecord.model_validate(data)
    except OSError as error:
        raise RecordError(f"cannot read the record {path}", error.strerror or "", "check the path") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, ValidationError):
            known = ", ".join(PatientRecord.model_fields)
            what = _complaint(error.errors()[0])
            raise RecordError(f"record {path}: {what}", "it cannot be used", f"known fields: {known}") from error
        raise RecordError(f"record {path} is not valid JSON or TOML", str(error), "mend the file") from error


def _complaint(error: Any) -> str:
    """One field's fault in plain words."""
    where = ".".join(str(part) for part in error["loc"])
    if not where:
        return "it is not one object of fields"
    if error["type"] == "missing":
        return f"{where} is missing"
    if error["type"] == "extra_forbidden":
        return f"{where} is not a known field"
    value, wanted = error["input"], error["msg"].removeprefix("Input should be ")
    if where == "height_cm" and isinstance(value, float) and 1 < value < 3:
        return f"height_cm is {value:g}, which looks like metres: give {100 * value:g}"
    return f"{where} is {value!r}, but should be {wanted}"
