"""Sums over indices in Python: `sum_over("i=1..n", lambda i: y[i] * (X[i, :] @ w))` becomes matrices."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from matcalc import core
from matcalc.dims import is_one
from matcalc.errors import MatcalcError, need_one_of, shorten
from matcalc.expr import HOOKS, Expr, number_value
from matcalc.frontend.indexed_calls import BINDERS
from matcalc.frontend.parser import parse_in
from matcalc.printing.text import shared
from matcalc.walk import variables

_RANGE = re.compile(r"\s*([A-Za-z_]\w*)\s*=[^=,]*\.\.[^,]*")


class _Open:
    """The sums that are being written: what their indices and members stand for."""

    def __init__(self) -> None:
        self.indices: list[Expr] = []
        self.bases: dict[str, Expr] = {}

    def name(self, base: Expr) -> str:
        """How a matrix is called inside of the text."""
        if base.name:
            found = self.bases.setdefault(base.name, base)
            if found is not base:
                raise MatcalcError(f"two different values are called {base.name}")
            return base.name
        for name, known in self.bases.items():
            if known is base:
                return name
        name = f"value{len(self.bases) + 1}"
        self.bases[name] = base
        return name


_OPEN: ContextVar[_Open | None] = ContextVar("open sums", default=None)


def sum_over(ranges: str, body: Callable[..., Any], take: str = "sum") -> Expr:
    """The sum of `body` over indices, as matrices; also a product, mean or maximum.

    Inside of `body` rows are `X[i, :]`, columns `X[:, j]`, entries `X[i, j]` or `y[i]`, with indices that start at 1,
    and an index is the number that it stands for.

    Args:
        ranges: as in the text syntax: `i=1..n`, or several and conditions, `i=1..n, j=1..n, i<j`.
        body: a function of the indices.
        take: `sum`, `mean`, `prod`, `max`, `min` or `logsumexp`.

    Raises:
        MatcalcError: the ranges do not fit, or there is no matrix form.

    Example:
        >>> import matcalc as mc
        >>> X, y, w = mc.var("X", "n", "p"), mc.var("y", "n", 1), mc.var("w", "p", 1)
        >>> mc.sum_over("i=1..n", lambda i: (X[i, :] @ w - y[i])**2)
        (X*w - y)'*(X*w - y)
    """
    need_one_of("take", take, BINDERS)
    if not callable(body):
        raise MatcalcError("the body is a function of the indices, as in sum_over('i=1..n', lambda i: x[i]**2)")
    names = [found[1] for part in ranges.split(",") if (found := _RANGE.fullmatch(part))]
    if not names:
        raise MatcalcError(f"the ranges are written as i=1..n, got {shorten(ranges)}")
    indices = [core.var(name, 1, 1, ["constant"]) for name in names]
    outer = _OPEN.get()
    sums = outer or _Open()
    token = _OPEN.set(sums)
    sums.indices += indices
    try:
        value = core.as_expr(body(*indices))
    finally:
        _OPEN.reset(token)
        del sums.indices[-len(indices) :]
    shown = shared(value)
    if shown.definitions:
        raise MatcalcError("what is summed is very long: name parts of it outside of the sum")
    text = f"{take}({ranges}, {shown.body})"
    if outer is not None:  # a sum inside of a sum is read with it
        rows, cols = value.shape
        return core.var(text, rows, cols)
    known = {v.name: v for v in variables((value,)) if v.name.isidentifier() and v not in indices}
    return parse_in(text, {**known, **_named(value), **sums.bases})


def _named(value: Expr) -> dict[str, Expr]:
    """The named values in an expression, which its text mentions."""
    found, todo = {}, [value]
    while todo:
        e = todo.pop()
        if e.op == "named":
            found[e.name] = e
        else:
            todo.extend(e.args)
    return found


def entry(base: Expr, key: Any) -> Expr:
    """X[i, :], X[:, j], X[i, j], y[i] inside of a sum.

    Raises:
        MatcalcError: outside of one, or another form.
    """
    sums = _OPEN.get()
    if sums is None:
        raise MatcalcError(f"{base}[...]: entries with an index stand inside of sum_over(...)")
    keys = key if isinstance(key, tuple) else (key,)
    rows, cols = base.shape
    if len(keys) == 1:
        if not (is_one(rows) or is_one(cols)):
            raise MatcalcError(f"{base} is a matrix: it needs two indices, as in X[i, :]")
        shape: tuple[Any, Any] = (1, 1)
    elif len(keys) == 2:
        shape = (rows if _is_all(keys[0]) else 1, cols if _is_all(keys[1]) else 1)
    else:
        raise MatcalcError(f"{base} has two indices, got {len(keys)}")
    inside = ", ".join(_place(k) for k in keys)
    return core.var(f"{sums.name(base)}[{inside}]", shape[0], shape[1])


def _is_all(key: Any) -> bool:
    return isinstance(key, slice) and key == slice(None)


def _place(key: Any) -> str:
    """An index in brackets, as the text syntax writes it."""
    if _is_all(key):
        return ":"
    if isinstance(key, int) and not isinstance(key, bool):
        if key < 1:
            raise MatcalcError(f"indices start at 1, got {key}")
        return str(key)
    if isinstance(key, Expr) and key.is_scalar and (key.op != "number" or number_value(key).is_integer):
        return shared(key).body
    raise MatcalcError(f"an index is i, i + 1, a whole number or :, got {shorten(repr(key))}")


HOOKS["entry"] = entry
