"""Passes of native functions over the same rows are one: what is computed together, and that the numbers stay."""

import numpy as np
import pytest
from test_native import same, tools  # noqa: F401

import matcalc as mc

LAYER = """
r = X*W + ones(n, 1)*b
h = sigmoid(r)
P = softmax(h*V, 2)
sum((P - Y).^2)/n
"""
NORM = "Z = standardize(X*W, 1)\nB = ones(n, 1)*b + Z .* (ones(n, 1)*c)\nsum((relu(B)*V - Y).^2)/n"
SHAPES = {"X": ("n", "p"), "W": ("p", "q"), "b": (1, "q"), "V": ("q", "k"), "Y": ("n", "k")}
TANHS = "H = tanh(X*W)\nK = tanh(H*U)\nsum((K*V - Y).^2)"


def made(source, shapes):
    d = mc.derive(source, shapes=shapes)
    return d, d.function("gradient", "native"), d.function("gradient")


def arrays(shapes, **sizes):
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=[sizes.get(s, s) for s in shape]) for name, shape in shapes.items()}


def test_an_activation_and_its_derivative_share_a_pass(tools):  # noqa: F811
    text = mc.derive(LAYER, shapes=SHAPES).code("gradient", target="native")
    start = text.index("= sigmoid(")
    both = text[start : text.index("})", start)]
    assert "= sigmoid(-" in both
    text = mc.derive(TANHS, shapes={**SHAPES, "U": ("q", "q")}).code("gradient", target="native")
    assert "squared_cosh(" not in text
    assert text.count("slope_of_tanh(") == 2
    assert " / (real)" not in text.split("int matcalc_entry")[0].split("static int first")[1]


def test_what_only_one_pass_knows_needs_no_memory_and_memory_serves_again(tools):  # noqa: F811
    text = mc.derive(NORM, shapes={**SHAPES, "c": (1, "q")}).code("gradient", target="native")
    assert "const real B = " in text
    assert "ROWS_AND_SUMS(" in text
    assert "real *const B =" not in text
    chain = "\n".join(["H0 = X", *(f"H{k + 1} = tanh(H{k}*W{k})" for k in range(6)), "sum(H6)"])
    shapes = {"X": ("n", "p")} | {f"W{k}": ("p", "p") for k in range(6)}
    text = mc.derive(chain, shapes=shapes).code("value", target="native")
    workspace = next(line for line in text.splitlines() if "workspace(" in line)
    assert workspace.count("at_once") <= 3


@pytest.mark.parametrize("source", [LAYER, NORM, TANHS])
def test_wide_narrow_and_strange_matrices(source, tools):  # noqa: F811
    shapes = {**SHAPES, **({"c": (1, "q")} if source is NORM else {}), **({"U": ("q", "q")} if source is TANHS else {})}
    _, native, numpy = made(source, shapes)
    for sizes in (
        {"n": 7, "p": 3, "q": 5, "k": 2},
        {"n": 70, "p": 4, "q": 40, "k": 35},
        {"n": 3, "p": 2, "q": 2, "k": 1},
    ):
        given = arrays(shapes, **sizes)
        assert same(native(**given), numpy(**given), rtol=1e-9)
        far = {**given, "X": 300 * given["X"]}
        assert same(native(**far), numpy(**far), rtol=1e-8, atol=1e-250)
        for strange in (np.nan, np.inf):
            broken = {name: a.copy() for name, a in given.items()}
            broken["V"][0, 0] = strange
            with np.errstate(all="ignore"):
                wanted = numpy(**broken)
            found = native(**broken)
            assert all(np.array_equal(np.isnan(found[name]), np.isnan(a)) for name, a in wanted.items())
