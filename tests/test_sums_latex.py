r"""Sums over indices in LaTeX and Unicode are those of the text: the same matrices and steps, errors with a place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import matcalc as mc
from matcalc import ParseError
from matcalc.frontend.parser import parse
from matcalc.walk import variables

SHAPES = {
    "X": ("n", "p"), "Z": ("m", "p"), "A": ("n", "n"), "B": ("n", "m"), "C": ("p", "p"), "D": ("n", "n"),
    "W": ("p", "q"), "Y": ("n", "q"), "U": ("n", "q"), "V": ("m", "q"), "w": ("p", 1), "mu": ("p", 1), "y": ("n", 1),
    "a": ("n", 1), "v": ("m", 1), "u": ("T", 1), "b": (1, 1), "s": (1, 1),
}  # fmt: skip

SAME = [
    (r"\sum_{i=1}^n (x_i^\top w - y_i)^2", "sum(i=1..n, (X[i,:]*w - y[i])^2)"),
    (r"\frac{1}{n}\sum_{i=1}^n \log(1 + \exp(-y_i\, x_i^\top w))", "1/n*sum(i=1..n, log(1 + exp(-y[i]*X[i,:]*w)))"),
    (r"\sum_{i,j} A_{ij} \|x_i - x_j\|^2", "sum(i=1..n, j=1..n, A[i,j]*norm2(X[i,:] - X[j,:])^2)"),
    (r"\sum_{i,j=1}^n A_{ij} \lVert x_i - x_j \rVert_2^2", "sum(i=1..n, j=1..n, A[i,j]*norm2(X[i,:] - X[j,:])^2)"),
    (r"\sum_{i<j} A_{ij} (y_i - y_j)^2", "sum(i=1..n, j=1..n, i<j, A[i,j]*(y[i] - y[j])^2)"),
    (r"\sum_{1 \le i < j \le n} A_{ij} (y_i - y_j)^2", "sum(i=1..n, j=1..n, i<j, A[i,j]*(y[i] - y[j])^2)"),
    (r"\sum_{i \ne j} A_{ij} y_i y_j", "sum(i=1..n, j=1..n, i!=j, A[i,j]*y[i]*y[j])"),
    (r"\sum_{i=1}^n \sum_{j \neq i} A_{ij} y_i y_j", "sum(i=1..n, sum(j=1..n, j!=i, A[i,j]*y[i]*y[j]))"),
    (r"\sum_{i=1}^n \sum_{j=i+1}^n A_{ij} y_i y_j", "sum(i=1..n, sum(j=i+1..n, A[i,j]*y[i]*y[j]))"),
    (r"\sum_{i=1}^{n}\sum_{j=1}^{m} B_{ij} y_i v_j", "sum(i=1..n, sum(j=1..m, B[i,j]*y[i]*v[j]))"),
    (
        r"\sum_{i=1}^{n}\sum_{j=1}^{m}\sum_{c=1}^p B_{ij} X_{ic} Z_{jc}",
        "sum(i=1..n, sum(j=1..m, sum(c=1..p, B[i,j]*X[i,c]*Z[j,c])))",
    ),
    (r"\sum_{i,j,k} A_{ij} A_{jk} A_{ki}", "sum(i=1..n, j=1..n, k=1..n, A[i,j]*A[j,k]*A[k,i])"),
    (r"\sum_{t=1}^{T-1} (u_{t+1} - u_t)^2", "sum(t=1..T-1, (u[t+1] - u[t])^2)"),
    (r"\sum_{t=2}^{T} |u_t - u_{t-1}|", "sum(t=2..T, abs(u[t] - u[t-1]))"),
    (r"\sum_{t=2}^{T-1} (u_{t+1} - 2u_t + u_{t-1})^2", "sum(t=2..T-1, (u[t+1] - 2*u[t] + u[t-1])^2)"),
    (r"\prod_{i=1}^n (1 + y_i^2)", "prod(i=1..n, 1 + y[i]^2)"),
    (r"\max_{i} (x_i^\top w + y_i)", "max(i=1..n, X[i,:]*w + y[i])"),
    (r"\max_{1 \le i \le n} |y_i|", "max(i=1..n, abs(y[i]))"),
    (r"\max_{i=1,\dots,n} y_i", "max(i=1..n, y[i])"),
    (r"\min_{i \in \{1,\dots,n\}} y_i^2", "min(i=1..n, y[i]^2)"),
    (r"\sum_{i \in [n]} y_i^3", "sum(i=1..n, y[i]^3)"),
    (r"\log \sum_{i=1}^n \exp(y_i)", "log(sum(i=1..n, exp(y[i])))"),
    (
        r"-\sum_{i=1}^n \left( w^\top x_i\, y_i - \log \sum_{j=1}^n e^{w^\top x_j} \right)",
        "-sum(i=1..n, w'*X[i,:]'*y[i] - log(sum(j=1..n, exp(w'*X[j,:]'))))",
    ),
    (r"\left\| \sum_{i=1}^n a_i x_i - \mu \right\|^2", "norm2(sum(i=1..n, a[i]*X[i,:]') - mu)^2"),
    (
        r"\operatorname{tr}\left(C \sum_{i=1}^n a_i (x_i - \mu)(x_i - \mu)^\top\right)",
        "tr(C*sum(i=1..n, a[i]*(X[i,:]' - mu)*(X[i,:]' - mu)'))",
    ),
    (r"\sum_{i=1}^n x_i^\top C x_i", "sum(i=1..n, X[i,:]*C*X[i,:]')"),
    (r"\sum_{i=1}^n (x_i - \mu)^\top C^{-1} (x_i - \mu)", "sum(i=1..n, (X[i,:]' - mu)'*C^-1*(X[i,:]' - mu))"),
    (
        r"\sum_{i=1}^n\sum_{j=1}^m \exp\left(-\frac{\|x_i - z_j\|^2}{2 s^2}\right)",
        "sum(i=1..n, sum(j=1..m, exp(-norm2(X[i,:] - Z[j,:])^2/(2*s^2))))",
    ),
    (r"\sum_{i=1}^n \|x_i\|_1", "sum(i=1..n, norm1(X[i,:]))"),
    (r"\sum_{i=1}^n \|x_i\|", "sum(i=1..n, norm2(X[i,:]))"),
    (r"\sum_{i=1}^n \|x_i\|_\infty", "sum(i=1..n, max(abs(X[i,:])))"),
    (r"\sum_{i=1}^{n} \langle x_i, w \rangle^2", "sum(i=1..n, (X[i,:]*w)^2)"),
    (r"\sum_{i=1}^{n} (x_i \cdot w)^2", "sum(i=1..n, (X[i,:]*w)^2)"),
    (r"\sum_{j=1}^{p} \left(\sum_{i=1}^{n} X_{ij}^2\right)^{1/2}", "sum(j=1..p, sum(i=1..n, X[i,j]^2)^(1/2))"),
    (r"\sum_{j=1}^{p} \left(\sum_{i=1}^{n} X_{i,j} a_i\right)^2", "sum(j=1..p, sum(i=1..n, X[i,j]*a[i])^2)"),
    (r"\sum_i \max(0, 1 - y_i (x_i^\top w + b))", "sum(i=1..n, maximum(0, 1 - y[i]*(X[i,:]*w + b)))"),
    (r"\sum_i \max\{0, 1 - y_i x_i^\top w\}^2", "sum(i=1..n, maximum(0, 1 - y[i]*X[i,:]*w)^2)"),
    (
        r"-\sum_{i=1}^n\sum_{k=1}^q Y_{ik} \log \frac{\exp((XW)_{ik})}{\sum_{l=1}^q \exp((XW)_{il})}",
        "-sum(i=1..n, sum(k=1..q, Y[i,k]*log(exp((X*W)[i,k])/sum(l=1..q, exp((X*W)[i,l])))))",
    ),
    (
        r"\sum_{i}\sum_{k} Y_{ik} \operatorname{softmax}(W^\top x_i)_k",
        "sum(i=1..n, sum(k=1..q, Y[i,k]*softmax(W'*X[i,:]')[k]))",
    ),
    (r"\prod_{i<j} (y_j - y_i)", "prod(i=1..n, j=1..n, i<j, y[j] - y[i])"),
    (r"\sum_{i=1}^n i\, y_i", "sum(i=1..n, i*y[i])"),
    (r"\sum_{i,j: i<j} A_{ij} y_i y_j", "sum(i=1..n, j=1..n, i<j, A[i,j]*y[i]*y[j])"),
    (r"\sum_{\substack{i,j=1 \\ i \ne j}}^n A_{ij} y_i y_j", "sum(i=1..n, j=1..n, i!=j, A[i,j]*y[i]*y[j])"),
    (r"\sum_{j \ne i} A_{ij} y_i y_j", "sum(j=1..n, i=1..n, j!=i, A[i,j]*y[i]*y[j])"),
    (r"\sum_{i\le j} A_{ij}^2", "sum(i=1..n, j=1..n, i<=j, A[i,j]^2)"),
    (r"\sum_{i=1}^n A_{ii}", "sum(i=1..n, A[i,i])"),
    (r"\sum_{i=1}^n \left(y_i - \frac1n \sum_{j=1}^n y_j\right)^2", "sum(i=1..n, (y[i] - 1/n*sum(j=1..n, y[j]))^2)"),
    (r"\sum\limits_{i=1}^{n} X_{i,:} w", "sum(i=1..n, X[i,:]*w)"),
    (r"\sum_{i=1}^{n} X_{i\cdot} w", "sum(i=1..n, X[i,:]*w)"),
    (r"\sum_{j=1}^{p} \| X_{:,j} \|", "sum(j=1..p, norm2(X[:,j]))"),
    (r"∑ᵢ₌₁ⁿ (xᵢᵀw − yᵢ)²", "sum(i=1..n, (X[i,:]*w - y[i])^2)"),
    (r"∑_{i<j} A_{ij} (y_i − y_j)²", "sum(i=1..n, j=1..n, i<j, A[i,j]*(y[i] - y[j])^2)"),
    (r"∑_{i≠j} A_{ij} y_i y_j", "sum(i=1..n, j=1..n, i!=j, A[i,j]*y[i]*y[j])"),
    (r"Σᵢⱼ Aᵢⱼ yᵢ yⱼ", "sum(i=1..n, j=1..n, A[i,j]*y[i]*y[j])"),
    (r"∑ₜ₌₁ᵀ uₜ²", "sum(t=1..T, u[t]^2)"),
    (r"∏ᵢ (1 + yᵢ²)", "prod(i=1..n, 1 + y[i]^2)"),
    (r"\sum_{i=1}^n \mathbb{1}[y_i > 0] y_i^2", "sum(i=1..n, where(y[i] > 0, 1, 0)*y[i]^2)"),
    (r"\sum_{i=1}^n \sigma(x_i^\top w)", "sum(i=1..n, sigmoid(X[i,:]*w))"),
    (r"\sum_{k=1}^{q} \max_{i} U_{ik}", "sum(k=1..q, max(i=1..n, U[i,k]))"),
    (
        r"\sum_{i=1}^{n}\sum_{j=1}^{m} (B_{ij} - \sum_{k=1}^{q} U_{ik} V_{jk})^2",
        "sum(i=1..n, sum(j=1..m, (B[i,j] - sum(k=1..q, U[i,k]*V[j,k]))^2))",
    ),
    (r"\left(\sum_{i=1}^n y_i^3\right)^{1/3}", "sum(i=1..n, y[i]^3)^(1/3)"),
    (r"\sum_{\ell=1}^n y_\ell^4", "sum(l=1..n, y[l]^4)"),
    (r"\sum_{i=1}^n y^{(i)} \log(x^{(i)\top} w)", "sum(i=1..n, y[i]*log(X[i,:]*w))"),
    (r"\operatorname{mean}_{i} y_i^2", "mean(i=1..n, y[i]^2)"),
    (r"\operatorname{logsumexp}_{i=1}^{n} x_i^\top w", "logsumexp(i=1..n, X[i,:]*w)"),
]


@pytest.mark.parametrize(("pasted", "text"), SAME)
def test_a_pasted_sum_is_the_sum_of_the_text(pasted: str, text: str) -> None:
    found, meant = parse(pasted, shapes=SHAPES), parse(text, shapes=SHAPES)
    assert str(found.graph.output) == str(meant.graph.output)
    assert len(found.liftings) == len(meant.liftings)


def test_the_steps_that_made_matrices_of_it_are_on_the_page() -> None:
    d = mc.derive(r"\sum_{i=1}^n (x_i^\top w - y_i)^2", wrt="w", shapes=SHAPES)
    assert r"\sum_{i=1}^n (x_i^\top w - y_i)^2 = (X*w - y)'*(X*w - y)" in d.text()
    assert "rows times a vector: sum(c=1..p, X[i, c]*w[c]) = (X*w)[i]" in d.text()
    assert d.check(trials=1).ok


REFUSED = [
    (r"\sum y_i", 1, "a sum without an index"),
    (r"\sum_{i=1}^n x_j^\top w", 14, "the index j is free"),
    (r"\sum_{i=1}^{n} y_{i+1}", 16, "y_{i+1} is outside of its range: i goes up to n, and there are n"),
    (r"\sum_{i=0}^{n} y_i", 16, "for i = 0 it is y[0]"),
    (r"\sum_{i=1}^n s", 7, "the index i is not used"),
    (r"\sum_{i=1}^n \sum_{i=1}^n y_i", 20, "used by two sums"),
    (r"\sum_{w} w^\top w", 7, "declared already"),
    (r"\sum_{n=1}^n y_n", 7, "declared already"),
    (r"\sum_{i=1}^\infty y_i", 12, "infinity"),
    (r"\sum_{i=n}^{1} y_i", 7, "is empty"),
    (r"\sum_{i \in S} y_i", 13, "not over a set"),
    (r"\sum_{i=1}^{n} d_i^2", 16, "two readings: write D_{i,:} or D_{:,i}"),
    (r"\sum_{i=1}^{n} A_i", 16, "has two indices"),
    (r"\sum_{i=1}^n y_{2i}", 14, "i or i plus or minus a whole number"),
    (r"\sum_{i \ne 3} y_i", 7, "a condition compares two indices"),
    (r"\sum_i y_i v_i", 6, "the index i counts n and m entries"),
    (r"\sum_i y_{i+1}", 6, "the range of the index i is not written"),
    (r"\sum_{i<i} y_i", 7, "two different indices"),
    (r"\sum_{i,i} A_{ii}", 9, "stands twice"),
    (r"\sum_{i=1}^n (y_i + w)", 21, "w (p x 1) is not a number, and has no index"),
    (r"\sum_{i=1}^n \|x_i - v\|^2", 20, "does not fit"),
    (r"\max_{i \ne j} y_i a_j", 1, "a condition can only stand in a sum or a product"),
    (r"\sum_{i=1,3,5} y_i", 11, "what is below the sum is not read"),
    (r"\sum_{i=1}^n \det(x_i x_i^\top)", 14, "no matrix form that is known"),
    (r"y_i + \sum_{i=1}^n y_i", 1, "the index i of y is free"),
    (r"\sum_{i=1,\dots}^n y_i", 11, "what is below the sum is not read"),
    (r"\sum_{i=1, i \le 3}^{n} y_i", 7, "has two upper limits"),
]


@pytest.mark.parametrize(("pasted", "column", "words"), REFUSED)
def test_what_is_wrong_is_told_with_its_place(pasted: str, column: int, words: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(pasted, shapes=SHAPES)
    assert words in str(caught.value)
    assert caught.value.column == column


FAMILIES = """X: n x p
y: n x 1
mu[k=1..K]: p x 1
{}"""


def test_members_of_families_are_read_in_latex() -> None:
    pasted = mc.derive(FAMILIES.format(r"\left\| \sum_{k=1}^K \tanh(X \mu_k) - y \right\|^2"), wrt="mu")
    text = mc.derive(FAMILIES.format("norm2(sum(k=1..K, tanh(X*mu[k])) - y)^2"), wrt="mu")
    assert str(pasted.gradient()) == str(text.gradient())
    open_end = mc.derive(FAMILIES.format(r"\sum_k \sum_{j=1}^p \mu_{kj}^2"), wrt="mu")
    assert open_end.check(trials=1).ok
    with pytest.raises(ParseError, match="mu has one member for each index"):
        mc.derive(FAMILIES.format(r"\mu^\top \mu"), wrt="mu")


def test_what_has_indices_is_a_column_or_a_matrix_if_nothing_declares_it() -> None:
    d = mc.derive(r"\sum_{i,j} a_{ij} x_i z_j", wrt="x")
    assert str(d.output) == "x'*a*z"
    assert "a: n x m" in str(d.notice)
    assert "(from the context)" in str(d.notice)
    assert str(mc.derive(r"\sum_{i=1}^n (y_i - a x_i - b)^2", wrt="a").output) == "(y - a*x - b)'*(y - a*x - b)"


def test_a_product_may_have_a_condition() -> None:
    """Vandermonde's determinant."""
    d = mc.derive(r"\prod_{i<j} (y_j - y_i)", wrt="y", shapes={"y": ("n", 1)})
    y = np.array([0.5, -1.0, 2.0, 3.5])
    assert np.isclose(d.evaluate(y=y), np.linalg.det(np.vander(y, increasing=True)))
    assert d.check(trials=1).ok


