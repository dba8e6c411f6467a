"""What would make a status stronger: a condition on the data under which the Hessian is positive definite."""

from __future__ import annotations

from matcalc.core import eye, matmul, transpose
from matcalc.curvature.spectrum import Spectra, Spectrum
from matcalc.expr import Expr
from matcalc.properties import known
from matcalc.rewrite.engine import Rewriter


def stronger(word: str, hessian: Expr, spectrum: Spectrum, spectra: Spectra, rewriter: Rewriter) -> tuple[str, ...]:
    """Conditions for strong and strict curvature, in words.

    Args:
        word: `convex`, or `concave` with the Hessian's negative.
        hessian: of the function, or its negative.
        spectrum: of it, positive semidefinite.
        spectra: finds those of its parts.
        rewriter: compares the two sides of products.
    """
    low = None if spectrum.low is None else rewriter.simplify(spectrum.low)
    if low is not None and low.number is None and spectra.is_constant(low):
        return (f"strongly {word} with mu = {low} where {_positive(low, rewriter)}",)
    outer = _outer(hessian, rewriter)
    if outer is not None and spectra.of(outer[0]).pd and spectra.is_constant(outer[1]):
        return (f"strictly {word} where {_full_rank(outer[1])}",)
    return ()


def _positive(low: Expr, rewriter: Rewriter) -> str:
    """When a least eigenvalue, or a positive multiple of one, is positive."""
    is_multiple = low.op == "scale" and all(a.number is not None and a.number > 0 for a in low.args[:-1])
    bare = low.args[-1] if is_multiple else low
    if bare.op != "eigmin":
        return f"{low} > 0"
    inner = bare.args[0]
    if inner.op == "variable":
        return f"{inner} is positive definite"
    outer = _outer(inner, rewriter)
    if outer is None or not known(outer[0], "positive-definite"):
        return f"{inner} is nonsingular"
    return _full_rank(outer[1])


def _outer(e: Expr, rewriter: Rewriter) -> tuple[Expr, Expr] | None:
    """The M and the A of A'*M*A."""
    factors = list(e.args) if e.op == "matmul" else []
    right: list[Expr] = []
    while len(factors) > 1 and rewriter.normal(transpose(factors[0])) is rewriter.normal(factors[-1]):
        right.insert(0, factors.pop())
        factors.pop(0)
    if not right:
        return None
    middle = matmul(*factors) if factors else eye(right[0].shape[0])
    return (middle, matmul(*right))


def _full_rank(A: Expr) -> str:
    if A.op == "transpose":
        return f"{A.args[0]} has full row rank"
    return f"{A} has full column rank"
