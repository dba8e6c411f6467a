"""The forward graph as a picture (SVG): values in columns by depth, shapes on the edges, adjoints flowing back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape

from matcalc.calculus.derivation import Derivation
from matcalc.dims import shape_text
from matcalc.expr import HOOKS, Expr, postorder
from matcalc.graph import Graph
from matcalc.printing.symbols import GREEK, LATIN_CAPITALS, Symbol, symbol

WIDEST = 9  # columns beyond which the graph runs from top to bottom
BOX = 30.0
LETTER = 11.0
GAP = 26.0
BETWEEN = 96.0
MARGIN = 26.0
ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307", "ddot": "\u0308", "vec": "\u20d7"}
SMALL_GREEK = "αβγδεζηθικλμνξπρστυϕχψω"
CAPITAL_GREEK = "ΓΔΘΛΞΠΣΥΦΨΩ"
GREEK_LETTERS = dict(zip(GREEK, SMALL_GREEK + CAPITAL_GREEK))
STYLE = (
    ".matcalc-graph text{font-family:'Latin Modern Math','STIX Two Math','Cambria Math','Times New Roman',serif;"
    "fill:currentColor}.matcalc-graph .v{font-style:italic}.matcalc-graph .s{font-size:11px;opacity:.75}"
    ".matcalc-graph .a{font-size:14px;fill:#c2410c}.matcalc-graph rect{fill:none;stroke:currentColor}"
    ".matcalc-graph .in{opacity:.55}.matcalc-graph .e{fill:none;stroke:currentColor;stroke-width:1.2}"
    ".matcalc-graph .b{fill:none;stroke:#c2410c;stroke-dasharray:4 3}"
)


@dataclass(slots=True)
class Box:
    """One value: where it stands, and what is written on it."""

    label: str
    width: float
    variable: bool
    adjoint: str = ""
    layer: int = 0
    x: float = 0.0
    y: float = 0.0


@dataclass(slots=True)
class Picture:
    """Boxes and edges (from, to, shape, whether an adjoint flows back)."""

    boxes: dict[Expr, Box] = field(default_factory=dict)
    edges: list[tuple[Expr, Expr, str, bool]] = field(default_factory=list)


class Svg(str):
    """The text of an SVG picture, which Jupyter shows as one."""

    __slots__ = ()

    def _repr_svg_(self) -> str:
        return str(self)


def graph_svg(source: Derivation | Graph) -> Svg:
    """The picture of a derivation's graph with its adjoints, or of a graph alone."""
    return Svg(_drawn(*placed(source)))


def placed(source: Derivation | Graph) -> tuple[Picture, bool]:
    """The boxes in their places, and whether the graph runs from top to bottom."""
    graph = source.graph if isinstance(source, Derivation) else source
    wanted: set[Expr] = set()
    if isinstance(source, Derivation) and source.output.is_scalar:
        wanted = {*source.reverse.adjoints}
    picture = _picture(graph, wanted)
    columns = _layers(picture)
    vertical = len(columns) > WIDEST
    _place(picture, columns, vertical)
    return picture, vertical


def _picture(graph: Graph, wanted: set[Expr]) -> Picture:
    picture = Picture()
    output = graph.output
    nodes = [*graph.nodes] if output.op in ("named", "variable") else [*graph.nodes, output]
    for e in nodes:
        name = str(e.params[0]) if e.op in ("named", "variable") else "f"
        adjoint = name if e in wanted and e is not output else ""
        picture.boxes[e] = Box(name, max(BOX, LETTER * _length(name) + 14), e.op == "variable", adjoint)
    for e in nodes:
        if e.op == "variable":
            continue
        root = e.args[0] if e.op == "named" else e
        for a in _parts(root):
            if a in picture.boxes and a is not e:
                picture.edges.append((a, e, shape_text(a.shape).replace(" x ", " × "), a in wanted))
    used = {end for a, b, _, _ in picture.edges for end in (a, b)}
    picture.boxes = {e: box for e, box in picture.boxes.items() if e in used or len(picture.boxes) == 1}
    return picture


def _parts(root: Expr) -> Iterable[Expr]:
    """The variables and named values that an expression is made of, once each."""
    if root.op == "named":
        return [root]
    return [s for s in postorder((root,), through_names=False) if s.op in ("variable", "named")]


