"""The fixed words of notes and views in other languages: one JSON file each, English message to translation.

A file `xx.json` beside this module adds the language `xx`; what it lacks stays in English. `@name` is the language's
own name, `@script` its script and `@fonts` the fonts that have it, where the usual ones lack it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files

from matcalc.errors import need_one_of

ENGLISH = "en"


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


@lru_cache(maxsize=16)
def language(code: str) -> Language:
    """The language of this code.

    Raises:
        MatcalcError: there is no such language.
    """
    if code == ENGLISH:
        return Language(code, {})
    need_one_of("language", code, available())
    return Language(code, json.loads(files(__name__).joinpath(f"{code}.json").read_text(encoding="utf-8")))
