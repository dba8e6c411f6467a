"""The instructions of code generation: chosen by name, with shapes, and written by a target's table."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import matcalc as mc
from matcalc.emit.catalogue import RULES, WITH_BLOCKS
from matcalc.emit.instructions import Instruction, Names
from matcalc.emit.program import Lowered
from matcalc.emit.recipe import Program
from matcalc.emit.selection import Selector
from matcalc.expr import REGISTRY
from matcalc.kinds import VALUE
from matcalc.targets.numpy.spelling import SPELLINGS, spelled

EMIT = Path(mc.__file__).parent / "emit"
NAMES = Names({"X": "X", "v": "v"}, {"m": "m", "n": "n"}, {}, {})


def chosen() -> set[str]:
    """The names of instructions that stand in the files of code generation."""
    found: set[str] = set()
    for path in EMIT.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Instruction":
                found |= {n.value for n in ast.walk(call.args[0]) if isinstance(n, ast.Constant)}
    return found


def test_every_instruction_is_written_and_every_template_is_of_an_instruction() -> None:
    by_variable = {"kron_times", "times_kron", "rows_times_blocks", "blocks_times_columns"}
    written = chosen() | by_variable
    assert len(written) > 40
    assert written <= SPELLINGS.keys() | REGISTRY.keys()
    assert SPELLINGS.keys() <= written | RULES.keys()


def test_no_numpy_stands_where_instructions_are_chosen() -> None:
    for name in (
        "blocks",
        "catalogue",
        "contractions",
        "entrywise",
        "factorisations",
        "structured",
        "traces",
        "moments",
    ):
        tree = ast.parse((EMIT / f"{name}.py").read_text(encoding="utf-8"))
        texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        assert not [t for t in texts if t.startswith(("np.", "special.", "_")) or "{0}" in t], name


@pytest.mark.parametrize(
    ("source", "name", "options", "text"),
    [
        ("X*v", "matmul", (), "{0} @ {1}"),
        ("X'", "transpose", (), "{0}.T"),
        ("sum(X, 1)", "sum", (1,), "np.sum({0}, axis=0, keepdims=True)"),
        ("sum(X.*sin(X), 2)", "sum_of_products", (False, 2), 'np.einsum("ij,ij->i", {0}, {1})[:, None]'),
        ("X - 2*sin(X)", "add", ((1, -1),), "{0} - {1}"),
        ("-2*X./sin(X)", "product", (True, ("above", "above", "below")), "-{0} * {1} / {2}"),
        ("step(X)", "step", (), "({0} > 0).astype(dtype)"),
        ("tr(X*X')", "dot", (), "np.vdot({0}, {1})"),
        ("norm2(v)", "norm2", (), "np.linalg.norm({0})"),
        ("eye(n)", "eye", (), "np.eye(n, dtype=dtype)"),
    ],
)
def test_an_instruction_and_how_numpy_writes_it(source: str, name: str, options: tuple[object, ...], text: str) -> None:
    shapes = {"X": ("m", "n"), "v": ("n", 1)}
    e = mc.derive(source, shapes=shapes).output
    select = Selector(WITH_BLOCKS, [e])
    found = select.instructions[select.decide(e)]
    assert (found.name, found.options, found.shape) == (name, options, e.shape)
    assert spelled(found, NAMES).text == text


def test_what_has_no_numpy_is_refused() -> None:
    with pytest.raises(mc.NoRuleError, match="no NumPy code for hadamard"):
        spelled(Instruction("hadamard"), NAMES)


def test_a_statement_carries_shapes_reads_and_numbers() -> None:
    source = "X: n x p\nw: p x 1\nc = 2/n\ne = sin(X*w)\nc*sum(e.*e) + c*sum(abs(e))"
    d = mc.derive(source, wrt="w")
    program = Program(VALUE, d.output, {}, list(d.graph.declared.values()))
    statements = {s.target: s.computed for s in Lowered(program, "value").schedule.statements}
    assert str(statements["e"]) == "sin(matmul(X, w))"
    assert statements["e"].shape == (d.graph.declared["X"].shape[0], 1)
    assert list(statements["e"].reads()) == ["X", "w"]
    assert statements["c"].is_number
    assert not statements["e"].is_number
    product = statements["e"].operands[0]
    assert product.instruction is not None
    assert product.instruction.name == "matmul"
    assert product.shape == statements["e"].shape
