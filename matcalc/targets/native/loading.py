"""What the modules of native functions call: compile and load a C text, and call it on NumPy arrays."""

from __future__ import annotations

import ctypes
import functools
import importlib
import importlib.machinery
import importlib.util
import os
import sys
import sysconfig
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from matcalc.errors import MatcalcError
from matcalc.targets.native import blas
from matcalc.targets.native import cache as libraries
from matcalc.targets.native.helpers import prelude
from matcalc.targets.native.statements import NO_SINGULAR_VALUES, NO_SPECTRUM, NOT_POSITIVE, RAISED, SINGULAR
from matcalc.templating import template_folder

_TYPES: dict[Any, str] = {np.dtype(np.float64): "d", np.dtype(np.float32): "s"}
_PREFIX = {"d": "", "s": "#define SINGLE\n"}
_FORMS = {"matrix": -1, "number": -2, "zeros": -3}
_LARGEST = 2**31 - 1
_SAID = {
    NOT_POSITIVE: "Matrix is not positive definite",
    SINGULAR: "Singular matrix",
    NO_SPECTRUM: "Eigenvalues did not converge",
    NO_SINGULAR_VALUES: "SVD did not converge",
}
_NO_MEMORY, _TOO_LARGE, _NOT_INSIDE = -2, -3, -4
_MOST = 256  # inputs or results of the quick way

Outside: TypeAlias = "Callable[[], list[Callable[..., Any]]]"
_KEPT = ctypes.c_void_p()  # the memory of the last call
_TEAM = ctypes.c_int()  # what the process knows of its threads, as the prelude counts it
_THREADS, _ALONE = 1, 2
_PYTHON = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_int),
    ctypes.POINTER(ctypes.c_longlong),
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_void_p,
)


