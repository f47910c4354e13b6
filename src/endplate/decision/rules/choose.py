"""Which rule sets are asked: all, some by name, or a rule file of one's own."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from endplate.decision.logic.threshold import RuleFileError
from endplate.decision.rules.rulebook import read_book, rulebook
from endplate.decision.rules.ruleset import RuleSet
from endplate.errors import OptionError, text_fault


def choose_rulesets(guidelines: Sequence[str | Path] | None) -> tuple[RuleSet, ...]:
    """The rule sets of some guidelines.

    Parameters
    ----------
    guidelines : ids of packaged rule sets, such as "nice_ta279", and paths of rule files (.toml) written as those in
        `decision/rules/guidelines`; None stands for all that are packaged.

    Raises
    ------
    OptionError : an id that is not there, a file that cannot be read, or two rule sets of one id.
    """
    if guidelines is None:
        return rulebook().rulesets
    if isinstance(guidelines, str | Path):
        raise OptionError(
            f"guidelines={str(guidelines)!r}", "several may be asked", "give a list, such as ['nice_ta279']"
        )
    found = [ruleset for choice in guidelines for ruleset in _chosen(choice)]
    ids = [ruleset.id for ruleset in found]
    if double := next((name for name in ids if ids.count(name) > 1), None):
        raise OptionError(f"two rule sets {double!r}", "their verdicts could not be told apart", "leave one out")
    return tuple(found)


def _chosen(choice: str | Path) -> tuple[RuleSet, ...]:
    if isinstance(choice, Path) or choice.endswith(".toml"):
        return _own(Path(choice))
    known = {ruleset.id: ruleset for ruleset in rulebook().rulesets}
    if choice not in known:
        raise OptionError(
            f"guideline {choice!r}", "no rule set has that id", f"choose {', '.join(known)}, or a .toml file"
        )
    return (known[choice],)


def _own(path: Path) -> tuple[RuleSet, ...]:
    """The rule sets of a file; it may use the shared definitions."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        rulesets = read_book(table, rulebook().books[0]).rulesets
    except OSError as error:
        raise OptionError(f"cannot read the rule file {path}", error.strerror or "", "check the path") from error
    except (KeyError, TypeError, ValueError, RuleFileError) as error:
        unread = isinstance(error, UnicodeDecodeError | tomllib.TOMLDecodeError)
        why = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        why = text_fault(error) if unread else why
        raise OptionError(f"the rule file {path} cannot be used", why, "write it as those of endplate") from error
    if not rulesets:
        raise OptionError(f"the rule file {path} holds no rule set", "", "add a [[ruleset]]")
    return rulesets
