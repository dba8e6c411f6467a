"""Optima in closed form: every known one, what it is said to be, its numbers; and what must be refused."""

from __future__ import annotations

import runpy
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from case_support import Case, load
from scipy.optimize import minimize

import matcalc as mc
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.sample import sample
from matcalc.optimum.answer import SOLVERS
from matcalc.optimum.proofs import lagrangian
from matcalc.optimum.trial import numbers_at_random, tried
from matcalc.walk import variables

ROOT = Path(__file__).resolve().parent.parent
CASES = load("optimum")
SOLVED = [case for case in CASES if case["status"] == "closed-form"]
REFUSED = [case for case in CASES if case["status"] != "closed-form"]


def asked(case: Case) -> mc.Optimum:
    over, constraints = case["over"], case["subject_to"]
    if case["sense"] == "stationary":
        return mc.derive(case["program"], wrt=over).optimum(*over)
    f = mc.minimize if case["sense"] == "min" else mc.maximize
    return f(case["program"], over=over, subject_to=constraints)


def assert_every_line_is_true(o: mc.Optimum) -> None:
    """The lines from the gradient to the answer, at random data; multipliers without a closed form are left out."""
    rng = np.random.default_rng(1)
    drawn = (numbers_at_random(o.question, o.values, rng, o.needs) for _ in range(80))
    numbers = next(found for found in drawn if found is not None)
    at = numbers.point(numbers.start)
    _, names = lagrangian(o.question)
    known = {names[text].name: L for text, L in o.multipliers.items()}
    at |= {name: evaluate(L, numbers.data, numbers.sizes) for name, L in known.items()}
    tested = 0
    for line in o.lines:
        if {v.name for v in variables([line.left, line.right])} - set(at):
            assert "Lagrangian" in line.words
            continue
        left, right = (evaluate(side, at, numbers.sizes) for side in (line.left, line.right))
        assert left.shape == right.shape
        assert np.allclose(left, right, rtol=1e-7, atol=1e-7 * (1 + np.abs(right).max())), f"{line.left} = {line.right}"
        tested += 1
    assert tested
    last = {line.left.name: line.right for line in o.lines if line.left in o.question.over}
    assert last == o.values  # the lines end with the answer


@pytest.mark.parametrize("case", SOLVED, ids=[case["id"] for case in SOLVED])
def test_known_optima(case):
    o = asked(case)
    assert o.status == "closed-form"
    assert o.kind == case["kind"]
    if o.unique != case["unique"]:  # it may depend on conditions, which are stated then
        assert case["unique"] is None
        assert o.unique is True
        assert o.conditions
    trial = o.check(trials=2)
    assert trial, str(trial)
    assert trial.stationarity < 1e-9
    assert trial.infeasibility < 1e-9
    for name in case["over"]:  # what is printed can be read again
        again = mc.derive(case["program"], wrt=case["over"]).parse(str(o[name]))
        assert same_numbers(o[name], again)
    assert all(text.strip() for text in o.equations)
    assert_every_line_is_true(o)
    assert o.steps
    assert all(step.source for step in o.steps)


@pytest.mark.parametrize("case", SOLVED, ids=[case["id"] for case in SOLVED])
def test_a_numerical_optimiser_finds_nothing_better(case):
    """SciPy's SLSQP, from points around the closed form and from anywhere; a better feasible point is a failure."""
    o = asked(case)
    if o.kind not in ("minimum", "maximum"):
        return
    sign = 1.0 if o.kind == "minimum" else -1.0
    rng = np.random.default_rng(4)
    found = (
        numbers_at_random(o.question, {v.name: o[v.name] for v in o.question.over}, rng, o.needs) for _ in range(80)
    )
    numbers = next(n for n in found if n is not None and len(n.start) <= 12)
    best = sign * numbers.value(numbers.start)

    def cost(z: np.ndarray) -> float:
        value = sign * numbers.value(z) if numbers.inside(z) else np.inf
        return value if np.isfinite(value) else 1e9 * (1 + abs(best))

    constraints = [{"type": "eq", "fun": numbers.residual}] if o.question.constraints else []
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for spread in (0.1, 1.0):
            start = numbers.start + spread * rng.standard_normal(len(numbers.start))
            z = minimize(cost, start, method="SLSQP", constraints=constraints, options={"maxiter": 60}).x
            if numbers.inside(z) and np.abs(numbers.residual(z)).max(initial=0.0) < 1e-8:
                assert cost(z) >= best - 1e-6 * (1 + abs(best))


