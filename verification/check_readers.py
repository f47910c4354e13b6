"""Row 3, further: what an image cannot carry is noticed by its reader: padding, a lost sign, a lost spacing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from endplate.anatomy.label.body_size import check_body_sizes
from endplate.anatomy.locate import AnatomySettings, locate_vertebrae
from endplate.bone.calibration import calibrate
from endplate.bone.density import measure_density
from endplate.finding import Gap
from endplate.image.labels import read_labels
from endplate.image.labels.upright import standing
from endplate.image.labels.whole import label_centroids, whole_of
from endplate.image.padding import fill_padding
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.image.volume import Grid, LabelMap, Volume
from endplate.level import Level
from verification.check import Check
from verification.public_data import data_folder

PADS = (-3024, -2000, -2048, -32768, 32767)
FIELD_MM = 75.0
MAX_SHIFT_MG_CM3 = 4.0
MASKS = ("verse004/sub-verse004_seg-vert_msk.nii.gz", "verse014/sub-verse014_seg-vert_msk.nii.gz")
LOST = ((1 / 1.5,) * 3, (1, 1, 1 / 1.5), (1, 1, 1.5))
MASKS_SOURCE = "verse004, verse014 (VerSe'19, CC BY-SA 4.0), digital spine T11-L4"


def checks() -> Iterator[Check]:
    """The rows of this area."""
    worst = _padding()
    yield Check(
        number="3.4", title="a round field moves no density, whatever its padding", rung="exact",
        expected=f"each of {len(PADS)} paddings within {MAX_SHIFT_MG_CM3:g} mg/cm3 of the square field",
        got=f"{worst:.1f} mg/cm3 at most", source="digital spine, core known", passed=worst <= MAX_SHIFT_MG_CM3,
    )  # fmt: skip
    given = _spines()
    right = sum(_stand(labels) == "upright" and _stand(_upside_down(labels)) == "upside down" for labels in given)
    yield Check(
        number="3.5", title="vertebrae show where the head is, and that a z sign was lost", rung="exact",
        expected=f"{len(given)} of {len(given)} masks, each as it is and upside down", got=f"{right} of {len(given)}",
        source=MASKS_SOURCE, passed=right == len(given),
    )  # fmt: skip
    whole = sum(not _impossible(labels) for labels in given)
    noticed = sum(_impossible(_scaled(labels, factors)) for labels in given for factors in LOST)
    tried = len(given) * len(LOST)
    yield Check(
        number="3.6", title="a spacing wrong by 1.5 leaves nothing to measure, a right one everything", rung="exact",
        expected=f"{tried} of {tried} refused, {len(given)} of {len(given)} accepted",
        got=f"{noticed} of {tried} refused, {whole} of {len(given)} accepted",
        source=MASKS_SOURCE, passed=noticed == tried and whole == len(given),
    )  # fmt: skip


def _padding() -> float:
    """The largest shift of a level's density by the padding of a round field, mg/cm3."""
    phantom = make_phantom(
        PhantomSpec(levels=(Level.L1, Level.L2, Level.L3), spacing_mm=(2.0, 2.0, 2.0), field_mm=(150.0, 150.0))
    )
    spine = locate_vertebrae(phantom.labels, phantom.volume)

    def densities(hu: np.ndarray) -> np.ndarray:
        volume = Volume(grid=phantom.volume.grid, hu=hu)
        line, _, _ = calibrate(volume, spine)
        measured = [measure_density(vertebra, volume, line) for vertebra in spine.vertebrae]
        return np.array([np.nan if isinstance(m, Gap) else m.density_mg_cm3 for m in measured], float)

    i, j = np.mgrid[: phantom.volume.hu.shape[0], : phantom.volume.hu.shape[1]]
    middle = (np.array(phantom.volume.hu.shape[:2]) - 1) / 2
    outside = np.hypot(i - middle[0], j - middle[1]) * 2 > FIELD_MM
    square = densities(phantom.volume.hu)
    shifts = []
    for pad in PADS:
        hu = phantom.volume.hu.copy()
        hu[outside] = pad
        fill_padding(hu)
        shifts.append(float(np.abs(densities(hu) - square).max()))
    return float(np.max(shifts))


def _spines() -> list[LabelMap]:
    """Masks of people, where they are there, and a digital spine."""
    levels = (Level.T11, Level.T12, Level.L1, Level.L2, Level.L3, Level.L4)
    found = [make_phantom(PhantomSpec(levels=levels, spacing_mm=(2.0, 2.0, 2.0), field_mm=(120.0, 150.0))).labels]
    return found + [read_labels(data_folder() / name) for name in MASKS if (data_folder() / name).is_file()]


def _stand(labels: LabelMap) -> str:
    return standing(labels.labels, label_centroids(whole_of(labels.labels)), labels.grid).stand


def _upside_down(labels: LabelMap) -> LabelMap:
    flipped = np.ascontiguousarray(labels.labels[:, :, ::-1])
    return LabelMap(grid=labels.grid, labels=flipped, scheme=labels.scheme)


def _scaled(labels: LabelMap, factors: tuple[float, ...]) -> LabelMap:
    affine = labels.grid.affine.copy()
    affine[:3, :3] = np.array(factors)[:, None] * affine[:3, :3]
    return LabelMap(grid=Grid(shape=labels.grid.shape, affine=affine), labels=labels.labels, scheme=labels.scheme)


def _impossible(labels: LabelMap) -> bool:
    """Whether the check of sizes leaves nothing to measure."""
    spine = locate_vertebrae(labels)
    doubtful = {gap.level for gap in spine.gaps if gap.code == "vertebra" and gap.level is not None}
    _, gaps = check_body_sizes(spine.vertebrae, doubtful, AnatomySettings().person)
    return bool(gaps)
