"""Sums as they are written by hand: common factors once, also those of rows and columns that are repeated; means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from matcalc import core
from matcalc.expr import Expr
from matcalc.ops.reductions import sum_
from matcalc.rewrite.terms import coefficient_and_rest, times_number
from matcalc.walk import depends, transform


def gathered(e: Expr) -> Expr:
    """Sums with the entrywise factors that all terms have in front of a bracket; f .* 1 ./ f as nothing."""

    def change(new: Expr, _: Expr) -> Expr:
        if new.op == "add":
            return _common(new)
        return _cancelled(new) if new.op == "hadamard" else new

    return transform((e,), change, through_names=False)[e]


def multiplied_out(e: Expr, moving: Collection[Expr]) -> Expr:
    """Products with sums of differentials as sums of products; other brackets stay."""
    inside = depends((e,), moving)

    def change(new: Expr, old: Expr) -> Expr:
        if old in inside and old.op == "add":
            return core.add(*_terms(new))
        if old not in inside or old.op not in ("hadamard", "scale"):
            return new
        k = next((k for k, (a, o) in enumerate(zip(new.args, old.args)) if a.op == "add" and o in inside), None)
        if k is None:
            return new
        others = new.args[:k], new.args[k + 1 :]
        make = core.hadamard if old.op == "hadamard" else core.scale
        return core.add(*(_flat(make(*others[0], t, *others[1])) for t in _terms(new.args[k])))

    return transform((e,), change, through_names=False)[e]


def _terms(e: Expr) -> list[Expr]:
    return [s for t in e.args for s in _terms(t)] if e.op == "add" else [e]


def _flat(t: Expr) -> Expr:
    """An entrywise product with its factors side by side, numbers in front."""
    coefficient, rest = coefficient_and_rest(t)
    if rest is None or rest.op != "hadamard":
        return t
    factors: list[Expr] = []
    for f in rest.args:
        c, body = coefficient_and_rest(f)
        if body is not None and body.op == "broadcast":
            inner, row = coefficient_and_rest(body.args[0])
            c, body = (c * inner, core.broadcast(row, body.shape)) if row is not None else (c, body)
        if body is None:
            factors.append(f)
            continue
        coefficient *= c
        factors += body.args if body.op == "hadamard" else [body]
    return times_number(coefficient, core.hadamard(*factors))


def averaged(e: Expr) -> Expr:
    """sum(X, 1)/N as mean(X, 1), inside of products too."""

    def change(new: Expr, _: Expr) -> Expr:
        coefficient, rest = coefficient_and_rest(new)
        if rest is None or coefficient == 1 or new.op != "scale":
            return new
        factors = factors_of(rest)
        for k, f in enumerate(factors):
            bare = f.args[0] if f.op == "broadcast" else f
            if bare.op != sum_.name or bare.params[0] is None:
                continue
            count = core.exact_dim(bare.args[0].shape[bare.params[0] - 1])
            number = coefficient * count
            if len(number.free_symbols) < len(coefficient.free_symbols):
                made = core.mean(bare.args[0], bare.params[0])
                factors[k] = core.broadcast(made, f.shape) if f.op == "broadcast" else made
                return times_number(number, _product(factors, rest))
        return new

    return transform((e,), change, through_names=False)[e]


def factors_of(e: Expr) -> list[Expr]:
    """The entrywise factors of a term, those of a repeated row or column repeated."""
    if e.is_scalar:
        return [e]
    if e.op == "hadamard":
        return [f for a in e.args for f in factors_of(a)]
    if e.op == "broadcast" and e.args[0].op == "hadamard":
        return [core.broadcast(f, e.shape) for f in factors_of(e.args[0])]
    return [e]


def _product(factors: Iterable[Expr], like: Expr) -> Expr:
    parts = list(factors)
    if not parts:
        return core.broadcast(core.number(1), like.shape)
    return core.hadamard(*parts) if len(parts) > 1 else parts[0]


def _common(e: Expr) -> Expr:
    """A .* s + B .* s as (A + B) .* s."""
    terms: list[tuple[Any, list[Expr]]] = []
    for t in e.args:
        coefficient, rest = coefficient_and_rest(t)
        if rest is None or t.is_scalar:
            return e
        terms.append((coefficient, factors_of(rest)))
    shared = Counter(terms[0][1])
    for _, factors in terms[1:]:
        shared &= Counter(factors)
    common = [f for f in shared.elements() if f.op == "broadcast" or f.op == "power"]
    if not common:
        return e
    parts = []
    for coefficient, factors in terms:
        own = list(factors)
        for f in common:
            own.remove(f)
        parts.append(times_number(coefficient, _product(own, e)))
    return core.hadamard(core.add(*parts), *common)


def _cancelled(e: Expr) -> Expr:
    """A .* s ./ s as A, where s stands below the line of the page already."""
    factors = factors_of(e)
    for f in factors:
        bare = f.args[0] if f.op == "broadcast" else f
        if bare.op != "power" or bare.args[1].number != -1:
            continue
        base = core.broadcast(bare.args[0], f.shape) if f.op == "broadcast" else bare.args[0]
        if base in factors:
            factors.remove(base)
            factors.remove(f)
            return _cancelled(_product(factors, e)) if len(factors) > 1 else _product(factors, e)
    return e
