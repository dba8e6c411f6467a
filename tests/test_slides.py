"""Slides by beamer and reveal.js: one step on each, no formula missing, nothing asked of the network."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from note_support import EXAMPLES, ROOT, Recorded, derived
from test_export_browser import needs_chromium, opened
from test_export_tex import compile_tex, overfull

import matcalc as mc
from matcalc.export.slides import reveal


@pytest.fixture(scope="module")
def note() -> mc.Note:
    note = mc.Note("Slides & <more>", hessian=True)
    for name in ("one_hidden_layer", "logistic_regression"):
        note.add(derived(ROOT / "examples" / f"{name}.txt"), name, "An introduction: 5 % of x_1 < #2.")
    return note


def test_every_step_and_result_of_the_page_has_its_slide(note: mc.Note, tmp_path: Path) -> None:
    page = note.markdown()
    steps = re.findall(r"^#### (\d+)\. ", page, re.MULTILINE)
    results = re.findall(r"\\boxed\{(.*)\}", page)
    slides = html.unescape(note.export(tmp_path / "n.slides.html").read_text(encoding="utf-8"))
    frames = note.export(tmp_path / "n.beamer.tex").read_text(encoding="utf-8")
    for text, title in ((slides, r"<h2>(\d+)\. "), (frames, r"\{frame\}\[allowframebreaks\]\{(\d+)\. ")):
        assert re.findall(title, text) == steps
        for result in results:
            assert result in text
    assert frames.count(r"\begin{frame}") == frames.count(r"\end{frame}") == slides.count("<section>")
    assert slides.count("<section>") == slides.count("</section>")
    markup = Recorded()
    note.page("md", markup)
    chains = [f for f in markup.formulas if f.startswith(r"\begin{aligned}") and "&= " in f]
    assert len(chains) > 10
    for formula in chains:
        assert formula in slides
        assert formula in frames


@needs_chromium
def test_slides_are_set_without_the_network_and_fit(note: mc.Note, tmp_path: Path) -> None:
    path = note.export(tmp_path / "n.slides.html")
    page = path.read_text(encoding="utf-8")
    measure = """<script>
document.documentElement.dataset.small = [...document.querySelectorAll(".slides > section")].filter(
  (s) => parseFloat(s.style.fontSize || 26) < 11).length;
</script></body>"""
    path.write_text(page.replace("</body>", measure), encoding="utf-8")
    document, asked = opened(path, tmp_path)
    assert asked == []
    assert 'data-failed="0"' in document
    assert 'data-small="0"' in document
    assert f'data-slides="{page.count("<section>")}"' in document
    assert document.count('class="katex"') == len(re.findall(r'class="[md]"', page)) > 60


def test_the_licence_is_in_the_page() -> None:
    assert "Permission is hereby granted" in reveal().script
    assert "http" not in re.sub(r"https://(revealjs\.com|hakim\.se)", "", reveal().style)


def beamer() -> bool:
    found = shutil.which("kpsewhich")
    return bool(found) and not subprocess.run(["kpsewhich", "beamer.cls"], capture_output=True, check=False).returncode


@pytest.mark.skipif(not beamer(), reason="no beamer")
def test_beamer_compiles_and_stays_on_the_slides(tmp_path: Path) -> None:
    note = mc.Note("All & more", language="es")
    for path in EXAMPLES:
        note.add(derived(path), path.stem, "5 % of x_1 & #2.")
    source = note.export(tmp_path / "all.beamer.tex").read_text(encoding="utf-8")
    assert [x for x in overfull(compile_tex(tmp_path, source)) if x > 10] == []
    loops = sorted((ROOT / "examples" / "sums").glob("*.txt"))[1]
    source = mc.derive(loops.read_text()).export(tmp_path / "l.beamer.tex").read_text(encoding="utf-8")
    log = compile_tex(tmp_path, source)
    assert [x for x in overfull(log) if x > 10] == []
    assert r"Overfull \vbox" not in log


@pytest.mark.parametrize("suffix", [".slides.html", ".beamer.tex"])
def test_a_program_with_loops_in_slides(suffix: str, tmp_path: Path) -> None:
    loops = sorted((ROOT / "examples" / "sums").glob("*.txt"))[1]
    d = mc.derive(loops.read_text())
    text = html.unescape(d.export(tmp_path / f"n{suffix}", title="Mixture").read_text(encoding="utf-8"))
    for name in d.names:
        assert rf"\frac{{\partial J}}{{\partial {name}" in text
    assert "agrees with finite differences" in text
