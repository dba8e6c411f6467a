"""The derivation that `derive` returns: a problem with everything that is offered to users. Each method is one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from matcalc.api import rooms
from matcalc.api.shown import Shown
from matcalc.calculus.problem import Problem
from matcalc.errors import ShapeError, shorten
from matcalc.expr import HOOKS, Expr
from matcalc.frontend.parser import parse_in
from matcalc.patience import patience
from matcalc.printing.style import Notation
from matcalc.targets.registry import target_of_file
from matcalc.views.view import written

if TYPE_CHECKING:
    from matcalc.calculus.jacobian import Jacobian
    from matcalc.claims.lines import LineVerdicts
    from matcalc.claims.verdict import Verdict
    from matcalc.curvature.status import Curvature
    from matcalc.frontend.tracing.origin import Origin
    from matcalc.functions.objective import Objective
    from matcalc.numeric.report import Report
    from matcalc.optimum.result import Optimum

# What completion shows of a problem, beside the methods of the derivation itself.
_SHOWN = (
    *("adjoint", "convention", "domain", "facts_used", "facts_wished", "find", "gradient", "gradients", "graph"),
    *("inferred", "names", "notice", "output", "paths", "recognised", "source", "steps", "structure", "wrt"),
)


class Derivation(Shown, Problem):
    """The derivative of a graph's output with respect to some of its variables or named values.

    Made by `matcalc.derive`; in Jupyter it shows the typeset steps, in a terminal the same as text.

    Attributes:
        origin: the Python function that it was read from, with its constants; None for other sources.
    """

    origin: Origin | None = None

    # ------------------------------------------------------------------------------------------------ matrices

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
        return rooms.jacobian_by(self, name)

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
        return rooms.hessian_by(self, name, other)

    # ------------------------------------------------------------------------------------------------ views

    def _page(self, medium: str, style: str, layout: str, notation: Notation, language: str, *, hessian: bool) -> str:
        """The derivation as `text`, `latex` or `markdown`, beneath the steps that made matrices of its sums."""
        page = written(self, medium, style, layout, notation, language, hessian=hessian, known=rooms.definiteness)
        if not self.liftings or style != "steps":
            return page
        return rooms.beneath_liftings(page, medium, self.liftings, notation)

    def picture(self) -> Any:
        """The forward graph as SVG, with the shapes on the edges and the adjoints flowing back; Jupyter shows it."""
        return rooms.graph_svg(self)

    def explore(self, language: str = "en") -> Any:
        """A widget for notebooks: steps fold, names show their shapes, the notation changes, a line of yours is judged.

        Raises:
            MissingDependencyError: anywidget is not installed.
        """
        return rooms.explorer(self, language)

    def export(self, path: Any, **options: Any) -> Any:
        """Write a note: title, variables, graph, steps with reasons, results, code, certificate, identities used.

        Args:
            path: the file; its suffix says what is written: .md .tex .html .ipynb .pdf .docx .typ, ... (all of them in
                `matcalc.export.formats`), or .py .R .c: the code of that target, for which `kind` is the option.
            options: `title`, `template` (a Jinja2 file of your own), `notation` (a `Notation`), `language` (en, es,
                hi), `detail` (full, lesson or sheet), `code` (whether it is in the note), `entries` (for how many
                diagonal Jacobians are written out), `fragment`
                (for .tex: without preamble, to be read by `\\input`), `format` (by name, where the suffix does not
                say it), `engine` (of .pdf: tex or typst).

        Returns:
            The path that was written.

        Raises:
            MatcalcError: another suffix or option; MissingDependencyError for what a format needs.
        """
        if target_of_file(path) is not None:
            return rooms.module_file(self, path, **options)
        if self.origin is not None and self.origin.title:
            options.setdefault("title", self.origin.title)
        with patience("writing the note"):
            return rooms.export(self, path, **options)

    def __repr__(self) -> str:
        return f"Derivation({shorten(str(self.output))}, wrt={', '.join(self.names)})"

    def __dir__(self) -> list[str]:
        return sorted([*_SHOWN, *(n for n in (*vars(Derivation), *vars(Shown)) if not n.startswith("_"))])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/latex": self.latex(), "text/markdown": rooms.lesson(self)}

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
            kind: `value`, `gradient`, `value_and_grad` (the default for a scalar function), `jacobian` (for others),
                `hessian`, `jvp`, `vjp` or `hvp`.
            target: `numpy`, `array-api` (the function takes the library as `xp=`), `dask` (its results are lazy), `jax`
                (it can be jitted), `torch`, `numba` (NumPy with its entrywise work compiled), `c` (C99 with CBLAS),
                `native` (C that is compiled where it is called), `r`, `octave`, `cpp` (Eigen), `armadillo` or `rcpp`.
            autodiff: for `jax` and `torch`: the value, as a function that `jax.grad` and `loss.backward()`
                differentiate by our derivative (the kind is then `value`).
            form: of Jacobians and Hessians: `dense`, or `factored`: for each variable a list of pairs (A, B) whose
                Kronecker products add up to the matrix, an identity being given by its size.
            dims: what is known of the sizes: the order of products follows them, and the function is right for others.

        Raises:
            MatcalcError: another kind, target or form; NoRuleError for factors of what has none.
        """
        return rooms.module(self, kind, target, autodiff=autodiff, form=form, dims=dims)

    def function(self, kind: str | None = None, target: str = "numpy", **options: Any) -> Callable[..., Any]:
        """The compiled function of `code(kind, target, **options)`.

        It takes every variable of the source by keyword, and `dims={"n": 3}` for sizes that no argument fixes.
        A value is a float (1 x 1) or an array, gradients are a dict by name of arrays in the shape of the variable.
        With `form="operator"` Jacobians and Hessians are SciPy's `LinearOperator`s.
        """
        made = rooms.function(self, kind, target, **options)
        return made if self.origin is None else rooms.with_constants(made, self.origin)

    def evaluate(
        self, *, dims: Mapping[str, int] | None = None, functions: Mapping[str, Any] | None = None, **values: Any
    ) -> Any:
        """The value by direct evaluation of the source graph: a float for 1 x 1, else an array."""
        variables = list(self.graph.declared.values())
        if self.origin is not None:
            values = self.origin.with_constants(values)
        arrays, sizes = rooms.bind(variables, values, dims)
        result = rooms.evaluate(self.source.output, arrays, sizes, functions or {})
        return float(result[0, 0]) if self.output.is_scalar else result

    def objective(
        self,
        wrt: Any = None,
        *,
        dims: Mapping[str, int] | None = None,
        target: Any = "numpy",
        on: Any = None,
        mesh: Any = None,
        **fixed: Any,
    ) -> Objective:
        """A function of one flat vector, for `scipy.optimize.minimize(f, x0, jac=True, hess=f.hess or hessp=f.hessp)`.

        Args:
            wrt: the variables that move (default: those of the derivation).
            dims: sizes that no array determines.
            target: of the functions: "numpy", "numba" or "native"; the array, where a variable is called so.
            on: a Dask client, where fixed arrays are Dask's: block by block, on its workers.
            mesh: a `jax.sharding.Mesh`: rows go over its devices.
            fixed: the arrays of all other variables.
        """
        usual = {"target": "numpy", "on": None, "mesh": None}
        given = {"target": target, "on": on, "mesh": mesh}
        own = {n: v for n, v in given.items() if n in self.graph.declared and not (v is None or isinstance(v, str))}
        fixed, given = {**fixed, **own}, {n: usual[n] if n in own else v for n, v in given.items()}
        if self.origin is not None:
            fixed = self.origin.with_constants(fixed)
        return rooms.objective_of(self, wrt, fixed, dims, **given)

    def check(
        self,
        trials: int = 5,
        seed: int = 0,
        *,
        kind: str | None = None,
        by: Any = None,
        against: Any = None,
        target: str = "numpy",
    ) -> Report:
        """The generated derivatives against differences of the source graph, at random values that satisfy the facts.

        Args:
            trials: how many random points, each of other sizes.
            seed: of the random numbers.
            kind: `gradient` (the default for a scalar function), `jacobian` (for others) or `hessian`.
            by: for mixed Hessians the second variable; without it each variable is taken twice.
            against: a Python function of the same arguments: its values and its gradient are compared too.
            target: whose generated functions are checked; other languages run in processes of their own.

        Differences move freely from values that satisfy the facts, and along the set where there is a structure.

        Raises:
            MatcalcError: another kind.
            ShapeError: a gradient or Hessian of a function that is not scalar.
        """
        with patience("comparing with differences"):
            report = rooms.checked(self, kind, trials, seed, by, target)
            return report if against is None else rooms.checked_against(self, against, report, trials, seed)

    def parse(self, text: str) -> Expr:
        """An expression or program in the text syntax, in the scope of this derivation's names."""
        return parse_in(text, self.graph.scope, self.roots)

    @contextmanager
    def assumptions_told(self) -> Iterator[None]:
        """Errors of shapes say what undeclared names were taken for: that may be why the shapes do not fit."""
        try:
            yield
        except ShapeError as error:
            if self.assumed in str(error):
                raise
            raise ShapeError(f"{error}{self.assumed}") from error

    # ------------------------------------------------------------------------------------------------ curvature

    def curvature(self, *names: Any) -> Curvature:
        """Whether the function is convex or concave, jointly in some of its variables, with the proof or a witness.

        Args:
            names: variables, by name or as a list; by default all of the derivation.

        Raises:
            ShapeError: the function is not scalar.
            MatcalcError: a name is not a variable.

        Example:
            >>> import matcalc as mc
            >>> shapes = {"X": ("n", "p"), "w": ("p", 1), "y": ("n", 1), "c": (1, 1)}
            >>> d = mc.derive("norm2(X*w - y)^2 + c*norm2(w)^2", wrt="w", shapes=shapes, facts={"c": "positive"})
            >>> c = d.curvature("w")
            >>> c.status, c.strong, c.smooth
            ('strongly convex', 2*(c + eigmin(X'*X)), 2*(c + eigmax(X'*X)))
        """
        wanted = [n for name in names for n in (name if isinstance(name, (list, tuple)) else [name])]
        wrt = list(dict.fromkeys(self.find(name) for name in wanted))
        about = Problem(self.graph, wrt, source=self.source, structure=self.structure) if wanted else self
        with self.assumptions_told():
            return replace(rooms.curvature_of(about), notice=self.notice)

    # ------------------------------------------------------------------------------------------------ optimum

    def optimum(self, *names: Any, subject_to: Iterable[str] = (), sense: str = "stationary") -> Optimum:
        """The minimum or maximum in closed form, whichever can be proved; else a stationary point, or the equations.

        Args:
            names: the unknowns, by name or as a list; by default all of the derivation. Their facts are their domain.
            subject_to: equations that they satisfy, such as `W'*W = eye(k)`.
            sense: `minimum` or `maximum` where only that is sought.

        Raises:
            ShapeError: the function is not scalar.
            MatcalcError: a name is not a variable, or a constraint is not an equation.

        Example:
            >>> import matcalc as mc
            >>> shapes = {"X": ("n", "p"), "w": ("p", 1), "y": ("n", 1), "c": (1, 1)}
            >>> d = mc.derive("norm2(X*w - y)^2 + c*norm2(w)^2", wrt="w", shapes=shapes, facts={"c": "positive"})
            >>> o = d.optimum("w")
            >>> o["w"], o.kind, o.unique
            (inv(c*eye(p) + X'*X)*X'*y, 'minimum', True)
        """
        wanted = [n for name in names for n in (name if isinstance(name, (list, tuple)) else [name])]
        over = list(dict.fromkeys(self.find(name) for name in wanted)) if wanted else self.wrt
        with self.assumptions_told():
            return replace(rooms.optimum_of(self, over, subject_to, sense), notice=self.notice)

    # ------------------------------------------------------------------------------------------------ claims

    def claim(self, name: Any, claim: Any = None, kind: str = "gradient", by: Any = None) -> Verdict:
        """Whether a claim about a result is right: proved, disproved (with the reason) or undecided.

        Args:
            name: the variable or named value that the result is for; may be left out where `wrt` is one.
            claim: text in the scope of the derivation, or an expression; its own definitions may shadow names, `g_r` is
                the right adjoint of r.
            kind: `gradient`, `adjoint` (the same, of a named value), `jacobian` or `hessian`.
            by: for a mixed Hessian, the second variable: the claim is about `hessian(name, by)`.

        Returns:
            A `Verdict`: `.status`, `.steps`, `.counterexample`, `.diagnosis`.

        Raises:
            MatcalcError: the text is not in the syntax, or names what does not exist.

        Example:
            >>> import matcalc as mc
            >>> d = mc.derive("norm2(X*w - y)^2", wrt="w", shapes={"X": ("n", "p"), "w": ("p", 1), "y": ("n", 1)})
            >>> d.claim("w", "2*X'*X*w - 2*X'*y").status
            'proved'
            >>> print(d.claim("X'*(X*w - y)").diagnosis)
            missing factor 2
        """
        if claim is None:
            name, claim = self.one(None).name, name
        return replace(rooms.judged(self, name, claim, kind, by), notice=self.notice)

    def claim_values(
        self, name: Any, array: Any, at: Mapping[str, Any], *, dims: Mapping[str, int] | None = None
    ) -> Verdict:
        """Whether an array holds the gradient with respect to `name` at some data, and if not, which mistake gives it.

        Args:
            name: a variable or named value.
            array: the claimed values.
            at: the data: an array for each variable.
            dims: sizes that no array determines.
        """
        return replace(rooms.judged_values(self, name, array, at, dims=dims), notice=self.notice)

    def claim_lines(self, text: str) -> LineVerdicts:
        """A hand derivation judged line by line: each line `g_name = ...` claims the gradient with respect to `name`.

        Lines after a wrong one are judged as if it were right, so that one error is one error.
        """
        return replace(rooms.judged_lines(self, text), notice=self.notice)

    def tutor(self, text: str, *, language: str = "en") -> str:
        """A page for the author of a hand derivation: what is right, the first error, what helps, how to go on.

        Args:
            text: lines as `claim_lines` takes them.
            language: of the page.

        Example:
            >>> import matcalc as mc
            >>> d = mc.derive("s = X*w; f = sum(exp(s))", wrt="w", shapes={"X": ("n", "p"), "w": ("p", 1)})
            >>> print(d.tutor("g_s = exp(s); g_w = X*g_s").splitlines()[0])
            Right so far: g_s (1).

        Raises:
            MatcalcError: the function has no gradient, or a line is not in the syntax.
        """
        return rooms.tutored(self, self.claim_lines(text), language)


HOOKS["optimum"] = rooms.export_optimum
