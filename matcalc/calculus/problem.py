"""The problem: a graph, what it is differentiated by, and the results; views, claims and functions are made from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from matcalc import core
from matcalc.calculus.conditions import domain_of
from matcalc.calculus.folds import Folds, folded
from matcalc.calculus.names import inlined, is_long, refreshed, with_shared_named
from matcalc.calculus.paths import Path, paths_to, shared_values
from matcalc.calculus.reverse import Adjoint, Reverse, ReverseAccumulation
from matcalc.calculus.spelled import lost_conditions
from matcalc.calculus.structured import basis, check_structure, structured_gradient
from matcalc.calculus.wishes import is_usual, turned_too
from matcalc.dims import shape_text, symbols
from matcalc.errors import MatcalcError, ShapeError, shorten
from matcalc.expr import Expr
from matcalc.graph import Graph
from matcalc.kinds import GRADIENT
from matcalc.languages import Message
from matcalc.naming import Names
from matcalc.properties import KNOWN_AS, known, names_of
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.measure import substance
from matcalc.steps import Step
from matcalc.walk import substitute

if TYPE_CHECKING:
    from matcalc.indices.lifting import Lifting


class Problem:
    """The derivative of a graph's output with respect to some of its variables or named values.

    The simplified adjoints, the facts that they use, and what the other rooms need to make more of them.

    Attributes:
        graph: the forward graph, the functions that the source spells out by name.
        source: the forward graph as it was given.
        recognised: the steps to the functions that the source spells out.
        wrt: the variables and named values, in the order asked for.
        inferred: what was inferred of names that were not declared: a line for each.
        notice: one sentence on it, which every view shows; None if all names are declared.
        structure: by name, the structured set along which a variable is differentiated.
        convention: `entries` or `projection`.
        exact: whether it is derived without any rewriting that may lose digits: for generated code.
        title: what the source says that it is, in its first comment.
        glosses: by name, what the source says of a definition, in the comment beside it.
    """

    def __init__(
        self,
        graph: Graph,
        wrt: Iterable[Expr],
        *,
        source: Graph | None = None,
        recognised: Iterable[Step] = (),
        inferred: Iterable[str] = (),
        notice: Message | None = None,
        structure: Mapping[str, str] | None = None,
        convention: str = "entries",
        exact: bool = False,
    ) -> None:
        self.graph = graph
        self.source = graph if source is None else source
        self.recognised = list(recognised)
        self.output = graph.output
        self.wrt = list(wrt)
        self.inferred = list(inferred)
        self.notice = notice
        self.structure = dict(structure or {})
        self.convention = convention
        self.exact = exact
        self.liftings: Sequence[Lifting] = ()  # how sums over indices in the source became matrices
        self.title = ""
        self.glosses: dict[str, str] = {}
        self.contexts: list[Context] = []
        for name, kind in self.structure.items():
            check_structure(graph.find(name), kind, convention)

    @property
    def roots(self) -> tuple[Expr, Expr]:
        """The function, as it was recognised and as it was given."""
        return self.output, self.source.output

    # ------------------------------------------------------------------------------------------------ results

    @cached_property
    def domain(self) -> list[tuple[str, Expr]]:
        """What must hold where the source has a derivative: `(fact, expression)`, from its operations."""
        return list(dict.fromkeys([*domain_of(self.output), *lost_conditions(self.recognised)]))

    @cached_property
    def context(self) -> Context:
        """The facts, the assumptions and the log of this derivation."""
        return self.new_context()

    def new_context(self, *, closed: bool = True, moving: Iterable[Expr] = ()) -> Context:
        """The same facts and assumptions with a log of its own.

        Args:
            closed: whether facts that hold at the point may be used: after the last differentiation.
            moving: what will be differentiated by: what a definition gives to a named value does not last then.
        """
        made = Context(self.domain, closed=closed, exact=self.exact, moving=moving)
        self.contexts.append(made)
        return made

    @property
    def lossy(self) -> bool:
        """Whether anything in what was derived so far was rewritten in a way that may lose digits."""
        return any(context.lossy for context in self.contexts)

    @cached_property
    def exact_twin(self) -> Problem:
        """The same problem without any rewriting that may lose digits: what code is generated from."""
        return Problem(
            self.graph, self.wrt, source=self.source, structure=self.structure, convention=self.convention, exact=True
        )

    @cached_property
    def rewriter(self) -> Rewriter:
        """Simplifies under this derivation's facts."""
        return Rewriter(self.context)

    @cached_property
    def folds(self) -> Folds:
        """The definitions to which results are folded back."""
        return Folds(self.graph.definitions.values())

    @cached_property
    def open_folds(self) -> Folds:
        """The same without closed facts, for what is differentiated again by variables."""
        return Folds(self.graph.definitions.values(), closed=False)

    def folds_around(self, moving: Iterable[Expr]) -> Folds:
        """The definitions for what is differentiated again by these: none of them is written by its own name."""
        moving = list(moving)
        named = [e for e in moving if e.op == "named"]
        found = Folds(self.graph.definitions.values(), closed=False, moving=named) if named else self.open_folds
        return found.without(*moving)

    @cached_property
    def stops(self) -> list[Expr]:
        """Unnamed values that are used more than once: the steps treat them like named ones."""
        return shared_values(self.output, self.wrt)

    @cached_property
    def reverse(self) -> Reverse:
        """The adjoints of all named values on the way to `wrt`.

        Raises:
            ShapeError: the output is not 1 x 1.
        """
        self.need_scalar(GRADIENT.title)
        engine = ReverseAccumulation(self.output, self.context, self.fresh_names(), self.folds)
        return engine.run([*self.wrt, *self.stops], core.number(1))

    def fresh_names(self) -> Names:
        """A supply of names that the graph has not taken."""
        sizes = symbols(dict.fromkeys(d for v in self.graph.declared.values() for d in v.shape))
        return Names([*self.graph.declared, *self.graph.definitions, *sizes])

    def adjoint(self, name: Any) -> Adjoint:
        """The adjoint of a variable or named value, with the rules that led to it.

        Raises:
            MatcalcError: it is not among those that were derived.
        """
        node = self.find(name)
        found = self.reverse.adjoints.get(node)
        if found is None:
            raise MatcalcError(f"{node.params[0]} is not among the derived: {', '.join(self.names)}")
        return found

    def find(self, name: Any) -> Expr:
        """The variable or named value of this name (or symbol)."""
        return self.graph.find(name if isinstance(name, str) else name_of(name))

    def structure_of(self, value: Expr) -> str:
        """The structured set along which a value is differentiated; `none` for a free one and for named values."""
        return self.structure.get(value.name, "none") if value.op == "variable" else "none"

    @property
    def names(self) -> list[str]:
        """The names in `wrt`."""
        return [e.name for e in self.wrt]

    def gradient(self, name: Any = None) -> Expr:
        """The gradient: the G of the variable's shape with `df = tr(G' dX)`.

        By a named value it is the one where that name occurs: all else stays fixed, also what equals its definition.
        Printed, it is a program in the text syntax: adjoints used more than once come first, or all, if they are many.

        Args:
            name: a variable or named value (a name or a symbol); may be left out where `wrt` is one.

        Raises:
            MatcalcError: no such name, or not derived.
            ShapeError: the function is not scalar.
        """
        made = self.adjoint(self.one(name))
        kind = self.structure_of(made.of)
        value = (
            made.value
            if kind == "none"
            else self.rewriter.simplify(structured_gradient(made.value, made.of, kind, self.convention))
        )
        around = self.folds.without(made.of)
        if is_long(value):  # all gradients of a deep network are linear in its depth
            return folded(value, around, self.rewriter)
        short = folded(inlined(value, self.rewriter), around, self.rewriter)
        return with_shared_named(short, self.rewriter, self.fresh_names())

    def one(self, name: Any) -> Expr:
        """The variable or named value of this name; without one, the only one in `wrt`.

        Raises:
            MatcalcError: no such name, or there are several.
        """
        if name is not None:
            return self.find(name)
        if len(self.wrt) != 1:
            raise MatcalcError(f"name the variable: one of {', '.join(self.names)}")
        return self.wrt[0]

    def basis(self, variable: Expr) -> Expr | None:
        """The basis of the structured set along which a variable is differentiated; None for a free one."""
        return basis(variable, self.structure_of(variable))

    def need_scalar(self, what: str) -> None:
        """Raise ShapeError unless the output is 1 x 1."""
        if not self.output.is_scalar:
            article = "an" if what[0] in "aeio" else "a"
            said = f"{article} {what} needs a scalar function, but {{}} is {shape_text(self.output.shape)}"
            raise ShapeError(f"{said}{self.assumed}", self.output)

    @property
    def assumed(self) -> str:
        """What undeclared names were taken for, as the end of an error: it may be why something does not fit."""
        said = str(self.notice or "")
        return f" ({said[0].lower()}{said[1:]})" if said else ""

    def reverse_of(self, node: Expr) -> Adjoint:
        """The adjoint of a variable or named value, whether or not it is in `wrt`."""
        if node in self.reverse.adjoints:
            return self.reverse.adjoints[node]
        engine = ReverseAccumulation(self.output, self.new_context(), self.fresh_names(), self.folds)
        return engine.run([node], core.number(1)).adjoints[node]

    def shortened(self, value: Expr, rewriter: Rewriter) -> Expr:
        """`value` simplified, local names that it uses once opened, and what equals a definition folded back."""
        short = folded(inlined(rewriter.simplify(refreshed(value, rewriter)), rewriter), self.folds, rewriter)
        return with_shared_named(short, rewriter, self.fresh_names())

    @property
    def gradients(self) -> dict[str, Expr]:
        """The gradients by name."""
        return {name: self.gradient(name) for name in self.names}

    # ------------------------------------------------------------------------------------------------ steps and facts

    @property
    def steps(self) -> list[Step]:
        """Every application of a rule, in order; plain data."""
        return [*self.recognised, *(step for made in self.reverse.adjoints.values() for step in made.steps)]

    @property
    def paths(self) -> dict[Expr, list[Path]]:
        """The paths of the chain rule to each value, with their local Jacobians."""
        return paths_to(self.output, self.wrt, self.stops)

    @property
    def facts_used(self) -> list[tuple[str, str]]:
        """The facts about variables that a rule used: `(name, fact)`."""
        used = dict.fromkeys(pair for step in self.steps for pair in step.facts)
        declared = [pair for pair in used if self._declared_fact(*pair)]
        return list(dict.fromkeys((name, self._as_known(name, fact)) for name, fact in declared))

    def _as_known(self, name: str, fact: str) -> str:
        known_as = KNOWN_AS.get(fact, fact)
        return known_as if self._declared_fact(name, known_as) else fact

    def _declared_fact(self, name: str, fact: str) -> bool:
        variable = self.graph.declared.get(name)
        return variable is not None and known(variable, fact)

    @property
    def facts_wished(self) -> list[tuple[str, str]]:
        """Facts that are not known and would shorten the results: `(name, fact)`."""
        if not self.output.is_scalar:
            return []
        self.reverse  # noqa: B018  (the log is complete only afterwards)
        free = [
            (e, fact)
            for e, fact in self.context.wished
            if e.name not in self.structure and is_usual(e, fact, self.source.output)
        ]
        results = [(made.value, turned_too(made.value)) for made in self.reverse.adjoints.values()]
        return [
            (e.name, fact)
            for e, fact in free
            if any(self._shortens(value, e, fact) for value, both in results if fact != "symmetric" or e in both)
        ]

    def _shortens(self, result: Expr, variable: Expr, fact: str) -> bool:
        """Whether a result gets shorter when the fact is given; a transpose less is not worth a wish."""
        better = core.var(variable.params[0], *variable.shape, [*_all_facts(variable), fact])
        with_fact = substitute(result, {variable: better}, through_names=False)
        if with_fact is result:  # it does not occur
            return False
        return substance(Rewriter(Context(self.domain)).simplify(with_fact)) < substance(result)


def name_of(symbol: Any) -> str:
    """The name of a SymPy symbol, a variable or a named value."""
    if isinstance(symbol, Expr) and symbol.name:
        return symbol.name
    name = getattr(symbol, "name", None)
    if not isinstance(name, str):
        raise MatcalcError(f"{shorten(str(symbol))} is neither a name nor a symbol")
    return name


def _all_facts(variable: Expr) -> list[str]:
    return names_of(variable.params[3])
