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
    ("R = inv(M + diag(l)); R*b", "l", "jacobian", "-R*diag(R*b)"),
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
ROWS = [(row, MATRICES) for row in DIAGONALS + MERGED] + [(row, STACKED) for row in OUTER]


def derived(source: str, by: str, shapes: dict[str, object]) -> mc.Derivation:
    """The derivation with the shapes of the names that occur."""
    used = {name: shape for name, shape in shapes.items() if re.search(rf"\b{name}\b", source)}
    return mc.derive(source.replace("; ", "\n"), wrt=by, shapes=used)


@pytest.mark.parametrize(("row", "shapes"), ROWS, ids=[f"{row[0]} by {row[1]}" for row, _ in ROWS])
def test_result_is_written_so(row, shapes):
    source, by, kind, form = row
    d = derived(source, by, shapes)
    assert str(getattr(d, kind)(by)) == form
    assert d.check(trials=3, kind=kind).ok


@pytest.mark.parametrize(("row", "shapes"), ROWS, ids=[f"{row[0]} by {row[1]}" for row, _ in ROWS])
def test_form_is_proved(row, shapes):
    source, by, kind, form = row
    verdict = derived(source, by, shapes).claim(by, form, kind=kind)
    assert verdict.status == "proved", verdict