def test_the_optimiser_beats_a_wrong_closed_form():
    o = mc.minimize("X: n x p; w: p x 1; y: n x 1; c: 1 x 1 positive; norm2(X*w - y)^2 + c*norm2(w)^2", over="w")
    numbers = numbers_at_random(o.question, {"w": 1.01 * o["w"]}, np.random.default_rng(4))
    found = minimize(numbers.value, numbers.start, method="SLSQP")
    assert found.fun < numbers.value(numbers.start) - 1e-6


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "optima").glob("*.py")), ids=lambda path: path.stem)
def test_examples_from_the_gradient_to_the_answer(path, capsys):
    runpy.run_path(str(path))["main"]()
    assert capsys.readouterr().out


def same_numbers(a: mc.Expr, b: mc.Expr) -> bool:
    data, sizes = sample(variables_of(a, b), 3, mode="unit", also=[*a.shape, *b.shape])
    with np.errstate(all="ignore"):
        x, y = (evaluate(e, data, sizes) for e in (a, b))
    return np.allclose(x, y, rtol=1e-9, atol=1e-12, equal_nan=True)


def variables_of(*roots: mc.Expr) -> list[mc.Expr]:
    from_roots = mc.Graph()
    for root in roots:
        from_roots.collect(root)
    return list(from_roots.declared.values())


@pytest.mark.parametrize("case", REFUSED, ids=[case["id"] for case in REFUSED])
def test_what_has_no_closed_form_is_refused_with_its_equations(case):
    o = asked(case)
    assert o.status in ("equation", "none")
    assert o.equations
    assert o.kind in (None, case["kind"])
    with pytest.raises(mc.MatcalcError, match="no closed form"):
        o[case["over"][0]]
    with pytest.raises(mc.MatcalcError, match="no closed form"):
        o.code()


def test_a_wrong_closed_form_fails_the_check():
    o = mc.minimize("X: n x p; w: p x 1; y: n x 1; c: 1 x 1 positive; norm2(X*w - y)^2 + c*norm2(w)^2", over="w")
    wrong = {"w": 1.001 * o["w"]}
    assert not tried(o.question, wrong, "minimum", 2, 0)


def test_generated_code_solves_and_does_not_invert():
    for source, over in (
        ("X: n x p; W: p x k; Y: n x k; c: 1 x 1 positive; norm2(X*W - Y)^2 + c*norm2(W)^2", "W"),
        ("P: n x n spd; q: n x 1; x: n x 1; x'*P*x/2 - q'*x", "x"),
        ("K: n x m; H: m x n; P: n x n spd; R: m x m spd; tr((eye(n) - K*H)*P*(eye(n) - K*H)' + K*R*K')", "K"),
    ):
        code = mc.minimize(source, over=over).code()
        assert "linalg.inv" not in code
        assert code.count("linalg.cholesky(") == 1


def test_code_of_a_closed_form_gives_its_value():
    o = mc.minimize("P: n x n spd; q: n x 1; A: k x n; b: k x 1; x: n x 1; x'*P*x/2 + q'*x", "x", ["A*x = b"])
    data, sizes = sample(o.data_variables, 1, sizes={"n": 5, "k": 2})
    x = o.function()(**data)["x"]
    assert np.allclose(x, evaluate(o["x"], data, sizes))
    assert np.allclose(data["A"] @ x, data["b"])
    L = evaluate(o.multipliers["A*x = b"], data, sizes)
    assert np.allclose(data["P"] @ x + data["q"] + data["A"].T @ L, 0)


@pytest.mark.parametrize(
    ("source", "over", "constraints"),
    [
        ("x: n x 1 positive; v: n x 1; norm2(x - v)^2", "x", []),  # the projection is not v
        ("x: n x 1 nonnegative; v: n x 1; norm2(x - v)^2", "x", []),
        ("X: n x n spd; A: n x n symmetric; norm2(X - A)^2", "X", []),
        ("x: n x 1; x'*x", "x", ["x'*x >= 1"]),
        ("p: n x 1 positive; c: n x 1; c'*p + sum(p .* log(p))", "p", ["sum(p) = 1", "c'*p = 2"]),
        ("S: n x n symmetric; w: n x 1; m: n x 1; w'*S*w + m'*w", "w", ["w'*w = 1"]),
        ("S: n x n symmetric; N: k x k symmetric; W: n x k; tr(N*W'*S*W)", "W", ["W'*W = eye(k)"]),
        ("x: 1 x 1; x^4 - x^2", "x", []),
    ],
)
def test_traps(source, over, constraints):
    try:
        o = mc.minimize(source, over=over, subject_to=constraints)
    except mc.MatcalcError:
        return
    assert o.status != "closed-form"


