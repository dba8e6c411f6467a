"""Notes: every format, notation, languages, templates, pictures, broken lines, formulas by components."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from support import example

import matcalc as mc
from matcalc.cli import main
from matcalc.export.differentials import formulas
from matcalc.export.languages import available, language
from matcalc.export.lesson import make_lesson
from matcalc.export.note import SUFFIXES, Note
from matcalc.export.pdf import compiled
from matcalc.export.picture import graph_svg
from matcalc.export.program import source_program
from matcalc.export.references import References
from matcalc.expr import REGISTRY
from matcalc.printing.breaking import LINE, broken, displayed, width
from matcalc.printing.components import entry
from matcalc.printing.latex import latex
from matcalc.printing.style import STANDARD, Notation
from matcalc.rewrite.rule import RULES

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.txt"))
TEXT_FORMS = [s for s in SUFFIXES if s != ".pdf"]
DEVANAGARI = re.compile("[\u0900-\u097f]")
NAMES = [path.stem for path in EXAMPLES]


def derived(path: Path) -> mc.Derivation:
    return mc.derive(path.read_text(encoding="utf-8"))


def chain(length: int) -> mc.Derivation:
    """A network of many layers."""
    lines = ["x: n x 1"] + [f"W{k}: n x n" for k in range(length)]
    previous = "x"
    for k in range(length):
        lines.append(f"h{k} = tanh(W{k}*{previous})")
        previous = f"h{k}"
    return mc.derive("\n".join([*lines, f"f = sum({previous})"]), wrt=["x", "W0"])


# ------------------------------------------------------------------------------------------------ formats


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
@pytest.mark.parametrize("suffix", TEXT_FORMS)
def test_examples_export(tmp_path: Path, path: Path, suffix: str) -> None:
    target = tmp_path / f"note{suffix}"
    assert derived(path).export(target, title="Title & more", entries=3) == target
    text = target.read_text(encoding="utf-8")
    assert "Title" in text
    assert "jinja" not in text


def test_one_derivation_has_every_part() -> None:
    note = Note("T", entries=3)
    note.add(derived(ROOT / "examples" / "one_hidden_layer.txt"))
    text = note.markdown()
    for part in ("Variables", "Forward graph", "Backward, from", "Chain rule", "which collapses by", "Results"):
        assert part in text
    for part in ("Shapes:", "Facts used: $y$ is row-stochastic", "Generated code", "Numeric certificate", "Horn"):
        assert part in text
    assert r"\boxed{\delta_{\theta} = \hat{y} - y}" in text
    assert r"(1 \times K) \;\cdot\; (K \times H) \;\to\; 1 \times H" in text
    assert r"\begin{bmatrix} h_{1} \, (1 - h_{1}) & 0 & 0" in text


def test_several_derivations_share_one_list_of_identities() -> None:
    note = Note("Two")
    for path in EXAMPLES[:2]:
        note.add(derived(path), path.stem)
    text = note.markdown()
    assert text.count("## Identities used") == 1
    assert text.count("### Variables") == 2
    numbers = [int(n) for n in re.findall(r"^\| \((\d+)\) \|", text, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    cited = {int(n) for n in re.findall(r"\$ \((\d+)\)", text)}
    assert cited <= set(numbers)


def test_brief_is_readable_and_full_is_complete_for_many_nodes() -> None:
    d = chain(60)
    brief, full = Note(detail="brief"), Note()
    brief.add(d)
    full.add(d)
    short, long = brief.markdown(), full.markdown()
    assert "Chain rule" not in short
    assert len(short) < len(long) / 2
    assert long.count("#### ") >= 61
    for k in range(60):
        assert rf"\delta_{{h_{{{k}}}}} = " in short


def test_a_matrix_function_shows_its_jacobians() -> None:
    note = Note()
    note.add(mc.derive("A*X*B", wrt="X"))
    text = note.markdown()
    assert "Local Jacobians" in text
    assert r"B^\top \otimes A" in text
    assert "Generated code" not in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "note.doc"}, "suffix must be one of"),
        ({"path": "note"}, "suffix must be one of"),
        ({"path": "note.md", "language": "xx"}, "language must be one of en, es, hi"),
        ({"path": "note.md", "detail": "long"}, "detail must be full or brief"),
        ({"path": "note.md", "template": "missing.jinja"}, "is not a file"),
        ({"path": "note.md", "fragment": True}, "a fragment is LaTeX"),
        ({"path": "note.md", "colour": "red"}, "no option colour"),
        ({"path": "note.md", "entries": -1}, "entries must be"),
        ({"path": "missing/folder/note.md"}, "cannot write"),
    ],
)
def test_wrong_options_are_refused(tmp_path: Path, options: dict[str, object], message: str) -> None:
    d = mc.derive("x'*x")
    path = tmp_path / str(options.pop("path"))
    with pytest.raises(mc.MatcalcError, match=message):
        d.export(path, **options)


def test_an_empty_note_is_refused(tmp_path: Path) -> None:
    with pytest.raises(mc.MatcalcError, match="empty"):
        Note("T").export(tmp_path / "n.md")
    with pytest.raises(mc.MatcalcError, match="made of derivations"):
        Note("T").add("x'*x")  # type: ignore[arg-type]


def test_html_asks_the_network_for_nothing() -> None:
    note = Note("T")
    note.add(mc.derive("x'*A*x", wrt="x"))
    page = note.html()
    outside = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r'(src|href)="(?!#)', outside)
    assert "@import" not in page
    assert not re.search(r"url\((?!data:|#)", outside)
    assert "The MIT License" in page
    assert len(page) < 900_000


@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
def test_katex_sets_every_formula_of_the_examples(tmp_path: Path) -> None:
    note = Note("All", entries=3, notation=Notation(bold=True, adjoint="partial"))
    for path in EXAMPLES:
        note.add(derived(path), path.stem)
    found = re.findall(r'class="(m|d|d result)">(.*?)</(?:span|div)>', note.html(), flags=re.DOTALL)
    formulas_ = [[html.unescape(text), kind != "m"] for kind, text in found]
    assert len(formulas_) > 200
    assert not [text for text, _ in formulas_ if "[t]" in text]
    (tmp_path / "f.json").write_text(json.dumps(formulas_), encoding="utf-8")
    script = (
        "const k = require(process.argv[1]), f = JSON.parse(require('fs').readFileSync(process.argv[2]));"
        "for (const [t, d] of f) k.renderToString(t, {displayMode: d, strict: 'ignore'})"
    )
    katex = ROOT / "matcalc" / "export" / "katex" / "katex.min.js"
    done = subprocess.run(
        ["node", "-e", script, str(katex), str(tmp_path / "f.json")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-800:]


def test_users_text_is_escaped() -> None:
    note = Note("<b>50% of $x_1$ & more</b>")
    note.add(mc.derive("x'*x"), text="a_b <script>alert(1)</script>")
    assert "<script>alert" not in note.html()
    assert "<b>50%" not in note.html()
    assert r"50\% of \$x\_1\$ \& more" in note.latex()


def test_a_users_template_extends_ours_in_a_sandbox(tmp_path: Path) -> None:
    own = tmp_path / "own.jinja"
    own.write_text('{% extends "note.md.jinja" %}{% block title %}Course 101: {{ note.title }}{% endblock %}')
    d = mc.derive("x'*x")
    text = d.export(tmp_path / "n.md", template=own, title="T").read_text(encoding="utf-8")
    assert text.startswith("Course 101: T")
    assert "## Identities used" in text or "### Results" in text
    for bad, message in (
        ("{% if %}", "line 1"),
        ("{{ nothing }}", "nothing"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
    ):
        own.write_text(bad)
        with pytest.raises(mc.MatcalcError, match=message):
            d.export(tmp_path / "n.md", template=own)


def test_json_is_plain_data(tmp_path: Path) -> None:
    data = json.loads(mc.derive("x'*x").export(tmp_path / "n.json").read_text(encoding="utf-8"))
    assert data["derivations"][0]["results"][0]["gradient"] == "2*x"
    assert data["derivations"][0]["check"]["ok"] is True


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


# ------------------------------------------------------------------------------------------------ LaTeX


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
    styles = ("steps", "differential", "result", "components")
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


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX")
def test_pdf(tmp_path: Path) -> None:
    assert mc.derive("x'*x").export(tmp_path / "n.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(mc.MatcalcError, match="Undefined control sequence"):
        compiled(r"\documentclass{article}\begin{document}\nonsense\end{document}")


def test_pdf_without_tex_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(mc.MissingDependencyError, match="print it from the browser"):
        mc.derive("x'*x").export(tmp_path / "n.pdf")


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_lines_break_and_brackets_stay_balanced(path: Path) -> None:
    d = derived(path)
    lesson = make_lesson(d, STANDARD, References(STANDARD), detail="full")
    formulas = [t.chain for s in lesson.steps for t in s.through] + [r.formula for r in lesson.results]
    for formula in formulas:
        for line in (12.0, 20.0, LINE):
            rows = broken(formula, line)
            for row in rows:
                assert row.count("{") == row.count("}"), row
                assert row.count(r"\left") == row.count(r"\right")
            joined = re.sub(r"\\[bB]igl|\\left|\\[bB]igr|\\right|\s", "", "".join(rows))
            assert joined == re.sub(r"\\left|\\right|\s", "", formula)


def test_width_and_display() -> None:
    assert width("x + y") < width("x + y + z") < width(r"x + y + \operatorname{softmax}(z)")
    assert displayed("x = y") == "x = y"
    long = " + ".join(f"A_{{{k}}} x" for k in range(40))
    assert displayed(f"y = {long}").startswith("\\begin{aligned}\n&y = ")
    assert all(width(row) <= LINE + 1 for row in broken(long))


# ------------------------------------------------------------------------------------------------ notation


@pytest.mark.parametrize(
    ("notation", "expected"),
    [
        (Notation(), r"\delta_{\theta} W_{2}^\top"),
        (Notation(transpose="'"), r"\delta_{\theta} W_{2}'"),
        (Notation(bold=True), r"\boldsymbol{\delta}_{\boldsymbol{\theta}} \mathbf{W}_{2}^\top"),
        (Notation(adjoint="bar"), r"\bar{\theta} W_{2}^\top"),
        (Notation(adjoint="partial", output="J"), r"\frac{\partial J}{\partial \theta} W_{2}^\top"),
        (Notation(names={"W2": "W^{(2)}"}), r"\delta_{\theta} W^{(2)}^\top"),
    ],
)
def test_notation(notation: Notation, expected: str) -> None:
    d = derived(ROOT / "examples" / "one_hidden_layer.txt")
    assert latex(d.adjoint("h").value, notation) == expected


def test_notation_reaches_every_view() -> None:
    d = mc.derive("sum(X .* Y .* Y)", shapes={"X": ("n", "m"), "Y": ("n", "m")})
    chosen = Notation(hadamard=r"\circ", transpose="'")
    for text in (d.latex(notation=chosen), d.markdown(notation=chosen)):
        assert r"\circ" in text
        assert r"\odot" not in text
    with pytest.raises(mc.MatcalcError, match="transpose"):
        Notation(transpose="T")
    with pytest.raises(mc.MatcalcError, match="hadamard"):
        Notation(hadamard="*")
    with pytest.raises(mc.MatcalcError, match="adjoint"):
        Notation(adjoint="hat")


# ------------------------------------------------------------------------------------------------ components


@pytest.mark.parametrize(
    ("source", "wrt", "expected"),
    [
        ("tr(A*X*B)", "X", r"\sum_{k} A_{ki} B_{jk}"),
        ("sum(exp(x))", "x", r"\exp(x_{i})"),
        ("x'*A*x", "A", "x_{i} x_{j}"),
        ("norm2(X*w - y)^2/2", "w", r"\sum_{j} X_{ji} \left(\sum_{k} X_{jk} w_{k} - y_{j}\right)"),
    ],
)
def test_entries(source: str, wrt: str, expected: str) -> None:
    found = entry(mc.derive(source, wrt=wrt).gradient(wrt), STANDARD)
    assert found is not None
    assert found.right == expected


def test_the_sign_of_a_scalar_that_is_a_sum_stays() -> None:
    a, b, x = mc.var("a", 1, 1), mc.var("b", 1, 1), mc.var("x", "n", 1)
    for e, expected in (
        ((-a - b) * x, "(-a - b) x_{i}"),
        ((b - a) * x, "(b - a) x_{i}"),
        (-2 * a * x, "(-2 a) x_{i}"),
        (x - 2 * (a * x - b * x), "x_{i} - 2 (a x_{i} - b x_{i})"),
    ):
        found = entry(e, STANDARD)
        assert found is not None
        assert found.right == expected


@pytest.mark.parametrize("name", REGISTRY)
def test_every_operation_has_entries_in_balanced_latex(name: str) -> None:
    found = entry(example(name), STANDARD)
    assert found is None or found.right.count("{") == found.right.count("}")


# ------------------------------------------------------------------------------------------------ pictures


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_pictures_show_every_value_and_every_adjoint(path: Path) -> None:
    d = derived(path)
    root = ET.fromstring(graph_svg(d))
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{space}rect")) == len(d.graph.nodes)
    adjoints = [t for t in root.findall(f"{space}text") if "a" in t.get("class", "").split()]
    assert len(adjoints) == sum(1 for e in d.reverse.adjoints if e is not d.output)
    assert d.graph._repr_svg_().startswith("<svg")
    assert d.picture()._repr_svg_().startswith("<svg")


def test_boxes_of_a_picture_do_not_overlap() -> None:
    for d in [chain(12), *(derived(path) for path in EXAMPLES)]:
        root = ET.fromstring(graph_svg(d))
        boxes = [
            tuple(float(r.get(k, "0")) for k in ("x", "y", "width", "height"))
            for r in root.findall("{http://www.w3.org/2000/svg}rect")
        ]
        for k, (x, y, w, h) in enumerate(boxes):
            for u, v, p, q in boxes[:k]:
                assert x + w <= u or u + p <= x or y + h <= v or v + q <= y


# ------------------------------------------------------------------------------------------------ languages


@pytest.mark.parametrize("code", [c for c in available() if c != "en"])
def test_a_language_has_every_message_of_the_others(code: str) -> None:
    every = set().union(*(language(c).messages for c in available()))
    missing = {m for m in every - set(language(code).messages) if not m.startswith("@")}
    assert missing == set()
    for message, translation in language(code).messages.items():
        assert sorted(re.findall(r"\{\d\}", message)) == sorted(re.findall(r"\{\d\}", translation))


def test_the_fixed_words_of_the_template_are_translated() -> None:
    body = (ROOT / "templates" / "note.body.jinja").read_text(encoding="utf-8")
    words = set(re.findall(r'f\.t\("((?:[^"\\]|\\.)*)"', body))
    assert len(words) > 20
    assert words <= set(language("es").messages)


def test_a_spanish_and_a_hindi_note(tmp_path: Path) -> None:
    d = derived(ROOT / "examples" / "one_hidden_layer.txt")
    text = d.export(tmp_path / "n.md", language="es", title="Una capa oculta").read_text(encoding="utf-8")
    assert "Regla de la cadena" in text
    assert "Chain rule" not in text
    d = derived(ROOT / "examples" / "batch_normalization.txt")
    text = d.export(tmp_path / "n.html", language="hi").read_text(encoding="utf-8")
    assert len(DEVANAGARI.findall(text)) > 500
    assert '<html lang="hi">' in text


# ------------------------------------------------------------------------------------------------ command line


def test_the_command_writes_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "n.md"
    sources = [str(path) for path in EXAMPLES[:2]]
    assert main(["export", *sources, "-o", str(target), "--title", "T", "--language", "es", "--bold"]) == 0
    assert capsys.readouterr().out.strip() == str(target)
    text = target.read_text(encoding="utf-8")
    assert text.startswith("# T")
    assert r"\mathbf{" in text
    assert main(["export", sources[0]]) == 2
    assert "-o FILE" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name in REGISTRY if name not in ("variable", "named")])
def test_every_differential_is_a_formula(name: str) -> None:
    found = formulas(name, STANDARD)
    assert found.operation.startswith("Y = ")
    assert found.differential.count("{") == found.differential.count("}")
    constant = name in ("number", "ones", "zeros", "eye", "comm", "dsel", "dup", "elim", "toep")
    assert bool(found.differential) is not constant


def test_cited_rules_have_numbers_and_sources() -> None:
    references = References(STANDARD)
    for name in RULES:
        references.cite(name)
    assert [r.number for r in references.rules.values()] == list(range(1, len(references.rules) + 1))
    assert all(r.source and r.formula.count("{") == r.formula.count("}") for r in references.rules.values())
    assert references.cite("no such rule") == 0


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
