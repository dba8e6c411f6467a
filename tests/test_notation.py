"""Notation and formulas by components."""

from __future__ import annotations

import re

import pytest
from note_support import ROOT, derived
from support import example

import matcalc as mc
from matcalc.core import transpose
from matcalc.export.symbols import symbols_in
from matcalc.expr import REGISTRY
from matcalc.ops.linalg import inv
from matcalc.printing.components import entry
from matcalc.printing.latex import latex
from matcalc.printing.style import STANDARD, Notation

# ------------------------------------------------------------------------------------------------ notation


@pytest.mark.parametrize(
    ("notation", "expected"),
    [
        (Notation(), r"\delta_{\theta} W_{2}^\top"),
        (Notation(transpose="'"), r"\delta_{\theta} W_{2}'"),
        (Notation(bold=True), r"\boldsymbol{\delta}_{\boldsymbol{\theta}} \mathbf{W}_{2}^\top"),
        (Notation(adjoint="bar"), r"\bar{\theta} W_{2}^\top"),
        (Notation(adjoint="partial", output="J"), r"\frac{\partial J}{\partial \theta} W_{2}^\top"),
        (Notation(names={"W2": "W^{(2)}"}), r"\delta_{\theta} {W^{(2)}}^\top"),
    ],
)
def test_notation(notation: Notation, expected: str) -> None:
    d = derived(ROOT / "examples" / "one_hidden_layer.txt")
    assert latex(d.adjoint("h").value, notation) == expected


def test_notation_reaches_every_view() -> None:
    d = mc.derive("sum(X .* Y .* Y)", shapes={"X": ("n", "m"), "Y": ("n", "m")})
    chosen = Notation(hadamard=r"\circ", transpose="'")
    for text in (d.latex(notation=chosen), d.markdown(notation=chosen)):
        assert r"\circ" in text
        assert r"\odot" not in text
    with pytest.raises(mc.MatcalcError, match="transpose"):
        Notation(transpose="T")
    with pytest.raises(mc.MatcalcError, match="hadamard"):
        Notation(hadamard="*")
    with pytest.raises(mc.MatcalcError, match="adjoint"):
        Notation(adjoint="hat")


# ------------------------------------------------------------------------------------------------ components


@pytest.mark.parametrize(
    ("source", "wrt", "expected"),
    [
        ("tr(A*X*B)", "X", r"\sum_{k} A_{ki} B_{jk}"),
        ("sum(exp(x))", "x", r"\exp(x_{i})"),
        ("x'*A*x", "A", "x_{i} x_{j}"),
        ("norm2(X*w - y)^2/2", "w", r"\sum_{j} X_{ji} \left(\sum_{k} X_{jk} w_{k} - y_{j}\right)"),
    ],
)
def test_entries(source: str, wrt: str, expected: str) -> None:
    found = entry(mc.derive(source, wrt=wrt).gradient(wrt), STANDARD)
    assert found is not None
    assert found.right == expected


def test_the_sign_of_a_scalar_that_is_a_sum_stays() -> None:
    a, b, x = mc.var("a", 1, 1), mc.var("b", 1, 1), mc.var("x", "n", 1)
    for e, expected in (
        ((-a - b) * x, "(-a - b) x_{i}"),
        ((b - a) * x, "(b - a) x_{i}"),
        (-2 * a * x, "(-2 a) x_{i}"),
        (x - 2 * (a * x - b * x), "x_{i} - 2 (a x_{i} - b x_{i})"),
    ):
        found = entry(e, STANDARD)
        assert found is not None
        assert found.right == expected


@pytest.mark.parametrize("name", REGISTRY)
def test_every_operation_has_entries_in_balanced_latex(name: str) -> None:
    found = entry(example(name), STANDARD)
    assert found is None or found.right.count("{") == found.right.count("}")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (
            "x: n x 1\nA: n x n symmetric constant\nf = (x'*A*x)/(x'*x)",
            r"\sum_{j} x_{j}^{2}",
        ),
        ("x: n x 1\ny: n x 1\nx'*y/(norm2(x)*norm2(y))", r"\frac{\sum_{j} x_{j} y_{j}}{\lVert y \rVert^{3}} y_{i}"),
        ("a: 1 x 1\nx: n x 1\nsum(x)/(2*a^3)", r"\frac{1}{2} \frac{1}{a^{3}}"),
    ],
)
def test_what_divides_stands_below_the_line(source: str, shown: str) -> None:
    found = mc.derive(source).latex("components")
    assert shown in found


def test_the_transpose_of_an_inverse_of_a_transpose_is_no_riddle() -> None:
    X = mc.var("X", "n", "n")
    assert latex(transpose(inv(transpose(X)))) == r"(X^{-\top})^\top"
    assert latex(transpose(inv(X))) == latex(inv(transpose(X))) == r"X^{-\top}"


@pytest.mark.parametrize("name", [name for name in REGISTRY if name not in ("variable", "named", "func")])
def test_every_function_is_in_the_table_of_symbols(name: str) -> None:
    written = latex(example(name))
    names = re.findall(r"\\operatorname\{(.*?)\}", written)
    if names:
        shown = [s.example for s in symbols_in([written], STANDARD)]
        assert any(names[0] in said or "{f}" in said or "mathrm{D}" in said for said in shown), written


def test_brackets_with_a_condition_are_in_the_table_of_symbols() -> None:
    note = mc.Note()
    note.add(mc.derive("X: n x n\nA: n x n\ntr(A*X)", wrt="X", structure={"X": "symmetric"}))
    text = note.markdown()
    assert "[i = j]" in text.split("Symbols")[0]
    assert "1 where the condition in brackets holds, 0 elsewhere" in text.split("Symbols")[1]
