"""Equations that hold entry by entry: solved as equations for one number, by inverse functions and by radicals."""

from __future__ import annotations

from typing import Any

import sympy as sp

from matcalc import core
from matcalc.core import number
from matcalc.curvature.composition import quotient
from matcalc.dims import same_shape
from matcalc.expr import Expr, postorder
from matcalc.ops.activations import logit
from matcalc.ops.elementwise import arcsinh, arctanh, exp, expm1, log, sigmoid, sinh, sqrt
from matcalc.optimum.answer import Candidate, reason, solver
from matcalc.optimum.lines import Line, Said
from matcalc.optimum.question import Question, terms
from matcalc.properties import known
from matcalc.rewrite.normal import is_zero
from matcalc.walk import substitute

CARDANO = "van der Waerden, Algebra I (2003), 8.8"
X = sp.Symbol("x", real=True)


@solver(source=CARDANO)
def entrywise_equation(q: Question) -> Candidate | None:
    """an equation that holds entry by entry is one for a number: by inverse functions or the quadratic formula"""
    if q.constraints or len(q.over) != 1:
        return None
    v = q.one
    why = reason(entrywise_equation, CARDANO, q.gradient)
    found = isolated(q, q.gradient)
    if found is not None:
        value, given, lines = found
        return Candidate({v: filled(q.simple(value), v)}, (why,), given, lines=lines)
    rooted = by_radicals(q, q.gradient)
    if rooted is None:
        return None
    value, given, positive, top = rooted
    lines = (
        Line(filled(top, v), core.zero_of(v), ("as a polynomial in ", v)),
        Line(v, filled(q.simple(value), v), ("its positive root" if positive else "its root",)),
    )
    members = frozenset([(v, "positive")]) if positive else frozenset()
    return Candidate({v: filled(q.simple(value), v)}, (why,), given, proved=True, members=members, lines=lines)


def filled(value: Expr, v: Expr) -> Expr:
    """The value in the shape of the unknown."""
    if same_shape(value.shape, v.shape):
        inner = value.args[0] if value.op == "broadcast" else value
        if not same_shape(inner.shape, v.shape) and inner.is_scalar:
            return core.scale(inner, core.ones(*v.shape)) if inner.number != 1 else core.ones(*v.shape)
        return value
    return core.scale(value, core.ones(*v.shape)) if value.number != 1 else core.ones(*v.shape)


# ------------------------------------------------------------------------------------------------ inverse functions


def isolated(q: Question, e: Expr) -> tuple[Expr, tuple[tuple[str, Expr], ...], tuple[Line, ...]] | None:
    """The x with e(x) = 0 where x occurs in one term a*f(g(x)), by the inverse functions."""
    v = q.one
    term, rest = moving_term(q, _without_complements(q, e))
    if term is None:
        return None
    e = term
    side = core.minus(rest)  # e = side
    given: list[tuple[str, Expr]] = []
    lines = [Line(e, filled(q.simple(side), e), ("what holds ", v, " on one side"))]
    for _ in range(20):
        if e is v:
            return side, tuple(given), tuple(lines)
        step = _undone(q, e, side)
        if step is None:
            return None
        why = _how(e, step[0])
        e, side, need = step
        lines.append(Line(e, filled(q.simple(side), e), why))
        given += need
    return None


def _without_complements(q: Question, e: Expr) -> Expr:
    """sigmoid(-x) as 1 - sigmoid(x) where both occur."""
    found = [s for s in postorder((e,)) if s.op == "sigmoid"]
    table = {}
    for k, s in enumerate(found):
        turned = sigmoid(q.simple(core.minus(s.args[0])))
        if turned in found[:k] and turned not in table:
            table[s] = core.plus(number(1), core.minus(turned))
    return core.add(*q.multiplied_out(substitute(e, table))) if table else e


def moving_term(q: Question, e: Expr) -> tuple[Expr | None, Expr]:
    """The only term that depends on the unknown, and the sum of all others."""
    parts = terms(e)
    moving = [t for t in parts if not q.free_of(t)]
    fixed = [t for t in parts if t not in moving]
    together = moving[0] if len(moving) == 1 else _gathered(q, moving)
    if together is None:
        return None, e
    return together, core.add(*fixed) if fixed else core.zero_of(e)


def _gathered(q: Question, moving: list[Expr]) -> Expr | None:
    """a x + b x as (a + b) x, where a and b are scalars of the data; None where the terms differ otherwise."""
    fronts, bodies = [], []
    for t in moving:
        front = [a for a in t.args if a.is_scalar and q.free_of(a)] if t.op == "scale" else []
        rest = [a for a in t.args if a not in front] if front else [t]
        fronts.append(core.scale(*front, number(1)))
        bodies.append(core.scale(*rest) if len(rest) > 1 else rest[0])
    if not bodies or any(b is not bodies[0] for b in bodies):
        return None
    return core.scale(q.simple(core.add(*fronts)), bodies[0])


