"""A failing program made as small as it gets: while a smaller one fails in the same check, that is taken."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from matcalc import core
from matcalc.dims import same_shape
from matcalc.errors import MatcalcError
from matcalc.expr import Expr, node, postorder
from matcalc.walk import rebuild, substitute

from .case import Case
from .checks import MATRIX, guarded
from .evaluation import value_of
from .generate import Program
from .reference import Failure

BUDGET = 400  # runs of the check


def shrunk(name: str, program: Program) -> tuple[Program, str]:
    """The smallest program found that fails in this check, and how it fails.

    Raises:
        Failure: never; a program that does not fail comes back with an empty text.
    """
    what = _fails(name, program)
    runs, moved = 0, bool(what)
    while moved and runs < BUDGET:
        moved = False
        for smaller in _candidates(name, program):
            runs += 1
            found = _fails(name, smaller)
            if found:
                program, what, moved = smaller, found, True
                break
            if runs >= BUDGET:
                break
    return program, what


def _fails(name: str, program: Program) -> str:
    try:
        guarded(name, Case(program))
    except Failure as failure:
        return failure.what
    return ""


def _size(e: Expr) -> tuple[int, int]:
    order = list(postorder((e,)))
    return len(order), sum(bool(s.op == "variable" and s.params[3]) for s in order)


def _candidates(name: str, program: Program) -> Iterator[Program]:
    """Smaller programs, the smallest first."""
    found: dict[Expr, Program] = {}
    for smaller in _all(name, program):
        if smaller.variables and _size(smaller.output) < _size(program.output):
            found.setdefault(smaller.output, smaller)
    yield from sorted(found.values(), key=lambda p: _size(p.output))


def _all(name: str, program: Program) -> Iterator[Program]:
    order = list(postorder((program.output,)))
    for e in order[:-1]:
        if e.op in ("number", "variable"):
            continue
        if name in MATRIX or e.is_scalar:
            yield program.at(e)
        else:
            yield program.at(core.total(e))
            yield program.at(core.total(core.hadamard(e, e)))
    for e in order:
        for new, arrays in _replacements(program, e):
            try:
                output = substitute(program.output, {e: new})
            except MatcalcError:
                continue
            if name in MATRIX or output.is_scalar:
                yield program.at(output, arrays)


def _replacements(program: Program, e: Expr) -> Iterator[tuple[Expr, dict[str, np.ndarray]]]:
    """What may stand for a part: an argument, a variable with its value, a variable without facts, fewer terms."""
    if e.op == "variable":
        if e.params[3]:
            yield core.var(e.params[0], *e.shape), {}
        return
    if e.op == "number":
        return
    for a in e.args:
        if same_shape(a.shape, e.shape):
            yield a, {}
    if e.args and len(e.args) > 2 and e.op in ("add", "hadamard", "scale"):
        for k in range(len(e.args) - 1):
            try:
                yield rebuild(e, [*e.args[:k], *e.args[k + 1 :]]), {}
            except MatcalcError:
                continue
    if e.args and e is not program.output:
        value, _ = value_of(e, program.arrays, program.sizes)
        fresh = next(n for n in ("P", "K", "L", "M", "N", "O", "H", "G", "F", "E", "D", "T") if n not in program.arrays)
        yield core.var(fresh, *e.shape), {fresh: value}
        yield node("ones", (), e.shape) if not e.is_scalar else core.number(1), {}


def reproduction(name: str, program: Program, what: str) -> str:
    """A script that shows the failure, and the program as a case of the tests."""
    arrays = {k: np.round(a, 17).tolist() for k, a in program.arrays.items()}
    return (
        f"# {name}: {what}\n"
        f"# python -m tests.fuzz --seed {program.seed[0] if program.seed else 0} "
        f"--only {program.seed[1] if len(program.seed) > 1 else 0}\n"
        f"SOURCE = {program.text()!r}\nPOINT = {arrays!r}\nSIZES = {program.sizes!r}\n"
    )
