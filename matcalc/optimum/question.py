"""The question: a function, its unknowns, their constraints, and what is sought; derivatives on demand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from matcalc import core
from matcalc.calculus.conditions import domain_of
from matcalc.calculus.jacobian import hessian_by, jacobian_by
from matcalc.calculus.problem import Problem
from matcalc.claims.equality import without_names
from matcalc.curvature.curvature import curvature_of
from matcalc.curvature.ranges import Ranges
from matcalc.curvature.spectrum import Spectra
from matcalc.curvature.status import Curvature
from matcalc.dims import is_one, same
from matcalc.errors import NoRuleError
from matcalc.expr import Expr, postorder, record
from matcalc.graph import Graph
from matcalc.ops.decompositions import pinv
from matcalc.properties import known
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter, Spreader
from matcalc.rewrite.normal import is_zero
from matcalc.walk import depends, substitute, transform

MINIMUM, MAXIMUM, SADDLE, STATIONARY = "minimum", "maximum", "saddle", "stationary"


@dataclass(frozen=True)
class Constraint:
    """An equation that the unknowns must satisfy.

    Attributes:
        text: as it was given.
        left: its left side.
        right: its right side.
    """

    text: str
    left: Expr
    right: Expr

    @property
    def residual(self) -> Expr:
        """left - right."""
        return core.add(self.left, core.minus(self.right))


@dataclass(frozen=True)
class Question:
    """What is optimised.

    Attributes:
        function: the scalar function, its names opened.
        over: the unknowns.
        constraints: equations that they must satisfy.
        sense: `minimum`, `maximum` or `stationary`.
        given: facts that hold of the data.
        strict: whether the function is known to be strictly convex or concave, as what is left after an elimination.
    """

    function: Expr
    over: tuple[Expr, ...]
    constraints: tuple[Constraint, ...] = ()
    sense: str = STATIONARY
    given: tuple[tuple[str, Expr], ...] = ()
    strict: bool = False
    spectra_cache: dict[Expr, bool] = field(default_factory=dict, compare=False, repr=False)

    # -------------------------------------------------------------------------------------------- tools

    @cached_property
    def problem(self) -> Problem:
        """The derivatives by all unknowns."""
        return Problem(Graph.of(self.function, self.over), self.over)

    @cached_property
    def rewriter(self) -> Rewriter:
        """Simplifies under the facts of the domain."""
        return Rewriter(Context([*domain_of(self.function), *self.given]))

    def simple(self, e: Expr) -> Expr:
        """The shortest form, without local names."""
        return opened(self.rewriter.simplify(opened(e)))

    def multiplied_out(self, e: Expr) -> list[Expr]:
        """The terms of the expression as a sum of products; sums that depend on no unknown are kept whole."""
        e = opened(e)
        moving = depends((e,), self.over)
        whole = [s for s in postorder((e,)) if s.op == "add" and s not in moving] if e in moving else []
        names = {s: core.named(f"sum {k}", s, "local") for k, s in enumerate(whole)}
        spread = Spreader(self.rewriter.context).spread(substitute(e, names))
        return [opened(t) for t in terms(self.simple(e) if spread is None else spread)]

    def free_of(self, e: Expr, unknowns: Iterable[Expr] | None = None) -> bool:
        """Whether an expression depends on none of the unknowns."""
        wanted = set(self.over if unknowns is None else unknowns)
        return e not in wanted and e not in depends((e,), wanted)

    # -------------------------------------------------------------------------------------------- derivatives

    @cached_property
    def gradients(self) -> dict[Expr, Expr]:
        """The gradients, along symmetric directions for symmetric unknowns."""
        return {v: self._along(v, opened(self.problem.gradient(v.name))) for v in self.over}

    def _along(self, v: Expr, G: Expr) -> Expr:
        if not is_symmetric(v) or v.is_scalar or known(G, "symmetric"):
            return G
        turned = self.simple(G.T)
        if turned is G or is_zero(self.rewriter.simplify(core.add(G, core.minus(turned)))):
            return G
        return core.scale(core.number(core.exact("0.5")), core.add(G, turned))

    @property
    def one(self) -> Expr:
        """The only unknown."""
        return self.over[0]

    @cached_property
    def gradient(self) -> Expr:
        """The gradient by the only unknown."""
        return self.gradients[self.one]

    @cached_property
    def hessian(self) -> Expr | None:
        """The Hessian by the only unknown, on vec."""
        try:
            return opened(hessian_by(self.problem, self.one.name).value)
        except NoRuleError:
            return None

    @cached_property
    def start(self) -> Expr:
        """The gradient at zero, of a function that is quadratic in the only unknown."""
        return self.simple(self.at_zero(self.gradient, self.one))

    def at_zero(self, e: Expr, v: Expr) -> Expr:
        """The expression with an unknown set to zero."""

        def at_zero(new: Expr, old: Expr) -> Expr:
            if old is v:
                return core.zero_of(v)
            zero = (record(new.op).linear or record(new.op).norm) and all(is_zero(a) for a in new.args)
            zero = zero or (new.op in ("matmul", "scale", "hadamard", "kron") and any(is_zero(a) for a in new.args))
            if new.op == "power" and is_zero(new.args[0]):
                exponent = new.args[1].number
                zero = exponent is not None and bool(exponent.is_positive)
            return core.zero_of(new) if zero else new

        return transform((e,), at_zero)[e]

    def jacobian_of(self, e: Expr, v: Expr) -> Expr | None:
        """The Jacobian of an expression on vec."""
        try:
            return opened(jacobian_by(Problem(Graph.of(e, [v]), [v]), v.name).value)
        except NoRuleError:
            return None

    @cached_property
    def curvature(self) -> Curvature:
        """The curvature of the function in all unknowns."""
        return curvature_of(self.problem)

    # -------------------------------------------------------------------------------------------- definiteness

    def is_no_zero_vector(self, a: Expr) -> bool:
        """Whether a column of the data is proved not to be the zero vector."""
        if known(a, "nonzero") or self.rewriter.context.known(a, "nonzero"):
            return True
        if a.op == "scale":
            return self.is_nonzero(core.scale(*a.args[:-1])) and self.is_no_zero_vector(a.args[-1])
        if a.op == "matmul" and all(same(*f.shape) for f in a.args[:-1]):
            return all(self.is_nonsingular(f) for f in a.args[:-1]) and self.is_no_zero_vector(a.args[-1])
        return False

    def _is_positive_form(self, e: Expr) -> bool:
        """Whether it is a'W a with W positive definite (or none) and a not zero."""
        scalars, body = split_scalars(e)
        if body.op == "power" and body.args[1].number == 2 and body.args[0].op == "norm2":
            return self.sign(scalars) == 1 and self.is_no_zero_vector(body.args[0].args[0])
        if body.op != "matmul":
            return False
        factors = list(body.args)
        half, odd = len(factors) // 2, len(factors) % 2
        a = core.matmul(*factors[half + odd :])
        turned = core.transpose(core.matmul(*factors[:half]))
        if self.rewriter.normal(turned) is not self.rewriter.normal(a) or self.sign(scalars) != 1:
            return False
        if not is_one(a.shape[1]) or (odd and not self.is_positive_definite(factors[half])):
            return False
        return self.is_no_zero_vector(a)

    def is_positive_definite(self, M: Expr) -> bool:
        """Whether a matrix of the data is proved to be positive definite."""
        if M not in self.spectra_cache:
            found = known(M, "positive-definite") or self.rewriter.context.known(M, "positive-definite")
            if not found and M.is_scalar:
                found = self._is_positive_form(M)
            if not found:
                found = Spectra([], self.rewriter, Ranges(), symmetric=False).of(M).pd
            self.spectra_cache[M] = found
        return self.spectra_cache[M]

    def is_positive_semidefinite(self, M: Expr) -> bool:
        """Whether a matrix of the data is proved to be positive semidefinite."""
        M = self.with_matching_signs(M)
        if known(M, "positive-semidefinite") or self.is_positive_definite(M):
            return True
        return Spectra([], self.rewriter, Ranges(), symmetric=False).of(M).psd

    def with_matching_signs(self, e: Expr) -> Expr:
        """(A - B)'(B - A) as -(A - B)'(A - B): a congruence is then seen."""
        scalars, body = split_scalars(e)
        if body.op != "matmul":
            return e
        last = core.transpose(body.args[0])
        if self.rewriter.normal(last) is not self.rewriter.normal(core.minus(body.args[-1])):
            return e
        scalars = self.simple(core.minus(scalars))
        product = core.matmul(*body.args[:-1], self.simple(last))
        return product if scalars.number == 1 else core.scale(scalars, product)

    def is_nonsingular(self, M: Expr) -> bool:
        """Whether a matrix of the data is proved to be nonsingular."""
        if known(M, "nonsingular") or self.rewriter.context.known(M, "nonsingular"):
            return True
        if M.is_scalar:
            return self.is_nonzero(M)
        scalars, body = split_scalars(M)
        if scalars.number != 1:
            return self.is_nonzero(scalars) and self.is_nonsingular(body)
        if M.op == "eye":
            return True
        return self.is_positive_definite(M) or self.is_positive_definite(self.simple(core.minus(M)))

    def is_nonzero(self, e: Expr) -> bool:
        """Whether a value of the data is proved not to be zero."""
        if known(e, "nonzero") or self.rewriter.context.known(e, "nonzero"):
            return True
        return self.sign(e) != 0

    def sign(self, e: Expr) -> int:
        """1 or -1 where all entries are proved to be positive or negative, else 0."""
        r = Ranges().of(e)
        if r.positive or known(e, "positive") or (e.is_scalar and self.is_positive_definite(e)):
            return 1
        if r.negative or (e.is_scalar and self.is_positive_definite(self.simple(core.minus(e)))):
            return -1
        return 0

    def is_nonnegative(self, e: Expr) -> bool:
        """Whether all entries are proved not to be negative."""
        if known(e, "nonnegative") or Ranges().of(e).nonnegative:
            return True
        if e.op == "add":
            return all(self.is_nonnegative(a) for a in e.args)
        return e.is_scalar and (self.is_positive_semidefinite(e) or self._is_nonnegative_form(e))

    def _is_nonnegative_form(self, e: Expr) -> bool:
        """Whether it is a'W a with W positive semidefinite, or none."""
        scalars, body = split_scalars(e)
        if body.op != "matmul" or not Ranges().of(scalars).nonnegative:
            return False
        factors = list(body.args)
        half, odd = len(factors) // 2, len(factors) % 2
        a, turned = core.matmul(*factors[half + odd :]), core.transpose(core.matmul(*factors[:half]))
        same_ends = self.rewriter.normal(turned) is self.rewriter.normal(a)
        return same_ends and (not odd or self.is_positive_semidefinite(factors[half]))

    def with_facts(self, **changes: object) -> Question:
        """The same question with some attributes changed."""
        return replace(self, spectra_cache={}, **changes)  # type: ignore[arg-type]


