"""Formulas outside LaTeX (Typst) and the formats that need them: nothing is lost, what is made can be opened."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from note_support import EXAMPLES, ROOT, Recorded, derived, leaves

import matcalc as mc
from matcalc.export import typst_pdf
from matcalc.export.formats import FORMATS, Format, format_of
from matcalc.export.references import References
from matcalc.export.symbols import SYMBOLS
from matcalc.export.typst_math import typst
from matcalc.export.writers import WRITERS
from matcalc.expr import REGISTRY
from matcalc.languages import language
from matcalc.printing.breaking import LINE, width
from matcalc.printing.formula import formula
from matcalc.printing.signs import FUNCTIONS, SIGNS
from matcalc.printing.style import STANDARD, Notation
from matcalc.rewrite.rule import RULES
from matcalc.views.formulas import formulas

NOTATIONS = (
    STANDARD,
    Notation(bold=True, adjoint="partial", transpose="'"),
    Notation(adjoint="bar", hadamard=r"\circ"),
)


def note_of_examples(notation: Notation = STANDARD, **options: Any) -> mc.Note:
    note = mc.Note("All & more", notation=notation, entries=3, **options)
    for path in EXAMPLES:
        note.add(derived(path), path.stem, "An [introduction] with $5, #tags_ and *stars*.")
    return note


@pytest.fixture(scope="module")
def on_pages() -> list[str]:
    """The formulas of the pages of all examples, in several notations."""
    found: dict[str, None] = {}
    for notation in NOTATIONS:
        markup = Recorded()
        note_of_examples(notation).page("md", markup)
        found |= dict.fromkeys(markup.formulas)
    second = mc.Note(hessian=True)
    second.add(derived(ROOT / "examples" / "gaussian_likelihood.txt"))
    second.page("md", markup)
    found |= dict.fromkeys(markup.formulas)
    return [*found]


def catalogued() -> list[str]:
    """The formulas of all rules, operations and explanations of symbols."""
    references = References(STANDARD)
    for rule in RULES:
        references.cite(rule)
    shown = [r.formula for r in references.rules.values()]
    for name, entry in REGISTRY.items():
        if not entry.params:
            found = formulas(name, STANDARD, ())
            shown += [found.operation, found.differential]
    symbols = [f for _, s in SYMBOLS for f in (s.example, *s.formulas)]
    return shown + [f.replace("HADAMARD", r"\odot").replace("TRANSPOSE", r"^\top") for f in symbols]


# ------------------------------------------------------------------------------------------------ nothing is lost


NAMES = re.compile(r"\\(?:begin|end)\{\w+\}(?:\[t\])?|\\\\\[\w+\]|\\(?:left|right)\.")
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
ELSEWHERE = {"−": "-", "∗": "*", "′": "'"}


def visible(latex: str) -> Iterator[str]:
    """The visible characters of a formula in LaTeX, found without the reader under test."""
    for token in TOKEN.findall(NAMES.sub("", latex)):
        if token in SIGNS:
            yield SIGNS[token][0]
        elif token in FUNCTIONS:
            yield from token[1:]
        elif token in (r"\lVert", r"\rVert"):
            yield "‖"
        elif token in (r"\lvert", r"\rvert"):
            yield "|"
        elif token == r"\_":
            yield "_"
        elif not token.startswith("\\") and token not in "{}^_&$~" and not token.isspace():
            yield token


def test_the_tree_of_a_formula_has_all_that_is_seen_of_it(on_pages: list[str]) -> None:
    assert len(on_pages) > 400
    for latex in [*on_pages, *catalogued()]:
        seen = Counter(ELSEWHERE.get(c, c) for c in leaves(formula(latex)))
        assert seen == Counter(ELSEWHERE.get(c, c) for c in visible(latex)), latex


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        (r"\unknown x", r"\\unknown is not known"),
        (r"\left( x", "no .right"),
        ("{x", "brace is not closed"),
        ("x}", "no beginning"),
        (r"\frac{a}", "something is missing"),
        ("x^a^b", "two indices"),
        (r"\begin{tabular}{c} x \end{tabular}", "tabular is not known"),
        (r"\begin{aligned} x", "aligned has no end"),
        (r"\text{\frac12}", "inside words"),
        ("{" * 400 + "x" + "}" * 400, "nested too deeply"),
    ],
)
def test_what_is_not_in_the_vocabulary_is_refused(latex: str, message: str) -> None:
    with pytest.raises(mc.MatcalcError, match=message):
        formula(latex)


@pytest.mark.parametrize(
    ("latex", "written"),
    [
        (r"\frac{\partial J}{\partial W_{2}} = h^\top \, (\hat{y} - y)", "frac(∂ J, ∂ W_2) = h^⊤ thin (hat(y) - y)"),
        (r"{W^{(1)}}^\top", "attach(W^((1)), t: ⊤)"),
        (r"f(x, y) / \operatorname{tr}(A)", r'f (x, y) \/ op("tr") (A)'),
        (r"\frac{f(x, y)}{2}", r"frac(f (x\, y), 2)"),
        (r"-A^{-1}_{ij} A'", "-A_(i j)^(-1) A'"),
        (r"\lVert x \rVert_2", "norm(x)_2"),
        (r"\boxed{\begin{aligned} &a, \quad b \\ &c \end{aligned}}", "boxed(& a\\, quad b \\\n& c)"),
        (r"\mathrm{d}\,\mathrm{loss}\text{ since $x$ is \#1}", 'upright(d) thin "loss"" since "x" is #1"'),
    ],
)
def test_formulas_in_typst(latex: str, written: str) -> None:
    assert typst(latex) == written


# ------------------------------------------------------------------------------------------------ Typst


def compiled(source: str, **options: Any) -> bytes:
    """The document; it must compile without a warning."""
    package = pytest.importorskip("typst")
    made, warnings = package.compile_with_warnings(source.encode(), **options)
    assert warnings == []
    return bytes(made)


def in_dollars(markdown: str) -> int:
    """How many formulas a page in Markdown has."""
    text = re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    return len(re.findall(r"(?<!\\)\$", text.replace("$$", "$"))) // 2


def test_typst_of_all_examples_compiles_with_every_formula(tmp_path: Path) -> None:
    package = pytest.importorskip("typst")
    note = note_of_examples(language="es")
    source = note.export(tmp_path / "n.typ").read_text(encoding="utf-8")
    assert compiled(source, format="pdf").startswith(b"%PDF")
    found = package.query(str(tmp_path / "n.typ"), "math.equation", field="block")
    boxes = source.count("boxed(") - 1  # each holds an equation of its own; one is the definition
    assert found.count("true") + found.count("false") == in_dollars(note.markdown()) + boxes > 400


def test_the_catalogue_compiles_in_typst(on_pages: list[str]) -> None:
    shown = [f"$ {typst(latex)} $" for latex in [*on_pages, *catalogued()]]
    compiled("#let boxed(it) = box(math.equation(block: true, it))\n" + "\n\n".join(shown), format="pdf")


def test_text_is_no_markup_in_typst() -> None:
    note = mc.Note('= $1 #x_y* [z] \\ "q" // -- ~ @a <b> `c`')
    note.add(mc.derive("x'*x"), "T", "- no item\n+ none\n/ a: b // no comment /* nor this */ #panic() @ref *bold*")
    assert compiled(note.typst(), format="pdf")


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "sums").glob("*.txt"))[:1], ids=lambda p: p.stem)
def test_programs_with_loops_in_typst(path: Path, tmp_path: Path) -> None:
    d = mc.derive(path.read_text(encoding="utf-8"))
    compiled(d.export(tmp_path / "n.typ").read_text(encoding="utf-8"), format="pdf")


# ------------------------------------------------------------------------------------------------ PDF


def test_a_pdf_needs_no_tex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("typst")
    monkeypatch.setenv("PATH", str(tmp_path))
    for options in ({}, {"engine": "typst"}):
        assert mc.derive("x'*x").export(tmp_path / "n.pdf", **options).read_bytes().startswith(b"%PDF")
    with pytest.raises(mc.MatcalcError, match="engine must be one of tex, typst"):
        mc.derive("x'*x").export(tmp_path / "n.pdf", engine="word")


def test_a_template_of_ones_own_chooses_the_engine(tmp_path: Path) -> None:
    pytest.importorskip("typst")
    mine = tmp_path / "mine.typ.jinja"
    mine.write_text('{% extends "note.typ.jinja" %}{% block preamble %}#set page(paper: "a5"){% endblock %}')
    d = mc.derive("x'*x")
    assert '#set page(paper: "a5")' in d.export(tmp_path / "n.typ", template=mine).read_text()
    assert d.export(tmp_path / "n.pdf", template=mine).read_bytes().startswith(b"%PDF")
    mine.write_text('{% extends "note.typ.jinja" %}{% block preamble %}#nonsense(){% endblock %}')
    with pytest.raises(mc.MatcalcError, match="typst could not compile the note: unknown variable: nonsense"):
        d.export(tmp_path / "n.pdf", template=mine)


def test_without_tex_and_typst_a_pdf_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "typst", None)
    d = mc.derive("x'*x")
    with pytest.raises(mc.MissingDependencyError, match=r"pip install matcalculus\[pdf\]"):
        d.export(tmp_path / "n.pdf", engine="typst")
    monkeypatch.setattr("matcalc.export.pdf.find_spec", lambda name: None)
    with pytest.raises(mc.MissingDependencyError, match=r"package typst \(pip install matcalculus\[pdf\]\) or a TeX"):
        d.export(tmp_path / "n.pdf")


def test_a_script_without_a_font_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Fonts:
        def families(self) -> list[str]:
            return ["New Computer Modern"]

    package = pytest.importorskip("typst")
    monkeypatch.setattr(package, "Fonts", Fonts)
    with pytest.raises(mc.MissingDependencyError, match="no font for Devanagari is installed: install one of Noto"):
        mc.derive("x'*x").export(tmp_path / "n.pdf", language="hi", engine="typst")
    assert typst_pdf.fonts_for(language("es")) == []


# ------------------------------------------------------------------------------------------------ the registry


def test_every_format_has_a_writer_and_its_own_suffix() -> None:
    assert list(FORMATS) == list(WRITERS)
    assert len({f.suffix for f in FORMATS.values()}) == len(FORMATS)
    for f in FORMATS.values():
        assert format_of(Path(f"a.b{f.suffix.upper()}")) is f
        assert format_of(Path("note.whatever"), f.name) is f
    with pytest.raises(mc.MatcalcError, match=re.escape("must be one of .md, .tex")):
        format_of(Path("note.doc"))
    with pytest.raises(mc.MatcalcError, match=r"did you mean markdown\?"):
        format_of(Path("note.txt"), "markdwn")
    with pytest.raises(
        mc.MatcalcError, match=r"of the note of a program with loops must be one of .md, .tex, .html, .pdf"
    ):
        format_of(Path("n.ipynb"), of="a program with loops")


# ------------------------------------------------------------------------------------------------ publishing systems


def read_by_pandoc(path: Path, form: str) -> Any:
    pypandoc = pytest.importorskip("pypandoc")
    return json.loads(pypandoc.convert_file(str(path), "json", format=form))


def words_in(part: Any) -> str:
    """The words in pandoc's tree, with blanks between them."""
    if isinstance(part, list):
        return "".join(map(words_in, part))
    if not isinstance(part, dict):
        return ""
    match part.get("t"):
        case "Str":
            return str(part["c"])
        case "Space" | "SoftBreak":
            return " "
        case "Quoted":
            return f"'{words_in(part['c'][1])}'"
    return words_in([*part.values()])


