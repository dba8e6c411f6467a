"""Printing: the exact text and LaTeX of every arrangement, parsing back to the same value, depth and sharing."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
import sympy as sp
from support import example

from matcalc.core import (
    add,
    broadcast,
    commutation,
    difference,
    divide,
    exact,
    eye,
    hadamard,
    inverse,
    kron,
    matmul,
    named,
    number,
    ones,
    plus,
    power,
    scale,
    transpose,
    var,
    vec,
    zeros,
)
from matcalc.dims import symbol
from matcalc.errors import NoRuleError
from matcalc.expr import REGISTRY, Expr, node, postorder
from matcalc.frontend.parser import parse
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.sample import sample
from matcalc.ops.comparison import maximum
from matcalc.ops.elementwise import absolute, exp, log, polygamma, sigmoid, tanh
from matcalc.ops.linalg import logdet
from matcalc.ops.normalization import cross_entropy, log_softmax, softmax, standardize
from matcalc.ops.products import reshape_
from matcalc.ops.reductions import norm2, std, sum_, tr, var_
from matcalc.ops.user_functions import Function
from matcalc.printing.latex import latex
from matcalc.printing.style import Notation
from matcalc.printing.symbols import name_latex
from matcalc.printing.text import text
from matcalc.walk import substitute, variables

q = sp.Rational
M, N = symbol("m"), symbol("n")
SHAPE = (M, N)
X, Y = var("X", "m", "n"), var("Y", "m", "n")
A, W = var("A", "n", "n"), var("W", "n", "n")
w, x = var("w", "n", 1), var("x", "n", 1)
y, b = var("y", "m", 1), var("b", 1, "n")
s, t = var("s", 1, 1), var("t", 1, 1)
W1, g_theta = var("W1", "p", "n"), named("g_theta", X)
HALF = number(q(1, 2))

TABLE: list[tuple[Expr, str, str]] = [
    (
        scale(number(2), matmul(transpose(X), plus(matmul(X, w), scale(number(-1), y)))),
        "2*X'*(X*w - y)",
        r"2 X^\top (X w - y)",
    ),
    (scale(HALF, x), "x/2", r"\frac{1}{2} x"),
    (scale(number(q(3, 4)), x), "3*x/4", r"\frac{3}{4} x"),
    (scale(number(1 / N), X), "X/n", r"\frac{1}{n} X"),
    (scale(number(2 / N), matmul(X.T, y)), "2*X'*y/n", r"\frac{2}{n} X^\top y"),
    (scale(number(q(1, 1000)), x), "0.001*x", "0.001 x"),
    (scale(number(q(1, 10**8)), x), "1e-8*x", "10^{-8} x"),
    (scale(number(q(5, 2)), x), "5*x/2", r"\frac{5}{2} x"),
    (scale(number(sp.sqrt(2)), x), "sqrt(2)*x", r"\sqrt{2} x"),
    (scale(number(sp.sqrt(2) / 2), x), "sqrt(2)*x/2", r"\frac{\sqrt{2}}{2} x"),
    (scale(number(sp.pi), x), "pi*x", r"\pi x"),
    (scale(number(sp.log(2 * sp.pi)), x), "log(2*pi)*x", r"\log{\left(2 \pi \right)} x"),
    (scale(number(-1), matmul(X.T, y)), "-X'*y", r"-X^\top y"),
    (scale(number(-3 / N), X), "-3*X/n", r"-\frac{3}{n} X"),
    (scale(number(N - 1), X), "(n - 1)*X", "(n - 1) X"),
    (scale(number(1 / (N - 1)), X), "X/(n - 1)", r"\frac{1}{n - 1} X"),
    (scale(number(1 / (M * N)), X), "X/(m*n)", r"\frac{1}{m n} X"),
    (scale(number(0), x), "0*x", "0 x"),
    (scale(number(1), x), "x", "x"),
    (number(q(1, 2)), "1/2", r"\frac{1}{2}"),
    (number(-3), "-3", "-3"),
    (number(M * N), "m*n", "m n"),
    (number(1 - N), "1 - n", "1 - n"),
    (scale(s, x), "s*x", "s x"),
    (scale(s, number(2)), "2*s", "2 s"),
    (scale(s, scale(t, x)), "s*t*x", "s t x"),
    (scale(number(-1), s), "-s", "-s"),
    (scale(matmul(x.T, A, x), matmul(W, x)), "(x'*A*x)*W*x", r"(x^\top A x) W x"),
    (scale(number(2), matmul(y.T, y)), "2*y'*y", r"2 y^\top y"),
    (scale(power(norm2(x), -1), x), "x/norm2(x)", r"\frac{x}{\lVert x \rVert}"),
    (scale(power(s, -2), X), "X/s^2", r"\frac{X}{s^{2}}"),
    (scale(power(s, -1), power(t, -1), HALF, matmul(x.T, x)), "x'*x/(2*s*t)", r"\frac{x^\top x}{2 s t}"),
    (scale(power(scale(s, t), -1), x), "x/(s*t)", r"\frac{x}{s t}"),
    (scale(divide(number(1), s), x), "x/s", r"\frac{x}{s}"),
    (scale(HALF, add(X, Y)), "(X + Y)/2", r"\frac{1}{2} (X + Y)"),
    (scale(logdet(A), x), "logdet(A)*x", r"(\log\lvert\det A\rvert) x"),
    (scale(number(N / 2), log(number(2 * sp.pi))), "n*log(2*pi)/2", r"\frac{n}{2} \log(2 \pi)"),
    (scale(number(2), power(number(2), t)), "2*2^t", r"2 \cdot 2^{t}"),
    (power(s, 2), "s^2", "s^{2}"),
    (power(s, -1), "1/s", r"\frac{1}{s}"),
    (power(s, HALF), "s^(1/2)", "s^{1/2}"),
    (power(s, t), "s^t", "s^{t}"),
    (power(s, difference(t, 1)), "s^(t - 1)", "s^{t - 1}"),
    (power(power(s, t), 2), "(s^t)^2", "(s^{t})^{2}"),
    (power(number(2), t), "2^t", "2^{t}"),
    (power(X, 2), "X.^2", r"X^{\odot 2}"),
    (power(X, -1), "1 ./ X", r"1 \oslash X"),
    (power(X, -2), "1 ./ X.^2", r"1 \oslash X^{\odot 2}"),
    (power(X, s), "X.^s", r"X^{\odot s}"),
    (power(X.T, 2), "X'.^2", r"(X^\top)^{\odot 2}"),
    (power(exp(X), HALF), "exp(X).^(1/2)", r"\exp(X)^{\odot (1/2)}"),
    (power(norm2(x), 2), "norm2(x)^2", r"\lVert x \rVert^{2}"),
    (power(broadcast(number(2), SHAPE), X), "2 .^ X", r"2^{\odot X}"),
    (power(X, broadcast(b, SHAPE)), "X.^b", r"X^{\odot (\mathbf{1} b)}"),
    (divide(X, Y), "X ./ Y", r"X \oslash Y"),
    (divide(s, t), "s/t", r"\frac{s}{t}"),
    (scale(number(2), divide(X, Y)), "2*X ./ Y", r"2 X \oslash Y"),
    (hadamard(X, power(Y, -1)), "X ./ Y", r"X \oslash Y"),
    (hadamard(power(X, -1), power(Y, -1)), "1 ./ X ./ Y", r"1 \oslash X \oslash Y"),
    (hadamard(divide(X, Y), X), "X .* X ./ Y", r"X \odot X \oslash Y"),
    (hadamard(matmul(X, W), Y, difference(1, Y)), "(X*W) .* Y .* (1 - Y)", r"(X W) \odot Y \odot (1 - Y)"),
    (hadamard(scale(number(-1), X), Y), "-X .* Y", r"-X \odot Y"),
    (hadamard(X, scale(number(-1), Y)), "X .* (-Y)", r"X \odot (-Y)"),
    (hadamard(X, hadamard(X, Y)), "X .* (X .* Y)", r"X \odot (X \odot Y)"),
    (hadamard(X, broadcast(b, SHAPE)), "X .* b", r"X \odot (\mathbf{1} b)"),
    (hadamard(X, broadcast(s, SHAPE)), "s*X", "s X"),
    (hadamard(X, power(broadcast(b, SHAPE), -1)), "X ./ b", r"X \oslash (\mathbf{1} b)"),
    (hadamard(X, power(broadcast(s, SHAPE), -2)), "X/s^2", r"\frac{X}{s^{2}}"),
    (
        hadamard(broadcast(b, SHAPE), broadcast(b, SHAPE)),
        "(ones(m, 1)*b) .* (ones(m, 1)*b)",
        r"(\mathbf{1} b) \odot (\mathbf{1} b)",
    ),
    (hadamard(broadcast(b, SHAPE), broadcast(y, SHAPE)), "b .* y", r"(\mathbf{1} b) \odot (y \mathbf{1}^\top)"),
    (plus(X, b), "X + b", r"X + \mathbf{1} b"),
    (plus(X, y), "X + y", r"X + y \mathbf{1}^\top"),
    (plus(X, 1), "X + 1", "X + 1"),
    (difference(1, power(X, 2)), "1 - X.^2", r"1 - X^{\odot 2}"),
    (difference(X, s), "X - s", r"X - s \mathbf{1} \mathbf{1}^\top"),
    (add(X, scale(number(-1), broadcast(b, SHAPE))), "X - b", r"X - \mathbf{1} b"),
    (add(broadcast(b, SHAPE), broadcast(y, SHAPE)), "b + y", r"\mathbf{1} b + y \mathbf{1}^\top"),
    (add(broadcast(b, SHAPE), broadcast(number(1), SHAPE)), "ones(m, 1)*b + ones(m, n)", r"\mathbf{1} b + 1"),
    (add(X, add(X, Y)), "X + X + Y", "X + X + Y"),
    (add(X, scale(number(-1), add(X, Y))), "X - (X + Y)", "X - (X + Y)"),
    (add(scale(number(-1), X), Y), "Y - X", "Y - X"),
    (add(scale(number(-1), X), scale(number(-2), Y)), "-X - 2*Y", "-X - 2 Y"),
    (add(number(-3), s), "s - 3", "s - 3"),
    (scale(number(-1), add(X, Y)), "-(X + Y)", "-(X + Y)"),
    (broadcast(b, SHAPE), "ones(m, 1)*b", r"\mathbf{1} b"),
    (broadcast(y, SHAPE), "y*ones(1, n)", r"y \mathbf{1}^\top"),
    (broadcast(s, SHAPE), "s*ones(m, n)", r"s \mathbf{1} \mathbf{1}^\top"),
    (broadcast(s, (M, 1)), "s*ones(m, 1)", r"s \mathbf{1}"),
    (broadcast(number(1), SHAPE), "ones(m, n)", r"\mathbf{1} \mathbf{1}^\top"),
    (broadcast(number(2), SHAPE), "2*ones(m, n)", r"2 \mathbf{1} \mathbf{1}^\top"),
    (matmul(broadcast(b, SHAPE), x), "ones(m, 1)*b*x", r"\mathbf{1} b x"),
    (matmul(X.T, broadcast(b, SHAPE)), "X'*(ones(m, 1)*b)", r"X^\top (\mathbf{1} b)"),
    (matmul(X, scale(number(2), x)), "X*(2*x)", "X (2 x)"),
    (matmul(scale(number(2), X), x), "2*X*x", "2 X x"),
    (matmul(matmul(X, W), x), "X*W*x", "X W x"),
    (matmul(X, matmul(W, x)), "X*(W*x)", "X (W x)"),
    (matmul(hadamard(X, Y), x), "(X .* Y)*x", r"(X \odot Y) x"),
    (transpose(hadamard(X, Y)), "(X .* Y)'", r"(X \odot Y)^\top"),
    (scale(number(2), hadamard(X, Y)), "2*X .* Y", r"2 X \odot Y"),
    (matmul(X, transpose(hadamard(X, Y))), "X*(X .* Y)'", r"X (X \odot Y)^\top"),
    (matmul(X, add(W, A), x), "X*(W + A)*x", "X (W + A) x"),
    (matmul(matmul(x.T, x), x.T), "(x'*x)*x'", r"(x^\top x) x^\top"),
    (transpose(matmul(X, W)), "(X*W)'", r"(X W)^\top"),
    (transpose(transpose(X)), "X''", r"(X^\top)^\top"),
    (transpose(power(X, 2)), "(X.^2)'", r"(X^{\odot 2})^\top"),
    (inverse(A), "inv(A)", "A^{-1}"),
    (inverse(matmul(X.T, X)), "inv(X'*X)", r"(X^\top X)^{-1}"),
    (transpose(inverse(A)), "inv(A)'", r"A^{-\top}"),
    (inverse(transpose(A)), "inv(A')", r"A^{-\top}"),
    (node("matpow", (A, number(3))), "A^3", "A^{3}"),
    (node("matpow", (A, number(-2))), "A^-2", "A^{-2}"),
    (node("matpow", (A, s)), "A^s", "A^{s}"),
    (node("solve", (A, x)), "solve(A, x)", "A^{-1} x"),
    (matmul(x.T, node("solve", (A, x))), "x'*solve(A, x)", r"x^\top (A^{-1} x)"),
    (kron(A, X), "kron(A, X)", r"A \otimes X"),
    (
        matmul(kron(A, X), vec(ones(N, N))),
        "kron(A, X)*vec(ones(n, n))",
        r"(A \otimes X) \operatorname{vec}(\mathbf{1}_{n \times n})",
    ),
    (commutation(M, N), "comm(m, n)", "K_{m, n}"),
    (eye(N), "eye(n)", "I_{n}"),
    (ones(M, N), "ones(m, n)", r"\mathbf{1}_{m \times n}"),
    (ones(M, 1), "ones(m, 1)", r"\mathbf{1}_{m}"),
    (ones(1, N), "ones(1, n)", r"\mathbf{1}_{n}^\top"),
    (zeros(M, N), "zeros(m, n)", "0"),
    (sum_(X, None), "sum(X)", r"\operatorname{sum}(X)"),
    (sum_(X, 1), "sum(X, 1)", r"\operatorname{sum}_{1}(X)"),
    (std(X, None, 1), "std(X, ddof=1)", r"\operatorname{std}(X, \mathrm{ddof} = 1)"),
    (std(X, 1, 1), "std(X, 1, 1)", r"\operatorname{std}_{1}(X, \mathrm{ddof} = 1)"),
    (var_(X, 2, 0), "var(X, 2)", r"\operatorname{var}_{2}(X)"),
    (
        standardize(X, 1, 0, exact(q(1, 100000))),
        "standardize(X, 1, 0, 0.00001)",
        r"\operatorname{standardize}_{1}(X, \mathrm{eps} = 0.00001)",
    ),
    (softmax(x), "softmax(x)", r"\operatorname{softmax}(x)"),
    (softmax(X, 2), "softmax(X, 2)", r"\operatorname{softmax}_{2}(X)"),
    (softmax(x, 2), "softmax(x, 2)", r"\operatorname{softmax}_{2}(x)"),
    (log_softmax(X, 2), "log_softmax(X, 2)", r"\operatorname{log\_softmax}_{2}(X)"),
    (polygamma(X, 2), "polygamma(2, X)", r"\psi^{(2)}(X)"),
    (logdet(A), "logdet(A)", r"\log\lvert\det A\rvert"),
    (cross_entropy(X, Y), "cross_entropy(X, Y)", r"\operatorname{cross\_entropy}(X, Y)"),
    (absolute(scale(HALF, X)), "abs(X/2)", r"\operatorname{abs}\left(\frac{1}{2} X\right)"),
    (reshape_(X, N, M), "reshape(X, n, m)", r"\operatorname{reshape}(X, n, m)"),
    (
        node("where", (X, Y, broadcast(number(1), SHAPE), zeros(M, N)), (">=",)),
        "where(X >= Y, 1, 0)",
        r"\operatorname{where}\left(X \geq Y, 1, 0\right)",
    ),
    (maximum(X, broadcast(number(0), SHAPE)), "maximum(X, 0)", r"\operatorname{maximum}(X, 0)"),
    (Function("phi")(X), "phi(X)", r"\phi(X)"),
    (Function("phi").derivative(X), "D(phi)(X)", r"\phi'(X)"),
    (Function("my_phi").derivative.derivative(X), "D(my_phi, 2)(X)", r"\operatorname{my\_phi}''(X)"),
    (g_theta, "g_theta", r"\delta_{\theta}"),
    (matmul(g_theta, W1.T), "g_theta*W1'", r"\delta_{\theta} W_{1}^\top"),
]


@pytest.mark.parametrize(("e", "in_text", "in_latex"), TABLE, ids=[row[1] for row in TABLE])
def test_form(e: Expr, in_text: str, in_latex: str) -> None:
    assert text(e) == in_text
    assert latex(e) == in_latex


SCOPE = {v.params[0]: v for v in (X, Y, A, W, w, x, y, b, s, t, W1, g_theta)}
INTEGRAL = {s: number(2)}  # the exponent of a matrix power


def same_value(a: Expr, b: Expr) -> None:
    """Both have one shape and, at random positive values, one value."""
    present = dict.fromkeys([*variables((a, b)), X])
    arrays, dims = sample([var(v.params[0], *v.shape, ["positive"]) for v in present], 3)
    functions = dict.fromkeys(("phi", "phi_prime", "my_phi_prime_prime"), np.sin)
    first, second = (evaluate(e, arrays, dims, functions) for e in (a, b))
    assert first.shape == second.shape
    np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("e", "in_text"), [row[:2] for row in TABLE], ids=[row[1] for row in TABLE])
def test_parses_back(e: Expr, in_text: str) -> None:
    back = parse(in_text, scope=SCOPE, functions=("phi", "my_phi")).graph.output
    if any(sub.op == "matpow" for sub in postorder((e,))):
        e, back = substitute(e, INTEGRAL), substitute(back, INTEGRAL)
    same_value(e, back)


@pytest.mark.parametrize("name", REGISTRY)
def test_every_operation_prints(name: str) -> None:
    e = example(name)
    assert "{" not in text(e)
    assert latex(e).count("{") == latex(e).count("}")
    if name == "root":  # is written as a line of its own: `z: n x 1 solves ...`
        return
    scope = {v.params[0]: v for v in (X, *variables((e,)), *((e,) if e.op == "named" else ()))}
    assert parse(text(e), scope=scope, functions=("swish",)).graph.output.shape == e.shape


def random_expression(rng: random.Random) -> Expr:
    """A random expression of square and 1 x 1 values over all the arrangements."""
    square: list[Expr] = [A, W, W.T, var("B", "n", "n")]
    scalars: list[Expr] = [s, t, number(q(-3, 2)), number(2), tr(A), matmul(x.T, x)]
    shape = (N, N)
    for _ in range(rng.randint(2, 9)):
        P, Q, R = (rng.choice(square) for _ in range(3))
        c, d = rng.choice(scalars), rng.choice(scalars)
        row = rng.choice([sum_(P, 1), x.T])
        column = rng.choice([sum_(P, 2), x])
        stretched = broadcast(rng.choice([row, column, c]), shape)
        square += rng.choice(
            [
                [add(P, scale(number(-1), Q), R)],
                [add(scale(c, stretched), scale(number(-2), P))],
                [scale(c, d, P), scale(power(c, -1), P)],
                [matmul(P, Q, scale(c, R)), matmul(scale(c, P), matmul(Q, R))],
                [hadamard(P, scale(c, Q), power(R, -1))],
                [hadamard(stretched, P), hadamard(stretched, stretched), divide(P, stretched)],
                [divide(P, hadamard(Q, R)), divide(divide(P, Q), R)],
                [transpose(P), power(P, 2), power(P, -2), transpose(power(P, 2))],
                [hadamard(P, power(scale(number(2), stretched), -1))],
                [stretched, matmul(stretched, P), matmul(P, stretched)],
            ]
        )
        scalars += rng.choice(
            [
                [add(c, number(-1))],
                [scale(c, d), divide(c, d), power(c, -1), power(d, 2)],
                [matmul(row, column), hadamard(c, d)],
                [sum_(P, None)],
            ]
        )
    return scale(rng.choice(scalars), square[-1])


@pytest.mark.parametrize("seed", range(150))
def test_random_expressions_parse_back(seed: int) -> None:
    e = random_expression(random.Random(seed))
    scope = {v.params[0]: v for v in variables((e,))}
    same_value(e, parse(text(e), scope=scope).graph.output)
    assert latex(e).count("{") == latex(e).count("}")


STEPS: dict[str, Callable[[Expr], Expr]] = {
    "tanh": lambda e: tanh(e),
    "sum": lambda e: add(e, W),
    "difference": lambda e: difference(W, e),
    "product": lambda e: matmul(e, W),
    "right product": lambda e: matmul(W, e),
    "scaling": lambda e: scale(s, e),
    "minus": lambda e: scale(number(-1), e),
    "quotient": lambda e: divide(e, W),
    "hadamard": lambda e: hadamard(e, W),
    "transpose": transpose,
    "inverse": inverse,
    "square": lambda e: power(e, 2),
    "reciprocal": lambda e: power(e, -1),
    "residual": lambda e: add(e, tanh(matmul(e, W))),
    "gram": lambda e: matmul(transpose(e), e),
    "own trace": lambda e: scale(tr(e), e) if e.is_scalar else add(scale(tr(e), e), W),
}


@pytest.mark.parametrize("step", STEPS)
def test_deep(step: str) -> None:
    e: Expr = A
    for _ in range(5000):
        e = STEPS[step](e)
    assert len(text(e)) < 200_000
    assert len(latex(e)) < 400_000


def test_shared_levels_become_definitions() -> None:
    e: Expr = A
    for _ in range(64):
        e = add(e, tanh(matmul(e, W)))
    assert text(add(A, tanh(matmul(A, W)))) == "A + tanh(A*W)"
    program = text(e)
    assert program.startswith("t1 = ")
    assert len(program) < 5000
    assert parse(program, scope={"A": A, "W": W}).graph.output.shape == e.shape
    assert latex(e).startswith("\\begin{aligned}\nt_{1} &= ")


def test_definitions_avoid_the_names_in_use() -> None:
    e: Expr = var("t1", "n", "n")
    for _ in range(64):
        e = add(e, tanh(matmul(e, e)))
    assert text(e).startswith("t2 = ")


def test_shared_value_is_right() -> None:
    e: Expr = A
    for _ in range(12):
        e = tanh(add(e, scale(number(-1), matmul(e, W, e)), power(e, 2), broadcast(sum_(e, 1), (N, N))))
    same_value(e, parse(text(e), scope={"A": A, "W": W}).graph.output)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x", "x"),
        ("W1", "W_{1}"),
        ("W_1", "W_{1}"),
        ("theta", r"\theta"),
        ("Gamma1", r"\Gamma_{1}"),
        ("sigma2", r"\sigma_{2}"),
        ("yhat", r"\hat{y}"),
        ("y_hat", r"\hat{y}"),
        ("yhat2", r"\hat{y}_{2}"),
        ("xbar", r"\bar{x}"),
        ("x_bar", r"\bar{x}"),
        ("thetahat", r"\hat{\theta}"),
        ("g_theta", r"\delta_{\theta}"),
        ("g_W1", r"\delta_{W_{1}}"),
        ("loss", r"\mathrm{loss}"),
        ("b_out", r"b_{\mathrm{out}}"),
        ("W_1_2", "W_{1, 2}"),
        ("q_z2", "q_{z_{2}}"),
        ("J_Zh", "J_{Z_{h}}"),
        ("_", r"\_"),
        ("Beta", r"\mathrm{B}"),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert name_latex(name) == expected


@pytest.mark.parametrize(
    ("mark", "expected"),
    [("^T", "A^T X^{-T}"), ("'", "A' (X^{-1})'"), (r"^{\mathsf T}", r"A^{\mathsf T} X^{-\mathsf T}")],
)
def test_mark_of_a_transpose(mark: str, expected: str) -> None:
    assert latex(matmul(A.T, transpose(inverse(var("X", "n", "n")))), Notation(transpose=mark)) == expected


def test_names_are_opaque() -> None:
    h = named("h", sigmoid(X))
    assert text(hadamard(h, difference(1, h))) == "h .* (1 - h)"
    assert latex(hadamard(h, difference(1, h))) == r"h \odot (1 - h)"


def test_scalars_without_a_name_are_refused() -> None:
    with pytest.raises(NoRuleError, match="EulerGamma"):
        text(number(sp.EulerGamma))
    with pytest.raises(NoRuleError, match="zeta"):
        text(number(sp.zeta(3)))
    for large in (sp.Integer(10) ** 3000, sp.Rational(1, 10**3000)):
        with pytest.raises(NoRuleError, match="digits"):
            text(scale(number(large), number(large), x))


def test_str_and_repr() -> None:
    assert str(X.T @ X) == repr(X.T @ X) == "X'*X"
    assert (X.T @ X)._repr_latex_() == r"$\displaystyle X^\top X$"
