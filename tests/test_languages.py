"""Fixed words in other languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from note_support import DEVANAGARI, ROOT, derived

from matcalc.languages import available, language


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
    assert "Por la regla de la cadena" in text
    assert "By the chain rule" not in text
    d = derived(ROOT / "examples" / "batch_normalization.txt")
    text = d.export(tmp_path / "n.html", language="hi").read_text(encoding="utf-8")
    assert len(DEVANAGARI.findall(text)) > 500
    assert '<html lang="hi">' in text
