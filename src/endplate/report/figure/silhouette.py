"""The body from the side before and after, over the shape that its intact neighbours say it had before it broke."""

from __future__ import annotations

from markupsafe import Markup

from endplate.anatomy.vertebra import Vertebra
from endplate.repair.rehearsal.result import Rehearsal
from endplate.repair.site.bone import Bone, inside_body
from endplate.report.figure import svg
from endplate.report.figure.local_plane import LocalPlane, local_plane

GHOST, BEFORE, AFTER = "ghost-line", "before-line", "after-line"
KEY_ROW = 18.0


def silhouette_figure(rehearsal: Rehearsal, vertebra: Vertebra) -> Markup | None:
    """The three outlines in the middle plane; None where the bone was not kept."""
    if rehearsal.bone is None:
        return None
    plane = local_plane(vertebra, "sagittal")
    width, height = plane.size
    key: list[tuple[str, str]] = []
    parts: list[Markup] = []
    intact = rehearsal.intact
    if intact is not None and intact.ghost is not None and intact.grid is not None:
        parts += plane.outline(intact.ghost, intact.grid, GHOST)
        key.append((GHOST, "expected, before the break"))
    key.append((BEFORE, "as it is now"))
    raised = next((done.inflation for done in rehearsal.nominal if done.inflation is not None), None)
    if raised is not None:
        parts += _body(plane, raised.bone, AFTER)
        key.append((AFTER, "after kyphoplasty"))
    # Last, so that the thin line stays seen where the thick one follows it.
    parts += _body(plane, rehearsal.bone, BEFORE)
    parts += plane.marks()
    for place, (name, words) in enumerate(key):
        y = height + KEY_ROW * (place + 0.8)
        parts.append(svg.line(8, y - 4, 44, y - 4, class_=name))
        parts.append(svg.text(52, y, words, class_="strip-line"))
    alt = f"{rehearsal.level} from the side, outlines: {', '.join(words for _, words in key)}."
    total = height + KEY_ROW * len(key) + 8
    return svg.drawing(width, total, alt, [svg.group(parts, class_="on-paper")], f"silhouette-{rehearsal.level}")


def _body(plane: LocalPlane, bone: Bone, name: str) -> list[Markup]:
    """The outer surface of the body, cavities included."""
    return plane.outline(inside_body(bone.field), bone.field.grid, name)
