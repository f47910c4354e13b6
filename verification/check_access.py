"""Needle paths: clearances against the digital spine's formulas, refusals, left and right, time, and a real scan."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.orientations import inv_ornt_aff

from endplate.anatomy.locate import locate_vertebrae
from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.image.ct import read_ct
from endplate.image.labels import read_labels
from endplate.image.nifti import write_labels, write_volume
from endplate.image.phantom import Phantom, PhantomSpec, make_phantom
from endplate.image.phantom.stack import Placed
from endplate.image.resample import match_grids
from endplate.image.volume import Grid, LabelMap, Volume
from endplate.level import Level
from endplate.repair.access import PathSettings, assess_path, find_access_walls, plan_access, refusal, verdict
from endplate.repair.access.access_result import Access, NeedlePath, Procedure, Side
from endplate.repair.access.access_walls import NAMES, AccessWalls
from endplate.repair.access.clearance import MIN_MM
from endplate.repair.access.target import find_target
from endplate.repair.device.needle import NEEDLES
from verification.check import Check
from verification.public_data import data_folder

LUMBAR = (Level.T12, Level.L1, Level.L2, Level.L3, Level.L4, Level.L5)
SMALL = (Level.L1, Level.L2, Level.L3)
FIELD_MM = (110.0, 150.0)
SIDES: tuple[Side, Side] = ("left", "right")
PROCEDURES: tuple[Procedure, Procedure] = ("vertebroplasty", "kyphoplasty")
SECONDS_A_SIDE = 2.0
ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
FLIPS = ((1, 1, 1), (-1, 1, 1), (1, -1, -1), (-1, -1, 1), (1, 1, -1), (-1, 1, -1))
PHANTOM = "digital spine, formulas of its body and arch"


def checks() -> Iterator[Check]:
    """The rows of this area."""
    phantom, spine = _phantom(LUMBAR, 1.0)
    plans = {(level, name): _timed(spine, level, name) for level in LUMBAR for name in PROCEDURES}
    yield _clearances(phantom, spine, [plan for plan, _ in plans.values()])
    yield _best(spine)
    yield _canal_refused(phantom, spine, [plans[level, "kyphoplasty"][0] for level in LUMBAR])
    yield _too_thick()
    yield _orders()
    yield _mirrored()
    yield _seconds([seconds for _, seconds in plans.values()])
    yield _real()


def _row(
    number: str, title: str, expected: str, got: str, passed: bool | None, rung: str, source: str = PHANTOM
) -> Check:
    return Check(
        number=f"RA.{number}", title=title, expected=expected, got=got, source=source, rung=rung, passed=passed
    )


@cache
def _phantom(levels: tuple[Level, ...], edge_mm: float, size: float = 1.0) -> tuple[Phantom, Spine]:
    spacing = (edge_mm, edge_mm, edge_mm)
    phantom = make_phantom(PhantomSpec(levels=levels, spacing_mm=spacing, field_mm=FIELD_MM, size=size, noise_hu=0.0))
    return phantom, locate_vertebrae(phantom.labels, phantom.volume)


def _at(spine: Spine, level: Level) -> Vertebra:
    return next(vertebra for vertebra in spine.vertebrae if vertebra.level is level)


@cache
def _walls(spine: Spine, level: Level, side: Side) -> AccessWalls:
    walls = find_access_walls(spine, _at(spine, level), side)
    if walls is None:
        raise ValueError(f"no pedicle on the {side} of {level}")
    return walls


def _plan(spine: Spine, level: Level, procedure: Procedure, settings: PathSettings | None = None) -> Access:
    return plan_access(spine, _at(spine, level), procedure, settings)


def _timed(spine: Spine, level: Level, procedure: Procedure) -> tuple[Access, float]:
    """A plan and the processor seconds that each of its two sides took."""
    start = time.process_time()
    access = _plan(spine, level, procedure)
    return access, (time.process_time() - start) / 2


def _clearances(phantom: Phantom, spine: Spine, plans: list[Access]) -> Check:
    """Every chosen path's clearances against rays cast through the formulas, wall by wall."""
    off: dict[str, list[tuple[float, float]]] = {}
    strict: list[float] = []
    for path in (path for plan in plans for path in plan.paths):
        placed, vertebra = phantom.truth.levels[path.level].placed, _at(spine, path.level)
        walls = _walls(spine, path.level, path.side)
        local, free = _true_hits(placed, path)
        of_formula = _true_wall(placed, local, walls.outward, _zone_mm(phantom, spine, path))
        # The outer walls run into each other, so there a true point bears the name of the told wall beside it.
        of_told = np.array((*NAMES, ""))[walls.kind[walls.tree.query(vertebra.to_local_mm(placed.to_world(local)))[1]]]
        for name, clearance in path.clearance_mm.items():
            if (of_told == name).any():
                true = float(free[of_told == name].min())
                off.setdefault(name, []).append((clearance - true, path.band_mm[name]))
        for name in ("medial", "anterior"):
            if (of_formula == name).any():
                strict.append(path.clearance_mm[name] - float(free[of_formula == name].min()))
    table = {name: np.array(pairs) for name, pairs in off.items()}
    held = {name: float(np.mean(np.abs(pairs[:, 0]) <= pairs[:, 1])) for name, pairs in table.items()}
    told = [
        f"{name} {held[name]:.0%} of {len(pairs)}, worst {np.abs(pairs[:, 0]).max():.2f} of ±{pairs[:, 1].max():.2f}"
        for name, pairs in table.items()
    ]
    got = f"{'; '.join(told)} mm; named by the formulas: canal side and front worst {np.abs(strict).max():.2f} mm"
    passed = bool(min(held.values()) >= 0.9 and np.abs(strict).max() <= 0.5)
    expected = "told band holds the truth in >= 90 % for every wall; canal side and front within half a voxel (0.5 mm)"
    return _row("1", "clearances are the true ones of the formulas", expected, got, passed, "exact")


