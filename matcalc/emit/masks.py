"""Choices are made last: `where(c, G, 0) ./ x` is computed as `where(c, G ./ x, 0)`.

A derivative multiplies by 0 where a branch of `where` is not taken, where `relu` is 0, or where `maximum` takes its
other argument. There the branch may be infinite, and 0 times infinity is nan: what is multiplied by such a 0 is left
out instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from matcalc import core
from matcalc.core import broadcast, number
from matcalc.dims import Shape, is_one, same, same_shape
from matcalc.emit.entrywise import is_entrywise
from matcalc.emit.matching import constant_of
from matcalc.expr import Expr, number_value, postorder, record
from matcalc.ops.comparison import where
from matcalc.ops.elementwise import relu
from matcalc.walk import rebuild, transform

_OVERFLOW = frozenset(["exp", "expm1", "sinh", "cosh", "func"])
_LAYOUT = frozenset(["transpose", "vec", "reshape"])


@dataclass(frozen=True, slots=True)
class _Mask:
    """The region where a value is an absorbing zero: where `left relation right` is `when`, other factors are skipped.

    `relu` is the function whose step it is, if any: then only what is infinite because relu is 0 is left out.
    """

    left: Expr
    right: Expr
    relation: str
    when: bool
    relu: Expr | None = None

    def moved(self, like: Expr) -> _Mask:
        """The mask of a transpose, vec or reshape."""
        return replace(self, left=rebuild(like, (self.left,)), right=rebuild(like, (self.right,)))

    def stretched(self, shape: Shape) -> _Mask:
        """The mask of a broadcast."""
        return replace(self, left=broadcast(self.left, shape), right=broadcast(self.right, shape))

    def over(self, e: Expr) -> Expr:
        """`e`, and 0 where the mask is."""
        zero = broadcast(number(0), e.shape)
        return where(self.left, self.right, *((zero, e) if self.when else (e, zero)), self.relation)


def choices_last(roots: Iterable[Expr]) -> dict[Expr, Expr]:
    """Each of some expressions with its choices made after products, not before."""
    roots = list(roots)
    order = list(postorder(roots))
    if not any(e.op in ("where", "step", "sign") for e in order):
        return {root: root for root in roots}
    masks: dict[Expr, _Mask | None] = {}
    risks: dict[Expr, bool] = {}

    def treated(new: Expr, _: Expr) -> Expr:
        new = _treated(new, masks, risks)
        _learn(new, masks)
        return new

    done = transform(roots, treated)
    return {root: done[root] for root in roots}


def has_risky_branches(roots: Iterable[Expr]) -> bool:
    """Whether a branch of a choice may be infinite or undefined."""
    risks: dict[Expr, bool] = {}
    return any(_risky(branch, risks) for e in postorder(roots) if e.op == "where" for branch in e.args[2:])


def _learn(e: Expr, masks: dict[Expr, _Mask | None]) -> None:
    """Fill in the masks of an expression and its parts."""
    for sub in postorder((e,), stop=masks.__contains__):
        masks[sub] = _mask(sub, masks)


def _in_product(e: Expr, masks: dict[Expr, _Mask | None], risks: dict[Expr, bool]) -> Expr:
    """A matrix product where a factor whose rows (columns) are left out has its neighbour's columns (rows) left out."""
    factors = list(e.args)
    for k, (a, b) in enumerate(zip(e.args, e.args[1:])):
        for at, neighbour, mask in (
            (k, factors[k], _narrow_mask(masks[b], (b.shape[0], 1))),
            (k + 1, b, _narrow_mask(masks[a], (1, a.shape[1]))),
        ):
            if mask is not None and _infinite(neighbour, mask, risks):
                turned = replace(mask, left=core.transpose(mask.left), right=core.transpose(mask.right))
                factors[at] = turned.stretched(neighbour.shape).over(neighbour)
    return e if factors == list(e.args) else rebuild(e, factors)


def _narrow_mask(mask: _Mask | None, shape: Shape) -> _Mask | None:
    """A mask that repeats one column (row), as that."""
    if mask is None:
        return None
    left, right = _narrowed(mask.left, shape), _narrowed(mask.right, shape)
    return None if left is None or right is None else replace(mask, left=left, right=right)


