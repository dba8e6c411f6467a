"""One run of a function on tracers: its constants, the names of its values, its lines, and what was refused."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from linecache import getline
from pathlib import Path
from types import FrameType, ModuleType, TracebackType
from typing import Any

import numpy as np

from matcalc import core
from matcalc.dims import NAME, symbols
from matcalc.errors import MatcalcError, NoRuleError, shorten
from matcalc.expr import REGISTRY, Expr
from matcalc.frontend.names import is_function
from matcalc.frontend.tracing.arrays import MATRIX, Value, filled, is_number, matrix_shape
from matcalc.frontend.tracing.arrays import number as as_number
from matcalc.numeric.binding import Array

_LIBRARIES = ("numpy", "scipy", "jax", "jaxlib", "torch", "matcalc")
_STANDARD = sysconfig.get_paths()["stdlib"] + os.sep


def _folders() -> tuple[str, ...]:
    """Where the libraries lie."""
    specs = [find_spec(name) for name in _LIBRARIES]
    return tuple(str(Path(spec.origin).parent) + os.sep for spec in specs if spec is not None and spec.origin)


class Session:
    """A run of a user's function.

    Attributes:
        constants: arrays that are no arguments, by the name of the variable that stands for them.
        names: the local names that values were bound to, in order.
        refused: what was refused; the function may have caught it.
    """

    def __init__(self, function: Any, taken: Mapping[str, Any]) -> None:
        self.function = function
        self.taken = set(taken)
        self.constants: dict[str, Array] = {}
        self.names: list[tuple[str, Expr]] = []
        self.refused: MatcalcError | None = None
        self._known: dict[int, str] = {}
        self._made: dict[int, tuple[Any, Value]] = {}
        self._folders = _folders()
        self._home = getattr(getattr(function, "__code__", None), "co_filename", "")

    # ------------------------------------------------------------------------------------------------ refusing

    def refuse(self, message: str) -> NoRuleError:
        """The error for something that cannot be read; the run ends with it even where the function catches it."""
        error = NoRuleError(message)
        self.refused = self.refused or error
        return error

    def is_own(self, filename: str) -> bool:
        """Whether a file is the user's, not a library's."""
        if filename == self._home:
            return True
        standard = filename.startswith(_STANDARD) and "site-packages" not in filename
        return not (standard or filename.startswith((*self._folders, "<frozen")))

    def place(self, trace: TracebackType | None) -> str:
        """The last line of the user's own files that an error went through: `line 7 of loss.py`."""
        found = None
        while trace is not None:
            if self.is_own(trace.tb_frame.f_code.co_filename):
                found = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            trace = trace.tb_next
        return "" if found is None else place_text(*found)

    # ------------------------------------------------------------------------------------------------ constants

    def know(self, name: str, value: Any) -> None:
        """Remember what an array is called in the function's module or closure."""
        self._known[id(value)] = name

    def constant(self, array: Any, values: Any = None) -> Value:
        """An array of numbers: a variable that stands for it; of equal entries, or an identity, just that.

        `values` are the numbers of an array of another library.
        """
        if id(array) in self._made:
            return self._made[id(array)][1]
        numbers = np.asarray(array if values is None else values)
        if numbers.dtype.kind not in "biuf":
            raise NoRuleError(f"an array of {numbers.dtype} is not an array of real numbers")
        numbers = np.asarray(numbers, dtype=np.float64)
        if numbers.ndim == 0:
            return as_number(float(numbers))
        if numbers.ndim > MATRIX or not numbers.size:
            raise NoRuleError(f"a constant array of shape {numbers.shape}: only vectors and matrices are read")
        made = self._structured(numbers) or self._variable(array, numbers)
        self._made[id(array)] = (array, made)
        return made

    def _structured(self, numbers: Array) -> Value | None:
        first = float(numbers.flat[0])
        if np.all(numbers == first):
            if first in (0, 1):
                make = core.ones if first else core.zeros
                return Value(make(*matrix_shape(numbers.shape)), numbers.shape)
            return filled(as_number(first), numbers.shape)
        if numbers.ndim == MATRIX and numbers.shape[0] == numbers.shape[1] and np.all(numbers == np.eye(len(numbers))):
            return Value(core.eye(len(numbers)), numbers.shape)
        return None

    def _variable(self, array: Any, numbers: Array) -> Value:
        if not np.all(np.isfinite(numbers)):
            raise NoRuleError("a constant array holds infinity or nan: write np.where with a condition")
        base = self._known.get(id(array), "C")
        name = base if base != "C" and self._is_free(base) else self._numbered(base)
        self.taken.add(name)
        self.constants[name] = numbers
        return Value(core.var(name, *matrix_shape(numbers.shape), ["constant", *_facts(numbers)]), numbers.shape)

    def _is_free(self, name: str) -> bool:
        return name not in self.taken and bool(NAME.fullmatch(name)) and not is_function(name) and name not in REGISTRY

    def _numbered(self, base: str) -> str:
        k = 1
        while not self._is_free(f"{base}{k}"):
            k += 1
        return f"{base}{k}"

    # ------------------------------------------------------------------------------------------------ names

    @contextmanager
    def watched(self, expression: Callable[[Any], Expr | None]) -> Iterator[None]:
        """Take down the local names that values are bound to; `expression` is that of a value, if it has one."""
        seen: dict[tuple[int, str], Expr] = {}

        def inside(frame: FrameType, event: str, _: Any) -> Any:
            if event in ("line", "return"):
                for name, value in frame.f_locals.items():
                    e = expression(value)
                    if e is not None and seen.get((id(frame), name)) is not e:
                        seen[(id(frame), name)] = e
                        self.names.append((name, e))
            return inside

        def entered(frame: FrameType, _: str, __: Any) -> Any:
            code = frame.f_code
            return inside if self.is_own(code.co_filename) and not code.co_name.startswith("<") else None

        before = sys.gettrace()
        sys.settrace(entered)
        try:
            yield
        finally:
            sys.settrace(before)


