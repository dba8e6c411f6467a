"""The differential of an operation as a formula, from its record: `dY = A dX B` for Y = A X B."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matcalc import core, exact
from matcalc.dims import Dim, dim
from matcalc.exact import sp
from matcalc.expr import Expr, node, record
from matcalc.linop import apply
from matcalc.map_kinds import Zero
from matcalc.printing.latex import latex
from matcalc.printing.style import Notation
from matcalc.printing.text import text
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter

LETTERS = "ABCDEFGH"
OUTPUT = "Y"


@dataclass(frozen=True, slots=True)
class Formulas:
    """An operation on A, B, ..., and its differential; the latter is empty for constants."""

    operation: str
    differential: str


def formulas(name: str, notation: Notation, params: Sequence[Any] | None = None) -> Formulas:
    """Both formulas of an operation in LaTeX, with the parameters of its record or with those given."""
    e, differential = _differential(name, params)
    output = latex(core.var(OUTPUT, *e.shape), notation)
    operation = f"{output} = {latex(e, notation)}"
    if differential is None:
        return Formulas(operation, "")
    names = {f"d{a.params[0]}": rf"\mathrm{{d}}{latex(a, notation)}" for a in e.args if a.op == "variable"}
    return Formulas(operation, rf"\mathrm{{d}}{output} = {latex(differential, notation.with_names(names))}")


def formulas_text(name: str, params: Sequence[Any] | None = None) -> Formulas:
    """The same in the text syntax.

    Example:
        >>> import matcalc as mc
        >>> _ = mc.derive("x'*x")
        >>> formulas_text("tanh").differential
        'dY = dA .* (1 - Y.^2)'
    """
    e, differential = _differential(name, params)
    return Formulas(f"{OUTPUT} = {text(e)}", "" if differential is None else f"d{OUTPUT} = {text(differential)}")


def _differential(name: str, params: Sequence[Any] | None) -> tuple[Expr, Expr | None]:
    """The operation, and its differential with one term for each argument."""
    e = example(name, params)
    output = core.named(OUTPUT, e)
    terms = [
        apply(L, core.var(f"d{a.params[0]}", *a.shape))
        for a, L in zip(e.args, record(name).differential(output, *e.args, *e.params))
        if a.op == "variable" and not isinstance(L, Zero)
    ]
    tidy = Rewriter(Context()).simplify
    return e, core.add(*map(tidy, terms)) if terms else None


def _size(text: str) -> Dim:
    """A size as the records write it: `n`, `3`, `m*n`."""
    if text.isdigit():
        return int(text)
    return dim(text if text.isidentifier() else sp.sympify(text))


def example(name: str, params: Sequence[Any] | None = None) -> Expr:
    """The operation on variables A, B, ... of the shapes in its record; parameters that depend on those stay."""
    entry = record(name)
    shapes, *own = entry.example
    args = []
    for letter, part in zip(LETTERS, filter(None, (p.strip() for p in shapes.split(",")))):
        shape, _, value = part.partition("=")
        rows, columns = map(_size, shape.split())
        args.append(core.number(exact.rational(value)) if value else core.var(letter, rows, columns))
    free = all(spec.kind in ("axis", "number", "name", "int") for spec in entry.params)  # of the sizes in the record
    chosen = params if params is not None and free else own
    given = [dim(p) if spec.kind == "dim" else p for spec, p in zip(entry.params, chosen)]
    return node(name, args, tuple(given))
