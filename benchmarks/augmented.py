"""Linear solve of an augmented vertebra against parosol-py: cement beside a cleft of 0.1 MPa and an empty cavity.

The same terms as `benchmarks.linear`: same voxels, supports and residual, two cores, interleaved, set-up counted on
both sides. `python -m benchmarks.augmented [spacing_mm ...]`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._goal import with_goal
from benchmarks._models import FLOOR_MPA, Model, shared_data, whole_l3
from benchmarks.linear import REPEATS, compare, solve
from endplate.numerics.voxel.connected_components import largest_piece
from endplate.repair.augmented.augmented_bone import INTERFACE, set_cement
from endplate.repair.device.cement import CEMENTS

BALL_MM = 8.0
CLEFT_MM = 3.0
CAVITY_MM = 5.0


def augmented_l3(spacing_mm: float, data: Path) -> Model:
    """The L3 of `benchmarks.linear` with two balls of set cement, a cleft between them and a cavity before it."""
    plain = whole_l3(spacing_mm, data)
    modulus = plain.modulus.copy()
    # The flat caps lie over the body alone, so their faces say where it is.
    face = np.argwhere((modulus[:, :, 0] > 0) & (modulus[:, :, -1] > 0)) * spacing_mm
    middle = np.append(face.mean(axis=0), 0.5 * modulus.shape[2] * spacing_mm)
    width = np.ptp(face[:, 0])
    place = np.moveaxis(np.indices(modulus.shape), 0, -1) * spacing_mm - middle
    balls = np.min([np.linalg.norm(place - [side * width / 4, 0, 0], axis=-1) for side in (1, -1)], axis=0) < BALL_MM
    cleft = (np.abs(place[..., 2]) < CLEFT_MM / 2) & (np.abs(place[..., :2]).max(axis=-1) < width / 4)
    cavity = np.linalg.norm(place - [0, -width / 4, 0], axis=-1) < CAVITY_MM
    bone = modulus > 0
    modulus[bone & cleft] = FLOOR_MPA
    modulus[bone & balls] = set_cement(CEMENTS["standard PMMA"], INTERFACE)[0]
    modulus[cavity] = 0
    keep, _ = largest_piece(modulus > 0)
    return Model(f"augmented L3, {spacing_mm:g} mm", np.where(keep, modulus, 0), spacing_mm)


def rows(spacings: tuple[float, ...] = (1.0, 0.5)) -> list[dict[str, Any]]:
    """One row per voxel size; empty, aloud, without the data."""
    data = shared_data()
    if data is None:
        return [{"case": "augmented L3", "check": "skipped: shared data not found, set ENDPLATE_SHARED"}]
    solve(augmented_l3(3.0, data))  # kernels are compiled before the clock starts
    return [with_goal(compare(augmented_l3(spacing, data), REPEATS)) for spacing in spacings]


def main() -> None:
    """Print the rows."""
    for row in rows(tuple(float(a) for a in sys.argv[1:]) or (1.0, 0.5)):
        print(row)


if __name__ == "__main__":
    main()
