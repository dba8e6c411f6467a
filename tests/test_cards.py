"""Anki cards: a question for each step and result, formulas between MathJax's brackets, the file as Anki reads it."""

from __future__ import annotations

import csv
import html
import re
from pathlib import Path

import pytest
from note_support import ROOT, Recorded, derived

import matcalc as mc


@pytest.fixture(scope="module")
def note() -> mc.Note:
    note = mc.Note('Back\t"prop" <&>')
    for name in ("one_hidden_layer", "gaussian_likelihood"):
        note.add(derived(ROOT / "examples" / f"{name}.txt"), f'"{name}" <b>')
    note.add(mc.derive("A*X*B", wrt="X"), "A map")
    return note


def cards(path: Path) -> list[list[str]]:
    """The rows after the lines that say what is in the columns."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("#")] == lines[:5]
    return list(csv.reader(lines[5:], delimiter="\t"))


def formulas(field: str) -> list[str]:
    found = re.findall(r"\\\((.*?)\\\)|\\\[(.*?)(?<!\\)\\\]", field)
    assert field.count(r"\(") == field.count(r"\)") == sum(1 for a, _ in found if a)
    return [re.sub(r"\s", "", html.unescape(a or b)) for a, b in found]


def test_every_step_and_result_is_a_card(note: mc.Note, tmp_path: Path) -> None:
    rows = cards(note.export(tmp_path / "n.anki.txt"))
    page = note.markdown()
    steps = len(re.findall(r"^#### \d+\. ", page, re.MULTILINE)) - 1  # the map's step finds no adjoint
    results = len(re.findall(r"\\boxed\{\\frac", page))
    assert len(rows) == steps + results
    assert len({row[0] for row in rows}) == len(rows)
    markup = Recorded()
    note.page("md", markup)
    shown = "\n".join(re.sub(r"\s|\\displaystyle", "", f) for f in markup.formulas)
    for _, front, back in rows:
        assert "Find " in front
        answer = formulas(back)
        assert r"\boxed" in "".join(answer)
        assert all(f in shown for f in answer)
        asked = [f for f in formulas(front) if "=" not in f]
        assert all(f in shown for f in asked)
        found = front.partition("Find ")[2]
        assert all(f"{name}=" in "".join(answer) for name in formulas(found))
        assert "<b>" not in front.replace("&lt;b&gt;", "")


def test_a_changed_answer_keeps_the_card(tmp_path: Path) -> None:
    d = mc.derive("f = x'*A*x", wrt="x", facts={"A": "constant"})
    first = cards(d.export(tmp_path / "a.anki.txt"))
    second = cards(d.export(tmp_path / "b.anki.txt", notation=mc.Notation(adjoint="bar")))
    results = [[row for row in rows if "partial" in row[1]] for rows in (first, second)]
    assert results[0] == results[1] != []


def test_cards_of_a_program_with_loops(tmp_path: Path) -> None:
    loops = sorted((ROOT / "examples" / "sums").glob("*.txt"))[1]
    d = mc.derive(loops.read_text())
    rows = cards(d.export(tmp_path / "n.anki.txt", title="Mixture"))
    for name in d.names:
        assert any(rf"Find \(\frac{{\partial J}}{{\partial {name}" in front for _, front, _ in rows)
    assert all(f"{formulas(front)[-1]}" in formulas(back)[0] for _, front, back in rows)


def test_anki_imports_the_file_once(note: mc.Note, tmp_path: Path) -> None:
    collection = pytest.importorskip("anki.collection")
    path = note.export(tmp_path / "n.anki.txt")
    anki = collection.Collection(str(tmp_path / "c.anki2"))
    for _ in range(2):
        metadata = anki.get_csv_metadata(path=str(path), delimiter=None)
        anki.import_csv(collection.ImportCsvRequest(path=str(path), metadata=metadata))
        assert anki.card_count() == len(cards(path))
    fields = anki.get_note(anki.find_notes("")[0]).fields
    assert fields == cards(path)[0][1:]
    assert 'Back "prop" <&>' in [deck.name for deck in anki.decks.all_names_and_ids()]
