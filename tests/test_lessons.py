"""The derivation page as a lesson: true lines, no reason twice, nothing cited in vain, about as long as one by hand."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import example

import matcalc as mc
from matcalc.expr import REGISTRY
from matcalc.frontend.comments import glosses_of, title_of
from matcalc.languages import language
from matcalc.numeric.evaluate import evaluate
from matcalc.properties import names_of
from matcalc.views.facts import Slope, Tangent
from matcalc.views.lesson_page import LessonWriter
from matcalc.views.named import with_names
from matcalc.views.needed import needed
from matcalc.views.page import TEXT
from matcalc.views.view import Pages

ROOT = Path(__file__).parent.parent
pytest.importorskip("jax")
sys.path.insert(0, str(ROOT / "benchmarks"))

from lessons import (  # noqa: E402  (it lies beside the package)
    Line,
    Measured,
    World,
    leaves,
    lessons,
    measured,
    page_of,
    read,
    split,
    verify,
)

RESULT = re.compile(r"\bdf/d(\w+) = (.*?)(?=, (?:df/|from)|$)")
ALL = {lesson["id"]: lesson for lesson in lessons()}
QUICK = (
    "02_bn", "04c_gauss_symstruct", "06_layernorm", "07a_ridge", "09a_inv", "12a_rayleigh", "12c_mahal", "15b_sqrtm",
    "17_pca", "n01_poisson", "n03_trace_cubic", "n04_kalman_gain", "n12_two_attention", "m05_gaussian_process",
    "m09_cosine", "m20_symmetric_gaussian",
)  # fmt: skip


@pytest.mark.parametrize("name", QUICK)
def test_a_page_is_true_and_short(name: str) -> None:
    lesson = ALL[name]
    found = measured(page_of(lesson), lesson["best"], lesson.get("structure"))
    assert found.faults == []
    assert found.equalities >= 2
    assert 0 < found.back <= 4 * found.best


def test_all_pages_together_are_at_most_two_and_a_half_times_as_long_as_by_hand() -> None:
    backs = [(read(page_of(lesson)).back, lesson["best"]) for lesson in ALL.values()]
    assert len(backs) >= 45
    assert sum(back for back, _ in backs) <= 2.5 * sum(best for _, best in backs)
    assert all(back <= 4 * best for back, best in backs)


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("de = X*dw", "de = -X*dw", "untrue"),
        ("= (c*w + X'*e)'*dw", "= (c*w - X'*e)'*dw", "untrue"),
        ("=> g_w = c*w + X'*e", "=> g_w = w + X'*e", "untrue"),
        ("df/dw = c*w + X'*e", "df/dw = 2*c*w + X'*e", "untrue"),
        ("=> g_e = e", "=> g_u = e", "stands nowhere before"),
        ("a transpose reverses a product", "by kron(A, B)", "is not in the line"),
        ("=> g_w = ", "= e'*(  =>", "Error"),
    ],
)
def test_the_measure_sees_faults(right: str, wrong: str, fault: str) -> None:
    lesson = ALL["07a_ridge"]
    text = page_of(lesson)
    assert right in text
    assert any(fault in said for said in measured(text.replace(right, wrong), lesson["best"]).faults)


def test_the_measure_sees_a_way_that_is_left_out() -> None:
    text, term = page_of(ALL["12a_rayleigh"]), " - (f/(x'*x)) * d(x'*x)"
    assert term in text
    assert [said[:16] for said in measured(text.replace(term, ""), 5).faults] == ["untrue: df = 1/("]


# ------------------------------------------------------------------------------------------------ what is on the page


def test_jacobians_are_multiplied_where_that_is_shorter() -> None:
    lines = lines_of("x: n x 1\nc: n x 1 constant\nz = standardize(x, 1)\nf = c'*z.^3")
    assert "= ((eye(n) - ones(n, n)/n - z*z'/n)/s) * dx" in lines
    lines = lines_of("s: 1 x K\nc: K x 1 constant\np = softmax(s, 2)\nf = p*c")
    assert "= (diag(p) - p'*p) * d vec(s)" in " ".join(lines)


def test_a_definite_matrix_is_said_to_be_symmetric() -> None:
    d = mc.derive("S: n x n symmetric positive-definite\nlogdet(S)")
    assert "  S: n x n symmetric positive-definite\n" in d.text()
    assert "symmetric, positive-definite" in d.markdown()
    assert "sim\u00e9trica definida positiva" in d.text(language="es")


def test_a_fact_stands_where_it_is_used() -> None:
    text = page_of(ALL["n04_kalman_gain"])
    assert "=> g_E = 2*E*P                          [(n x n)" in text


def test_a_chain_has_no_transpose_of_a_transpose() -> None:
    names = "ABCDEF"
    lines = lines_of("".join(f"{name}: n x n\n" for name in names) + f"f = tr({'*'.join(names)})")
    assert "1. F enters f: df = tr(A*B*C*D*E*dF)" in lines
    assert "df = tr(F*A*B*C*D*dE)                   in a trace, factors go round" in lines
    assert not any("''" in line for line in lines)
    assert "1. X enters f: df = tr(inv(X)*dX)" in lines_of("X: n x n\nf = logdet(X)")


def test_a_quadratic_form_has_the_solution_of_textbooks() -> None:
    text = page_of(ALL["m05_gaussian_process"])
    assert "alpha = inv(K)*y" in text
    assert "inv(K)*y*y'" not in text
    kernel = "D: n x n symmetric constant\ny: n x 1 constant\nl: 1 x 1 positive\ns: 1 x 1 positive\n"
    text = mc.derive(kernel + "K = exp(-D/(2*l^2)) + s*eye(n)\nf = y'*inv(K)*y/2 + logdet(K)/2").text()
    assert "=> g_K = (inv(K) - alpha*alpha')/2         [n x n]" in text
    assert "df/ds = tr(g_K) = (tr(inv(K)) - alpha'*alpha)/2" in text
    assert "f = y'*inv(K)*y/2 + logdet(K)/2" in text
    taken = mc.derive("alpha: n x 1\nS: n x n symmetric positive-definite\nf = alpha'*inv(S)*alpha").text()
    assert "alpha1 = inv(S)*alpha" in taken


def test_the_residual_of_a_norm_has_a_name() -> None:
    lines = lines_of(
        "A: m x n constant\nB: m x n constant\nX: n x n\nf = norm2(A*X - B)^2", structure={"X": "symmetric"}
    )
    assert "=> g_X = A'*g_E                         [(n x m)(m x n) = n x n]" in lines


def test_names_stand_as_soon_as_what_they_are_made_of() -> None:
    forward = page_of(ALL["02_bn"]).split("Forward graph")[1].split("Needed")[0]
    assert [line.split()[0] for line in forward.splitlines() if line] == ["Z", "s", "Zh", "B", "V", "e", "loss"]


def lines_of(source: str, **options: Any) -> list[str]:
    return [line.strip() for line in mc.derive(source, **options).text().splitlines()]


def test_all_occurrences_are_taken_at_once() -> None:
    lines = lines_of("A: n x n symmetric constant\nx: n x 1\nf = (x'*A*x)/(x'*x)")
    assert lines.count("1. x enters f") == 1
    assert "=> g_x = 2*(A*x - f*x)/(x'*x)           [n x 1]" in lines


def test_shared_arguments_get_names_that_are_used_everywhere() -> None:
    text = mc.derive("Q: n x d\nK: m x d\nV: m x p\nG: n x p constant\nf = sum(G .* (softmax(Q*K', 2)*V))").text()
    assert "Z = Q*K'" in text
    assert " Q*K'" not in text.split("Backward")[1].split("Gradients")[0]
    gates = mc.derive("W: n x n\nU: n x n\nx: n x 1\nz: n x 1\nf = sum(tanh(W*x + U*z))").text()
    assert "z1 = W*x + U*z" in gates  # z is taken


def test_a_gate_has_the_name_of_its_argument() -> None:
    text = page_of(ALL["16_lstm"])
    assert "z_f = Wf*x + Uf*h0 + bf" in text
    assert "df = f .* (1 - f) .* dz_f" in text


def test_names_of_a_page_are_no_names_of_the_source() -> None:
    d = mc.derive("Q: n x d\nK: m x d\nf = sum(softmax(Q*K', 2).^2)")
    assert "Z = Q*K'" in d.text()
    assert list(d.graph.definitions) == ["f"]


def test_titles_and_glosses_of_the_source_are_on_the_page() -> None:
    source = (
        "# Least squares.\nX: n x p constant\nw: p x 1\ny: n x 1 constant\nr = X*w - y  # the residuals\nf = r'*r\n"
    )
    assert (title_of(source), glosses_of(source)) == ("Least squares", {"r": "the residuals"})
    d = mc.derive(source)
    assert d.text().startswith("Least squares\n\n")
    assert "[n x 1]   the residuals" in d.text()


def test_hessians_have_steps() -> None:
    text = page_of(ALL["m02_logistic_ridge"])
    for line in ("ds = X*dw", "dg_s = sigmoid(s) .* (1 - sigmoid(s)) .* ds/n", "dg_w = c*dw + X'*dg_s"):
        assert line in text.split("Hessian by w")[1]
    assert "=> d2f/dw2 = c*eye(p) + X'*diag(sigmoid(s) .* (1 - sigmoid(s)))*X/n   [p x p]" in text


def test_the_step_along_a_set_goes_from_the_free_gradient() -> None:
    text = page_of(ALL["04c_gauss_symstruct"])
    assert "df/dS = g_S + g_S' - diag(diagvec(g_S))" in text
    assert "an entry off the diagonal stands in two places" in text


@pytest.mark.parametrize("kind", ["skew", "diagonal", "lower", "upper", "toeplitz", "symmetric-toeplitz"])
def test_every_set_says_what_moves(kind: str) -> None:
    text = mc.derive("A: n x n constant\nS: n x n\nf = tr(A*S*S)", wrt="S", structure={"S": kind}).text()
    assert "df = tr(g_S'*dS), where dS is " in text
    assert "df/dS = " in text


@pytest.mark.parametrize("name", [name for name in REGISTRY if name not in ("variable", "named", "func")])
def test_every_operation_has_a_page(name: str) -> None:
    e = example(name)
    if not any(a.op == "variable" for a in e.args):
        return
    d = mc.derive(e, wrt=[str(a.params[0]) for a in e.args if a.op == "variable"])
    for page in (d.text(), d.latex(), d.markdown()):
        assert "None" not in page
        assert page.count("(") == page.count(")")


def test_the_jacobians_are_all_in_their_own_style() -> None:
    d = mc.derive(ALL["02_bn"]["source"])
    full, page = d.text("jacobians"), d.text()
    assert full.count("chain rule:") == sum(map(len, d.paths.values()))
    assert full.count("d vec(V) = diag(vec(1 - V.^2)) * d vec(B)") == 1
    assert page.count("d vec(V) = diag(vec(1 - V.^2)) * d vec(B)") == 1


DERIVED = [
    ("S: n x n positive-definite\nL = chol(S)\nf = sum(L)", "so dL*L' + L*dL' = dS"),
    (
        "X: n x n symmetric\nf = eigmax(X)",
        "so dX*v + X*dv = df*v",
    ),
    ("A: n x n\nb: n x 1\nf = norm2(solve(A, b))^2", "A*solve(A, b) = b"),
    ("A: n x n\nQ: n x n constant\nP = dlyapunov(A, Q)\nf = tr(P)", "so dP - A*dP*A' = dA*P*A' + A*P*dA'"),
    (
        "X: n x n\nC: n x n constant\nf = tr(C*expm(X))",
        "frechet(expm, X, dX) is dX + (dX*X + X*dX)/2 + ..., the power series term by term",
    ),
    ("X: n x n\nC: n x n constant\nf = tr(C*sqrtm(X))", "so d(sqrtm(X))*sqrtm(X) + sqrtm(X)*d(sqrtm(X)) = dX"),
    (
        "A: m x n constant\nX: p x q\nF = kron(A, X)",
        "vec(F) = kron(kron(eye(n), comm(q, m)), eye(p))*kron(",
    ),
    ("X: n x p constant\nW: p x k\nE = X - X*W*W'\nf = norm2(E)^2", "f = tr(E'*E), so df = 2*tr(E'*dE)"),
]


MORE = [
    ("X: m x n\nG: m x n constant\nf = tr(G*pinv(X))", "P*X*dP*X*P = -P*dX*P"),
    ("X: n x n\nG: n x n constant\nf = tr(G*polar(X))", "so Q'*dX - dX'*Q = X'*dQ - dQ'*X, so dQ = dpolar(X, dX)"),
    ("X: 5 x 3\nf = sum(singvals(X).^3)", "so 2*singvals(X) .* d(singvals(X)) = 2*diagvec(V'*X'*dX*V)"),
    (
        "A: n x n\nB: n x m\nQ: n x n\nR: m x m positive-definite\nP = care(A, B, Q, R)\nf = tr(P)",
        "so F'*dP + dP*F",
    ),
    ("X: n x n symmetric\nG: n x n constant\nf = sum(G .* eigvecs(X))", "so dX*V + X*dV = dV*diag(eigvals(X))"),
    ("X: n x n symmetric\nb: n x 1 constant\nf = b'*eigvecmax(X)", "so eigmax(X)*dv - X*dv = dX*v - d(eigmax(X))*v"),
    ("X: m x n\nf = normnuc(X)", "f = tr(polar(X)'*X), so df = sum(polar(X) .* dX)"),
    ("X: m x n\nf = normspec(X)", "f^2 = v'*X'*X*v, so 2*f*df = 2*v'*X'*dX*v"),
    ("X: m x n\nf = sum(var(X, 1).^2)", "var(X, 1) = mean((X - mean(X, 1)).^2, 1)"),
    ("X: n x n\nG: n x n constant\nf = sum(G .* adj(X))", "so d(adj(X))*X + adj(X)*dX = tr(adj(X)*dX)*eye(n)"),
]
DERIVED += MORE


@pytest.mark.parametrize("source", [source for source, _ in DERIVED if "kron" not in source])
def test_what_is_derived_is_so(source: str) -> None:
    """Each side of each equation, where differentials are central differences along a random direction."""
    d = with_names(mc.derive(source))
    writer = LessonWriter(Pages(d, TEXT, language("en"), "denominator"))
    jacobians = [j for paths in writer.b.paths.values() for path in paths for j in path.jacobians]
    facts = list(needed(d, jacobians, writer.differential))
    sizes = {"n": 3, "m": 4, "p": 3, "k": 2}
    random = np.random.default_rng(5)
    given, moved = {}, {}
    for v in d.graph.declared.values():
        X = random.normal(size=[sizes[str(s)] if not isinstance(s, int) else s for s in v.shape])
        H = random.normal(size=X.shape) * (v in d.wrt)
        turned = {"symmetric", "positive-definite"} & set(names_of(v.params[3])) or v.name == "Q"
        given[v.name] = (
            X @ X.T + len(X) * np.eye(len(X)) if turned else X + 2 * (X.shape[0] == X.shape[1]) * np.eye(*X.shape)
        )
        moved[v.name] = H + H.T if turned else H
    sizes = {name: size for name, size in sizes.items() if name not in given}

    def value(e, more=()):
        return np.atleast_2d(evaluate(e, {**given, **dict(more)}, sizes))

    def tangent(e, h=1e-5):
        above, below = ({n: X + s * h * moved[n] for n, X in given.items()} for s in (1, -1))
        return (value(e, above) - value(e, below)) / (2 * h)

    symbols = {v.name: tangent(e) for e, v in (*writer.way.symbols.items(), *writer.unnamed.items())}
    checked = 0
    for fact in facts:
        for first, *sides in fact.clauses:
            if any(isinstance(side, Slope) for side in (first, *sides)):
                continue
            values = [tangent(s.of) if isinstance(s, Tangent) else value(s, symbols) for s in (first, *sides)]
            for other in values[1:]:
                np.testing.assert_allclose(values[0], other, rtol=1e-6, atol=1e-6 * (1 + np.abs(values[0]).max()))
                checked += 1
    assert checked


@pytest.mark.parametrize(("source", "line"), DERIVED)
def test_what_is_to_be_learnt_is_derived(source: str, line: str) -> None:
    needed = mc.derive(source).text().partition("\nNeeded\n")[2].partition("\n\n")[0]
    assert line in needed
    assert max(map(len, needed.splitlines())) <= 112


def test_quotients_of_products_by_the_quotient_rule() -> None:
    text = mc.derive("A: n x n symmetric constant\nx: n x 1\nf = x'*A*x/(x'*x)").text()
    assert "df = (d(x'*A*x) - f*d(x'*x))/(x'*x)     quotient rule" in text


def test_gradients_are_not_written_out_through_many_adjoints() -> None:
    text = page_of(ALL["16_lstm"])
    assert "dL/dWi = g_z_i*x'   [H x D]" in text


def test_a_softmax_that_differentiating_brings_in_gets_a_name() -> None:
    text = page_of(ALL["m06_infonce"])
    assert text.index("P = softmax(S, 2)") < text.index("f = -tr(log_softmax(S, 2))/n")
    assert text.count("softmax(S, 2)") == text.count("log_softmax(S, 2)") + 1


@pytest.mark.parametrize("name", ["02_bn", "05_attention", "16_lstm", "17_pca", "m02_logistic_ridge", "m06_infonce"])
def test_the_differential_view_is_true(name: str) -> None:
    lesson = ALL[name]
    d = mc.derive(lesson["source"], **{key: lesson[key] for key in ("facts", "structure", "wrt") if lesson.get(key)})
    text = d.text("differential")
    world, found = World(read(d.text())), Measured(0, 1)
    sides: list[tuple[list[str], bool]] = []
    whole = False
    for line in text.partition("\nDifferentials\n")[2].splitlines():
        formula = line.strip().split("   ")[0]
        if line in ("Adjoints", "Gradients"):
            break
        if sides and sides[-1][0][-1].endswith(("+", "-")):  # a long line goes on
            sides[-1][0][-1] += f" {formula}"
        elif formula.startswith("= "):
            sides[-1][0].append(formula[2:])
        elif " = " in formula:
            sides.append((split(formula, " = "), whole))
        whole = whole or line == "Identified"
    for equation, total in sides:
        verify(world, Line(equation), leaves(equation, world), found, total=total)
    assert "Carried back" in text
    assert found.equalities > 3
    assert found.faults == []


def test_second_differentials_are_complete_where_they_are_asked_for_and_only_there() -> None:
    d = mc.derive(ALL["02_bn"]["source"])
    assert "d2loss" not in d.text("differential")
    text = d.text("differential", hessian=True)
    assert [f"Hessian by {name}:" in text for name in d.names] == [True] * len(d.names)


HAND = [
    (name, *found) for name, lesson in ALL.items() for line in lesson.get("hand", []) for found in RESULT.findall(line)
]


def test_twenty_derivations_of_our_own_have_their_treatment_by_hand() -> None:
    assert len([lesson for lesson in ALL.values() if lesson.get("hand")]) >= 20


@pytest.mark.parametrize(("name", "by", "formula"), HAND)
def test_the_treatment_by_hand_is_right(name: str, by: str, formula: str) -> None:
    lesson = ALL[name]
    d = mc.derive(lesson["source"], structure=lesson.get("structure") or {})
    assert d.claim(by, formula).status == "proved"


def test_the_gradient_by_a_layer_norm_is_the_one_of_textbooks() -> None:
    text = page_of(ALL["06_layernorm"])
    assert "df/dx = g_z/s + g_s*z/n + g_m/n = (g_z - (z'*g_z)*z/n - mean(g_z))/s" in text
    assert "s^2 = mean((x - m).^2), so ds = mean((x - m) .* dx)/s" in text
    assert "dz = (-ds*z - dm)/s" in text


def test_a_kernel_has_a_name_where_its_derivative_repeats_it() -> None:
    lines = [line.strip().split("   ")[0] for line in page_of(ALL["m05_gaussian_process"]).splitlines()]
    assert lines.index("E = exp(-D/(2*s^2))") < lines.index("dK = ds*D .* E/s^3")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("A: n x n\nQ: n x n constant\ntr(Q*lyapunov(A, Q))", "A is free of eigenvalues a, b with a + b = 0"),
        (
            "A: n x n constant\nB: n x k constant\nQ: n x n symmetric\nC: n x n symmetric constant\n"
            "R: k x k symmetric positive-definite constant\ntr(C*care(A, B, Q, R))",
            "is free of eigenvalues a, b with a + b = 0",
        ),
    ],
)
def test_equations_say_when_they_have_one_solution(source: str, said: str) -> None:
    condition = next(line for line in mc.derive(source).text().splitlines() if line.startswith("Valid where"))
    assert said in condition
    assert "kron" not in condition
