"""Jacobians and Hessians as linear operators, and as the factors of their Kronecker products: never a matrix mn x pq.

The structure of the matrix on vec is followed factor by factor. What is inside of a Kronecker product or on a diagonal
is computed once, for the arrays that are given; a product with a vector then costs no more than products with these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from matcalc import core
from matcalc import dims as dimensions
from matcalc.calculus.names import is_local
from matcalc.errors import NoRuleError, missing_dependency, shorten
from matcalc.expr import Expr
from matcalc.numeric.binding import Array, bind
from matcalc.numeric.evaluate import evaluate_all

# An instruction computes the vector of one number from those of others.
Instruction: TypeAlias = "tuple[int, Callable[..., Array], tuple[int, ...]]"


def linear_operator(
    matrix: Expr, variables: Iterable[Expr], arrays: Mapping[str, Any], dims: Mapping[str, int] | None = None
) -> Any:
    """A Jacobian or Hessian at a point as a `scipy.sparse.linalg.LinearOperator` on column-major vec.

    Args:
        matrix: on vec, mn x pq, structured.
        variables: all that the arrays are values of.
        arrays: the values of all variables, by name.
        dims: sizes that no array determines.

    Raises:
        MissingDependencyError: SciPy is not installed.
        MatcalcError: a value is missing or does not fit.
    """
    try:
        from scipy.sparse.linalg import LinearOperator  # noqa: PLC0415  (optional)
    except ImportError:
        raise missing_dependency("a linear operator", "scipy") from None
    values, sizes = bind(variables, arrays, dims)
    dtype = np.result_type(*values.values()) if values else np.dtype(np.float64)
    forwards, backwards = (_Plan(matrix, turned, sizes) for turned in (False, True))
    needed = list(dict.fromkeys([*forwards.needed, *backwards.needed]))
    found = dict(zip(needed, evaluate_all(needed, values, sizes)))
    for plan in (forwards, backwards):
        plan.bind(found)
    shape = tuple(dimensions.evaluate(d, sizes) for d in matrix.shape)
    return LinearOperator(shape, matvec=forwards.apply, rmatvec=backwards.apply, dtype=dtype)


class _Plan:
    """The product of a structured matrix (or its transpose) with a vector, as straight-line instructions.

    Args:
        matrix: on vec, mn x pq.
        turned: whether its transpose is meant.
        sizes: of all dimensions.

    Attributes:
        needed: the parts whose values it uses.
    """

    def __init__(self, matrix: Expr, turned: bool, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes
        self.needed: dict[Expr, None] = {}
        self.values: Mapping[Expr, Array] = {}
        self.instructions: list[Instruction] = []
        self.count = 1  # the vector itself
        self.result = self._planned(matrix, turned)

    def bind(self, values: Mapping[Expr, Array]) -> None:
        """Set the values of the needed parts."""
        self.values = values

    def apply(self, x: Array) -> Array:
        """The product with a vector."""
        vectors = {0: np.ravel(x)}
        for target, step, operands in self.instructions:
            vectors[target] = step(*(vectors[k] for k in operands))
        return np.array(vectors[self.result])

    def _planned(self, matrix: Expr, turned: bool) -> int:
        """Plan a matrix applied to vector 0; iterative, as these matrices nest as deeply as networks."""
        result = self._new()
        waiting: list[tuple[Expr, bool, int, int] | Instruction] = [(matrix, turned, 0, result)]
        while waiting:
            task = waiting.pop()
            if len(task) == 3:
                self.instructions.append(task)
                continue
            e, turned, source, target = task
            while is_local(e) or e.op == "transpose":
                turned, e = turned is not (e.op == "transpose"), e.args[0]
            if e.op == "add":
                parts = [self._new() for _ in e.args]
                waiting.append((target, _sum, tuple(parts)))
                waiting += [(a, turned, source, k) for a, k in zip(e.args, parts)]
            elif e.op == "matmul":
                factors = e.args if turned else e.args[::-1]
                stops = [source, *(self._new() for _ in factors[1:]), target]
                waiting += reversed([(f, turned, a, b) for f, a, b in zip(factors, stops, stops[1:])])
            elif e.op == "scale":
                inner = self._new()
                scalars = e.args[:-1]
                self.needed |= dict.fromkeys(scalars)
                waiting.append((target, lambda v, scalars=scalars: self._product(scalars) * v, (inner,)))
                waiting.append((e.args[-1], turned, source, inner))
            else:
                waiting.append((target, self._step(e, turned), (source,)))
        return result

    def _new(self) -> int:
        self.count += 1
        return self.count - 1

    def _product(self, scalars: tuple[Expr, ...]) -> Any:
        return np.prod([self.values[c][0, 0] for c in scalars])

    def _step(self, e: Expr, turned: bool) -> Callable[..., Array]:
        """One factor that is applied as a whole."""
        if e.op == "eye":
            return lambda x: x
        if e.op == "comm":
            rows, cols = (dimensions.evaluate(d, self.sizes) for d in (e.params[::-1] if turned else e.params))
            return lambda x: x.reshape(cols, rows).T.ravel()
        if e.op == "kron":
            return self._kronecker(e.args[0], e.args[1], turned)
        factor = self._factor(e)
        return lambda x: _times(factor(), x[:, None], turned).ravel()

    def _kronecker(self, A: Expr, B: Expr, turned: bool) -> Callable[..., Array]:
        """kron(A, B) vec(V) = vec(B V A'), with V' in the memory of the vector."""
        first, second = self._factor(A), self._factor(B)
        inner = dimensions.evaluate(B.shape[0 if turned else 1], self.sizes)

        def step(x: Array) -> Array:
            V = x.reshape(-1, inner)
            return _times(first(), _times(second(), V.T, turned).T, turned).ravel()

        return step

    def _factor(self, e: Expr) -> Callable[[], Array | None]:
        """The value of a factor: None for an identity, one axis for a diagonal matrix."""
        if e.op == "eye":
            return lambda: None
        body = e.args[0] if e.op == "diag" else e
        self.needed[body] = None
        return (lambda: np.ravel(self.values[body])) if e.op == "diag" else (lambda: self.values[body])


def _sum(*terms: Array) -> Array:
    return np.asarray(np.sum(terms, axis=0))


def _times(factor: Array | None, M: Array, turned: bool) -> Array:
    """factor M, or factor' M."""
    if factor is None:
        return M
    if factor.ndim == 1:
        return np.asarray(factor[:, None] * M)
    return np.asarray((factor.T if turned else factor) @ M)


def kronecker_factors(matrix: Expr, *, columns: bool = False) -> list[tuple[Expr, Expr]]:
    """Pairs (A, B) with `matrix` = the sum of kron(A, B).

    Args:
        matrix: a Jacobian or Hessian.
        columns: whether it is one of columns: A is then 1 x 1 where there is no other, X' X + c I itself is B.

    Raises:
        NoRuleError: it is not a sum of Kronecker products.
    """
    found: list[tuple[Expr, Expr]] = []
    waiting: list[tuple[tuple[Expr, ...], Expr]] = [((), matrix)]
    while waiting:
        scalars, e = waiting.pop()
        if is_local(e):
            waiting.append((scalars, e.args[0]))
        elif e.op == "add":
            waiting += [(scalars, a) for a in reversed(e.args)]
        elif e.op == "scale":
            waiting.append(((*scalars, *e.args[:-1]), e.args[-1]))
        elif e.op == "kron":
            A, B = e.args
            found.append((A, core.scale(*scalars, B)) if A.op == "eye" else (core.scale(*scalars, A), B))
        elif columns:
            return [(core.eye(1), matrix)]
        else:
            raise NoRuleError(
                f"{shorten(str(matrix))} is not a sum of Kronecker products: use form='operator' or the products (hvp)"
            )
    return found
