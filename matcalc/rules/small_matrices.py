"""Matrices of few entries in SymPy, for proofs: with the facts of variables, products, powers and inverses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from matcalc.exact import sp
from matcalc.expr import Expr
from matcalc.rewrite.context import Context

MOST = 4  # rows and columns
HIGHEST = 6  # powers
Read = Callable[[Expr], Any]


class SmallMatrices:
    """The matrices of expressions, each found once.

    Args:
        context: the facts.
        read: gives a 1 x 1 expression in SymPy.
        grid: gives the entries of a matrix that is not known here.
    """

    def __init__(self, context: Context, read: Read, grid: Callable[[Expr], list[list[Expr]]]) -> None:
        self.context, self.read, self.grid = context, read, grid
        self.found: dict[Expr, Any] = {}

    def of(self, e: Expr) -> Any:
        """The matrix; None where it is large, or has no such form."""
        if e not in self.found:
            self.found[e] = self._matrix(e) if is_small(e) else None
        return self.found[e]

    def _matrix(self, e: Expr) -> Any:
        if e.is_scalar:
            return sp.Matrix([[self.read(e)]])
        if e.op in MADE:
            parts = [self.of(a) for a in e.args]
            return None if any(part is None for part in parts) else MADE[e.op](*parts)
        entries = sp.Matrix([[self.read(x) for x in line] for line in self.grid(e)])
        return self._with_facts(e, entries) if e.op == "variable" else entries

    def _with_facts(self, v: Expr, entries: Any) -> Any:
        """The entries of a variable, as far as its facts make some equal, opposite or 0."""
        if self.context.known(v, "symmetric"):
            return sp.Matrix(*entries.shape, lambda i, j: entries[min(i, j), max(i, j)])
        if self.context.known(v, "skew"):
            sign = {True: 1, False: -1}
            return sp.Matrix(*entries.shape, lambda i, j: 0 if i == j else sign[i < j] * entries[min(i, j), max(i, j)])
        for fact, keeps in (("diagonal", 0), ("lower", 1), ("upper", -1)):
            if self.context.known(v, fact):
                return sp.Matrix(
                    *entries.shape, lambda i, j, k=keeps: entries[i, j] if i == j or (i - j) * k > 0 else 0
                )
        return entries


def is_small(e: Expr) -> bool:
    """Whether it has few rows and columns."""
    return all(isinstance(d, int) and d <= MOST for d in e.shape)


def _product(*factors: Any) -> Any:
    made = factors[0]
    for f in factors[1:]:
        made = made * f
    return made


def _scaled(*factors: Any) -> Any:
    made = factors[-1]
    for s in factors[:-1]:
        made = made * s[0, 0]
    return made


def _sum(*terms: Any) -> Any:
    made = terms[0]
    for t in terms[1:]:
        made = made + t
    return made


def _entrywise(factors: Sequence[Any]) -> Any:
    return sp.Matrix(*factors[0].shape, lambda i, j: sp.Mul(*(f[i, j] for f in factors)))


def _power(A: Any, k: Any) -> Any:
    exponent = k[0, 0]
    if not exponent.is_Integer or abs(exponent) > HIGHEST:
        return None
    return (A if exponent >= 0 else _inverse(A)) ** abs(int(exponent))


def _inverse(A: Any) -> Any:
    return A.adjugate() / A.det()


MADE: dict[str, Callable[..., Any]] = {
    "named": lambda A: A,
    "add": _sum,
    "scale": _scaled,
    "hadamard": lambda *factors: _entrywise(factors),
    "matmul": _product,
    "transpose": lambda A: A.T,
    "matpow": _power,
    "inv": _inverse,
    "solve": lambda A, B: _inverse(A) * B,
    "adj": lambda A: A.adjugate(),
}
# 1 x 1 values of small matrices.
NUMBERS: dict[str, Callable[..., Any]] = {
    "det": lambda A: A.det(),
    "tr": lambda A: A.trace(),
    "matmul": lambda *factors: _product(*factors)[0, 0],
    "sum": lambda A: sp.Add(*A),
    "mean": lambda A: sp.Add(*A) / len(A),
    "norm1": lambda A: sp.Add(*map(sp.Abs, A)),
    "norm2": lambda A: sp.sqrt(sp.Add(*(x**2 for x in A))),
}