def maths_in(part: Any) -> list[str]:
    """The formulas in pandoc's tree."""
    if isinstance(part, dict):
        return [part["c"][1]] if part.get("t") == "Math" else [m for p in part.values() for m in maths_in(p)]
    return [m for p in part for m in maths_in(p)] if isinstance(part, list) else []


def bare(latex: str) -> str:
    return re.sub(r"\\displaystyle|\s", "", latex)


@pytest.fixture(scope="module")
def hostile() -> mc.Note:
    """A note whose title and introductions hold every sign that some markup gives a meaning."""
    note = mc.Note('A: "b" [c] *d*', entries=3)
    for name in ("one_hidden_layer", "gaussian_likelihood"):
        text = "A <x> | [y] *z* `c` # $5 {a} +b+ a_b_c (see) http://x.y ~u^ -- ... 'q' \\n (C) => &amp; |===|"
        note.add(derived(ROOT / "examples" / f"{name}.txt"), f"{name} |*x*", text)
    return note


@pytest.mark.parametrize(
    ("suffix", "form"), [(".md", "gfm+tex_math_dollars"), (".qmd", "markdown"), (".adoc", "asciidoc")]
)
def test_pandoc_reads_every_formula(hostile: mc.Note, suffix: str, form: str, tmp_path: Path) -> None:
    page = hostile.export(tmp_path / f"n{suffix}")
    read = read_by_pandoc(page, form)
    markup = Recorded()
    text = hostile.page("md", markup)
    found = maths_in(read["blocks"])
    assert len(found) == in_dollars(text) > 150
    assert {bare(m) for m in found} == {bare(f.replace("|", r"\vert ")) for f in markup.formulas}
    plain = words_in(read["blocks"])
    for words in ("A <x> | [y] *z* `c` # $5 {a} +b+ a_b_c (see) ", "http://x.y", r"'q' \n (C) => ", "|===|", "|*x*"):
        assert words in plain
    shown = json.dumps(read)
    assert shown.count('"CodeBlock"') == 2  # each derivation's function once
    assert sorted(p.name for p in tmp_path.iterdir())[0] == "n-1.svg"


