"""Code for sums, products, quotients, powers and functions of entries.

Broadcasts of operands are left to NumPy; where all operands are smaller than the result, the small value is computed
and then repeated.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations, permutations
from typing import Any

import sympy as sp

from matcalc import core
from matcalc.core import broadcast, number, power, scale
from matcalc.dims import Shape, is_one, same_shape
from matcalc.emit.instructions import Instruction
from matcalc.emit.matching import constant_of
from matcalc.emit.selection import Choice, Rule, Selector
from matcalc.emit.stable import stable
from matcalc.emit.structured import scaled_kron
from matcalc.expr import Expr, node, number_value, record
from matcalc.ops.arithmetic import power_
from matcalc.ops.elementwise import absolute, cosh, exp, relu
from matcalc.rewrite.terms import coefficient_and_rest, is_firm, meaning, number_and_term

_SQUARE = 2


def is_entrywise(e: Expr) -> bool:
    """Whether every entry of `e` depends on the same entry of the arguments only."""
    return record(e.op).entrywise


def stripped(select: Selector, e: Expr) -> Expr:
    """An operand without its broadcast, which NumPy does by itself."""
    e = select.decide(e)
    while e.op == "broadcast":
        e = select.decide(e.args[0])
    return number(1) if e.op == "ones" else number(0) if e.op == "zeros" else e


def joint_shape(shape: Shape, operands: list[Expr]) -> Shape:
    """The shape that NumPy gives to an entrywise operation of `shape` on these operands."""
    dims = [1 if all(is_one(a.shape[axis]) for a in operands) else shape[axis] for axis in (0, 1)]
    return dims[0], dims[1]


def small_operands(select: Selector, e: Expr) -> Choice | None:
    """f(1 a) = 1 f(a): where all operands are broadcasts, compute the small value first."""
    if not is_entrywise(e):
        return None
    operands = [stripped(select, a) for a in e.args]
    shape = joint_shape(e.shape, operands)
    if same_shape(shape, e.shape):
        return None
    if e.op in ("add", "hadamard"):
        fitted = [broadcast(a, shape) for a in operands]
        inner = core.add(*fitted) if e.op == "add" else _product_of(fitted)
    elif e.op == "power" and e.args[1].is_scalar:
        inner = power_(broadcast(operands[0], shape), e.args[1])
    else:
        inner = node(e.op, [broadcast(a, shape) for a in operands], e.params)
    return broadcast(inner, e.shape)


def _product_of(factors: list[Expr]) -> Expr:
    return scale(*factors) if factors[0].is_scalar else core.hadamard(*factors)


# ------------------------------------------------------------------------------------------------ sums


def sum_code(select: Selector, e: Expr) -> Choice | None:
    """a + b - c; multiples of the identity and diagonal matrices are added to the diagonal."""
    flat = _terms(select, e)
    diagonal = [t for t in flat if _diagonal_part(t) is not None]
    if diagonal and len(diagonal) < len(flat):
        rest = core.add(*[t for t in flat if _diagonal_part(t) is None])
        parts = [_diagonal_part(t) for t in diagonal]
        wide = [p for p in parts if p is not None and not p.is_scalar]
        shape = wide[0].shape if wide else (1, 1)
        total = core.add(*[broadcast(p, shape) for p in parts if p is not None])
        return Instruction("add_diagonal", (rest, total))
    values = [select.decide(t) for t in flat]
    if all(t.op == "number" for t in values):
        return number(sp.Add(*map(number_value, values)))
    signed = [_sign(select, t) for t in flat]
    if len(signed) > 1 and signed[0][0] < 0 < signed[1][0]:  # b - a; no other order: x - y + z is not x + z - y
        signed[:2] = signed[1], signed[0]
    operands = tuple(stripped(select, term) for _, term in signed)
    return Instruction("add", operands, (tuple(sign for sign, _ in signed),))


def _terms(select: Selector, e: Expr) -> list[Expr]:
    """The terms of a sum; a sum within keeps its brackets where its terms may cancel, or are computed otherwise."""
    flat: list[Expr] = []
    stack = list(reversed(e.args))
    while stack:
        t = stack.pop()
        if t.op == "add" and not select.shared(t) and not (flat and is_firm(t)) and stable(t) is None:
            stack.extend(reversed(t.args))
        else:
            flat.append(t)
    return flat


def _diagonal_part(t: Expr) -> Expr | None:
    """The scalar c of c I, or the column v of diag(v), where `t` is that."""
    body = t.args[-1] if t.op == "scale" else t
    if body.is_scalar:
        return None
    if body.op == "eye":
        value = number(1)
    elif body.op == "diag":
        v = body.args[0]
        value = v if is_one(v.shape[1]) else core.transpose(v)
    else:
        return None
    return scale(*t.args[:-1], value) if t.op == "scale" else value


def _sign(select: Selector, t: Expr) -> tuple[int, Expr]:
    """The sign of a term's number, and the term without it (and without its broadcast)."""
    if not select.shared(t) and select.decide(t).op == "broadcast":
        t = stripped(select, t)
    if t.op == "number" and number_value(t).could_extract_minus_sign():
        return -1, number(-number_value(t))
    if t.op in ("scale", "hadamard", "divide") and not select.shared(t) and select.decide(t) is t:
        if t.op == "scale" and t.args[0].number == -1:
            return -1, scale(*t.args[1:])
        if _taken_apart(select, t).number.could_extract_minus_sign():
            return -1, scale(number(-1), t)
    return 1, t


