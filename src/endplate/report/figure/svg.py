"""The few SVG elements that the figures need, with every text and attribute escaped.

Written here rather than drawn with a plotting library: the pictures scale to a telephone, keep their text as text,
take their fill patterns from one place, and cost no second of start-up.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import ArrayLike


def element(name: str, *children: Markup | str, **attributes: object) -> Markup:
    """One element; underscores in attribute names become hyphens, a trailing one is dropped (`class_`)."""
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(str(escape(child)) for child in children)
    return Markup(f"<{name}{pairs}>{inner}</{name}>" if inner else f"<{name}{pairs}/>")


def _text(value: object) -> str:
    if not isinstance(value, float | np.floating):
        return str(value)
    number = float(value)
    return f"{number:.{2 if abs(number) < 10 else 1}f}".rstrip("0").rstrip(".")


def group(children: Iterable[Markup], **attributes: object) -> Markup:
    """Elements under one set of attributes."""
    return element("g", *children, **attributes)


def drawing(
    width: float, height: float, alt: str, children: Iterable[Markup], identity: str, plate: bool = False
) -> Markup:
    """A whole picture that scales to its place; `alt` is what a screen reader says.

    `plate` puts it on white on a dark page too: for pictures that hold a bitmap on white.
    """
    return element(
        "svg",
        element("title", alt, id=f"{identity}-title"),
        *children,
        viewBox=f"0 0 {_text(float(width))} {_text(float(height))}",
        role="img",
        aria_labelledby=f"{identity}-title",
        class_="figure plate" if plate else "figure",
    )


def path(points: ArrayLike, closed: bool = False, **attributes: object) -> Markup:
    """A line through points (n, 2), to a tenth of a drawing unit; points that are not finite break it."""
    xy = np.asarray(points, float).reshape(-1, 2)
    tenths = np.where(np.isfinite(xy), np.rint(10 * np.nan_to_num(xy)), 0).astype(int)
    commands: list[str] = []
    last: tuple[int, int] | None = None
    new = True
    for (x, y), known in zip(tenths.tolist(), np.isfinite(xy).all(axis=1).tolist(), strict=True):
        if not known:
            last = None
        elif last is None:
            commands.append(f"M{_tenths(x)}{_joined(y)}")
            new = True
            last = (x, y)
        elif (x, y) != last:
            # Steps from point to point: half as long as places, and a page holds thousands of them.
            across, down = _tenths(x - last[0]), y - last[1]
            parted = "" if across.startswith("-") else " "
            commands.append(f"{'l' if new else parted}{across}{_joined(down)}")
            new = False
            last = (x, y)
    return element("path", d="".join(commands) + ("Z" if closed and commands else ""), **attributes)


def _tenths(value: int) -> str:
    """A number of tenths as SVG writes it, without a leading nought."""
    return f"{value / 10:g}".replace("0.", ".", 1) if 0 < abs(value) < 10 else f"{value / 10:g}"


def _joined(value: int) -> str:
    """A second number of a pair: a minus sign parts it from the first as well as a space does."""
    text = _tenths(value)
    return text if text.startswith("-") else f" {text}"


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> Markup:
    """A straight line."""
    return element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), **attributes)


def text(x: float, y: float, words: str, **attributes: object) -> Markup:
    """Words at a place; `text_anchor` start, middle or end."""
    return element("text", words, x=float(x), y=float(y), **attributes)


def rectangle(x: float, y: float, width: float, height: float, **attributes: object) -> Markup:
    """A box."""
    return element("rect", x=float(x), y=float(y), width=float(width), height=float(height), **attributes)


def picture(x: float, y: float, width: float, height: float, data_uri: str, **attributes: object) -> Markup:
    """An embedded bitmap stretched over a box."""
    return element(
        "image",
        x=float(x),
        y=float(y),
        width=float(width),
        height=float(height),
        href=data_uri,
        preserveAspectRatio="none",
        **attributes,
    )
