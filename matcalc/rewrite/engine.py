"""The engine: bring an expression to its normal form, then to its shortest; log each rule by name.

Named values are opaque, and each distinct node is visited once: the cost is linear in the size of the graph.
"""

from __future__ import annotations

from collections.abc import Container

from matcalc.expr import Expr, postorder, rebuild
from matcalc.rewrite.context import Context
from matcalc.rewrite.measure import cost
from matcalc.rewrite.normal import tidy
from matcalc.rewrite.rule import Rule, rules_of, shapes_agree

MAX_ROUNDS = 200
MAX_TURNS = 4


class Rewriter:
    """Rewrites expressions under one context; remembers what it has done.

    Args:
        context: facts, assumptions and the log.
        only: the names of the rules to use; all where it is None.
    """

    def __init__(self, context: Context, only: Container[str] | None = None) -> None:
        self.context = context
        self._collapse = rules_of("collapse", only)
        self._present = rules_of("present", only)
        self._normal: dict[Expr, Expr] = {}
        self._shortest: dict[Expr, Expr] = {}
        self._costs: dict[Expr, int] = {}

    def cost(self, e: Expr) -> int:
        """The operation count, memoised."""
        return cost(e, self._costs)

    def simplify(self, e: Expr) -> Expr:
        """The shortest form that the rules reach, in rounds: a factor taken out makes like terms meet."""
        normal = self.normal(e)
        best = self.present(normal)
        seen: set[Expr] = {normal}
        while best not in seen:
            seen.add(best)
            mark = len(self.context.steps)
            again = self.present(self.normal(best))
            if again is best or self.cost(again) > self.cost(best):
                del self.context.steps[mark:]
                return best
            best = again
        return best

    def normal(self, e: Expr) -> Expr:
        """The normal form: tidied, and no rule of the group `collapse` applies anywhere."""
        done = self._normal
        for sub in postorder((e,), through_names=False, stop=lambda s: s in done):
            if sub.op == "named" or not sub.args:
                done[sub] = self._settle(sub) if sub.op != "named" else sub
                continue
            args = tuple(done[a] for a in sub.args)
            start = sub if args == sub.args else rebuild_lenient(sub, args)
            done[sub] = done[start] if start in done else self._settle(start)
            done[start] = done[sub]
        return done[e]

    def _settle(self, e: Expr) -> Expr:
        """Tidy and rewrite the root until nothing changes; the arguments are normal."""
        for _ in range(MAX_ROUNDS):
            tidied = self._tidy(e)
            if tidied is not e:
                known = self._normal.get(tidied)
                if known is not None:
                    return known
                if any(self._normal.get(a) is not a for a in tidied.args) and tidied.op != "named":
                    return self.normal(tidied)
                e = tidied
                continue
            applied = self._apply_first(e, self._collapse)
            if applied is None:
                self._normal[e] = e
                return e
            return self.normal(applied)
        raise RuntimeError(f"rewriting does not come to rest at {e}")

    def _tidy(self, e: Expr) -> Expr:
        """The root tidied; a rewriter that keeps a record of everything notes it here."""
        return tidy(e, self.context)

    def _apply_first(self, e: Expr, table: dict[str, list[Rule]]) -> Expr | None:
        for r in table.get(e.op, ()):
            self.context.begin()
            after = r.apply(e, self.context)
            if after is not None and after is not e:
                shapes_agree(e, after, r.name)
                self.context.log(r.name, r.identity, r.source, e, after)
                return after
        return None

    def present(self, e: Expr) -> Expr:
        """A shorter equal form by the rules of the group `present`; never a longer one."""
        done = self._shortest
        for sub in postorder((e,), through_names=False, stop=lambda s: s in done):
            if sub.op == "named" or not sub.args:
                done[sub] = sub
                continue
            args = tuple(done[a] for a in sub.args)
            done[sub] = self._shorten(sub if args == sub.args else self._tidied(rebuild_lenient(sub, args)))
        return done[e]

    def _tidied(self, e: Expr) -> Expr:
        """The root tidied after its arguments changed: numbers come to the front, products are flat."""
        for _ in range(MAX_ROUNDS):
            tidied = tidy(e, self.context) if e.op in ("add", "scale", "matmul", "hadamard") else e
            if tidied is e:
                return e
            e = tidied
        raise RuntimeError(f"tidying does not come to rest at {e}")

    def _shorten(self, e: Expr) -> Expr:
        for _ in range(MAX_ROUNDS):
            best, chosen = e, None
            for r in self._present.get(e.op, ()):
                self.context.begin()
                after = r.apply(e, self.context)
                if after is not None and self.cost(after) < self.cost(best):
                    best, chosen = after, r
            if chosen is None:
                return e
            shapes_agree(e, best, chosen.name)
            self.context.log(chosen.name, chosen.identity, chosen.source, e, best)
            e = best
        return e


def rebuild_lenient(e: Expr, args: tuple[Expr, ...]) -> Expr:
    """`e` on new arguments; a broadcast that has become needless is dropped."""
    if e.op == "broadcast" and args[0].shape == e.shape:
        return args[0]
    return rebuild(e, args)