def _treated(e: Expr, masks: dict[Expr, _Mask | None], risks: dict[Expr, bool]) -> Expr:
    """`e` with the choices in its factors made last, where another factor may be infinite."""
    if e.op == "matmul":
        return _in_product(e, masks, risks)
    if e.op not in ("hadamard", "scale", "divide"):
        return e
    factors = [*e.args]
    above = factors[:1] if e.op == "divide" else factors
    beside = [above[0], core.power(factors[1], -1)] if e.op == "divide" else factors
    found: list[_Mask] = []
    for k, f in enumerate(above):
        mask = masks[f]
        if mask is None or not any(_infinite(r, mask, risks) for r in (*beside[:k], *beside[k + 1 :])):
            continue
        if (wide := mask.stretched(e.shape)) not in found:
            found.append(wide)
        if f.op == "where":
            factors[k] = f.args[3] if mask.when else f.args[2]
    if not found:
        return e
    product = _without_ones(rebuild(e, factors))
    for mask in found:
        product = mask.over(product)
    return product


def _without_ones(e: Expr) -> Expr:
    """A product without the factors that are 1."""
    last = e.args[-1]
    if e.op == "divide" or all(constant_of(f) != 1 for f in e.args):
        return e
    kept = [f for f in e.args[:-1] if constant_of(f) != 1]
    if e.op == "scale":
        return core.scale(*kept, last)
    return core.hadamard(*kept, last) if constant_of(last) != 1 else core.hadamard(*(kept or [last]))


def _mask(e: Expr, masks: dict[Expr, _Mask | None]) -> _Mask | None:
    """The mask of a value, from those of its arguments."""
    if e.op == "where":
        A, B, C, D = e.args
        if constant_of(D) == 0:
            return _Mask(A, B, e.params[0], False)
        return _Mask(A, B, e.params[0], True) if constant_of(C) == 0 else None
    zero = broadcast(number(0), e.shape)
    if e.op == "step":
        return _Mask(e.args[0], zero, ">", False, relu(*e.args))
    if e.op == "add":
        signed = _one_plus_sign(e)
        if signed is not None:
            return _Mask(zero, signed, ">", True)
        common = {masks[a] for a in e.args}
        return common.pop() if len(common) == 1 else None
    if e.op in ("named", "divide") or (e.op == "power" and not _is_root(e) and constant_of(e.args[1]) != 0):
        return masks[e.args[0]]
    inner = next((masks[a] for a in e.args if masks[a] is not None), None) if e.args else None
    if inner is None:
        return None
    if e.op in _LAYOUT:
        return inner.moved(e)
    if e.op == "sum":  # it is 0 where all its terms are
        return _narrow_mask(inner, e.shape)
    return inner.stretched(e.shape) if e.op in ("hadamard", "scale", "broadcast") else None


def _narrowed(a: Expr, shape: Shape) -> Expr | None:
    """What `a` is before it is repeated along the axis of a sum of this shape; None where it is not repeated."""
    if same_shape(a.shape, shape):
        return a
    value = constant_of(a)
    if value is not None:
        return broadcast(number(value), shape)
    if a.op != "broadcast" or not all(is_one(d) or same(d, size) for d, size in zip(a.args[0].shape, shape)):
        return None
    return broadcast(a.args[0], shape)


def _one_plus_sign(e: Expr) -> Expr | None:
    """u where `e` is 1 + sign(u), which is 0 where u < 0."""
    for a, b in (e.args, e.args[::-1]) if len(e.args) == 2 else ():
        if constant_of(a) == 1 and b.op == "sign":
            return b.args[0]
        if constant_of(a) == 1 and b.op == "scale" and b.args[-1].op == "sign" and constant_of(b.args[0]) == -1:
            return core.minus(b.args[-1].args[0]) if len(b.args) == 2 else None
    return None


def _infinite(e: Expr, mask: _Mask, risks: dict[Expr, bool]) -> bool:
    """Whether a factor may be infinite where the mask is 0."""
    if not _risky(e, risks):
        return False
    if mask.relu is None:
        return True
    entries = postorder((e,), stop=lambda s: not (is_entrywise(s) or s.op in ("named", "broadcast", "scale")))
    return any(mask.relu in sub.args or sub is mask.relu for sub in entries)


def _risky(e: Expr, risks: dict[Expr, bool]) -> bool:
    """Whether an expression may be infinite or undefined at finite values."""
    for sub in postorder((e,), stop=risks.__contains__):
        own = sub.op in _OVERFLOW or _is_root(sub) or bool(record(sub.op).domain(*sub.args, *sub.params))
        risks[sub] = own or any(risks[a] for a in sub.args)
    return risks[e]


def _is_root(e: Expr) -> bool:
    """Whether `e` is a power whose exponent is not a whole number, at least 0."""
    if e.op != "power":
        return False
    k = number_value(e.args[1]) if e.args[1].op == "number" else None
    return not (k is not None and k.is_Integer and k >= 0)
