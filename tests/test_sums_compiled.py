"""Loops compiled by Numba: the values of NumPy, and refusals where something is not compiled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_sums_papers import drawn

import matcalc as mc

pytest.importorskip("numba")
FOLDER = Path(__file__).resolve().parent.parent / "examples" / "sums"


@pytest.mark.parametrize(("name", "wrt"), [("recurrent", "V"), ("garch", None)])
def test_numba_computes_what_numpy_does(name: str, wrt: str | None) -> None:
    program = (FOLDER / f"{name}.txt").read_text()
    d = mc.derive(program, wrt=wrt)
    arrays = drawn(program, np.random.default_rng(0))
    arrays = {n: np.asfortranarray(a) for n, a in arrays.items()}
    value, gradients = d.function()(**arrays)
    compiled, slopes = d.function(target="numba")(**arrays)
    assert compiled == pytest.approx(value, rel=1e-12)
    for key, gradient in gradients.items():
        np.testing.assert_allclose(slopes[key], gradient, rtol=1e-9, atol=1e-12)


def test_a_wrong_shape_is_refused_before_anything_is_compiled() -> None:
    f = mc.derive((FOLDER / "recurrent.txt").read_text()).function(target="numba")
    arrays = drawn((FOLDER / "recurrent.txt").read_text(), np.random.default_rng(0))
    with pytest.raises(ValueError, match="U has the shape"):
        f(**{**arrays, "U": arrays["U"][:1]})


def test_what_numba_does_not_compile_is_refused_by_its_name() -> None:
    d = mc.derive(
        "A: p x p\nx[t=1..T]: p x 1\nh[0] = zeros(p, 1)\nh[t] = expm(A)*h[t-1] + x[t] for t = 1..T\nnorm2(h[T])"
    )
    with pytest.raises(mc.MatcalcError, match="expm is not compiled by Numba"):
        d.code(target="numba")
