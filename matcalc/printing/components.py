r"""Formulas by components: the entry (i, j) of an expression, `\sum_{k} A_{ik} B_{kj}`, for those who learn it so.

Where there is no rule for the entries of an operation, the entry of the whole is written: `(X^{-1})_{ij}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from matcalc.core import number, power
from matcalc.dims import Shape, is_one
from matcalc.expr import Expr, number_value, postorder, record
from matcalc.notation import Call, Level, Template
from matcalc.ops.reductions import norm2
from matcalc.printing.latex import latex
from matcalc.printing.numbers import dim_latex, number_latex
from matcalc.printing.style import Notation

ENTRY = re.compile(r"\w+_\{\w+\}")
LETTERS = "ijklpqrstuvabcgh"
LARGEST = 60  # operations beyond which a formula by components helps nobody


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a matrix: its indices and the formula."""

    indices: tuple[str, ...]
    right: str

    def left(self, name: str) -> str:
        """The entry of the matrix of this name."""
        index = "".join(self.indices)
        return f"{_bracketed(name)}_{{{index}}}" if index else name


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    level: Level

    def at(self, level: Level) -> str:
        """In brackets where it binds less."""
        return self.text if self.level >= level else _bracketed(self.text)

    def as_factor(self) -> str:
        """As a factor among scalars: products need no brackets, sums of both kinds do."""
        return self.at(Level.POSTFIX) if self.text.startswith((r"\sum", "-")) else self.at(Level.PRODUCT)


def entry(e: Expr, notation: Notation) -> Entry | None:
    """The entry of an expression by its indices; None where that would be too long to help."""
    nodes = list(postorder((e,), through_names=False))
    if len(nodes) > LARGEST:
        return None
    taken = {str(s) for v in nodes for d in v.shape if not isinstance(d, int) for s in d.free_symbols}
    taken |= {v.name for v in nodes if v.name}
    letters = [c for c in LETTERS if c not in taken]
    if len(letters) < 4:
        return None
    fresh = (letters[k] if k < len(letters) else f"{letters[-1]}_{{{k}}}" for k in count())
    i = "" if is_one(e.shape[0]) else next(fresh)
    j = "" if is_one(e.shape[1]) else next(fresh)
    return Entry(tuple(x for x in (i, j) if x), _Components(notation, fresh).of(e, i, j).text)


def written_out_diagonal(D: Expr, entries: int, notation: Notation) -> str:
    r"""diag(vec D) as a matrix of its first entries, for a row, a column, or the first column of a matrix."""
    shown = []
    for k in range(1, entries + 1):
        i, j = ("", str(k)) if is_one(D.shape[0]) else (str(k), "" if is_one(D.shape[1]) else "1")
        shown.append(_Components(notation, iter("klpqrstuv")).of(D, i, j).text)
    rows = [" & ".join(text if k == column else "0" for column in range(entries)) for k, text in enumerate(shown)]
    return r"\begin{bmatrix} " + r" \\[3pt] ".join(rows) + r" \end{bmatrix}"