class Compiled:
    """A compiled function.

    Args:
        text: the C text.
        results: how many it gives.
        zeros: which results the text takes to be zeros.
        outside: gives the functions in Python for what it does not compute itself.
    """

    def __init__(self, text: str, results: int, zeros: Sequence[int] = (), outside: Outside = list) -> None:
        self.text, self.count, self.zeros, self.outside = text, results, zeros, outside
        self.loaded: dict[str, _Library] = {}
        self.function: Any = None
        self.library("d")

    def library(self, letter: str) -> _Library:
        """The function for double (d) or float (s), compiled when it is first asked for."""
        if letter not in self.loaded:
            self.loaded[letter] = _Library(self, letter)
            if letter == "s" and self.function is not None:
                self.function._single(self.loaded[letter].address("matcalc_entry"), self.loaded[letter].callback)
        return self.loaded[letter]

    def __call__(self, dtype: Any, sizes: Sequence[int], inputs: Sequence[Any]) -> list[Any]:
        """The results as matrices.

        Raises:
            ValueError: the numbers are neither float64 nor float32, or a size is too large.
            LinAlgError: a matrix is singular or not positive definite.
        """
        if dtype not in _TYPES:
            raise ValueError(f"target='native' computes with float64 and float32, got {dtype}")
        if max(sizes, default=0) > _LARGEST:
            raise ValueError(f"target='native' takes sizes up to {_LARGEST}, got {max(sizes)}")
        return self.library(_TYPES[dtype]).results(dtype, sizes, inputs)

    def quick(
        self,
        inputs: Sequence[tuple[str, str | None, tuple[Any, ...]]],
        results: Sequence[tuple[str | None, str]],
        sizes: Sequence[str],
        buffers: bool = False,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A decorator: arrays that fit as they are go to the compiled function at once.

        Args:
            inputs: for each its parameter, its name where that is a dict, its shape (() for numbers).
            results: for each its name in the dict (None for what stands alone), and its form.
            sizes: the names of the sizes.
            buffers: whether `out` is memory for the results.
        """
        calling = _calling() if max(len(inputs), len(results), len(sizes)) < _MOST else None
        names = [*dict.fromkeys(name for name, _, _ in inputs), "dims", *(["out"] if buffers else [])]
        parameters = tuple(map(sys.intern, names))
        number = {name: k for k, name in enumerate(sizes)}
        places = [name for name, key, _ in inputs if key is None]
        taken = tuple(
            (parameters.index(name), key, int(not shape), *(_dim(d, number) for d in shape or (1, 1)))
            for name, key, shape in inputs
        )
        given = tuple(
            (key, _FORMS[form] if form in _FORMS else places.index(form.removeprefix("as "))) for key, form in results
        )

        def wrapped(general: Callable[..., Any]) -> Callable[..., Any]:
            if calling is None:
                return general
            library = self.library("d")
            addresses = library.address("matcalc_entry"), library.address("matcalc_shapes"), library.callback
            made = calling.Function(general, parameters, taken, given, len(sizes), int(buffers), *addresses)
            self.function = made
            found: Callable[..., Any] = functools.update_wrapper(made, general)
            return found

        return wrapped


def _dim(d: Any, number: Mapping[str, int]) -> int:
    return -1 - d if isinstance(d, int) else number[d]


class _Library:
    """A loaded library."""

    def __init__(self, of: Compiled, letter: str) -> None:
        self.count, self.zeros, self.outside = of.count, of.zeros, of.outside
        self.functions: list[Callable[..., Any]] = []
        self.dtype = next(dtype for dtype, known in _TYPES.items() if known == letter)
        self.errors = threading.local()
        self.python = _PYTHON(self.asked)
        self.callback = ctypes.cast(self.python, ctypes.c_void_p).value or 0
        source = f"{_PREFIX[letter]}{prelude()}\n{of.text.strip()}\n"
        self.loaded = _loaded(libraries.built(source, threads=True))
        self.loaded.matcalc_bind(blas.pointers(letter), ctypes.byref(_KEPT), ctypes.byref(_TEAM))
        self.loaded.matcalc_entry.restype = ctypes.c_int
        self.entry, self.shapes = self.loaded.matcalc_entry, self.loaded.matcalc_shapes

    def address(self, name: str) -> int:
        """Where a function of the library is."""
        return ctypes.cast(getattr(self.loaded, name), ctypes.c_void_p).value or 0

    def results(self, dtype: Any, sizes: Sequence[int], inputs: Sequence[Any]) -> list[Any]:
        """The results as matrices."""
        arrays = [np.require(a, dtype, ["C", "A"]) for a in inputs]
        shapes = (ctypes.c_longlong * (2 * self.count))()
        numbers = (ctypes.c_int * max(len(sizes), 1))(*sizes)
        self.shapes(numbers, shapes)
        results = [
            (np.zeros if k in self.zeros else np.empty)((shapes[2 * k], shapes[2 * k + 1]), dtype)
            for k in range(self.count)
        ]
        given = (ctypes.c_void_p * max(len(arrays), 1))(*(a.ctypes.data for a in arrays))
        taken = (ctypes.c_void_p * len(results))(*(a.ctypes.data for a in results))
        status = self.entry(numbers, given, taken, self.python)
        if status == RAISED:
            raise self.errors.found
        _need_success(status)
        return results

    def asked(self, number: int, sizes: Any, shapes: Any, given: Any, taken: int) -> int:
        """Compute a value in Python: what the C text calls. An exception waits until that has returned."""
        try:
            self.functions = self.functions or self.outside()
            function = self.functions[number]
            count = function.__code__.co_argcount - 2
            arrays = [self.view(given[k], shapes[2 * k], shapes[2 * k + 1]) for k in range(count)]
            result = self.view(taken, shapes[2 * count], shapes[2 * count + 1])
            with np.errstate(all="ignore"):
                value = np.asarray(function(sizes, self.dtype, *arrays), dtype=self.dtype)
            result[...] = value.reshape(result.shape)
        except Exception as error:
            self.errors.found = error
            return RAISED
        return 0

    def view(self, pointer: int, rows: int, columns: int) -> Any:
        """Memory of the C text as a matrix or, without rows, a number."""
        size = abs(rows * columns)
        if size == 0:
            return np.empty((rows, columns), self.dtype)
        memory = (ctypes.c_char * (size * self.dtype.itemsize)).from_address(pointer)
        matrix = np.frombuffer(memory, self.dtype)
        return matrix[0] if rows < 0 else matrix.reshape(rows, columns)


_LOADING = threading.Lock()


def _loaded(library: Path) -> ctypes.CDLL:
    """A library. The threads of OpenMP, which reads its settings when it is loaded, sleep between loops unless the
    user has said otherwise: else they would keep the processors from the threads of BLAS."""
    with _LOADING:
        waits = "OMP_WAIT_POLICY"
        given = waits in os.environ or "GOMP_SPINCOUNT" in os.environ
        if not given:
            _leave_processors()
            os.environ[waits] = "passive"
        try:
            return ctypes.CDLL(str(library))
        finally:
            if not given:
                del os.environ[waits]


@lru_cache(maxsize=1)
def _leave_processors() -> None:
    """Compute in one thread where another library has brought OpenMP before: its threads do not sleep between loops."""
    with suppress(OSError, AttributeError):  # it is not here yet; a system that cannot say so
        ctypes.CDLL("libgomp.so.1", mode=os.RTLD_NOLOAD)
        _TEAM.value = _ALONE


def _without_threads() -> None:
    """A process that was forked has none of the threads that its parent had, though OpenMP counts on them."""
    if _TEAM.value == _THREADS:
        _TEAM.value = _ALONE


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_without_threads)


def _need_success(status: int) -> None:
    """Raise the error of a status that is not 0."""
    if status in _SAID:
        raise np.linalg.LinAlgError(_SAID[status])
    if status == _TOO_LARGE:
        raise ValueError(f"target='native' takes matrices up to {_LARGEST} rows or columns")
    if status == _NOT_INSIDE:
        raise IndexError("rows or columns outside of a matrix")
    if status == _NO_MEMORY:
        raise MemoryError("no memory for the function's matrices")
    if status:
        raise MatcalcError(f"the compiled function returned {status}")


def release() -> None:
    """Give the memory that is kept for the next call, and for its results, back to the system."""
    held, _KEPT.value = _KEPT.value, None
    if held is not None:
        free = ctypes.CDLL(None).free
        free.argtypes = [ctypes.c_void_p]
        free(held)
    calling = _calling() if _calling.cache_info().currsize else None  # nothing is compiled for it
    if calling is not None:
        calling.release()


@lru_cache(maxsize=1)
def _calling() -> Any:
    """The module of functions that are called without Python in between; None where it cannot be compiled."""
    headers = sysconfig.get_path("include"), np.get_include()
    if os.environ.get("MATCALC_CALLER") == "ctypes" or not Path(headers[0], "Python.h").is_file():
        return None
    text = (template_folder() / "native_caller.c").read_text(encoding="utf-8")
    try:
        library = libraries.built(f"/* {sys.version} {np.__version__} */\n{text}", headers)
    except MatcalcError:  # another Python's headers, for example: the way through ctypes works everywhere
        return None
    name = "matcalc_native"
    loader = importlib.machinery.ExtensionFileLoader(name, str(library))
    spec = importlib.util.spec_from_file_location(name, library, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
