"""`derive`: one entry for every kind of source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy as sp

import matcalc.frontend.numpy_functions
import matcalc.ops
import matcalc.printing.latex
import matcalc.printing.text
import matcalc.rules  # noqa: F401  (these fill the registries and the hooks)
from matcalc.api.derivation import Derivation
from matcalc.calculus.conditions import need_possible
from matcalc.calculus.problem import name_of
from matcalc.calculus.spelled import recognised
from matcalc.calculus.structured import FACTS
from matcalc.core import var
from matcalc.errors import MatcalcError, NoRuleError, shorten
from matcalc.expr import Expr
from matcalc.frontend.names import declared_facts, declared_shapes
from matcalc.frontend.parser import parse
from matcalc.frontend.sympy_bridge import from_sympy
from matcalc.graph import Graph
from matcalc.languages import Message
from matcalc.ops.user_functions import Function
from matcalc.properties import names_of
from matcalc.walk import substitute

NAMELESS_LIMIT = 100  # unnamed operations beyond which shared and nonlinear intermediate values get names


def derive(
    source: Any,
    wrt: Any = None,
    *,
    shapes: Mapping[str, Any] | None = None,
    facts: Mapping[Any, Any] | None = None,
    structure: Mapping[Any, str] | None = None,
    convention: str = "entries",
    functions: Iterable[str | Function] = (),
) -> Derivation:
    """Differentiate `source` with respect to `wrt`.

    Args:
        source: text in matcalc's syntax, a SymPy expression, a matcalc expression, or a `Graph`.
        wrt: a name or symbol of a variable or of a named value, or several (a list, or `"x, y"`); default: all
            variables not constant.
        shapes: the variables of a text as name -> (rows, columns), sizes as integers or names; then exactly those.
            One size, `"n"` or `("n",)`, is a column.
        facts: what is known of variables, as name -> word or words: `{"A": "symmetric", "y": "one-hot"}`.
        structure: the set along which a variable is differentiated, as name -> word: `{"S": "symmetric"}`.
        convention: for structured variables: `entries` (partial derivatives by the independent entries) or
            `projection` (the orthogonal projection of the gradient).
        functions: abstract entrywise functions that a text calls, by name, or functions of your own.

    Returns:
        A `Derivation`: the typeset steps in Jupyter, `gradient(name)`, `latex()`, `code()`, `function()`, `check()`.

    Raises:
        MatcalcError: the source or a declaration is wrong, with the place; NoRuleError where something has no rule.

    Example:
        >>> import matcalc as mc
        >>> d = mc.derive("norm2(X*w - y)^2/2", wrt="w", shapes={"X": ("n", "p"), "w": ("p", 1), "y": ("n", 1)})
        >>> print(d.gradient("w"))
        X'*(X*w - y)
    """
    words = _with_structure(facts, structure)
    graph, inferred, notice = _graph(source, shapes, words, functions)
    need_possible(graph.output)
    if graph.unnamed_size > NAMELESS_LIMIT:
        graph = graph.with_intermediates()
    spelled = graph
    graph, steps = recognised(graph)
    structures = {_name(key): kind for key, kind in (structure or {}).items()}
    return Derivation(
        graph,
        _wrt(graph, wrt),
        source=spelled,
        recognised=steps,
        inferred=inferred,
        notice=notice,
        structure=structures,
        convention=convention,
    )


def _name(key: Any) -> str:
    return key if isinstance(key, str) else name_of(key)


def _with_structure(facts: Mapping[Any, Any] | None, structure: Mapping[Any, str] | None) -> dict[str, list[str]]:
    """The facts by name; a structured variable has its structure as a fact at the point."""
    for what, given in (("facts", facts), ("structure", structure)):
        if given is not None and not isinstance(given, Mapping):
            raise MatcalcError(f"{what} must map names to words, got {shorten(repr(given))}")
    words = declared_facts({_name(key): value for key, value in (facts or {}).items()})
    for key, kind in (structure or {}).items():
        fact = FACTS.get(kind)
        if fact is not None and fact not in words.get(_name(key), ()):
            words[_name(key)] = [*words.get(_name(key), ()), fact]
    return words


def _graph(
    source: Any, shapes: Mapping[str, Any] | None, facts: dict[str, list[str]], functions: Iterable[str | Function]
) -> tuple[Graph, list[str], Message | None]:
    if isinstance(source, str):
        parsed = parse(source, shapes=shapes, facts=facts or None, functions=functions)
        return parsed.graph, parsed.inferred, parsed.notice
    if shapes is not None:
        declared_shapes(shapes)
    if isinstance(source, Graph):
        return _with_facts(source, facts), [], None
    if isinstance(source, Expr):
        return _with_facts(Graph.of(source), facts), [], None
    if isinstance(source, (sp.Expr, sp.MatrixBase)):
        return Graph.of(from_sympy(source, shapes=shapes, facts=facts)), [], None
    if callable(source):
        raise NoRuleError("a Python function as the source is not available yet: give text, SymPy or a Graph")
    raise MatcalcError(
        f"the source must be text (a str), a SymPy expression, a matcalc expression or a Graph, got "
        f"{type(source).__name__}"
    )


def _with_facts(graph: Graph, facts: dict[str, list[str]]) -> Graph:
    """The graph with facts added to its variables."""
    if not facts:
        return graph
    table: dict[Expr, Expr] = {}
    for name, words in facts.items():
        if name not in graph.declared:
            raise MatcalcError(f"facts are given for {shorten(name)}, which is no variable of the graph")
        v = graph.declared[name]
        table[v] = var(name, *v.shape, [*names_of(v.params[3]), *words])
    new = Graph.of(substitute(graph.output, table), (table.get(v, v) for v in graph.declared.values()))
    for definition in graph.definitions.values():
        new.collect(substitute(definition, table))
    return new


def _wrt(graph: Graph, wrt: Any) -> list[Expr]:
    if wrt is None:
        found = graph.free_variables()
        if not found:
            raise MatcalcError("there is no variable to differentiate by: all are constant, or there are none")
        return found
    given = wrt.replace(",", " ").split() if isinstance(wrt, str) else wrt
    wanted = list(given) if isinstance(given, (list, tuple)) else [given]
    if not wanted:
        raise MatcalcError("wrt is empty: name at least one variable")
    return list(dict.fromkeys(graph.find(_name(w)) for w in wanted))
