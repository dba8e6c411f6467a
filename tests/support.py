"""Samples of the operations from their records, and numeric checkers that the registry-driven tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import sympy as sp

import matcalc as mc
import matcalc.ops
from matcalc import core
from matcalc.dims import dim
from matcalc.dims import evaluate as dim_value
from matcalc.expr import REGISTRY, Expr, Op, node, postorder, record
from matcalc.linop import adjoint, apply
from matcalc.map_kinds import LinearMap
from matcalc.numeric.evaluate import evaluate
from matcalc.vecform import matrix
from matcalc.walk import variables

SIZES = {"m": 2, "n": 3, "p": 4, "q": 5}
LEAVES = ("variable", "number", "ones", "zeros", "eye", "comm", "dsel", "dup", "elim", "toep", "symtoep", "skewdup")
OPERATIONS = [name for name in REGISTRY if name not in LEAVES]
TOLERANCE = 2e-7
Arrays = dict[str, np.ndarray]


def swish(x: np.ndarray) -> np.ndarray:
    """The function of the example of `func`, for evaluators that call a user's function by name."""
    return x / (1 + np.exp(-x))


# ------------------------------------------------------------------------------------------------ expressions


def example_shapes(text: str) -> list[tuple[object, object, str]]:
    """`"m*p n, 1 1=3"` as rows (m*p, n, "") and (1, 1, "3")."""
    rows = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        shape, _, value = part.partition("=")
        first, second = (dim(int(d)) if d.isdigit() else dim(sp.sympify(d)) for d in shape.split())
        rows.append((first, second, value))
    return rows


def example(name: str, facts: Mapping[int, tuple[str, ...]] | None = None, *, squared: bool = False) -> Expr:
    """The operation on fresh variables A0, A1, ... of its record's example shapes; `squared` makes all shapes n x n."""
    entry = record(name)
    args = []
    for k, (rows, cols, value) in enumerate(example_shapes(entry.example[0])):
        if value:
            args.append(core.number(sp.Rational(value)))
            continue
        shape = ("n", "n") if squared and not (rows == 1 and cols == 1) else (rows, cols)
        args.append(core.var(f"A{k}", *shape, (facts or {}).get(k, ())))
    params = [dim(p) if spec.kind == "dim" else p for spec, p in zip(entry.params, entry.example[1:])]
    return node(name, args, tuple(params))


def weighted(name: str, kind: str = "gradient") -> Expr:
    """The example of an operation; for derivatives a scalar function of it that reads every entry."""
    e = example(name)
    return e if kind == "value" or e.is_scalar else core.total(core.hadamard(e, core.var("W", *e.shape)))


def derived(name: str, kind: str) -> mc.Derivation:
    """The derivation of a weighted example, by its arguments."""
    return mc.derive(weighted(name, kind), wrt=[a.params[0] for _, a in free_arguments(example(name))])


def values_of(name: str, kind: str, seed: int = 0, sizes: Mapping[str, int] = SIZES) -> Arrays:
    """Values for a weighted example, in the operation's domain."""
    values = dict(sample(example(name), seed, sizes).values)
    rng = np.random.default_rng(seed)
    weights = [v for v in variables([weighted(name, kind)]) if v.params[0] == "W"]
    return values | {v.params[0]: rng.normal(size=concrete(v.shape, sizes)) for v in weights}


def tangent(e: Expr, directions: Mapping[Expr, Expr]) -> Expr:
    """The directional derivative of an expression by primitives: the maps of all nodes, applied forwards."""
    moved: dict[Expr, Expr] = {}
    for sub in postorder((e,)):
        if sub in directions:
            moved[sub] = directions[sub]
            continue
        terms = [apply(L, moved[a]) for L, a in zip(maps(sub), sub.args) if a in moved]
        if terms:
            moved[sub] = core.add(*terms)
    return moved.get(e, core.zeros(*e.shape))


def maps(e: Expr, entry: Op | None = None) -> tuple[LinearMap, ...]:
    """The linear maps of the differential of a node, by its own record or by the one given."""
    return (entry or record(e.op)).differential(e, *e.args, *e.params)


