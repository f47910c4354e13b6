"""The voxel model of a vertebra: which voxels are bone, how stiff and how strong, and the layers that load them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.vertebra import Vertebra
from endplate.biomechanics.caps import add_cap
from endplate.biomechanics.model_grid import own_grid, scan_grid
from endplate.biomechanics.sampling import BoneField, sample_bone
from endplate.biomechanics.shell_layer import ShellMineral, with_shell
from endplate.biomechanics.shell_mineral import shell_mineral, unseen
from endplate.biomechanics.shell_words import added, not_seen
from endplate.bone.material import MODULUS_FLOOR_MPA, DensityLaw, density_law
from endplate.bone.result import Calibration
from endplate.cited import cited
from endplate.errors import LabelError, OptionError
from endplate.image.volume import Grid, Volume
from endplate.level import Level
from endplate.numerics.voxel.connected_components import largest_piece

PMMA_MODULUS_MPA = cited(
    2500.0,
    "MPa",
    "PMMA modulus of the caps, in the source code of Ogo and in Walle 2025",
    "verified",
    cite=("ogo", "walle_2025"),
)
PMMA_YIELD_MPA = cited(70.0, "MPa", "PMMA yield both ways, in the source code of Ogo", "verified", cite="ogo")
DISC_MODULUS_MPA = cited(8.0, "MPa", "disc-like layer over T9 endplates, n 22 (abstract)", "verified", cite="yang_2012")
VOXEL_MM = cited(1.0, "mm", "Walle 2025 and the mesh study there: 1 mm for screening", "verified", cite="walle_2025")
SMOOTHING_MM = cited(
    1.5,
    "mm",
    "Own trial on an L3 with SD 93 HU: flooring unsmoothed noise raised mean yield from 0.47 to 0.83 MPa; "
    "Gaussian sigma, inside the bone only",
    "design",
)
MIN_FILL = cited(0.25, "1", "Voxels with less bone would add hinges and carry next to nothing", "design")
SMALLEST_VOXEL_MM = cited(0.2, "mm", "Below this a vertebra passes 10 million elements", "design")
LARGEST_VOXEL_MM = cited(
    3.0,
    "mm",
    "own mesh study on the published verse004 L2: 3 mm is the coarsest size that was tried",
    "recomputed",
    cite="walle_2025",
)

BYTES_PER_VOXEL = cited(
    1200.0, "1", "measured on verse014 at 1 mm: 294-300 per unknown, 3.5 unknowns a voxel", "design"
)
LAYER_SHARE = cited(0.4, "1", "caps beside bone and arch: measured on verse014, 23 to 41 %", "design")

Cortex = Literal["sampled", "kept"]
"""Whether the shell counts as it was sampled, or with the mineral that sampling lost as a layer of its own."""

IN_PLANE = ndimage.generate_binary_structure(2, 1)[:, :, None]
"""A voxel and its four neighbours across the loading axis."""

NONE, BODY, ARCH, LOWER, UPPER = 0, 1, 2, 3, 4
"""Material codes of model voxels: nothing, body, arch, layer below, layer above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """How the model is built.

    Attributes
    ----------
    voxel_mm : edge of the cubes. law : name of a density law (`endplate.bone.material.LAWS`).
    smoothing_mm : sigma of the Gaussian on HU. layer : "pmma" caps or "disc"-like layers.
    include_arch : keep arch and processes. align : "vertebra" turns the grid to the body's own axes, "scan" keeps the
    CT's voxels (isotropic scans only).
    cortex : "sampled" takes the shell as blur and smoothing leave it; "kept" adds the mineral that they lose.
    """

    voxel_mm: float = VOXEL_MM
    law: str = "kopperdahl"
    smoothing_mm: float = SMOOTHING_MM
    layer: Literal["pmma", "disc"] = "pmma"
    include_arch: bool = True
    align: Literal["vertebra", "scan"] = "vertebra"
    cortex: Cortex = "sampled"

    def __post_init__(self) -> None:
        density_law(self.law)
        if self.cortex not in get_args(Cortex):
            known = ", ".join(get_args(Cortex))
            raise OptionError(f"unknown cortex {self.cortex!r}", "it decides the strength", f"choose {known}")
        if not SMALLEST_VOXEL_MM <= self.voxel_mm <= LARGEST_VOXEL_MM:
            raise OptionError(
                f"voxel size {self.voxel_mm} mm",
                "the model is only meaningful for cubes the size of several trabeculae",
                f"choose {SMALLEST_VOXEL_MM} to {LARGEST_VOXEL_MM} mm",
            )
        if not 0 <= self.smoothing_mm <= 10:
            raise OptionError(f"smoothing {self.smoothing_mm} mm", "it would erase the bone", "choose 0 to 10 mm")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoneModel:
    """A voxel model ready to be loaded.

    Attributes
    ----------
    grid : cubes of `voxel_mm`; k runs along the loading axis towards the head.
    material : (I, J, K) uint8, codes NONE, BODY, ARCH, LOWER, UPPER. modulus_mpa, yield_mpa : (I, J, K) float32, zero
    where nothing is. height_mm : distance of the outer faces of the two layers.
    density_mg_cm3 : mean K2HPO4-equivalent density of the body. density_sd_mg_cm3 : error band of the calibration.
    shell_mg_cm3_mm : mineral that was added to the shell, median over its surface; None where none was added.
    """

    level: Level
    grid: Grid
    voxel_mm: float
    material: NDArray[np.uint8]
    modulus_mpa: NDArray[np.float32]
    yield_mpa: NDArray[np.float32]
    height_mm: float
    law: str
    layer: str
    density_mg_cm3: float
    density_sd_mg_cm3: float
    shell_mg_cm3_mm: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def active(self) -> NDArray[np.bool_]:
        """(I, J, K) voxels of bone and layers."""
        return self.material > NONE