def _undone(q: Question, e: Expr, side: Expr) -> tuple[Expr, Expr, list[tuple[str, Expr]]] | None:
    """From e = side to an equation for the argument of e: the argument, the other side, what must hold."""
    if e.op == "broadcast":
        return None
    if e.op == "add":
        inner, rest = moving_term(q, e)
        return None if inner is None else (inner, core.difference(side, rest), [])
    if e.op in ("scale", "hadamard"):
        moving = [a for a in e.args if not q.free_of(a)]
        fixed = [a for a in e.args if q.free_of(a)]
        if len(moving) != 1 or not fixed or not same_shape(moving[0].shape, e.shape):
            return None
        factor = core.hadamard(*fixed) if e.op == "hadamard" else core.scale(*fixed)
        if not same_shape(factor.shape, e.shape) and not factor.is_scalar:
            return None
        need = [] if q.is_nonzero(factor) else [("nonzero", factor)]
        if q.sign(factor) == -1:
            side, factor = q.simple(core.minus(side)), q.simple(core.minus(factor))
        return moving[0], core.entrywise_quotient(side, factor), need
    if e.op == "divide" and q.free_of(e.args[0]) and not q.free_of(e.args[1]):
        need = [("nonzero", s) for s in (side,) if not q.is_nonzero(q.simple(s))]
        return e.args[1], core.entrywise_quotient(e.args[0], side), need
    if e.op == "divide" and q.free_of(e.args[1]):
        return e.args[0], core.entrywise_product(side, e.args[1]), []
    if e.op == "power" and e.args[1].number is not None and e.args[1].number.is_number:
        return _root(q, e, side)
    return _by_inverse_function(q, e, side)


def _how(e: Expr, inner: Expr) -> Said:
    """What is done to both sides to go from e to its argument."""
    match e.op:
        case "add":
            return ("what is free of the unknown on the other side",)
        case "scale" | "hadamard":
            others = [a for a in e.args if a is not inner]
            return ("divided by ", core.hadamard(*others) if e.op == "hadamard" else core.scale(*others))
        case "divide":
            return ("solved for ", inner)
        case "power":
            return ("the root of both sides" if e.args[1].number != -1 else "the reciprocal of both sides",)
    return (f"by the inverse function of {e.op}",)


def _root(q: Question, e: Expr, side: Expr) -> tuple[Expr, Expr, list[tuple[str, Expr]]] | None:
    base, exponent = e.args
    if exponent.number == -1:
        need = [] if q.is_nonzero(q.simple(side)) else [("nonzero", q.simple(side))]
        return base, core.power(side, -1), need
    plain = q.simple(side)
    if is_zero(plain) and exponent.number.is_positive:
        return base, core.zero_of(base), []
    if not known(base, "positive"):
        return None
    need = [] if q.sign(plain) == 1 else [("positive", plain)]
    return base, core.power(plain, number(1 / exponent.number)), need


def _by_inverse_function(q: Question, e: Expr, side: Expr) -> tuple[Expr, Expr, list[tuple[str, Expr]]] | None:
    plain = q.simple(side)

    def positive(s: Expr) -> list[tuple[str, Expr]]:
        s = q.simple(s)
        return [] if q.sign(s) == 1 else [("positive", s)]

    one = number(1) if plain.is_scalar else core.broadcast(number(1), plain.shape)
    match e.op:
        case "exp":
            return e.args[0], log(plain), positive(plain)
        case "log":
            return e.args[0], exp(plain), []
        case "sigmoid":
            top, below = quotient(plain)
            if top is not None and below is not None and q.sign(rest := q.simple(core.difference(below, top))) == 1:
                odds = core.entrywise_quotient(top, rest)  # s/(s + r) = sigmoid(log(s/r))
                return e.args[0], log(odds), positive(odds)
            return e.args[0], logit(plain), [*positive(plain), *positive(core.difference(one, plain))]
        case "tanh":
            inside = [*positive(core.plus(one, plain)), *positive(core.difference(one, plain))]
            return e.args[0], arctanh(plain), inside
        case "sinh":
            return e.args[0], arcsinh(plain), []
        case "arcsinh":
            return e.args[0], sinh(plain), []
        case "softplus":
            return e.args[0], log(expm1(plain)), positive(plain)
        case "sqrt":
            return e.args[0], core.power(plain, 2), positive(plain)
    return None


# ------------------------------------------------------------------------------------------------ radicals


