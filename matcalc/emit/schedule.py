"""Scheduling: which values become statements, in which order, and which are written inside others.

Named values and values used twice are statements; a value used once stands where it is used unless the line gets long.
Where there are several results they are statements too, each as soon as it can be computed: then the memory of what it
was computed from is free for what follows.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from matcalc.dims import Shape
from matcalc.emit.blocks import is_blocks
from matcalc.emit.code import Code, Level
from matcalc.emit.entrywise import is_entrywise
from matcalc.emit.inplace import InPlace
from matcalc.emit.instructions import Instruction, Value, computed, read
from matcalc.emit.local_names import NUMBERED, TERMS, Namer, described, of_call, of_operation
from matcalc.emit.memory import Memory
from matcalc.emit.selection import Selector
from matcalc.emit.trees import copied
from matcalc.expr import Expr, postorder

LINE = 88
BLOCKS_LINE = 60
# What gives new memory beside the entrywise operations.
_NEW = frozenset(["matmul", "scale", "sum", "mean", "softmax", "log_softmax"])


@dataclass(frozen=True, slots=True)
class Statement:
    """`target = tree`.

    Attributes:
        target: the name.
        text: what it stands for, in NumPy.
        tree: the same as a tree.
        of: the named value that this is, if any.
        value: what it computes, as an expression.
        computed: the same as instructions, with their shapes.
        shown: the value as a comment has it: as it was written, where it has a name of the page.
    """

    target: str
    text: str
    tree: ast.expr
    of: Expr | None
    value: Expr
    computed: Value
    shown: Expr


class Schedule:
    """The statements of a program and the texts of its results.

    Attributes:
        statements: in order.
        texts: for each value its text (a name, or a short expression) and level.
        trees: for each value its tree.
        values: for each value its instructions.
        shapes: those of what stands inside of statements, by its trees.
        wishes: names for what stands inside of statements, by its trees.

    Args:
        select: the instructions.
        roots: what is computed, and how results are called.
        names: makes the names of statements.
        spell: how instructions are written.
        labels: what a page calls values, and how it writes them.
    """

    def __init__(
        self,
        select: Selector,
        roots: Mapping[Expr, str],
        names: Namer,
        spell: Callable[[Instruction], Code],
        labels: Mapping[Expr, tuple[str, Expr]],
    ) -> None:
        self.select = select
        self.names = names
        self.statements: list[Statement] = []
        self.texts: dict[Expr, tuple[str, Level]] = {}
        self.trees: dict[Expr, ast.expr] = {}
        self.values: dict[Expr, Value] = {}
        self.shapes: dict[ast.expr, Shape | None] = {}
        self.wishes: dict[ast.expr, str] = {}
        self._short: dict[
            Expr, tuple[str, Level]
        ] = {}  # as if unnamed values were t1, t2: what decides what is inlined
        self._unnamed = 0
        self._placed: set[ast.expr] = set()
        order = _order(select, _earliest_first(list(roots)))
        self.several = len(roots) > 1
        targets = {select.decide(root): wanted for root, wanted in roots.items()}
        uses = Counter(select.decide(root) for root in roots)
        self.codes = {e: spell(select.instructions[e]) for e in order}
        for e, code in self.codes.items():
            for k, a in enumerate(select.instructions[e].operands):
                uses[select.decide(a)] += code.text.count(f"{{{k}}}")
        named = _names(select, order)
        self.labels = {select.decide(e): label for e, label in labels.items() if select.knows(e)}
        self._read = {e: list(reversed(read)) for e, read in select.sources().items()}
        names.later = frozenset([*(e.name for e in named.values()), *roots.values()])
        for e in order:
            self._place(e, uses[e], named.get(e), targets.get(e))

    def _place(self, e: Expr, uses: int, of: Expr | None, wanted: str | None) -> None:
        instruction, code = self.select.instructions[e], self.codes[e]
        inputs = [self.select.decide(a) for a in instruction.operands]
        operands = [self.texts[a] for a in inputs]
        if self.select.is_name(e) and inputs:
            (inner,) = inputs
            if of is None:  # its definition has taken the name, or is a variable
                self.texts[e], self.trees[e], self.values[e] = self.texts[inner], self.trees[inner], self.values[inner]
                self._short[e] = self._short[inner]
                return
        text = code.fill(operands)
        parts = [self._tree(a) for a in inputs]
        tree = code.tree([(part, level) for part, (_, level) in zip(parts, operands)])
        value = computed(instruction, tuple(self.values[a] for a in inputs))
        if instruction.name == "sum" and instruction.is_scalar and not self.wishes.get(parts[0]):
            self.wishes[parts[0]] = TERMS
        if instruction.name == "variable":
            value = read(text, value)
        short = code.fill([self._short[a] for a in inputs])
        repeated = uses > 1 and not (instruction.cheap and len(short) < LINE // 4)
        if instruction.cheap:
            wanted = None
        apart = wanted is not None and self.several
        limit = BLOCKS_LINE if e in self.select.blocks else LINE
        if of is None and not repeated and len(short) <= limit and not apart:
            self.texts[e], self.trees[e], self.values[e] = (text, code.level), tree, value
            self._short[e] = short, code.level
            self.shapes[tree] = instruction.shape
            self.wishes[tree] = self._called(e)
            return
        if of is not None:
            wanted = of.name
        target = self.names.free(self._called(e)) if wanted is None else self.names.fresh(wanted)
        shown = self.labels[e][1] if e in self.labels and wanted is None else e
        self.statements.append(Statement(target, text, tree, of, e, value, shown))
        self.texts[e], self.trees[e], self.values[e] = (target, Level.ATOM), ast.Name(target), read(target, value)
        self._unnamed += wanted is None
        self._short[e] = (f"{NUMBERED}{self._unnamed}" if wanted is None else target), Level.ATOM

    def _called(self, e: Expr) -> str:
        """What a person would call a value that the source does not name; empty where that is not clear."""
        if e in self.labels:
            return self.labels[e][0]
        how = self.select.instructions[e]
        operand = self._name_of(how.operands[0]) if len(how.operands) == 1 else ""
        return described([*self._read.get(e, ()), e], self._name_of) or of_operation(e, how.name, operand)

    def _name_of(self, e: Expr) -> str:
        """The name of a value that is computed, empty where it has none."""
        if not self.select.knows(e):
            return ""
        text, level = self.texts.get(self.select.decide(e), ("", Level.ATOM))
        speaks = level is Level.ATOM and text.isidentifier() and text not in self.names.numbers
        return text if speaks else ""

    def _part_name(self, tree: ast.expr) -> str:
        return self.names.free(self.wishes.get(tree, "") or of_call(tree))

    def _tree(self, e: Expr) -> ast.expr:
        """The tree of an operand; every place has nodes of its own."""
        tree = self.trees[e]
        if tree not in self._placed and not isinstance(tree, ast.Name):
            self._placed.add(tree)
            return tree
        new = copied(tree)
        for old, node in zip(ast.walk(tree), ast.walk(new)):
            if isinstance(old, ast.expr) and isinstance(node, ast.expr):
                if old in self.shapes:
                    self.shapes[node] = self.shapes[old]
                self.wishes[node] = self.wishes.get(old, "")
        return new

    def result(self, e: Expr) -> str:
        """The text of a result."""
        return self.texts[self.select.decide(e)][0]

    def tree(self, e: Expr) -> ast.expr:
        """The tree of a result."""
        return self._tree(self.select.decide(e))

    def computed(self, e: Expr) -> Value:
        """The instructions of a result."""
        return self.values[self.select.decide(e)]

    def memory(self, e: Expr) -> tuple[Expr, bool]:
        """The value in whose memory `e` lies (itself, unless it is a view), and whether it may not be written to."""
        e = self.select.decide(e)
        repeated = False
        while (how := self.select.instructions[e]).view and how.operands:
            repeated = repeated or how.name == "broadcast"
            e = self.select.decide(how.operands[0])
        return e, repeated or e.op == "variable"

    def lines(self, inputs: Mapping[Expr, str], results: list[Expr]) -> list[tuple[Statement, list[str]]]:
        """The statements with their lines, written in place where that saves memory.

        Args:
            inputs: the names of the variables.
            results: what is returned.
        """
        memory = {name: Memory(v.shape, v, False) for v, name in inputs.items()}
        for s in self.statements:
            root, borrowed = self.memory(s.value)
            new = root is s.value and not borrowed and (root.op in _NEW or (is_entrywise(root) and root.op != "func"))
            blocks = is_blocks(s.value)
            memory[s.target] = Memory(None if blocks else s.value.shape, root, new and not blocks)
        last = [self.tree(e) for e in results]
        found = InPlace(self.statements, last, memory, self.shapes, self._part_name)
        return list(zip(self.statements, found.all_lines()))


def _earliest_first(roots: list[Expr]) -> list[Expr]:
    """Results in the order in which they can be computed: by the longest path down from each."""
    height: dict[Expr, int] = {}
    for e in postorder(roots):
        height[e] = 1 + max((height[a] for a in e.args), default=0)
    return sorted(roots, key=height.__getitem__)


def _order(select: Selector, roots: list[Expr]) -> list[Expr]:
    """What is computed, operands before what uses them."""
    order: list[Expr] = []
    seen: set[Expr] = set()
    stack = [(select.decide(root), False) for root in reversed(roots)]
    while stack:
        e, ready = stack.pop()
        if ready:
            order.append(e)
            continue
        if e in seen:
            continue
        seen.add(e)
        stack.append((e, True))
        stack.extend((select.decide(a), False) for a in reversed(select.instructions[e].operands))
    return order


def _names(select: Selector, order: list[Expr]) -> dict[Expr, Expr]:
    """For each value that a name stands for, the (first) named node."""
    named: dict[Expr, Expr] = {}
    for e in order:
        if select.is_name(e):
            inner = select.decide(e.args[0])
            while select.is_name(inner):
                inner = select.decide(inner.args[0])
            if inner.op not in ("variable", "number"):
                named.setdefault(inner, e)
            elif inner.op == "number":
                named.setdefault(e, e)
    return named
