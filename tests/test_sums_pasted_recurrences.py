r"""Recurrences in LaTeX, `h_t = \tanh(W h_{t-1} + U x_t), \quad t = 1, \dots, T`, are those of the text."""

from __future__ import annotations

import pytest

import matcalc as mc
from matcalc import ParseError

NETWORK = "W: d x d\nU: d x q\nv: d x 1\nX: T x q\ny: T x 1\n"
SERIES = "a: 1 x 1\nb: 1 x 1\ny: T x 1\n"
DESCENT = "A: p x p\nb: p x 1\ns: 1 x 1\n"
TEXT_NETWORK = """h[0] = zeros(d, 1)
h[t] = tanh(W*h[t-1] + U*X[t,:]') for t = 1..T
J = sum(t=1..T, (v'*h[t] - y[t])^2)/2"""
LSTM = "A: d x d\nB: d x d\nC: d x q\nv: d x 1\nx[t=1..T]: q x 1\n"

SAME = [
    (  # a zero has the shape that fits
        NETWORK,
        r"""h_0 = 0
        h_t = \tanh(W h_{t-1} + U x_t), \quad t = 1, \dots, T
        J = \frac12 \sum_{t=1}^T (v^\top h_t - y_t)^2""",
        TEXT_NETWORK,
        "W",
    ),
    (  # the range in words, the start behind the line
        NETWORK,
        r"h_t = \tanh(W h_{t-1} + U x_t) \quad \text{for } t = 1, 2, \ldots, T, \quad h_0 = 0 \\ "
        r"J = \frac12 \sum_{t=1}^T (v^\top h_t - y_t)^2",
        TEXT_NETWORK,
        "U",
    ),
    (  # a start that is declared
        NETWORK + "h_0: d x 1\n",
        r"""\begin{aligned}
        h_{t} &= \tanh(W h_{t-1} + U x_t) \qquad (t = 1, \dots, T) \\
        J &= \frac12 \sum_{t=1}^T (v^\top h_t - y_t)^2
        \end{aligned}""",
        TEXT_NETWORK.replace("zeros(d, 1)", "h_0"),
        "h_0",
    ),
    (  # the next value, a superscript in brackets
        DESCENT,
        r"""w^{(0)} = b
        w^{(k+1)} = w^{(k)} - s (A w^{(k)} - b), \quad k = 0, \dots, K-1
        \|w^{(K)}\|^2""",
        "w[0] = b\nw[k] = w[k-1] - s*(A*w[k-1] - b) for k = 1..K\nnorm2(w[K])^2",
        "s",
    ),
    (  # a superscript without brackets
        DESCENT,
        r"""w^0 = b \\ w^{k+1} = w^k - s (A w^k - b) \quad \forall k \in \{0, \dots, K-1\} \\ f = \|w^K - b\|^2""",
        "w[0] = b\nw[k] = w[k-1] - s*(A*w[k-1] - b) for k = 1..K\nf = norm2(w[K] - b)^2",
        "A",
    ),
    (  # numbers, two lags
        SERIES,
        r"""e_1 = y_1, \quad e_2 = y_2
        e_t = y_t - a e_{t-1} - b e_{t-2}, \quad 3 \le t \le T
        \sum_{t=1}^T e_t^2""",
        "e[1] = y[1]\ne[2] = y[2]\ne[t] = y[t] - a*e[t-1] - b*e[t-2] for t = 3..T\nsum(t=1..T, e[t]^2)",
        "a",
    ),
    (  # the index is a number
        SERIES,
        r"""e_1 = y_1
        e_{t+1} = a e_t + t\, y_{t+1}, \quad t \in \{1, \dots, T - 1\}
        e_T^2""",
        "e[1] = y[1]\ne[t] = a*e[t-1] + (t - 1)*y[t] for t = 2..T\ne[T]^2",
        "a",
    ),
    (  # columns, a zero with its size
        "A: p x p\nB: p x T\n",
        r"""a_1 = B_{:,1}
        a_t = B_{:,t} \odot (A^\top a_{t-1}), \quad t = 2, \dots, T
        c_0 = 0_p
        c_t = A c_{t-1} + a_t, \quad t = 1, \dots, T
        \|c_T\|^2""",
        """a[1] = B[:,1]
a[t] = B[:,t] .* (A'*a[t-1]) for t = 2..T
c[0] = zeros(p, 1)
c[t] = A*c[t-1] + a[t] for t = 1..T
norm2(c[T])^2""",
        "A",
    ),
    (  # lines that share the range of the last; two zeros
        LSTM,
        r"""h_0 = 0, \quad c_0 = 0 \\
        f_t = \sigma(A h_{t-1} + C x_t) \\
        g_t = \tanh(B h_{t-1}) \\
        c_t = f_t \odot c_{t-1} + (1 - f_t) \odot g_t \\
        h_t = f_t \odot \tanh(c_t), \quad t \in [T] \\
        J = v^\top h_T""",
        """h[0] = zeros(d, 1)
c[0] = zeros(d, 1)
f[t] = sigmoid(A*h[t-1] + C*x[t]) for t = 1..T
g[t] = tanh(B*h[t-1]) for t = 1..T
c[t] = f[t] .* c[t-1] + (1 - f[t]) .* g[t] for t = 1..T
h[t] = f[t] .* tanh(c[t]) for t = 1..T
J = v'*h[T]""",
        "A",
    ),
]


