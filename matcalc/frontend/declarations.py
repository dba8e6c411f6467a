"""Declarations as people write them: `X: n x p symmetric`, `x: n`, `l: scalar positive`, `x: vector`, `A: spd`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from matcalc.dims import Dim, Shape, is_one, same, shape_text
from matcalc.errors import MatcalcError
from matcalc.frontend.syntax import Node, Source
from matcalc.properties import fact_words

# What a word says of the shape; "real" says nothing here, where everything is.
KINDS = {
    "scalar": "scalar",
    "number": "scalar",
    "vector": "vector",
    "column": "vector",
    "row": "row",
    "matrix": "matrix",
    "square": "square",
}
SAYS_NOTHING = ("real", "real-valued", "dense", "variable")
_GLUED = re.compile(r"([A-Za-z]|[0-9]+)x([A-Za-z]|[0-9]+)")
FITS: dict[str, Callable[[Dim, Dim], bool]] = {
    "scalar": lambda rows, cols: is_one(rows) and is_one(cols),
    "vector": lambda rows, cols: is_one(cols) or is_one(rows),
    "row": lambda rows, cols: is_one(rows),
    "matrix": lambda rows, cols: True,
    "square": lambda rows, cols: same(rows, cols),
}


@dataclass
class Form:
    """What a declaration says.

    Attributes:
        sizes: none, one (of a column) or two.
        kind: what a word says of the shape.
        facts: the facts.
        place: where the facts begin.
    """

    sizes: list[Node] = field(default_factory=list)
    kind: str | None = None
    facts: list[str] = field(default_factory=list)
    place: Any = None


def form_of(source: Source, tree: Any) -> Form:
    """What the declaration `name: shape facts` says.

    Raises:
        ParseError: a word is not a fact, or two words say different things of the shape.
    """
    name, shape = tree.children[0], tree.children[1]
    later = [c for c in tree.children[2:] if getattr(c, "data", "") == "fact"]
    form = Form(place=later[0] if later else shape)
    words: list[str] = []
    if len(shape.children) > 1:
        form.sizes = list(shape.children)
    elif not _take_single(source, str(name), shape.children[0], form, words):
        form.sizes = [shape.children[0]]
    words += ["".join(map(str, fact.children)) for fact in later]
    kinds = [KINDS[w] for w in words if w in KINDS]
    form.kind = _one_kind(source, str(name), kinds, form)
    try:
        form.facts = fact_words([w for w in words if w not in KINDS and w not in SAYS_NOTHING])
    except MatcalcError as error:
        more = " (a declaration is `name: rows x columns`, then facts)" if len(form.sizes) == 1 else ""
        raise source.error(f"the facts of {name}: {error}{more}", form.place) from None
    if form.kind is None and not form.sizes and "real" in words:
        form.kind = "scalar"
    return form


def _take_single(source: Source, name: str, single: Any, form: Form, words: list[str]) -> bool:
    """Take what stands alone for words, or for sizes in another spelling; False for one size."""
    if single.data == "name":
        word = str(single.children[0])
        glued = _GLUED.fullmatch(word)
        if glued is not None:
            raise source.error(f"{word} is one name: write `{name}: {glued[1]} x {glued[2]}`", single)
        if word in KINDS or word in SAYS_NOTHING or _is_fact(word):
            words.append(word)
            return True
        return False
    if (
        single.data == "sum"
        and len(single.children) == 3
        and all(getattr(c, "data", "name") == "name" for c in single.children[::2])
    ):
        word = "-".join(str(c.children[0]) for c in single.children[::2])  # positive-definite is read as a difference
        if str(single.children[1]) == "-" and (_is_fact(word) or word in SAYS_NOTHING):
            words.append(word)
            return True
    if single.data == "call" and str(single.children[0]) in KINDS and len(single.children) in (2, 3):
        form.sizes, word = list(single.children[1:]), str(single.children[0])
        words.append(word)
        if word == "row" and len(form.sizes) == 1:
            raise source.error(f"a row is 1 x n: write `{name}: 1 x {source.words(form.sizes[0])}`", single)
        return True
    if single.data == "block" and len(single.children) == 1 and len(single.children[0].children) == 2:
        form.sizes = list(single.children[0].children)
        return True
    if single.data == "postfix" and len(single.children) == 2 and source.words(single).startswith("R^"):
        return _take_space(source, name, single, form)
    return False


def _take_space(source: Source, name: str, single: Any, form: Form) -> bool:
    """R^n is the space of columns of n entries."""
    exponent = single.children[1].children[-1]
    if exponent.data not in ("name", "number"):
        raise source.error(f"a matrix is declared by its rows and columns: `{name}: n x p`", single)
    form.sizes = [exponent]
    return True


def _is_fact(word: str) -> bool:
    try:
        return bool(fact_words([word]))
    except MatcalcError:
        return word in ("positive", "lower", "upper", "skew", "one")


def _one_kind(source: Source, name: str, kinds: Sequence[str], form: Form) -> str | None:
    """What the words together say of the shape: `row vector` is a row, `square matrix` a square."""
    found = set(kinds)
    if found & {"row", "square"}:
        found -= {"vector", "matrix"}
    if len(found) > 1:
        raise source.error(f"{name} cannot be both {' and '.join(sorted(found))}", form.place)
    return next(iter(found), None)


def shape_of(source: Source, name: str, form: Form, sizes: Iterable[Dim], place: Any) -> Shape | None:
    """The shape that a declaration gives; None where it leaves a size open.

    Raises:
        ParseError: a word says something else of the shape than the sizes.
    """
    given = list(sizes)
    if not given:
        return (1, 1) if form.kind == "scalar" else None
    square = len(given) == 1 and form.kind in ("square", "matrix")
    rows, cols = (
        (given[0], given[0]) if square else (1, given[0]) if len(given) == 1 and form.kind == "row" else (*given, 1)[:2]
    )
    if form.kind is not None and not FITS[form.kind](rows, cols):
        raise source.error(f"{name} is {shape_text((rows, cols))}, which is not a {form.kind}", place)
    return rows, cols


def open_sizes(name: str, kind: str | None) -> str:
    """What is said where a declaration must give the sizes, and leaves them open."""
    written = {"vector": "n x 1", "row": "1 x n", "square": "n x n"}.get(kind or "matrix", "n x p")
    return f"the sizes of {name} must be given here: `{name}: {written}`"