def build_model(
    vertebra: Vertebra, volume: Volume, calibration: Calibration, settings: ModelSettings | None = None
) -> BoneModel:
    """The voxel model of one vertebra.

    Raises
    ------
    LabelError : the scan border cuts the body, or its mask is too small to be a vertebra.
    OptionError : the scan's own grid was asked for but its voxels are not cubes of the wanted size.
    """
    settings = settings or ModelSettings()
    if vertebra.cut_by_field:
        raise LabelError(
            f"the border of the scan cuts the body of {vertebra.level}",
            "stiffness and strength of a part are not those of the whole",
            "use a scan that holds the whole body",
        )
    grid = scan_grid(vertebra, settings.voxel_mm) if settings.align == "scan" else own_grid(vertebra, settings.voxel_mm)
    bone = sample_bone(vertebra, volume, calibration, grid, settings.smoothing_mm)
    shell, notes = None, _notes(vertebra, settings)
    if settings.cortex == "kept":
        reason = unseen(volume)
        shell = None if reason else shell_mineral(vertebra, volume, calibration, bone)
        notes += (not_seen(reason),) if reason else ()
    return model_from_field(vertebra.level, bone, settings, calibration.sd_mg_cm3, notes, shell)


def model_from_field(
    level: Level,
    bone: BoneField,
    settings: ModelSettings,
    density_sd_mg_cm3: float,
    notes: tuple[str, ...] = (),
    shell: ShellMineral | None = None,
) -> BoneModel:
    """The voxel model of bone that is already on its grid.

    Parameters
    ----------
    bone : on cubes of `settings.voxel_mm`. density_sd_mg_cm3 : error band of the calibration. notes : kept in front.
    shell : mineral to add to the shell, whatever the settings say; None for none.

    Raises
    ------
    LabelError : the field holds no body, or one that cannot be loaded.
    """
    material, dropped = _materials(bone, settings)
    law = density_law(settings.law)
    modulus, strength = properties(material, bone.density_mg_cm3, bone.fill, law, settings.layer, shell)
    body = material == BODY
    if dropped:
        notes = (*notes, f"{dropped} voxels that hang by less than a face were left out")
    if shell is not None:
        without = properties(material, bone.density_mg_cm3, bone.fill, law, settings.layer)[1]
        notes = (*notes, added(body, without, strength, shell.excess_mg_cm3_mm))
    k = np.nonzero((material >= LOWER).any(axis=(0, 1)))[0]
    return BoneModel(
        level=level,
        grid=bone.grid,
        voxel_mm=settings.voxel_mm,
        material=material,
        modulus_mpa=modulus,
        yield_mpa=strength,
        height_mm=float(k[-1] - k[0] + 1) * settings.voxel_mm,
        law=settings.law,
        layer=settings.layer,
        density_mg_cm3=float(np.average(bone.density_mg_cm3[body], weights=bone.fill[body])),
        density_sd_mg_cm3=density_sd_mg_cm3,
        shell_mg_cm3_mm=None if shell is None else shell.excess_mg_cm3_mm,
        notes=notes,
    )


