"""Instruction selection: for every expression the instruction that computes it, or the expression to compute instead.

Arguments are decided before what uses them, so that rules may look at them; nothing recurses through the graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from matcalc.emit.instructions import Instruction
from matcalc.emit.matching import apart
from matcalc.emit.stable import stable
from matcalc.errors import NoRuleError
from matcalc.expr import Expr, number_value, postorder, record
from matcalc.rewrite.terms import meaning

Choice: TypeAlias = "Instruction | Expr"
Rule: TypeAlias = "Callable[[Selector, Expr], Choice | None]"


class Selector:
    """The choices for one program.

    Args:
        rules: for each operation (or "*" for all others) the rules to try, in order.
        values: expressions of the forward pass.
        gradients: expressions of derivatives; only in these a norm's reciprocal is 0 at 0.
        sizes: what is known of the dimensions.
        roots: what is computed, if it is not all of these.

    Attributes:
        instructions: how each value is computed.
        same: what is computed instead of others.
        ordered: products whose factors stand in their final order.
        kept: what is computed as it stands, whatever uses it.
        products: for the factors of each product among these, the product.
        sums: for the factors of what is summed along an axis, the sum.
        blocks: how the blocks of a matrix are computed (see `matcalc.emit.blocks`), whose memory are
            `parts` and `with_kron`.
    """

    def __init__(
        self,
        rules: dict[str, list[Rule]],
        values: Iterable[Expr],
        gradients: Iterable[Expr] = (),
        sizes: Mapping[str, int] | None = None,
        roots: Iterable[Expr] | None = None,
    ) -> None:
        values, gradients = list(values), list(gradients)
        self.rules = rules
        self.sizes = sizes or {}
        self.instructions: dict[Expr, Instruction] = {}
        self.same: dict[Expr, Expr] = {}
        self.ordered: set[Expr] = set()
        self.products: dict[tuple[Expr, ...], Expr] = {}
        self.blocks: dict[Expr, Instruction] = {}
        self.parts: dict[Any, dict[Expr, Any]] = {}
        self.with_kron: dict[Expr, bool] = {}
        self.forward = set(postorder(values))
        self.differentiated = bool(gradients)
        self.uses = _uses([*values, *gradients])
        self.sums = sums_of_products(self.uses)
        self.kept = {e for e, n in self.uses.items() if n > 1}
        self.kept |= {*values, *gradients, *(e.args[0] for e in self.uses if e.op == "named")}
        for root in (*values, *gradients) if roots is None else roots:
            self.decide(root)

    def decide(self, e: Expr) -> Expr:
        """The expression that is computed for `e`, decided (with all that it needs)."""
        for sub in postorder((e,), stop=self.knows):
            choice = self._choose(sub)
            if isinstance(choice, Instruction):
                self.instructions[sub] = replace(choice, shape=None if sub in self.blocks else sub.shape)
                for a in choice.operands:
                    self.decide(a)
            else:
                self.same[sub] = self.decide(choice)
        return self.same.get(e, e)

    def knows(self, e: Expr) -> bool:
        """Whether it is decided how `e` is computed."""
        return e in self.instructions or e in self.same

    def sources(self) -> dict[Expr, list[Expr]]:
        """For what is computed, the expressions that it is computed for, those closest to the source first."""
        found: dict[Expr, list[Expr]] = {}
        for source, e in reversed(self.same.items()):
            found.setdefault(e, []).append(source)
        return found

    def _choose(self, e: Expr) -> Choice:
        better = stable(e)
        if better is not None:
            return better
        for rule in (*self.rules.get(e.op, ()), *self.rules["*"]):
            choice: Choice | None = rule(self, e)
            if choice is not None and choice is not e:
                return choice
        raise NoRuleError(f"no NumPy code for {e.op}")

    def shared(self, e: Expr) -> bool:
        """Whether more than one expression uses `e`, so that it is computed once and named."""
        return self.uses[e] > 1

    def is_name(self, e: Expr) -> bool:
        """Whether `e` is a name for its definition, not one for the blocks of a matrix."""
        return e.op == "named" and e not in self.blocks

    def guarded(self, e: Expr) -> bool:
        """Whether `e` is the reciprocal of a norm in a derivative, which is 0 at 0 by convention."""
        return (
            self.differentiated
            and e not in self.forward
            and e.op == "power"
            and (record(meaning(e.args[0]).op).guarded or is_norms(e.args[0]))
            and e.args[1].op == "number"
            and bool(number_value(e.args[1]).is_negative)
        )


def is_norms(e: Expr) -> bool:
    """Whether the entries are Euclidean norms of rows or columns, or distances: square roots of sums of squares."""
    e = meaning(e)
    while e.op in ("transpose", "broadcast"):
        e = meaning(e.args[0])
    if e.op != "sqrt" or e.is_scalar:
        return False
    inside = meaning(e.args[0])
    while inside.op in ("transpose", "broadcast"):
        inside = meaning(inside.args[0])
    if inside.op == "sum":
        squares = inside.args[0]
        twice = squares.op == "hadamard" and len(squares.args) == 2 and squares.args[0] is squares.args[1]
        return twice or (squares.op == "power" and squares.args[1].number == 2)
    return inside.op == "pdist2"


def _uses(roots: list[Expr]) -> Counter[Expr]:
    uses = Counter(roots)
    for e in postorder(roots):
        uses.update(e.args)
    return uses


def sums_of_products(nodes: Iterable[Expr]) -> dict[tuple[int, frozenset[Any]], Expr]:
    """The sums along an axis, by the axis and the factors, where none of these is repeated along it."""
    found: dict[tuple[int, frozenset[Any]], Expr] = {}
    for e in nodes:
        if e.op == "sum" and e.params[0] is not None and not e.is_scalar:
            repeated, rest = apart(e.args[0], e.params[0])
            if not repeated:
                found.setdefault((e.params[0], frozenset(Counter(rest).items())), e)
    return found
