"""Layers and losses of networks, as PyTorch and JAX name them: on arrays of rank at most 2."""

from __future__ import annotations

from typing import Any

from matcalc import core
from matcalc.dims import same
from matcalc.errors import NoRuleError
from matcalc.frontend.tracing import arrays, masks, operations, products, reductions
from matcalc.frontend.tracing.arrays import MATRIX, Value, number
from matcalc.frontend.tracing.operations import Thing, matrix, unary
from matcalc.ops.linalg import logdet

RANDOM = "randomness: a derivative needs the same function at every call. Make the random array an argument"
ONE_HOT = "class labels as indices: give one-hot targets Y of the shape of the logits"


def reduced_loss(losses: Thing, reduction: str) -> Any:
    """The mean or the sum of losses, or all of them."""
    if reduction not in ("mean", "sum", "none"):
        raise NoRuleError(f"reduction={reduction!r}")
    if reduction == "none":
        return losses
    return reductions.reduced(reduction, matrix(losses), None)


def same_shape(a: Thing, b: Thing) -> None:
    """Refuse a loss of arrays of other shapes, which would broadcast."""
    x, y = matrix(a), matrix(b)
    if x.rank != y.rank or not all(map(same, x.shape, y.shape)):
        raise NoRuleError(
            f"a loss of arrays of the shapes {arrays.sizes_text(x.shape)} and {arrays.sizes_text(y.shape)}"
        )


def squared_error(a: Thing, b: Thing, reduction: str = "mean") -> Any:
    """(a - b)^2."""
    return reduced_loss(operations.square(operations.subtract(a, b)), reduction)


def absolute_error(a: Thing, b: Thing, reduction: str = "mean") -> Any:
    """|a - b|."""
    return reduced_loss(operations.absolute(operations.subtract(a, b)), reduction)


