"""CT and strain pictures as compact bitmaps that travel inside the page."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import ArrayLike, NDArray

BONE_WINDOW_HU = (-250.0, 850.0)
"""Display range, black to white: wide enough to show cortex and marrow, a reading-room bone window."""

# Dark to light in even steps of lightness, so that the picture reads the same without colour; blue-violet to yellow is
# told apart with every common colour blindness.
_RAMP = np.array(
    [[37, 24, 74], [64, 44, 128], [96, 66, 158], [140, 86, 150], [190, 108, 122], [226, 140, 92], [246, 186, 84],
     [252, 240, 150]],
    float,
)  # fmt: skip

ABOVE_RGB = (190, 16, 32)
"""Colour of values above the ramp: a red that is no part of it, darker than the light end it borders on."""


RAMP_STEPS = 64
"""Colours of a field in a picture: steps too small to be seen, in three quarters of the bytes."""

LOSSLESS_EFFORT = 90
"""Of 100, of the search for the smallest of the equal pictures: 100 takes 50 times as long and saves one byte in 80."""

TINT_OPACITY = 165.0
"""Of 255: a full tint that still shows the bone below it."""


def grey_webp(hu: NDArray[np.float32]) -> str:
    """Data URI of a CT section (rows, columns) HU; NaN (outside the scan) is mid grey."""
    return _encode(np.repeat(_grey(hu)[..., None], 3, axis=2), "RGB", "WEBP", quality=50, method=6)


def _grey(hu: NDArray[np.float32]) -> NDArray[np.uint8]:
    low, high = BONE_WINDOW_HU
    grey = np.clip((hu - low) / (high - low), 0.0, 1.0) * 255.0
    return np.asarray(np.where(np.isfinite(hu), grey, 96.0)).astype(np.uint8)


def ramp_picture(fraction: NDArray[np.float32]) -> str:
    """Data URI of a field (rows, columns) scaled to 0..1; above 1 is `ABOVE_RGB`, NaN is transparent."""
    rgba = np.zeros((*fraction.shape, 4), np.uint8)
    rgba[..., :3] = ramp_rgb(np.rint(np.nan_to_num(fraction) * RAMP_STEPS) / RAMP_STEPS)
    rgba[fraction > 1.0, :3] = ABOVE_RGB
    rgba[..., 3] = np.where(np.isfinite(fraction), 255, 0)
    return _encode(rgba, "RGBA", "WEBP", lossless=True, quality=LOSSLESS_EFFORT, method=6)


def silhouette_png(body: NDArray[np.bool_], arch: NDArray[np.bool_]) -> str:
    """Data URI of label shapes where there is no CT: body mid grey, arch light grey, rest white."""
    grey = np.full(body.shape, 255, np.uint8)
    grey[arch] = 215
    grey[body] = 175
    return _encode(grey, "L", "PNG", optimize=True)


def tint_picture(share: NDArray[np.float32], rgb: tuple[int, int, int]) -> str:
    """Data URI of one colour (rows, columns) over a picture; `share` 0..1 is how much of it, 1 lets a third through."""
    rgba = np.zeros((*share.shape, 4), np.uint8)
    rgba[..., :3] = rgb
    rgba[..., 3] = np.clip(share, 0.0, 1.0) * TINT_OPACITY
    return _encode(rgba, "RGBA", "WEBP", lossless=True, quality=LOSSLESS_EFFORT, method=6)


def ramp_rgb(fraction: ArrayLike) -> NDArray[np.uint8]:
    """Colours (..., 3) of values 0..1."""
    place = np.clip(np.asarray(fraction, float), 0.0, 1.0) * (len(_RAMP) - 1)
    channels = [np.interp(place, np.arange(len(_RAMP)), _RAMP[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def _encode(pixels: NDArray[np.uint8], mode: str, kind: str, **options: object) -> str:
    from PIL import Image, PngImagePlugin, WebPImagePlugin  # noqa: F401 - named, so that PIL does not load all it has

    buffer = io.BytesIO()
    Image.frombytes(mode, (pixels.shape[1], pixels.shape[0]), np.ascontiguousarray(pixels).tobytes()).save(
        buffer, kind, **options
    )
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"
