"""The repaired vertebra once the cement has set: stiffer and stronger where cement sits, and by how much overall.

Cores cut from augmented vertebrae follow the cement's porosity and not the bone in it (Kinzl 2012a), so bone inside
cement is dropped: a voxel with a share S of its pores filled takes (1 - S) of the bone and S of porous cement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.biomechanics.model import ARCH, BODY, LOWER, NONE, BoneModel, ModelSettings
from endplate.biomechanics.result import Strength
from endplate.biomechanics.strength import MESH_SD, METHOD_SD, YIELD_POWER, StrengthSettings, solve_strength
from endplate.bone.material import KOPPERDAHL_E_POWER, MODULUS_FLOOR_MPA
from endplate.cited import cited
from endplate.errors import OptionError
from endplate.finding import BAND_SD
from endplate.progress import Share
from endplate.repair.augmented.bone_model import bone_model
from endplate.repair.band import Band
from endplate.repair.device.cement import Cement
from endplate.repair.site.bone import Bone

INTERFACE = cited(
    0.8,
    "1",
    "contact instead of a bond costs 20 % of the stiffness of cement in bone (abstract)",
    "verified",
    cite="kinzl_2012b",
)
MIN_INTERFACE = cited(
    0.6, "1", "contact and shrinkage damage, 0.8 x 0.76, rounded (abstract)", "verified", cite="kinzl_2012b"
)
MODULUS_SD = cited(
    0.25, "1", "vertebroplasty PMMA 1937 +- 478 MPa, as a share", "verified", cite="low_stiffness_cement_2013"
)
INTERFACE_SD = cited(
    0.14,
    "1",
    "Interface factor 0.6 to 1.0 as even limits: 0.2 / sqrt(3) / 0.8, from the range of Kinzl 2012b",
    "design",
)
FILLED = cited(0.5, "1", "An empty voxel becomes part of the model when most of it is cement", "design")

Volume = NDArray[np.floating]
"""(I, J, K) values on a model's grid."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BeforeAfter:
    """A vertebra before and after a repair under the same settings.

    Attributes
    ----------
    stiffness_ratio, failure_ratio : after / before with their 95 % bands; see `strength_before_after`.
    """

    before: Strength
    after: Strength
    stiffness_ratio: Band
    failure_ratio: Band


def cure(model: BoneModel, saturation: Volume, cement: Cement, interface: float = INTERFACE) -> BoneModel:
    """The model with set cement in it.

    E = (1 - S) E_bone + S E_c (1 - p)^2 k, the yield stress alike (Kinzl 2012a; the data support "porosity only",
    the square is an assumption). A voxel is never left softer than its bone: in bone denser than the cores of Kinzl
    (above about 450 mg/cm3) the cement in the few pores cannot weaken the bone around it.

    Parameters
    ----------
    model : the bone. saturation : (I, J, K) 0..1 of the pores on the model's grid; an enclosed empty voxel that is
    mostly cement joins the body. interface : 0.6 (contact and shrinkage damage) to 1 (bonded).

    Returns
    -------
    BoneModel : the very same object where there is no cement.

    Raises
    ------
    OptionError : an interface factor outside 0.6 to 1. ValueError : saturation on another grid.
    """
    if not MIN_INTERFACE <= interface <= 1:
        raise OptionError(f"interface factor {interface}", "bond and contact bound it", "choose 0.6 to 1")
    if saturation.shape != model.material.shape:
        raise ValueError(f"saturation is {saturation.shape}, the model {model.material.shape}")
    share = np.clip(np.asarray(saturation, np.float32), 0, 1)
    material = _with_filled_cavity(model.material, share)
    bone = (material == BODY) | (material == ARCH)
    if not (share[bone] > 0).any():
        return model
    stiff, strong = set_cement(cement, interface)
    modulus, strength = model.modulus_mpa.copy(), model.yield_mpa.copy()
    s = share[bone]
    modulus[bone] = np.maximum((1 - s) * modulus[bone] + s * np.float32(stiff), modulus[bone])
    strength[bone] = np.maximum((1 - s) * strength[bone] + s * np.float32(strong), strength[bone])
    note = f"{cement.name} in place, interface factor {interface:g}"
    return replace(model, material=material, modulus_mpa=modulus, yield_mpa=strength, notes=(*model.notes, note))


def set_cement(cement: Cement, interface: float) -> tuple[float, float]:
    """Modulus and yield stress in MPa of voids, cement and its interface together, where cement fills all pores."""
    kept = (1 - cement.void_fraction) ** 2 * interface
    return cement.modulus_mpa * kept, cement.yield_mpa * kept


def augmented_model(
    bone: Bone,
    saturation: Volume,
    cement: Cement,
    interface: float = INTERFACE,
    settings: ModelSettings | None = None,
) -> BoneModel:
    """The model of a bone (with the cavity of a balloon, if any) with set cement in it; see `cure`."""
    filled = np.clip(np.asarray(saturation, np.float32), 0, 1)
    return cure(bone_model(bone, settings, filled=filled), filled, cement, interface)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solved:
    """A model, its strength (strains kept), and the share (I, J, K) of each voxel's modulus that cement gives."""

    model: BoneModel
    strength: Strength
    cement: Volume


