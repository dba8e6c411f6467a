"""The same data for a program with families and recurrences: each adjoint is a step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from matcalc.dims import shape_text
from matcalc.expr import Expr, postorder
from matcalc.languages import ENGLISH, language
from matcalc.loops.lines import Line, line_latex
from matcalc.loops.page import Gradient, backward, gradient_latex, gradients, variables
from matcalc.loops.problem import LoopProblem
from matcalc.printing.style import STANDARD, Notation
from matcalc.printing.symbols import name_latex

FIRST = 0xE000  # a letter of no alphabet stands for a name while formulas are laid out
SIGNS = ("=", r"\mathrel{+}=", ":")


def page_of_loops(d: LoopProblem, notation: Notation = STANDARD, code: str = ENGLISH) -> dict[str, Any]:
    r"""The page; names are written `\htmlData{name=W}{W}`, and `shapes` says what each is.

    Example:
        >>> import matcalc as mc
        >>> d = mc.derive("W: q x q\nh[0] = ones(q, 1)\nh[t] = tanh(W*h[t-1]) for t = 1..T\nsum(h[T])", wrt="W")
        >>> page = page_of_loops(d)
        >>> page["steps"][-1]["names"], page["shapes"]["W"], page["shapes"]["h[t]"]
        (['W'], 'q × q', 'q × 1')
    """
    language(code)
    notation = replace(notation, output=notation.output or d.title)
    lines = [*d.forward(), *backward(d), *(line for g in gradients(d) for line in g.lines)]
    named = {v.name: v for line in lines for v in _variables(line)}
    letters = {name: chr(FIRST + k) for k, name in enumerate(named) if k < 0x1800}
    pointed = {
        letter: rf"{{\htmlData{{name={name}}}{{{name_latex(name, notation, named[name].is_scalar)}}}}}"
        for name, letter in letters.items()
    }
    writing = replace(notation, names=letters)

    def shown(formula: str) -> str:
        return "".join(pointed.get(c, c) for c in formula)

    def equation(row: str) -> dict[str, Any]:
        left, _, value = row.partition("&")
        sign = next((s for s in SIGNS if value.startswith(s)), "=")
        found = {"formula": shown(value.removeprefix(sign).strip()), "remark": "", "shape": ""}
        return {"left": shown(left.strip()), "sign": sign, "rows": [found]}

    def declared(name: str, words: str) -> dict[str, str]:
        """A variable, or a family: x_t, n × 1 for t = 1..T."""
        base, _, run = name.removesuffix("]").partition("[")
        index = run.partition("=")[0].strip()
        of = f" for {run.replace('=', ' = ')}" if run else ""
        formula = shown(name_latex(f"{base}[{index}]" if run else name, writing))
        return {"formula": formula, "remark": words.replace(" x ", " × ") + of, "shape": ""}

    def step(heading: str, rows: Iterable[str], names: list[str], found: Iterable[str]) -> dict[str, Any]:
        lines, results = [equation(row) for row in rows], [equation(row) for row in found]
        return {"heading": heading, "names": names, "inline": "", "lines": lines, "found": results}

    def of_gradient(g: Gradient) -> dict[str, Any]:
        rows = gradient_latex(d, g, writing)
        heading = f"the gradient by ${shown(name_latex(g.name, writing))}$"
        return step(heading, [], [g.name], rows) if g.is_plain else step(heading, rows, [], [])

    return {
        "title": "",
        "output": shown(name_latex(d.title)),
        "notice": "",
        "direction": "",
        "variables": [declared(name, words) for name, words in variables(d)],
        "forward": [_row(shown(line_latex(line, writing).replace("&", "", 1))) for line in d.forward()],
        "needed": [],
        "steps": [
            *(
                step(f"the adjoint ${_head(line, writing, shown)}$", [line_latex(line, writing)], [], [])
                for line in backward(d)
            ),
            *(of_gradient(g) for g in gradients(d)),
        ],
        "results": [equation(row) for g in gradients(d) for row in gradient_latex(d, g, writing)],
        "others": [],
        "jacobians": [],
        "shapes": {name: shape_text(v.shape).replace(" x ", " × ") for name, v in named.items()},
    }


def _row(formula: str) -> dict[str, str]:
    return {"formula": formula, "remark": "", "shape": ""}


def _head(line: Line, notation: Notation, shown: Any) -> str:
    return str(shown(line_latex(line, notation).partition("&")[0].strip()))


def _variables(line: Line) -> Iterator[Expr]:
    """The variables of a line, members of families and states among them."""
    roots = [*([] if line.head is None else [line.head]), *(term.value for term in line.terms)]
    yield from (e for e in postorder(tuple(roots)) if e.op == "variable")
    for other in line.further:
        yield from _variables(other)
