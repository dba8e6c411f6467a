"""What the tests of notes share: the examples, derived once, and a network of many layers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matcalc as mc
from matcalc.export.markup import Markdown
from matcalc.languages import language

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.txt"))
NAMES = [path.stem for path in EXAMPLES]
DEVANAGARI = re.compile("[\u0900-\u097f]")


@cache
def derived(path: Path) -> mc.Derivation:
    """The derivation of an example."""
    return mc.derive(path.read_text(encoding="utf-8"))


def chain(length: int) -> mc.Derivation:
    """A network of many layers."""
    lines = ["x: n x 1"] + [f"W{k}: n x n" for k in range(length)]
    previous = "x"
    for k in range(length):
        lines.append(f"h{k} = tanh(W{k}*{previous})")
        previous = f"h{k}"
    return mc.derive("\n".join([*lines, f"f = sum({previous})"]), wrt=["x", "W0"])


class Recorded(Markdown):
    """Notes the formulas of a page."""

    def __init__(self) -> None:
        super().__init__(language("en"))
        self.formulas: list[str] = []

    def math(self, formula: str) -> str:
        self.formulas.append(formula)
        return super().math(formula)

    def block(self, formula: str) -> str:
        self.formulas.append(formula)
        return super().block(formula)


def leaves(part: Any) -> Iterator[str]:
    """The visible characters of a tree."""
    if isinstance(part, str):
        yield from part.replace(" ", "").replace("\u00a0", "").replace("\u2009", "")
    elif isinstance(part, tuple):
        for p in part:
            yield from leaves(p)
    elif is_dataclass(part):
        for f in fields(part):
            if f.name not in ("kind", "style", "mark"):
                yield from leaves(getattr(part, f.name))
