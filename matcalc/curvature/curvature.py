"""The curvature of a scalar function: its status with the proof, constants, conditions, or a witness.

Two provers: bounds of the eigenvalues of the structured Hessian, for what has no kinks; composition, for everything
else. What neither proves is disproved by a witness, or undecided: never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import matcalc.curvature.atoms
import matcalc.curvature.log_convexity
import matcalc.curvature.powers
import matcalc.curvature.products
import matcalc.curvature.theorems
import matcalc.curvature.transforms  # noqa: F401  (they fill the registries)
from matcalc import core
from matcalc.calculus.jacobian import hessian_by
from matcalc.calculus.problem import Problem
from matcalc.curvature.composition import AFFINE, Composition, Shape
from matcalc.curvature.conditional import stronger
from matcalc.curvature.intervals import NONNEGATIVE, POSITIVE, Range, by_value
from matcalc.curvature.joint import Joint
from matcalc.curvature.ranges import Ranges
from matcalc.curvature.spectrum import Reason, Spectra, Spectrum, sum_of_spectra
from matcalc.curvature.status import Curvature
from matcalc.curvature.univariate import T, has_kinks
from matcalc.curvature.witness import witness
from matcalc.dims import shape_text
from matcalc.errors import MatcalcError, NoRuleError
from matcalc.exact import sp
from matcalc.expr import Expr, postorder, record
from matcalc.graph import Graph
from matcalc.properties import known
from matcalc.walk import depends, opened

# Facts whose sets are not convex: nothing is said of functions on them but by a witness.
_NOT_CONVEX = ("orthogonal", "one-hot", "one-hot-column", "nonzero")
# What a needed sign says of a value wherever the function is defined.
_SIGNS = {"positive": POSITIVE, "nonnegative": NONNEGATIVE}


def curvature_of(d: Problem) -> Curvature:
    """The curvature of the problem's function in all that it is differentiated by, jointly.

    Raises:
        ShapeError: the function is not scalar.
        MatcalcError: one of the names is not a variable.
    """
    return _prover(d).verdict()


def prove(d: Problem) -> Curvature:
    """The same of a function without kinks and without the search for a witness: what is not proved is undecided."""
    prover = _prover(d, search=False)
    if prover.has_kinks:
        return Curvature(prover.variables, "undecided", failed="it may have kinks")
    return prover.verdict()


def _prover(d: Problem, *, search: bool = True) -> _Prover:
    d.need_scalar("curvature")
    inner = [name for name in d.names if name not in d.graph.declared]
    if inner:
        raise MatcalcError(f"{', '.join(inner)} is a named value: curvature is in variables")
    return _Prover(d, search=search)


class _Prover:
    """Proves or disproves for one problem.

    Args:
        d: the problem.
        search: whether a witness is looked for where nothing is proved.
    """

    def __init__(self, d: Problem, *, search: bool) -> None:
        self.d = d
        self.search = search
        self.variables = tuple(d.wrt)
        self.ranges = Ranges()
        self.function = opened(d.output)

    @property
    def has_kinks(self) -> bool:
        """Whether the function may have kinks in the variables."""
        return self._is_rough(self.function)

    def verdict(self) -> Curvature:
        """The strongest status that is proved."""
        obstacle = self._domain_obstacle()
        if obstacle:
            return self._disproved(obstacle)
        composition = Composition(self.variables, self.ranges, self.d.rewriter)
        whole = composition.of(self.function)
        if not (whole.convex or whole.concave):  # as it is spelled; in normal form
            self.function = self.d.rewriter.normal(self.function)
            whole = composition.of(self.function)
        reasons = tuple(composition.reasons)
        if whole.affine:
            return self._affine(reasons)
        spectrum, rough, hessian = self._second_order(composition)
        if spectrum is None:
            found = whole
        else:
            second = Shape(spectrum.psd, spectrum.nsd)
            found = Shape(
                whole.convex or (second.convex and rough.convex), whole.concave or (second.concave and rough.concave)
            )
            reasons = (
                (*reasons, *spectrum.reasons) if not (whole.convex or whole.concave) else (*spectrum.reasons, *reasons)
            )
        if found.affine:
            return self._affine(reasons)
        if not (found.convex or found.concave):
            what = "the Hessian is neither shown to be semidefinite nor is the function a known composition"
            return self._disproved(what, hessian)
        return self._proved(found, spectrum, rough, reasons, hessian)

    def _affine(self, reasons: tuple[Reason, ...]) -> Curvature:
        return Curvature(self.variables, "affine", smooth=core.number(0), reasons=reasons)

    def _proved(
        self, found: Shape, spectrum: Spectrum | None, rough: Shape, reasons: tuple[Reason, ...], hessian: Expr | None
    ) -> Curvature:
        word = "convex" if found.convex else "concave"
        status, strong, smooth = word, None, None
        conditions: tuple[str, ...] = ()
        if spectrum is not None:
            s = spectrum if found.convex else spectrum.negated()
            kept = rough.convex if found.convex else rough.concave
            if kept and s.psd and s.pd:
                status = f"strictly {word}"
            if kept and s.psd and s.low is not None and self.ranges.of(s.low).positive:
                status, strong = f"strongly {word}", s.low
            if kept and s.psd and hessian is not None and strong is None:
                conditions = self._conditions(word, hessian, s)
            if rough.affine:
                smooth = s.high
        return Curvature(self.variables, status, strong, smooth, conditions, reasons=reasons, hessian=hessian)

    def _conditions(self, word: str, hessian: Expr, spectrum: Spectrum) -> tuple[str, ...]:
        """What would make the status stronger; along a structured set nothing is known of it."""
        v = self.variables[0]
        if self.d.structure_of(v) != "none":
            return ()
        H = hessian if word == "convex" else self.d.rewriter.simplify(core.minus(hessian))
        spectra = Spectra([v], self.d.rewriter, self.ranges, symmetric=known(v, "symmetric"))
        return stronger(word, H, spectrum, spectra, self.d.rewriter)

    def _disproved(self, failed: str, hessian: Expr | None = None) -> Curvature:
        found = witness(self.d, rough=self._is_rough(self.function)) if self.search else None
        if isinstance(found, tuple) and any(part.chord is not None for part in found):
            return Curvature(self.variables, "neither", chords=found, hessian=hessian)
        if found is not None:
            return Curvature(self.variables, "neither", witness=found, hessian=hessian)
        return Curvature(self.variables, "undecided", failed=failed, hessian=hessian)

    # -------------------------------------------------------------------------------------------- second order

    def _second_order(self, composition: Composition) -> tuple[Spectrum | None, Shape, Expr | None]:
        """The spectrum of the smooth terms, the shape of the sum of all others, and the Hessian of the smooth ones."""
        smooth: list[Expr] = []
        rough: list[Expr] = []
        for term in _terms(self.function):
            (rough if self._is_rough(term) else smooth).append(term)
        rest = AFFINE
        for term in rough:
            rest = rest.both(composition.of(term))
        if not smooth:
            return None, rest, None
        if len(self.variables) == 1:
            v = self.variables[0]
            return self._in_one(v, smooth, composition), rest, self._hessian(v, smooth)
        joint = Joint(self.d, composition, self.ranges, lambda v, terms: self._in_one(v, terms, composition))
        found = joint.of(smooth)
        exact = None if rough or any(self.d.structure_of(v) != "none" for v in self.variables) else joint.largest()
        certain = exact is None or (found.high is not None and found.high.number is not None and found.low is not None)
        return (found if certain else replace(found, high=exact)), rest, None

    def _hessian(self, v: Expr, terms: list[Expr]) -> Expr | None:
        """The structured Hessian of a sum by one variable."""
        part = Graph.of(core.add(*terms), self.d.graph.declared.values())
        try:
            return hessian_by(Problem(part, [v], structure=self.d.structure), v.name).value
        except NoRuleError:
            return None

    def _in_one(self, v: Expr, terms: list[Expr], composition: Composition) -> Spectrum | None:
        """The spectrum of the Hessian of some terms by one variable: as a whole, or as the sum of theirs."""
        whole = self._spectrum(v, self._hessian(v, terms))
        if len(terms) == 1 or (whole is not None and whole.low is not None and self.ranges.of(whole.low).positive):
            return whole
        parts = [self._alone(v, t, composition) for t in terms]
        total = sum_of_spectra(parts, self.ranges, self.d.rewriter)
        if whole is None or (total.psd and not whole.psd) or (total.nsd and not whole.nsd):
            return total
        low = total.low if total.low is not None and self.ranges.of(total.low).positive else whole.low
        high = total.high if total.high is not None and self.ranges.of(total.high).negative else whole.high
        more = (*whole.reasons, *total.reasons) if (low, high) != (whole.low, whole.high) else whole.reasons
        return replace(whole, low=low, high=high, pd=whole.pd or total.pd, nd=whole.nd or total.nd, reasons=more)

    def _alone(self, v: Expr, term: Expr, composition: Composition) -> Spectrum:
        """The spectrum of the Hessian of one term; where it is not known, its signs by composition."""
        found = self._spectrum(v, self._hessian(v, [term])) or Spectrum()
        shape = composition.of(term)
        if shape.convex and not found.psd:
            return replace(found, low=core.number(0), psd=True)
        return replace(found, high=core.number(0), nsd=True) if shape.concave and not found.nsd else found

    def _spectrum(self, v: Expr, hessian: Expr | None) -> Spectrum | None:
        if hessian is None:
            return None
        along = self.d.structure_of(v) != "none"
        spectra = Spectra([v], self.d.rewriter, self.ranges, symmetric=known(v, "symmetric") and not along)
        found = spectra.of(hessian)
        if along:  # by the independent entries: the signs are right, the constants are not those of the Frobenius norm
            found = Spectrum(None, None, found.psd, found.pd, found.nsd, found.nd, found.reasons)
        return found

    def _is_rough(self, term: Expr) -> bool:
        """Whether a term has kinks in the variables: its Hessian away from them decides nothing."""
        moving = depends((term,), self.variables)
        parents: dict[Expr, list[Expr]] = {}
        order = list(postorder((term,)))
        for e in order:
            for a in e.args:
                parents.setdefault(a, []).append(e)
        return any(e in moving and _may_kink(e) and not self._is_smoothed(e, parents.get(e, [])) for e in order)

    def _is_smoothed(self, e: Expr, above: list[Expr]) -> bool:
        """Whether a square takes a kink away, or its argument stays off the kink."""
        if e.op == "sqrt":
            return self.ranges.of(e.args[0]).positive
        if e.op in ("power", "sqrtm"):  # an affine argument reaches the edge of its set on the edge of the domain only
            a = e.args[0]
            inside = known(a, "positive-definite") if e.op == "sqrtm" else self.ranges.of(a).positive
            return inside or Composition(self.variables, self.ranges, self.d.rewriter).of(a).affine
        if e.op in ("norm2", "relu") and above:
            return all(p.op == "power" and p.args[1].number == 2 for p in above)
        return False

    # -------------------------------------------------------------------------------------------- domain

    def _domain_obstacle(self) -> str:
        """Why the set on which the function is defined is not known to be convex; empty where it is."""
        for v in self.variables:
            bad = [fact for fact in _NOT_CONVEX if known(v, fact) and not known(v, "positive")]
            if known(v, "nonsingular") and not known(v, "positive-definite") and not v.is_scalar:
                bad.append("nonsingular")
            if bad:
                return f"the set of all {shape_text(v.shape)} {v.name} that are {bad[0]} is not convex"
        for e in postorder((self.function,)):
            branch = record(e.op).branch
            if branch is None or e not in depends((e,), self.variables):
                continue
            r = self.ranges.of(e.args[0])
            low, high = map(sp.sympify, branch)
            if not (low <= r.low and r.high <= high):
                return f"{e.op} has poles, and its argument {e.args[0]} is not known to stay on one side of each"
        given: dict[Expr, Range] = {}
        for fact, e in _needed(self.function):
            if not self._holds_on_convex_set(fact, e):
                return f"it is not known that {e} is {fact} on a convex set"
            sign = _SIGNS.get(fact)
            if sign is not None and given.get(e) != POSITIVE and by_value(self.ranges.of(e).high) > by_value(sign.low):
                given[e] = sign
                self.ranges = Ranges(given)
        return ""

    def _holds_on_convex_set(self, fact: str, e: Expr) -> bool:
        """Whether what is needed for a value holds on a convex part of where the values before it are defined."""
        if e not in depends((e,), self.variables) or known(e, fact):
            return True
        shape = Composition(self.variables, self.ranges, self.d.rewriter).of(e)
        match fact:
            case "positive":
                return shape.concave or self.ranges.of(e).positive
            case "nonnegative":
                return shape.concave or self.ranges.of(e).nonnegative
            case "positive-definite":
                return shape.affine
            case "nonsingular":
                return known(e, "positive-definite")
        return False


def _needed(e: Expr) -> Iterable[tuple[str, Expr]]:
    """What must hold for a value: unlike for a derivative, norms, roots and eigenvalues have one at their kinks."""
    for sub in postorder((e,)):
        if sub.op == "sqrt":
            yield "nonnegative", sub.args[0]
        elif sub.op == "sqrtm":
            yield "positive-semidefinite", sub.args[0]
        elif sub.op == "power" and sub.args[1].number is not None and sub.args[1].number.is_positive:
            yield from () if sub.args[1].number.is_integer else (("nonnegative", sub.args[0]),)
        elif not record(sub.op).kinks:
            yield from record(sub.op).domain(*sub.args, *sub.params)


def _may_kink(e: Expr) -> bool:
    """Whether an operation has kinks: it is known to, or it is a function of one number made of pieces."""
    entry = record(e.op)
    if entry.kinks == "bends":  # the slope is continuous: the Hessian almost everywhere decides
        return False
    if e.op == "power":
        return e.args[1].number is None or not e.args[1].number.is_integer
    function = entry.scalar_function
    return bool(entry.kinks) or e.op == "sqrtm" or (function is not None and not e.params and has_kinks(function(T)))


def _terms(e: Expr) -> list[Expr]:
    """The terms of a sum; constant multiples and sums over entries of sums count term by term."""
    if e.op == "add":
        return [t for a in e.args for t in _terms(a)]
    if e.op == "scale" and e.args[-1].op == "add" and all(a.number is not None for a in e.args[:-1]):
        return [core.scale(*e.args[:-1], t) for t in _terms(e.args[-1])]
    if e.op in ("sum", "mean") and e.args[0].op == "add" and e.is_scalar:
        inner = [core.total(t) for t in _terms(e.args[0])]
        count = core.number(1 / core.exact_dim(core.count(e.args[0]))) if e.op == "mean" else None
        return inner if count is None else [core.scale(count, t) for t in inner]
    return [e]
