"""The derivation of a program with families and recurrences: everything that is offered to users, each one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from matcalc.api import rooms
from matcalc.api.shown import Shown
from matcalc.claims.loops import judged_loop
from matcalc.claims.verdict import Verdict
from matcalc.curvature.loops import curvature_of_loops
from matcalc.curvature.status import Curvature
from matcalc.emit.module import compile_function
from matcalc.errors import NoRuleError, need_one_of, shorten
from matcalc.export.loops import export_loops
from matcalc.kinds import GRADIENT, kind_of
from matcalc.languages import language as language_of
from matcalc.loops.check import checked
from matcalc.loops.evaluation import evaluate_program
from matcalc.loops.page import checked_style, page_latex, page_markdown, page_text
from matcalc.loops.problem import LoopGradient, LoopProblem
from matcalc.loops.second import hessian_of_loops
from matcalc.numeric.report import Report
from matcalc.printing.style import Notation

if TYPE_CHECKING:
    from matcalc.optimum.loops import LoopOptimum

# What a derivation of matrices offers and one with loops does not.
ELSEWHERE = {
    "jacobian": "the Jacobian of a number is its gradient, transposed",
    "objective": "function('value_and_grad') takes arrays and dicts of them",
    **dict.fromkeys(("claim_values", "claim_lines"), "claim() judges one gradient"),
    **dict.fromkeys(("picture", "paths", "adjoint", "steps", "parse"), "text() shows the adjoints"),
}
CHECKED = ("numpy", "native", "numba", "torch", "c")  # targets that compute with doubles unasked


class LoopDerivation(Shown, LoopProblem):
    """The gradients of a scalar program in which families and recurrences stand; made by `matcalc.derive`."""

    def need_scalar(self, what: str) -> None:
        """Raise NoRuleError for anything but a gradient; the function is 1 x 1 always."""
        if what != GRADIENT.title:
            raise NoRuleError(f"a {what} is not available for programs with families and recurrences")

    def _page(self, medium: str, style: str, layout: str, notation: Notation, language: str, *, hessian: bool) -> str:
        """The program, its adjoints and its gradients (`result`: without the program) in one of the media."""
        style, words = checked_style(style, layout, language, hessian=hessian), language_of(language)
        if medium == "text":
            return page_text(self, style, words)
        return (page_latex if medium == "latex" else page_markdown)(self, style, notation, words)

    def export(self, path: Any, **options: Any) -> Any:
        """Write a note: the variables, the program, the adjoints, the gradients, the code and the certificate.

        Args:
            path: the file; its suffix says what is written: .md .tex .html .pdf .typ .docx .json
            options: `title`, `text` (an introduction), `format` (by name), `engine` (of .pdf), `notation`
                and `language`.

        Returns:
            The path that was written.

        Raises:
            MatcalcError: another suffix or option.
        """
        return export_loops(self, path, self.code(), self.check(trials=3), **options)

    def explore(self, language: str = "en") -> Any:
        """A widget for notebooks: each adjoint is a step, names show their shapes, a gradient of yours is judged.

        Raises:
            MissingDependencyError: anywidget is not installed.
        """
        return rooms.explorer(self, language)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/latex": self.latex(), "text/markdown": self.markdown()}

    def __repr__(self) -> str:
        return f"LoopDerivation({shorten(str(self.forward()[-1]))}, wrt={', '.join(self.names)})"

    # -------------------------------------------------------------------------------------------- code and numbers

    def code(self, kind: str | None = None, target: str = "numpy", *, checkpoint: int | None = None) -> str:
        """The source text of a standalone module with one function: loops with stored states.

        Args:
            kind: `value`, `gradient`, `value_and_grad` (the default), `jvp` or `hvp` (which take `tangents`).
            checkpoint: how many steps lie between two states that are stored, for gradients and hvp in NumPy, native
                code, Numba and JAX: in the memory of T/checkpoint + checkpoint states; otherwise all T are stored.
            target: `numpy`, `native` (C, compiled on the spot), `numba` (compiled as a whole), `jax` (`lax.scan` and
                `vmap`; it can be jitted), `torch`, or `c`: a file of C99.

        Raises:
            MatcalcError: another kind.
            NoRuleError: another target.
        """
        return self.source(kind, target, checkpoint)

    def function(
        self, kind: str | None = None, target: str = "numpy", *, checkpoint: int | None = None
    ) -> Callable[..., Any]:
        """The compiled function of `code(kind)`.

        A family is a list of arrays, or an array whose first axis is the index; its gradient comes in the same form.
        """
        return compile_function(self.source(kind, target, checkpoint, to_run=True))

    def hessian(self, name: str | None = None) -> LoopGradient:
        """The Hessian by a vector, or by a member of a family of vectors, as text in the notation of sums.

        For sums over families without recurrences; blocks of different members are 0.

        Example:
            >>> import matcalc as mc
            >>> d = mc.derive("X[k=1..K]: n x p; y: n x 1; w: p x 1; sum(k=1..K, norm2(X[k]*w - y)^2)", wrt="w")
            >>> print(d.hessian())
            sum(k=1..K, 2*X[k]'*X[k])

        Raises:
            NoRuleError: it is no sum of matrices; `function("hvp")` gives its products with vectors.
        """
        return hessian_of_loops(self, name)

    def evaluate(self, *, dims: Mapping[str, int] | None = None, **values: Any) -> Any:
        """The value by direct evaluation of the program."""
        return evaluate_program(self.computed_pieces, values, dims)

    def claim(self, name: str, claim: str, kind: Any = None, by: Any = None) -> Verdict:
        """Whether a claim about a gradient is right, in sums or in matrices: proved, disproved or undecided.

        Args:
            name: a variable; or a family, or its member `u[k]`: then the claim is about a member with its index.
            claim: text in the scope of the program; `g_h[t]` is the right adjoint of h[t].
            kind: `gradient`.
            by: nothing: there are no mixed Hessians here.
            target: `numpy`.

        It is disproved by the program written out for small sizes, and proved term by term, for all sizes.
        """
        kind_of(kind or GRADIENT, (GRADIENT,))
        if by is not None:
            raise NoRuleError("a mixed Hessian is not available for programs with families and recurrences")
        return judged_loop(self, name, claim)

    def curvature(self, *names: Any) -> Curvature:
        """Whether the function is convex or concave, jointly in some variables and families.

        A sum of convex terms is convex for every length; a witness is one for small sizes. States of recurrences whose
        steps are affine count as affine; through others nothing is proved.

        Args:
            names: variables and families, by name or as a list; by default all of the derivation.

        Raises:
            MatcalcError: a name is neither a variable nor a family.
        """
        return curvature_of_loops(self, [n for name in names for n in (name if isinstance(name, list) else [name])])

    def optimum(self, *names: Any, subject_to: Iterable[str] = (), sense: str = "stationary") -> LoopOptimum:
        """The optimum: a closed form in sums, or what it satisfies; numbers where the function is quadratic.

        Args:
            names: the unknowns, variables and families; by default all of the derivation.
            subject_to: nothing: constraints are not taken here.
            sense: `minimum` or `maximum` where only that is sought.

        Example:
            >>> import matcalc as mc
            >>> d = mc.derive("X[k=1..K]: n x p; y: n x 1; w: p x 1; sum(k=1..K, norm2(X[k]*w - y)^2)", wrt="w")
            >>> o = d.optimum()
            >>> o["w"], o.kind
            ("inv(sum(k=1..K, 2*X[k]'*X[k]))*(sum(k=1..K, 2*X[k]'*y))", 'minimum')

        Raises:
            NoRuleError: there are constraints, or an unknown has facts.
        """
        wanted = [n for name in names for n in (name if isinstance(name, list) else [name])]
        return rooms.optimum_of_loops(self, wanted, subject_to, sense)

    def check(
        self, trials: int = 5, seed: int = 0, *, kind: Any = None, by: Any = None, target: str = "numpy"
    ) -> Report:
        """The generated gradients against differences of the program, written out for small sizes.

        Args:
            trials: how many random points, each of other sizes.
            seed: of the random numbers.
            kind: `gradient`.
            by: nothing: there are no mixed Hessians here.
            target: `numpy`, `native`, `numba`, `torch` or `c`.
        """
        kind_of(kind or GRADIENT, (GRADIENT,))
        if by is not None:
            raise NoRuleError("a mixed Hessian is not available for programs with families and recurrences")
        need_one_of("target", target, CHECKED)
        return checked(self, self.function(target=target), trials, seed)

    def __getattr__(self, name: str) -> Any:
        if name in ELSEWHERE:
            raise NoRuleError(f"{name} is not available for programs with families and recurrences: {ELSEWHERE[name]}")
        raise AttributeError(name)
