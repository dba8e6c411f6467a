"""The errors that matcalc raises: every wrong input ends in one of these, with the place named.

All derive from `MatcalcError`, so `except MatcalcError` catches whatever a user can get wrong.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_PACKAGE = str(Path(__file__).parent)


class MatcalcError(ValueError):
    """Something in the input is wrong; the message says what, where, and what was needed."""

    def _render_traceback_(self) -> list[str]:
        """What IPython and Jupyter show: the line of the user's that failed, and the message; no lines of matcalc."""
        frames = traceback.extract_tb(self.__traceback__)
        inside = [k for k, frame in enumerate(frames) if _PACKAGE in frame.filename]
        before = [f for f in frames[: inside[0] if inside else len(frames)] if f.line and "IPython" not in f.filename]
        place = [f"line {before[-1].lineno}: {before[-1].line}"] if before else []
        return [*place, *f"{type(self).__name__}: {self}".splitlines()]


class ShapeError(MatcalcError):
    """Two shapes do not fit. The operands are printed when the message is read, not before."""

    def __init__(self, message: str, *operands: Any) -> None:
        super().__init__(message, *operands)
        self.template = message
        self.operands = operands

    def __str__(self) -> str:
        return self.template.format(*(shorten(str(operand)) for operand in self.operands))


class FactError(MatcalcError):
    """A fact is unknown, contradicts another, or cannot hold for the variable's shape."""


class NoRuleError(MatcalcError):
    """No rule says how to derive (or print, or emit) this; never answered by a silent 0."""


class ParseError(MatcalcError):
    """The text is not in the syntax: message, line, column, and the line with a caret below it."""

    def __init__(self, message: str, source: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(message, source, line, column)
        self.message, self.source, self.line, self.column = message, source, line, column

    def __str__(self) -> str:
        if not self.line:
            return self.message
        head = f"line {self.line}, column {self.column}: {self.message}"
        lines = self.source.splitlines()
        if self.line > len(lines):
            return head
        text = lines[self.line - 1].expandtabs(1)
        start = max(0, self.column - 60)
        return f"{head}\n  {text[start : start + 100]}\n  {' ' * (self.column - 1 - start)}^"


class MisfitError(Exception):
    """Inside a parser: operand `index` of a chain does not fit to what stands before it."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.message, self.index = message, index


class MissingDependencyError(MatcalcError):
    """An optional package is needed for this and is not installed."""


# What an optional package is called, and how to install it where that is not by its own name.
_PROPER = {
    "scipy": "SciPy",
    "jax": "JAX",
    "torch": "PyTorch",
    "numba": "Numba",
    "dask": "Dask",
    "IPython": "IPython",
    "mcp": "the MCP SDK",
}
_EXTRAS = {
    "scipy": "matcalculus[scipy]",
    "dask": "matcalculus[distributed]",
    "IPython": "ipython",
    "typst": "matcalculus[pdf]",
    "mcp": "matcalculus[mcp]",
    "anywidget": "matcalculus[widget]",
}


def missing_dependency(what: str, package: str) -> MissingDependencyError:
    """The error that says what needs which package, and the command that installs it."""
    command = f"pip install {_EXTRAS.get(package, package)}"
    return MissingDependencyError(f"{what} needs {_PROPER.get(package, package)}: {command}")


def no_counterpart(language: str, what: str) -> NoRuleError:
    """The error that says what a target lacks (our functions by the names of their operations), and what has it."""
    return NoRuleError(f"no code for {language}: {what.lstrip('_')} has no counterpart there; target='numpy' has it")


def closest(given: str, known: Iterable[str]) -> str:
    """A remark on the known name that was probably meant: it differs in case, is cut off, or is close."""
    if len(given) > 40:
        return ""
    known = list(known)
    lower = given.lower()
    found = [k for k in known if k.lower() == lower]
    if len(given) > 2:
        found += [k for k in known if k.lower().startswith(lower)]
    found += difflib.get_close_matches(given, known, 1, 0.7)
    found += [k for k in known if len(k) > 2 and lower.endswith(k.lower())]
    return f" (did you mean {found[0]}?)" if found else ""


def need_one_of(what: str, given: Any, possible: Iterable[str]) -> None:
    """Raise MatcalcError, with the one that was probably meant, unless `given` is among the possible words."""
    possible = list(possible)
    if given not in possible:
        meant = closest(given, possible) if isinstance(given, str) else ""
        raise MatcalcError(f"{what} must be one of {', '.join(possible)}, got {shorten(repr(given))}{meant}")


def shorten(text: str, limit: int = 60) -> str:
    """`text`, cut in the middle when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    half = (limit - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"