def test_a_minimum_that_is_sought_is_not_answered_by_a_maximum():
    o = mc.minimize("P: n x n spd; q: n x 1; x: n x 1; q'*x - x'*P*x/2", over="x")
    assert o.status == "none"
    assert "maximum" in o.note


def test_the_answer_has_no_truth_value_and_needs_variables():
    d = mc.derive("x: n x 1; r = x - 1; norm2(r)^2", wrt="x")
    with pytest.raises(mc.MatcalcError, match="truth value"):
        bool(d.optimum("x"))
    with pytest.raises(mc.MatcalcError, match="named value"):
        d.optimum("r")
    with pytest.raises(mc.MatcalcError, match="equation"):
        d.optimum("x", subject_to=["x"])


def test_views(tmp_path):
    o = mc.minimize("P: n x n spd; q: n x 1; x: n x 1; x'*P*x/2 - q'*x", over="x")
    assert "inv(P)*q" in o.text()
    assert r"P^{-1}" in o.latex()
    assert "first_order_condition" in o.markdown()
    for name in ("o.md", "o.tex", "o.txt", "o.py"):
        assert o.export(tmp_path / name).read_text(encoding="utf-8").strip()
    assert o.data()["values"] == {"x": "inv(P)*q"}


def test_command_line():
    run = [sys.executable, "-m", "matcalc", "solve", "w: n x 1; S: n x n spd; w'*S*w", "--over", "w"]
    made = subprocess.run([*run, "--subject-to", "sum(w) = 1"], capture_output=True, text=True, check=True)
    assert "w = sum(inv(S), 2)/sum(inv(S))" in made.stdout


def test_every_rule_has_a_statement_and_a_source():
    assert SOLVERS
    assert all(rule.statement and rule.source for rule in SOLVERS)


SLOPE = "sum((x - mean(x)) .* (y - mean(y)))/sum((x - mean(x)).^2)"


@pytest.mark.parametrize(
    ("source", "over", "constraints", "expected"),
    [
        ("X: n x n diagonal; A: n x n; norm2(X - A)^2", "X", [], "diag(diagvec(A))"),
        ("Q: n x n; A: n x n; norm2(Q - A)^2", "Q", ["Q*Q' = eye(n)"], "polar(A)"),
        ("x: n x 1; z: n x 1 nonzero; norm2(x - z)^2", "x", ["norm2(x) = 1"], "z/norm2(z)"),
        ("X: n x n symmetric; A: n x n symmetric; norm2(X - A)^2", "X", ["tr(X) = 1"], "A + (1 - tr(A))/n*eye(n)"),
        ("a: 1 x 1; b: 1 x 1; x: n x 1; y: n x 1; norm2(y - a*x - b)^2", "a, b", [], SLOPE),
    ],
)
def test_further_optima(source, over, constraints, expected):
    o = mc.minimize(source, over=over, subject_to=constraints)
    name = over.split(",")[0]
    assert o.kind == "minimum"
    assert o.check(trials=2)
    assert same_numbers(o[name], mc.derive(source, wrt=over).parse(expected))


def test_kinks_are_not_characterised_by_a_gradient():
    assert mc.minimize("x: n x 1; v: n x 1; norm1(x) + norm2(x - v)^2/2", over="x").status == "none"


def test_conditions_that_never_hold_give_no_answer():
    o = mc.minimize("X: m x n; A: m x n; r: m x 1; norm2(X - A)^2", "X", ["X*ones(n,1) = r", "sum(X) = 1"])
    assert o.status == "none"


