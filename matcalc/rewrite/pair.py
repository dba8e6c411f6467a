"""A pair of expressions over wildcards, matched at a node: the function that states both sides is called twice.

Called with wildcards it gives the pattern, its left side; called with what the wildcards stand for it gives the right
side. So the right side may depend on shapes and parameters by plain Python, and is never stated again.

Wildcards, by the word that is given for an argument of the function:

- `"m n"`: any expression of this shape; a letter is the same size wherever it stands;
- `"number 2"`: any number (2 in the example);
- `"A: m n, B: m n"` for `*rest`: all other arguments of an operation of any number of arguments, one or more;
- `(None, 1, 2)`: a parameter, with its values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from inspect import CO_VARARGS
from itertools import product
from typing import Any, TypeAlias

from matcalc import core
from matcalc.dims import dim
from matcalc.expr import Expr, node
from matcalc.rewrite.context import Context
from matcalc.rewrite.pattern import (
    LOOSE,
    NUMBER,
    REST,
    VIEWED,
    Binding,
    flat,
    is_constant,
    is_wildcard,
    match_part,
    pattern_dim,
    resolve_dim,
    wildcard,
)
from matcalc.walk import transform

Right: TypeAlias = "Expr | Callable[[], Expr]"  # a function where it needs what is not to be imported beforehand
Sides: TypeAlias = Callable[..., tuple[Expr, Right]]
Needs: TypeAlias = tuple[tuple[frozenset[str], int], ...]
View: TypeAlias = Callable[[Expr, Context], Expr | None]


def arguments(function: Any) -> list[tuple[str, bool]]:
    """The names of a function's arguments, and whether each is for several."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    several = code.co_varnames[len(names) : len(names) + 1] if code.co_flags & CO_VARARGS else ()
    return [*((name, False) for name in names), *((name, True) for name in several)]


@dataclass(frozen=True)
class Pair:
    """An identity by its two sides.

    Attributes:
        sides: the function that states them.
        wildcards: what its arguments stand for, by name.
        facts: what must be known of wildcards: `"nonnegative, nonzero"` for both, `"diagonal|symmetric"` for one.
        wish: whether a fact that lacks is noted as one that would have helped.
        where: a condition on what the wildcards stand for.
        minus: gives X where an expression is -X: then `-X` in the pattern stands for all of these.
        doubled: gives X where an expression is 2 X, likewise.
        drawn: further facts of the variables of the example.
        loose: whether the wildcards have these shapes in the example only, and elsewhere what the operations take.
        whole: whether a sum or product has no other terms or factors.
        small: whether the variables of the example have small letters.
    """

    sides: Sides
    wildcards: Mapping[str, Any]
    facts: Mapping[str, str] = field(default_factory=dict)
    wish: bool = False
    where: Callable[..., bool] | None = None
    minus: View | None = None
    doubled: View | None = None
    drawn: Mapping[str, str] = field(default_factory=dict)
    loose: bool = False
    whole: bool = False
    small: bool = False

    @cached_property
    def patterns(self) -> list[tuple[Expr, dict[str, Any]]]:
        """The left sides over wildcards, each with the values of the parameters in it."""
        return [(self._pattern(chosen), chosen) for chosen in self._choices()]

    @cached_property
    def _names(self) -> list[tuple[str, bool]]:
        """The arguments of the function that states the sides, and whether each stands for several.

        A function of `*arguments` without a wildcard of that name takes all wildcards in order.
        """
        found = arguments(self.sides)
        if not self.wildcards.keys() >= dict(found).keys():
            return [(name, False) for name in self.wildcards]
        return found

    @cached_property
    def _asked(self) -> list[str]:
        """The arguments of the condition; none where it is about wildcards of other cases."""
        names = [] if self.where is None else [name for name, _ in arguments(self.where)]
        return names if self.wildcards.keys() >= set(names) else []

    def _choices(self) -> list[dict[str, Any]]:
        """All values of the parameters."""
        names = [name for name, kind in self.wildcards.items() if isinstance(kind, tuple)]
        return [dict(zip(names, values)) for values in product(*(self.wildcards[name] for name in names))]

    def _call(self, make: Callable[[str, str], Any], chosen: Mapping[str, Any]) -> tuple[Expr, Right]:
        """Both sides, where `make` gives what stands for a wildcard, by its name and its kind."""
        values: list[Any] = []
        for name, several in self._names:
            if name in chosen:
                values.append(chosen[name])
            elif several:
                values.extend(make(name, self.wildcards[name]))
            else:
                values.append(make(name, self.wildcards[name]))
        return self.sides(*values)

    def _pattern(self, chosen: Mapping[str, Any]) -> Expr:
        def make(name: str, kind: str) -> Any:
            if kind.startswith("number"):
                return wildcard(NUMBER + name, 1, 1)
            if ":" in kind:
                shapes = [part.split(":")[1] for part in kind.split(",")]
                return [wildcard(f"{REST}{name}.{k}", *_dims(shape)) for k, shape in enumerate(shapes)]
            return wildcard((LOOSE if self.loose else "") + name, *_dims(kind))

        left = self._call(make, chosen)[0]
        return flat(left if self._view is None else self._viewed(left))

    @cached_property
    def _view(self) -> View | None:
        return self.minus or self.doubled

    def _viewed(self, left: Expr) -> Expr:
        """A pattern with -X, or 2 X, as one wildcard."""
        times = -1 if self.minus is not None else 2

        def change(new: Expr, _: Expr) -> Expr:
            if new.op == "scale" and len(new.args) == 2 and new.args[0].number == times and is_wildcard(new.args[1]):
                inner = new.args[1]
                return wildcard(VIEWED + inner.name[1:], *inner.shape)
            return new

        return transform((left,), change)[left]

    def example(self) -> tuple[Expr, Expr]:
        """Both sides at variables that have the facts."""

        def make(name: str, kind: str) -> Any:
            if kind.startswith("number"):
                return core.number(core.exact(kind.split()[1]))
            words = _words(self.facts.get(name, "")) + _words(self.drawn.get(name, ""))
            facts = [word.split("|")[0] for word in words]
            parts = [part.split(":") for part in kind.split(",")] if ":" in kind else [[name, kind]]
            letters = [own.strip().lower() if self.small else own.strip() for own, _ in parts]
            made = [_variable(own, shape, facts) for own, (_, shape) in zip(letters, parts)]
            return made if ":" in kind else made[0]

        left, right = self._call(make, self._choices()[0])
        return left, _made(right)

    def apply(self, e: Expr, context: Context) -> Expr | None:
        """The right side where the left side is the root of `e`, or a part of a sum or product at the root."""
        for left, chosen in self.patterns:
            for binding, before, after in match_part(left, e, {}):
                if self.whole and (before or after):
                    continue
                values = self._values(binding, context)
                if values is None or not self._holds({**values, **chosen}, context):
                    continue
                inside = _made(self._call(_lookup(values, binding), chosen)[1])
                if before or after:
                    return node(e.op, (*before, inside, *after)) if e.op != "scale" else core.scale(inside, *after)
                return inside
        return None

    def _values(self, binding: Binding, context: Context) -> dict[str, Any] | None:
        """What the wildcards stand for; None where one of them is not a multiple as it should be."""
        values: dict[str, Any] = {}
        for key, value in binding.items():
            if not isinstance(value, (Expr, tuple)):
                continue
            name = key.lstrip("?" + NUMBER + REST + VIEWED + LOOSE)
            if key.startswith("?" + VIEWED):
                value = None if self._view is None or isinstance(value, tuple) else self._view(value, context)
                if value is None:
                    return None
            if name in values and values[name].digest != value.digest:
                return None
            values[name] = value
        return values

    def _holds(self, values: dict[str, Any], context: Context) -> bool:
        if self.where is not None and self._asked and not self.where(*(values[name] for name in self._asked)):
            return False
        return all(self._known(values[name], needed, context) for name, needed in self._needed)

    @cached_property
    def _needed(self) -> list[tuple[str, list[list[str]]]]:
        """For each wildcard the facts that are needed, each with those that do as well."""
        return [(name, [word.split("|") for word in _words(words)]) for name, words in self.facts.items()]

    def _known(self, value: Any, needed: list[list[str]], context: Context) -> bool:
        """Whether all facts are known of an expression, or of all of several."""
        for e in value if isinstance(value, tuple) else (value,):
            for facts in needed:
                if not any(context.known(e, fact) for fact in facts):
                    if self.wish:
                        context.wish(e, facts[0])
                    return False
        return True


