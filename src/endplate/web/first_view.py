"""What the case page shows of a scan before any script ran: still pictures of a level, and the layers that it has."""

from __future__ import annotations

from typing import Any

import numpy as np

from endplate.web.slices import AXES

WORDS = {
    "axial": "the patient's right is at the left, the front at the top",
    "sagittal": "the front is at the left",
    "coronal": "the patient's right is at the left",
}
LAYERS = (
    ("labels", "Labels", True),
    ("regions", "Density region", False),
    ("strain", "Strain, to 1.5 %", False),
    ("cement", "Cement", True),
    ("cavity", "Cavity", False),
    ("bone", "Surfaces", True),
    ("endplates", "Endplates", True),
    ("cement surface", "Cement surface", True),
    ("heights", "Heights", True),
    ("needles", "Needles", True),
)
"""Name, title, and whether it is shown at first."""


def stills(scene: dict[str, Any], level: str) -> dict[str, Any]:
    """The slice of each plane through the middle of a level, or of the scan where it lies nowhere in the scene.

    Returns
    -------
    `mm`, the three lengths of the scan along its axes; `pictures` with axis, index, what it goes through, and where
    the sides of the patient lie in it.
    """
    shape, affine = np.array(scene["shape"]), np.array(scene["affine"], float)
    found = next((one for one in scene["levels"] if one["level"] == level), None)
    index = (shape - 1) / 2
    if found is not None:
        index = np.linalg.solve(affine[:3, :3], np.array(found["centre"], float) - affine[:3, 3])
    nearest = np.clip(np.floor(index + 0.5), 0, shape - 1).astype(int)
    what = f"through {level}" if found is not None else "through the middle of the scan"
    return {
        "mm": (shape * np.linalg.norm(affine[:3, :3], axis=0)).round(3).tolist(),
        "pictures": [
            {"axis": axis, "index": int(nearest[AXES.index(axis)]), "what": what, "words": words}
            for axis, words in WORDS.items()
        ],
    }


def layers(scene: dict[str, Any]) -> list[dict[str, Any]]:
    """The layers that this scene has, in the order of the page."""
    there = {one["kind"] for one in scene["files"]}
    there |= {"heights"} if any(one["heights"] for one in scene["levels"]) else set()
    there |= {"needles"} if scene["needles"] else set()
    return [{"name": name, "title": title, "on": on} for name, title, on in LAYERS if name in there]