@pytest.mark.parametrize(
    ("constraints", "said"),
    [
        (["x >= 0"], "inequalities such as 'x >= 0' are not handled"),
        (["0 <= x"], "inequalities such as '0 <= x' are not handled"),
        (["x ≥ 0"], "inequalities such as 'x ≥ 0' are not handled"),
        (["sum(x) < 1"], "inequalities such as 'sum(x) < 1' are not handled"),
        (["x != 0"], "x: n x 1 nonzero"),
        ("sum(x) = 1, x >= 0", "a list of texts, one for each"),
        (["sum(x)"], "a constraint is an equation"),
        (["sum(x) = "], "the constraint 'sum(x) = ' has an empty side"),
    ],
)
def test_what_is_no_equation_is_refused_by_name(constraints, said):
    with pytest.raises(mc.MatcalcError) as refused:
        mc.minimize("A: m x n; b: m x 1; x: n x 1; norm2(A*x - b)^2", over="x", subject_to=constraints)
    assert said in str(refused.value)


def test_edges_of_domains_are_pointed_out():
    o = mc.minimize("A: m x n; b: m x 1; x: n x 1 nonnegative; norm2(A*x - b)^2", over="x")
    assert o.status == "none"
    assert "x has a domain with an edge" in o.text()


def test_an_optimum_needs_a_scalar_function():
    with pytest.raises(mc.ShapeError, match=r"^an optimum needs a scalar function"):
        mc.minimize("A: m x n; x: n x 1; A*x", over="x")


FORMS = [
    ("A: n x n spd; X: n x n spd; tr(A*X) + tr(inv(X))", "X", [], "inv(sqrtm(A))"),
    (
        "K: n x n spd; a: n x 1; y: n x 1; c: 1 x 1 positive; norm2(K*a - y)^2 + c*a'*K*a",
        "a",
        [],
        "inv(c*eye(n) + K)*y",
    ),
    ("p: n x 1 positive; q: n x 1 positive; sum(p .* log(p ./ q))", "p", ["sum(p) = 1"], "q/sum(q)"),
    (
        "p: n x 1 positive; q: n x 1 positive; a: n x 1; t: 1 x 1 positive; a'*p + t*sum(p .* log(p ./ q))",
        *("p", ["sum(p) = 1"], "softmax(log(q) - a/t)"),
    ),
    ("k: 1 x 1 positive; m: 1 x 1 positive; p: 1 x 1; -k*log(sigmoid(p)) - m*log(1 - sigmoid(p))", "p", [], "log(k/m)"),
]


@pytest.mark.parametrize(("source", "over", "constraints", "expected"), FORMS, ids=[case[3] for case in FORMS])
def test_optima_in_their_short_forms(source, over, constraints, expected):
    o = mc.minimize(source, over=over, subject_to=constraints)
    assert (str(o[over]), o.kind, o.unique, o.conditions) == (expected, "minimum", True, [])
    assert o.check(trials=2)


def test_values_at_zero_vanish():
    o = mc.minimize("y: n x 1; x: n x 1; D: k x n; c: 1 x 1 positive; norm2(x - y)^2 + c*norm2(D*x)^2", over="x")
    assert "zeros" not in str(o.value)


def test_what_is_given_shortens_the_answer():
    data = "A: m x n; X: n x n; B: m x n; norm2(A*X - B)^2"
    o = mc.minimize(data, over="X", subject_to=["X*ones(n,1) = ones(n,1)"])
    assert o.conditions == ["A'*A is nonsingular"]
    assert "inv(inv" not in str(o["X"])
    assert o.check(trials=2)


def test_a_jointly_convex_function_needs_no_condition_after_elimination():
    data = "A: m x n; x: n x 1; y: m x 1; b: m x 1; r: 1 x 1 positive; s: 1 x 1 positive"
    o = mc.minimize(f"{data}; norm2(y - b)^2 + r*norm2(A*x - y)^2 + s*norm2(x)^2", over=["x", "y"])
    assert (o.kind, o.unique, o.conditions) == ("minimum", True, [])
    assert o.check(trials=2)


