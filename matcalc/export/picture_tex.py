r"""The picture of a graph in LaTeX's own `picture` environment, which needs no package: boxes and curves between them.

With the package pict2e the curves are smooth, with xcolor the adjoints are coloured; it compiles without both.
"""

from __future__ import annotations

from matcalc.calculus.problem import Problem
from matcalc.dims import Shape
from matcalc.export.picture import BOX, Arrow, Box, Picture, placed
from matcalc.expr import Expr
from matcalc.printing.numbers import dim_latex
from matcalc.printing.style import Notation
from matcalc.printing.symbols import ADJOINT, name_latex

WIDEST = 440.0  # pt, the text of an A4 page
HIGHEST = 620.0
SCALE = 0.75  # pt for a pixel
SMALLEST = 0.3
BACK = r"\ifdefined\color\color[rgb]{0.76,0.25,0.05}\fi"


def graph_tex(d: Problem, notation: Notation) -> str:
    """The picture of a derivation's graph, one environment for each band; empty where it would not fit on the page."""
    bands = [_band(band, notation) for band in placed(d)]
    return "" if "" in bands else "{" + "\n\\par\\medskip\n".join(bands) + "}"


def _band(picture: Picture, notation: Notation) -> str:
    boxes = list(picture.boxes.values())
    if not boxes:
        return ""
    left = min(b.x - b.width / 2 for b in boxes)
    width = max(b.x + b.width / 2 for b in boxes) - left
    top = min(b.y for b in boxes) - BOX - 8
    reach = max((picture.bend(a) for a in picture.arrows), default=0.0)
    height = max(b.y for b in boxes) + BOX + 0.6 * reach - top
    unit = min(SCALE, WIDEST / width, HIGHEST / height)
    if unit < SMALLEST:
        return ""
    lines = [
        rf"\setlength{{\unitlength}}{{{unit:.3f}pt}}",
        r"\small" if unit > 0.5 else r"\scriptsize",
        rf"\begin{{picture}}({width:.0f},{height:.0f})({left:.0f},{-(top + height):.0f})",
    ]
    for arrow in picture.arrows:
        lines += _arrow(picture, arrow)
    for e, box in picture.boxes.items():
        lines += _box(e, box, notation)
    return "\n".join([*lines, r"\end{picture}"])


def _box(e: Expr, box: Box, notation: Notation) -> list[str]:
    name = ", ".join(name_latex(label, notation, e.is_scalar) for label in box.labels)
    corner = f"{box.x - box.width / 2:.1f},{-box.y - BOX / 2:.1f}"
    middle = f"{box.x:.1f},{-box.y:.1f}"
    if box.repeated:
        frame = rf"\put({corner}){{\dashbox{{2}}({box.width:.1f},{BOX:.1f}){{${name}$}}}}"
    elif box.variable:
        frame = rf"\put({middle}){{\oval({box.width:.1f},{BOX:.1f})}}\put({middle}){{\makebox(0,0){{${name}$}}}}"
    else:
        frame = rf"\put({corner}){{\framebox({box.width:.1f},{BOX:.1f}){{${name}$}}}}"
    if not box.adjoint:
        return [frame]
    adjoint = name_latex(ADJOINT + box.adjoint, Notation(bold=notation.bold), e.is_scalar)
    if notation.adjoint == "bar":
        adjoint = name_latex(ADJOINT + box.adjoint, notation, e.is_scalar)
    place = f"{box.x:.1f},{-box.y + BOX / 2 + 9:.1f}"
    return [frame, rf"\put({place}){{\makebox(0,0){{{BACK}$\scriptstyle {adjoint}$}}}}"]


def _arrow(picture: Picture, arrow: Arrow) -> list[str]:
    start, end = picture.boxes[arrow.start], picture.boxes[arrow.end]
    bend = picture.bend(arrow)
    shape = arrow.start.shape
    if bend:
        x1, y1, x2, y2 = start.x, -start.y - BOX / 2, end.x, -end.y - BOX / 2
        middle = (x1 + x2) / 2
        low = min(y1, y2) - bend
        lines = [rf"\qbezier({x1:.1f},{y1:.1f})({middle:.1f},{low:.1f})({x2:.1f},{y2:.1f})", _tip(x2, y2, "0,1")]
        if arrow.flows:
            curve = rf"\qbezier[60]({x1 - 6:.1f},{y1:.1f})({middle:.1f},{low - 12:.1f})({x2 + 6:.1f},{y2:.1f})"
            lines.append(rf"{{{BACK}{curve}{_tip(x1 - 6, y1, '0,1')}}}")
        return (
            lines if not picture.is_first(arrow) else [*lines, _shape(middle, (min(y1, y2) + low) / 2 + 9, shape, "")]
        )
    x1, y1, x2, y2 = start.x + start.width / 2, -start.y, end.x - end.width / 2, -end.y
    shift = 3.5 if arrow.flows else 0.0
    lines = [*_curve(x1, y1 + shift, x2, y2 + shift, ""), _tip(x2, y2 + shift, "1,0")]
    if arrow.flows:
        back = "".join(_curve(x1, y1 - shift, x2, y2 - shift, "[26]"))
        lines.append(rf"{{{BACK}{back}{_tip(x1, y1 - shift, '-1,0')}}}")
    if not picture.is_first(arrow):
        return lines
    return [*lines, _shape(x1 + 9, y1 + (13 if y2 <= y1 else -14), shape, "[l]")]


def _curve(x1: float, y1: float, x2: float, y2: float, dots: str) -> list[str]:
    """An S-shaped curve in two quadratic halves, level at both ends."""
    mx, my = (x1 + x2) / 2, (y1 + y2) / 2
    quarter = (x2 - x1) * 0.3
    return [
        rf"\qbezier{dots}({x1:.1f},{y1:.1f})({x1 + quarter:.1f},{y1:.1f})({mx:.1f},{my:.1f})",
        rf"\qbezier{dots}({mx:.1f},{my:.1f})({x2 - quarter:.1f},{y2:.1f})({x2:.1f},{y2:.1f})",
    ]


def _tip(x: float, y: float, direction: str) -> str:
    """The head of an arrow: one of no length."""
    return rf"\put({x:.1f},{y:.1f}){{\vector({direction}){{0}}}}"


def _shape(x: float, y: float, shape: Shape, place: str) -> str:
    written = rf"{dim_latex(shape[0])} \times {dim_latex(shape[1])}"
    return rf"\put({x:.1f},{y:.1f}){{\makebox(0,0){place}{{$\scriptscriptstyle {written}$}}}}"
