"""Native functions that write their results to memory of the caller's: every kind, either way, and what is refused."""

import inspect

import numpy as np
import pytest
from test_native import same, tools  # noqa: F401

import matcalc as mc
from matcalc.kinds import KINDS
from matcalc.targets.native import loading

SOURCE = "sum(tanh(X*W).^2)*a + sum(W.^2) + sum(b)"
SHAPES = {"X": ("n", "k"), "W": ("k", "m"), "b": ("k", 1), "a": (1, 1)}
WAYS = ("at once", "converted", "without the extension")


def problem(kind):
    if kind.scalar or kind.tangents or kind.cotangent or kind.name == "value":
        source = SOURCE if kind.scalar else "tanh(X*W)*a + X*b*ones(1, m)"
        return mc.derive(source, wrt=["W", "b"], shapes=SHAPES)
    return mc.derive("tanh(X*W)*a + X*b*ones(1, m)", wrt=["W", "b"], shapes=SHAPES)


def inputs(kind, dtype=float):
    rng = np.random.default_rng(0)
    given = {"X": (5, 3), "W": (3, 2), "b": (3,)}
    arrays = {name: rng.normal(size=shape).astype(dtype) for name, shape in given.items()} | {"a": 1.5}
    if kind.tangents:
        arrays["tangents"] = {"W": np.cos(arrays["W"]), "b": np.sin(arrays["b"])}
    if kind.cotangent:
        arrays["cotangent"] = rng.normal(size=(5, 2)).astype(dtype)
    return arrays


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """How the function is called: the arrays as they lie, some converted, or all through ctypes."""
    if request.param == "without the extension":
        monkeypatch.setattr(loading, "_calling", lambda: None)
    return request.param


def called(way, f, given, **more):
    return f(**given | ({"X": np.asfortranarray(given["X"])} if way == "converted" else {}), **more)


def arrays_of(result):
    """The arrays of a result, by name where they come so."""
    parts = result[-1] if isinstance(result, tuple) else result
    return parts if isinstance(parts, dict) else {None: parts}


def buffers(result, made=np.empty_like):
    """Memory for a result, in the form that `out` takes."""
    parts = {name: made(a) for name, a in arrays_of(result).items()}
    return parts.get(None, parts)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_kind_writes_to_what_it_is_given(kind, dtype, way):
    d, given = problem(kind), inputs(kind, dtype)
    f = d.function(kind.name, "native")
    wanted = called(way, f, given)
    assert "out=None" in str(inspect.signature(f))
    assert same(wanted, d.function(kind.name)(**given), rtol=1e-3 if dtype is np.float32 else 1e-9)
    if not isinstance(arrays_of(wanted).get(None, np.empty(0)), np.ndarray):
        with pytest.raises(ValueError, match="out: the result is a number"):
            called(way, f, given, out=np.empty(1))
        return
    out = buffers(wanted, lambda a: np.full_like(a, np.nan))
    found = called(way, f, given, out=out)
    assert same(found, wanted, rtol=1e-3 if dtype is np.float32 else 1e-12)
    for name, a in arrays_of(found).items():
        assert a is (out if name is None else out[name])
    assert same(called(way, f, given, out=None), wanted)
    if isinstance(out, dict):  # some of them, and none
        one = {"b": out["b"]}
        found = called(way, f, given, out=one)
        assert arrays_of(found)["b"] is one["b"]
        assert not any(np.shares_memory(arrays_of(found)["W"], a) for a in out.values())
        assert same(called(way, f, given, out={}), wanted)


