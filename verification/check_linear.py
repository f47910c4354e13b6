"""Rows 6 and 7 (linear part) of the acceptance table: the voxel solver against closed forms and other codes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.solver import ElasticSolver
from endplate.numerics.voxel.connected_components import largest_piece
from endplate.numerics.voxel.element import ElementKind
from endplate.numerics.voxel.mesh import VoxelMesh
from verification.check import Check
from verification.public_data import data_folder

POISSON = 0.3


def checks() -> Iterator[Check]:
    """All linear checks."""
    for kind in ("full", "bbar"):
        yield patch(kind)
    yield from bars()
    yield from sphere()
    yield irregular()
    yield from benchmark()


def _blob(seed: int, shape: tuple[int, int, int], spacing_mm: float) -> VoxelMesh:
    """An irregular body: the largest piece of random voxels."""
    mask, _ = largest_piece(np.random.default_rng(seed).random(shape) < 0.75)
    return VoxelMesh.from_active(mask, spacing_mm)


def patch(kind: ElementKind) -> Check:
    """Arbitrary constant strain on an irregular body: displacements inside, and reactions against stress times area."""
    mesh = _blob(4711, (14, 13, 12), 0.8)
    gradient = np.random.default_rng(7).uniform(-0.01, 0.01, (3, 3))
    exact = mesh.node_ijk * mesh.spacing_mm @ gradient.T
    fixed = np.repeat((mesh.neighbour_nodes < 8)[:, None], 3, axis=1)
    solver = ElasticSolver(mesh, 730.0, POISSON, fixed, kind)
    u, _ = solver.solve(prescribed=exact, tolerance=1e-12)
    displacement = float(np.abs(u - exact).max() / np.abs(exact).max())
    strain = (gradient + gradient.T) / 2
    volume = mesh.n_elements * mesh.spacing_mm**3
    mean_stress = solver.operator.apply(u).T @ (mesh.node_ijk * mesh.spacing_mm) / volume
    lam, mu = 730 * POISSON / ((1 + POISSON) * (1 - 2 * POISSON)), 730 / (2 * (1 + POISSON))
    stress = lam * np.trace(strain) * np.eye(3) + 2 * mu * strain
    apart = float(np.abs(mean_stress - stress).max() / np.abs(stress).max())
    return Check(
        number="6.1",
        title=f"patch test, {kind} element, {mesh.n_elements} irregular voxels",
        expected="displacement and mean stress within 1e-8",
        got=f"{displacement:.1e}, {apart:.1e}",
        source="closed form",
        rung="exact",
        passed=max(displacement, apart) <= 1e-8,
    )


def bars() -> Iterator[Check]:
    """Layers pressed in series and in parallel at Poisson's ratio 0."""
    mesh = VoxelMesh.from_active(np.ones((6, 8, 12), dtype=bool), 0.5)
    low, top = mesh.nodes_on_plane(2, 0), mesh.nodes_on_plane(2, 12)
    fixed, prescribed = np.zeros((mesh.n_nodes, 3), dtype=bool), np.zeros((mesh.n_nodes, 3))
    fixed[low, 2] = fixed[top, 2] = True
    prescribed[top, 2] = -0.1
    for name, axis in (("series", 2), ("parallel", 1)):
        layers = np.geomspace(20, 5000, mesh.shape[axis])
        mean = float(1 / np.mean(1 / layers) if axis == 2 else np.mean(layers))
        solver = ElasticSolver(mesh, layers[mesh.element_ijk[:, axis]], 0.0, fixed)
        u, _ = solver.solve(prescribed=prescribed, tolerance=1e-12)
        expected = mean * 6 * 8 * 0.25 / 6 * 0.1
        error = abs(float(solver.operator.reaction(u, low)[2]) / expected - 1)
        yield Check(
            number="6.2",
            title=f"bars in {name}, 20 to 5000 MPa",
            expected=f"{expected:.6g} N within 1e-8",
            got=f"relative error {error:.1e}",
            source="closed form, harmonic and arithmetic mean",
            rung="exact",
            passed=error <= 1e-8,
        )


