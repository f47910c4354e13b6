"""Errors of the Python front: also the built-in kinds that a Python user would catch."""

from __future__ import annotations

from endplate.errors import OptionError, OutputError


class ArgumentTypeError(OptionError, TypeError):
    """An argument is of a kind that has no meaning there; the message says what to give."""


class UnknownNameError(OptionError, KeyError):
    """A level, code or option that is not there; the message names those that are."""

    def __str__(self) -> str:
        """The sentence, where a KeyError would print its quotes."""
        return str(self.args[0])


class MissingExtraError(OutputError, ImportError):
    """A library that is not among the dependencies is not installed; the message says how to get it."""
