"""
Needle trajectories and their clearances
========================================

For each side the straight line into the body that leaves most room to the walls of the pedicle, the canal and the
endplates, with the least distance to each.
"""

import matplotlib.pyplot as plt
import numpy as np

import endplate as ep
from endplate.repair.access.plan import plan_access

# %%
# The access to L2 of the digital spine for a kyphoplasty: two needles.

phantom = ep.make_phantom(ep.PhantomSpec(levels=("L1", "L2", "L3"), spacing_mm=(1.0, 1.0, 1.0), field_mm=(120, 140)))
case = ep.assess(ep.read_case(phantom.volume, phantom.labels), mechanics=False)
vertebra = case.spine.at("L2")
access = plan_access(case.spine, vertebra, "kyphoplasty", volume=case.volume)
for path in access.paths:
    walls = ", ".join(f"{wall} {clearance:.1f}" for wall, clearance in path.clearance_mm.items())
    print(f"{path.side}: {path.needle.name} {path.approach}; clearance in mm: {walls}")

# %%
# Seen from above and from the left, on the slices through the body's centre. Left and right are the patient's.

grid, hu = case.volume.grid, case.volume.hu
i, j, k = np.rint(grid.to_index(vertebra.centroid_mm)).astype(int)
figure, (above, beside) = plt.subplots(1, 2, figsize=(10, 5))
above.imshow(hu[:, :, k].T, cmap="gray", vmin=-100, vmax=500)
beside.imshow(hu[i].T, cmap="gray", vmin=-100, vmax=500, origin="lower")
for path in access.paths:
    line = grid.to_index(np.array([path.entry_mm, path.target_mm]))
    above.plot(line[:, 0], line[:, 1], lw=3, label=f"{path.side}, {path.axial_deg:.0f}° towards the midline")
    beside.plot(line[:, 1], line[:, 2], lw=3)
above.set(title="L2 from above", xlabel="patient's right to left", ylabel="front to back")
beside.set(title="L2 from the left", xlabel="front to back", ylabel="foot to head")
above.legend()

# %%
# The needle that comes closest to a wall.

pinned = min(path.min_clearance_mm for path in access.paths)
print(f"least clearance: {pinned:.2f} mm")
