"""Inverses, factorisations, eigenvalues, functions and equations of matrices, on jets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.linalg

from . import jets as J  # noqa: N812  (its names stand in formulas)
from .arrangements import block, kron, reshape, vec
from .jets import Jet, T, constant, inv, mm, mul, total, value
from .machine import Definition, Machine, one, positive


def regular(machine: Machine, X: Jet) -> Jet:
    s = np.linalg.svd(value(X), compute_uv=False)
    machine.away(s[-1], s[0])
    return X


def _principal(machine: Machine, X: Jet) -> Jet:
    """A matrix without eigenvalues on the negative real axis."""
    regular(machine, X)
    lam = np.linalg.eigvals(value(X))
    machine.away(np.pi - np.abs(np.angle(lam)))
    return X


def _real_simple(machine: Machine, X: Jet, extreme: int = 0) -> Jet:
    """A matrix with simple real eigenvalues (or only the largest, 1, or the smallest, -1, of real parts)."""
    lam, V = np.linalg.eig(value(X))
    if np.abs(lam.imag).max() > 0 or np.linalg.cond(V) > 1e3:
        machine.away(0.0)
    gaps = np.diff(np.sort(lam.real))
    if gaps.size:
        machine.away(gaps if not extreme else gaps[-1 if extreme > 0 else 0], np.abs(lam).max() + 1e-300)
        tops = np.sort(np.abs(V / np.linalg.norm(V, axis=0)), axis=0)
        machine.away(tops[-1] - tops[-2])
    return X


def pinv(machine: Machine, X: Jet) -> Jet:
    regular(machine, X)
    tall = X.shape[-2] >= X.shape[-1]
    return mm(inv(mm(T(X), X)), T(X)) if tall else mm(T(X), inv(mm(X, T(X))))


def singvals(machine: Machine, X: Jet) -> Jet:
    G = mm(T(X), X) if X.shape[-2] >= X.shape[-1] else mm(X, T(X))
    regular(machine, X)
    lam = J.eigen(_real_simple(machine, G))[0]
    return J.power(lam, 0.5)[..., ::-1, :]


def real_power(machine: Machine, X: Jet, k: Jet) -> Jet:
    c = float(value(k)[0, 0])
    if not k[:, 1:].any() and not k[1:].any() and c.is_integer():
        if c < 0:
            return real_power(machine, inv(regular(machine, X)), -k)
        return mm(J.eye(X.shape[-1], X), *[X] * int(c))
    return J.expm(mul(k, J.logm(_principal(machine, X))))


def half_power(machine: Machine, X: Jet) -> Jet:
    """X^(-1/2)."""
    return inv(J.sqrtm(_principal(machine, X)))


def polar(machine: Machine, X: Jet) -> Jet:
    if X.shape[-2] < X.shape[-1]:
        return T(polar(machine, T(X)))
    return mm(X, half_power(machine, mm(T(X), X)))


def corner(f: Callable[[Jet], Jet], X: Jet, V: Jet) -> Jet:
    """The Frechet derivative of a function of matrices: the corner of its value at [X, V; 0, X]."""
    n = X.shape[-1]
    return f(block(X, V, np.zeros_like(X), X, "2 2"))[..., :n, n:]


def dpolar(machine: Machine, X: Jet, V: Jet) -> Jet:
    if X.shape[-2] < X.shape[-1]:
        return T(dpolar(machine, T(X), T(V)))
    G = mm(T(X), X)
    _principal(machine, G)
    moved = mm(T(V), X) + mm(T(X), V)
    free = Machine()
    return mm(V, half_power(free, G)) + mm(X, corner(lambda Z: half_power(free, Z), G, moved))


def cofactors(minor: Callable[..., Jet], *args: Jet) -> Jet:
    """The transposed matrix of signed minors."""
    n = args[0].shape[-1]
    rows = []
    for i in range(n):
        kept = ([np.delete(np.delete(X, j, axis=-2), i, axis=-1) for X in args] for j in range(n))
        rows.append(np.concatenate([(-1) ** (i + j) * minor(*k) for j, k in enumerate(kept)], axis=-1))
    return np.concatenate(rows, axis=-2)


EXPANDED = 5  # rows up to which determinants are expanded: the terms of more are too many


def adj(machine: Machine, X: Jet) -> Jet:
    """The adjugate; of large matrices, det(X) X^-1."""
    if X.shape[-1] > EXPANDED:
        return mul(J.det(regular(machine, X)), inv(X))
    return one(X) if X.shape[-1] == 1 else cofactors(leibniz, X)


def dadj(machine: Machine, X: Jet, V: Jet) -> Jet:
    """The derivative of the adjugate along V; at large matrices, det(X) (tr(X^-1 V) X^-1 - X^-1 V X^-1)."""
    if X.shape[-1] > EXPANDED:
        Z = inv(regular(machine, X))
        return mul(J.det(X), mul(J.trace(mm(Z, V)), Z) - mm(Z, V, Z))
    return 0 * X if X.shape[-1] == 1 else cofactors(leibniz_along, X, V)


def leibniz_along(X: Jet, V: Jet) -> Jet:
    """The derivative of the determinant along V, by its expansion."""
    n = X.shape[-1]
    if n == 1:
        return V
    terms = []
    for i in range(n):
        x, v = (np.delete(Z, i, axis=-2)[..., 1:] for Z in (X, V))
        a, b = X[..., i : i + 1, :1], V[..., i : i + 1, :1]
        terms.append((-1) ** i * (mul(b, leibniz(x)) + mul(a, leibniz_along(x, v))))
    return sum(terms[1:], terms[0])


def leibniz(X: Jet) -> Jet:
    """The determinant by expansion along the first column."""
    n = X.shape[-1]
    if n == 1:
        return X
    terms = [(-1) ** i * mul(X[..., i : i + 1, :1], leibniz(np.delete(X, i, axis=-2)[..., 1:])) for i in range(n)]
    return sum(terms[1:], terms[0])


def matrix_function(name: str) -> Callable[[Machine, Jet], Jet]:
    if name == "expm":
        return lambda machine, X: J.expm(X)
    f = J.logm if name == "logm" else J.sqrtm
    return lambda machine, X: f(_principal(machine, X))


def frechet(machine: Machine, X: Jet, V: Jet, name: str) -> Jet:
    f = matrix_function(name)
    return corner(lambda Z: f(machine, Z), X, V)


def frechetpow(machine: Machine, X: Jet, V: Jet, k: Jet) -> Jet:
    return corner(lambda Z: real_power(machine, Z, k), X, V)


def solve(machine: Machine, A: Jet, B: Jet) -> Jet:
    return mm(inv(regular(machine, A)), B)


def linear_equation(machine: Machine, M: Jet, C: Jet) -> Jet:
    """The X with M vec(X) = vec(C)."""
    return reshape(mm(inv(regular(machine, M)), vec(C)), *C.shape[-2:])


def _eye(n: int, like: Jet) -> Jet:
    return constant(np.eye(n), like)


def sylvester(machine: Machine, A: Jet, B: Jet, C: Jet) -> Jet:
    m, n = C.shape[-2:]
    return linear_equation(machine, kron(_eye(n, C), A) + kron(T(B), _eye(m, C)), C)


def dlyapunov(machine: Machine, A: Jet, Q: Jet) -> Jet:
    return linear_equation(machine, _eye(len(value(A)) ** 2, A) - kron(A, A), Q)


def riccati(kind: str) -> Definition:
    """Newton's method (Kleinman 1967, Hewer 1971) from the solution at the point: each step doubles the order."""

    def solved(machine: Machine, A: Jet, B: Jet, Q: Jet, R: Jet) -> Jet:
        Q, R = 0.5 * (Q + T(Q)), 0.5 * (R + T(R))
        solver = scipy.linalg.solve_continuous_are if kind == "care" else scipy.linalg.solve_discrete_are
        try:
            P = constant(solver(*map(value, (A, B, Q, R))), A)
        except (np.linalg.LinAlgError, ValueError):
            machine.away(0.0)
            return constant(np.full(value(A).shape, np.nan), A)
        for _ in range(4):
            if kind == "care":
                K = mm(inv(regular(machine, R)), T(B), P)
                F = T(A - mm(B, K))
                P = sylvester(machine, F, T(F), -(Q + mm(T(K), R, K)))
            else:
                K = mm(inv(regular(machine, R + mm(T(B), P, B))), T(B), P, A)
                P = dlyapunov(machine, T(A - mm(B, K)), Q + mm(T(K), R, K))
        return P

    return solved


def logdet(machine: Machine, X: Jet) -> Jet:
    d = J.det(regular(machine, X))
    return J.log(d * np.sign(value(d)))


def chol(machine: Machine, X: Jet) -> Jet:
    S = 0.5 * (X + T(X))
    lam = np.linalg.eigvalsh(value(S))
    machine.away(max(lam[0], 0.0), lam[-1])
    return J.chol(S) if lam[0] > 0 else S


def norm2(machine: Machine, X: Jet) -> Jet:
    return J.power(positive(machine, total(mul(X, X), None)), 0.5)


def cossim(machine: Machine, X: Jet, Z: Jet) -> Jet:
    return mul(total(mul(X, Z), None), J.recip(mul(norm2(machine, X), norm2(machine, Z))))


def eig(which: str) -> Definition:
    def found(machine: Machine, X: Jet) -> Jet:
        lam, V = J.eigen(_real_simple(machine, X))
        return {
            "vals": lam,
            "vecs": V,
            "max": lam[..., -1:, :],
            "min": lam[..., :1, :],
            "vecmax": V[..., -1:],
            "vecmin": V[..., :1],
        }[which]

    return found
