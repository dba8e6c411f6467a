"""Functions of JAX that are read as a whole, by the name that JAX gives them: their bodies are details of LAPACK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matcalc.frontend.tracing import arrays, operations, products
from matcalc.frontend.tracing.arrays import Value
from matcalc.frontend.tracing.jax_values import is_zero, plain
from matcalc.frontend.tracing.operations import matrix, unary
from matcalc.ops.linalg import logdet


def _lower_of(body: Any) -> dict[str, Any]:
    """The parameters of the first triangular solve inside of a function."""
    found = next(e for e in body.eqns if e.primitive.name == "triangular_solve")
    return dict(found.params)


def _triangular(body: Any, a: Any, b: Any) -> Any:
    inner = _lower_of(body)
    return operations.triangular(
        plain(a), plain(b), lower=inner["lower"], transposed=inner["transpose_a"], unit=inner["unit_diagonal"]
    )


def _solve(_: Any, a: Any, b: Any) -> Any:
    return operations.solved(plain(a), plain(b))


def _log_of_sum(_: Any, a: Any, b: Any) -> Any:
    if is_zero(b):
        return unary("softplus")(a)
    return operations.add(b, unary("softplus")(operations.subtract(plain(a), plain(b))))


def _slogdet(_: Any, a: Any) -> list[Any]:
    return [arrays.entrywise("sign", operations.of_matrix("det", 0)(a)), Value(logdet(matrix(a).expr), ())]


def _one(function: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda _, a: function(plain(a))


# Each takes the body of the function, and its operands.
WHOLE: dict[str, Callable[..., Any]] = {
    "solve": _solve,
    "inv": _one(operations.of_matrix("inv")),
    "det": _one(operations.of_matrix("det", 0)),
    "slogdet": _slogdet,
    **dict.fromkeys(("pinv", "_pinv"), _one(operations.of_matrix("pinv"))),
    "expm": _one(operations.of_matrix("expm")),
    "eigvalsh": _one(operations.of_matrix("eigvals", 1)),
    "trace": _one(operations.of_matrix("tr", 0)),
    "_diag": _one(operations.diagonal),
    "diagonal": _one(operations.diagonal_of),
    "kron": lambda _, a, b: products.kron(matrix(plain(a)), matrix(plain(b))),
    "_cho_solve": lambda body, L, b: operations.factor_solved(plain(L), plain(b), lower=_lower_of(body)["lower"]),
    "_solve_triangular": _triangular,
    "relu": _one(unary("relu")),
    "logaddexp": _log_of_sum,
    "xlogy": lambda _, a, b: operations.multiply(plain(a), unary("log")(plain(b))),
    "xlog1py": lambda _, a, b: operations.multiply(plain(a), unary("log1p")(plain(b))),
    "silu": _one(unary("silu")),
}
