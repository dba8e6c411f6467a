"""What a step computes and its adjoint needs again, as values of the program: code computes and stores them once.

`h[t] = tanh(W*h[t-1] + U*x[t])` becomes `z[t] = W*h[t-1] + U*x[t]` and `h[t] = tanh(z[t])`. Only generated code is
made of this program; what is printed has the values that the source names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from matcalc.expr import Expr, postorder
from matcalc.indices.program import Group, Quantity, Recurrence
from matcalc.loops.pieces import Piece, Pieces
from matcalc.walk import substitute, variables


def with_stored(pieces: Pieces) -> Pieces:
    """The same program, in which steps have names for what their adjoints need again."""
    return _Storing(pieces).whole()


class _Storing:
    def __init__(self, pieces: Pieces) -> None:
        self.pieces, self.program = pieces, pieces.program.begun()
        self.names = pieces.fresh_names()

    def whole(self) -> Pieces:
        """All of it."""
        quantities: list[Quantity] = []
        for q in self.pieces.program.quantities:
            quantities.append(self.group(q) if isinstance(q, Group) else q)
        self.program.quantities = quantities
        p = self.pieces
        return Pieces(self.program, p.output, p.declared.values(), p.wrt)

    def group(self, q: Group) -> Group:
        """The recurrences, what they store before them."""
        parts: list[Recurrence] = []
        table: dict[Expr, Expr] = {}
        for r in q.parts:
            assert r.body is not None
            for e in needed_again(self.pieces.steps[r]) if self.pieces.is_active(r.name) and not r.inner else ():
                if e in table:
                    continue
                name = self.names.fresh(f"{r.name}_part")
                stored = Recurrence(name, e.shape, {}, q.run, substitute(e, table))
                self.program.recurrences[name] = stored
                parts.append(stored)
                table[e] = self.program.of_family(name, q.run.name, 0)
            new = replace(r, body=substitute(r.body, table))
            self.program.recurrences[r.name] = new
            parts.append(new)
        return Group(q.run, tuple(parts))


def needed_again(piece: Piece) -> Iterator[Expr]:
    """The largest parts of a body, not itself, that its gradients contain and that hold a product of matrices."""
    again = set(postorder(piece.gradients.values()))
    costly: dict[Expr, bool] = {}
    for e in postorder((piece.body,)):
        costly[e] = e.op in ("matmul", "inv", "solve") or any(costly[a] for a in e.args)
    active = set(piece.active)
    todo, seen = list(piece.body.args), set()
    while todo:
        e = todo.pop()
        if e in seen or not costly[e]:
            continue
        seen.add(e)
        if e in again and active & set(variables((e,))):
            yield e
        else:
            todo.extend(e.args)
