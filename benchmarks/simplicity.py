"""How simple the printed answers are: their operations against those of the closed forms of the literature.

Over the reference cases whose closed form holds under the declared facts. Operations are the operators and the function
calls of the text as it is printed, definitions included, each definition once.

    python benchmarks/simplicity.py [--all] [--worst 40]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median, quantiles

from lark import Token, Tree

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from case_support import VALID, Case, derive

from matcalc.frontend.syntax import read

OPERATORS = {"PLUS", "MINUS", "STAR", "AT", "SLASH", "DOT_STAR", "DOT_SLASH", "CARET", "DOT_CARET", "QUOTE", "DOT_T"}
NODES = {"call", "indexing", "derivative", "block"}


def operations(text: str) -> int:
    """The operators and function calls of a program in the text syntax; the signs of exponents are not counted."""
    count = 0
    stack: list[Tree[Token] | Token] = [read(text)[1]]
    while stack:
        part = stack.pop()
        if isinstance(part, Token):
            count += part.type in OPERATORS
            continue
        count += part.data in NODES
        if part.data == "powering":
            operator, exponent = part.children
            while isinstance(exponent, Tree) and exponent.data == "signed":
                exponent = exponent.children[-1]
            stack += [operator, exponent]
        else:
            stack += part.children
    return count


def printed(case: Case) -> str:
    """What the derivation of a case prints."""
    return str(getattr(derive(case), case["kind"])(case["wrt"]))


def main() -> None:
    """Print the table, worst ratio first, and its quantiles."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--worst", type=int, default=40, help="how many rows (default: 40)")
    options.add_argument("--all", action="store_true", help="all rows")
    chosen = options.parse_args()
    rows = []
    for case in VALID:
        if case.get("expected") is None or case.get("claim") is False:
            continue
        ours = printed(case)
        count, closed = operations(ours), operations(case["expected"])
        # a closed form without operations: every operation of ours is one too many
        ratio = count / closed if closed else float(count + 1)
        rows.append((ratio, count, closed, case["id"], ours, case["expected"]))
    rows.sort(key=lambda row: (-row[0], row[3]))
    for ratio, count, closed, name, ours, expected in rows if chosen.all else rows[: chosen.worst]:
        print(f"{ratio:6.2f}  {count:3} / {closed:3}  {name}\n        {ours}\n        {expected}")
    ratios = [row[0] for row in rows]
    deciles = quantiles(ratios, n=10, method="inclusive")
    print(f"\n{len(rows)} cases; median {median(ratios):.3f}, 90th percentile {deciles[-1]:.3f}")


if __name__ == "__main__":
    main()
