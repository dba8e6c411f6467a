"""The rows of a list of formulas in LaTeX, broken where they are wider than the page."""

from __future__ import annotations

import re

from matcalc.printing.breaking import broken, displayed, width

LINE_END = re.compile(r" *\\\\(\[\w+\])?$")


def fitted(body: str, line: float) -> str:
    """The rows of `aligned`, broken where they are wider than the page."""
    head, *rows, foot = body.split("\n")
    return "\n".join([head, *(_fitted_row(row, line) for row in rows), foot])


def _fitted_row(row: str, line: float) -> str:
    left, mark, value = row.partition("&")
    ending = LINE_END.search(value)
    value = value[: ending.start()] if ending else value
    line -= width(left)
    if not mark or width(value) <= line:
        return row
    formula, comma, where = value.partition(r", \quad ")
    lines = broken(formula, line)
    if comma and width(lines[-1] + where) + 2 > line:
        lines[-1] += ","
        lines.append(where)
    elif comma:
        lines[-1] += comma + where
    lines = [piece if width(piece) <= line else _with_short_fraction(piece, line) for piece in lines]
    return f"{left}{mark}" + " \\\\\n&\\qquad ".join(lines) + (ending[0] if ending else "")


def _with_short_fraction(formula: str, line: float) -> str:
    """The formula with the numerator of its first fraction in several lines, as no line breaks inside a fraction."""
    before, fraction, rest = formula.partition(r"\frac{")
    depth, end = 1, 0
    while fraction and depth:
        depth += (rest[end] == "{") - (rest[end] == "}")
        end += 1
    if not fraction:
        return formula
    numerator = displayed(rest[: end - 1], 0.6 * line).replace("\n", " ")
    return f"{before}{fraction}{numerator}}}{rest[end:]}"
