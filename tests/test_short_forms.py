"""Jacobians and gradients without the selections, Kronecker products and blocks that a person would not write.

Each row is a source, the variable, what is derived, and how it is printed. The numbers are compared with differences of
the source, and the form is proved as a claim.
"""

from __future__ import annotations

import re

import pytest

import matcalc as mc

MATRICES = {
    "A": ("m", "n"),
    "B": ("n", "p"),
    "C": ("m", "n"),
    "X": ("n", "p"),
    "b": ("n", 1),
    "c": ("p", 1),
    "l": ("n", 1),
    "M": ("n", "n"),
    "N": ("n", "n"),
    "P": ("p", "p"),
}
DIAGONALS = [
    ("A*diag(l)*b", "l", "jacobian", "A*diag(b)"),
    ("A*diag(l)*B*c", "l", "jacobian", "A*diag(B*c)"),
    ("b'*diag(l)*B", "l", "jacobian", "B'*diag(b)"),
    ("A*diag(exp(l))*b", "l", "jacobian", "A*diag(b .* exp(l))"),
    ("A*(diag(l) .* M)*b", "l", "jacobian", "A*diag(b .* diagvec(M))"),
    ("diagvec(M*diag(l)*N)", "l", "jacobian", "N' .* M"),
    ("R = inv(M + diag(l))\nR*b", "l", "jacobian", "-R*diag(R*b)"),
    ("2*diag(l)*M*diag(l)*b", "l", "jacobian", "2*(diag(M*(l .* b)) + diag(l)*M*diag(b))"),
    ("logdet(M + diag(l))", "l", "hessian", "-inv(M + diag(l)) .* inv(M' + diag(l))"),
]
MERGED = [
    ("A*X - C*X", "X", "jacobian", "kron(eye(p), A - C)"),
    ("M*X + 2*N*X - X", "X", "jacobian", "kron(eye(p), M + 2*N - eye(n))"),
    ("A*X*P - A*X", "X", "jacobian", "kron(P' - eye(p), A)"),
]
STACKED = {"Y": ("m", "q"), "A": ("m", "n"), "B": ("q", "p"), "X": ("n", "p"), "Z": ("m", "q")}
OUTER = [
    ("vec(Y)'*kron(B, A)*vec(X)", "A", "gradient", "Y*B*X'"),
    ("vec(Y)'*kron(B, A)*vec(X)", "B", "gradient", "Y'*A*X"),
    ("norm2(kron(B, A)*vec(X) - vec(Y))^2/2", "B", "gradient", "(A*X*B' - Y)'*A*X"),
    ("norm2(kron(B, A)*vec(X) - vec(Y))^2/2", "A", "gradient", "(A*X*B' - Y)*B*X'"),
    ("vec(Y)'*kron(B, A)*vec(X) - 2*vec(Z)'*kron(B, A)*vec(X)", "A", "gradient", "(Y - 2*Z)*B*X'"),
]
SCALED = {"t": ("n", 1), "W": ("n", "n"), "A": ("n", "n"), "b": ("n", 1), "c": ("n", 1)}
INVERSES = [
    ("logdet(diag(t)*W)", "t", "gradient", "1 ./ t"),
    ("logdet(diag(t)*W)", "t", "hessian", "-diag(1 ./ t.^2)"),
    ("logdet(diag(t)*W)", "W", "gradient", "inv(W')"),
    ("logdet(W .* t')", "t", "gradient", "1 ./ t"),
    ("logdet(diag(t)*W*diag(t))", "t", "gradient", "2 ./ t"),
    ("logdet(diag(exp(t))*W)", "t", "gradient", "ones(n, 1)"),
    ("tr(inv(diag(t)*W)*A)", "t", "gradient", "-diagvec(A*inv(W)) ./ t.^2"),
    ("tr(inv(diag(t)*W)*A)", "A", "gradient", "inv(W') ./ t"),
    ("b'*solve(diag(t)*W, c)", "t", "gradient", "-(inv(W')*b) .* c ./ t.^2"),
    ("b'*solve(W*diag(t), c)", "t", "gradient", "-b .* (inv(W)*c) ./ t.^2"),
    ("sum(inv(W .* t))", "t", "gradient", "-sum(inv(W'), 2) ./ t.^2"),
    ("inv(diag(t)*W)*b", "t", "jacobian", "-inv(W)*diag(b ./ t.^2)"),
]
ENTRIES = {
    "x": (3, 1),
    "u": (2, 1),
    "v": (2, 1),
    "q": (4, 1),
    "a": (1, 1),
    "h": (1, 1),
    "p": (1, 1),
    "A": ("m", "n"),
    "B": ("k", "n"),
    "b": ("k", 1),
    "y": ("n", 1),
    "X": ("m", "n"),
    "Y": ("k", "n"),
    "W": ("n", "d"),
    "U": (2, "n"),
    "V": (2, "n"),
    "D": (2, 2),
    "S": ("n", "n"),
    "T": ("n", "n"),
}
BLOCKS = [
    ("[u[2]; u[1]]", "u", "jacobian", "[0, 1; 1, 0]"),
    ("[x[3]; x[1]; x[2]]", "x", "jacobian", "[0, 0, 1; 1, 0, 0; 0, 1, 0]"),
    ("[0, -a; a, 0]*u", "a", "jacobian", "[-u[2]; u[1]]"),
    ("[cos(a), -sin(a); sin(a), cos(a)]*u", "u", "jacobian", "[cos(a), -sin(a); sin(a), cos(a)]"),
    (
        "[cos(a), -sin(a); sin(a), cos(a)]*u",
        "a",
        "jacobian",
        "[-sin(a)*u[1] - cos(a)*u[2]; cos(a)*u[1] - sin(a)*u[2]]",
    ),
    ("[x[1]*x[2]; x[2]*x[3]; x[3]*x[1]]", "x", "jacobian", "[x[2], x[1], 0; 0, x[3], x[2]; x[3], 0, x[1]]"),
    (
        "[x[1] + p*cos(x[3])*h; x[2] + p*sin(x[3])*h; x[3] + a*h]",
        "x",
        "jacobian",
        "[1, 0, -p*h*sin(x[3]); 0, 1, p*h*cos(x[3]); 0, 0, 1]",
    ),
    ("u[1]^2 + u[2]^2", "u", "gradient", "2*u"),
    ("exp(x[1]) + exp(x[2]) + exp(x[3])", "x", "gradient", "exp(x)"),
    ("x[1]*x[2] + x[3]^2", "x", "gradient", "[x[2]; x[1]; 2*x[3]]"),
    ("x[1]*x[2] + x[3]^2", "x", "hessian", "[0, 1, 0; 1, 0, 0; 0, 0, 2]"),
    ("D[1, 1]*D[2, 2] - D[1, 2]*D[2, 1]", "D", "gradient", "[D[2, 2], -D[2, 1]; -D[1, 2], D[1, 1]]"),
    ("norm2(q[1:2] - q[3:4])^2", "q", "gradient", "2*[q[1:2] - q[3:4]; q[3:4] - q[1:2]]"),
    ("norm2([U[2, :]; U[1, :]] - [V[2, :]; V[1, :]])^2", "U", "gradient", "2*(U - V)"),
    ("[A*y; B*y]", "y", "jacobian", "[A; B]"),
    ("[A*y; b]", "y", "jacobian", "[A; zeros(k, n)]"),
    ("norm2([X; Y]*W)^2", "X", "gradient", "2*X*W*W'"),
    ("tr([S, T; T, S])", "S", "gradient", "2*eye(n)"),
]
ROWS = (
    [(row, MATRICES) for row in DIAGONALS + MERGED]
    + [(row, STACKED) for row in OUTER]
    + [(row, ENTRIES) for row in BLOCKS]
    + [(row, SCALED) for row in INVERSES]
)