def wall_error(cells: int) -> float:
    """Mean relative error of the wall displacement of a thick sphere (b = 2a) with `cells` voxels to radius a."""
    inner, outer, modulus, pressure = 1.0, 2.0, 100.0, 1.0
    h = inner / cells
    centre = (np.arange(2 * cells) + 0.5) * h
    r = np.sqrt(centre[:, None, None] ** 2 + centre[None, :, None] ** 2 + centre[None, None, :] ** 2)
    solid, hole = (r >= inner) & (r < outer), r < inner
    mesh = VoxelMesh.from_active(solid, h)
    force = np.zeros((mesh.n_nodes, 3))
    wall = np.zeros(mesh.n_nodes, dtype=bool)
    for axis in range(3):
        before = np.moveaxis(hole, axis, 0)[:-1] & np.moveaxis(solid, axis, 0)[1:]
        face = np.argwhere(np.moveaxis(np.concatenate([np.zeros_like(before[:1]), before]), 0, axis))
        for corner in np.argwhere(np.ones((2, 2))):
            node = mesh.node_at(face + np.insert(corner, axis, 0))
            np.add.at(force[:, axis], node, pressure * h * h / 4)
            wall[node] = True
    fixed = mesh.node_ijk == 0
    u, _ = ElasticSolver(mesh, modulus, POISSON, fixed).solve(force, tolerance=1e-8)
    place = mesh.node_ijk[wall] * h
    radius = np.linalg.norm(place, axis=1)
    radial = (u[wall] * place).sum(axis=1) / radius
    scale = pressure * inner**3 / (modulus * (outer**3 - inner**3))
    exact = scale * ((1 - 2 * POISSON) * radius + (1 + POISSON) * outer**3 / (2 * radius**2))
    return abs(float(np.mean(radial / exact) - 1))


def sphere() -> Iterator[Check]:
    """Lame's thick sphere under inner pressure: close at a/h = 10, and nearer at 20."""
    coarse, fine = wall_error(10), wall_error(20)
    yield Check(
        number="6.3",
        title="Lame sphere, b = 2a, a/h = 10: wall displacement",
        expected="within 5 %",
        got=f"{100 * coarse:.2f} %",
        source="Lame 1852; reference check 7",
        rung="exact",
        passed=coarse <= 0.05,
    )
    yield Check(
        number="6.3",
        title="Lame sphere: error at a/h = 20 over error at 10",
        expected="at most 0.6 (halving with h)",
        got=f"{fine / coarse:.2f} ({100 * fine:.2f} %)",
        source="first order of a stepped wall",
        rung="convergence",
        passed=fine <= 0.6 * coarse,
    )


def irregular() -> Check:
    """An irregular body with random moduli against scikit-fem, which has its own mesh, basis and assembly."""
    title = "irregular body, moduli 10 to 10,000 MPa, against scikit-fem"
    try:
        mesh, u, other, code = _both_codes()
    except ImportError:
        return Check(
            number="6.4",
            title=title,
            expected="within 1e-5",
            got="skipped: scikit-fem is not installed",
            source="",
            rung="independent",
            passed=None,
        )
    apart = float(np.abs(u - other).max() / np.abs(other).max())
    return Check(
        number="6.4",
        title=f"{title}, {mesh.n_elements} voxels",
        expected="largest displacement difference within 1e-5",
        got=f"{apart:.1e}",
        source=code,
        rung="independent",
        passed=apart <= 1e-5,
    )


