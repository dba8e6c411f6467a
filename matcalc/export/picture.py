"""The forward graph laid out for a picture: values in columns by depth, long graphs in bands one below the other.

What a band uses of earlier ones is repeated at its left edge, so that every band can be read, and drawn, by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from matcalc.calculus.problem import Problem
from matcalc.expr import Expr, postorder
from matcalc.graph import Graph
from matcalc.printing.symbols import GREEK, LATIN_CAPITALS, Symbol, symbol

WIDEST = 7  # columns of a picture in one band: wider ones would be scaled down below ten pixels a letter
PRINTED = 5  # columns on paper, which is narrower than a screen
PHONE = 3  # columns on a phone
MANY = 8  # variables from which those that enter one and the same value share a box
BOX = 30.0
LETTER = 11.0
GAP = 26.0
BETWEEN = 88.0
ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307", "ddot": "\u0308", "vec": "\u20d7"}
SMALL_GREEK = "αβγδεζηθικλμνξπρστυϕχψω"
CAPITAL_GREEK = "ΓΔΘΛΞΠΣΥΦΨΩ"
GREEK_LETTERS = dict(zip(GREEK, SMALL_GREEK + CAPITAL_GREEK))


@dataclass(slots=True)
class Box:
    """One value: where it stands, and what is written on it.

    Attributes:
        label: the name.
        width: of the box.
        variable: whether it is given and not computed.
        repeated: whether it belongs to an earlier band.
        adjoint: the name whose adjoint is written beside it; empty for none.
        others: the names of further variables in the same box.
        layer: its column.
        x: of the middle.
        y: of the middle, downwards.
    """

    label: str
    width: float
    variable: bool
    repeated: bool = False
    adjoint: str = ""
    others: tuple[str, ...] = ()
    layer: int = 0
    x: float = 0.0
    y: float = 0.0

    @property
    def labels(self) -> tuple[str, ...]:
        """All names in the box."""
        return (self.label, *self.others)


@dataclass(frozen=True, slots=True)
class Arrow:
    """From a value to one that is made of it; `flows` where an adjoint comes back, `several` from a shared box."""

    start: Expr
    end: Expr
    flows: bool
    several: bool = False


@dataclass(slots=True)
class Picture:
    """The boxes and arrows of one band."""

    boxes: dict[Expr, Box] = field(default_factory=dict)
    arrows: list[Arrow] = field(default_factory=list)

    def bend(self, arrow: Arrow) -> float:
        """How far an arrow that passes over other columns swings out, downwards."""
        skipped = self.boxes[arrow.end].layer - self.boxes[arrow.start].layer - 1
        return 0.0 if skipped < 1 else min(40.0 + 22.0 * skipped, 160.0)

    def is_first(self, arrow: Arrow) -> bool:
        """Whether the shape of what an arrow carries is written at it: at the first that leaves a box of one shape."""
        return not arrow.several and next(a for a in self.arrows if a.start is arrow.start) is arrow


def placed(source: Problem | Graph, widest: int = WIDEST) -> list[Picture]:
    """The bands of the picture of a derivation's graph with its adjoints, or of a graph alone.

    Args:
        source: the derivation or the graph.
        widest: how many columns a band may have, with the one at its left edge.
    """
    graph = source.graph if isinstance(source, Problem) else source
    wanted: set[Expr] = set()
    if isinstance(source, Problem) and source.output.is_scalar:
        wanted = {*source.reverse.adjoints}
    boxes = _boxes(graph, wanted)
    arrows = _arrows(boxes, wanted)
    _share(boxes, arrows)
    used = {e for arrow in arrows for e in (arrow.start, arrow.end)}
    boxes = {e: box for e, box in boxes.items() if e in used or len(boxes) == 1}
    _set_layers(boxes, arrows)
    last = max((b.layer for b in boxes.values()), default=0)
    bands: list[Picture] = []
    shown: set[Expr] = set()
    columns = _columns(max(last, 1), widest - 1)
    for first in range(1, max(last, 1) + 1, columns):
        band = _band(boxes, arrows, range(first, first + columns), shown)
        _place(band)
        bands.append(band)
        shown |= {*band.boxes}
    return bands


def _columns(last: int, most: int) -> int:
    """How many columns of values a band has, so that all bands have about as many."""
    bands = -(-last // most)
    return -(-last // bands)


def _boxes(graph: Graph, wanted: set[Expr]) -> dict[Expr, Box]:
    output = graph.output
    boxes = {}
    for e in [*graph.nodes] if output.name else [*graph.nodes, output]:
        name = e.name or "f"
        adjoint = name if e in wanted and e is not output else ""
        boxes[e] = Box(name, max(BOX, LETTER * _length(name) + 14), e.op == "variable", adjoint=adjoint)
    return boxes


def _arrows(boxes: dict[Expr, Box], wanted: set[Expr]) -> list[Arrow]:
    return [
        Arrow(a, e, a in wanted)
        for e in boxes
        if e.op != "variable"
        for a in _parts(e.definition)
        if a in boxes and a is not e
    ]


def _share(boxes: dict[Expr, Box], arrows: list[Arrow]) -> None:
    """Among many variables, those that enter one value alone, with an adjoint or without, get one box for all."""
    if sum(box.variable for box in boxes.values()) <= MANY:
        return
    into: dict[Expr, list[Arrow]] = {}
    for arrow in arrows:
        into.setdefault(arrow.start, []).append(arrow)
    groups: dict[tuple[Expr, bool], list[Expr]] = {}
    for e, found in into.items():
        if boxes[e].variable and len(found) == 1:
            groups.setdefault((found[0].end, found[0].flows), []).append(e)
    for (end, flows), members in groups.items():
        if len(members) == 1:
            continue
        first, *others = members
        names = tuple(boxes[e].label for e in others)
        width = LETTER * sum(_length(n) + 0.7 for n in (boxes[first].label, *names)) + 14
        boxes[first] = Box(boxes[first].label, width, variable=True, others=names)
        arrows[:] = [a for a in arrows if a.start not in members]
        arrows.append(Arrow(first, end, flows, several=True))


def _parts(root: Expr) -> Iterable[Expr]:
    """The variables and named values that an expression is made of, once each."""
    if root.op == "named":
        return [root]
    return [s for s in postorder((root,), through_names=False) if s.name]


def _set_layers(boxes: dict[Expr, Box], arrows: list[Arrow]) -> None:
    """Values by depth, from 1; variables stay at 0."""
    made: dict[Expr, list[Expr]] = {e: [] for e in boxes}
    for arrow in arrows:
        made[arrow.end].append(arrow.start)
    for e, box in boxes.items():  # definitions stand in order: arguments come first
        if not box.variable:
            box.layer = 1 + max((boxes[a].layer for a in made[e]), default=0)


def _band(boxes: dict[Expr, Box], arrows: list[Arrow], layers: range, shown: set[Expr]) -> Picture:
    """The values of some layers and what they are made of; a variable stands before its first use."""
    inside = {e for e, b in boxes.items() if not b.variable and b.layer in layers}
    band = Picture(arrows=[a for a in arrows if a.end in inside])
    column: dict[Expr, int] = {}
    for arrow in band.arrows:
        if arrow.start not in inside:
            before = boxes[arrow.end].layer - 1 if boxes[arrow.start].variable else layers.start - 1
            column[arrow.start] = min(before, column.get(arrow.start, before))
    for e, b in boxes.items():
        if e in inside or e in column or len(boxes) == 1:
            again = e in shown
            adjoint = "" if again else b.adjoint
            layer = column.get(e, b.layer) - layers.start + 1
            band.boxes[e] = Box(b.label, b.width, b.variable, again, adjoint, b.others, layer)
    return band


def _place(band: Picture) -> None:
    columns: list[list[Expr]] = [[] for _ in range(1 + max((b.layer for b in band.boxes.values()), default=0))]
    for e, box in band.boxes.items():
        columns[box.layer].append(e)
    for column in reversed(columns):
        ordered = _ordered(column, band)
        y = -_anchor(ordered, band.boxes)
        for e in ordered:
            band.boxes[e].y = y
            y += BOX + GAP
    along = 0.0
    for column in columns:
        widest = max((band.boxes[e].width for e in column), default=BOX)
        for e in column:
            band.boxes[e].x = along + widest / 2
        along += widest + BETWEEN


def _ordered(column: list[Expr], band: Picture) -> list[Expr]:
    """Values in the middle of a column, variables around them; what goes beyond the next column stands below.

    The columns to the right have their places: a variable stands near what it enters.
    """
    far = {a.start for a in band.arrows if band.bend(a)}
    values = [e for e in column if not band.boxes[e].variable]
    values.sort(key=lambda e: (e in far, _towards(e, band)))
    variables = [e for e in column if band.boxes[e].variable]
    if not values:
        return sorted(variables, key=lambda e: (e in far, _towards(e, band)))
    row = [*values]
    if any(band.bend(a) for a in band.arrows if a.end in values):  # it comes from below
        return [*(e for e in variables if e not in far), *row, *(e for e in variables if e in far)]
    for k, e in enumerate(e for e in variables if e not in far):
        if k % 2:
            row.append(e)
        else:
            row.insert(0, e)
    return [*row, *(e for e in variables if e in far)]


def _towards(e: Expr, band: Picture) -> float:
    """How low what a value enters stands, on average."""
    ends = [band.boxes[a.end].y for a in band.arrows if a.start is e]
    return sum(ends) / max(len(ends), 1)


def _anchor(column: list[Expr], boxes: dict[Expr, Box]) -> float:
    """Where the main line crosses the column: in the middle of its values, else of its variables."""
    places = [k for k, e in enumerate(column) if not boxes[e].variable] or range(len(column))
    return (min(places) + max(places)) / 2 * (BOX + GAP) if column else 0.0


def letters(s: Symbol) -> str:
    """A symbol's letter with its accent, in Unicode."""
    letter = GREEK_LETTERS.get(s.letter, LATIN_CAPITALS.get(s.letter, s.letter))
    return letter + ACCENTS.get(s.accent, "")


def _length(name: str) -> float:
    s = symbol(name)
    return len(letters(Symbol(s.letter, "", ()))) + 0.6 * sum(len(i) for i in s.indices)
