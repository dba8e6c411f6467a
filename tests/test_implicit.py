"""Values given by equations: their code and derivatives against equations that are solved without the package."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg as sla
import scipy.special as ssp

import matcalc as mc
from matcalc.export.program import source_program

CASES = [json.loads(line) for line in (Path(__file__).parent / "cases" / "implicit.jsonl").read_text().splitlines()]
Arrays = dict[str, np.ndarray]


# ------------------------------------------------------------------------------------------------ the oracle


def newton(equation: Any, start: np.ndarray) -> np.ndarray:
    """The root of an equation by Newton's method with a Jacobian by differences."""
    x = np.array(start, dtype=float)
    for _ in range(200):
        r = equation(x)
        J = np.empty((r.size, x.size))
        for k in range(x.size):
            e = np.zeros(x.size)
            e[k] = 1e-6 * (1 + abs(x.ravel()[k]))
            e = e.reshape(x.shape)
            J[:, k] = ((equation(x + e) - equation(x - e)) / (2 * e.max())).ravel()
        step, t = np.linalg.solve(J, r.ravel()).reshape(x.shape), 1.0
        while t > 1e-6 and np.linalg.norm(equation(x - t * step)) > (1 - t / 4) * np.linalg.norm(r) + 1e-13:
            t /= 2
        x = x - t * step
        if t == 1 and np.abs(step).max() < 1e-13 * (1 + np.abs(x).max()):
            break
    assert np.abs(equation(x)).max() < 1e-8
    return x


def reference(case: dict[str, Any]) -> Any:
    """The value of a case by its own reference, which solves the equation."""
    space: dict[str, Any] = {"np": np, "sla": sla, "ssp": ssp, "newton": newton}
    space |= {"sylvester": sla.solve_sylvester, "lyapunov": lambda A, Q: sla.solve_sylvester(A, A.T, Q)}
    space["dlyapunov"] = lambda A, Q: np.linalg.solve(np.eye(A.size) - np.kron(A, A), Q.ravel()).reshape(Q.shape)
    exec(case["reference"], space)
    f = space["reference"]
    names = f.__code__.co_varnames[: f.__code__.co_argcount]
    return lambda arrays: f(**{name: arrays[name] for name in names})[0]


def declared(case: dict[str, Any], dims: dict[str, int]) -> dict[str, tuple[tuple[int, int], list[str]]]:
    """The variables of a program with their sizes and facts; unknowns left out."""
    found = {}
    for line in case["program"].splitlines():
        match = re.fullmatch(r"(\w+): (\S+) x (\S+)([a-z -]*)", line)
        if match and "solves" not in line and "minimizes" not in line:
            shape = tuple(int(eval(part, {}, dict(dims))) for part in match.group(2, 3))
            found[match[1]] = (shape, match[4].split())
    return found


def values(case: dict[str, Any], dims: dict[str, int], seed: int) -> Arrays:
    """Random values with the facts, and what the equation needs to have one solution."""
    rng = np.random.default_rng(seed)
    arrays: Arrays = {}
    for name, (shape, facts) in declared(case, dims).items():
        how, _, amount = case["sampling"].get(name, "").partition(":")
        X = 0.8 * rng.normal(size=shape)
        if how == "hurwitz":
            X = X - (0.5 + np.abs(np.linalg.eigvals(X)).max()) * np.eye(len(X))
        elif how in ("stable", "scale"):
            X = X * float(amount) / (np.linalg.norm(X, 2) if how == "stable" else 1)
        elif how == "unit":
            X = rng.uniform(0.2, 0.8, shape)
        elif how == "range":
            X = rng.uniform(*map(float, amount.split(",")), shape)
        elif how == "labelspm1":
            X = np.where(X > 0, 1.0, -1.0)
        if "positive-definite" in facts:
            X = X @ X.T + np.eye(len(X))
        elif "symmetric" in facts:
            X = (X + X.T) / 2
        elif "positive" in facts:
            X = 0.3 + np.abs(X)
        elif "nonsingular" in facts:
            X = X + 3 * np.eye(len(X))
        elif "row-stochastic" in facts:
            X = np.abs(X) / np.abs(X).sum(axis=1, keepdims=True)
        arrays[name] = X
    return arrays


def slope(f: Any, arrays: Arrays, name: str, V: np.ndarray) -> float:
    """The derivative of f along V, of fourth order."""
    a, b, c, d = (f({**arrays, name: arrays[name] + k * 1e-3 * V}) for k in (1, -1, 2, -2))
    return float((8 * (a - b) - (c - d)) / 12e-3)


