"""Fixed words in other languages."""

from __future__ import annotations

import pickle
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from note_support import DEVANAGARI, EXAMPLES, ROOT, derived

import matcalc as mc
from matcalc.calculus.paths import NUMBERS, REASONS
from matcalc.claims import tutor
from matcalc.claims.claim import NOWHERE, SLIPS, TRIED, TURNED
from matcalc.claims.diagnosis import FACTORS, NEIGHBOUR, REPAIRS, SYMMETRIC, TRANSPOSED
from matcalc.claims.parts import BROADCAST, FORGOTTEN, OPPOSITE, SCALED
from matcalc.claims.question import ALONG, FREE, OTHERWISE, TURNED_FREE
from matcalc.claims.words import LOCALS
from matcalc.cli import main
from matcalc.curvature import definiteness
from matcalc.export.pdf import compiled
from matcalc.export.symbols import SYMBOLS
from matcalc.languages import Language, available, correct, glossary, language
from matcalc.properties import NAMES as FACTS
from matcalc.views import derived as facts
from matcalc.views import derived_norms, second
from matcalc.views.lesson_page import CARRYING, MOVING, REVERSED, SEVERAL
from matcalc.views.needed import ABOVE_ZERO, LINEAR_IN_ROWS, PRODUCT, QUOTIENT


@pytest.mark.parametrize("code", [c for c in available() if c != "en"])
def test_a_language_has_every_message_of_the_others(code: str) -> None:
    every = set().union(*(language(c).messages for c in available()))
    missing = {m for m in every - set(language(code).messages) if not m.startswith("@")}
    assert missing == set()
    for message, translation in language(code).messages.items():
        assert sorted(re.findall(r"\{\d\}", message)) == sorted(re.findall(r"\{\d\}", translation))


def fixed_words() -> set[str]:
    """Every message in the templates, in the views, and in what they take from the catalogues of words."""
    found = {*FACTORS.values(), *SLIPS.values(), *TRIED, NOWHERE, TURNED} | {
        m for pair in REPAIRS.values() for m in pair
    }
    found |= {
        ALONG,
        FREE,
        TURNED_FREE,
        OTHERWISE,
        NEIGHBOUR,
        SYMMETRIC,
        TRANSPOSED,
        BROADCAST,
        FORGOTTEN,
        OPPOSITE,
        SCALED,
    }
    found |= (
        {*LOCALS.values()}
        | {s.meaning for _, s in SYMBOLS}
        | {
            *MOVING.values(),
            *CARRYING.values(),
            SEVERAL,
            REVERSED,
            QUOTIENT,
            PRODUCT,
            *facts.MESSAGES,
            *derived_norms.MESSAGES,
            *tutor.MESSAGES,
            *second.MESSAGES,
            *definiteness.MESSAGES,
            LINEAR_IN_ROWS,
            ABOVE_ZERO,
        }
        | {reason for _, reason in REASONS}
        | {NUMBERS}
    )
    for path in (ROOT / "templates").glob("*.jinja"):
        found.update(re.findall(r'\bt\("((?:[^"\\]|\\.)*)"', path.read_text(encoding="utf-8")))
    for folder in ("calculus", "export", "claims", "numeric", "views"):
        for path in (ROOT / "matcalc" / folder).glob("*.py"):
            source = path.read_text(encoding="utf-8")
            found.update(re.findall(r'(?:\bwords|\bt|\breason|\bsaid)\(\s*"((?:[^"\\]|\\.)*)"[,)]', source))
    return found


@pytest.mark.parametrize("code", [c for c in available() if c != "en"])
def test_all_fixed_words_and_facts_are_translated(code: str) -> None:
    words = fixed_words()
    assert len(words) > 80
    known = language(code).messages
    assert words - set(known) == set()
    assert set(FACTS) - set(known) == set()


@pytest.mark.parametrize("code", ["es", "hi"])
@pytest.mark.parametrize("style", ["steps", "jacobians", "differential", "result"])
def test_views_in_other_languages_have_no_english_left(code: str, style: str) -> None:
    english = re.compile(r"\b(the|of|with|chain rule|through|Forward|Gradients|Adjoints|is|where|by)\b")
    for path in EXAMPLES:
        d = derived(path)
        for text in (d.text(style, language=code), d.markdown(style, language=code)):
            for own in (d.title, *d.glosses.values()):  # the source's own words
                text = text.replace(own, "")
            assert english.findall(text) == []
    d = mc.derive("logdet(S) + tr(expm(S)) + eigmax(S)", facts={"S": "symmetric"})
    assert english.findall(d.text(style, language=code)) == []


def test_reports_and_verdicts_in_spanish() -> None:
    d = mc.derive("x'*A*x", wrt="x")
    assert d.check(trials=1).text("es").startswith("La derivada generada concuerda")
    text = d.claim("x", "A*x").text("es")
    assert text.startswith("refutado: ")
    assert "lo correcto es (A + A')*x" in text


