"""How an expression is arranged for print: sums by sign, products as coefficient, scalars, body and what divides it.

The arrangement is the same for every target; a target says only which broadcasts it can leave unwritten (`Bare`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from matcalc.core import broadcast, number, ones, power, scale
from matcalc.dims import Shape, same
from matcalc.exact import ONE
from matcalc.expr import Expr, number_value, operations, record
from matcalc.ops.leaves import eye
from matcalc.ops.linalg import inv
from matcalc.ops.matrix_functions import matpow
from matcalc.ops.products import comm, diag, dsel, kron
from matcalc.ops.selection import dup, elim
from matcalc.printing.numbers import is_decimal, split

Bare: TypeAlias = Callable[[Expr], Expr]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A name or a constant matrix."""

    operands: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Sum:
    """The terms of a sum in their stored order; signs are found when they are printed."""

    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """sign * numerators * scalars * body / (denominator * divisors).

    Attributes:
        negative: whether a minus sign stands before it.
        numerators: SymPy scalars, the rational first.
        denominator: a SymPy scalar.
        scalars: 1 x 1 factors.
        body: the factors of the matrix or Hadamard product, or one matrix, or nothing.
        entrywise: whether the body is a Hadamard product.
        over: what divides the body entrywise.
        divisors: 1 x 1 expressions below the line.
    """

    negative: bool
    numerators: tuple[Any, ...]
    denominator: Any
    scalars: tuple[Expr, ...]
    body: tuple[Expr, ...]
    entrywise: bool
    over: tuple[Expr, ...]
    divisors: tuple[Expr, ...]

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Everything in it that is printed by itself."""
        return (*self.scalars, *self.body, *self.over, *self.divisors)


@dataclass(frozen=True, slots=True)
class Raised:
    """A power: entrywise, or of a 1 x 1 value or a square matrix."""

    base: Expr
    exponent: Expr
    entrywise: bool

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Base and exponent."""
        return self.base, self.exponent


@dataclass(frozen=True, slots=True)
class Flipped:
    """A transpose."""

    arg: Expr

    @property
    def operands(self) -> tuple[Expr, ...]:
        """The argument."""
        return (self.arg,)


@dataclass(frozen=True, slots=True)
class Spread:
    """A broadcast that has to be written: a product with ones."""

    arg: Expr
    shape: Shape

    @property
    def operands(self) -> tuple[Expr, ...]:
        """The argument."""
        return (self.arg,)


@dataclass(frozen=True, slots=True)
class Application:
    """A function of the catalogue, written by its name or its notation."""

    operands: tuple[Expr, ...]


Layout: TypeAlias = Leaf | Sum | Product | Raised | Flipped | Spread | Application
MAX_UNDER = 8  # how deep under scalings and powers a broadcast is looked for; keeps the walk linear
# Beside these a number is not an entrywise one: `eye(n) + 1` reads as a matrix plus a multiple of the identity.
STRUCTURED = operations(eye, diag, kron, comm, inv, dsel, dup, elim, matpow)


def arrange(e: Expr, bare_term: Bare, bare_factor: Bare, is_name: Callable[[Expr], bool]) -> Layout:
    """The arrangement of one node.

    Args:
        e: the node.
        bare_term: a term of a sum without the broadcast that the other terms imply.
        bare_factor: likewise a factor of a Hadamard product.
        is_name: which subexpressions are printed by a name and must not be looked into.
    """
    if e.op == "named" or (not e.args and e.op != "number"):
        return Leaf()
    if e.op == "add":
        return Sum(stretched(e.args, e.shape, _beside(e.args, bare_term)))
    if e.op == "transpose":
        return Flipped(e.args[0])
    if e.op == "broadcast":
        return Spread(e.args[0], e.shape)
    if e.op == "matpow":
        return Raised(e.args[0], e.args[1], False)
    if e.op == "power" and not is_reciprocal(e):
        base, exponent = e.args
        if not exponent.is_scalar:
            base, exponent = stretched(e.args, e.shape, bare_factor)
            return Raised(base, exponent, True)
        return Raised(base, exponent, not e.is_scalar)
    if e.op in ("scale", "matmul", "hadamard", "divide", "power", "number"):
        return _Collector(bare_factor, is_name).product(e)
    if not record(e.op).broadcasts:
        return Application(e.args)
    return Application(stretched(e.args, e.args[0].shape, _as_number(bare_term)))  # of one shape, which a sum has not


