"""Programs with loops among the derivations of a note."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import matcalc as mc

ROOT = Path(__file__).resolve().parent.parent


def both(detail: str = "full") -> mc.Note:
    note = mc.Note("Two derivations", detail=detail)
    note.add(mc.derive("norm2(X*w - y)^2/2", wrt="w"), "Least squares")
    note.add(mc.derive((ROOT / "examples/sums/recurrent.txt").read_text(), wrt=["W", "x"]), "A network", "By time.")
    return note


def test_a_note_holds_matrices_and_loops_beside_each_other() -> None:
    page = both().markdown()
    assert "## Least squares" in page
    assert "## A network\n\nBy time." in page
    least, network = page.split("## A network")
    assert r"\frac{\partial J}{\partial x_{t}} &= U^\top" in network
    assert "def value_and_grad(*, W, U, V, x, y, dims=None)" in network
    assert "agrees with finite differences" in network
    assert r"X^\top" in least


@pytest.mark.parametrize("detail", ["lesson", "sheet"])
def test_shorter_notes_of_loops_have_no_code(detail: str) -> None:
    network = both(detail).markdown().split("## A network")[1]
    assert "def value_and_grad" not in network
    assert ("### Forward" in network) == (detail == "lesson")
    assert r"\frac{\partial J}{\partial W}" in network


@pytest.mark.parametrize("form", ["tex", "html", "typ", "docx", "adoc", "json"])
def test_such_a_note_is_written_in_any_format(form: str, tmp_path: Path) -> None:
    written = both("sheet").export(tmp_path / f"note.{form}").read_bytes()
    assert len(written) > 1000
    if form == "json":
        results = [made["results"][-1]["gradient"] for made in json.loads(written)["derivations"]]
        assert results[0] == "X'*(X*w - y)"
        assert "x[t]: U'*(g_h[t] .* (1 - h[t].^2)) for t = 1..T" in results[1]


@pytest.mark.parametrize("form", ["beamer", "slides", "anki"])
def test_its_slides_and_cards(form: str, tmp_path: Path) -> None:
    written = both().export(tmp_path / "note.out", format=form).read_text()
    assert "tanh" in written


def test_its_notebook_derives_both_again() -> None:
    cells = both().notebook(execute=False)["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert sum("mc.derive(" in source for source in sources) == 2
    scope: dict[str, mc.Derivation] = {}
    exec("import matcalc as mc\n" + [source for source in sources if "mc.derive(" in source][1], scope)
    assert "g_h[t]" in scope["d"].gradient("W")


def test_the_words_are_in_the_language_of_the_note() -> None:
    note = mc.Note("Red", language="es")
    note.add(mc.derive((ROOT / "examples/sums/garch.txt").read_text(), wrt="a"))
    assert "### Hacia adelante" in note.markdown()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "es",
            ["Hacia atrás", "Gradientes", "Certificado numérico", "concuerda con las diferencias finitas", "simétrica"],
        ),
        ("hi", ["पीछे की ओर", "संख्यात्मक प्रमाणपत्र", "परिमित अंतरों से सहमत"]),
    ],
)
def test_a_program_and_its_certificate_in_another_language(language: str, words: list[str], tmp_path: Path) -> None:
    d = mc.derive("S: d x d symmetric\nh[0] = ones(d, 1)\nh[t] = tanh(S*h[t-1]) for t = 1..T\nnorm2(h[T])^2", wrt="S")
    text = d.export(tmp_path / "note.md", language=language).read_text(encoding="utf-8")
    assert all(word in text for word in words)
    assert "Backward" not in text
    assert "agrees with" not in text
    assert words[0] in d.text(language=language)
    assert words[0] in d.latex(language=language)
    assert words[0] in d.markdown(language=language)
    with pytest.raises(mc.MatcalcError, match="language"):
        d.text(language="xx")
    note = mc.Note("Bucle", language=language)
    note.add(d)
    assert words[3 if language == "es" else 2] in note.markdown()