# ------------------------------------------------------------------------------------------------ cases


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_code_and_derivatives_are_those_of_the_solved_equation(case: dict[str, Any]) -> None:
    d = mc.derive(case["program"], wrt=case["wrt"])
    value, gradient, f = d.function("value"), d.function("gradient"), reference(case)
    for seed, dims in enumerate(case["dims"] * 2):
        arrays = values(case, dims, seed)
        assert np.isclose(value(**arrays), f(arrays), rtol=1e-7, atol=1e-8)
        found = gradient(**arrays)
        for name in case["wrt"]:
            shape, facts = declared(case, dims)[name]
            V = np.random.default_rng(seed + 9).normal(size=shape)
            if "positive-definite" in facts or "symmetric" in facts:
                V = (V + V.T) / 2
            slope_found, wanted = float(np.sum(found[name] * V)), slope(f, arrays, name, V)
            assert np.isclose(slope_found, wanted, rtol=1e-6, atol=1e-7), name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_check_agrees(case: dict[str, Any]) -> None:
    assert mc.derive(case["program"], wrt=case["wrt"]).check(trials=2)


# ------------------------------------------------------------------------------------------------ the mechanism


def test_the_adjoint_of_lyapunov_is_lyapunov() -> None:
    d = mc.derive("A: n x n; Q: n x n; P: n x n solves A*P + P*A' = Q; G: n x n; tr(G'*P)", wrt="Q")
    assert str(d.gradient("Q")) == "lyapunov(A', G)"
    assert ("nonsingular", "kron(eye(n), A) + kron(A, eye(n))") in [(fact, str(e)) for fact, e in d.domain]


def test_a_nonlinear_equation_in_a_matrix_has_an_adjoint_of_sylvester() -> None:
    d = mc.derive("A: n x n positive-definite; G: n x n; X: n x n positive-definite solves X*X = A; tr(G'*X)", wrt="A")
    assert str(d.gradient("A")) == "sylvester(X, X, G)"
    root = mc.derive("A: n x n positive-definite; G: n x n; tr(G'*sqrtm(A))", wrt="A")
    A = np.array([[2.0, 0.5], [0.5, 1.0]])
    G = np.array([[1.0, 2.0], [-1.0, 0.5]])
    found, wanted = (e.function("gradient")(A=A, G=G)["A"] for e in (d, root))
    assert np.allclose(found, wanted, atol=1e-12)


@pytest.mark.parametrize(
    "claim",
    [
        "lyapunov(A, Q) = reshape(inv(kron(eye(n), A) + kron(A, eye(n)))*vec(Q), n, n)",
        "dlyapunov(A, Q) = reshape(inv(eye(n^2) - kron(A, A))*vec(Q), n, n)",
        "sylvester(A, B, Q) = reshape(inv(kron(eye(n), A) + kron(B', eye(n)))*vec(Q), n, n)",
        "A*lyapunov(A, Q) + lyapunov(A, Q)*A' = Q",
        "dlyapunov(A, 2*Q)' = 2*dlyapunov(A, Q')",
        "sylvester(A, A', Q) = lyapunov(A, Q)",
    ],
)
def test_closed_forms_are_proved(claim: str) -> None:
    assert mc.prove(f"A: n x n; B: n x n; Q: n x n; {claim}").status == "proved"


CLOSED = [
    (
        "X: n x n positive-definite minimizes tr(S*X) - logdet(X) + c/2*norm2(X)^2",
        "(sqrtm(S*S + 4*c*eye(n)) - S)/(2*c)",
    ),
    ("X: n x n positive-definite minimizes tr(S*X) - logdet(X) + c*tr(X)", "inv(S + c*eye(n))"),
    ("X: n x n minimizes norm2(X - S)^2 + c*norm2(X)^2", "S/(1 + c)"),
    ("X: n x n solves X = c/(1 + c)*S*X + S", "inv(eye(n) - c/(1 + c)*S)*S"),
]


