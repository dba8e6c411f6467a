"""Word documents: every formula is there as an equation, and is read back by pandoc and LibreOffice as it was meant."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import unicodedata
import xml.etree.ElementTree as ElementTree
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from note_support import ROOT, Recorded, derived, leaves

import matcalc as mc
from matcalc.export.word_math import office_math
from matcalc.printing.formula import Said, formula
from matcalc.printing.style import Notation

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
MARKS = {"^": "\u0302", "¯": "\u0304", "~": "\u0303", "˙": "\u0307", "‾": "\u0304"}  # as LibreOffice writes accents


@pytest.fixture(scope="module")
def note() -> mc.Note:
    note = mc.Note('T <&> "t"', notation=Notation(bold=True, adjoint="partial", transpose="'"), entries=3, hessian=True)
    for name in ("gaussian_likelihood", "one_hidden_layer"):
        note.add(derived(ROOT / "examples" / f"{name}.txt"), name, "A <b>text</b> & more.")
    return note


@pytest.fixture(scope="module")
def document(note: mc.Note, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return note.export(tmp_path_factory.mktemp("word") / "n.docx")


def seen(parts: Iterable[str]) -> Counter[str]:
    """The visible characters; bold letters as plain ones."""
    plain = (unicodedata.normalize("NFKC", MARKS.get(c, c)) for c in "".join(parts))
    return Counter(c for letter in plain for c in letter if not c.isspace())


def mathematics(part: Any) -> Iterator[str]:
    """The visible characters of a tree that are not words: these stand in text beside the equations."""
    if isinstance(part, Said):
        part = tuple(p for p in part.parts if not isinstance(p, str))
    if isinstance(part, tuple):
        for p in part:
            yield from mathematics(p)
    elif isinstance(part, str):
        yield from leaves(part)
    elif is_dataclass(part):
        for f in fields(part):
            if f.name not in ("kind", "style", "mark"):
                yield from mathematics(getattr(part, f.name))


def shown_in(equation: ElementTree.Element) -> Counter[str]:
    """The visible characters of an equation."""
    parts = []
    for e in equation.iter():
        parts += [e.text or ""] if e.tag == f"{M}t" else []
        parts += [e.get(f"{M}val", "")] if e.tag in (f"{M}chr", f"{M}begChr", f"{M}endChr") else []
    return seen(parts)


def equations(document: Path) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(zipfile.ZipFile(document).read("word/document.xml"))
    return list(root.iter(f"{M}oMath"))


def test_a_word_document_has_every_formula_of_the_page(note: mc.Note, document: Path) -> None:
    markup = Recorded()
    note.page("md", markup)
    page = sum((seen(mathematics(formula(latex))) for latex in markup.formulas), Counter[str]())
    shown = sum((shown_in(e) for e in equations(document)), Counter[str]())
    accents = {mark: count for mark, count in shown.items() if unicodedata.combining(mark)}
    words = sum(1 for latex in markup.formulas for c in leaves(formula(latex))) - sum(page.values())
    repeated = shown - page - Counter(accents)  # a message may name a formula more often than it is made
    assert page - shown == Counter()
    assert sum(repeated.values()) < 40 + words
    assert sum(shown.values()) > 3000


def test_the_parts_of_a_word_document(document: Path) -> None:
    archive = zipfile.ZipFile(document)
    assert archive.testzip() is None
    for name in archive.namelist():
        ElementTree.fromstring(archive.read(name))
    text = archive.read("word/document.xml").decode("utf-8")
    styles = set(re.findall(r'w:styleId="(\w+)"', archive.read("word/styles.xml").decode("utf-8")))
    assert set(re.findall(r'<w:(?:pStyle|rStyle) w:val="(\w+)"', text)) <= styles
    numbers = re.findall(r'<(?:wp:docPr|wps:cNvPr) id="(\d+)"', text)
    assert len(numbers) == len(set(numbers)) > 20
    assert text.count("<wpg:wgp>") == 2
    assert "A &lt;b&gt;text&lt;/b&gt; &amp; more." in text
    assert '>T &lt;&amp;&gt; "t"<' in text


def test_the_same_note_is_the_same_file(tmp_path: Path) -> None:
    d = mc.derive("x'*x")
    assert d.export(tmp_path / "a.docx").read_bytes() == d.export(tmp_path / "b.docx").read_bytes()


def test_a_template_of_another_format_is_refused(tmp_path: Path) -> None:
    mine = tmp_path / "mine.jinja"
    mine.write_text('{% extends "note.tex.jinja" %}')
    d = mc.derive("x'*x")
    with pytest.raises(mc.MatcalcError, match=r"makes no XML .*: it must extend note.docx.jinja"):
        d.export(tmp_path / "n.docx", template=mine)
    with pytest.raises(mc.MatcalcError, match=r"calls f.card\(front, back\)"):
        d.export(tmp_path / "n.anki.txt", template=mine)
    mine.write_text('{% extends "note.docx.jinja" %}{% block title %}{{ f.heading(1, f.text("Mine")) }}{% endblock %}')
    assert b">Mine<" in zipfile.ZipFile(d.export(tmp_path / "n.docx", template=mine)).read("word/document.xml")


@pytest.mark.parametrize(
    ("latex", "parts"),
    [
        (r"\sum_{j} A_{ij} + b", ["<m:nary>", '<m:chr m:val="∑"/>', '<m:supHide m:val="1"/>', "</m:nary>", "+"]),
        (r"\lVert x \rVert_2", ["<m:sSub>", '<m:begChr m:val="‖"/>']),
        (r"\operatorname{tr}(A)", ["<m:nor/>", ">tr<"]),
        (r"\begin{bmatrix} a & b \\ c & d \end{bmatrix}", ['<m:begChr m:val="["/>', "<m:m>", "<m:mr>"]),
        (r"\hat{y} = \mathbf{1}", ['<m:chr m:val="\u0302"/>', "\U0001d7cf"]),
        (r"\frac{a}{\sqrt{b}}", ["<m:f>", "<m:rad>", '<m:degHide m:val="1"/>']),
        (r"\max_{x} a < b", ["<m:limLow>", "&lt;"]),
    ],
)
def test_formulas_in_office_math(latex: str, parts: list[str]) -> None:
    written = office_math(latex)
    for part in parts:
        assert part in written
        written = written[written.index(part) + len(part) :]


def test_pandoc_reads_the_equations_back(document: Path) -> None:
    pypandoc = pytest.importorskip("pypandoc")
    read = json.dumps(json.loads(pypandoc.convert_file(str(document), "json")))
    assert read.count('"t": "Math"') == len(equations(document)) > 200


LIBRARY = Path("/usr/lib/libreoffice/program/libsmlo.so")  # what sets formulas


@pytest.mark.skipif(shutil.which("soffice") is None, reason="no LibreOffice")
@pytest.mark.skipif(not LIBRARY.exists(), reason="no libreoffice-math")
def test_libreoffice_reads_every_equation_as_it_was_meant(document: Path, tmp_path: Path) -> None:
    options = ["--headless", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--convert-to", "odt"]
    command = ["soffice", *options, "--outdir", str(tmp_path), str(document)]
    subprocess.run(command, capture_output=True, check=True, timeout=240)
    archive = zipfile.ZipFile(tmp_path / "n.odt")
    found = re.findall(r'xlink:href="\./(Object \d+)"', archive.read("content.xml").decode("utf-8"))
    written = equations(document)
    assert len(found) == len(written)
    for name, equation in zip(found, written):
        content = archive.read(f"{name}/content.xml").decode("utf-8").partition("<math")[2].partition(">")[2]
        text = html.unescape(re.sub(r"<annotation.*?</annotation>|<[^>]*>", "", content, flags=re.DOTALL))
        assert seen(text) == shown_in(equation), text