# ------------------------------------------------------------------------------------------------ products


@dataclass
class _Product:
    """A product taken apart: an exact number, 1 x 1 values and matrices above and below the line, 0-1 masks."""

    number: Any = sp.S.One
    above: list[Expr] = field(default_factory=list)
    below: list[Expr] = field(default_factory=list)
    masks: list[Expr] = field(default_factory=list)


def product_code(select: Selector, e: Expr) -> Choice | None:
    """a * b / c, with one number in front; a mask of 0 and 1 is a comparison."""
    parts = _taken_apart(select, e)
    if e not in select.forward:  # other libraries may differentiate the value again, also where |x| has no slope
        _join_slopes(select, parts)
    _halve_squares(select, parts)
    shape = joint_shape(e.shape, [*parts.above, *parts.below, *parts.masks])
    if not same_shape(shape, e.shape):  # only a scaled broadcast: the others are small operands
        return broadcast(_product_of([broadcast(stripped(select, a), shape) for a in e.args]), e.shape)
    if not (parts.above or parts.below or parts.masks):
        return number(parts.number)
    if not parts.above and parts.masks:
        parts.above.append(parts.masks.pop(0))
    parts.above.sort(key=lambda a: not a.is_scalar)
    scalar_mask = any(m.is_scalar for m in parts.masks)  # it may come first, and there is no - of truth values
    minus = parts.number.could_extract_minus_sign() and not scalar_mask
    coefficient = -parts.number if minus else parts.number
    numerator, denominator = coefficient.as_numer_denom()
    apart = denominator.is_Add or (numerator == 1 and not _short(coefficient))
    if apart and parts.above:  # n - 1 may be 0, which Python's division refuses and NumPy's does not
        coefficient = numerator
        parts.below.insert(0, number(denominator))
    operands = [("above", number(coefficient))] if coefficient != 1 or not parts.above else []
    operands += [("above", a) for a in parts.above]
    operands += [("mask", stripped(select, _gate(select, m.args[0]))) for m in parts.masks]
    operands += [("below", b) for b in parts.below]
    if len(operands) == 1 and not minus and operands[0][0] == "above":
        return operands[0][1]
    roles = tuple(role for role, _ in operands)
    return Instruction("product", tuple(a for _, a in operands), (minus, roles))


