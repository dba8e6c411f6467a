"""The differential view: successive differentials, from the forward graph to df = tr(G' dX).

Every named value gets its differential from the differentials of what it is made of; going back, tr(G_v' dv) is carried
over to those by the adjoint of each map, until only the variables are left.

Source: Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 5, 9 and 10.
"""

from __future__ import annotations

from dataclasses import dataclass

from matcalc import core
from matcalc.calculus.paths import LocalJacobian, Path, collapse_of
from matcalc.calculus.problem import Problem
from matcalc.expr import Expr, postorder
from matcalc.linop import adjoint, apply


@dataclass(frozen=True, slots=True)
class Differential:
    """The differential of one value.

    Attributes:
        of: the value.
        value: its differential in the differentials of the values it is made of.
        jacobians: the operations whose differentials give it.
    """

    of: Expr
    value: Expr
    jacobians: list[LocalJacobian]


@dataclass(frozen=True, slots=True)
class Carried:
    """tr(G_v' dv) carried over to the values that v is made of.

    Attributes:
        of: the value v.
        parts: for each value u that v is made of, the C with tr(G_v' dv) = sum of tr(C' du).
        rules: the names of the rules that move the maps to the other side.
    """

    of: Expr
    parts: list[tuple[Expr, Expr]]
    rules: list[str]


class Differentials:
    """Both halves of the view, for one derivation.

    Args:
        d: the derivation.
    """

    def __init__(self, d: Problem) -> None:
        self.d = d
        self.by_start: dict[Expr, list[Path]] = {}
        for paths in d.paths.values():
            for path in paths:
                self.by_start.setdefault(path.start, []).append(path)
        self.symbols: dict[Expr, Expr] = {}

    def symbol(self, e: Expr, label: str) -> Expr:
        """The differential of a value as a symbol: `dX`."""
        if e not in self.symbols:
            self.symbols[e] = core.var("d" + label, *e.shape)
        return self.symbols[e]

    def forward(self, label: dict[Expr, str]) -> list[Differential]:
        """The differentials of the values between the variables and the output, in order of evaluation."""
        lines = []
        for start in filter(self.by_start.__contains__, postorder((self.d.output,))):
            terms = []
            jacobians: dict[str, LocalJacobian] = {}
            for path in self.by_start[start]:
                value = self.symbol(path.end, label[path.end])
                for j in reversed(path.jacobians):
                    value = apply(j.map, value)
                    jacobians.setdefault(j.identity, j)
                terms.append(value)
            lines.append(Differential(start, self.d.rewriter.simplify(core.add(*terms)), list(jacobians.values())))
        return lines

    def backward(self) -> list[Carried]:
        """From the output back: each tr(G' dv) in terms of the differentials that dv is made of."""
        lines = []
        for start, made in self.d.reverse.adjoints.items():
            parts: dict[Expr, list[Expr]] = {}
            rules: dict[str, None] = {}
            for path in self.by_start.get(start, ()):
                G = made.handle
                for j in path.jacobians:
                    G = apply(adjoint(j.map), G)
                    rules.update(dict.fromkeys(collapse_of(j.map)))
                parts.setdefault(path.end, []).append(G)
            if parts:
                carried = [(end, self.d.rewriter.simplify(core.add(*gs))) for end, gs in parts.items()]
                lines.append(Carried(start, carried, list(rules)))
        return lines
