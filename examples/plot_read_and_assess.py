"""
Read and assess a scan
======================

A CT and its vertebra labels are read from nibabel images, as any notebook holds them, and measured. What comes back is
one case: every finding with its band, by level and name, or as a table.
"""

import matplotlib.pyplot as plt
import numpy as np

import endplate as ep

# %%
# The built-in digital spine stands in for a scan: four levels, of which L1 lost 35 % of its anterior height. It is
# handed over as nibabel images, whose world frame is RAS; inside endplate all is LPS.

spec = ep.PhantomSpec(
    levels=("T11", "T12", "L1", "L2", "L3"),
    spacing_mm=(1.5, 1.5, 1.5),
    field_mm=(110, 130),
    deformities={ep.Level.L1: ep.Deformity(shape="wedge", loss=0.35)},
)
phantom = ep.make_phantom(spec)
ct, labels = phantom.volume.to_nibabel(), phantom.labels.to_nibabel()
record = {"id": "digital spine", "age_yr": 74, "sex": "female", "mass_kg": 62, "height_cm": 160}
case = ep.read_case(ct, labels, record=record, scheme="verse")
print(case)

# %%
# Shape and density alone take a second; strength has its own example.

case = ep.assess(case, mechanics=False)
print(case["L1"].fracture, case["L1"].genant_grade, case["L1"].anterior_height, sep="; ")

# %%
# The same as a tidy table: `level` equals its name.

table = case.to_dataframe()
print(table[table.level == "L1"][["code", "value", "low", "high", "unit"]].to_string(index=False))

# %%
# What cannot be known is no number: it has a reason.

print(case["L1"].failure_load)

# %%
# The mid-sagittal slice with the labels over it.

slice_at = case.volume.hu.shape[0] // 2
hu, found = case.volume.hu[slice_at], case.labels.labels[slice_at]
figure, axes = plt.subplots(figsize=(4, 6))
axes.imshow(hu.T, cmap="gray", origin="lower", vmin=-100, vmax=500)
axes.imshow(np.ma.masked_equal(found.T, 0), cmap="tab10", origin="lower", alpha=0.4)
for view in case:
    at = case.volume.grid.to_index(case.spine.at(view.level).centroid_mm)
    axes.text(at[1], at[2], f"{view.level}\n{view.anterior_height:.1f} mm", ha="center", va="center", color="w")
axes.set(title="Anterior heights", xlabel="voxels, front to back", ylabel="voxels, foot to head")

# %%
# The anterior height of L1 as it was measured and as it was built.

pinned = float(case["L1"].anterior_height)
built = phantom.truth.levels["L1"]
print(f"anterior height of L1: {case['L1'].anterior_height}, built {built.anterior_mm:.1f} mm")
