"""The engine: bring an expression to its normal form, then to its shortest; log each rule by name.

Named values are opaque, and each distinct node is visited once: the cost is linear in the size of the graph. Short
expressions are also multiplied out and gathered again: terms may cancel that their factors keep apart.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

from matcalc import core
from matcalc.expr import Expr, operations, postorder
from matcalc.ops.arithmetic import broadcast, hadamard_, power_, scale_
from matcalc.ops.leaves import eye, ones
from matcalc.ops.linalg import inv
from matcalc.ops.matrix_functions import matpow
from matcalc.ops.products import diagvec, matmul_, transpose
from matcalc.ops.reductions import mean_, sum_
from matcalc.rewrite.context import Context
from matcalc.rewrite.index import Index, index_of
from matcalc.rewrite.measure import cost
from matcalc.rewrite.normal import tidy
from matcalc.rewrite.rule import Choice, every, shapes_agree
from matcalc.steps import Step
from matcalc.walk import rebuild, substitute, transform

MAX_ROUNDS = 200
MAX_FORMS = 20_000  # of one value on its way to the normal form: as many as a product has factors
SPREAD_COST = 120  # operations up to which an expression is multiplied out
SPREADING = operations(matmul_, hadamard_, scale_, sum_, mean_, power_, matpow, diagvec)
PARTNERS = operations(sum_, mean_, inv, matpow, eye, ones)
PASSING = operations(transpose, broadcast)
SPREAD_TERMS = 32  # terms that an expression is multiplied out to
SPREAD_WORK = 1000  # rewritings that this may take


class SpreadLimitError(Exception):
    """Multiplying out takes more work than it is worth."""


class Rewriter:
    """Rewrites expressions under one context; remembers what it has done.

    Args:
        context: facts, assumptions and the log.
        only: which rules it uses; it is asked when the rewriter is made.
    """

    def __init__(self, context: Context, only: Choice = every) -> None:
        self.context = context
        self._only = only
        self._collapse = index_of("collapse", only=only, exact=context.exact)
        self._present = index_of("present", only=only, exact=context.exact)
        self._normal: dict[Expr, Expr] = {}
        self._shortest: dict[Expr, Expr] = {}

    def cost(self, e: Expr) -> int:
        """The operation count."""
        return cost(e)

    def simplify(self, e: Expr, below: int | None = None) -> Expr:
        """The shortest form that the rules reach, also by multiplying out and gathering again.

        `below`: the cost that has to be undercut, or it is not worth multiplying out again.
        """
        best = self._gathered(e)
        if not self._may_spread(best) or (below is not None and self.cost(best) >= below):
            return best
        mark = len(self.context.steps)
        spreader = Spreader(self.context, self._only)
        spread = spreader.spread(best)
        if spread is not None:
            other = self._gathered(spread)
            if self.cost(other) < self.cost(best):
                self.context.lossy |= spreader.lossy
                return other
        del self.context.steps[mark:]
        cancelled = self._cancelled(best)
        return best if cancelled is None else cancelled

    def _cancelled(self, e: Expr) -> Expr | None:
        """A shorter form by multiplying out what stands over sums, these being kept whole: they may cancel."""
        sums = [sub.args[0] for sub in postorder((e,), through_names=False) if _is_reciprocal_of_sum(sub)]
        if not sums:
            return None
        names = {s: core.named(f"sum {k}", s, "local") for k, s in enumerate(dict.fromkeys(sums))}
        mark = len(self.context.steps)
        spreader = Spreader(self.context, self._only)
        spread = spreader.spread(substitute(e, names, through_names=False))
        if spread is not None:
            other = self._gathered(spread)
            table = {name: s for s, name in names.items()}
            opened = substitute(other, table, through_names=False)
            if self.cost(opened) < self.cost(e):
                self.context.lossy |= spreader.lossy
                self.context.steps[mark:] = [_opened(step, table) for step in self.context.steps[mark:]]
                return self.simplify(opened, below=self.cost(e))
        del self.context.steps[mark:]
        return None

    def _may_spread(self, e: Expr) -> bool:
        """Whether there is a product of a sum, something that its terms may cancel with, and few terms to come."""
        if self.cost(e) > SPREAD_COST:
            return False
        counts: dict[Expr, int] = {}
        found, partner, resolvents = False, False, False
        inverted: set[Expr] = set()  # what has an inverse in it
        for sub in postorder((e,), through_names=False):
            args = [counts[a] for a in sub.args] if sub.op != "named" else []
            partner = partner or sub.op in PARTNERS or _is_reciprocal(sub)
            if sub.op == "inv" or any(a in inverted for a in sub.args):
                inverted.add(sub)
                resolvents = resolvents or sub.op == "add"
            if sub.op == "add":
                partner = partner or max(args) > 1
                counts[sub] = sum(args)
            elif sub.op in SPREADING:
                exponent = sub.args[1] if sub.op in ("power", "matpow") else None
                counts[sub] = prod(args) if exponent is None else args[0] ** _whole(exponent)
                found = found or counts[sub] > 1
            else:
                counts[sub] = args[0] if sub.op in PASSING else 1
            if counts[sub] > SPREAD_TERMS:
                return False
        return (found and partner) or resolvents

    def _gathered(self, e: Expr) -> Expr:
        """The shortest form in rounds: a factor taken out makes like terms meet."""
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

        def settled(new: Expr, old: Expr) -> Expr:
            if old.op != "named" and new not in done:
                done[new] = self._settle(new)
            return done.get(new, new)

        return transform((e,), settled, through_names=False, make=rebuild_lenient, known=done)[e]

    def _settle(self, e: Expr) -> Expr:
        """Tidy and rewrite the root until nothing changes; the arguments are normal, and are made so for each form."""
        forms = [e]
        for _ in range(MAX_FORMS):
            form = forms[-1]
            known = form if form.op == "named" else self._normal.get(form)
            if known is None:
                changed: Expr | None = self._tidy(form)
                if changed is form:
                    changed = self._apply_first(form, self._collapse)
                known = form if changed is None else None
            if known is not None:
                self._normal |= dict.fromkeys(forms, known)
                return known
            assert changed is not None
            forms.append(self._on_normal_arguments(changed))
        raise RuntimeError(f"rewriting does not come to rest at {e}")

    def _on_normal_arguments(self, e: Expr) -> Expr:
        if e.op == "named" or all(self._normal.get(a) is a for a in e.args):
            return e
        args = tuple(self.normal(a) for a in e.args)
        return e if args == e.args else rebuild_lenient(e, args)

    def _tidy(self, e: Expr) -> Expr:
        """The root tidied; a rewriter that keeps a record of everything notes it here."""
        return tidy(e, self.context)

    def _apply_first(self, e: Expr, rules: Index) -> Expr | None:
        for r in rules.offered(e):
            self.context.begin()
            after = r.apply(e, self.context)
            if after is not None and after is not e:
                shapes_agree(e, after, r.name)
                self.context.lossy |= not r.exact
                self.context.log(r.name, r.identity, r.source, e, after)
                return after
        return None

    def present(self, e: Expr) -> Expr:
        """A shorter equal form by the rules of the group `present`; never a longer one."""

        def made(old: Expr, args: tuple[Expr, ...]) -> Expr:
            return self._tidied(rebuild_lenient(old, args))

        def shortened(new: Expr, old: Expr) -> Expr:
            return new if old.op == "named" or not old.args else self._shorten(new)

        return transform((e,), shortened, through_names=False, make=made, known=self._shortest)[e]

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
            for r in self._present.offered(e):
                self.context.begin()
                after = r.apply(e, self.context)
                if after is not None and self.cost(after) < self.cost(best):
                    best, chosen = after, r
            if chosen is None:
                return e
            shapes_agree(e, best, chosen.name)
            self.context.lossy |= not chosen.exact
            self.context.log(chosen.name, chosen.identity, chosen.source, e, best)
            e = self._with_short_arguments(best)
        return e

    def _with_short_arguments(self, e: Expr) -> Expr:
        """What a rule made, with its new arguments shortened too, where that is shorter."""
        if e.op == "named":
            return e
        args = tuple(self.present(a) for a in e.args)
        if args == e.args:
            return e
        shorter = self._tidied(rebuild_lenient(e, args))
        return shorter if self.cost(shorter) < self.cost(e) else e


def _opened(step: Step, table: dict[Expr, Expr]) -> Step:
    """The step with names replaced by what they stand for."""
    before, after = (substitute(e, table, through_names=False) for e in (step.before, step.after))
    return replace(step, before=before, after=after)


def _is_reciprocal_of_sum(e: Expr) -> bool:
    if e.op != "power" or e.args[1].op != "number" or not e.args[1].params[0].is_negative:
        return False
    return e.args[0].op == "add"


def undoes(e: Expr) -> bool:
    """Whether there is an inverse or a reciprocal in it, with which factors far away may cancel."""
    inside = postorder((e,), through_names=False)
    return any(sub.op in ("inv", "matpow") or _is_reciprocal(sub) for sub in inside)


def _is_reciprocal(e: Expr) -> bool:
    """Whether it is a negative power: a factor may cancel with it."""
    return e.op == "power" and e.args[1].op == "number" and bool(e.args[1].params[0].is_negative)


def _whole(exponent: Expr) -> int:
    """A small whole exponent; 1 for any other, under which nothing is multiplied out."""
    k = exponent.params[0] if exponent.op == "number" else None
    return int(k) if k is not None and k.is_Integer and 2 <= k <= 4 else 1


class Spreader(Rewriter):
    """Multiplies out: a rewriter to whose normal form the rules of the group `distribute` belong; bounded work.

    Attributes:
        lossy: whether digits may be lost by what it did; its context learns that from whoever keeps the result.
    """

    def __init__(self, context: Context, only: Choice = every) -> None:
        super().__init__(context, only)
        self._collapse = index_of("collapse", "distribute", only=only, exact=context.exact)
        self._left = SPREAD_WORK
        self.lossy = False

    def spread(self, e: Expr) -> Expr | None:
        """`e` as a sum of products; None where that takes too much work."""
        before, self.context.lossy = self.context.lossy, False
        try:
            return self.normal(e)
        except SpreadLimitError:
            return None
        finally:
            self.lossy, self.context.lossy = self.context.lossy, before

    def _tidy(self, e: Expr) -> Expr:
        self._left -= 1
        if self._left < 0:
            raise SpreadLimitError
        return super()._tidy(e)


def rebuild_lenient(e: Expr, args: tuple[Expr, ...]) -> Expr:
    """`e` on new arguments; a broadcast that has become needless is dropped."""
    if e.op == "broadcast" and args[0].shape == e.shape:
        return args[0]
    return rebuild(e, args)
