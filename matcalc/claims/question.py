"""What a claim is compared with, and the names that it may use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matcalc.calculus.jacobian import hessian_by, jacobian_by
from matcalc.calculus.problem import Problem
from matcalc.calculus.structured import CONVENTIONS, ENTRIES, structured_gradient
from matcalc.core import named, transpose
from matcalc.dims import same
from matcalc.errors import MatcalcError
from matcalc.expr import Expr
from matcalc.graph import Graph
from matcalc.kinds import CLAIMED, GRADIENT, default, kind_of
from matcalc.languages import Message, said
from matcalc.printing.symbols import ADJOINT

IDENTITY = said("the identity")
_ADJOINT = re.compile(r"(?<!\w)([dg]_(\w+))")


@dataclass(frozen=True)
class Question:
    """What is right, and where it comes from.

    Attributes:
        about: in words.
        right: the right expression.
        graph: the forward graph.
        target: what the gradient is with respect to; None for anything else.
        assumptions: what holds where the source is differentiated.
        others: results that are taken for the right one, and what is to be said then.
    """

    about: Message
    right: Expr
    graph: Graph
    target: Expr | None
    assumptions: Sequence[tuple[str, Expr]]
    others: Sequence[tuple[Message, Expr]] = ()


def question(d: Problem, name: str, kind: str, by: Any = None) -> Question:
    """What a claim about a result of a derivation is compared with.

    Raises:
        MatcalcError: no such kind, or no such name.
    """
    asked = kind_of(kind, CLAIMED)
    if by is not None and not asked.second:
        raise MatcalcError(f"by= is for a mixed Hessian; the kind is {kind}")
    target = d.find(name)
    shown = target.name
    if not asked.matrix:
        d.need_scalar(asked.title)
        value = d.reverse_of(target).value
        structure = d.structure_of(target)
        along = structured_gradient(value, target, structure, d.convention)
        free = target if structure == "none" else None
        others = list(_other_sets(value, target, structure, d.convention))
        return Question(said("the gradient with respect to {0}", shown), along, d.graph, free, d.domain, others)
    if not asked.second:
        about = said("the Jacobian with respect to {0}", shown)
        return Question(about, jacobian_by(d, shown).value, d.graph, None, d.domain)
    other = shown if by is None else str(d.find(by).params[0])
    both = said("the Hessian with respect to {0} and {1}", shown, other)
    about = said("the Hessian with respect to {0}", shown) if by is None else both
    return Question(about, hessian_by(d, shown, other).value, d.graph, None, d.domain)


# ------------------------------------------------------------------------------------------------ other sets

FREE = "it is the gradient of a free {0}; along {1} matrices derivatives of entries that move together are added"
TURNED_FREE = "it is the transpose of the gradient of a free {0}, and not along {1} matrices"
ALONG = "it is the gradient along {1} matrices; {0} is free here: off-diagonal entries do not count twice"
OTHERWISE = "it is the gradient along {0} matrices in the other convention ({1})"


def _other_sets(free: Expr, target: Expr, structure: str, convention: str) -> Iterator[tuple[Message, Expr]]:
    """The gradients along other sets than the one that is asked for."""
    name = target.name
    if structure != "none":
        yield said(FREE, name, structure), free
        yield said(TURNED_FREE, name, structure), transpose(free)
        other = next(c for c in CONVENTIONS if c != convention)
        if other == "projection" or structure in ENTRIES:
            yield said(OTHERWISE, structure, other), structured_gradient(free, target, structure, other)
    elif target.op == "variable" and same(*target.shape) and not target.is_scalar:
        yield said(ALONG, name, "symmetric"), structured_gradient(free, target, "symmetric", convention)


# ------------------------------------------------------------------------------------------------ names of a claim


def derivative_question(d: Problem, of: str, name: str) -> Question:
    """What a line `d<of>/d<name> = ...` is compared with: the derivative of the output, or of the value called `of`.

    It is the gradient where that is 1 x 1, else the Jacobian.
    """
    value = d.graph.definitions.get(of)
    if value is None or value is d.output:
        return question(d, name, default(scalar=d.output.is_scalar, among=CLAIMED).name)
    structure = {name: d.structure[name]} if name in d.structure else None
    graph = Graph.of(value, d.graph.declared.values())
    inner = Problem(graph, [graph.find(name)], structure=structure, convention=d.convention)
    return question(inner, name, default(scalar=value.is_scalar, among=CLAIMED).name)


def with_adjoints(d: Problem, text: str, scope: Mapping[str, Expr]) -> dict[str, Expr]:
    """The names of a claim: those of the graph, and `g_r` or `g_r` for the right adjoint of r where it is used."""
    found = dict(scope)
    for written, name in dict.fromkeys(_ADJOINT.findall(text)):
        if written not in found and name in d.graph.scope and d.output.is_scalar:
            found[written] = adjoint_named(d, name)
    return found


def adjoint_named(d: Problem, name: str) -> Expr:
    """The right adjoint of a value, under the name `d_<value>`."""
    right = question(d, name, GRADIENT.name).right
    return named(f"{ADJOINT}{name}", right, "local") if right.args else right
