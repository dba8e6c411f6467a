"""The primitives of JAX: what each equation of a jaxpr is, on arrays of rank at most 3.

`stop_gradient` stands in the shifts of softmax and log-sum-exp, on which the value does not depend: it is read as a
constant, and the door checks that the function is the same for another one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy as sp

from matcalc import core
from matcalc.dims import Dim, is_one, plus, same, sign
from matcalc.errors import NoRuleError
from matcalc.expr import REGISTRY, Expr, synonym
from matcalc.frontend.tracing import arrays, indexing, operations, products, reductions, tensors
from matcalc.frontend.tracing.arrays import MATRIX, Value, number
from matcalc.frontend.tracing.jax_values import Count, NotANumber, Stopped, is_zero, plain, size, sizes
from matcalc.frontend.tracing.layers import RANDOM
from matcalc.frontend.tracing.masks import Mask, is_binary
from matcalc.frontend.tracing.operations import matrix, numeric, unary
from matcalc.frontend.tracing.tensors import Tensor
from matcalc.properties import known


def _sum(a: Any, b: Any) -> Any:
    for x, y in ((a, b), (b, a)):
        if isinstance(x, Stopped):
            return y
        if isinstance(x, Count) and isinstance(y, Value) and y.number is not None:
            return Count(x.axis, x.shape, x.offset + y.number)
    return operations.add(plain(a), plain(b))


def _difference(a: Any, b: Any) -> Any:
    if isinstance(b, Stopped):
        return a
    if isinstance(a, Count) and isinstance(b, Value) and b.number is not None:
        return Count(a.axis, a.shape, a.offset - b.number)
    return operations.subtract(plain(a), plain(b))


def _product(a: Any, b: Any) -> Any:
    for x, y in ((a, b), (b, a)):
        if isinstance(x, Count) and isinstance(y, Value) and y.number == 1:
            return x
    return operations.multiply(plain(a), plain(b))


def _larger(operation: str) -> Callable[[Any, Any], Any]:
    far = -1 if operation == "maximum" else 1

    def call(a: Any, b: Any) -> Any:
        for x, y in ((a, b), (b, a)):
            if isinstance(x, Value) and x.expr.op == "number" and x.expr.number == far * arrays.INFINITE:
                return y
        return operations.extremum(operation)(plain(a), plain(b))

    return call


def _compared(relation: str) -> Callable[[Any, Any], Any]:
    def call(a: Any, b: Any) -> Any:
        if isinstance(a, Count) and isinstance(b, Count):
            return _counted(relation, a, b)
        x, y = plain(a), plain(b)
        if x is y and relation in ("==", "!="):  # a test for nan
            return relation == "=="
        if getattr(x, "number", None) is not None and getattr(y, "number", None) is not None:
            order = sign(x.number - y.number)
            if order is not None:
                found = {"==": order == 0, "!=": order != 0, "<": order < 0, "<=": order <= 0}
                return {**found, ">": order > 0, ">=": order >= 0}[relation]
        return operations.compared(relation)(x, y)

    return call


def _counted(relation: str, a: Count, b: Count) -> Any:
    """A comparison of row and column numbers: a triangle or the diagonal."""
    if a.axis > b.axis:
        turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
        return _counted(turned.get(relation, relation), b, a)
    shift = sp.sympify(b.offset - a.offset)
    ones = operations.filled(number(1), a.shape)
    if relation == "==" and shift == 0 and same(*a.shape):
        return Mask(">", (Value(core.eye(a.shape[0]), a.shape), number(0)))
    table = {(">=", 0): ("tril", 0), (">", 0): ("tril", -1), (">=", 1): ("tril", -1), (">", -1): ("tril", 0)}
    table |= {("<=", 0): ("triu", 0), ("<", 0): ("triu", 1), ("<=", -1): ("triu", 1), ("<", 1): ("triu", 0)}
    found = table.get((relation, int(shift) if shift.is_Integer else None))  # type: ignore[arg-type]
    if found is None:
        raise NoRuleError("another diagonal than the main one: give a mask as an argument")
    kind, k = found
    if k == 0:
        return Mask(">", (operations.triangle(kind, ones), number(0)))
    other = operations.triangle("triu" if kind == "tril" else "tril", ones)
    return Mask("not", (Mask(">", (other, number(0))),))


def _chosen(condition: Any, no: Any, yes: Any) -> Any:
    if isinstance(condition, Value) and condition.number is not None:
        condition = bool(condition.number != 0)
    if isinstance(condition, bool):
        return yes if condition else no
    if isinstance(no, NotANumber) or isinstance(yes, NotANumber):
        return yes if isinstance(no, NotANumber) else no
    if isinstance(no, Stopped) and isinstance(yes, Stopped):
        return no
    part = condition.parts[0] if isinstance(condition, Mask) and condition.kind == ">" else None
    if isinstance(part, Value) and part.expr.op == "tril" and isinstance(yes, Value) and is_zero(no):
        return yes if yes.expr.op == "chol" else operations.triangle("tril", yes)
    return operations.where(condition, plain(yes), plain(no))


def _logical(operation: str) -> Callable[..., Any]:
    def call(a: Any, b: Any) -> Any:
        for x, y in ((a, b), (b, a)):
            if isinstance(x, bool):
                return y if x is (operation == "and") else x
        return (operations.both if operation == "and" else operations.either)(a, b)

    return call


def _broadcast(a: Any, *, shape: Any, broadcast_dimensions: Any, **_: Any) -> Any:
    target = sizes(shape)
    if isinstance(a, Stopped):
        return Stopped(target)
    if isinstance(a, Count):
        return Count(broadcast_dimensions[a.axis], target, a.offset)
    if isinstance(a, NotANumber):
        return a
    if isinstance(a, bool):
        return a
    x = numeric(a)
    if not x.shape:
        return x if x.number is not None and abs(x.number) == arrays.INFINITE else operations.filled(x, target)
    own = [1] * len(target)
    for axis, length in zip(broadcast_dimensions, x.shape):
        own[axis] = length
    if isinstance(x, Tensor):
        raise tensors.refused(target)
    if len(target) > MATRIX:
        return tensors.lifted(tensors.expanded(x, own, broadcast_dimensions), target)
    placed = x if x.rank == len(target) else Value(_oriented(x, broadcast_dimensions), tuple(own))
    return operations.broadcast_to(placed, target)


def _oriented(x: Value, axes: Sequence[int]) -> Expr:
    return core.transpose(x.expr) if x.rank == 1 and axes[0] == 1 and not x.expr.is_scalar else x.expr


def _dot(a: Any, b: Any, *, dimension_numbers: Any, **_: Any) -> Any:
    (left, right), (left_batch, right_batch) = dimension_numbers
    x, y = matrix(plain(a)), matrix(plain(b))
    letters = iter("abcdefgh")
    labels = [next(letters) for _ in range(x.rank)]
    others = [""] * y.rank
    for i, j in (*zip(left, right), *zip(left_batch, right_batch)):
        others[j] = labels[i]
    others = [label or next(letters) for label in others]
    batch = [labels[i] for i in left_batch]
    free = [labels[i] for i in range(x.rank) if i not in (*left, *left_batch)]
    free += [others[j] for j in range(y.rank) if j not in (*right, *right_batch)]
    if not left and not left_batch and 0 in (x.rank, y.rank):
        return operations.multiply(x, y)
    return products.einsum(f"{''.join(labels)},{''.join(others)}->{''.join(batch + free)}", [x, y])


def _reduced(operation: str) -> Callable[..., Any]:
    return lambda a, *, axes, **_: reductions.reduced(operation, numeric(plain(a)), tuple(axes))


def _converted(a: Any, *, new_dtype: Any, **_: Any) -> Any:
    kind = np.dtype(new_dtype).kind
    if kind == "f" and isinstance(a, (Mask, bool)):
        return numeric(plain(a))
    if kind in "iu" and isinstance(a, (Value, Tensor)) and a.number is None and not _is_whole(a):
        raise NoRuleError("a conversion to whole numbers: it has no derivative (a one-hot matrix replaces indices)")
    return a


def _is_whole(a: Value | Tensor) -> bool:
    """Whether the entries may be whole numbers: constants of the function, of truth values for instance."""
    return isinstance(a, Value) and (is_binary(a.expr) or (a.expr.op == "variable" and known(a.expr, "constant")))


def _squeezed(a: Any, *, dimensions: Any, **_: Any) -> Any:
    if isinstance(a, Stopped):
        return Stopped(tuple(d for k, d in enumerate(a.shape) if k not in dimensions))
    return operations.squeezed(plain(a), tuple(dimensions))


def _reshaped(a: Any, *, new_sizes: Any, dimensions: Any = None, **_: Any) -> Any:
    if dimensions is not None:
        raise NoRuleError("a reshape with another order")
    target = sizes(new_sizes)
    if isinstance(a, Stopped):
        return Stopped(target)
    x = numeric(plain(a))
    if len(target) > MATRIX and isinstance(x, Value):
        kept = [k for k, d in enumerate(target) if not is_one(d)]
        if len(kept) == x.rank == MATRIX and len(target) == tensors.RANK:
            return tensors.expanded(x, target, kept)
    return arrays.reshaped(matrix(x), target)


def _cut(a: Any, *, start_indices: Any, limit_indices: Any, strides: Any = None, **_: Any) -> Any:
    if strides is not None and any(s != 1 for s in strides):
        raise NoRuleError("a slice with a step: multiply by a selection matrix")
    where = tuple(
        slice(size(i), size(j)) if i != 0 else slice(None, size(j)) for i, j in zip(start_indices, limit_indices)
    )
    return indexing.taken(matrix(plain(a)), where)


def _dynamic(a: Any, *starts: Any, slice_sizes: Any, **_: Any) -> Any:
    return _window(a, [_known(s) for s in starts], sizes(slice_sizes))


def _window(a: Any, starts: Sequence[Any], lengths: Sequence[Dim]) -> Any:
    x = matrix(plain(a))
    where = tuple(slice(k, plus(k, length)) for k, length in zip(starts, lengths))
    return indexing.taken(x, where)


def _known(index: Any) -> Any:
    exact = index.number if isinstance(index, Value) else None
    if exact is None:
        raise NoRuleError(indexing.DATA)
    return int(exact) if exact.is_Integer else exact


def _gathered(a: Any, indices: Any, *, dimension_numbers: Any, slice_sizes: Any, **_: Any) -> Any:
    """A part at indices that are known numbers."""
    d = dimension_numbers
    given = matrix(plain(indices)) if not isinstance(indices, Count) else None
    if given is None or given.rank != 1 or d.operand_batching_dims:
        raise NoRuleError(indexing.DATA)
    exact = _numbers(given.expr)
    starts: list[Any] = [0] * len(slice_sizes)
    for axis, start in zip(d.start_index_map, exact):
        starts[axis] = start
    return _squeezed(_window(a, starts, sizes(slice_sizes)), dimensions=d.collapsed_slice_dims)


def _numbers(e: Expr) -> list[Any]:
    """The entries of a column of known whole numbers."""
    if e.op == "block":
        return [k for part in e.args for k in _numbers(part)]
    if e.op in ("ones", "zeros") and is_one(e.shape[0]):
        return [int(e.op == "ones")]
    if e.op != "number" or not e.number.is_integer:
        raise NoRuleError(indexing.DATA)
    return [int(e.number) if e.number.is_Integer else e.number]


def _solved(a: Any, b: Any, *, left_side: bool, lower: bool, transpose_a: bool, unit_diagonal: bool, **_: Any) -> Any:
    if left_side:
        return operations.triangular(plain(a), plain(b), lower=lower, transposed=transpose_a, unit=unit_diagonal)
    turned = operations.transposed(plain(b))
    made = operations.triangular(plain(a), turned, lower=lower, transposed=not transpose_a, unit=unit_diagonal)
    return arrays.transposed(made)


def _singular_values(a: Any, *, compute_uv: bool, **_: Any) -> list[Any]:
    if compute_uv:
        raise NoRuleError("singular vectors: only the values, jnp.linalg.svd(X, compute_uv=False), are read")
    return [operations.of_matrix("singvals", 1)(plain(a))]


def _polygamma(order: Any, a: Any, **_: Any) -> Any:
    x = numeric(plain(order))
    exact = x.number if x.number is not None else next((b.number for b in _filled_by(x)), None)
    if exact is None or not sp.sympify(exact).is_integer:
        raise NoRuleError("polygamma of an order that is not known")
    return unary("polygamma", int(exact))(plain(a))


def _filled_by(x: Any) -> list[Expr]:
    """The number of which an array is full."""
    e = getattr(x, "expr", None)
    return [e.args[0]] if e is not None and e.op == "broadcast" and e.args[0].number is not None else []


def _transposed(a: Any, *, permutation: Any, **_: Any) -> Any:
    if isinstance(a, Stopped):
        return Stopped(tuple(a.shape[k] for k in permutation))
    return operations.transposed(plain(a), permutation)


def _same(a: Any, **_: Any) -> Any:
    return a


def _refuse(why: str) -> Callable[..., Any]:
    def call(*_: Any, **__: Any) -> Any:
        raise NoRuleError(why)

    return call


_BRANCH = "a branch or a loop on a value: write jnp.where(condition, a, b)"
PRIMITIVES: dict[str, Callable[..., Any]] = {
    "add": lambda a, b, **_: _sum(a, b),
    "add_any": lambda a, b, **_: _sum(a, b),
    "sub": lambda a, b, **_: _difference(a, b),
    "mul": lambda a, b, **_: _product(a, b),
    "div": lambda a, b, **_: operations.divide(plain(a), plain(b)),
    "neg": lambda a, **_: a if isinstance(a, Stopped) else operations.negative(plain(a)),
    "pow": lambda a, b, **_: operations.power(plain(a), plain(b)),
    "integer_pow": lambda a, *, y, **_: operations.power(plain(a), number(y)),
    "square": lambda a, **_: operations.square(plain(a)),
    "rsqrt": lambda a, **_: operations.reciprocal(operations.root(plain(a))),
    "sqrt": lambda a, **_: operations.root(plain(a)),
    "cbrt": lambda a, **_: operations.power(plain(a), arrays.divide(number(1), number(3))),
    "exp2": lambda a, **_: operations.power(number(2), plain(a)),
    "logistic": lambda a, **_: unary("sigmoid")(plain(a)),
    "max": lambda a, b, **_: _larger("maximum")(a, b),
    "min": lambda a, b, **_: _larger("minimum")(a, b),
    "clamp": lambda low, a, high, **_: operations.clip(plain(a), plain(low), plain(high)),
    **{
        name: (lambda a, b, relation=relation, **_: _compared(relation)(a, b))
        for name, relation in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="), ("eq", "=="), ("ne", "!="))
    },
    "and": lambda a, b, **_: _logical("and")(a, b),
    "or": lambda a, b, **_: _logical("or")(a, b),
    "not": lambda a, **_: (not a) if isinstance(a, bool) else operations.inverted(a),
    "is_finite": lambda a, **_: True,
    "select_n": lambda condition, no, yes, **_: _chosen(condition, no, yes),
    "convert_element_type": _converted,
    "broadcast_in_dim": _broadcast,
    "reshape": _reshaped,
    "squeeze": _squeezed,
    "expand_dims": lambda a, *, dimensions, **_: operations.expanded(plain(a), dimensions[0]),
    "transpose": _transposed,
    "reduce_sum": _reduced("sum"),
    "reduce_max": _reduced("max"),
    "reduce_min": _reduced("min"),
    "reduce_prod": _reduced("prod"),
    "cumsum": lambda a, *, axis, reverse=False, **_: (
        reductions.cumulated(matrix(plain(a)), axis) if not reverse else _refuse("a cumulative sum from the end")()
    ),
    "dot_general": _dot,
    "concatenate": lambda *parts, dimension, **_: arrays.joined([matrix(plain(p)) for p in parts], dimension),
    "stack": lambda *parts, axis=0, **_: arrays.stacked([matrix(plain(p)) for p in parts], axis),
    "slice": _cut,
    "dynamic_slice": _dynamic,
    "gather": _gathered,
    "dim_as_value": lambda *, dim, **_: Value(core.number(size(dim)), ()),
    "iota": lambda *, dimension, shape, **_: Count(dimension, sizes(shape)),
    "svd": _singular_values,
    "polygamma": _polygamma,
    "cholesky": lambda a, **_: operations.cholesky(plain(a)),
    "triangular_solve": _solved,
    **dict.fromkeys(("copy", "copy_p", "optimization_barrier", "reduce_precision"), _same),
    **dict.fromkeys(("cond", "while"), _refuse(_BRANCH)),
    **dict.fromkeys(("argmax", "argmin", "sort"), _refuse("an index or order that depends on values")),
    **dict.fromkeys(("floor", "ceil", "round", "rem"), _refuse("rounding has no derivative")),
    **dict.fromkeys(("random_bits", "random_wrap", "random_unwrap", "random_seed", "threefry2x32"), _refuse(RANDOM)),
    **dict.fromkeys(("scatter", "scatter-add"), _refuse("x.at[...]: write jnp.where, or jnp.concatenate of parts")),
}


def applied(name: str, operands: Sequence[Any], params: dict[str, Any]) -> Any:
    """One primitive.

    Raises:
        NoRuleError: it is not known, or not for these operands.
    """
    rule = PRIMITIVES.get(name)
    if rule is not None:
        return rule(*operands, **params)
    record = REGISTRY.get(name) or synonym(name)
    if record is not None and record.scalar_function is not None and len(operands) == 1:
        return unary(record.name)(plain(operands[0]))
    raise NoRuleError(f"JAX's {name} is not known here: write it with functions that are")
