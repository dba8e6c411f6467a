"""Entrywise expressions as functions of one number, and the exact ranges of such functions on an interval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, pairwise
from typing import Any

import sympy as sp

from matcalc.curvature.intervals import EVERYTHING, NONNEGATIVE, POSITIVE, Range, by_value, hull_of_ends, power
from matcalc.expr import Expr, operations, postorder, record
from matcalc.ops.comparison import maximum, minimum, where

T = sp.Symbol("t", real=True)
_U = sp.Symbol("u", real=True)
_CHOICES = operations(maximum, minimum, where)
_CANDIDATES = 16  # values of which an expression may be a function of one
_ROOT = sp.Symbol("u", positive=True)


def function_of_one(e: Expr, parameters: Iterable[Expr] = ()) -> tuple[Any, Expr] | None:
    """An entrywise expression as a SymPy function of one number t, and the value whose entries t stands for.

    None where it depends on the entries of several values, or of none. `parameters` are positive numbers that become
    positive symbols.
    """
    return next(functions_of_one(e, parameters), None)


def functions_of_one(e: Expr, parameters: Iterable[Expr] = ()) -> Iterator[tuple[Any, Expr]]:
    """All such functions: log(cosh(x - y)) is one of x - y, and one of cosh(x - y)."""
    known: dict[Expr, Any] = {p: sp.Symbol(p.name, positive=True) for p in parameters}
    inner = [sub for sub in postorder((e,), stop=lambda s: not _is_entrywise(s)) if sub is not e and sub.args]
    for z in (None, *reversed(inner[-_CANDIDATES:])):
        done: dict[Expr, Any] = dict(known)
        leaves: dict[Expr, None] = {}
        for sub in postorder((e,), stop=lambda s, z=z: s is z or not _is_entrywise(s)):  # type: ignore[misc]
            done[sub] = _scalar_form(sub, done, leaves)
        if e in done and len(leaves) == 1:
            yield done[e], next(iter(leaves))


def _is_entrywise(e: Expr) -> bool:
    return (
        e.op in ("number", "add", "scale", "hadamard", "divide", "power", "named", "ones", "zeros", *_CHOICES)
        or (e.op == "broadcast" and e.args[0].is_scalar)
        or (record(e.op).scalar_function is not None and not e.params)
    )


def _scalar_form(e: Expr, done: dict[Expr, Any], leaves: dict[Expr, None]) -> Any:
    def form(a: Expr) -> Any:
        if a in done:
            return done[a]
        leaves[a] = None
        return T

    match e.op:
        case "number":
            return e.number
        case "ones":
            return sp.S.One
        case "zeros":
            return sp.S.Zero
        case "add":
            return sp.Add(*map(form, e.args))
        case "scale" | "hadamard":
            return sp.Mul(*map(form, e.args))
        case "divide":
            return form(e.args[0]) / form(e.args[1])
        case "power":
            return form(e.args[0]) ** form(e.args[1])
        case "named" | "broadcast":
            return form(e.args[0])
        case "maximum":
            return sp.Max(*map(form, e.args))
        case "minimum":
            return sp.Min(*map(form, e.args))
        case "where":
            left, right, then, otherwise = map(form, e.args)
            return sp.Piecewise((then, sp.Rel(left, right, e.params[0])), (otherwise, True))
    return record(e.op).scalar_function(form(e.args[0]))  # type: ignore[misc]


_KINKED = (sp.Piecewise, sp.Abs, sp.Max, sp.Min, sp.sign, sp.Heaviside)


def has_kinks(form: Any) -> bool:
    """Whether a function of t is made of pieces: its derivatives say nothing at the joints."""
    return bool(form.has(*_KINKED))


def pieces(form: Any, where: Range) -> list[tuple[Range, Any]] | None:
    """A function of t on an interval as smooth functions on adjacent parts of it, or None: joints unknown."""
    kinked = next((part for part in sp.postorder_traversal(form) if isinstance(part, _KINKED)), None)
    if kinked is None:
        return [(where, form)]
    try:
        joints = sorted({r for g in _switches(kinked) if g.has(T) for r in _roots(g) if where.low < r < where.high})
        ends = [where.low, *joints, where.high]
        return _on_parts(form, kinked, ends, where)
    except (TypeError, NotImplementedError, sp.PolynomialError):  # joints that cannot be ordered, or found
        return None


def _roots(g: Any) -> list[Any]:
    """The real roots of a polynomial in t; with parameters, of a linear one."""
    polynomial = sp.Poly(g, T)
    if polynomial.free_symbols == {T}:
        return list(polynomial.real_roots(multiple=True))
    if polynomial.degree() != 1:
        raise sp.PolynomialError(f"the roots of {g} depend on its parameters")
    slope, rest = polynomial.all_coeffs()
    return [-rest / slope]


def _on_parts(form: Any, kinked: Any, ends: list[Any], where: Range) -> list[tuple[Range, Any]] | None:
    """The pieces on adjacent parts."""
    found: list[tuple[Range, Any]] = []
    for low, high in pairwise(ends):
        part = Range(low, high, where.low_open or low != where.low, where.high_open or high != where.high)
        resolved = _resolved(kinked, _inside(low, high))
        inner = None if resolved is None else pieces(form.xreplace({kinked: resolved}), part)
        if inner is None:
            return None
        found += inner
    return found


def _switches(kinked: Any) -> list[Any]:
    """The functions whose signs choose the piece."""
    if isinstance(kinked, (sp.Max, sp.Min)):
        return [a - b for a, b in combinations(kinked.args, 2)]
    if isinstance(kinked, sp.Piecewise):
        return [c.lhs - c.rhs for _, condition in kinked.args for c in condition.atoms(sp.core.relational.Relational)]
    return [kinked.args[0]]


def _resolved(kinked: Any, at: Any) -> Any:
    """The piece that holds around a point."""
    if isinstance(kinked, sp.Max):
        return max(kinked.args, key=lambda a: by_value(a.subs(T, at)))
    if isinstance(kinked, sp.Min):
        return min(kinked.args, key=lambda a: by_value(a.subs(T, at)))
    if isinstance(kinked, sp.Piecewise):
        return next((piece for piece, condition in kinked.args if condition.subs(T, at) == sp.true), None)
    inside = kinked.args[0]
    sign = sp.sign(inside.subs(T, at))
    if isinstance(kinked, sp.Abs):
        return sign * inside
    return sign if isinstance(kinked, sp.sign) else (1 + sign) / 2


def _inside(low: Any, high: Any) -> Any:
    """A point between two ends."""
    if low == -sp.oo:
        return sp.S.Zero if high == sp.oo else high - 1
    return low + 1 if high == sp.oo else (low + high) / 2


def range_of_function(form: Any, where: Range) -> Range | None:
    """The exact range of a function of t on an interval; None where it is not rational in a known substitution."""
    if not form.free_symbols:
        return Range(form, form) if form.is_extended_real else None
    if not form.has(T):  # a number in parameters
        sign = POSITIVE if form.is_positive else NONNEGATIVE if form.is_nonnegative else None
        return sign or (-POSITIVE if form.is_negative else None)
    if form.free_symbols != {T}:
        return None
    for replaced, image in _substitutions(form, where):
        if replaced.free_symbols <= {_U} and replaced.is_rational_function(_U):
            try:
                return _rational_range(sp.cancel(sp.together(replaced)), image)
            except NotImplementedError:  # coefficients among which SymPy does not order roots
                break
    return _interval(form, where)


def _interval(form: Any, where: Range) -> Range | None:
    """The range of a function of t by interval arithmetic on its parts."""
    if form == T:
        return where
    if form.is_number:
        return Range(form, form) if form.is_extended_real else None
    if not (form.is_Add or form.is_Mul or form.is_Pow or isinstance(form, (sp.exp, sp.log, sp.polygamma))):
        return None
    parts = [_interval(a, where) for a in form.args]
    if any(r is None for r in parts):
        return None
    first, *rest = [r for r in parts if r is not None]
    if form.is_Add or form.is_Mul:
        for r in rest:
            first = first + r if form.is_Add else first * r
        return first
    if form.is_Pow and form.exp.is_number:
        found = power(first, form.exp)
        return None if found is EVERYTHING else found
    if isinstance(form, sp.exp):
        return _function_range(sp.exp, first, POSITIVE)
    if isinstance(form, sp.log) and first.nonnegative:
        low = -sp.oo if first.low == 0 else sp.log(first.low)
        return Range(low, sp.oo if first.high == sp.oo else sp.log(first.high), first.low_open, first.high_open)
    if isinstance(form, sp.polygamma) and form.args[0].is_Integer and form.args[0] > 0 and parts[1].positive:  # type: ignore[union-attr]
        return POSITIVE if form.args[0] % 2 else -POSITIVE
    return None


def _substitutions(form: Any, where: Range) -> Iterable[tuple[Any, Range]]:
    """The function in u = t, u = exp(t), u = sqrt(1 + t^2), with the range of u."""
    yield form.xreplace({T: _U}), where
    by_exp = sp.expand(form.rewrite(sp.exp), power_exp=True, mul=False, power_base=False)
    by_exp = by_exp.replace(sp.exp, lambda a: _U ** (a / T) if (a / T).is_number else sp.exp(a, evaluate=False))
    yield sp.powsimp(by_exp), _function_range(sp.exp, where, POSITIVE)
    low = sp.S.Zero if where.low < 0 < where.high else min(abs(where.low), abs(where.high), key=by_value)
    high = max(abs(where.low), abs(where.high), key=by_value)
    is_open = where.low_open and where.high_open
    root = form.subs(T**2 + 1, _ROOT**2).subs(T**2, _ROOT**2 - 1).xreplace({_ROOT: _U})
    yield root, Range(sp.sqrt(1 + low**2), sp.sqrt(1 + high**2), is_open and low != 0, is_open)


def _function_range(f: Any, where: Range, image: Range) -> Range:
    low = image.low if where.low == -sp.oo else f(where.low)
    high = image.high if where.high == sp.oo else f(where.high)
    return Range(low, high, where.low_open, where.high_open)


def _rational_range(form: Any, where: Range) -> Range | None:
    """The range of a rational function without poles inside of an interval."""
    _, denominator = sp.fraction(form)
    u = _U
    if not denominator.is_polynomial(u) or _roots_inside(denominator, where):
        return None
    slope = sp.fraction(sp.cancel(sp.together(sp.diff(form, u))))[0]
    inside = _roots_inside(slope, where) if slope.has(u) else []
    if where.low == -where.high and sp.cancel(form - form.subs(u, -u)) == 0:  # the same at -u
        inside = [root for root in inside if root >= 0]
    ends = [(form.subs(u, root), False) for root in inside]
    for end, direction, is_open in ((where.low, "+", where.low_open), (where.high, "-", where.high_open)):
        value = sp.limit(form, u, end, direction)
        if not value.is_extended_real:
            return None
        attained_everywhere = slope == 0
        ends.append((value, is_open and not attained_everywhere))
    return hull_of_ends(ends)


def _roots_inside(polynomial: Any, where: Range) -> list[Any]:
    """The real roots of a polynomial strictly between the ends of an interval."""
    if not polynomial.has(_U):
        return []
    roots = sp.Poly(polynomial, _U).real_roots(multiple=False)
    return [root for root, _ in roots if where.low < root < where.high]
