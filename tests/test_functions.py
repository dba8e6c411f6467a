"""Python functions as sources: value and gradient are those of the function itself, or it is refused by line."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matcalc as mc
from matcalc.frontend.tracing.files import function_in
from matcalc.frontend.tracing.library import library_of

FILES = [Path(__file__).parent / "cases" / name for name in ("functions.jsonl", "functions_further.jsonl")]
CASES = [json.loads(line) for file in FILES for line in file.read_text(encoding="utf-8").splitlines()]
ANSWERED: tuple[str, ...] = ()  # what need not be read, and is
READ = CASES


def loaded(code: str, folder: Path, name: str = "f") -> Any:
    """The function of a module that is written to a file."""
    path = folder / "user_module.py"
    path.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("user_module", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["user_module"] = module
    spec.loader.exec_module(module)
    return getattr(module, name)


def drawn(kind: str | None, shape: tuple[int, ...], r: np.random.Generator) -> Any:
    """Random data of a kind."""
    z = r.standard_normal(shape)
    made: dict[str | None, Callable[[], Any]] = {
        None: lambda: z,
        "small": lambda: 0.4 * z,
        "positive": lambda: r.uniform(0.5, 2.0, shape),
        "sign": lambda: np.where(r.random(shape) < 0.5, -1.0, 1.0),
        "binary": lambda: (r.random(shape) < 0.6).astype(float),
        "index3": lambda: r.integers(0, 3, shape).astype(float),
        "onehot": lambda: np.eye(shape[1])[r.integers(0, shape[1], shape[0])],
        "prob": lambda: (lambda p: p / p.sum(axis=-1, keepdims=True))(r.uniform(0.3, 1.0, shape)),
        "spd": lambda: z @ z.T / shape[0] + np.eye(shape[0]),
        "value:0.1": lambda: np.full(shape, 0.1),
    }
    return np.asarray(made[kind]())


def arrays_of(case: dict[str, Any], dims: dict[str, int], seed: int) -> dict[str, Any]:
    r = np.random.default_rng(seed)
    found = {}
    for name, spec in case["shapes"].items():
        sizes = spec if isinstance(spec, list) else [spec]
        shape = tuple(s if isinstance(s, int) else dims[s] for s in sizes)
        found[name] = drawn(case.get("domain", {}).get(name), shape, r)
    return found


def value_of(library: str, f: Any, arrays: dict[str, Any]) -> float:
    if library == "torch":
        torch = pytest.importorskip("torch")
        with torch.no_grad():
            return float(f(**{k: torch.tensor(v, dtype=torch.float64) for k, v in arrays.items()}))
    if library == "jax":
        jax = pytest.importorskip("jax")
        with jax.enable_x64(True):
            return float(f(**{k: jax.numpy.asarray(v) for k, v in arrays.items()}))
    return float(f(**{k: v.copy() if v.ndim else float(v) for k, v in arrays.items()}))


def slope(library: str, f: Any, arrays: dict[str, Any], name: str, V: Any) -> float:
    """The derivative in a direction, by extrapolated central differences."""

    def central(h: float) -> float:
        ends = [value_of(library, f, {**arrays, name: np.asarray(arrays[name] + s * h * V)}) for s in (1, -1)]
        return (ends[0] - ends[1]) / (2 * h)

    table = [central(h) for h in (4e-3, 2e-3, 1e-3)]
    for power in (1, 2):
        table = [(4**power * b - a) / (4**power - 1) for a, b in zip(table, table[1:])]
    return table[0]


def shapes_of(case: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(s) if isinstance(s, list) else s for k, s in case["shapes"].items()}


def need_agreement(case: dict[str, Any], f: Any) -> None:
    """The derivation has the function's values, and its slopes in random directions, at two sizes."""
    d = mc.derive(f, wrt=case["wrt"], shapes=shapes_of(case), facts=case.get("facts") or None)
    function = d.function("value_and_grad")
    for seed, dims in enumerate(case["dims"]):
        arrays = arrays_of(case, dims, seed)
        wanted = value_of(case["library"], f, arrays)
        value, gradients = function(**arrays)
        assert value == pytest.approx(wanted, rel=1e-7)
        assert d.evaluate(**arrays) == pytest.approx(wanted, rel=1e-7)
        for name in d.names:
            G = np.asarray(gradients[name])
            assert G.size == arrays[name].size
            if arrays[name].ndim:
                assert G.shape == arrays[name].shape
            V = np.random.default_rng(seed).standard_normal(arrays[name].shape)
            if case.get("compare", {}).get(name) == "symmetric-part":
                V = V + V.T
            found = float(np.sum(G.reshape(V.shape) * V))
            assert found == pytest.approx(slope(case["library"], f, arrays, name, V), rel=2e-6, abs=2e-6)


