"""Rules as data: a named identity, its source, and how it is applied at the root of an expression.

`@rule` takes a pair of patterns; `@node_rule` a function for identities that hold for any number of arguments. The
name of the rule is the function's, its docstring the identity.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from matcalc.dims import same_shape
from matcalc.errors import MatcalcError, ShapeError
from matcalc.expr import Expr
from matcalc.rewrite.context import Context
from matcalc.rewrite.pair import Needs, Pair, Sides, View, arguments, needs_of, scalar_twin

Apply: TypeAlias = Callable[[Expr, Context], Expr | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A named identity.

    Attributes:
        name: the name under which the log shows it.
        identity: the identity, in words of the text syntax.
        source: where it is published.
        group: `collapse` (towards the normal form), `present` (towards the shortest form), `distribute` (towards sums
            of products: a way to shorter forms, and to proofs), `expand` (further, for deciding equality only) or
            `tidy` (what is done between rules; named for proofs).
        op: the operation at the root of its left side.
        apply: the right side for an expression that the left side matches; None where it does not.
        example: a pair of expressions, the left and the right side at variables, with the facts that it needs.
        exact: whether the right side, computed with rounding, is never less accurate than the left side: no difference
            is multiplied out, and no sum is opened whose terms may cancel. Only such rules shape generated code.
        needs: operations, and how many arguments at the root must be one of them: else it does not fire, nor is tried.
        why: why it is a rule though it does not shorten: it brings to one form what other rules are about.
        pair: the two sides, where it is stated by them.
    """

    name: str
    identity: str
    source: str
    group: str
    op: str
    apply: Apply
    example: Callable[[], tuple[Expr, Expr]]
    exact: bool
    needs: Needs = ()
    why: str = ""
    pair: Pair | None = None


Choice: TypeAlias = Callable[[Rule], bool]

RULES: dict[str, Rule] = {}
GROUPS = ("collapse", "present", "distribute", "expand", "tidy")
# A rule of these groups is exact unless it says that it is not, one of the others if it says so.
EXACT_GROUPS = ("collapse", "present")
HORN = "Horn & Johnson, Topics in Matrix Analysis (1991), ch. 4 and 5"
MATRIX_ALGEBRA = "Horn & Johnson, Matrix Analysis (2013), ch. 0"
MAGNUS = "Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 2 and 3"


def every(_: Rule) -> bool:
    """The choice of all rules."""
    return True


@dataclass(frozen=True, slots=True)
class Among:
    """The choice of the rules that have one of some names, or of all others."""

    names: frozenset[str]
    chosen: bool

    def __call__(self, r: Rule) -> bool:
        return (r.name in self.names) is self.chosen


def among(*names: str) -> Choice:
    """The choice of these rules."""
    return Among(frozenset(names), True)


def but(names: Collection[str]) -> Choice:
    """The choice of all rules except these."""
    return Among(frozenset(names), False)


def rules_of(*groups: str, only: Choice = every, exact: bool = False) -> dict[str, list[Rule]]:
    """The chosen rules of some groups by the operation at their root; with `exact`, those by which no digit is lost.

    The registry is looked at in every call, so that a rule of the user's counts as soon as it is declared.
    """
    table: dict[str, list[Rule]] = {}
    for group in groups:
        for r in RULES.values():
            if r.group == group and only(r) and (r.exact or not exact):
                table.setdefault(r.op, []).append(r)
    return table


def _add(new: Rule) -> None:
    if new.name in RULES:
        raise MatcalcError(f"a rule called {new.name!r} exists already")
    if not new.identity or not new.source or new.group not in GROUPS:
        raise MatcalcError(f"the rule {new.name!r} states no identity, no source or no known group")
    RULES[new.name] = new


def rule(
    *,
    source: str,
    group: str = "collapse",
    facts: Mapping[str, str] | None = None,
    wish: bool = False,
    exact: bool | None = None,
    why: str = "",
    where: Callable[..., bool] | None = None,
    minus: View | None = None,
    doubled: View | None = None,
    drawn: Mapping[str, str] | None = None,
    loose: bool = False,
    whole: bool = False,
    also: Sequence[Sides] = (),
    scalar: str | tuple[str, str] = "",
    **wildcards: Any,
) -> Callable[[Sides], Rule]:
    """Declare an identity by its two sides: the function maps wildcards (`rewrite/pair.py`) to (left, right).

    `facts` to `whole` are those of the pair; `also` are further cases of the identity. `scalar` is the identity for
    1 x 1 values where that is a rule of its own, called `scalar_...`, or its name and identity.
    """

    def declare(function: Sides) -> Rule:
        name, identity = function.__name__, (function.__doc__ or "").strip()
        statements = [(name, identity, dict(wildcards))]
        if scalar:
            twin, words = scalar if isinstance(scalar, tuple) else (f"scalar_{name}", scalar)
            statements.append((twin, words, scalar_twin(wildcards)))
        for own, text, kinds in statements:
            pairs = []
            for sides in (function, *also):
                used = _used(sides, kinds)
                known = {word: fact for word, fact in (facts or {}).items() if word in used}
                conditions = known, wish, where, minus, doubled, drawn or {}
                pairs.append(Pair(sides, used, *conditions, loose, whole, own != name))
            patterns = [left for pair in pairs for left, _ in pair.patterns]
            apply = pairs[0].apply if len(pairs) == 1 else _first_of(pairs)
            exactly, op = _exact(group, exact), patterns[0].op
            _add(
                Rule(own, text, source, group, op, apply, pairs[0].example, exactly, needs_of(patterns), why, pairs[0])
            )
        return RULES[name]

    return declare


def _used(sides: Sides, wildcards: dict[str, Any]) -> dict[str, Any]:
    """The wildcards that the function takes; all of them for a function of `*arguments`."""
    names = dict(arguments(sides)).keys()
    return {name: kind for name, kind in wildcards.items() if name in names} if names <= wildcards.keys() else wildcards


def _first_of(pairs: Sequence[Pair]) -> Apply:
    """The right side by the first pair that matches."""

    def apply(e: Expr, context: Context) -> Expr | None:
        found = (pair.apply(e, context) for pair in pairs)
        return next((after for after in found if after is not None), None)

    return apply


def node_rule(
    *,
    op: str,
    source: str,
    example: Callable[[], tuple[Expr, Expr]],
    group: str = "collapse",
    exact: bool | None = None,
    having: str = "",
    why: str = "",
) -> Callable[[Apply], Apply]:
    """Declare an identity by a function of the node (and the context) that gives the right side or None.

    `having` names the operations without which the function gives None, as arguments at the root: `"relu, step"` for
    one of each, `"diag, diag"` for two, `"inv|matpow"` for one of them.
    """
    needs = tuple(Counter(frozenset(part.strip().split("|")) for part in having.split(",") if part.strip()).items())

    def declare(function: Apply) -> Apply:
        identity = (function.__doc__ or "").strip()
        _add(Rule(function.__name__, identity, source, group, op, function, example, _exact(group, exact), needs, why))
        return function

    return declare


def _exact(group: str, given: bool | None) -> bool:
    return group in EXACT_GROUPS if given is None else given


def shapes_agree(before: Expr, after: Expr, name: str) -> None:
    """Raise ShapeError where a rule changed the shape: a defect of the rule, found before anybody sees its result."""
    if not same_shape(before.shape, after.shape):
        raise ShapeError(f"the rule {name} turned {{}} into {{}}, of another shape", before, after)
