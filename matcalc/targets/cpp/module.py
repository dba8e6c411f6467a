"""The text of a C++ header with one function, by Eigen or Armadillo, or of a file for Rcpp."""

from __future__ import annotations

from dataclasses import dataclass, replace

from matcalc.dims import is_one
from matcalc.emit.program import Lowered, plain
from matcalc.expr import Expr
from matcalc.targets.cpp.armadillo import ArmadilloExpressions
from matcalc.targets.cpp.eigen import EigenExpressions
from matcalc.targets.cpp.expressions import CppExpressions
from matcalc.targets.matrix_languages.helpers import Helpers
from matcalc.targets.matrix_languages.pieces import SCALAR, Piece
from matcalc.targets.matrix_languages.writer import Input, Writer, Written, called_names, described
from matcalc.targets.registry import Page
from matcalc.templating import render

_HEAD = r"^(?:template <class F> )?(?:inline )?(?:using )?(?:\w+ )??(\w+)(?:\(| =)"
_COMMENT = r"//.*"
_WORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl const const_cast constexpr
continue decltype default delete do double dynamic_cast else enum explicit export extern false float for friend goto if
inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register
reinterpret_cast return short signed sizeof static static_assert static_cast struct switch template this throw true try
typedef typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq
std Eigen arma Rcpp matrix result signed NULL main
"""


_LINE = 80
_CREATED = 20  # the most that Rcpp::List::create takes
_STANDARD = ("algorithm", "cmath", "initializer_list", "stdexcept", "string", "vector")


@dataclass(frozen=True, slots=True)
class Field:
    """A result: its type, its name, the name of its variable, its text, and whether it is a derivative."""

    type: str
    name: str
    key: str
    text: str
    derivative: bool


@dataclass(frozen=True)
class Flavour:
    """A library, and how a file for it looks.

    Attributes:
        space: the namespace of the helpers.
        helpers: the functions that its files may carry.
        matrix: the type of a matrix.
        expressions: how it writes expressions.
        include: its header.
        given: the type of a matrix as a parameter.
        rows, columns: how its sizes are asked for.
        title: what stands above the includes.
        attribute: what stands above the function.
        listed: results are in a list of R.
    """

    space: str
    helpers: Helpers
    matrix: str
    expressions: type[CppExpressions]
    include: str
    given: str
    rows: str
    columns: str
    header: str = ""
    attribute: str = ""
    listed: bool = False


EIGEN = Flavour(
    "matcalc_eigen",
    Helpers("cpp_eigen.hpp cpp_helpers.hpp", _HEAD, _COMMENT),
    "Eigen::MatrixXd",
    EigenExpressions,
    "Eigen/Dense",
    "const Eigen::Ref<const Eigen::MatrixXd>&",
    "rows()",
    "cols()",
    header="#pragma once",
)
ARMADILLO = Flavour(
    "matcalc_armadillo",
    Helpers("cpp_armadillo.hpp cpp_helpers.hpp", _HEAD, _COMMENT),
    "arma::mat",
    ArmadilloExpressions,
    "armadillo",
    "const arma::mat&",
    "n_rows",
    "n_cols",
    header="#pragma once",
)
RCPP = replace(
    ARMADILLO,
    include="RcppArmadillo.h",
    header="// Compile it in R: Rcpp::sourceCpp(FILE)\n// [[Rcpp::depends(RcppArmadillo)]]",
    attribute="// [[Rcpp::export]]",
    listed=True,
)


def cpp_text(flavour: Flavour, lowered: Lowered, page: Page) -> str:
    """The file.

    Raises:
        NoRuleError: an operation has no counterpart there.
    """
    words = set(_WORDS.split())
    while True:
        writer = _CppWriter(lowered, flavour, words)
        text = writer.text(page)
        hidden = writer.called & {*writer.renamed.values()}
        if not hidden:
            return text
        words |= hidden


class _CppWriter(Writer):
    def __init__(self, lowered: Lowered, flavour: Flavour, words: set[str]) -> None:
        super().__init__(lowered, flavour.expressions, words)
        self.flavour = flavour
        self.every = [*self.inputs, *self.tangents.values(), *([] if self.cotangent is None else [self.cotangent])]

    def text(self, page: Page) -> str:
        flavour, lowered = self.flavour, self.lowered
        statements = [self._statement(s) for s in self.statements()]
        fields = self._fields()
        lines = [*self._taking(), *statements, self._returned(fields)]
        self.called = called_names(line.partition("  // ")[0] for line in lines)
        alone = fields[0].type if len(fields) == 1 and not fields[0].derivative else ""
        result = alone or ("Rcpp::List" if flavour.listed else f"{lowered.name}_result")
        return render(
            "cpp_module.hpp.jinja",
            title=plain(page.title),
            documentation=lowered.documentation(page.formulas)[1 : -2 - len(self.inputs)],
            header=flavour.header,
            includes=[flavour.include, *_STANDARD],
            space=flavour.space,
            helpers=flavour.helpers.needed("\n".join([*lines, "matrix"])),
            fields=[] if alone or flavour.listed else fields,
            function=lowered.name,
            summary=lowered.summary,
            described=[
                *((i.name, described(i.variable)) for i in self.every),
                *((name, "a size that no input has") for name in self.given),
            ],
            attribute=flavour.attribute,
            returned=result if flavour.attribute else f"inline {result}",
            parameters=_wrapped(
                [f"{self._parameter(i)} {i.name}" for i in self.every]
                + [f"{'int' if flavour.listed else 'long'} {name}" for name in self.given]
            ),
            lines=lines,
        )

    def _parameter(self, i: Input) -> str:
        """The type of a parameter."""
        if i.variable.is_scalar:
            return "double"
        if self.flavour.listed and i.is_vector:  # so that a plain vector of R will do
            return f"const arma::{'vec' if is_one(i.variable.shape[1]) else 'rowvec'}&"
        return self.flavour.given

    def _statement(self, s: Written) -> str:
        number = s.shape == SCALAR
        comment = f"  // {s.comment}" if s.comment else ""
        return f"const {'double' if number else 'matrix'} {s.target} = {self.expressions.whole(s.piece)};{comment}"

    def _taking(self) -> list[str]:
        """Lines that measure the sizes and check the inputs."""
        flavour, lines = self.flavour, []
        for m in self.measured:
            count = f"{m.of.name}.{flavour.columns if m.axis else flavour.rows}"
            if m.offset != "0":
                count = f"({count} - ({m.offset}))" if m.factor != 1 else f"{count} - ({m.offset})"
            lines.append(f"const long {m.name} = {count}{f' / {m.factor}' if m.factor != 1 else ''};")
        for i in self.every:
            if not i.variable.is_scalar:
                found = f"{i.name}.{flavour.rows}, {i.name}.{flavour.columns}"
                lines.append(f'check("{i.name}", {found}, {", ".join(map(self.size, i.variable.shape))});')
        return [*lines, *(f'not_zero({size}, "{text}");' for text, size in self.divisors())]

    def _fields(self) -> list[Field]:
        """What is returned."""
        program, kind = self.lowered.program, self.lowered.program.kind
        found: list[Field] = []
        first = program.value if kind.value else program.output
        if first is not None:
            found.append(self._field("value", "value", first, self.result(first), derivative=False))
        for name, e, piece in self.results():
            found.append(self._field(f"{kind.argument}_{name}", name, e, piece, derivative=True))
        return found

    def _field(self, name: str, key: str, e: Expr, piece: Piece, *, derivative: bool) -> Field:
        number = e.is_scalar and not (derivative and self.lowered.program.kind.matrix)
        text = self.expressions.whole(piece)
        if e.is_scalar and not number:
            text = f"filled({text}, 1, 1)"
        return Field("double" if number else self.flavour.matrix, name, key, text, derivative)

    def _returned(self, fields: list[Field]) -> str:
        if len(fields) == 1 and not fields[0].derivative:
            return f"return {fields[0].text};"
        if not self.flavour.listed:
            return f"return {{{', '.join(f.text for f in fields)}}};"
        slopes = _listed([f for f in fields if f.derivative])
        if len(slopes) and any(not f.derivative for f in fields):
            value = f'Rcpp::Named("value") = {fields[0].text}'
            return f'return Rcpp::List::create({value}, Rcpp::Named("gradient") = {slopes});'
        return f"return {slopes};"


def _wrapped(parts: list[str]) -> str:
    """Parameters, on lines of their own where they are many."""
    return ", ".join(parts) if len(", ".join(parts)) < _LINE else ",\n    ".join(["", *parts]).removeprefix(",")


def _listed(fields: list[Field]) -> str:
    """A list of R."""
    if len(fields) > _CREATED:
        items = " ".join(f'y["{f.key}"] = {f.type}({f.text});' for f in fields)
        return f"[&] {{ Rcpp::List y; {items} return y; }}()"
    named = [f'Rcpp::Named("{f.key}") = {f.type}({f.text})' for f in fields]
    return f"Rcpp::List::create({', '.join(named)})"
