r"""Mathematics as it is pasted (LaTeX, Unicode, NumPy, MATLAB, Julia) is read as it is meant, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from case_support import VALID, derive

import matcalc as mc
from matcalc.core import var
from matcalc.errors import MatcalcError
from matcalc.expr import postorder
from matcalc.frontend.hints import READINGS
from matcalc.frontend.names import is_function
from matcalc.frontend.parser import parse
from matcalc.graph import Graph
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.sample import sample
from matcalc.printing.latex import latex
from matcalc.printing.pieces import locals_of
from matcalc.walk import substitute, variables

CASES = [json.loads(line) for line in (Path(__file__).parent / "cases/pasted.jsonl").read_text("utf-8").splitlines()]
SHAPES = {"A": ("n", "n"), "B": ("n", "n"), "X": ("n", "p"), "Y": ("n", "p"), "x": ("n", 1), "y": ("n", 1), "s": (1, 1)}
STEP = 1e-6


def by_id(cases: list[Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[case["id"] for case in cases])


def drawn(case: dict[str, Any]) -> dict[str, Any]:
    """Values for the variables of a case, in its domain."""
    rng = np.random.default_rng(len(case["input"]))
    sizes = {"n": 4, "p": 3, "m": 5, "k": 2, "d": 3, **(case["dims"][0] if case.get("dims") else {})}
    values = {}
    for name, shape in case["shapes"].items():
        value = rng.normal(size=[sizes.get(d, d) for d in shape])
        kind = case.get("domain", {}).get(name, "")
        if "positive-definite" in str(case.get("facts", {}).get(name, "")) or kind == "spd":
            value = value @ value.T + len(value) * np.eye(len(value))
        elif kind:
            value = np.abs(value) + 0.5
        values[name] = value
    return values


def reference(formula: str, values: dict[str, Any]) -> float:
    """The value of a NumPy expression."""
    scalars = {n: float(v[0, 0]) if v.shape == (1, 1) else v for n, v in values.items()}
    scope = {"np": np, **{("lambda_" if n == "lambda" else n): v for n, v in scalars.items()}}
    return float(np.asarray(eval(formula, scope)).squeeze())


def slope(formula: str, values: dict[str, Any], name: str, direction: Any) -> float:
    ahead = reference(formula, {**values, name: values[name] + STEP * direction})
    behind = reference(formula, {**values, name: values[name] - STEP * direction})
    return (ahead - behind) / (2 * STEP)


def agrees(case: dict[str, Any], formula: str) -> bool:
    """Whether value and gradient are those of a NumPy expression."""
    found = mc.derive(case["input"], case["wrt"], shapes=case["shapes"], facts=case.get("facts"))
    values = drawn(case)
    value, gradients = found.function("value_and_grad")(**values)
    expected = reference(formula, values)
    if not np.isclose(float(np.asarray(value).squeeze()), expected, rtol=1e-9, atol=1e-9):
        return False
    direction = np.random.default_rng(7).normal(size=values[case["wrt"]].shape)
    if "positive-definite" in str(case.get("facts", {}).get(case["wrt"], "")):
        direction = direction + direction.T
    expected = slope(formula, values, case["wrt"], direction)
    return bool(np.isclose(np.sum(gradients[case["wrt"]] * direction), expected, rtol=1e-4, atol=1e-5))


@by_id([case for case in CASES if case["expect"] == "ok"])
def test_what_is_meant_is_read(case: dict[str, Any]) -> None:
    assert agrees(case, case["numpy"])


@by_id([case for case in CASES if case["expect"] == "error-with-hint"])
def test_what_cannot_be_read_is_refused_with_a_cure(case: dict[str, Any]) -> None:
    with pytest.raises(MatcalcError) as caught:
        mc.derive(case["input"], case["wrt"], shapes=case["shapes"], facts=case.get("facts"))
    said = str(caught.value).replace(case["input"], "")
    assert any(hint.lower() in said.lower() for hint in case["hint_any"]), said


@by_id([case for case in CASES if case["expect"] == "either"])
def test_what_is_ambiguous_is_refused_or_read_as_one_of_its_readings(case: dict[str, Any]) -> None:
    try:
        mc.derive(case["input"], case["wrt"], shapes=case["shapes"], facts=case.get("facts"))
    except MatcalcError:
        return
    assert any(agrees(case, formula) for formula in case.get("readings") or [case["numpy"]])


READ = [
    (r"\sum_i x^2_i", "x'*x"),
    (r"\|x\|_\infty", "max(abs(x))"),
    (r"|A||B|", "det(A)*det(B)"),
    (r"\max_i (Ax)_i", "max(A*x)"),
    (r"\sum_{i,j} A_{ij} B_{ij}", "tr(A'*B)"),
    ("np.dot(A, x)", "A*x"),
    ("np.where(x > 0, x, 0)", "where(x > 0, x, 0)"),
    ("dot(x, y)", "x'*y"),
    ("dot(A*x, x + y)", "(A*x)'*(x + y)"),
    ("transpose(X)", "X'"),
    ("transpose(A*B)", "(A*B)'"),
    ("tr(t(A))", "tr(A')"),
    ("norm(x)", "norm2(x)"),
    ("norm(x, 1)", "norm1(x)"),
    ("norm(A*x, 2)", "norm2(A*x)"),
    ("square(x - y)", "(x - y).^2"),
    ("matmul(A, B)", "A*B"),
    ("crossprod(X, Y)", "X'*Y"),
    ("power(x, 3)", "x.^3"),
    ("hcat(X, Y)", "[X, Y]"),
    ("log10(x)", "log(x)/log(10)"),
    ("sum(max(0, x))", "sum(maximum(0, x))"),
    ("linsolve(A, x)", "solve(A, x)"),
    ("rowSums(X)", "sum(X, 2)"),
    ("np.log(np.linalg.det(A))", "log(det(A))"),
    ("np.linalg.inv(A)", "inv(A)"),
    ("torch.nn.functional.relu(x)", "relu(x)"),
    ("x.dot(y)", "x'*y"),
    ("X.sum()", "sum(X)"),
    ("‖x‖^2", "norm2(x)^2"),
    ("||x||^2", "norm2(x)^2"),
    ("y'*(A\\x)", "y'*solve(A, x)"),
    ("x**2", "x.^2"),
    ("A^{-1}*x", "A^-1*x"),
    ("\\frac{1}{2}*x'*x", "1/2*x'*x"),
    ("x^\\top*y", "x'*y"),
    ("A \\cdot x", "A*x"),
    ("$x'*x$", "x'*x"),
    ("x − y", "x - y"),
    ("x ⊙ y", "x .* y"),
    ("x ∘ y", "x .* y"),
    ("A · x", "A*x"),
    ("A ⊗ B", "kron(A, B)"),
    ("xᵀ*y", "x'*y"),
    ("x′*y", "x'*y"),
    ("A⁻¹", "A^-1"),
    ("√s", "sqrt(s)"),
    ("x₁", "x[1]"),
    ("½*x", "1/2*x"),
    ("⟨x, y⟩", "x'*y"),
    ("π*s", "pi*s"),
    ("A＋B", "A + B"),
    ("𝐱'*x", "x'*x"),
    ("norm(X, 'fro')", "norm2(X)"),
    ("tr(A^{-1})", "tr(A^-1)"),
    ("log(x^{T}*y)", "log(x'*y)"),
    ("norm2(A*x)^{2}", "norm2(A*x)^2"),
    (r"x^{\top}softmax(A x)", "x'*softmax(A*x)"),
    (r"x^\top (y > 0)", "x'*where(y > 0, 1, 0)"),
    (r"x^\top [y \le x]", "x'*where(y <= x, 1, 0)"),
    (r"x^\top \mathbb{1}(y > 0)", "x'*where(y > 0, 1, 0)"),
    (r"x^\top \mathbf{1}_{y \geq 0}", "x'*where(y >= 0, 1, 0)"),
    (r"x^\top \mathbf{1}_{\{y > x\}}", "x'*where(y > x, 1, 0)"),
    (r"\mathbb{I}[s < 1]\, x^\top y", "where(s < 1, 1, 0)*x'*y"),
    (r"\sum_i \mathbb{1}[x_i y_i < 1] x_i", "where(x .* y < 1, 1, 0)'*x"),
    ("x'*𝟙(y ≥ 0)", "x'*where(y >= 0, 1, 0)"),
    (r"x^\top \mathbf{1} (s + 1)", "x'*ones(n, 1)*(s + 1)"),
    (r"\|x - y\|_{A^{-1}}^2", "(x - y)'*inv(A)*(x - y)"),
    (r"\lVert x \rVert^2_A", "x'*A*x"),
    (r"\|x\|_A", "sqrt(x'*A*x)"),
    ("‖x‖_A²", "x'*A*x"),
    (r"\ln\Gamma(s)", "gammaln(s)"),
]


@pytest.mark.parametrize(("text", "meaning"), READ)
def test_other_spellings_have_the_meaning_of_the_text_syntax(text: str, meaning: str) -> None:
    assert str(parse(text, shapes=SHAPES).graph.output) == str(parse(meaning, shapes=SHAPES).graph.output)


@pytest.mark.parametrize("name", READINGS)
def test_a_reading_is_no_function_here_and_is_in_the_syntax(name: str) -> None:
    assert not is_function(name)
    places = [k for k in range(3) if f"{{{k}}}" in READINGS[name]]
    operand = "n" if "eye(" in READINGS[name] else "s"
    arguments = ", ".join([operand] * len(places))
    assert parse(f"{name}({arguments})", shapes=SHAPES).graph.output.shape


REFUSED = [
    ("A_{1}", "needs two indices"),
    (r"\theta'*x", "theta is not declared"),
    ("λ*x'*x", "write lambda, and declare"),
    ("Σ*x", "write Sigma"),
    ("Ω*x", "write Omega"),
    ("ñ", "write ntilde"),
    (r"\operatorname{tr}(A \odot B X Y^\top)", "two readings"),
    (r"\exp(A)", "two readings"),
    (r"\sqrt{A}", "two readings"),
    (r"\|A\|_2", "two readings"),
    (r"\|X\|_A^2", "is that of a column"),
    (r"\|x\|_s", "is not known here"),
    (r"\|x\|_3", "is not known here"),
    (r"\Gamma(s)", "no function Gamma"),
    (r"\sin^{-1}(x)", "two readings"),
    (r"\sum_{i} x_i y_j", "free"),
    (r"x^{\top\top} A x", "transposes"),
    (r"A \times B", "several readings"),
    (r"\frac{A}{B}", "./"),
    (r"|X|", "neither an absolute value nor a determinant"),
    (r"\begin{cases} 1 & 2 \end{cases}", "where"),
    (r"\sum_{i=1}^{p} x_i", "i goes up to p, and there are n"),
    (r"\sum_{i=1}^{n} (x_i + y)", "no index"),
    (r"\foo x", "not known"),
    (r"x^{(2)}", "names another variable"),
    (r"s_{1}", "has no index"),
    (r"\log\det(A)^2", "two readings"),
    (r"\operatorname{tr}(A^\top A)^{1/2}", "two readings"),
    ("A * B @ y", "two readings"),
    ("x^\\top (A", "never closed"),
    ("s/2n xᵀx", "two readings"),
    ("norm(A)", "singular value"),
    ("np.sum(X, axis=1)**2", "keepdims"),
    ("np.sum(x[0])", "counts entries from 0"),
    ("|x|", "neither"),
    ("‖A‖₁", "two readings"),
    (r"x^\top x \leq 1", "in brackets is 1 where it holds"),
    (r"x^\top (y \neq 0)", "a relation is no value"),
    (r"s^T x^T y", "declare T"),
    ("(x^T*y)^T*s", "declare T"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_ambiguous_input_names_its_readings(text: str, words: str) -> None:
    with pytest.raises(MatcalcError) as caught:
        parse(text, shapes=SHAPES)
    assert words in str(caught.value)


def test_latex_is_forced_and_text_is_kept() -> None:
    assert parse("x^T A x", shapes=SHAPES, syntax="latex").graph.output is parse("x'*A*x", shapes=SHAPES).graph.output
    with pytest.raises(MatcalcError, match="unexpected character"):
        parse("xᵀ*y", shapes=SHAPES, syntax="text")
    with pytest.raises(MatcalcError, match="syntax"):
        parse("x'*y", shapes=SHAPES, syntax="word")


def test_declarations_stand_before_pasted_lines() -> None:
    found = parse("X: n x p; w: p x 1\ny: n x 1\n½‖Xw − y‖²").graph.output
    assert found is parse("X: n x p; w: p x 1; y: n x 1\n1/2*norm2(X*w - y)^2").graph.output


GRADIENTS = [case for case in VALID if case["kind"] == "gradient"]


@by_id(GRADIENTS)
def test_what_is_printed_in_latex_is_read_back_or_refused_never_read_as_something_else(case: dict[str, Any]) -> None:
    gradient = derive(case).gradient(case["wrt"])
    if locals_of(gradient) or gradient.op == "zeros":
        return
    values = {e.params[0]: e for e in postorder([gradient]) if e.op in ("variable", "named")}
    shapes = {**{name: tuple(s) for name, s in case["vars"].items()}, **{n: e.shape for n, e in values.items()}}
    try:
        back = parse(latex(gradient), shapes=shapes, facts=case.get("assume"), syntax="latex").graph.output
    except MatcalcError as error:
        assert r"the shape of \mathbf{1} does not follow from the context" in str(error)  # noqa: PT017
        return
    names = {e: var(name, *e.shape) for name, e in values.items()}
    free = substitute(gradient, names)
    again = substitute(back, {e: var(e.params[0], *e.shape) for e in postorder([back]) if e.op == "variable"})
    if str(free) != str(again):
        rng = np.random.default_rng(3)
        sizes = {"n": 3, "m": 4, "p": 2, **case["dims"][0]}
        drawn_values = {}
        for name, e in values.items():
            a = (
                np.abs(
                    rng.normal(
                        size=[
                            int(d) if isinstance(d, int) else int(d.subs({k: sizes[str(k)] for k in d.free_symbols}))
                            for d in e.shape
                        ]
                    )
                )
                + 0.5
            )
            drawn_values[name] = a @ a.T + np.eye(len(a)) if a.shape[0] == a.shape[1] > 1 else a
        one, other = (
            np.asarray(mc.derive(Graph.of(e, names.values())).function("value")(**drawn_values)) for e in (free, again)
        )
        assert np.allclose(one, other, rtol=1e-7)


def same_values(found: mc.Expr, wanted: mc.Expr) -> bool:
    arrays, sizes = sample(variables([found, wanted]), 0)
    return found is wanted or np.allclose(evaluate(found, arrays, sizes), evaluate(wanted, arrays, sizes))


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (r"\[ x^\top A x \]", "x'*A*x"),
        (r"\( x^\top A x \)", "x'*A*x"),
        (r"\left(A x\right)^{\!\top} \left(B x\right)", "(A*x)'*(B*x)"),
        (r"(A^\top)^\top x", "A''*x"),
        (r"\exp_{\odot}(A)", "exp(A)"),
        (r"\sin_{\odot}(A B)", "sin(A*B)"),
        (r"\lVert \operatorname{vec}(A) \rVert_1", "norm1(A)"),
        (r"\lVert A \rVert_{\mathrm{op}}", "normspec(A)"),
        (r"L_{\operatorname{expm}}\left(A, B\right)", "frechet(expm, A, B)"),
        (r"L_{(\cdot)^{3}}(A, B)", "frechetpow(A, B, 3)"),
        (r"L_{(\cdot)^{s}}(A, B)", "frechetpow(A, B, s)"),
        (r"K_{n, p}", "comm(n, p)"),
        (r"X \odot Y \oslash Y", "X .* Y ./ Y"),
        (r"(x^\top A x) X \odot Y", "(x'*A*x)*X .* Y"),
        (r"\lVert x \lVert y \rVert \rVert", "norm2(x*norm2(y))"),
        (r"\mathrm{D}\operatorname{polar}\left(A\right)\left[B\right]", "dpolar(A, B)"),
        ("X ⊙ Y ./ Y", "X .* Y ./ Y"),
        ("x^T*A*x", "x'*A*x"),
        ("np.sum((x @ X)**2)", "sum((X'*x).^2)"),
        ("x.T @ A @ y", "x'*A*y"),
        ("X.T @ X", "X'*X"),
        ("jnp.exp(x) @ y", "exp(x)'*y"),
        ("(A*x)^T*(B*x)", "(A*x)'*(B*x)"),
    ],
)
def test_further_notations(text: str, meaning: str) -> None:
    found = parse(text, shapes=SHAPES).graph.output
    wanted = parse(meaning, shapes=SHAPES).graph.output
    assert same_values(found, wanted)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x_1^2 + x_2^2", "an entry of x is x[1]"),
        ("np.einsum('i,ij,j->', x, A, x)", "einsum is read in Python functions"),
        (r"A^{\top\top}", "two transposes"),
        (r"\exp_{\odot} A", "brackets"),
    ],
)
def test_what_to_write_is_said(text: str, words: str) -> None:
    with pytest.raises(MatcalcError) as refused:
        parse(text, shapes=SHAPES)
    assert words in str(refused.value)


def test_no_transpose_is_read_where_t_may_be_a_variable() -> None:
    shapes = {"x": ("n", 1), "A": ("n", "n"), "T": (1, 1)}
    with pytest.raises(MatcalcError):
        parse("x^T*A*x", shapes=shapes)
    with pytest.raises(MatcalcError, match="the transpose is X'"):
        parse("x^T*A*x")


@pytest.mark.parametrize("text", ["exp(A)", "sqrt(A .* A + 1)", "log(exp(A))", "norm1(X)", "normspec(X)", "cosh(A*A)"])
def test_what_is_printed_has_one_reading(text: str) -> None:
    e = parse(text, shapes=SHAPES).graph.output
    back = parse(latex(e), shapes=SHAPES, syntax="latex").graph.output
    assert same_values(back, e)


def test_a_greek_letter_names_what_it_was_read_as() -> None:
    d = mc.derive("‖X·β₁ − y‖² + λ‖β₁‖²", wrt="β₁", facts={"λ": "positive"})
    assert str(d.gradient("β₁")) == str(d.gradient("beta1"))
    assert d.curvature().status.endswith("convex")
    assert str(mc.derive("‖X·β‖²", shapes={"X": ("n", "p"), "β": ("p", 1)}).gradient("β")) == "2*X'*X*beta"
    with pytest.raises(mc.MatcalcError, match="'gamma'; there are: X, beta"):
        mc.derive("‖X·β‖²", wrt="γ")


def test_declarations_are_read_in_the_letters_of_the_text() -> None:
    d = mc.derive("log det Σ + tr(Σ⁻¹S) + λ₁", wrt="Σ, λ₁", shapes={"Σ": ("n", "n"), "S": ("n", "n"), "λ₁": ()})
    assert d.names == ["Sigma", "lambda1"]
    with_facts = mc.derive("xᵀΣx", wrt="Σ", shapes={"x": "n", "Σ": ("n", "n")}, structure={"Σ": "symmetric"})
    assert with_facts.structure == {"Sigma": "symmetric"}
