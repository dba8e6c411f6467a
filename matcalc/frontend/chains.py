"""Sums and products as they are written: one left-to-right chain becomes one n-ary node.

Numbers fold to exact numbers, 1 x 1 factors are gathered in front of a product, and rows and columns broadcast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from matcalc import core
from matcalc.core import number
from matcalc.dims import Shape, is_one, is_scalar, same, same_shape, shape_text
from matcalc.errors import MatcalcError, MisfitError
from matcalc.expr import Expr, number_value

MAX_OPERATIONS = 200  # in a number made of dimensions
MAX_BITS = 10_000  # of a number: about 3,000 digits


@dataclass(frozen=True, slots=True)
class Operand:
    """One operand of a chain, with the operator before it ("" before the first) and the text it was written as."""

    sign: str
    value: Expr
    words: str
    signed: bool = False

    @property
    def described(self) -> str:
        """How an error names it: `A (m x n)`."""
        return f"{self.words} ({shape_text(self.value.shape)})"


def folded(value: Any, index: int) -> Expr:
    """An exact number made of others.

    Raises:
        MisfitError: it is too long to be written out.
    """
    if value.is_Rational and max(value.p.bit_length(), value.q.bit_length()) > MAX_BITS:
        raise MisfitError("the number is too large to be written out", index)
    if not value.is_Rational and value.count_ops() > MAX_OPERATIONS:
        raise MisfitError(f"a number of more than {MAX_OPERATIONS} operations is too long", index)
    return number(value)


def negative(e: Expr) -> Expr:
    """-e, the sign going into a leading number."""
    if e.op == "number":
        return number(-number_value(e))
    if e.op == "scale" and e.args[0].op == "number":
        value = -number_value(e.args[0])
        return core.scale(*(() if value == 1 else (number(value),)), *e.args[1:])
    return core.scale(number(-1), *(e.args if e.op == "scale" else (e,)))


def reciprocal(e: Expr) -> Expr:
    """1/e for a 1 x 1 value."""
    if e.op == "power" and e.args[1].op == "number":
        return core.power(e.args[0], number(-number_value(e.args[1])))
    return core.reciprocal(e)


def common_shape(a: Shape, b: Shape) -> Shape | None:
    """The shape that two broadcast to, or None."""
    if not all(same(p, q) or is_one(p) or is_one(q) for p, q in zip(a, b)):
        return None
    rows, cols = (q if is_one(p) else p for p, q in zip(a, b))
    return rows, cols


def broadcast_all(operands: Sequence[Operand]) -> list[Expr]:
    """The operands in their common shape.

    Raises:
        MisfitError: there is none.
    """
    shape = operands[0].value.shape
    for k, operand in enumerate(operands[1:], start=1):
        wider = common_shape(shape, operand.value.shape)
        if wider is None:
            raise MisfitError(_misfit(shape, operands, k), k)
        shape = wider
    return [core.broadcast(operand.value, shape) for operand in operands]


def _misfit(shape: Shape, operands: Sequence[Operand], k: int) -> str:
    before, operand = operands[k - 1], operands[k]
    left = before.described if same_shape(before.value.shape, shape) else f"what stands before it ({shape_text(shape)})"
    differ = [f"{p} and {q}" for p, q in zip(shape, operand.value.shape) if not same(p, q)]
    verb = {
        "+": f"cannot add {operand.described} to {left}",
        "-": f"cannot subtract {operand.described} from {left}",
        ".*": f"cannot multiply {left} by {operand.described} entry by entry",
        "./": f"cannot divide {left} by {operand.described} entry by entry",
    }.get(operand.sign, f"{left} and {operand.described} do not fit")
    return f"{verb}: {', '.join(differ)} differ"


def sum_of(operands: Sequence[Operand]) -> Expr:
    """a + b - c: one sum, numbers in front folded.

    Raises:
        MisfitError: an operand does not fit.
    """
    rest = list(operands)
    while len(rest) > 1 and rest[0].value.op == rest[1].value.op == "number":
        a, b = number_value(rest[0].value), number_value(rest[1].value)
        value = folded(a - b if rest[1].sign == "-" else a + b, len(operands) - len(rest) + 1)
        rest[:2] = [Operand("", value, f"{rest[0].words} {rest[1].sign} {rest[1].words}")]
    try:
        terms = broadcast_all(rest)
    except MisfitError as error:
        raise MisfitError(error.message, error.index + len(operands) - len(rest)) from None
    return core.add(*(negative(t) if o.sign == "-" else t for t, o in zip(terms, rest)))


@dataclass(slots=True)
class Product:
    """What stands before the next factor: 1 x 1 factors, and factors joined by one operator (`*` or `.*`)."""

    scalars: list[Expr] = field(default_factory=list)
    factors: list[Operand] = field(default_factory=list)
    operator: str = ""
    shape: Shape = (1, 1)  # of the factors
    index: int = 0  # of the operand that is taken, for errors

    def value(self) -> Expr:
        """The product so far."""
        return core.scale(*self.scalars, *([self.joined()] if self.factors else ()))

    def joined(self) -> Expr:
        """The product of the matrix factors."""
        if self.operator == ".*":
            return core.hadamard(*broadcast_all(self.factors))
        return core.matmul(*(factor.value for factor in self.factors))

    def restart(self, value: Expr, words: str) -> None:
        """Go on with one value in place of all before."""
        self.scalars, self.factors, self.operator, self.shape = [], [], "", (1, 1)
        self.take(Operand("", value, words))

    def scale_by(self, *values: Expr) -> None:
        """Multiply by 1 x 1 values; neighbouring numbers fold."""
        for value in values:
            last = self.scalars[-1] if self.scalars else None
            if value.op == "number" and last is not None and last.op == "number":
                self.scalars[-1] = folded(number_value(last) * number_value(value), self.index)
            else:
                self.scalars.append(value)

    def take(self, operand: Operand) -> None:
        """Multiply by an operand, matrix or 1 x 1."""
        value = operand.value
        if operand.signed and value.op == "scale":  # -x*y is (-x)*y: the sign goes in front of the product
            self.scale_by(*value.args[:-1])
            operand = Operand(operand.sign, value.args[-1], operand.words)
            value = operand.value
        if value.is_scalar:
            self.scale_by(value)
        else:
            self.factors.append(operand)
            if self.operator == "*" and len(self.factors) > 1:
                self.shape = (self.shape[0], value.shape[1])
            else:
                self.shape = common_shape(self.shape, value.shape) or self.shape

    def multiply(self, operand: Operand, left: str) -> None:
        """`* operand` or `.* operand`; `left` is the text before it.

        Raises:
            MisfitError: the shapes do not fit.
        """
        sign = ".*" if operand.sign == ".*" else "*"
        if operand.value.is_scalar or not self.factors:
            self.take(operand)
            return
        if self.operator not in ("", sign):
            self.factors = [Operand("", self.joined(), left)]
        self.operator = sign
        last = self.factors[-1]
        if sign == "*" and not same(last.value.shape[1], operand.value.shape[0]):
            raise MisfitError(_cannot_multiply(last, operand), self.index)
        if sign == ".*" and common_shape(self.shape, operand.value.shape) is None:
            raise MisfitError(_misfit(self.shape, [last, operand], 1), self.index)
        self.take(operand)
        if sign == "*" and is_scalar(self.shape):
            self.scalars.append(self.joined())
            self.factors, self.operator, self.shape = [], "", (1, 1)

    def divide(self, operand: Operand, left: str) -> None:
        """`/ operand` or `./ operand`; `left` is the text before it.

        Raises:
            MisfitError: the shapes do not fit, or the divisor is 0.
        """
        divisor = operand.value
        if operand.sign == "/" and not divisor.is_scalar:
            raise MisfitError(
                f"cannot divide by {operand.described}: / divides by a 1 x 1 value, ./ by entries", self.index
            )
        if divisor.op == "number" and number_value(divisor).is_zero:
            raise MisfitError("division by zero", self.index)
        if divisor.op == "number":
            inverse = reciprocal(divisor)
            if self.scalars and self.scalars[0].op == "number":
                self.scalars[0] = folded(number_value(self.scalars[0]) * number_value(inverse), self.index)
            else:
                self.scalars.insert(0, inverse)
        elif divisor.is_scalar and self.factors:
            self.scale_by(reciprocal(divisor))
        else:
            pair = broadcast_all([Operand("", self.value(), left), operand])
            self.restart(core.divide(*pair), left)


def _cannot_multiply(a: Operand, b: Operand) -> str:
    message = f"cannot multiply {a.described} by {b.described}: {a.value.shape[1]} and {b.value.shape[0]} differ"
    if same_shape(a.value.shape, b.value.shape):
        message += " (transpose one of them, or write .* for the product entry by entry)"
    return message


def product_of(operands: Sequence[Operand]) -> Expr:
    """a * b .* c / d from left to right; neighbours with one operator are one node.

    Raises:
        MisfitError: an operand does not fit.
    """
    product = Product()
    product.take(operands[0])
    left = operands[0].words
    for k, operand in enumerate(operands[1:], start=1):
        product.index = k
        if operand.sign in ("/", "./"):
            product.divide(operand, left)
        else:
            product.multiply(operand, left)
        left = f"{left} {operand.sign} {operand.words}" if len(left) < 200 else left
    return product.value()


def star_between_matrices(operands: Sequence[Operand], signs: Sequence[str]) -> int:
    """The operand before which a `*`, not a `@`, stands between two values larger than 1 x 1; 0 if there is none."""
    for k, sign in enumerate(signs, start=1):
        if sign != "*" or operands[k].value.is_scalar:
            continue
        try:
            left = product_of(operands[:k])
        except MisfitError:
            return 0  # the product says so itself
        if not left.is_scalar:
            return k
    return 0


def matrix_power(base: Operand, exponent: Operand) -> Expr:
    """base ^ exponent.

    Raises:
        MisfitError: the base is not square, the exponent not 1 x 1, or the power too large.
    """
    if not exponent.value.is_scalar:
        raise MisfitError(f"the exponent {exponent.described} must be 1 x 1 (.^ is the power entry by entry)", 1)
    if not same(*base.value.shape):
        raise MisfitError(f"^ needs a square matrix, but {base.described} is not (.^ is the power entry by entry)", 1)
    _check_size(base.value, exponent.value)
    return core.matrix_power(base.value, exponent.value)


def entrywise_power(base: Operand, exponent: Operand) -> Expr:
    """base .^ exponent, with broadcasting.

    Raises:
        MisfitError: the shapes do not fit, or the power is too large.
    """
    if base.value.is_scalar and exponent.value.is_scalar:
        return matrix_power(base, exponent)
    if exponent.value.is_scalar:
        return core.power(base.value, exponent.value)
    return core.power(*broadcast_all([base, exponent]))


def _check_size(base: Expr, exponent: Expr) -> None:
    """Refuse powers of numbers that would not fit on a page (2^1e300)."""
    if base.op != "number" or exponent.op != "number":
        return
    value, power = number_value(base), number_value(exponent)
    if value.is_zero and power.is_negative:
        raise MisfitError("division by zero", 1)
    if power.is_Rational:
        bits = max(value.p.bit_length(), value.q.bit_length()) if value.is_Rational else 64
        if abs(power) * bits > MAX_BITS and value not in (0, 1, -1):
            raise MisfitError("the number is too large to be written out", 1)


def exact_number(text: str) -> Expr:
    """A decimal literal as an exact rational.

    Raises:
        MatcalcError: it is beyond all floating point numbers.
    """
    mantissa, _, exponent = text.lower().partition("e")
    if len(mantissa) > 1000 or len(exponent) > 5 or abs(int(exponent or 0)) > 400:
        raise MatcalcError("the number is too large, too small or too long")
    return number(_rational(mantissa, int(exponent or 0)))


def _rational(mantissa: str, exponent: int) -> Any:
    whole, _, decimals = mantissa.partition(".")
    shift = exponent - len(decimals)
    value = core.exact(int(whole + decimals))
    return value * core.exact(10) ** shift
