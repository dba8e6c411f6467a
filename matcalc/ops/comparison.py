"""Entrywise choice: maximum, minimum, where. Ties share equally."""

from __future__ import annotations

from typing import Any

from matcalc import core, exact
from matcalc.core import number, scale
from matcalc.errors import ShapeError
from matcalc.expr import Expr, Param
from matcalc.map_kinds import LinearMap
from matcalc.maps import mask, zero
from matcalc.notation import Call, Notation, Template
from matcalc.ops.define import all_same, anywhere, keeps, need_same, op
from matcalc.ops.elementwise import sign
from matcalc.properties import BIT, bits

SUBGRADIENT = "Clarke, Optimization and Nonsmooth Analysis (1983): ties share equally"
HALF = number(exact.HALF)


def greater(A: Expr, B: Expr) -> Expr:
    """1 where A > B, 1/2 where they tie, 0 elsewhere: (1 + sign(A - B))/2."""
    return scale(HALF, core.plus(1, sign(core.difference(A, B))))


@op(
    shape=all_same("maximum"),
    latex=Call(r"\operatorname{maximum}"),
    numpy=Call("np.maximum"),
    domain=anywhere,
    source=SUBGRADIENT,
    example=("m n, m n",),
    facts=keeps("positive", "nonnegative", "symmetric", "constant"),
    broadcasts=True,
    numpy_names=("np.maximum", "np.fmax"),
    real_only=True,
    kinks="ties",
    monotone=1,
    convexity=1,
    entrywise=True,
)
def maximum(Y: Expr, A: Expr, B: Expr) -> tuple[LinearMap, ...]:
    """d maximum(A, B) = [A > B] o dA + [B > A] o dB"""
    return mask(greater(A, B)), mask(greater(B, A))


@op(
    shape=all_same("minimum"),
    latex=Call(r"\operatorname{minimum}"),
    numpy=Call("np.minimum"),
    domain=anywhere,
    source=SUBGRADIENT,
    example=("m n, m n",),
    facts=keeps("positive", "nonnegative", "symmetric", "constant"),
    broadcasts=True,
    numpy_names=("np.minimum", "np.fmin"),
    real_only=True,
    kinks="ties",
    monotone=1,
    convexity=-1,
    entrywise=True,
)
def minimum(Y: Expr, A: Expr, B: Expr) -> tuple[LinearMap, ...]:
    """d minimum(A, B) = [A < B] o dA + [B < A] o dB"""
    return mask(greater(B, A)), mask(greater(A, B))


STRICT = {">": ">", ">=": ">="}


def _where_shape(A: Expr, B: Expr, C: Expr, D: Expr, relation: str) -> Any:
    if relation not in STRICT:
        raise ShapeError(f"where compares by > or >=, not {relation}")
    return need_same("where", A, B, C, D)


def _where_latex(relation: str) -> Notation:
    symbol = {">": ">", ">=": r"\geq"}[relation]
    return Template(rf"\operatorname{{{{where}}}}\left({{0}} {symbol} {{1}}, {{2}}, {{3}}\right)")


@op(
    shape=_where_shape,
    latex=_where_latex,
    numpy=lambda relation: Template(f"np.where({{0}} {relation} {{1}}, {{2}}, {{3}})"),
    domain=anywhere,
    source=SUBGRADIENT,
    example=("m n, m n, m n, m n", ">"),
    facts=lambda e, A, B, C, D: (C & D & (bits("positive", "nonnegative", "nonzero") | A & B & BIT["symmetric"]), 0),
    params=(Param("relation", "any"),),
    broadcasts=True,
    real_only=True,
    kinks="ties",
    entrywise=True,
)
def where(Y: Expr, A: Expr, B: Expr, C: Expr, D: Expr, relation: str) -> tuple[LinearMap, ...]:
    """d where(A > B, C, D) = [A > B] o dC + [A <= B] o dD"""
    one, none = core.broadcast(number(1), Y.shape), core.zeros(*Y.shape)
    chosen = where(A, B, one, none, relation)
    other = where(A, B, none, one, relation)
    return zero(A.shape, Y.shape), zero(B.shape, Y.shape), mask(chosen), mask(other)