def derived(source: str, by: str, shapes: dict[str, object]) -> mc.Derivation:
    """The derivation with the shapes of the names that occur."""
    used = {name: shape for name, shape in shapes.items() if re.search(rf"\b{name}\b", source)}
    return mc.derive(source, wrt=by, shapes=used)


@pytest.mark.parametrize(("row", "shapes"), ROWS, ids=[f"{row[0]} by {row[1]} ({row[2]})" for row, _ in ROWS])
def test_result_is_written_so(row, shapes):
    source, by, kind, form = row
    d = derived(source, by, shapes)
    assert str(getattr(d, kind)(by)) == form
    assert d.check(trials=3, kind=kind).ok


@pytest.mark.parametrize(("row", "shapes"), ROWS, ids=[f"{row[0]} by {row[1]} ({row[2]})" for row, _ in ROWS])
def test_form_is_proved(row, shapes):
    source, by, kind, form = row
    verdict = derived(source, by, shapes).claim(by, form, kind=kind)
    assert verdict.status == "proved", verdict


@pytest.mark.parametrize(
    "identity",
    [
        "u: 2 x 1; [0, -1; 1, 0]*u = [-u[2]; u[1]]",
        "u: 2 x 1; [u[2], 0; 0, u[1]] = u[2]*[1, 0; 0, 0] + u[1]*[0, 0; 0, 1]",
        "a: 1 x 1; b: 1 x 1; c: 1 x 1; d: 1 x 1; [a, b; c, d]*[d, -b; -c, a] = (a*d - b*c)*eye(2)",
        "w: 3 x 1; x: 3 x 1; [0, -w[3], w[2]; w[3], 0, -w[1]; -w[2], w[1], 0]*w = zeros(3, 1)",
        "u: 2 x 1; [u[1]; u[2]]' = u'",
        "A: m x n; B: k x n; x: n x 1; [A; B]*x = [A*x; B*x]",
        "t: n x 1; W: n x n; logdet(diag(t)*W) = logdet(W) + sum(log(abs(t)))",
        "t: n x 1; W: n x n; inv(diag(t)*W) = inv(W)*diag(1 ./ t)",
        "t: n x 1; W: n x n; inv(diag(t)*W*diag(t)) = inv(W) ./ (t*t')",
    ],
)
def test_identities_are_proved(identity):
    assert mc.prove(identity).status == "proved"