def _facts(numbers: Array) -> list[str]:
    """What is true of some numbers, as facts."""
    found = []
    if numbers.ndim == MATRIX and numbers.shape[0] == numbers.shape[1] and np.array_equal(numbers, numbers.T):
        found.append("symmetric")
    if np.all(numbers > 0):
        found.append("positive")
    elif np.all(numbers >= 0):
        found.append("nonnegative")
    return found


def place_text(filename: str, line: int) -> str:
    """A place in a file, with its text below."""
    text = getline(filename, line).strip()
    return f"line {line} of {Path(filename).name}" + (f", `{shorten(text, 100)}`" if text else "")


def own_modules(function: Any) -> list[dict[str, Any]]:
    """The global names of a function and of the functions that it finds there."""
    start = getattr(function, "__globals__", None)
    found: dict[int, dict[str, Any]] = {}
    pending = [] if start is None else [start]
    while pending:
        names = pending.pop()
        if id(names) in found or str(names.get("__name__", "")).partition(".")[0] in (*_LIBRARIES, "builtins"):
            continue
        found[id(names)] = names
        for value in list(names.values()):
            inner = getattr(value, "__globals__", None)
            if isinstance(value, ModuleType):
                inner = None
            if isinstance(inner, dict) and id(inner) not in found and _is_users(inner):
                pending.append(inner)
    return list(found.values())


def _is_users(names: Mapping[str, Any]) -> bool:
    top = str(names.get("__name__", "")).partition(".")[0]
    return (top not in _LIBRARIES and top not in sys.stdlib_module_names) or top == "__main__"


@contextmanager
def replaced(
    modules: list[dict[str, Any]], changes: list[tuple[Any, str, Any]], builtins: Mapping[str, Any]
) -> Iterator[None]:
    """Put other functions in the place of some, in their modules and where the user imported them, for a while."""
    undo: list[tuple[Any, str, Any]] = []
    by_id = {}
    for owner, name, new in changes:
        old = getattr(owner, name)
        by_id[id(old)] = new
        undo.append((owner, name, old))
        setattr(owner, name, new)
    absent = object()
    kept: list[tuple[dict[str, Any], str, Any]] = []
    for names in modules:
        for name, value in list(names.items()):
            if id(value) in by_id:
                kept.append((names, name, value))
                names[name] = by_id[id(value)]
        for name, new in builtins.items():
            if name not in names:
                kept.append((names, name, absent))
                names[name] = new
    try:
        yield
    finally:
        for names, name, value in reversed(kept):
            if value is absent:
                del names[name]
            else:
                names[name] = value
        for owner, name, old in reversed(undo):
            setattr(owner, name, old)


def named_values(names: list[tuple[str, Expr]], inside: set[Expr], taken: set[str]) -> dict[Expr, str]:
    """Names for the values that occur: their local names, numbered where one name is bound to several."""
    first: dict[Expr, str] = {}
    for name, e in names:
        if e in inside and e.args and e not in first and not _is_plain(e) and NAME.fullmatch(name):
            first[e] = name.strip("_") or name
    count: dict[str, int] = {}
    for name in first.values():
        count[name] = count.get(name, 0) + 1
    used = set(taken) | set(symbols(d for e in inside for d in e.shape))
    chosen: dict[Expr, str] = {}
    for e, base in first.items():
        name, k = base, 0
        if count[base] > 1 or name in used or is_function(name) or name in REGISTRY or name == "pi":
            name = ""
            while not name or name in used or name in REGISTRY:
                k += 1
                name = f"{base}{k}"
        used.add(name)
        chosen[e] = name
    return chosen


def _is_plain(e: Expr) -> bool:
    """Whether a value is hardly more than a variable or a number."""
    if e.op in ("broadcast", "transpose", "scale") and all(not a.args for a in e.args):
        return True
    return e.op in ("ones", "zeros", "eye")


__all__ = ["Session", "is_number", "named_values", "own_modules", "place_text", "replaced"]
