"""The picture of a graph as SVG: forward arrows with shapes, adjoints flowing back."""

from __future__ import annotations

from html import escape

from matcalc.calculus.problem import Problem
from matcalc.dims import shape_text
from matcalc.export.picture import BOX, PHONE, WIDEST, Arrow, Box, Picture, letters, placed
from matcalc.expr import HOOKS, Expr
from matcalc.graph import Graph
from matcalc.printing.style import STANDARD, Notation
from matcalc.printing.symbols import Symbol, symbol

MARGIN = 26.0
BACK = "#c2410c"
FONTS = "'Latin Modern Math','New Computer Modern','STIX Two Math','Cambria Math','Times New Roman',serif"
INHERITED = f"var(--back,{BACK})"  # the page's own colour of what flows back
STYLE = (
    f".matcalc-graph text{{font-family:{FONTS};fill:currentColor}}"
    ".matcalc-graph .v{font-style:italic}"
    ".matcalc-graph .s{font-size:11px;opacity:.85;stroke:GROUND;stroke-width:3px;paint-order:stroke}"
    ".matcalc-graph .a{font-size:14px;fill:BACK}.matcalc-graph rect{fill:none;stroke:currentColor}"
    ".matcalc-graph .in{opacity:.6}.matcalc-graph .again{stroke-dasharray:2 2;opacity:.6}"
    ".matcalc-graph .e{fill:none;stroke:currentColor;stroke-width:1.2}"
    ".matcalc-graph .b{fill:none;stroke:BACK;stroke-dasharray:4 3}"
)
ALONE = "svg{color:#1c1e21;background:#fff}"  # in a file of its own it inherits no colours


class Svg(str):
    """The text of an SVG picture, which Jupyter shows as one."""

    __slots__ = ()

    def _repr_svg_(self) -> str:
        return str(self)


def graph_svg(
    source: Problem | Graph, notation: Notation = STANDARD, *, alone: bool = False, widest: int = WIDEST, kind: str = ""
) -> Svg:
    """The picture of a derivation's graph with its adjoints, or of a graph alone.

    Args:
        source: the derivation or the graph.
        notation: how adjoints are written.
        alone: for a file of its own, with colours of its own.
        widest: how many columns it may have; a longer graph goes on below.
        kind: a further class, which tells it from another picture of the page.
    """
    bands = placed(source, widest)
    output = source.output if isinstance(source, Problem) else None
    name = str(output.params[0]) if output is not None and output.name else "f"
    drawn = [_Band(band, notation.with_output(name), f"matcalc-{kind}") for band in bands]
    width = max(band.right for band in drawn) - min(band.left for band in drawn)
    left = min(band.left for band in drawn)
    parts, y = [], 0.0
    for band in drawn:
        parts.append(f'<g transform="translate(0 {y - band.top:.0f})">\n{band.drawn()}\n</g>')
        y += band.bottom - band.top
    labels = escape(" ".join(n for band in bands for b in band.boxes.values() if not b.repeated for n in b.labels))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{f"matcalc-graph {kind}".strip()}" role="img" '
        f'width="{width:.0f}" height="{y:.0f}" viewBox="{left:.0f} 0 {width:.0f} {y:.0f}">'
    )
    back = BACK if alone else INHERITED
    rules = STYLE.replace("BACK", back).replace("GROUND", "#fff" if alone else "var(--ground,transparent)")
    style = f"<style>{rules}{ALONE if alone else ''}</style>"
    tips = [_tip(f"matcalc-{kind}f", "currentColor"), _tip(f"matcalc-{kind}b", back)]
    return Svg("\n".join([head, f"<title>{labels}</title>", style, *tips, *parts, "</svg>"]))


def for_screens(d: Problem, notation: Notation) -> str:
    """The picture for a page that is read on any screen: where the graph is wide, another one for a phone."""
    if len(placed(d)) == len(placed(d, PHONE)):
        return graph_svg(d, notation)
    return graph_svg(d, notation, kind="wide") + "\n" + graph_svg(d, notation, widest=PHONE, kind="narrow")


def _tip(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0,0.8 L7.5,4 L0,7.2 z" style="fill:{colour};stroke:none"/></marker>'
    )


