"""Scheduling: which values become statements, in which order, and which are written inside others.

Named values and values used twice are statements; a value used once stands where it is used unless the line gets long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from matcalc.emit.code import Level
from matcalc.emit.selection import Selector
from matcalc.expr import Expr

LINE = 88


@dataclass(frozen=True, slots=True)
class Statement:
    """`target = text`, and the named value it stands for, if any."""

    target: str
    text: str
    of: Expr | None


class Schedule:
    """The statements of a program and the texts of its results.

    Attributes:
        statements: in order.
        texts: for each result its text (a name, or a short expression) and level.
    """

    def __init__(self, select: Selector, roots: list[Expr], fresh: Callable[[str], str]) -> None:
        self.select = select
        self.statements: list[Statement] = []
        self.texts: dict[Expr, tuple[str, Level]] = {}
        order = _order(select, roots)
        uses = Counter(select.decide(root) for root in roots)
        for e in order:
            code = select.codes[e]
            for k, a in enumerate(code.args):
                uses[select.decide(a)] += code.text.count(f"{{{k}}}")
        named = _names(select, order)
        for e in order:
            self._place(e, uses[e], named.get(e), fresh)

    def _place(self, e: Expr, uses: int, of: Expr | None, fresh: Callable[[str], str]) -> None:
        code = self.select.codes[e]
        operands = [self.texts[self.select.decide(a)] for a in code.args]
        if e.op == "named" and code.args:
            inner = self.select.decide(code.args[0])
            if of is None:  # its definition has taken the name, or is a variable
                self.texts[e] = self.texts[inner]
                return
        text = code.fill(operands)
        repeated = uses > 1 and not (code.cheap and len(text) < LINE // 4)
        if of is None and not repeated and len(text) <= LINE:
            self.texts[e] = (text, code.level)
            return
        target = fresh(of.params[0] if of is not None else "t")
        self.statements.append(Statement(target, text, of))
        self.texts[e] = (target, Level.ATOM)

    def result(self, e: Expr) -> str:
        """The text of a result."""
        return self.texts[self.select.decide(e)][0]

    def memory(self, e: Expr) -> tuple[Expr, bool]:
        """The value in whose memory `e` lies (itself, unless it is a view), and whether it may not be written to."""
        e = self.select.decide(e)
        repeated = False
        while self.select.codes[e].view and self.select.codes[e].args:
            repeated = repeated or e.op == "broadcast"
            e = self.select.decide(self.select.codes[e].args[0])
        return e, repeated or e.op == "variable"


def _order(select: Selector, roots: list[Expr]) -> list[Expr]:
    """What is computed, operands before what uses them."""
    order: list[Expr] = []
    seen: set[Expr] = set()
    stack = [(select.decide(root), False) for root in reversed(roots)]
    while stack:
        e, ready = stack.pop()
        if ready:
            order.append(e)
            continue
        if e in seen:
            continue
        seen.add(e)
        stack.append((e, True))
        stack.extend((select.decide(a), False) for a in reversed(select.codes[e].args))
    return order


def _names(select: Selector, order: list[Expr]) -> dict[Expr, Expr]:
    """For each value that a name stands for, the (first) named node."""
    named: dict[Expr, Expr] = {}
    for e in order:
        if e.op == "named":
            inner = select.decide(e.args[0])
            while inner.op == "named":
                inner = select.decide(inner.args[0])
            if inner.op not in ("variable", "number"):
                named.setdefault(inner, e)
            elif inner.op == "number":
                named.setdefault(e, e)
    return named
