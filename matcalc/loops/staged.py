"""A program with loops for NumPy: matrices before and after a loop, and in it what depends on the step before.

Sums over an index whose terms are vectors or numbers are one matrix expression in the stacks of their members. Of a
recurrence, what does not depend on it leaves the loop; of its adjoint, so do the gradients by parameters, each one
product of two stacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from matcalc import core
from matcalc.dims import Dim, is_one, plus, symbols
from matcalc.emit.code import number_code
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.indices.contraction import NoMatrixError
from matcalc.indices.program import Group, LoopSum, Member, Recurrence, Run
from matcalc.loops.code import Writer
from matcalc.loops.functions import Made
from matcalc.loops.hoisting import Hoister
from matcalc.loops.library import RESERVED
from matcalc.loops.looping import Loop
from matcalc.loops.nests import is_apart
from matcalc.loops.pieces import Piece
from matcalc.loops.places import Places, Slot
from matcalc.loops.stacks import Stacker
from matcalc.loops.stage import Dialect, Function, InPlace, staged, with_helpers
from matcalc.naming import Names
from matcalc.ops.reductions import max_
from matcalc.walk import substitute, variables


class StagedWriter(Writer):
    """Writes the function of a module."""

    dialect: Dialect = InPlace()
    places_type: type[Places] = Places

    def prepare(self) -> None:
        """What is known before the first line."""
        names = [*self.inputs_names, *self.directions.values(), *self.program.recurrences, *self.pieces.sum_names]
        names += [f"{run.name}_" for run in self.pieces.runs()]
        taken = {*RESERVED, *names, *(self.adjoint(n) for n in names), *(f"given_{n}" for n in names)}
        self.local = Names(taken)
        self.size_names: dict[str, str] = {}
        self.places = self.places_type(self.program, self.here_size, self.pieces.prefix)
        self.sources: dict[Expr, str] = {}  # stacks, and parts that left a loop: what they are called here
        self.stack_of: dict[tuple[Expr, Run], Expr] = {}
        self.member_of: dict[Expr, tuple[Expr, Run]] = {}
        self.begun: set[str] = set()  # the adjoints that have a value
        self.lifted: dict[LoopSum, Expr] = {}
        for q in self.program.quantities:
            if isinstance(q, LoopSum) and not q.inner:
                try:
                    self.lifted[q] = self.largest(q) if q.largest else self.stacker(q.run).summed(q.body)
                except NoMatrixError:
                    continue
        self.in_output = self.sums_in_output()

    def sums_in_output(self) -> dict[Expr, Expr]:
        """The sums that are matrix expressions and enter the output alone, or others that do."""
        table: dict[Expr, Expr] = {}
        used: set[Expr] = set()
        for q in reversed(self.program.quantities):
            if isinstance(q, Group):
                for r in q.parts:
                    assert r.body is not None
                    used.update(variables((r.body, *r.starts.values())))
            elif q in self.lifted and not q.largest and q.value not in used:
                table[q.value] = self.lifted[q]
            else:
                used.update(variables((q.body,)))
        return table

    def largest(self, q: LoopSum) -> Expr:
        """The largest values of a body, by entries."""
        if is_one(q.value.shape[1]):
            return core.transpose(max_(self.stacker(q.run).stacked(q.body), 1))
        return max_(self.stacker(q.run).stacked(q.body), 1)

    # -------------------------------------------------------------------------------------------- names and sizes

    def size_name(self, symbol: str) -> str:
        """What a size is called in the function."""
        if symbol not in self.size_names:
            self.size_names[symbol] = self.local.fresh(symbol)
        return self.size_names[symbol]

    def here_size(self, d: Dim) -> str:
        """A size in the function."""
        if isinstance(d, int):
            return str(d)
        return number_code(core.exact_dim(d), {s: self.size_name(s) for s in symbols((d,))})[0]

    def here(self, v: Expr) -> str:
        """The text of a variable in the function."""
        if v in self.sources:
            return self.sources[v]
        what = self.program.members.get(v)
        return v.name if what is None else self.places.one(what, v.shape, self.places.array_of(what))

    def stack(self, v: Expr, run: Run) -> Expr | None:
        """The variable for the stack of a member over a run; None for what does not run.

        Raises:
            NoMatrixError: its values are matrices.
        """
        what = self.program.members.get(v)
        if what is None or what.index != run.name:
            return None
        if (v, run) not in self.stack_of:
            text = self.places.stack(what, v.shape, run, self.places.array_of(what))
            if text is None:
                raise NoMatrixError("the values of a matrix are no rows")
            width = v.shape[0] if is_one(v.shape[1]) else v.shape[1]
            name = self.pieces.names.fresh(f"all_{self.pieces.identified(v).name}")
            made = core.var(name, run.count, width)
            self.stack_of[v, run], self.sources[made], self.member_of[made] = made, text, (v, run)
        return self.stack_of[v, run]

    def stacker(self, run: Run) -> Stacker:
        """Lifts over a run."""
        return Stacker(run, lambda v: self.stack(v, run))

    def identified(self, v: Expr) -> Expr:
        """The variable with a name that is an identifier."""
        return self.pieces.identified(v)

    def adjoint_name(self, name: str) -> str:
        """What an adjoint is called."""
        return self.adjoint(name)

    # -------------------------------------------------------------------------------------------- functions

    def constants(self, found: Sequence[Made | Function]) -> list[str]:
        """The type of all numbers."""
        return ["", "dtype = np.dtype(np.float64)"] if any("dtype" in f.source for f in found) else []

    def computed(self, name: str, results: Mapping[str, Expr], value: Expr | None = None) -> str:
        """The call of a new function that returns some results."""
        roots = [*results.values(), *([] if value is None else [value])]
        table = {v: self.pieces.identified(v) for v in variables(roots)}
        back = {new: old for old, new in table.items()}
        value = None if value is None else substitute(value, table)
        made = staged({k: substitute(e, table) for k, e in results.items()}, value, self.dialect)
        lines = [*made.statements, f"return {', '.join(made.results)}"]
        self.keep(Function(f"_{name}", [*made.given.values(), *made.sizes.values()], lines, made.quiet))
        given = [*(self.here(back[v]) for v in made.given), *map(self.size_name, made.sizes)]
        return f"_{name}({', '.join(given)})"

    def keep(self, function: Function) -> None:
        """Take a function up in the module."""
        self.functions[function.name] = with_helpers(function)

    def looped(self, name: str, loop: Loop) -> Iterator[str]:
        """The call of a new function with a loop, and what is done with the numbers that it sums."""
        sums = list(dict.fromkeys(v for v, _ in loop.added if v.is_scalar and v not in self.program.members))
        function, call = loop.written(self, name, sums)
        self.keep(function)
        if not sums:
            yield call
            return
        names = self.parts(len(sums))
        yield f"{', '.join(names)} = {call}"
        for v, part in zip(sums, names):
            yield from self.plus_equal(v.name if loop.plain else self.adjoint(v.name), part)

    def inputs(self) -> Iterator[str]:
        """The inputs as matrices, then the sizes: all else is made first, because it says which there are."""
        self.prepare()
        self.lines = [*self.forward(), *(self.backward() if self.differentiates else ())]
        self.finish()
        yield from super().inputs()
        yield from (f'{name} = _size(dims, "{symbol}")' for symbol, name in self.size_names.items())

    def finish(self) -> None:
        """Make of all lines what is called instead of them."""

    def computation(self) -> Iterable[str]:
        """What stands behind the inputs."""
        return self.lines

    # -------------------------------------------------------------------------------------------- forward

    def forward(self) -> Iterator[str]:
        """The sums and recurrences in order, then the value, together with the gradients of the output."""
        for q in self.program.quantities:
            if isinstance(q, Group):
                yield from self.recurrences(q)
            elif q.value not in self.in_output:
                yield from self.summed(q)
        output = self.pieces.output
        while any(v in self.in_output for v in variables((output,))):
            output = substitute(output, self.in_output)
        if not self.differentiates:
            yield f"value = {self.computed('output', {'value': output})}"
            return
        piece = self.piece_of(output, None)
        yield from self.passing("output", piece.exact_gradients, piece.exact_value if self.kind.value else None)

    def piece_of(self, body: Expr, adjoint: Expr | None) -> Piece:
        """A body in stacks as a piece."""
        inside = [*variables((body,)), *([] if adjoint is None else [adjoint])]
        active = [v for v in variables((body,)) if self.pieces.moves(self.member_of.get(v, (v, None))[0])]
        return Piece("", body, adjoint, active, {v: self.pieces.identified(v) for v in inside})

    def summed(self, q: LoopSum) -> Iterator[str]:
        """A sum: a matrix expression, or a loop over its terms."""
        label, name = f"sum_{q.value.name}", q.value.name
        if q in self.lifted:
            yield f"{name} = {self.computed(label, {'value': self.lifted[q]})}"
        else:
            if not q.value.is_scalar:
                yield f"{name} = {self.here_zeros(q.value)}{' - np.inf' if q.largest else ''}"
            loop = Loop(q.run, [], [(q.value, q.body)], False, True, q.largest, q.inner, q.guards)
            yield from self.looped(label, loop)
        if q.largest:
            yield self.made_finite(name, scalar=q.value.is_scalar)

    def made_finite(self, name: str, *, scalar: bool) -> str:
        """The statement after which infinite entries are 0."""
        if scalar:
            return f"{name} = {name} if np.isfinite({name}) else np.float64(0)"
        return f"{name} = np.where(np.isfinite({name}), {name}, np.zeros_like({name}))"

    def here_zeros(self, v: Expr) -> str:
        """Zeros of the shape of a variable."""
        return f"np.zeros(({', '.join(map(self.here_size, v.shape))}))"

    def recurrences(self, q: Group) -> Iterator[str]:
        """The arrays of a group, its starts, what leaves the loop, and the loop."""
        if is_apart(q):
            yield from self.sums_apart(q.parts[0], q.run)
            return
        if any(r.inner for r in q.parts):
            name = next(r for r in q.parts if r.inner).inner[0].name
            raise NoRuleError(
                f"the sum over {name} inside of the recurrence {q.parts[-1].name} is not compiled for "
                f"{self.library.target}: numpy, jax and torch have it"
            )
        own = {r.name for r in q.parts}
        hoister = self.hoister(q.run, lambda what: what.of in own)
        found = hoister.hoisted([r.body for r in q.parts if r.body is not None])
        yield from self.before(f"before_{q.parts[0].name}", q.run, hoister)
        for r in q.parts:
            yield from self.started(r)
        loop = Loop(q.run)
        table: dict[Expr, Expr] = {}
        for r, body in zip(q.parts, found):
            here = self.program.of_family(r.name, q.run.name, 0)
            table[here] = core.named(self.pieces.identified(here).name, substitute(body, table))
            loop.stores.append((here, table[here]))
        yield from self.looped(f"steps_{q.parts[0].name}", loop)

    def sums_apart(self, r: Recurrence, run: Run) -> Iterator[str]:
        """Sums for all values of an index, in any order."""
        assert r.body is not None
        yield f"{r.name} = {self.places.array(r.name, 'zeros')}{' - np.inf' if r.largest else ''}"
        here = self.program.of_family(r.name, run.name, 0)
        loop = Loop(run, [], [(here, r.body)], False, True, r.largest, r.inner, r.guards)
        yield from self.looped(f"sums_{r.name}", loop)
        if r.largest:
            yield self.made_finite(r.name, scalar=False)

    def started(self, r: Recurrence) -> Iterator[str]:
        """The array of a recurrence with its starts."""
        given = {p: start for p, start in r.starts.items() if not is_zero(start)}
        zero = len(given) < len(r.starts)
        yield f"{r.name} = {self.places.array(r.name, 'zeros' if zero else 'empty')}"
        for p, start in given.items():
            place = self.here(self.program.of_family(r.name, "", p))
            yield f"{place} = {self.computed(f'start_{r.name}_{abs(p)}', {'value': start})}"

    # -------------------------------------------------------------------------------------------- what leaves a loop

    def hoister(self, run: Run, moves: Callable[[Member], bool]) -> Hoister:
        """Takes parts out of the expressions of a loop."""

        def runs(v: Expr) -> bool:
            what = self.program.members.get(v)
            return what is not None and what.index == run.name

        def moving(v: Expr) -> bool:
            what = self.program.members.get(v)
            return what is not None and moves(what)

        def part(e: Expr, stacked: bool) -> Expr:
            return self.part(e, run, stacked=stacked)

        return Hoister(self.stacker(run), runs, moving, part)

    def part(self, e: Expr, run: Run, *, stacked: bool) -> Expr:
        """The variable for a part that leaves a loop."""
        name = self.pieces.names.fresh(self.local.numbered("ahead"))
        self.local.taken.add(name)
        if not stacked:
            made = core.var(name, *e.shape)
            self.sources[made] = name
            return made
        self.places.slots[name] = Slot(run.first, run.last, e.shape)
        return self.program.member(f"{name}[{run.name}]", e.shape, Member(name, None, run.name, 0))

    def before(self, label: str, run: Run, hoister: Hoister) -> Iterator[str]:
        """What leaves a loop forwards, as arrays whose first axis is the index."""
        used = set(variables(hoister.roots))
        stacks = {v: e for v, e in hoister.stacks.items() if v in used}
        constants = {v: e for v, e in hoister.constants.items() if v in used or v in variables(stacks.values())}
        if not stacks and not constants:
            return
        names = [*(self.program.members[v].of for v in stacks), *(v.name for v in constants)]
        results = dict(zip(names, [*stacks.values(), *constants.values()]))
        yield f"{', '.join(names)} = {self.computed(label, results)}"
        for v in stacks:
            name = self.program.members[v].of
            view = ":, 0" if v.is_scalar else ":, :, None" if is_one(v.shape[1]) else ":, None, :"
            yield f"{name} = {name}[{view}]"

    # -------------------------------------------------------------------------------------------- adjoints

    def plus_equal(self, name: str, value: str) -> Iterator[str]:
        """A value added to what has a name; the first is taken."""
        yield f"{name} {'+=' if name in self.begun else '='} {value}"
        self.begun.add(name)

    def begin(self, v: Expr) -> Iterator[str]:
        """The array of an adjoint, where it has none yet."""
        what = self.program.members.get(v)
        name = self.adjoint(v.name if what is None else self.places.array_of(what))
        if name not in self.begun:
            self.begun.add(name)
            base = v if what is None else what.base
            if base is not None:
                yield f"{name} = {self.here_zeros(base)}"
            elif what is not None:
                yield f"{name} = {self.places.array(what.of, 'zeros')}"

    def passing(self, label: str, values: Mapping[Expr, Expr], value: Expr | None = None) -> Iterator[str]:
        """What one function computes, added to the adjoints of variables, members and stacks; a value before it."""
        found = {v: e for v, e in values.items() if not is_zero(e)}
        results = {name: self.inner(v, e) for name, (v, e) in zip(self.parts(len(found)), found.items())}
        left = [*(["value"] if value is not None else []), *results]
        if left:
            yield f"{', '.join(left)} = {self.computed(label, results, value)}"
        for name, (v, e) in zip(results, found.items()):
            yield from self.added(v, e, name)

    def target(self, v: Expr, e: Expr) -> tuple[str, str]:
        """The array to which a value is added, and the part of it: the same where it is the whole."""
        member, run = self.member_of.get(v, (v, None))
        what = self.program.members.get(member)
        array = self.adjoint(v.name if what is None else self.places.array_of(what))
        if what is None:
            return array, self.block(array, e) if e.op == "place" else array
        if run is None:
            return array, self.places.one(what, v.shape, array)
        return array, self.places.stack_target(what, member.shape, run, array)

    def block(self, array: str, e: Expr) -> str:
        """The part of an array in which a block stands."""
        ends = [(plus(at, -1), plus(at, -1, size)) for at, size in zip(e.params[2:], e.args[0].shape)]
        return f"{array}[{', '.join(f'{self.here_size(first)}:{self.here_size(last)}' for first, last in ends)}]"

    def inner(self, v: Expr, e: Expr) -> Expr:
        """What is computed of a value: where a part of an array is added to, NumPy broadcasts."""
        array, place = self.target(v, e)
        if e.op == "place":
            return e.args[0]
        return e.args[0] if e.op == "broadcast" and place != array and v in self.member_of else e

    def added(self, v: Expr, e: Expr, value: str) -> Iterator[str]:
        """A value that was computed, added to the adjoint of a variable, a member or a stack."""
        array, place = self.target(v, e)
        if place == array:
            yield from self.plus_equal(array, value)
            return
        fresh = array not in self.begun
        yield from self.begin(self.member_of.get(v, (v, None))[0])
        if place.endswith(".T"):
            place, value = place.removesuffix(".T"), f"{value}.T"
        yield f"{place} {'=' if fresh else '+='} {value}"

    def returned(self, name: str) -> str:
        """A gradient in the form of the input."""
        if self.adjoint(name) in self.begun:
            return super().returned(name)
        like = "_all_like" if name in self.program.families else "_like"
        return f"{like}(np.zeros(np.shape({name})), given_{name})"


def is_zero(e: Expr) -> bool:
    """Whether an expression is zero as it stands."""
    while e.op in ("broadcast", "named"):
        e = e.args[0]
    return e.op == "zeros" or e.number == 0
