"""The matrix of all values of a term: sums over indices as products of matrices, sums and traces.

A factor of a summand is a matrix with two places, M[i, j]. Summing over an index that two factors share is their
product; over an index of one factor, its sum; several factors on one index meet in a diagonal matrix. Every step is
an identity, so what comes out is exactly the sum, or `NoRuleError`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from matcalc import core
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.indices import lifting
from matcalc.indices.factors import (
    Factor,
    element,
    merged,
    oriented,
    powers,
    shortest,
    summed_over,
    through_diagonal,
    without_identity,
)
from matcalc.indices.lifting import took, took_term
from matcalc.indices.terms import (
    Along,
    Apply,
    Entry,
    Free,
    Index,
    Place,
    Term,
    Total,
    Value,
    free_of,
    opened,
    product_of_terms,
    quotient_of_terms,
    sum_of_terms,
)
from matcalc.ops.pairs import pdist2
from matcalc.ops.reductions import norm2


class NoMatrixError(NoRuleError):
    """A term has no matrix form here."""


def matrix_of(term: Term, row: Place = None, column: Place = None) -> Expr:
    """The matrix whose entry [row, column] is the term, for all values of the two indices.

    Raises:
        NoMatrixError: it is made by no product, sum or operation on matrices.
    """
    shape = (1 if row is None else row.size, 1 if column is None else column.size)
    return core.broadcast(_small(term, row, column), shape)


def _small(term: Term, row: Place, column: Place) -> Expr:
    """The values over [row, column], with size 1 along an index on which they do not depend."""
    if not term.free <= {row, column}:
        raise NoMatrixError("it depends on more than two indices at a time")
    if isinstance(term, Value):
        return term.expr
    if isinstance(term, Entry):
        return oriented(element(term), row, column)
    if isinstance(term, (Total, Along)):
        if isinstance(term, Total):
            made = _contracted(term, row if row in term.free else None, column if column in term.free else None)
        else:
            made = _along(term, row, column)
        log = lifting.current()
        if log is not None:
            log.values[term] = (made, row if row in term.free else None, column if column in term.free else None)
            if isinstance(term, Along) and not term.keeps:
                log.reduced(term)
        return made
    if not term.free:
        return term.build([_small(a, None, None) for a in term.args])
    return _entrywise(term, row, column)


def _entrywise(term: Apply, row: Place, column: Place) -> Expr:
    """An operation, entry by entry; the whole of nested ones is one step."""
    log = lifting.current()
    if log is not None:
        log.depth += 1
    made = _applied(term, row, column)
    if log is not None:
        log.depth -= 1
        if not log.depth:
            places = (row if row in term.free else None, column if column in term.free else None)
            took_term(lifting.ENTRYWISE, term, (made, *places))
    return made


def _applied(term: Apply, row: Place, column: Place) -> Expr:
    row_of = row if row in term.free else None
    column_of = column if column in term.free else None
    if term.kind == "product":  # 1 x 1 factors stay in front
        return term.build([matrix_of(a, row_of, column_of) if a.free else _small(a, None, None) for a in term.args])
    exponent = term.args[1:] if term.kind == "power" else ()
    return term.build(
        [_small(a, None, None) if a in exponent and not a.free else matrix_of(a, row_of, column_of) for a in term.args]
    )


def _along(term: Along, row: Place, column: Place) -> Expr:
    others = [i for i in (row, column) if i is not None and i in term.free and i is not term.index]
    if len(others) > 1:
        raise NoMatrixError("it depends on more than two indices at a time")
    other = others[0] if others else None
    if other is None:
        found = term.build(matrix_of(term.body, term.index), None)
        return core.transpose(found) if term.keeps and column is term.index and not found.is_scalar else found
    found = term.build(matrix_of(term.body, other, term.index), 2)
    turned = other is column
    return core.transpose(found) if turned and not found.is_scalar else found


# ------------------------------------------------------------------------------------------------ sums


def _contracted(term: Total, row: Place, column: Place) -> Expr:
    """The matrix whose entry [row, column] is the sum."""
    shape = (1 if row is None else row.size, 1 if column is None else column.size)
    body = term.body
    if isinstance(body, Apply) and body.kind == "add":
        return core.add(*(core.broadcast(_one_sum(t, term.bound, row, column), shape) for t in body.args))
    return _one_sum(body, term.bound, row, column)


def _one_sum(summand: Term, bound: Sequence[Index], row: Place, column: Place) -> Expr:
    """The matrix whose entry [row, column] is the sum of one summand over the bound indices."""
    scalars: list[Expr] = []
    factors: list[Factor] = []
    parts, indices = _flat(summand, bound)
    while True:
        wide = next((p for p in parts if len(p.free) > 2), None)
        if wide is None:
            break
        near = _distances(wide, _beside(wide, parts), indices)
        if near is not None:
            over = sorted(wide.free - near.free, key=lambda index: index.name)
            took_term(lifting.DISTANCES, wide, (near.matrix, near.row, near.column), over)
            parts[parts.index(wide)] = near
        elif isinstance(wide, Total):
            new = opened(wide)
            parts.remove(wide)
            parts.extend(_factors(new.body))
            indices[:0] = new.bound
        else:
            return _distributed(wide, parts, indices, row, column)
    for part in parts:
        _collect(part, scalars, factors)
    while indices:
        _sum_over(_next(indices, factors), scalars, factors, indices)
    shape = (1 if row is None else row.size, 1 if column is None else column.size)
    matrices = [core.broadcast(oriented(f, row, column), shape) for f in merged(factors) if f.places != {None}]
    scalars += [shortest(f) for f in factors if f.places == {None}]
    if not matrices:
        return core.scale(*scalars)
    return core.scale(*scalars, core.hadamard(*matrices))


def _flat(summand: Term, bound: Sequence[Index]) -> tuple[list[Term], list[Index]]:
    """The factors of a summand and the indices that they are summed over: a sum inside of a sum is one sum."""
    parts, indices = _factors(summand), list(bound)
    while True:
        moving = [p for p in parts if p.free]
        inner = moving[0] if len(moving) == 1 else None
        if not isinstance(inner, Total) or (isinstance(inner.body, Apply) and inner.body.kind == "add"):
            return parts, indices
        new = opened(inner)
        parts = [*(p for p in parts if p is not inner), *_factors(new.body)]
        indices += new.bound


def _distances(part: Term, others: Sequence[Term], bound: list[Index]) -> Entry | None:
    """sum_c (a_ic - b_jc)^2 as the entry of the matrix of squared distances; `c` is taken from the bound indices."""
    if not (isinstance(part, Apply) and part.kind == "square" and len(part.free) == 3):
        return None
    inside = part.args[0]
    if not (isinstance(inside, Apply) and inside.kind == "add"):
        return None
    for c in [i for i in bound if i in part.free and i not in free_of(others)]:
        i, j = sorted(part.free - {c}, key=lambda index: (index.name, id(index)))
        left = [t for t in inside.args if j not in t.free]
        right = [t for t in inside.args if j in t.free]
        if not left or not right or i in free_of(right):
            continue
        with lifting.silent():
            A = matrix_of(sum_of_terms(left), i, c)
            B = _opposite(matrix_of(sum_of_terms(right), j, c))
        bound.remove(c)
        return Entry(pdist2(A, B), i, j)
    return None


def _opposite(e: Expr) -> Expr:
    if e.op == "scale" and e.args[0].op == "number":
        value = -e.args[0].number
        return core.scale(*(() if value == 1 else (core.number(value),)), *e.args[1:])
    return core.minus(e)


def _beside(part: Term, parts: Sequence[Term]) -> list[Term]:
    """The other factors; one that stands twice is beside itself."""
    k = parts.index(part)
    return [*parts[:k], *parts[k + 1 :]]


def _distributed(wide: Term, parts: Sequence[Term], bound: Sequence[Index], row: Place, column: Place) -> Expr:
    """A summand with a sum of too many indices as a factor: multiplied out."""
    if not (isinstance(wide, Apply) and wide.kind in ("add", "square")):
        raise NoMatrixError("it depends on more than two indices at a time")
    others = _beside(wide, parts)
    if wide.kind == "square":
        base = wide.args[0]
        if isinstance(base, Total):
            base = opened(base)
            return _one_sum(product_of_terms([base, opened(base), *others]), bound, row, column)
        if not (isinstance(base, Apply) and base.kind == "add"):
            raise NoMatrixError("it depends on more than two indices at a time")
        return _one_sum(product_of_terms([base, base, *others]), bound, row, column)
    lifting.expanded(wide, others)
    shape = (1 if row is None else row.size, 1 if column is None else column.size)
    each = (_one_sum(product_of_terms([t, *others]), bound, row, column) for t in wide.args)
    return core.add(*(core.broadcast(e, shape) for e in each))


def _factors(e: Term) -> list[Term]:
    """The factors of a summand; a square counts twice, unless it is a distance; a divisor goes to a factor on its
    indices."""
    if isinstance(e, Apply) and e.kind == "product":
        return [f for a in e.args for f in _factors(a)]
    if isinstance(e, Apply) and e.kind == "quotient" and len(e.free) > 2:
        above, below = _factors(e.args[0]), e.args[1]
        at = next((k for k, f in enumerate(above) if f.free and below.free <= f.free and len(f.free) <= 2), None)
        if at is None:
            return [*above, quotient_of_terms(Value(core.number(1)), below)]
        return [*above[:at], quotient_of_terms(above[at], below), *above[at + 1 :]]
    if isinstance(e, Apply) and e.kind == "square" and len(e.free) <= 2:
        return [e.args[0], e.args[0]]
    return [e]


def _collect(part: Term, scalars: list[Expr], factors: list[Factor]) -> None:
    indices = _ordered(part.free)
    if not indices:
        scalars.append(matrix_of(part))
    elif isinstance(part, Entry):
        if part.words:
            lifting.took_words(lifting.MASK, part.words, (part.matrix, part.row, part.column))
        factors.append(element(part))
    else:
        row, column = indices[0], indices[1] if len(indices) == 2 else None
        M = matrix_of(part, row, column)
        factors.append(Factor(row, column, M.args if M.op == "matmul" else (M,)))


def _ordered(free: Free) -> list[Index]:
    """Named indices first, by name: rows before columns."""
    return sorted(free, key=lambda i: (not i.name, i.name))


def _sum_over(index: Index, scalars: list[Expr], factors: list[Factor], left: list[Index]) -> None:
    """Carry out the sum over one index, in place; the indices `left` are summed over afterwards."""
    both = _over_both(index, factors, left)
    if both is not None:
        scalars.append(both)
        return
    here = [f for f in factors if index in f.places]
    others = [f for f in factors if index not in f.places]
    if len(here) > 2:
        here = merged(here)
    asked = here
    if len(here) > 2:
        here = through_diagonal(here, index)
    if len(here) > 2:
        raise NoMatrixError(f"more than two matrices meet in the index {index.name}")
    if not here:
        scalars.append(core.number(core.exact_dim(index.size)))
        took(lifting.COUNT, [index], [(core.number(1), None, None)], (scalars[-1], None, None))
        factors[:] = others
        return
    made = summed_over(here[0], index) if len(here) == 1 else _joined(here[0], here[1], index, left)
    took(_name_of(asked, made), [index], [f.sided for f in asked], made.sided)
    factors[:] = [*others, made]


def _name_of(factors: Sequence[Factor], made: Factor) -> lifting.LiftRule:
    """What the sum over an index of some factors is called."""
    if len(factors) == 1:
        return lifting.TRACE if made.matrix.op == "tr" else lifting.ALONG
    if len(factors) > 2:
        return lifting.WEIGHTED
    free = [p for p in (made.row, made.column) if p is not None]
    if made.matrix.op == "diagvec":
        return lifting.TRACE_OF_PRODUCT
    if not free:
        return lifting.INNER
    if len(free) == 2:
        return lifting.PRODUCT
    return lifting.ROWS_TIMES_VECTOR if any(None in f.places for f in factors) else lifting.ROWS_OF_TWO


def _next(indices: list[Index], factors: Sequence[Factor]) -> Index:
    """The index that is summed over next, taken from the list: products come before sums of one factor."""
    shared = (k for k, index in enumerate(indices) if sum(index in f.places for f in factors) > 1)
    return indices.pop(next(shared, 0))


def _over_both(index: Index, factors: list[Factor], left: list[Index]) -> Expr | None:
    """The sum of all entries of what depends on two summed indices and stands alone: a sum, or a squared norm."""
    here = [f for f in factors if index in f.places]
    other = next((p for p in left if here and here[0].places == {index, p}), None)
    if other is None or any(other in f.places and f not in here for f in factors):
        return None
    if any(f.places != {index, other} for f in here):
        return None
    distinct = powers([f.towards(here[0].column).matrix for f in here])
    if len(here) == 2 and len(distinct) == 2:
        return None  # a trace
    factors[:] = [f for f in factors if f not in here]
    left.remove(other)
    made = core.power(norm2(here[0].matrix), 2) if len(here) == 2 else core.total(core.hadamard(*distinct))
    rule = lifting.NORM if len(here) == 2 else lifting.ALL_ENTRIES
    took(rule, [index, other], [f.sided for f in here], (made, None, None))
    return made


def _joined(a: Factor, b: Factor, index: Index, left: Collection[Index]) -> Factor:
    """The sum over an index that two factors share."""
    first, second = a.towards(index), b.towards(index).transposed
    if first.row is None or first.row is not second.column:
        return Factor(first.row, second.column, without_identity(first.matrices + second.matrices))
    if first.row not in left:  # it stays: the rows of the two, multiplied
        return Factor(first.row, None, (core.total(core.hadamard(first.matrix, second.transposed.matrix), 2),))
    chain = without_identity(first.matrices + second.matrices)
    return Factor(first.row, None, (core.diagvec(shortest(Factor(first.row, first.row, chain))),))
