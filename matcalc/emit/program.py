"""A program to be written: what it returns, the names of everything in it, and its schedule, for every target alike."""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Mapping, Sequence
from functools import partial

import sympy as sp

from matcalc import dims
from matcalc.dims import is_one, shape_text
from matcalc.emit.catalogue import RULES, WITH_BLOCKS
from matcalc.emit.code import number_code
from matcalc.emit.instructions import Names, Value, function_name
from matcalc.emit.local_names import Namer
from matcalc.emit.needed_sizes import needed, within
from matcalc.emit.passes import PASSES, Around
from matcalc.emit.recipe import Program
from matcalc.emit.schedule import LINE, Schedule
from matcalc.emit.selection import Selector
from matcalc.errors import MatcalcError
from matcalc.exact import is_exact
from matcalc.expr import Expr, postorder
from matcalc.ops.implicit import Equation
from matcalc.properties import names_of
from matcalc.targets.registry import reserved, spelling
from matcalc.walk import variables

_RESERVED = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins)} | {
    *("np", "math", "special", "sla", "lapack", "xp", "jnp", "torch"),
    *("dims", "dtype", "_inputs", "tangents", "cotangent", "inputs"),
}


class Lowered:
    """What the texts of all targets are made of: one program's names, statements, results and documentation.

    Attributes:
        name: of the function.
        summary: what it returns, for its docstring.
        program: what is computed.
        inputs: the names in the code of the variables, tangents and cotangent.
        dimensions: those of the symbolic sizes.
        functions: those of abstract functions.
        solvers: those of the functions that solve equations.
        needed: the sizes that may not be 0.
        shapes: for variables whose derivatives take the form of the input, the name of that form.
        schedule: the statements.
        alternative: a second lowering with the residual multiplied out, and the two counts that choose between them.
        after: the program after each pass.
    """

    def __init__(
        self, program: Program, name: str, sizes: Mapping[str, int] | None = None, *, three_axes: bool = True
    ) -> None:
        self.program, self.name = program, name
        self.summary = program.kind.summary
        self.alternative: tuple[str, str, Lowered] | None = None
        self.extra = [*program.tangents.values(), *([program.cotangent] if program.cotangent is not None else [])]
        self.roots = program.roots
        self._check()
        self.needed = needed(program.value, self.roots)
        self.namer = Namer([*_RESERVED, *reserved()])
        self.inputs = {v.params[0]: self.namer.fresh(v.params[0]) for v in (*program.variables, *self.extra)}
        self.functions = self._functions()
        used = [d for e in postorder([*program.variables, *self.extra, *self.roots]) for d in e.shape]
        used += [p for e in postorder(self.roots) for p in e.params if is_exact(p)]
        self.solvers = self._solvers()
        used += [sp.Symbol(d) for equation in self.solvers for d in equation.sizes]
        self.dimensions = {d: self.namer.fresh(d) for d in dims.symbols(used)}
        self.needed = within(self.needed, self.dimensions)
        self.after: dict[str, Program] = {}
        for p in PASSES:
            program = self.after[p.name] = p.run(program, Around(self.namer.unused, sizes or {}))
        self.program, self.roots = program, program.roots
        if program.alternative is not None:
            less, more = (number_code(count, self.dimensions)[0] for count in program.alternative[:2])
            self.alternative = less, more, Lowered(program.alternative[2], name, sizes, three_axes=three_axes)
        values = [] if program.value is None else [program.value]
        derivatives = [e for e in self.roots if e is not program.value]
        names = Names(self.inputs, self.dimensions, self.functions, self.solvers)
        select = Selector(WITH_BLOCKS if three_axes else RULES, values, derivatives, sizes, self.roots)
        self.shapes = {name: self.namer.fresh(f"shape_{name}") for name in (v.params[0] for v in self._formed())}
        self.schedule = Schedule(select, self.roots, self.namer, partial(spelling(), names=names), program.labels)

    def _check(self) -> None:
        known = {*self.program.variables, *self.extra}
        missing = [v.params[0] for v in variables(self.roots) if v not in known]
        if missing:
            raise MatcalcError(f"not among the variables of the function: {', '.join(missing)}")

    def _functions(self) -> dict[str, str]:
        abstract = [e for e in postorder(self.roots) if e.op == "func" and e.params[0].body is None]
        return {name: self.namer.fresh(name) for name in dict.fromkeys(map(function_name, abstract))}

    def _solvers(self) -> dict[Equation, str]:
        """The functions that solve the equations of implicit values."""
        found = dict.fromkeys(e.params[0] for e in postorder(self.roots) if e.op == "root")
        return {equation: self.namer.fresh(f"_solve_{equation.name}") for equation in found}

    # -------------------------------------------------------------------------------------------- text

    def documentation(self, formulas: list[str]) -> list[str]:
        lines = ["", *map(plain, formulas)] if formulas else []
        lines += ["", "Shapes:"]
        for v in self.program.variables:
            facts = names_of(v.params[3])
            lines.append(f"    {v.params[0]}: {shape_text(v.shape)}{' ' + ', '.join(facts) if facts else ''}")
        return lines

    def renamed(self) -> list[str]:
        return [name for v in self.program.variables if self.inputs[name := v.params[0]] != name]

    def signature(self, more: Sequence[str] = ()) -> str:
        """The parameters of the function; `more` are those of its target."""
        renamed = set(self.renamed())
        names = [self.inputs[v.params[0]] for v in self.program.variables if v.params[0] not in renamed]
        names += self.functions.values()
        if self.program.tangents:
            names.append("tangents")
        if self.program.cotangent is not None:
            names.append("cotangent")
        parts = ["*", *names, "dims=None", *more]
        return ", ".join(parts + (["**inputs"] if renamed else []))

    # -------------------------------------------------------------------------------------------- result

    def _formed(self) -> list[Expr]:
        """The variables that may come as 1-D arrays or numbers, whose derivatives take that form."""
        if self.program.kind.matrix:
            return []
        wanted = self.program.results
        return [v for v in self.program.variables if v.params[0] in wanted and any(map(is_one, v.shape))]

    def returned(self) -> list[Expr]:
        """What is returned, in order."""
        program, kind = self.program, self.program.kind
        value = [program.value] if kind.value and program.value is not None else []
        if not kind.derivatives:
            return value
        return [*value, program.output] if program.output is not None else [*value, *program.results.values()]

    def result_values(self) -> dict[str, Value]:
        """What is returned as instructions: "value", "tangent", and the derivatives by the variables' names."""
        program, kind = self.program, self.program.kind
        found = {"value": program.value} if kind.value and program.value is not None else {}
        if kind.derivatives:
            found |= program.results if program.output is None else {"tangent": program.output}
        return {name: self.schedule.computed(e) for name, e in found.items()}

    def result_tree(self) -> ast.expr:
        """The tree of what is returned, without conversions to floats and to the forms of the inputs."""
        program, kind = self.program, self.program.kind
        returned: set[Expr] = set()
        value: ast.expr | None = None
        if kind.value and program.value is not None:
            value, returned = self.own_tree(program.value, returned)
        if not kind.derivatives and value is not None:
            return value
        if program.output is not None:
            return self.own_tree(program.output, returned)[0]
        trees: list[ast.expr] = []
        for e in program.results.values():
            tree, returned = self.own_tree(e, returned)
            trees.append(_called("dtype.type", tree) if e.is_scalar and not variables([e]) else tree)
        grads = ast.Dict([ast.Constant(name) for name in program.results], trees)
        return grads if value is None else ast.Tuple([value, grads])

    def result(self) -> str:
        """The text of what is returned, converted to floats and to the forms of the inputs."""
        program, kind = self.program, self.program.kind
        returned: set[Expr] = set()
        value = ""
        if kind.value and program.value is not None:
            value, returned = self.own(program.value, returned)
            value = f"float({value})" if program.value.is_scalar else value
        if not kind.derivatives:
            return value
        if program.output is not None:
            text, _ = self.own(program.output, returned)
            return f"float({text})" if program.output.is_scalar else text
        if program.factors is not None:
            return self._pairs(program.factors, returned)
        formed = {v.params[0] for v in self._formed()}
        items = []
        for name, e in program.results.items():
            text, returned = self.own(e, returned)
            if name in formed:
                text = _formed_as(text, self.shapes[name], e)
            elif e.is_scalar:
                text = f"np.full((1, 1), {text}, dtype=dtype)"
            items.append(f"{quoted(name)}: {text}")
        grads = f"{{{', '.join(items)}}}"
        if len(grads) > LINE:
            grads = "{\n" + "".join(f"        {item},\n" for item in items) + "    }"
        return f"{value}, {grads}" if kind.value else grads

    def _pairs(self, factors: Mapping[str, list[tuple[str, str]]], returned: set[Expr]) -> str:
        items = []
        for name, keys in factors.items():
            texts = []
            for key in (key for pair in keys for key in pair):
                e = self.program.results[key]
                text, returned = self.own(e, returned)
                texts.append(text if key in self.program.identities else _typed(text, e))
            items.append(f"{quoted(name)}: [{', '.join(f'({a}, {b})' for a, b in zip(texts[::2], texts[1::2]))}]")
        return f"{{{', '.join(items)}}}"

    def own(self, e: Expr, returned: set[Expr]) -> tuple[str, set[Expr]]:
        """The text of a result in memory of its own (what was returned already is copied), and all that is returned."""
        copies, returned = self._copies(e, returned)
        text = self.schedule.result(e)
        return (f"np.array({text})" if copies else text), returned

    def own_tree(self, e: Expr, returned: set[Expr]) -> tuple[ast.expr, set[Expr]]:
        """The tree of a result in memory of its own, and all that is returned."""
        copies, returned = self._copies(e, returned)
        tree = self.schedule.tree(e)
        return (_called("np.array", tree) if copies else tree), returned

    def _copies(self, e: Expr, returned: set[Expr]) -> tuple[bool, set[Expr]]:
        """Whether a result must be copied, and all that is returned with it."""
        memory, borrowed = self.schedule.memory(e)
        return (borrowed or memory in returned) and not e.is_scalar, {*returned, memory}


def _called(name: str, tree: ast.expr) -> ast.Call:
    """f(x)"""
    module, _, function = name.partition(".")
    return ast.Call(ast.Attribute(ast.Name(module), function), [tree], [])


def _formed_as(text: str, shape: str, e: Expr) -> str:
    """The text of a derivative in the form of the input that it belongs to."""
    if e.is_scalar:
        return f"_form({_typed(text, e)}, {shape})"
    return f"{text}.reshape({shape})" if text.isidentifier() else f"({text}).reshape({shape})"


def _typed(text: str, e: Expr) -> str:
    """The text of a 1 x 1 value in the program's precision, which a number of Python does not have."""
    return f"dtype.type({text})" if e.is_scalar and not variables([e]) else text


def quoted(name: str) -> str:
    return f'"{name}"'


def plain(text: str) -> str:
    """Text that can stand in a docstring or a comment: no line breaks, backslashes or triple quotes."""
    return " ".join(text.split()).replace("\\", "/").replace('"""', "'''")
