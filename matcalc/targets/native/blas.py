"""Where the routines of BLAS and LAPACK are: SciPy's, which are loaded anyway, or those of the user's libraries.

`MATCALC_BLAS` names shared libraries, by commas: by a path, or as a linker would ("openblas", "blas,lapack").
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import os
from functools import cache
from typing import Any

from matcalc.errors import MatcalcError
from matcalc.targets.native.helpers import routines

VARIABLE = "MATCALC_BLAS"


def pointers(letter: str) -> Any:
    """The addresses of the routines that native functions call, for double (d) or float (s).

    Raises:
        MatcalcError: a library that is asked for cannot be loaded, lacks a routine, or has another type of integers.
    """
    return _found(letter, os.environ.get(VARIABLE, ""))


@cache
def _found(letter: str, given: str) -> Any:
    names = [f"{letter}{routine}" for routine in routines()]
    found = _of_libraries(names, given) if given else _of_scipy(names)
    return (ctypes.c_void_p * len(found))(*found)


def _of_scipy(names: list[str]) -> list[int]:
    capsules: dict[str, Any] = {}
    for module in ("scipy.linalg.cython_lapack", "scipy.linalg.cython_blas"):
        capsules |= importlib.import_module(module).__pyx_capi__
    name, pointer = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return [pointer(capsule, name(capsule)) for capsule in map(capsules.__getitem__, names)]


def _of_libraries(names: list[str], given: str) -> list[int]:
    words = [word.strip() for word in given.split(",") if word.strip()]
    loaded = [_library(word) for word in words]
    found = [_routine(loaded, name) for name in (*names, "dasum")]
    missing = [name for name, routine in zip(names, found) if routine is None]
    if missing or found[-1] is None:
        raise MatcalcError(
            f"{VARIABLE}: {', '.join(words)} has no {', '.join(missing) or 'dasum'}: name all libraries that native "
            "functions need, by commas, such as blas,lapack"
        )
    if not _short_integers(found.pop()):
        raise MatcalcError(f"{VARIABLE}: {', '.join(words)} takes integers of 64 bits; native functions give 32")
    return [ctypes.cast(routine, ctypes.c_void_p).value or 0 for routine in found]


def _library(word: str) -> ctypes.CDLL:
    """A library by its path or its name."""
    is_path = os.sep in word or any(part in word for part in (".so", ".dylib", ".dll"))
    file = word if is_path else ctypes.util.find_library(word)
    if file is None:
        raise MatcalcError(f"{VARIABLE}: there is no library called {word} (its full path can be given too)")
    try:
        return ctypes.CDLL(file)
    except OSError as error:
        raise MatcalcError(f"{VARIABLE}: {word} cannot be loaded: {error}") from None


def _routine(loaded: list[ctypes.CDLL], name: str) -> Any:
    """A routine of Fortran, in the first library that has it."""
    for library in loaded:
        for symbol in (f"{name}_", name):
            if hasattr(library, symbol):
                return getattr(library, symbol)
    return None


def _short_integers(dasum: Any) -> bool:
    """Whether a library reads 32 bits of a number: here 1, or as 64 bits a negative one, for which sums are empty."""
    number = (ctypes.c_int32 * 2)(1, -1)
    step, entry = ctypes.c_int64(1), ctypes.c_double(3.0)
    dasum.restype = ctypes.c_double
    return bool(dasum(number, ctypes.byref(entry), ctypes.byref(step)) == entry.value)