def test_docutils_reads_every_formula_of_myst(hostile: mc.Note, tmp_path: Path) -> None:
    core = pytest.importorskip("docutils.core")
    parser = pytest.importorskip("myst_parser.docutils_")
    nodes = pytest.importorskip("docutils.nodes")
    text = hostile.export(tmp_path / "n.myst.md").read_text(encoding="utf-8")
    tree = core.publish_doctree(text, parser=parser.Parser(), settings_overrides={"report_level": 5})
    said = [m.astext() for m in tree.findall(nodes.system_message) if m["level"] > 1]
    assert [m for m in said if "Pygments" not in m] == []
    formulas = [*tree.findall(nodes.math), *tree.findall(nodes.math_block)]
    assert len(formulas) == in_dollars(hostile.markdown())
    assert len([*tree.findall(nodes.figure)]) == 2
    assert tree.next_node(nodes.title).astext() == 'A: "b" [c] *d*'


# ------------------------------------------------------------------------------------------------ what has no notebook

MIXTURE = (ROOT / "examples" / "sums" / "gaussian_mixture.txt").read_text(encoding="utf-8")
OTHERS = [f for f in FORMATS.values() if f.always and f.name != "pdf"]


@pytest.fixture(scope="module")
def others() -> dict[str, Any]:
    """A program with loops and an optimum."""
    portfolio = mc.minimize("w: n x 1; S: n x n spd; w'*S*w", over="w", subject_to=["sum(w) = 1"])
    return {"a program with loops": mc.derive(MIXTURE), "an optimum": portfolio}