def model_bytes(vertebra: Vertebra, settings: ModelSettings) -> float:
    """About what the solution of this model will hold in memory, bytes."""
    layers = vertebra.grid.spacing_mm.prod() * float(vertebra.fill.sum()) * (1 + LAYER_SHARE)
    return float(layers / settings.voxel_mm**3 * BYTES_PER_VOXEL)


def properties(
    material: NDArray[np.uint8],
    density_mg_cm3: NDArray[np.float32],
    fill: NDArray[np.float32],
    law: DensityLaw,
    layer: str,
    shell: ShellMineral | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Modulus and yield stress (I, J, K) in MPa: the law on filled bone scaled by fill, and the layers' own values.

    A voxel that the endplate crosses is bone and layer one behind the other, so its compliances add; elsewhere on the
    surface bone shares the voxel with soft tissue beside it, so its stiffness is scaled by the fill. The mineral of a
    shell lies beside the bone beneath it, as in a wall that is loaded along itself; in an endplate that overstates the
    stiffness across it, by little beside that of the body.
    """
    modulus, strength = np.zeros(material.shape, np.float32), np.zeros(material.shape, np.float32)
    bone = (material == BODY) | (material == ARCH)
    share = np.clip(fill[bone], 0, 1)
    layers = material >= LOWER
    of_layer = PMMA_MODULUS_MPA if layer == "pmma" else DISC_MODULUS_MPA
    # Rim voxels, with nothing beside them in the plane, keep the scaling by fill.
    inner = ndimage.binary_erosion(material > NONE, IN_PLANE)
    beside = _beside(layers)
    crossed, under = (beside & inner)[bone], (_beside(beside) & inner)[bone]
    share[under] = np.where(crossed[under], share[under], 1.0)  # thick slices smear the endplate over two voxels
    filled = np.zeros(material.shape)
    filled[bone] = share
    stiff, strong = (values[bone] for values in with_shell(law, density_mg_cm3, filled, shell))
    behind = 1 / (share / stiff + (1 - share) / of_layer)
    modulus[bone] = np.maximum(np.where(crossed, behind, stiff * share), MODULUS_FLOOR_MPA)
    strength[bone] = np.where(crossed, strong, strong * share)
    modulus[layers] = of_layer
    strength[layers] = PMMA_YIELD_MPA if layer == "pmma" else np.inf
    return modulus, strength


def _beside(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask with the voxels directly above and below it."""
    out = mask.copy()
    out[:, :, 1:] |= mask[:, :, :-1]
    out[:, :, :-1] |= mask[:, :, 1:]
    return out


def _materials(bone: BoneField, settings: ModelSettings) -> tuple[NDArray[np.uint8], int]:
    """Material codes, with layers added and loose pieces removed; and how many voxels were dropped."""
    inside = bone.fill >= MIN_FILL
    body = inside & (bone.body >= 0.5)
    arch = inside & ~body if settings.include_arch else np.zeros_like(body)
    if not body.any():
        raise LabelError("the mask holds no body", "nothing can be loaded", "check the labels of this level")
    body, lost_body = largest_piece(body)
    upper = add_cap(body, arch, settings.voxel_mm)
    lower = add_cap(body[:, :, ::-1], arch[:, :, ::-1], settings.voxel_mm)[:, :, ::-1]
    material = np.zeros(body.shape, np.uint8)
    for code, where in ((ARCH, arch), (BODY, body), (LOWER, lower), (UPPER, upper)):
        material[where] = code
    keep, lost = largest_piece(material > NONE)
    material[~keep] = NONE
    if not ((material == LOWER).any() and (material == UPPER).any()):
        raise LabelError("the body lacks an endplate to load", "its mask is broken", "check the labels of this level")
    return material, lost + lost_body


def _notes(vertebra: Vertebra, settings: ModelSettings) -> tuple[str, ...]:
    """What a reader should know about this model."""
    notes = []
    if vertebra.cut_arch and settings.include_arch:
        notes.append(
            "the scan cuts the arch (between caps on the body an arch carries little: 0.3 % of the stiffness in one L2)"
        )
    if settings.layer == "disc":
        notes.append(
            "travel and stiffness contain the squeeze of both disc-like layers; compare with other disc runs only"
        )
    return tuple(notes)
