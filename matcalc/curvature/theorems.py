"""Theorems on eigenvalues of structured matrices, tried in order: each says what it shows, and where it is stated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from matcalc import core
from matcalc.core import matmul, number, scale, transpose
from matcalc.curvature.intervals import Range
from matcalc.curvature.spectrum import (
    HORN,
    TOPICS,
    UNKNOWN,
    ZERO,
    Reason,
    Spectra,
    Spectrum,
    because,
    or_zero,
    sum_of_spectra,
    theorem,
)
from matcalc.dims import is_one, same
from matcalc.expr import Expr
from matcalc.ops.spectral import eigmax, eigmin
from matcalc.properties import known


@theorem
def zero_matrix(s: Spectra, e: Expr) -> Spectrum | None:
    """The zero matrix is positive and negative semidefinite."""
    if e.op == "zeros" or e.number == 0:
        return Spectrum(ZERO, ZERO, psd=True, nsd=True, reasons=(because(zero_matrix, HORN, e),))
    return None


@theorem
def identity_matrix(s: Spectra, e: Expr) -> Spectrum | None:
    """All eigenvalues of an identity are 1."""
    if e.op != "eye":
        return None
    return Spectrum(number(1), number(1), psd=True, pd=True, reasons=(because(identity_matrix, HORN, e),))


def _by_range(s: Spectra, e: Expr, r: Range, reason: Reason) -> Spectrum:
    """Eigenvalues in an interval of numbers."""
    low = number(r.low) if r.low.is_finite else None
    high = number(r.high) if r.high.is_finite else None
    return Spectrum(low, high, r.nonnegative, r.positive, r.nonpositive, r.negative, (reason,))


@theorem
def one_by_one(s: Spectra, e: Expr) -> Spectrum | None:
    """A 1 x 1 matrix is its eigenvalue."""
    if not e.is_scalar:
        return None
    r = s.ranges.of(e)
    found = _by_range(s, e, r, because(one_by_one, HORN, e))
    if s.is_constant(e):
        return Spectrum(e, e, found.psd, found.pd, found.nsd, found.nd, found.reasons)
    if e.op == "add":  # constants beside what has a range
        by_sum = sum_of_matrices(s, e)
        return by_sum if by_sum is not None and (by_sum.psd or by_sum.nsd) else found
    return found


@theorem
def diagonal_matrix(s: Spectra, e: Expr) -> Spectrum | None:
    """The eigenvalues of a diagonal matrix are its entries."""
    if e.op != "diag":
        return None
    r = s.ranges.of(e.args[0])
    return _by_range(s, e, r, because(diagonal_matrix, HORN, e))


@theorem
def equal_entries(s: Spectra, e: Expr) -> Spectrum | None:
    """The n x n matrix with every entry c has the eigenvalues n c and 0."""
    entry = e.args[0] if e.op == "broadcast" and e.args[0].is_scalar else number(1) if e.op == "ones" else None
    if entry is None or not same(*e.shape):
        return None
    r = s.ranges.of(entry)
    total = s.simple(scale(number(core.exact_dim(e.shape[0])), entry))
    bound = total if s.is_constant(entry) else None
    reasons = (because(equal_entries, HORN, e),)
    if r.nonnegative:
        return Spectrum(ZERO, bound, psd=True, reasons=reasons)
    return Spectrum(bound, ZERO, nsd=True, reasons=reasons) if r.nonpositive else None


@theorem
def multiple(s: Spectra, e: Expr) -> Spectrum | None:
    """A multiple of a matrix has the multiples of its eigenvalues."""
    if e.op != "scale":
        return None
    *scalars, M = e.args
    factor = scale(*scalars)
    r, inner = s.ranges.of(factor), s.inner(M)
    if not (r.nonnegative or r.nonpositive):
        return UNKNOWN
    if r.nonpositive and not r.nonnegative:
        factor, r, inner = core.minus(factor), -r, inner.negated()
    reasons = (*inner.reasons, because(multiple, HORN, e))
    low = high = None
    if s.is_constant(factor):
        low = None if inner.low is None else s.simple(scale(factor, inner.low))
        high = None if inner.high is None else s.simple(scale(factor, inner.high))
    else:
        if inner.psd and inner.low is not None:
            low = s.simple(scale(number(r.low), inner.low)) if r.low.is_finite else None
        if inner.psd and inner.high is not None and r.high.is_finite:
            high = s.simple(scale(number(r.high), inner.high))
        if inner.nsd and inner.low is not None and r.high.is_finite:
            low = s.simple(scale(number(r.high), inner.low))
        if inner.nsd and inner.high is not None and r.low.is_finite:
            high = s.simple(scale(number(r.low), inner.high))
    low = ZERO if low is None and inner.psd else low
    high = ZERO if high is None and inner.nsd else high
    return Spectrum(low, high, inner.psd, inner.pd and r.positive, inner.nsd, inner.nd and r.positive, reasons)


@theorem
def sum_of_matrices(s: Spectra, e: Expr) -> Spectrum | None:
    """The least eigenvalue of a sum is at least the sum of the least ones (Weyl)."""
    if e.op != "add":
        return None
    special = softmax_covariance(s, e) or dominated_rank_one(s, e)
    if special is not None:
        return special
    mirrored = dominated_rank_one(s, core.add(*map(core.minus, e.args)))
    if mirrored is not None:
        return mirrored.negated()
    found = sum_of_spectra([s.inner(a) for a in e.args], s.ranges, s.rewriter)
    return replace(found, reasons=(*found.reasons, because(sum_of_matrices, HORN, e)))


def _coefficient(e: Expr) -> tuple[Expr, Expr]:
    """A scalar and a matrix whose product an expression is."""
    return (scale(*e.args[:-1]), e.args[-1]) if e.op == "scale" else (number(1), e)


def dominated_rank_one(s: Spectra, e: Expr) -> Spectrum | None:
    """a M - b (M u)(M u)' is positive semidefinite where b u'M u <= a and M is (Cauchy-Schwarz)."""
    if len(e.args) != 2:
        return None
    for first, second in (e.args, e.args[::-1]):
        a, M = _coefficient(first)
        b, outer = _coefficient(second)
        b = core.minus(b)
        w = _rank_one(s, outer)
        if w is None or not s.ranges.of(a).positive or not s.ranges.of(b).nonnegative:
            continue
        inner = s.inner(M)
        if not inner.psd:
            continue
        size = _form(s, M, w)
        if size is None:
            continue
        ratio = s.simple(scale(core.entrywise_quotient(b, a), size))
        r = s.ranges.of(ratio)
        if not (r.high <= 1):
            continue
        whole = s.inner(first)
        strictly = inner.pd and (r.high < 1 or r.high_open)
        reasons = (*whole.reasons, because(dominated_rank_one, HORN, e))
        return Spectrum(ZERO, whole.high, psd=True, pd=strictly, reasons=reasons)
    return None


def _rank_one(s: Spectra, e: Expr) -> Expr | None:
    """The w of w w'."""
    if e.op != "matmul":
        return None
    half = len(e.args) // 2
    if len(e.args) % 2:
        return None
    left, right = matmul(*e.args[:half]), matmul(*e.args[half:])
    return left if s.equal(transpose(left), right) and is_one(left.shape[1]) else None


