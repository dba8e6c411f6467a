"""Programs with loops as native functions and in C: the values of NumPy's functions, and what they take."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_sums_nested import PROGRAMS as NESTED
from test_sums_papers import PAPERS, drawn, sizes_of
from test_sums_strange import PROGRAMS as STRANGE
from test_sums_strange import drawn as strange

import matcalc as mc
from matcalc.errors import MatcalcError, MissingDependencyError, NoRuleError
from matcalc.targets.native import compiler

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "sums"
EXAMPLES = sorted(path.stem for path in FOLDER.glob("*.txt"))


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile without optimizing, which takes most of the time; skip where there is no compiler or no SciPy."""
    if importlib.util.find_spec("scipy") is None:
        pytest.skip("needs SciPy")
    try:
        compiler.compiler()
    except MissingDependencyError as error:
        pytest.skip(str(error))
    monkeypatch.setenv("CFLAGS", "-O0")


def example(name: str) -> tuple[Any, dict[str, Any]]:
    """The derivation of an example, and inputs."""
    program = (FOLDER / f"{name}.txt").read_text()
    arrays: dict[str, Any] = dict(drawn(program, np.random.default_rng(0)))
    if name == "unrolled_descent":
        arrays["dims"] = {"T": 5}
    return mc.derive(program), arrays


def parts(result: Any) -> list[Any]:
    """All arrays of a result."""
    if isinstance(result, tuple):
        return [result[0], *parts(result[1])]
    if isinstance(result, dict):
        return [a for v in result.values() for a in (v if isinstance(v, list) else [v])]
    return [result]


def need_equal(found: Any, wanted: Any) -> None:
    """Compare values, shapes and types."""
    assert len(parts(found)) == len(parts(wanted))
    for a, b in zip(parts(found), parts(wanted)):
        assert type(a) is type(b)
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12 * (1 + np.max(np.abs(b), initial=0)))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_has_the_values_of_numpy(name: str) -> None:
    d, arrays = example(name)
    need_equal(d.function(target="native")(**arrays), d.function()(**arrays))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_in_c_has_the_values_of_numpy(name: str) -> None:
    d, arrays = example(name)
    try:
        f = d.function(target="c")
    except MatcalcError as error:
        if "needs a CBLAS" not in str(error):
            raise
        pytest.skip("needs a CBLAS with LAPACK")
    need_equal(f(**arrays), d.function()(**arrays))


@pytest.mark.parametrize(
    ("name", "kind"), [("lstm", "hvp"), ("garch", "hvp"), ("hidden_markov", "jvp"), ("kalman", "value")]
)
def test_other_kinds(name: str, kind: str) -> None:
    d, arrays = example(name)
    if kind in ("hvp", "jvp"):
        arrays["tangents"] = {n: np.cos(np.arange(a.size)).reshape(a.shape) for n, a in arrays.items()}
    need_equal(d.function(kind, target="native")(**arrays), d.function(kind)(**arrays))


@pytest.mark.parametrize("name", ["entries", "lag3", "names", "T1hmm", "maxK1", "broad"])
def test_strange_programs(name: str) -> None:
    program, sizes = STRANGE[name]
    d, values = mc.derive(program), strange(program, sizes)
    need_equal(d.function(target="native")(**values, dims=sizes), d.function()(**values, dims=sizes))


@pytest.mark.parametrize("name", ["mixture", "graph", "unequal"])
def test_several_families(name: str) -> None:
    program, wrt, _ = NESTED[name]
    d, arrays = mc.derive(program, wrt=wrt), drawn(program, np.random.default_rng(3))
    need_equal(d.function(target="native")(**arrays), d.function()(**arrays))


@pytest.mark.parametrize("name", ["gru", "sinkhorn", "fuzzy-means", "layers"])
def test_papers(name: str) -> None:
    program, _ = PAPERS[name]
    d, arrays = mc.derive(program), drawn(program, np.random.default_rng(len(name)))
    sizes = sizes_of(name) or None
    need_equal(d.function(target="native")(**arrays, dims=sizes), d.function()(**arrays, dims=sizes))


