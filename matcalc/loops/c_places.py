"""Where the values of members stand in C: parts of arrays by tags, which `inlined.py` reads.

`h[_item, t_ - 1]` is one value, `h[_rows, 1, T, d]` are T values from the second on as the rows of a matrix with d
columns, `X[_block, i, j, m, n]` is the m x n block of a matrix that starts at row i and column j, counted from 0.
"""

from __future__ import annotations

from matcalc.dims import Dim, Shape, is_one, plus, same
from matcalc.indices.program import Member, Run
from matcalc.loops.places import Places

ITEM, ROWS, BLOCK, COUNTING = "_item", "_rows", "_block", "_counting"


class CPlaces(Places):
    """The texts of members, with tags."""

    def one(self, what: Member, shape: Shape, array: str) -> str:
        """One value, where the index has a value."""
        if what.base is None:
            if not what.of:
                return f"np.float64({what.index}_)"
            return f"{array}[{ITEM}, {self.offset(what.index, plus(what.at, -self.slot(what.of).first))}]"
        indices = (what.index, what.other or what.index) if shape == (1, 1) else (what.index, what.index)
        places = ["0" if s is None else self.offset(i, plus(s, -1)) for s, i in zip((what.rows, what.columns), indices)]
        return f"{array}[{BLOCK}, {', '.join([*places, *map(self.size, shape)])}]"

    def stack(self, what: Member, shape: Shape, run: Run, array: str) -> str | None:
        """The values over a run as the rows of a matrix."""
        if what.base is not None:
            return self.stacked_entries(what, run, array)
        if not what.of:
            return f"{COUNTING}({self.size(run.first)}, {self.size(run.count)})"
        if not any(map(is_one, shape)):
            return None
        width = shape[0] if is_one(shape[1]) else shape[1]
        first = plus(run.first, what.at, -self.slot(what.of).first)
        return f"{array}[{ROWS}, {', '.join(map(self.size, (first, run.count, width)))}]"

    def stack_target(self, what: Member, shape: Shape, run: Run, array: str) -> str:
        """The same, to be assigned to."""
        text = self.stack(what, shape, run, array)
        assert text is not None
        return text

    def stacked_entries(self, what: Member, run: Run, array: str) -> str | None:
        """The stack of rows, columns or entries of a matrix."""
        assert what.base is not None
        if (what.rows is None) == (what.columns is None):
            return None
        m, n = what.base.shape
        side, size, turned = (what.rows, m, "") if what.rows is not None else (what.columns, n, ".T")
        assert side is not None
        first: Dim = plus(run.first, side, -1)
        if same(first, 0) and same(run.count, size):
            return f"{array}{turned}"
        block = (first, 0, run.count, n) if not turned else (0, first, m, run.count)
        return f"{array}[{BLOCK}, {', '.join(map(self.size, block))}]{turned}"
