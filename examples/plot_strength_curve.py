"""
Strength of a vertebra
======================

A voxel model of one body between two layers of cement is pressed until it fails, as in the laboratory: the curve, the
0.2 % offset that defines the failure load, and the loads of daily life beside it.
"""

import matplotlib.pyplot as plt
import numpy as np

import endplate as ep

# %%
# One level of the digital spine, with voxels of 3 mm to be quick; 1 mm is the default.

phantom = ep.make_phantom(ep.PhantomSpec(levels=("L1", "L2"), spacing_mm=(1.5, 1.5, 1.5), field_mm=(110, 130)))
record = {"age_yr": 74, "sex": "female", "mass_kg": 62, "height_cm": 160}
case = ep.read_case(phantom.volume, phantom.labels, record)
case = ep.assess(case, voxel_mm=3.0, calibration=(phantom.spec.mg_cm3_per_hu, 0.0))
print(case["L1"].stiffness, case["L1"].failure_load, sep="; ")

# %%
# The curve with its offset construction.

curve = next(item for item in case.strengths if item.level == "L1")
travel, force = curve.displacement_mm, curve.force_n
stiffness = float(case["L1"].stiffness)
offset = 0.002 * curve.height_mm
figure, axes = plt.subplots(figsize=(6, 4))
axes.plot(travel, force, "o-", label=f"{curve.level}, {curve.law}")
line = np.linspace(offset, offset + force.max() / stiffness, 2)
axes.plot(line, stiffness * (line - offset), "--", color="0.5", label="0.2 % offset")
axes.axhline(float(case["L1"].failure_load), color="C3", lw=1, label="failure load")
axes.set(xlabel="shortening, mm", ylabel="force, N", ylim=(0, 1.15 * force.max()), title="Load and shortening")
axes.legend(loc="lower right")

# %%
# Which share of its strength an activity asks for. A ratio above 1 is no forecast of a fracture.

for activity in case["L1"].conditions("load_to_strength"):
    print(f"{activity:<24} {case['L1'].get('load_to_strength', activity)}")

pinned = float(case["L1"].failure_load)
print(f"failure load of L1: {pinned:.0f} N")
