"""A program with loops in C and as a native function: the same stages and loops, written out as one function of C."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from matcalc.dims import is_one, plus, shape_text
from matcalc.emit.program import Lowered
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.loops.c_places import BLOCK, CPlaces
from matcalc.loops.functions import Made
from matcalc.loops.in_arrays import Array, Scope, Value
from matcalc.loops.inlined import FINITE, Inlined, InlinedNative
from matcalc.loops.library import NUMPY, Library
from matcalc.loops.places import Places
from matcalc.loops.stage import Dialect, Function
from matcalc.loops.staged_back import BackwardWriter
from matcalc.naming import Names
from matcalc.targets.c.entries import SCALAR, Shape, product
from matcalc.targets.c.memory import placed
from matcalc.targets.c.module import file_text, reserved_words, with_needed
from matcalc.targets.c.parts import Step, count
from matcalc.targets.native.helpers import as_real, known_words, native_helpers
from matcalc.templating import render

_IMPORTS = "import numpy as np\n\nfrom matcalc.targets.native.loading import Compiled"
NATIVE = Library("native", _IMPORTS, NUMPY.zeros, NUMPY.zero, NUMPY.number, NUMPY.helpers)
C = Library(
    "c",
    "import numpy as np\n\nfrom matcalc.targets.c.run import CFunction",
    NUMPY.zeros,
    NUMPY.zero,
    NUMPY.number,
    NUMPY.helpers,
)


class AsTheyAre:
    """Statements as NumPy spells them, nothing in place."""

    def statements(self, lowered: Lowered) -> list[str]:
        """The statements of a program."""
        return [f"{s.target} = {s.text}" for s in lowered.schedule.statements]

    def results(self, texts: list[str]) -> list[str]:
        """The texts of its results."""
        return texts


class NativeWriter(BackwardWriter):
    """Writes the function of a module whose computation is one function in C."""

    dialect: Dialect = AsTheyAre()
    places_type: type[Places] = CPlaces
    statements_type: type[Inlined] = InlinedNative

    # -------------------------------------------------------------------------------------------- what C is made of

    def keep(self, function: Function) -> None:
        """Take a function up, to be written out where it is called."""
        self.stages[function.name] = function

    def prepare(self) -> None:
        """What is known before the first line."""
        self.stages: dict[str, Function] = {}
        super().prepare()

    def made_finite(self, name: str, *, scalar: bool) -> str:
        """The statement after which infinite entries are 0."""
        return f"{FINITE}({name})"

    def block(self, array: str, e: Expr) -> str:
        """The part of an array in which a block stands."""
        first = [plus(at, -1) for at in e.params[2:]]
        return f"{array}[{BLOCK}, {', '.join(map(self.here_size, (*first, *e.args[0].shape)))}]"

    def finish(self) -> None:
        """Write all steps in C."""
        self.result_names = [
            *(["value"] if self.kind.value or not self.differentiates else []),
            *(self.adjoint(n) for n in self.pieces.wrt if self.differentiates and self.adjoint(n) in self.begun),
        ]
        lines = [*self.lines, f"return {', '.join(self.result_names)},"]
        words = set(re.findall(r"[^\W\d]\w*", "\n".join(lines)))
        self.taken_inputs = [n for n in (*self.inputs_names, *self.directions.values()) if n in words]
        self.names = Names({*reserved_words(), *self.more_words(), str(self.kind)})
        for name in self.taken_inputs:
            self.sizes_of(name)
        self.sizes = {name: self.fresh(name) for name in self.size_names.values()}
        scope: Scope = {name: ast.Name(c) for name, c in self.sizes.items()}
        statements = self.statements_type({}, (self.fresh("i"), self.fresh("j")), self.numbered, functions=self.stages)
        self.statements = statements
        self.inputs_in_c: dict[str, str] = {}
        for name in self.taken_inputs:
            self.inputs_in_c[name] = c = self.fresh(name)
            scope[name], statements.shapes[c] = self.taken(name, c, scope)
        self.outputs = [self.fresh(self.output_name(n)) for n in self.result_names]
        made = statements.run(lines, scope)
        self.shapes_of_results = [statements.shapes[_name(v)] for v in made]
        self.owned: dict[str, str] = {}
        for output, value in zip(self.outputs, made):
            self.returned_in(output, _name(value))
        self.storage, self.work = placed(
            statements.steps, statements.shapes, self.owned, statements.spans, statements.base
        )
        self.steps = [line for s in statements.steps for line in s.lines]

    def more_words(self) -> Iterable[str]:
        """What names cannot be beside the words of C."""
        return known_words()

    def fresh(self, wanted: str) -> str:
        """A name in C for a name in Python, of whatever alphabet."""
        return self.names.fresh(wanted if wanted.isascii() else f"v_{wanted.encode('ascii', 'ignore').decode()}")

    def numbered(self, wanted: str) -> str:
        """A name for a value."""
        return self.names.numbered("t") if wanted == "t" else self.fresh(wanted)

    def output_name(self, name: str) -> str:
        """What the argument for a result is called."""
        return "result" if name == "value" else f"{self.kind.argument}_{name.removeprefix(self.pieces.prefix)}"

    def sizes_of(self, name: str) -> list[str]:
        """The sizes of an input, in the function around: the number of members, the shape."""
        if name not in self.program.families:
            return list(map(self.here_size, self.pieces.declared[name].shape))
        slot = self.places.slot(name)
        return list(map(self.here_size, (slot.count, *slot.shape)))

    def taken(self, name: str, c: str, scope: Scope) -> tuple[Value, Shape]:
        """An input: a number, a matrix or an array, and its shape."""
        found = [self.statements.size(ast.parse(d, mode="eval").body, scope) for d in self.sizes_of(name)]
        *members, rows, columns = found
        if members:
            return Array(c, members[0], (rows, columns)), (members[0], product(rows, columns))
        return ast.Name(c), (rows, columns)

    def returned_in(self, output: str, name: str) -> None:
        """Write a result to its argument; a matrix that was made for it lies there from the beginning."""
        s = self.statements
        if s.shapes[name] == SCALAR and name not in {x.writes for x in s.steps}:
            s.steps.append(Step([f"*{output} = {name};"], None, {name}))
        elif name in s.bases or name in self.owned or name in self.inputs_in_c.values():
            i = s.indices[0]
            loop = f"for (size_t {i} = 0; {i} < {count(s.shapes[name])}; {i}++)"
            s.steps.append(Step([loop, f"    {output}[{i}] = {name}[{i}];"], None, {name}))
        else:
            self.owned[name] = output

    # -------------------------------------------------------------------------------------------- the texts

    def computation(self) -> Iterator[str]:
        """The call of what is compiled."""
        sizes = "".join(f"{name}, " for name in self.sizes)
        given = "".join(f"{name}, " for name in self.taken_inputs)
        yield f"{', '.join(self.result_names)}, = _compiled(np.dtype(np.float64), ({sizes}), ({given}))"

    def number_result(self) -> str:
        """The value as it is returned."""
        return "value.item()"

    def constants(self, found: Sequence[Made | Function]) -> list[str]:
        """The compiled function."""
        return ["", '_compiled = Compiled(r"""', self.c_text(), f'""", results={len(self.outputs)})']

    def decorators(self) -> list[str]:
        """The way for arrays that fit as they are, where they fix all sizes and all gradients are computed."""
        shapes = {name: self.quick_shape(name) for name in self.taken_inputs}
        sizes = list(self.size_names)
        known = {d for shape in shapes.values() for d in shape or ()}
        names = [n for n in self.pieces.wrt if self.differentiates]
        if self.directions or None in shapes.values() or not known.issuperset(sizes):
            return []
        if not any(shapes.values()) or not {self.adjoint(n) for n in names} <= self.begun:
            return []
        if not shapes.keys() >= set(names) or "cotangent" in shapes:  # of a Jacobian, which calls this for each row
            return []
        inputs = [f"    ({_quoted(n)}, None, {repr(shape).replace(chr(39), chr(34))})," for n, shape in shapes.items()]
        results = ['(None, "number")'] if self.result_names[0] == "value" else []
        results += [f"({_quoted(n)}, {_quoted(f'as {n}')})" for n in names]
        found = f"results=[{', '.join(results)}], sizes=[{', '.join(map(_quoted, sizes))}]"
        return [
            "@_compiled.quick(",
            "    inputs=[",
            *(f"    {line}" for line in inputs),
            "    ],",
            f"    {found},",
            ")",
        ]

    def quick_shape(self, name: str) -> tuple[object, ...] | None:
        """The shape in which an input can be taken as it lies: () for a number; None where there is none."""
        if name not in self.program.families:
            shape = self.pieces.declared[name].shape
            found = () if shape == (1, 1) else shape
        else:
            slot = self.places.slot(name)
            width = [d for d in slot.shape if not is_one(d)] or [1]
            found = (slot.count, *width)
            if len(width) > 1:
                return None
        if not all(isinstance(d, int) or d.is_Symbol for d in found):
            return None
        return tuple(d if isinstance(d, int) else str(d) for d in found)

    def c_text(self) -> str:
        """The functions in C, without what stands before all of them."""
        texts = native_helpers()
        helpers = [text for name, text in texts.items() if name in with_needed(self.statements.used, texts)]
        parameters = "const int *sizes, const real *const *given, real *const *taken, Outside outside"
        entry = f"int matcalc_entry({parameters})\n{{\n    return first(sizes, given, taken, outside);\n}}"
        return "\n\n".join([*helpers, self.c_function(), entry, self.c_shapes()])

    def c_function(self) -> str:
        """The function that computes."""
        inputs = []
        for k, (name, c) in enumerate(self.inputs_in_c.items()):
            number = self.is_number(name)
            kind, value = ("const real ", f"*given[{k}]") if number else ("const real *const ", f"given[{k}]")
            inputs.append(f"{kind}{c} = {value};")
        text = render(
            "native_function.c.jinja",
            function="first",
            sizes=list(self.sizes.values()),
            inputs=inputs,
            outputs=[f"real *const {output} = taken[{k}];" for k, output in enumerate(self.outputs)],
            scalars=self.statements.scalars,
            divisors=[],
            large=[],
            prologue=[],
            size=self.work,
            storage=self.storage,
            steps=self.steps,
            jumps=any("goto done" in line for line in self.steps),
        )
        return as_real(text)

    def c_shapes(self) -> str:
        """The function that gives the shapes of the results."""
        lines = ["int matcalc_shapes(const int *sizes, long long *shapes)", "{"]
        lines += [f"    const long long {name} = sizes[{k}];" for k, name in enumerate(self.sizes.values())]
        numbers = [size for shape in self.shapes_of_results for size in shape]
        lines += [f"    shapes[{k}] = {size};" for k, size in enumerate(numbers)]
        return "\n".join([*lines, f"    return {len(self.outputs)};", "}"])

    def is_number(self, name: str) -> bool:
        """Whether an input comes as a number."""
        return name not in self.program.families and self.pieces.declared[name].is_scalar


class CalledWriter(NativeWriter):
    """Writes a module in Python that compiles and calls a file of C."""

    statements_type = Inlined

    def decorators(self) -> list[str]:
        """None."""
        return []

    def more_words(self) -> Iterable[str]:
        """None beside the words of C."""
        return ()

    def fresh(self, wanted: str) -> str:
        """A name in C."""
        if not wanted.isascii():
            raise NoRuleError(f"no code for C: {wanted} is no name there")
        return self.names.fresh(wanted)

    def constants(self, found: Sequence[Made | Function]) -> list[str]:
        """The compiled function."""
        shapes = ", ".join(f"({', '.join(shape)})" for shape in self.shapes_of_results)
        sizes = f"lambda {', '.join(self.sizes.values())}: [{shapes}]"
        return ["", f'_compiled = CFunction(r"""\n{self.file([])}\n""", {sizes})']

    def file(self, notes: Iterable[str]) -> str:
        """The file of C."""
        parameters = [(c, f"int {c}", "size, at least 1") for c in self.sizes.values()]
        for name, c in self.inputs_in_c.items():
            parameters.append((c, f"double {c}" if self.is_number(name) else f"const double *{c}", self.said(name)))
        for name, output in zip(self.result_names, self.outputs):
            what = "a number" if name == "value" else self.said(name.removeprefix(self.pieces.prefix))
            parameters.append((output, f"double *{output}", f"takes the result, {what}"))
        words = set(re.findall(r"\w+", "\n".join([*self.steps, *self.storage, self.work])))
        return file_text(
            "Generated by matcalc",
            ["", *notes],
            str(self.kind),
            self.kind.summary,
            parameters,
            with_needed(self.statements.used),
            unused=[name for name, _, _ in parameters if name not in words],
            sizes=list(self.sizes.values()),
            divisors=[],
            storage=self.storage,
            size=self.work,
            scalars=self.statements.scalars,
            steps=self.steps,
        )

    def said(self, name: str) -> str:
        """The shape of an input, in words."""
        if name not in self.program.families:
            return shape_text(self.pieces.declared[name].shape)
        family = self.program.families[name]
        return f"{shape_text(family.shape)} for each {family.run.text}"


class CWriter(CalledWriter):
    """Writes a file of C."""

    def text(self, notes: Iterable[str]) -> str:
        """The whole file."""
        list(self.inputs())
        return self.file(notes)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _name(value: Value) -> str:
    if isinstance(value, Array):
        return value.name
    assert isinstance(value, ast.Name)
    return value.id