class _Components:
    def __init__(self, notation: Notation, fresh: Iterator[str]) -> None:
        self.notation = notation
        self.fresh = fresh

    def of(self, e: Expr, i: str, j: str) -> _Text:
        """The entry (i, j); an index is empty where the size is 1."""
        method = getattr(self, f"_{e.op}", None)
        if method is not None:
            made: _Text = method(e, i, j)
            return made
        if record(e.op).scalar_function is not None:
            return self._function(e, i, j)
        return self._atom(e, i, j)

    def _atom(self, e: Expr, i: str, j: str) -> _Text:
        written = latex(e, self.notation)
        index = i + j
        if not index:
            level = Level.ATOM if e.name or not e.args or e.op == norm2.name else Level.SUM
            return _Text(written, level)
        simple = e.name and "_" not in written and not written.startswith(r"\frac")
        return _Text(f"{written}_{{{index}}}" if simple else f"{_bracketed(written)}_{{{index}}}", Level.ATOM)

    def _number(self, e: Expr, i: str, j: str) -> _Text:
        return _Text(*number_latex(number_value(e)))

    def _ones(self, e: Expr, i: str, j: str) -> _Text:
        return _Text("1", Level.ATOM)

    def _zeros(self, e: Expr, i: str, j: str) -> _Text:
        return _Text("0", Level.ATOM)

    def _eye(self, e: Expr, i: str, j: str) -> _Text:
        return _Text(f"[{i} = {j}]", Level.ATOM) if i + j else _Text("1", Level.ATOM)

    def _add(self, e: Expr, i: str, j: str) -> _Text:
        terms = [self.of(a, i, j) for a in e.args]
        terms.sort(key=lambda t: t.text.startswith("-"))
        text = terms[0].text
        for t in terms[1:]:
            if t.text.startswith("-"):
                text += f" - {t.text[1:]}"
            else:
                text += f" + {t.at(Level.SUM)}"
        return _Text(text, Level.SUM)

    def _scale(self, e: Expr, i: str, j: str) -> _Text:
        *scalars, last = e.args
        below = [self.of(_inverted(s), "", "") for s in scalars if _is_below(s)]
        parts = [self.of(s, "", "") for s in scalars if not _is_below(s)] or [_Text("1", Level.ATOM)]
        negative = scalars[0].op == "number" and parts[0].text.startswith("-")
        if negative:
            parts[0] = _Text(parts[0].text[1:].strip(), parts[0].level)
        shown = [p.at(Level.PRODUCT) for p in parts if p.text != "1"]
        if below:
            fractions = [t for t in shown if t.startswith(r"\frac")]
            above = " ".join(t for t in shown if t not in fractions) or "1"
            divisor = below[0].text if len(below) == 1 else " ".join(t.as_factor() for t in below)
            shown = [*fractions, rf"\frac{{{above}}}{{{divisor}}}"]
        product = " ".join([*shown, self.of(last, i, j).at(Level.PRODUCT)])
        return _Text(f"-{product}" if negative else product, Level.SUM if negative else Level.PRODUCT)

    def _hadamard(self, e: Expr, i: str, j: str) -> _Text:
        above = [self.of(a, i, j) for a in e.args if not _is_reciprocal(a)]
        below = [self.of(a.args[0], *_indices(a.args[0].shape, i, j)) for a in e.args if _is_reciprocal(a)]
        above.sort(key=lambda t: t.text.startswith(r"\sum"))
        product = r" \, ".join(f.as_factor() for f in above) or "1"
        if not below:
            return _Text(product, Level.PRODUCT)
        return _Text(rf"\frac{{{product}}}{{{' '.join(f.at(Level.POSTFIX) for f in below)}}}", Level.POSTFIX)

    def _divide(self, e: Expr, i: str, j: str) -> _Text:
        above, below = (self.of(a, *_indices(a.shape, i, j)) for a in e.args)
        return _Text(rf"\frac{{{above.text}}}{{{below.text}}}", Level.POSTFIX)

    def _power(self, e: Expr, i: str, j: str) -> _Text:
        if _is_below(e):
            return _Text(rf"\frac{{1}}{{{self.of(_inverted(e), i, j).text}}}", Level.POSTFIX)
        base, exponent = (self.of(a, *_indices(a.shape, i, j)) for a in e.args)
        plain = base.level == Level.ATOM and "_" not in base.text
        shown = base.text if plain else base.text if base.level == Level.ATOM else _bracketed(base.text)
        return _Text(f"{shown}^{{{exponent.text}}}", Level.POSTFIX)

    def _transpose(self, e: Expr, i: str, j: str) -> _Text:
        return self.of(e.args[0], j, i)

    def _broadcast(self, e: Expr, i: str, j: str) -> _Text:
        return self.of(e.args[0], *_indices(e.args[0].shape, i, j))

    def _matmul(self, e: Expr, i: str, j: str) -> _Text:
        inner = ["" if is_one(a.shape[1]) else next(self.fresh) for a in e.args[:-1]]
        around = [i, *inner, j]
        factors = [self.of(a, r, c).as_factor() for a, r, c in zip(e.args, around, around[1:])]
        factors = _powers([f for f in factors if f != "1"]) or ["1"]
        return self._summed([k for k in inner if k], " ".join(factors))

    def _summed(self, over: list[str], body: str) -> _Text:
        if not over:
            return _Text(body, Level.PRODUCT)
        return _Text(rf"\sum_{{{', '.join(over)}}} {body}", Level.PRODUCT)

    def _sum(self, e: Expr, i: str, j: str) -> _Text:
        X = e.args[0]
        rows = "" if is_one(X.shape[0]) else next(self.fresh) if e.params[0] in (None, 1) else i
        columns = "" if is_one(X.shape[1]) else next(self.fresh) if e.params[0] in (None, 2) else j
        over = [k for k in (rows, columns) if k and k not in (i, j)]
        return self._summed(over, self.of(X, rows, columns).at(Level.PRODUCT))

    def _mean(self, e: Expr, i: str, j: str) -> _Text:
        X = e.args[0]
        sizes = [X.shape[axis - 1] for axis in (1, 2) if e.params[0] in (None, axis) and not is_one(X.shape[axis - 1])]
        total = self._sum(e, i, j)
        if not sizes:
            return total
        return _Text(rf"\frac{{1}}{{{' '.join(dim_latex(n) for n in sizes)}}} {total.at(Level.PRODUCT)}", Level.PRODUCT)

    def _tr(self, e: Expr, i: str, j: str) -> _Text:
        k = "" if e.args[0].is_scalar else next(self.fresh)
        return self._summed([k] if k else [], self.of(e.args[0], k, k).at(Level.PRODUCT))

    def _diag(self, e: Expr, i: str, j: str) -> _Text:
        v = e.args[0]
        k = self.of(v, "", j) if is_one(v.shape[0]) else self.of(v, i, "")
        return _Text(f"[{i} = {j}] {k.at(Level.POSTFIX)}", Level.PRODUCT) if i + j else k

    def _diagvec(self, e: Expr, i: str, j: str) -> _Text:
        return self.of(e.args[0], i + j, i + j)

    def _function(self, e: Expr, i: str, j: str) -> _Text:
        """An entrywise function: of the entry."""
        form = record(e.op).latex
        form = form(*e.params) if callable(form) else form
        arg = self.of(e.args[0], *_indices(e.args[0].shape, i, j))
        if len(e.args) != 1:
            return self._atom(e, i, j)
        if isinstance(form, Call):
            return _Text(
                rf"{form.name}\left({arg.text}\right)" if "frac" in arg.text else f"{form.name}({arg.text})", Level.ATOM
            )
        if isinstance(form, Template) and "{p" not in form.text:
            return _Text(form.text.format(arg.at(form.inner)), form.level)
        return self._atom(e, i, j)


def _bracketed(text: str) -> str:
    tall = r"\frac" in text or r"\sum" in text
    return rf"\left({text}\right)" if tall else f"({text})"


def _powers(factors: list[str]) -> list[str]:
    """Equal entries that stand side by side as a power."""
    found: list[tuple[str, int]] = []
    for f in factors:
        if found and found[-1][0] == f and ENTRY.fullmatch(f):
            found[-1] = (f, found[-1][1] + 1)
        else:
            found.append((f, 1))
    return [f if k == 1 else f"{f}^{{{k}}}" for f, k in found]


def _is_below(e: Expr) -> bool:
    return e.op == "power" and e.args[1].op == "number" and bool(number_value(e.args[1]).is_negative)


def _inverted(e: Expr) -> Expr:
    """1/e for a power with a negative exponent."""
    exponent = -number_value(e.args[1])
    return e.args[0] if exponent == 1 else power(e.args[0], number(exponent))


def _is_reciprocal(e: Expr) -> bool:
    return e.op == "power" and e.args[1].number == -1


def _indices(shape: Shape, i: str, j: str) -> tuple[str, str]:
    """The indices of a part that is broadcast: none where its size is 1."""
    return ("" if is_one(shape[0]) else i, "" if is_one(shape[1]) else j)