def _form(s: Spectra, M: Expr, w: Expr) -> Expr | None:
    """u' M u for w = M u."""
    if M.op == "eye":
        return s.simple(matmul(transpose(w), w))
    if M.op == "diag" and s.ranges.of(M.args[0]).positive:
        v = M.args[0] if is_one(M.args[0].shape[1]) else transpose(M.args[0])
        return s.simple(core.total(core.divide(core.hadamard(w, w), v)))
    factors = w.args if w.op == "matmul" else (w,)
    if len(factors) > 1 and factors[0] is M:
        return s.simple(matmul(transpose(matmul(*factors[1:])), w))
    return None


def softmax_covariance(s: Spectra, e: Expr) -> Spectrum | None:
    """diag(p) - p p' is positive semidefinite, with eigenvalues up to 1/2, where p is nonnegative with sum 1."""
    if len(e.args) != 2:
        return None
    for first, second in (e.args, e.args[::-1]):
        b, outer = _coefficient(second)
        w = _rank_one(s, outer)
        if first.op == "diag" and b.number == -1 and w is not None and s.equal(first.args[0], w) and _is_softmax(w):
            return _covariance(e)
    return None


def _is_softmax(p: Expr) -> bool:
    named = p.definition
    return named.op == "softmax" and is_one(p.shape[1])


