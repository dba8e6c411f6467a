"""Conditions on the entries of one value, as sets of numbers: `1 - x` is positive where `1 - x.^2` is, on (-1, 1)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

from matcalc.exact import sp
from matcalc.expr import Expr
from matcalc.properties import known

HIGHEST = 4  # roots of higher polynomials are not short


@cache
def _t() -> Any:
    return sp.Symbol("t", real=True)


def follows(condition: tuple[str, Expr], others: Iterable[tuple[str, Expr]]) -> bool:
    """Whether a condition on a polynomial in each entry of one value follows from others in the same value."""
    found = entries(*condition)
    if found is None:
        return False
    of, wanted = found
    given = [at for at in (entries(*other) for other in others) if at is not None and at[0] is of]
    if not given:
        return False
    where = sp.Intersection(*(numbers for _, numbers in given), _declared(of))
    return where.is_subset(wanted) is True


def entries(fact: str, e: Expr) -> tuple[Expr, Any] | None:
    """The value whose entries decide the condition, and the set of numbers that they must lie in."""
    leaves: list[Expr] = []
    polynomial = _polynomial(e, leaves)
    if polynomial is None or len(leaves) != 1:
        return None
    numbers = _numbers(fact, sp.expand(polynomial))
    return None if numbers is None else (leaves[0], numbers)


@lru_cache(maxsize=256)
def _numbers(fact: str, polynomial: Any) -> Any:
    if sp.degree(polynomial, _t()) > HIGHEST:
        return None
    if fact == "nonzero":
        return sp.Complement(sp.S.Reals, sp.FiniteSet(*sp.Poly(polynomial, _t()).real_roots()))
    relation = {"positive": polynomial > 0, "nonnegative": polynomial >= 0}.get(fact)
    return None if relation is None else sp.solve_univariate_inequality(relation, _t(), relational=False)


def _declared(of: Expr) -> Any:
    for fact in ("positive", "nonnegative", "nonzero"):
        if known(of, fact):
            return _numbers(fact, _t())
    return sp.S.Reals


def _polynomial(e: Expr, leaves: list[Expr]) -> Any:
    """`e` in each entry as a polynomial in t with rational coefficients, t an entry of the only one of `leaves`."""
    if e.op == "number":
        return e.params[0] if e.params[0].is_Rational else None
    if e.op == "broadcast" and e.args[0].op == "number":
        return _polynomial(e.args[0], leaves)
    if e.op in ("add", "hadamard", "scale"):
        parts = [_polynomial(a, leaves) for a in e.args]
        if any(p is None for p in parts):
            return None
        return sp.Add(*parts) if e.op == "add" else sp.Mul(*parts)
    if e.op == "power" and e.args[1].op == "number":
        exponent = e.args[1].params[0]
        base = _polynomial(e.args[0], leaves)
        return base**exponent if base is not None and exponent.is_Integer and exponent > 0 else None
    if e not in leaves:
        leaves.append(e)
    return _t()
