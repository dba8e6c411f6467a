"""The C text of a native function: the statements of the C target, for `real` numbers, behind one way to be called.

`matcalc_entry` takes the sizes and pointers to inputs and results; `matcalc_shapes` gives the shapes of the results.
"""

from __future__ import annotations

import ast
import re
from functools import partial

from matcalc.emit import trees
from matcalc.emit.blocks import is_blocks
from matcalc.emit.program import Lowered
from matcalc.emit.schedule import Statement
from matcalc.expr import Expr
from matcalc.targets.c.entries import SCALAR
from matcalc.targets.c.module import Writer, with_needed
from matcalc.targets.c.parts import Step
from matcalc.targets.native.fusion import fused
from matcalc.targets.native.helpers import as_real, known_words, native_helpers
from matcalc.targets.native.pairs import Paired, Partner, partners
from matcalc.targets.native.statements import NativeStatements
from matcalc.templating import render


class NativeWriter(Writer):
    """One program as a native function."""

    kind_of_statements = NativeStatements
    statements: NativeStatements

    def __init__(self, lowered: Lowered, numbered_from: int = 0) -> None:
        self.more_words = known_words()
        self.inlined: dict[str, ast.expr] = {}
        self.prologue: list[str] = []
        self.partners = partners(lowered.schedule.statements)
        self.computed: dict[Partner, str] = {}
        super().__init__(lowered)
        formed = {f"{lowered.program.kind.argument}_{name}" for name in lowered.shapes}
        self.statements.numbered_from, self.statements.outputs = (
            numbered_from,
            {output for key, output in self.outputs.items() if key not in formed},
        )
        self.storage, self.size = self.written()
        self.body = "\n".join(line for s in self.statements.steps for line in s.lines)

    def _fresh(self, wanted: str) -> str:
        """A name in C for a name in Python, of whatever alphabet."""
        return super()._fresh(wanted if wanted.isascii() else f"v_{wanted.encode('ascii', 'ignore').decode()}")

    def _statement(self, s: Statement) -> None:
        """The steps of a statement; stacked blocks are read where they are used."""
        if is_blocks(s.value):
            self.inlined[self.renamed[s.target]] = self._tree(s.tree)
        else:
            super()._statement(s)
        for partner in self.partners.get(s.target, []):
            name = self._fresh(f"{partner.kind}_{self.renamed[s.target]}")
            self.statements.assign(
                name, self._tree(partner.tree()), self.statements.shapes[self.renamed[partner.argument]]
            )
            self.computed[partner] = name

    def _result(self, output: str, e: Expr, owned: dict[str, str]) -> None:
        if not self.statements.tried(partial(super()._result, output, e, owned)):
            name = self._fresh_numbered("t")
            self.statements.assign(name, self._tree(self.lowered.schedule.tree(e)), SCALAR)
            self.statements.steps.append(Step([f"*{output} = {name};"], None, {name}))

    def _arrange(self, owned: dict[str, str]) -> None:
        s = self.statements
        kept = {*owned, *owned.values(), *self.outputs.values()}
        s.steps, self.prologue = fused(s.steps, s.forms, s.shapes, self._fresh_numbered, kept, s.scalars)

    def _tree(self, tree: ast.expr) -> ast.expr:
        tree = self._copied(tree)
        tree = self._with_c_names(Paired(self.computed).visit(tree) if self.computed else tree)
        names = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in self.inlined]
        found: dict[ast.expr, ast.expr] = {n: self.inlined[n.id] for n in names}
        replaced = trees.Replaced(found).visit(tree)
        assert isinstance(replaced, ast.expr)
        return replaced

    def needed_sizes(self) -> list[str]:
        """The names in Python of the sizes that the code or the shapes of the results use."""
        shapes = [size for e in self.results.values() for size in self._shape(e)]
        words = set(
            re.findall(r"\w+", " ".join([self.body, self.size, *self.storage, *self.prologue, *shapes, *self._codes()]))
        )
        return [name for d, name in self.lowered.dimensions.items() if self.sizes[d] in words]

    def _codes(self) -> list[str]:
        return [code for _, code in self._divisors()]

    def _large(self) -> list[str]:
        """The sizes that are made of others, and so may be beyond what BLAS takes."""
        found = {
            size
            for shape in self.statements.shapes.values()
            for size in shape
            if not size.isalnum() and not size.isidentifier()
        }
        return sorted(found - set(self.sizes.values()))

    def counted(self, size: str) -> str:
        """A number of operations, as code in Python, in C."""
        return ast.unparse(_Counted().visit(self._tree(trees.parsed(size))))

    def function(self, name: str) -> str:
        """The text of the function."""
        inputs = []
        for k, v in enumerate(self.inputs):
            kind, value = (
                ("const real ", f"*given[{k}]") if v.is_scalar else ("const real *restrict const ", f"given[{k}]")
            )
            inputs.append(f"{kind}{self._input(v)} = {value};")
        text = render(
            "native_function.c.jinja",
            function=name,
            sizes=list(self.sizes.values()),
            inputs=inputs,
            outputs=[f"real *restrict const {self.outputs[key]} = taken[{k}];" for k, key in enumerate(self.results)],
            scalars=[s for s in self.statements.scalars if s not in self.outputs.values()],
            divisors=self._codes(),
            large=self._large(),
            prologue=self.prologue,
            size=self.size,
            storage=self.storage,
            steps=[line for s in self.statements.steps for line in s.lines],
            jumps="goto done" in self.body,
        )
        return as_real(text)

    def shapes(self) -> str:
        """The text of the function that gives the shapes of the results."""
        lines = ["int matcalc_shapes(const int *sizes, long long *shapes)", "{"]
        lines += [f"    const long long {name} = sizes[{k}];" for k, name in enumerate(self.sizes.values())]
        number = 0
        for e in self.results.values():
            for size in self._shape(e):
                lines.append(f"    shapes[{number}] = {size};")
                number += 1
        return "\n".join([*lines, f"    return {len(self.results)};", "}"])


class _Counted(ast.NodeTransformer):
    """Numbers of operations in C: as doubles, since they may be beyond whole numbers."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(f"(double){node.id}")

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.visit(node.left), self.visit(node.right)
        if isinstance(node.op, ast.Pow):
            return ast.Call(ast.Name("pow"), [left, right], [])
        return ast.BinOp(left, node.op, right)


def native_c_text(lowered: Lowered) -> tuple[str, list[NativeWriter]]:
    """The functions, without the prelude, and what wrote them."""
    writers = [NativeWriter(lowered)]
    first = writers[0]
    used, functions = set(first.statements.used), [first.function("first")]
    call = "    return first(sizes, given, taken, outside);"
    if lowered.alternative is not None:
        less, more, other = lowered.alternative
        second = NativeWriter(other, len(first.statements.outside))
        writers.append(second)
        used |= second.statements.used
        functions.append(second.function("second"))
        sizes = [f"    const int {name} = sizes[{k}];" for k, name in enumerate(first.sizes.values())]
        test = f"    if ({first.counted(less)} < {first.counted(more)})"
        call = "\n".join([*sizes, test, "        return second(sizes, given, taken, outside);", call])
    texts = native_helpers()
    needed = with_needed(used, texts)
    helpers = [text for name, text in texts.items() if name in needed]
    parameters = "const int *sizes, const real *const *given, real *const *taken, Outside outside"
    entry = f"int matcalc_entry({parameters})\n{{\n{call}\n}}"
    return "\n\n".join([*helpers, *functions, entry, first.shapes()]), writers
