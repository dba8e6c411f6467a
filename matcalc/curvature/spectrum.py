"""Bounds of the eigenvalues of a structured Hessian, whatever the variables are: what proves that it is definite.

The matrix is followed term by term: sums, congruences, Kronecker and entrywise products, diagonal matrices whose
entries have a range, rank-one terms that are dominated. Each rule is a theorem with a name and a source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from matcalc import core
from matcalc.core import matmul, number, scale
from matcalc.curvature.ranges import Ranges
from matcalc.dims import same
from matcalc.expr import Expr, postorder
from matcalc.ops.spectral import eigmax, eigmin
from matcalc.properties import known
from matcalc.rewrite.engine import Rewriter
from matcalc.walk import depends, substitute

HORN = "Horn & Johnson, Matrix Analysis (2013)"
TOPICS = "Horn & Johnson, Topics in Matrix Analysis (1991)"


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of a proof.

    Attributes:
        rule: the name of the theorem.
        statement: what it says.
        source: where it is published.
        of: the expression that it was applied to.
    """

    rule: str
    statement: str
    source: str
    of: Expr


@dataclass(frozen=True, slots=True)
class Spectrum:
    """What is known of the eigenvalues of a symmetric matrix (of the quadratic form on symmetric directions).

    Attributes:
        low: no eigenvalue is below it, at any point; it does not depend on the variables. None: not known.
        high: no eigenvalue is above it.
        psd: whether the matrix is positive semidefinite at every point.
        pd: whether it is positive definite at every point.
        nsd: whether it is negative semidefinite.
        nd: whether it is negative definite.
        reasons: the steps of the proof.
    """

    low: Expr | None = None
    high: Expr | None = None
    psd: bool = False
    pd: bool = False
    nsd: bool = False
    nd: bool = False
    reasons: tuple[Reason, ...] = field(default=(), compare=False)

    def negated(self) -> Spectrum:
        """That of the negative matrix."""
        low = None if self.high is None else core.minus(self.high)
        high = None if self.low is None else core.minus(self.low)
        return Spectrum(low, high, self.nsd, self.nd, self.psd, self.pd, self.reasons)


ZERO = number(0)
UNKNOWN = Spectrum()


def or_zero(bound: Expr | None) -> Expr:
    """A lower bound of nonnegative eigenvalues."""
    return ZERO if bound is None else bound


def sum_of_spectra(parts: Sequence[Spectrum], ranges: Ranges, rewriter: Rewriter) -> Spectrum:
    """That of a sum: its least eigenvalue is at least the sum of the least ones (Weyl)."""
    lows, highs = [p.low for p in parts], [p.high for p in parts]
    low = None if None in lows else rewriter.simplify(core.add(*[x for x in lows if x is not None]))
    high = None if None in highs else rewriter.simplify(core.add(*[x for x in highs if x is not None]))
    psd, nsd = all(p.psd for p in parts), all(p.nsd for p in parts)
    pd, nd = psd and any(p.pd for p in parts), nsd and any(p.nd for p in parts)
    if low is not None:
        r = ranges.of(low)
        psd, pd = psd or r.nonnegative, pd or r.positive
    if high is not None:
        r = ranges.of(high)
        nsd, nd = nsd or r.nonpositive, nd or r.negative
    return Spectrum(low, high, psd, pd, nsd, nd, tuple(reason for p in parts for reason in p.reasons))


class Spectra:
    """Finds the spectra of matrices.

    Args:
        variables: what moves; everything else is constant.
        rewriter: simplifies the constants and compares factors.
        ranges: of entries.
        symmetric: whether the matrix acts on vec of symmetric matrices only.
    """

    def __init__(self, variables: Iterable[Expr], rewriter: Rewriter, ranges: Ranges, *, symmetric: bool) -> None:
        self.variables = list(variables)
        self.rewriter = rewriter
        self.ranges = ranges
        self.symmetric = symmetric

    def of(self, matrix: Expr) -> Spectrum:
        """What is known of the eigenvalues of a matrix."""
        e = opened(matrix)
        if self.symmetric:
            e = self._without_commutations(e)
        return self.inner(e)

    def inner(self, e: Expr) -> Spectrum:
        """The same inside of a matrix: no commutation matrix is left out."""
        for theorem in THEOREMS:
            found = theorem(self, e)
            if found is not None:
                return self._with_facts(e, found)
        return self._with_facts(e, UNKNOWN)

    def _with_facts(self, e: Expr, found: Spectrum) -> Spectrum:
        """What declared facts say beyond the rules."""
        definite, semidefinite = known(e, "positive-definite"), known(e, "positive-semidefinite")
        if not semidefinite or found.pd or found.nsd:
            return found
        low, high = found.low, found.high
        if self.is_constant(e):
            low = low if low is not None and low is not ZERO else eigmin(e)
            high = high if high is not None else eigmax(e)
        reason = Reason("declared_definite", "a matrix is definite where its facts say so", HORN, e)
        return Spectrum(or_zero(low), high, True, found.pd or definite, found.nsd, found.nd, (*found.reasons, reason))

    # -------------------------------------------------------------------------------------------- questions

    def is_constant(self, e: Expr) -> bool:
        """Whether an expression does not depend on what moves."""
        return e not in depends((e,), self.variables) and e not in self.variables

    def simple(self, e: Expr) -> Expr:
        """The expression in short form."""
        return self.rewriter.simplify(e)

    def equal(self, a: Expr, b: Expr) -> bool:
        """Whether two expressions have the same normal form."""
        return a is b or self.rewriter.normal(a) is self.rewriter.normal(b)

    def _without_commutations(self, e: Expr) -> Expr:
        """The same quadratic form on vec of symmetric matrices, which commutation matrices leave as they are."""
        if e.op == "comm":
            return core.eye(e.shape[0])
        if e.op == "add":
            return core.add(*map(self._without_commutations, e.args))
        if e.op == "scale":
            return scale(*e.args[:-1], self._without_commutations(e.args[-1]))
        if e.op == "matmul":
            factors = list(e.args)
            while len(factors) > 1 and factors[-1].op == "comm" and same(*factors[-1].params):
                factors.pop()
            while len(factors) > 1 and factors[0].op == "comm" and same(*factors[0].params):
                factors.pop(0)
            return matmul(*factors)
        return e


def opened(e: Expr) -> Expr:
    """The expression with its local names replaced by what they stand for."""
    while names := [s for s in postorder((e,), through_names=False) if s.op == "named" and s.params[1] == "local"]:
        e = substitute(e, {name: name.args[0] for name in names}, through_names=False)
    return e


Theorem = Callable[[Spectra, Expr], "Spectrum | None"]
THEOREMS: list[Theorem] = []


def theorem(f: Theorem) -> Theorem:
    """Register a theorem: what it says of a matrix, or None where it does not apply; its docstring is the statement."""
    THEOREMS.append(f)
    return f


def because(f: Theorem, source: str, e: Expr) -> Reason:
    """The step that a theorem makes."""
    return Reason(f.__name__, " ".join((f.__doc__ or "").split()), source, e)
