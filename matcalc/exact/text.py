"""The terms of a sum of products of sizes in SymPy's orders, and as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from matcalc.exact.scalar import MINUS_ONE, ONE, Rational, ratio

Monomial: TypeAlias = tuple[tuple[str, int], ...]  # sizes with their exponents, in the order of their names
Terms: TypeAlias = tuple[tuple[Monomial, Rational], ...]


def ordered(terms: Mapping[Monomial, Rational]) -> Terms:
    """The terms in the order in which SymPy keeps them."""
    return tuple(terms.items()) if len(terms) == 1 else tuple(sorted(terms.items(), key=_order))


def _order(term: tuple[Monomial, Rational]) -> Any:
    """The order in which SymPy keeps the terms of a sum: the number, sizes, powers, products."""
    monomial, c = term
    if not monomial:
        return (0,)
    factors: list[Any] = [((1, name) if k == 1 else (2, name, _place(ratio(k, 1)))) for name, k in monomial]
    factors.sort()
    if c is ONE and len(factors) == 1:
        return factors[0]
    if c is not ONE:
        factors.insert(0, (0, *_place(c)))
    return (3, len(factors), factors)


def _place(c: Rational) -> tuple[int, int, int]:
    """The order of numbers there: SymPy has classes of their own for some."""
    kinds = {(0, 1): 0, (1, 1): 1, (1, 2): 2, (-1, 1): 5}
    return kinds.get((c.p, c.q), 7 if c.q == 1 else 8), c.p, c.q


def structure(terms: Terms) -> str:
    """A text that determines the sum, as SymPy's `srepr` writes it."""
    written = [_structure(monomial, c) for monomial, c in _descending(terms)]
    return written[0] if len(written) == 1 else f"Add({', '.join(written)})"


def _structure(monomial: Monomial, c: Rational) -> str:
    factors = [c.structure] if c is not ONE or not monomial else []
    if monomial and c.p < 0 and c is not MINUS_ONE:
        factors = [MINUS_ONE.structure, (-c).structure]
    for name, k in monomial:
        size = f"Symbol({name!r}, integer=True, positive=True)"
        factors.append(size if k == 1 else f"Pow({size}, Integer({k}))")
    return factors[0] if len(factors) == 1 else f"Mul({', '.join(factors)})"


def _descending(terms: Terms) -> list[tuple[Monomial, Rational]]:
    """The terms in the order in which they are written: high powers first; 1 - n begins with the number."""
    if len(terms) == 2 and terms[0][0] == () and terms[0][1].p > 0:
        monomial, c = terms[1]
        if c.p < 0 and len(monomial) == 1:
            return list(terms)
    names = sorted({name for monomial, _ in terms for name, _ in monomial})
    return sorted(terms, key=lambda term: [-dict(term[0]).get(name, 0) for name in names])


def text(terms: Terms, power: str) -> str:
    """The sum as SymPy writes it, with this sign for powers."""
    written = ""
    for monomial, c in _descending(terms):
        sign = "-" if c.p < 0 else "+"
        part = _text(monomial, c, power)
        written += f" {sign} {part}" if written else part if sign == "+" else f"-{part}"
    return written


def _text(monomial: Monomial, c: Rational, power: str) -> str:
    if c is ONE and len(monomial) == 1 and monomial[0][1] < -1:
        return f"{monomial[0][0]}{power}({monomial[0][1]})"
    above = [name if k == 1 else f"{name}{power}{k}" for name, k in monomial if k > 0]
    below = [name if k == -1 else f"{name}{power}{-k}" for name, k in monomial if k < 0]
    if abs(c.p) != 1 or not above:
        above.insert(0, str(abs(c.p)))
    if c.q != 1:
        below.insert(0, str(c.q))
    if not below:
        return "*".join(above)
    return f"{'*'.join(above)}/{below[0] if len(below) == 1 else '(' + '*'.join(below) + ')'}"
