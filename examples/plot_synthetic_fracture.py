"""
A fracture made in an intact spine
==================================

A synthetic fracture crushes an intact vertebra of a scan by mechanics and carries everything else along: a new CT, new
labels, and a truth to judge a measurement by.
"""

import matplotlib.pyplot as plt

import endplate as ep
from endplate.synthetic_fracture.crush import CrushSettings
from endplate.synthetic_fracture.generate import make_fracture
from endplate.synthetic_fracture.plan import Collapse

# %%
# The digital spine, and a wedge of 30 % in L1. Voxels of 2 mm for the crush are quick; 3 mm is too coarse for the wall.

phantom = ep.make_phantom(ep.PhantomSpec(levels=("T12", "L1", "L2"), spacing_mm=(1.5, 1.5, 1.5), field_mm=(110, 130)))
line = (phantom.spec.mg_cm3_per_hu, 0.0)
before = ep.assess(ep.read_case(phantom.volume, phantom.labels), mechanics=False, calibration=line)
collapse = Collapse(level=ep.Level.L1, shape="wedge", loss=0.3)
made = make_fracture(
    before.volume, before.labels, before.spine, before.calibration, collapse, CrushSettings(voxel_mm=2.0)
)

# %%
# The new scan is measured like any other.

after = ep.assess(ep.read_case(made.warped.volume, made.warped.labels), mechanics=False, calibration=line)
for name in ("anterior_height", "middle_height", "posterior_height"):
    print(f"{name}: {before['L1'].get(name):.1f} mm before, {after['L1'].get(name):.1f} mm after")

# %%
# Mid-sagittal slices.

figure, panels = plt.subplots(1, 2, figsize=(8, 5))
for axes, case, title in zip(panels, (before, after), ("before", "after"), strict=True):
    axes.imshow(case.volume.hu[case.volume.hu.shape[0] // 2].T, cmap="gray", origin="lower", vmin=-100, vmax=400)
    axes.set(title=title, xlabel="front to back")

# %%
# How much of its anterior height L1 lost, by measuring both scans.

pinned = 1 - float(after["L1"].anterior_height) / float(before["L1"].anterior_height)
print(f"anterior height lost: {100 * pinned:.1f} %, asked for 30 %")