def test_all_solutions_of_a_singular_equation_are_stated_on_the_side_where_they_are():
    rng = np.random.default_rng(3)
    A, X = rng.standard_normal((4, 2)) @ rng.standard_normal((2, 3)), rng.standard_normal((3, 2)) @ np.ones((2, 5))
    Y, W, Z = rng.standard_normal((4, 5)), rng.standard_normal((3, 3)), rng.standard_normal((3, 3))
    left, right = np.eye(3) - np.linalg.pinv(A) @ A, np.eye(3) - X @ np.linalg.pinv(X)
    for free in (left @ Z, Z @ right):
        assert np.allclose(A @ (W + free) @ X - Y, A @ W @ X - Y)
    shapes = {"A": ("m", "k"), "W": ("k", "p"), "X": ("p", "n"), "Y": ("m", "n")}
    assert mc.minimize("norm2(A*W*X - Y)^2", over="W", shapes=shapes).remarks == (
        "where A has dependent columns there are other solutions: add (eye(k) - pinv(A)*A)*Z for any Z",
        "where X has dependent rows there are other solutions: add Z*(eye(p) - X*pinv(X)) for any Z",
    )


GAUSS = "m: 1 x 1; s: 1 x 1 positive; x: n x 1; -n*log(s) - sum((x - m).^2)/(2*s^2)"


def test_a_mean_and_a_deviation_are_eliminated_one_after_the_other():
    o = mc.maximize(GAUSS, over=["m", "s"])
    assert (str(o["m"]), o.kind, o.unique, o.conditions) == ("mean(x)", "maximum", True, ["var(x) is positive"])
    assert o.check()
    x = np.array([1.0, 4.0, -2.0, 5.0])
    assert o.function()(x=x)["s"] == pytest.approx(x.std())


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("x: 1 x 1; a: 1 x 1; (x - a)^4", "a"),
        ("x: 1 x 1 positive; a: 1 x 1 positive; b: 1 x 1 positive; a*x^2 + b/x", "(b/(2*a))^(1/3)"),
    ],
)
def test_roots_of_equations_in_two_powers(source, value):
    o = mc.minimize(source, over="x")
    assert (str(o["x"]), o.kind) == (value, "minimum")
    assert o.check()


@pytest.mark.parametrize(
    ("source", "over", "conditions"),
    [
        ("u: m x 1; v: n x 1; A: m x n; norm2(A - u*v')^2", "u", ["v is not zero"]),
        ("x: n x 1; y: n x 1; a: 1 x 1; norm2(y - a*x)^2", "a", ["x is not zero"]),
        ("x: n x 1; c: n x 1; b: n x 1; sum(c.*x.^2 - b.*x)", "x", ["c has no zero entries"]),
        ("p: 1 x 1; k: 1 x 1 positive; N: 1 x 1 positive; -k*log(p) - (N - k)*log(1 - p)", "p", []),
    ],
)
def test_conditions_are_about_what_they_come_to(source, over, conditions):
    assert mc.minimize(source, over=over).conditions == conditions


def test_the_lines_lead_from_the_gradient_to_the_answer():
    """Ridge regression as on the board; the same lines in every view."""
    ridge = "X: n x p; y: n x 1; w: p x 1; c: 1 x 1 positive; norm2(X*w - y)^2 + c*norm2(w)^2"
    o = mc.minimize(ridge, over="w")
    said = [f"{line.left} = {line.right}" for line in o.lines]
    assert said == [
        "2*(c*w + X'*(X*w - y)) = zeros(p, 1)",
        "2*(c*eye(p) + X'*X)*w = 2*X'*y",
        "(c*eye(p) + X'*X)*w = X'*y",
        "w = inv(c*eye(p) + X'*X)*X'*y",
    ]
    assert "positive definite, and so has an inverse" in o.text()
    assert "the function is strictly convex, and the point its only minimum" in o.text()
    assert [line["why"] for line in o.data()["lines"]] == [line.words for line in o.lines]
    for step in o.steps_latex():
        assert step.equation in o.latex()
        assert step.equation in o.markdown()


def test_stationary_along_symmetric_matrices():
    """The printed equation holds at the optimum: the gradient along symmetric matrices is zero, the free one is not."""
    o = mc.minimize("A: m x n; B: m x n; X: n x n symmetric; norm2(A*X - B)^2", over="X")
    assert o.equations != ("2*A'*(A*X - B) = 0",)
    assert_every_line_is_true(o)


def test_no_multipliers_of_the_function_inside():
    """exp(x'A x) has other multipliers than x'A x: none is printed, and no line is untrue."""
    source = "A: n x n spd; x: n x 1; c: n x 1 nonzero; d: 1 x 1 positive; exp(x'*A*x)"
    o = mc.minimize(source, over="x", subject_to=["c'*x = d"])
    assert o.status == "closed-form"
    assert not o.multipliers
    assert_every_line_is_true(o)