def test_inputs_of_every_kind() -> None:
    d, arrays = example("recurrent")
    f, plain = d.function(target="native"), d.function()
    wanted = plain(**arrays)
    for change in (np.asfortranarray, lambda a: a[..., ::-1][..., ::-1], lambda a: a.tolist()):
        need_equal(parts(f(**{n: change(a) for n, a in arrays.items()}))[0], wanted[0])
    for a in arrays.values():
        a.flags.writeable = False
    need_equal(f(**arrays), wanted)
    narrow = {n: a.astype(np.float32) for n, a in arrays.items()}
    need_equal(f(**narrow), plain(**narrow))
    listed = {**arrays, "x": list(arrays["x"]), "y": list(arrays["y"])}
    need_equal(f(**listed), plain(**listed))


def test_wrong_shapes_are_refused_as_by_numpy() -> None:
    d, arrays = example("recurrent")
    f = d.function(target="native")
    for wrong in ({"U": arrays["U"][:1]}, {"y": arrays["y"][1:]}, {"y": np.ones((2, 3, 4))}):
        said = []
        for g in (f, d.function()):
            with pytest.raises(ValueError, match=next(iter(wrong))) as found:
                g(**{**arrays, **wrong})
            said.append(str(found.value))
        assert said[0] == said[1]
    with pytest.raises(ValueError, match="no argument fixes the size T"):
        mc.derive((FOLDER / "unrolled_descent.txt").read_text()).function(target="native")(
            **{n: a for n, a in example("unrolled_descent")[1].items() if n != "dims"}
        )


def test_a_singular_matrix_is_an_error() -> None:
    d = mc.derive(
        "A: p x p\nb[t=1..T]: p x 1\nh[0] = zeros(p, 1)\nh[t] = inv(A)*(h[t-1] + b[t]) for t = 1..T\nnorm2(h[T])^2"
    )
    f = d.function(target="native")
    with pytest.raises(np.linalg.LinAlgError):
        f(A=np.zeros((2, 2)), b=np.ones((3, 2)))
    assert np.isfinite(f(A=np.eye(2), b=np.ones((3, 2)))[0])


def test_what_is_not_compiled_is_refused_by_its_name() -> None:
    with pytest.raises(NoRuleError, match=r"the sum over k inside of the recurrence h is not compiled for native"):
        mc.derive(NESTED["experts"][0]).code(target="native")


def test_the_file_of_c_is_checked() -> None:
    d, _ = example("garch")
    assert d.check(target="native", trials=1).ok
    text = d.code(target="c")
    assert text.startswith("/* Generated by matcalc")
    assert "int value_and_grad(int T" in text


def test_arrays_that_fit_are_taken_as_they_lie() -> None:
    d, arrays = example("recurrent")
    f, plain = d.function(target="native"), d.function()
    assert "@_compiled.quick(" in d.code(target="native")
    flat = {**arrays, "x": arrays["x"].reshape(len(arrays["x"]), -1), "y": arrays["y"].reshape(-1)}
    for a in flat.values():
        a.flags.writeable = False
    need_equal(f(**flat), plain(**flat))
    need_equal(f(**{**flat, "y": flat["y"][:, None]}), plain(**{**flat, "y": flat["y"][:, None]}))
    need_equal(f(**flat, dims={"T": len(flat["y"])}), plain(**flat))
    for wrong in ({"y": flat["y"][1:]}, {"x": flat["x"].T}, {"V": flat["V"][:, 1:]}):
        with pytest.raises(ValueError, match="needed"):
            f(**{**flat, **wrong})
    for name in ("unrolled_descent", "gaussian_mixture"):  # a size that no array fixes, a family of matrices
        assert "@_compiled.quick(" not in example(name)[0].code(target="native")
    value = d.function("value", target="native")(**flat)
    assert type(value) is float
    assert value == pytest.approx(plain(**flat)[0])