def _zone_mm(phantom: Phantom, spine: Spine, path: NeedlePath) -> float:
    """Anterior coordinate, in the formulas' frame, from which forward the pedicle's walls are counted."""
    vertebra = _at(spine, path.level)
    back_mm = _walls(spine, path.level, path.side).back_mm
    return float(phantom.truth.levels[path.level].placed.to_local(vertebra.to_world_mm(np.array([0, back_mm, 0])))[1])


def _true_hits(placed: Placed, path: NeedlePath) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 3) where bone ends on rays from the needle's axis, square to it and forward, and its clearance."""
    radius = path.needle.outer_mm / 2
    tip = placed.to_local(path.tip_mm)
    back = placed.to_local(path.entry_mm) - tip
    length = float(np.linalg.norm(back))
    back /= length
    one = np.cross(back, [0.0, 0.0, 1.0])
    one /= np.linalg.norm(one)
    two = np.cross(back, one)
    turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)[:, None]
    round_about = np.cos(turn) * one + np.sin(turn) * two
    start = tip + np.arange(radius, length, 0.4)[:, None] * back
    starts = [np.repeat(start, len(turn), axis=0)]
    rays = [np.tile(round_about, (len(start), 1))]
    for lean in np.deg2rad(np.arange(0, 90, 5)):
        rays.append(np.sin(lean) * round_about - np.cos(lean) * back)
        starts.append(np.repeat(tip[None] + radius * back, len(turn), axis=0))
    origin, direction = np.concatenate(starts), np.concatenate(rays)
    reach = np.arange(0.0, 16.0, 0.3)
    distance = np.stack([_outside(placed, origin + r * direction) for r in reach], axis=1)
    out = distance > 0
    met = out.any(axis=1) & ~out[:, 0]
    at = out[met].argmax(axis=1)
    rows = np.arange(len(at))
    before, after = distance[met][rows, at - 1], distance[met][rows, at]
    free = reach[at - 1] + 0.3 * before / (before - after)
    return origin[met] + free[:, None] * direction[met], free - radius


