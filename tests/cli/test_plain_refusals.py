"""Bad input through the front door is told in one plain line: what, why, what to do, and no words of a library."""

from __future__ import annotations

import pytest

from endplate.cli.app import main
from endplate.errors import OptionError

RAW = (
    "valid number", "valid boolean", "valid string", "valid array", "valid date", "Input should", "EOF while",
    "Invalid JSON", "Expecting", "codec", "Traceback", "sqlalchemy", "module named", "plugin", "unable to convert",
    "parameter --", "re.compile", "Errno", "ConnectionPool", "bind()", "psycopg.", "pydantic", "Cannot overwrite",
)  # fmt: skip
PERSON = '{"age_yr": 70, "sex": "F", %s}'


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused(capsys, words):
    assert main(words.split()) == 2
    line = capsys.readouterr().err
    assert line.startswith("endplate: ") and line.count("\n") == 1
    assert not [word for word in RAW if word in line], line
    return line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not valid JSON or TOML; it ends too early in line 1, column 1; mend the file"),
        ('{"age_yr": 70,\n "sex" "F"}', "it breaks the rules of its format in line 2, column"),
        ("\xff", "byte 1 is no letter in UTF-8"),
        ('{"age_yr": "x", "sex": "F"}', "age_yr is 'x', but should be a number"),
        (PERSON % '"pregnant": "perhaps"', "pregnant is 'perhaps', but should be true or false"),
        (PERSON % '"drugs": {"names": "x"}', "drugs.names is 'x', but should be a list"),
        (PERSON % '"recorded_on": "2026-13-40"', "recorded_on is '2026-13-40', but should be a day such as 2026-05-31"),
        (PERSON % '"episode": {"onset_on": "yesterday"}', "should be a day such as 2026-05-31"),
        (PERSON % '"id": {}', "id is {}, but should be text"),
        (PERSON % '"levels": {"L9": {}}', "levels.L9 names no vertebra, such as T12 or L1"),
        (PERSON % '"mass_kg": -5', "mass_kg is -5, but should be more than 2"),
    ],
)
def test_a_record(capsys, tmp_path, text, said):
    (tmp_path / "r.json").write_bytes(text.encode("latin-1"))
    assert said in refused(capsys, "record check r.json")


@pytest.mark.parametrize(
    ("text", "said"), [("age_yr = ", "it ends too early"), ("age_yr = 1\nage_yr = 2", "a name is given twice")]
)
def test_a_record_in_toml(capsys, tmp_path, text, said):
    (tmp_path / "r.toml").write_text(text)
    assert said in refused(capsys, "record check r.toml")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("follow visit 1 --nrs x", '--nrs is "x", but should be a number'),
        ("follow visit 1 --on 2026-99-99", '--on is "2026-99-99", but should be a day such as 2026-05-31'),
        ("serve --port x", '--port is "x", but should be a whole number'),
        ("assess", "`endplate assess` needs --out with a value"),
        ("follow list --database mysql://x/y", "endplate keeps its data in an SQLite file or in PostgreSQL"),
        ("follow list --database foo://x", "endplate keeps its data in an SQLite file or in PostgreSQL"),
        ("--config c.toml info", "the file of options c.toml is no TOML; it ends too early"),
        ("decide case --record r.json", "case.json is not JSON; it ends too early in line 1, column 2"),
        ("assess --labels r.json --out o --readings readings.json", "names no level; give its level, such as L1"),
        ("cohort latin.csv --out s", "is no CSV table in UTF-8; byte 10 is no letter in UTF-8"),
        ("pacs pull http://127.0.0.1:1/x --study abc --out o", "--study 'abc' is no UID"),
    ],
)
def test_options_and_files(capsys, tmp_path, words, said):
    if words.startswith("cohort"):
        pytest.importorskip("distributed", reason="a cohort needs the extra cohort")
    (tmp_path / "c.toml").write_text("x = [")
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / "case.json").write_text("{")
    (tmp_path / "r.json").write_text('{"age_yr": 70, "sex": "F"}')
    held = '{"format": "endplate-readings", "format_version": 1, "readings": [{"what": "grade"}]}'
    (tmp_path / "readings.json").write_text(held)
    (tmp_path / "latin.csv").write_bytes(b"id,ct\na,b\xff\n")
    assert said in refused(capsys, words)


def test_a_database_that_nobody_serves(capsys):
    pytest.importorskip("psycopg", reason="PostgreSQL needs the extra postgres")
    line = refused(capsys, "follow list --database postgresql://u:secret@127.0.0.1:1/x")
    assert "cannot be reached: Connection refused; nothing was written" in line and "secret" not in line


def test_a_rule_file_of_ones_own(tmp_path):
    from endplate.decision.rules.choose import choose_rulesets

    (tmp_path / "mine.toml").write_text("x = [")
    with pytest.raises(OptionError, match=r"the rule file .*mine\.toml cannot be used; it ends too early"):
        choose_rulesets([str(tmp_path / "mine.toml")])
