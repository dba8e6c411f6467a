"""The fuzzer: its oracle is right, a few hundred of its programs agree, and it finds and shrinks what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import support
from fuzz import case, checks, constants, definitions, generate, run, shrink, spectral
from fuzz.evaluation import Evaluation, jacobian

import matcalc as mc
from matcalc import core
from matcalc.expr import REGISTRY, Expr, record
from matcalc.walk import variables

PROGRAMS, AT_ONCE, SEED = 240, 8, 2026
OPERATIONS = [name for name in REGISTRY if name not in constants.LEAVES and name not in ("variable", "named", "root")]


@pytest.mark.parametrize("first", range(0, PROGRAMS, AT_ONCE))
def test_programs(first: int) -> None:
    for number in range(first, first + AT_ONCE):
        found = run.outcome(SEED, number)
        assert not found.failures, "\n".join(text for _, text in found.failures)


def test_every_operation_is_defined_and_met() -> None:
    own = {"variable", "root"}  # equations have an oracle of their own, in test_implicit.py
    assert set(REGISTRY) == {*definitions.TABLE, *constants.LEAVES, *own}
    assert not set(definitions.TABLE) & set(constants.LEAVES)


def test_programs_are_the_same_in_every_run() -> None:
    first, second = (generate.make((5, 17)) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.text() == second.text()
    assert all((first.arrays[k] == second.arrays[k]).all() for k in first.arrays)


# ------------------------------------------------------------------------------------------------ the oracle


def _jets(e: Expr, arrays: dict[str, np.ndarray], along: dict[Expr, np.ndarray] | None = None) -> np.ndarray:
    return Evaluation(arrays, support.SIZES, variables((e,)), along).jet(e)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_oracle_agrees_with_differences_of_its_values(name: str) -> None:
    s = support.sample(support.example(name), 0)
    wrt = variables((s.expr,))
    rng = np.random.default_rng(1)
    along = {v: rng.normal(size=s.values[v.params[0]].shape) for v in wrt}
    X = _jets(s.expr, s.values, along)

    def moved(t: float) -> np.ndarray:
        return _jets(s.expr, {v.params[0]: s.values[v.params[0]] + t * along[v] for v in wrt})

    slopes = support.difference_quotient(lambda t: moved(t)[0])
    assert support.close(X[1, 0], slopes[0])
    assert support.close(X[1, 1:], slopes[1:])
    directional = sum(
        jacobian(X, first, along[v].size) @ along[v].reshape(-1, 1, order="F") for v, first in _starts(wrt, along)
    )
    assert support.close(directional, X[1, 0].reshape(-1, 1, order="F"), 1e-9)


def _starts(wrt: list[Expr], along: dict[Expr, np.ndarray]) -> list[tuple[Expr, int]]:
    return list(zip(wrt, np.cumsum([0, *(along[v].size for v in wrt)])))


def _by_jax() -> dict[str, Callable[..., Any]]:
    """Operations in JAX's own functions."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    jnp, linalg, nn, special = jax.numpy, jax.numpy.linalg, jax.nn, jax.scipy.special

    def at(axis: int | None) -> dict[str, Any]:
        return {"axis": None if axis is None else axis - 1, "keepdims": True}

    one = {
        **{
            f: getattr(jnp, f)
            for f in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh")
        },
        **{f: getattr(jnp, f) for f in ("arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh", "abs", "sign")},
        **{f: getattr(special, f) for f in ("erf", "erfc", "gammaln", "digamma", "logit")},
        **{f: getattr(nn, f) for f in ("sigmoid", "softplus", "silu", "relu", "selu")},
        "logsigmoid": nn.log_sigmoid,
        "softsign": nn.soft_sign,
        "hardtanh": nn.hard_tanh,
        "gelu": lambda x: nn.gelu(x, approximate=False),
        "normcdf": jax.scipy.stats.norm.cdf,
        "normpdf": jax.scipy.stats.norm.pdf,
        "elu": nn.elu,
        "leakyrelu": nn.leaky_relu,
        "polygamma": lambda x, order: special.polygamma(order, x),
    }
    many = {
        **{f: (lambda x, axis, f=f: getattr(jnp, f)(x, **at(axis))) for f in ("sum", "mean", "max", "min", "prod")},
        **{f: (lambda x, axis, ddof, f=f: getattr(jnp, f)(x, ddof=ddof, **at(axis))) for f in ("var", "std")},
        "logsumexp": lambda x, axis: special.logsumexp(x, **at(axis)),
        "softmax": lambda x, axis: nn.softmax(x, axis=axis - 1),
        "log_softmax": lambda x, axis: nn.log_softmax(x, axis=axis - 1),
        "norm1": lambda x: jnp.abs(x).sum(),
        "norm2": linalg.norm,
        "det": linalg.det,
        "logdet": lambda x: linalg.slogdet(x)[1],
        "inv": linalg.inv,
        "pinv": linalg.pinv,
        "solve": linalg.solve,
        "tr": jnp.trace,
        "expm": jax.scipy.linalg.expm,
        "kron": jnp.kron,
        "matmul": lambda *a: linalg.multi_dot(a),
        "outer": jnp.outer,
        "chol": lambda x: linalg.cholesky((x + x.T) / 2),
        "normnuc": lambda x: linalg.svd(x, compute_uv=False).sum(),
        "normspec": lambda x: linalg.svd(x, compute_uv=False)[0],
        "singvals": lambda x: linalg.svd(x, compute_uv=False)[:, None],
        "maximum": jnp.maximum,
        "minimum": jnp.minimum,
        "power": jnp.power,
        "divide": jnp.divide,
        "vec": lambda x: x.T.reshape(-1, 1),
        "conv": lambda x, w: jnp.convolve(x[:, 0], w[:, 0])[:, None],
        "cumsum": lambda x, axis: jnp.cumsum(x, axis=axis - 1),
        "tril": jnp.tril,
        "triu": jnp.triu,
        "transpose": jnp.transpose,
        "mse": lambda a, b: ((a - b) ** 2).mean(),
        "quadform": lambda x, a: x.T @ a @ x,
        "pdist2": lambda x, z: ((x[:, None] - z[None]) ** 2).sum(-1),
    }
    return {**one, **many}


