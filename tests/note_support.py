"""What the tests of notes share: the examples, derived once, and a network of many layers."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import matcalc as mc

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
