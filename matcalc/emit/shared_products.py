"""Long chains of factors that many products share: every product from one end of a chain is computed once.

The gradients of tr(A B C D) by all factors are products of all the others, in turn: B C D, C D A, D A B, A B C. Each
is cut where the chain ends, D | A, into a product up to there and one from there; both kinds grow by a factor at a
time. So there are about three products for a factor, rather than as many as there are factors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from matcalc import core
from matcalc.dims import is_one
from matcalc.emit.chains import CHEAPER
from matcalc.expr import Expr, postorder
from matcalc.walk import transform

Chain = tuple[Expr, ...]
_LONG, _FEWEST, _CUTS = 4, 3, 16
_WORTH = 4, 3  # four of the products that were are at least three of those that are


def with_shared_products(roots: Iterable[Expr], name: Callable[[str], str]) -> dict[Expr, Expr]:
    """Each root with names for products that several chains share; nothing where that saves little."""
    roots = list(roots)
    products = [e for e in postorder(roots) if e.op == "matmul"]
    kinds: dict[object, list[Expr]] = {}
    for e in products:
        kind = _kind(e.args)
        if kind is not None:
            kinds.setdefault(kind, []).append(e)
    table: dict[Expr, Expr] = {}
    for some in kinds.values():
        if len(some) >= _FEWEST and max(len(e.args) for e in some) >= _LONG:
            table |= _shared(some, name)
    if not table:
        return {}

    def written(new: Expr, old: Expr) -> Expr:
        return table.get(old, new)

    done = transform(roots, written)
    return {root: done[root] for root in roots}


def _kind(chain: Chain) -> object:
    """What can share products: square matrices of one size, which may be multiplied in any order, or vectors and their
    outer products, of which each side is computed from its vector; None for other chains."""
    if any(f.op in CHEAPER for f in chain):
        return None
    if all(f.shape == chain[0].shape and f.shape[0] == f.shape[1] for f in chain) and not chain[0].is_scalar:
        return chain[0].shape
    vectors = [k for k, (f, g) in enumerate(zip(chain, chain[1:])) if is_one(f.shape[1]) and is_one(g.shape[0])]
    ends = is_one(chain[0].shape[0]), is_one(chain[-1].shape[1])
    if ends in ((True, False), (False, True)) and not vectors:
        return "vectors"
    return "vectors" if not any(ends) and len(vectors) == 1 else None


@dataclass
class _Grown:
    """Products that grow by a factor at a time, to the right or (turned) to the left.

    Attributes:
        nodes: the number of a product, by that of the product before it and the factor.
        uses: how often a product is continued, or wanted as it is.
    """

    turned: bool
    nodes: dict[tuple[int, Expr], int] = field(default_factory=dict)
    uses: Counter[int] = field(default_factory=Counter)
    names: dict[int, Expr] = field(default_factory=dict)

    def add(self, chain: Chain) -> None:
        node = 0
        for factor in reversed(chain) if self.turned else chain:
            key = node, factor
            if key not in self.nodes:
                self.nodes[key] = len(self.nodes) + 1
                self.uses[node] += 1
            node = self.nodes[key]
        self.uses[node] += 1

    @property
    def count(self) -> int:
        """How many products there are: the first factors are none."""
        return sum(before > 0 for before, _ in self.nodes)

    def expr(self, chain: Chain, name: Callable[[str], str]) -> Expr:
        node, result = 0, None
        for factor in reversed(chain) if self.turned else chain:
            node = self.nodes[node, factor]
            if node in self.names:
                result = self.names[node]
                continue
            if result is not None:
                pair = (factor, result) if self.turned else (result, factor)
                result = core.matmul(*pair)
                if self.uses[node] > 1:
                    first, last = (factor, chain[-1]) if self.turned else (chain[0], factor)
                    result = core.named(name(f"{_label(first)}_to_{_label(last)}"), result, "local")
                    self.names[node] = result
            else:
                result = factor
        assert result is not None
        return result


def _label(factor: Expr) -> str:
    inner = factor.args[0] if factor.op == "transpose" else factor
    return inner.name if inner.op in ("variable", "named") else "product"


def _shared(products: list[Expr], name: Callable[[str], str]) -> dict[Expr, Expr]:
    """The products of one kind with names for what they share."""
    chains = [e.args for e in products]
    best: tuple[int, _Grown, _Grown, list[tuple[Chain, Chain]]] | None = None
    for cut in _cuts(chains):
        parts = [_cut(chain, cut) for chain in chains]
        left, right = _Grown(turned=True), _Grown(turned=False)
        for before, after in parts:
            for grown, part in ((left, before), (right, after)):
                if part:
                    grown.add(part)
        count = left.count + right.count + sum(bool(before and after) for before, after in parts)
        if best is None or count < best[0]:
            best = count, left, right, parts
    was = sum(len(chain) - 1 for chain in chains)
    if best is None or _WORTH[0] * best[0] > _WORTH[1] * was:
        return {}
    _, left, right, parts = best
    table = {}
    for e, (before, after) in zip(products, parts):
        sides = [grown.expr(part, name) for grown, part in ((left, before), (right, after)) if part]
        table[e] = core.matmul(*sides) if len(sides) > 1 else sides[0]
    return table


def _cuts(chains: list[Chain]) -> list[tuple[Expr, Expr]]:
    """Pairs of neighbours between which chains may be cut: the most frequent ones."""
    pairs = Counter(pair for chain in chains for pair in zip(chain, chain[1:]))
    outer = [pair for pair in pairs if is_one(pair[0].shape[1]) and is_one(pair[1].shape[0])]
    return outer[:1] or [pair for pair, _ in pairs.most_common(_CUTS)]


def _cut(chain: Chain, cut: tuple[Expr, Expr]) -> tuple[Chain, Chain]:
    """What stands before the cut and after it."""
    for k, pair in enumerate(zip(chain, chain[1:])):
        if pair == cut or (is_one(pair[0].shape[1]) and is_one(pair[1].shape[0])):
            return chain[: k + 1], chain[k + 1 :]
    ends_there = chain[-1] is cut[0] or (is_one(chain[-1].shape[1]) and not is_one(chain[0].shape[0]))
    return (chain, ()) if ends_there else ((), chain)
