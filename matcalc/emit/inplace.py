"""Elementwise work in memory that the program owns: chains written with `out=` and augmented assignments.

A pass over a finished straight-line program. It knows the shape and the memory of every name and the reads that are
still to come (`matcalc.emit.memory`), and so knows when a value may be overwritten. What it changes is where results
are put; the operations stay the same, apart from the order of the factors of a product and of the terms of a sum. Fresh
memory costs more than the arithmetic on large arrays, reused memory does not.

Only a name that was assigned an expression which makes a new array is ever written to (`_fresh`, `_into`): inputs, and
whatever may be a view of them, never are.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from matcalc.dims import Shape
from matcalc.emit import trees
from matcalc.emit.memory import AUGMENTED, BINARY, SCALAR, Memory, Storage
from matcalc.emit.trees import Operand, Operator

_UFUNC = {ast.Mult: "np.multiply", ast.Div: "np.divide", ast.Add: "np.add", ast.Sub: "np.subtract"}
_PAIR = 2
_LONGEST = 500  # longer expressions, of hundreds of terms, stay as they are: trees are walked recursively


class Placed(Protocol):
    """A statement: `target = tree`, and its text."""

    @property
    def target(self) -> str:
        """The name of the value."""

    @property
    def text(self) -> str:
        """The value as text."""

    @property
    def tree(self) -> ast.expr:
        """The value."""


class InPlace:
    """The lines for each statement of a program.

    Args:
        statements: the program; their trees are changed.
        results: what is evaluated last.
        memory: what is known of the names that hold arrays and 1 x 1 values; others are sizes and modules.
        shapes: of what stands inside of statements, by its trees.
        fresh: makes a new name for a part of a statement.
    """

    def __init__(
        self,
        statements: Iterable[Placed],
        results: Iterable[ast.expr],
        memory: Mapping[str, Memory],
        shapes: Mapping[ast.expr, Shape | None],
        fresh: Callable[[ast.expr], str],
    ) -> None:
        self.fresh = fresh
        self.statements = [(s.target, s.text, s.tree) for s in statements]
        known = dict(memory)
        for target, _, tree in self.statements:
            of = known[target]
            known[target] = Memory(of.shape, of.root, of.owned and trees.makes_new(tree))
        self.store = Storage(known, shapes, [*(tree for *_, tree in self.statements), *results])
        self.writable: set[str] = set()
        self.lines: list[str] = []

    def all_lines(self) -> Iterator[list[str]]:
        """For each statement in order its lines."""
        for target, text, tree in self.statements:
            self.lines = []
            known = self.store.memory[target]
            if known.owned:
                self.writable.add(target)
            if len(text) > _LONGEST:
                self._line(f"{target} = {text}", tree)
            elif self.store.worthwhile(tree):
                self._place(tree, target)
            else:
                changed = self._with_parts_placed(tree, None if known.owned else known.root)
                if not (known.owned and self._multiplied(tree, target)):
                    self._line(f"{target} = {trees.text(tree) if changed else text}", tree)
            yield self.lines

    # ------------------------------------------------------------------------------------------------ lines

    def _line(self, text: str, *operands: ast.expr) -> None:
        """Emit a line, and count what its operands read; what nobody reads any more is free memory."""
        self.lines.append(text)
        for tree in operands:
            self.store.read(tree)

    def _fresh(self, target: str, tree: ast.expr) -> None:
        """A name for memory of its own that holds the value of a tree."""
        value = trees.text(tree)
        self._line(f"{target} = {value if trees.makes_new(tree) else f'np.array({value})'}", tree)
        self.writable.add(target)

    def _into(self, name: str) -> str:
        """A name that is about to be written to: only what holds new memory may be."""
        if name not in self.writable:
            raise AssertionError(f"{name} is not ours to write to")
        return name

    # ------------------------------------------------------------------------------------------------ products

    def _multiplied(self, tree: ast.expr, target: str) -> bool:
        """Lines for target = a matrix product in memory that nobody reads any more; whether there is such."""
        if not (isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.MatMult)):
            return False
        shape = self.store.shape(tree)
        spare = self.store.spare(shape) if shape is not None and self.store.is_large(shape) else None
        if spare is None:
            return False
        left, right = trees.text(tree.left), trees.text(tree.right)
        self._put(target, spare, f"np.matmul({left}, {right}, out={self._into(spare)})", tree.left, tree.right)
        return True

    # ------------------------------------------------------------------------------------------------ placing

    def _with_parts_placed(self, tree: ast.expr, shared: Any = None) -> bool:
        """Place the chains inside of another kind of expression, which then reads names; whether there were any.

        `shared` stands for the memory of the expression's value where that may be a view of one of them.
        """
        parts: dict[ast.expr, ast.expr] = {}
        waiting = trees.children(tree)
        while waiting:
            part = waiting.pop(0)
            if self.store.worthwhile(part):
                name = self._place(part, self.fresh(part))
                parts[part] = ast.Name(name)
                if shared is not None:
                    self.store.memory[name] = Memory(self.store.memory[name].shape, shared, False)
                    self.store.unread[shared] += 1
            else:
                waiting[:0] = trees.children(part)
        if parts:
            trees.Replaced(parts).visit(tree)
        return bool(parts)

    def _place(self, tree: ast.expr, target: str) -> str:
        """Lines that compute an elementwise tree into memory of its own; the name that holds it."""
        shape = self.store.shape(tree)
        assert shape is not None
        if isinstance(tree, ast.Call) and trees.text(tree.func) not in BINARY:
            function, argument = trees.text(tree.func), tree.args[0]
            positive = trees.without_sign(argument) if function == "_sigmoid" else None
            if positive is not None:
                function, argument = "_sigmoid_of_minus", positive
            self._apply(function, argument, shape, target, keywords=tree.keywords)
        elif isinstance(tree, ast.Call):
            self._apply(trees.text(tree.func), tree.args[0], shape, target, second=tree.args[1])
        elif isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Pow):
            if isinstance(tree.right, ast.Constant) and tree.right.value == 2:
                self._apply("np.square", tree.left, shape, target)
            else:
                self._apply("np.power", tree.left, shape, target, second=tree.right)
        elif isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.Add, ast.Sub)):
            self._sum(trees.terms(tree), shape, target)
        else:
            self._product(tree, shape, target)
        if target not in self.store.memory:  # a temporary, read once by what asked for it
            self.store.memory[target] = Memory(shape, object(), True)
            self.store.unread[self.store.memory[target].root] = 1
        return target

    def _apply(
        self,
        function: str,
        argument: ast.expr,
        shape: Shape,
        target: str,
        second: ast.expr | None = None,
        keywords: list[ast.keyword] | None = None,
    ) -> None:
        """target = function(argument), over the argument where that is ours."""
        fixed = "".join(f", {k.arg}={trees.text(k.value)}" for k in keywords or [])
        buffer = self._buffer(argument, shape, target)
        others = [] if second is None else [self._operand(second)]
        if buffer is not None:
            rest = "".join(f", {trees.text(o)}" for o in others) + fixed
            self._put(target, buffer, f"{function}({buffer}{rest}, out={self._into(buffer)})", *others)
            return
        others.insert(0, self._operand(argument))
        spare = self.store.spare(shape)
        texts = ", ".join(map(trees.text, others)) + fixed + (f", out={self._into(spare)}" if spare else "")
        self._line(f"{target} = {function}({texts})", *others)
        self.writable.add(target)

    def _put(self, target: str, buffer: str, call: str, *operands: ast.expr) -> None:
        """`call` writes to `buffer`, which is called `target` from now on."""
        self._line(call if target == buffer else f"{target} = {call}", *operands)
        self.writable.add(target)

    def _buffer(self, tree: ast.expr, shape: Shape, target: str) -> str | None:
        """The name of memory that holds the value of a tree and may be overwritten, if there is such."""
        if self.store.shape(tree) != shape:
            return None
        if self.store.is_dead_after(tree):
            assert isinstance(tree, ast.Name)
            self.store.read(tree)
            self.store.free.discard(tree.id)
            return tree.id
        if not self.store.fresh_value(tree, shape):
            return None
        if self.store.elementwise(tree):
            self._placed_as(tree, target)
        else:
            self._with_parts_placed(tree)
            self._fresh(target, tree)
        return target

    def _placed_as(self, tree: ast.expr, target: str) -> None:
        known = self.store.memory.get(target)
        self._place(tree, target)
        if known is None:  # it is only on the way to become `target`
            del self.store.memory[target]

    def _operand(self, tree: ast.expr) -> ast.expr:
        """An operand with its larger parts placed first."""
        if self.store.worthwhile(tree):
            return ast.Name(self._place(tree, self.fresh(tree)))
        self._with_parts_placed(tree)
        return tree

    def _start(self, operands: list[Operand], shape: Shape, kinds: tuple[Operator, ...]) -> Operand | None:
        """The operand in whose memory a chain is computed: one that is not needed any more, or a new one."""
        candidates = [o for o in operands if o.operator in kinds]
        dead = next(
            (o for o in candidates if self.store.shape(o.tree) == shape and self.store.is_dead_after(o.tree)), None
        )
        return dead or next((o for o in candidates if self.store.fresh_value(o.tree, shape)), None)

    def _chain(self, operands: list[Operand], shape: Shape, target: str, first: Operator, other: Operator) -> None:
        """target = the operands joined by `first` (+ or *) and `other` (- or /), in one piece of memory."""
        start = self._start(operands, shape, (first,)) or self._start(operands, shape, (other,))
        summed = self._summed(operands, shape, first) if start is None else None
        if summed is not None:
            operands = self._over_summed(*summed, operands, target)
        elif start is None:
            operands = self._new(operands, target, shape, first)
        else:
            rest = [o for o in operands if o is not start]
            buffer = self._buffer(start.tree, shape, target)
            assert buffer is not None
            if start.operator is other:  # a - B, a / B
                head = next((o for o in rest if o.operator is first), None)
                left: ast.expr = ast.Constant(1 if first is ast.Mult else 0)
                if head is not None:
                    rest.remove(head)
                    left = self._operand(head.tree)
                call = f"{_UFUNC[other]}({trees.text(left)}, {buffer}, out={self._into(buffer)})"
                self._put(target, buffer, call, left)
            elif rest and buffer != target:
                head = rest.pop(0)
                right = self._operand(head.tree)
                call = f"{_UFUNC[head.operator]}({buffer}, {trees.text(right)}, out={self._into(buffer)})"
                self._put(target, buffer, call, right)
            operands = rest
        for o in operands:
            tree = self._operand(o.tree)
            self._line(f"{self._into(target)} {AUGMENTED[o.operator]} {trees.text(tree)}", tree)

    def _summed(self, operands: list[Operand], shape: Shape, first: Operator) -> tuple[Operand, Operand] | None:
        """A name that only a sum beside it still reads, and that sum, which is computed before the name is written."""
        for o in operands:
            if o.operator is first and isinstance(o.tree, ast.Name) and self.store.shape(o.tree) == shape:
                for p in operands:
                    reads = sum(isinstance(n, ast.Name) and n.id == o.tree.id for n in ast.walk(p.tree))
                    if p is not o and trees.is_sum(p.tree) and self.store.is_dead_after(o.tree, 1 + reads):
                        return o, p
        return None

    def _over_summed(self, o: Operand, p: Operand, operands: list[Operand], target: str) -> list[Operand]:
        """The first operation of a chain over a name that the other operand sums; the operands that are left."""
        buffer, right = trees.text(o.tree), self._operand(p.tree)
        self.store.read(o.tree)
        call = f"{_UFUNC[p.operator]}({buffer}, {trees.text(right)}, out={self._into(buffer)})"
        self._put(target, buffer, call, right)
        self.store.free.discard(buffer)
        return [rest for rest in operands if rest is not o and rest is not p]

    def _new(self, operands: list[Operand], target: str, shape: Shape, first: Operator) -> list[Operand]:
        """The first operations of a chain for which there is no memory yet: until the shape is reached; the rest."""
        ordered = sorted(operands, key=lambda o: o.operator is not first)
        reached: Shape | None = SCALAR
        taken: list[Operand] = []
        while ordered and (reached != shape or len(taken) < _PAIR):
            taken.append(Operand(ordered[0].operator, self._operand(ordered.pop(0).tree)))
            reached = trees.joint(reached, self.store.shape(taken[-1].tree))
        pair = len(taken) == _PAIR and taken[0].operator is first
        spare = self.store.spare(shape) if pair else None
        if spare is not None:
            left, right = (o.tree for o in taken)
            function = _UFUNC[taken[1].operator]
            call = f"{function}({trees.text(left)}, {trees.text(right)}, out={self._into(spare)})"
            self._put(target, spare, call, left, right)
            return ordered
        tree = taken[0].tree if taken[0].operator is first else trees.unit(taken[0])
        for o in taken[1:]:
            tree = ast.BinOp(tree, o.operator(), o.tree)
        self._fresh(target, tree)
        return ordered

    def _sum(self, terms: list[Operand], shape: Shape, target: str) -> None:
        self._chain(trees.simple_first(terms), shape, target, ast.Add, ast.Sub)

    def _narrow(self, factors: list[Operand], shape: Shape) -> list[Operand]:
        """The factors that have the shape of the first one that is smaller than the product."""
        above = [(f, self.store.shape(f.tree)) for f in factors if f.operator is ast.Mult]
        small = next((s for _, s in above if s not in (shape, None)), None)
        return [f for f, s in above if s == small and small is not None]

    def _product(self, tree: ast.expr, shape: Shape, target: str) -> None:
        negative, factors = trees.factors(tree)
        full = [f for f in factors if f.operator is ast.Mult and self.store.shape(f.tree) == shape]
        factors = trees.with_sigmoid_below(factors, full)
        scalars = [f for f in factors if self.store.shape(f.tree) == SCALAR]
        others = [f for f in factors if self.store.shape(f.tree) != SCALAR]
        if scalars or negative or len(self._narrow(others, shape)) > 1:
            narrow = self._narrow(others, shape)
            others = [f for f in others if f not in narrow]
            scalars += narrow
            if scalars and not negative and all(f.operator is ast.Div for f in scalars):  # n may be 0: x / n, not 1 / n
                others.append(Operand(ast.Div, trees.product_of([Operand(ast.Mult, f.tree) for f in scalars], False)))
            elif scalars:
                others.insert(0, Operand(ast.Mult, trees.product_of(scalars, negative)))
                negative = False
        if len(others) > 1 or not negative:
            self._chain(trees.simple_first(others), shape, target, ast.Mult, ast.Div)
        if negative and len(others) == 1:
            self._apply("np.negative", others[0].tree, shape, target)
        elif negative:
            self._line(f"np.negative({target}, out={self._into(target)})")