def free_arguments(e: Expr) -> list[tuple[int, Expr]]:
    """The variable arguments of an example, with their positions."""
    return [(k, a) for k, a in enumerate(e.args) if a.op == "variable"]


# ------------------------------------------------------------------------------------------------ values


@dataclass(frozen=True)
class Sample:
    """Values of an example's variables at which the operation is defined and differentiable."""

    expr: Expr
    values: Arrays
    sizes: dict[str, int]

    def at(self, e: Expr, **more: np.ndarray) -> np.ndarray:
        """The value of an expression in the sample's variables and some more."""
        return np.asarray(evaluate(e, {**self.values, **more}, self.sizes, {"swish": swish}), dtype=float)

    def inside(self, margin: float) -> bool:
        """Whether the values are in the domain of every operation, by this margin."""
        for sub in postorder((self.expr,)):
            for fact, condition in record(sub.op).sampled(*sub.args, *sub.params):
                if not _holds_by(fact, self.at(condition), margin):
                    return False
        return True


def concrete(shape: tuple[object, object], sizes: Mapping[str, int] = SIZES) -> tuple[int, int]:
    """The shape in numbers."""
    return dim_value(shape[0], sizes), dim_value(shape[1], sizes)


_DRAWS: tuple[Callable[[np.random.Generator, tuple[int, int]], np.ndarray], ...] = (
    lambda rng, shape: rng.normal(size=shape),
    lambda rng, shape: 0.5 + np.abs(rng.normal(size=shape)),
    lambda rng, shape: rng.uniform(-0.8, 0.8, size=shape),
    lambda rng, shape: 1.3 + np.abs(rng.normal(size=shape)),
    lambda rng, shape: rng.uniform(0.15, 0.85, size=shape),
)


