"""What a rewriting may assume and what it did: facts known or assumed, facts used, facts that would help, steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from matcalc import core
from matcalc.dims import same
from matcalc.expr import Expr, postorder, record
from matcalc.properties import BIT, CLOSED_MASK, NAMES, closure, facts_from, facts_of, names_of
from matcalc.rewrite.terms import is_firm
from matcalc.steps import Step
from matcalc.walk import substitute

_OF_ALL = {False: 0, True: closure(BIT["diagonal"])}  # what every 1 x 1 value is, and every other one


class Context:
    """The assumptions and the log of one derivation.

    Args:
        assumptions: `(fact, expression)` pairs that hold where the source is defined (the domains of its operations).
        closed: whether closed facts (symmetric, one-hot, ...) may be used that hold at the point only: after the last
            differentiation. Those that the form of an expression gives it hold everywhere and may always be used.
        moving: what will be differentiated by, a named value among it: it leaves what its definition gives it, as a
            variable leaves its facts, while those of other variables stay. Without these, any variable may move.
        exact: whether only that is done by which no digit of the numbers is lost: for generated code.

    Attributes:
        lossy: whether something was done by which digits may be lost.
    """

    def __init__(
        self,
        assumptions: Iterable[tuple[str, Expr]] = (),
        *,
        closed: bool = True,
        exact: bool = False,
        moving: Iterable[Expr] = (),
    ) -> None:
        self.closed = closed
        self.moving = frozenset(moving)
        self.exact = exact
        self.lossy = False
        self.given = tuple(assumptions)
        self.assumed: dict[Expr, int] = {}
        for fact, e in with_consequences(self.given):
            self.assumed[e] = closure(self.assumed.get(e, 0) | BIT[fact])
        self.steps: list[Step] = []
        self.used: dict[tuple[Expr, str], None] = {}
        self.wished: dict[tuple[Expr, str], None] = {}
        self._masks: dict[Expr, int] = {}
        self._lasting: dict[Expr, int] = {}
        self._pending: list[tuple[Expr, str]] = []
        self._found: dict[tuple[Expr, str], list[tuple[Expr, str]]] = {}

    def mask(self, e: Expr) -> int:
        """The facts of `e`, those that follow from the assumptions included."""
        if not self.assumed:
            return facts_of(e)[0]
        masks = self._masks
        if e not in masks:
            for sub in postorder((e,), stop=lambda s: s in masks):
                own = record(sub.op).facts(sub, *(masks[a] for a in sub.args))[0]
                masks[sub] = closure(own | facts_of(sub)[0] | self.assumed.get(sub, 0))
        return masks[e]

    def lasting(self, e: Expr) -> int:
        """The facts of `e` that last while something moves: X X' is symmetric everywhere, whatever X is."""
        masks = self._lasting
        if e not in masks:
            for sub in postorder((e,), stop=lambda s: s in masks):
                own = facts_from(sub, [masks[a] for a in sub.args])[0]
                masks[sub] = own & ~(CLOSED_MASK & ~_OF_ALL[sub.is_scalar]) if self.moves(sub) else own
        return masks[e]

    def moves(self, e: Expr) -> bool:
        """Whether something will be differentiated by it: any variable, where nothing says by what."""
        return e in self.moving or (e.op == "variable" and not self.moving)

    def known(self, e: Expr, fact: str) -> bool:
        """Whether the fact may be used of `e`; noted as used by the rule that is tried."""
        bit = BIT[fact]
        around = not self.closed and bit & CLOSED_MASK
        if (self.lasting(e) if around else self.mask(e)) & bit:
            self._pending.append((e, fact))
            return True
        return False

    def _origins(self, e: Expr, fact: str) -> list[tuple[Expr, str]]:
        """The facts about variables and named values that give an expression a fact: inv(S) is symmetric as S is."""
        if e.name:
            return [(e, fact)]
        if (e, fact) not in self._found:
            given = facts_of(e)[0] & BIT[fact]
            leaves = [v for v in postorder((e,), through_names=False) if v.name and facts_of(v)[0]]
            self._found[e, fact] = [(v, own) for v in leaves for own in _needed(v, e, fact)] if given else []
        return self._found[e, fact]

    def wish(self, e: Expr, fact: str) -> None:
        """Note that a rule would have fired if the fact were known."""
        if e.op == "variable":
            self.wished[e, fact] = None

    def may_open(self, e: Expr) -> bool:
        """Whether a sum may be taken apart; noted where digits may be lost by that."""
        firm = is_firm(e)
        self.lossy |= firm and not self.exact
        return not (firm and self.exact)

    def begin(self) -> None:
        """Discard the facts asked for by a rule that did not fire."""
        if self._pending:
            self._pending.clear()

    def log(self, rule: str, identity: str, source: str, before: Expr, after: Expr) -> None:
        """Write down one application of a rule."""
        facts = [pair for asked in self._pending for pair in self._origins(*asked)]
        for pair in facts:
            self.used[pair] = None
        names = tuple(dict.fromkeys((e.name, fact) for e, fact in facts))
        self.steps.append(Step(rule, before, after, identity, source, names))


