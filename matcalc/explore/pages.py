"""The plain data of a derivation's page, in LaTeX in which every name can be pointed at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from matcalc.calculus.problem import Problem
from matcalc.dims import shape_text
from matcalc.languages import ENGLISH, language
from matcalc.printing.style import STANDARD, Notation
from matcalc.printing.symbols import name_latex
from matcalc.views.layout import Layout
from matcalc.views.named import with_names
from matcalc.views.page import TEXT, Equation, Line, StepBack, latex_writer
from matcalc.views.view import make_view

FIRST = 0xE000  # a letter of no alphabet stands for a name while formulas are laid out


def page_of(d: Problem, notation: Notation = STANDARD, code: str = ENGLISH) -> dict[str, Any]:
    r"""The page; names are written `\htmlData{name=W}{W}`, and `shapes` says what each is.

    Example:
        >>> import matcalc as mc
        >>> page = page_of(mc.derive("x'*A*x", wrt="x"))
        >>> page["steps"][0]["names"], page["shapes"]["A"]
        (['x'], 'n × n')
    """
    words = language(code)
    d = with_names(d)
    values = {**d.graph.declared, **d.graph.definitions}
    letters = {name: chr(FIRST + k) for k, name in enumerate(values) if k < 0x1800}
    pointed = {
        letter: rf"{{\htmlData{{name={name}}}{{{name_latex(name, notation, values[name].is_scalar)}}}}}"
        for name, letter in letters.items()
    }
    view = make_view(d, "steps", "denominator", latex_writer(replace(notation, names=letters)), words)
    plain = make_view(d, "steps", "denominator", TEXT, words)
    layout = Layout(words)

    def shown(text: str) -> str:
        return "".join(pointed.get(c, c) for c in text)

    def row(line: Line) -> dict[str, str]:
        return {"formula": shown(line.formula), "remark": shown(line.remark), "shape": line.shape}

    def equation(e: Equation) -> dict[str, Any]:
        return {"left": shown(e.left), "rows": [row(r) for r in e.rows]}

    def step(s: StepBack, same: StepBack) -> dict[str, Any]:
        return {
            "heading": shown(layout.heading(s, "$")),
            "names": same.values if same.found else [],
            "inline": shown(s.inline),
            "lines": [equation(e) for line in s.lines for e in line],
            "found": [equation(e) for e in s.found],
        }

    return {
        "title": view.title,
        "output": shown(view.output),
        "notice": view.notice,
        "direction": shown(view.direction),
        "variables": [row(v) for v in view.variables],
        "forward": [row(line) for line in view.forward],
        "needed": [
            {"text": shown(fact.first + "".join(fact.rest)), "remark": shown(fact.remark)} for fact in view.needed
        ],
        "steps": [step(s, same) for s, same in zip(view.steps, plain.steps)],
        "results": [equation(e) for e in view.gradients],
        "others": [row(line) for line in view.results] if not view.gradients else [],
        "jacobians": [row(line) for line in view.jacobians],
        "shapes": {name: shape_text(e.shape).replace(" x ", " × ") for name, e in values.items()},
    }
