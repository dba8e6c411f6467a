"""Anki cards: a file for its import, one line for each card, with formulas between MathJax's brackets.

On the front stands what a step starts from and what is to be found, on the back how it is found. The first column
identifies a card, so that another import of a changed note changes the cards and keeps what was learnt.
"""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from hashlib import blake2b

from matcalc.export.markup_html import Html
from matcalc.languages import Language

KIND = "Basic"  # the note type with the fields Front and Back


class AnkiCards(Html):
    """HTML as Anki shows it; `card` collects the cards."""

    listings = False
    pictures = "svg"

    def __init__(self, language: Language) -> None:
        super().__init__(language)
        self.cards: list[tuple[str, str]] = []

    def card(self, front: str, back: str) -> str:
        """Take up a card; nothing is written in its place."""
        self.cards.append((" ".join(front.split()), " ".join(back.split())))
        return ""

    def _element(self, tag: str, kind: str, wide: str, narrow: str = "") -> str:
        """A formula between the marks that Anki knows."""
        formula = html.escape(wide, quote=False)
        return rf"\({formula}\)" if tag == "span" else rf"\[{formula}\]"

    def small(self, content: str) -> str:
        return f"<small>{content}</small>"


def import_file(title: str, cards: Sequence[tuple[str, str]]) -> str:
    """The text of a file for Anki's import: tabs between the columns, and what they are in the first lines."""
    deck = " ".join(title.split())
    head = ["#separator:tab", "#html:true", f"#notetype:{KIND}", f"#deck:{deck}", "#guid column:1"]
    rows = io.StringIO()
    writer = csv.writer(rows, delimiter="\t", lineterminator="\n")
    seen: dict[str, int] = {}
    for front, back in cards:
        count = seen[front] = seen.get(front, 0) + 1
        digest = blake2b(f"{title}\t{front}\t{count}".encode(), digest_size=8).hexdigest()
        writer.writerow([f"matcalc-{digest}", front, back])
    return "\n".join([*head, rows.getvalue()])
