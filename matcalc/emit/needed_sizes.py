"""Which sizes may not be 0: a largest entry, a mean needs entries, and nothing is divided by 0.

Checked when the function is called, on every target, with what the user wrote in the message.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy as sp

from matcalc.emit.code import number_code
from matcalc.expr import Expr, postorder, record
from matcalc.walk import variables

LONGEST = 60


@dataclass(frozen=True)
class Needed:
    """What may not be 0 for one reason.

    Attributes:
        what: what has no value over no entries; empty for divisors.
        sizes: as the user knows them, and as exact numbers.
    """

    what: str
    sizes: tuple[tuple[str, Any], ...]


def needed(value: Expr | None, roots: Iterable[Expr]) -> list[Needed]:
    """What a function needs of its sizes: for its operations, the value's first, and for what it divides by."""
    first = [*([] if value is None else [value]), *roots]
    found: list[Needed] = []
    known: set[Any] = set()
    for e in postorder(first):
        over = record(e.op).over
        sizes = [] if over is None else [f for f in _factors(sp.sympify(over(*e.args, *e.params))) if _new(f, known)]
        if sizes:
            found.append(Needed(_text(e), tuple((_size_text(f), f) for f in sizes)))
    divisors = [f for e in postorder(first) for c in _divisors(e) for f in _factors(c) if _new(f, known)]
    return [*found, *([Needed("", tuple((_size_text(f), f) for f in divisors))] if divisors else [])]


def within(found: Iterable[Needed], names: Container[str]) -> list[Needed]:
    """What is needed of sizes that the code knows; others are in none of its results."""
    kept = []
    for n in found:
        sizes = tuple((text, f) for text, f in n.sizes if all(s.name in names for s in sp.sympify(f).free_symbols))
        kept += [Needed(n.what, sizes)] if sizes else []
    return kept


def statements(found: Iterable[Needed], names: Mapping[str, str]) -> list[str]:
    """The statements that check sizes; `names` are those of the dimensions in the code."""
    lines = []
    for n in found:
        sizes = ", ".join(f'"{text}": {code(f, names)}' for text, f in n.sizes)
        lines.append(f'_not_empty("{n.what}", {{{sizes}}})' if n.what else f"_nonzero({{{sizes}}})")
    return lines


def code(size: Any, names: Mapping[str, str]) -> str:
    """A size as code."""
    return number_code(size, dict(names))[0]


def _new(size: Any, known: set[Any]) -> bool:
    """Whether a size was not met before, with this or the other sign."""
    fresh = size not in known
    known.update((size, -size))
    return fresh


def _text(e: Expr) -> str:
    text = str(e).replace('"', "'")
    return text if len(text) <= LONGEST else e.op


def _size_text(size: Any) -> str:
    """A size as one writes it: what is added first, then what is taken away."""
    terms = sorted(sp.Add.make_args(size), key=lambda t: bool(t.could_extract_minus_sign()))
    text = "".join(f" - {-t}" if t.could_extract_minus_sign() else f" + {t}" for t in terms).replace("**", "^")
    return text.removeprefix(" + ").replace(" - ", "-", 1) if text.startswith(" - ") else text.removeprefix(" + ")


def _divisors(e: Expr) -> Iterator[Any]:
    """The exact numbers that a node divides by."""
    if e.number is not None:
        yield sp.fraction(sp.together(e.number))[1]
    if e.op == "divide" and not variables([e.args[1]]):
        yield from (sub.number for sub in postorder([e.args[1]]) if sub.number is not None)
        return
    over, definition = record(e.op).over, record(e.op).definition
    if over is not None and definition is not None and _factors(sp.sympify(over(*e.args, *e.params))):
        for part in postorder([definition(*e.args, *e.params)], stop=set(e.args).__contains__):
            yield from _divisors(part)


@lru_cache(maxsize=1024)
def _factors(c: Any) -> tuple[Any, ...]:
    """The factors of a number that are 0 for some sizes: `n` and `n - 1` of n^2 - n."""
    c = sp.sympify(c)
    if not c.free_symbols:
        return ()
    written = {part.as_base_exp()[0] for part in sp.Mul.make_args(c)}
    found: list[Any] = []
    for part in sp.Mul.make_args(sp.factor(c)):
        base = part.as_base_exp()[0]
        if base.is_Mul:
            found += _factors(base)
        elif base.free_symbols:
            found.append(-base if -base in written else base)
    return tuple(dict.fromkeys(found))