def _join_slopes(select: Selector, parts: _Product) -> None:
    """sigmoid(x) sigmoid(-x) with one function, exact on both sides: 1 / (4 cosh(x/2)^2), or t / (1 + t)^2.

    There t is exp(-|x|); the slope of tanh, which is the first form at 2 x, needs fewer operations so.
    """
    free = [a for a in parts.above if a.op == "sigmoid" and not select.shared(a)]
    for a, b in combinations(free, 2):
        (c, X), (d, Y) = coefficient_and_rest(a.args[0]), coefficient_and_rest(b.args[0])
        if X is None or X is not Y or c != -d:
            continue
        parts.above.remove(a)  # once: the slope may meet a sigmoid, as in (1 - tanh(x)^2) (1 + tanh(x))
        parts.above.remove(b)
        if abs(c) == 2:  # the slope of tanh(X)
            parts.number /= 4
            parts.below.append(power(cosh(X), _SQUARE))
        else:
            t = exp(core.scale(number(-abs(c)), absolute(X)))
            parts.above.append(core.divide(t, power(core.plus(t, 1), _SQUARE)))
        return


def _halve_squares(select: Selector, parts: _Product) -> None:
    """a / b^2 = (a / b) / b for 1 x 1 values: the square may be beyond all numbers where the quotient is not."""
    for k, f in enumerate(parts.below):
        scalars = [a for a in parts.above if a.is_scalar]
        if scalars and f.is_scalar and f.op == "power" and not select.shared(f) and constant_of(f.args[1]) == _SQUARE:
            quotient = core.divide(scale(*scalars), f.args[0])
            parts.above = [quotient, *(a for a in parts.above if not a.is_scalar)]
            parts.below[k] = f.args[0]


def _gate(select: Selector, X: Expr) -> Expr:
    """What is positive where X is: relu(X) where that is computed anyway, so that X need not be kept."""
    positive = relu(X)
    return positive if select.uses[positive] else X


def _taken_apart(select: Selector, e: Expr) -> _Product:
    parts = _Product()
    stack: list[tuple[Expr, int]] = [(e, 1)]
    while stack:
        f, sign = stack.pop()
        free = f is e or not select.shared(f)
        f = f if f is e else select.decide(f)  # a softmax, a smaller value, ... may be computed instead
        if f.op == "number" and (sign > 0 or number_value(f) != 0):
            parts.number *= number_value(f) ** sign
        elif f.op == "number":  # the reciprocal of 0 is NumPy's inf
            parts.above.append(power(f, -1))
        elif f.op in ("scale", "hadamard") and free:
            stack.extend((a, sign) for a in reversed(f.args))
        elif f.op == "divide" and free:
            stack += [(f.args[1], -sign), (f.args[0], sign)]
        elif f.op == "power" and free and _negative(f) and not select.guarded(f):
            k = -number_value(f.args[1])
            stack.append((f.args[0] if k == 1 else power(f.args[0], number(k)), -sign))
        elif f.op in ("broadcast", "ones", "zeros"):
            stack.append((stripped(select, f), sign))
        elif f.op == "step" and sign > 0 and free and f.args[0].op != "number":
            parts.masks.append(f)
        else:
            (parts.above if sign > 0 else parts.below).append(f)
    return parts


def _short(coefficient: Any) -> bool:
    """Whether a number reads well as a factor: 2, 0.5; not 1/3 and 1/n."""
    return bool(coefficient.is_number and len(repr(float(coefficient))) <= 6)


def _negative(f: Expr) -> bool:
    return f.args[1].op == "number" and bool(number_value(f.args[1]).is_negative)


# ------------------------------------------------------------------------------------------------ powers, choices


