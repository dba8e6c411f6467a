"""Fresh names: one rule for local values, steps, pages and generated code."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import count

_GREEK = re.compile(r"greek (small|capital) letter (?:final )?(\w+)")


def greek(c: str) -> str:
    """The name in letters of a Greek letter; empty for others."""
    found = _GREEK.fullmatch(unicodedata.name(c, "").lower())
    if found is None:
        return ""
    word = found[2].replace("lamda", "lambda")
    return word if found[1] == "small" else word.capitalize()


def in_letters(name: str) -> str:
    """A name as the text syntax reads it: `β₁` is `beta1`.

    Example:
        >>> in_letters("Σ"), in_letters("λ₂"), in_letters("w")
        ('Sigma', 'lambda2', 'w')
    """
    return name if name.isascii() else "".join(greek(c) or c for c in unicodedata.normalize("NFKC", name))


class Names:
    """A supply of names beside those that are taken; each is given once.

    Attributes:
        taken: the names that are taken, in the end with those that were given.

    Example:
        >>> names = Names(["t1"])
        >>> names.fresh("x"), names.fresh("x"), names.numbered("t")
        ('x', 'x_', 't2')
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)

    def fresh(self, wanted: str) -> str:
        """`wanted`, with underscores appended until it is free."""
        while wanted in self.taken:
            wanted += "_"
        self.taken.add(wanted)
        return wanted

    def numbered(self, stem: str) -> str:
        """The first of `t1, t2, ...` that is free, for the stem `t`."""
        return self.fresh(next(name for k in count(1) if (name := f"{stem}{k}") not in self.taken))