def defaults(e: Expr) -> tuple[Any, ...]:
    """The parameters that the operation has on these arguments when they are left out."""
    entry = record(e.op)
    left_out = tuple(p.default for p in entry.params)
    if entry.complete is not None and 1 in e.args[0].shape:
        return entry.complete(*e.args, *left_out)
    return left_out


def is_reciprocal(e: Expr) -> bool:
    """Whether it is a power with a negative number as its exponent."""
    return e.op == "power" and e.args[1].op == "number" and bool(number_value(e.args[1]).is_negative)


def inverted(e: Expr) -> Expr:
    """What a reciprocal power divides by: `x` for x^-1, `x^2` for x^-2."""
    exponent = -number_value(e.args[1])
    return e.args[0] if exponent == 1 else power(e.args[0], number(exponent))


def factors_of(e: Expr) -> tuple[Expr, ...]:
    """The factors of a Hadamard product; `e` alone where it is none."""
    return e.args if e.op == "hadamard" else (e,)


def stretched(operands: Sequence[Expr], shape: Shape, bare: Bare) -> tuple[Expr, ...]:
    """The operands without their broadcasts, if what is left still has the shape together; else as they are."""
    short = tuple(bare(o) for o in operands)
    return short if fits(short, shape) else tuple(operands)


def _beside(terms: Sequence[Expr], bare: Bare) -> Bare:
    """Leaves numbers unwritten in a sum only where one reads them entry by entry: `1 - h`, but not `eye(n) - 1/n`."""
    structured = any(_body(t).op in STRUCTURED for t in terms)

    def bare_term(t: Expr) -> Expr:
        short = bare(t)
        if short is t or short.op != "number":
            return short
        value = number_value(short)
        read_alone = value.is_Integer or value.is_Symbol or is_decimal(abs(value))
        return short if read_alone and not structured else scale(short, ones(*t.shape))

    return bare_term


def _as_number(bare: Bare) -> Bare:
    """Leaves matrices of zeros or ones as numbers too: `where(x > 0, 1, 0)`."""

    def bare_argument(a: Expr) -> Expr:
        filled = 0 if a.op == "zeros" else 1 if a.op == "ones" else None
        return bare(a) if filled is None else number(filled)

    return bare_argument


def _body(t: Expr) -> Expr:
    """A term without its scalar factors."""
    while t.op in ("scale", "named"):
        t = t.args[-1]
    return t


def fits(operands: Iterable[Expr], shape: Shape) -> bool:
    """Whether operands (each broadcasting to the shape) have it together."""
    shapes = [o.shape for o in operands]
    return all(any(same(s[axis], shape[axis]) for s in shapes) for axis in (0, 1))


def unbroadcast(e: Expr) -> Expr:
    """`e` with a broadcast taken off, also from under scalings and entrywise powers; `e` itself if there is none."""
    path: list[Expr] = []
    inner = e
    while len(path) < MAX_UNDER and (inner.op == "scale" or (inner.op == "power" and inner.args[1].is_scalar)):
        path.append(inner)
        inner = inner.args[-1] if inner.op == "scale" else inner.args[0]
    if inner.op != "broadcast":
        return e
    result = inner.args[0]
    for outer in reversed(path):
        result = scale(*outer.args[:-1], result) if outer.op == "scale" else power(result, outer.args[1])
    return result