def strided(a):
    return np.empty((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)[..., ::2]


def readonly(a):
    found = np.zeros_like(a)
    found.flags.writeable = False
    return found


def unaligned(a):
    return np.frombuffer(bytearray(a.nbytes + 1), a.dtype, offset=1, count=a.size).reshape(a.shape)


WRONG = {
    "shape": (lambda a: np.empty((*a.shape[:-1], a.shape[-1] + 1), a.dtype), "must have the shape of the result"),
    "axes": (lambda a: np.empty((*a.shape, 1), a.dtype), "must have the shape of the result"),
    "type": (lambda a: np.empty(a.shape, np.float32), "must have the type of the result, float64, got <f4"),
    "order": (lambda a: np.empty(a.shape, ">f8"), "must have the type of the result, float64, got >f8"),
    "whole": (lambda a: np.empty(a.shape, int), "must have the type of the result"),
    "gaps": (strided, "must lie in memory row by row"),
    "read-only": (readonly, "is read-only"),
    "unaligned": (unaligned, "must lie in memory row by row, without gaps"),
    "list": (lambda a: a.tolist(), "must be an array of NumPy, got list"),
    "masked": (np.ma.masked_array, "must be an array of NumPy, got MaskedArray"),
    "none": (lambda a: None, "must be an array of NumPy, got NoneType"),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("kind", [k for k in KINDS if k.derivatives and not (k.scalar and k.matrix)], ids=str)
def test_what_does_not_fit_is_refused_and_not_written_to(kind, wrong, way):
    given = inputs(kind)
    f = problem(kind).function(kind.name, "native")
    result = called(way, f, given)
    made, said = WRONG[wrong]
    for name in arrays_of(result):
        out = buffers(result, lambda a: np.full_like(a, 7.0))
        if name is None:
            out = made(result)
            said = said if wrong != "none" else None
        else:
            out[name] = made(out[name])
        if said is None:
            continue  # None alone is no request
        with pytest.raises(ValueError, match=r"^out(\['\w'\])? " + said):
            called(way, f, given, out=out)
        if isinstance(out, dict):
            assert all((a == 7.0).all() for other, a in out.items() if other != name)


def test_names_and_forms_of_what_is_given(way):
    kind = KINDS[1]
    f, given = problem(kind).function("gradient", "native"), inputs(kind)
    both = np.empty(6)
    for out, said in (
        (np.empty((3, 2)), r"out must be a dict of arrays by name \(W, b\), got ndarray"),
        ([np.empty((3, 2))], "out must be a dict"),
        ({"Z": np.empty(3)}, "out has Z, and the results are: W, b"),
        ({1: np.empty(3)}, "out has 1, and the results are: W, b"),
        ({"W": both.reshape(3, 2), "b": both[:3]}, r"out\['W'\] and out\['b'\] share memory"),
    ):
        with pytest.raises(ValueError, match=said):
            called(way, f, given, out=out)


def test_memory_of_an_input_is_read_before_it_is_written_to(way):
    """As if the two were apart, as with NumPy's `out`."""
    d, given = mc.derive(SOURCE, wrt=["W", "b", "X"], shapes=SHAPES), inputs(KINDS[1])
    f = d.function("gradient", "native")
    wanted = called(way, f, given)
    out = {name: given[name] for name in ("W", "b", "X")}
    assert same(f(**given, out=out), wanted, rtol=1e-12)
    assert all(np.array_equal(given[name], wanted[name]) for name in out)
    given = inputs(KINDS[1])
    room = np.zeros(20)
    room[:15] = given["X"].ravel()
    shifted = room[5:].reshape(5, 3)
    assert same(f(**given | {"X": room[:15].reshape(5, 3)}, out={"X": shifted})["X"], wanted["X"], rtol=1e-12)


def test_mostly_zeros():
    """Of results that are mostly zeros the others are written: here to memory that has something else in it."""
    d = mc.derive("U: m x k\nV: n x k\nT: m x n\nE = U*V' - T\nsum(E.*E)", wrt="U")
    assert "zeros=" in d.code("hessian", "native")
    rng = np.random.default_rng(0)
    given = {"U": rng.normal(size=(4, 2)), "V": rng.normal(size=(3, 2)), "T": rng.normal(size=(4, 3))}
    f, out = d.function("hessian", "native"), {"U": np.full((8, 8), np.nan)}
    assert same(f(**given, out=out), d.function("hessian")(**given))
    same_memory = np.full((8, 8), 3.0)
    same_memory.ravel()[:8] = given["U"].ravel()
    found = f(**given | {"U": same_memory.ravel()[:8].reshape(4, 2)}, out={"U": same_memory})
    assert same(found, d.function("hessian")(**given))


def test_numbers_are_not_written_to():
    d = mc.derive("a*sum(b)", shapes={"a": (1, 1), "b": ("k", 1)})
    f = d.function("gradient", "native")
    with pytest.raises(ValueError, match=r"out\['a'\]: the result is a number"):
        f(a=2.0, b=np.ones(3), out={"a": np.empty(1)})
    for form in ((1,), (1, 1)):
        out = {"a": np.empty(form)}
        assert f(a=np.full(form, 2.0), b=np.ones(3), out=out)["a"] is out["a"]
        assert out["a"] == 3.0


@pytest.mark.parametrize("name", ["out", "buffers", "result", "_into"])
def test_names_of_sizes_and_variables(name):
    """A variable that is called out is a variable; a size may be called so too."""
    d = mc.derive(f"sum(tanh({name}).^2)", shapes={name: ("n", 1)})
    f, x = d.function("gradient", "native"), np.ones(3)
    assert same(f(**{name: x}), d.function("gradient")(**{name: x}))
    d = mc.derive("sum(tanh(X*W).^2)", shapes={"X": ("n", "p"), "W": ("p", name)}, wrt="W")
    f, arrays = d.function("gradient", "native"), {"X": np.ones((4, 3)), "W": np.ones((3, 2))}
    out = {"W": np.empty((3, 2))}
    found = f(**arrays, out=out)
    assert found["W"] is out["W"]
    assert same(found, d.function("gradient")(**arrays))
    assert same(f(**arrays | {"X": np.ones((4, 3), int)}, out=out), d.function("gradient")(**arrays))


def test_no_entries_and_files(tmp_path):
    d = mc.derive("sum(tanh(X*b))", shapes={"X": ("n", "k"), "b": ("k", 1)})
    f = d.function("gradient", "native")
    arrays = {"X": np.ones((0, 3)), "b": np.ones(3)}
    out = {"X": np.empty((0, 3)), "b": np.empty(3)}
    assert f(**arrays, out=out)["b"] is out["b"]
    file = np.memmap(tmp_path / "b", dtype=float, mode="w+", shape=(3,))
    assert same(np.array(f(X=np.eye(3), b=np.ones(3), out={"b": file})["b"]), f(X=np.eye(3), b=np.ones(3))["b"])