@pytest.mark.parametrize("case", [c for c in READ if c["expect"] == "ok"], ids=lambda c: c["id"])
def test_value_and_gradient_are_those_of_the_function(case: dict[str, Any], tmp_path: Path) -> None:
    if case["library"] != "numpy":
        pytest.importorskip(case["library"])
    need_agreement(case, loaded(case["code"], tmp_path))


@pytest.mark.parametrize("case", [c for c in READ if c["expect"] == "refused"], ids=lambda c: c["id"])
def test_what_cannot_be_read_is_refused_by_its_line(case: dict[str, Any], tmp_path: Path) -> None:
    if case["library"] != "numpy":
        pytest.importorskip(case["library"])
    f = loaded(case["code"], tmp_path)
    if case["id"] in ANSWERED:
        assert case["right_is_fine"]
        assert mc.derive(f, wrt=case["wrt"], shapes=shapes_of(case)).check(against=f).ok
        return
    with pytest.raises(mc.MatcalcError) as caught:
        mc.derive(f, wrt=case["wrt"], shapes=shapes_of(case))
    lines = {int(k) for k in re.findall(r"\bline (\d+)", str(caught.value))}
    assert lines & set(case["lines"]), str(caught.value)


def test_the_case_file_is_complete() -> None:
    assert len(CASES) == 62 + 19
    assert {case["library"] for case in CASES} == {"numpy", "jax", "torch"}


# ------------------------------------------------------------------------------------------------ NumPy, by itself


def ridge(X: Any, y: Any, w: Any, c: Any) -> Any:
    """Ridge regression.

    More of it.
    """
    n = X.shape[0]
    r = y - X @ w
    loss = r @ r / (2 * n)
    return loss + c * np.sum(w**2) / 2


SHAPES = {"X": ("n", "p"), "y": "n", "w": "p", "c": ()}


def test_names_title_and_forms_are_those_of_the_function() -> None:
    d = mc.derive(ridge, wrt="w", shapes=SHAPES)
    assert list(d.graph.definitions) == ["r", "loss"]
    assert str(d.gradient("w")) in ("c*w - X'*r/n", "-X'*r/n + c*w")
    assert d.origin is not None
    assert d.origin.title == "Ridge regression"
    _, gradient = d.function()(X=np.ones((3, 2)), y=np.ones(3), w=np.ones(2), c=2.0)
    assert gradient["w"].shape == (2,)


def test_check_against_the_function_and_against_a_wrong_one() -> None:
    d = mc.derive(ridge, wrt="w", shapes=SHAPES)
    assert d.check(against=ridge).ok

    def other(X: Any, y: Any, w: Any, c: Any) -> Any:
        return ridge(X, y, w, c) + 1e-3 * np.sum(w)

    report = d.check(against=other)
    assert not report.ok
    assert "gives" in report.reason
    from_text = mc.derive("norm2(X*w - y)^2/2", wrt="w", shapes={"X": ("n", "p"), "w": ("p", 1), "y": ("n", 1)})
    assert from_text.check(against=lambda X, w, y: np.sum((X @ w - y) ** 2) / 2).ok
    assert not from_text.check(against=lambda X, w, y: np.sum((X @ w - y) ** 2)).ok


def test_a_function_that_is_another_at_every_call_is_refused() -> None:
    calls = iter(range(1000))

    def f(x: Any) -> Any:
        return np.sum(x) * (1 + next(calls))

    with pytest.raises(mc.MatcalcError, match="depend on anything but its arguments"):
        mc.derive(f, wrt="x", shapes={"x": "n"})


def test_an_except_cannot_hide_a_refusal() -> None:
    def f(x: Any) -> Any:
        try:
            scale = float(np.sum(x))
        except ValueError:
            scale = 1.0
        return scale * np.sum(x)

    with pytest.raises(mc.MatcalcError, match="conversion to a Python number"):
        mc.derive(f, wrt="x", shapes={"x": "n"})


def test_everything_is_put_back() -> None:
    before = (np.ones, np.random.rand, np.c_, np.array)
    X = np.ones((3, 2))

    def f(w: Any) -> Any:
        return np.sum((X @ w) ** 2)

    names = dict(f.__globals__)
    mc.derive(f, wrt="w", shapes={"w": 2})
    with pytest.raises(mc.MatcalcError):
        mc.derive(lambda w: np.argmax(w), wrt="w", shapes={"w": 2})
    assert before == (np.ones, np.random.rand, np.c_, np.array)
    assert type(X) is np.ndarray
    assert "len" not in f.__globals__
    assert names.keys() == f.__globals__.keys()
    assert f.__closure__ is not None
    assert f.__closure__[0].cell_contents is X


