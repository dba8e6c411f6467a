"""Convexity by composition: what follows for an expression from its parts, also where it has kinks.

Every entry of every value is affine, convex, concave or unknown in the variables; atoms of several values (norms,
perspectives, quadratic over linear, relative entropy, matrix fractions) are recognised as they are spelled.

Source: Boyd & Vandenberghe, Convex Optimization (2004), ch. 3; Grant, Boyd & Ye, Disciplined convex programming (2006).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, pairwise, permutations

import sympy as sp

from matcalc.core import hadamard, scale
from matcalc.curvature.intervals import Range
from matcalc.curvature.ranges import Ranges
from matcalc.curvature.spectrum import Reason
from matcalc.curvature.univariate import T as _T
from matcalc.curvature.univariate import functions_of_one, pieces, range_of_function
from matcalc.dims import is_one
from matcalc.expr import Expr, postorder, record
from matcalc.properties import known
from matcalc.rewrite.engine import Rewriter
from matcalc.walk import depends, variables

BOYD = "Boyd & Vandenberghe, Convex Optimization (2004)"
_MANY = 12  # terms of a sum among which pairs are sought


@dataclass(frozen=True, slots=True)
class Shape:
    """How the entries of a value depend on the variables: affine is both."""

    convex: bool
    concave: bool

    @property
    def affine(self) -> bool:
        """Both convex and concave."""
        return self.convex and self.concave

    def turned(self) -> Shape:
        """That of the negative."""
        return Shape(self.concave, self.convex)

    def both(self, other: Shape) -> Shape:
        """That of a sum."""
        return Shape(self.convex and other.convex, self.concave and other.concave)


AFFINE = Shape(True, True)
CONVEX = Shape(True, False)
CONCAVE = Shape(False, True)
UNKNOWN = Shape(False, False)


class Composition:
    """The shapes of values, from the variables up.

    Args:
        variables: what moves.
        ranges: of entries.
        rewriter: compares the two sides of products.
    """

    def __init__(self, variables: Iterable[Expr], ranges: Ranges, rewriter: Rewriter) -> None:
        self.variables = list(variables)
        self.ranges = ranges
        self.rewriter = rewriter
        self.reasons: dict[Reason, None] = {}
        self._moving: set[Expr] = set()
        self.shape: dict[Expr, Shape] = {}

    def of(self, e: Expr) -> Shape:
        """The shape of an expression."""
        self._moving |= depends((e,), self.variables)
        for sub in postorder((e,)):
            if sub not in self.shape:
                self.shape[sub] = self._one(sub)
        return self.shape[e]

    def _one(self, e: Expr) -> Shape:
        if e in self.variables or e not in self._moving:
            return AFFINE
        args = [self.shape[a] for a in e.args]
        special = next((found for recognise in ATOMS if (found := recognise(self, e)) is not None), None)
        if special is not None:
            return special
        if e.op == "add":
            return self._sum(e)
        if e.op == "named" or record(e.op).linear:
            return self._all(args)
        if e.op in ("scale", "hadamard"):
            return self._product(e, args)
        if e.op == "matmul":
            return self._matrix_product(e, args)
        if e.op == "kron":
            return self._product(e, args)
        found = self._composed(e, args)
        return found if found.convex or found.concave else self._chain(e)

    def _all(self, args: list[Shape]) -> Shape:
        total = AFFINE
        for shape in args:
            total = total.both(shape)
        return total

    def _sum(self, e: Expr) -> Shape:
        """A sum term by term; functions that are spelled in two terms count as one."""
        left, total = dict(enumerate(e.args)), AFFINE
        if len(left) <= _MANY:
            for (i, first), (k, other) in permutations(enumerate(e.args), 2):
                if i in left and k in left:
                    found = next((f for recognise in PAIRS if (f := recognise(self, first, other)) is not None), None)
                    if found is not None:
                        del left[i], left[k]
                        total = total.both(found)
        return total.both(self._all([self.shape[t] for t in left.values()]))

    def is_constant(self, e: Expr) -> bool:
        """Whether an expression does not depend on the variables."""
        return e not in self._moving and e not in self.variables

    def says(self, rule: str, statement: str, source: str, e: Expr, shape: Shape) -> Shape:
        """Note the step that a rule makes, and return its result."""
        self.reasons[Reason(rule, statement, source, e)] = None
        return shape

    # -------------------------------------------------------------------------------------------- products

    def _product(self, e: Expr, args: list[Shape]) -> Shape:
        """A product with constants: by their sign."""
        moving = [k for k, a in enumerate(e.args) if not self.is_constant(a)]
        if len(moving) != 1:
            return self._chain(e)
        shape = args[moving[0]]
        if shape.affine:
            return AFFINE
        rest = [self.ranges.of(a) for k, a in enumerate(e.args) if k != moving[0]]
        negative = False
        for r in rest:
            if r.nonpositive and not r.nonnegative:
                negative = not negative
            elif not r.nonnegative:
                return UNKNOWN
        return shape.turned() if negative else shape

    def _matrix_product(self, e: Expr, args: list[Shape]) -> Shape:
        moving = [k for k, a in enumerate(e.args) if not self.is_constant(a)]
        if len(moving) == 1:
            shape = args[moving[0]]
            if shape.affine:
                return AFFINE
            rest = [self.ranges.of(a) for k, a in enumerate(e.args) if k != moving[0]]
            if all(r.nonnegative for r in rest):
                return shape
            return shape.turned() if len(rest) == 1 and rest[0].nonpositive else UNKNOWN
        if len(moving) == 2 and is_one(e.shape[0]) and is_one(e.shape[1]):
            return self._quadratic(e, args)
        return UNKNOWN

    def _quadratic(self, e: Expr, args: list[Shape]) -> Shape:
        """x' M x with an affine x and a constant semidefinite M."""
        factors = list(e.args)
        while len(factors) > 1 and self.turned(factors[0], factors[-1]):
            first = factors.pop(0)
            factors.pop()
            if not self.shape[first].affine:
                return UNKNOWN
        statement = "x' M x is convex where M is positive semidefinite"
        if not factors:
            return self.says("quadratic_form", statement, f"{BOYD}, 3.1.4", e, CONVEX)
        if len(factors) == 1 and self.is_constant(factors[0]) and known(factors[0], "positive-semidefinite"):
            return self.says("quadratic_form", statement, f"{BOYD}, 3.1.4", e, CONVEX)
        return UNKNOWN

    def turned(self, a: Expr, b: Expr) -> bool:
        """Whether one factor is the transpose of another."""
        return self.rewriter.normal(a.T) is self.rewriter.normal(b)

    # -------------------------------------------------------------------------------------------- composition

    def _composed(self, e: Expr, args: list[Shape]) -> Shape:
        """A function of its arguments, by its own curvature and whether it increases."""
        entry = record(e.op)
        increasing = entry.monotone > 0 and entry.scalar_function is None
        if increasing and entry.convexity > 0 and all(a.convex for a in args):
            return self.says(e.op, f"{e.op} is convex and increasing in every entry", f"{BOYD}, 3.1.5", e, CONVEX)
        if increasing and entry.convexity < 0 and all(a.concave for a in args):
            return self.says(e.op, f"{e.op} is concave and increasing in every entry", f"{BOYD}, 3.2.3", e, CONCAVE)
        if entry.norm:
            return self._norm(e, args[0])
        if e.op in ("eigmax", "eigmin") and args[0].affine and known(e.args[0], "symmetric"):
            shape = CONVEX if e.op == "eigmax" else CONCAVE
            statement = f"{e.op} of symmetric matrices is {'convex' if shape.convex else 'concave'}"
            return self.says("extreme_eigenvalue", statement, f"{BOYD}, 3.2.3", e, shape)
        if e.op == "logdet" and args[0].affine and known(e.args[0], "positive-definite"):
            statement = "logdet is concave on positive definite matrices"
            return self.says("logdet_concave", statement, f"{BOYD}, 3.1.5", e, CONCAVE)
        if e.op == "log_softmax" and args[0].affine:
            statement = "log_softmax(x) = x - logsumexp(x) is concave in every entry"
            return self.says("log_softmax_concave", statement, f"{BOYD}, 3.1.5", e, CONCAVE)
        if e.op in ("var", "std") and args[0].affine and (e.op == "var" or e.params[-1] is not None):
            return self.says("variance", f"{e.op} is a seminorm, or its square", f"{BOYD}, 3.2", e, CONVEX)
        return self._scalar_function(e, args)

    def _norm(self, e: Expr, inner: Shape) -> Shape:
        source = f"{BOYD}, 3.1.5"
        if inner.affine:
            return self.says("norm", "a norm of an affine value is convex", source, e, CONVEX)
        if inner.convex and e.op in ("norm1", "norm2") and self.ranges.of(e.args[0]).nonnegative:
            statement = "a norm that increases in nonnegative entries, of convex nonnegative entries, is convex"
            return self.says("norm", statement, source, e, CONVEX)
        return UNKNOWN

    def _scalar_function(self, e: Expr, args: list[Shape]) -> Shape:
        """phi(g): convex for convex phi if g is affine, or convex with phi increasing on its range."""
        form = own_form(e)
        if form is None and not record(e.op).convexity:
            return UNKNOWN
        inner = next((s for s, a in zip(args, e.args) if not self.is_constant(a)), UNKNOWN)
        if sum(not self.is_constant(a) for a in e.args) != 1 or not (inner.convex or inner.concave):
            return UNKNOWN
        where = self.ranges.of(e.args[0])
        second = self._own_curvature(e, form, where)
        if not (second.convex or second.concave):
            return UNKNOWN
        if inner.affine:
            return self.says("convex_function", f"{e.op} of an affine value", f"{BOYD}, 3.2.2", e, second)
        increasing, decreasing = self._monotone(e, form, where)
        statement = "a convex increasing function of a convex one is convex, and so on"
        convex = second.convex and ((inner.convex and increasing) or (inner.concave and decreasing))
        concave = second.concave and ((inner.concave and increasing) or (inner.convex and decreasing))
        if convex or concave:
            return self.says("composition", statement, f"{BOYD}, 3.2.4", e, Shape(convex, concave))
        return UNKNOWN

    def _own_curvature(self, e: Expr, form: sp.Expr | None, where: Range) -> Shape:
        """That of an entrywise operation as a function of its argument: stated by its record, or from f''."""
        stated = record(e.op).convexity
        if stated or form is None:
            return CONVEX if stated > 0 else CONCAVE if stated < 0 else UNKNOWN
        return curvature_of_function(form, where)

    def _monotone(self, e: Expr, form: sp.Expr | None, where: Range) -> tuple[bool, bool]:
        """Whether an entrywise operation increases, and whether it decreases, on an interval."""
        entry = record(e.op)
        if entry.monotone:
            return entry.monotone > 0, entry.monotone < 0
        if entry.convexity:
            return where.nonnegative, where.nonpositive
        slope = None if form is None else range_of_function(sp.diff(form, _T), where)
        return slope is not None and slope.nonnegative, slope is not None and slope.nonpositive

    def _chain(self, e: Expr) -> Shape:
        """An entrywise expression in one affine value, as a function of one number."""
        bounds = [v for v in variables((e,)) if v.is_scalar and self.is_constant(v) and known(v, "positive")]
        for form, z in chain(functions_of_one(e), functions_of_one(e, bounds)):
            if not form.has(_T) or z is e or not self.shape.get(z, UNKNOWN).affine or self.moves_beside(e, z):
                continue
            shape = curvature_of_function(form, self.ranges.of(z))
            if shape.convex or shape.concave:
                statement = "the second derivative of a function of one number has one sign"
                return self.says("function_of_one_number", statement, f"{BOYD}, 3.1.4", e, shape)
        return UNKNOWN

    def moves(self, e: Expr) -> bool:
        """Whether any expression, seen before or not, depends on the variables."""
        return e in depends((e,), self.variables)

    def moves_beside(self, e: Expr, z: Expr) -> bool:
        """Whether an expression depends on the variables otherwise than through z."""
        reached = set(postorder((e,), stop=lambda s: s is z))
        return any(v in reached for v in self.variables if v is not z)

    def is_gram(self, e: Expr) -> bool:
        """Whether a matrix is A'A or A A' of an affine A."""
        return e.op == "matmul" and len(e.args) == 2 and self.turned(*e.args) and self.of(e.args[0]).affine

    def is_square(self, e: Expr) -> bool:
        """Whether a scalar is the square of a norm of affine values, however it is spelled."""
        if e.op == "power" and e.args[1].number == 2:
            return self.shape[e.args[0]].affine or (e.args[0].op == "norm2" and self.shape[e.args[0].args[0]].affine)
        if e.op == "sum" and e.args[0].op == "power" and e.args[0].args[1].number == 2:
            return self.shape[e.args[0].args[0]].affine
        if e.op == "var" and e.is_scalar:
            return self.shape[e.args[0]].affine
        if e.op in ("tr", "eigmax") and self.is_gram(e.args[0]):
            return True
        return any(reason.rule == "quadratic_form" and reason.of is e for reason in self.reasons)