def power_code(select: Selector, e: Expr) -> Choice | None:
    """X**2, x * x * x, 1 / x, sqrt(x): small powers without `pow`."""
    base, exponent = stripped(select, e.args[0]), stripped(select, e.args[1])
    if select.guarded(e):
        k = -number_value(e.args[1])
        inverse = Instruction("reciprocal", (e.args[0],))
        return inverse if k == 1 else Instruction("reciprocal_power", (e.args[0], number(k)))
    if exponent.op != "number":
        return Instruction("power", (base, exponent))
    k = number_value(exponent)
    if base.op == "number":
        value = number_value(base) ** k
        if value.is_real and value.is_finite:
            return number(value)
        return Instruction("number_power", (base, exponent))
    if k == _SQUARE and meaning(base).op == "cosh" and e not in select.forward:
        return Instruction("squared_cosh", meaning(base).args)
    if k == 0:
        return broadcast(number(1), e.shape)
    if k == 1:
        return e.args[0]
    if k.is_negative:
        return Instruction("one_over", (power(e.args[0], number(-k)) if k != -1 else base,))
    if k == sp.Rational(1, 2):
        return Instruction("square_root", (base,))
    if k == sp.Rational(3, 2):
        return core.entrywise_product(e.args[0], power(e.args[0], number(sp.Rational(1, 2))))
    if k == 3:
        return core.entrywise_product(e.args[0], power(e.args[0], number(2)))
    if k == 4:
        return power(power(e.args[0], number(2)), number(2))
    return Instruction("power", (base, exponent))


def step_code(select: Selector, e: Expr) -> Choice | None:
    """The unit step as a number (a comparison would be a truth value, and `-` and `+` of these are no numbers)."""
    return Instruction("step", (stripped(select, e.args[0]),))


def where_code(select: Selector, e: Expr) -> Choice | None:
    """A choice; between two numbers, in the program's precision."""
    operands = tuple(stripped(select, a) for a in e.args)
    of_numbers = all(meaning(a).op == "number" for a in operands[2:])
    return Instruction("where", operands, (e.params[0], of_numbers))


def polygamma_code(select: Selector, e: Expr) -> Choice | None:
    """Of the operand without its broadcast."""
    return Instruction("polygamma", (stripped(select, e.args[0]),), e.params)


def named_code(select: Selector, e: Expr) -> Choice | None:
    """A named value is a statement of its own."""
    if e in select.blocks:
        return select.blocks[e]
    return Instruction("same", (e.args[0],), view=True)


def excess_code(select: Selector, e: Expr) -> Choice | None:
    """X + normratio(X), which is about -1/X where X is far below 0."""
    for t, r in permutations(e.args) if len(e.args) == _SQUARE else ():
        d, ratio = _factor_and_rest(select, r)
        if ratio is None or ratio.op != "normratio" or not _is_multiple(t, ratio.args[0], d):
            continue
        (X,) = ratio.args
        if constant_of(meaning(select.decide(X))) is not None:  # numbers of Python's, for which nothing is far
            return None
        return Instruction("mean_excess", (X, ratio)) if d == 1 else scale(number(d), core.add(X, ratio))
    return None


def _factor_and_rest(select: Selector, e: Expr) -> tuple[Any, Expr | None]:
    """A number times what is computed for the rest."""
    factor, rest = coefficient_and_rest(e)
    while rest is not None and (decided := select.decide(meaning(rest))) is not rest:
        more, rest = coefficient_and_rest(decided)
        factor = factor * more
    return factor, rest


def _is_multiple(t: Expr, X: Expr, d: Any) -> bool:
    """Whether t is d X; of a sum, also by the negatives of its terms."""
    (c, rest), (a, base) = number_and_term(t), number_and_term(X)
    if rest is base:
        return bool(c == d * a)
    if rest is None or not rest.op == X.op == "add" or c != -d:
        return False
    opposite = Counter((-number, term) for number, term in map(number_and_term, X.args))
    return opposite == Counter(map(number_and_term, rest.args))


RULES: dict[str, list[Rule]] = {
    "add": [small_operands, excess_code, sum_code],
    "scale": [scaled_kron, product_code],
    "hadamard": [small_operands, product_code],
    "divide": [small_operands, product_code],
    "power": [small_operands, power_code],
    "step": [small_operands, step_code],
    "where": [small_operands, where_code],
    "polygamma": [small_operands, polygamma_code],
    "named": [named_code],
}