def by_radicals(q: Question, e: Expr) -> tuple[Expr, tuple[tuple[str, Expr], ...], bool, Expr] | None:
    """The root of an equation that is linear or quadratic in a number, the positive one where x is positive.

    With it: what must hold, whether it is the positive one, and the polynomial.
    """
    made = scalar_form(q, e)
    if made is None:
        return None
    form, leaves = made
    top, _ = sp.fraction(sp.together(form))
    if not top.is_polynomial(X):
        return None
    poly = sp.Poly(sp.expand(top), X)
    polynomial = built(poly.as_expr(), leaves | {X: q.one}, q.one)
    if poly.degree() == 1:
        a, b = poly.all_coeffs()
        return built(-b / a, leaves, q.one), _nonzero(q, a, leaves), False, polynomial
    if not known(q.one, "positive"):
        return None
    if len(poly.terms()) == 2:
        binomial = _binomial_root(q, poly, leaves)
        return None if binomial is None else (*binomial, polynomial)
    if poly.degree() != 2:
        return None
    a, b, c = poly.all_coeffs()
    signs = (_sign(q, a, leaves), _sign(q, c, leaves))
    if signs == (-1, 1):
        a, b, c = -a, -b, -c
    elif signs != (1, -1):
        return None
    root = (-b + sp.sqrt(sp.expand(b**2 - 4 * a * c))) / (2 * a)
    return built(root, leaves, q.one), (), True, polynomial


def _binomial_root(
    q: Question, poly: Any, leaves: dict[Any, Expr]
) -> tuple[Expr, tuple[tuple[str, Expr], ...], bool] | None:
    """The positive root of a x^j + b x^i: the root of -b/a, which must be positive."""
    ((j,), a), ((i,), b) = poly.terms()
    ratio = built(sp.factor(-b / a), leaves, q.one)
    if q.sign(ratio) == -1:
        return None
    needs = () if q.sign(ratio) == 1 else (("positive", q.simple(ratio)),)
    return core.power(ratio, number(sp.Rational(1, j - i))), needs, True


def _sign(q: Question, form: Any, leaves: dict[Any, Expr]) -> int:
    positive = {s: sp.Symbol(s.name, positive=True) for s, e in leaves.items() if q.sign(e) == 1}
    replaced = form.xreplace(positive)
    return 1 if replaced.is_positive else -1 if replaced.is_negative else 0


def _nonzero(q: Question, form: Any, leaves: dict[Any, Expr]) -> tuple[tuple[str, Expr], ...]:
    if form.is_number or _sign(q, form, leaves):
        return ()
    return (("nonzero", q.simple(built(form, leaves, q.one))),)


def scalar_form(q: Question, e: Expr) -> tuple[Any, dict[Any, Expr]] | None:
    """An entrywise expression as one of SymPy in x and in symbols for what does not depend on the unknown."""
    v = q.one
    leaves: dict[Any, Expr] = {}
    done: dict[Expr, Any] = {}
    for sub in postorder((e,), stop=lambda s: s is v or (q.free_of(s) and s.number is None)):
        form = _form(sub, v, done, leaves)
        if form is None:
            return None
        done[sub] = form
    return (done[e], leaves) if e in done else None


def _form(e: Expr, v: Expr, done: dict[Expr, Any], leaves: dict[Any, Expr]) -> Any:
    def of(a: Expr) -> Any:
        if a is v:
            return X
        if a not in done:
            symbol = sp.Symbol(f"a{len(leaves)}", real=True)
            leaves[symbol] = a
            done[a] = symbol
        return done[a]

    match e.op:
        case "number":
            return e.number
        case "add":
            return sp.Add(*map(of, e.args))
        case "scale" | "hadamard" if all(a.is_scalar or same_shape(a.shape, e.shape) for a in e.args):
            return sp.Mul(*map(of, e.args))
        case "divide":
            return of(e.args[0]) / of(e.args[1])
        case "power" if e.args[1].number is not None:
            return of(e.args[0]) ** e.args[1].number
        case "broadcast" if e.args[0].is_scalar:
            return of(e.args[0])
        case "matmul" if e.is_scalar and v.is_scalar:
            return None
    return None


def built(form: Any, leaves: dict[Any, Expr], v: Expr) -> Expr:
    """A SymPy expression with the leaves put back."""
    if form in leaves:
        return leaves[form]
    if form.is_number or not form.free_symbols & set(leaves):
        return number(form)
    args = [built(a, leaves, v) for a in form.args]
    if form.is_Add:
        total = args[0]
        for a in args[1:]:
            total = core.plus(total, a)
        return total
    if form.is_Mul:
        product = args[0]
        for a in args[1:]:
            product = core.entrywise_product(product, a)
        return product
    if form.is_Pow and form.exp == sp.Rational(1, 2):
        return sqrt(args[0])
    return core.power(args[0], args[1])
