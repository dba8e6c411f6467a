"""How results read: names with indices, numbers beside matrices, brackets around entrywise products."""

from __future__ import annotations

import pytest

import matcalc as mc
from matcalc.printing.symbols import name_latex


@pytest.mark.parametrize(
    ("name", "tex"),
    [
        ("Wq", "W_{q}"),
        ("bo", "b_{o}"),
        ("WQ", "W_{Q}"),
        ("dk", "d_{k}"),
        ("Whh", r"W_{\mathrm{hh}}"),
        ("Wq1", "W_{q, 1}"),
        ("g_Wq", r"\delta_{W_{q}}"),
        ("mu", r"\mu"),
        ("xi", r"\xi"),
        ("Nu", r"\mathrm{N}"),
        ("W1", "W_{1}"),
        ("xhat", r"\hat{x}"),
        ("loss", r"\mathrm{loss}"),
        ("Loss", r"\mathrm{Loss}"),
    ],
)
def test_a_letter_with_a_letter_beside_it_has_an_index(name, tex):
    assert name_latex(name) == tex


def test_attention_has_no_upright_names():
    shapes = {"X": ("n", "d"), "Wq": ("d", "dk"), "Wk": ("d", "dk"), "bo": (1, "n")}
    d = mc.derive("sum(relu(softmax(X*Wq*Wk'*X', 2) + ones(n,1)*bo))", ["Wq", "bo"], shapes=shapes)
    for tex in (d.latex(), d.latex("differential"), d.markdown()):
        assert "mathrm{W" not in tex
        assert "mathrm{b" not in tex
        assert "W_{q}" in tex


@pytest.mark.parametrize(
    ("source", "kind", "text", "tex"),
    [
        ("var(x)", "hessian", "ones(n, n)/n", r"\frac{1}{n} \mathbf{1}"),
        ("-sum(1 + x - exp(x))/2", "gradient", "ones(n, 1)/2", r"\frac{1}{2} \mathbf{1}_{n}"),
        ("sum(x)^2 + x'*x", "hessian", "ones(n, n)", r"\mathbf{1}"),
        ("sum(log(1 - x))", "gradient", "1 - x", "1 - x"),
        ("sum((x + 0.001).^3)", "gradient", "x + 0.001", "x + 0.001"),
    ],
)
def test_numbers_beside_matrices(source, kind, text, tex):
    d = mc.derive(source, "x", shapes={"x": ("n", 1)})
    result = d.hessian("x") if kind == "hessian" else d.gradient("x")
    assert text in str(result)
    parsed = d.parse(str(result))
    value = result.as_matrix() if kind == "hessian" else result
    assert parsed.shape == value.shape
    assert d.claim("x", str(result), kind=kind).status == "proved"
    shown = result.latex() if kind == "hessian" else d.latex("result")
    assert tex in shown


def test_a_scaled_entrywise_product_is_bracketed_as_a_factor():
    shapes = {"u": ("m", 1), "A": ("m", "n"), "x": ("n", 1), "b": ("m", 1)}
    tex = mc.derive("norm2(u .* (A*x - b))", "x", shapes=shapes).latex("differential")
    assert r"u^\top \odot (x^\top A^\top - b^\top) \," not in tex.replace("  ", " ")