def _layers(picture: Picture) -> list[list[Expr]]:
    """The values by depth; a variable stands in the column before its first use."""
    boxes = picture.boxes
    uses: dict[Expr, list[Expr]] = {e: [] for e in boxes}
    made: dict[Expr, list[Expr]] = {e: [] for e in boxes}
    for a, b, _, _ in picture.edges:
        uses[a].append(b)
        made[b].append(a)
    for e in boxes:  # definitions stand in order: arguments come first
        if not boxes[e].variable:
            boxes[e].layer = 1 + max((boxes[a].layer for a in made[e] if not boxes[a].variable), default=0)
    for e in boxes:
        if boxes[e].variable and uses[e]:
            boxes[e].layer = min(boxes[u].layer for u in uses[e]) - 1
    columns: list[list[Expr]] = [[] for _ in range(1 + max((b.layer for b in boxes.values()), default=0))]
    for e in boxes:
        columns[boxes[e].layer].append(e)
    return [_ordered(column, boxes) for column in columns]


def _ordered(column: list[Expr], boxes: dict[Expr, Box]) -> list[Expr]:
    """Values in the middle of a column, variables around them, alternately above and below."""
    row = [e for e in column if not boxes[e].variable]
    for k, e in enumerate(e for e in column if boxes[e].variable):
        if k % 2:
            row.append(e)
        else:
            row.insert(0, e)
    return row


def _place(picture: Picture, columns: list[list[Expr]], vertical: bool) -> None:
    along = 0.0
    for column in columns:
        widest = max((picture.boxes[e].width for e in column), default=BOX)
        size = BOX if vertical else widest
        across = [picture.boxes[e].width if vertical else BOX for e in column]
        anchor = _anchor(column, picture.boxes, across)
        position = -anchor
        for e, extent in zip(column, across):
            box = picture.boxes[e]
            if vertical:
                box.x, box.y = position + extent / 2, along + size / 2
            else:
                box.x, box.y = along + size / 2, position + extent / 2
            position += extent + GAP
        along += size + BETWEEN


def _anchor(column: list[Expr], boxes: dict[Expr, Box], across: list[float]) -> float:
    """Where the main line crosses the column: at its first value that is no variable, else in the middle."""
    total = sum(across) + GAP * (len(across) - 1)
    position = 0.0
    for e, extent in zip(column, across):
        if not boxes[e].variable:
            return position + extent / 2
        position += extent + GAP
    return total / 2


def _drawn(picture: Picture, vertical: bool) -> str:
    boxes = picture.boxes.values()
    left = min((b.x - b.width / 2 for b in boxes), default=0.0) - MARGIN
    right = max((b.x + b.width / 2 for b in boxes), default=0.0) + MARGIN
    reach = [bend_of(picture, a, b, vertical) for a, b, _, _ in picture.edges] or [0.0]
    top = min((b.y - BOX / 2 for b in boxes), default=0.0) - MARGIN
    bottom = max((b.y + BOX / 2 for b in boxes), default=0.0) + MARGIN
    if vertical:
        right += max(reach)
    else:
        bottom += max(reach)
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" class="matcalc-graph" role="img" '
        f'width="{right - left:.0f}" height="{bottom - top:.0f}" '
        f'viewBox="{left:.0f} {top:.0f} {right - left:.0f} {bottom - top:.0f}">',
        f"<title>{escape(' '.join(b.label for b in boxes))}</title>",
        f"<style>{STYLE}</style>",
        _arrow("f", "currentColor"),
        _arrow("b", "#c2410c"),
    ]
    for a, b, shape, flows in picture.edges:
        parts.append(_edge(picture, a, b, shape, flows, vertical))
    parts += [_box(box, vertical) for box in boxes]
    return "\n".join([*parts, "</svg>"])


def _arrow(name: str, colour: str) -> str:
    return (
        f'<marker id="matcalc-{name}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0,0.8 L7.5,4 L0,7.2 z" style="fill:{colour};stroke:none"/></marker>'
    )


def bend_of(picture: Picture, a: Expr, b: Expr, vertical: bool) -> float:
    """How far an edge that passes over other columns swings out."""
    skipped = picture.boxes[b].layer - picture.boxes[a].layer - 1
    return 0.0 if skipped < 1 else min(40.0 + 22.0 * skipped, 160.0) + (30.0 if vertical else 0.0)