def _covariance(e: Expr) -> Spectrum:
    half = core.exact("0.5")
    reason = Reason(
        "softmax_covariance",
        "diag(p) - p p' is positive semidefinite with eigenvalues up to 1/2 where p >= 0 has the sum 1",
        "Boyd & Vandenberghe, Convex Optimization (2004), 3.1.5; Gershgorin for the bound",
        e,
    )
    return Spectrum(ZERO, number(half), psd=True, reasons=(reason,))


@theorem
def even_power(s: Spectra, e: Expr) -> Spectrum | None:
    """The eigenvalues of an even power of a symmetric matrix are even powers: A^2 is positive semidefinite."""
    if e.op != "matpow" or e.args[1].number is None or not e.args[1].number.is_even:
        return None
    base = e.args[0]
    if not (known(base, "symmetric") and s.is_constant(base)):
        return None
    regular = known(base, "nonsingular")
    return Spectrum(ZERO, None, psd=True, pd=regular, reasons=(because(even_power, HORN, e),))


@theorem
def congruence(s: Spectra, e: Expr) -> Spectrum | None:
    """A' M A is positive semidefinite where M is; its eigenvalues lie between those of M times those of A'A."""
    if e.op != "matmul":
        return None
    factors = list(e.args)
    outer: list[Expr] = []
    while len(factors) > 1 and s.equal(transpose(factors[0]), factors[-1]):
        outer.insert(0, factors.pop())
        factors.pop(0)
    if not outer:
        return _middle(s, factors)
    inner = _middle(s, factors) if factors else identity_matrix(s, core.eye(outer[0].shape[0]))
    if inner is None:
        return UNKNOWN
    A = matmul(*outer)
    regular = same(*A.shape) and known(A, "nonsingular")
    low, high = ZERO if inner.psd else None, ZERO if inner.nsd else None
    if s.is_constant(A):
        low, high = _congruent_bounds(s, factors, inner, A, low, high)
    reasons = (*inner.reasons, because(congruence, HORN, e))
    return Spectrum(low, high, inner.psd, inner.pd and regular, inner.nsd, inner.nd and regular, reasons)


def _congruent_bounds(
    s: Spectra, middle: list[Expr], inner: Spectrum, A: Expr, low: Expr | None, high: Expr | None
) -> tuple[Expr | None, Expr | None]:
    """The bounds of A' M A for a constant A; constant positive factors of a diagonal M stay with A."""
    M = middle[0] if len(middle) == 1 else None
    if M is not None and M.op == "diag" and inner.psd:
        constant, r = _split(s, M.args[0])
        weighted = matmul(transpose(A), core.diag(constant), A) if constant is not None else matmul(transpose(A), A)
        if r.high.is_finite:
            high = s.simple(scale(number(r.high), largest(s, weighted)))
        if r.low.is_finite and r.low > 0:
            low = s.simple(scale(number(r.low), _least(s, weighted)))
        return low, high
    gram = s.simple(matmul(transpose(A), A))
    if M is not None and s.is_constant(M) and inner.psd:
        return _least(s, matmul(transpose(A), M, A)), largest(s, matmul(transpose(A), M, A))
    if inner.psd and inner.high is not None:
        high = s.simple(scale(inner.high, largest(s, gram)))
    if inner.psd and inner.low is not None and s.ranges.of(inner.low).positive:
        low = s.simple(scale(inner.low, _least(s, gram)))
    return low, high


def _split(s: Spectra, v: Expr) -> tuple[Expr | None, Range]:
    """Nonnegative constant factors of an entrywise product, and the range of the rest."""
    factors = v.args if v.op in ("hadamard", "scale") else (v,)
    constant = [f for f in factors if s.is_constant(f) and not f.is_scalar and s.ranges.of(f).nonnegative]
    rest = [f for f in factors if f not in constant]
    if not constant or not rest:
        return None, s.ranges.of(v)
    part = core.hadamard(*rest) if not any(f.is_scalar for f in rest) else None
    return (core.hadamard(*constant), s.ranges.of(part)) if part is not None else (None, s.ranges.of(v))


