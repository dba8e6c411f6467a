"""A derivation as an objective for `scipy.optimize.minimize`: one flat vector instead of named matrices.

Matrices are stacked by columns, as in vec, so that `hess` is the Hessian of section "conventions" of the documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from matcalc import dims as dimensions
from matcalc.calculus.jacobian import hessian_by
from matcalc.calculus.problem import Problem
from matcalc.dims import shape_text
from matcalc.emit.module import compile_function, numpy_source
from matcalc.errors import MatcalcError, NoRuleError, ShapeError, need_one_of
from matcalc.expr import Expr
from matcalc.functions.request import function
from matcalc.numeric.binding import Array, bind
from matcalc.targets.registry import need_runnable

_MATRIX = 2


class Objective:
    """A scalar function of one flat vector, with its gradient, Hessian and Hessian-vector product.

    `objective(x)` gives the value and the gradient. The generated functions are compiled when they are first used.

    Example:
        >>> import numpy as np
        >>> import matcalc as mc
        >>> d = mc.derive("(X*w - y)'*(X*w - y)", shapes={"X": ("n", "k"), "w": ("k", 1), "y": ("n", 1)}, wrt="w")
        >>> f = d.objective(X=np.eye(2), y=np.array([1.0, 2.0]))
        >>> x = f.pack(w=[0.0, 0.0])
        >>> value, slope = f(x)
        >>> value, slope.tolist(), f.hess(x).tolist()
        (5.0, [-2.0, -4.0], [[2.0, 0.0], [0.0, 2.0]])
        >>> f.unpack(slope)
        {'w': array([-2., -4.])}

    Args:
        problem: of a scalar function with respect to all that is optimised.
        fixed: the arrays of all other variables, by name.
        dims: sizes that no array determines.
        target: of the generated functions, "numpy" or another that takes NumPy's arrays.
    """

    targets: tuple[str, ...] = ("numpy", "numba", "native")

    def __init__(
        self,
        problem: Problem,
        fixed: Mapping[str, Any],
        dims: Mapping[str, int] | None = None,
        target: str = "numpy",
    ) -> None:
        problem.need_scalar("objective")
        need_one_of("target of an objective", target, self.targets)
        need_runnable(target)
        self.problem, self.target = problem, target
        self.moving = list(problem.wrt)
        names = problem.names
        declared = problem.graph.declared
        bound = [name for name in names if problem.structure.get(name, "none") != "none"]
        if bound:
            raise NoRuleError(f"an objective moves all entries freely, but {', '.join(bound)} has a structure")
        for name in names:
            if name not in declared:
                raise MatcalcError(f"{name} is a named value: an objective is a function of variables")
        wrong = [name for name in fixed if name in names or name not in declared]
        if wrong:
            raise MatcalcError(f"{', '.join(wrong)} cannot be fixed; the fixed variables are: {self._fixed_names()}")
        missing = [name for name in declared if name not in names and name not in fixed]
        if missing:
            raise MatcalcError(f"no value is given for {', '.join(missing)}")
        seen = {name: self._looked_at(name, value) for name, value in fixed.items()}
        arrays, self.sizes = bind([v for n, v in declared.items() if n not in names], seen, dims)
        self.dims = dict(dims) if dims else None
        self.fixed = {name: self._kept(declared[name], fixed[name], array) for name, array in arrays.items()}
        self.forms: dict[str, tuple[int, ...]] = {}
        self._functions: dict[str, Callable[..., Any]] = {}

    def _looked_at(self, name: str, value: Any) -> Any:
        """What a fixed array is looked at by, for its shape and type."""
        return value

    def _kept(self, v: Expr, given: Any, looked_at: Array) -> Any:
        """What the functions take for a fixed array: a matrix or a number."""
        return looked_at[0, 0].item() if v.is_scalar else looked_at

    def _fixed_names(self) -> str:
        return ", ".join(n for n in self.problem.graph.declared if n not in self.problem.names)

    # ------------------------------------------------------------------------------------------------ packing

    def pack(self, **arrays: Any) -> Array:
        """The flat vector of these values of the variables, matrices stacked by columns.

        Raises:
            MatcalcError: a value is missing, or one is not a variable of the objective.
            ShapeError: an array does not fit.
        """
        unknown = [name for name in arrays if name not in self.problem.names]
        if unknown:
            raise MatcalcError(f"{', '.join(unknown)} is not among: {', '.join(self.problem.names)}")
        values, self.sizes = bind(self.moving, arrays, self.sizes)
        self.forms = {name: np.shape(a) for name, a in arrays.items() if np.ndim(a) != _MATRIX}
        return np.concatenate([values[name].ravel(order="F") for name in self.problem.names]).astype(float)

    def unpack(self, x: Any) -> dict[str, Array]:
        """The variables' arrays from a flat vector, in the form in which they were packed last (else as matrices).

        Raises:
            ShapeError: the vector has another length.
            MatcalcError: a size is not known yet.
        """
        flat = np.asarray(x, dtype=float)
        shapes = [self._shape(v) for v in self.moving]
        length = sum(m * n for m, n in shapes)
        if flat.shape != (length,):
            raise ShapeError(f"the vector must have {length} entries, got an array of shape {flat.shape}")
        found, start = {}, 0
        for name, (m, n) in zip(self.problem.names, shapes):
            part = flat[start : start + m * n]
            found[name] = part.reshape(self.forms.get(name, (m, n)), order="F")
            start += m * n
        return found

    def _shape(self, v: Expr) -> tuple[int, int]:
        missing = [s for s in dimensions.symbols(v.shape) if s not in self.sizes]
        if missing:
            raise MatcalcError(
                f"the size {missing[0]} of {v.params[0]} ({shape_text(v.shape)}) is not known: "
                f"give dims={{{missing[0]!r}: ...}}, or pack a starting point first"
            )
        m, n = (dimensions.evaluate(d, self.sizes) for d in v.shape)
        return m, n

    def _inputs(self, x: Any) -> dict[str, Any]:
        return self.fixed | self._moving(x)

    def _moving(self, x: Any) -> dict[str, Any]:
        """The arrays of what moves, as the functions take them."""
        scalars = {v.name for v in self.moving if v.is_scalar}
        return {n: a.item() if n in scalars else a for n, a in self.unpack(x).items()}

    def _function(self, kind: str) -> Callable[..., Any]:
        made = function(self.problem, kind, self.target)
        return partial(made, dims=self.dims) if self.dims else made

    def _run(self, kind: str, x: Any, **more: Any) -> Any:
        """What the generated function of a kind returns at a point."""
        return self._function(kind)(**self._inputs(x), **more)

    def _flat(self, arrays: Mapping[str, Any]) -> Array:
        flat = [np.ravel(np.asarray(arrays[name]), order="F") for name in self.problem.names]
        return np.concatenate(flat).astype(float, copy=False)

    # ------------------------------------------------------------------------------------------------ functions

    def __call__(self, x: Any) -> tuple[float, Array]:
        """The value and the gradient: for `minimize(..., jac=True)`."""
        value, gradients = self._run("value_and_grad", x)
        return float(value), self._flat(gradients)

    def value(self, x: Any) -> float:
        """The value alone."""
        return float(self._run("value", x))

    def gradient(self, x: Any) -> Array:
        """The gradient alone."""
        return self._flat(self._run("gradient", x))

    def hess(self, x: Any) -> Array:
        """The Hessian of all variables together, by its structured formula."""
        if "hess" not in self._functions:
            self._functions["hess"] = compile_function(self._hessian_source())
        found = self._functions["hess"](**self._inputs(x), dims=self.dims)
        count = range(len(self.moving))
        blocks = [[found[f"{i}_{j}"] if i <= j else found[f"{j}_{i}"].T for j in count] for i in count]
        return np.block(blocks)

    def _hessian_source(self) -> str:
        d = self.problem
        pairs = [(i, j) for j in range(len(self.moving)) for i in range(j + 1)]
        parts = {f"{i}_{j}": hessian_by(d, d.names[i], d.names[j]).value for i, j in pairs}
        return numpy_source(d.output, parts, "hessian", list(d.graph.declared.values()), target=self.target)

    def hessp(self, x: Any, v: Any) -> Array:
        """The Hessian times a vector; no Hessian is formed."""
        return self._flat(self._run("hvp", x, tangents=self._moving(v)))