@pytest.mark.parametrize(
    "identity",
    [
        "u: 2 x 1; [0, -1; 1, 0]*u = [u[2]; u[1]]",
        "u: 2 x 1; [u[2]; u[1]] = u",
        "x: 3 x 1; [x[1]; x[2]; x[2]] = x",
        "A: 2 x n; [A[1, :]; A[1, :]] = A",
        "a: 1 x 1; b: 1 x 1; c: 1 x 1; [a, 0; c, b] = a*eye(2)",
        "t: n x 1; W: n x n; inv(diag(t)*W) = diag(1 ./ t)*inv(W)",
    ],
)
def test_wrong_identities_are_disproved(identity):
    assert mc.prove(identity).status == "disproved"


def test_a_large_matrix_of_few_entries_is_not_written_out():
    d = mc.derive("x[3]*x[7]", wrt="x", shapes={"x": (20, 1)})
    assert str(d.gradient("x")) == "place(x[3], 20, 1, 7, 1) + place(x[7], 20, 1, 3, 1)"


def test_matrices_without_parts_stay_as_they_are():
    d = mc.derive("A*X*B", wrt="X", shapes={"A": (2, 2), "X": (2, 2), "B": (2, 2)})
    assert str(d.jacobian("X")) == "kron(B', A)"
    assert (
        str(mc.derive("X*X'", wrt="X", shapes={"X": (2, 2)}).jacobian("X")) == "(eye(4) + comm(2, 2))*kron(X, eye(2))"
    )