def opened(e: Expr) -> Expr:
    """The expression without names."""
    return without_names(e)


def terms(e: Expr) -> list[Expr]:
    """The terms of a sum."""
    return list(e.args) if e.op == "add" else [e]


def is_symmetric(v: Expr) -> bool:
    """Whether an unknown moves along symmetric directions."""
    return known(v, "symmetric")


def split_scalars(e: Expr) -> tuple[Expr, Expr]:
    """The scalar factors of a multiple, and what they multiply."""
    if e.op != "scale":
        return core.number(1), e
    return core.scale(*e.args[:-1]), e.args[-1]


def negative(e: Expr) -> Expr:
    """-e."""
    return core.minus(e)


def inverse_of(M: Expr) -> Expr:
    """inv(M); 1/M for a number."""
    return core.reciprocal(M) if M.is_scalar else core.inverse(M)


def pseudoinverse(M: Expr) -> Expr:
    """pinv(M)."""
    return pinv(M)


def product_of(*factors: Expr) -> Expr:
    """The product of matrices, 1 x 1 ones among them."""
    product = factors[0]
    for f in factors[1:]:
        product = core.product(product, f)
    return product


def is_column(v: Expr) -> bool:
    """Whether it is n x 1, n not 1."""
    return is_one(v.shape[1]) and not is_one(v.shape[0])