@pytest.mark.parametrize(("line", "closed"), CLOSED)
def test_derivatives_agree_with_those_of_the_closed_form(line: str, closed: str) -> None:
    scope = "S: n x n positive-definite; c: 1 x 1 positive; G: n x n symmetric; "
    implicit = mc.derive(f"{scope}{line}; tr(G*X)", wrt=["S", "c"])
    explicit = mc.derive(f"{scope}X = {closed}; tr(G*X)", wrt=["S", "c"])
    rng = np.random.default_rng(3)
    R, G = rng.normal(size=(2, 3, 3))
    arrays = {"S": R @ R.T / 3 + 0.5 * np.eye(3), "c": 0.7, "G": G + G.T}
    (value, found), (wanted_value, wanted) = (d.function()(**arrays) for d in (implicit, explicit))
    assert np.isclose(value, wanted_value, rtol=1e-10)
    assert np.allclose(found["S"] + found["S"].T, wanted["S"] + wanted["S"].T, rtol=1e-8, atol=1e-10)
    assert np.isclose(found["c"], wanted["c"], rtol=1e-8)


@pytest.mark.parametrize(
    "program",
    [
        "a: 1 x 1; x: 1 x 1 solves x^3 + x = a; x^2",
        "W: n x n; b: n x 1; z: n x 1 solves z = tanh(W*z/4 + b); sum(z.^2)",
        "y: n x 1; v: n x 1; x: n x 1 minimizes sum(softplus(-y .* x)) + norm2(x - v)^2/2; sum(x.^2)",
        "A: n x n; Q: n x n; P: n x n solves A*P + P*A' = Q; tr(P*P)",
    ],
)
def test_second_derivatives(program: str) -> None:
    d = mc.derive(program, wrt={"a": "a", "W": "b", "y": "v", "A": "A"}[program[0]])
    assert d.check(kind="hessian", trials=2)


def test_it_says_when_there_is_no_solution() -> None:
    f = mc.derive("a: 1 x 1; x: 1 x 1 solves x^2 + a^2 = -1; x").function("value")
    with pytest.raises(ArithmeticError, match="x: Newton's method does not converge"):
        f(a=1.0)
    g = mc.derive("a: 1 x 1; x: 1 x 1 minimizes cos(x) - a*x^2; x").function("value")
    with pytest.raises(ArithmeticError, match="second derivative"):
        g(a=1.0)
    h = mc.derive("A: n x n; X: n x n positive-definite solves X*X*X = A; tr(X)").function("value")
    with pytest.raises(ArithmeticError, match="positive-definite"):
        h(A=-np.eye(2))


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("x: n x 1 solves y = b; x", "does not occur"),
        ("x: n x 1 solves A*x = C; A: n x n; C: n x n; x", "does not fit"),
        ("x: n x n skew solves x*x = A; x", "declared skew"),
        ("x: n x 1 minimizes A*x; A: n x n; x", "must be 1 x 1"),
        ("a: 1 x 1; x: 1 x 1 minimizes a*x - x^2; x", "no minimum"),
        ("x: n x 1 minimizes sum(x); x", "no minimum"),
        ("x: n x 1 solves x = x; x = 2; x", "defined twice"),
        ("x: n x 1 solves; x", "a value is needed"),
    ],
)
def test_wrong_equations_are_refused(program: str, message: str) -> None:
    with pytest.raises(mc.MatcalcError, match=message):
        mc.derive(program)


def test_the_words_are_names_elsewhere() -> None:
    d = mc.derive("solves = X*w; minimizes: 1 x 1; minimizes*sum(solves)", wrt="w")
    assert str(d.gradient("w")) == "minimizes*sum(X, 1)'"


