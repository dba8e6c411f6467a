"""The text of a function file for Octave and MATLAB: one function, and the local functions that it calls."""

from __future__ import annotations

import re

from matcalc.emit.program import Lowered, plain
from matcalc.targets.matrix_languages.helpers import Helpers
from matcalc.targets.matrix_languages.pieces import Piece
from matcalc.targets.matrix_languages.writer import Input, Writer, called_names, described
from matcalc.targets.octave.expressions import OctaveExpressions
from matcalc.targets.registry import Page
from matcalc.templating import render

HELPERS = Helpers("octave_helpers.m", r"^function (?:.*= )?(\w+)\(", r"%.*")
# What names cannot be: the words of both languages. A variable hides a function of its name: it is renamed if that is
# called.
_WORDS = """
break case catch classdef continue do else elseif end end_try_catch end_unwind_protect endfor endfunction endif
endparfor endswitch endwhile for function global if otherwise parfor persistent return spmd switch try until
unwind_protect unwind_protect_cleanup while
"""
_KEYWORDS = frozenset(_WORDS.split())
_ORDINARY = re.compile(r"[A-Za-z]\w*")


def octave_text(lowered: Lowered, page: Page) -> str:
    """The function file.

    Raises:
        NoRuleError: an operation has no counterpart there.
    """
    words = {*_KEYWORDS, "tangents", "cotangent"}
    while True:
        writer = _OctaveWriter(lowered, OctaveExpressions, words)
        text = writer.text(page)
        hidden = writer.called & {*writer.renamed.values()}
        if not hidden:
            return text
        words |= hidden


class _OctaveWriter(Writer):
    def text(self, page: Page) -> str:
        lowered = self.lowered
        parameters = [(i.name, described(i.variable)) for i in self.inputs]
        if self.tangents:
            parameters.append(("tangents", f"a struct of directions, for some of: {', '.join(self.tangents)}"))
        if self.cotangent is not None:
            parameters.append(("cotangent", described(self.cotangent.variable)))
        parameters += [(name, "a size that no input has") for name in self.given]
        statements = [
            f"{s.target} = {s.piece.text};{f'  % {s.comment}' if s.comment else ''}" for s in self.statements()
        ]
        returned, results = self._returned()
        lines = [*self._taking(), *statements, *returned]
        self.called = called_names(line.partition("  % ")[0] for line in lines)
        return render(
            "octave_module.m.jinja",
            title=plain(page.title),
            documentation=lowered.documentation(page.formulas)[1 : -2 - len(self.inputs)],
            parameters=parameters,
            summary=_summary(lowered),
            function=lowered.name,
            signature=", ".join(name for name, _ in parameters),
            results=f"[{', '.join(results)}]" if len(results) > 1 else results[0],
            lines=lines,
            helpers=HELPERS.needed("\n".join(lines)),
        )

    def _taking(self) -> list[str]:
        """Lines that measure the sizes and check the inputs."""
        lines = []
        for m in self.measured:
            count = f"size({m.of.name}, {m.axis + 1})"
            if m.offset != "0":
                count = f"({count} - ({m.offset}))" if m.factor != 1 else f"{count} - ({m.offset})"
            lines.append(f"{m.name} = {count}{f' / {m.factor}' if m.factor != 1 else ''};")
        lines += [f"{name} = taken_size({name}, '{name}');" for name in self.given]
        lines += [self._taken(i, i.name) for i in self.inputs]
        if self.tangents:
            lines.append(f"check_tangents(tangents, {{{', '.join(f'{_quoted(name)}' for name in self.tangents)}}});")
            for wrt, t in self.tangents.items():
                sizes = ", ".join(map(self.size, t.variable.shape))
                lines.append(f"{t.name} = taken_tangent(tangents, '{wrt}', {sizes});")
        if self.cotangent is not None:
            lines.append(self._taken(self.cotangent, "cotangent"))
        return [*lines, *(f"not_zero({size}, '{text}');" for text, size in self.divisors())]

    def _taken(self, i: Input, source: str) -> str:
        return f"{i.name} = taken_matrix({source}, '{source}', {', '.join(map(self.size, i.variable.shape))});"

    def _returned(self) -> tuple[list[str], list[str]]:
        """Lines that set the results, and their names."""
        program, kind = self.lowered.program, self.lowered.program.kind
        lines: list[str] = []
        names: list[str] = []
        first = program.value if kind.value else program.output
        if first is not None:
            self._set("value" if kind.value else "product", self.result(first), lines, names)
        found = self.results()
        if found:
            name = self.fresh(kind.argument)
            fields = [f"'{_field(key)}', {piece.text}" for key, _, piece in found]
            lines.append(f"{name} = struct({', '.join(fields)});")
            names.append(name)
        return lines, names

    def _set(self, wanted: str, piece: Piece, lines: list[str], names: list[str]) -> None:
        """A result under a name of its own: that of its statement, if it is one."""
        targets = {self.renamed[s.target] for s in self.lowered.schedule.statements}
        if _ORDINARY.fullmatch(piece.text) and piece.text in targets:
            names.append(piece.text)
            return
        names.append(self.fresh(wanted))
        lines.append(f"{names[-1]} = {piece.text};")


def _quoted(name: str) -> str:
    return f"'{name}'"


def _field(name: str) -> str:
    """A name in a struct."""
    name = name.lstrip("_") or "x"
    return f"{name}_" if name in _KEYWORDS else name


def _summary(lowered: Lowered) -> str:
    """What is returned, in these languages' words."""
    return lowered.summary.replace("a dict by", "a struct by").replace(
        "by the variables'", "in a struct by the variables'"
    )
