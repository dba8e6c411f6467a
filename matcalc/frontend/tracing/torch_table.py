"""What PyTorch's functions and methods are, by the names that `__torch_function__` gives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from matcalc import core
from matcalc.errors import NoRuleError
from matcalc.expr import REGISTRY, synonym
from matcalc.frontend.tracing import arrays, layers, operations, products, reductions
from matcalc.frontend.tracing.arrays import MATRIX, Value, number
from matcalc.frontend.tracing.numpy_table import Entry
from matcalc.frontend.tracing.operations import Thing, matrix, numeric, unary
from matcalc.frontend.tracing.scipy_table import distances


def _axis(args: Sequence[Any]) -> Any:
    """The axes that are given one by one, or as one."""
    return None if not args else args[0] if len(args) == 1 else tuple(args)


def _reduction(operation: str) -> Callable[..., Any]:
    def call(a: Thing, *axes: Any, dim: Any = None, axis: Any = None, keepdim: bool = False) -> Any:
        if axes and isinstance(axes[-1], bool):
            *axes, keepdim = axes  # type: ignore[assignment]
        over = next((v for v in (dim, axis) if v is not None), _axis(axes))
        return reductions.reduced(operation, numeric(a), over or (0 if over == 0 else None), keepdims=keepdim)

    return call


def _extreme(operation: str) -> Callable[..., Any]:
    """torch.max and torch.min: of all entries, along a dimension (the values first), or of two arrays."""

    def call(a: Thing, dim: Any = None, keepdim: bool = False) -> Any:
        if isinstance(dim, Value) and (dim.shape or dim.number is None):
            return operations.extremum("maximum" if operation == "max" else "minimum")(a, dim)
        over = int(dim.number) if isinstance(dim, Value) else dim
        made = reductions.reduced(operation, numeric(a), over, keepdims=keepdim)
        return made if over is None else Values(made)

    return call


class Values(tuple[Any, ...]):
    """What torch.max(X, dim) gives: the values, and indices that depend on the data."""

    __slots__ = ()

    def __new__(cls, values: Any) -> Values:
        return super().__new__(cls, (values, None))


def _spread(operation: str) -> Callable[..., Any]:
    def call(
        a: Thing, *axes: Any, dim: Any = None, unbiased: Any = None, correction: Any = None, keepdim: bool = False
    ) -> Any:
        if axes and isinstance(axes[0], bool):
            unbiased, *axes = axes  # type: ignore[assignment]
        ddof = int(correction) if correction is not None else int(unbiased is not False)
        over = dim if dim is not None else _axis(axes)
        return reductions.reduced(operation, matrix(a), over, keepdims=keepdim, params=(ddof,))

    return call


def _logsumexp(a: Thing, dim: Any, keepdim: bool = False) -> Any:
    return reductions.reduced("logsumexp", matrix(a), dim, keepdims=keepdim)


def _along(operation: str) -> Callable[..., Value]:
    return lambda a, dim=None, **_: reductions.along(operation, matrix(a), -1 if dim is None else dim)


def _norm(a: Thing, p: Any = "fro", dim: Any = None, keepdim: bool = False, ord: Any = None) -> Any:  # noqa: A002
    x = numeric(a)
    kind = _plain(p if ord is None else ord)
    if dim is None and x.rank == MATRIX and kind not in ("fro", "nuc", None, 2):
        raise NoRuleError("torch.norm of a matrix with p takes all entries: flatten it first")
    if dim is None and x.rank == MATRIX and kind == 2:
        kind = "fro"
    return reductions.norm(x, kind, dim, keepdims=keepdim)


def _matrix_norm(a: Thing, ord: Any = None, dim: Any = None, keepdim: bool = False) -> Any:  # noqa: A002
    return reductions.norm(numeric(a), _plain(ord), dim, keepdims=keepdim)


def _vector_norm(x: Thing, ord: Any = 2, dim: Any = None, keepdim: bool = False) -> Any:  # noqa: A002
    a = matrix(x)
    return reductions.norm(products.flat(a) if dim is None else a, _plain(ord), dim, keepdims=keepdim)


def _plain(value: Any) -> Any:
    exact = value.number if isinstance(value, Value) else value
    return int(exact) if isinstance(exact, float) and exact in (1.0, 2.0) else exact


def _add(a: Thing, b: Thing, alpha: Any = 1) -> Any:
    return operations.add(a, b if alpha == 1 else operations.multiply(number(alpha), b))


def _subtract(a: Thing, b: Thing, alpha: Any = 1) -> Any:
    return operations.subtract(a, b if alpha == 1 else operations.multiply(number(alpha), b))


def _divide(a: Thing, b: Thing, rounding_mode: Any = None) -> Any:
    if rounding_mode is not None:
        raise NoRuleError("a division that rounds has no derivative")
    return operations.divide(a, b)


def _clamp(a: Thing, min: Any = None, max: Any = None) -> Any:  # noqa: A002
    low, high = (number(v) if isinstance(v, (int, float)) else v for v in (min, max))
    return operations.clip(a, low, high)


def _filled(a: Thing, mask: Thing, value: Any) -> Value:
    return operations.where(mask, value if isinstance(value, Value) else number(value), a)


def _reshaped(a: Thing, *sizes: Any) -> Value:
    shape = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
    return arrays.reshaped(matrix(a), shape)


def _flattened(a: Thing, start_dim: int = 0, end_dim: int = -1) -> Value:
    x = matrix(a)
    return products.flat(x) if start_dim == 0 and end_dim in (-1, x.rank - 1) else x


def _expanded(a: Thing, *sizes: Any) -> Value:
    shape = list(sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes)
    own = (1,) * (len(shape) - matrix(a).rank) + matrix(a).shape
    wanted = [d if isinstance(n, int) and n == -1 else n for n, d in zip(shape, own)]
    return operations.broadcast_to(a, wanted)


def _permuted(a: Thing, *axes: Any) -> Value:
    order = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
    return operations.transposed(a, order)


def _swapped(a: Thing, i: int, j: int) -> Value:
    x = matrix(a)
    return arrays.transposed(x) if x.rank == MATRIX and i % MATRIX != j % MATRIX else x


def _cat(parts: Sequence[Thing], dim: int = 0) -> Value:
    return arrays.joined([matrix(p) for p in parts], dim)


def _stack(parts: Sequence[Thing], dim: int = 0) -> Value:
    return arrays.stacked([matrix(p) for p in parts], dim)


def _einsum(equation: str, *operands: Any) -> Any:
    given = operands[0] if len(operands) == 1 and isinstance(operands[0], list) else operands
    return products.einsum(equation, [matrix(a) for a in given])


def _add_product(c: Thing, a: Thing, b: Thing, beta: Any = 1, alpha: Any = 1) -> Any:
    made = products.matmul(a, b)
    left = c if beta == 1 else operations.multiply(number(beta), c)
    return operations.add(left, made if alpha == 1 else operations.multiply(number(alpha), made))


def _diagonal(a: Thing, offset: int = 0, **_: Any) -> Value:
    if offset:
        raise NoRuleError("another diagonal than the main one")
    return operations.diagonal_of(a)


def _diag(a: Thing, diagonal: int = 0) -> Value:
    if diagonal:
        raise NoRuleError("another diagonal than the main one")
    return operations.diagonal(a)


def _slogdet(a: Thing) -> tuple[Value, Value]:
    return arrays.entrywise("sign", operations.of_matrix("det", 0)(a)), layers.log_determinant(a)


def _cholesky_solve(b: Thing, L: Thing, upper: bool = False) -> Value:
    return operations.factor_solved(L, b, lower=not upper)


def _triangular(A: Thing, B: Thing, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Value:
    if left:
        return operations.triangular(A, B, lower=not upper, unit=unitriangular)
    turned = operations.triangular(operations.transposed(A), operations.transposed(B), lower=upper, unit=unitriangular)
    return arrays.transposed(turned)


def _matrix_power(a: Thing, n: int) -> Value:
    x = matrix(a)
    return Value(core.matrix_power(x.expr, n), x.shape) if n != 1 else x


def _distances(a: Thing, b: Thing, p: Any = 2.0, **_: Any) -> Value:
    if _plain(p) != 2:
        raise NoRuleError("cdist with p: only the Euclidean distance is read")
    return distances(a, b)


def _refuse(why: str) -> Callable[..., Any]:
    def call(*_: Any, **__: Any) -> Any:
        raise NoRuleError(why)

    return call


def _same(a: Thing, *_: Any, **__: Any) -> Thing:
    return a


def _like(value: int) -> Callable[..., Value]:
    return lambda a, **_: operations.filled(number(value), matrix(a).shape)


def _view_as(a: Thing, other: Thing) -> Value:
    return arrays.reshaped(matrix(a), matrix(other).shape)


DETACHED = "a gradient that is stopped: the derivative of the formula is another. Make the value an argument"
DATA = "an index or order that depends on values: a one-hot matrix replaces indices"

TORCH: dict[str, Entry] = {
    **{name: Entry(_reduction(name)) for name in ("sum", "mean", "prod")},
    "amax": Entry(_reduction("max")),
    "amin": Entry(_reduction("min")),
    "max": Entry(_extreme("max"), 1),
    "min": Entry(_extreme("min"), 1),
    "var": Entry(_spread("var")),
    "std": Entry(_spread("std")),
    "logsumexp": Entry(_logsumexp),
    "softmax": Entry(_along("softmax")),
    "log_softmax": Entry(_along("log_softmax")),
    "cumsum": Entry(lambda a, dim: reductions.cumulated(matrix(a), dim)),
    "norm": Entry(_norm),
    "linalg_norm": Entry(_matrix_norm),
    "linalg_matrix_norm": Entry(lambda a, ord="fro": reductions.norm(matrix(a), _plain(ord))),  # noqa: A006
    "linalg_vector_norm": Entry(_vector_norm),
    "add": Entry(_add, 2),
    "sub": Entry(_subtract, 2),
    "subtract": Entry(_subtract, 2),
    "rsub": Entry(lambda a, b: operations.subtract(b, a), 2),
    "mul": Entry(operations.multiply, 2),
    "multiply": Entry(operations.multiply, 2),
    "div": Entry(_divide, 2),
    "divide": Entry(_divide, 2),
    "true_divide": Entry(_divide, 2),
    "pow": Entry(operations.power, 2),
    "float_power": Entry(operations.power, 2),
    "square": Entry(operations.square),
    "rsqrt": Entry(layers.sqrt_scale),
    "reciprocal": Entry(operations.reciprocal),
    "neg": Entry(operations.negative),
    "negative": Entry(operations.negative),
    "log2": Entry(lambda a: operations.divide(unary("log")(a), unary("log")(number(2)))),
    "log10": Entry(lambda a: operations.divide(unary("log")(a), unary("log")(number(10)))),
    "exp2": Entry(lambda a: operations.power(number(2), a)),
    "logaddexp": Entry(lambda a, b: operations.add(b, unary("softplus")(operations.subtract(a, b))), 2),
    "hypot": Entry(lambda a, b: operations.root(operations.add(operations.square(a), operations.square(b))), 2),
    "maximum": Entry(operations.maximum, 2),
    "minimum": Entry(operations.minimum, 2),
    "clamp": Entry(_clamp),
    "clip": Entry(_clamp),
    "clamp_min": Entry(lambda a, low: _clamp(a, min=low)),
    "clamp_max": Entry(lambda a, high: _clamp(a, max=high)),
    "where": Entry(operations.where, 3),
    "masked_fill": Entry(_filled, 3),
    **{
        name: Entry(operations.compared(sign), 2)
        for name, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="), ("eq", "=="), ("ne", "!="))
    },
    "logical_and": Entry(operations.both, 2),
    "logical_or": Entry(operations.either, 2),
    "logical_not": Entry(operations.inverted),
    "matmul": Entry(products.matmul, 2),
    "mm": Entry(products.matmul, 2),
    "mv": Entry(products.matmul, 2),
    "dot": Entry(products.matmul, 2),
    "inner": Entry(lambda a, b: products.inner(matrix(a), matrix(b)), 2),
    "vdot": Entry(products.matmul, 2),
    "outer": Entry(lambda a, b: products.outer(matrix(a), matrix(b)), 2),
    "ger": Entry(lambda a, b: products.outer(matrix(a), matrix(b)), 2),
    "kron": Entry(lambda a, b: products.kron(matrix(a), matrix(b)), 2),
    "einsum": Entry(_einsum, 0),
    "linalg_multi_dot": Entry(lambda parts: products.chain([matrix(p) for p in parts])),
    "addmm": Entry(_add_product, 3),
    "addmv": Entry(_add_product, 3),
    "t": Entry(operations.transposed),
    "transpose": Entry(_swapped),
    "permute": Entry(_permuted),
    "reshape": Entry(_reshaped),
    "view": Entry(_reshaped),
    "view_as": Entry(_view_as, 2),
    "flatten": Entry(_flattened),
    "ravel": Entry(_flattened),
    "unsqueeze": Entry(operations.expanded),
    "squeeze": Entry(operations.squeezed),
    "expand": Entry(_expanded),
    "expand_as": Entry(lambda a, b: operations.broadcast_to(a, matrix(b).shape), 2),
    "broadcast_to": Entry(lambda a, shape: operations.broadcast_to(a, shape)),
    "cat": Entry(_cat),
    "concat": Entry(_cat),
    "stack": Entry(_stack),
    "hstack": Entry(lambda parts: arrays.joined([matrix(p) for p in parts], min(1, matrix(parts[0]).rank - 1))),
    "vstack": Entry(lambda parts: _cat(parts) if matrix(parts[0]).rank == MATRIX else _stack(parts)),
    "diag": Entry(_diag),
    "diag_embed": Entry(_diag),
    "diagonal": Entry(_diagonal),
    "tril": Entry(lambda a, diagonal=0: operations.triangle("tril", a, diagonal)),
    "triu": Entry(lambda a, diagonal=0: operations.triangle("triu", a, diagonal)),
    "trace": Entry(operations.of_matrix("tr", 0)),
    "det": Entry(operations.of_matrix("det", 0)),
    "linalg_det": Entry(operations.of_matrix("det", 0)),
    "logdet": Entry(layers.log_determinant),
    "slogdet": Entry(_slogdet),
    "linalg_slogdet": Entry(_slogdet),
    **{name: Entry(operations.of_matrix("inv")) for name in ("inverse", "linalg_inv")},
    **{name: Entry(operations.of_matrix("pinv")) for name in ("pinverse", "linalg_pinv")},
    **{name: Entry(operations.of_matrix("expm")) for name in ("matrix_exp", "linalg_matrix_exp")},
    "linalg_matrix_power": Entry(_matrix_power),
    "linalg_svdvals": Entry(operations.of_matrix("singvals", 1)),
    "linalg_eigvalsh": Entry(operations.of_matrix("eigvals", 1)),
    "linalg_solve": Entry(operations.solved, 2),
    "linalg_cholesky": Entry(lambda a, upper=False: operations.cholesky(a, lower=not upper)),
    "cholesky": Entry(lambda a, upper=False: operations.cholesky(a, lower=not upper)),
    "cholesky_solve": Entry(_cholesky_solve, 2),
    "linalg_solve_triangular": Entry(_triangular, 2),
    "cdist": Entry(_distances, 2),
    "mse_loss": Entry(layers.squared_error, 2),
    "l1_loss": Entry(layers.absolute_error, 2),
    "huber_loss": Entry(layers.huber, 2),
    "smooth_l1_loss": Entry(layers.smooth_absolute, 2),
    "binary_cross_entropy": Entry(layers.binary_entropy, 2),
    "binary_cross_entropy_with_logits": Entry(layers.binary_entropy_of_logits, 2),
    "cross_entropy": Entry(layers.class_entropy, 2),
    "kl_div": Entry(layers.divergence, 2),
    "nll_loss": Entry(_refuse(layers.ONE_HOT)),
    "linear": Entry(layers.linear, 3),
    "layer_norm": Entry(layers.normalized),
    "rms_norm": Entry(layers.root_mean_square),
    "batch_norm": Entry(layers.batch_normalized),
    "scaled_dot_product_attention": Entry(layers.attention, 3),
    "cosine_similarity": Entry(layers.cosine, 2),
    "normalize": Entry(layers.unit),
    "gelu": Entry(layers.gelu),
    "softplus": Entry(layers.softplus),
    "leaky_relu": Entry(lambda a, negative_slope=0.01: unary("leakyrelu", core.exact(negative_slope))(a)),
    "elu": Entry(lambda a, alpha=1.0: unary("elu", core.exact(alpha))(a)),
    "hardtanh": Entry(layers.hardtanh),
    "relu6": Entry(lambda a: layers.hardtanh(a, 0.0, 6.0)),
    "mish": Entry(lambda a: operations.multiply(a, unary("tanh")(unary("softplus")(a)))),
    "special_xlogy": Entry(lambda a, b: operations.multiply(a, unary("log")(b)), 2),
    "xlogy": Entry(lambda a, b: operations.multiply(a, unary("log")(b)), 2),
    "special_entr": Entry(lambda a: operations.negative(operations.multiply(a, unary("log")(a)))),
    "special_ndtr": Entry(unary("normcdf")),
    "special_log_ndtr": Entry(unary("normlogcdf")),
    "lgamma": Entry(unary("gammaln")),
    "dropout": Entry(layers.dropped),
    "ones_like": Entry(_like(1)),
    "zeros_like": Entry(_like(0)),
    **{name: Entry(_same) for name in ("clone", "contiguous", "to", "double", "float", "type_as", "cpu", "positive")},
    **{name: Entry(_refuse(DETACHED)) for name in ("detach", "detach_", "data", "item", "tolist", "numpy")},
    **{
        name: Entry(_refuse(DATA)) for name in ("argmax", "argmin", "argsort", "sort", "topk", "gather", "index_select")
    },
    **{name: Entry(_refuse(layers.RANDOM)) for name in ("rand_like", "randn_like", "bernoulli", "multinomial")},
    **{name: Entry(_refuse("rounding has no derivative")) for name in ("floor", "ceil", "round", "trunc")},
}


def entry_of(name: str) -> Entry | None:
    """What a function of PyTorch is, by its name; None for an unknown one."""
    found = TORCH.get(name)
    if found is not None:
        return found
    short = name.removeprefix("special_")
    record = REGISTRY.get(short) or synonym(short)
    if record is not None and record.scalar_function is not None:
        return Entry(partial(_one, record.name))
    return None


def _one(operation: str, a: Thing, **options: Any) -> Any:
    """An entrywise function; `inplace` of layers that PyTorch lets overwrite their input is refused."""
    if options.pop("inplace", False) or options:
        raise NoRuleError(f"{operation} with {', '.join(options) or 'inplace=True'}")
    return unary(operation)(a)
