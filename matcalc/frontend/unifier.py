"""Unification of dimensions: placeholders for those that are not known, and what they turn out to be."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from matcalc.dims import Dim, Shape, is_one, same, substitute, symbol, symbols


class Unifier:
    """Placeholders for dimensions (symbols named `?1`, `?2`, ...) and what they are equal to.

    A 1 that an undeclared name is assumed to have is a *soft* placeholder: it does not broadcast as a declared 1 does.
    A size of an undeclared name is never 1 otherwise: nothing is made to fit by that.
    """

    def __init__(self) -> None:
        self.equal: dict[str, Dim] = {}
        self.soft: set[str] = set()
        self.lengths: set[str] = set()  # placeholders for the sizes of undeclared names
        self._count = itertools.count(1)

    def fresh(self) -> Dim:
        """A new unknown."""
        return symbol(f"?{next(self._count)}")

    def soft_one(self) -> Dim:
        """A new 1 by convention."""
        new = self.fresh()
        self.equal[new.name] = 1
        self.soft.add(new.name)
        return new

    def length(self) -> Dim:
        """A new unknown size of an undeclared name."""
        new = self.fresh()
        self.lengths.add(new.name)
        return new

    def last(self, d: Dim) -> Dim:
        """What the dimension stands for, a soft 1 kept as its placeholder."""
        while not isinstance(d, int) and d.is_Symbol and d.name in self.equal and d.name not in self.soft:
            d = self.equal[d.name]
        return d

    def resolve(self, d: Dim) -> Dim:
        """The dimension with all that is known put in."""
        d = self.last(d)
        while not isinstance(d, int):
            known = {name: self.equal[name] for name in symbols((d,)) if name in self.equal}
            if not known:
                return d
            d = substitute(d, known)
        return d

    def shape(self, shape: Shape) -> Shape:
        """A shape with all that is known put in."""
        return self.resolve(shape[0]), self.resolve(shape[1])

    def is_hard_one(self, d: Dim) -> bool:
        """Whether it is a 1 that broadcasts: declared, or made by an operation."""
        return is_one(self.last(d))

    def unify(self, a: Dim, b: Dim) -> bool:
        """Make two dimensions equal; False if they cannot be. Compound ones that are still open are left alone."""
        a, b = self.last(a), self.last(b)
        if _is_placeholder(b) and b.name not in self.equal:
            a, b = b, a
        if same(self.resolve(a), self.resolve(b)):
            return True
        if _is_placeholder(a) and a.name not in self.equal:
            return self._bind(a, b)
        return bool(placeholders(self.shape((a, b))))

    def _bind(self, a: Dim, b: Dim) -> bool:
        if a.name in self.lengths:
            if is_one(self.resolve(b)):
                return False
            if _is_placeholder(b):
                self.lengths.add(b.name)
        if a.name in symbols((self.resolve(b),)):
            return False
        self.equal[a.name] = b
        return True


def _is_placeholder(d: Dim) -> bool:
    return not isinstance(d, int) and d.is_Symbol and d.name.startswith("?")


def placeholders(dims: Iterable[Dim]) -> list[str]:
    """The placeholders in some dimensions, in order."""
    return [name for name in symbols(dims) if name.startswith("?")]
