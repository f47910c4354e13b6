"""All text leaves by one door: in letters that the terminal has, on its own line, without secrets, not endless."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from tests.support.small_case import small_document
from tests.support.writing_commands import RECORD

from endplate.cli import terminal
from endplate.cli.app import main
from endplate.cli.terminal import plain
from endplate.image.nifti import write_labels, write_volume
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.level import Level

CLI = Path(terminal.__file__).parent
HOSTILE = "x\x1b[2J\x1b]0;owned\x07\r\n! EMERGENCY, L1: forged\u202e\u2028\x9b31m"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.json").write_text(json.dumps(RECORD))
    return tmp_path


def test_nothing_else_writes_to_the_terminal() -> None:
    found = [
        f"{path.name}: {line.strip()}"
        for path in sorted(CLI.rglob("*.py"))
        if path.name != "terminal.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\bprint\(|std(out|err)\.write|Console\(", line) and "def print_" not in line
    ]
    assert found == []


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize("words", ["decide --record p.json", "rules --weak", "schema record", "follow show 1"])
def test_a_terminal_of_few_letters_gets_every_line(desk: Path, words: str, encoding: str) -> None:
    if words.startswith("follow"):
        assert main(["follow", "start", "p.json"]) == 0
        assert main(["follow", "visit", "1", "--nrs", "4", "--note", "naïve → ½ 漢字 ≥ 3 µg"]) == 0
    program = "import sys; from endplate.cli.app import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, *words.split()],
        capture_output=True, timeout=120, env=os.environ | {"PYTHONIOENCODING": encoding}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode(encoding)
    assert len(text) > 200 and b"Traceback" not in done.stderr
    if words.startswith("schema"):
        assert json.loads(text)["title"]


def test_letters_that_a_terminal_lacks_are_spelled() -> None:
    text = "• 3 ≥ 2 × ±1° 5 µm – naïve “x” … │ 漢 \udce9"
    spelled = text.encode("ascii", terminal.SPELLED).decode()
    assert spelled == '* 3 >= 2 x +-1 deg 5 um - naive "x" ... | ? \\xe9'
    assert "é".encode("cp1252", terminal.SPELLED) == b"\xe9"


def test_text_of_any_origin_stays_plain_and_on_its_line() -> None:
    told = plain(HOSTILE)
    assert told.isprintable() and "\n" not in told and told.startswith("x?[2J")
    assert plain("caf\udce9") == "caf\\xe9" and plain("tab\tthin\u202fspace") == "tab thin space"
    assert plain("y" * 5000, 100) == "y" * 100 + " ... (4900 more characters)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://a:b@h/d", "postgresql://a:***@h/d"),
        ("cannot use postgresql+psycopg://a:p@ss:w/rd@h:5/d now", "cannot use postgresql+psycopg://a:***@h:5/d now"),
        ("postgresql://h/d?user=a&password=b&x=1", "postgresql://h/d?user=a&password=***&x=1"),
        ("postgresql://h:5432/d", "postgresql://h:5432/d"),
    ],
)
def test_no_password_is_told(text: str, shown: str) -> None:
    assert plain(text) == shown


def forged(printed: str) -> bool:
    return (
        "\x1b" in printed or "\x9b" in printed or any(line.startswith("! EMERGENCY") for line in printed.splitlines())
    )


def test_notes_names_and_keys_forge_no_line(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["follow", "start", "p.json", "--who", HOSTILE]) == 0
    assert main(["follow", "visit", "1", "--nrs", "4", "--note", HOSTILE, "--who", HOSTILE]) == 0
    for words in (["show", "1"], ["history", "1"], ["list"], ["history", "1", "--json"], ["show", "1", "--json"]):
        assert main(["follow", *words]) == 0
    for words in (
        ["list", "--database", f"{HOSTILE}.db"],
        ["list", "--patient", HOSTILE],
        ["correct", "visit", "1", HOSTILE],
    ):
        main(["follow", *words])
    (desk / "odd.json").write_text(json.dumps({HOSTILE: 1, "age_yr": 3, "sex": HOSTILE}))
    assert main(["decide", "--record", "odd.json"]) == 2
    assert main(["decide", "--record", "p.json", "--explain", HOSTILE]) == 2
    assert main(["decide", f"--{HOSTILE}", "--record", "p.json"]) == 2
    (desk / "case.json").write_text(json.dumps(small_document(patient=HOSTILE)))
    assert main(["decide", "case.json", "--record", "p.json"]) == 2
    printed = capsys.readouterr()
    assert not forged(printed.out) and not forged(printed.err)
    assert "EMERGENCY, L1: forged" in printed.out


def test_warnings_and_logs_of_libraries_that_quote_a_file_come_by_the_door(capsys) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        terminal.guard_streams()
        warnings.warn(HOSTILE, stacklevel=1)
        logging.getLogger("some.library").propagate = False
        logging.getLogger("some.library").warning("value %s", HOSTILE)
    told = capsys.readouterr().err
    assert told.count("\n") == 2 and not forged(told) and "some.library: value x" in told


def test_json_escapes_what_a_terminal_would_obey_and_keeps_its_value(desk: Path, capsys) -> None:
    main(["follow", "start", "p.json", "--quiet"])
    main(["follow", "visit", "1", "--nrs", "4", "--note", f"{HOSTILE} ü 😀", "--quiet"])
    capsys.readouterr()
    assert main(["follow", "show", "1", "--json"]) == 0
    text = capsys.readouterr().out
    assert not forged(text) and "\u202e" not in text
    assert json.loads(text)["result"]["visits"][-1]["note"] == f"{HOSTILE} ü 😀"


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_refusal_is_one_line_of_bearable_length(desk: Path, capsys, as_json: list[str]) -> None:
    (desk / "long.json").write_text(json.dumps({"age_yr": 3, "sex": "f", "k" * 200_000: 1}))
    assert main(["decide", "--record", "long.json", *as_json]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1 and len(printed.err) < 2000 and len(printed.out) < 6000


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["assess", "--labels", "l", "--out", ""], "--out has an empty value"),
        (["decide", "--record", "p.json", "--out="], "--out has an empty value"),
        (["follow", "show", "1", "--page", ""], "--page has an empty value"),
        (["record", "new", "--out", ""], "--out has an empty value"),
        (["assess", "", "--labels", "l", "--out", "o"], "an empty name was given"),
        (["assess", "c" * 5000, "--labels", "l", "--out", "o"], "is 5000 characters long"),
        (["assess", "c" * 300, "--labels", "l", "--out", "o"], "the CT ccc"),
        (["assess", "c" * 300 + "/x", "--labels", "l", "--out", "o"], "the CT ccc"),
        (["decide", "--record", "p.json", "--out", "o" * 300], "File name too long"),
        (["decide", "--record", "r" * 300], "File name too long"),
        (["follow", "list", "--database", "d" * 300], "File name too long"),
        (["decide", "--record", "p.json", "--out", "a\0b"], "zero byte"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else " ".join(value)[:30].replace("\0", "0"),
)  # fmt: skip
def test_a_path_that_is_none_is_refused(desk: Path, capsys, words: list[str], says: str) -> None:
    assert main(words) == 2
    printed = capsys.readouterr()
    assert says in printed.err and printed.err.count("\n") == 1
    assert [path.name for path in desk.iterdir()] == ["p.json"]


@pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes")
def test_a_scan_whose_name_is_not_utf_8_is_assessed(tmp_path: Path, capsys) -> None:
    phantom = make_phantom(PhantomSpec(levels=(Level.L1, Level.L2), spacing_mm=(2.5, 2.5, 2.5), field_mm=(100, 120)))
    write_volume(tmp_path / "ct.nii.gz", phantom.volume.grid, phantom.volume.hu)
    write_labels(tmp_path / "labels.nii.gz", phantom.labels)
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    os.mkdir(odd)
    shutil.copy(tmp_path / "ct.nii.gz", f"{odd}/caf\udce9.nii.gz")
    given = [
        f"{odd}/caf\udce9.nii.gz",
        "--labels",
        str(tmp_path / "labels.nii.gz"),
        "--out",
        f"{odd}/out",
        "--no-mechanics",
    ]
    assert main(["assess", *given]) == 0, capsys.readouterr().err
    assert "caf\\xe9" in capsys.readouterr().out
    document = json.loads(Path(odd, "out", "case.json").read_text(encoding="utf-8"))
    assert document["id"] == "caf\\xe9" and "ct: caf\\xe9.nii.gz" in document["provenance"]["inputs"]
    assert "caf\\xe9" in Path(odd, "out", "report.html").read_text(encoding="utf-8")
    assert main(["assess", *given]) == 0
