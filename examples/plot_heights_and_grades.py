"""
Heights, height loss and Genant grades
======================================

Three heights of every body, the loss against the height that its neighbours predict, and the grade that follows, each
with its 95 % band.
"""

import matplotlib.pyplot as plt
import numpy as np

import endplate as ep

# %%
# Three fractures of known size: a wedge, a biconcave body and a crush.

built = {
    ep.Level.T12: ep.Deformity(shape="biconcave", loss=0.30),
    ep.Level.L2: ep.Deformity(shape="wedge", loss=0.45),
}
levels = ("T10", "T11", "T12", "L1", "L2", "L3", "L4")
spec = ep.PhantomSpec(levels=levels, spacing_mm=(1.5, 1.5, 1.5), field_mm=(110, 140), deformities=built)
phantom = ep.make_phantom(spec)
case = ep.assess(ep.read_case(phantom.volume, phantom.labels, {"age_yr": 70, "sex": "female"}), mechanics=False)

# %%
# The table of heights and grades.

rows = case.to_dataframe().query("code in ['anterior_height', 'middle_height', 'posterior_height', 'genant_grade']")
print(rows.pivot(index="level", columns="code", values="value").dropna(how="all").to_string())

# %%
# Loss with its band beside the cut-offs of the grades, and what was built.

names = [str(level) for level in case.levels]
loss = [case[name].height_loss for name in names]
value = np.array([float(item) for item in loss])
error = np.abs(np.array([[item.low, item.high] for item in loss]).T - value)
figure, axes = plt.subplots(figsize=(6, 4))
axes.errorbar(names, 100 * value, 100 * error, fmt="o", capsize=4, label="measured, 95 % band")
axes.plot(names, [100 * built[name].loss if name in built else 0 for name in names], "kx", label="built")
for grade, cut in ((1, 20), (2, 25), (3, 40)):
    axes.axhline(cut, color="0.7", lw=0.8)
    axes.text(len(names) - 0.6, cut + 0.5, f"grade {grade}", ha="right", color="0.4")
axes.set(ylabel="height loss, %", title="Height loss and Genant grade")
axes.legend()

# %%
# The wedge of 45 % is grade 3.

pinned = float(case["L2"].height_loss)
print(f"loss of L2: {case['L2'].height_loss}, grade {case['L2'].genant_grade}")
