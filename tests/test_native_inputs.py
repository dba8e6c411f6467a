"""Native functions take what the NumPy functions take, and refuse the rest in the same words: every kind."""

import numpy as np
import pytest
from test_native import same, tools  # noqa: F401
from test_native_buffers import inputs, problem

from matcalc.kinds import KINDS

STRANGE = {
    "as they are": lambda a: a,
    "lists": lambda a: a.tolist(),
    "by columns": np.asfortranarray,
    "gaps": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: np.ascontiguousarray(a[::-1])[::-1],
    "single": lambda a: a.astype(np.float32),
    "whole": lambda a: np.round(4 * a).astype(int),
    "small whole": lambda a: np.round(4 * a).astype(np.int8),
    "truth": lambda a: a > 0,
    "other order of bytes": lambda a: a.astype(">f8"),
    "single, other order": lambda a: a.astype(">f4"),
    "read-only": lambda a: np.frombuffer(a.tobytes()).reshape(a.shape),
    "unaligned": lambda a: np.frombuffer(b"0" + a.tobytes(), offset=1, count=a.size).reshape(a.shape),
    "subclass": lambda a: a.view(type("Own", (np.ndarray,), {})),
    "three axes": lambda a: a[..., None],
    "no axes": lambda a: np.array(a.flat[0]),
    "a number": lambda a: float(a.flat[0]),
    "a line": lambda a: a.ravel(),
    "longer": lambda a: np.concatenate([a, a]),
    "no rows": lambda a: a[:0],
    "complex": lambda a: a + 1j,
    "objects": lambda a: a.astype(object),
    "texts": lambda a: a.astype(str),
    "ragged": lambda a: [[1.0], [2.0, 3.0]],
    "masked": lambda a: np.ma.masked_array(a, a > 0),
    "none": lambda a: None,
    "infinite": lambda a: np.where(a == a.flat[0], np.inf, a),
    "nan": lambda a: np.where(a == a.flat[0], np.nan, a),
}


def outcome(f, given):
    """The result, or the error that says why there is none."""
    try:
        with np.errstate(all="ignore"):
            return f(**given)
    except (ValueError, TypeError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_strange_inputs(kind):
    d, good = problem(kind), inputs(kind)
    f, g = d.function(kind.name, "native"), d.function(kind.name)
    for word, made in STRANGE.items():
        for names in (["X"], ["b"], ["X", "W", "b"]):
            given = good | {name: made(good[name]) for name in names}
            found, wanted = outcome(f, given), outcome(g, given)
            is_error = isinstance(wanted, tuple) and isinstance(wanted[0], type)
            if is_error:
                assert found == wanted, (word, names)
            else:
                assert same(found, wanted, rtol=1e-4 if "single" in word else 1e-9, atol=1e-6), (word, names)


@pytest.mark.parametrize("kind", [k for k in KINDS if k.tangents or k.cotangent], ids=str)
def test_strange_tangents_and_cotangents(kind):
    d, good = problem(kind), inputs(kind)
    f, g = d.function(kind.name, "native"), d.function(kind.name)
    for word, made in STRANGE.items():
        if kind.cotangent:
            given = good | {"cotangent": made(good["cotangent"])}
        else:
            given = good | {"tangents": good["tangents"] | {"W": made(good["tangents"]["W"])}}
        found, wanted = outcome(f, given), outcome(g, given)
        if isinstance(wanted, tuple) and isinstance(wanted[0], type):
            assert found == wanted, word
        else:
            assert same(found, wanted, rtol=1e-4 if "single" in word else 1e-9, atol=1e-6), word