@pytest.mark.parametrize("target", ["jax", "torch"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_jax_and_torch_solve_the_equations(case: dict[str, Any], target: str) -> None:
    library = pytest.importorskip(target)
    if target == "jax":
        library.config.update("jax_enable_x64", True)
    d, dims = mc.derive(case["program"], wrt=case["wrt"]), case["dims"][0]
    arrays = values(case, dims, 0)
    given = {name: float(X.item()) if d.graph.declared[name].is_scalar else X for name, X in arrays.items()}
    put = library.numpy.asarray if target == "jax" else library.asarray
    given = {name: X if isinstance(X, float) else put(X) for name, X in given.items()}
    value, gradients = d.function("value_and_grad", target)(**given)
    wanted, slopes = d.function("value_and_grad")(**arrays)
    assert np.isclose(float(value), wanted, rtol=1e-7, atol=1e-8)
    for name, slope_wanted in slopes.items():
        assert np.allclose(np.asarray(gradients[name]), slope_wanted, rtol=1e-6, atol=1e-7), name


def test_an_equation_is_solved_in_a_jitted_function() -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    value = mc.derive("a: 1 x 1; x: 1 x 1 solves x^3 + x = a; x^2").function("value", "jax")
    assert float(jax.jit(lambda a: value(a=a))(2.0)) == pytest.approx(1.0)
    without = mc.derive("a: 1 x 1; x: 1 x 1 solves x^2 = a; x").function("value", "jax")
    assert np.isnan(without(a=-1.0))


@pytest.mark.parametrize("target", ["c", "dask", "array-api"])
def test_other_targets_are_refused_by_the_name_of_the_value(target: str) -> None:
    d = mc.derive("a: 1 x 1; x: 1 x 1 solves x^3 + x = a; x^2")
    with pytest.raises(mc.NoRuleError, match="the equation of x"):
        d.code(target=target)


def test_equations_in_python() -> None:
    W, b, z = mc.var("W", "n", "n"), mc.var("b", "n", 1), mc.var("z", "n", 1)
    d = mc.derive(mc.total(mc.solves(z, z, mc.tanh(W @ z + b))), wrt="b")
    assert str(d.gradient("b")) == str(
        mc.derive("W: n x n; b: n x 1; z: n x 1 solves z = tanh(W*z + b); sum(z)").gradient("b")
    )
    with pytest.raises(mc.MatcalcError, match="must be a variable"):
        mc.solves(W @ z, z, b)
    with pytest.raises(mc.ShapeError):
        mc.solves(z, z, W)
    with pytest.raises(mc.MatcalcError, match="no minimum"):
        mc.minimizes(z, mc.total(b * 2 - z))


def test_the_program_of_a_note_reads_back() -> None:
    text = (
        "W: n x n; b: n x 1; z: n x 1 solves z = tanh(W*z + b); w: n x 1 minimizes sum(exp(w)) + norm2(w - z)^2; sum(w)"
    )
    d = mc.derive(text, wrt="b")
    again = mc.derive(source_program(d), wrt="b")
    assert again.output is d.output


def test_expressions_with_equations_are_pickled() -> None:
    d = mc.derive("W: n x n; b: n x 1; z: n x 1 solves z = tanh(W*z + b); sum(z)", wrt="b")
    assert pickle.loads(pickle.dumps(d.output)) is d.output


@pytest.mark.parametrize(
    ("source", "value", "form"),
    [
        ("X: n x n solves A*X + X*A' = Q", "lyapunov(A, Q)", "inv(kron(eye(n), A) + kron(A, eye(n)))*vec(Q), n, n"),
        ("X: n x n solves A*X + X*B = Q", "sylvester(A, B, Q)", "inv(kron(eye(n), A) + kron(B', eye(n)))*vec(Q), n, n"),
        ("X: n x n solves X = A*X*A' + Q", "dlyapunov(A, Q)", "inv(eye(n^2) - kron(A, A))*vec(Q), n, n"),
    ],
)
def test_the_closed_form_by_vec_stands_beside_and_is_proved_equal(source, value, form):
    declared = "A: n x n; B: n x n; Q: n x n; G: n x n; "
    d = mc.derive(f"{declared}{source}; tr(G'*X)", wrt="Q")
    assert f"X = {value}" in d.text()
    assert f"X = reshape({form})" in d.text()
    assert r"X = \operatorname{reshape}" in d.latex()
    assert r"X = \operatorname{reshape}" in d.markdown()
    assert mc.prove(f"{declared}{value} = reshape({form})").status == "proved"


def test_the_closed_form_by_vec_stands_beside_an_optimum():
    data = "A: m x m spd; B: n x n spd; C: m x n; X: m x n; "
    o = mc.minimize(f"{data}tr(X'*A*X)/2 + tr(X*B*X')/2 - tr(C'*X)", over="X")
    assert str(o["X"]) == "sylvester(A, B, C)"
    form = "reshape(inv(kron(eye(n), A) + kron(B', eye(m)))*vec(C), m, n)"
    assert f"X = {form}   (equal by sylvester_by_vec)" in o.text()
    assert r"X = \operatorname{reshape}" in o.latex().replace(r"\operatorname{sylvester}(A, B, C)", "X")
    assert o.data()["by_vec"] == [{"of": "X", "form": form, "rule": "sylvester_by_vec"}]
    assert mc.prove(f"{data}sylvester(A, B, C) = {form}").status == "proved"