def _edge(picture: Picture, a: Expr, b: Expr, shape: str, flows: bool, vertical: bool) -> str:
    start, end = picture.boxes[a], picture.boxes[b]
    bend = bend_of(picture, a, b, vertical)
    if vertical:
        x1, y1, x2, y2 = start.x, start.y + BOX / 2, end.x, end.y - BOX / 2
        if bend:
            x1, y1, x2, y2 = start.x + start.width / 2, start.y, end.x + end.width / 2, end.y
    else:
        x1, y1, x2, y2 = start.x + start.width / 2, start.y, end.x - end.width / 2, end.y
        if bend:
            x1, y1, x2, y2 = start.x, start.y + BOX / 2, end.x, end.y + BOX / 2
    shift = 4.0 if flows else 0.0
    forward = _path(x1, y1, x2, y2, bend, -shift, vertical)
    lines = [f'<path class="e" d="{forward}" marker-end="url(#matcalc-f)"/>']
    if flows:
        back = _path(x1, y1, x2, y2, bend, shift, vertical)
        lines.append(f'<path class="b" d="{_reversed(back)}" marker-end="url(#matcalc-b)"/>')
    if bend:
        place = (
            (x1 + x2) / 2 + (0.75 * bend + 9 if vertical else 0),
            (y1 + y2) / 2 + (4 if vertical else 0.75 * bend - 9),
        )
        anchor = "start" if vertical else "middle"
    elif vertical:
        place, anchor = (x1 + 9 if x2 <= x1 else x1 - 9, y1 + 16), "start" if x2 <= x1 else "end"
    else:
        place, anchor = (x1 + 9, y1 + 17 if y2 < y1 else y1 - 9), "start"
    text = f'<text class="s" x="{place[0]:.1f}" y="{place[1]:.1f}" text-anchor="{anchor}">{escape(shape)}</text>'
    return "\n".join([*lines, text])


def _path(x1: float, y1: float, x2: float, y2: float, bend: float, shift: float, vertical: bool) -> str:
    """A cubic curve; `shift` moves it sideways, `bend` swings it out."""
    if vertical:
        x1, x2 = x1 + (shift if not bend else 0), x2 + (shift if not bend else 0)
        if bend:
            y1, y2 = y1 + shift, y2 - shift
            return f"M{x1:.1f},{y1:.1f} C{x1 + bend:.1f},{y1:.1f} {x2 + bend:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"
        m = (y1 + y2) / 2
        return f"M{x1:.1f},{y1:.1f} C{x1:.1f},{m:.1f} {x2:.1f},{m:.1f} {x2:.1f},{y2:.1f}"
    if bend:
        x1, x2 = x1 - shift, x2 + shift
        return f"M{x1:.1f},{y1:.1f} C{x1:.1f},{y1 + bend:.1f} {x2:.1f},{y2 + bend:.1f} {x2:.1f},{y2:.1f}"
    y1, y2 = y1 + shift, y2 + shift
    m = (x1 + x2) / 2
    return f"M{x1:.1f},{y1:.1f} C{m:.1f},{y1:.1f} {m:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"


def _reversed(path: str) -> str:
    """The same curve from its end to its start."""
    first, c1, c2, last = path.replace("M", "").replace("C", "").split(" ")
    return f"M{last} C{c2} {c1} {first}"


def _box(box: Box, vertical: bool) -> str:
    kind = ' class="in"' if box.variable else ""
    rect = (
        f'<rect{kind} x="{box.x - box.width / 2:.1f}" y="{box.y - BOX / 2:.1f}" width="{box.width:.1f}" '
        f'height="{BOX:.1f}" rx="{BOX / 2 if box.variable else 4:.0f}"/>'
    )
    label = f'<text x="{box.x:.1f}" y="{box.y + 5:.1f}" text-anchor="middle" font-size="16">{_label(box.label)}</text>'
    if not box.adjoint:
        return rect + label
    name = f'δ<tspan dy="3" font-size="9">{_flat(box.adjoint)}</tspan>'
    if vertical:
        place = f'x="{box.x - box.width / 2 - 5:.1f}" y="{box.y + 4:.1f}" text-anchor="end"'
    else:
        place = f'x="{box.x:.1f}" y="{box.y - BOX / 2 - 6:.1f}" text-anchor="middle"'
    return f'{rect}{label}<text class="a v" {place}>{name}</text>'


def _label(name: str) -> str:
    """A name in SVG: letters in italics, indices lowered."""
    s = symbol(name)
    base = f'<tspan class="{"v" if len(_letters(s)) <= 2 else ""}">{escape(_letters(s))}</tspan>'
    if not s.indices:
        return base
    return f'{base}<tspan dy="4" font-size="11">{escape(", ".join(_letters(symbol(i)) for i in s.indices))}</tspan>'


def _flat(name: str) -> str:
    s = symbol(name)
    return escape(_letters(s) + ",".join(_letters(symbol(i)) for i in s.indices))


def _letters(s: Symbol) -> str:
    letter = GREEK_LETTERS.get(s.letter, LATIN_CAPITALS.get(s.letter, s.letter))
    return letter + ACCENTS.get(s.accent, "")


def _length(name: str) -> float:
    s = symbol(name)
    return len(_letters(Symbol(s.letter, "", ()))) + 0.6 * sum(len(i) for i in s.indices)


HOOKS["picture"] = graph_svg
