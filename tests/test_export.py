"""Notes: every format, their parts, wrong options, users' templates, the command line."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from note_support import EXAMPLES, NAMES, ROOT, chain, derived

import matcalc as mc
from matcalc.cli import main
from matcalc.export.formats import suffixes
from matcalc.export.note import Note
from matcalc.export.references import References
from matcalc.expr import REGISTRY
from matcalc.printing.style import STANDARD, Notation
from matcalc.rewrite.rule import RULES
from matcalc.views.formulas import formulas

# ------------------------------------------------------------------------------------------------ formats


TEXT_FORMS = [s for s in suffixes() if s not in (".pdf", ".ipynb", ".docx")]


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
    for part in ("Variables", "Forward graph", "Needed", "Backward, from", "As Jacobians", "Results"):
        assert part in text
    for part in ("Shapes:", "Facts used: $y$ is one-hot", "Generated code", "Numeric certificate", "Bishop"):
        assert part in text
    assert r"\boxed{\delta_{\theta} = \hat{y} - y}" in text
    assert r"\mathrm{d}\theta&= (\mathrm{d}h) W_{2} + h \, \mathrm{d}W_{2} + \mathrm{d}b_{2}" in text
    assert r"\boxed{\frac{\partial J}{\partial W_{2}} = h^\top \delta_{\theta} = h^\top (\hat{y} - y)}" in text
    assert r"(1 \times K) \;\cdot\; (K \times H) \;\to\; 1 \times H" in text
    assert r"\begin{bmatrix} h_{1} \, (1 - h_{1}) & 0 & 0" in text


def test_a_note_with_hessians_has_their_steps() -> None:
    note = Note("T", hessian=True)
    note.add(derived(ROOT / "examples" / "logistic_regression.txt"))
    text = note.markdown()
    assert "### Hessian by $w$: the differential of the gradient" in text
    assert r"\mathrm{d}\delta_{w}&= c \, \mathrm{d}w + X^\top \, \mathrm{d}\delta_{s}" in text
    assert r"\boxed{\frac{\partial^2 f}{\partial w^2} = c I_{p} + \frac{1}{n} X^\top" in text


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
    short, long = (re.sub(r"\(data:[^)]*\)", "", note.markdown()) for note in (brief, full))
    assert "Needed" not in short
    assert "lines and is left out here; `matcalc code` prints it" in short
    assert "def value_and_grad" not in short
    assert "lines: it is printed at the end" in long
    assert long.count("def value_and_grad") == 1
    assert len(short) < len(long) / 2
    assert long.count("#### ") >= 61
    for k in range(60):
        assert rf"\delta_{{h_{{{k}}}}} = " in short


def test_a_matrix_function_shows_its_jacobians() -> None:
    note = Note(detail="lesson")
    note.add(mc.derive("A*X*B", wrt="X"))
    text = note.markdown()
    assert "Local Jacobians" in text
    assert r"B^\top \otimes A" in text
    assert 'return {"X": _kron(B.T, A)}' in text
    assert "`matcalc code --kind jacobian` prints the whole module" in text
    assert "the worst relative error is" in text
    assert note.data()["derivations"][0]["check"]["ok"]


def test_a_full_note_says_nothing_twice() -> None:
    for source in ("A*X*B", "tr(A*X*B)"):
        note = Note()
        note.add(mc.derive(source, wrt="X"))
        functions = re.findall(r"^def (\w+)", note.markdown(), re.M)
        assert len(functions) == len(set(functions)) > 2
        assert "it is printed at the end" in note.markdown()
    note = Note()
    note.add(mc.derive("X: m x n\nX'"))
    assert note.markdown().count(r"\mathrm{d}\operatorname{vec}(f)") == 1
    (book,) = ("".join(cell["source"]) for cell in note.notebook(execute=False)["cells"] if "code(" in cell["source"])
    assert book == 'print(d.code("jacobian"))'


def test_the_jacobian_of_a_number_is_not_written_out_as_a_matrix() -> None:
    note = Note(entries=3)
    note.add(mc.derive("c*norm2(w)^2 + sum(exp(w))", wrt="w", shapes={"w": ("n", 1), "c": (1, 1)}))
    assert note.markdown().count("bmatrix") == 2  # the exponential function only: one begins, one ends
    assert r"\exp(w_{1}) & 0 & 0" in note.markdown()


def test_symbols_and_parts_follow_the_notation() -> None:
    note = Note(notation=Notation(bold=True, hadamard=r"\circ", adjoint="partial"))
    note.add(mc.derive("r = A*X\nh = tanh(r)\nf = sum(h .* h .* B)", wrt="X", facts={"A": "constant"}))
    text = note.markdown()
    assert r"| $\mathbf{A} \circ \mathbf{B}$ | the product entry by entry |" in text
    assert r"| $\mathbf{I}_{n}$ | the identity matrix |" in text
    assert r"\odot" not in text
    assert r"\left(\frac{\partial f}{\partial \mathbf{h}}\right)^\top" in text
    assert r"\mathrm{d}\mathbf{r}&= \mathbf{A} \, \mathrm{d}\mathbf{X}" in text


def test_a_result_along_a_set_is_not_defined_by_itself() -> None:
    note = Note(notation=Notation(adjoint="partial"))
    note.add(mc.derive("logdet(S)", wrt="S", structure={"S": "symmetric"}))
    assert re.search(r", \\quad G = S\^\{-1\}\s*(\\end\{aligned\})?\}\n", note.markdown())
    assert r"G = S^{-1} =" not in note.markdown()  # the definition is the end of the chain


def test_entries_of_a_result_along_a_set_are_those_of_the_free_gradient() -> None:
    note = Note()
    source = "E: n x d constant\nS: d x d\nf = n/2*logdet(S) + tr(inv(S)*E'*E)/2"
    note.add(mc.derive(source, structure={"S": "symmetric"}))
    page = note.markdown()
    assert r"= 2 (\delta_{S})_{ij} - [i = j] (\delta_{S})_{ii}" in page
    assert "t_{1}" not in page
    assert r"\frac{n}{2} \log\lvert\det S\rvert +" in page
    assert "not counted twice (along symmetric matrices, convention: entries):\n" in page
    note = Note()
    note.add(mc.derive("logdet(X)", wrt="X", structure={"X": "toeplitz"}))
    assert "By components" not in note.markdown()  # they would repeat the line


def test_a_name_is_not_a_function_too() -> None:
    note = Note(detail="lesson")
    note.add(mc.derive("sigma: 1 x 1\nx: n x 1\ny = sigmoid(sigma*x)\nf = sum(y.^2)"))
    page = note.markdown()
    assert r"\sigma(" not in page
    assert r"\operatorname{sigmoid}'(t)" in page
    assert r"| $\operatorname{sigmoid}(x)$ | $1 / (1 + \exp(-x))$, for every entry |" in page
    kernel = Note(detail="lesson")
    kernel.add(mc.derive("D: n x n symmetric constant\nsigma: 1 x 1\nf = sum(exp(-D/(2*sigma^2)))"))
    page = kernel.markdown()
    assert "sigmoid" not in page
    assert r"| $\exp_{\odot}(A)$ | the exponential of every entry |" in page
    assert r"$\sigma$ is nonzero" in page


SYMBOLIC = ("logsumexp(x)", "eigmax(A'*A)", "tr(chol(A*A'))", "sum(relu(x))", "tr(sqrtm(A))", "sum(normcdf(x))")


@pytest.mark.parametrize(
    ("source", "meaning"), list(zip(SYMBOLIC, ("j", "largest eigen", "lower", "max", "square is", "normal")))
)
def test_functions_that_not_everybody_knows_are_explained(source: str, meaning: str) -> None:
    note = Note(detail="lesson")
    note.add(mc.derive(source, shapes={"x": ("n", 1), "A": ("n", "n")}))
    table = note.markdown().partition("### Symbols")[2]
    assert meaning in table


def test_what_many_values_share_is_said_once() -> None:
    note = Note(detail="brief")
    shapes = {"x": ("n", 1), **{f"A{k}": ("n", "n") for k in range(30)}}
    note.add(mc.derive(" + ".join(f"(x'*A{k}*x)^2" for k in range(30)), wrt="x", shapes=shapes))
    wish = re.search(r"Would be shorter if: .*", note.markdown())
    assert wish is not None
    assert re.fullmatch(r"Would be shorter if: (\$A_\{\d+\}, A_\{\d+\}, \\dots, A_\{\d+\}\$): symmetric\.", wish[0])


def test_brief_notes_print_short_code() -> None:
    note = Note(detail="brief")
    note.add(mc.derive("norm2(X*w - y)^2", wrt="w"))
    assert "def value_and_grad" in note.markdown()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "note.doc"}, "suffix must be one of"),
        ({"path": "note"}, "suffix must be one of"),
        ({"path": "note.md", "language": "xx"}, "language must be one of en, es, hi"),
        ({"path": "note.md", "detail": "long"}, "detail must be one of full, lesson, sheet, brief"),
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
    found = re.findall(r'class="(m|d)"(?: data-narrow="([^"]*)")?>(.*?)</(?:span|div)>', note.html(), flags=re.DOTALL)
    assert len([narrow for _, narrow, _ in found if narrow]) > 30
    formulas_ = [[html.unescape(text), kind != "m"] for kind, *texts in found for text in texts if text]
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
    constant = name in ("number", "ones", "zeros", "eye", "comm", "dsel", "dup", "elim", "toep", "symtoep", "skewdup")
    assert bool(found.differential) is not constant


def test_cited_rules_have_numbers_and_sources() -> None:
    references = References(STANDARD)
    for name in RULES:
        references.cite(name)
    assert [r.number for r in references.rules.values()] == list(range(1, len(references.rules) + 1))
    assert all(r.source and r.formula.count("{") == r.formula.count("}") for r in references.rules.values())
    assert references.cite("no such rule") == 0


def test_three_levels_of_detail_and_no_code() -> None:
    d = mc.derive("X: n x p\nw: p x 1\ny: n x 1\ns = X*w\nf = sum(softplus(s) - y .* s)", wrt="w")
    texts = {}
    for detail in ("full", "lesson", "sheet"):
        note = mc.Note(detail=detail)
        note.add(d)
        texts[detail] = note.markdown()
    assert len(texts["full"]) > len(texts["lesson"]) > len(texts["sheet"])
    assert "As Jacobians" in texts["full"]
    assert "As Jacobians" not in texts["lesson"]
    assert "enters" in texts["lesson"]
    assert "enters" not in texts["sheet"]
    assert "Complete code" not in texts["lesson"]
    bare = mc.Note(code=False)
    bare.add(d)
    assert "Generated code" in texts["full"]
    assert "Generated code" not in bare.markdown()
    assert "worst relative error" in bare.markdown()


def test_a_note_without_a_title_is_called_by_its_function() -> None:
    note = mc.Note()
    note.add(mc.derive("x: n x 1\nloss = x'*x"))
    assert note.markdown().startswith("# Derivatives of loss\n")


@pytest.mark.parametrize(
    ("source", "examples"),
    [
        ("tr(C*expm(X))", [r"\operatorname{expm}(A)", r"L_{f}(A, \mathrm{d}A)", r"K_{f}(A)", r"\operatorname{tr}(A)"]),
        ("sum(tanh(X) + exp(X))", [r"\tanh(A)", r"\exp(A)"]),
        ("n: 1 x 1\nS: k x k\nlogdet(S) + det(S) + std(x)", [r"\det A", r"\operatorname{std}(A)"]),
    ],
)
def test_every_symbol_is_in_the_table(source: str, examples: list[str]) -> None:
    note = mc.Note()
    note.add(mc.derive(source))
    table = note.markdown().partition("Symbols")[2].partition("### Variables")[0]
    for example in examples:
        assert example in table
    assert "K_{m, n}" not in table
