"""Hessians of programs with loops where they are sums of matrices: of sums over a family, without recurrences."""

from __future__ import annotations

from matcalc import core
from matcalc.calculus.jacobian import hessian_by
from matcalc.calculus.problem import Problem
from matcalc.dims import is_one
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.graph import Graph
from matcalc.indices.program import Group, Guard, LoopSum, Run
from matcalc.loops.adjoints import summed
from matcalc.loops.lines import Line, Range, Term
from matcalc.loops.pieces import Piece
from matcalc.loops.problem import LoopGradient, LoopProblem
from matcalc.loops.staged import is_zero
from matcalc.walk import substitute

INSTEAD = "use function('hvp'), the Hessian times a vector"


def hessian_of_loops(d: LoopProblem, name: str | None) -> LoopGradient:
    """The Hessian by a vector or a number, or by a member of a family of them, whose Hessian is block diagonal.

    Raises:
        NoRuleError: the function depends on it through a recurrence, or through a sum of which it is no linear
            function; or it is a matrix.
    """
    lines = hessian_lines(d, d.one(name))
    return LoopGradient("\n".join(map(str, lines)) if lines else "0")


def hessian_lines(d: LoopProblem, name: str) -> list[Line]:
    """The lines of the Hessian; by a member one for each way in which terms have it.

    Raises:
        NoRuleError: it is no sum of matrices.
    """
    return _Second(d, name).lines()


class _Second:
    def __init__(self, d: LoopProblem, by: str) -> None:
        self.d, self.by, self.pieces = d, by, d.pieces
        self.family = d.program.families.get(by)
        shape = self.family.shape if self.family is not None else d.pieces.declared[by].shape
        if not is_one(shape[1]):
            raise NoRuleError(f"the Hessian by {by} is written for columns and numbers: {INSTEAD}")
        self.constant = d.adjoints.constants()

    def lines(self) -> list[Line]:
        """The terms: of the output, and of every sum."""
        groups = [q for q in self.d.program.quantities if isinstance(q, Group)]
        if any(self.pieces.is_active(r.name) for q in groups for r in q.parts):
            raise NoRuleError(f"the function depends on {self.by} through a recurrence: {INSTEAD}")
        found: list[tuple[Term, Run | None]] = self.of(self.pieces.out, (), (), core.number(1))
        for q, piece in self.pieces.sums.items():
            if self.pieces.is_active(q.value.name):
                found += self.of(piece, q.runs, q.guards, self.weight(q, piece))
        if self.family is None:
            return [Line(None, tuple(term for term, _ in found))] if found else []
        lines: list[Line] = []
        for term, run in found:
            head = self.d.program.of_family(self.by, "" if run is None else run.name, 0)
            over = None if run is None else Range(run.name, run.first, run.last)
            lines.append(Line(head, (term,), over, "+=" if lines else ":"))
        return lines

    def weight(self, q: LoopSum, piece: Piece) -> Expr:
        """The number by which a sum enters the output."""
        assert piece.adjoint is not None
        found = self.constant.get(piece.adjoint)
        if found is None:
            raise NoRuleError(f"the output is no linear function of the sum {q.value}: {INSTEAD}")
        return found

    def of(
        self, piece: Piece, runs: tuple[Run, ...], guards: tuple[Guard, ...], weight: Expr
    ) -> list[tuple[Term, Run | None]]:
        """The Hessian of a piece, and the index of the member that it is by."""
        program = self.d.program
        sums = {q.value for q in program.quantities if isinstance(q, LoopSum)}
        mine = [v for v in piece.active if v not in sums]
        if not mine:
            return []
        members = [program.members.get(v) for v in mine]
        whole = self.family is None and members == [None]
        member = members[0]
        own = member is not None and member.of == self.by and member.at == 0 and len(mine) == 1
        mine_run = next((r for r in runs if member is not None and own and r.name == member.index), None)
        if not (whole or mine_run):
            raise NoRuleError(f"the function depends on more than {mine[0]} in one term: {INSTEAD}")
        graph = Graph.of(substitute(core.scale(weight, piece.body), piece.names))
        v = piece.names[mine[0]]
        H = hessian_by(Problem(graph, [v]), v.name).value
        back = {new: old for old, new in piece.names.items()}
        others = tuple(r for r in runs if r is not mine_run)
        return [] if is_zero(H) else [(summed(substitute(H, back), others, guards), mine_run)]
