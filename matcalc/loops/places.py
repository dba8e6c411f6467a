"""Where the values of members stand in a module with loops: in one array for each family and recurrence.

The first axis is the index; numbers lie in an array of order 1, rows and columns in one of order 3. A stack is a view
of such an array with a row for each value of an index.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matcalc.dims import Dim, Shape, is_one, plus, same
from matcalc.indices.program import Member, Program, Run


@dataclass(frozen=True)
class Slot:
    """The array of a family or a recurrence: its first and its last position, and the shape of a value."""

    first: Dim
    last: Dim
    shape: Shape

    @property
    def count(self) -> Dim:
        """How many values there are."""
        return plus(self.last, -self.first, 1)


class Places:
    """The texts of members.

    Args:
        program: the loops.
        size: a size as Python.
        prefix: of the names of adjoints.
    """

    def __init__(self, program: Program, size: Callable[[Dim], str], prefix: str) -> None:
        self.program, self.size, self.prefix = program, size, prefix
        self.slots: dict[str, Slot] = {}
        for name, f in program.families.items():
            self.slots[name] = Slot(f.run.first, f.run.last, f.shape)
        for name, r in program.recurrences.items():
            assert r.run is not None
            assert r.shape is not None
            self.slots[name] = Slot(r.lowest, r.run.last, r.shape)

    def slot(self, name: str) -> Slot:
        """The array of a name, or of the adjoint of one."""
        return self.slots[name] if name in self.slots else self.slots[name.removeprefix(self.prefix)]

    def offset(self, index: str, at: Dim) -> str:
        """A position, beside a running index where there is one."""
        if not index:
            return self.size(at)
        if isinstance(at, int):
            return f"{index}_" if at == 0 else f"{index}_ {'-' if at < 0 else '+'} {abs(at)}"
        return f"{index}_ + ({self.size(at)})"

    def one(self, what: Member, shape: Shape, array: str) -> str:
        """One value, where the index has a value; `array` is what the array of the member is called."""
        if what.base is not None:
            return f"{array}[{self.entry(what, shape)}]"
        if not what.of:
            return f"np.float64({what.index}_)"
        return f"{array}[{self.offset(what.index, plus(what.at, -self.slot(what.of).first))}]"

    def entry(self, what: Member, shape: Shape) -> str:
        """The places of a row, a column or an entry."""
        sides = (what.rows, what.columns)
        if shape == (1, 1):
            pairs = zip(sides, (what.index, what.other or what.index))
            return ", ".join("0" if s is None else self.offset(index, plus(s, -1)) for s, index in pairs)
        return ", ".join(
            ":" if s is None else f"{self.offset(what.index, plus(s, -1))}:{self.offset(what.index, s)}" for s in sides
        )

    def stack(self, what: Member, shape: Shape, run: Run, array: str) -> str | None:
        """The values over a run as the rows of a matrix: a view; None where they are no rows."""
        if what.base is not None:
            return self.stacked_entries(what, run, array)
        if not what.of:
            return f"np.arange({self.size(run.first)}, {self.size(run.last)} + 1.0)[:, None]"
        if not any(map(is_one, shape)):
            return None
        slot = self.slot(what.of)
        part = self.part(plus(run.first, what.at, -slot.first), plus(run.last, what.at, 1, -slot.first), slot.count)
        if shape == (1, 1):
            return f"{array}[{part}, None]"
        return f"{array}[{part}, :, 0]" if is_one(shape[1]) else f"{array}[{part}, 0, :]"

    def stack_target(self, what: Member, shape: Shape, run: Run, array: str) -> str:
        """The same, to be assigned to."""
        text = Places.stack(self, what, shape, run, array)
        assert text is not None
        return text

    def stacked_entries(self, what: Member, run: Run, array: str) -> str | None:
        """The stack of rows, columns or entries of a matrix."""
        assert what.base is not None
        if (what.rows is None) == (what.columns is None):
            return None
        side = what.rows if what.rows is not None else what.columns
        assert side is not None
        size = what.base.shape[0 if what.rows is not None else 1]
        part = self.part(plus(run.first, side, -1), plus(run.last, side), size)
        if what.rows is not None:
            return array if part == ":" else f"{array}[{part}]"
        return f"{array}.T" if part == ":" else f"{array}[:, {part}].T"

    def part(self, first: Dim, after: Dim, count: Dim) -> str:
        """The slice of an axis."""
        start = "" if same(first, 0) else self.size(first)
        return f"{start}:" if same(after, count) else f"{start}:{self.size(after)}"

    def array_of(self, what: Member) -> str:
        """The name of what a member is taken from."""
        return what.base.name if what.base is not None else what.of

    def array(self, name: str, make: str) -> str:
        """A new array for the values of a name."""
        slot = self.slot(name)
        sizes = [slot.count] if slot.shape == (1, 1) else [slot.count, *slot.shape]
        inside = ", ".join(map(self.size, sizes))
        return f"np.{make}({inside})" if len(sizes) == 1 else f"np.{make}(({inside}))"
