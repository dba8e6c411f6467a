"""One program through its checks: the gradient always, the others in turn."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import matcalc.api.derive  # noqa: F401  (fills the registries; expressions print)
from matcalc.expr import postorder

from .case import Case
from .checks import MATRIX, SCALAR, guarded
from .generate import Program, make, scalar
from .reference import Failure
from .shrink import reproduction, shrunk

# How often a check's turn comes, in programs; Hessians and compiled targets cost most.
EVERY = {"hessian": 29, "hvp": 19, "graph": 13, "sympy": 11, "named": 7, "structure": 7, "jacobian": 8, "jvp": 9}
EVERY |= {"factored": 9, "array-api": 23, "torch": 19, "dask": 71, "jax": 53, "numba": 997}
SECONDS = 240.0


@dataclass
class Outcome:
    """What came of one program.

    Attributes:
        results: one word for each check, or why it was refused.
        failures: pairs of a kind (the check and the operations of the shrunk program) and a reproduction.
        seconds: of the processor.
    """

    results: list[str] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0


def checks_of(number: int, everything: bool = False) -> Iterator[str]:
    """The checks of a program by its number."""
    yield "gradient"
    for name in (*SCALAR, *MATRIX):
        if everything or number % EVERY[name] == EVERY[name] - 1:
            yield name


def outcome(seed: int, number: int, *, everything: bool = False, shrink: bool = True) -> Outcome:
    """Make and check the program of a seed and a number."""
    started = time.process_time()
    found = Outcome()
    program = make((seed, number))
    reduced = None if program is None else scalar(program)
    whole, function = (None if p is None else Case(p) for p in (program, reduced))
    for name in checks_of(number, everything):
        tried = whole if name in MATRIX else function
        if tried is None:
            found.results.append("no program")
            continue
        try:
            found.results.append(_short(guarded(name, tried)))
        except Failure as failure:
            small, what = shrunk(name, tried.program) if shrink else (tried.program, failure.what)
            found.failures.append((kind_of(name, small, what), reproduction(name, small, what or failure.what)))
    found.seconds = time.process_time() - started
    return found


class TooLong(BaseException):
    """A program takes more than its time; not an Exception, which a check would take for a failure."""


def task(given: tuple[int, int, bool]) -> Outcome:
    """The outcome of a program for a process of its own: a seed, a number and whether to shrink.

    What takes more than its processor time is told by its number, so that one program does not hold up all others.
    """
    seed, number, shrink = given
    signal.signal(signal.SIGVTALRM, _stopped)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        return outcome(seed, number, shrink=shrink)
    except TooLong:
        return Outcome([f"too long: program {number}"], seconds=SECONDS)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _stopped(*_: object) -> None:
    raise TooLong


def _short(result: str) -> str:
    """A result without the names in it."""
    return re.sub(r"\b[A-Za-z]\w?\b", "_", result)[:100] if result.startswith("refused") else result


def kind_of(name: str, program: Program, what: str) -> str:
    """What failures have in common that are one fault."""
    error = re.match(r"\w+(Error|Exception)", what.partition(": ")[2] or what)
    operations = sorted({e.op for e in postorder((program.output,))} - {"variable", "number", "named"})
    return f"{name.split()[0]} {error[0] if error else ''} {' '.join(operations)}"
