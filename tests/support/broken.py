"""Break files as disks, networks and bad exporters do; say whether what was read is sane."""

from __future__ import annotations

import numpy as np

from endplate.image.volume import Volume

INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)


def mutate(content: bytes, rng: np.random.Generator, header_bytes: int) -> bytes:
    """One to six damages: mostly in the header, where they mean something."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 7)):
        kind = rng.choice(["bit", "byte", "word", "cut", "drop", "insert"], p=[0.35, 0.25, 0.25, 0.05, 0.05, 0.05])
        end = min(len(data), header_bytes if rng.random() < 0.9 else len(data))
        if end < 8:
            break
        at = int(rng.integers(0, end - 4))
        if kind == "bit":
            data[at] ^= 1 << int(rng.integers(8))
        elif kind == "byte":
            data[at] = INTERESTING[rng.integers(len(INTERESTING))]
        elif kind == "word":
            data[at : at + 4] = rng.bytes(4)
        elif kind == "cut":
            del data[at:]
        elif kind == "drop":
            del data[at : at + int(rng.integers(1, 9))]
        else:
            data[at:at] = rng.bytes(int(rng.integers(1, 9)))
    return bytes(data)


def sane(volume: Volume) -> bool:
    """Whether a CT that was accepted could be one."""
    affine = volume.grid.affine
    return bool(
        volume.hu.shape == volume.grid.shape
        and volume.hu.dtype in (np.int16, np.int32, np.uint16, np.float32, np.uint8, np.int8, np.uint32)
        and np.isfinite(volume.hu).all()
        and np.isfinite(affine).all()
        and (volume.grid.spacing_mm >= 0.02).all()
        and (volume.grid.spacing_mm <= 20).all()
        and abs(np.linalg.det(affine[:3, :3])) > 1e-6
        and volume.hu.max() > 100
        and volume.hu.min() < -20
    )
