"""Products of all entries but some, where no entry is 0: quotients by the entries that are left out."""

from __future__ import annotations

from matcalc.core import add, broadcast, diag, hadamard, matmul, minus, power, scale, total, vec
from matcalc.expr import Expr
from matcalc.ops.entry_products import dprodothers, prod, prodothers, prodothersform
from matcalc.rewrite.rule import rule

POWER_RULE = "Petersen & Pedersen, The Matrix Cookbook (2012), 2.1"


@rule(
    X="m n",
    V="m n",
    axis=(1, 2, None),
    facts={"X": "nonzero"},
    drawn={"X": "positive"},
    source=POWER_RULE,
    exact=False,
)
def slope_of_product_of_nonzero(X: Expr, V: Expr, axis: int | None) -> tuple[Expr, Expr]:
    """dprodothers(X, V) = prodothers(X) o (sum(V ./ X) - V ./ X) for X without zeros"""
    ratios = hadamard(V, power(X, -1))
    others = add(broadcast(total(ratios, axis), X.shape), minus(ratios))
    return dprodothers(X, V, axis), hadamard(prodothers(X, axis), others)


@rule(X="m n", facts={"X": "nonzero"}, drawn={"X": "positive"}, source=POWER_RULE, exact=False)
def form_of_product_of_nonzero(X: Expr) -> tuple[Expr, Expr]:
    """prodothersform(X) = prod(X) (r r' - diag(r.^2)), r = vec(1 ./ X), for X without zeros"""
    ratios = vec(power(X, -1))
    form = add(matmul(ratios, ratios.T), minus(diag(power(ratios, 2))))
    return prodothersform(X, None, 1), scale(prod(X, None), form)