class _Collector:
    """Takes a product apart."""

    def __init__(self, bare: Bare, is_name: Callable[[Expr], bool]) -> None:
        self.bare, self.is_name = bare, is_name
        self.coefficient: Any = ONE
        self.scalars: list[Expr] = []
        self.divisors: list[Expr] = []

    def product(self, e: Expr) -> Product:
        """The arrangement of a product; `e` itself is looked into even where it has a name."""
        body, over, entrywise = self.body(e)
        parts = split(self.coefficient)
        return Product(
            parts.negative,
            parts.numerators,
            parts.denominator,
            tuple(self.scalars),
            tuple(body),
            entrywise,
            tuple(over),
            tuple(self.divisors),
        )

    def body(self, e: Expr) -> tuple[list[Expr], list[Expr], bool]:
        """The factors of the body, what divides them entrywise, and whether they multiply entrywise."""
        first = True
        while first or not self.is_name(e):
            if e.op == "scale":
                for s in e.args[:-1]:
                    self.scalar(s)
                e = e.args[-1]
            elif e.is_scalar and e.op in ("number", "divide", "hadamard", "power") and (not first or e.op != "power"):
                self.scalar(e, first)
                return [], [], False
            elif e.op == "matmul":
                return self.chain(e), [], False
            elif e.op in ("hadamard", "divide") or is_reciprocal(e):
                return self.entrywise(e)
            else:
                return [e], [], False
            first = False
        return [e], [], False

    def scalar(self, s: Expr, first: bool = False) -> None:
        """Take up a 1 x 1 factor."""
        stack = [s]
        while stack:
            s = stack.pop()
            if self.is_name(s) and not first:
                self.scalars.append(s)
            elif s.op == "number":
                self.coefficient = self.coefficient * number_value(s)
            elif s.op in ("scale", "hadamard"):
                stack.extend(reversed(s.args))
            elif s.op == "divide":
                self.divisors.append(s.args[1])
                stack.append(s.args[0])
            elif is_reciprocal(s):
                self.divisors.append(inverted(s))
            else:
                self.scalars.append(s)
            first = False

    def chain(self, e: Expr) -> list[Expr]:
        """The factors of a matrix product; scalars of the first factor are taken up."""
        factors = list(reversed(e.args))
        while True:
            head = factors[-1]
            if head.op not in ("scale", "matmul") or self.is_name(head) or head.is_scalar:
                return factors[::-1]
            factors.pop()
            if head.op == "scale":
                for s in head.args[:-1]:
                    self.scalar(s)
                factors.append(head.args[-1])
            else:
                factors.extend(reversed(head.args))

    def entrywise(self, e: Expr) -> tuple[list[Expr], list[Expr], bool]:
        """The factors and divisors of a Hadamard product; 1 x 1 ones and those of the first factor are taken up."""
        above: list[Expr] = []
        below: list[Expr] = []
        stack = [(e, False)]
        first = True
        while stack:
            f, divides = stack.pop()
            if divides:
                below.append(f)
            elif self.is_name(f) and not first:
                above.append(f)
            elif f.op == "hadamard" and not above:
                stack.extend((a, False) for a in reversed(f.args))
            elif f.op == "divide" and not above:
                stack += [(f.args[1], True), (f.args[0], False)]
            elif f.op == "scale" and not above:
                for s in f.args[:-1]:
                    self.scalar(s)
                stack.append((f.args[-1], False))
            elif is_reciprocal(f):
                below.append(inverted(f))
            elif f.op == "broadcast" and any(map(is_reciprocal, factors_of(f.args[0]))):
                for part in factors_of(f.args[0]):
                    if is_reciprocal(part):
                        below.append(broadcast(inverted(part), f.shape))
                    else:
                        above.append(broadcast(part, f.shape))
            else:
                above.append(f)
            first = False
        count = len(above)
        factors = stretched((*above, *below), e.shape, self.bare)
        for s in factors[:count]:
            if s.is_scalar:
                self.scalar(s)
        self.divisors.extend(s for s in factors[count:] if s.is_scalar)
        matrices_above = [s for s in factors[:count] if not s.is_scalar]
        matrices_below = [s for s in factors[count:] if not s.is_scalar]
        return matrices_above, matrices_below, len(matrices_above) + len(matrices_below) > 1 or bool(matrices_below)
