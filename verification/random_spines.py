"""Digital spines made at random: slices, pose, size, collapses, nodes, and labels as readers and networks spoil them.

Each spine follows from its seed alone. Slice thickness runs through its values in turn, so that every row of the table
has as many spines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from endplate.image.phantom import PHANTOM_LEVELS, Deformity, Node, PhantomSpec
from endplate.image.phantom.spec import Shape
from endplate.image.phantom.truth import PhantomTruth
from endplate.image.volume import LabelMap
from endplate.level import Level
from verification.check_fracture import roughened

THICKNESS_MM = (0.6, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
BLOCK_MM = 3.0
NOISE_MAX_HU = 120.0
ROUGH_MM = (0.15, 0.6)
"""How far a label's border wanders without noise, and at the most noise: noise is felt through the labels alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoilt:
    """What is done to the labels: border, blocks, a flat cut, a bleed into the neighbour.

    Attributes
    ----------
    rough_mm : SD of how far the border wanders. block_mm : edge of the blocks, 0 for none; `block_at` where they begin.
    cut : level, "above" or "below", mm from the body's middle at which its label ends flat; "slab" keeps 7 mm about it.
    bleed : level whose label takes the part of the lower neighbour's body above its middle plus so many mm.
    """

    rough_mm: float
    block_mm: float = 0.0
    block_at: float = 0.0
    cut: tuple[Level, str, float] | None = None
    bleed: tuple[Level, Level, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomSpine:
    """One trial: what is scanned, its noise, and how its labels are spoilt."""

    seed: int
    spec: PhantomSpec
    spoilt: Spoilt

    @property
    def thickness_mm(self) -> float:
        """Slice thickness along the spine."""
        return self.spec.spacing_mm[2]

    @property
    def untrusted(self) -> frozenset[Level]:
        """Levels whose labels are wrong: cut, or sharing a bleed."""
        named: set[Level] = set()
        if self.spoilt.cut:
            named.add(self.spoilt.cut[0])
        if self.spoilt.bleed:
            named |= set(self.spoilt.bleed[:2])
        return frozenset(named)


def random_spine(seed: int) -> RandomSpine:
    """The spine of a seed."""
    rng = np.random.default_rng(90210 + seed)
    thickness = THICKNESS_MM[seed % len(THICKNESS_MM)]
    count = 4
    first = int(rng.integers(0, len(PHANTOM_LEVELS) - count + 1))
    levels = PHANTOM_LEVELS[first : first + count]
    in_plane = float(rng.uniform(1.2, 1.6))
    noise = float(rng.uniform(0, NOISE_MAX_HU))
    spec = PhantomSpec(
        levels=levels,
        spacing_mm=(in_plane, in_plane, thickness),
        sex="male" if rng.random() < 0.3 else "female",
        size=float(rng.uniform(0.92, 1.08)),
        deformities=_collapses(rng, levels),
        tilt_deg=(float(rng.uniform(-15, 15)), float(rng.uniform(-12, 12)), float(rng.uniform(-12, 12))),
        noise_hu=noise,
        field_mm=(110.0, 140.0),
        seed=seed,
    )
    intact = [level for level in levels if level not in spec.deformities]
    if rng.random() < 0.25 and intact:
        spec = replace(spec, nodes={intact[int(rng.integers(len(intact)))]: _node(rng)})
    rough = float(np.interp(noise, (0, NOISE_MAX_HU), ROUGH_MM))
    return RandomSpine(seed=seed, spec=spec, spoilt=_spoilt(rng, levels, rough))


def _collapses(rng: np.random.Generator, levels: tuple[Level, ...]) -> Mapping[Level, Deformity]:
    chosen = rng.permutation(len(levels))[: int(rng.choice([0, 1, 2], p=[0.3, 0.45, 0.25]))]
    shapes: tuple[Shape, ...] = ("wedge", "biconcave", "crush")
    return {
        levels[place]: Deformity(shape=shapes[int(rng.integers(3))], loss=float(rng.uniform(0.25, 0.6)))
        for place in chosen
    }


def _node(rng: np.random.Generator) -> Node:
    return Node(
        plate="upper" if rng.random() < 0.5 else "lower",
        area_mm2=float(rng.uniform(40, 90)),
        depth_mm=float(rng.uniform(3, 5)),
        right_mm=float(rng.uniform(-5, 5)),
        along=float(rng.uniform(0.4, 0.65)),
    )


def _spoilt(rng: np.random.Generator, levels: tuple[Level, ...], rough_mm: float) -> Spoilt:
    kind = rng.choice(["none", "blocks", "cut", "bleed"], p=[0.46, 0.2, 0.17, 0.17])
    if kind == "blocks":
        return Spoilt(rough_mm=rough_mm, block_mm=BLOCK_MM, block_at=float(rng.uniform(0, BLOCK_MM)))
    if kind == "cut":
        side = str(rng.choice(["above", "below", "slab"]))
        level = levels[int(rng.integers(len(levels)))]
        return Spoilt(rough_mm=rough_mm, cut=(level, side, float(rng.uniform(0, 6))))
    if kind == "bleed":
        place = int(rng.integers(len(levels) - 1))
        return Spoilt(rough_mm=rough_mm, bleed=(levels[place], levels[place + 1], float(rng.uniform(-2, 6))))
    return Spoilt(rough_mm=rough_mm)


def spoil(labels: LabelMap, truth: PhantomTruth, spoilt: Spoilt, seed: int) -> LabelMap:
    """The labels with a wandering border, and with what else was asked for."""
    if spoilt.rough_mm > 0:
        labels = roughened(labels, seed, spoilt.rough_mm)
    values = labels.labels
    if spoilt.block_mm:
        values = in_blocks(values, labels.grid.spacing_mm, spoilt.block_mm, spoilt.block_at)
    if spoilt.cut is not None:
        values = _cut(labels, values, truth, spoilt.cut)
    if spoilt.bleed is not None:
        values = _bled(labels, values, truth, spoilt.bleed)
    return replace(labels, labels=values)


def in_blocks(
    values: NDArray[np.uint16], spacing_mm: NDArray[np.float64], block_mm: float, begin_mm: float
) -> NDArray[np.uint16]:
    """Labels of a coarse grid of cubes brought to the fine grid by the nearest neighbour, as a fast network's are."""
    index = [
        np.clip((np.floor((np.arange(n) * s + begin_mm) / block_mm) * block_mm + block_mm / 2 - begin_mm) / s, 0, n - 1)
        .round()
        .astype(int)
        for n, s in zip(values.shape, spacing_mm, strict=True)
    ]
    return values[np.ix_(*index)]


def _cut(
    labels: LabelMap, values: NDArray[np.uint16], truth: PhantomTruth, cut: tuple[Level, str, float]
) -> NDArray[np.uint16]:
    level, side, offset = cut
    middle = labels.grid.to_index(truth.levels[level].centroid_mm)[2]
    edge = float(labels.grid.spacing_mm[2])
    k = np.arange(values.shape[2])
    if side == "slab":
        gone = np.abs(k - middle) * edge > 3.5
    else:
        gone = (k - middle) * edge > offset if side == "above" else (k - middle) * edge < -offset
    kept = values.copy()
    kept[(kept == level.verse_id) & gone[None, None, :]] = 0
    return kept


def _bled(
    labels: LabelMap, values: NDArray[np.uint16], truth: PhantomTruth, bleed: tuple[Level, Level, float]
) -> NDArray[np.uint16]:
    taker, giver, above = bleed
    there = truth.levels[giver]
    index = np.argwhere(values == giver.verse_id)
    local = (labels.grid.to_mm(index) - there.centroid_mm) @ there.axes.T
    taken = index[local[:, 2] > above]
    kept = values.copy()
    kept[tuple(taken.T)] = taker.verse_id
    return kept
