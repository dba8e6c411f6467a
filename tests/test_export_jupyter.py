"""Notebooks that are exported, the cell magic, completion of names, rich displays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from note_support import EXAMPLES, NAMES, derived

import matcalc as mc
from matcalc.export.program import source_program

# ------------------------------------------------------------------------------------------------ notebooks


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_the_source_program_derives_the_same(path: Path) -> None:
    d = derived(path)
    again = mc.derive(source_program(d), wrt=d.names)
    assert again.text(style="result") == d.text(style="result")


def test_a_notebook_is_valid_and_its_cells_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    d = mc.derive("f = logdet(S) + tr(S*A)", wrt="S", structure={"S": "symmetric"})
    book = json.loads(d.export(tmp_path / "n.ipynb").read_text(encoding="utf-8"))
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(book)
    names: dict[str, object] = {}
    for cell in book["cells"]:
        if cell["cell_type"] == "code" and "matplotlib" not in cell["source"]:
            exec(compile(cell["source"], "cell", "exec"), names)
    assert "agrees with finite differences" in capsys.readouterr().out


# ------------------------------------------------------------------------------------------------ Jupyter


def test_the_cell_magic_and_completion() -> None:
    shell_module = pytest.importorskip("IPython.core.interactiveshell")
    completer = pytest.importorskip("IPython.core.completer")
    shell = shell_module.InteractiveShell()
    try:
        shell.run_line_magic("load_ext", "matcalc")
        shell.run_cell("%%matcalc -w x -o q\nx'*x + tr(A)\n")
        assert str(shell.user_ns["q"].gradient("x")) == "2*x"
        assert shell.run_cell("%%matcalc -w\nx'*x\n").success
        assert shell.run_cell("%%matcalc\nx'*\n").success  # wrong input: a message, no traceback
        shell.run_cell("src = 'sum(X*w)'")
        with completer.provisionalcompleter():
            for text, expected in (('q.gradient("', {"x", "A"}), ('mc.derive(src, wrt="', {"X", "w"})):
                assert {c.text for c in shell.Completer.completions(text, len(text))} == expected
    finally:
        shell.history_manager.end_session()
        shell_module.InteractiveShell.clear_instance()


def test_derivations_and_reports_have_rich_displays() -> None:
    d = mc.derive("x'*x")
    assert set(d._repr_mimebundle_()) >= {"text/plain", "text/latex", "text/markdown"}
    assert d.check(trials=1)._repr_markdown_().startswith("✓ The generated derivative agrees")
    assert d.gradient("x")._repr_latex_() == r"$\displaystyle 2 x$"