@pytest.mark.parametrize("what", ["a program with loops", "an optimum"])
@pytest.mark.parametrize("form", OTHERS, ids=lambda f: f.name)
def test_programs_with_loops_and_optima_have_the_formats(
    others: dict[str, Any], what: str, form: Format, tmp_path: Path
) -> None:
    path = others[what].export(tmp_path / f"n{form.suffix}", title="A title", text="An <introduction> & more.")
    content = path.read_bytes()
    if form.name == "typst":
        compiled(content.decode("utf-8"), format="pdf")
    elif form.name == "word":
        assert content.startswith(b"PK")
    else:
        assert "A title" in content.decode("utf-8")
        assert "jinja" not in content.decode("utf-8")
        answer = r"\boxed{w = \frac" if what == "an optimum" else r"\frac{\partial J}{\partial X}"
        if form.name not in ("json", "html", "slides"):
            assert answer in content.decode("utf-8")


@pytest.mark.parametrize("what", ["a program with loops", "an optimum"])
def test_wrong_options_of_other_notes_are_refused(others: dict[str, Any], what: str, tmp_path: Path) -> None:
    with pytest.raises(mc.MatcalcError, match=f"the suffix of the note of {what} must be"):
        others[what].export(tmp_path / "n.xyz")
    with pytest.raises(mc.MatcalcError, match="no option colour"):
        others[what].export(tmp_path / "n.md", colour="red")
    with pytest.raises(mc.MatcalcError, match="cannot write"):
        others[what].export(tmp_path / "no" / "n.md")


def test_an_optimum_is_boxed_with_its_proof(others: dict[str, Any], tmp_path: Path) -> None:
    text = others["an optimum"].export(tmp_path / "n.md").read_text(encoding="utf-8")
    for part in (
        r"\min_{w} \; w^\top S w",
        r"- subject to $\operatorname{sum}(w) = 1$",
        r"- multiplier of $\operatorname{sum}(w) = 1$: $",
        "$$\nL_{1} \\mathbf{1} + 2 S w = 0\n$$",
        "first order condition",
        "The closed form holds at 3",
    ):
        assert part in text


def test_lines_of_programs_with_loops_fit_the_page(tmp_path: Path) -> None:
    source = (ROOT / "examples" / "sums" / "random_field.txt").read_text(encoding="utf-8")
    text = mc.derive(source).export(tmp_path / "n.md").read_text(encoding="utf-8")
    rows = [row for row in text.splitlines() if "&" in row and r"\begin" not in row]
    assert len(rows) > 15
    assert all(width(row.replace("&", "")) <= LINE + 1 for row in rows)
    assert r"\frac{\begin{aligned}" in text  # no line breaks inside a fraction, but its numerator has several


def test_the_variables_of_a_program_with_loops_are_formulas(tmp_path: Path) -> None:
    d = mc.derive("x1[i=1..n]: d x 1 constant\nW: k x d\nsum(i=1..n, norm2(W*x1[i])^2)")
    text = d.export(tmp_path / "n.md").read_text(encoding="utf-8")
    assert r"| $W$ | $k \times d$ |  |" in text
    assert r"| $x_{1, i}, \; i = 1, \dots, n$ | $d \times 1$ | constant |" in text


def test_the_slides_of_an_optimum_have_several_rules_each(others: dict[str, Any], tmp_path: Path) -> None:
    text = others["an optimum"].export(tmp_path / "n.beamer.tex").read_text(encoding="utf-8")
    assert "{Steps}" in text
    assert text.count("{Why}") == -(-len(others["an optimum"].steps) // 4)
