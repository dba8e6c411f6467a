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
from matcalc.targets.libraries.sizes import size_lines
from matcalc.targets.registry import Page, Target, forget, register, target_names

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
    register(Target("toy", toy_text))
    yield "toy"
    forget("toy")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_reference_cases(case: Case, toy: str) -> None:
    d, dims = derive(case), case["dims"][0]
    arrays = sample(case, dims)
    wanted: Any = d.function("gradient")(**arrays, dims=dims)
    space: dict[str, Any] = {}
    exec(d.code("gradient", toy), space)
    for name, part in space["gradient"](**arrays).items():
        assert np.allclose(part, wanted[name], rtol=1e-9, atol=1e-9)


def test_a_target_is_known_while_it_is_registered(toy: str) -> None:
    assert toy in target_names()
    with pytest.raises(MatcalcError, match="there is a target toy"):
        register(Target("toy", toy_text))
    with pytest.raises(MatcalcError, match="got 'toys'"):
        mc.derive("x'*x", shapes={"x": ("n", 1)}).code(target="toys")
