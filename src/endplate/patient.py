"""The part of the patient record that endplate uses today; every field but age and sex is optional."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from endplate.errors import RecordError


class PatientRecord(BaseModel):
    """A patient record; unknown stays None.

    Attributes
    ----------
    age_yr, sex : always needed. mass_kg, height_cm : for the load on the spine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | None = None
    age_yr: Annotated[float, Field(ge=0, le=120)]
    sex: Literal["female", "male"]
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
    except (ValueError, tomllib.TOMLDecodeError) as error:
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "record"
            known = ", ".join(PatientRecord.model_fields)
            raise RecordError(
                f"record {path}: {where}: {first['msg']}", "the record cannot be used", f"known fields: {known}"
            ) from error
        raise RecordError(f"record {path} is not valid JSON or TOML", str(error), "mend the file") from error