def _outside(placed: Placed, local: np.ndarray) -> np.ndarray:
    """Distance outside the vertebra's formulas, mm, negative in bone."""
    x, y, z = local.T
    return np.minimum(placed.body.distance(x, y, z), placed.arch.distance(x, y, z))


def _true_wall(placed: Placed, local: np.ndarray, outward: int, zone_mm: float) -> np.ndarray:
    """Name of the wall that each point (n, 3) of the true surface belongs to, by the formulas' own geometry."""
    x, y, z = local.T * np.array([[outward], [1], [1]])
    body, arch = placed.body, placed.arch
    name = np.full(len(x), "", dtype=object)
    of_body = body.distance(outward * x, y, z) < 0.05
    upper, lower = body.endplates(outward * x, y)
    plate = of_body & (np.minimum(np.abs(z - upper), np.abs(z - lower)) < 0.3)
    centre, axis = np.array(arch.isthmus_mm), np.array(arch.pedicle_axis)
    across = (x - centre[0]) * axis[1] - (y - centre[1]) * axis[0]
    beside = np.abs(across) / body.size.pedicle_width_mm > np.abs(z - centre[2]) / arch.pedicle_height_mm
    counted = of_body | (y >= zone_mm)
    name[counted] = "other"
    name[of_body & (y > 0)] = "anterior"
    name[plate] = "other"
    facing = beside & (across < 0) & (y < body.back_mm + 2.0) & (y > arch.canal_back_mm)
    name[facing & ((y >= zone_mm) | (x < body.size.canal_mm / 2))] = "medial"
    return name


def _best(spine: Spine) -> Check:
    """No line drawn at random leaves more than the search's line."""
    rng = np.random.default_rng(4711)
    shortfall, lines = [], 0
    for level in (Level.L1, Level.L4):
        vertebra, walls = _at(spine, level), _walls(spine, level, "left")
        settings = PathSettings(sides="left", route="transpedicular", needle="11G")
        found = _plan(spine, level, "vertebroplasty", settings)
        best = (*found.paths, *found.alternatives)[0]
        target = find_target(walls.surface, "midline", walls.outward, 0.0)
        most = -np.inf
        for _ in range(1500):
            shift = rng.uniform(-0.5, 0.5, 2) * np.array([walls.width_mm, walls.height_mm])
            sideways = walls.outward * np.array([walls.along[1], -walls.along[0], 0.0])
            through = walls.isthmus + shift[0] * sideways + np.array([0.0, 0.0, shift[1]])
            aim = target.points(rng.uniform(0, 1, (1, 3)))[0]
            tried = assess_path(walls, vertebra.to_world_mm(through), vertebra.to_world_mm(aim), best.needle)
            most = max(most, _spare(tried))
            lines += 1
        shortfall.append(most - _spare(best))
    got = f"best of {lines} random lines leaves {max(shortfall):+.2f} mm more than the search's"
    return _row(
        "2",
        "the search finds the line with the most to spare",
        "at most 0.1 mm more",
        got,
        max(shortfall) <= 0.1,
        "independent",
    )


def _spare(path: NeedlePath) -> float:
    return min(value - MIN_MM[wall] for wall, value in path.clearance_mm.items())


def _canal_refused(phantom: Phantom, spine: Spine, plans: list[Access]) -> Check:
    """Lines pushed towards the canal: refused wherever the formulas put the needle's surface into it."""
    wrong, crossed, depths = 0, 0, []
    for plan in plans:
        for side in SIDES:
            best = next(path for path in (*plan.paths, *plan.alternatives) if path.side == side)
            walls, level = _walls(spine, plan.level, side), plan.level
            inwards = -walls.outward * walls.vertebra.axes[0]
            for push in np.arange(1.0, 15.0, 1.0):
                entry, target = best.entry_mm + push * inwards, best.target_mm + push * inwards
                pushed = assess_path(walls, entry, target, NEEDLES["13G"])
                deep = _true_canal_depth(phantom.truth.levels[level].placed, pushed)
                if deep is None or deep < 0.5:
                    continue
                crossed += 1
                wrong += verdict(pushed) != "refused" or "medial" not in refusal_walls(pushed)
                depths.append(-pushed.clearance_mm["medial"] - deep)
    off = np.mean(np.abs(depths))
    got = f"{crossed - wrong} of {crossed} refused for the canal side; depth off by {off:.2f} mm in the mean"
    return _row("3", "a path through the canal wall is refused", "all", got, wrong == 0 and crossed > 50, "exact")