def _needed(leaf: Expr, e: Expr, fact: str) -> list[str]:
    """The facts about a leaf without which `e` would not have a fact: the weakest that is enough; else all."""

    def enough(*facts: str) -> bool:
        other = core.var(leaf.params[0], *leaf.shape, facts)
        return bool(facts_of(substitute(e, {leaf: other}, through_names=False))[0] & BIT[fact])

    if enough():
        return []
    known = [name for name in NAMES if facts_of(leaf)[0] & BIT[name]]
    known.sort(key=lambda name: (name != fact, closure(BIT[name]).bit_count()))
    return next(([name] for name in known if enough(name)), names_of(facts_of(leaf)[0]))


def with_consequences(given: Iterable[tuple[str, Expr]]) -> list[tuple[str, Expr]]:
    """The given facts and those that follow about parts of their expressions."""
    found: dict[tuple[str, Expr], None] = {}
    queue = list(given)
    while queue:
        pair = queue.pop()
        if pair in found:
            continue
        found[pair] = None
        queue.extend(_implied(*pair))
    return list(found)


def _is_repeated_one(e: Expr) -> bool:
    return e.op == "broadcast" and e.args[0].number == 1


def _implied(fact: str, e: Expr) -> Iterator[tuple[str, Expr]]:
    if e.op == "mean" and fact in ("positive", "nonzero"):
        yield fact, core.total(e.args[0], e.params[0])
    if e.op == "add" and any(map(_is_repeated_one, e.args)):  # 1 - s, as it is written in a normal form
        yield fact, core.add(*(core.ones(*a.shape) if _is_repeated_one(a) else a for a in e.args))
    if fact == "nonsingular":
        if e.op in ("transpose", "inv", "sqrtm") or (
            e.op == "matpow" and e.args[1].number is not None and e.args[1].number != 0
        ):
            yield fact, e.args[0]
        elif (e.op == "matmul" and all(same(*f.shape) for f in e.args)) or (e.op == "kron" and same(*e.args[0].shape)):
            yield from ((fact, f) for f in e.args)
        elif e.op == "scale":
            yield from (("nonzero", s) for s in e.args[:-1])
            yield fact, e.args[-1]
        elif e.op == "diag":
            yield "nonzero", e.args[0]
        elif e.op == "hadamard":  # scaled rows and columns: diag(u) A diag(v)
            vectors = [f for f in e.args if f.op == "broadcast"]
            yield from (("nonzero", f.args[0]) for f in vectors)
            if vectors and len(vectors) < len(e.args):
                yield fact, core.hadamard(*(f for f in e.args if f not in vectors))
    elif fact == "positive":
        yield "nonzero", e
        if e.op in ("broadcast", "transpose", "sqrt"):
            yield fact, e.args[0]
    elif fact == "nonzero":
        if e.op == "power" and e.args[1].op != "number":  # x^0 is not 0 at x = 0 either
            return
        if e.op in ("power", "sqrt", "abs", "broadcast", "transpose", "sign"):
            yield "positive" if e.op == "sqrt" else fact, e.args[0]
        elif e.op in ("scale", "hadamard"):
            yield from ((fact, f) for f in e.args)
        elif e.op == "det":
            yield "nonsingular", e.args[0]
    elif fact == "positive-definite":  # x'*A*x is half of x'*(A + A')*x
        body = e.args[-1] if e.op == "scale" else e
        if body.op == "add" and len(body.args) == 2 and body.args[0] is core.turned(body.args[1]):
            yield from (("nonsingular", A) for A in body.args)
