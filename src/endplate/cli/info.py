"""What `endplate info` prints, without importing anything heavy: versions come from package metadata."""

from __future__ import annotations

import os
import platform
import shutil
from importlib import metadata
from typing import Any

from endplate import __version__
from endplate.cli.exit_codes import Output
from endplate.cli.terminal import say_lines


def run_info(talk: Output) -> dict[str, Any]:
    """Gather and, for people, print what a bug report needs."""
    result = {
        "version": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "threads": _threads(),
        "dependencies": _dependencies(),
        "label_schemes": _schemes(),
        "totalsegmentator": shutil.which("TotalSegmentator"),
        "segmenters": _segmenters(),
    }
    if talk.for_people:
        _print(result)
    return result


def _threads() -> dict[str, int]:
    """Cores this process may use, and the number the kernels will use."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    chosen = os.environ.get("NUMBA_NUM_THREADS", "")
    return {"available": allowed, "used": int(chosen) if chosen.isdigit() else allowed}


def _dependencies() -> dict[str, dict[str, str | None]]:
    """Installed version of each requirement by extra ("core", "dicom"); None where it is absent."""
    groups: dict[str, dict[str, str | None]] = {}
    for requirement in metadata.requires("endplate") or []:
        text, _, marker = requirement.partition(";")
        extra = marker.split("==")[-1].strip(" \"'") if "extra" in marker else "core"
        name = text.strip()
        for sign in "<>=!~ [(":
            name = name.split(sign)[0]
        if extra != "dev":
            groups.setdefault(extra, {})[name] = _version(name)
    return groups


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _schemes() -> dict[str, str]:
    """Name to description of every numbering that `--scheme` knows."""
    from endplate.image.labels.scheme import known_schemes

    return dict(known_schemes())


def _segmenters() -> dict[str, str | None]:
    """Name to path of every segmenter that `--segment` knows; None where it is not installed."""
    from endplate.errors import EndplateError
    from endplate.image.labels.segmenter import SegmenterChoice, check_choice, known_segmenters

    found: dict[str, str | None] = {}
    for name in known_segmenters():
        try:
            found[name] = check_choice(SegmenterChoice(name=name))[1]
        except EndplateError:
            found[name] = None
    return found


def _print(result: dict[str, Any]) -> None:
    threads = result["threads"]
    lines = [
        f"endplate {result['version']} on Python {result['python']}, {result['platform']}",
        f"threads: {threads['used']} used of {threads['available']}",
    ]
    for extra, versions in result["dependencies"].items():
        text = ", ".join(f"{name} {version or '(absent)'}" for name, version in sorted(versions.items()))
        lines.append(f"{extra}: {text}")
    lines.append("label schemes:")
    lines += [f"  {name:<22} {description}" for name, description in result["label_schemes"].items()]
    lines.append("segmenters, only needed for --segment:")
    lines += [f"  {name:<22} {path or 'not installed'}" for name, path in result["segmenters"].items()]
    say_lines("\n".join(lines))
