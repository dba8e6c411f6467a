"""Solutions of Sylvester's and Lyapunov's equations: transposed, multiplied, and by vec, where proofs need it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

from matcalc import core
from matcalc.core import number, scale, transpose, var
from matcalc.expr import Expr, postorder
from matcalc.ops.arithmetic import are_transposes
from matcalc.ops.equations import (
    by_vec,
    dlyapunov,
    dlyapunov_form,
    lyapunov,
    lyapunov_form,
    sylvester,
    sylvester_form,
)
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import HORN, node_rule, rule

_TWO = number(2)


@rule(A="m m", B="n n", C="m n", source=HORN, why="transposes move in")
def transpose_of_sylvester(A: Expr, B: Expr, C: Expr) -> tuple[Expr, Expr]:
    """sylvester(A, B, C)' = sylvester(B', A', C')"""
    return sylvester(A, B, C).T, sylvester(B.T, A.T, C.T)


@rule(A="n n", Q="n n", source=HORN, why="transposes move in")
def transpose_of_lyapunov(A: Expr, Q: Expr) -> tuple[Expr, Expr]:
    """lyapunov(A, Q)' = lyapunov(A, Q')"""
    return lyapunov(A, Q).T, lyapunov(A, Q.T)


@rule(A="n n", Q="n n", source=HORN, why="transposes move in")
def transpose_of_dlyapunov(A: Expr, Q: Expr) -> tuple[Expr, Expr]:
    """dlyapunov(A, Q)' = dlyapunov(A, Q')"""
    return dlyapunov(A, Q).T, dlyapunov(A, Q.T)


def _lyapunov() -> tuple[Expr, Expr]:
    A, Q = var("A", "n", "n"), var("Q", "n", "n")
    return sylvester(A, A.T, Q), lyapunov(A, Q)


@node_rule(op="sylvester", source=HORN, example=_lyapunov)
def sylvester_with_transpose(e: Expr, context: Context) -> Expr | None:
    """sylvester(A, A', Q) = lyapunov(A, Q)"""
    A, B, C = e.args
    return lyapunov(A, C) if are_transposes(A, B) else None


def _sylvester_of_multiple(A: Expr, B: Expr, C: Expr, *s: Expr) -> tuple[Expr, Expr]:
    return sylvester(A, B, scale(*s, C)), scale(*s, sylvester(A, B, C))


@rule(
    A="m m",
    B="n n",
    C="m n",
    k="number 2",
    s="s: 1 1",
    also=[_sylvester_of_multiple],
    source=HORN,
    why="scalars move out",
)
def sylvester_of_scaled(A: Expr, B: Expr, C: Expr, k: Expr) -> tuple[Expr, Expr]:
    """sylvester(A, B, s C) = s sylvester(A, B, C)"""
    return sylvester(A, B, scale(k, C)), scale(k, sylvester(A, B, C))


def _lyapunov_of_multiple(A: Expr, Q: Expr, *s: Expr) -> tuple[Expr, Expr]:
    return lyapunov(A, scale(*s, Q)), scale(*s, lyapunov(A, Q))


@rule(A="n n", Q="n n", k="number 2", s="s: 1 1", also=[_lyapunov_of_multiple], source=HORN, why="scalars move out")
def lyapunov_of_scaled(A: Expr, Q: Expr, k: Expr) -> tuple[Expr, Expr]:
    """lyapunov(A, s Q) = s lyapunov(A, Q)"""
    return lyapunov(A, scale(k, Q)), scale(k, lyapunov(A, Q))


def _dlyapunov_of_multiple(A: Expr, Q: Expr, *s: Expr) -> tuple[Expr, Expr]:
    return dlyapunov(A, scale(*s, Q)), scale(*s, dlyapunov(A, Q))


@rule(A="n n", Q="n n", k="number 2", s="s: 1 1", also=[_dlyapunov_of_multiple], source=HORN, why="scalars move out")
def dlyapunov_of_scaled(A: Expr, Q: Expr, k: Expr) -> tuple[Expr, Expr]:
    """dlyapunov(A, s Q) = s dlyapunov(A, Q)"""
    return dlyapunov(A, scale(k, Q)), scale(k, dlyapunov(A, Q))


# ------------------------------------------------------------------------------------------------ for proofs


@rule(A="m m", B="n n", C="m n", source=HORN, group="expand")
def sylvester_by_vec(A: Expr, B: Expr, C: Expr) -> tuple[Expr, Expr]:
    """sylvester(A, B, C) = reshape((I (x) A + B' (x) I)^-1 vec(C))"""
    return sylvester(A, B, C), by_vec(sylvester_form(A, B), C)


@rule(A="n n", Q="n n", source=HORN, group="expand")
def lyapunov_by_vec(A: Expr, Q: Expr) -> tuple[Expr, Expr]:
    """lyapunov(A, Q) = reshape((I (x) A + A (x) I)^-1 vec(Q))"""
    return lyapunov(A, Q), by_vec(lyapunov_form(A), Q)


@rule(A="n n", Q="n n", source=HORN, group="expand")
def dlyapunov_by_vec(A: Expr, Q: Expr) -> tuple[Expr, Expr]:
    """dlyapunov(A, Q) = reshape((I - A (x) A)^-1 vec(Q))"""
    return dlyapunov(A, Q), by_vec(dlyapunov_form(A), Q)


_FORMS: dict[str, Callable[..., Expr]] = {
    "sylvester": lambda A, B, C: by_vec(sylvester_form(A, B), C),
    "lyapunov": lambda A, Q: by_vec(lyapunov_form(A), Q),
    "dlyapunov": lambda A, Q: by_vec(dlyapunov_form(A), Q),
}


def solutions_by_vec(e: Expr) -> list[tuple[Expr, Expr, str]]:
    """The solutions of linear equations within an expression, their closed forms, and the rules that say so."""
    found = [s for s in postorder((e,), through_names=False) if s.op in _FORMS]
    return [(s, _FORMS[s.op](*s.args), f"{s.op}_by_vec") for s in found]


def _residual() -> tuple[Expr, Expr]:
    A, Q = var("A", "n", "n"), var("Q", "n", "n")
    X = lyapunov(A, Q)
    return core.add(A @ X, X @ transpose(A)), Q


def _is_pair(a: Expr, b: Expr) -> Expr | None:
    """Q where a is A X and b is X A' with X = lyapunov(A, Q)."""
    if a.op != "matmul" or b.op != "matmul" or a.args[-1] is not b.args[0] or a.args[-1].op != "lyapunov":
        return None
    X = a.args[-1]
    left, right = core.matmul(*a.args[:-1]), core.matmul(*b.args[1:])
    return X.args[1] if left is X.args[0] and are_transposes(left, right) else None


def _has_solution(product: Expr) -> bool:
    return any(factor.op == "lyapunov" for factor in (product.args[0], product.args[-1]))


@node_rule(op="add", source=HORN, example=_residual)
def lyapunov_solves_its_equation(e: Expr, context: Context) -> Expr | None:
    """A X + X A' = Q for X = lyapunov(A, Q)"""
    solutions = [(k, t) for k, t in enumerate(e.args) if t.op == "matmul" and _has_solution(t)]
    for (i, a), (k, b) in permutations(solutions, 2):
        Q = _is_pair(a, b)
        if Q is not None:
            return core.add(Q, *(t for n, t in enumerate(e.args) if n not in (i, k)))
    return None
