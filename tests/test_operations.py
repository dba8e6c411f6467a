"""Every operation of the catalogue, from its record: value, three views, definition, facts, errors."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import sympy as sp
from support import (
    LEAVES,
    OPERATIONS,
    check_adjoint,
    check_differential,
    check_matrix,
    close,
    difference_quotient,
    directions,
    example,
    free_arguments,
    holds,
    sample,
    tangent,
)

import matcalc as mc
from matcalc import core
from matcalc.dims import dim
from matcalc.emit.entrywise import is_entrywise
from matcalc.errors import MatcalcError, ShapeError
from matcalc.expr import REGISTRY, Expr, Op, node, record
from matcalc.linop import adjoint, apply
from matcalc.maps import compose, negated, sandwich, scaled
from matcalc.numeric.evaluate import evaluate
from matcalc.ops.entry_products import prod
from matcalc.printing.latex import latex
from matcalc.printing.text import text
from matcalc.properties import facts_of, names_of
from matcalc.walk import substitute

SEEDS = (0, 1, 2)
COMPOSITE = [name for name in OPERATIONS if REGISTRY[name].definition is not None]


# ------------------------------------------------------------------------------------------------ records


@pytest.mark.parametrize("name", REGISTRY)
def test_record_is_complete(name: str) -> None:
    entry = record(name)
    assert entry.source
    assert entry.identity
    assert entry.example, "an operation without an example is not tested"
    assert len(entry.example) - 1 == len(entry.params), "an example gives every parameter"
    assert callable(entry.shape)
    assert callable(entry.facts)


@pytest.mark.parametrize("name", REGISTRY)
def test_prints(name: str) -> None:
    e = example(name)
    for printed in (text(e), latex(e)):
        assert printed.strip()
        assert printed.count("(") == printed.count(")")
        assert printed.count("{") == printed.count("}")
        assert "p0" not in printed
    if name not in LEAVES:
        assert all(a.op != "variable" or a.params[0] in text(e) for a in e.args) or name == "named"


def test_parameters_left_out_have_their_defaults() -> None:
    X = core.var("X", "m", "n")
    assert node("sum", (X,)) is core.total(X)
    assert node("var", (X,)) is node("var", (X,), (None, 0))
    assert node("softmax", (core.var("x", "n", 1),)).params == (1,)
    with pytest.raises(MatcalcError):
        node("reshape", (X,), (3,))
    with pytest.raises(MatcalcError):
        node("sum", (X,), (1, 2))


@pytest.mark.parametrize("name", [n for n in LEAVES if n != "variable"])
def test_leaf(name: str) -> None:
    entry = record(name)
    e = node(name, (), entry.example[1:])
    value = evaluate(e, {}, {})
    assert value.shape == e.shape
    assert np.isfinite(value).all()
    assert entry.differential(e, *e.params) == ()
    for fact in names_of(facts_of(e)[0]):
        assert holds(fact, value), fact


def test_selection() -> None:
    x = np.array([[1.0], [2.0], [3.0]])
    S = evaluate(node("dsel", (), (3,)), {}, {})
    assert (S @ x == np.diag(x[:, 0]).reshape(-1, 1, order="F")).all()


# ------------------------------------------------------------------------------------------------ three views


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_three_views(name: str, seed: int) -> None:
    s = sample(example(name), seed)
    value = s.at(s.expr)
    assert np.isfinite(value).all()
    check_differential(s, seed)
    check_adjoint(s, seed)
    check_matrix(s, seed)


def _variants() -> dict[str, Expr]:
    """Shapes, axes and parameters other than those of the examples."""
    X, A, S = core.var("X", "m", "n"), core.var("A", "n", "n"), core.var("s", 1, 1)
    col, row, t = core.var("u", "n", 1), core.var("v", 1, "n"), core.var("t", 1, 1)
    found: dict[str, Expr] = {}
    for name in ("sum", "mean", "logsumexp", "max", "min", "prod", "prodothers"):
        for axis in (None, 1, 2):
            found[f"{name}-{axis}"] = node(name, (X,), (axis,))
        for vector, tag in ((col, "column"), (row, "row"), (S, "scalar")):
            found[f"{name}-of-{tag}"] = node(name, (vector,), (None,))
    for name in ("var", "std"):
        for axis, ddof in itertools.product((None, 1, 2), (0, 1)):
            found[f"{name}-{axis}-{ddof}"] = node(name, (X,), (axis, ddof))
    for name in ("softmax", "log_softmax"):
        for axis in (1, 2):
            found[f"{name}-{axis}"] = node(name, (X,), (axis,))
        for vector, tag in ((col, "column"), (row, "row"), (S, "scalar")):
            found[f"{name}-of-{tag}"] = node(name, (vector,), (None,))
    for axis, ddof, eps in itertools.product((None, 1, 2), (0, 1), (0, "0.01")):
        exact = core.exact(0) if eps == 0 else core.exact(0.01)
        found[f"standardize-{axis}-{ddof}-{eps}"] = node("standardize", (X,), (axis, ddof, exact))
    for k in (-3, -2, -1, 0, 1, 2, 3, 4):
        found[f"matpow-{k}"] = node("matpow", (A, core.number(k)))
    for k in ("-2", "-1", "0", "1", "2", "3", "1/2", "-3/2"):
        found[f"power-{k}"] = core.power(X, core.number(sp.Rational(k)))
    found["power-scalar-exponent"] = core.power(X, t)
    found["power-of-scalars"] = core.power(S, t)
    found["diag-row"] = core.diag(row)
    found["diag-scalar"] = core.diag(S)
    found["diagvec-scalar"] = core.diagvec(S)
    found["broadcast-column"] = core.broadcast(col, (dim("n"), dim("m")))
    found["broadcast-scalar"] = core.broadcast(S, X.shape)
    found["transpose-column"] = core.transpose(col)
    found["vec-row"] = core.vec(row)
    found["vec-column"] = core.vec(col)
    found["inner-product"] = core.matmul(row, col)
    found["outer-product"] = core.matmul(col, row)
    found["matmul-4"] = core.matmul(row, A, core.var("C", "n", "n"), col)
    found["scale-3"] = core.scale(S, t, X)
    found["scale-scalars"] = core.scale(S, t)
    found["hadamard-scalars"] = core.hadamard(S, t)
    found["kron-columns"] = core.kron(col, core.var("w", "p", 1))
    found["kron-rows"] = core.kron(row, core.var("w", 1, "p"))
    found["kron-column-row"] = core.kron(col, core.var("w", 1, "p"))
    found["kron-with-scalar"] = core.kron(S, X)
    found["solve-vector"] = node("solve", (A, col))
    found["where-or-equal"] = node("where", (X, *(core.var(f"X{k}", "m", "n") for k in range(3))), (">=",))
    for name in ("inv", "det", "adj", "logdet", "tr"):
        found[f"{name}-scalar"] = node(name, (S,))
    for name in ("norm1", "norm2"):
        found[f"{name}-scalar"] = node(name, (S,))
    found["mse-scalars"] = node("mse", (S, t))
    found["cross-entropy-columns"] = node("cross_entropy", (col, core.var("w", "n", 1)))
    return found


VARIANTS = _variants()


@pytest.mark.parametrize("case", VARIANTS)
def test_variants(case: str) -> None:
    s = sample(VARIANTS[case], 3)
    assert np.isfinite(s.at(s.expr)).all()
    check_differential(s)
    check_adjoint(s)
    check_matrix(s)


@pytest.mark.parametrize("case", [*OPERATIONS, *VARIANTS])
def test_second_differential(case: str) -> None:
    """What a differential is made of can be differentiated again."""
    e = VARIANTS[case] if case in VARIANTS else example(case)
    s = sample(e, 5)
    for (k, a, V), (_, _, W) in zip(directions(s, 0), directions(s, 1)):
        L = record(e.op).differential(e, *e.args, *e.params)[k]
        first = apply(L, core.var("V", *a.shape))
        second = tangent(first, {a: core.var("W", *a.shape)})
        name = a.params[0]
        expected = difference_quotient(lambda t: s.at(first, V=V, **{name: s.values[name] + t * W}))  # noqa: B023
        assert close(s.at(second, V=V, W=W), expected, 1e-6), f"argument {k + 1}"


def _pairs() -> list[str]:
    """The operations with a second argument of the shape of the first."""
    free = {name: free_arguments(example(name)) for name in OPERATIONS}
    return [name for name, args in free.items() if len(args) > 1 and args[0][1].shape == args[1][1].shape]


@pytest.mark.parametrize("name", _pairs())
def test_arguments_that_depend_on_each_other(name: str) -> None:
    """A direction may be a function of the point: its own derivative is not that of the operation by the point."""
    e = example(name)
    (_, a), (_, b) = free_arguments(e)[:2]
    for other in (core.add(a, node("sin", (a,))), core.hadamard(a, a), core.scale(core.number(2), a)):
        s = sample(substitute(e, {b: other}), 7)
        V = np.random.default_rng(8).normal(size=s.values[a.params[0]].shape)
        found = s.at(tangent(s.expr, {a: core.var("V", *a.shape)}), V=V)
        name_, at = a.params[0], s.values[a.params[0]]
        expected = difference_quotient(lambda t: s.at(s.expr, **{name_: at + t * V}), 1e-4)  # noqa: B023
        assert close(found, expected, 1e-6), str(other)


@pytest.mark.parametrize("name", COMPOSITE)
def test_definition_agrees(name: str) -> None:
    e = example(name)
    s = sample(e, 0)
    definition = record(name).definition
    assert definition is not None
    by_primitives = definition(*e.args, *e.params)
    assert close(s.at(by_primitives), s.at(e), 1e-12)
    for k, a, V in directions(s, 0):
        dX = core.var("V", *a.shape)
        compact = apply(record(name).differential(e, *e.args, *e.params)[k], dX)
        assert close(s.at(tangent(by_primitives, {a: dX}), V=V), s.at(compact, V=V), 1e-9)


# ------------------------------------------------------------------------------------------------ conventions


@pytest.mark.parametrize(
    ("name", "slope"), [("relu", 0.0), ("abs", 0.0), ("sign", 0.0), ("step", 0.0)], ids=lambda v: str(v)
)
def test_slope_at_the_kink(name: str, slope: float) -> None:
    x = core.var("x", 1, 1)
    e = node(name, (x,))
    J = apply(record(name).differential(e, x)[0], core.number(1))
    assert evaluate(J, {"x": np.zeros((1, 1))}, {}).item() == slope


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_ties_share(name: str) -> None:
    a, b = core.var("a", 1, 1), core.var("b", 1, 1)
    e = node(name, (a, b))
    for L in record(name).differential(e, a, b):
        assert evaluate(apply(L, core.number(1)), {"a": np.ones((1, 1)), "b": np.ones((1, 1))}, {}).item() == 0.5


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize(
    ("axis", "expected"),
    [(None, [[0, 0.25, 0.25], [0, 0.25, 0.25]]), (1, [[0.5] * 3] * 2), (2, [[0, 0.5, 0.5], [0, 0.5, 0.5]])],
)
def test_extremes_share_ties(name: str, axis: int | None, expected: list[list[float]]) -> None:
    X = core.var("X", 2, 3)
    e = node(name, (X,), (axis,))
    value = np.array([[1.0, 2.0, 2.0], [1.0, 2.0, 2.0]]) * (1 if name == "max" else -1)
    gradient = apply(adjoint(record(name).differential(e, X, axis)[0]), core.ones(*e.shape))
    assert (evaluate(gradient, {"X": value}, {}) == expected).all()


@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_prod_is_differentiable_where_entries_are_zero(zeros: int) -> None:
    X, dX = core.var("X", 2, 3), core.var("V", 2, 3)
    M, V = np.array([[2.0, -1.0, 3.0], [0.5, 4.0, -2.0]]), np.arange(1.0, 7.0).reshape(2, 3)
    M.ravel()[:zeros] = 0
    for axis in (None, 1, 2):
        e = prod(X, axis)
        value = evaluate(apply(record("prod").differential(e, X, axis)[0], dX), {"X": M, "V": V}, {})
        assert close(value, difference_quotient(lambda t: evaluate(e, {"X": M + t * V}, {})))  # noqa: B023


def test_det_is_differentiable_where_it_is_singular() -> None:
    A = core.var("A", 3, 3)
    e = node("det", (A,))
    M, V = np.diag([1.0, 2.0, 0.0]), np.arange(9.0).reshape(3, 3)
    dX = core.var("V", 3, 3)
    value = evaluate(apply(record("det").differential(e, A)[0], dX), {"A": M, "V": V}, {})
    expected = difference_quotient(lambda t: evaluate(e, {"A": M + t * V}, {}))
    assert close(value, expected)


# ------------------------------------------------------------------------------------------------ errors

ANY_SHAPE = {"named", "transpose", "kron", "vec", "sum", "mean", "var", "std", "norm1", "norm2", "softmax"} | {
    "log_softmax",
    "logsumexp",
    "standardize",
    "func",
    "max",
    "min",
    "prod",
    "prodothers",
    "prodothersform",
    "slice",
    "tril",
    "triu",
    "cumsum",
    "pinv",
    "polar",
    "dpolarform",
    "singvals",
    "normnuc",
    "normspec",
}


def _refuses(name: str, args: list[Expr], params: tuple[object, ...], wrong: Expr) -> bool:
    """Whether building raises a ShapeError, which must name the wrong operand."""
    try:
        node(name, args, params)
    except ShapeError as error:
        if wrong not in error.operands:
            raise
        return True
    return False


@pytest.mark.parametrize("name", OPERATIONS)
def test_shape_errors_name_the_operand(name: str) -> None:
    e = example(name)
    free = free_arguments(e)
    raised = 0
    for k, _ in free:
        wrong = core.var("Wrong", 7, 11)
        raised += _refuses(name, [*e.args[:k], wrong, *e.args[k + 1 :]], e.params, wrong)
    elementwise = is_entrywise(e) and len(e.args) == 1
    if name in ANY_SHAPE or elementwise:
        assert not raised
    elif name == "scale":
        assert raised == 1, "the scalar must be 1 x 1, the matrix can have any shape"
    else:
        assert raised == len(free)


def test_axis_errors() -> None:
    X = core.var("X", "m", "n")
    for name in ("sum", "mean", "logsumexp"):
        with pytest.raises(ShapeError):
            node(name, (X,), (3,))
    for name in ("softmax", "log_softmax"):
        with pytest.raises(ShapeError):
            node(name, (X,), (None,))
        with pytest.raises(ShapeError):
            node(name, (X,), (0,))


# ------------------------------------------------------------------------------------------------ wrong rules


def _wrong(name: str, change: object) -> Op:
    """The record with a spoilt differential."""
    entry = record(name)
    return dataclasses.replace(entry, differential=lambda Y, *rest: change(entry.differential(Y, *rest), Y, *rest))


WRONG = {
    "sign": _wrong("inv", lambda found, Y, X: (negated(found[0]),)),
    "factor 0.999": _wrong("exp", lambda found, Y, X: (scaled(core.number(0.999), found[0]),)),
    "missing transpose": _wrong("logdet", lambda found, Y, X: (dataclasses.replace(found[0], by=core.inverse(X)),)),
    "swapped factors": _wrong("inv", lambda found, Y, X: (negated(sandwich(Y, Y.T, X.shape)),)),
    "dropped term": _wrong("softmax", lambda found, P, X, axis: (found[0].factors[0],)),
    "applied twice": _wrong("tanh", lambda found, Y, X: (compose(found[0], found[0]),)),
}


@pytest.mark.parametrize("fault", WRONG)
def test_the_checker_fails_on_a_wrong_rule(fault: str) -> None:
    entry = WRONG[fault]
    s = sample(example(entry.name), 0)
    check_differential(s)
    with pytest.raises(AssertionError):
        check_differential(s, entry=entry)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_record_is_the_function_that_builds_its_nodes(name: str) -> None:
    e = example(name)
    assert record(name)(*e.args, *e.params) is e
    by_name = {p.name: value for p, value in zip(record(name).params, e.params)}
    assert record(name)(*e.args, **by_name) is e
    with pytest.raises(mc.MatcalcError, match="nonsense"):
        record(name)(*e.args, nonsense=1)


def test_names_numbers_and_axes_of_expressions() -> None:
    X = mc.var("X", "n", "p")
    assert (X.name, (X + X).name, mc.Graph().define("h", X @ X.T).name) == ("X", "", "h")
    assert (mc.number(3).number, X.number) == (3, None)
    assert (mc.softmax(X, axis=2).axis, mc.total(X).axis, mc.total(X, axis=1).axis, X.axis) == (2, None, 1, None)
