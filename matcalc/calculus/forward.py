"""Forward accumulation: the differential of the output along given tangents (a Jacobian times a vector)."""

from __future__ import annotations

from collections.abc import Mapping

from matcalc import core
from matcalc.expr import Expr
from matcalc.linearize import Linearization
from matcalc.linop import apply
from matcalc.naming import Names
from matcalc.rewrite.engine import Rewriter


def forward(output: Expr, tangents: Mapping[Expr, Expr], rewriter: Rewriter, names: Names) -> Expr:
    """The differential of `output` when the differential of each given variable is its tangent.

    Args:
        output: the value that is differentiated.
        tangents: variables (or named values) and expressions of the same shapes.
        rewriter: simplifies as it goes.
        names: for the tangents of named values.
    """
    linear = Linearization((output,), tangents)
    found: dict[Expr, Expr] = dict(tangents)
    for e in linear.order:
        if e not in linear.needed or e in found:
            continue
        parts = [apply(L, found[a]) for a, L in linear.local(e)]
        if not parts:
            found[e] = core.zeros(*e.shape)
        elif e.op == "named":
            value = rewriter.simplify(parts[0])
            leaf = rewriter.cost(value) == 0
            found[e] = value if leaf else core.named(names.fresh("dot_" + e.params[0]), value, "local")
        else:
            found[e] = rewriter.normal(core.add(*parts))
    if output not in found:
        return core.zero_of(output)
    return rewriter.simplify(found[output])
