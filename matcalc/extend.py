"""What an extension is made of: operations, rules, linear maps, sources and targets of your own, and their checks.

A record counts everywhere from the moment it is registered: in the text, in gradients, Jacobians and proofs, in LaTeX
and in the code of every target.

    op, elementwise        declare an operation (its differential, shape, LaTeX and NumPy forms)
    rule, node_rule        declare an identity
    linear_map             declare a kind of linear map, for differentials that none of `maps` is
    source                 declare how a type of objects becomes a graph
    target, written        declare how programs are written; a value by a table of instructions
    check_op, check_rule   compare with random values and differences; they raise where something is wrong

Example:
    >>> import matcalc as mc
    >>> from matcalc.extend import check_rule, forget, rule
    >>> @rule(A="m n", source="Abramowitz & Stegun (1964), 4.5")
    ... def cosh_of_asinh(A):
    ...     '''cosh(asinh(X)) = sqrt(1 + X.^2)'''
    ...     return mc.cosh(mc.asinh(A)), mc.sqrt(1 + mc.power(A, 2))
    >>> check_rule(cosh_of_asinh)
    ['both sides have the same values', 'cosh(arcsinh(A)) becomes sqrt(1 + A.^2)']
    >>> forget(cosh_of_asinh)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from matcalc import maps
from matcalc.api.checks import check_op, check_rule
from matcalc.core import exact, number
from matcalc.emit.tables import product_of, sum_of, written
from matcalc.errors import MatcalcError
from matcalc.expr import REGISTRY, Expr, Op, Param, Shape
from matcalc.frontend import sources
from matcalc.graph import Graph
from matcalc.linop import adjoint, apply, register_map
from matcalc.map_kinds import LinearMap
from matcalc.notation import Call, Level, Template
from matcalc.ops.define import AXIS, always, anywhere, like, no_facts, op, scalar, square
from matcalc.ops.entrywise import elementwise
from matcalc.rewrite.rule import RULES, Rule, node_rule, rule
from matcalc.targets import registry as targets
from matcalc.targets.registry import Page, Printer, Target
from matcalc.vecform import matrix

MapType = TypeVar("MapType", bound=type[LinearMap])
Read = Callable[..., Any]


def linear_map(
    *,
    apply: Callable[[Any, Expr], Expr],
    adjoint: Callable[[Any], LinearMap],
    matrix: Callable[[Any], Expr],
) -> Callable[[MapType], MapType]:
    """Declare a kind of linear map by its three views; the class is a frozen dataclass derived from `LinearMap`.

    Args:
        apply: `(L, dX)`: the value at an expression of the shape `L.domain`.
        adjoint: `(L)`: the map with <L(dX), G> = <dX, adjoint(L)(G)>.
        matrix: `(L)`: the matrix on column-major vec.
    """

    def declare(kind: MapType) -> MapType:
        register_map(kind, apply, adjoint)
        _matrix.register(kind, matrix)
        return kind

    return declare


_matrix = matrix


def source(kind: type) -> Callable[[Read], Read]:
    """Declare how objects of a type are read: the function returns text, an expression or a graph.

    What it returns is read with the shapes and facts that are given to `derive`.
    """

    def declare(read: Read) -> Read:
        def reader(value: Any, declared: sources.Declared) -> sources.Source:
            made = read(value)
            if not isinstance(made, (str, Expr, Graph)):
                raise MatcalcError(f"the reader of {kind.__name__} must return text, an expression or a graph")
            return sources.read(made, declared)

        sources.read.register(kind, reader)
        return read

    return declare


def target(name: str, **traits: Any) -> Callable[[Printer], Target]:
    """Declare a target: the function writes the text of a module for a lowered program and a page.

    Args:
        name: what the target is asked for by.
        **traits: the other fields of `matcalc.targets.registry.Target`.

    Raises:
        MatcalcError: there is a target of that name.
    """

    def declare(printer: Printer) -> Target:
        made = Target(name, printer, **traits)
        targets.register(made)
        return made

    return declare


def forget(*made: Op | Rule | Target) -> None:
    """Take operations, rules and targets out of the registries again (for tests and documents)."""
    for entry in made:
        if isinstance(entry, Target):
            targets.forget(entry.name)
            continue
        table: Mapping[str, Any] = REGISTRY if isinstance(entry, Op) else RULES
        if table.get(entry.name) is not entry:
            raise MatcalcError(f"{entry.name} is not registered")
        (REGISTRY if isinstance(entry, Op) else RULES).pop(entry.name)


__all__ = [
    "AXIS",
    "Call",
    "Expr",
    "Level",
    "LinearMap",
    "Op",
    "Page",
    "Param",
    "Rule",
    "Shape",
    "Target",
    "Template",
    "adjoint",
    "always",
    "anywhere",
    "apply",
    "check_op",
    "check_rule",
    "elementwise",
    "exact",
    "forget",
    "like",
    "linear_map",
    "maps",
    "matrix",
    "no_facts",
    "node_rule",
    "number",
    "op",
    "product_of",
    "rule",
    "scalar",
    "source",
    "square",
    "sum_of",
    "target",
    "written",
]
