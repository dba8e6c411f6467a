"""Generated code never writes to the arrays that it is given: every operation, every kind of function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support import OPERATIONS, SIZES, Sample, concrete, example, sample

import matcalc as mc
from matcalc import core
from matcalc.emit import trees
from matcalc.errors import MatcalcError, NoRuleError
from matcalc.expr import Expr, node
from matcalc.walk import substitute, variables

KINDS = ("value_and_grad", "value", "gradient", "jvp", "vjp", "hvp", "hessian", "jacobian")
SCALAR = {"value_and_grad", "gradient", "hvp", "hessian"}
# Derivatives of derivatives: their second ones take seconds and say nothing new.
DERIVATIVES = {"dadj", "dpolar", "dprodothers", "frechet", "frechetpow"}
DERIVATIVES |= {"care", "dare"}
DERIVATIVES |= {"dadjform", "dpolarform", "frechetform", "frechetpowform", "prodothersform"}


def _turned(s: Sample) -> Sample:
    """The same values from variables of the other sign: every argument is a negative of an input."""
    table = {v: core.minus(core.var(f"B{k}", *v.shape)) for k, v in enumerate(variables((s.expr,)))}
    values = {new.args[-1].params[0]: -s.values[v.params[0]] for v, new in table.items()}
    return Sample(substitute(s.expr, table), values, s.sizes)


def _frozen(shape: tuple[int, int], value: np.ndarray | None = None) -> np.ndarray:
    array = np.ones(shape) if value is None else np.array(value, dtype=float).reshape(shape)
    array.flags.writeable = False
    return array


def _runs(e: Expr, kind: str, s: Sample) -> None:
    """Run the function of this kind on read-only arrays; NumPy raises where one is written to."""
    arrays = {v.params[0]: _frozen(concrete(v.shape), s.values[v.params[0]]) for v in variables((e,))}
    before = {name: a.copy() for name, a in arrays.items()}
    options: dict[str, Any] = {}
    if kind in ("jvp", "hvp"):
        options["tangents"] = {name: _frozen(a.shape) for name, a in arrays.items()}
    if kind == "vjp":
        options["cotangent"] = _frozen(concrete(e.shape))
    d = mc.derive(e)
    try:
        function = d.function(kind)
    except (NoRuleError, MatcalcError) as error:
        assert "scalar" in str(error) or isinstance(error, NoRuleError), error  # noqa: PT017
        return
    found = function(**arrays, **options, dims=SIZES)
    parts = [p for part in (found if isinstance(found, tuple) else (found,)) for p in _arrays(part)]
    for name, a in arrays.items():
        assert (a == before[name]).all(), f"{kind} has changed {name}"
        assert not any(np.shares_memory(a, p) for p in parts), f"{kind} returns the memory of {name}"
    _takes_whole_numbers(function, kind, arrays, options)


def _takes_whole_numbers(function: Callable[..., Any], kind: str, arrays: Any, options: dict[str, Any]) -> None:
    """Arrays of whole numbers give what the same numbers of floating type give, in floating type, or the same error."""
    whole = {name: np.rint(3 * a).astype(np.int64) for name, a in arrays.items()}
    results = []
    for kept in (np.int64, np.float64):
        turned = {
            k: {n: a.astype(kept) for n, a in o.items()} if k == "tangents" else o.astype(kept)
            for k, o in options.items()
        }
        given = {n: a.astype(kept) for n, a in whole.items()}
        try:
            with np.errstate(all="ignore"):
                found = function(**given, **turned, dims=SIZES)
        except (np.linalg.LinAlgError, ValueError, ArithmeticError) as error:
            results.append([str(error)])
            continue
        results.append(
            [np.asarray(p) for part in (found if isinstance(found, tuple) else (found,)) for p in _all(part)]
        )
    first, second = results
    assert len(first) == len(second), f"{kind}: {first}, {second}"
    for a, b in zip(first, second):
        if isinstance(b, str):
            assert a == b
        else:
            assert a.dtype == b.dtype == float, kind
            assert np.allclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True), kind


def _all(part: Any) -> list[Any]:
    return list(part.values()) if isinstance(part, dict) else [part]


def _arrays(part: Any) -> list[np.ndarray]:
    if isinstance(part, dict):
        return list(part.values())
    return [part] if isinstance(part, np.ndarray) else []


@pytest.mark.filterwarnings("ignore:logm result may be inaccurate")
@pytest.mark.parametrize("name", OPERATIONS)
def test_inputs_are_only_read(name: str) -> None:
    plain = sample(example(name), 0)
    for s, kinds in ((plain, KINDS), (_turned(plain), ("value_and_grad", "jvp", "jacobian"))):
        total = core.total(core.hadamard(s.expr, node("sin", (s.expr,))))
        for kind in kinds:
            if kind not in ("hessian", "hvp") or name not in DERIVATIVES:
                _runs(total if kind in SCALAR else s.expr, kind, s)


@pytest.mark.parametrize(
    "source",
    [
        "sum(logsigmoid(-x))",
        "-sum(logsigmoid(-x) .* x)",
        "sum(-(-x))",
        "sum(exp(-(-x)))",
        "sum(exp(x') .* y')",
        "sum(exp(-reshape(x, 1, n)))",
        "sum(softplus(-(-x)) + y)",
        "x'*y",
    ],
)
@pytest.mark.parametrize("kind", [*KINDS, "factored"])
def test_signs_and_views(source: str, kind: str) -> None:
    rng = np.random.default_rng(0)
    arrays = {k: _frozen((6, 1), rng.normal(size=(6, 1))) for k in ("x", "y")}
    d = mc.derive(source, wrt="x", shapes={"x": ("n", 1), "y": ("n", 1)})
    options: dict[str, Any] = {"tangents": {"x": _frozen((6, 1))}} if kind in ("jvp", "hvp") else {}
    options |= {"cotangent": _frozen((1, 1))} if kind == "vjp" else {}
    try:
        f = d.function("hessian", form="factored") if kind == "factored" else d.function(kind)
    except NoRuleError:
        assert kind == "factored"
        return
    before = {k: a.copy() for k, a in arrays.items()}
    f(**arrays, **options)
    assert all((arrays[k] == before[k]).all() for k in arrays)


@pytest.mark.parametrize(
    ("text", "new"),
    [
        *((text, False) for text in ("x", "x.T", "x[0]", "x.reshape(3)", "np.einsum('ij->ji', x)")),
        *((text, True) for text in ("-x", "x + y", "x @ y", "np.exp(x)", "x.sum(axis=0)")),
    ],
)
def test_what_makes_new_memory(text: str, new: bool) -> None:
    assert trees.makes_new(trees.parsed(text)) is new


def test_twice_the_minus_is_the_array_itself() -> None:
    tree = trees.filled("-{0}", [trees.parsed("-x")], [False])
    assert trees.text(tree) == "x"
    assert not trees.makes_new(tree)