Atom = Callable[[Composition, Expr], "Shape | None"]
ATOMS: list[Atom] = []


def atom(f: Atom) -> Atom:
    """Register a recogniser of a function of several values: its shape, or None where it is something else."""
    ATOMS.append(f)
    return f


Pair = Callable[[Composition, Expr, Expr], "Shape | None"]
PAIRS: list[Pair] = []


def pair(f: Pair) -> Pair:
    """Register a recogniser of a function that is spelled in two terms of a sum."""
    PAIRS.append(f)
    return f


def coefficient(e: Expr) -> tuple[sp.Expr, Expr]:
    """The number in front, and the rest."""
    if e.op == "scale" and e.args[0].number is not None:
        return e.args[0].number, scale(*e.args[1:])
    return sp.S.One, e


def quotient(e: Expr) -> tuple[Expr | None, Expr | None]:
    """The x and t of x/t."""
    if e.op == "divide":
        return e.args[0], e.args[1]
    if e.op in ("scale", "hadamard"):
        for k, a in enumerate(e.args):
            if a.op == "power" and a.args[1].number == -1:
                rest = [b for j, b in enumerate(e.args) if j != k]
                return (hadamard if e.op == "hadamard" else scale)(*rest), a.args[0]
    return None, None


def minus_of(e: Expr) -> Expr | None:
    """The x of -x."""
    return scale(*e.args[1:]) if e.op == "scale" and e.args[0].number == -1 else None


