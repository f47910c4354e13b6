"""
A balloon in crushable foam
===========================

A balloon inflated in a cube of cancellous bone crushes what lies around it. Material points carry the bone; a solution
along the radius, which shares nothing with them but the law of the foam, is the check.
"""

import matplotlib.pyplot as plt
import numpy as np

from endplate.numerics.mpm.balloon import Balloon
from endplate.numerics.mpm.engine import Engine
from endplate.numerics.mpm.foam import FoamLaw
from endplate.numerics.mpm.load import Load
from endplate.numerics.mpm.load_stepping import inflate
from endplate.numerics.mpm.particles import fill_cloud
from endplate.numerics.mpm.surface import ellipsoid

# %%
# Bone of 0.12 g/cm3 on a coarse grid of 2 mm, a balloon of 3 mm in its middle.

law = FoamLaw(modulus_mpa=2980, modulus_power=1.05, strength_mpa=37.4, strength_power=1.39, cohesion_strain=np.inf)
density, side, spacing_mm = 0.12, 14, 2.0
fill = np.zeros((side,) * 3)
fill[1:-1, 1:-1, 1:-1] = 1
bone = fill_cloud(np.full(fill.shape, density), fill, spacing_mm)
balloon = Balloon(ellipsoid(np.full(3, side * spacing_mm / 2), np.full(3, 3.0)))
engine = Engine(bone.keep(~bone.inside(balloon.surface)), law, fill.shape, spacing_mm, balloons=[balloon])

# %%
# Inflate to 0.5 mL. The pressures along the radius were computed by `verification/cavity_expansion.py`.

mass_mg = float(engine.particles.mass.sum())
course = inflate(engine, Load(), [500.0], strict=True)
volumes, along_mpa = [0.2, 0.3, 0.4, 0.5], [3.865, 4.353, 4.576, 4.708]

# %%
# Pressure against volume, and the bone pressed together round the balloon.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
left.plot(course.volume_mm3[:, 0] / 1000, course.pressure_mpa[:, 0], "-", label="material points")
left.plot(volumes, along_mpa, "ks", label="along the radius")
left.set(xlabel="balloon, mL", ylabel="pressure, MPa", title="Inflation")
left.legend()
centre = engine.balloons[0].surface.vertices.mean(axis=0)
away = np.linalg.norm(engine.particles.position - centre, axis=1)
right.plot(away, engine.particles.density() / density, ".", ms=2)
right.axhline(1, color="0.7", lw=0.8)
right.set(xlabel="distance from the middle, mm", ylabel="density over that before", title="Compaction", xlim=(0, 15))

# %%
# No bone is lost, and the pressure at 0.3 mL is that along the radius.

pinned = float(np.interp(300.0, course.volume_mm3[:, 0], course.pressure_mpa[:, 0]) / along_mpa[1])
kept = float(engine.particles.mass.sum()) / mass_mg
print(f"pressure at 0.3 mL: {pinned:.3f} of that along the radius; mass kept: {kept:.6f}")