@pytest.mark.parametrize(
    ("claim", "english", "spanish"),
    [
        ("2*(A + A')*x", "spurious factor 2", "sobra el factor 2"),
        ("-(A + A')*x", "the sign is wrong", "el signo es incorrecto"),
        ("A*x", "term A' is missing: it was dropped", "falta el término A': se ha omitido"),
        (
            "x'*(A + A')",
            "wrong shape: the claim is 1 x n, the gradient",
            "dimensiones incorrectas: la afirmación es 1 x n",
        ),
    ],
)
def test_a_diagnosis_is_english_text_with_translations(claim: str, english: str, spanish: str) -> None:
    verdict = mc.derive("x'*A*x", wrt="x").claim("x", claim)
    assert verdict.diagnosis.startswith(english)
    assert verdict.diagnosis.text("es").startswith(spanish)
    assert spanish in verdict.text("es")
    assert verdict.text("es").startswith("refutado: el gradiente con respecto a x")
    assert DEVANAGARI.search(verdict.diagnosis.text("hi"))
    copied = pickle.loads(pickle.dumps(verdict.diagnosis))
    assert (copied, copied.kinds, copied.text("es")) == (
        verdict.diagnosis,
        verdict.diagnosis.kinds,
        verdict.diagnosis.text("es"),
    )


def test_lines_of_a_hand_derivation_in_spanish(capsys: pytest.CaptureFixture[str]) -> None:
    lines = "h = tanh(W*x)\nf = sum(h)\nd_h = -1\n"
    source = f"W: m x n\nx: n x 1\n{lines}"
    main(["claim", source, "--language", "es"])
    out = capsys.readouterr().out
    assert "<- el primer error está aquí" in out
    assert "refutado" in out


def test_unknown_languages_are_refused() -> None:
    with pytest.raises(mc.MatcalcError, match="language must be one of en, es, hi"):
        mc.derive("x'*x").text(language="fr")


@pytest.mark.parametrize("engine", ["xelatex", "lualatex"])
def test_the_hindi_note_as_pdf(tmp_path: Path, engine: str) -> None:
    if shutil.which(engine) is None or shutil.which("pdftotext") is None:
        pytest.skip(f"no {engine} or no pdftotext")
    try:
        compiled(r"\documentclass{article}\usepackage{fontspec}\begin{document}x\end{document}", (engine,))
    except mc.MatcalcError as error:
        pytest.skip(f"{engine} finds no fonts: {error}")
    note = mc.Note("बैच सामान्यीकरण", language="hi")
    note.add(derived(ROOT / "examples" / "batch_normalization.txt"))
    (tmp_path / "n.pdf").write_bytes(compiled(note.latex(), (engine,)))
    fonts = subprocess.run(["pdffonts", "n.pdf"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "Devanagari" in fonts
    text = subprocess.run(["pdftotext", "n.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert len(DEVANAGARI.findall(text)) > 500


@pytest.mark.skipif(shutil.which("xelatex") is None, reason="no XeLaTeX")
def test_a_missing_font_is_named() -> None:
    note = mc.Note("T", language="hi")
    note.language = Language("hi", {**note.language.messages, "@fonts": "No Such Font, Nor This"})
    note.add(mc.derive("x'*x"))
    with pytest.raises(mc.MatcalcError, match="no font for Devanagari is installed: install one of No"):
        compiled(note.latex(), ("xelatex",))


def test_a_spanish_and_a_hindi_note(tmp_path: Path) -> None:
    d = derived(ROOT / "examples" / "one_hidden_layer.txt")
    text = d.export(tmp_path / "n.md", language="es", title="Una capa oculta").read_text(encoding="utf-8")
    assert "Como matrices jacobianas" in text
    assert "enters" not in text
    d = derived(ROOT / "examples" / "batch_normalization.txt")
    text = d.export(tmp_path / "n.html", language="hi").read_text(encoding="utf-8")
    assert len(DEVANAGARI.findall(text)) > 500
    assert '<html lang="hi">' in text


@pytest.mark.parametrize("code", [c for c in available() if c != "en"])
def test_a_corrected_term_is_in_all_sentences(code: str) -> None:
    before = language(code).messages
    try:
        correct(code, {"gradient": "GRADIENT"})
        changed = [message for message, text in language(code).messages.items() if text != before[message]]
        assert len(changed) > 10
        assert all("GRADIENT" in language(code)(message) for message in changed)
    finally:
        correct(code, {})
    assert language(code).messages == before
    with pytest.raises(mc.MatcalcError, match="term must be one of"):
        correct(code, {"gradiant": "x"})


@pytest.mark.parametrize("code", [c for c in available() if c != "en"])
def test_sentences_name_terms_of_the_glossary(code: str) -> None:
    assert not any("[[" in text for text in language(code).messages.values())
    assert set(glossary(code)) == set(glossary("es"))


def test_hindi_has_one_word_for_a_thing() -> None:
    text = "\n".join(language("hi").messages.values())
    for other in ("ग्रेडिएंट", "अवयव", "निवेश", "निर्गम", "सहखंडज"):
        assert other not in text


def test_spanish_entries_are_elements() -> None:
    for message, text in language("es").messages.items():
        assert "entrada" not in text or "input" in message or "entry only" in message, text
        assert "transpuest" not in text
