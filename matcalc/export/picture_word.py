"""The picture of a graph in a Word document: a group of shapes of its own drawing language, which can be edited."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from matcalc.calculus.problem import Problem
from matcalc.dims import shape_text
from matcalc.export.picture import BOX, Arrow, Box, Picture, letters, placed
from matcalc.printing.style import Notation
from matcalc.printing.symbols import Symbol, symbol

PIXEL = 9525  # English metric units
WIDEST = 5_800_000  # of the text
INK, QUIET, BACK = "1C1E21", "6B7280", "C2410C"
MARGIN = 24.0
GROUP = "http://schemas.microsoft.com/office/word/2010/wordprocessingGroup"


def graph_word(d: Problem, notation: Notation) -> str:
    """The picture of a derivation's graph: a run with one drawing for each band."""
    bands = [_Band(band, notation) for band in placed(d) if band.boxes]
    return "".join(band.drawn(k + 1) for k, band in enumerate(bands))


class _Band:
    def __init__(self, picture: Picture, notation: Notation) -> None:
        self.picture = picture
        self.notation = notation
        boxes = picture.boxes.values()
        reach = max((picture.bend(a) for a in picture.arrows), default=0.0)
        self.left = min(b.x - b.width / 2 for b in boxes) - MARGIN
        self.top = min(b.y for b in boxes) - BOX / 2 - MARGIN
        self.width = max(b.x + b.width / 2 for b in boxes) + MARGIN - self.left
        self.height = max(b.y for b in boxes) + BOX / 2 + MARGIN + 0.8 * reach - self.top
        self.scale = min(1.0, WIDEST / (self.width * PIXEL))
        self.count = 0

    def drawn(self, number: int) -> str:
        """The drawing; its shapes are drawn in the units of the layout and scaled as a group."""
        shapes = "".join([*self.arrows(), *self.boxes()])
        inside = f'cx="{self.width * PIXEL:.0f}" cy="{self.height * PIXEL:.0f}"'
        size = f'cx="{self.width * PIXEL * self.scale:.0f}" cy="{self.height * PIXEL * self.scale:.0f}"'
        place = f'<a:xfrm><a:off x="0" y="0"/><a:ext {size}/><a:chOff x="0" y="0"/><a:chExt {inside}/></a:xfrm>'
        labels = escape(" ".join(name for box in self.picture.boxes.values() for name in box.labels))
        group = f"<wpg:wgp><wpg:cNvGrpSpPr/><wpg:grpSpPr>{place}</wpg:grpSpPr>{shapes}</wpg:wgp>"
        return (
            '<w:r><mc:AlternateContent><mc:Choice Requires="wpg"><w:drawing><wp:inline distT="0" distB="0" distL="0" '
            f'distR="0"><wp:extent {size}/><wp:docPr id="{number}" name="graph {number}" descr="{labels}"/>'
            f'<wp:cNvGraphicFramePr/><a:graphic><a:graphicData uri="{GROUP}">{group}</a:graphicData></a:graphic>'
            "</wp:inline></w:drawing></mc:Choice></mc:AlternateContent></w:r>"
        )

    def shape(self, x: float, y: float, width: float, height: float, geometry: str, line: str, text: str = "") -> str:
        """One shape; x and y are those of its corner."""
        self.count += 1
        at = f'<a:off x="{(x - self.left) * PIXEL:.0f}" y="{(y - self.top) * PIXEL:.0f}"/>'
        size = f'<a:ext cx="{width * PIXEL:.0f}" cy="{height * PIXEL:.0f}"/>'
        look = f"<wps:spPr><a:xfrm>{at}{size}</a:xfrm>{geometry}<a:noFill/>{line}</wps:spPr>"
        box = f"<wps:txbx><w:txbxContent>{text}</w:txbxContent></wps:txbx>" if text else ""
        body = '<wps:bodyPr wrap="none" lIns="0" tIns="0" rIns="0" bIns="0" anchor="ctr"><a:noAutofit/></wps:bodyPr>'
        named = f'<wps:cNvPr id="{100 + self.count}" name="{self.count}"/><wps:cNvSpPr/>'
        return f"<wps:wsp>{named}{look}{box}{body}</wps:wsp>"

    def boxes(self) -> Iterator[str]:
        """The values with their names, and the adjoints above them."""
        for box in self.picture.boxes.values():
            dash = "sysDash" if box.repeated else ""
            label = self.words(_run(", ", "").join(_name(symbol(name)) for name in box.labels), INK, 13)
            corner = (box.x - box.width / 2, box.y - BOX / 2)
            yield self.shape(
                *corner,
                box.width,
                BOX,
                _preset("roundRect", 50000 if box.variable else 13000),
                _line(QUIET if box.variable else INK, dash),
                label,
            )
            if box.adjoint:
                text = self.words(self.adjoint(box), BACK, 10)
                yield self.shape(box.x - 45, box.y - BOX / 2 - 19, 90, 18, _preset("rect"), NO_LINE, text)

    def adjoint(self, box: Box) -> str:
        """The name of an adjoint, as the notation has it."""
        s = symbol(box.adjoint)
        if self.notation.adjoint == "bar":
            return _name(Symbol(s.letter, "bar", s.indices))
        flat = letters(s) + ",".join(letters(symbol(i)) for i in s.indices)
        if self.notation.adjoint == "partial":
            return _run(f"∂{self.notation.output}/∂{flat}", "")
        return _run("δ", "<w:i/>") + _run(flat, '<w:vertAlign w:val="subscript"/>')

    def words(self, runs: str, colour: str, size: int) -> str:
        """A paragraph in the middle of its shape."""
        marks = f'<w:color w:val="{colour}"/><w:sz w:val="{2 * max(round(size * self.scale), 5)}"/>'
        place = '<w:pPr><w:spacing w:after="0" w:line="240" w:lineRule="auto"/><w:jc w:val="center"/></w:pPr>'
        return f"<w:p>{place}{runs.replace('@', marks)}</w:p>"

    def arrows(self) -> Iterator[str]:
        """The arrows forward with the shapes of what they carry, and those back."""
        for arrow in self.picture.arrows:
            yield from self.arrow(arrow)

    def arrow(self, arrow: Arrow) -> Iterator[str]:
        start, end = self.picture.boxes[arrow.start], self.picture.boxes[arrow.end]
        bend = self.picture.bend(arrow)
        shift = 4.0 if arrow.flows else 0.0
        if bend:
            ends = (start.x, start.y + BOX / 2, end.x, end.y + BOX / 2)
        else:
            ends = (start.x + start.width / 2, start.y, end.x - end.width / 2, end.y)
        yield self.curve(_points(*ends, bend, -shift), _line(INK, "", tip=True))
        if arrow.flows:
            yield self.curve(_points(*ends, bend, shift)[::-1], _line(BACK, "dash", tip=True))
        x1, y1, x2, y2 = ends
        x, y = (
            (x1 + 4, y1 + 4 if y2 < y1 else y1 - 20)
            if not bend
            else ((x1 + x2) / 2 - 30, (y1 + y2) / 2 + 0.75 * bend - 20)
        )
        if not self.picture.is_first(arrow):
            return
        shape = shape_text(arrow.start.shape).replace(" x ", " × ")
        yield self.shape(x, y, 60, 16, _preset("rect"), NO_LINE, self.words(_run(shape, ""), QUIET, 8))

    def curve(self, points: list[tuple[float, float]], line: str) -> str:
        """A cubic curve through its box."""
        left, top = (min(p[k] for p in points) for k in (0, 1))
        width, height = (max(max(p[k] for p in points) - low, 1.0) for k, low in ((0, left), (1, top)))
        first, *others = (f'<a:pt x="{(x - left) * PIXEL:.0f}" y="{(y - top) * PIXEL:.0f}"/>' for x, y in points)
        path = f"<a:moveTo>{first}</a:moveTo><a:cubicBezTo>{''.join(others)}</a:cubicBezTo>"
        lists = '<a:avLst/><a:gdLst/><a:ahLst/><a:cxnLst/><a:rect l="0" t="0" r="r" b="b"/>'
        size = f'w="{width * PIXEL:.0f}" h="{height * PIXEL:.0f}"'
        geometry = f'<a:custGeom>{lists}<a:pathLst><a:path {size} fill="none">{path}</a:path></a:pathLst></a:custGeom>'
        return self.shape(left, top, width, height, geometry, line)