def refusal_walls(path: NeedlePath) -> set[str]:
    """Walls that a path breaks."""
    return {breach.wall for breach in path.breaches}


def _true_canal_depth(placed: Placed, path: NeedlePath) -> float | None:
    """How deep the needle's surface reaches into the true canal, mm; None where it stays out of it."""
    start, stop = placed.to_local(path.entry_mm), placed.to_local(path.target_mm)
    axis = start + np.linspace(0, 1, 400)[:, None] * (stop - start)
    x, y, _ = axis.T
    in_canal = (np.abs(x) < placed.body.size.canal_mm / 2) & (y > placed.arch.canal_back_mm) & (y < placed.body.back_mm)
    deep = np.where(in_canal, _outside(placed, axis), -np.inf).max()
    return float(deep) + path.needle.outer_mm / 2 if deep > 0 else None


def _too_thick() -> Check:
    """Small thoracic pedicles refuse the thick needle and name one that fits, which then passes."""
    _, spine = _phantom((Level.T10, Level.T11, Level.T12), 1.0, 0.85)
    thick = _plan(spine, Level.T10, "vertebroplasty", PathSettings(sides="both", needle="8G", route="transpedicular"))
    thin = _plan(spine, Level.T10, "vertebroplasty", PathSettings(sides="both", needle="15G", route="transpedicular"))
    named = "would fit" in thick.reason
    got = f"8G: {thick.reason or 'accepted'} | 15G: {len(thin.paths)} paths"
    passed = not thick.paths and named and len(thin.paths) == 2
    return _row(
        "4",
        "a needle too thick for the pedicle is refused",
        "8G refused, a thinner named; 15G passes",
        got,
        passed,
        "exact",
    )


def _orders() -> Check:
    """The same scan in other axis orders and directions, and on an oblique grid, gives the same path in the patient."""
    phantom, spine = _phantom(SMALL, 1.5)
    first = _left(spine)
    apart = []
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / "ct.nii", Path(folder) / "labels.nii"]
        write_volume(paths[0], phantom.volume.grid, phantom.volume.hu)
        write_labels(paths[1], phantom.labels)
        images = [nib.load(path) for path in paths]
        for order, flips in zip(ORDERS, FLIPS, strict=True):
            turned = [Path(folder) / f"turned-{path.name}" for path in paths]
            for image, path in zip(images, turned, strict=True):
                _save_reordered(image, np.array(list(zip(order, flips, strict=True))), path)
            volume = read_ct(turned[0])
            again = _left(locate_vertebrae(match_grids(volume, read_labels(turned[1])), volume))
            apart.append(_apart(first, again))
    oblique = make_phantom(replace(phantom.spec, grid_tilt_deg=(9.0, -6.0, 12.0)))
    tilted = _left(locate_vertebrae(oblique.labels, oblique.volume))
    angle = abs(tilted.axial_deg - first.axial_deg)
    side = tilted.side == first.side and tilted.entry_mm[0] > 0
    off = _apart(first, tilted)
    got = (
        f"{len(apart)} orders: {max(apart):.1e} mm apart; oblique grid: {off:.1f} mm at worst, "
        f"axial angle {angle:.1f}° off"
    )
    passed = max(apart) < 1e-3 and side and off < 3.0
    return _row(
        "5",
        "axis order, flips and an oblique grid leave the left path where it is",
        "orders exact, oblique within 2 voxels",
        got,
        passed,
        "exact",
    )


