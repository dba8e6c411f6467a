"""The C text of a native function: the statements of the C target, for `real` numbers, behind one way to be called.

`matcalc_entry` takes the sizes and pointers to inputs and results; `matcalc_shapes` gives the shapes of the results.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from matcalc.emit import trees
from matcalc.emit.program import Lowered
from matcalc.targets.c.module import Writer, helper_texts, with_needed
from matcalc.targets.native.statements import NativeStatements
from matcalc.templating import render, template_folder

_DOUBLE = re.compile(r"\bdouble\b")


@lru_cache(maxsize=1)
def prelude() -> str:
    """What stands before every function."""
    return (template_folder() / "native_prelude.c").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def routines() -> tuple[str, ...]:
    """The routines of BLAS and LAPACK that the prelude calls, without the letter of their type, in its order."""
    return tuple(re.findall(r"^    void \(\*(\w+)\)\(", prelude(), re.MULTILINE))


class NativeWriter(Writer):
    """One program as a native function."""

    kind_of_statements = NativeStatements

    def __init__(self, lowered: Lowered) -> None:
        self.more_words = _words()
        super().__init__(lowered)
        self.storage, self.size = self.written()
        self.body = "\n".join(line for s in self.statements.steps for line in s.lines)

    def needed_sizes(self) -> list[str]:
        """The names in Python of the sizes that the code or the shapes of the results use."""
        shapes = [size for e in self.results.values() for size in self._shape(e)]
        words = set(re.findall(r"\w+", " ".join([self.body, self.size, *self.storage, *shapes, *self._codes()])))
        return [name for d, name in self.lowered.dimensions.items() if self.sizes[d] in words]

    def _codes(self) -> list[str]:
        return [code for _, code in self._divisors()]

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
            size=self.size,
            storage=self.storage,
            steps=[line for s in self.statements.steps for line in s.lines],
            jumps="goto done" in self.body,
        )
        return _DOUBLE.sub("real", text)

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


def native_c_text(lowered: Lowered) -> tuple[str, NativeWriter]:
    """The functions, without the prelude."""
    first = NativeWriter(lowered)
    used, functions = set(first.statements.used), [first.function("first")]
    call = "    return first(sizes, given, taken);"
    if lowered.alternative is not None:
        less, more, other = lowered.alternative
        second = NativeWriter(other)
        used |= second.statements.used
        functions.append(second.function("second"))
        sizes = [f"    const int {name} = sizes[{k}];" for k, name in enumerate(first.sizes.values())]
        test = f"    if ({first.counted(less)} < {first.counted(more)})"
        call = "\n".join([*sizes, test, "        return second(sizes, given, taken);", call])
    needed = with_needed(used)
    helpers = [_DOUBLE.sub("real", text) for name, text in helper_texts().items() if name in needed]
    entry = f"int matcalc_entry(const int *sizes, const real *const *given, real *const *taken)\n{{\n{call}\n}}"
    return "\n\n".join([*helpers, *functions, entry, first.shapes()]), first


@lru_cache(maxsize=1)
def _words() -> frozenset[str]:
    """What the prelude defines or calls, and the frame of a function uses."""
    text = re.sub(r"/\*.*?\*/", "", prelude(), flags=re.DOTALL)
    called = set(re.findall(r"\b([A-Za-z_]\w*)\(", text)) | set(re.findall(r"#define (\w+)", text))
    return frozenset(called | {"real", "routine", "sizes", "given", "taken", "first", "second", "shapes"})
