"""Random values for variables: they satisfy the facts, and are otherwise the least structured.

Distinct dimensions get distinct sizes, a matrix not said to be symmetric is not symmetric, and so on: a special sample
would hide a missing transpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from matcalc import dims
from matcalc.errors import FactError, MatcalcError
from matcalc.expr import Expr
from matcalc.numeric.binding import Array
from matcalc.properties import BIT, NAMES, bits, names_of

SIZES = (3, 5, 4, 6, 7, 2, 8, 9, 11, 10, 13, 12)
MODES = ("free", "positive", "unit", "large", "dominant")
MIXED = "mixed"  # each variable in a mode of its own, and of its own size: b - A x > 0 wants a large b
_OF_ONE_SIZE = bits("orthogonal", "one-hot", "one-hot-column", "row-stochastic", "column-stochastic")
_INTERVAL = {"positive": (0.3, 2.0), "unit": (0.05, 0.95), "large": (1.2, 3.0)}
_TRIES = 40
_ROUNDING = 1e-9
_CONDITION = 50.0


def sample(
    variables: Iterable[Expr],
    seed: Any = 0,
    sizes: Mapping[str, int] | None = None,
    mode: str = "free",
    also: Iterable[Any] = (),
) -> tuple[dict[str, Array], dict[str, int]]:
    """Values for the variables and sizes for the dimensions in their shapes.

    Args:
        variables: variable nodes.
        seed: a seed or a `numpy.random.Generator`.
        sizes: sizes that are given; the others are drawn, distinct.
        mode: where entries that no fact restricts lie: "free" (normal), "positive", "unit" (between 0 and 1), "large"
            (above 1), "dominant" (square matrices with a positive definite symmetric part, the rest free),
            "mixed" (each variable in one of these, scaled).
        also: further dimensions that get sizes.

    Raises:
        FactError: no value with the facts of a variable was found.
        MatcalcError: no sizes make every dimension a positive integer.
    """
    rng = np.random.default_rng(seed)
    variables = list(variables)
    for attempt in range(_TRIES):
        chosen = draw_sizes([*(d for v in variables for d in v.shape), *also], rng, sizes)
        try:
            return {v.params[0]: _value(v, chosen, rng, mode) for v in variables}, chosen
        except FactError:  # a skew matrix of odd order is singular: another size may do
            if attempt == _TRIES - 1 or len(sizes or {}) == len(chosen):
                raise
    raise AssertionError("unreachable")


def _value(v: Expr, sizes: Mapping[str, int], rng: np.random.Generator, mode: str) -> Array:
    shape = dims.evaluate(v.shape[0], sizes), dims.evaluate(v.shape[1], sizes)
    if mode != MIXED:
        return value_with_facts(v.params[0], v.params[3], shape, rng, mode)
    array = value_with_facts(v.params[0], v.params[3], shape, rng, str(rng.choice(MODES)))
    return array if v.params[3] & _OF_ONE_SIZE else array * 10 ** rng.uniform(-1, 1)


def draw_sizes(
    wanted: Iterable[Any], rng: np.random.Generator, given: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Distinct small sizes for the symbols in some dimensions, such that every dimension is a positive integer.

    Raises:
        MatcalcError: none were found.
    """
    wanted = list(wanted)
    fixed = dict(given or {})
    free = [name for name in dims.symbols(wanted) if name not in fixed]
    count = max(len(free), 4)
    pool = [*SIZES, *range(14, 14 + count)]
    for attempt in range(_TRIES):
        candidates = rng.permutation(pool[: count + attempt // 4])
        sizes = fixed | {name: int(size) for name, size in zip(free, candidates)}
        if all(_is_size(d, sizes) for d in wanted):
            return sizes
    raise MatcalcError(f"no sizes found that make {', '.join(map(str, wanted))} positive integers")


def _is_size(d: Any, sizes: Mapping[str, int]) -> bool:
    try:
        return dims.evaluate(d, sizes) > 0
    except MatcalcError:
        return False


def value_with_facts(
    name: str, mask: int, shape: tuple[int, int], rng: np.random.Generator, mode: str = "free"
) -> Array:
    """A random array of this shape with the facts in `mask`.

    Raises:
        FactError: none was found.
    """
    for _ in range(_TRIES):
        array = _candidate(mask, shape, rng, mode)
        if all(holds(array, fact) for fact in NAMES if mask & BIT[fact]):
            return array
    raise FactError(f"found no {shape[0]} x {shape[1]} value for {name} that is {', '.join(names_of(mask))}")


def holds(X: Array, fact: str) -> bool:
    """Whether a fact is true of an array, up to rounding."""
    return bool(_HOLDS[fact](X))


def _near(A: Array, B: Any) -> bool:
    return bool(np.all(np.abs(A - B) <= _ROUNDING * (1 + np.abs(A).max(initial=0))))


def _is_one_hot(X: Array) -> bool:
    return bool(np.all((X == 0) | (X == 1)) and np.all(X.sum(axis=1) == 1))


def _well_conditioned(X: Array) -> bool:
    return bool(np.linalg.cond(X) < _CONDITION * max(X.shape))


_HOLDS: dict[str, Callable[[Array], Any]] = {
    "symmetric": lambda X: _near(X, X.T),
    "skew": lambda X: _near(X, -X.T),
    "diagonal": lambda X: _near(X, np.diag(np.diagonal(X))),
    "lower": lambda X: _near(X, np.tril(X)),
    "upper": lambda X: _near(X, np.triu(X)),
    "orthogonal": lambda X: _near(X.T @ X, np.eye(X.shape[0])),
    "positive-definite": lambda X: _near(X, X.T) and np.linalg.eigvalsh(X).min() > _ROUNDING,
    "positive-semidefinite": lambda X: _near(X, X.T) and np.linalg.eigvalsh(X).min() > -_ROUNDING,
    "nonsingular": _well_conditioned,
    "positive": lambda X: np.all(X > 0),
    "nonnegative": lambda X: np.all(X >= 0),
    "nonzero": lambda X: np.all(X != 0),
    "constant": lambda X: True,
    "one-hot": _is_one_hot,
    "one-hot-column": lambda X: _is_one_hot(X.T),
    "row-stochastic": lambda X: _near(X.sum(axis=1), 1),
    "column-stochastic": lambda X: _near(X.sum(axis=0), 1),
}


def _candidate(mask: int, shape: tuple[int, int], rng: np.random.Generator, mode: str) -> Array:
    """A value that has been pushed towards the facts; combinations that the pushes break are drawn again."""

    def has(*names: str) -> bool:
        return bool(mask & bits(*names))

    m, n = shape
    if has("one-hot") and has("one-hot-column"):
        return _rows_of_identity(rng.permutation(m), n)
    if has("one-hot"):
        return _rows_of_identity(rng.integers(n, size=m), n)
    if has("one-hot-column"):
        return _rows_of_identity(rng.integers(m, size=n), m).T
    X = _entries(mask, shape, rng, mode)
    if has("row-stochastic", "column-stochastic"):
        return _stochastic(X, mask)
    return _square(X, mask, rng, mode) if m == n else X


def _rows_of_identity(rows: Array, n: int) -> Array:
    return np.asarray(rows[:, None] == np.arange(n), dtype=np.float64)


def _entries(mask: int, shape: tuple[int, int], rng: np.random.Generator, mode: str) -> Array:
    signed = mode in _INTERVAL
    if signed or mask & bits("positive"):
        low, high = _INTERVAL.get(mode, _INTERVAL["positive"])
        return rng.uniform(low, high, size=shape)
    X = rng.normal(size=shape)
    if mask & bits("nonnegative"):
        X = np.abs(X)
    if mask & bits("nonzero"):
        X = X + 0.3 * np.sign(X)
    return X


def _sums_to_one(X: Array, axis: int) -> Array:
    """Rows or columns shifted or scaled to the sum 1; the signs of entries are kept where there is only one sign."""
    if np.all(X > 0):
        return np.asarray(X / X.sum(axis=axis, keepdims=True))
    return np.asarray(X + (1 - X.sum(axis=axis, keepdims=True)) / X.shape[axis])


def _stochastic(X: Array, mask: int) -> Array:
    def has(*names: str) -> bool:
        return bool(mask & bits(*names))

    n = X.shape[1]
    if has("lower", "upper"):
        return np.eye(n) if has("diagonal", "symmetric") else _triangular_stochastic(X, mask)
    if (has("row-stochastic") and has("column-stochastic")) or has("symmetric"):
        X = _doubly_stochastic(X, symmetric=has("symmetric"))
        return (X + n * np.eye(n)) / (n + 1) if has("positive-semidefinite") else X
    return _sums_to_one(X, axis=1 if has("row-stochastic") else 0)


def _triangular_stochastic(X: Array, mask: int) -> Array:
    X = np.abs(X) + 0.1
    X = np.tril(X) if mask & bits("lower") else np.triu(X)
    return np.asarray(X / X.sum(axis=1 if mask & bits("row-stochastic") else 0, keepdims=True))


def _doubly_stochastic(X: Array, *, symmetric: bool) -> Array:
    X = np.abs(X) + 0.1
    if symmetric:
        X = X + X.T
    for _ in range(500):
        X = X / X.sum(axis=1, keepdims=True)
        X = X / X.sum(axis=0, keepdims=True)
    return np.asarray((X + X.T) / 2) if symmetric else X


def _square(X: Array, mask: int, rng: np.random.Generator, mode: str) -> Array:
    def has(*names: str) -> bool:
        return bool(mask & bits(*names))

    n = X.shape[0]
    if has("orthogonal"):
        return _orthogonal(X, mask, rng)
    if has("diagonal") or (has("symmetric") and has("lower", "upper")):
        d = np.diagonal(X)
        if has("positive-semidefinite"):
            d = np.abs(d) + 0.3
        elif has("nonsingular"):
            d = d + 0.5 * np.sign(d)
        return np.asarray(np.diag(d))
    if has("positive-semidefinite"):
        S = X @ X.T / n
        return np.asarray(S + 0.5 * np.eye(n) if has("positive-definite") else S)
    if has("skew"):
        return np.asarray((X - X.T) / 2)
    if has("lower") or has("upper"):
        if has("nonsingular") or mode == "dominant":
            d = np.diagonal(X)
            X = X / n + np.diag(np.abs(d) + 0.5 if mode == "dominant" else d + 0.5 * np.sign(d))
        return np.tril(X) if has("lower") else np.triu(X)
    if has("symmetric"):
        X = (X + X.T) / 2
    if mode == "dominant" or (has("symmetric") and has("nonsingular") and not has("nonnegative")):
        values, vectors = np.linalg.eigh((X + X.T) / 2)
        shifted = np.abs(values) + 0.5 if mode == "dominant" else values + 0.5 * np.sign(values)
        X = X + (vectors * (shifted - values)) @ vectors.T
        return np.asarray((X + X.T) / 2) if has("symmetric") else X
    return X


def _orthogonal(X: Array, mask: int, rng: np.random.Generator) -> Array:
    n = X.shape[0]
    signs = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    if mask & bits("positive-definite", "positive-semidefinite"):
        return np.eye(n)
    if mask & bits("diagonal", "lower", "upper"):
        return np.diag(signs)
    Q = np.asarray(np.linalg.qr(X)[0])
    if mask & bits("skew"):
        if n % 2:
            return Q  # there is none: the caller says so
        pairs = np.kron(np.eye(n // 2), np.array([[0.0, 1.0], [-1.0, 0.0]]))
        return np.asarray(Q @ pairs @ Q.T)
    if mask & bits("symmetric"):
        signs[0], signs[-1] = 1.0, -1.0
        S = (Q * signs) @ Q.T
        return np.asarray((S + S.T) / 2)
    return np.asarray(Q * signs)
