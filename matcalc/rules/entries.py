"""Small matrices entry by entry: what is made of blocks, placed matrices and rows of an identity is one block."""

from __future__ import annotations

from collections.abc import Callable

from matcalc import core
from matcalc.core import add, number, scale, var
from matcalc.dims import is_one, plus
from matcalc.expr import Expr, node
from matcalc.ops.selection import block_of, rows_of, slice_
from matcalc.rewrite.context import Context
from matcalc.rewrite.normal import is_zero, tidy
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule
from matcalc.rules.placing import CELLS_FOR_EACH, FEW_CELLS
from matcalc.rules.slices import is_entrywise

MAX_ENTRIES = 36
MAX_INSIDE = 200  # entries of a matrix inside
MAX_NODES = 300
ONE = number(1)
ZERO = number(0)


class Entries:
    """The entries of expressions with sizes that are numbers; each is found once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._found: dict[tuple[Expr, int, int], Expr] = {}

    def grid(self, e: Expr) -> list[list[Expr]]:
        """All entries of `e` by rows."""
        rows, columns = map(int, e.shape)
        return [[self.entry(e, i, j) for j in range(1, columns + 1)] for i in range(1, rows + 1)]

    def entry(self, e: Expr, i: int, j: int) -> Expr:
        """The entry in row i and column j, counted from 1."""
        key = (e, i, j)
        if key not in self._found:
            find = FINDERS.get(e.op)
            if find is None and is_entrywise(e):
                find = _entrywise
            found = None if find is None else find(self, e, i, j)
            self._found[key] = _slice(e, i, j) if found is None else found
        return self._found[key]

    def plus(self, terms: list[Expr]) -> Expr:
        """The tidied sum."""
        kept = [t for t in terms if not is_zero(t)]
        return kept[0] if len(kept) == 1 else self._tidied(add(*kept)) if kept else ZERO

    def times(self, *factors: Expr) -> Expr:
        """The tidied product of 1 x 1 values."""
        if any(map(is_zero, factors)):
            return ZERO
        kept = [f for f in factors if f is not ONE]
        return kept[0] if len(kept) == 1 else self._tidied(scale(*kept)) if kept else ONE

    def _tidied(self, e: Expr) -> Expr:
        while True:
            tidied = tidy(e, self._context)
            if tidied is e:
                return e
            e = tidied


def _slice(e: Expr, i: int, j: int) -> Expr:
    return e if e.is_scalar else slice_(e, i, i, j, j)


Finder = Callable[[Entries, Expr, int, int], Expr | None]


def _entrywise(of: Entries, e: Expr, i: int, j: int) -> Expr | None:
    inner = of.entry(e.args[0], i, j)
    return node(e.op, (inner, *e.args[1:]), e.params)


def _product(of: Entries, e: Expr, i: int, j: int) -> Expr | None:
    first, rest = e.args[0], core.matmul(*e.args[1:])
    inner = first.shape[1]
    if not isinstance(inner, int) or inner > MAX_ENTRIES:
        row = first if is_one(first.shape[0]) else slice_(first, i, i, 1, inner)
        column = rest if is_one(rest.shape[1]) else slice_(rest, 1, inner, j, j)
        return row @ column
    return of.plus([of.times(of.entry(first, i, k), of.entry(rest, k, j)) for k in range(1, inner + 1)])


def _kron(of: Entries, e: Expr, i: int, j: int) -> Expr | None:
    A, B = e.args
    p, q = B.shape
    if not isinstance(p, int) or not isinstance(q, int):
        return None
    (a, b), (c, d) = divmod(i - 1, p), divmod(j - 1, q)
    return of.times(of.entry(A, a + 1, c + 1), of.entry(B, b + 1, d + 1))


def _diag(of: Entries, e: Expr, i: int, j: int) -> Expr | None:
    if i != j:
        return ZERO
    v = e.args[0]
    return of.entry(v, i, 1) if v.shape[1] == 1 else of.entry(v, 1, i)


def _stacked(of: Entries, e: Expr, i: int, j: int) -> Expr | None:
    """An entry of vec(X) or reshape(X): the entries in the order of columns."""
    X = e.args[0]
    rows, height = X.shape[0], e.shape[0]
    if not isinstance(rows, int) or not isinstance(height, int):
        return None
    column, row = divmod((j - 1) * height + i - 1, rows)
    return of.entry(X, row + 1, column + 1)


def _sliced(of: Entries, e: Expr, i: int, j: int) -> Expr | None:
    row, column = plus(e.params[0], i, -1), plus(e.params[2], j, -1)
    return of.entry(e.args[0], row, column) if isinstance(row, int) and isinstance(column, int) else None


def _placed(of: Entries, e: Expr, i: int, j: int) -> Expr | None:
    X, (_, _, row, column) = e.args[0], e.params
    if not all(isinstance(d, int) for d in (row, column, *X.shape)):
        return None
    inside = row <= i < row + X.shape[0] and column <= j < column + X.shape[1]
    return of.entry(X, i - row + 1, j - column + 1) if inside else ZERO


def _block(of: Entries, e: Expr, i: int, j: int) -> Expr | None:
    for line in rows_of(e.args, e.params[0]):
        height = line[0].shape[0]
        if not isinstance(height, int):
            return None
        if i > height:
            i -= height
            continue
        for b in line:
            width = b.shape[1]
            if not isinstance(width, int):
                return None
            if j <= width:
                return of.entry(b, i, j)
            j -= width
    return None


def _commutation(of: Entries, e: Expr, i: int, j: int) -> Expr | None:
    """K vec(X) = vec(X') for X m x n: row i is X'[c, r] = X[r, c]."""
    m, n = e.params
    if not isinstance(m, int) or not isinstance(n, int):
        return None
    row, column = divmod(i - 1, n)
    return ONE if j - 1 == column * m + row else ZERO


def _selection(of: Entries, e: Expr, i: int, j: int) -> Expr | None:
    n = e.params[0]
    return (ONE if i - 1 == (j - 1) * (n + 1) else ZERO) if isinstance(n, int) else None


FINDERS: dict[str, Finder] = {
    "add": lambda of, e, i, j: of.plus([of.entry(t, i, j) for t in e.args]),
    "hadamard": lambda of, e, i, j: of.times(*(of.entry(f, i, j) for f in e.args)),
    "scale": lambda of, e, i, j: of.times(*(of.entry(s, 1, 1) for s in e.args[:-1]), of.entry(e.args[-1], i, j)),
    "transpose": lambda of, e, i, j: of.entry(e.args[0], j, i),
    "broadcast": lambda of, e, i, j: of.entry(e.args[0], *(min(k, d) for k, d in zip((i, j), _ends(e.args[0])))),
    "eye": lambda of, e, i, j: ONE if i == j else ZERO,
    "zeros": lambda of, e, i, j: ZERO,
    "ones": lambda of, e, i, j: ONE,
    "diagvec": lambda of, e, i, j: of.entry(e.args[0], i, i),
    "matmul": _product,
    "kron": _kron,
    "diag": _diag,
    "vec": _stacked,
    "reshape": _stacked,
    "slice": _sliced,
    "place": _placed,
    "block": _block,
    "comm": _commutation,
    "dsel": _selection,
}


def _ends(a: Expr) -> tuple[int, int]:
    """The last row and column of what is broadcast: 1 where it is repeated."""
    return tuple(1 if d == 1 else MAX_INSIDE for d in a.shape)  # type: ignore[return-value]


# ------------------------------------------------------------------------------------------------ the rules


def _is_small(e: Expr) -> bool:
    rows, columns = e.shape
    return isinstance(rows, int) and isinstance(columns, int) and 1 < rows * columns <= MAX_ENTRIES


def _has_parts(e: Expr) -> bool:
    """Whether there are parts inside that can become entries, and little enough to look for them."""
    seen: set[Expr] = set()
    queue = [e]
    found = False
    while queue:
        sub = queue.pop()
        if sub in seen:
            continue
        seen.add(sub)
        if len(seen) > MAX_NODES:
            return False
        found = found or sub.op in ("block", "place") or (sub.op == "slice" and sub.args[0].op == "eye")
        if sub.name and 1 not in sub.shape:  # products with all its entries are longer
            return False
        if sub.op != "named" and not (sub.op == "slice" and sub.args[0].name):
            queue.extend(sub.args)
    return found


def written_out(e: Expr, context: Context) -> Expr | None:
    """The block matrix of the entries; None for large matrices, and where there are no parts."""
    if not _is_small(e) or not _has_parts(e):
        return None
    grid = Entries(context).grid(e)
    filled = sum(not is_zero(x) for line in grid for x in line)
    few = len(grid) * len(grid[0]) <= max(FEW_CELLS, CELLS_FOR_EACH * filled)
    return block_of(grid) if few else None


def _example(op: str) -> tuple[Expr, Expr]:
    x, y = var("x", 1, 1), var("y", 1, 1)
    first = block_of([[x, ZERO], [ZERO, y]])
    second = block_of([[ZERO, ONE], [ONE, ZERO]])
    unit = slice_(core.eye(2), 1, 1, 1, 2)
    made = {
        "add": add(first, second),
        "matmul": first @ second,
        "hadamard": core.hadamard(first, second),
        "scale": scale(x, unit),
        "kron": core.kron(unit, unit),
        "slice": unit,
        "transpose": core.transpose(unit),
    }[op]
    entries = written_out(made, Context())
    assert entries is not None
    return made, entries


MEANING = {
    "add": "sums",
    "matmul": "matrix products",
    "hadamard": "entrywise products",
    "scale": "multiples",
    "kron": "Kronecker products",
    "slice": "rows of identities",
    "transpose": "transposes",
}


def _declare(op: str, group: str) -> None:
    """The rule that an operation on blocks is done entry by entry."""

    def apply(e: Expr, context: Context) -> Expr | None:
        return written_out(e, context)

    apply.__name__ = f"{op}_by_entries" if group == "present" else f"{op}_as_entries"
    apply.__doc__ = (
        f"{MEANING[op]} entry by entry, where small matrices are written so: [a, b] + [c, d] = [a + c, b + d]"
    )
    node_rule(op=op, group=group, source=MATRIX_ALGEBRA, example=lambda: _example(op))(apply)


for _op in MEANING:
    _declare(_op, "present")
    _declare(_op, "expand")
