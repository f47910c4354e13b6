"""Options from a TOML file: what the command line does not say. The names are those of the options."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from cyclopts.config import Dict

from endplate.cli.options.run import RunOptions
from endplate.errors import OptionError, text_fault

OPTION, VARIABLE = "--config", "ENDPLATE_CONFIG"
MAX_BYTES = 2**20
FIX = "write names as of the options, such as: [assess] and below it no-mechanics = true"


def split_config(tokens: Sequence[str]) -> tuple[list[str], Path | None]:
    """The tokens without `--config FILE`, and the file: that one, or the one that ENDPLATE_CONFIG names.

    Raises
    ------
    OptionError : no file is named after the option, or two are.
    """
    left: list[str] = []
    named: list[str] = []
    words = iter(tokens)
    for word in words:
        if word == "--":
            left += [word, *words]
        elif word == OPTION:
            named.append(next(words, ""))
        elif word.startswith(f"{OPTION}="):
            named.append(word.partition("=")[2])
        else:
            left.append(word)
    if len(named) > 1 or "" in named:
        raise OptionError(f"{OPTION} {' '.join(named)}".strip(), "one file is read", f"give {OPTION} FILE once")
    found = named[0] if named else os.environ.get(VARIABLE, "")
    return left, Path(found) if found else None


def config_of(path: Path | None, commands: Sequence[str]) -> tuple[Dict, ...]:
    """What cyclopts asks for options that were not given: tables by command, and options of every command above them.

    Parameters
    ----------
    path : TOML file; None for none. commands : names of the commands.

    Raises
    ------
    OptionError : it cannot be read, is no TOML, or holds a name that is neither a command nor such an option.
    """
    if path is None:
        return ()
    found = _read(path)
    shared = {name: value for name, value in found.items() if not isinstance(value, dict)}
    tables = {name: value for name, value in found.items() if isinstance(value, dict)}
    common = {field.name for field in fields(RunOptions)} - {"config"}
    strange = [name for name in shared if name.replace("-", "_") not in common]
    strange += [name for name in tables if name not in commands]
    if strange:
        what = "a command" if strange[0] in tables else "an option that all commands have"
        raise OptionError(f"{path}: {strange[0]!r} is not {what}", "nothing would read it", FIX)
    source = str(path)
    return (Dict(tables, source=source), Dict(shared, source=source, use_commands_as_keys=False, allow_unknown=True))


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise OptionError(f"{path} is larger than {MAX_BYTES} bytes", "it is no file of options", FIX)
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise OptionError(
            f"the file of options {path} cannot be read", error.strerror or "", "check its path"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OptionError(f"the file of options {path} is no TOML", text_fault(error), FIX) from error
