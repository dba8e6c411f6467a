"""Wrong input: a clear MatcalcError within a second that names the place; what may be answered is answered rightly."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
from case_support import BAD, Case, derive, relative_error
from oracle import evaluate as oracle_value

import matcalc as mc
from matcalc.cli import main

SECONDS = 1.0


def is_sayable(case: Case) -> bool:
    """Whether a command line can say the same thing: texts and numbers, and a gradient."""
    shapes = case["vars"].values() if isinstance(case["vars"], dict) else [None]
    sizes = [d for shape in shapes for d in (shape if isinstance(shape, list) else [None])]
    texts = [case["expr"], case["wrt"], *case.get("assume", {}).values()]
    return (
        all(isinstance(text, str) for text in texts)
        and all(type(d) in (str, int) for d in sizes)
        and all(name == name.strip() for name in case["vars"])
        and case["kind"] == "gradient"
    )


ON_COMMAND_LINE = [case for case in BAD if is_sayable(case)]


def by_id(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[case["id"] for case in cases])


def answer(case: Case):
    """The compiled derivative of a case."""
    return derive(case).function(case["kind"])


def names_the_place(message: str, case: Case) -> bool:
    """Whether a message says where: line and column, or the name of an argument, a variable or a dimension."""
    if re.match(r"line \d+, column \d+: ", message):
        return True
    shapes = case["vars"] if isinstance(case["vars"], dict) else {}
    names = [case["wrt"], *shapes, *(str(d) for shape in shapes.values() for d in np.ravel(shape))]
    words = ["wrt", "shapes", "facts", "structure", "kind", "gradient", "Hessian", *names]
    return any(str(word) and str(word) in message for word in words)


@by_id([case for case in BAD if case["outcome"] == "error"])
def test_refused(case):
    started = time.process_time()
    with pytest.raises(mc.MatcalcError) as caught:
        answer(case)
    message = str(caught.value)
    assert time.process_time() - started < SECONDS
    assert names_the_place(message, case), message
    assert len(message) < 600
    words = case.get("mention_any", [])
    assert not words or any(str(word).lower() in message.lower() for word in words), f"{message!r}: none of {words}"


@by_id([case for case in BAD if case["outcome"] != "error"])
def test_refused_or_answered_rightly(case):
    started = time.process_time()
    try:
        function = answer(case)
    except mc.MatcalcError as error:
        problem = str(error)
        function = None
    assert time.process_time() - started < SECONDS
    if function is None:
        assert names_the_place(problem, case), problem
        return
    for dims in case["dims"]:
        arrays = {
            name: np.random.default_rng(6).standard_normal([dims.get(d, d) for d in shape])
            for name, shape in case["vars"].items()
        }
        if case.get("expected"):
            G = function(**arrays, dims=dims)[case["wrt"]]
            assert relative_error(G, oracle_value(case["expected"], arrays, dims)) < 1e-8
        else:
            check_against_differences(case, arrays, dims)


def check_against_differences(case: Case, arrays, dims) -> None:
    """The derivatives are the slopes of the value, wherever it is defined."""
    d = derive(case)
    for name in d.names:
        V = np.random.default_rng(7).standard_normal(arrays[name].shape)
        up, down = (np.asarray(d.evaluate(**{**arrays, name: arrays[name] + h * V}, dims=dims)) for h in (1e-6, -1e-6))
        if not np.isfinite(up).all():
            continue
        slope = (up - down) / 2e-6
        claimed = d.function("jvp")(**arrays, dims=dims, tangents={name: V})
        assert relative_error(claimed, slope) < 1e-5


def command_line(case: Case) -> list[str]:
    """The case as a call of the program."""
    options = [f"--wrt={case['wrt']}"]
    for name, shape in case["vars"].items():
        options.append(f"--shape={name}={','.join(map(str, shape))}")
    options += [f"--fact={name}={word}" for name, word in case.get("assume", {}).items()]
    return ["derive", case["expr"], *options]


@by_id(ON_COMMAND_LINE)
def test_the_command_line_exits_with_2_and_one_message(case, capsys):
    code = main(command_line(case))
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    if case["outcome"] == "error":
        assert code == 2
    if code:
        assert code == 2
        assert err.startswith("matcalc: error: ") or "usage:" in err
        assert not out
