"""What is printed in other notations is read back as the same function, or refused: never as something else."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from fuzz import roundtrip
from support import OPERATIONS, close, example, sample

import matcalc as mc
from matcalc import core
from matcalc.errors import MatcalcError
from matcalc.expr import REGISTRY
from matcalc.frontend.parser import parse
from matcalc.numeric.evaluate import evaluate
from matcalc.printing.latex import latex
from matcalc.properties import names_of
from matcalc.walk import variables

PROGRAMS, AT_ONCE, SEED = 100, 10, 11
# Operations whose LaTeX alone is refused: by reason.
REFUSED = {
    "named": "a name without its definition",
    "broadcast": "a size that only the context gives",
    "root": "the solution of an equation is a line of its own",
    **dict.fromkeys(("frechetform", "frechetpowform"), "derivatives of matrix functions"),
    **dict.fromkeys(("dadj", "dadjform", "dprodothers", "prodothersform"), "derivatives"),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_latex_of_every_operation_is_read_back(name: str) -> None:
    e = example(name)
    shapes = {v.name: v.shape for v in variables([e])}
    facts = {v.name: names_of(v.params[3]) for v in variables([e])}
    try:
        back = parse(latex(e), shapes=shapes, facts=facts, functions=["swish"], syntax="latex").graph.output
    except MatcalcError:
        assert name in REFUSED
        return
    assert name not in REFUSED
    if back is not e:
        s = sample(e, 0)
        assert close(s.at(e), s.at(back))


@pytest.mark.parametrize("first", range(0, PROGRAMS, AT_ONCE))
def test_random_programs_are_read_back(first: int) -> None:
    words: Counter[str] = Counter()
    for number in range(first, first + AT_ONCE):
        program = roundtrip.program_of(SEED, number)
        if program is None:
            continue
        for notation in roundtrip.NOTATIONS:
            found = roundtrip.outcome(program, notation)
            if found is None:
                continue
            assert found.word != "failed", f"{number} {notation}: {found.said}\n{program.text()}"
            assert notation != "text" or found.word != "refused", found.said
            words[f"{notation} {found.word}"] += 1
    assert words["text same"] >= AT_ONCE // 2
    assert words["latex same"]
    assert words["unicode same"] >= AT_ONCE // 2


def test_another_function_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    program = roundtrip.program_of(SEED, 3)
    assert program is not None

    def wrong(p: roundtrip.Program) -> tuple[str, dict[str, object]]:
        text, given = roundtrip._text(p)
        return f"{text} + 0.001*sum({p.variables[0].name})", given

    monkeypatch.setitem(roundtrip.NOTATIONS, "wrong", wrong)
    found = roundtrip.outcome(program, "wrong")
    assert found is not None
    assert found.word == "failed"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\begin{bmatrix} A & B \\ B & A \end{bmatrix}", "[A, B; B, A]"),
        (r"\begin{pmatrix} x \\ y \end{pmatrix}^\top \begin{pmatrix} y \\ x \end{pmatrix}", "[x; y]'*[y; x]"),
        (r"\begin{aligned} f &= x^\top A y \\ f^2 \end{aligned}", "f = x'*A*y\nf^2"),
        (r"\lambda_{\max}(A)", "eigmax(A)"),
        (r"\lambda_{\min}\left(A + A^\top\right)", "eigmin(A + A')"),
        (r"\mathbf{1}^\top \log\Gamma(x)", "vector(1)'*gammaln(x)"),
        (r"\mathbf{1}^\top \psi^{(2)}(x)", "vector(1)'*polygamma(2, x)"),
        (r"\operatorname{huber}(x, \mathrm{delta} = 2)^\top y", "huber(x, 2)'*y"),
        (r"\operatorname{var}(A, \mathrm{ddof} = 1)", "var(A, ddof=1)"),
        (r"\operatorname{max}_{1}(A) x", "max(A, 1)*x"),
        (r"\operatorname{where}\left(x > y, x, y\right)^\top x", "where(x > y, x, y)'*x"),
        (r"[A]_{2:3,\, 1:4}", "A[2:3, 1:4]"),
        (r"[A + B]_{:, 2}", "(A + B)[:, 2]"),
    ],
)
def test_forms_of_printed_latex(written: str, meant: str) -> None:
    shapes = {"A": (4, 4), "B": (4, 4), "x": (4, 1), "y": (4, 1)}
    assert parse(written, shapes=shapes, syntax="latex").graph.output is parse(meant, shapes=shapes).graph.output


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (r"\begin{bmatrix} A & B", "never closed"),
        (r"\begin{bmatrix} A & B \end{pmatrix}", "unexpected"),
        (r"\begin{bmatrix} A & B \\ B \end{bmatrix}", "equally many columns"),
        (r"\operatorname{huber}(x, \mathrm{delt} = 2)^\top y", "the option delt of huber is not read"),
    ],
)
def test_what_is_wrong_in_printed_forms_is_refused(written: str, said: str) -> None:
    with pytest.raises(MatcalcError, match=said):
        parse(written, shapes={"A": (4, 4), "B": (4, 4), "x": (4, 1), "y": (4, 1)}, syntax="latex")


def test_a_declared_name_is_no_part_of_a_printed_function() -> None:
    shapes = {"Gamma": (1, 1), "lambda_max": (1, 1), "x": (3, 1)}
    with pytest.raises(MatcalcError, match=r"two readings|not clear"):
        parse(r"\log\Gamma(x)", shapes=shapes, syntax="latex")
    found = parse(r"\lambda_{\max}(x + x)", shapes=shapes, syntax="latex").graph.output
    assert found is parse("lambda_max*(x + x)", shapes=shapes).graph.output


def test_sizes_that_are_products_go_through_jax() -> None:
    jnp = pytest.importorskip("jax.numpy")
    n = mc.var("n", "n", 1).shape[0]

    def loss(x, A):
        return x.T @ jnp.kron(A, A) @ x

    d = mc.derive(loss, wrt="x", shapes={"x": (n**2,), "A": (n, n)})
    assert str(d.gradient()) == "(kron(A', A') + kron(A, A))*x"
    assert d.check(against=loss).ok
    with pytest.raises(MatcalcError, match="cannot be given to JAX"):
        mc.derive(loss, wrt="x", shapes={"x": (n * (n + 1) / 2,), "A": (n, n)})


def test_bars_are_printed_around_numbers_only() -> None:
    """Around a square matrix they would be read as the determinant."""
    s, A = mc.var("s", 1, 1), mc.var("A", "n", "n")
    assert latex(mc.abs(s)) == r"\lvert s \rvert"
    assert latex(mc.abs(A)) == r"\operatorname{abs}(A)"


@pytest.mark.parametrize("formula", [r"\log(0)", r"0 x", r"x + 0", r"0^\top x", "-0", r"y = 0 \\ y x", r"\sin(0 x)"])
def test_a_zero_that_may_be_a_matrix_is_refused(formula: str) -> None:
    with pytest.raises(MatcalcError, match="0 has two readings"):
        parse(formula, shapes={"x": (3, 1)}, syntax="latex")


def test_a_zero_that_is_compared_or_counts_is_a_number() -> None:
    shapes = {"x": (3, 1)}
    for formula in (r"\max(0, x)", r"\max\{0, x\}", r"\begin{bmatrix} 0 & 1 \end{bmatrix}", r"x^{0}"):
        try:
            parse(formula, shapes=shapes, syntax="latex")
        except MatcalcError as error:
            assert "0 has two readings" not in str(error)  # noqa: PT017


def test_a_size_that_the_gradient_does_not_have_is_not_asked_for() -> None:
    d = mc.derive("b: 1 x 1\nlogsumexp((b*ones(n, 1))*b*b)")
    assert d.function("gradient")(b=2.0)["b"] == pytest.approx(12.0)


@pytest.mark.parametrize("name", sorted(n for n, r in REGISTRY.items() if r.broadcasts and r.syntax == "call"))
def test_numbers_repeated_over_a_matrix_keep_their_ones_in_a_call(name: str) -> None:
    """cross_entropy of two repeated numbers is a sum over all entries: without their ones it is another number."""
    shape = core.ones(3, 2).shape
    letters = "abcd"[: len(REGISTRY[name].example[0].split(","))]
    e = REGISTRY[name](
        *(core.broadcast(core.var(letter, 1, 1), shape) for letter in letters), *REGISTRY[name].example[1:]
    )
    values = {letter: np.array([[0.3 + k]]) for k, letter in enumerate(letters)}
    back = parse(str(e), shapes=dict.fromkeys(values, (1, 1))).graph.output
    assert evaluate(back, values, {}) == pytest.approx(evaluate(e, values, {}))
