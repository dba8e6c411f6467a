"""Products of all entries but some, where no entry is 0: quotients by the entries that are left out."""

from __future__ import annotations

from matcalc.core import add, broadcast, diag, hadamard, matmul, minus, power, scale, total, var, vec
from matcalc.expr import Expr
from matcalc.ops.entry_products import dprodothers, prod, prodothers, prodothersform
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import node_rule

POWER_RULE = "Petersen & Pedersen, The Matrix Cookbook (2012), 2.1"


def _slope_sides() -> tuple[Expr, Expr]:
    X, V = var("X", "m", "n", ("positive",)), var("V", "m", "n")
    return dprodothers(X, V, 1), _slope(X, V, 1)


def _slope(X: Expr, V: Expr, axis: int | None) -> Expr:
    ratios = hadamard(V, power(X, -1))
    others = add(broadcast(total(ratios, axis), X.shape), minus(ratios))
    return hadamard(prodothers(X, axis), others)


@node_rule(op="dprodothers", source=POWER_RULE, example=_slope_sides, exact=False)
def slope_of_product_of_nonzero(e: Expr, context: Context) -> Expr | None:
    """dprodothers(X, V) = prodothers(X) o (sum(V ./ X) - V ./ X) for X without zeros"""
    X, V = e.args
    return _slope(X, V, e.params[0]) if context.known(X, "nonzero") else None


def _form_sides() -> tuple[Expr, Expr]:
    X = var("X", "m", "n", ("positive",))
    return prodothersform(X, None, 1), _form(X)


def _form(X: Expr) -> Expr:
    ratios = vec(power(X, -1))
    return scale(prod(X, None), add(matmul(ratios, ratios.T), minus(diag(power(ratios, 2)))))


@node_rule(op="prodothersform", source=POWER_RULE, example=_form_sides, exact=False)
def form_of_product_of_nonzero(e: Expr, context: Context) -> Expr | None:
    """prodothersform(X) = prod(X) (r r' - diag(r.^2)), r = vec(1 ./ X), for X without zeros"""
    X = e.args[0]
    if e.params != (None, 1) or not context.known(X, "nonzero"):
        return None
    return _form(X)
