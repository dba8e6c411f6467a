"""Folding back: what equals a definition of the graph is written by its name, also as a part of a longer product.

Where a quotient z = (x - m)/s has a name, x - m is s z: so its denominators cancel, or the value stays as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from copy import copy

from matcalc.core import broadcast, hadamard, minus, scale, transpose
from matcalc.expr import Expr, operations, postorder
from matcalc.ops.reductions import max_, min_
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.walk import transform, unchanged

# What derivatives compare with its own argument for equality: the name would stand for another rounding of it.
COMPARED = operations(max_, min_)


class Folds:
    """The named values of a graph by their simplified definitions; those of one operation or more.

    Args:
        definitions: the named values.
        closed: whether closed facts may be used.
        moving: named values that are differentiated by, which leave what their definitions give them.
    """

    def __init__(self, definitions: Iterable[Expr], *, closed: bool = True, moving: Iterable[Expr] = ()) -> None:
        quiet = Rewriter(Context(closed=closed, moving=moving))
        self._whole: dict[bytes, Expr] = {}
        self._products: list[tuple[Counter[bytes], Expr]] = []
        self._quotients: list[tuple[dict[bytes, Expr], Expr]] = []
        self._left_out: frozenset[Expr] = frozenset()
        for name in definitions:
            forms = _numerator(name, quiet)
            if forms:
                self._quotients.append((forms, name))
            simple = quiet.simplify(name.args[0])
            if name.args[0].op in COMPARED and simple is not name.args[0]:
                continue
            for form in (simple, name.args[0]):
                if quiet.cost(form) > 0:
                    self._whole.setdefault(form.digest, name)
                    factors = Counter(f.digest for f in _factors(form))
                    if len(factors) > 1 and (factors, name) not in self._products:
                        self._products.append((factors, name))

        self._written = frozenset(self._whole.values())

    @property
    def has_products(self) -> bool:
        """Whether a definition is an entrywise product, which may be met in parts."""
        return any(name not in self._left_out for _, name in self._products)

    def without(self, *names: Expr) -> Folds:
        """The same without these named values: what is differentiated by one must not be written by its name."""
        if self._written.isdisjoint(names):  # a quotient is among them
            return self
        fewer = copy(self)
        fewer._left_out = self._left_out.union(names)
        return fewer

    def folded(self, value: Expr) -> Expr:
        """`value` with names for what equals a definition, from the top: nothing inside of that is looked at."""
        if not self._whole:
            return value
        found = {
            sub: self._name(sub)
            for sub in postorder((value,), through_names=False)
            if sub.digest in self._whole or self._products
        }
        table = {sub: new for sub, new in found.items() if new is not sub}
        return substitute_outermost(value, table) if table else value

    def by_quotients(self, value: Expr) -> Iterator[Expr]:
        """`value` with the numerator of a named quotient written as a multiple of the name, for each that occurs."""
        for forms, name in self._quotients:
            if name in self._left_out:
                continue
            inside = postorder((value,), through_names=False)
            table = {sub: forms[sub.digest] for sub in inside if sub.digest in forms}
            if table:
                yield substitute_outermost(value, table)

    def _name(self, e: Expr) -> Expr:
        whole = self._whole.get(e.digest)
        if whole is not None and whole not in self._left_out:
            return whole
        if e.op not in ("hadamard", "scale"):
            return e
        factors = _factors(e)
        have = Counter(f.digest for f in factors)
        for wanted, name in self._products:
            if wanted <= have and name.shape == e.shape and name not in self._left_out:
                rest, left = [], wanted.copy()
                for f in factors:
                    if left[f.digest]:
                        left[f.digest] -= 1
                    else:
                        rest.append(f)
                return _product([f for f in rest if f.is_scalar], [name, *(f for f in rest if not f.is_scalar)])
        return e


def _numerator(name: Expr, rewriter: Rewriter) -> dict[bytes, Expr]:
    """The numerator of a named quotient of a sum, its negative and their transposes as multiples of the name."""
    form = rewriter.normal(name.args[0])
    if form.op not in ("scale", "hadamard") or len(form.args) != len(("1/s", "D")):
        return {}
    for below, above in (form.args, form.args[::-1]):
        s = _denominator(below)
        if above.op == "add" and s is not None:
            product = scale(s, name) if form.op == "scale" else hadamard(s, name)
            pairs = [(above, product), (minus(above), minus(product))]
            pairs += [(transpose(D), transpose(sz)) for D, sz in pairs]
            return {rewriter.normal(D).digest: sz for D, sz in pairs}
    return {}


def _denominator(e: Expr) -> Expr | None:
    """s where `e` is 1/s, also spread out."""
    bare = e.args[0] if e.op == "broadcast" else e
    if bare.op != "power" or bare.args[1].number != -1:
        return None
    return broadcast(bare.args[0], e.shape) if e.op == "broadcast" else bare.args[0]


def folded(value: Expr, folds: Folds, rewriter: Rewriter) -> Expr:
    """`value` with names for what equals a definition, and shortened where that then helps; logged."""
    value = _by_names(value, folds, rewriter)
    for other in folds.by_quotients(value):
        mark = len(rewriter.context.steps)
        _log_fold(value, other, rewriter)
        shorter = _by_names(rewriter.simplify(other), folds, rewriter)
        if rewriter.cost(shorter) < rewriter.cost(value):
            return shorter
        del rewriter.context.steps[mark:]
    return value


def _log_fold(before: Expr, after: Expr, rewriter: Rewriter) -> None:
    rewriter.context.begin()
    rewriter.context.log("fold_name", "what equals a definition is written by its name", "definition", before, after)


def _by_names(value: Expr, folds: Folds, rewriter: Rewriter) -> Expr:
    after = folds.folded(value)
    if after is value:
        return value
    _log_fold(value, after, rewriter)
    mark = len(rewriter.context.steps)
    shorter = rewriter.simplify(after)
    if rewriter.cost(shorter) < rewriter.cost(after):
        return shorter
    del rewriter.context.steps[mark:]
    return after


def _factors(e: Expr) -> tuple[Expr, ...]:
    """The entrywise factors of a matrix, its scalars among them; none for a 1 x 1 value."""
    if e.is_scalar:
        return ()
    if e.op == "scale":
        return (*e.args[:-1], *_factors(e.args[-1]))
    return e.args if e.op == "hadamard" else (e,)


def _product(scalars: list[Expr], factors: list[Expr]) -> Expr:
    body = hadamard(*factors) if len(factors) > 1 else factors[0]
    return scale(*scalars, body) if scalars else body


def substitute_outermost(e: Expr, table: dict[Expr, Expr]) -> Expr:
    """`e` with subexpressions replaced from the top: nothing inside a replaced one is looked at."""
    return transform((e,), unchanged, through_names=False, known=dict(table))[e]