def needs_of(patterns: Sequence[Expr]) -> Needs:
    """The operations that the root must have among its arguments for one of the patterns to match."""
    counts = [Counter(a.op for a in left.args if not is_wildcard(a) and not is_constant(a)) for left in patterns]
    if all(count.total() == 1 for count in counts):
        return ((frozenset(op for count in counts for op in count), 1),)
    shared = counts[0]
    for count in counts[1:]:
        shared &= count
    return tuple((frozenset((op,)), n) for op, n in shared.items())


def _lookup(values: Mapping[str, Any], binding: Binding) -> Callable[[str, str], Any]:
    """What a wildcard stands for; a variable of its size for one that gives the pattern its sizes only."""

    def make(name: str, kind: str) -> Any:
        if name in values:
            return values[name]
        rows, columns = (resolve_dim(size, binding) for size in _dims(kind))
        return core.var(name, rows, columns)

    return make


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _dims(shape: str) -> Sequence[Any]:
    return [pattern_dim(size) for size in shape.split()]


def _plain(d: Any) -> Any:
    """A size of a pattern as one of a variable."""
    if isinstance(d, int):
        return d
    return d.name.lstrip("?") if d.is_Symbol else d.xreplace({s: dim(s.name.lstrip("?")) for s in d.free_symbols})


def _variable(name: str, shape: str, facts: Sequence[str]) -> Expr:
    rows, columns = map(_plain, _dims(shape))
    return core.var(name, rows, columns, facts)


def scalar_twin(wildcards: Mapping[str, Any]) -> dict[str, Any]:
    """The same wildcards for 1 x 1 values; in the example they have small letters."""
    return {
        name: "1 1" if isinstance(kind, str) and not kind.startswith("number") else kind
        for name, kind in wildcards.items()
    }


def _made(right: Right) -> Expr:
    return right if isinstance(right, Expr) else right()
