r"""The forward graph in LaTeX's own `picture` environment, which needs no package: boxes and curves between them."""

from __future__ import annotations

from matcalc.calculus.derivation import Derivation
from matcalc.dims import Shape
from matcalc.export.picture import BOX, Box, Picture, bend_of, placed
from matcalc.expr import Expr
from matcalc.printing.numbers import dim_latex
from matcalc.printing.style import Notation
from matcalc.printing.symbols import name_latex

WIDEST = 440.0  # pt, the text of an A4 page
HIGHEST = 420.0
SCALE = 0.75  # pt for a pixel


def graph_tex(d: Derivation, notation: Notation) -> str:
    """The picture of a derivation's graph; empty where it would not fit on the page."""
    picture, vertical = placed(d)
    boxes = list(picture.boxes.values())
    if vertical or not boxes:
        return ""
    left = min(b.x - b.width / 2 for b in boxes)
    width = max(b.x + b.width / 2 for b in boxes) - left
    top = min(b.y for b in boxes) - BOX
    reach = max((bend_of(picture, a, b, vertical) for a, b, _, _ in picture.edges), default=0.0)
    height = max(b.y for b in boxes) + BOX + 0.5 * reach - top
    unit = min(SCALE, WIDEST / width)
    if unit < 0.4 or height * unit > HIGHEST:
        return ""
    lines = [
        rf"\setlength{{\unitlength}}{{{unit:.3f}pt}}",
        rf"\begin{{picture}}({width:.0f},{height:.0f})({left:.0f},{-(top + height):.0f})",
    ]
    for a, b, _, flows in picture.edges:
        lines += _edge(picture, a, b, flows)
    for e, box in picture.boxes.items():
        lines += _box(e, box, notation)
    return "\n".join([*lines, r"\end{picture}"])


def _box(e: Expr, box: Box, notation: Notation) -> list[str]:
    name = name_latex(box.label, notation, e.is_scalar)
    corner = f"{box.x - box.width / 2:.1f},{-box.y - BOX / 2:.1f}"
    frame = rf"\put({corner}){{\framebox({box.width:.1f},{BOX:.1f}){{${name}$}}}}"
    if box.variable:
        frame = (
            rf"\put({box.x:.1f},{-box.y:.1f}){{\oval({box.width:.1f},{BOX:.1f})}}"
            rf"\put({box.x:.1f},{-box.y:.1f}){{\makebox(0,0){{${name}$}}}}"
        )
    if not box.adjoint:
        return [frame]
    adjoint = name_latex(f"d_{box.adjoint}", Notation(bold=notation.bold), e.is_scalar)
    return [frame, rf"\put({box.x:.1f},{-box.y + BOX / 2 + 9:.1f}){{\makebox(0,0){{$\scriptstyle {adjoint}$}}}}"]


def _edge(picture: Picture, a: Expr, b: Expr, flows: bool) -> list[str]:
    start, end = picture.boxes[a], picture.boxes[b]
    bend = bend_of(picture, a, b, vertical=False)
    shift = 3.5 if flows else 0.0
    if bend:
        x1, y1, x2, y2 = start.x, -start.y - BOX / 2, end.x, -end.y - BOX / 2
        middle = (x1 + x2) / 2
        low = min(y1, y2) - bend
        lines = [rf"\qbezier({x1:.1f},{y1:.1f})({middle:.1f},{low:.1f})({x2:.1f},{y2:.1f})", _head(x2, y2 - 3, "")]
        if flows:
            lines.append(rf"\qbezier[60]({x1 - 6:.1f},{y1:.1f})({middle:.1f},{low - 12:.1f})({x2 + 6:.1f},{y2:.1f})")
        return [*lines, _shape(middle, (min(y1, y2) + low) / 2 + 9, a.shape, "")]
    x1, y1, x2, y2 = start.x + start.width / 2, -start.y, end.x - end.width / 2, -end.y
    lines = [*_curve(x1, y1 + shift, x2, y2 + shift, ""), _head(x2, y2 + shift, "right")]
    if flows:
        lines += [*_curve(x1, y1 - shift, x2, y2 - shift, "[26]"), _head(x1, y1 - shift, "left")]
    return [*lines, _shape(x1 + 7, y1 + (13 if -y2 >= -y1 else -14), a.shape, "[l]")]


def _curve(x1: float, y1: float, x2: float, y2: float, dots: str) -> list[str]:
    """An S-shaped curve in two quadratic halves, level at both ends."""
    mx, my = (x1 + x2) / 2, (y1 + y2) / 2
    quarter = (x2 - x1) * 0.3
    return [
        rf"\qbezier{dots}({x1:.1f},{y1:.1f})({x1 + quarter:.1f},{y1:.1f})({mx:.1f},{my:.1f})",
        rf"\qbezier{dots}({mx:.1f},{my:.1f})({x2 - quarter:.1f},{y2:.1f})({x2:.1f},{y2:.1f})",
    ]


def _head(x: float, y: float, side: str) -> str:
    place = {"right": "[r]", "left": "[l]", "": ""}[side]
    return rf"\put({x:.1f},{y:.1f}){{\makebox(0,0){place}{{$\scriptscriptstyle\blacktriangle{side}$}}}}"


def _shape(x: float, y: float, shape: Shape, place: str) -> str:
    written = rf"{dim_latex(shape[0])} \times {dim_latex(shape[1])}"
    return rf"\put({x:.1f},{y:.1f}){{\makebox(0,0){place}{{$\scriptscriptstyle {written}$}}}}"
