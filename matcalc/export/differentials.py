"""The differential of an operation as a formula, from its record: `dY = A dX B` for Y = A X B."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from matcalc import core
from matcalc.dims import dim
from matcalc.expr import Expr, node, record
from matcalc.linop import apply
from matcalc.maps import Zero
from matcalc.printing.latex import latex
from matcalc.printing.style import Notation
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter

LETTERS = "ABCDEFGH"
OUTPUT = "Y"


@dataclass(frozen=True, slots=True)
class Formulas:
    """An operation on A, B, ... in LaTeX, and its differential; the latter is empty for constants."""

    operation: str
    differential: str


def formulas(name: str, notation: Notation) -> Formulas:
    """Both formulas of an operation."""
    e = example(name)
    entry = record(name)
    output = core.named(OUTPUT, e)
    names = {f"d{a.params[0]}": rf"\mathop{{}}\!\mathrm{{d}}{a.params[0]}" for a in e.args if a.op == "variable"}
    terms = [
        apply(L, core.var(f"d{a.params[0]}", *a.shape))
        for a, L in zip(e.args, entry.differential(output, *e.args, *e.params))
        if a.op == "variable" and not isinstance(L, Zero)
    ]
    operation = f"{OUTPUT} = {latex(e, notation)}"
    if not terms:
        return Formulas(operation, "")
    value = Rewriter(Context()).simplify(core.add(*terms))
    return Formulas(operation, rf"\mathrm{{d}}{OUTPUT} = {latex(value, notation.with_names(names))}")


def example(name: str) -> Expr:
    """The operation on variables A, B, ... of the shapes in its record."""
    entry = record(name)
    shapes, *params = entry.example
    args = []
    for letter, part in zip(LETTERS, filter(None, (p.strip() for p in shapes.split(",")))):
        shape, _, value = part.partition("=")
        rows, columns = (dim(int(d)) if d.isdigit() else dim(sp.sympify(d)) for d in shape.split())
        args.append(core.number(sp.Rational(value)) if value else core.var(letter, rows, columns))
    given = [dim(p) if spec.kind == "dim" else p for spec, p in zip(entry.params, params)]
    return node(name, args, tuple(given))
