"""What is said of a function: its curvature, the proof or the witness, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from matcalc.curvature.spectrum import Reason
from matcalc.curvature.witness import Witness
from matcalc.errors import MatcalcError
from matcalc.expr import Expr
from matcalc.languages import Message
from matcalc.printing.display import display
from matcalc.printing.latex import latex


@dataclass(frozen=True)
class Curvature:
    """Whether a function is convex or concave in some variables jointly; it has no truth value.

    The Hessian H is the one in the Frobenius inner product, along symmetric directions for symmetric variables.

    Attributes:
        of: the variables.
        status: `affine`, `convex`, `strictly convex`, `strongly convex`, the same three with `concave`, `neither`, or
            `undecided`.
        strong: for `strongly ...` an expression mu > 0 with H >= mu I (-H >= mu I for concave functions).
        smooth: an expression L with -L I <= H <= L I, where one was proved.
        conditions: what is said beyond the status where the data are so, in words.
        witness: for `neither`: a point with curvatures of both signs, or one point for each sign.
        chords: for `neither` across kinks: a chord that the function exceeds, and one that it undercuts (or a point
            with a curvature of that sign).
        reasons: the steps of the proof.
        failed: for `undecided`: the first thing that could not be shown.
        hessian: the structured Hessian, where there is one variable.
        notice: what undeclared names were taken for, if there are any.
    """

    of: tuple[Expr, ...]
    status: str
    strong: Expr | None = None
    smooth: Expr | None = None
    conditions: tuple[str, ...] = ()
    witness: Witness | tuple[Witness, ...] | None = None
    chords: tuple[Witness, ...] = ()
    reasons: tuple[Reason, ...] = ()
    failed: str = ""
    hessian: Expr | None = None
    notice: Message | None = None

    def __bool__(self) -> NoReturn:
        raise MatcalcError("a curvature has no truth value: see its .status")

    @property
    def steps(self) -> list[Reason]:
        """The steps of the proof, in order."""
        return list(self.reasons)

    def text(self) -> str:
        """The status with its proof, in plain text."""
        lines = [f"{self.status} in {', '.join(v.name for v in self.of)}"]
        if self.strong is not None:
            lines.append(f"  strong: H >= mu*I with mu = {self.strong}" if "convex" in self.status else "")
            if "concave" in self.status:
                lines[-1] = f"  strong: -H >= mu*I with mu = {self.strong}"
        if self.smooth is not None:
            lines.append(f"  smooth: -L*I <= H <= L*I with L = {self.smooth}")
        if self.hessian is not None:
            lines.append(f"  H = {self.hessian}")
        lines += [f"  {reason.rule}: {reason.statement} [{reason.source}]" for reason in self._shown()]
        lines += [f"  {condition}" for condition in self.conditions]
        if self.failed:
            lines.append(f"  not shown: {self.failed}")
        points = self.witness if isinstance(self.witness, tuple) else (self.witness,)
        for part in (*points, *self.chords):
            lines += [] if part is None else [f"  {line}" for line in part.lines()]
        lines += [f"  {self.notice}"] if self.notice is not None else []
        return "\n".join(lines)

    def _shown(self) -> Iterable[Reason]:
        """Each theorem once."""
        return {(reason.rule, reason.statement): reason for reason in self.reasons}.values()

    def latex(self) -> str:
        """The status with its constants and its Hessian, as one display."""
        names = ", ".join(latex(v) for v in self.of)
        lines = [rf"\text{{{self.status} in }} {names}"]
        sign = "-" if "concave" in self.status else ""
        if self.strong is not None:
            lines.append(rf"{sign}H \succeq \mu I, \quad \mu = {latex(self.strong)}")
        if self.smooth is not None:
            lines.append(rf"-L I \preceq H \preceq L I, \quad L = {latex(self.smooth)}")
        if self.hessian is not None:
            lines.append(rf"H = {display(self.hessian)}")
        lines += [rf"\text{{{reason.statement} ({reason.source})}}" for reason in self._shown()]
        lines += [rf"\text{{{condition}}}" for condition in self.conditions]
        lines += [rf"\text{{{self.notice}}}"] if self.notice is not None else []
        rows = " \\\\\n".join(f"&{line}" for line in lines)
        return f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}"

    def data(self) -> dict[str, Any]:
        """The same as plain data."""
        points = self.witness if isinstance(self.witness, tuple) else (self.witness,)
        return {
            "variables": [v.name for v in self.of],
            "status": self.status,
            "strong": None if self.strong is None else str(self.strong),
            "smooth": None if self.smooth is None else str(self.smooth),
            "conditions": list(self.conditions),
            "hessian": None if self.hessian is None else str(self.hessian),
            "steps": [{"rule": r.rule, "statement": r.statement, "source": r.source} for r in self._shown()],
            "witness": [part.data() for part in (*points, *self.chords) if part is not None],
            "not_shown": self.failed,
            "notice": str(self.notice or ""),
        }

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def __str__(self) -> str:
        return self.text()
