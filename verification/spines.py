"""`python -m verification.spines`: random digital spines, and what is said of them wrongly, by slice thickness.

Labels only, so that noise acts through the border of the labels (see `verification.random_spines`). Takes some seconds
a spine; rows are kept in a file, so that a run that was stopped goes on where it ended.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from endplate.anatomy.locate import locate_vertebrae
from endplate.finding import BAND_SD
from endplate.fracture import grade_fractures
from endplate.fracture.disc_height import Disc, measure_discs
from endplate.fracture.result import Fracture, Measured
from endplate.image.phantom import LevelTruth, PhantomTruth, make_labels
from endplate.image.phantom.truth import disc_heights
from endplate.numerics.threads import one_blas_thread
from verification.random_spines import THICKNESS_MM, RandomSpine, random_spine, spoil

INTACT_BELOW, BROKEN_FROM = 0.10, 0.25
"""Loss below which a level counts as intact, and from which as broken; between them either answer is fair."""
KINDS = ("anterior", "middle", "posterior")
BANDS = ("height", "height, repeat", "loss", "wedge", "disc")


def counts_of(trial: RandomSpine) -> Counter[str]:
    """What is said of one spine: counts by name."""
    labels, truth = make_labels(trial.spec)
    spine = locate_vertebrae(spoil(labels, truth, trial.spoilt, trial.seed))
    counts: Counter[str] = Counter(spines=1)
    for reading in grade_fractures(spine):
        counts.update(_of_level(reading, truth.levels[reading.level], spoilt=reading.level in trial.untrusted))
    for disc in measure_discs(spine):
        if not {disc.upper, disc.lower} & trial.untrusted:
            counts.update(_of_disc(disc, truth))
    return counts


def _of_level(reading: Fracture, truth: LevelTruth, *, spoilt: bool) -> Iterator[str]:
    if spoilt:
        yield "spoilt"
        if reading.genant_grade is not None and abs(reading.genant_grade - truth.grade) > 0:
            yield "spoilt, graded wrongly"
        return
    answer = reading.fracture
    if truth.loss < INTACT_BELOW:
        yield from ("intact", *(["false"] if answer == "yes" else ["intact, open"] if answer != "no" else []))
    elif truth.loss >= BROKEN_FROM:
        yield from ("broken", *(["missed"] if answer == "no" else ["broken, open"] if answer != "yes" else []))
    heights = reading.heights
    for kind in KINDS:
        measured, true = getattr(heights, kind), getattr(truth, f"{kind}_mm")
        yield from _band("height", measured, measured.shown_sd, true)
        yield from _band("height, repeat", measured, measured.sd, true)
    yield from _band("loss", reading.height_loss, reading.height_loss.shown_sd, truth.loss)
    yield from _band("wedge", heights.wedge_deg, heights.wedge_deg.shown_sd, truth.wedge_deg)


def _of_disc(disc: Disc, truth: PhantomTruth) -> Iterator[str]:
    true = disc_heights(truth.levels[disc.upper], truth.levels[disc.lower])
    for kind, value in zip(KINDS, true, strict=True):
        measured: Measured = getattr(disc, kind)
        yield from _band("disc", measured, measured.shown_sd, value)


def _band(name: str, measured: Measured, sd: float | None, true: float) -> Iterator[str]:
    if measured.value is None or sd is None:
        yield f"{name}: gap"
        return
    yield f"{name}: band"
    if abs(measured.value - true) <= float(BAND_SD) * sd:
        yield f"{name}: holds"


def table(rows: Iterable[tuple[float, Counter[str]]]) -> str:
    """The table by slice thickness, in Markdown."""
    by: dict[float, Counter[str]] = {}
    total: Counter[str] = Counter()
    for thickness, counts in rows:
        by.setdefault(thickness, Counter()).update(counts)
        total.update(counts)
    heads: tuple[str, ...] = ("slices", "spines", "false fractures", "missed", "intact left open", "broken left open")
    heads += ("spoilt labels graded wrongly", *(f"{name} band" for name in BANDS))
    lines = [" | ".join(("", *heads, "")).strip(), "|---" * len(heads) + "|"]
    for thickness in THICKNESS_MM:
        if thickness in by:
            lines.append(_row(f"{thickness:g} mm", by[thickness]))
    return "\n".join([*lines, _row("all", total)])


def _row(name: str, counts: Counter[str]) -> str:
    shares = [
        f"{counts[part]} of {counts[whole]}"
        for part, whole in (
            ("false", "intact"),
            ("missed", "broken"),
            ("intact, open", "intact"),
            ("broken, open", "broken"),
            ("spoilt, graded wrongly", "spoilt"),
        )
    ]
    bands = []
    for band in BANDS:
        seen, gaps = counts[f"{band}: band"], counts[f"{band}: gap"]
        held = f"{counts[f'{band}: holds'] / seen:.1%} of {seen}" if seen else "none"
        bands.append(f"{held}, {gaps} gaps" if gaps else held)
    return "| " + " | ".join((name, str(counts["spines"]), *shares, *bands)) + " |"


def main() -> None:
    """Make the spines, keep a row of each, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many spines (default 200)")
    parser.add_argument("--rows", type=Path, default=Path("spines.jsonl"), help="where rows are kept")
    asked = parser.parse_args()
    done: dict[int, Counter[str]] = {}
    if asked.rows.exists():
        for line in asked.rows.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            done[row["seed"]] = Counter(row["counts"])
    with one_blas_thread():
        for seed in range(asked.count):
            if seed in done:
                continue
            done[seed] = counts_of(random_spine(seed))
            with asked.rows.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"seed": seed, "counts": done[seed]}) + "\n")
    print(table((random_spine(seed).thickness_mm, done[seed]) for seed in range(asked.count)))


if __name__ == "__main__":
    main()