def _extreme(s: Spectra, e: Expr, pick: Callable[[Expr], Expr]) -> Expr:
    e = s.simple(e)
    if e.op == "eye":
        return number(1)
    if e.op == "scale" and all(s.ranges.of(a).nonnegative for a in e.args[:-1]):
        return s.simple(scale(*e.args[:-1], _extreme(s, e.args[-1], pick)))
    if e.op == "kron" and e.args[0].op == "eye":
        return _extreme(s, e.args[1], pick)
    if e.op == "kron" and e.args[1].op == "eye":
        return _extreme(s, e.args[0], pick)
    return e if e.is_scalar else pick(e)


def largest(s: Spectra, e: Expr) -> Expr:
    return _extreme(s, e, eigmax)


def _least(s: Spectra, e: Expr) -> Expr:
    return _extreme(s, e, eigmin)


def _middle(s: Spectra, factors: list[Expr]) -> Spectrum | None:
    """The spectrum of what stands between the outer factors of a congruence."""
    if len(factors) == 1:
        return s.inner(factors[0])
    if len(factors) == 2 and _is_row_covariance(s, *factors):
        return _covariance(matmul(*factors))
    return None


def _is_row_covariance(s: Spectra, D: Expr, rest: Expr) -> bool:
    """diag(p) (I - 1 p'), for one distribution or for one in each row of a matrix (on vec)."""
    if D.op != "diag" or rest.op != "add" or len(rest.args) != 2:
        return False
    p = D.args[0]
    other = next((a for a in rest.args if a.op != "eye"), None)
    if other is None or not any(a.op == "eye" for a in rest.args):
        return False
    sign, product = _coefficient(other.args[0] if other.op == "broadcast" else other)
    if sign.number != -1:
        return False
    if p.op == "vec" and product.op == "matmul" and len(product.args) == 2:  # kron(1 1', I) diag(vec P)
        sums, again = product.args
        P = p.args[0].definition
        rows = sums.op == "kron" and sums.args[0].op == "ones" and sums.args[1].op == "eye"
        return again is D and rows and P.op == "softmax" and P.params[0] == 2
    spread = product.args[0] if product.op == "broadcast" else product.args[1] if product.op == "matmul" else product
    return _is_softmax(p) and s.equal(spread, transpose(p))


@theorem
def kronecker_product(s: Spectra, e: Expr) -> Spectrum | None:
    """The eigenvalues of A (x) B are the products of those of A and B."""
    if e.op != "kron":
        return None
    first, second = (s.inner(a) for a in e.args)
    reasons = (*first.reasons, *second.reasons, because(kronecker_product, f"{TOPICS}, Theorem 4.2.12", e))
    if first.psd and second.psd:
        high = low = None
        if first.high is not None and second.high is not None:
            high = s.simple(scale(first.high, second.high))
        if first.low is not None and second.low is not None:
            low = s.simple(scale(first.low, second.low))
        return Spectrum(or_zero(low), high, psd=True, pd=first.pd and second.pd, reasons=reasons)
    if (first.psd and second.nsd) or (first.nsd and second.psd):
        one, other = (first, second.negated()) if second.nsd else (first.negated(), second)
        return Spectrum(None, ZERO, nsd=True, nd=one.pd and other.pd, reasons=reasons)
    return UNKNOWN


@theorem
def schur_product(s: Spectra, e: Expr) -> Spectrum | None:
    """The entrywise product of positive semidefinite matrices is positive semidefinite (Schur)."""
    if e.op == "power" and e.args[1].number == 2 and same(*e.shape):
        factors = [e.args[0]] * 2
    elif e.op == "hadamard" and same(*e.shape):
        factors = list(e.args)
    else:
        return None
    parts = [s.inner(f) for f in factors]
    if not all(p.psd for p in parts):
        return UNKNOWN
    reasons = tuple(reason for p in parts for reason in p.reasons)
    source = f"{TOPICS}, Theorem 5.2.1"
    return Spectrum(
        ZERO, None, psd=True, pd=all(p.pd for p in parts), reasons=(*reasons, because(schur_product, source, e))
    )
