"""Rules as data: a named identity, its source, and how it is applied at the root of an expression.

`@rule` takes a pair of patterns; `@node_rule` a function for identities that hold for any number of arguments. The
name of the rule is the function's, its docstring the identity.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from inspect import signature
from typing import Any, TypeAlias

from matcalc import core
from matcalc.dims import dim, same_shape
from matcalc.errors import MatcalcError, ShapeError
from matcalc.expr import Expr, node
from matcalc.rewrite.context import Context
from matcalc.rewrite.pattern import Binding, flat, instantiate, is_wildcard, match_part, pattern_dim, wildcard

Apply: TypeAlias = Callable[[Expr, Context], Expr | None]
Needs: TypeAlias = tuple[tuple[frozenset[str], int], ...]


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
    facts: dict[str, str] | None = None,
    wish: bool = False,
    exact: bool | None = None,
    **shapes: str,
) -> Callable[[Callable[..., tuple[Expr, Expr]]], Rule]:
    """Declare an identity by two patterns: the function maps wildcards of the given shapes to (left, right).

    `facts` are what must be known of a wildcard; `wish` notes the fact where it is all that lacks. The group decides
    what is `exact` where that is not given.
    """
    needed = facts or {}

    def declare(function: Callable[..., tuple[Expr, Expr]]) -> Rule:
        def sides(make: Callable[[str, Any, Any], Expr]) -> tuple[Expr, Expr]:
            return function(
                *(make(name, *map(pattern_dim, shapes[name].split())) for name in signature(function).parameters)
            )

        left, right = sides(wildcard)
        left = flat(left)
        required = Counter(a.op for a in left.args if not is_wildcard(a))
        needs = tuple((frozenset((op,)), count) for op, count in required.items())
        variadic = left.op in ("matmul", "add", "hadamard", "scale")

        def apply(e: Expr, context: Context) -> Expr | None:
            for binding, before, after in match_part(left, e, {}):
                if _facts_hold(needed, binding, context, wish):
                    inside = instantiate(right, binding)
                    if not variadic or not (before or after):
                        return inside
                    return _rejoined(e.op, before, inside, after)
            return None

        def example() -> tuple[Expr, Expr]:
            return sides(
                lambda name, m, n: core.var(name, _plain(m), _plain(n), (needed[name],) if name in needed else ())
            )

        identity = (function.__doc__ or "").strip()
        made = Rule(function.__name__, identity, source, group, left.op, apply, example, _exact(group, exact), needs)
        _add(made)
        return made

    return declare


def node_rule(
    *,
    op: str,
    source: str,
    example: Callable[[], tuple[Expr, Expr]],
    group: str = "collapse",
    exact: bool | None = None,
    having: str = "",
) -> Callable[[Apply], Apply]:
    """Declare an identity by a function of the node (and the context) that gives the right side or None.

    `having` names the operations without which the function gives None, as arguments at the root: `"relu, step"` for
    one of each, `"diag, diag"` for two, `"inv|matpow"` for one of them.
    """
    needs = tuple(Counter(frozenset(part.strip().split("|")) for part in having.split(",") if part.strip()).items())

    def declare(function: Apply) -> Apply:
        identity = (function.__doc__ or "").strip()
        _add(Rule(function.__name__, identity, source, group, op, function, example, _exact(group, exact), needs))
        return function

    return declare


def _exact(group: str, given: bool | None) -> bool:
    return group in EXACT_GROUPS if given is None else given


def _plain(d: Any) -> Any:
    return (
        d
        if isinstance(d, int)
        else d.name.lstrip("?")
        if d.is_Symbol
        else d.xreplace({s: dim(s.name.lstrip("?")) for s in d.free_symbols})
    )


def _facts_hold(needed: dict[str, str], binding: Binding, context: Context, wish: bool) -> bool:
    for name, fact in needed.items():
        if not context.known(binding["?" + name], fact):
            if wish:
                context.wish(binding["?" + name], fact)
            return False
    return True


def _rejoined(op: str, before: Iterable[Expr], inside: Expr, after: Iterable[Expr]) -> Expr:
    return node(op, (*before, inside, *after)) if op != "scale" else core.scale(inside, *after)


def shapes_agree(before: Expr, after: Expr, name: str) -> None:
    """Raise ShapeError where a rule changed the shape: a defect of the rule, found before anybody sees its result."""
    if not same_shape(before.shape, after.shape):
        raise ShapeError(f"the rule {name} turned {{}} into {{}}, of another shape", before, after)
