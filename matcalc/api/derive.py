"""`derive`: one entry for every kind of source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import matcalc.ops
import matcalc.printing.text
import matcalc.rules  # noqa: F401  (these fill the registries and the hooks)
from matcalc.api.derivation import Derivation
from matcalc.calculus.conditions import need_possible
from matcalc.calculus.problem import name_of
from matcalc.calculus.spelled import recognised
from matcalc.calculus.structured import FACTS
from matcalc.errors import MatcalcError, NoRuleError, shorten
from matcalc.expr import HOOKS, Expr
from matcalc.frontend.comments import glosses_of, title_of
from matcalc.frontend.names import declared_facts
from matcalc.frontend.sources import Declared, read
from matcalc.graph import Graph
from matcalc.indices.program import LoopSum, Program
from matcalc.naming import in_letters
from matcalc.ops.user_functions import Function
from matcalc.optional import later

if TYPE_CHECKING:
    from matcalc.api.loop_jacobian import LoopJacobian
    from matcalc.api.loops import LoopDerivation
else:
    (LoopDerivation,) = later("matcalc.api.loops", "LoopDerivation")
    (LoopJacobian,) = later("matcalc.api.loop_jacobian", "LoopJacobian")

(HOOKS["latex"],) = later("matcalc.printing.latex", "program")
(HOOKS["display"],) = later("matcalc.printing.display", "display")
(HOOKS["picture"],) = later("matcalc.export.picture_svg", "graph_svg")
(HOOKS["entry"],) = later("matcalc.api.sums", "entry")
HOOKS["ufunc"], HOOKS["numpy"] = later("matcalc.frontend.numpy_functions", "on_ufunc", "on_function")
(HOOKS["absolute"],) = later("matcalc.ops.elementwise", "absolute")
(HOOKS["sympy"],) = later("matcalc.frontend.sympy_bridge", "to_sympy")

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
    syntax: str | None = None,
) -> Derivation:
    """Differentiate `source` with respect to `wrt`.

    Args:
        source: text in matcalc's syntax, a SymPy expression, a matcalc expression, a `Graph`, or a Python function
            that is written with NumPy, JAX or PyTorch (a PyTorch module too).
        wrt: a name or symbol of a variable or of a named value, or several (a list, or `"x, y"`); default: all
            variables not constant.
        shapes: the variables of a text as name -> (rows, columns), sizes as integers or names; then exactly those.
            One size, `"n"` or `("n",)`, is a column; for a Python function a one-dimensional array, and `()` a number.
        facts: what is known of variables, as name -> word or words: `{"A": "symmetric", "y": "one-hot"}`.
        structure: the set along which a variable is differentiated, as name -> word: `{"S": "symmetric"}`.
        convention: for structured variables: `entries` (partial derivatives by the independent entries) or
            `projection` (the orthogonal projection of the gradient).
        functions: abstract entrywise functions that a text calls, by name, or functions of your own.
        syntax: of a text: `text` or `latex`; by default it is found out, and mathematics pasted from elsewhere
            (LaTeX, Unicode, NumPy, MATLAB, Julia) is read where it has one meaning.

    Returns:
        A `Derivation`: the typeset steps in Jupyter, `gradient(name)`, `latex()`, `code()`, `function()`, `check()`.
        For a text with families or recurrences a `LoopDerivation`, with `gradient`, `text`, `code` and `function`.

    Raises:
        MatcalcError: the source or a declaration is wrong, with the place; NoRuleError where something has no rule.

    Example:
        >>> import matcalc as mc
        >>> d = mc.derive("norm2(X*w - y)^2/2", wrt="w", shapes={"X": ("n", "p"), "w": ("p", 1), "y": ("n", 1)})
        >>> print(d.gradient("w"))
        X'*(X*w - y)
    """
    words = _with_structure(facts, structure)
    named = {_name(key): shape for key, shape in shapes.items()} if isinstance(shapes, Mapping) else shapes
    found = read(source, Declared(named, words, functions, syntax))
    if found.program is not None:
        loops = _with_loops(found.program, found.graph, wrt, structure)
        loops.liftings = found.liftings
        return cast(Derivation, loops)
    graph = found.graph
    need_possible(graph.output)
    if graph.unnamed_size > NAMELESS_LIMIT:
        graph = graph.with_intermediates()
    spelled = graph
    graph, steps = recognised(graph)
    structures = {_name(key): kind for key, kind in (structure or {}).items()}
    made = Derivation(
        graph,
        _wrt(graph, wrt),
        source=spelled,
        recognised=steps,
        inferred=found.inferred,
        notice=found.notice,
        structure=structures,
        convention=convention,
    )
    made.origin, made.liftings = found.origin, found.liftings
    if isinstance(source, str):
        made.title, made.glosses = title_of(source), glosses_of(source)
    return made


def _name(key: Any) -> str:
    return in_letters(key) if isinstance(key, str) else name_of(key)


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


def _with_loops(program: Program, graph: Graph, wrt: Any, structure: Mapping[Any, str] | None) -> LoopDerivation:
    """The derivation of a text with families or recurrences."""
    if structure:
        raise NoRuleError("a structure is not available for programs with families and recurrences")
    inside = {*program.members, *(q.value for q in program.quantities if isinstance(q, LoopSum))}
    declared = [v for v in graph.declared.values() if v not in inside]
    given = wrt.replace(",", " ").split() if isinstance(wrt, str) else wrt
    names = None if given is None else [_name(w) for w in (given if isinstance(given, (list, tuple)) else [given])]
    made = LoopDerivation if graph.output.is_scalar else LoopJacobian
    return made(program, graph.output, declared, names)


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