def test_the_oracle_agrees_with_jax() -> None:
    jax = pytest.importorskip("jax")
    for name, f in _by_jax().items():
        s = support.sample(support.example(name), 3)
        params = [float(p) if spec.kind == "number" else p for p, spec in zip(s.expr.params, REGISTRY[name].params)]
        wrt = variables((s.expr,))
        fixed = [a if a.op == "variable" else float(a.params[0]) for a in s.expr.args]

        def g(*given: Any, f: Any = f, fixed: Any = fixed, params: Any = params, wrt: Any = wrt) -> Any:
            table = dict(zip(wrt, given))
            return jax.numpy.ravel(jax.numpy.atleast_2d(f(*(table.get(a, a) for a in fixed), *params)).T)

        point = [s.values[v.params[0]] for v in wrt]
        X = _jets(s.expr, s.values)
        start = 0
        for k, v in enumerate(wrt):
            m, n = point[k].shape
            wanted = np.asarray(jax.jacobian(g, argnums=k)(*point)).transpose(0, 2, 1).reshape(-1, m * n)
            assert support.close(jacobian(X, start, m * n), wanted, 1e-9), f"{name}, by {v}"
            start += m * n


def test_large_adjugates_are_those_of_expanded_determinants(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle's two ways agree where both can be gone: values, derivatives and second ones."""
    X = core.var("X", 4, 4)
    rng = np.random.default_rng(4)
    point, along = {"X": rng.normal(size=(4, 4)), "V": rng.normal(size=(4, 4))}, {X: rng.normal(size=(4, 4))}
    programs = [record("adj")(X), record("dadj")(X, core.var("V", 4, 4))]
    expanded = [_jets_along(e, X, point, along) for e in programs]
    monkeypatch.setattr(spectral, "EXPANDED", 3)
    for e, jet in zip(programs, expanded):
        assert np.allclose(_jets_along(e, X, point, along), jet, rtol=1e-9, atol=1e-9)


def _jets_along(e: Expr, wrt: Expr, arrays: dict[str, np.ndarray], along: dict[Expr, np.ndarray]) -> np.ndarray:
    return Evaluation(arrays, support.SIZES, [wrt], along).jet(e)


@pytest.mark.parametrize(
    ("name", "f"),
    [
        ("normcdf", mpmath.ncdf),
        ("normlogcdf", lambda x: mpmath.log(mpmath.ncdf(x))),
        ("normratio", lambda x: mpmath.npdf(x) / mpmath.ncdf(x)),
        ("erfc", mpmath.erfc),
    ],
)
def test_the_oracle_keeps_its_digits_in_the_tails(name: str, f: Callable[..., Any]) -> None:
    x = core.var("x", 1, 1)
    for point in (-20.0, -5.6, 0.3, 5.6):
        jet = _jets(record(name)(x), {"x": np.array([[point]])}, {x: np.ones((1, 1))})
        with mpmath.workdps(200):
            want = [float(mpmath.diff(f, mpmath.mpf(point), k)) for k in range(3)]
        assert np.allclose([jet[0, 0].item(), jet[0, 1].item(), jet[1, 1].item()], want, rtol=1e-9, atol=0)


# ------------------------------------------------------------------------------------------------ it can fail


def test_a_wrong_derivative_is_found_and_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle's tanh is made 0.01 % too steep: what is reported then is tanh of a variable, and little else."""
    right = definitions.TABLE["tanh"]
    monkeypatch.setitem(definitions.TABLE, "tanh", lambda machine, X: 1.0001 * right(machine, X))
    program = mc.derive("X: n x n\nY: n x n symmetric\nh = tanh(X*Y)\nsum(exp(h/4) .* cos(Y)) + tr(X)")
    point = {"X": np.array([[0.3, -0.2], [0.5, 0.1]]), "Y": np.array([[0.4, 0.1], [0.1, -0.6]])}
    small, what = shrink.shrunk("gradient", generate.Program(program.output, point, {"n": 2}, (0, 0)))
    assert "right is" in what
    assert "tanh" in str(small.output)
    assert len(str(small.output)) < 30
    assert "SOURCE" in shrink.reproduction("gradient", small, what)
    fine = generate.Program(core.total(core.var("X", "n", "n")), {"X": point["X"]}, {"n": 2}, (0, 0))
    assert checks.guarded("gradient", case.Case(fine)) == "right"
