"""The runtime functions that solve the equations of implicit values, by functions of the standard; like `matrices`.

Loops and branches go through `_repeated`, so that JAX can trace them; where there is no solution, it is nan.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from matcalc.targets.libraries.entries import _cast, _reshape, _vec
from matcalc.targets.libraries.equations import _solved
from matcalc.targets.libraries.matrices import _nan_where, _repeated, _rounding, _size
from matcalc.targets.libraries.structure import _dup


def _newton(xp, equation, shape, facts, dtype):
    """The x at which `equation`, a function to the residual and its matrix on vec, is 0; facts are what x must be.

    Newton's method with shorter steps where the residual does not shrink, from several starts; nan where it does not
    converge from any. Of several solutions it is the one that is found first.
    """
    count = shape[0] * shape[1]

    def evaluated(x):
        residual, matrix = equation(x)
        return xp.reshape(residual, shape), xp.reshape(matrix, (count, count))

    starts = _starts(xp, shape, facts, dtype)

    def attempt(state):
        _, k, _ = state
        chosen = xp.reshape(_cast(xp, xp.arange(len(starts)) == k, dtype), (-1, 1, 1))
        x, good = _descent(xp, evaluated, xp.sum(chosen * xp.stack(starts), axis=0), facts)
        return ~good & (k + 1 < len(starts)), k + 1, _nan_where(xp, ~good, x)

    first = xp.sum(xp.zeros(1, dtype=dtype))
    return _repeated(xp, attempt, (first == 0, xp.sum(xp.arange(1)), starts[0]), len(starts))[2]


def _starts(xp, shape, facts, dtype):
    """Where Newton's method starts: at 0, or at what has the facts."""
    one = xp.ones(shape, dtype=dtype)
    if "positive-definite" in facts:
        return [c * xp.eye(shape[0], dtype=dtype) for c in (1.0, 0.1, 10.0, 0.01, 100.0)]
    if "positive" in facts:
        return [c * one for c in (1.0, 0.1, 10.0, 0.01, 100.0)]
    number = xp.reshape(_cast(xp, xp.arange(shape[0] * shape[1]), dtype), shape)
    drawn = [c * xp.sin(1 + 7.3 * c + 12.9 * number) for c in (0.1, 0.3, 1.0, 3.0)]
    if "symmetric" in facts:
        drawn = [(x + x.T) / 2 for x in drawn]
    return [0 * one, one, -one, *drawn]


def _descent(xp, equation, start, facts):
    """Newton's method from a start: what it comes to, and whether that is a solution."""
    eps = _rounding(xp, start)

    def step(state):
        _, x, residual, matrix, _ = state
        move = _reshape(xp, _solved(xp, matrix, _vec(xp, residual)), x.shape[0], x.shape[1])
        small = _size(xp, move) <= eps**0.6 * (1 + _size(xp, x))
        length = xp.sqrt(xp.sum(residual * residual))

        def shorter(inner):
            _, _, part, *_ = inner
            new = x - part * move
            inside = _has(xp, new, facts)
            rest, slope = equation(xp.where(inside, new, x))
            fits = inside & (xp.sqrt(xp.sum(rest * rest)) <= (1 - part / 4) * length)
            return ~fits & ~small & (part > 1e-8), fits, part / 2, new, rest, slope

        begin = (length == length, length != length, xp.ones_like(length), x, residual, matrix)
        _, fits, _, new, rest, slope = _repeated(xp, shorter, begin, 30)
        x, residual, matrix = (xp.where(fits, a, b) for a, b in ((new, x), (rest, residual), (slope, matrix)))
        finite = xp.all(xp.isfinite(move)) & xp.all(xp.isfinite(residual)) & xp.all(xp.isfinite(matrix))
        return fits & ~small & finite, x, residual, matrix, small & finite

    residual, matrix = equation(start)
    yes = xp.all(start == start)
    _, x, _, matrix, solved = _repeated(xp, step, (yes, start, residual, matrix, ~yes), 100)
    return x, solved & _is_solution(xp, x, matrix, facts)


def _is_definite(xp, x):
    """Whether the symmetric part is positive definite."""
    x = (x + x.T) / 2
    finite = xp.all(xp.isfinite(x))
    return finite & (xp.min(xp.linalg.eigh(xp.where(finite, x, xp.zeros_like(x)))[0]) > 0)


def _has(xp, x, facts):
    """Whether x is in the open set that the facts leave."""
    if "positive-definite" in facts:
        return _is_definite(xp, x)
    return xp.all(x > 0) if "positive" in facts else xp.all(x == x)


def _is_solution(xp, x, matrix, facts):
    """Whether x has the facts, and is a minimum where it must be."""
    good = _has(xp, x, facts)
    if "symmetric" in facts:
        good = good & (_size(xp, x - x.T) <= 0.01 * _size(xp, x))
    if "minimum" in facts:
        if "symmetric" in facts:  # it moves along symmetric matrices
            basis = _cast(xp, _dup(xp, x.shape[0]), x.dtype)
            matrix = basis.T @ matrix @ basis
        good = good & _is_definite(xp, matrix)
    return good
