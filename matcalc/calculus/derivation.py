"""The derivation: what `derive` returns. Holds the graph, the steps and the results; every view is made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from matcalc import core
from matcalc.calculus.certificate import checked
from matcalc.calculus.conditions import domain_of
from matcalc.calculus.folds import Folds, folded
from matcalc.calculus.jacobian import JACOBIAN_RULES, Jacobian, hessian_of, jacobian_of
from matcalc.calculus.names import Names, inlined, refreshed, with_shared_named
from matcalc.calculus.objective import Objective, objective_of
from matcalc.calculus.operators import operators_of
from matcalc.calculus.paths import Path, paths_to, shared_values
from matcalc.calculus.program import Request, need_runnable, requested, source_of
from matcalc.calculus.reverse import Adjoint, Reverse, ReverseAccumulation
from matcalc.calculus.structured import basis, check_structure, structured_gradient
from matcalc.calculus.view import written
from matcalc.claims.methods import Claims
from matcalc.dims import shape_text, symbols
from matcalc.emit.module import compile_function
from matcalc.errors import MatcalcError, ShapeError, shorten
from matcalc.expr import HOOKS, Expr, substitute
from matcalc.graph import Graph
from matcalc.numeric.binding import bind
from matcalc.numeric.check import Report
from matcalc.numeric.evaluate import evaluate
from matcalc.printing.style import STANDARD, Notation
from matcalc.properties import known, names_of
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.steps import Step


class Derivation(Claims):
    """The derivative of a graph's output with respect to some of its variables or named values.

    Made by `matcalc.derive`; in Jupyter it shows the typeset steps, in a terminal the same as text.

    Attributes:
        graph: the forward graph, the functions that the source spells out by name.
        source: the forward graph as it was given.
        recognised: the steps to the functions that the source spells out.
        wrt: the variables and named values, in the order asked for.
        inferred: what was inferred of names that were not declared.
        structure: by name, the structured set along which a variable is differentiated.
        convention: `entries` or `projection`.
    """

    def __init__(
        self,
        graph: Graph,
        wrt: Iterable[Expr],
        *,
        source: Graph | None = None,
        recognised: Iterable[Step] = (),
        inferred: Iterable[str] = (),
        structure: Mapping[str, str] | None = None,
        convention: str = "entries",
    ) -> None:
        self.graph = graph
        self.source = graph if source is None else source
        self.recognised = list(recognised)
        self.output = graph.output
        self.wrt = list(wrt)
        self.inferred = list(inferred)
        self.structure = dict(structure or {})
        self.convention = convention
        for name, kind in self.structure.items():
            check_structure(graph.find(name), kind, convention)
        self._sources: dict[Request, str] = {}
        self._functions: dict[str, Callable[..., Any]] = {}

    # ------------------------------------------------------------------------------------------------ results

    @cached_property
    def domain(self) -> list[tuple[str, Expr]]:
        """What must hold where the source has a derivative: `(fact, expression)`, from its operations."""
        return domain_of(self.output)

    @cached_property
    def context(self) -> Context:
        """The facts, the assumptions and the log of this derivation."""
        return Context(self.domain)

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
        """The same without closed facts, for what is differentiated again."""
        return Folds(self.graph.definitions.values(), closed=False)

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
        self.need_scalar("gradient")
        engine = ReverseAccumulation(self.output, self.context, self.fresh_names(), self.folds)
        return engine.run([*self.wrt, *self.stops], core.number(1))

    def fresh_names(self) -> Names:
        """A supply of names that the graph has not taken."""
        sizes = symbols(d for v in self.graph.declared.values() for d in v.shape)
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

    @property
    def names(self) -> list[str]:
        """The names in `wrt`."""
        return [str(e.params[0]) for e in self.wrt]

    def gradient(self, name: Any = None) -> Expr:
        """The gradient: the G of the variable's shape with `df = tr(G' dX)`.

        Printed, it is a program in the text syntax: adjoints used more than once come first.

        Args:
            name: a variable or named value (a name or a symbol); may be left out where `wrt` is one.

        Raises:
            MatcalcError: no such name, or not derived.
            ShapeError: the function is not scalar.
        """
        if name is None:
            if len(self.wrt) != 1:
                raise MatcalcError(f"say which gradient: {', '.join(self.names)}")
            name = self.names[0]
        made = self.adjoint(name)
        kind = self.structure.get(str(made.of.params[0]), "none") if made.of.op == "variable" else "none"
        value = (
            made.value
            if kind == "none"
            else self.rewriter.simplify(structured_gradient(made.value, made.of, kind, self.convention))
        )
        short = folded(inlined(value, self.rewriter), self.folds, self.rewriter)
        return with_shared_named(short, self.rewriter, self.fresh_names())

    def jacobian(self, name: Any = None) -> Jacobian:
        """The Jacobian of the output (m x n) by a variable (p x q): mn x pq on column-major vec, structured.

        Along a structured set (`structure=`), by the independent entries: `J D`, D the basis of the set.

        Args:
            name: a variable or named value (a name or a symbol); may be left out where `wrt` is one.

        Example:
            >>> import matcalc as mc
            >>> mc.derive("A*X*B", shapes={"A": ("p", "m"), "X": ("m", "n"), "B": ("n", "q")}).jacobian("X")
            kron(B', A)
        """
        by = self._one(name)
        if self.output.is_scalar:
            value = self.shortened(core.transpose(core.vec(self.reverse_of(by).value)), self.matrix_rewriter)
            J = Jacobian(self.output, by, value, self)
        else:
            J = jacobian_of(self, self.output, by, closed=True)
        return self._along(J, None, self._basis(by))

    def hessian(self, name: Any = None, other: Any = None) -> Jacobian:
        """The Hessian of a scalar function: the Jacobian by `other` (default: the same) of vec of the gradient.

        Along a structured set (`structure=`), by the independent entries: `D' H D`.

        Example:
            >>> import matcalc as mc
            >>> mc.derive("x'*A*x", shapes={"x": ("n", 1), "A": ("n", "n")}).hessian("x")
            A + A'

        Raises:
            ShapeError: the function is not scalar.
        """
        of = self._one(name)
        by = of if other is None else self.find(other)
        self.need_scalar("Hessian")
        left, right = self._basis(of), self._basis(by)
        return self._along(hessian_of(self, of, by), left, right)

    def _one(self, name: Any) -> Expr:
        if name is not None:
            return self.find(name)
        if len(self.wrt) != 1:
            raise MatcalcError(f"say with respect to which: {', '.join(self.names)}")
        return self.wrt[0]

    def _basis(self, variable: Expr) -> Expr | None:
        """The basis of the structured set along which a variable is differentiated; None for a free one."""
        return basis(variable, self.structure.get(str(variable.params[0]), "none"))

    def _along(self, J: Jacobian, left: Expr | None, right: Expr | None) -> Jacobian:
        """`left' J right`: by the independent entries of structured variables."""
        if left is None and right is None:
            return J
        factors = [f for f in (None if left is None else left.T, J.value, right) if f is not None]
        value = self.shortened(core.matmul(*factors), self.matrix_rewriter)
        return replace(J, value=value)

    def need_scalar(self, what: str) -> None:
        """Raise ShapeError unless the output is 1 x 1."""
        if not self.output.is_scalar:
            raise ShapeError(
                f"a {what} needs a scalar function, but {{}} is {shape_text(self.output.shape)}", self.output
            )

    @cached_property
    def matrix_rewriter(self) -> Rewriter:
        """Simplifies the matrices of Jacobians, which keep their diagonal factors."""
        return Rewriter(Context(self.domain), JACOBIAN_RULES)

    def reverse_of(self, node: Expr) -> Adjoint:
        """The adjoint of a variable or named value, whether or not it is in `wrt`."""
        if node in self.reverse.adjoints:
            return self.reverse.adjoints[node]
        engine = ReverseAccumulation(self.output, Context(self.domain), self.fresh_names(), self.folds)
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
        return [pair for pair in used if self._declared_fact(*pair)]

    def _declared_fact(self, name: str, fact: str) -> bool:
        variable = self.graph.declared.get(name)
        return variable is not None and known(variable, fact)

    @property
    def facts_wished(self) -> list[tuple[str, str]]:
        """Facts that are not known and would shorten the results: `(name, fact)`."""
        if not self.output.is_scalar:
            return []
        self.reverse  # noqa: B018  (the log is complete only afterwards)
        free = [(e, fact) for e, fact in self.context.wished if str(e.params[0]) not in self.structure]
        return [(str(e.params[0]), fact) for e, fact in free if self._shortens(e, fact)]

    def _shortens(self, variable: Expr, fact: str) -> bool:
        """Whether the results get shorter when the fact is given."""
        better = core.var(variable.params[0], *variable.shape, [*_all_facts(variable), fact])
        rewriter = Rewriter(Context(self.domain))
        for made in self.reverse.adjoints.values():
            with_fact = substitute(made.value, {variable: better}, through_names=False)
            if with_fact is made.value:  # it does not occur
                continue
            assumed = rewriter.simplify(with_fact)
            if rewriter.cost(assumed) < self.rewriter.cost(made.value):
                return True
        return False

    # ------------------------------------------------------------------------------------------------ views

    def text(self, style: str = "steps", layout: str = "denominator", *, language: str = "en") -> str:
        """The derivation as plain text; `style` is `steps`, `differential` or `result`."""
        return written(self, "text", style, layout, code=language)

    def latex(
        self,
        style: str = "steps",
        layout: str = "denominator",
        notation: Notation = STANDARD,
        *,
        language: str = "en",
    ) -> str:
        """The derivation as LaTeX that JupyterLab, VS Code and pdflatex render, with the symbols of `notation`."""
        return written(self, "latex", style, layout, notation, language)

    def markdown(
        self,
        style: str = "steps",
        layout: str = "denominator",
        notation: Notation = STANDARD,
        *,
        language: str = "en",
    ) -> str:
        """The derivation as Markdown with LaTeX formulas, with the symbols of `notation`."""
        return written(self, "markdown", style, layout, notation, language)

    def picture(self) -> Any:
        """The forward graph as SVG, with the shapes on the edges and the adjoints flowing back; Jupyter shows it."""
        return HOOKS["picture"](self)

    def export(self, path: Any, **options: Any) -> Any:
        """Write a note: title, variables, graph, steps with reasons, results, code, certificate, identities used.

        Args:
            path: the file; its suffix says what is written: .md .tex .html .ipynb .pdf .json
            options: `title`, `template` (a Jinja2 file of your own), `notation` (a `Notation`), `language` (en, es,
                hi), `detail` (full or brief), `entries` (for how many diagonal Jacobians are written out), `fragment`
                (for .tex: without preamble, to be read by `\\input`).

        Returns:
            The path that was written.

        Raises:
            MatcalcError: another suffix or option; MissingDependencyError for .pdf without a TeX.
        """
        return HOOKS["export"](self, path, **options)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"Derivation({shorten(str(self.output))}, wrt={', '.join(self.names)})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/latex": self.latex(), "text/markdown": HOOKS["lesson"](self)}

    # ------------------------------------------------------------------------------------------------ code and numbers

    def code(
        self,
        kind: str | None = None,
        target: str = "numpy",
        *,
        autodiff: bool = False,
        form: str = "dense",
        dims: Mapping[str, int] | None = None,
    ) -> str:
        """The source text of a standalone module with one function.

        Args:
            kind: `value`, `gradient`, `value_and_grad` (the default), `jacobian`, `hessian`, `jvp`, `vjp` or `hvp`.
            target: `numpy`, `array-api` (the function takes the library as `xp=`), `dask` (its results are lazy), `jax`
                (it can be jitted), `torch`, `numba` (NumPy with its entrywise work compiled), `c` (C99 with CBLAS).
            autodiff: for `jax` and `torch`: the value, as a function that `jax.grad` and `loss.backward()`
                differentiate by our derivative (the kind is then `value`).
            form: of Jacobians and Hessians: `dense`, or `factored`: for each variable a list of pairs (A, B) whose
                Kronecker products add up to the matrix, an identity being given by its size.
            dims: what is known of the sizes: the order of products follows them, and the function is right for others.

        Raises:
            MatcalcError: another kind, target or form; NoRuleError for factors of what has none.
        """
        asked = requested(self, kind, target, autodiff=autodiff, form=form, dims=dims)
        if asked not in self._sources:
            self._sources[asked] = source_of(self, asked)
        return self._sources[asked]

    def function(self, kind: str | None = None, target: str = "numpy", **options: Any) -> Callable[..., Any]:
        """The compiled function of `code(kind, target, **options)`.

        It takes every variable of the source by keyword, and `dims={"n": 3}` for sizes that no argument fixes.
        A value is a float (1 x 1) or an array, gradients are a dict by name of arrays in the shape of the variable.
        With `form="operator"` Jacobians and Hessians are SciPy's `LinearOperator`s.
        """
        need_runnable(target)
        asked = requested(self, kind, target, **options)
        if asked.form == "operator":
            return operators_of(self, asked.kind)
        source = self.code(kind, target, **options)
        if source not in self._functions:
            self._functions[source] = compile_function(source)
        return self._functions[source]

    def evaluate(
        self, *, dims: Mapping[str, int] | None = None, functions: Mapping[str, Any] | None = None, **values: Any
    ) -> Any:
        """The value by direct evaluation of the source graph: a float for 1 x 1, else an array."""
        variables = list(self.graph.declared.values())
        arrays, sizes = bind(variables, values, dims)
        result = evaluate(self.source.output, arrays, sizes, functions or {})
        return float(result[0, 0]) if self.output.is_scalar else result

    def objective(self, wrt: Any = None, *, dims: Mapping[str, int] | None = None, **fixed: Any) -> Objective:
        """A function of one flat vector, for `scipy.optimize.minimize(f, x0, jac=True, hess=f.hess or hessp=f.hessp)`.

        Args:
            wrt: the variables that move (default: those of the derivation).
            dims: sizes that no array determines.
            fixed: the arrays of all other variables.
        """
        return objective_of(self, wrt, fixed, dims)

    def check(self, trials: int = 5, seed: int = 0, *, kind: str | None = None) -> Report:
        """The generated derivatives against differences of the source graph, at random values that satisfy the facts.

        Args:
            trials: how many random points, each of other sizes.
            seed: of the random numbers.
            kind: `gradient` (the default for a scalar function), `jacobian` (for others) or `hessian`.

        Raises:
            MatcalcError: another kind.
            ShapeError: a gradient or Hessian of a function that is not scalar.
        """
        return checked(self, kind, trials, seed)

    def parse(self, text: str) -> Expr:
        """An expression or program in the text syntax, in the scope of this derivation's names."""
        scope = {**self.graph.declared, **self.graph.definitions}
        return HOOKS["parse"](text, scope)  # type: ignore[no-any-return]


def name_of(symbol: Any) -> str:
    """The name of a SymPy symbol, a variable or a named value."""
    if isinstance(symbol, Expr) and symbol.op in ("variable", "named"):
        return str(symbol.params[0])
    name = getattr(symbol, "name", None)
    if not isinstance(name, str):
        raise MatcalcError(f"{shorten(str(symbol))} is neither a name nor a symbol")
    return name


def _all_facts(variable: Expr) -> list[str]:
    return names_of(variable.params[3])
