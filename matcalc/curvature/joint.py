"""Bounds of the eigenvalues of the joint Hessian of a sum in several variables, term by term.

Terms in one variable make diagonal blocks. A function of an affine value z, entry by entry, has the Hessian J'D J with
the Jacobian J of z and a diagonal D: its eigenvalues are bounded by the range of D and the largest one of J J', the sum
of the J J' of each variable. Other quadratic terms are sums of Kronecker products where their blocks are multiples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import sympy as sp

from matcalc import core
from matcalc.calculus.jacobian import hessian_by, jacobian_by
from matcalc.calculus.problem import Problem
from matcalc.core import matmul, number, scale
from matcalc.curvature.composition import Composition, Shape
from matcalc.curvature.intervals import Range, by_value
from matcalc.curvature.ranges import Ranges
from matcalc.curvature.spectrum import HORN, TOPICS, ZERO, Reason, Spectra, Spectrum, opened, sum_of_spectra
from matcalc.curvature.theorems import largest
from matcalc.curvature.univariate import T, functions_of_one, pieces, range_of_function
from matcalc.dims import same_shape
from matcalc.errors import NoRuleError
from matcalc.expr import Expr, record
from matcalc.graph import Graph
from matcalc.ops.comparison import maximum, minimum
from matcalc.ops.selection import block_of
from matcalc.ops.spectral import eigmax
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.normal import is_zero
from matcalc.walk import depends, rebuild

GERSHGORIN = "Boyd & Vandenberghe, Convex Optimization (2004), 3.1.5; Gershgorin for the bound"
BLOCKS = "the eigenvalues of a block diagonal matrix are those of its blocks"
OF_AFFINE = "f(z) with an affine z has the Hessian J'D J, with eigenvalues up to the largest of D times that of J J'"
OF_SOFTMAX = "logsumexp(z) has the Hessian J'(diag(p) - p p')J, with eigenvalues up to half the largest one of J J'"
KRONECKER = "blocks that are multiples c of one matrix M make C (x) M, whose eigenvalues are the products"
WEYL = "the least eigenvalue of a sum is at least the sum of the least ones (Weyl)"
SCHUR = "[A, B; B', C] is positive semidefinite where A is positive definite and C - B' A^-1 B is positive semidefinite"


class Joint:
    """Finds what is known of the joint Hessian.

    Args:
        d: the problem, with all variables.
        composition: shapes of values in all variables.
        ranges: of entries.
        in_one: the spectrum of the Hessian of some terms by the only variable that they depend on.
    """

    def __init__(
        self,
        d: Problem,
        composition: Composition,
        ranges: Ranges,
        in_one: Callable[[Expr, list[Expr]], Spectrum | None],
    ) -> None:
        self.d = d
        self.variables = tuple(d.wrt)
        self.composition = composition
        self.ranges = ranges
        self.in_one = in_one
        self.rewriter: Rewriter = d.rewriter
        self.spectra = Spectra(self.variables, self.rewriter, ranges, symmetric=False)

    def of(self, terms: Sequence[Expr]) -> Spectrum:
        """What is known of the Hessian of a sum of smooth terms."""
        alone: dict[Expr, list[Expr]] = {v: [] for v in self.variables}
        coupled: list[Spectrum] = []
        left: list[Expr] = []
        for t in terms:
            moving = [v for v in self.variables if _moves(t, (v,))]
            if len(moving) == 1:
                alone[moving[0]].append(t)
            elif len(moving) > 1:
                found = self.coupled(t)
                coupled, left = ([*coupled, found], left) if found is not None else (coupled, [*left, t])
        if left:
            quadratic = {v: [t for t in ts if self._is_quadratic(t)] for v, ts in alone.items()}
            whole = self.quadratic(core.add(*left, *(t for ts in quadratic.values() for t in ts)))
            if whole is None:
                return Spectrum()
            coupled.append(whole)
            alone = {v: [t for t in ts if t not in quadratic[v]] for v, ts in alone.items()}
        return self._sum(self._blocks(alone), coupled)

    # -------------------------------------------------------------------------------------------- sums

    def _blocks(self, alone: dict[Expr, list[Expr]]) -> Spectrum:
        """The block diagonal matrix of the terms in one variable each."""
        flat = Spectrum(ZERO, ZERO, psd=True, nsd=True)
        parts = [(self.in_one(v, ts) or Spectrum()) if ts else flat for v, ts in alone.items()]
        reasons = [r for p in parts for r in p.reasons]
        reasons.append(Reason("block_diagonal_matrix", BLOCKS, HORN, self.variables[0]))
        return Spectrum(
            self._extreme([p.low for p in parts], least=True),
            self._extreme([p.high for p in parts], least=False),
            all(p.psd for p in parts),
            all(p.pd for p in parts),
            all(p.nsd for p in parts),
            all(p.nd for p in parts),
            tuple(reasons),
        )

    def _extreme(self, bounds: list[Expr | None], *, least: bool) -> Expr | None:
        """The least or greatest of some numbers."""
        known_ones = list(dict.fromkeys(self.rewriter.simplify(b) for b in bounds if b is not None))
        if len(known_ones) < len(set(bounds)) and None in bounds:
            return None
        numbers = [b for b in known_ones if b.number is not None and b.number.is_number]
        rest = [b for b in known_ones if b not in numbers]
        chosen = [(min if least else max)(numbers, key=lambda b: by_value(b.number))] if numbers else []
        if chosen and chosen[0].number == 0 and rest and all(self.ranges.of(b).nonnegative for b in rest):
            chosen, rest = (chosen, []) if least else ([], rest)
        found = [*rest, *chosen]
        total = found[0]
        for b in found[1:]:
            total = minimum(total, b) if least else maximum(total, b)
        return total

    def _sum(self, first: Spectrum, others: list[Spectrum]) -> Spectrum:
        """The sum with terms in several variables."""
        if not others:
            return first
        found = sum_of_spectra([first, *others], self.ranges, self.rewriter)
        return replace(found, reasons=(*found.reasons, Reason("sum_of_matrices", WEYL, HORN, self.variables[0])))

    # -------------------------------------------------------------------------------------------- functions of z

    def coupled(self, t: Expr) -> Spectrum | None:
        """A term in several variables: affine, a function of an affine value, or convex by composition."""
        shape: Shape = self.composition.of(t)
        if shape.affine:
            return Spectrum(ZERO, ZERO, psd=True, nsd=True)
        scalars, f = self._without_constants(t)
        sign = self.ranges.of(scalars)
        found = self._of_affine(f) if sign.nonnegative or sign.nonpositive else None
        if found is not None:
            turned = not sign.nonnegative
            found = found.negated() if turned else found
            size = core.minus(scalars) if turned else scalars
            low = None if found.low is None else self.rewriter.simplify(scale(size, found.low))
            high = None if found.high is None else self.rewriter.simplify(scale(size, found.high))
            return Spectrum(low, high, found.psd, nsd=found.nsd, reasons=found.reasons)
        if shape.convex:
            return Spectrum(ZERO, None, psd=True)
        return Spectrum(None, ZERO, nsd=True) if shape.concave else None

    def _without_constants(self, t: Expr) -> tuple[Expr, Expr]:
        """A scalar that is constant, and a function whose product a term is."""
        if t.op != "scale":
            return number(1), t
        constant = [a for a in t.args if a.is_scalar and self.composition.is_constant(a)]
        moving = [a for a in t.args if a not in constant]
        return scale(*constant, number(1)), scale(*moving) if len(moving) > 1 else moving[0]

    def _of_affine(self, f: Expr) -> Spectrum | None:
        """The bounds for sum(phi(z)), norm2(z)^2 and logsumexp(z) of an affine z."""
        if f.op == "logsumexp" or (f.op == "sum" and f.args[0].op == "logsumexp"):
            z = f.args[0] if f.op == "logsumexp" else f.args[0].args[0]
            reason = Reason("softmax_covariance", OF_SOFTMAX, GERSHGORIN, f)
            return self._congruent(z, Range(sp.S.Zero, sp.S.Half), reason)
        reason = Reason("function_of_affine_value", OF_AFFINE, HORN, f)
        square = self._squared(f)
        if square is not None:
            return self._congruent(square, Range(sp.S(2), sp.S(2)), reason)
        shrink: Any = sp.S.One
        inner = f
        while inner.op in ("sum", "mean", "transpose", "named") and inner.args:
            if inner.op == "mean":
                shrink *= core.exact_dim(core.count(inner)) / core.exact_dim(core.count(inner.args[0]))
            inner = inner.args[0]
        made = self._entrywise(inner)
        found = None if made is None else self._congruent(*made, reason)
        if found is None or shrink == 1:
            return found
        low, high = (None if x is None else scale(number(shrink), x) for x in (found.low, found.high))
        return Spectrum(low, high, found.psd, nsd=found.nsd, reasons=found.reasons)

    def _entrywise(self, e: Expr) -> tuple[Expr, Range] | None:
        """The affine z of which an expression is a function phi entry by entry, and the range of phi''."""
        entry = record(e.op)
        if entry.definition is not None and len(e.args) == 1 and entry.scalar_function is None:  # as huber's
            e = entry.definition(*e.args, *e.params)
        for form, z in functions_of_one(e):
            if z is not e and self.composition.of(z).affine and not self.composition.moves_beside(e, z):
                second = second_derivative(form, self.ranges.of(z))
                if second is not None:
                    return z, second
        return self._by_hessian(e)

    def _by_hessian(self, e: Expr) -> tuple[Expr, Range] | None:
        """The same for one operation whose second derivative is no function of one number that has an exact range."""
        if len(e.args) != 1 or record(e.op).scalar_function is None or not self.composition.of(e.args[0]).affine:
            return None
        u = core.var("u", 1, 1)
        made = hessian_by(Problem(Graph.of(rebuild(e, [u]), [u]), [u]), "u").value
        return e.args[0], self.ranges.of(opened(made))

    def _squared(self, f: Expr) -> Expr | None:
        """The affine z of norm2(z)^2, z'z and tr(z'z)."""
        if f.op == "power" and f.args[1].number == 2 and f.args[0].op == "norm2":
            z = f.args[0].args[0]
        elif f.op == "matmul" and f.is_scalar and len(f.args) == 2 and self.composition.turned(*f.args):
            z = f.args[1]
        elif f.op == "tr" and f.args[0].op == "matmul" and len(f.args[0].args) == 2:
            if not self.composition.turned(*f.args[0].args):
                return None
            z = f.args[0].args[1]
        else:
            return None
        return z if self.composition.of(z).affine else None

    def _congruent(self, z: Expr, second: Range, reason: Reason) -> Spectrum | None:
        """J'D J, with the entries of D in a range."""
        if not self.composition.of(z).affine:
            return None
        bounded = second.high.is_finite or second.low.is_finite
        size = self._size(z) if bounded else None
        low = ZERO if second.nonnegative else None
        high = ZERO if second.nonpositive else None
        if size is not None and low is None and second.low.is_finite:
            low = self.rewriter.simplify(scale(number(second.low), size))
        if size is not None and high is None and second.high.is_finite:
            high = self.rewriter.simplify(scale(number(second.high), size))
        return Spectrum(low, high, second.nonnegative, nsd=second.nonpositive, reasons=(reason,))

    def _size(self, z: Expr) -> Expr | None:
        """The largest eigenvalue of J J' for the Jacobian J of z by all variables."""
        grams = []
        for v in self.variables:
            try:
                J = opened(jacobian_by(Problem(Graph.of(z, [v]), [v]), v.name).value)
            except NoRuleError:
                return None
            if self.composition.moves(J):
                return None
            if not is_zero(J):
                grams.append(matmul(J, J.T))
        return largest(self.spectra, self.rewriter.simplify(core.add(*grams))) if grams else ZERO

    # -------------------------------------------------------------------------------------------- quadratic terms

    def _rows(self, function: Expr) -> list[list[Expr]] | None:
        """The blocks of the Hessian, where they are constant."""
        part = Problem(Graph.of(function, self.d.graph.declared.values()), self.variables)
        rows = []
        for v in self.variables:
            try:
                row = [opened(hessian_by(part, v.name, w.name).value) for w in self.variables]
            except NoRuleError:
                return None
            if any(self.composition.moves(H) for H in row):
                return None
            rows.append(row)
        return rows

    def largest(self) -> Expr | None:
        """The largest eigenvalue of the joint Hessian of the whole function, if it is constant."""
        rows = self._rows(self.d.output)
        if rows is None:
            return None
        H = self.rewriter.simplify(block_of(rows))
        return H if H.is_scalar else eigmax(H)

    def _is_quadratic(self, t: Expr) -> bool:
        return self._rows(t) is not None

    def quadratic(self, function: Expr) -> Spectrum | None:
        """The spectrum of a constant Hessian by its blocks."""
        rows = self._rows(function)
        if rows is None:
            return None
        found = self._kronecker(rows)
        if len(rows) == 2 and not (found is not None and (found.psd or found.nsd)):
            return self._schur(rows) or found
        return found

    def _kronecker(self, rows: list[list[Expr]]) -> Spectrum | None:
        """The sum of the C (x) M for the numbers C in front of each matrix M in the blocks."""
        k = len(rows)
        if not all(same_shape(v.shape, w.shape) for v, w in pairwise(self.variables)):
            return None
        numbers: dict[Expr, sp.Matrix] = {}
        for i, row in enumerate(rows):
            for j, H in enumerate(row):
                for c, M in _multiples(H):
                    if c is None or not c.is_number:
                        return None
                    numbers.setdefault(M, sp.zeros(k, k))[i, j] += c
        parts = [self._product(C, M) for M, C in numbers.items()]
        if None in parts:
            return None
        reason = Reason("kronecker_product", KRONECKER, f"{TOPICS}, Theorem 4.2.12", self.variables[0])
        whole = self._sum(Spectrum(ZERO, ZERO, psd=True, nsd=True), [p for p in parts if p is not None])
        return replace(whole, reasons=(*whole.reasons, reason))

    def _product(self, C: Any, M: Expr) -> Spectrum | None:
        """C (x) M for a positive semidefinite M."""
        inner = self.spectra.of(M)
        if not inner.psd or C != C.T:
            return None
        values = sorted(C.eigenvals(), key=by_value)
        if not all(value.is_real for value in values):
            return None
        least, most = values[0], values[-1]
        low = inner.low if by_value(least) >= by_value(0) else inner.high
        high = inner.high if by_value(most) >= by_value(0) else inner.low
        return Spectrum(
            None if low is None else scale(number(least), low),
            None if high is None else scale(number(most), high),
            psd=bool(by_value(least) >= by_value(0)),
            pd=inner.pd and bool(by_value(least) > by_value(0)),
            nsd=bool(by_value(most) <= by_value(0)),
            nd=inner.pd and bool(by_value(most) < by_value(0)),
            reasons=inner.reasons,
        )

    def _schur(self, rows: list[list[Expr]]) -> Spectrum | None:
        """By the Schur complement, of the Hessian or of its negative."""
        for sign in (1, -1):
            (A, B), (_, C) = ([scale(number(sign), H) for H in row] for row in rows)
            first = self.spectra.of(self.rewriter.simplify(A))
            if not first.pd:
                continue
            rest = self.rewriter.simplify(core.difference(C, matmul(B.T, core.inverse(A), B)))
            found = self.spectra.of(rest)
            if found.psd:
                reason = Reason("schur_complement", SCHUR, f"{HORN}, Theorem 7.7.7", self.variables[0])
                made = Spectrum(ZERO, None, psd=True, pd=found.pd, reasons=(*found.reasons, reason))
                return made if sign == 1 else made.negated()
        return None


def _multiples(e: Expr) -> Iterator[tuple[Any, Expr]]:
    """The terms of a sum as numbers and matrices; a number in front of a sum goes to its terms."""
    if is_zero(e):
        return
    if e.op == "add":
        for t in e.args:
            yield from _multiples(t)
    elif e.op == "scale" and e.args[0].number is not None:
        for c, M in _multiples(scale(*e.args[1:]) if len(e.args) > 2 else e.args[1]):
            yield (None if c is None else c * e.args[0].number), M
    else:
        yield (None if e.op == "scale" else sp.S.One), e


def second_derivative(form: Any, where: Range) -> Range | None:
    """The range of f'' on an interval, over all pieces of f."""
    parts = pieces(form, where)
    if parts is None:
        return None
    total: Range | None = None
    for part, piece in parts:
        found = range_of_function(sp.diff(piece, T, 2), part)
        if found is None:
            return None
        total = found if total is None else total.union(found)
    return total


def _moves(e: Expr, variables: Sequence[Expr]) -> bool:
    """Whether an expression depends on one of some variables."""
    return e in depends((e,), variables)
