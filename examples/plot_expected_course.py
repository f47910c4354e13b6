"""
The expected course, and a patient's visits
===========================================

Trials say how pain falls after vertebroplasty, kyphoplasty or neither, as a band over patients. A visit is read against
it, and what is out of the band or an emergency is flagged.
"""

from datetime import date, timedelta

import matplotlib.pyplot as plt
import numpy as np

from endplate.decision.recovery.expected_course import course, course_models_for, expected
from endplate.decision.recovery.flags import flags
from endplate.decision.recovery.visit_scores import VisitScores
from endplate.decision.recovery.visits import windows

# %%
# A patient with a pain of 8 on the day of a vertebroplasty, and four visits.

start = VisitScores(on=date(2026, 1, 12), nrs=8.0)
days, pain = (21, 91, 150, 182), (4.0, 3.0, 6.5, 7.0)
visits = [VisitScores(on=start.on + timedelta(d), nrs=p) for d, p in zip(days, pain, strict=True)]
model = course_models_for("vertebroplasty", "nrs", fracture_days=30)[0]
band = course(model, start.nrs)
for flag in flags("vertebroplasty", start, visits, fracture_days=30):
    print(f"{flag.urgency}: {flag.text}; {flag.action}")

# %%
# The band of the trials (one SD between patients), the visits, and the windows in which they are due.

figure, axes = plt.subplots(figsize=(8, 4))
at = np.array([point.day for point in band])
axes.fill_between(at, [p.low for p in band], [p.high for p in band], alpha=0.2, label=f"expected: {model.basis}")
axes.plot(at, [p.middle for p in band], "-")
axes.plot((0, *days), (start.nrs, *pain), "ko-", label="patient")
for name, opens, closes in windows(start.on):
    first, last = (opens - start.on).days, (closes - start.on).days
    axes.axvspan(first, last, ymax=0.04, color="C2")
    axes.text(first, 0.5, name, fontsize=8)
axes.set(xlabel="days", ylabel="pain (NRS)", ylim=(0, 10), title="Pain after vertebroplasty")
axes.legend()

# %%
# What to expect after a month from a start of 8.

pinned = expected(model, start.nrs, 30.0).middle
print(f"expected at 30 days: {pinned:.2f}")
