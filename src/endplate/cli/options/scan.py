"""What describes a scan and its patient, and how density becomes strength."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from endplate.cli.options.run import INPUT, option

MODEL = Group("Bone and mechanics", sort_key=2)


@Parameter(name="*", group=INPUT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """How scans and labels are read, and what makes labels where there are none."""

    scheme: Annotated[
        str | None,
        option("How labels are numbered where the file does not say: a name that `endplate info` lists, or a file."),
    ] = None
    trust_affine: Annotated[
        Literal["sform", "qform", "pixdim"] | None,
        option("Which is right where a NIfTI header contradicts itself; pixdim are the voxel sizes."),
    ] = None
    limit_factor: Annotated[
        float | None, option("Read larger scans: the limits of docs/limits.md times this, 1 to 1000.")
    ] = None
    segment: Annotated[
        str | None,
        option("Make the labels with an installed segmenter, run as a separate process: a name of `endplate info`."),
    ] = None
    segment_command: Annotated[
        str | None, option('Make the labels with any other program: "program {ct} {out}"; it writes NIfTI.')
    ] = None
    segment_task: Annotated[str | None, option("Which of its models: total or vertebrae_pp_refined.")] = None
    segment_fast: Annotated[bool, option("Its quick, coarse variant.")] = False
    segment_device: Annotated[str | None, option("Where it computes, in its words: cpu, gpu, cuda.")] = None


@Parameter(name="*", group=INPUT)
@dataclass(frozen=True, slots=True, kw_only=True)
class InputOptions(ScanOptions):
    """What describes the scan."""

    labels: Annotated[Path | None, option("Label map (NIfTI), folder of vertebrae_L1.nii.gz masks, or DICOM SEG.")] = (
        None
    )
    record: Annotated[
        Path | None,
        option("Patient record (JSON, TOML): age_yr, sex; mass_kg and height_cm for the load on the spine."),
    ] = None
    readings: Annotated[
        Path | None,
        option("What a reader says of the levels (JSON): other names, set aside, grade, fracture. It outranks."),
    ] = None


@Parameter(name="*", group=MODEL)
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """How density becomes strength."""

    law: Annotated[
        str | None, option("Law from density to modulus and yield; default kopperdahl. A wrong name lists all.")
    ] = None
    criterion: Annotated[Literal["tresca", "von_mises"] | None, option("Yield surface; default tresca.")] = None
    load_case: Annotated[
        Literal["axial", "flexed"] | None, option("Straight compression, or bent forward; default axial.")
    ] = None
    layer: Annotated[
        Literal["pmma", "disc"] | None, option("Cement caps as in the laboratory, or disc-like layers; default pmma.")
    ] = None
    cortex: Annotated[
        Literal["sampled", "kept"] | None,
        option("Shell as blur and smoothing leave it, or with the mineral that they lose; default sampled."),
    ] = None
    voxel_mm: Annotated[float | None, option("Edge of the finite elements; default 1, sensible 0.5 to 2.")] = None
    linear_only: Annotated[bool, option("Stiffness and the linear strength estimate only; much faster.")] = False
    no_mechanics: Annotated[bool, option("Shape and density only.")] = False
    calibration: Annotated[
        str | None, option("Scanner line SLOPE,OFFSET: mg/cm3 (K2HPO4) per HU, and mg/cm3. E.g. 0.8,-2.5.")
    ] = None
    rods: Annotated[
        str | None,
        option("Calibration rods in the image, MINERAL:C1,C2,... in mg/cm3. E.g. K2HPO4:0,50,100,200 or HA:75,150."),
    ] = None
    kvp: Annotated[float | None, option("Tube voltage, where the file does not say.")] = None
    device: Annotated[
        Literal["cpu", "cuda"] | None,
        option("Where bone is loaded to failure: cpu, or cuda for an NVIDIA card (speed not measured); default cpu."),
    ] = None


NO_SCAN, NO_INPUT, NO_MODEL = ScanOptions(), InputOptions(), ModelOptions()
