"""Digital spines and edits of their labels for the anatomy tests."""

from functools import cache

import numpy as np

from endplate.image.phantom import Phantom, PhantomSpec, make_phantom
from endplate.image.volume import Grid, LabelMap
from endplate.level import Level

LUMBAR = (Level.L1, Level.L2, Level.L3, Level.L4)


@cache
def spine(levels=LUMBAR, spacing_mm=(1.5, 1.5, 1.5), tilt_deg=(0.0, 0.0, 0.0)) -> Phantom:
    return make_phantom(
        PhantomSpec(levels=levels, spacing_mm=spacing_mm, tilt_deg=tilt_deg, field_mm=(110.0, 150.0), seed=4711)
    )


def relabelled(labels: LabelMap, values: np.ndarray) -> LabelMap:
    return LabelMap(grid=labels.grid, labels=values.astype(np.uint16), scheme=labels.scheme)


def cropped(labels: LabelMap, start, stop) -> LabelMap:
    window = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    return LabelMap(grid=labels.grid.crop(start, stop), labels=labels.labels[window].copy(), scheme=labels.scheme)


def only(labels: LabelMap, *levels: Level) -> LabelMap:
    kept = np.isin(labels.labels, [level.verse_id for level in levels])
    return relabelled(labels, np.where(kept, labels.labels, 0))


def dice(first: np.ndarray, second: np.ndarray) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


def on_scan(mask: np.ndarray, grid: Grid, scan: Grid) -> np.ndarray:
    """A mask on a crop, put back on the scan's grid."""
    start = np.rint(scan.to_index(grid.to_mm([0, 0, 0]))).astype(int)
    whole = np.zeros(scan.shape, bool)
    whole[tuple(slice(a, a + n) for a, n in zip(start, mask.shape, strict=True))] = mask
    return whole
