"""
Cement from a needle, against a sphere
======================================

In even bone cement spreads as a ball whose radius follows from the volume, R = (3 Q t / 4 pi phi S)^(1/3), and for a
Newtonian fluid the pressure from the needle to the front has a closed form too. The front solver must find both.
"""

import matplotlib.pyplot as plt
import numpy as np

from endplate.numerics.porous_flow.body import porous_body
from endplate.numerics.porous_flow.front import Flow, FrontSolver, Source
from endplate.numerics.porous_flow.needle_source import place_tip, tip_pressure_mpa
from endplate.numerics.porous_flow.rheology import pore_viscosity, radial_drop_mpa

# %%
# A cube of 29 mm, voxels of 1 mm, 4 mL in 40 s from a needle of 2.6 mm.

n, voxel_mm, radius_mm, flow_mm3_s, volume_mm3, steps = 29, 1.0, 1.3, 100.0, 4000.0, 8
consistency, permeability, porosity, uptake = 200e-6, 0.03, 0.9, 0.9  # MPa s, mm2
even = np.ones((n, n, n))
body = porous_body(
    spacing_mm=voxel_mm,
    exponent=1.0,
    filled=even,
    porosity=porosity * even,
    uptake=uptake * even,
    permeability_mm2=permeability * even,
    anisotropy=(1.0, 1.0, 1.0),
)
tip = place_tip(body, np.full(3, (n - 1) / 2), radius_mm)
solver, flow = FrontSolver(body), Flow.empty(body)
thick = np.full(body.capacity_mm3.size, consistency)
duration = volume_mm3 / flow_mm3_s / steps

# %%
# Step by step: the volume that went in, the pressure at the tip, and the closed form beside it.

resistance = consistency * float(pore_viscosity(np.array(permeability), np.array(porosity), 1.0)) / permeability
course = []
for step in range(steps):
    source = Source(cells=tip.cells, flow_mm3_s=flow_mm3_s * tip.share, time_s=step * duration, duration_s=duration)
    flow = solver.step(flow, source, thick)
    front_mm = (3 * flow_mm3_s * (step + 1) * duration / (4 * np.pi * porosity * uptake)) ** (1 / 3)
    got = tip_pressure_mpa(body, tip, flow.pressure, flow.full, flow_mm3_s, consistency)
    course.append((front_mm, got, radial_drop_mpa(resistance, flow_mm3_s, 1.0, radius_mm, front_mm)))
front_mm, got, exact = np.array(course).T

# %%
# The slice through the tip with the sphere, and the pressure.

saturation = body.unflat(flow.saturation)
held_mm3 = float((flow.saturation * body.capacity_mm3).sum())
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
left.imshow(saturation[:, :, n // 2].T, cmap="Purples", origin="lower", vmin=0, vmax=1)
left.add_patch(plt.Circle((n // 2, n // 2), front_mm[-1] / voxel_mm, fill=False, color="k", ls="--"))
left.set(title="Saturation after 4 mL, and the sphere", xlabel="mm", ylabel="mm")
right.plot(front_mm, got, "o", label="front solver")
right.plot(front_mm, exact, "k-", label="closed form")
right.set(xlabel="radius of the front, mm", ylabel="pressure at the needle, MPa", title="Pressure")
right.legend()

# %%
# Volume is kept; the pressure at the end is that of the closed form within the error of these voxels.

pinned = float(got[-1] / exact[-1] - 1)
print(f"volume {held_mm3:.1f} mm3 of {volume_mm3:.0f}; pressure {100 * pinned:+.2f} % of the closed form")
