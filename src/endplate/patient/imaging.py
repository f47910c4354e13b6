"""What imaging beyond this CT, and clinicians, say of each level; and density tests."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from endplate.patient.base import Part, Share

TScore = Annotated[float, Field(ge=-10, le=10)]


class LevelRecord(Part):
    """One vertebra; what is given here was read by a person, and outranks a measurement of the same thing.

    Attributes
    ----------
    oedema : MRI. uptake : bone scan or SPECT-CT. concordant : focal tenderness at this level.
    loss_percent : height loss. of_class : AO Spine-DGOU 1-5. canal_percent : canal compromise.
    progression : more height lost between two studies. fracture_on : of an old fracture.
    cord_compression : of cord or cauda. cortical_defect : a gap in the shell. pedicle_width_mm : of the narrower one.
    osteophytes : a wedge shape with osteophytes. endplate_erosion : disc-centred, as in infection.
    cause : of the fracture, as the clinician judges it; outranks what follows from the other answers.
    """

    fracture: bool | None = None
    fracture_on: date | None = None
    cause: Literal["osteoporotic", "traumatic", "malignant", "infectious", "other"] | None = None
    concordant: bool | None = None
    oedema: bool | None = None
    uptake: bool | None = None
    double_band: bool | None = None
    cleft: bool | None = None
    progression: bool | None = None
    further_loss_percent: Share | None = None
    loss_percent: Share | None = None
    kyphosis_deg: Annotated[float, Field(ge=-90, le=120)] | None = None
    scoliosis_deg: Annotated[float, Field(ge=0, le=120)] | None = None
    kyphotic_deformity: bool | None = None
    of_class: Annotated[int, Field(ge=1, le=5)] | None = None
    endplates_involved: Annotated[int, Field(ge=0, le=2)] | None = None
    posterior_wall_fraction: Annotated[float, Field(ge=0, le=1)] | None = None
    tension_band_failed: bool | None = None
    canal_percent: Share | None = None
    retropulsion: bool | None = None
    impingement: bool | None = None
    cord_compression: bool | None = None
    unstable: bool | None = None
    lesion: Literal["none", "lytic", "mixed", "blastic"] | None = None
    lesion_over_half: bool | None = None
    lesion_destructive: bool | None = None
    haemangioma_aggressive: bool | None = None
    alignment: Literal["normal", "new kyphosis or scoliosis", "subluxation"] | None = None
    posterolateral: Literal["none", "unilateral", "bilateral"] | None = None
    pedicle_destroyed: bool | None = None
    pedicle_width_mm: Annotated[float, Field(ge=0, le=40)] | None = None
    cortical_defect: bool | None = None
    endplate_erosion: bool | None = None
    osteophytes: bool | None = None
    epidural_mass: bool | None = None
    convex_posterior_cortex: bool | None = None
    biopsy_malignant: bool | None = None
    osteomyelitis: bool | None = None
    discitis: bool | None = None
    augmented: bool | None = None
    bridging_osteophyte: bool | None = None


class Studies(Part):
    """Which studies exist, and when; whether MRI can be done."""

    mri_on: date | None = None
    mri_possible: bool | None = None
    bone_scan_on: date | None = None
    ct_on: date | None = None
    double_band_accepted: bool | None = None


class DensityTest(Part):
    """One density measurement of the past; one whose site is not stated decides nothing."""

    site: Literal["spine", "femoral neck", "total hip", "forearm", "spine QCT", "not stated"]
    t_score: TScore | None = None
    z_score: TScore | None = None
    bmd_g_cm2: Annotated[float, Field(gt=0, lt=5)] | None = None
    vbmd_mg_cm3: Annotated[float, Field(ge=-50, le=1500)] | None = None
    on: date | None = None

    @model_validator(mode="after")
    def _something(self) -> DensityTest:
        if self.t_score is self.z_score is self.bmd_g_cm2 is self.vbmd_mg_cm3 is None:
            raise ValueError(f"a density test of the {self.site} without a value; leave it out or give one")
        return self


class BoneTests(Part):
    """Density tests and FRAX as the patient brought them; FRAX in percent over ten years."""

    tests: tuple[DensityTest, ...] | None = None
    frax_major_percent: Share | None = None
    frax_hip_percent: Share | None = None
    l1_hu: Annotated[float, Field(ge=-300, le=1500)] | None = None