NO_LINE = "<a:ln><a:noFill/></a:ln>"


def _preset(form: str, roundness: int = 0) -> str:
    guide = f'<a:gd name="adj" fmla="val {roundness}"/>' if roundness else ""
    return f'<a:prstGeom prst="{form}"><a:avLst>{guide}</a:avLst></a:prstGeom>'


def _line(colour: str, dash: str, *, tip: bool = False) -> str:
    dashes = f'<a:prstDash val="{dash}"/>' if dash else ""
    end = '<a:tailEnd type="triangle" w="med" len="med"/>' if tip else ""
    return f'<a:ln w="9525"><a:solidFill><a:srgbClr val="{colour}"/></a:solidFill>{dashes}{end}</a:ln>'


def _points(x1: float, y1: float, x2: float, y2: float, bend: float, shift: float) -> list[tuple[float, float]]:
    """The four points of a cubic curve; `shift` moves it sideways, `bend` swings it out."""
    if bend:
        x1, x2 = x1 - shift, x2 + shift
        return [(x1, y1), (x1, y1 + bend), (x2, y2 + bend), (x2, y2)]
    y1, y2 = y1 + shift, y2 + shift
    middle = (x1 + x2) / 2
    return [(x1, y1), (middle, y1), (middle, y2), (x2, y2)]


def _name(s: Symbol) -> str:
    """A name: letters in italics, indices lowered."""
    base = _run(letters(s), "<w:i/>" if len(letters(s)) <= 2 else "")
    indices = ", ".join(letters(symbol(i)) for i in s.indices)
    return base + (_run(indices, '<w:vertAlign w:val="subscript"/>') if indices else "")


def _run(text: str, mark: str) -> str:
    """A run; @ stands for the colour and the size, which come between other properties."""
    before, after = (mark, "") if mark == "<w:i/>" else ("", mark)
    return f"<w:r><w:rPr>{before}@{after}</w:rPr><w:t>{escape(text, quote=False)}</w:t></w:r>"
