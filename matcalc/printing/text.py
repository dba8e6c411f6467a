"""Expressions in the text syntax: what is printed parses back to the same value."""

from __future__ import annotations

from typing import Any

from matcalc.dims import is_one, same
from matcalc.errors import NoRuleError
from matcalc.expr import HOOKS, Expr, record
from matcalc.notation import Level
from matcalc.printing.numbers import dim_text, number_text, scalar_text
from matcalc.printing.pieces import Operand, Piece, Printed, Printer, join, locals_of, negative, printed, signed_sum
from matcalc.printing.terms import (
    Application,
    Flipped,
    Layout,
    Leaf,
    Product,
    Raised,
    Spread,
    Sum,
    arrange,
    defaults,
    unbroadcast,
)


def text(e: Expr) -> str:
    """The expression in the text syntax; a program `t1 = ...; t2 = ...; ...` where it would be very long.

    Example:
        >>> import matcalc as mc
        >>> X, w, y = mc.var("X", "n", "p"), mc.var("w", "p", 1), mc.var("y", "n", 1)
        >>> text(2 * X.T @ (X @ w - y))
        "2*X'*(X*w - y)"
    """
    shown = shared(e)
    return "; ".join([*(f"{name} = {value}" for name, value in shown.definitions), shown.body])


def shared(e: Expr) -> Printed:
    """The expression in the text syntax, with the definitions of what a very long one repeats."""
    return printed(e, TextPrinter, str)


def _bracketed(piece: Piece) -> Piece:
    return Piece(("(", piece, ")"))


def _at_least(level: Level, piece: Piece) -> Piece:
    return piece if piece.level >= level else _bracketed(piece)


def _head(piece: Piece) -> Piece:
    """The first factor of a product: a matrix product needs no brackets there."""
    return piece if piece.chain else _at_least(Level.POSTFIX, piece)


class TextPrinter(Printer):
    """Prints in the text syntax."""

    def arrange(self, e: Expr) -> Layout:
        """Broadcasts are left unwritten wherever the other operands imply them."""
        if e.op == "root":
            return Application(e.params[0].shown(e.args))
        return arrange(e, unbroadcast, unbroadcast, self.names.__contains__)

    def render(self, e: Expr, layout: Layout, piece: Operand) -> Piece:
        """The node in print."""
        match layout:
            case Leaf():
                return Piece((_leaf(e),))
            case Sum():
                return signed_sum([piece(t) for t in layout.operands], _bracketed)
            case Product():
                return _product(layout, piece, e.is_scalar)
            case Raised():
                return _power(layout, piece)
            case Flipped():
                arg = piece(layout.arg)
                return Piece((arg if arg.flipped else _at_least(Level.ATOM, arg), "'"), Level.POSTFIX, flipped=True)
            case Spread():
                return _spread(layout, piece(layout.arg))
            case Application():
                return _call(e, [piece(a) for a in layout.operands])


def _leaf(e: Expr) -> str:
    if e.name:
        return e.name
    return f"{e.op}({', '.join(dim_text(d) for d in e.params)})"


def _number(value: object) -> Piece:
    written, level = number_text(value)
    return Piece((written,), level)


def _product(p: Product, piece: Operand, scalar: bool) -> Piece:
    below = [piece(d) for d in p.divisors]
    if p.denominator != 1:
        below.insert(0, _number(p.denominator))
    result = _numerator(p, piece)
    if below:
        first, *rest = below  # a product needs no brackets where it comes first
        shown = [_at_least(Level.PRODUCT, first), *(_at_least(Level.POSTFIX, d) for d in rest)]
        divisor = Piece(join("*", shown), Level.PRODUCT)
        divisor = _at_least(Level.POSTFIX, below[0]) if len(below) == 1 else _bracketed(divisor)
        result = Piece((_at_least(Level.PRODUCT, result), "/", divisor), Level.PRODUCT)
    if p.negative:
        return negative(_at_least(Level.PRODUCT, result))
    if len(p.body) > 1 and not (p.entrywise or below or scalar):
        return Piece(result.parts, result.level, chain=True)
    return result


def _numerator(p: Product, piece: Operand) -> Piece:
    """What stands above the line, without the sign."""
    numbers = [_number(value) for value in p.numerators]
    scalars = [piece(s) for s in p.scalars]
    body = [piece(b) for b in p.body]
    single = [*numbers, *scalars, *body]
    if len(single) == 1 and not p.over:
        return single[0]
    factors = [_at_least(Level.PRODUCT, n) for n in numbers] + [_at_least(Level.POSTFIX, s) for s in scalars]
    if p.entrywise:
        matrices = [_at_least(Level.POSTFIX, b) for b in body]
        if matrices:
            factors.append(Piece(join(" .* ", matrices), Level.PRODUCT))
    elif body:
        factors += [_head(body[0]), *(_at_least(Level.POSTFIX, b) for b in body[1:])]
    parts = join("*", factors) or ("1",)
    for o in p.over:
        parts += (" ./ ", _at_least(Level.POSTFIX, piece(o)))
    return Piece(parts, Level.PRODUCT if factors or p.over else Level.ATOM)


