"""Objectives over data that lie on many workers or devices: Dask's blocks of rows, rows sharded over a mesh of JAX.

What moves is small and lives here; the data stay where they are, and only sums over their rows travel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from matcalc.calculus.problem import Problem
from matcalc.dims import is_one
from matcalc.errors import MatcalcError, NoRuleError
from matcalc.expr import Expr
from matcalc.functions.objective import Objective
from matcalc.numeric.binding import Array, matrix

_MATRIX = 2


class SpreadObjective(Objective):
    """An objective whose fixed arrays are not looked at, but for their shapes."""

    def _looked_at(self, name: str, value: Any) -> Any:
        """An array of the same shape that holds nothing."""
        shape = getattr(value, "shape", None)
        if isinstance(value, np.ndarray) or not isinstance(shape, tuple):
            return value
        if any(size != size for size in shape):
            raise MatcalcError(f"{name} has blocks of unknown size: call {name}.compute_chunk_sizes() first")
        if getattr(value, "dtype", np.dtype(float)).kind not in "biuf":
            raise MatcalcError(f"{name} must be an array of real numbers, got dtype {value.dtype}")
        return np.broadcast_to(np.float64(0), shape)

    def _kept(self, v: Expr, given: Any, looked_at: Array) -> Any:
        if isinstance(given, np.ndarray) or not hasattr(given, "shape") or given.ndim == 0:
            return super()._kept(v, given, matrix(v, given))
        if given.ndim == _MATRIX:
            return given
        return given[:, None] if is_one(v.shape[1]) else given[None, :]

    def _moving(self, x: Any) -> dict[str, Any]:
        """As matrices, in whatever form they were packed."""
        arrays = super()._moving(x)
        return {v.name: arrays[v.name] if v.is_scalar else matrix(v, arrays[v.name]) for v in self.moving}

    def hess(self, x: Any) -> Array:
        """The Hessian, where one variable moves."""
        if len(self.moving) > 1:
            raise NoRuleError("the Hessian of several variables is not computed over many workers: use hessp")
        found: Array = np.asarray(self._run("hessian", x)[self.problem.names[0]], dtype=float)
        return found


class DaskObjective(SpreadObjective):
    """Computed by a Dask client (or scheduler), block by block.

    Args:
        on: a client of `dask.distributed`, or the name of one of Dask's schedulers: `threads`, `processes`, `sync`.
    """

    targets = ("dask",)

    def __init__(self, problem: Problem, fixed: Mapping[str, Any], dims: Mapping[str, int] | None, on: Any) -> None:
        if not (isinstance(on, str) or callable(getattr(on, "get", None))):
            raise MatcalcError(f"on= must be a Dask client, or the name of a scheduler, got {type(on).__name__}")
        super().__init__(problem, fixed, dims, "dask")
        self.scheduler = on if isinstance(on, str) else on.get

    def _run(self, kind: str, x: Any, **more: Any) -> Any:
        dask = import_module("dask")
        lazy = super()._run(kind, x, **more)
        return dask.compute(lazy, scheduler=self.scheduler)[0]


class MeshObjective(SpreadObjective):
    """Compiled by JAX for the devices of a mesh: rows go over the first axis of the mesh, all else is on each device.

    Args:
        mesh: a `jax.sharding.Mesh`.
    """

    targets = ("jax",)

    def __init__(self, problem: Problem, fixed: Mapping[str, Any], dims: Mapping[str, int] | None, mesh: Any) -> None:
        if not (hasattr(mesh, "axis_names") and hasattr(mesh, "devices")):
            raise MatcalcError(f"mesh= must be a jax.sharding.Mesh, got {type(mesh).__name__}")
        super().__init__(problem, fixed, dims, "jax")
        self.mesh = mesh
        self._compiled: dict[str, Callable[..., Any]] = {}
        self._place()

    def _place(self) -> None:
        """Put the data on the devices; what is sharded already stays as it is."""
        jax = import_module("jax")
        sharding = import_module("jax.sharding")
        count = self.mesh.shape[self.mesh.axis_names[0]]
        rows = self._rows()
        for name, value in self.fixed.items():
            if isinstance(value, jax.Array) and isinstance(value.sharding, sharding.NamedSharding):
                continue
            sharded = np.ndim(value) == _MATRIX and rows is not None and self._size_of(name) == rows
            if sharded and value.shape[0] % count:
                raise MatcalcError(f"{name} has {value.shape[0]} rows, which {count} devices cannot share evenly")
            spec = sharding.PartitionSpec(self.mesh.axis_names[0]) if sharded else sharding.PartitionSpec()
            self.fixed[name] = jax.device_put(value, sharding.NamedSharding(self.mesh, spec))
        self.dtype = np.result_type(*(a.dtype for a in self.fixed.values())) if self.fixed else np.dtype(float)

    def _size_of(self, name: str) -> Any:
        return self.problem.graph.declared[name].shape[0]

    def _rows(self) -> Any:
        """The dimension over which the data go: the rows of the largest fixed matrix."""
        large = [name for name, value in self.fixed.items() if np.ndim(value) == _MATRIX and value.shape[0] > 1]
        return self._size_of(max(large, key=lambda name: self.fixed[name].size)) if large else None

    def _function(self, kind: str) -> Callable[..., Any]:
        jax = import_module("jax")
        if kind not in self._compiled:
            self._compiled[kind] = jax.jit(super()._function(kind))
        return self._compiled[kind]

    def _inputs(self, x: Any) -> dict[str, Any]:
        return {name: np.asarray(value, self.dtype) for name, value in self._moving(x).items()} | self.fixed

    def _run(self, kind: str, x: Any, **more: Any) -> Any:
        tangents = {k: np.asarray(v, self.dtype) for k, v in more.pop("tangents", {}).items()}
        return super()._run(kind, x, **more, **({"tangents": tangents} if tangents else {}))


def objective_of(
    problem: Problem,
    wrt: Any,
    fixed: Mapping[str, Any],
    dims: Mapping[str, int] | None,
    target: str = "numpy",
    on: Any = None,
    mesh: Any = None,
) -> Objective:
    """The objective with respect to some variables (default: those of the problem), here or over many workers.

    Raises:
        MatcalcError: more than one place is given, or what is given is none.
        MissingDependencyError: the library is not installed.
    """
    if wrt is not None:
        names: Iterable[Any] = wrt if isinstance(wrt, (list, tuple)) else [wrt]
        problem = Problem(problem.graph, [problem.find(name) for name in names], structure=problem.structure)
    if on is None and mesh is None:
        return Objective(problem, fixed, dims, target)
    if target != "numpy" or (on is not None and mesh is not None):
        raise MatcalcError("on= is for Dask, mesh= for JAX, and target= for this machine: give one of them")
    return DaskObjective(problem, fixed, dims, on) if on is not None else MeshObjective(problem, fixed, dims, mesh)
