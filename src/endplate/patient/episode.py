"""The episode: how and when it began, how it hurts, what the examiner found, what has been tried."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from endplate.patient.base import NRS, Part, in_order

Mechanism = Literal[
    "none", "minor strain", "fall from standing", "fall from height", "traffic", "sport", "hyperextension"
]
LOW_ENERGY: tuple[Mechanism, ...] = ("none", "minor strain", "fall from standing")
"""What breaks weak bone only."""
Trend = Literal["worse", "stable", "better"]
Outcome = Literal["helped", "no effect", "not tolerated", "contraindicated", "ongoing"]
Measure = Literal[
    "analgesia step 1",
    "analgesia step 2",
    "analgesia step 3",
    "physiotherapy",
    "mobilisation",
    "brace",
    "bed rest",
    "calcitonin",
    "root block",
    "heat or ice",
    "neuropathic drug",
]


class Episode(Part):
    """When and how the present pain began.

    Attributes
    ----------
    onset_on, onset_days : the day, or days before the record (one of them suffices). high_energy : by the event.
    hospitalised : because of this fracture. judged_recent : a clinician holds it recent, whatever its age in days.
    """

    onset_on: date | None = None
    onset_days: Annotated[float, Field(ge=0, le=36500)] | None = None
    mechanism: Mechanism | None = None
    high_energy: bool | None = None
    hospitalised: bool | None = None
    admitted_on: date | None = None
    augmented_before: bool | None = None
    judged_recent: bool | None = None

    @model_validator(mode="after")
    def _dates(self) -> Episode:
        in_order(("episode.onset_on", self.onset_on), ("episode.admitted_on", self.admitted_on))
        return self

    @property
    def low_energy(self) -> bool | None:
        """Whether it came without high energy, as stated or by how it happened."""
        if self.high_energy is not None:
            return not self.high_energy
        return None if self.mechanism is None else self.mechanism in LOW_ENERGY

    def days_at(self, today: date | None) -> float | None:
        """Days since the onset, as stated or counted to a day."""
        if self.onset_days is not None or self.onset_on is None or today is None:
            return self.onset_days
        return (today - self.onset_on).days

    def onset_before(self, today: date | None) -> date | None:
        """The day of the onset, as stated or counted back from a day."""
        if self.onset_on is not None or self.onset_days is None or today is None:
            return self.onset_on
        return today - timedelta(days=self.onset_days)


class Pain(Part):
    """Back pain: numeric ratings 0-10, and what makes it better or worse.

    Attributes
    ----------
    under_analgesia : the rating that rule sets mean unless they say otherwise.
    from_fracture : the examiner's judgement that the pain comes mainly from the fracture.
    """

    at_rest: NRS | None = None
    on_activity: NRS | None = None
    under_analgesia: NRS | None = None
    trend: Trend | None = None
    from_fracture: bool | None = None
    midline: bool | None = None
    mechanical: bool | None = None
    at_night: bool | None = None
    relieved_by_rest: bool | None = None
    worse_on_activity: bool | None = None
    worse_on_position_change: bool | None = None
    drug_resistant: bool | None = None
    rated_on: date | None = None


class Examination(Part):
    """What the examiner found; lengths in cm."""

    spinous_tenderness: bool | None = None
    contusion: bool | None = None
    wall_occiput_cm: Annotated[float, Field(ge=0, le=50)] | None = None
    rib_pelvis_fingers: Annotated[float, Field(ge=0, le=20)] | None = None
    tallest_height_cm: Annotated[float, Field(gt=40, lt=260)] | None = None
    last_height_cm: Annotated[float, Field(gt=40, lt=260)] | None = None


State = Literal["none", "radicular", "deficit"]
Grade = Literal["N0", "N1", "N2", "N3", "N4"]
STATES: dict[Grade, tuple[State, ...]] = {
    "N0": ("none",),
    "N1": ("none", "radicular", "deficit"),
    "N2": ("radicular", "deficit"),
    "N3": ("deficit",),
    "N4": ("deficit",),
}
"""What each AO Spine grade can be in words; a transient one may be told as it was, or as what is left of it."""


class Neurology(Part):
    """Neurological state; grade N0 none, N1 transient, N2 radicular, N3 incomplete, N4 complete (AO Spine)."""

    state: State | None = None
    grade: Grade | None = None
    new_deficit: bool | None = None
    progressive_weakness: bool | None = None
    saddle_anaesthesia: bool | None = None
    retention: bool | None = None
    myelopathy: bool | None = None
    unrelated_radiculopathy: bool | None = None
    spinal_stenosis: bool | None = None

    @model_validator(mode="after")
    def _agree(self) -> Neurology:
        if self.state and self.grade and self.state not in STATES[self.grade]:
            raise ValueError(f"state is {self.state!r}, but grade is {self.grade!r}")
        for name, nothing in (("state", "none"), ("grade", "N0")):
            if self.new_deficit and getattr(self, name) == nothing:
                raise ValueError(f"new_deficit is true, but {name} is {nothing!r}")
        return self


class Mobility(Part):
    """What the patient can do, under analgesia."""

    can_mobilise: bool | None = None
    can_walk: bool | None = None
    tolerates_physiotherapy: bool | None = None
    adl_limited_severely: bool | None = None


class Treatment(Part):
    """One conservative measure, with its dates and outcome. `supervised` : exercise under a therapist's eye."""

    measure: Measure
    started_on: date | None = None
    stopped_on: date | None = None
    days: Annotated[float, Field(ge=0, le=36500)] | None = None
    outcome: Outcome | None = None
    supervised: bool | None = None

    @model_validator(mode="after")
    def _dates(self) -> Treatment:
        in_order((f"start of {self.measure}", self.started_on), (f"end of {self.measure}", self.stopped_on))
        return self


class Care(Part):
    """Conservative care so far. `optimised` is the clinician's own attestation."""

    treatments: tuple[Treatment, ...] | None = None
    optimised: bool | None = None
    unacceptable_drug_effects: bool | None = None
    bone_referral: bool | None = None
    education_given: bool | None = None
