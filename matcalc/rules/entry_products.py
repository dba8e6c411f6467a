"""Products of all entries, and of all but some where no entry is 0: quotients by those that are left out."""

from __future__ import annotations

from matcalc.core import add, broadcast, diag, hadamard, matmul, minus, number, power, scale, total, var, vec
from matcalc.expr import Expr
from matcalc.ops.elementwise import exp, log
from matcalc.ops.entry_products import dprodothers, prod, prodothers, prodothersform
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import node_rule, rule
from matcalc.rewrite.terms import number_and_term
from matcalc.rules.logarithms import product_of_entries

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


def _products() -> tuple[Expr, Expr]:
    X, Y = var("X", "m", "n"), var("Y", "m", "n")
    return prod(hadamard(X, Y), 1), hadamard(prod(X, 1), prod(Y, 1))


@node_rule(op="prod", group="expand", source=POWER_RULE, example=_products, having="hadamard")
def product_of_products(e: Expr, context: Context) -> Expr | None:
    """prod(X o Y) = prod(X) o prod(Y)"""
    if e.args[0].op != "hadamard":
        return None
    return product_of_entries(*(prod(X, e.params[0]) for X in e.args[0].args))


@rule(
    X="m n",
    k="number 2",
    axis=(1, 2, None),
    where=lambda k: bool(k.number.is_Integer),
    group="expand",
    source=POWER_RULE,
)
def product_of_powers_of_entries(X: Expr, k: Expr, axis: int | None) -> tuple[Expr, Expr]:
    """prod(X .^ k) = prod(X) .^ k for whole k"""
    return prod(power(X, k), axis), power(prod(X, axis), k)


@rule(X="m n", axis=(1, 2, None), facts={"X": "positive"}, group="expand", source=POWER_RULE)
def log_of_entry_product(X: Expr, axis: int | None) -> tuple[Expr, Expr]:
    """log(prod(X)) = sum(log(X)) for positive X"""
    return log(prod(X, axis)), total(log(X), axis)


def _exponential() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return exp(scale(number(2), total(X, 1))), prod(exp(scale(number(2), X)), 1)


@node_rule(op="exp", group="expand", source=POWER_RULE, example=_exponential)
def exponential_of_total(e: Expr, context: Context) -> Expr | None:
    """exp(k sum(X)) = prod(exp(k X)) for a number k"""
    k, inner = number_and_term(e.args[0])
    if inner is None or inner.op != "sum":
        return None
    return prod(exp(scale(number(k), inner.args[0])), inner.params[0])
