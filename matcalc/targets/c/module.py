"""The text of a standalone C99 file with CBLAS: the same schedule, for programs without Python.

Matrices are row-major arrays of double, sizes are arguments. The file allocates its workspace once, and frees it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sympy as sp

from matcalc.core import exact_dim
from matcalc.dims import Shape as Dims
from matcalc.dims import shape_text
from matcalc.emit import trees
from matcalc.emit.program import Lowered, plain
from matcalc.emit.schedule import Statement
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.printing.text import shared
from matcalc.targets.c.entries import SCALAR, Shape, exact_size
from matcalc.targets.c.memory import placed
from matcalc.targets.c.parts import Step, know
from matcalc.targets.c.statements import Statements
from matcalc.targets.registry import Page
from matcalc.templating import render, template_folder

# What names in C cannot be: its words, and what its headers and the file itself define.
_WORDS = """
auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
main status done work size_t malloc free abs div exit rand time index signgam NULL isnan isinf
exp expm1 log log1p sqrt sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh fabs erf erfc lgamma tgamma pow
gamma j0 j1 jn y0 y1 yn round floor ceil trunc fmin fmax hypot
"""
_COMMENT, _WIDTH = 100, 110


def c_text(lowered: Lowered, page: Page) -> str:
    """The C file.

    Raises:
        NoRuleError: an operation has no counterpart there.
    """
    if lowered.functions:
        raise NoRuleError("no code for C with abstract functions")
    return Writer(lowered).text(page)


class Writer:
    """One program in C."""

    kind_of_statements: type[Statements] = Statements
    more_words: frozenset[str] = frozenset()

    def __init__(self, lowered: Lowered) -> None:
        self.lowered = lowered
        self.taken = {*reserved_words(), *self.more_words, lowered.name}
        self.renamed: dict[str, str] = {}
        self.known_shapes: dict[Dims, Shape] = {}
        self.sizes = {d: self._fresh(name) for d, name in lowered.dimensions.items()}
        self.renamed |= {name: self.sizes[d] for d, name in lowered.dimensions.items()}
        self.inputs = [*lowered.program.variables, *lowered.extra]
        for v in self.inputs:
            name = lowered.inputs[v.params[0]]
            self.renamed[name] = self._fresh(name)
        self.results = self._results()
        self.outputs = {name: self._fresh(name) for name in self.results}
        for s in lowered.schedule.statements:
            self.renamed[s.target] = self._fresh(s.target)
        indices = self._fresh("i"), self._fresh("j")
        shapes = {self._input(v): self._shape(v) for v in self.inputs}
        self.statements = self.kind_of_statements(shapes, indices, self._fresh_numbered)

    def _fresh(self, wanted: str) -> str:
        if not wanted.isascii():
            raise NoRuleError(f"no code for C: {wanted} is no name there")
        while wanted in self.taken:
            wanted += "_"
        self.taken.add(wanted)
        return wanted

    def _fresh_numbered(self, wanted: str) -> str:
        k = 1
        while f"{wanted}{k}" in self.taken:
            k += 1
        return self._fresh(f"{wanted}{k}")

    def _input(self, v: Expr) -> str:
        return self.renamed[self.lowered.inputs[v.params[0]]]

    def _shape(self, e: Expr) -> Shape:
        return self._shape_text(e.shape)

    def _shape_text(self, shape: Dims) -> Shape:
        if shape not in self.known_shapes:
            rows, columns = (self._size(exact_dim(d)) for d in shape)
            self.known_shapes[shape] = rows, columns
        return self.known_shapes[shape]

    def _size(self, size: Any) -> str:
        return exact_size(sp.sympify(size), self.sizes)

    def _tree(self, tree: ast.expr) -> ast.expr:
        """An expression of the schedule with the names of the C file."""
        return self._with_c_names(self._copied(tree))

    def _copied(self, tree: ast.expr) -> ast.expr:
        """A copy of an expression of the schedule, of which the shapes are known that instructions carry."""
        new, shapes = trees.copied(tree), self.lowered.schedule.shapes
        for old, node in zip(ast.walk(tree), ast.walk(new)):
            shape = shapes.get(old) if isinstance(old, ast.expr) and not isinstance(old, ast.Name) else None
            if shape is not None:
                assert isinstance(node, ast.expr)
                know(self.statements.entries.known, node, self._shape_text(shape))
        return new

    def _with_c_names(self, tree: ast.expr) -> ast.expr:
        for n in ast.walk(tree):
            if isinstance(n, ast.Name):
                n.id = self.renamed.get(n.id, n.id)
        return tree

    def _results(self) -> dict[str, Expr]:
        """What is returned, by the wanted name of the argument that takes it."""
        program = self.lowered.program
        found: dict[str, Expr] = {}
        if program.kind.value and program.value is not None:
            found["result"] = program.value
        if program.output is not None:
            found["result"] = program.output
        if not program.kind.derivatives:
            return found
        return found | {f"{program.kind.argument}_{name}": e for name, e in program.results.items()}

    # ------------------------------------------------------------------------------------------------ text

    def text(self, page: Page) -> str:
        statements, lowered = self.statements, self.lowered
        storage, size = self.written()
        used = with_needed(statements.used)
        parameters = self._parameters()
        reads = {name for s in statements.steps for name in s.reads} | set(
            re.findall(r"\w+", " ".join([*storage, size]))
        )
        body = "\n".join(line for s in statements.steps for line in s.lines)
        reads |= set(re.findall(r"\w+", body))
        return file_text(
            plain(page.title),
            [line for line in lowered.documentation(page.formulas) if "Shapes:" not in line],
            lowered.name,
            lowered.summary,
            parameters,
            used,
            unused=[name for name, _, _ in parameters if name not in reads and name not in self.sizes.values()],
            sizes=list(self.sizes.values()),
            divisors=self._divisors(),
            storage=storage,
            size=size,
            scalars=[s for s in statements.scalars if s not in self.outputs.values()],
            steps=[line for s in statements.steps for line in s.lines],
        )

    def written(self) -> tuple[list[str], str]:
        """Write all steps; the lines that place the matrices, and the size of the workspace."""
        for s in self.lowered.schedule.statements:
            self._statement(s)
        owned: dict[str, str] = {}
        for name, e in self.results.items():
            self._result(self.outputs[name], e, owned)
        self._arrange(owned)
        return placed(self.statements.steps, self.statements.shapes, owned)

    def _arrange(self, owned: dict[str, str]) -> None:
        """Change the order of the steps, where that is better."""

    def _statement(self, s: Statement) -> None:
        """The steps of a statement."""
        of = s.of
        comment = f"{of.params[0]} = {shared(of.args[0]).body}" if of is not None else ""
        comment = as_comment(comment) if len(comment) <= _COMMENT else ""
        self.statements.assign(self.renamed[s.target], self._tree(s.tree), self._shape(s.value), comment)

    def _result(self, output: str, e: Expr, owned: dict[str, str]) -> None:
        """Write a result to its argument; a matrix that was computed for it lies there from the beginning."""
        tree = self._tree(self.lowered.schedule.tree(e))
        shape = self._shape(e)
        statements = self.statements
        if shape == SCALAR:
            prepared = statements.prepared(tree)
            line = f"*{output} = {statements.entries.text(prepared)};"
            reads = {n.id for n in ast.walk(prepared) if isinstance(n, ast.Name)}
            statements.steps.append(Step([line], None, reads & set(statements.shapes)))
            return
        name = tree.id if isinstance(tree, ast.Name) else ""
        if name in statements.written and name not in owned:
            owned[name] = output
            return
        statements.assign(output, tree, shape)
        owned[output] = output

    def _divisors(self) -> list[tuple[str, str]]:
        """What is divided by and is 0 for some sizes of at least 1: for the reader, and as an expression."""
        sizes = [s for n in self.lowered.needed for s in n.sizes if not s[1].is_positive]
        return [(text, self._size(size)) for text, size in sizes]

    def _parameters(self) -> list[tuple[str, str, str]]:
        """For each parameter its name, its declaration and what it is."""
        found = [(name, f"int {name}", "size, at least 1") for name in self.sizes.values()]
        for v in self.inputs:
            name = self._input(v)
            declared = f"double {name}" if v.is_scalar else f"const double *{name}"
            found.append((name, declared, shape_text(v.shape)))
        for key, e in self.results.items():
            name = self.outputs[key]
            found.append((name, f"double *{name}", f"takes the result, {shape_text(e.shape)}"))
        return found


def file_text(
    title: str,
    documentation: Sequence[str],
    function: str,
    summary: str,
    parameters: Sequence[tuple[str, str, str]],
    used: set[str],
    **parts: Any,
) -> str:
    """A C file with one function: its parameters (names, declarations, meanings), its helpers, its steps."""
    body = "\n".join(parts["steps"])
    return render(
        "c_module.c.jinja",
        title=as_comment(title),
        documentation=list(map(as_comment, documentation)),
        function=function,
        summary=summary,
        parameters=_wrapped([text for _, text, _ in parameters], len(function) + 5),
        described=[(name, as_comment(meaning)) for name, _, meaning in parameters],
        jumps="goto done" in body,
        lapack=[text for name, text in _lapack().items() if any(name in helper_texts()[h] for h in used)],
        uses_cblas="cblas_" in body or any("cblas_" in helper_texts()[name] for name in used),
        helpers=[text for name, text in helper_texts().items() if name in used],
        **parts,
    )


def reserved_words() -> set[str]:
    """What names in C cannot be."""
    return {*_WORDS.split(), *helper_texts()}


def _wrapped(parts: list[str], indent: int) -> str:
    """A list of parameters on lines that are not too long."""
    lines = [""]
    for k, part in enumerate(parts):
        text = part + (", " if k < len(parts) - 1 else "")
        if len(lines[-1]) + len(text) + indent > _WIDTH:
            lines.append("")
        lines[-1] += text
    return ("\n" + " " * indent).join(line.rstrip() for line in lines)


def as_comment(text: str) -> str:
    """Text that can stand in a comment."""
    return text.replace("*/", "* /").replace("/*", "/ *")


@lru_cache(maxsize=4)
def _source(file: str) -> str:
    return (template_folder() / file).read_text(encoding="utf-8")


@lru_cache(maxsize=4)
def helper_texts(file: str = "c_helpers.c") -> dict[str, str]:
    """The functions of a template with the comments before them, by name."""
    function = re.compile(r"^(/\*(?:[^*]|\*[^/])*\*/\n)?static (?:inline )?\w+ (\w+)\(.*?^}$", re.MULTILINE | re.DOTALL)
    return {match[2]: match[0] for match in function.finditer(_source(file))}


@lru_cache(maxsize=1)
def _lapack() -> dict[str, str]:
    """The declarations of LAPACK's functions there, by name."""
    return {
        match[1]: match[0]
        for match in re.finditer(r"^extern void (\w+)\(.*?;$", _source("c_helpers.c"), re.MULTILINE | re.DOTALL)
    }


def with_needed(used: set[str], texts: Mapping[str, str] | None = None) -> set[str]:
    """The helpers, and those that they call; `texts` are those of all, if they are not C's."""
    texts = helper_texts() if texts is None else texts
    found: set[str] = set()
    waiting = [name for name in used if name in texts]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            code = re.sub(r"/\*.*?\*/", "", texts[name], flags=re.DOTALL)
            waiting += [other for other in texts if re.search(rf"\b{other}\(", code)]
    return found
