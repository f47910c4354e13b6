"""Take the scripts of the workbench anew from their npm packages at the pinned versions, with licence and checksum.

    python scripts/vendor.py          # writes src/endplate/web/static/vendor and its manifest
    python scripts/vendor.py --check  # compares what lies there with the manifest, without a network

Needs npm. To take a newer version, change it here, run this, and look at the pages.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "src" / "endplate" / "web" / "static" / "vendor"
MANIFEST = VENDOR / "manifest.json"
LICENCES = Path(__file__).resolve().parent / "licences"
PACKAGES: dict[str, dict[str, object]] = {
    "htmx.org": {
        "version": "2.0.11",
        "licence": "0BSD",
        "files": {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "htmx.LICENSE.txt"},
    },
    "uplot": {
        "version": "1.6.32",
        "licence": "MIT",
        "files": {"dist/uPlot.iife.min.js": "uplot.min.js", "dist/uPlot.min.css": "uplot.min.css",
                  "LICENSE": "uplot.LICENSE.txt"},
    },
    # The package holds no text of its licence; that of its repository is kept in scripts/licences.
    "@niivue/niivue": {
        "version": "0.69.0",
        "licence": "BSD-2-Clause",
        "files": {"dist/niivue.umd.js": "niivue.umd.js"},
        "kept": {"niivue.txt": "niivue.LICENSE.txt"},
    },
}  # fmt: skip


def main() -> int:
    """Refresh, or with --check compare."""
    if "--check" in sys.argv[1:]:
        wrong = differing()
        for name in wrong:
            print(f"{name} is not what the manifest says", file=sys.stderr)
        return 1 if wrong else 0
    VENDOR.mkdir(parents=True, exist_ok=True)
    rows = [row for package in PACKAGES for row in taken(package)]
    MANIFEST.write_text(json.dumps({"files": rows}, indent=1) + "\n", encoding="utf-8")
    print(f"{len(rows)} files in {VENDOR}")
    return 0


def taken(package: str) -> list[dict[str, object]]:
    """Write the files of one package; returns their rows of the manifest."""
    known = PACKAGES[package]
    with tempfile.TemporaryDirectory() as folder:
        wanted = f"{package}@{known['version']}"
        packed = subprocess.run(
            ["npm", "pack", "--silent", wanted], cwd=folder, check=True, capture_output=True, text=True
        )
        rows = []
        with tarfile.open(Path(folder) / packed.stdout.split()[-1]) as archive:
            for inside, name in dict(known["files"]).items():  # type: ignore[call-overload]
                stream = archive.extractfile(f"package/{inside}")
                if stream is None:
                    raise FileNotFoundError(f"{wanted} holds no {inside}")
                rows.append(written(package, inside, name, stream.read()))
        for inside, name in dict(known.get("kept", {})).items():  # type: ignore[call-overload]
            rows.append(written(package, f"scripts/licences/{inside}", name, (LICENCES / inside).read_bytes()))
    return rows


def written(package: str, source: str, name: str, content: bytes) -> dict[str, object]:
    """Write one file; returns its row of the manifest."""
    (VENDOR / name).write_bytes(content)
    known = PACKAGES[package]
    return {
        "file": name,
        "package": package,
        "version": known["version"],
        "licence": known["licence"],
        "source": source,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def differing() -> list[str]:
    """Names of files that the manifest states otherwise, that are missing, or that it does not know."""
    rows = {row["file"]: row["sha256"] for row in json.loads(MANIFEST.read_text(encoding="utf-8"))["files"]}
    lies = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir() if path != MANIFEST}
    return sorted(name for name in {*rows, *lies} if rows.get(name) != lies.get(name))


if __name__ == "__main__":
    sys.exit(main())
