"""Generated functions of other languages, run in a process of their own for checks: arrays go as files of doubles.

A process holds many functions, since its start takes longer than a call. It reads a line with the number of a function,
takes the arrays of `in.bin`, leaves those of `out.bin` and answers with a line. No text of a user is run.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from matcalc.dims import is_one, shape_text
from matcalc.errors import MatcalcError
from matcalc.expr import Expr
from matcalc.targets.registry import Signature

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
_LONGEST, _MATRIX = 2000, 2
_SECONDS = 120.0  # a call that takes longer is ended
Start: TypeAlias = Callable[[Path, Sequence["Job"]], list[str]]


class Job:
    """A function that is run.

    Attributes:
        source: its text.
        signature: what it takes and returns.
        sizes: the names of the sizes that it takes after its inputs.
        typed: numbers, and maybe columns, have types of their own there, so that it cannot see a matrix in their place.
    """

    def __init__(self, source: str, signature: Signature, sizes: Sequence[str], *, typed: bool = False) -> None:
        self.source, self.signature, self.sizes, self.typed = source, signature, list(sizes), typed
        by_name = {v.params[0]: v for v in signature.variables}
        self.tangents = [by_name[name] for name in signature.names] if signature.kind.tangents else []

    @property
    def count(self) -> int:
        """The number of inputs before tangents, cotangent and sizes."""
        return len(self.signature.variables)

    def arguments(self, item: str, entry: str, together: str) -> str:
        """The arguments of a call, from the matrices of a list.

        Args:
            item: the text of a member of the list, with its number from 1.
            entry: the text of a tangent, with its name and its member.
            together: the text of all tangents.
        """
        numbers = iter(range(1, self.count + len(self.tangents) + 2 + len(self.sizes)))
        given = [item.format(next(numbers)) for _ in range(self.count)]
        if self.tangents:
            parts = (entry.format(v.params[0], item.format(next(numbers))) for v in self.tangents)
            given.append(together.format(", ".join(parts)))
        if self.signature.kind.cotangent:
            given.append(item.format(next(numbers)))
        given += [item.format(next(numbers)) for _ in self.sizes]
        return ", ".join(given)


class Process:
    """A running process with some functions.

    Args:
        jobs: the functions.
        start: writes what is needed into a folder, and gives the command.
    """

    def __init__(self, jobs: Sequence[Job], start: Start) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="matcalc-"))
        weakref.finalize(self, shutil.rmtree, self.path)
        command = start(self.path, jobs)
        self.process = subprocess.Popen(
            command, cwd=self.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        weakref.finalize(self, _ended, self.process)

    def call(self, number: int, arrays: Sequence[Array]) -> list[Array]:
        """The results of a function for these arrays.

        Raises:
            ValueError: the function refuses them.
            MatcalcError: the process ended.
        """
        parts = [part for a in arrays for part in (np.array(a.shape, dtype=float), a.ravel(order="F"))]
        (self.path / "in.bin").write_bytes(np.concatenate(parts).tobytes() if parts else b"")
        timer = threading.Timer(_SECONDS, self.process.kill)
        timer.start()
        answer = self._answer(f"{number}\n ")  # Octave looks at what follows a line before it gives it
        timer.cancel()
        if answer.startswith("error"):
            raise ValueError(answer.removeprefix("error").strip())
        if answer != "done":
            self.process.kill()
            said = self.process.stderr.read() if self.process.stderr is not None else ""
            raise MatcalcError(f"{answer} {said}".strip()[-_LONGEST:] or "the process ended")
        return _read(self.path / "out.bin")

    def _answer(self, line: str) -> str:
        """What the process answers to a line; nothing if it ended."""
        if self.process.stdin is None or self.process.stdout is None:
            return ""
        try:
            self.process.stdin.write(line)
            self.process.stdin.flush()
        except BrokenPipeError:
            return ""
        return self.process.stdout.readline().strip()


def _ended(process: subprocess.Popen[str]) -> None:
    """End a process, and close what leads to it."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _read(path: Path) -> list[Array]:
    data = np.frombuffer(path.read_bytes(), dtype=float)
    found = []
    while len(data):
        m, n = int(data[0]), int(data[1])
        found.append(np.array(data[2 : 2 + m * n].reshape(m, n, order="F")))
        data = data[2 + m * n :]
    return found


def functions(jobs: Sequence[Job], start: Start) -> list[Callable[..., Any]]:
    """The functions of some jobs, in one process, called as those of NumPy."""
    process = Process(jobs, start)
    return [function(partial(process.call, number), job) for number, job in enumerate(jobs)]


def function(run: Callable[[list[Array]], list[Array]], job: Job) -> Callable[..., Any]:
    """A function that is called as NumPy's, by what gives the results as matrices for matrices."""
    signature, kind = job.signature, job.signature.kind
    matrix = _fitting if job.typed else _matrix

    def call(
        *, dims: Mapping[str, int] | None = None, tangents: Any = None, cotangent: Any = None, **arrays: Any
    ) -> Any:
        names = [v.params[0] for v in signature.variables]
        if arrays.keys() != set(names):
            raise TypeError(f"the function takes {', '.join(names)}, got {', '.join(arrays)}")
        given = [matrix(arrays[v.params[0]], v, v.params[0]) for v in signature.variables]
        for v in job.tangents:
            along = tangents[v.params[0]] if v.params[0] in tangents else np.zeros(np.shape(arrays[v.params[0]]))
            given.append(matrix(along, v, f"the tangent of {v.params[0]}"))
        if kind.cotangent:
            given.append(matrix(cotangent, signature.output, "the cotangent"))
        given += [np.full((1, 1), float((dims or {})[size])) for size in job.sizes]
        results = run(given)
        value = _number(results.pop(0), signature.output) if kind.value else None
        if not kind.derivatives:
            return value
        if kind.tangents and not kind.second:
            return _number(results[0], signature.output)
        found = {}
        for name, a in zip(signature.names, results, strict=True):
            form = np.shape(arrays[name]) if name in arrays and not kind.matrix else a.shape
            found[name] = float(a.item()) if form == () else a.reshape(form, order="F")
        return found if value is None else (value, found)

    call.__name__ = kind.name
    return call


def _number(a: Array, of: Expr) -> Any:
    """The value of a 1 x 1 expression as a number."""
    return float(a.item()) if of.is_scalar else a


def _matrix(value: Any, of: Expr, name: str) -> Array:
    """A value as a matrix of doubles; plain vectors will do for columns and rows, numbers for 1 x 1 values.

    Raises:
        ValueError: it is something else.
    """
    a = np.asarray(value)
    if a.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be an array of real numbers, got dtype {a.dtype}")
    row, column = map(is_one, of.shape)
    if a.ndim > _MATRIX or a.ndim < _MATRIX - row - column:
        raise ValueError(f"{name} must be a 2-D array ({shape_text(of.shape)}), got an array of shape {a.shape}")
    a = a.astype(float)
    if a.ndim == _MATRIX:
        return a
    return a.reshape(1, -1) if row and not column else a.reshape(-1, 1)


def _fitting(value: Any, of: Expr, name: str) -> Array:
    """As `_matrix`, for a language that has types for numbers, columns and rows."""
    a = _matrix(value, of, name)
    if any(is_one(d) and size != 1 for d, size in zip(of.shape, a.shape)):
        raise ValueError(f"{name} is {a.shape[0]} x {a.shape[1]}; needed {shape_text(of.shape)}")
    return a
