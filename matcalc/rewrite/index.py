"""Which rules may fire at a node, found by its operation and those of its arguments, so that few are tried.

A rule says what it needs (`Rule.needs`). What a node offers, its operation and how often each operation occurs among
its arguments, is looked up once for each kind of node.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from matcalc.expr import Expr
from matcalc.rewrite.rule import RULES, Choice, Rule, every, rules_of

MEMORY = 64  # indices that are kept


class Index:
    """Rules by the operation at the root of their left sides and by those of its arguments.

    Args:
        rules: the rules by the operation at the root, in the order in which they are tried.
    """

    def __init__(self, rules: Mapping[str, Iterable[Rule]]) -> None:
        self._rules = {op: tuple(found) for op, found in rules.items()}
        self._offers: dict[tuple[str, ...], tuple[Rule, ...]] = {}

    def offered(self, e: Expr) -> tuple[Rule, ...]:
        """The rules that may fire at the root of `e`; all others do not."""
        if e.op not in self._rules:
            return ()
        kind = _kind(e)
        found = self._offers.get(kind)
        if found is None:
            found = self._offers[kind] = tuple(r for r in self._rules[e.op] if may_fire(r, e))
        return found


def _kind(e: Expr) -> tuple[str, ...]:
    """The operation and those of the arguments, in any order, each at most twice."""
    ops = [a.op for a in e.args]
    if len(ops) > 1:
        ops = sorted(ops) if len(ops) == 2 else sorted(op for op, n in Counter(ops).items() for _ in range(min(n, 2)))
    return (e.op, *ops)


def may_fire(rule: Rule, e: Expr) -> bool:
    """Whether the arguments of `e` are of the operations that the rule needs."""
    ops = [a.op for a in e.args]
    return all(sum(op in kinds for op in ops) >= min(number, 2) for kinds, number in rule.needs)


def index_of(*groups: str, only: Choice = every, exact: bool = False) -> Index:
    """The index of the chosen rules of some groups; made again where the rules have changed."""
    rules = list(RULES.values())
    key = (groups, only, exact)
    known = _INDICES.get(key)
    if known is None or known[0] != rules:
        if len(_INDICES) >= MEMORY:
            _INDICES.clear()
        known = _INDICES[key] = rules, Index(rules_of(*groups, only=only, exact=exact))
    return known[1]


# By groups, choice and exactness: the rules there were, and the index.
_INDICES: dict[tuple[tuple[str, ...], Choice, bool], tuple[list[Rule], Index]] = {}
