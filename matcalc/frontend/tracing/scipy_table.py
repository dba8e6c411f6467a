"""What SciPy's functions are, and the one question: what a function of NumPy or SciPy is."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from matcalc import core
from matcalc.errors import NoRuleError
from matcalc.expr import REGISTRY, synonym
from matcalc.frontend.numpy_functions import named, operation_of
from matcalc.frontend.tracing import arrays, operations, reductions
from matcalc.frontend.tracing.arrays import Value
from matcalc.frontend.tracing.numpy_table import NUMPY, Entry, by_record, norm_of, two_axes
from matcalc.frontend.tracing.operations import Thing, matrix, unary
from matcalc.ops.elementwise import sqrt
from matcalc.ops.pairs import pdist2


def _logsumexp(a: Thing, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    if return_sign:
        raise NoRuleError("logsumexp with return_sign=True")
    if b is not None:
        return unary("log")(operations.total(operations.multiply(b, unary("exp")(a)), axis, keepdims=keepdims))
    return reductions.reduced("logsumexp", matrix(a), axis, keepdims=keepdims)


def _along(operation: str) -> Callable[..., Value]:
    return lambda x, axis=None: reductions.along(operation, matrix(x), axis)


def _times_log(operation: str) -> Callable[[Thing, Thing], Any]:
    return lambda a, b: operations.multiply(a, unary(operation)(b))


def _entropy(a: Thing) -> Any:
    return operations.negative(operations.multiply(a, unary("log")(a)))


def _relative(a: Thing, b: Thing) -> Any:
    return operations.multiply(a, unary("log")(operations.divide(a, b)))


def _divergence(a: Thing, b: Thing) -> Any:
    return operations.add(operations.subtract(_relative(a, b), a), b)


def _solve_triangular(a: Thing, b: Thing, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False) -> Value:
    return operations.triangular(a, b, lower=lower, transposed=trans in (1, 2, "T", "C"), unit=unit_diagonal)


def _cho_solve(factor: Any, b: Thing) -> Value:
    L, lower = factor
    low = bool(lower.number) if isinstance(lower, Value) else bool(lower)
    return operations.factor_solved(L, b, lower=low)


def _polygamma(n: Any, x: Thing) -> Any:
    order = n.number if isinstance(n, Value) else n
    if order is None or int(order) != order:
        raise NoRuleError("polygamma of an order that is not known")
    return unary("polygamma", int(order))(x)


def _log_beta(a: Thing, b: Thing) -> Any:
    parts = unary("gammaln")(a), unary("gammaln")(b)
    return operations.subtract(operations.add(*parts), unary("gammaln")(operations.add(a, b)))


SCIPY: dict[str, Entry] = {
    "special.logsumexp": Entry(_logsumexp),
    "special.softmax": Entry(_along("softmax")),
    "special.log_softmax": Entry(_along("log_softmax")),
    "special.xlogy": Entry(_times_log("log"), 2),
    "special.xlog1py": Entry(_times_log("log1p"), 2),
    "special.entr": Entry(_entropy),
    "special.rel_entr": Entry(_relative, 2),
    "special.kl_div": Entry(_divergence, 2),
    "special.ndtr": Entry(unary("normcdf")),
    "special.log_ndtr": Entry(unary("normlogcdf")),
    "special.log_expit": Entry(unary("logsigmoid")),
    "special.loggamma": Entry(unary("gammaln")),
    "special.psi": Entry(unary("digamma")),
    "special.polygamma": Entry(_polygamma, 0),
    "special.betaln": Entry(_log_beta, 2),
    "linalg.solve": Entry(lambda a, b, assume_a=None, lower=False: operations.solved(a, b), 2),
    "linalg.inv": Entry(operations.of_matrix("inv")),
    "linalg.pinv": Entry(operations.of_matrix("pinv")),
    "linalg.det": Entry(operations.of_matrix("det", 0)),
    "linalg.expm": Entry(operations.of_matrix("expm")),
    "linalg.logm": Entry(operations.of_matrix("logm")),
    "linalg.sqrtm": Entry(operations.of_matrix("sqrtm")),
    "linalg.norm": Entry(norm_of),
    "linalg.svdvals": Entry(operations.of_matrix("singvals", 1)),
    "linalg.eigvalsh": Entry(operations.of_matrix("eigvals", 1)),
    "linalg.cholesky": Entry(lambda a, lower=False: operations.cholesky(a, lower=lower)),
    "linalg.cho_factor": Entry(lambda a, lower=False: (operations.cholesky(a, lower=lower), bool(lower))),
    "linalg.cho_solve": Entry(_cho_solve, 0),
    "linalg.solve_triangular": Entry(_solve_triangular, 2),
    "linalg.block_diag": Entry(lambda *parts: _block_diagonal([two_axes(matrix(p)) for p in parts]), 9),
    "spatial.distance.cdist": Entry(lambda a, b, metric="euclidean": distances(a, b, metric), 2),
}


def _block_diagonal(parts: list[Value]) -> Value:
    rows = [
        [p.expr if k == j else core.zeros(q.shape[0], p.shape[1]) for k, p in enumerate(parts)]
        for j, q in enumerate(parts)
    ]
    made = arrays.block_matrix(rows)
    return Value(made, made.shape)


def distances(a: Thing, b: Thing, metric: str = "euclidean") -> Value:
    """The distances between all rows of two matrices."""
    made = pdist2(matrix(a).expr, matrix(b).expr)
    if metric not in ("euclidean", "sqeuclidean"):
        raise NoRuleError(f"the distance {metric!r}: euclidean and sqeuclidean are read")
    return Value(made if metric == "sqeuclidean" else sqrt(made), made.shape)


@cache
def _tables() -> dict[Any, Entry]:
    """The functions of NumPy and of SciPy, if it is there, as keys."""
    found: dict[Any, Entry] = {}
    for name, entry in NUMPY.items():
        function = named(f"np.{name}")
        if function is not None:
            found[function] = entry
    if find_spec("scipy") is not None:
        for name, entry in SCIPY.items():
            found[scipy_function(name)] = entry
    return found


def scipy_function(name: str) -> Any:
    """A function of SciPy by its name below `scipy`."""
    module, _, last = name.rpartition(".")
    return getattr(import_module(f"scipy.{module}"), last)


def entry_of(function: Any) -> Entry | None:
    """What a function of NumPy or SciPy is; None for an unknown one."""
    found = _tables().get(function)
    if found is not None:
        return found
    record = operation_of(function)
    if record is None and isinstance(function, np.ufunc):  # a ufunc of scipy.special, by its name
        name = function.__name__
        record = REGISTRY.get(name) or synonym(name)
        if record is not None and (record.scalar_function is None or function.nin != 1):
            return None
    return None if record is None else by_record(record)
