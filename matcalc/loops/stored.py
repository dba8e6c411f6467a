"""What a step computes and its adjoint needs again, as values of the program: code computes and stores them once.

`h[t] = tanh(W*h[t-1] + U*x[t])` becomes `z[t] = W*h[t-1] + U*x[t]` and `h[t] = tanh(z[t])`. Only generated code is
made of this program; what is printed has the values that the source names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from matcalc import core
from matcalc.expr import Expr, postorder
from matcalc.indices.program import Group, Quantity, Recurrence
from matcalc.loops.pieces import Piece, Pieces
from matcalc.walk import substitute, variables


def with_stored(pieces: Pieces) -> Pieces:
    """The same program, in which steps have names for what their adjoints need again.

    What is stored of a step has steps of its own, whose adjoints may need a part of it again.
    """
    storing = _Storing(pieces)
    made = storing.whole()
    return with_stored(made) if storing.changed else made


class _Storing:
    def __init__(self, pieces: Pieces) -> None:
        self.pieces, self.program = pieces, pieces.program.begun()
        self.names = pieces.fresh_names()
        self.changed = False

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
                self.changed = True
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
    products = [e.args for e in again if e.op == "matmul"]
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
        needed = e in again or (e.op == "matmul" and any(_contains(args, e) for args in products))
        if needed and active & set(variables((e,))):
            yield e
        else:
            todo.extend(e.args)


def _contains(factors: Sequence[Expr], product: Expr) -> bool:
    """Whether some factors of a product that follow each other are another product, its transpose or its negative."""
    count = len(product.args)
    turned = [_turned(a) for a in reversed(product.args)]
    parts = [factors[k : k + count] for k in range(len(factors) - count + 1)]
    return any(all(map(_same_but_sign, part, wanted)) for part in parts for wanted in (product.args, turned))


def _same_but_sign(a: Expr, b: Expr) -> bool:
    return a is b or _unsigned(a) == _unsigned(b)


def _unsigned(e: Expr) -> frozenset[frozenset[tuple[Expr, bool]]]:
    """The terms of a sum with their signs, and with the other ones."""
    e, turned = (e.args[0], True) if e.op == "transpose" else (e, False)
    terms = [_signed(a) for a in (e.args if e.op == "add" else (e,))]
    back = [(_turned(a) if turned else a, sign) for a, sign in terms]
    return frozenset((frozenset(back), frozenset((a, not sign) for a, sign in back)))


def _turned(e: Expr) -> Expr:
    return e.args[0] if e.op == "transpose" else core.transpose(e)


def _signed(e: Expr) -> tuple[Expr, bool]:
    """A term without its sign, and whether that is minus."""
    if e.op == "scale" and e.args[0].number == -1:
        rest = e.args[1:]
        return (rest[0] if len(rest) == 1 else core.scale(*rest)), True
    return e, False
