"""The certificate of a program with loops: generated code against differences of the program written out.

The program is unrolled for some sizes, and evaluated as it stands; nothing of the adjoints or of the loops is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from matcalc.errors import ShapeError
from matcalc.loops.pieces import Pieces
from matcalc.loops.problem import LoopProblem
from matcalc.loops.unrolled import Unrolled, loop_sizes, unrolled
from matcalc.numeric.check import check_gradient, check_jacobian
from matcalc.numeric.report import Report
from matcalc.numeric.sums import with_sums

_LENGTHS = (3, 4, 2, 5, 6, 7)


def lengths(d: LoopProblem) -> dict[str, int]:
    """Small sizes for the dimensions that say how often loops run.

    Raises:
        ShapeError: none were found for which no range is empty.
    """
    names = loop_sizes(d.program)
    for shift in range(4):
        sizes = {name: _LENGTHS[k % len(_LENGTHS)] + shift for k, name in enumerate(names)}
        try:
            unrolled(d.pieces, sizes)
        except ShapeError:
            continue
        return sizes
    raise ShapeError("no sizes were found for which no range is empty")


def checked(d: LoopProblem, function: Callable[..., Any], trials: int, seed: int) -> Report:
    """The report on the generated gradients."""
    found = unrolled(d.pieces, lengths(d))
    names = [m for name in d.names for m in found.members.get(name, [name])]
    report = check_gradient(
        found.output, found.variables, _adapted(function, found), wrt=names, trials=trials, seed=seed
    )
    report = replace(report, errors=_by_family(report.errors, found), sizes=_with_loops(report.sizes, found))
    return with_sums(report, d.liftings, d.declared, seed)


def _adapted(function: Callable[..., Any], found: Unrolled) -> Callable[..., Any]:
    """The generated function, of a variable for each member."""

    def adapted(*, dims: Mapping[str, int], **arrays: Any) -> tuple[float, dict[str, Any]]:
        value, gradients = function(**found.packed(arrays), dims={**dims, **found.sizes})
        flat: dict[str, Any] = {}
        for name, gradient in gradients.items():
            if name in found.members:
                flat |= {m: np.asarray(g) for m, g in zip(found.members[name], gradient)}
            else:
                flat[name] = np.asarray(gradient)
        return value, flat

    return adapted


def checked_jacobian(d: LoopProblem, pieces: Pieces, function: Callable[..., Any], trials: int, seed: int) -> Report:
    """The report on the generated Jacobians of a value that is no number: `d` is that of its products."""
    found = unrolled(pieces, lengths(d))

    def adapted(*, dims: Mapping[str, int], **arrays: Any) -> dict[str, Any]:
        flat: dict[str, Any] = {}
        for name, jacobian in function(**found.packed(arrays), dims={**dims, **found.sizes}).items():
            members = found.members.get(name)
            flat |= {name: jacobian} if members is None else dict(zip(members, jacobian))
        return flat

    names = [m for name in d.names for m in found.members.get(name, [name])]
    report = check_jacobian(found.output, found.variables, adapted, wrt=names, trials=trials, seed=seed)
    return replace(report, errors=_by_family(report.errors, found), sizes=_with_loops(report.sizes, found))


def _by_family(errors: Mapping[str, float], found: Unrolled) -> dict[str, float]:
    """The worst errors by the names of the program."""
    family = {m: name for name, members in found.members.items() for m in members}
    worst: dict[str, float] = {}
    for name, error in errors.items():
        key = family.get(name, name)
        worst[key] = max(error, worst.get(key, 0.0))
    return worst


def _with_loops(sizes: tuple[dict[str, int], ...], found: Unrolled) -> tuple[dict[str, int], ...]:
    return tuple({**found.sizes, **one} for one in sizes)
