"""The SymPy door: conversions both ways, and what `sympify(expr)` and `Graph.define` do with SymPy objects."""

from __future__ import annotations

from typing import Any

import sympy as sp

from matcalc.dims import symbols
from matcalc.errors import MatcalcError
from matcalc.expr import HOOKS, Expr
from matcalc.frontend.catalogue import sympy_dim
from matcalc.frontend.from_sympy import from_sympy, read
from matcalc.frontend.names import declared_shapes
from matcalc.frontend.scope import Scope
from matcalc.frontend.sources import Declared, Source
from matcalc.frontend.sources import read as read_source
from matcalc.frontend.to_sympy import to_sympy
from matcalc.graph import Graph, define

__all__ = ["from_sympy", "to_sympy"]


@define.register(sp.Basic)
@define.register(sp.MatrixBase)
def _(value: Any, graph: Graph, name: str) -> tuple[Expr, Any]:
    """A SymPy value in a graph: its expression, and the symbol that stands for it in later definitions.

    Raises:
        MatcalcError: a name stands for two things.
    """
    scope = Scope({}, {}, (), graph.scope)
    expr = read(value, scope)
    if name in scope.matrices or name in symbols(expr.shape):
        raise MatcalcError(f"{name} is used in its own definition")
    if expr.is_scalar:
        return expr, sp.Symbol(name)
    return expr, sp.MatrixSymbol(name, *(sympy_dim(size, scope.own) for size in expr.shape))


@read_source.register(sp.Expr)
@read_source.register(sp.MatrixBase)
def _(source: Any, declared: Declared) -> Source:
    declared_shapes(declared.shapes)
    return Source(Graph.of(from_sympy(source, shapes=declared.shapes, facts=declared.facts)))


HOOKS["sympy"] = to_sympy
