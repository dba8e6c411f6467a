"""Whether a function of numbers is 0: exponentials, roots, sines and absolute values as unknowns with their relations.

Every function becomes a rational one of such unknowns: exp(2 x) is E^2, sqrt(u) an R with R^2 = u, sin(x) an S with
S^2 = 1 - C^2. Where its numerator is 0 by these relations, so is the function wherever it is defined. The other way
round nothing is said: there are more relations than these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from matcalc.exact import sp

LARGEST = 200  # operations of a function that is looked at
MOST = 10  # unknowns
ROUNDS = 30  # reductions by the relations


class TooLargeError(Exception):
    """More unknowns than are worth the time."""


@dataclass(frozen=True)
class Relation:
    """`symbol ** degree` is `value`."""

    symbol: Any
    degree: int
    value: Any


def vanishes(f: Any) -> bool:
    """Whether a function of real symbols is 0 wherever it is defined; False where that is not seen."""
    f = sp.sympify(f)
    if f.is_zero:
        return True
    if sp.count_ops(f) > LARGEST or f.has(sp.nan, sp.zoo, sp.oo, sp.I):
        return False
    unknowns = Unknowns()
    try:
        return bool(unknowns.reduced(unknowns.rational(f)) == 0)
    except (TooLargeError, sp.PolynomialError):
        return False


class Unknowns:
    """The unknowns that stand for functions, with what they satisfy."""

    def __init__(self) -> None:
        self.relations: list[Relation] = []
        self.symbols: dict[Any, Any] = {}
        self.meaning: dict[Any, Any] = {}  # of the unknown for exp(m) the m, of that for log(u) the u
        self.found: dict[Any, Any] = {}

    def unknown(self, key: Any, *, positive: bool = False) -> tuple[Any, bool]:
        """The unknown for a key, and whether it is new."""
        new = key not in self.symbols
        if new:
            if len(self.symbols) >= MOST:
                raise TooLargeError
            self.symbols[key] = sp.Dummy(f"t{len(self.symbols)}", real=True, positive=positive or None)
        return self.symbols[key], new

    def related(self, key: Any, degree: int, value: Any, *, positive: bool = False) -> Any:
        """The unknown for a key that has this power."""
        symbol, new = self.unknown(key, positive=positive)
        if new:
            self.relations.append(Relation(symbol, degree, value))
        return symbol

    def rational(self, f: Any) -> Any:
        """A function as a rational one of symbols and unknowns."""
        if f not in self.found:
            self.found[f] = self._rational(f)
        return self.found[f]

    def _rational(self, f: Any) -> Any:
        if f.is_Rational or f.is_Symbol:
            return f
        if f.is_Add or f.is_Mul:
            return f.func(*map(self.rational, f.args))
        if f is sp.E:
            return self.exponential(sp.Integer(1))
        if f.is_Pow and f.exp.is_Rational:
            return self.power(self.rational(f.base), f.exp)
        inside = tuple(sp.cancel(self.rational(a)) for a in f.args)
        special = functions().get(f.func)
        if special is not None:
            return special(self, *inside)
        return self.unknown((f.func, inside) if f.args else f)[0]

    # ------------------------------------------------------------------------------------------------ functions

    def exponential(self, u: Any) -> Any:
        """exp(u) by those of the terms of u; exp(c log v) is v^c."""
        product = sp.Integer(1)
        for term in sp.Add.make_args(sp.expand(u)):
            c, m = term.as_coeff_Mul(rational=True)
            if m in self.meaning and self.symbols.get((sp.log, self.meaning[m])) is m:
                product *= self.power(self.meaning[m], c)
                continue
            E, new = self.unknown((sp.exp, m), positive=True)
            if new:
                self.meaning[E] = m
            product *= self.power(E, c)
        return product

    def logarithm(self, u: Any) -> Any:
        """log(u) by those of its positive factors."""
        total, rest = sp.Integer(0), sp.Integer(1)
        c, factors = sp.factor_list(sp.numer(u := sp.cancel(u)))
        d, below = sp.factor_list(sp.denom(u))
        for n, sign in ((c, 1), (d, -1)):
            factors = [*factors, *((p, sign * k) for p, k in sp.factorint(abs(n)).items())] if n.is_Integer else factors
            rest *= sp.sign(n) if n.is_Integer else n**sign
        for factor, k in [*factors, *((f, -k) for f, k in below)]:
            factor = sp.sympify(factor)
            if self.symbols.get((sp.exp, self.meaning.get(factor))) is factor:
                total += k * self.meaning[factor]
            elif is_positive(factor):
                total += k * self._logarithm(factor)
            else:
                rest *= factor**k
        return total if rest == 1 else total + self._logarithm(rest)

    def _logarithm(self, u: Any) -> Any:
        symbol, new = self.unknown((sp.log, u))
        if new:
            self.meaning[symbol] = u
        return symbol

    def power(self, u: Any, k: Any) -> Any:
        """u^k for a rational k; of u^2 f the root is abs(u) sqrt(f)."""
        if k.is_Integer:
            return u**k
        q = int(k.q)
        outside, inside = sp.Integer(1), sp.Integer(1)
        c, factors = sp.factor_list(sp.numer(u := sp.cancel(u)))
        d, below = sp.factor_list(sp.denom(u))
        for factor, n in [*factors, *((f, -n) for f, n in below)]:
            whole, left = divmod(n, q)
            inside *= factor**left
            outside *= (factor if q % 2 or is_positive(factor) else self.absolute(factor)) ** whole
        inside = sp.expand(inside) * c / d
        root = sp.Integer(1) if inside == 1 else self.related((q, inside), q, inside, positive=is_positive(inside))
        return (outside * root) ** int(k.p)

    def absolute(self, u: Any) -> Any:
        """abs(u) by the factors of u."""
        product = sp.Integer(1)
        c, factors = sp.factor_list(sp.numer(u := sp.cancel(u)))
        d, below = sp.factor_list(sp.denom(u))
        for factor, n in [*factors, *((f, -n) for f, n in below)]:
            if n % 2 == 0 or is_positive(factor):
                product *= factor**n
            else:
                turned = -factor if factor.could_extract_minus_sign() else factor
                product *= self.related((sp.Abs, turned), 2, turned**2) ** n
        return abs(c / d) * product

    def sine(self, u: Any) -> Any:
        """sin(u) by sines and cosines of the terms of u."""
        return self._circular(sp.sin(sp.expand(u)))

    def cosine(self, u: Any) -> Any:
        """cos(u), likewise."""
        return self._circular(sp.cos(sp.expand(u)))

    def _circular(self, f: Any) -> Any:
        f = sp.expand_trig(f)
        table = {}
        for part in f.atoms(sp.sin, sp.cos):
            C = self.unknown((sp.cos, part.args[0]))[0]
            table[part] = C if part.func is sp.cos else self.related((sp.sin, part.args[0]), 2, 1 - C**2)
        return f.xreplace(table)

    # ------------------------------------------------------------------------------------------------ relations

    def reduced(self, f: Any) -> Any:
        """The numerator of a rational function, no unknown in a power that its relation gives."""
        numerator = sp.numer(sp.together(f))
        for _ in range(ROUNDS):
            high = next((r for r in reversed(self.relations) if sp.degree(numerator, r.symbol) >= r.degree), None)
            if high is None:
                break
            terms = sp.Poly(numerator, high.symbol).terms()
            lowered = sum(c * high.symbol ** (n % high.degree) * high.value ** (n // high.degree) for (n,), c in terms)
            numerator = sp.numer(sp.together(lowered))
            if sp.expand(numerator) == 0:
                return sp.Integer(0)
        return sp.expand(numerator)


def is_positive(f: Any) -> bool:
    """Whether a polynomial is surely positive: its terms are not negative, and one is positive."""
    f = sp.sympify(f)
    if f.is_positive is not None:
        return bool(f.is_positive)
    terms = [t.as_coeff_Mul() for t in sp.Add.make_args(sp.expand(f))]
    return all(c > 0 and m.is_nonnegative for c, m in terms) and any(m.is_positive for _, m in terms)


def _by_exponentials(form: Callable[[Any], Any]) -> Callable[[Unknowns, Any], Any]:
    return lambda unknowns, u: form(unknowns.exponential(u))


@cache
def functions() -> dict[Any, Callable[..., Any]]:
    """How functions of SymPy are read."""
    return {
        sp.exp: Unknowns.exponential,
        sp.log: Unknowns.logarithm,
        sp.Abs: Unknowns.absolute,
        sp.sin: Unknowns.sine,
        sp.cos: Unknowns.cosine,
        sp.tan: lambda unknowns, u: unknowns.sine(u) / unknowns.cosine(u),
        sp.sinh: _by_exponentials(lambda E: (E - 1 / E) / 2),
        sp.cosh: _by_exponentials(lambda E: (E + 1 / E) / 2),
        sp.tanh: _by_exponentials(lambda E: (E**2 - 1) / (E**2 + 1)),
    }
