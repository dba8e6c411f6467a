"""Products of arrays."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

from matcalc.serve.arrays.array import Shape, asarray, broadcast_to, common_shape, ndarray, outer_sum
from matcalc.serve.arrays.scalars import BOOL, OBJECT, joined
from matcalc.serve.arrays.ufuncs import given_back, multiply


def matmul(first: Any, second: Any, out: Any = None) -> Any:
    """The product of two matrices, of a matrix and a vector, or of stacks of matrices."""
    a, b = asarray(first), asarray(second)
    if not a.ndim or not b.ndim:
        raise ValueError("matmul: an operand has no axis")
    left, right = a.ndim == 1, b.ndim == 1
    a, b = a.reshape((1, a.size)) if left else a, b.reshape((b.size, 1)) if right else b
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"matmul: the inner sizes of {a.shape} and {b.shape} differ")
    stack = common_shape(a.shape[:-2], b.shape[:-2])
    (m, n), p = a.shape[-2:], b.shape[-1]
    kind = joined(a.dtype, b.dtype)
    zero = 0 if kind is OBJECT else kind.plain(0)
    firsts, seconds = broadcast_to(a, (*stack, m, n)).entries(), _columns(broadcast_to(b, (*stack, n, p)))
    values: list[Any] = []
    for k in range(math.prod(stack)):
        columns = [seconds[(k * p + j) * n : (k * p + j + 1) * n] for j in range(p)]
        for i in range(m):
            row = firsts[(k * m + i) * n : (k * m + i + 1) * n]
            values += [_inner(row, column, zero) for column in columns]
    if kind is BOOL:
        values = [bool(x) for x in values]
    shape = (*stack, *(() if left else (m,)), *(() if right else (p,)))
    return given_back(values, shape, kind, out)


def _columns(of: ndarray) -> list[Any]:
    return of.swapaxes(-1, -2).entries() if of.ndim > 1 else of.entries()


def _inner(row: list[Any], column: list[Any], zero: Any) -> Any:
    total = zero
    for x, y in zip(row, column):
        total += x * y
    return total


def dot(first: Any, second: Any, out: Any = None) -> Any:
    """The product of arrays with at most two axes."""
    a, b = asarray(first), asarray(second)
    return matmul(a, b, out) if a.ndim and b.ndim else multiply(a, b)


def vdot(first: Any, second: Any) -> Any:
    """The sum of the products of entries, those of the first conjugated."""
    a = asarray(first)
    entries = [x.conjugate() for x in a.entries()] if a.dtype.kind == "c" else a.entries()
    return matmul(ndarray(entries, (a.size,), a.dtype), asarray(second).ravel())


def inner(first: Any, second: Any) -> Any:
    """The products of rows with rows."""
    a, b = asarray(first), asarray(second)
    return matmul(a, b.T) if a.ndim and b.ndim else multiply(a, b)


def outer(first: Any, second: Any) -> ndarray:
    """The products of every entry with every entry."""
    a, b = asarray(first).ravel(), asarray(second).ravel()
    found: ndarray = multiply(a.reshape((a.size, 1)), b.reshape((1, b.size)))
    return found


def kron(first: Any, second: Any) -> ndarray:
    """The Kronecker product of two matrices."""
    a, b = (x.reshape((1,) * (2 - x.ndim) + x.shape) for x in map(asarray, (first, second)))
    (m, n), (p, q) = a.shape, b.shape
    found: ndarray = multiply(a.reshape((m, 1, n, 1)), b.reshape((1, p, 1, q)))
    return found.reshape((m * p, n * q))


def convolve(first: Any, second: Any, mode: str = "full") -> ndarray:
    """The coefficients of the product of two polynomials."""
    a, b = asarray(first), asarray(second)
    kind = joined(a.dtype, b.dtype)
    found = [kind.plain(0)] * (a.size + b.size - 1)
    for i, x in enumerate(a.entries()):
        for j, y in enumerate(b.entries()):
            found[i + j] += x * y
    if mode == "valid":
        less, more = sorted((a.size, b.size))
        found = found[less - 1 : more]
    return ndarray(found, (len(found),), kind)


def tensordot(first: Any, second: Any, axes: Any = 2) -> Any:
    """The sums of products over one axis of each, or over the last and first axes."""
    a, b = asarray(first), asarray(second)
    if isinstance(axes, int):
        left, right = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        left, right = ([k] if isinstance(k, int) else list(k) for k in axes)
    left, right = [k % a.ndim for k in left], [k % b.ndim for k in right]
    rest_a, rest_b = [k for k in range(a.ndim) if k not in left], [k for k in range(b.ndim) if k not in right]
    shape_a, shape_b = tuple(a.shape[k] for k in rest_a), tuple(b.shape[k] for k in rest_b)
    length = math.prod(a.shape[k] for k in left)
    rows = a.transpose([*rest_a, *left]).reshape((math.prod(shape_a), length))
    columns = b.transpose([*right, *rest_b]).reshape((length, math.prod(shape_b)))
    return matmul(rows, columns).reshape((*shape_a, *shape_b))


def einsum(text: str, *given: Any, **options: Any) -> Any:
    """The sum of products that a text says; of one array without a sum it is a view."""
    arrays = [asarray(x) for x in given]
    ins, result = _read(text, arrays)
    if len(arrays) == 1 and set(ins[0]) == set(result):
        return _viewed(arrays[0], ins[0], result)
    sizes = {letter: n for names, a in zip(ins, arrays) for letter, n in zip(names, a.shape)}
    summed = [letter for letter in dict.fromkeys("".join(ins)) if letter not in result]
    kind = joined(*(a.dtype for a in arrays))
    columns = []
    for names, a in zip(ins, arrays):
        step: dict[str, int] = {}
        for letter, s in zip(names, a.strides):
            step[letter] = step.get(letter, 0) + s
        parts = [[step.get(c, 0) * k for k in range(sizes[c])] for c in (*result, *summed)]
        columns.append([a.buffer[k] for k in outer_sum(a.offset, parts)])
    products = [reduce(lambda x, y: x * y, row) for row in zip(*columns)]
    length = math.prod(sizes[c] for c in summed)
    shape: Shape = tuple(sizes[c] for c in result)
    values = [sum(products[k * length : (k + 1) * length], kind.plain(0)) for k in range(math.prod(shape))]
    return given_back(values, shape, kind)


def _read(text: str, arrays: list[ndarray]) -> tuple[list[str], str]:
    """The letters of the arrays and of the result; dots become capital letters."""
    before, arrow, after = text.replace(" ", "").partition("->")
    ins = before.split(",")
    if len(ins) != len(arrays):
        raise ValueError(f"{text} is for {len(ins)} arrays, got {len(arrays)}")
    capitals = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in text]
    most = max((a.ndim - len(n) + 3 for n, a in zip(ins, arrays) if "..." in n), default=0)
    dots = "".join(capitals[:most])
    named = [n.replace("...", dots[most - (a.ndim - len(n) + 3) :]) for n, a in zip(ins, arrays)]
    letters = "".join(named)
    once = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    return named, after.replace("...", dots) if arrow else once


def _viewed(of: ndarray, names: str, result: str) -> ndarray:
    """The axes of an array in another order; a letter that stands twice is a diagonal."""
    size = dict(zip(names, of.shape))
    step = {c: sum(s for name, s in zip(names, of.strides) if name == c) for c in result}
    return of.view(tuple(size[c] for c in result), tuple(step[c] for c in result))