def _both_codes() -> tuple[VoxelMesh, NDArray[np.float64], NDArray[np.float64], str]:
    """Displacements (N, 3) of both codes under the same load."""
    import skfem
    from skfem.models.elasticity import lame_parameters, linear_elasticity

    mesh = _blob(31, (12, 11, 10), 0.9)
    rng = np.random.default_rng(5)
    modulus = 10 ** rng.uniform(1, 4, mesh.n_elements)
    fixed = np.zeros((mesh.n_nodes, 3), dtype=bool)
    fixed[mesh.nodes_on_plane(2, 0)] = True
    force = rng.standard_normal((mesh.n_nodes, 3))
    u, _ = ElasticSolver(mesh, modulus, POISSON, fixed).solve(force, tolerance=1e-9)
    # scikit-fem orders the corners of a hexahedron as (0,0,0), (0,0,1), (0,1,0), (1,0,0), (0,1,1), ... by its own table
    table = skfem.MeshHex.init_tensor(*[np.array([0.0, 1.0])] * 3)
    corner = [int(4 * x + 2 * y + z) for x, y, z in table.p[:, table.t[:, 0]].T]
    hexes = skfem.MeshHex(mesh.node_ijk.T * mesh.spacing_mm, mesh.element_nodes[:, corner].T.astype(np.int64))
    basis = skfem.Basis(hexes, skfem.ElementVector(skfem.ElementHex1()), intorder=2)
    weak = linear_elasticity(*lame_parameters(1.0, POISSON)).form
    form = skfem.BilinearForm(lambda v, w, data: data["modulus"] * weak(v, w, data))
    stiffness = form.assemble(basis, modulus=basis.with_element(skfem.ElementHex0()).interpolate(modulus))
    dof = basis.nodal_dofs
    load = np.zeros(basis.N)
    load[dof] = force.T
    solution = skfem.solve(*skfem.condense(stiffness, load, D=dof[fixed.T]))
    return mesh, u, np.asarray(solution[dof].T), f"scikit-fem {skfem.__version__}"


BENCHMARK = {"none": (10_483, 0.01), "bins": (10_442, 0.01), "shifted": (12_362, 0.005)}
TITLES = {
    "none": "verse004 L2 linear stiffness, densities as they are in whole mg/cm3",
    "bins": "verse004 L2 linear stiffness, the published bins",
    "shifted": "verse004 L2 linear stiffness, with the published one-bin shift",
}


def benchmark() -> Iterator[Check]:
    """Row 7, linear: the published vertebra without bins, with bins, and with the one-bin shift."""
    folder = data_folder() / "verse004-l2-fe"
    for binning, (expected, tolerance) in BENCHMARK.items():
        got, passed = "skipped: shared data not found, set ENDPLATE_SHARED", None
        if folder.is_dir():
            stiffness, iterations = benchmark_stiffness(folder, binning)
            error = stiffness / expected - 1
            got, passed = (
                f"{stiffness:.0f} N/mm ({100 * error:+.2f} %), {iterations} iterations",
                abs(error) <= tolerance,
            )
        yield Check(
            number="7",
            title=TITLES[binning],
            expected=f"{expected} N/mm within {100 * tolerance:g} %",
            got=got,
            source="Walle, Matheson & Boyd 2025, and its re-run in the reference",
            rung="published",
            passed=passed,
        )


def benchmark_stiffness(folder: Path, binning: str) -> tuple[float, int]:
    """Axial stiffness in N/mm, built straight from the files, and the iterations it took.

    The generator cuts densities to whole mg/cm3, floors them at -31, and uses 128 bins up to the largest.
    """
    import nibabel

    density = np.asarray(nibabel.load(next(folder.glob("*_im.nii.gz"))).dataobj, dtype=np.float64)
    label = np.asarray(nibabel.load(next(folder.glob("*_seg.nii.gz"))).dataobj).astype(int)
    density = np.maximum(np.trunc(density), -31)
    if binning != "none":
        width = (density[(label > 0) & (label < 5)].max() + 31) / 128
        place = np.minimum(np.floor((density + 31) / width), 127) + (binning == "shifted")
        density = -31 + (place + 0.5) * width
    mask, _ = largest_piece(label > 0)
    mesh = VoxelMesh.from_active(mask, 1.0)
    at = tuple(mesh.element_ijk.T)
    modulus = np.maximum(2980 * np.maximum(density[at] / 1000, 0) ** 1.05, 0.1)
    part, k = label[at], mesh.element_ijk[:, 2]
    modulus[part >= 5] = 2500
    nodes = mesh.element_nodes
    low = np.unique(nodes[(part == 5) & (k == k[part == 5].min())][:, 0::2])
    top = np.unique(nodes[(part == 6) & (k == k[part == 6].max())][:, 1::2])
    fixed, prescribed = np.zeros((mesh.n_nodes, 3), dtype=bool), np.zeros((mesh.n_nodes, 3))
    fixed[low, 2] = fixed[top, 2] = True
    prescribed[top, 2] = -0.2
    solver = ElasticSolver(mesh, modulus, POISSON, fixed)
    u, report = solver.solve(prescribed=prescribed)
    return float(solver.operator.reaction(u, low)[2]) / 0.2, report.iterations