WRONG: list[tuple[Any, dict[str, Any], str]] = [
    (lambda x, y: np.sum(x * y), {"x": "n", "y": "m"}, "need not be equal"),
    (lambda X, y: np.sum(X * y), {"X": ("n", "m"), "y": "n"}, r"v\[:, None\]"),
    (lambda x: np.sort(x)[0], {"x": "n"}, "order that depends"),
    (lambda x: x[x > 0].sum(), {"x": "n"}, "one-hot"),
    (lambda x: sum(v for v in x), {"x": "n"}, "loop over data"),
    (lambda x: x if x.sum() > 0 else -x, {"x": "n"}, "branch"),
    (lambda x: (x, x), {"x": "n"}, "one array"),
    (lambda x: np.fft.fft(x).sum(), {"x": "n"}, "fft"),
    (lambda x: np.round(x).sum(), {"x": "n"}, "rounding"),
    (lambda x: np.exp(x, out=np.zeros(3)).sum(), {"x": 3}, "out="),
    (lambda x: np.sum(x), {}, "shapes has nothing for x"),
    (lambda x: np.sum(x), {"z": "n"}, "is not an argument"),
    (lambda x: np.sum(x), {"x": ("n", "m", "k")}, "pair"),
]


@pytest.mark.parametrize(("f", "shapes", "words"), WRONG)
def test_refusals_say_what_to_write(f: Any, shapes: Any, words: str) -> None:
    with pytest.raises(mc.MatcalcError, match=words):
        mc.derive(f, shapes=shapes)


def test_the_library_is_found() -> None:
    assert library_of(ridge) == "numpy"
    assert library_of(lambda x: x @ x) == "numpy"


def test_a_module_has_its_parameters_as_variables() -> None:
    torch = pytest.importorskip("torch")

    class Net(torch.nn.Module):  # type: ignore[misc,name-defined]
        """A small network."""

        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.Linear(3, 4)
            self.drop = torch.nn.Dropout(0.5)
            self.last = torch.nn.Linear(4, 1)

        def forward(self, x: Any, y: Any) -> Any:
            h = torch.tanh(self.first(x))
            return torch.nn.functional.mse_loss(self.last(self.drop(h)), y)

    net, shapes = Net(), {"x": ("n", 3), "y": ("n", 1)}
    with pytest.raises(mc.MatcalcError, match=r"model\.eval"):
        mc.derive(net, wrt="first_weight", shapes=shapes)
    d = mc.derive(net.eval(), wrt="first_weight, last_bias", shapes=shapes)
    assert d.check(against=net).ok
    assert isinstance(net.first.weight, torch.nn.Parameter)


def test_constants_are_known_to_functions_and_cannot_be_given() -> None:
    A = np.array([[2.0, -1.0], [-1.0, 3.0]])
    d = mc.derive(lambda x: x @ A @ x / 2, wrt="x", shapes={"x": 2})
    assert str(d.gradient("x")) == "A*x"
    assert d.function("gradient")(x=[1.0, 1.0])["x"].tolist() == [1.0, 2.0]
    with pytest.raises(mc.MatcalcError, match="constant of the function"):
        d.evaluate(x=[1.0, 1.0], A=np.eye(2))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def helper():\n    return 1/0\n\nX = helper()\n", ", line 2, `return 1/0`: ZeroDivisionError"),
        ("def loss(w)\n    return w @ w\n", ", line 1: SyntaxError"),
        ("import a_module_that_is_not_there\n", ", line 1, `import a_module_that_is_not_there`: ModuleNotFoundError"),
    ],
)
def test_a_file_that_fails_says_at_which_line(text, said, tmp_path):
    (tmp_path / "user.py").write_text(text)
    with pytest.raises(mc.MatcalcError) as refused:
        function_in(str(tmp_path / "user.py"), "loss")
    assert f"fails when it is run{said}" in str(refused.value)


def test_attributes_do_not_tell_the_library():
    pytest.importorskip("jax")
    pytest.importorskip("torch")
    space = {"__name__": "user"}
    lines = "import jax, torch.nn as nn\nimport jax.numpy as jnp\ndef f(x): return jnp.sum(jax.nn.sigmoid(x))\n"
    exec(lines, space)
    assert library_of(space["f"]) == "jax"