class _Band:
    """One band of a picture, and the space it takes."""

    def __init__(self, picture: Picture, notation: Notation, tip: str) -> None:
        self.picture = picture
        self.tip = tip
        self.notation = notation
        boxes = picture.boxes.values()
        shown = [self.shape(e) for e in picture.boxes if self.is_fanned_out(e)]
        self.left = min((b.x - b.width / 2 for b in boxes), default=0.0) - max(
            [MARGIN, *(8 * len(s) + 4 for s in shown)]
        )
        self.right = max((b.x + b.width / 2 for b in boxes), default=0.0) + MARGIN
        self.top = min((b.y - BOX / 2 for b in boxes), default=0.0) - MARGIN
        reach = [b.y for b in boxes]
        for a in picture.arrows:
            reach.append(_lowest(picture.boxes[a.start].y, picture.boxes[a.end].y, picture.bend(a)))
        self.bottom = max(reach, default=0.0) + BOX / 2 + MARGIN / 2

    def drawn(self) -> str:
        """Arrows, then boxes; a shape that would stand on itself is written once."""
        arrows = list(dict.fromkeys(line for a in self.picture.arrows for line in self.arrow(a).split("\n")))
        arrows.sort(key=lambda line: line.startswith("<text"))  # no arrow is drawn over a shape
        return "\n".join([*arrows, *(self.box(b) for b in self.picture.boxes.values())])

    def arrow(self, arrow: Arrow) -> str:
        """The arrow forward with its shape, and the one back beside it."""
        start, end = self.picture.boxes[arrow.start], self.picture.boxes[arrow.end]
        bend = self.picture.bend(arrow)
        x1, y1, x2, y2 = start.x + start.width / 2, start.y, end.x - end.width / 2, end.y
        if bend:
            x1, y1, x2, y2 = start.x, start.y + BOX / 2, end.x, end.y + BOX / 2
        shift = 4.0 if arrow.flows else 0.0
        lines = [f'<path class="e" d="{_curve(x1, y1, x2, y2, bend, -shift)}" marker-end="url(#{self.tip}f)"/>']
        if arrow.flows:
            back = _reversed(_curve(x1, y1, x2, y2, bend, shift))
            lines.append(f'<path class="b" d="{back}" marker-end="url(#{self.tip}b)"/>')
        if not self.picture.is_first(arrow):
            return "\n".join(lines)
        x, y, anchor = x1 + 9, y1 + 17 if y2 < y1 else y1 - 9, "start"
        if bend:
            x, y, anchor = (x1 + x2) / 2, (y1 + y2) / 2 + 0.75 * bend - 9, "middle"
        if self.is_fanned_out(arrow.start):
            x, y, anchor = start.x - start.width / 2 - 5, start.y + 4, "end"
        place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
        return "\n".join([*lines, f'<text class="s" {place}>{self.shape(arrow.start)}</text>'])

    def shape(self, e: Expr) -> str:
        """The shape of a value in words."""
        return escape(shape_text(e.shape).replace(" x ", " × "))

    def is_fanned_out(self, e: Expr) -> bool:
        """Whether several arrows leave a box at the left edge: its shape has room on the other side only."""
        arrows = [a for a in self.picture.arrows if a.start is e]
        return self.picture.boxes[e].layer == 0 and len(arrows) > 1 and not any(a.several for a in arrows)

    def box(self, box: Box) -> str:
        """A value with its name, and its adjoint above."""
        kind = ' class="again"' if box.repeated else ' class="in"' if box.variable else ""
        rect = (
            f'<rect{kind} x="{box.x - box.width / 2:.1f}" y="{box.y - BOX / 2:.1f}" width="{box.width:.1f}" '
            f'height="{BOX:.1f}" rx="{BOX / 2 if box.variable else 4:.0f}"/>'
        )
        place = f'x="{box.x:.1f}" y="{box.y + 5:.1f}"'
        label = f'<text {place} text-anchor="middle" font-size="16">{_labels(box)}</text>'
        if not box.adjoint:
            return rect + label
        place = f'x="{box.x:.1f}" y="{box.y - BOX / 2 - 6:.1f}" text-anchor="middle"'
        return f'{rect}{label}<text class="a v" {place}>{self.adjoint(box.adjoint)}</text>'

    def adjoint(self, name: str) -> str:
        """The name of an adjoint, as the notation has it."""
        s = symbol(name)
        if self.notation.adjoint == "bar":
            return _label(name, Symbol(s.letter, "bar", s.indices))
        if self.notation.adjoint == "partial":
            return f"∂{_flat(self.notation.output)}/∂{_flat(name)}"
        return f'δ<tspan dy="3" font-size="9">{_flat(name)}</tspan>'


def _curve(x1: float, y1: float, x2: float, y2: float, bend: float, shift: float) -> str:
    """A cubic curve; `shift` moves it sideways, `bend` swings it out."""
    if bend:
        x1, x2 = x1 - shift, x2 + shift
        return f"M{x1:.1f},{y1:.1f} C{x1:.1f},{y1 + bend:.1f} {x2:.1f},{y2 + bend:.1f} {x2:.1f},{y2:.1f}"
    y1, y2 = y1 + shift, y2 + shift
    m = (x1 + x2) / 2
    return f"M{x1:.1f},{y1:.1f} C{m:.1f},{y1:.1f} {m:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"


def _lowest(y1: float, y2: float, bend: float) -> float:
    """How far down a curve that swings out comes."""
    places = [k / 16 for k in range(17)]
    return max((1 - t) ** 2 * (1 + 2 * t) * y1 + t**2 * (3 - 2 * t) * y2 + 3 * t * (1 - t) * bend for t in places)


def _reversed(path: str) -> str:
    """The same curve from its end to its start."""
    first, c1, c2, last = path.replace("M", "").replace("C", "").split(" ")
    return f"M{last} C{c2} {c1} {first}"


def _label(name: str, written: Symbol | None = None) -> str:
    """A name in SVG: letters in italics, indices lowered."""
    s = written or symbol(name)
    base = f'<tspan class="{"v" if len(letters(s)) <= 2 else ""}">{escape(letters(s))}</tspan>'
    if not s.indices:
        return base
    return f'{base}<tspan dy="4" font-size="11">{escape(", ".join(letters(symbol(i)) for i in s.indices))}</tspan>'


def _labels(box: Box) -> str:
    """The names in a box; behind a lowered index the line goes up again."""
    first, *others = box.labels
    written, before = _label(first), first
    for name in others:
        written += f'<tspan dy="{-4 if symbol(before).indices else 0}">, </tspan>{_label(name)}'
        before = name
    return written


def _flat(name: str) -> str:
    s = symbol(name)
    return escape(letters(s) + ",".join(letters(symbol(i)) for i in s.indices))


HOOKS["picture"] = graph_svg
