"""The runtime functions that solve equations; like `matcalc.emit.helpers`: the text goes to users."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np


def _newton(name, equation, shape, facts, dtype):
    """The x at which `equation`, a function to the residual and its matrix on vec, is 0; facts are what x must be.

    Newton's method with shorter steps where the residual does not shrink, from several starts; an ArithmeticError where
    it does not converge from any. Of several solutions it is the one that is found first.
    """
    with np.errstate(all="ignore"):
        for start in _starts(shape, facts):
            x = _descent(equation, start.astype(dtype), facts)
            if x is not None:
                return x
    known = ", ".join(word for word in facts if word != "minimum")
    what = f" that is {known}" if known else ""
    raise ArithmeticError(
        f"{name}: Newton's method does not converge: the equation may have no solution{what}"
        + (" at which the second derivative is positive definite" if "minimum" in facts else "")
    )


def _starts(shape, facts):
    """Where Newton's method starts: at 0, or at what has the facts."""
    if "positive-definite" in facts:
        return [c * np.eye(shape[0]) for c in (1.0, 0.1, 10.0, 0.01, 100.0)]
    if "positive" in facts:
        return [np.full(shape, c) for c in (1.0, 0.1, 10.0, 0.01, 100.0)]
    rng = np.random.default_rng(0)
    drawn = [c * rng.standard_normal(shape) for c in (0.1, 0.3, 1.0, 3.0)]
    if "symmetric" in facts:
        drawn = [(x + x.T) / 2 for x in drawn]
    return [np.zeros(shape), np.ones(shape), -np.ones(shape), *drawn]


def _descent(equation, x, facts):
    """Newton's method from x; None where it does not converge to what has the facts."""
    residual, matrix = equation(x)
    for _ in range(100):
        if not (np.isfinite(residual).all() and np.isfinite(matrix).all()):
            return None
        try:
            step = np.linalg.solve(matrix, residual.reshape(-1, 1, order="F")).reshape(x.shape, order="F")
        except np.linalg.LinAlgError:
            return None
        small = np.abs(step).max() <= np.finfo(x.dtype).eps ** 0.6 * (1 + np.abs(x).max())
        size, part = np.linalg.norm(residual), 1.0
        while True:
            new = x - part * step
            if _has(new, facts):
                found = equation(new)
                if np.linalg.norm(found[0]) <= (1 - part / 4) * size:
                    break
            if small:
                return x if _is_solution(x, matrix, facts) else None
            part /= 2
            if part < 1e-8:
                return None
        x, (residual, matrix) = new, found
        if small:
            return x if _is_solution(x, matrix, facts) else None
    return None


def _has(x, facts):
    """Whether x is in the open set that the facts leave."""
    if "positive-definite" in facts and not _is_definite(x):
        return False
    return "positive" not in facts or bool((x > 0).all())


def _is_solution(x, matrix, facts):
    """Whether x has the facts, and is a minimum where it must be."""
    symmetric = "symmetric" in facts
    if symmetric and np.abs(x - x.T).max() > 0.01 * np.abs(x).max():
        return False
    if "minimum" not in facts:
        return True
    if symmetric:  # it moves along symmetric matrices
        number = np.arange(x.size).reshape(x.shape)
        lower = number[np.tril_indices(len(x))]
        basis = (np.eye(x.size) + np.eye(x.size)[number.T.ravel()])[:, lower]
        matrix = basis.T @ matrix @ basis
    return _is_definite(matrix)


def _is_definite(x):
    """Whether the symmetric part is positive definite."""
    try:
        np.linalg.cholesky((x + x.T) / 2)
    except np.linalg.LinAlgError:
        return False
    return True
