"""The text of a Stan program's functions block: one function, and those that it calls."""

from __future__ import annotations

from matcalc.dims import is_one
from matcalc.emit import trees
from matcalc.emit.program import Lowered, plain
from matcalc.expr import Expr
from matcalc.targets.matrix_languages.helpers import Helpers
from matcalc.targets.matrix_languages.pieces import SCALAR, Piece
from matcalc.targets.matrix_languages.writer import Input, Writer, Written, called_names, described
from matcalc.targets.registry import Page
from matcalc.targets.stan.expressions import StanExpressions
from matcalc.templating import render

_TYPES = r"matrix|real|vector|int|tuple\(.*?\)|array\[\] int"
HELPERS = Helpers("stan_helpers.stan stan_decompositions.stan", rf"^(?:{_TYPES}) (\w+)\(", r"//.*")
_WORDS = """
for in while repeat until if then else true false target int real complex vector simplex unit_vector ordered
positive_ordered row_vector matrix cholesky_factor_corr cholesky_factor_cov corr_matrix cov_matrix functions model data
parameters quantities transformed generated void break continue return print reject profile array tuple lower upper
offset multiplier truncate fatal_error lp var fvar STAN_MAJOR STAN_MINOR STAN_PATCH alignas alignof and auto bool case
catch char class const constexpr decltype default delete do double enum explicit export extern float friend goto inline
long mutable namespace new noexcept not nullptr operator or private protected public register short signed sizeof static
struct switch template this throw try typedef typeid typename union unsigned using virtual volatile xor std stan
"""
_LINE = 100


def stan_text(lowered: Lowered, page: Page) -> str:
    """The functions block.

    Raises:
        NoRuleError: an operation has no counterpart there.
    """
    words = set(_WORDS.split())
    while True:
        writer = _StanWriter(lowered, StanExpressions, words)
        text = writer.text(page)
        hidden = writer.called & {*writer.renamed.values(), *writer.parameters.values()}
        if not hidden:
            return text
        words |= hidden


class _StanWriter(Writer):
    """Columns and rows are vectors for the caller, and matrices inside."""

    def _input(self, v: Expr) -> Input:
        if not hasattr(self, "parameters"):
            self.parameters: dict[str, str] = {}
        found = super()._input(v)
        parameter = found.name
        if found.is_vector and not v.is_scalar:
            python = self.lowered.inputs[v.params[0]]
            self.renamed[python] = self.fresh(f"{parameter}_matrix")
            found = Input(v, self.renamed[python])
        self.parameters[found.name] = parameter
        return found

    def fresh(self, wanted: str) -> str:
        """A name that is free; none ends with two underscores."""
        wanted = wanted.lstrip("_") or "x"
        if wanted.endswith("__"):
            wanted = f"{wanted.rstrip('_')}_"
        while wanted in self.taken:
            wanted += "1"
        return super().fresh(wanted)

    def text(self, page: Page) -> str:
        lowered = self.lowered
        given = [*self.inputs, *self.tangents.values(), *([] if self.cotangent is None else [self.cotangent])]
        statements = [line for s in self.statements() for line in self._statement(s)]
        types, texts = self._returned()
        several = len(texts) > 1
        lines = [
            *self._taking(given),
            *statements,
            f"return {'(' if several else ''}{', '.join(texts)}{')' * several};",
        ]
        self.called = called_names(lines)
        parameters = [(self.parameters[i.name], described(i.variable)) for i in given]
        signature = [f"{_type(i.variable)} {self.parameters[i.name]}" for i in given]
        return render(
            "stan_module.stan.jinja",
            title=plain(page.title),
            documentation=lowered.documentation(page.formulas)[1 : -2 - len(self.inputs)],
            helpers=HELPERS.needed("\n".join(lines)),
            summary=lowered.summary,
            parameters=[*parameters, *((name, "a size that no input has") for name in self.given)],
            returned=f"tuple({', '.join(types)})" if several else types[0],
            function=lowered.name,
            signature=", ".join([*signature, *(f"int {name}" for name in self.given)]),
            lines=lines,
        )

    def _taking(self, given: list[Input]) -> list[str]:
        """Lines that measure the sizes, check the inputs and make matrices of vectors."""
        lines = []
        for m in self.measured:
            count = f"{'cols' if m.axis else 'rows'}({self.parameters[m.of.name]})"
            if m.offset != "0":
                count = f"({count} - ({m.offset}))" if m.factor != 1 else f"{count} - ({m.offset})"
            lines.append(f"int {m.name} = {count}{f' %/% {m.factor}' if m.factor != 1 else ''};")
        for i in given:
            if not i.variable.is_scalar:
                lines += self._checked(i)
        for size, text in ((size, text) for text, size in self.divisors()):
            lines.append(f'if ({size} == 0) reject("{text} is 0, and the function divides by it");')
        return lines

    def _checked(self, i: Input) -> list[str]:
        name = self.parameters[i.name]
        rows, columns = map(self.size, i.variable.shape)
        known = {(m.of.name, m.axis) for m in self.measured if m.factor == 1 and m.offset == "0"}
        tests = [
            f"{count}({name}) != {size}"
            for count, size, axis in (("rows", rows, 0), ("cols", columns, 1))
            if (i.name, axis) not in known and not (size == "1" and is_one(i.variable.shape[axis]) and i.is_vector)
        ]
        tests += [f"{size} < 1" for size in dict.fromkeys((rows, columns)) if not size.isdigit()]
        said = f'"{name} is ", rows({name}), " x ", cols({name}), "; needed ", {rows}, " x ", {columns}'
        lines = [f"if ({' || '.join(tests)}) {{", f"  reject({said});", "}"] if tests else []
        if i.name != name:
            lines.append(f"matrix[{rows}, {columns}] {i.name} = to_matrix({name});")
        return lines

    def _statement(self, s: Written) -> list[str]:
        sizes = ", ".join(self.expressions.size(trees.parsed(size)) for size in s.shape)
        kind = "real" if s.shape == SCALAR else f"matrix[{sizes}]"
        return [*([f"// {s.comment}"] if s.comment else []), f"{kind} {s.target} = {s.piece.text};"]

    def _returned(self) -> tuple[list[str], list[str]]:
        """The types and texts of what is returned."""
        program, kind = self.lowered.program, self.lowered.program.kind
        types, texts = [], []
        first = program.value if kind.value else program.output
        if first is not None:
            types.append("real" if first.is_scalar else "matrix")
            texts.append(self.result(first).text)
        for _, e, piece in self.results():
            types.append("matrix" if kind.matrix else _type(e))
            texts.append(_formed(e, piece, matrix=kind.matrix))
        return types, texts


def _formed(e: Expr, piece: Piece, *, matrix: bool) -> str:
    """A derivative in the form of its variable."""
    if matrix:
        return f"rep_matrix({piece.text}, 1, 1)" if e.is_scalar else piece.text
    return {"vector": f"to_vector({piece.text})", "row_vector": f"to_row_vector({piece.text})"}.get(
        _type(e), piece.text
    )


def _type(e: Expr) -> str:
    """The type of a value for the caller."""
    if e.is_scalar:
        return "real"
    return "vector" if is_one(e.shape[1]) else "row_vector" if is_one(e.shape[0]) else "matrix"