def own_form(e: Expr) -> sp.Expr | None:
    """An entrywise operation as a function of its argument t."""
    if e.op == "power" and e.args[1].number is not None and e.args[1].number.is_number:
        return _T ** e.args[1].number
    entry = record(e.op)
    if entry.scalar_function is None or e.params or entry.convexity:
        return None
    return entry.scalar_function(_T)


def curvature_of_function(form: sp.Expr, where: Range) -> Shape:
    """Whether a function of t is convex or concave on an interval: by f'' on its pieces and the slopes at joints."""
    parts = pieces(form, where)
    if parts is None:
        return UNKNOWN
    total = AFFINE
    for part, piece in parts:
        second = range_of_function(sp.diff(piece, _T, 2), part)
        total = total.both(UNKNOWN if second is None else Shape(second.nonnegative, second.nonpositive))
        attained = [end for end, is_open in ((part.low, part.low_open), (part.high, part.high_open)) if not is_open]
        if form is not piece and any(_differ(form, piece, end) for end in attained):
            return UNKNOWN
    for (part, left), (_, right) in pairwise(parts):
        turn = sp.simplify((sp.diff(right, _T) - sp.diff(left, _T)).subs(_T, part.high))
        if _differ(left, right, part.high) or _differ(form, left, part.high) or not turn.is_extended_real:
            return UNKNOWN
        total = total.both(Shape(bool(turn >= 0), bool(turn <= 0)))
    return total


def _differ(f: sp.Expr, g: sp.Expr, at: sp.Expr) -> bool:
    """Whether two functions of t are not known to have the same value at a point."""
    return bool(sp.simplify(f.subs(_T, at) - g.subs(_T, at)) != 0)
