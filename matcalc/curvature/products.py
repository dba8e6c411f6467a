"""Products and distances as atoms: powers and logarithms of products, parallel sums, squared distances of rows."""

from __future__ import annotations

from matcalc.core import add, power
from matcalc.curvature.composition import BOYD, CONCAVE, CONVEX, Composition, Shape, atom
from matcalc.expr import Expr, operations
from matcalc.ops.arithmetic import hadamard_, scale_
from matcalc.ops.elementwise import log, sqrt
from matcalc.rules.logarithms import product_of_entries

_PRODUCTS = operations(scale_, hadamard_)
_PARALLEL = (
    "x y/(x + y) is concave for x, y > 0",
    "Anderson & Duffin, Series and parallel addition of matrices (1969)",
)


@atom
def function_of_product(c: Composition, e: Expr) -> Shape | None:
    """log(x y) as log(x) + log(y), (x y)^a as x^a y^a, x and y > 0."""
    if e.op not in ("log", "sqrt", "power") or not e.args or e.args[0].op not in _PRODUCTS:
        return None
    factors = e.args[0].args
    moving = [f for f in factors if not c.is_constant(f)]
    if len(moving) < 2 or not all(f.shape == e.shape and c.ranges.of(f).positive for f in factors):
        return None
    if e.op == "power" and e.args[1].number is None:
        return None
    if e.op == "log":
        return c.of(add(*map(log, factors)))
    return c.of(product_of_entries(*(sqrt(f) if e.op == "sqrt" else power(f, e.args[1]) for f in factors)))


@atom
def parallel_sum(c: Composition, e: Expr) -> Shape | None:
    """x y/(x + y), x and y > 0, also entry by entry and with a constant in front."""
    if e.op not in _PRODUCTS:
        return None
    moving = [f for f in e.args if not c.is_constant(f)]
    over = [f for f in moving if f.op == "power" and f.args[1].number == -1]
    if len(moving) != 3 or len(over) != 1:
        return None
    x, y = (f for f in moving if f is not over[0])
    if not all(c.shape[f].affine and c.ranges.of(f).positive and f.shape == e.shape for f in (x, y)):
        return None
    if c.rewriter.normal(add(x, y)) is not c.rewriter.normal(over[0].args[0]):
        return None
    front = [c.ranges.of(f) for f in e.args if c.is_constant(f)]
    return c.says("parallel_sum", *_PARALLEL, e, CONCAVE) if all(r.nonnegative for r in front) else None


@atom
def squared_distances(c: Composition, e: Expr) -> Shape | None:
    """pdist2(X, Y): squared norms of differences of rows."""
    if e.op != "pdist2" or not all(c.shape[a].affine for a in e.args):
        return None
    return c.says("squared_distance", "the square of a norm of an affine value is convex", f"{BOYD}, 3.2.4", e, CONVEX)