@pytest.mark.parametrize(("declared", "latex", "text", "wrt"), SAME)
def test_a_recurrence_in_latex_is_that_of_the_text(declared: str, latex: str, text: str, wrt: str) -> None:
    read, wanted = mc.derive(declared + latex, wrt=wrt), mc.derive(declared + text, wrt=wrt)
    assert sorted(map(str, read.forward())) == sorted(map(str, wanted.forward()))
    assert read.gradient() == wanted.gradient()
    assert read.check(trials=1).ok


def test_the_shapes_may_be_given_beside_it() -> None:
    shapes = {"W": ("d", "d"), "h0": ("d", 1)}
    d = mc.derive(r"h_t = \tanh(W h_{t-1}), \quad t = 1,\dots,T \\ \|h_T\|^2", wrt="W", shapes=shapes)
    assert str(d.gradient()).endswith("sum(t=1..T, (g_h[t] .* (1 - h[t].^2))*h[t - 1]')")


@pytest.mark.parametrize(
    ("latex", "said"),
    [
        (r"h_t = A h_{t-1} \\ \|h_T\|^2", r"the range of t is missing: end the line with \quad t = 1, \dots, T"),
        (r"h_t = A h_{t-1}, \quad t = 1, \dots, T \\ \|h_T\|^2", "h is used before its start or its line: h[0] = ..."),
        (r"h_0 = b \\ h_t = A h_{t+1}, \quad t = 1, \dots, T \\ \|h_T\|^2", "h_{t+1} is later than t"),
        (r"h_0 = b \\ h_s = A h_{t-1}, \quad t = 1, \dots, T \\ \|h_T\|^2", "a range stands behind a recurrence"),
        (
            r"h_0 = 0 \\ h_t = A h_{t-1}, \quad t = 1, \dots, T \\ \operatorname{sum}(h_T)",
            "0 has several shapes that fit",
        ),
        (
            r"h_0 = b \\ h_t = A h_{t-1}, \quad t = 1, \dots, T \\ h_{T+1}^\top b",
            "is outside: h has values from 0 to T",
        ),
        (r"h_0 = b \\ h_t = A h_{t-1}, \quad t = 3, \dots, 2 \\ h_2^\top b", "the range 3..2 of t is empty"),
        (r"h_0 = b \\ h_t = , \quad t = 1, \dots, T \\ h_T^\top b", "a value is missing"),
        (r"b^\top b \quad t = 1, \dots, T", "a range stands behind a recurrence"),
    ],
)
def test_what_is_missing_is_said_at_its_place(latex: str, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        mc.derive("A: p x p\nb: p x 1\n" + latex, wrt="A")
    assert said in caught.value.message
    assert caught.value.line
