"""Printed pieces and the walk that builds them: linear in the number of nodes, however deep or shared.

A piece is a rope, so a shared subexpression is built once; only the finished text is written out. Where that would be
too long, shared subexpressions become definitions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from matcalc.dims import symbols
from matcalc.expr import Expr, postorder
from matcalc.naming import Names
from matcalc.notation import Level
from matcalc.printing.terms import Layout

LIMIT = 20_000  # a longer text gets definitions of what it repeats
SHORT = 16  # what is shorter is repeated all the same


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A printed subexpression.

    Attributes:
        parts: texts and pieces, in order.
        level: how strongly it binds.
        length: the number of characters.
        positive: for a piece that starts with a minus sign, what follows the sign.
        chain: whether it is a matrix product, which needs no brackets as the first factor of another.
        flipped: whether it is a transpose, to which another postfix can be added.
        tall: whether it has a fraction (its brackets then grow in LaTeX).
        starts: its first character.
    """

    parts: tuple[str | Piece, ...]
    level: Level = Level.ATOM
    positive: Piece | None = None
    chain: bool = False
    flipped: bool = False
    tall: bool = False
    length: int = field(init=False)
    starts: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", sum(len(p) if isinstance(p, str) else p.length for p in self.parts))
        first = next((p for p in self.parts if p), "")
        object.__setattr__(self, "starts", first[:1] if isinstance(first, str) else first.starts)
        if not self.tall and any(not isinstance(p, str) and p.tall for p in self.parts):
            object.__setattr__(self, "tall", True)

    def __str__(self) -> str:
        written: list[str] = []
        stack: list[str | Piece] = [self]
        while stack:
            part = stack.pop()
            if isinstance(part, str):
                written.append(part)
            else:
                stack.extend(reversed(part.parts))
        return "".join(written)


def join(separator: str, pieces: Iterable[str | Piece]) -> tuple[str | Piece, ...]:
    """The pieces with the separator between them."""
    parts: list[str | Piece] = []
    for p in pieces:
        if parts:
            parts.append(separator)
        parts.append(p)
    return tuple(parts)


def negative(rest: Piece) -> Piece:
    """The piece with a minus sign before it."""
    level = Level.MINUS if rest.level >= Level.POSTFIX else Level.PRODUCT
    return Piece(("-", rest), level, positive=rest)


def signed_sum(terms: Sequence[Piece], bracket: Callable[[Piece], Piece]) -> Piece:
    """Positive terms first, then the negative ones; a sum inside is bracketed only where it must be."""
    plus = [t for t in terms if t.positive is None]
    minus = [t.positive for t in terms if t.positive is not None]
    parts: list[str | Piece] = []
    for t in plus:
        if parts:
            parts.append(" + ")
        parts.append(bracket(t) if parts and t.level <= Level.SUM and t.starts == "-" else t)
    for t in minus:
        parts.append(" - " if parts else "-")
        parts.append(bracket(t) if t.level <= Level.SUM else t)
    return Piece(tuple(parts), Level.SUM)


Operand: TypeAlias = Callable[[Expr], Piece]


class Printer:
    """The walk over an expression: every node is printed once, after its operands."""

    def __init__(self, names: Mapping[Expr, Piece]) -> None:
        self.names = names
        self.done: dict[Expr, Piece] = {}

    def arrange(self, e: Expr) -> Layout:
        """How the target arranges a node."""
        raise NotImplementedError

    def render(self, e: Expr, layout: Layout, piece: Operand) -> Piece:
        """The node in print, from its arrangement and its operands."""
        raise NotImplementedError

    def print(self, root: Expr) -> Piece:
        """The expression as a piece; `root` itself is written out even where it has a name."""
        stack: list[tuple[Expr, Layout | None]] = [(root, None)]
        while stack:
            e, layout = stack.pop()
            if layout is not None:
                self.done[e] = self.render(e, layout, self.done.__getitem__)
            elif e in self.done:
                continue
            elif e in self.names and e is not root:
                self.done[e] = self.names[e]
            else:
                layout = self.arrange(e)
                stack.append((e, layout))
                stack.extend((o, None) for o in reversed(layout.operands) if o not in self.done)
        return self.done.pop(root)


@dataclass(frozen=True, slots=True)
class Printed:
    """An expression in print: definitions of shared subexpressions, usually none, then the text."""

    definitions: tuple[tuple[str, str], ...]
    body: str


def printed(e: Expr, printer: Callable[[Mapping[Expr, Piece]], Printer], write_name: Callable[[str], str]) -> Printed:
    """The expression in print; of linear length."""
    whole = printer({}).print(e)
    if whole.length <= LIMIT:
        return Printed((), str(whole))
    free = Names(names_in(e))
    names: dict[Expr, Piece] = {}
    writer = printer(names)
    definitions: list[tuple[str, str]] = []
    for sub in repeated(e):
        piece = writer.print(sub)
        if piece.length <= SHORT:
            continue
        name = write_name(free.numbered("t"))
        names[sub] = Piece((name,))
        definitions.append((name, str(piece)))
    return Printed(tuple(definitions), str(writer.print(e)))


def repeated(e: Expr) -> list[Expr]:
    """The subexpressions that occur more than once, arguments first; not leaves, and not broadcasts."""
    nodes = list(postorder((e,), through_names=False))
    uses = Counter(a for sub in nodes if sub.op != "named" for a in sub.args)
    return [sub for sub in nodes if uses[sub] > 1 and sub.args and sub.op not in ("named", "broadcast")]


def locals_of(e: Expr, known: Collection[Expr] = ()) -> list[Expr]:
    """The local names (adjoints) that an expression needs, in order of definition; other names are opaque.

    Args:
        known: expressions that need none of interest: they are not looked into.
    """
    inside = postorder((e,), stop=lambda s: s in known or _is_opaque(s))
    return [sub for sub in inside if sub.op == "named"]


def needing_only(roots: Iterable[Expr], names: Collection[Expr]) -> set[Expr]:
    """Those subexpressions that need no local names but these."""
    found: set[Expr] = set()
    for e in postorder(roots, stop=_is_opaque):
        if (e.op != "named" or e in names) and all(a in found or _is_opaque(a) for a in e.args):
            found.add(e)
    return found


def _is_opaque(e: Expr) -> bool:
    return e.op == "named" and e.params[1] != "local"


def names_in(e: Expr) -> set[str]:
    """The names of variables, definitions and dimensions in an expression."""
    taken: set[str] = set()
    for sub in postorder((e,), through_names=False):
        if sub.name:
            taken.add(sub.params[0])
        taken.update(symbols(sub.shape))
    return taken