def _power(p: Raised, piece: Operand) -> Piece:
    base, exponent = piece(p.base), piece(p.exponent)
    if (exponent.positive or exponent).level < Level.ATOM:
        exponent = _bracketed(exponent)
    sign = ".^" if p.entrywise else "^"
    if p.entrywise and p.base.op == "number":
        sign = " .^ "
    return Piece((base if base.flipped else _at_least(Level.ATOM, base), sign, exponent), Level.POSTFIX)


def _spread(p: Spread, arg: Piece) -> Piece:
    m, n = (dim_text(d) for d in p.shape)
    if p.arg.is_scalar:
        ones = f"ones({m}, {n})"
        if p.arg.number == 1:
            return Piece((ones,))
        return Piece((_at_least(Level.POSTFIX, arg), "*", ones), Level.PRODUCT)
    if is_one(p.arg.shape[0]):
        return Piece((f"ones({m}, 1)*", _at_least(Level.POSTFIX, arg)), Level.PRODUCT, chain=True)
    return Piece((_head(arg), f"*ones(1, {n})"), Level.PRODUCT, chain=True)


def _block(e: Expr, args: list[Piece]) -> Piece:
    rows, start = [], 0
    for count in map(int, e.params[0].split()):
        rows.append(Piece(join(", ", args[start : start + count]), Level.LOOSE))
        start += count
    return Piece(("[", *join("; ", rows), "]"))


def _slice(e: Expr, X: Piece) -> Piece:
    """X[i:j, k]: a single index for one row or column, a colon for all of them."""
    row, last_row, column, last_column = e.params
    ranges = [
        _range(first, last, size) for first, last, size in zip((row, column), (last_row, last_column), e.args[0].shape)
    ]
    if is_one(e.args[0].shape[1]):  # of a vector, one index
        ranges.pop()
    elif is_one(e.args[0].shape[0]):
        ranges.pop(0)
    base = X if X.flipped else _at_least(Level.ATOM, X)
    return Piece((base, f"[{', '.join(ranges)}]"), Level.POSTFIX, flipped=True)


def _range(first: Any, last: Any, size: Any) -> str:
    if first == last:
        return dim_text(first)
    return ":" if is_one(first) and same(last, size) else f"{dim_text(first)}:{dim_text(last)}"


def _call(e: Expr, args: list[Piece]) -> Piece:
    if e.op == "block":
        return _block(e, args)
    if e.op == "slice":
        return _slice(e, args[0])
    if e.op == "where":
        a, b, c, d = args
        return Piece(("where(", a, f" {e.params[0]} ", b, ", ", c, ", ", d, ")"))
    if e.op == "root":
        unknown, *sides = args
        return Piece(("root(" if len(sides) > 1 else "argmin(", unknown, ", ", *join(" = ", sides), ")"))
    if e.op == "func":
        function = e.params[0]
        if function.order and function.body is not None:
            raise NoRuleError(f"the derivative of {function.name} is written by its body, not by D({function.name})")
        return Piece((f"{function.written}(", args[0], ")"))
    params = _parameters(e)
    inside: list[str | Piece] = [*params, *args] if record(e.op).parameters_first else [*args, *params]
    return Piece((f"{e.op}(", *join(", ", inside), ")"))


def _parameters(e: Expr) -> list[str]:
    """The parameters as text: defaults are omitted, and those after an omitted one become keywords."""
    entry = record(e.op)
    left_out = defaults(e)
    last = max((k for k, value in enumerate(e.params) if value != left_out[k]), default=-1)
    written = []
    by_name = False
    for value, param in zip(e.params[: last + 1], entry.params):
        if value is None:
            by_name = True
            continue
        shown = _parameter(value, param.kind)
        written.append(f"{param.name}={shown}" if by_name else shown)
    return written


def _parameter(value: Any, kind: str) -> str:
    if kind == "dim":
        return dim_text(value)
    return scalar_text(value) if kind == "number" else str(value)


def program(e: Expr) -> str:
    """The expression as a program: the local names in it (adjoints) are defined first, so that it parses back."""
    lines = [f"{local.params[0]} = {text(local.args[0])}" for local in locals_of(e)]
    return "; ".join([*lines, text(e)])


HOOKS["text"] = program
