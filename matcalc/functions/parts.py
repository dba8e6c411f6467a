"""What a kind of function returns, as expressions of a problem: one function for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from matcalc import core
from matcalc.calculus.forward import forward
from matcalc.calculus.jacobian import hessian_by, hessian_products, jacobian_by
from matcalc.calculus.problem import Problem
from matcalc.calculus.reverse import ReverseAccumulation
from matcalc.emit.matching import with_sums_of_eigenvalues
from matcalc.expr import Expr
from matcalc.kinds import GRADIENT, HESSIAN, HVP, JACOBIAN, JVP, VALUE, VALUE_AND_GRAD, VALUE_AND_VJP, VJP, Kind
from matcalc.naming import Names
from matcalc.printing.symbols import ADJOINT
from matcalc.walk import depends


@dataclass
class Parts:
    """What a kind of function returns beside the value.

    Attributes:
        derivatives: by the variables' names.
        tangent: for jvp, the derivative of the output.
        extra: the tangents by the variables' names, or the cotangent.
    """

    derivatives: dict[str, Expr] = field(default_factory=dict)
    tangent: Expr | None = None
    extra: dict[str, Expr] = field(default_factory=dict)


Maker = Callable[[Problem], Parts]
MAKERS: dict[Kind, Maker] = {}


def makes(*kinds: Kind) -> Callable[[Maker], Maker]:
    """Register what makes the parts of some kinds."""

    def registered(maker: Maker) -> Maker:
        MAKERS.update(dict.fromkeys(kinds, maker))
        return maker

    return registered


def parts_of(d: Problem, kind: Kind) -> Parts:
    """The expressions that a kind of function returns, as a problem has them.

    Raises:
        ShapeError: the kind is for scalar functions.
    """
    return MAKERS[kind](d)


@makes(VALUE)
def _value(d: Problem) -> Parts:
    return Parts()


@makes(GRADIENT, VALUE_AND_GRAD)
def _gradients(d: Problem) -> Parts:
    free = {name: d.structure.get(name, "none") == "none" for name in d.names}
    return Parts({name: d.adjoint(name).value if free[name] else d.gradient(name) for name in d.names})


@makes(JACOBIAN)
def _jacobians(d: Problem) -> Parts:
    return Parts({name: jacobian_by(d, name).value for name in d.names})


@makes(HESSIAN)
def _hessians(d: Problem) -> Parts:
    return Parts({name: hessian_by(d, name).value for name in d.names})


@makes(JVP)
def _directional(d: Problem) -> Parts:
    names = d.fresh_names()
    extra = _tangents(d, names)
    output, *wrt = with_sums_of_eigenvalues([d.output, *d.wrt])
    return Parts(tangent=_along(d, output, dict(zip(wrt, extra.values())), names), extra=extra)


@makes(HVP)
def _hessian_products(d: Problem) -> Parts:
    extra = _tangents(d, d.fresh_names())
    d.need_scalar(HVP.title)
    return Parts(hessian_products(d, dict(zip(d.wrt, extra.values()))), extra=extra)


@makes(VJP)
def _pulled_back(d: Problem) -> Parts:
    return _along_cotangent(d, "cotangent")


@makes(VALUE_AND_VJP)
def _differentiated(d: Problem) -> Parts:
    return _along_cotangent(d, f"{ADJOINT}value")


def _tangents(d: Problem, names: Names) -> dict[str, Expr]:
    return {n: core.var(names.fresh("dot_" + n), *e.shape) for n, e in zip(d.names, d.wrt)}


def _along(d: Problem, output: Expr, along: Mapping[Expr, Expr], names: Names) -> Expr:
    """The sum of the differentials along the tangents, in one walk where none of what moves depends on another."""
    if any(e in depends((e,), along.keys() - {e}) for e in along):
        return d.rewriter.simplify(core.add(*(forward(output, {e: V}, d.rewriter, names) for e, V in along.items())))
    return forward(output, along, d.rewriter, names)


def _along_cotangent(d: Problem, wanted: str) -> Parts:
    names = d.fresh_names()
    cotangent = core.var(names.fresh(wanted), *d.output.shape)
    found = ReverseAccumulation(d.output, d.new_context(), names, d.folds).run(d.wrt, cotangent)
    return Parts({e.name: found.adjoints[e].value for e in d.wrt}, extra={"cotangent": cotangent})
