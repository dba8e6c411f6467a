"""The derivation of a program with loops on a page: the program, the adjoints, the gradients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from matcalc.dims import shape_text
from matcalc.errors import NoRuleError, need_one_of
from matcalc.indices.lifting import TITLE
from matcalc.indices.shown import liftings_latex, liftings_text
from matcalc.languages import Language, available
from matcalc.loops.lines import Line, line_latex, text, value_text
from matcalc.loops.problem import LoopProblem
from matcalc.loops.rows import fitted
from matcalc.printing.breaking import LINE
from matcalc.printing.style import STANDARD, Notation
from matcalc.printing.symbols import name_latex
from matcalc.properties import mask_of, words_of
from matcalc.views.layout import broken

STYLES = ("steps", "result")
FORWARD, BACKWARD, GRADIENTS = "Forward", "Backward", "Gradients"


@dataclass(frozen=True)
class Gradient:
    """A gradient: by what, and its lines."""

    name: str
    lines: list[Line]

    @property
    def is_plain(self) -> bool:
        """Whether it is one expression, and not the gradients by members, rows or entries."""
        return len(self.lines) == 1 and self.lines[0].head is None


def checked_style(style: str, layout: str, language: str, *, hessian: bool = False) -> str:
    """The style, if it, the layout and the language are offered.

    Raises:
        MatcalcError: one is not.
        NoRuleError: Hessians are asked for.
    """
    if hessian:
        raise NoRuleError("a Hessian is not available for programs with families and recurrences")
    need_one_of("style", style, STYLES)
    need_one_of("layout", layout, ("denominator",))
    need_one_of("language", language, available())
    return style


def backward(d: LoopProblem) -> list[Line]:
    """The lines of all adjoints that the gradients need, each once."""
    lines = {text(line): line for name in d.names for line in d.adjoints.before(name)}
    return list(lines.values())


def gradients(d: LoopProblem) -> list[Gradient]:
    """The gradients."""
    return [Gradient(name, d.adjoints.result(name)) for name in d.names]


def variables(d: LoopProblem) -> list[tuple[str, str]]:
    """The variables and families, with their shapes and facts."""
    rows = [(v.name, " ".join([shape_text(v.shape), *words_of(v.params[3])])) for v in d.declared]
    families = d.program.families.values()
    return [
        *rows,
        *((f"{f.name}[{f.run.text}]", " ".join([shape_text(f.shape), *words_of(mask_of(f.facts))])) for f in families),
    ]


def program_text(d: LoopProblem) -> str:
    """The program as it is read: declarations, then its lines."""
    return "\n".join([*(f"{name}: {words}" for name, words in variables(d)), *map(str, d.forward())])


# ------------------------------------------------------------------------------------------------ text


def page_text(d: LoopProblem, style: str, words: Language) -> str:
    """The page in plain text."""
    lines = _listed(words(FORWARD), map(text, d.forward())) if style == "steps" else []
    if style == "steps" and d.liftings:
        said = liftings_text(d.liftings).replace(TITLE, words(TITLE), 1)
        lines += [*(part for line in said.split("\n") for part in broken(line)), ""]
    lines += _listed(words(BACKWARD), map(text, backward(d)))
    found = _listed(words(GRADIENTS), (t for g in gradients(d) for t in gradient_text(d, g)))
    return "\n".join([*lines, *found]).rstrip()


def _listed(title: str, lines: Iterable[str]) -> list[str]:
    found = list(lines)
    return [f"{title}:", *(part for line in found for part in broken(f"  {line}")), ""] if found else []


def gradient_text(d: LoopProblem, g: Gradient) -> list[str]:
    """A gradient in text; that by a member has its index."""
    if g.is_plain:
        return [f"d{d.title}/d{g.name} = {value_text(g.lines[0])}"]
    return [f"d{d.title}/d{text(line).replace(': ', ' = ', 1)}" for line in g.lines]


# ------------------------------------------------------------------------------------------------ LaTeX


def page_latex(d: LoopProblem, style: str, notation: Notation, words: Language) -> str:
    """The page in LaTeX: one aligned list."""
    rows = []
    for title, lines in rows_latex(d, style, notation):
        rows += [rf"&\textbf{{{words(title)}}}", *lines]
    return fitted(aligned(rows), LINE)


def parts_latex(d: LoopProblem, style: str, notation: Notation = STANDARD) -> list[tuple[str, str]]:
    """The parts of the page, each as an aligned list."""
    return [(title, fitted(aligned(rows), LINE)) for title, rows in rows_latex(d, style, notation)]


def rows_latex(d: LoopProblem, style: str, notation: Notation = STANDARD) -> list[tuple[str, list[str]]]:
    """The rows of the parts of the page."""
    parts = [(FORWARD, d.forward())] if style == "steps" else []
    parts.append((BACKWARD, backward(d)))
    shown: list[tuple[str, list[str]]] = [
        (title, [line_latex(line, notation) for line in lines]) for title, lines in parts if lines
    ]
    if style == "steps" and d.liftings:
        shown.insert(1, (TITLE, liftings_latex(d.liftings, notation)))
    rows = [row for g in gradients(d) for row in gradient_latex(d, g, notation)]
    return [*shown, (GRADIENTS, rows)]


def gradient_latex(d: LoopProblem, g: Gradient, notation: Notation) -> list[str]:
    """A gradient as rows."""
    above = name_latex(d.title)
    rows = []
    for line in g.lines:
        shown = line_latex(line, notation)
        head, _, value = shown.partition("&")
        of = head.strip() or name_latex(g.name)
        value = value.removeprefix(":").removeprefix(r"\mathrel{+}=").removeprefix("=").strip()
        relation = r"\mathrel{+}=" if line.relation == "+=" else "="
        rows.append(rf"\frac{{\partial {above}}}{{\partial {of}}} &{relation} {value}")
    return rows


def aligned(rows: list[str]) -> str:
    """Rows below each other."""
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def page_markdown(d: LoopProblem, style: str, notation: Notation, words: Language) -> str:
    """The page in Markdown."""
    return (
        "\n\n".join(f"**{words(title)}**\n\n$$\n{body}\n$$" for title, body in parts_latex(d, style, notation)) + "\n"
    )


# ------------------------------------------------------------------------------------------------ data


def page_data(d: LoopProblem, style: str = "steps") -> dict[str, Any]:
    """The page as plain data; formulas in the text notation."""
    data: dict[str, Any] = {
        "output": {"name": d.title, "shape": [1, 1]},
        "variables": [{"name": name, "declaration": words} for name, words in variables(d)],
        "results": [
            {"name": g.name, "gradient": "\n".join(map(text, [*d.adjoints.before(g.name), *g.lines]))}
            for g in gradients(d)
        ],
    }
    if style == "steps":
        data["forward"] = [text(line) for line in d.forward()]
        data["sums"] = [lifting.data() for lifting in d.liftings]
        data["backward"] = [text(line) for line in backward(d)]
    return data