def _left(spine: Spine) -> NeedlePath:
    settings = PathSettings(sides="left", route="transpedicular", needle="13G")
    return _plan(spine, Level.L2, "vertebroplasty", settings).paths[0]


def _apart(first: NeedlePath, again: NeedlePath) -> float:
    """Largest distance of target and of the point of the axis beside the first's entry, mm."""
    forward = again.target_mm - again.entry_mm
    forward = forward / np.linalg.norm(forward)
    away = first.entry_mm - again.entry_mm
    beside = float(np.linalg.norm(away - (away @ forward) * forward))
    return max(beside, float(np.linalg.norm(first.target_mm - again.target_mm)))


def _save_reordered(image: nib.Nifti1Image, orientation: np.ndarray, path: Path) -> None:
    """Store the same voxels in another axis order, by nibabel's own reorientation."""
    array = nib.apply_orientation(np.asanyarray(image.dataobj), orientation)
    nib.save(nib.Nifti1Image(np.ascontiguousarray(array), image.affine @ inv_ornt_aff(orientation, image.shape)), path)


def _mirrored() -> Check:
    """A patient mirrored left to right gets the mirrored path on the other side."""
    phantom, spine = _phantom(SMALL, 1.5)
    grid = phantom.volume.grid
    affine = grid.affine.copy()
    affine[0, 3] = -(affine[0, 3] + (grid.shape[0] - 1) * affine[0, 0])
    swapped = Grid(shape=grid.shape, affine=affine)
    labels = LabelMap(grid=swapped, labels=phantom.labels.labels[::-1].copy(), scheme="verse")
    other = locate_vertebrae(labels, Volume(grid=swapped, hu=phantom.volume.hu[::-1].copy()))
    settings = PathSettings(sides="right", route="transpedicular", needle="13G")
    right = _plan(other, Level.L2, "vertebroplasty", settings).paths[0]
    left, turn = _left(spine), np.array([-1.0, 1.0, 1.0])
    apart = _apart(left, replace(right, entry_mm=right.entry_mm * turn, target_mm=right.target_mm * turn))
    got = f"{right.side} path of the mirrored patient: {apart:.2f} mm from the mirror image of the left one"
    return _row(
        "6", "left and right swapped give the mirrored path", "within a voxel (1.5 mm)", got, apart <= 1.5, "exact"
    )


def _seconds(seconds: list[float]) -> Check:
    steady = seconds[1:]  # the first compiles
    got = f"median {np.median(steady):.2f}, worst {max(steady):.2f} processor seconds a side (two targets, two routes)"
    passed = max(steady) <= SECONDS_A_SIDE
    return _row("7", "planning a side is quick", f"at most {SECONDS_A_SIDE:g} s", got, passed, "pinned", "this machine")


def _real() -> Check:
    """Each level of a real scan has a path or a reason, and the left path lies on the patient's left."""
    title, source = "verse014: every level has a path or a reason", "verse014 (VerSe'19, CC BY-SA 4.0)"
    folder = data_folder() / "verse014"
    expected = "a path or a reason for each level and procedure, sides right, margins kept"
    if not folder.is_dir():
        return _row("8", title, expected, f"skipped: {folder} is absent", None, "independent", source)
    volume = read_ct(folder / "sub-verse014_ct.nii.gz")
    spine = locate_vertebrae(match_grids(volume, read_labels(folder / "sub-verse014_seg-vert_msk.nii.gz")), volume)
    good, told = True, []
    for vertebra in spine.vertebrae:
        for procedure in PROCEDURES:
            access = plan_access(spine, vertebra, procedure, None, volume)
            good &= bool(access.paths) != bool(access.reason)
            for path in access.paths:
                lies = (path.entry_mm - vertebra.centroid_mm)[0] * (1 if path.side == "left" else -1) > 0
                good &= lies and not refusal(path)
        names = "+".join(f"{path.side} {path.needle.name}" for path in access.paths) or access.reason
        told.append(f"{vertebra.level} {names}")
    return _row("8", title, expected, "kyphoplasty: " + ", ".join(told), good, "independent", source)
