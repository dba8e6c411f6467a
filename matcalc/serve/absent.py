"""NumPy where there is none, as in a browser: what `arrays/` has of it, and something that says what is missing.

Modules that use the rest of NumPy are imported with the others; only when they ask for a value they are told.
"""

from __future__ import annotations

import sys
import time
from collections.abc import MutableSequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NoReturn

from matcalc.errors import MissingDependencyError
from matcalc.serve.arrays.further import LAPACK, SCIPY_LINALG, SPECIAL
from matcalc.serve.arrays.names import LINALG, NUMPY, RANDOM

MESSAGE = "this needs {0}, and NumPy is not part of this page"
HELD: dict[str, dict[str, Any]] = {
    "numpy": NUMPY,
    "numpy.linalg": LINALG,
    "numpy.random": RANDOM,
    "scipy.special": SPECIAL,
    "scipy.linalg": SCIPY_LINALG,
    "scipy.linalg.lapack": LAPACK,
}
PACKAGES = ("numpy", "scipy")
CLASSES = ("ndarray", "generic", "bool_", "number", "integer", "floating", "inexact", "ufunc", "dtype", "Generator")


class Absent:
    """Something of a package that is not here; it has parts, and no values."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = _part(self._name, name)
        setattr(self, name, made)
        return made

    def __repr__(self) -> str:
        return self._name

    def __getitem__(self, key: Any) -> Any:
        return self

    def __call__(self, *values: Any, **options: Any) -> Any:
        return self if _FINDER.importing else self._refuse()

    def _refuse(self, *others: Any) -> NoReturn:
        raise MissingDependencyError(MESSAGE.format(self._name))

    def _combined(self, other: Any) -> Any:
        return self if _FINDER.importing else self._refuse()

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _combined
    __lt__ = __gt__ = __le__ = __ge__ = __float__ = __int__ = __bool__ = _refuse


class _AbsentModule(ModuleType):
    """NumPy or a module of it."""

    __path__: MutableSequence[str] = []  # noqa: RUF012  (as every package has it)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if f"{self.__name__}.{name}" in HELD:
            return import_module(f"{self.__name__}.{name}")
        made = _part(self.__name__, name)
        setattr(self, name, made)
        return made


def _part(of: str, name: str) -> Any:
    """A part: a class where it is used as one, else something without a value."""
    if name in CLASSES:
        return type(name, (), {"__class_getitem__": classmethod(lambda cls, key: cls)})
    if name.endswith(("Error", "Warning")):
        return type(name, (Exception,), {})
    return Absent(f"{of}.{name}")


class _Finder(MetaPathFinder, Loader):
    """Finds the stand-ins; until `done` is called they let themselves be computed with, as modules do when imported."""

    importing = True

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in PACKAGES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _AbsentModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """It has what there is of it."""
        vars(module).update(HELD.get(module.__name__, {}))


_FINDER = _Finder()


def has_numpy() -> bool:
    """Whether NumPy is the real one."""
    return _FINDER not in sys.meta_path


def stand_in() -> None:
    """Let NumPy be imported where it is not here, and the clock of a thread where there is one thread only."""
    if find_spec("numpy") is None:
        sys.meta_path.append(_FINDER)
    if not hasattr(time, "thread_time"):
        time.thread_time = time.process_time


def done() -> None:
    """From now on whatever asks for a number is told that there is none."""
    _FINDER.importing = False
