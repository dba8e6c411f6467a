"""A target from outside of the package: NumPy without workspace and checks, printed from the schedule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from case_support import VALID, Case, derive, sample

import matcalc as mc
from matcalc.emit.program import Lowered
from matcalc.errors import MatcalcError
from matcalc.extend import Page, forget, product_of, sum_of, target, written
from matcalc.targets.libraries.sizes import size_lines
from matcalc.targets.registry import target_names

CASES = [case for case in VALID[::7] if case["kind"] == "gradient"][:12]


def toy_text(lowered: Lowered, page: Page) -> str:
    """The module of the toy target."""
    arrays = [(lowered.inputs[v.params[0]], v.shape) for v in lowered.program.variables]
    sizes, by_hand = size_lines(arrays, lowered.dimensions, lowered.dimensions.values())
    if by_hand:
        raise mc.NoRuleError("no code for the toy: sizes must be those of arrays")
    scalars = [lowered.inputs[v.params[0]] for v in lowered.program.variables if v.is_scalar]
    body = [
        *(line for line in sizes if "_fitting" not in line),
        f"dtype = np.result_type({', '.join(name for name, _ in arrays)})",
        *(f"{name} = {name}[0, 0]" for name in scalars),
        *(f"shape_{name} = {name}.shape" for name, _ in arrays),
        *(f"{s.target} = {s.text}" for s in lowered.schedule.statements),
        f"return {lowered.result()}",
    ]
    lines = "".join(f"    {line}\n" for line in body)
    return f"""# {page.title}
import math
import numpy as np
from matcalc.emit import array_helpers, helpers, input_helpers
globals().update(vars(helpers) | vars(input_helpers) | vars(array_helpers))
def {lowered.name}({", ".join(name for name, _ in arrays)}):
{lines}"""


@pytest.fixture
def toy() -> Iterator[str]:
    made = target("toy")(toy_text)
    yield made.name
    forget(made)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_reference_cases(case: Case, toy: str) -> None:
    d, dims = derive(case), case["dims"][0]
    arrays = sample(case, dims)
    wanted: Any = d.function("gradient")(**arrays, dims=dims)
    space: dict[str, Any] = {}
    exec(d.code("gradient", toy), space)
    for name, part in space["gradient"](**arrays).items():
        assert np.allclose(part, wanted[name], rtol=1e-9, atol=1e-9)


def test_a_target_that_is_gone_is_unknown() -> None:
    made = target("short")(toy_text)
    forget(made)
    assert "short" not in target_names()
    with pytest.raises(MatcalcError, match="short is not registered"):
        forget(made)


def test_a_target_is_known_while_it_is_registered(toy: str) -> None:
    assert toy in target_names()
    with pytest.raises(MatcalcError, match="there is a target toy"):
        target("toy")(toy_text)
    with pytest.raises(MatcalcError, match="got 'toys'"):
        mc.derive("x'*x", shapes={"x": ("n", 1)}).code(target="toys")


TABLE = {
    "number": lambda instruction, _: str(instruction.options[0]),
    "add": sum_of,
    "product": product_of,
    "matmul": "({0} @ {1})",
    "transpose": "{0}.T",
    "dot": "np.sum({0} * {1})",
    "sum": lambda instruction, a: f"np.sum({a[0]}, axis={instruction.options[0]})",
    "exp": "np.exp({0})",
    "step": "({0} > 0)",
    "relu": "np.maximum({0}, 0)",
}


@pytest.fixture
def table() -> Iterator[str]:
    @target("table", language="a table")
    def made(lowered: Lowered, page: Page) -> str:
        lines = [(s.target, s.computed) for s in lowered.schedule.statements]
        lines += [(f"{name}_", value) for name, value in lowered.result_values().items()]
        return "\n".join(f"{name} = {written(value, TABLE)}" for name, value in lines)

    yield made.name
    forget(made)


def test_a_printer_that_is_a_table_of_instructions(table: str) -> None:
    rng = np.random.default_rng(0)
    arrays = {"X": rng.normal(size=(4, 3)), "w": rng.normal(size=(3, 1)), "y": rng.normal(size=(4, 1))}
    d = mc.derive("X: n x 3\nw: 3 x 1\ny: n x 1\nr = exp(X*w) - y\ns = relu(r)\nr'*r/n - 2*s'*y", wrt="w")
    text = d.code("value_and_grad", table)
    assert text.splitlines()[0] == "E = np.exp((X @ w))"
    space: dict[str, Any] = {"np": np, "n": 4, **arrays}
    exec(text, space)
    value, slope = d.function()(**arrays)
    assert space["value_"] == pytest.approx(value)
    assert np.allclose(space["w_"], slope["w"])


def test_what_is_not_in_the_table_is_refused_by_name(table: str) -> None:
    with pytest.raises(mc.NoRuleError, match="cholesky_logdet is not in the table"):
        mc.derive("S: n x n positive-definite\nlogdet(S)").code("value", table)