def test_the_entry_of_a_value_under_an_index_has_an_index_too() -> None:
    d = mc.derive("X: n x p; W: p x q; Y: n x q; sum(i=1..n, k=1..q, Y[i,k]*log_softmax(W'*X[i,:]')[k])", wrt="W")
    assert str(d.output) == "sum(Y .* log_softmax(X*W, 2))" or d.check(trials=1).ok
    with pytest.raises(ParseError, match="goes through all of them"):
        mc.derive("X: n x p; W: p x q; sum(i=1..n, k=2..q, softmax(W'*X[i,:]')[k])", wrt="W")


def test_an_even_power_of_a_norm_has_a_gradient_where_the_norm_is_0() -> None:
    d = mc.derive(r"\sum_{i=1}^n \|W^\top x_i\|^4", wrt="W", shapes={"X": ("n", "p"), "W": ("p", "q")})
    X, W = np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([[1.0], [3.0]])
    assert np.allclose(d.function("gradient")(X=X, W=W)["W"], 4 * (X[1] @ W[:, 0]) ** 3 * X[1][:, None])
    assert str(d.gradient()) == "4*X'*(sum((X*W).^2, 2) .* (X*W))"


IN_PAPERS = [  # a sum, what it is by, and plain loops over rows X, Z and entries y, u, A
    (
        r"\frac{1}{n^2}\sum_{i,j=1}^n e^{-\|x_i-x_j\|^2} - \frac{2}{nm}\sum_{i=1}^n\sum_{j=1}^m e^{-\|x_i-z_j\|^2}",
        lambda X, Z, y, u, A: (
            np.mean([np.exp(-((r - s) ** 2).sum()) for r in X for s in X])
            - 2 * np.mean([np.exp(-((r - s) ** 2).sum()) for r in X for s in Z])
        ),
    ),
    (
        r"\sum_{1\le i<j<k\le n} y_i y_j y_k",
        lambda X, Z, y, u, A: sum(
            y[i] * y[j] * y[k] for i in range(len(y)) for j in range(i + 1, len(y)) for k in range(j + 1, len(y))
        ),
    ),
    (
        r"\sum_{i=1}^n \log\sum_{j\ne i} e^{-\|x_i - x_j\|^2}",
        lambda X, Z, y, u, A: sum(
            np.log(sum(np.exp(-((X[i] - X[j]) ** 2).sum()) for j in range(len(X)) if j != i)) for i in range(len(X))
        ),
    ),
    (
        r"\sum_{t=1}^{T-2} u_t u_{t+1} u_{t+2}",
        lambda X, Z, y, u, A: sum(u[t] * u[t + 1] * u[t + 2] for t in range(len(u) - 2)),
    ),
    (
        r"\sum_{j=1}^m \min_{1\le i\le n} \|x_i-z_j\|^2",
        lambda X, Z, y, u, A: sum(min(((r - s) ** 2).sum() for r in X) for s in Z),
    ),
    (
        r"\sum_{i<j}\left(\|x_i-x_j\| - A_{ij}\right)^2",
        lambda X, Z, y, u, A: sum(
            (np.linalg.norm(X[i] - X[j]) - A[i, j]) ** 2 for i in range(len(X)) for j in range(i + 1, len(X))
        ),
    ),
]


@pytest.mark.parametrize(("pasted", "loops"), IN_PAPERS)
def test_sums_of_papers_have_the_value_of_plain_loops(pasted: str, loops: Any) -> None:
    rng = np.random.default_rng(3)
    data = {name: rng.normal(size=size) for name, size in (("X", (5, 3)), ("Z", (4, 3)), ("A", (5, 5)))}
    data |= {"y": rng.normal(size=(5, 1)), "u": rng.normal(size=(6, 1))}
    names = {v.name for v in variables((parse(pasted, shapes=SHAPES).graph.output,))}
    d = mc.derive(pasted, shapes={name: SHAPES[name] for name in names})
    value = d.evaluate(**{name: array for name, array in data.items() if name in names})
    flat = [data["X"], data["Z"], data["y"][:, 0], data["u"][:, 0], data["A"]]
    assert np.isclose(value, loops(*flat))
    assert d.check(trials=1).ok
