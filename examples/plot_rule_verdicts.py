"""
What the rule sets say, and what would change it
================================================

Every rule set answers for itself, with its reasons; what is not known stays open. A changed answer shows which verdicts
move.
"""

from collections import Counter
from importlib.resources import files

import matplotlib.pyplot as plt

import endplate as ep
from endplate.decision.explanation.what_if import what_if

# %%
# The invented patient of the demo: an old woman with a fresh, painful fracture of L1. Every rule set is asked.

record = ep.read_record(files("endplate.cli.demo") / "record.toml")
care = ep.weigh(record, levels=["L1"])
verdicts = care.decision.levels[0].verdicts
print(Counter(verdict.status for verdict in verdicts))
for verdict in verdicts[:4]:
    print(f"{verdict.title}: {verdict.status}, {verdict.answer}")

# %%
# One guideline alone, with the reason of its verdict.

nice = ep.weigh(record, levels=["L1"], guidelines=["nice_ta279"]).decision.levels[0].verdicts[0]
print(nice.title, nice.status, nice.answer, sep=": ")

# %%
# What if the pain under analgesia were another? From 0 to 10, the status of four rule sets.

shown = ("nice_ta279", "lcd_osteoporotic", "sir_2014", "asbmr_2019")
colour = {"yes": 3, "conditional": 2, "indeterminate": 1, "no": 0}
table = []
for nrs in range(11):
    moved = {move.id: move.after.status for move in what_if(care.facts[0], {"nrs": nrs}) if move.id in shown}
    stood = {verdict.ruleset: verdict.status for verdict in verdicts}
    table.append([moved.get(name, stood[name]) for name in shown])

# %%
# Green stands for yes, red for no.

figure, axes = plt.subplots(figsize=(7, 3))
axes.imshow(
    [[colour.get(row[place], 0) for row in table] for place in range(len(shown))], cmap="RdYlGn", vmin=0, vmax=3
)
axes.set_yticks(range(len(shown)), [next(v.title for v in verdicts if v.ruleset == name) for name in shown])
axes.set(xlabel="pain under analgesia (NRS)", title="Which verdicts a rating moves")
for place in range(len(shown)):
    for nrs, row in enumerate(table):
        axes.text(nrs, place, row[place][:4], ha="center", va="center", fontsize=7)
figure.tight_layout()

# %%
# NICE asks for severe pain: the lowest rating at which its verdict is yes.

pinned = min(nrs for nrs, row in enumerate(table) if row[0] == "yes")
print(f"NICE TA279 says yes from a rating of {pinned}")
