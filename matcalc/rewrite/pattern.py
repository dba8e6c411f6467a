"""Matching patterns: wildcards are variables whose names start with `?`, with symbolic shapes.

Commutative operations match in any order; in nested products the last wildcard takes all that is left over. A constant
in a pattern stands for a number and for a matrix of that number. `NUMBER`, `REST`, `VIEWED` and `LOOSE` begin the
names of wildcards for numbers, for the rest of the arguments, for a multiple of a wildcard, and for any shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from matcalc import core
from matcalc.dims import Dim, same, simplified, symbol
from matcalc.exact import exactly, scalar
from matcalc.expr import Expr, node, record
from matcalc.walk import rebuild, transform

NUMBER, REST, VIEWED, LOOSE = "#", "*", "-", "~"
Binding: TypeAlias = dict[str, Any]  # wildcard names to expressions, dimension names to dimensions


def wildcard(name: str, rows: Dim, cols: Dim) -> Expr:
    """A pattern that matches any expression of this shape."""
    return core.var("?" + name, rows, cols)


def flat(e: Expr) -> Expr:
    """A pattern as normal forms have it: `A @ B @ C` is one product of three, `a*b*A` one scaled matrix."""

    def flattened(new: Expr, _: Expr) -> Expr:
        if new.op in ("add", "matmul", "hadamard"):
            return rebuild(new, [part for a in new.args for part in (a.args if a.op == new.op else (a,))])
        if new.op == "scale" and new.args[-1].op == "scale":
            return rebuild(new, [*new.args[:-1], *new.args[-1].args])
        return new

    return transform((e,), flattened)[e]


def is_wildcard(e: Expr) -> bool:
    """Whether the pattern matches any expression."""
    return e.op == "variable" and bool(e.params[0].startswith("?"))


def is_constant(e: Expr) -> bool:
    """Whether it is a matrix of one number."""
    return e.op == "broadcast" and e.args[0].op == "number"


def constant_of(e: Expr) -> Any:
    """The number that all entries are; None where they differ, or are no numbers."""
    if e.op in ("ones", "zeros"):
        return int(e.op == "ones")
    if e.op == "scale" and len(e.args) == 2 and e.args[0].op == "number":
        inner = constant_of(e.args[1])
        return None if inner is None else e.args[0].params[0] * inner
    return constant_of(e.args[0]) if e.op == "broadcast" else e.number


def is_rest(e: Expr) -> bool:
    """Whether it is a wildcard for the rest of the arguments."""
    return e.op == "variable" and bool(e.params[0].startswith("?" + REST))


def has_rest(pattern: Expr) -> bool:
    """Whether there is a wildcard for the rest among the arguments."""
    return any(map(is_rest, pattern.args))


def match(pattern: Expr, e: Expr, binding: Binding) -> Iterator[Binding]:
    """Every way in which `e` as a whole is an instance of the pattern."""
    if is_wildcard(pattern):
        yield from _bind(pattern, e, binding)
    elif is_constant(pattern):
        if constant_of(e) == pattern.args[0].params[0]:
            bound = _bind_shape(pattern, e, binding)
            if bound is not None:
                yield bound
    elif pattern.op == e.op and e.op != "named":
        if pattern.op in ("variable", "number"):
            if pattern is e:
                yield binding
            return
        shaped = _match_dims(pattern, e, binding)
        if shaped is None:
            return
        if has_rest(pattern):
            yield from _match_rest(pattern, e, shaped)
        elif record(e.op).commutative:
            yield from _match_set(pattern.args, e.args, e.op, shaped)
        elif record(e.op).variadic:
            yield from _match_run(pattern.args, e.args, e.op, shaped)
        elif len(pattern.args) == len(e.args):
            yield from _match_each(pattern.args, e.args, shaped)


def match_part(
    pattern: Expr, e: Expr, binding: Binding
) -> Iterator[tuple[Binding, tuple[Expr, ...], tuple[Expr, ...]]]:
    """Like `match`, but the root of a product or sum may have more arguments: what is left before and after."""
    if pattern.op != e.op or not record(e.op).variadic or has_rest(pattern):
        for found in match(pattern, e, binding):
            yield found, (), ()
        return
    size = len(pattern.args)
    if size > len(e.args):
        return
    if not record(e.op).commutative:
        for k in range(len(e.args) - size + 1):
            for found in _match_each(pattern.args, e.args[k : k + size], binding):
                yield found, e.args[:k], e.args[k + size :]
        return
    for found, left in _choose(pattern.args, e.args, binding):
        yield found, (), left


def _bind(pattern: Expr, e: Expr, binding: Binding) -> Iterator[Binding]:
    name = pattern.params[0]
    bound = binding.get(name)
    if bound is not None:
        if bound is e or bound.digest == e.digest:
            yield binding
        return
    if name[1] == NUMBER and e.op != "number":
        return
    new = binding if name[1] == LOOSE else _bind_shape(pattern, e, binding)
    if new is not None:
        yield {**new, name: e}


def _bind_shape(pattern: Expr, e: Expr, binding: Binding | None) -> Binding | None:
    for want, have in zip(pattern.shape, e.shape):
        binding = _bind_dim(want, have, binding)
    return binding


def _match_rest(pattern: Expr, e: Expr, binding: Binding) -> Iterator[Binding]:
    """The other arguments of the pattern, and all that is left for the rest; the last factor of a multiple is last."""
    rest = [a for a in pattern.args if is_rest(a)]
    start = pattern.args.index(rest[0])
    first, last = pattern.args[:start], pattern.args[start + len(rest) :]
    if len(e.args) <= len(first) + len(last):
        return
    name = rest[0].params[0].split(".")[0]
    alike = all(a.shape == rest[0].shape for a in rest)  # else they are a chain, each of its own shape
    found: Iterable[tuple[Binding, tuple[Expr, ...]]]
    if record(e.op).commutative and e.op != "scale":
        found = _choose((*first, *last), e.args, binding)
    else:
        stop = len(e.args) - len(last)
        ends = (*e.args[: len(first)], *e.args[stop:])
        found = ((b, e.args[len(first) : stop]) for b in _match_each((*first, *last), ends, binding))
    for bound, taken in found:
        new: Binding | None = bound
        for a in taken if alike else ():
            new = _bind_shape(rest[0], a, new)
        if new is not None:
            yield {**new, name: taken}


def _bind_dim(want: Dim, have: Dim, binding: Binding | None) -> Binding | None:
    if binding is None:
        return None
    if isinstance(want, int):
        return binding if same(want, have) else None
    if want.is_Symbol:
        bound = binding.get(want.name)
        if bound is None:
            return {**binding, want.name: have}
        return binding if same(bound, have) else None
    resolved = resolve_dim(want, binding)
    return binding if resolved is not None and same(resolved, have) else None


def resolve_dim(want: Dim, binding: Binding) -> Dim | None:
    """A dimension of the pattern in terms of what is bound; None while a symbol of it is not."""
    if isinstance(want, int):
        return want
    table = {s: binding.get(s.name) for s in want.free_symbols}
    if any(v is None for v in table.values()):
        return None
    return simplified(exactly(want.xreplace({s: scalar(v) for s, v in table.items()})))


def _match_dims(pattern: Expr, e: Expr, binding: Binding) -> Binding | None:
    """Bind the parameters: dimensions by unification, all others by equality."""
    if pattern.params == e.params:
        return binding
    if len(pattern.params) != len(e.params):
        return None
    new: Binding | None = binding
    for spec, want, have in zip(record(e.op).params, pattern.params, e.params):
        if spec.kind == "dim":
            new = _bind_dim(want, have, new)
            if new is None:
                return None
        elif want != have:
            return None
    return new


def _match_each(patterns: tuple[Expr, ...], args: tuple[Expr, ...], binding: Binding) -> Iterator[Binding]:
    if not patterns:
        yield binding
        return
    for found in match(patterns[0], args[0], binding):
        yield from _match_each(patterns[1:], args[1:], found)


def _match_run(patterns: tuple[Expr, ...], args: tuple[Expr, ...], op: str, binding: Binding) -> Iterator[Binding]:
    """Consecutive factors: each wildcard takes a run of one or more, everything is used up."""
    if not patterns:
        if not args:
            yield binding
        return
    head, rest = patterns[0], patterns[1:]
    longest = len(args) - len(rest) if is_wildcard(head) else 1
    for size in range(1, longest + 1):
        taken = args[0] if size == 1 else node(op, args[:size])
        for found in match(head, taken, binding):
            yield from _match_run(rest, args[size:], op, found)


def _match_set(patterns: tuple[Expr, ...], args: tuple[Expr, ...], op: str, binding: Binding) -> Iterator[Binding]:
    if len(patterns) > len(args):
        return
    if len(patterns) == len(args):
        for found, _ in _choose(patterns, args, binding):
            yield found
        return
    ordered = sorted(patterns, key=is_wildcard)
    if not is_wildcard(ordered[-1]):
        return
    for found, left in _choose(tuple(ordered[:-1]), args, binding):
        yield from match(ordered[-1], node(op, left), found)


def _choose(
    patterns: tuple[Expr, ...], args: tuple[Expr, ...], binding: Binding
) -> Iterator[tuple[Binding, tuple[Expr, ...]]]:
    """Every way to give each pattern its own argument; the most specific patterns choose first."""
    if not patterns:
        yield binding, args
        return
    ordered = tuple(sorted(patterns, key=is_wildcard))
    for k, a in enumerate(args):
        for found in match(ordered[0], a, binding):
            yield from _choose(ordered[1:], args[:k] + args[k + 1 :], found)


def pattern_dim(name: str) -> Dim:
    """A dimension of a pattern: an integer, or a symbol to be bound."""
    return int(name) if name.isdigit() else symbol("?" + name)
