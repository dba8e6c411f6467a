"""The fixed words of notes and views in other languages: a file of sentences and a glossary for each.

`xx.json` beside this module has the sentences of the language `xx`, English message to translation, and
`glossary/xx.json` its terms, which the sentences name as `[[gradient]]`: a term that is corrected there is right in
all of them. What both lack stays in English. `@name` is the language's own name, `@script` its script and `@fonts` the
fonts that have it, where the usual ones lack it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from matcalc.errors import MatcalcError, need_one_of

ENGLISH = "en"
TERM = re.compile(r"\[\[(.+?)\]\]")
_CORRECTED: dict[str, dict[str, str]] = {}


class Language:
    """The messages of one language."""

    def __init__(self, code: str, messages: dict[str, str]) -> None:
        self.code = code
        self.messages = messages

    def __call__(self, message: str) -> str:
        """The message in this language; the message itself where there is no translation."""
        return self.messages.get(message, message)

    def has(self, message: str) -> bool:
        """Whether the message is in this language."""
        return self.code == ENGLISH or message in self.messages

    def filled(self, message: str, *values: str) -> str:
        """The message in this language with its places `{0}`, `{1}` filled in."""
        return self(message).format(*values)

    @property
    def fonts(self) -> list[str]:
        """Fonts that have the script of this language, the best first; none where any font will do."""
        return [name.strip() for name in self.messages.get("@fonts", "").split(",") if name.strip()]


class Message(str):
    """A text in English that can be said in other languages: made by `said`; a plain one stays as it is.

    Attributes:
        pattern: the fixed message with its places `{0}`, `{1}`; empty for a plain text.
        values: what fills the places; messages among them are translated too.
    """

    pattern: str = ""
    values: tuple[str, ...] = ()

    def text(self, code: str = ENGLISH) -> str:
        """The text in the language of this code."""
        if not self.pattern:
            return str(self)
        values = (value.text(code) if isinstance(value, Message) else value for value in self.values)
        return language(code).filled(self.pattern, *values)


def said(pattern: str, *values: str) -> Message:
    """A fixed message with its places filled in."""
    message = Message(pattern.format(*values))
    message.pattern, message.values = pattern, values
    return message


@lru_cache(maxsize=1)
def available() -> tuple[str, ...]:
    """The codes of the languages, English first."""
    found = sorted(f.name.removesuffix(".json") for f in files(__name__).iterdir() if f.name.endswith(".json"))
    return (ENGLISH, *found)


def glossary(code: str) -> dict[str, str]:
    """The terms of a language, with the corrections that were made."""
    need_one_of("language", code, available()[1:])
    own = json.loads(files(__name__).joinpath("glossary", f"{code}.json").read_text(encoding="utf-8"))
    return {**own, **_CORRECTED.get(code, {})}


def correct(code: str, terms: Mapping[str, str] | str | Path) -> None:
    """Use these terms of a language from now on: a teacher's glossary, or a JSON file of one; `{}` takes them back.

    Example:
        >>> import matcalc as mc
        >>> d = mc.derive("x'*A*x", wrt="x", facts={"A": "symmetric"})
        >>> correct("es", {"symmetric": "igual a su traspuesta"})
        >>> "A es igual a su traspuesta" in d.text("result", language="es")
        True
        >>> correct("es", {})

    Raises:
        MatcalcError: there is no such language, the file cannot be read, or a term is none of its glossary.
    """
    known = glossary(code)
    if isinstance(terms, (str, Path)):
        try:
            terms = json.loads(Path(terms).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise MatcalcError(f"the glossary {terms} cannot be read: {error}") from None
    if not isinstance(terms, Mapping) or not all(isinstance(t, str) for pair in terms.items() for t in pair):
        raise MatcalcError("a glossary gives each English term a text")
    for term in terms:
        need_one_of("term", term, sorted(known))
    _CORRECTED[code] = dict(terms)
    language.cache_clear()


@lru_cache(maxsize=16)
def language(code: str) -> Language:
    """The language of this code.

    Raises:
        MatcalcError: there is no such language.
    """
    if code == ENGLISH:
        return Language(code, {})
    need_one_of("language", code, available())
    terms = glossary(code)
    sentences = json.loads(files(__name__).joinpath(f"{code}.json").read_text(encoding="utf-8"))
    made = {message: TERM.sub(lambda term: terms[term[1]], text) for message, text in sentences.items()}
    return Language(code, {**terms, **made})