def sample(e: Expr, seed: int, sizes: Mapping[str, int] = SIZES) -> Sample:
    """The least structured values in the operation's domain, away from its edge."""
    rng = np.random.default_rng(seed)
    for attempt in range(400):
        draw = _DRAWS[attempt // 10 % len(_DRAWS)]
        values = {a.params[0]: draw(rng, concrete(a.shape, sizes)) for _, a in free_arguments(e)}
        found = Sample(e, values, dict(sizes))
        if found.inside(0.1):
            return found
    raise AssertionError(f"no sample in the domain of {e.op}")


def _holds_by(fact: str, value: np.ndarray, margin: float) -> bool:
    if fact == "positive":
        return bool(np.all(value > margin))
    if fact == "nonzero":
        return bool(np.all(np.abs(value) > margin))
    if fact == "positive-definite":
        return bool(np.isfinite(value).all() and np.linalg.eigvalsh((value + value.T) / 2).min() > margin)
    if fact == "nonsingular":
        return bool(np.isfinite(value).all() and np.linalg.svd(value, compute_uv=False).min() > margin)
    raise AssertionError(f"no test for the condition {fact}")


def holds(fact: str, X: np.ndarray, tolerance: float = 1e-9) -> bool:
    """Whether an array has a fact, numerically."""
    scale = max(1.0, float(np.abs(X).max()))
    small = tolerance * scale

    def same(a: np.ndarray, b: np.ndarray | float) -> bool:
        return bool(np.all(np.abs(a - b) <= small))

    def eigenvalues() -> np.ndarray:
        return np.linalg.eigvalsh((X + X.T) / 2)

    tests: dict[str, Callable[[], bool]] = {
        "symmetric": lambda: same(X, X.T),
        "skew": lambda: same(X, -X.T),
        "diagonal": lambda: same(X, np.diag(np.diag(X))),
        "lower": lambda: same(X, np.tril(X)),
        "upper": lambda: same(X, np.triu(X)),
        "orthogonal": lambda: same(X.T @ X, np.eye(len(X))),
        "positive-definite": lambda: same(X, X.T) and bool(eigenvalues().min() > 0),
        "positive-semidefinite": lambda: same(X, X.T) and bool(eigenvalues().min() >= -small),
        "nonsingular": lambda: bool(np.linalg.svd(X, compute_uv=False).min() > 0),
        "positive": lambda: bool(np.all(X > 0)),
        "nonnegative": lambda: bool(np.min(X) >= -small),
        "nonzero": lambda: bool(np.all(X != 0)),
        "constant": lambda: True,
        "one-hot": lambda: same(X * (1 - X), 0) and same(X.sum(axis=1), 1),
        "one-hot-column": lambda: same(X * (1 - X), 0) and same(X.sum(axis=0), 1),
        "row-stochastic": lambda: same(X.sum(axis=1), 1),
        "column-stochastic": lambda: same(X.sum(axis=0), 1),
    }
    return tests[fact]()


# ------------------------------------------------------------------------------------------------ the checkers


def difference_quotient(f: Callable[[float], np.ndarray], step: float = 1e-3) -> np.ndarray:
    """f'(0) by central differences, extrapolated twice (Richardson)."""
    rows = [(f(h) - f(-h)) / (2 * h) for h in (step, step / 2, step / 4)]
    first = [(4 * fine - coarse) / 3 for coarse, fine in zip(rows, rows[1:])]
    return (16 * first[1] - first[0]) / 15


def close(a: np.ndarray, b: np.ndarray, tolerance: float = TOLERANCE) -> bool:
    """Whether two arrays of one shape agree, relative to the larger one and at least to 1."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    return bool(np.abs(a - b).max() <= tolerance * max(1.0, np.abs(a).max(), np.abs(b).max()))


def directions(s: Sample, seed: int) -> Iterator[tuple[int, Expr, np.ndarray]]:
    """A random direction for each variable argument: position, the variable, the array."""
    rng = np.random.default_rng(seed + 1000)
    for k, a in free_arguments(s.expr):
        yield k, a, rng.normal(size=concrete(a.shape))


def check_differential(s: Sample, seed: int = 0, entry: Op | None = None) -> None:
    """Every map applied to a direction is the derivative in that direction."""
    found = maps(s.expr, entry)
    assert len(found) == len(s.expr.args), "one map for each argument"
    for k, a, V in directions(s, seed):
        L, name = found[k], a.params[0]
        dX = core.var("V", *a.shape)
        value = s.at(apply(L, dX), V=V)
        expected = difference_quotient(lambda t: s.at(s.expr, **{name: s.values[name] + t * V}))  # noqa: B023
        assert close(value, expected), f"{s.expr.op}: the map of argument {k + 1} is not the derivative"


def check_adjoint(s: Sample, seed: int = 0, entry: Op | None = None) -> None:
    """<L V, G> = <V, L* G>, and L** = L on V."""
    rng = np.random.default_rng(seed + 2000)
    for k, a, V in directions(s, seed):
        L = maps(s.expr, entry)[k]
        dX, dG = core.var("V", *L.domain), core.var("G", *L.codomain)
        G = rng.normal(size=concrete(L.codomain))
        forward, backward = s.at(apply(L, dX), V=V), s.at(apply(adjoint(L), dG), G=G)
        assert backward.shape == concrete(a.shape), f"{s.expr.op}: the adjoint of argument {k + 1} has a wrong shape"
        assert close(np.sum(forward * G), np.sum(V * backward), 1e-10), f"{s.expr.op}: the adjoint is wrong"
        assert close(s.at(apply(adjoint(adjoint(L)), dX), V=V), forward, 1e-10)


def check_matrix(s: Sample, seed: int = 0, entry: Op | None = None) -> None:
    """matrix(L) vec V = vec(L V), and matrix(L*) = matrix(L)'."""
    for k, _, V in directions(s, seed):
        check_map_matrix(maps(s.expr, entry)[k], s, V)


def check_map_matrix(L: LinearMap, s: Sample, V: np.ndarray) -> None:
    """The matrix view of one map against its other two."""
    J = matrix(L)
    value = s.at(J)
    assert concrete(J.shape) == value.shape
    applied = s.at(apply(L, core.var("V", *L.domain)), V=V)
    assert close(value @ vec(V), vec(applied), 1e-10), f"{s.expr.op}: the matrix is not that of the map"
    assert close(s.at(matrix(adjoint(L))), value.T, 1e-10), f"{s.expr.op}: the adjoint's matrix is not the transpose"


def vec(X: np.ndarray) -> np.ndarray:
    """The columns stacked."""
    return X.reshape(-1, 1, order="F")
