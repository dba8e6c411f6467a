"""The functions of a program with loops as one function in C: their statements, by the rules of the C targets.

What `staged.py` writes is a small part of Python: calls of functions that are called once, loops over an index, values
that are stored in arrays or added to them. Here the calls are written out, names become those of C, parts of arrays
become pointers, and every right side goes to the statements of the target.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from matcalc.emit import trees
from matcalc.loops.in_arrays import Array, InArrays, Scope, Value
from matcalc.loops.stage import Function
from matcalc.targets.c.entries import SCALAR, product
from matcalc.targets.c.parts import Step
from matcalc.targets.native.statements import NativeStatements

FINITE = "_finite"
_RELATIONS: dict[type[ast.cmpop], str] = {
    **{ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.NotEq: "!="},
}
_ORDER = 3


@dataclass
class Inlined(InArrays):
    """The program so far.

    Attributes:
        functions: what can be called, by name.
        spans: the first and the last step of each loop.
    """

    functions: Mapping[str, Function] = field(default_factory=dict)
    spans: list[tuple[int, int]] = field(default_factory=list)

    # ------------------------------------------------------------------------------------------------ statements

    def run(self, lines: Sequence[str], scope: Scope) -> list[Value]:
        """The steps of a body; what it returns."""
        for s in ast.parse("\n".join(lines)).body:
            if isinstance(s, ast.Return):
                assert s.value is not None
                parts = s.value.elts if isinstance(s.value, ast.Tuple) else [s.value]
                return [self.kept(self.value(part, scope)) for part in parts]
            self.statement(s, scope, frozenset())
        return []

    def statement(self, s: ast.stmt, scope: Scope, outer: frozenset[str]) -> None:
        """The steps of a statement; `outer` are the names from before a loop."""
        if isinstance(s, (ast.For, ast.If)):
            self.block(s, scope, outer)
        elif isinstance(s, ast.AugAssign):
            self.put(s.target, self.value(s.value, scope), scope, more=True)
        elif isinstance(s, ast.Expr):
            assert isinstance(s.value, ast.Call)
            if trees.text(s.value.func) == FINITE:
                self.made_finite(self.value(s.value.args[0], scope))
            else:
                self.called(s.value, scope)
        else:
            assert isinstance(s, ast.Assign)
            self.assigned(s.targets[0], s.value, scope, outer)

    def assigned(self, target: ast.expr, tree: ast.expr, scope: Scope, outer: frozenset[str]) -> None:
        """target = tree."""
        if isinstance(tree, ast.Call) and trees.text(tree.func) in self.functions:
            targets = target.elts if isinstance(target, ast.Tuple) else [target]
            for one, found in zip(targets, self.called(tree, scope)):
                self.bound(one, found, scope, outer)
            return
        made = self.new_array(tree, scope, trees.text(target))
        self.bound(target, self.value(tree, scope) if made is None else made, scope, outer)

    def bound(self, target: ast.expr, value: Value, scope: Scope, outer: frozenset[str]) -> None:
        """A value that gets a name, or is stored; numbers from before a loop change."""
        if isinstance(target, ast.Name) and not (target.id in outer and not isinstance(scope[target.id], Array)):
            scope[target.id] = self.kept(value, target.id)
        else:
            self.put(target, value, scope, more=False)

    def called(self, tree: ast.Call, scope: Scope) -> list[Value]:
        """The steps of a function; what it returns."""
        function = self.functions[trees.text(tree.func)]
        return self.run(function.lines, {p: self.value(a, scope) for p, a in zip(function.parameters, tree.args)})

    def block(self, s: ast.For | ast.If, scope: Scope, outer: frozenset[str]) -> None:
        """A loop over an index, or what is done under a condition."""
        if isinstance(s, ast.If):
            head = f"if ({self.condition(s.test, scope)}) {{"
        else:
            assert isinstance(s.target, ast.Name)
            assert isinstance(s.iter, ast.Call)
            first, after, *back = (self.size(a, scope) for a in s.iter.args)
            index = self.fresh(s.target.id)
            scope[s.target.id] = ast.Name(index)
            step, test = ("--", ">") if back else ("++", "<")
            head = f"for (long long {index} = {first}; {index} {test} {after}; {index}{step}) {{"
            outer = outer or frozenset(scope)
        start = len(self.steps)
        self.steps.append(Step([head], None, set()))
        for inner in s.body:
            self.statement(inner, scope, outer)
        for step_inside in self.steps[start + 1 :]:
            step_inside.lines = [f"    {line}" for line in step_inside.lines]
        self.steps.append(Step(["}"], None, set()))
        self.spans.append((start, len(self.steps) - 1))

    def condition(self, tree: ast.expr, scope: Scope) -> str:
        """Conditions on indices."""
        if isinstance(tree, ast.BoolOp):
            return " && ".join(self.condition(part, scope) for part in tree.values)
        assert isinstance(tree, ast.Compare)
        left, right = (self.size(side, scope) for side in (tree.left, tree.comparators[0]))
        return f"{left} {_RELATIONS[type(tree.ops[0])]} {right}"

    # ------------------------------------------------------------------------------------------------ memory

    def new_array(self, tree: ast.expr, scope: Scope, wish: str) -> Value | None:
        """Memory: np.zeros(...), np.empty(...), or np.zeros(...) - np.inf; None for anything else."""
        fill = "0"
        if isinstance(tree, ast.BinOp) and trees.text(tree.right) == "np.inf":
            tree, fill = tree.left, "-INFINITY"
        if not isinstance(tree, ast.Call) or trees.text(tree.func) not in ("np.zeros", "np.empty"):
            return None
        given = tree.args[0]
        sizes = [self.size(d, scope) for d in (given.elts if isinstance(given, ast.Tuple) else [given])]
        name, is_array = self.fresh(wish), len(sizes) in (1, _ORDER)
        shape = SCALAR if len(sizes) == 1 else (sizes[-2], sizes[-1])
        self.shapes[name] = (sizes[0], product(*shape)) if is_array else shape
        if self.shapes[name] == SCALAR and not is_array:
            self.scalars.append(name)
            self._add([f"{name} = {fill};"], None)
            return ast.Name(name)
        lines = [] if trees.text(tree.func) == "np.empty" else self.filled(name, self.shapes[name], fill)
        self._add(lines, name)
        return Array(name, sizes[0], shape) if is_array else ast.Name(name)

    def made_finite(self, value: Value) -> None:
        """Infinite entries become 0."""
        name = value.name if isinstance(value, Array) else trees.text(value)
        if self.shapes.get(name, SCALAR) == SCALAR and not isinstance(value, Array):
            self._add([f"{name} = isfinite({name}) ? {name} : 0;"], None, name)
            return
        i = self.indices[0]
        entry = f"    {name}[{i}] = isfinite({name}[{i}]) ? {name}[{i}] : 0;"
        self._add([self._for_all(i, self.shapes[name]), entry], name, name)


@dataclass
class InlinedNative(Inlined, NativeStatements):
    """The same for native functions."""
