"""The text of a standalone R file: one function with a roxygen comment, and the small functions that it calls."""

from __future__ import annotations

import re
from dataclasses import replace

from matcalc.dims import is_one
from matcalc.emit.masks import has_risky_branches
from matcalc.emit.program import Lowered, plain
from matcalc.expr import Expr
from matcalc.targets.matrix_languages.helpers import Helpers
from matcalc.targets.matrix_languages.pieces import Piece
from matcalc.targets.matrix_languages.writer import Input, Writer, Written, described
from matcalc.targets.r.expressions import RExpressions
from matcalc.targets.registry import Page
from matcalc.templating import render

HELPERS = Helpers("r_helpers.R", r"^(\w+) <- function", r"#.*")
# What names in R cannot be, and the functions that are handed to others by their names (a call finds the function
# beside a matrix of the same name).
_WORDS = """
if else repeat while function for next break TRUE FALSE NULL Inf NaN NA NA_integer_ NA_real_ NA_character_ in
tangents cotangent given warned max min prod log_sum_exp exp_slope log_slope sqrt_slope
"""
_LINE = 100
_NAME = re.compile(r"[A-Za-z]\w*")


def r_text(lowered: Lowered, page: Page) -> str:
    """The R file.

    Raises:
        NoRuleError: an operation has no counterpart there.
    """
    return _RWriter(lowered, RExpressions, _WORDS.split()).text(page)


class _RWriter(Writer):
    def stored(self, statement: Written) -> Written:
        """A lower Cholesky factor is kept as R gives it: as the upper one."""
        piece = statement.piece
        if piece.turned is not None and piece.turned.text.startswith("chol("):
            self.expressions.uppers.add(statement.target)
            return replace(statement, piece=piece.turned, comment="")
        return statement

    def text(self, page: Page) -> str:
        lowered, kind = self.lowered, self.lowered.program.kind
        parameters = [(i.name, described(i.variable)) for i in self.inputs]
        if self.tangents:
            parameters.append(("tangents", f"a list of directions, for some of: {', '.join(self.tangents)}"))
        if self.cotangent is not None:
            parameters.append(("cotangent", described(self.cotangent.variable)))
        parameters += [(name, "a size that no argument has") for name in self.given]
        body = [*self._statements(), *self._returned()]
        formed = {name for name, _, _ in self.results()} if not kind.matrix else set()
        kept = [f"{_key(i.variable.params[0])} = {i.name}" for i in self.inputs if i.variable.params[0] in formed]
        quiet = (
            ["warned <- options(warn = -1)", "on.exit(options(warned))"] if has_risky_branches(lowered.roots) else []
        )
        lines = [*quiet, *([f"given <- list({', '.join(kept)})"] if kept else []), *self._taking(body), *body]
        return render(
            "r_module.R.jinja",
            title=plain(page.title),
            documentation=lowered.documentation(page.formulas)[1 : -2 - len(self.inputs)],
            parameters=parameters,
            summary=_summary(lowered),
            function=lowered.name,
            signature=", ".join(name for name, _ in parameters),
            lines=lines,
            helpers=HELPERS.needed("\n".join(lines)),
        )

    def _taking(self, body: list[str]) -> list[str]:
        """Lines that measure the sizes and check the inputs."""
        lines = []
        for m in self.measured:
            count = f"length({m.of.name})" if m.of.is_vector else f"{'NROW' if m.axis == 0 else 'NCOL'}({m.of.name})"
            count = f"as.numeric({count})"
            if m.offset != "0":
                count = f"({count} - ({m.offset}))" if m.factor != 1 else f"{count} - ({m.offset})"
            lines.append(f"{m.name} <- {count}{f' / {m.factor}' if m.factor != 1 else ''}")
        lines += [f'{name} <- taken_size({name}, "{name}")' for name in self.given]
        lines += [self._taken(i) for i in self.inputs]
        if self.tangents:
            names = ", ".join(f'"{name}"' for name in self.tangents)
            lines.append(f"check_tangents(tangents, c({names}))")
            for wrt, t in self.tangents.items():
                taken = f'taken_tangent(tangents, "{wrt}", {", ".join(map(self.size, t.variable.shape))})'
                lines.append(f"{t.name} <- {f'c({taken})' if t.variable.is_scalar else taken}")
        if self.cotangent is not None:
            lines.append(self._taken(self.cotangent, "cotangent"))
        return [*lines, *(f'not_zero({size}, "{text}")' for text, size in self.divisors())]

    def _taken(self, i: Input, source: str = "") -> str:
        source = source or i.name
        if i.variable.is_scalar:
            return f'{i.name} <- taken_number({source}, "{source}")'
        return f'{i.name} <- taken_matrix({source}, "{source}", {", ".join(map(self.size, i.variable.shape))})'

    def _statements(self) -> list[str]:
        return [
            line
            for s in self.statements()
            for line in [*([f"# {s.comment}"] if s.comment else []), f"{s.target} <- {s.piece.text}"]
        ]

    def _returned(self) -> list[str]:
        program, kind = self.lowered.program, self.lowered.program.kind
        value = self.result(program.value).text if kind.value and program.value is not None else ""
        if not kind.derivatives:
            return [value]
        if program.output is not None:
            return [self.result(program.output).text]
        items = [f"{_key(name)} = {self._formed(name, e, piece)}" for name, e, piece in self.results()]
        gradient = f"list({', '.join(items)})"
        whole = f"list(value = {value}, gradient = {gradient})" if value else gradient
        if len(whole) <= _LINE:
            return [whole]
        lines = [f"  {item}{',' if k < len(items) - 1 else ''}" for k, item in enumerate(items)]
        if not value:
            return ["list(", *lines, ")"]
        return ["list(", f"  value = {value},", "  gradient = list(", *(f"  {line}" for line in lines), "  )", ")"]

    def _formed(self, name: str, e: Expr, piece: Piece) -> str:
        """A derivative in the form of its variable; matrices on vec stay matrices."""
        kind = self.lowered.program.kind
        if kind.matrix:
            return f"matrix({piece.text}, 1, 1)" if all(map(is_one, e.shape)) else piece.text
        if name not in {i.variable.params[0] for i in self.inputs}:
            return piece.text
        return f"like({piece.text}, given${_key(name)})"


def _key(name: str) -> str:
    """A name in a list."""
    return name if _NAME.fullmatch(name) and name not in _WORDS.split() else f"`{name}`"


def _summary(lowered: Lowered) -> str:
    """What is returned, in R's words."""
    summary = lowered.summary.rstrip(".").replace("a dict by", "a list by")
    if lowered.program.kind.value and lowered.program.kind.derivatives:
        return f"{summary}: a list with `value` and `gradient`."
    return f"{summary}."
