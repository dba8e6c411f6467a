"""Residuals of low rank: U (V' V) - T V for (U V' - T) V, x - H (G x) for (I - H G) x, where operation counts say so.

With U m x k, V n x k and products by matrices with q columns, the residual costs m n k and the products of the factors
q k (m + n): where the residual is needed for nothing else, the second form is cheaper if the q together are less than
m n / (m + n). Sizes that are given decide here. Without them a few columns are always multiplied last, and generated
code decides by itself only in a factorisation: where the inner dimension k belongs to nothing but what is optimised.

No digits are lost by that: U V' is rounded where it is subtracted from T, and |T| is at most |U V'| and the residual
together, so that both forms have the error of one rounding of |U| |V'| |V|, however small the residual is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from matcalc import core
from matcalc.dims import Dim, is_one, substitute, symbols
from matcalc.expr import Expr, postorder
from matcalc.rewrite.terms import factors_of
from matcalc.walk import substitute as replaced

_PAIR = 2
_FEW = 4  # columns, fewer than which are multiplied by factors whatever the sizes of matrices are


@dataclass
class Residual:
    """A sum of a product and one other term, all of whose uses are products with other matrices.

    If the other term is a product too, there is one use, with one column.

    Attributes:
        left: m x k.
        right: k x n.
        columns: the sizes q of the products, together.
        table: for each of these products the form without the residual.
    """

    left: Expr
    right: Expr
    columns: Any = sp.S.Zero
    table: dict[Expr, Expr] = field(default_factory=dict)

    @property
    def gain(self) -> tuple[Any, Any]:
        """Two operation counts: the other form is cheaper where the first is below the second."""
        m, n = (core.exact_dim(d) for d in (self.left.shape[0], self.right.shape[1]))
        return self.columns * (m + n), m * n


@dataclass(frozen=True)
class Form:
    """What replaces a program's roots, and where.

    Attributes:
        table: for the roots.
        cheaper: the two operation counts, if the generated code is to compare them; None where it holds anyway.
    """

    table: Mapping[Expr, Expr]
    cheaper: tuple[Any, Any] | None = None


def forms_of_residuals(
    roots: Iterable[Expr], moving: set[Expr], given: Iterable[Expr], sizes: Mapping[str, int]
) -> list[Form]:
    """The residuals to multiply out: at most one form that holds anyway, then at most one for the generated code.

    Args:
        roots: what the program returns.
        moving: the variables by which is differentiated.
        given: all others.
        sizes: what is known of the dimensions.
    """
    roots = list(roots)
    anyway: dict[Expr, Expr] = {}
    open_cases: list[Residual] = []
    for case in _residuals(roots):
        verdict = _holds(case, sizes)
        if verdict:
            anyway |= case.table
        elif verdict is None and _is_factorisation(case, moving, given):
            open_cases.append(case)
    found = [Form(_on_roots(roots, anyway))] if anyway else []
    if open_cases:
        now = [found[0].table[r] for r in roots] if found else roots
        alike = [case for case in open_cases if case.gain == open_cases[0].gain]
        found.append(Form(_on_roots(now, {k: e for case in alike for k, e in case.table.items()}), alike[0].gain))
    return found


def _on_roots(roots: list[Expr], table: dict[Expr, Expr]) -> dict[Expr, Expr]:
    return {root: replaced(root, table) for root in roots}


def _residuals(roots: list[Expr]) -> list[Residual]:
    order = list(postorder(roots))
    parents: dict[Expr, list[Expr]] = defaultdict(list)
    for e in order:
        for a in dict.fromkeys(e.args):
            parents[a].append(e)
    found = []
    for e in order:
        for product, rest in (e.args, e.args[::-1]) if e.op == "add" and len(e.args) == _PAIR else ():
            scalars, inner = _unscaled(product)
            if not _is_product(inner):
                continue
            left, *right = inner.args
            case = _collected(e, (scalars, left, core.matmul(*right)), rest, parents, set(roots))
            if case is not None and (case.columns == 1 or not _is_product(_unscaled(rest)[1])):
                found.append(case)
                break
    return found


def _is_product(e: Expr) -> bool:
    return e.op == "matmul" and not any(map(is_one, e.shape))


def _unscaled(e: Expr) -> tuple[tuple[Expr, ...], Expr]:
    return (e.args[:-1], e.args[-1]) if e.op == "scale" else ((), e)


def _collected(
    e: Expr, product: tuple[tuple[Expr, ...], Expr, Expr], rest: Expr, parents: dict[Expr, list[Expr]], roots: set[Expr]
) -> Residual | None:
    """All uses of the residual `e`, or None where one of them is not a product with another matrix."""
    scalars, A, B = product
    case = Residual(A, B)
    waiting: list[tuple[Expr, tuple[Expr, ...], bool]] = [(e, (), False)]
    while waiting:
        carrier, factors, turned = waiting.pop()
        if carrier in roots or not parents[carrier]:
            return None
        for use in parents[carrier]:
            if use.op == "named":
                waiting.append((use, factors, turned))
            elif use.op == "transpose":
                waiting.append((use, factors, not turned))
            elif use.op == "scale" and use.args[-1] is carrier and carrier not in use.args[:-1]:
                waiting.append((use, (*factors, *use.args[:-1]), turned))
            elif use.op == "matmul" and use.args.count(carrier) == 1:
                parts = (scalars, _turned(B), _turned(A), _turned(rest)) if turned else (scalars, A, B, rest)
                columns, form = _without_residual(use.args, use.args.index(carrier), parts)
                case.columns += columns
                case.table[use] = core.scale(*factors, form)
            else:
                return None
    return case


def _without_residual(
    args: tuple[Expr, ...], place: int, parts: tuple[tuple[Expr, ...], Expr, Expr, Expr]
) -> tuple[Any, Expr]:
    """For a product with scalars * A B + rest at `place`: by how many columns that is multiplied; the other form."""
    scalars, A, B, rest = parts
    before, after = args[:place], args[place + 1 :]
    negative, rest = _unscaled(rest)
    if after and (is_one(after[-1].shape[1]) or not (before and is_one(before[0].shape[0]))):
        N = core.matmul(*after)
        inner = core.named("t", _chained(B, N), "local")
        terms = core.scale(*scalars, core.matmul(A, inner)), core.scale(*negative, _times(rest, N))
        return core.exact_dim(N.shape[1]), core.matmul(*before, core.add(*terms))
    N = core.matmul(*before)
    inner = core.named("t", _chained(N, A), "local")
    terms = core.scale(*scalars, core.matmul(inner, B)), core.scale(*negative, _times(N, rest))
    return core.exact_dim(N.shape[0]), core.matmul(core.add(*terms), *after)


def _chained(*parts: Expr) -> Expr:
    """The product as one chain, in which any order may be cheapest."""
    return core.matmul(*(f for part in parts for f in factors_of(part, "matmul")))


def _times(a: Expr, b: Expr) -> Expr:
    """a b, where one may be an identity."""
    return b if a.op == "eye" else a if b.op == "eye" else core.matmul(a, b)


def _turned(e: Expr) -> Expr:
    """The transpose, taken into scalings, products and what is symmetric by its form."""
    scalars, inner = _unscaled(e)
    if inner.op == "matmul":
        return core.scale(*scalars, core.matmul(*(core.turned(f) for f in reversed(inner.args))))
    return core.scale(*scalars, inner if inner.op in ("eye", "diag") else core.turned(inner))


def _holds(case: Residual, sizes: Mapping[str, int]) -> bool | None:
    """Whether the other form is cheaper; None where that depends on sizes that are not known."""
    m, n = (substitute(d, sizes) for d in (case.left.shape[0], case.right.shape[1]))
    columns: Dim = substitute(case.columns, sizes) if case.columns.free_symbols else int(case.columns)
    if all(isinstance(d, int) for d in (m, n, columns)):
        return bool(columns * (m + n) < m * n)
    known = [d for d in (m, n) if isinstance(d, int)]
    return True if isinstance(columns, int) and columns <= _FEW and all(columns < d for d in known) else None


def _is_factorisation(case: Residual, moving: set[Expr], given: Iterable[Expr]) -> bool:
    """Whether both factors are optimised, and their common dimension is that of nothing that is given."""
    factors = [f.args[0] if f.op == "transpose" else f for f in (case.left, case.right)]
    inner = set(symbols((case.right.shape[0],)))
    outside = set(symbols(d for v in given for d in v.shape))
    return all(f in moving for f in factors) and bool(inner) and not inner & outside
