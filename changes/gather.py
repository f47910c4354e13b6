"""`python changes/gather.py`: move the fragments here into CHANGELOG.md, under the version that is being built."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

HERE = Path(__file__).parent
CHANGELOG = HERE.parent / "CHANGELOG.md"
KINDS = ("Added", "Changed", "Fixed", "Removed")
ITEM = re.compile(rf"({'|'.join(KINDS)}):? ?(.*)", re.DOTALL)


def fragments() -> list[Path]:
    """Every fragment, by name."""
    return [file for file in sorted(HERE.glob("*.md")) if file.name != "README.md"]


def gathered(texts: list[str]) -> list[str]:
    """Lines of all bullets, sorted by kind; ValueError names one that begins with no kind."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for text in texts:
        for bullet in re.split(r"^- ", text, flags=re.MULTILINE)[1:]:
            words = " ".join(bullet.split())
            match = ITEM.fullmatch(words)
            if match is None:
                raise ValueError(f"begins with none of {', '.join(KINDS)}: {words[:60]}")
            found[match.group(1)].append(match.group(2))
    wrap = textwrap.TextWrapper(width=120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return [line for kind, items in found.items() for item in items for line in wrap.wrap(f"- {kind}: {item}")]


def main() -> None:
    """Write the section and remove the fragments."""
    text = (HERE.parent / "src/endplate/version.py").read_text(encoding="utf-8")
    version = re.search(r'^__version__ = "(.+)"', text, flags=re.MULTILINE)
    if version is None:
        raise SystemExit("src/endplate/version.py names no version")
    lines = gathered([file.read_text(encoding="utf-8") for file in fragments()])
    text = CHANGELOG.read_text(encoding="utf-8")
    head = f"## {version.group(1)} (unreleased)\n\n"
    if head not in text:
        text = text.replace("\n## ", f"\n{head}\n## ", 1)
    CHANGELOG.write_text(text.replace(head, head + "\n".join(lines) + "\n", 1), encoding="utf-8")
    for file in fragments():
        file.unlink()


if __name__ == "__main__":
    main()
