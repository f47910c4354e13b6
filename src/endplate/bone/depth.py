"""How deep each voxel of a body lies below its surface; found once for all who ask."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.vertebra import Vertebra
from endplate.numerics.voxel.bounding_box import bounding_box

Box = tuple[slice, slice, slice]

_DEPTHS: WeakKeyDictionary[Vertebra, tuple[Box, NDArray[np.float64]]] = WeakKeyDictionary()


def depth_mm(vertebra: Vertebra) -> NDArray[np.float64]:
    """(I, J, K) distance in mm from each voxel of the body to the nearest voxel outside, zero outside.

    Beyond the vertebra's crop counts as outside. The nearest voxel outside lies beside the box round the body at the
    farthest, so that no more than this box is looked at.
    """
    out = np.zeros(vertebra.body.shape)
    if vertebra not in _DEPTHS:
        box = bounding_box(vertebra.body)
        if box is None:
            return out
        within = ndimage.distance_transform_edt(np.pad(vertebra.body[box], 1), sampling=vertebra.grid.spacing_mm)
        _DEPTHS[vertebra] = box, np.ascontiguousarray(within[1:-1, 1:-1, 1:-1])
    box, within = _DEPTHS[vertebra]
    out[box] = within
    return out
