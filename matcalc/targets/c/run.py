"""C functions, compiled with the machine's CBLAS and called from Python, for checks."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from matcalc.core import exact_dim
from matcalc.dims import evaluate, substitute
from matcalc.errors import MatcalcError
from matcalc.expr import Expr, postorder
from matcalc.targets.matrix_languages.runs import Array, Job, function
from matcalc.targets.registry import Signature

_HEAD = re.compile(r"^int (\w+)\((.*?)\)\n\{", re.MULTILINE | re.DOTALL)
_LIBRARIES = (["-lopenblas"], ["-llapack", "-lblas"], ["-llapack", "-lcblas"])
_POINTER = ctypes.POINTER(ctypes.c_double)
_LONGEST = 3000
_SAID = {-1: "a size is below 1", -2: "no memory", -4: "rows or columns outside of a matrix"}


def c_functions(sources: Sequence[tuple[str, Signature]]) -> list[Callable[..., Any]]:
    """The functions of some C files.

    Raises:
        MatcalcError: there is no compiler, or no CBLAS.
    """
    return [_function(text, signature) for text, signature in sources]


def _function(text: str, signature: Signature) -> Callable[..., Any]:
    found = _HEAD.search(text)
    assert found is not None
    parameters = re.split(r",\s+", found[2])
    sizes = [p.removeprefix("int ").rstrip("_") for p in parameters if p.startswith("int ")]
    every = {str(s) for v in signature.variables for d in v.shape for s in exact_dim(d).free_symbols}
    job = Job(text, signature, [name for name in sizes if name not in every], typed=True)
    library = _library(text)
    return function(partial(_called, getattr(library, found[1]), sizes, job), job)


class CFunction:
    """The function of a C file, called with sizes and arrays that fit.

    Args:
        text: the file.
        shapes: the shapes of the results, by the sizes.

    Raises:
        MatcalcError: there is no compiler, or no CBLAS.
    """

    def __init__(self, text: str, shapes: Callable[..., list[tuple[int, ...]]]) -> None:
        found = _HEAD.search(text)
        assert found is not None
        self.shapes = shapes
        self.numbers = [p.startswith("double ") and "*" not in p for p in re.split(r",\s+", found[2])]
        self.library = _library(text)
        self.function = getattr(self.library, found[1])

    def __call__(self, dtype: Any, sizes: Sequence[int], inputs: Sequence[Any]) -> list[Array]:
        """The results.

        Raises:
            ValueError: the function reports an error.
        """
        arrays = [np.require(a, dtype, ["C", "A"]) for a in inputs]
        results = [np.full(shape, np.nan) for shape in self.shapes(*sizes)]
        numbers = self.numbers[len(sizes) :]
        given = [ctypes.c_double(a.item()) if n else a.ctypes.data_as(_POINTER) for a, n in zip(arrays, numbers)]
        taken = [a.ctypes.data_as(_POINTER) for a in results]
        status = self.function(*map(ctypes.c_int, sizes), *given, *taken)
        if status != 0:
            raise ValueError(_SAID.get(status, "a matrix is singular or not positive definite"))
        return results


def _library(text: str) -> ctypes.CDLL:
    """The compiled file."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise MatcalcError("running a function in C needs a C compiler, and there is no cc or gcc on the path")
    folder = Path(tempfile.mkdtemp(prefix="matcalc-"))
    (folder / "f.c").write_text(text, encoding="utf-8")
    said = ""
    for libraries in _LIBRARIES:
        command = [compiler, "-std=c99", "-O1", "-shared", "-fPIC", "f.c", "-o", "f.so", *libraries, "-lm"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            library = ctypes.CDLL(str(folder / "f.so"))
            weakref.finalize(library, shutil.rmtree, folder)
            return library
        said = said or done.stderr
    shutil.rmtree(folder)
    needed = "running a function in C needs a CBLAS with LAPACK (Debian: apt-get install libopenblas-dev)"
    raise MatcalcError(f"{needed}: {said[:_LONGEST]}")


def _called(compiled: Any, sizes: Sequence[str], job: Job, given: list[Array]) -> list[Array]:
    """The results of a C function.

    Raises:
        ValueError: the shapes do not fit, or the function reports an error.
    """
    signature = job.signature
    values = given[: len(given) - len(job.sizes)]
    known = dict(zip(job.sizes, (int(a.item()) for a in given[len(values) :])))
    of = [*signature.variables, *job.tangents, *([signature.output] if signature.kind.cotangent else [])]
    _measure(of, values, known)
    kept = [np.ascontiguousarray(a) for a in values]
    results = [np.full([evaluate(d, known) for d in shape], np.nan) for shape in _results(signature)]
    arguments = [ctypes.c_int(known[name]) for name in sizes]
    arguments += [_argument(a, v) for a, v in zip(kept, of)]
    status = compiled(*arguments, *(_argument(a, None) for a in results))
    if status != 0:
        raise ValueError(_SAID.get(status, "a matrix is singular or not positive definite"))
    return results


def _argument(a: Array, v: Expr | None) -> Any:
    """A number, or a pointer."""
    return ctypes.c_double(a.item()) if v is not None and v.is_scalar else a.ctypes.data_as(_POINTER)


def _measure(of: Sequence[Expr], values: Sequence[Array], known: dict[str, int]) -> None:
    """Add the sizes that the shapes of some arrays have.

    Raises:
        ValueError: a shape does not fit.
    """
    places = [(v, axis, d, a.shape[axis]) for v, a in zip(of, values) for axis, d in enumerate(v.shape)]
    for single in (True, False):  # first what is a size, then what is made of one that is not known yet
        for _, _, d, size in places:
            left = exact_dim(substitute(d, known))
            if len(left.free_symbols) == 1 and (left.is_Symbol or not single):
                (unknown,) = left.free_symbols
                known[unknown.name] = int((size - left.subs(unknown, 0)) / max(left.coeff(unknown, 1), 1))
    for v, axis, d, size in places:
        if evaluate(d, known) != size:
            raise ValueError(f"{v.params[0]} has {size} {'columns' if axis else 'rows'}; needed {evaluate(d, known)}")


def _results(signature: Signature) -> list[Any]:
    """The shapes of the results."""
    kind, output = signature.kind, signature.output
    found: list[Any] = [output.shape] if kind.value or (kind.tangents and not kind.second) else []
    if not kind.derivatives or (kind.tangents and not kind.second):
        return found
    named = [e for e in postorder((output,)) if e.op == "named"]
    parts = {e.params[0]: e for e in (*signature.variables, *named)}  # a variable need not be in the value
    for name in signature.names:
        count = parts[name].shape[0] * parts[name].shape[1]
        rows = count if kind.second else output.shape[0] * output.shape[1]
        found.append((rows, count) if kind.matrix else parts[name].shape)
    return found