def huber(a: Thing, b: Thing, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Huber's loss: r^2/2 up to delta, linear beyond."""
    return reduced_loss(unary("huber", core.exact(delta))(operations.subtract(a, b)), reduction)


def smooth_absolute(a: Thing, b: Thing, reduction: str = "mean", beta: float = 1.0) -> Any:
    """Huber's loss divided by beta."""
    losses = unary("huber", core.exact(beta))(operations.subtract(a, b))
    return reduced_loss(operations.divide(losses, number(beta)), reduction)


def binary_entropy(p: Thing, y: Thing, weight: Any = None, reduction: str = "mean") -> Any:
    """-y log p - (1 - y) log(1 - p)."""
    same_shape(p, y)
    rest = operations.multiply(operations.subtract(number(1), y), unary("log1p")(operations.negative(p)))
    losses = operations.negative(operations.add(operations.multiply(y, unary("log")(p)), rest))
    return reduced_loss(losses if weight is None else operations.multiply(weight, losses), reduction)


def binary_entropy_of_logits(
    z: Thing, y: Thing, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """softplus(z) - y z."""
    if pos_weight is not None:
        raise NoRuleError("pos_weight of binary_cross_entropy_with_logits")
    same_shape(z, y)
    losses = operations.subtract(unary("softplus")(z), operations.multiply(y, z))
    return reduced_loss(losses if weight is None else operations.multiply(weight, losses), reduction)


def class_entropy(z: Thing, y: Thing, reduction: str = "mean", label_smoothing: float = 0.0, weight: Any = None) -> Any:
    """-sum(y log_softmax(z)), for each row, with targets as probabilities."""
    Z, Y = matrix(z), matrix(y)
    if Y.rank != Z.rank or weight is not None:
        raise NoRuleError(ONE_HOT if weight is None else "weight of cross_entropy")
    if label_smoothing:
        classes = core.exact_dim(Z.shape[-1])
        smooth = core.number(core.exact(label_smoothing) / classes)
        Y = arrays.add(arrays.multiply(number(1 - label_smoothing), Y), Value(smooth, ()))
    log_p = reductions.along("log_softmax", Z, -1)
    losses = operations.negative(operations.total(arrays.multiply(Y, log_p), -1))
    return reduced_loss(losses, reduction)


def divergence(log_q: Thing, p: Thing, reduction: str = "mean", log_target: bool = False) -> Any:
    """p (log p - log q), of log q."""
    P, log_p = (unary("exp")(p), p) if log_target else (p, unary("log")(p))
    losses = operations.multiply(P, operations.subtract(log_p, log_q))
    if reduction == "batchmean":
        rows = Value(core.number(matrix(log_q).shape[0]), ())
        return operations.divide(operations.total(losses), rows)
    return reduced_loss(losses, reduction)


def linear(x: Thing, weight: Thing, bias: Any = None) -> Any:
    """x W' + b."""
    made = products.matmul(x, arrays.transposed(matrix(weight)))
    return made if bias is None else operations.add(made, bias)


def normalized(x: Thing, sizes: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Layer normalization over the last axis."""
    X = matrix(x)
    if len(sizes) != 1 or X.rank == 0:
        raise NoRuleError("layer_norm over more than the last axis")
    return _affine(reductions.along("standardize", X, -1, 0, core.exact(eps)), weight, bias)


def root_mean_square(x: Thing, sizes: Any, weight: Any = None, eps: Any = None) -> Any:
    """Division by the root mean square of the last axis."""
    if len(sizes) != 1 or eps is None:
        raise NoRuleError("rms_norm is read over the last axis, with eps given")
    mean = reductions.reduced("mean", operations.square(x), -1, keepdims=True)
    made = operations.divide(x, operations.root(operations.add(mean, number(eps))))
    return _affine(matrix(made), weight, None)


def _affine(x: Value, weight: Any, bias: Any) -> Any:
    made = x if weight is None else operations.multiply(x, weight)
    return made if bias is None else operations.add(made, bias)


def batch_normalized(
    x: Thing,
    mean: Any,
    variance: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Batch normalization of the columns: by their own moments in training, else by those that are given."""
    X = matrix(x)
    if X.rank != MATRIX:
        raise NoRuleError("batch_norm needs a matrix")
    if training:
        return _affine(reductions.along("standardize", X, 0, 0, core.exact(eps)), weight, bias)
    spread = operations.root(operations.add(variance, number(eps)))
    return _affine(matrix(operations.divide(operations.subtract(X, mean), spread)), weight, bias)


def attention(
    q: Thing,
    k: Thing,
    v: Thing,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: Any = None,
) -> Any:
    """softmax(Q K' / sqrt(d)) V."""
    if dropout_p:
        raise NoRuleError(RANDOM)
    Q, K = matrix(q), matrix(k)
    factor = operations.root(Value(core.number(Q.shape[-1]), ())) if scale is None else None
    scores = products.matmul(Q, arrays.transposed(K))
    logits = matrix(operations.divide(scores, factor) if factor is not None else operations.multiply(scores, scale))
    if is_causal:
        lower = operations.triangle("tril", operations.filled(number(1), logits.shape))
        logits = operations.where(lower, logits, number(float("-inf")))
    if isinstance(attn_mask, masks.Mask):
        logits = operations.where(attn_mask, logits, number(float("-inf")))
    elif attn_mask is not None:
        logits = matrix(operations.add(logits, attn_mask))
    return products.matmul(reductions.along("softmax", logits, -1), v)


def cosine(a: Thing, b: Thing, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between rows; norms below eps are not met."""
    inner = operations.total(operations.multiply(a, b), dim)
    lengths = [reductions.norm(matrix(x), None, dim) for x in (a, b)]
    return operations.divide(inner, operations.multiply(*lengths))


def unit(a: Thing, p: Any = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """Rows (or columns) divided by their norms; norms below eps are not met."""
    kind = p.number if isinstance(p, Value) else p
    return operations.divide(a, reductions.norm(matrix(a), float(kind), dim, keepdims=True))


def gelu(a: Thing, approximate: Any = "none") -> Any:
    """The Gaussian error linear unit, or its approximation by tanh."""
    if approximate in ("none", False):
        return unary("gelu")(a)
    root = number(0.7978845608028654)
    cube = operations.multiply(number(0.044715), operations.power(a, number(3)))
    inner = unary("tanh")(operations.multiply(root, operations.add(a, cube)))
    return operations.multiply(operations.multiply(number(0.5), a), operations.add(number(1), inner))


def softplus(a: Thing, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + exp(beta a))/beta; from the threshold on PyTorch gives a, which differs by less than 3e-9."""
    if beta == 1:
        return unary("softplus")(a)
    return operations.divide(unary("softplus")(operations.multiply(number(beta), a)), number(beta))


def dropped(x: Thing, p: float = 0.5, training: bool = True) -> Thing:
    """Dropout that is off.

    Raises:
        NoRuleError: it is on.
    """
    if training and p:
        raise NoRuleError(f"dropout: {RANDOM}; call model.eval() for a module")
    return x


def hardtanh(a: Thing, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """The entries between two bounds."""
    return operations.clip(a, number(min_val), number(max_val))


def sqrt_scale(a: Thing) -> Any:
    """1/sqrt(a)."""
    return operations.reciprocal(operations.root(a))


def log_determinant(a: Thing) -> Value:
    """The logarithm of the absolute value of the determinant."""
    made = logdet(matrix(a).expr)
    return Value(made, ())
