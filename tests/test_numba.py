"""The NumPy module with its entrywise blocks compiled by Numba: the same results, types and messages."""

import importlib.util
import re

import numpy as np
import pytest
from test_targets import SOURCES, arrays_of

import matcalc as mc
from matcalc.errors import MissingDependencyError
from matcalc.targets import registry

needs_numba = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="needs Numba")
MORE = {
    "choices": ("x: n x 1\ny: n x 1\nsum(where(x > y, x.*y, exp(x)) .* maximum(x, y) + relu(x).^2)", ["x", "y"]),
    "transposes": ("A: n x n\nb: 1 x n\nsum(tanh(A' + 2*b) .* A./3)", ["A", "b"]),
    "scalars": ("a: 1 x 1\nx: n x 1\nsum(sin(a*x) + x/n)", ["a", "x"]),
    "names": ("numba: n x 1\nnp: n x 1\nh = sigmoid(numba + 2*np)\nsum(h .* h)", ["numba"]),
}


@needs_numba
@pytest.mark.parametrize("name", ["logistic", "network", "batch norm", *MORE])
def test_same_as_numpy(name):
    source, wrt = (SOURCES | MORE)[name]
    d = mc.derive(source, wrt=wrt)
    arrays = {k: a if a.size > 1 else a.item() for k, a in arrays_of(d).items()}
    for kind in ("value_and_grad", "hvp"):
        extra = {"tangents": {wrt[0]: np.asarray(arrays[wrt[0]]) + 1}} if kind == "hvp" else {}
        found, wanted = (d.function(kind, target)(**arrays, **extra) for target in ("numba", "numpy"))
        if kind == "value_and_grad":
            assert found[0] == pytest.approx(wanted[0])
            found, wanted = found[1], wanted[1]
        for key, slope in wanted.items():
            assert np.allclose(found[key], slope)
            assert np.shape(found[key]) == np.shape(slope)


@needs_numba
def test_single_precision_large_values_and_edges():
    d = mc.derive("sum(softplus(2*x) + sigmoid(3*x) + 2 ./ (1 + abs(x)))", shapes={"x": ("n", 1)})
    for x in ([1e4, -1e4, 0.5], [np.nan, 1.0, 2.0]):
        with np.errstate(invalid="ignore"):  # Numba compares with nan
            value, gradient = d.function(target="numba")(x=np.array(x, dtype=np.float32))
        wanted, slope = d.function()(x=np.array(x, dtype=np.float32))
        assert gradient["x"].dtype == np.float32
        assert np.allclose(value, wanted, equal_nan=True)
        assert np.allclose(gradient["x"], slope["x"], equal_nan=True)
    inverse = mc.derive("sum(1 ./ (2*x))", shapes={"x": ("n", 1)}).function("value", "numba")
    with np.errstate(divide="ignore"):
        assert inverse(x=np.array([0.0, 1.0])) == np.inf


def test_blocks_become_kernels():
    text = mc.derive(*SOURCES["network"][:1], wrt="W1").code(target="numba")
    kernel = re.search(r"@numba.vectorize\ndef (\w+)(\(g_h, h, \w+\)):", text)
    assert kernel is not None
    assert f"X.T @ {kernel[1]}{kernel[2]}" in text


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="target='numba' needs Numba: pip install numba"):
        mc.derive("sum(x.^2)", shapes={"x": ("n", 1)}).function(target="numba")
