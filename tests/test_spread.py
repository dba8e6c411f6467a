"""Objectives over data on many workers or devices: the same numbers as here, and fits with a real optimiser."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import matcalc as mc
from matcalc.errors import MatcalcError, NoRuleError, ShapeError

LOGISTIC = "X: n x p\ny: n x 1\nw: p x 1\nc: scalar\nsum(softplus(X*w) - y .* (X*w))/n + c*norm2(w)^2/2"
TWO = "X: n x p\nY: n x k\nW: p x k\nb: 1 x k\nsum((X*W + ones(n, 1)*b - Y).^2)/n"


def data(seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(120, 4))
    return {"X": X, "y": (X[:, 0] + rng.normal(size=120) > 0).astype(float), "c": 0.1}


def agree(here: Any, there: Any, **start: Any) -> None:
    """Both objectives give the same values, gradients, products and, of one variable, Hessians."""
    x = here.pack(**start)
    assert np.array_equal(x, there.pack(**start))
    v = np.linspace(-1, 1, len(x))
    value, slope = there(x)
    assert isinstance(value, float)
    assert slope.dtype == np.float64
    assert np.allclose(value, here.value(x))
    assert np.allclose(there.value(x), here.value(x))
    assert np.allclose(slope, here.gradient(x))
    assert np.allclose(there.gradient(x), here.gradient(x))
    assert np.allclose(there.hessp(x, v), here.hessp(x, v))
    if len(start) == 1:
        assert np.allclose(there.hess(x), here.hess(x))
    else:
        with pytest.raises(NoRuleError, match="use hessp"):
            there.hess(x)


# ------------------------------------------------------------------------------------------------ Dask


def blocks(array: np.ndarray, rows: int = 50) -> Any:
    return pytest.importorskip("dask.array").from_array(array, chunks=(rows, *array.shape[1:]))


def test_dask_gives_the_same_numbers() -> None:
    given, d = data(), mc.derive(LOGISTIC, wrt="w")
    spread = {**given, "X": blocks(given["X"]), "y": blocks(given["y"])}
    agree(d.objective(**given), d.objective(**spread, on="sync"), w=[0.1, 0.2, 0.3, 0.4])
    rng = np.random.default_rng(1)
    X, Y = given["X"], rng.normal(size=(120, 3))
    d = mc.derive(TWO, wrt="W, b")
    start = {"W": rng.normal(size=(4, 3)), "b": np.zeros((1, 3))}
    agree(d.objective(X=X, Y=Y), d.objective(X=blocks(X), Y=blocks(Y), on="threads"), **start)


def test_a_fit_with_an_optimiser() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    given, d = data(), mc.derive(LOGISTIC, wrt="w")
    f = d.objective(X=blocks(given["X"]), y=blocks(given["y"]), c=given["c"], on="threads")
    fit = optimize.minimize(f, f.pack(w=np.zeros(4)), jac=True, hessp=f.hessp, method="Newton-CG")
    assert np.abs(d.objective(**given).gradient(fit.x)).max() < 1e-5


def test_data_are_not_gathered() -> None:
    array = pytest.importorskip("dask.array")
    given, d = data(), mc.derive(LOGISTIC, wrt="w")
    asked: list[int] = []

    def read(block_info: Any = None) -> np.ndarray:
        asked.append(1)
        return given["X"][:60]

    X = array.map_blocks(read, chunks=((60, 60), (4,)), dtype=float)
    f = d.objective(X=X, y=blocks(given["y"], 60), c=0.1, on="sync")
    x = f.pack(w=np.zeros(4))
    asked.clear()
    f.unpack(x)
    assert asked == []
    f(x)
    assert asked


def test_what_does_not_fit_is_said() -> None:
    given, d = data(), mc.derive(LOGISTIC, wrt="w")
    X, y = blocks(given["X"]), blocks(given["y"])
    with pytest.raises(ShapeError, match="y has the shape 50 x 1; needed n x 1"):
        d.objective(X=X, y=y[:50], c=0.1, on="sync")
    with pytest.raises(MatcalcError, match=r"call X\.compute_chunk_sizes"):
        d.objective(X=X[X[:, 0] > 0], y=y, c=0.1, on="sync")
    with pytest.raises(MatcalcError, match="on= must be a Dask client"):
        d.objective(X=X, y=y, c=0.1, on=3)
    with pytest.raises(MatcalcError, match=r"mesh= must be a jax\.sharding\.Mesh"):
        d.objective(**given, mesh="x")
    with pytest.raises(MatcalcError, match="give one of them"):
        d.objective(**given, on="sync", mesh=3)
    with pytest.raises(MatcalcError, match="give one of them"):
        d.objective(**given, on="sync", target="numba")


def test_a_variable_may_be_called_on() -> None:
    d = mc.derive("on: n x p\nw: p x 1\nnorm2(on*w)^2", wrt="w")
    assert d.objective(on=np.eye(2)).value([1.0, 2.0]) == pytest.approx(5.0)


# ------------------------------------------------------------------------------------------------ JAX

MESH = """
import sys
sys.path.insert(0, {folder!r})
import jax, numpy as np, pytest
import matcalc as mc
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from test_spread import LOGISTIC, TWO, agree, data
mesh = Mesh(jax.devices(), ("rows",))
given, d = data(), mc.derive(LOGISTIC, wrt="w")
f = d.objective(**given, mesh=mesh)
assert [f.fixed[n].sharding.spec for n in ("X", "y")] == [PartitionSpec("rows")] * 2
assert len(f.fixed["X"].sharding.device_set) == 4
agree(d.objective(**given), f, w=[0.1, 0.2, 0.3, 0.4])
placed = jax.device_put(given["X"], NamedSharding(mesh, PartitionSpec(None, "rows")))
g = d.objective(**(given | {{"X": placed}}), mesh=mesh)
assert g.fixed["X"].sharding == placed.sharding
agree(d.objective(**given), g, w=[0.1, 0.2, 0.3, 0.4])
rng = np.random.default_rng(1)
Y, e = rng.normal(size=(120, 3)), mc.derive(TWO, wrt="W, b")
agree(e.objective(X=given["X"], Y=Y), e.objective(X=given["X"], Y=Y, mesh=mesh), W=np.ones((4, 3)), b=np.zeros((1, 3)))
with pytest.raises(mc.MatcalcError, match="X has 118 rows, which 4 devices cannot share evenly"):
    d.objective(X=given["X"][2:], y=given["y"][2:], c=0.1, mesh=mesh)
print("done")
"""


def test_a_mesh_gives_the_same_numbers() -> None:
    pytest.importorskip("jax")
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"}
    script = MESH.format(folder=os.path.dirname(__file__))
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **flags}, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "done", done.stderr[-2000:]
