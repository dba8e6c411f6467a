"""Notes in LaTeX and PDF: they compile, and stay on the page."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from note_support import EXAMPLES, NAMES, ROOT, derived

import matcalc as mc
from matcalc.export.lecture import make_lesson
from matcalc.export.note import Note
from matcalc.export.pdf import compiled
from matcalc.export.references import References
from matcalc.languages import language
from matcalc.printing.breaking import LINE, broken, displayed, in_rows, width
from matcalc.printing.style import STANDARD, Notation


def overfull(log: str) -> list[float]:
    return [float(x) for x in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]


def compile_tex(folder: Path, source: str, engine: str = "pdflatex") -> str:
    (folder / "n.tex").write_text(source, encoding="utf-8")
    done = subprocess.run(
        [engine, "-interaction=nonstopmode", "-halt-on-error", "n.tex"], cwd=folder, capture_output=True, check=False
    )
    log = (folder / "n.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-2000:]
    return log


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX")
def test_latex_of_all_examples_compiles_and_stays_on_the_page(tmp_path: Path) -> None:
    note = Note("All", entries=3)
    for path in EXAMPLES:
        note.add(derived(path), path.stem)
    assert [x for x in overfull(compile_tex(tmp_path, note.latex())) if x > 10] == []


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX")
def test_displays_stay_on_an_a4_page(tmp_path: Path) -> None:
    styles = ("steps", "jacobians", "differential", "result", "components")
    displays = [derived(path).latex(style=style) for path in EXAMPLES for style in styles]
    head = "\\documentclass[11pt,a4paper]{article}\\usepackage{amsmath,amssymb}\\usepackage[margin=2.4cm]{geometry}"
    body = "\n".join(f"\\[\n{display}\n\\]\n\\clearpage" for display in displays)
    log = compile_tex(tmp_path, f"{head}\\begin{{document}}{body}\\end{{document}}")
    assert [x for x in overfull(log) if x > 10] == []


def test_components_are_typeset_only() -> None:
    d = mc.derive("tr(A*X*B)", wrt="X")
    assert r"\sum_{k} A_{ki} B_{jk}" in d.latex(style="components")
    assert "By components" in d.markdown(style="components")
    with pytest.raises(mc.MatcalcError, match="typeset"):
        d.text(style="components")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX")
def test_a_fragment_can_be_read_by_input(tmp_path: Path) -> None:
    d = derived(ROOT / "examples" / "one_hidden_layer.txt")
    d.export(tmp_path / "part.tex", fragment=True, notation=Notation(bold=True, adjoint="partial", transpose="'"))
    head = r"\documentclass{article}\usepackage{amsmath,amssymb,array,booktabs}\begin{document}"
    compile_tex(tmp_path, head + "\\input{part}\n\\end{document}")


@pytest.mark.skipif(shutil.which("kpsewhich") is None, reason="no TeX")
def test_a_fragment_stands_in_a_beamer_frame(tmp_path: Path) -> None:
    if subprocess.run(["kpsewhich", "beamer.cls"], capture_output=True, check=False).returncode:
        pytest.skip("no beamer")
    for detail in ("brief", "full"):
        derived(ROOT / "examples" / "logistic_regression.txt").export(
            tmp_path / "part.tex", fragment=True, detail=detail, entries=3
        )
        head = r"\documentclass{beamer}\usepackage{array,booktabs}\begin{document}"
        head += r"\begin{frame}[allowframebreaks]{A derivation}"
        compile_tex(tmp_path, head + "\\input{part}\n\\end{frame}\\end{document}")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX")
def test_pdf(tmp_path: Path) -> None:
    assert mc.derive("x'*x").export(tmp_path / "n.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(mc.MatcalcError, match="Undefined control sequence"):
        compiled(r"\documentclass{article}\begin{document}\nonsense\end{document}")


def test_pdf_without_tex_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(mc.MissingDependencyError, match="engine='tex' needs a TeX installation"):
        mc.derive("x'*x").export(tmp_path / "n.pdf", engine="tex")


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_lines_break_and_brackets_stay_balanced(path: Path) -> None:
    d = derived(path)
    lesson = make_lesson(d, STANDARD, References(STANDARD), language("en"), detail="full")
    chains = [e for s in lesson.steps for e in (*s.found, *(e for line in s.lines for e in line))]
    formulas = [row.formula for e in chains for row in e.rows] + [r.formula for r in lesson.results]
    for formula in formulas:
        for line in (12.0, 20.0, LINE):
            rows = broken(formula, line)
            for row in rows:
                assert row.count("{") == row.count("}"), row
                assert row.count(r"\left") == row.count(r"\right")
            rows[1:] = [row.removeprefix(r"\cdot ") for row in rows[1:]]  # a product goes on with a dot
            joined = re.sub(r"\\[bB]igl|\\left|\\[bB]igr|\\right|\s", "", "".join(rows))
            assert joined == re.sub(r"\\left|\\right|\s", "", formula)


def test_width_and_display() -> None:
    assert width("x + y") < width("x + y + z") < width(r"x + y + \operatorname{softmax}(z)")
    assert displayed("x = y") == "x = y"
    long = " + ".join(f"A_{{{k}}} x" for k in range(40))
    assert displayed(f"y = {long}").startswith("\\begin{aligned}\n&y = ")
    assert all(width(row) <= LINE + 1 for row in broken(long))
    factors = r" \, ".join(rf"\operatorname{{diag}}(x_{{{k}}})" for k in range(12))
    rest = broken(factors)[1:]
    assert rest
    assert all(row.startswith(r"\cdot \operatorname{diag}") for row in rest)
    assert len(in_rows(r"\text{in a trace, factors go round; what is repeated is summed}", 14)) == 3
