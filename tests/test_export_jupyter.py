"""Notebooks that are exported, the cell magic, completion of names, rich displays."""

from __future__ import annotations

import sys
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


def test_an_exported_notebook_has_its_outputs(tmp_path: Path) -> None:
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    nbformat = pytest.importorskip("nbformat")
    d = mc.derive("f = logdet(S) + tr(S*A)", wrt="S", structure={"S": "symmetric"})
    book = nbformat.read(d.export(tmp_path / "n.ipynb"), as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    text = "".join(output.get("text", "") for output in outputs)
    for part in ("df/dS = ", "def value_and_grad", "agrees with finite differences"):
        assert part in text
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert "image/svg+xml" in kinds
    assert "image/png" in kinds or "worst relative error" in text


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_notebooks_of_all_examples_are_valid(path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    note = mc.Note()
    note.add(derived(path))
    nbformat.validate(note.notebook(execute=False))


def test_without_jupyter_a_notebook_says_that_its_cells_have_not_been_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nbclient", None)
    note = mc.Note(language="es")
    note.add(mc.derive("x'*x", wrt="x"))
    first, *cells = note.notebook()["cells"]
    assert "aún no se han ejecutado" in first["source"]
    assert all(not cell.get("outputs") for cell in cells)


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


def test_verdicts_and_optima_are_shown_in_notebooks() -> None:
    d = mc.derive("x: n x 1; A: n x n; x'*A*x", wrt="x")
    assert d.claim("x", "2*A*x")._repr_markdown_().startswith("**✗ disproved**\n\n```text\ndisproved: the gradient")
    assert d.claim_lines("g_x = (A + A')*x")._repr_markdown_().startswith("**✓ proved**")
    page = mc.minimize("norm2(X*w - y)^2", over="w")._repr_mimebundle_()["text/markdown"]
    assert page.count("minimum over w") == 1  # once, as a heading
    assert "$$\n2 X^\\top (X w - y) = 0\n$$" in page
    assert "\n\nUndeclared names are taken for" in page
