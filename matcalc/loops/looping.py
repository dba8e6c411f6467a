"""The text of one loop: a function that reads members from arrays, computes a step, and stores or adds the results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from matcalc.dims import Dim, plus
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.indices.program import Guard, Member, Program, Run
from matcalc.loops.nests import nested
from matcalc.loops.places import Places
from matcalc.loops.stage import Dialect, Function, staged
from matcalc.naming import Names
from matcalc.walk import substitute, variables


class Around(Protocol):
    """What the text of a loop needs of the function around it."""

    program: Program
    places: Places
    dialect: Dialect
    size_names: dict[str, str]

    def here(self, v: Expr) -> str:
        """The text of a variable."""

    def here_size(self, d: Dim) -> str:
        """A size."""

    def size_name(self, symbol: str) -> str:
        """What a size is called."""

    def identified(self, v: Expr) -> Expr:
        """The variable with a name that is an identifier."""

    def adjoint_name(self, name: str) -> str:
        """What an adjoint is called."""


@dataclass
class Loop:
    """One loop.

    Attributes:
        run: its index.
        stores: members, and the values that they get.
        added: variables and members, and the values that are added to their adjoints (or to them, if `plain`).
        backwards: whether it runs from the last value of the index to the first.
        plain: whether what is added to is no adjoint.
        largest: whether the largest value is taken instead of the sum.
        inner: further indices, inside of the first; the order in which they run is that of the index.
        guards: conditions on the indices.
    """

    run: Run
    stores: list[tuple[Expr, Expr]] = field(default_factory=list)
    added: list[tuple[Expr, Expr]] = field(default_factory=list)
    backwards: bool = False
    plain: bool = False
    largest: bool = False
    inner: tuple[Run, ...] = ()
    guards: tuple[Guard, ...] = ()

    @property
    def runs(self) -> tuple[Run, ...]:
        """All indices, the outermost first."""
        return (self.run, *self.inner)

    def written(self, around: Around, name: str, sums: Sequence[Expr]) -> tuple[Function, str]:
        """The function, which returns the sums of numbers that are added, and its call.

        Raises:
            NoRuleError: a name in it would be two things.
        """
        return _Text(self, around, name, sums).made()


class _Text:
    def __init__(self, loop: Loop, around: Around, name: str, sums: Sequence[Expr]) -> None:
        self.loop, self.around, self.name, self.sums = loop, around, name, sums
        roots = [e for _, e in (*loop.stores, *loop.added)]
        table = {v: around.identified(v) for v in variables(roots)}
        self.back = {new: old for old, new in table.items()}
        self.stage = staged({f"out{k}": substitute(e, table) for k, e in enumerate(roots, 1)}, dialect=around.dialect)
        taken = {*re.findall(r"[^\W\d]\w*", self.stage.text), *self.stage.given.values(), *self.stage.sizes.values()}
        self.names = Names(taken)
        for run in loop.runs:
            if f"{run.name}_" in taken:
                raise NoRuleError(f"{run.name}_ would be two things in the loop over {run.name}")
        self.arrays: dict[str, str] = {}  # by their names around: what they are called in the function
        self.sizes: dict[str, str] = {around.size_name(s): n for s, n in self.stage.sizes.items()}

    def array(self, name: str) -> str:
        """What an array is called in the function."""
        if name not in self.arrays:
            self.arrays[name] = self.names.fresh(name)
        return self.arrays[name]

    def sized(self, text: str) -> str:
        """A text with the names that sizes have in the function."""

        def named(found: re.Match[str]) -> str:
            name = found[0]
            if name not in self.sizes:
                self.sizes[name] = self.names.fresh(name)
            return self.sizes[name]

        known = set(self.around.size_names.values())
        return re.sub(r"[^\W\d]\w*", lambda m: named(m) if m[0] in known else m[0], text)

    def place(self, what: Member, v: Expr, array: str) -> str:
        """The place of a member's value."""
        name = self.array(array) if what.of or what.base is not None else ""
        text = self.around.places.one(what, v.shape, "@")
        return self.sized(text).replace("@", name)

    def made(self) -> tuple[Function, str]:
        """The function and its call."""
        around = self.around
        members = around.program.members
        loads, parameters, arguments = [], [], []
        for v, name in self.stage.given.items():
            old = self.back[v]
            what = members.get(old)
            if what is not None and {r.name for r in self.loop.runs} & set(what.indices):
                loads.append(f"{name} = {self.place(what, old, around.places.array_of(what))}")
            else:
                parameters.append(name)
                arguments.append(around.here(old))
        results = iter(self.stage.results)
        ends = [self.stored(v, next(results)) for v, _ in self.loop.stores]
        totals: dict[Expr, str] = {v: self.names.fresh("total") for v in self.sums}
        for v, _ in self.loop.added:
            ends.append(self.total(totals[v], next(results)) if v in totals else self.more(v, next(results)))
        lines = [f"{total} = np.float64({'-np.inf' if self.loop.largest else 0})" for total in totals.values()]
        lines += nested(self, self.loop.runs, self.loop.guards, self.inside(loads, ends))
        lines += [f"return {', '.join(totals.values())}"] if totals else []
        parameters += [*self.arrays.values(), *self.sizes.values()]
        arguments += [*self.arrays, *self.sizes]
        body = "\n".join(lines).splitlines()
        function = Function(f"_{self.name}", parameters, body, self.stage.quiet)
        return function, f"{function.name}({', '.join(arguments)})"

    def inside(self, loads: list[str], ends: list[str]) -> list[str]:
        """The lines of one step."""
        return "\n".join([*loads, *self.stage.statements, *ends]).splitlines()

    def size(self, d: Dim) -> str:
        """A size."""
        return self.sized(self.around.here_size(d))

    def range(self, run: Run, *, backwards: bool = False) -> str:
        """The head of a loop; the index runs in the order of its steps."""
        back = backwards or (self.loop.backwards and run == self.loop.run)
        ends = [run.last, plus(run.first, -1)] if back else [run.first, plus(run.last, 1)]
        inside = ", ".join(map(self.size, ends))
        return f"for {run.name}_ in range({inside}{', -1' if back else ''}):"

    def stored(self, v: Expr, value: str) -> str:
        """The statement that stores a value."""
        what = self.around.program.members[v]
        return f"{self.place(what, v, self.around.places.array_of(what))} = {value}"

    def total(self, name: str, value: str) -> str:
        """The statement that adds to a number."""
        return f"{name} = max({name}, {value})" if self.loop.largest else f"{name} += {value}"

    def more(self, v: Expr, value: str) -> str:
        """The statement that adds a value."""
        what = self.around.program.members.get(v)
        named = (lambda n: n) if self.loop.plain else self.around.adjoint_name
        if what is None:
            array = self.array(named(v.name))
            return f"{array}[...] = np.maximum({array}, {value})" if self.loop.largest else f"{array} += {value}"
        place = self.place(what, v, named(self.around.places.array_of(what)))
        return f"{place} = np.maximum({place}, {value})" if self.loop.largest else f"{place} += {value}"
