"""A sum over samples, written with its index, is the reduction on Dask and on JAX with rows sharded over devices."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import matcalc as mc

LOGISTIC = "X: n x p; y: n x 1; w: p x 1; sum(i=1..n, log(1 + exp(-y[i]*X[i,:]*w)))"


def data() -> dict[str, Any]:
    """Samples."""
    rng = np.random.default_rng(0)
    y = np.sign(rng.normal(size=(400, 1)))
    return {"X": rng.normal(size=(400, 5)), "y": y, "w": rng.normal(size=(5, 1))}


def test_it_is_the_reduction_on_dask() -> None:
    array = pytest.importorskip("dask.array")
    d, given = mc.derive(LOGISTIC, wrt="w"), data()
    value, gradients = d.function()(**given)
    X, y = (array.from_array(given[name], chunks=(50, -1)) for name in ("X", "y"))
    found, slopes = d.function(target="dask")(X=X, y=y, w=given["w"])
    assert float(found) == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(np.asarray(slopes["w"]), gradients["w"], rtol=1e-9)


SHARDED = """
import jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
import matcalc as mc
from test_sums_spread import LOGISTIC, data
d, given = mc.derive(LOGISTIC, wrt="w"), data()
mesh = Mesh(np.array(jax.devices()), ("rows",))
rows = NamedSharding(mesh, P("rows", None))
where = {"X": rows, "y": rows, "w": NamedSharding(mesh, P())}
arrays = {n: jax.device_put(a.astype("float32"), where[n]) for n, a in given.items()}
f = jax.jit(d.function(target="jax"))
text = f.lower(**arrays).compile().as_text()
value, gradients = f(**arrays)
wanted, slopes = d.function()(**given)
assert len(jax.devices()) == 4
assert np.isclose(float(value), wanted, rtol=1e-4)
assert np.allclose(np.asarray(gradients["w"]), slopes["w"], rtol=1e-3, atol=1e-3)
print("all-reduce" in text, "all-gather" in text)
"""


def test_it_is_the_reduction_over_the_devices_of_jax() -> None:
    pytest.importorskip("jax")
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", SHARDED], capture_output=True, text=True, check=False, env={**os.environ, **flags}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "False"]  # sums over the devices, and no rows sent to others