def strength_before_after(
    before: BoneModel,
    repaired: BoneModel,
    saturation: Volume,
    cement: Cement,
    interface: float = INTERFACE,
    settings: StrengthSettings | None = None,
    progress: Share | None = None,
) -> BeforeAfter:
    """Stiffness and strength before and after a repair, loaded alike.

    Parameters
    ----------
    before : the bone as it was. repaired : the bone that the cement meets: `before` itself in a vertebroplasty, in a
    kyphoplasty `bone_model(bone, filled=saturation)` of the bone after the balloon. saturation, cement, interface : as
    in `cure`, on the grid of `repaired`. progress : called with the fraction done.

    Raises
    ------
    SolverError : an elastic solve failed.
    """
    settings = replace(settings or StrengthSettings(), keep_strain=True)
    tell = progress or (lambda done: None)
    after = cure(repaired, saturation, cement, interface)
    first = solve_strength(before, settings, lambda done: tell(done / 2))
    second = first if after is before else solve_strength(after, settings, lambda done: tell(0.5 + done / 2))
    none = np.zeros(before.material.shape, np.float32)
    return compare(
        Solved(model=before, strength=first, cement=none),
        Solved(model=after, strength=second, cement=cement_share(after, saturation, cement, interface)),
    )


def cement_share(cured: BoneModel, saturation: Volume, cement: Cement, interface: float) -> Volume:
    """(I, J, K) share of each voxel's modulus that cement gives in a cured model."""
    stiff, _ = set_cement(cement, interface)
    bone = (cured.material == BODY) | (cured.material == ARCH)
    given = np.where(bone, np.clip(saturation, 0, 1) * stiff, 0)
    return np.clip(given / np.maximum(cured.modulus_mpa, MODULUS_FLOOR_MPA), 0, 1)


def compare(before: Solved, after: Solved) -> BeforeAfter:
    """Ratios after / before, and what of the uncertainty stays in them.

    Density calibration, scanner and kernel move all bone alike, before and after. A force that bone gives by a share b
    (of the elastic energy for stiffness, of the plastic work for strength: to first order its exact sensitivity) moves
    by b times such an error, so a ratio keeps only the difference of the two shares. The share that cement gives brings
    in its own modulus and interface. The error of the voxel size is kept in full, though much of it cancels too.
    """
    first, second = before.strength, after.strength
    stiffness = _ratio(
        (first.stiffness_n_per_mm, second.stiffness_n_per_mm),
        _bone_error(before.model, KOPPERDAHL_E_POWER),
        (_shares(before, _elastic_energy(before)), _shares(after, _elastic_energy(after))),
    )
    loads = first.failure_load_n, second.failure_load_n
    if loads[0] is None or loads[1] is None:
        failure = Band(value=None, reason=first.reason or second.reason)
    else:
        failure = _ratio(
            (loads[0], loads[1]),
            _bone_error(before.model, YIELD_POWER),
            (_shares(before, _plastic_work(before)), _shares(after, _plastic_work(after))),
        )
    return BeforeAfter(before=first, after=second, stiffness_ratio=stiffness, failure_ratio=failure)


def _ratio(
    values: tuple[float, float], bone_sd: float, shares: tuple[tuple[float, float], tuple[float, float]]
) -> Band:
    """After over before with its 95 % band; `shares` are (bone, cement) before and after."""
    (bone, _), (bone_after, cement) = shares
    if values[0] == values[1]:
        return Band(value=1.0, low=1.0, high=1.0)
    of_cement = cement * math.hypot(MODULUS_SD, INTERFACE_SD)
    spread = BAND_SD * math.hypot(bone_sd * (bone_after - bone), of_cement, MESH_SD)
    ratio = values[1] / values[0]
    return Band(value=ratio, low=ratio * math.exp(-spread), high=ratio * math.exp(spread))


def _bone_error(model: BoneModel, power: float) -> float:
    """Relative SD that calibration, scanner and kernel give to everything that is bone."""
    return math.hypot(power * model.density_sd_mg_cm3 / max(model.density_mg_cm3, 1.0), METHOD_SD)


def _shares(solved: Solved, energy: Volume) -> tuple[float, float]:
    """Shares of bone and of cement in an energy; the rest is that of the layers."""
    total = float(energy.sum(dtype=np.float64))
    if total <= 0:
        return 1.0, 0.0
    bone = np.where(solved.model.material < LOWER, energy, 0)
    cement = float((bone * solved.cement).sum(dtype=np.float64))
    return (float(bone.sum(dtype=np.float64)) - cement) / total, cement / total


def _elastic_energy(solved: Solved) -> Volume:
    """(I, J, K) elastic energy density at the last elastic point, up to a factor."""
    strain = solved.strength.strain
    return solved.model.modulus_mpa * (0 if strain is None else strain) ** 2


def _plastic_work(solved: Solved) -> Volume:
    """(I, J, K) plastic work density over the curve, up to a factor."""
    strain = solved.strength.plastic_strain
    if strain is None:
        return np.zeros_like(solved.model.modulus_mpa)
    return np.where(np.isfinite(solved.model.yield_mpa), solved.model.yield_mpa, 0) * strain


def _with_filled_cavity(material: NDArray[np.uint8], share: Volume) -> NDArray[np.uint8]:
    """Material codes with the enclosed empty voxels that are mostly cement turned into body."""
    filled = (material == NONE) & (share >= FILLED)
    if not filled.any():
        return material
    filled &= ndimage.binary_fill_holes(material != NONE)
    return np.where(filled, BODY, material).astype(np.uint8)
