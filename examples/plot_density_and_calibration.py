"""
Density and its calibration
===========================

Hounsfield units are no density. A line of this scanner turns them into one: from rods in the image, from the patient's
own tissues, or from published lines, each with its own error band.
"""

import matplotlib.pyplot as plt

import endplate as ep

# %%
# A spine whose levels have different density, scanned with five rods of K2HPO4 under the back.

cores = {ep.Level.L1: 70.0, ep.Level.L2: 110.0, ep.Level.L3: 150.0}
spec = ep.PhantomSpec(levels=tuple(cores), spacing_mm=(1.5, 1.5, 1.5), core_mg_cm3=cores, rods=ep.Rods())
phantom = ep.make_phantom(spec)
case = ep.read_case(phantom.volume, phantom.labels, {"age_yr": 68, "sex": "female"})

# %%
# Three routes to the same density: the rods, a line that is known for the scanner, and what a CT alone allows.

with_rods = ep.assess(case, mechanics=False, rods=ep.RodSettings(mg_cm3=spec.rods.mg_cm3))
with_line = ep.assess(case, mechanics=False, calibration=(spec.mg_cm3_per_hu, 0.0))
with_nothing = ep.assess(case, mechanics=False, kvp=120)
for name, found in (("rods", with_rods), ("line", with_line), ("none", with_nothing)):
    print(f"{name:<5} route {found.calibration.route:<9} L2: {found['L2'].trabecular_density}")

# %%
# Each with its band, beside what was built.

figure, axes = plt.subplots(figsize=(6, 4))
for shift, (name, found) in enumerate((("rods", with_rods), ("known line", with_line), ("no phantom", with_nothing))):
    for place, level in enumerate(cores):
        item = found[level].trabecular_density
        low, high = float(item) - item.low, item.high - float(item)
        label = name if place == 0 else None
        axes.errorbar(place + 0.12 * (shift - 1), float(item), [[low], [high]], fmt="o", color=f"C{shift}", label=label)
axes.plot(range(3), list(cores.values()), "kx", label="built")
axes.set_xticks(range(3), [str(level) for level in cores])
axes.set(ylabel="trabecular density, mg/cm³ (K₂HPO₄)", title="Density by route of calibration")
axes.legend()

# %%
# With rods the density of L2 is that which was built, within its band.

pinned = float(with_rods["L2"].trabecular_density)
print(f"L2: {pinned:.1f} mg/cm3, built {cores[ep.Level.L2]:.0f}")
