"""Pictures of graphs."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from note_support import EXAMPLES, NAMES, chain, derived

import matcalc as mc
from matcalc.export.picture import BOX, PHONE, WIDEST, placed
from matcalc.export.picture_svg import for_screens, graph_svg
from matcalc.export.picture_tex import graph_tex
from matcalc.printing.style import STANDARD


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_pictures_show_every_value_and_every_adjoint(path: Path) -> None:
    d = derived(path)
    root = ET.fromstring(graph_svg(d))
    space = "{http://www.w3.org/2000/svg}"
    assert len(list(root.iter(f"{space}rect"))) == len(d.graph.nodes)
    adjoints = [t for t in root.iter(f"{space}text") if "a" in t.get("class", "").split()]
    assert len(adjoints) == sum(1 for e in d.reverse.adjoints if e is not d.output)
    assert d.graph._repr_svg_().startswith("<svg")
    assert d.picture()._repr_svg_().startswith("<svg")


def test_boxes_of_a_picture_do_not_overlap() -> None:
    for d in [chain(12), chain(60), *(derived(path) for path in EXAMPLES)]:
        for band in placed(d):
            boxes = [(b.x - b.width / 2, b.y, b.width) for b in band.boxes.values()]
            for k, (x, y, w) in enumerate(boxes):
                assert all(x + w <= u or u + p <= x or abs(y - v) >= BOX for u, v, p in boxes[:k])


def test_a_long_graph_is_drawn_in_bands_that_show_everything_once() -> None:
    d = chain(60)
    bands = placed(d)
    assert len(bands) > 5
    assert all(box.layer < WIDEST for band in bands for box in band.boxes.values())
    new = [name for band in bands for box in band.boxes.values() if not box.repeated for name in box.labels]
    assert sorted(new) == sorted(
        e.name or "f" for e in ([*d.graph.nodes, d.output] if d.output.op == "add" else d.graph.nodes)
    )
    assert sum(len(band.arrows) for band in bands) == sum(len(band.arrows) for band in placed(d.graph))
    assert graph_tex(d, STANDARD).count(r"\begin{picture}") == len(bands)
    assert graph_svg(d).count("<g ") == len(bands)


@pytest.mark.parametrize(("adjoint", "expected"), [("delta", "δ<"), ("bar", "\u0304"), ("partial", "∂f/∂x")])
def test_adjoints_in_a_picture_follow_the_notation(adjoint: str, expected: str) -> None:
    assert expected in graph_svg(mc.derive("x'*x", wrt="x"), mc.Notation(adjoint=adjoint))


def test_variables_of_one_gate_share_a_box() -> None:
    gates = "\n".join(f"{g} = sigmoid(W{g}*x + U{g}*h + b{g})" for g in "ifog")
    d = mc.derive(f"x: d x 1\nh: k x 1\n{gates}\nL = sum(i .* g .* f .* o)")
    svg = str(d.picture())
    assert svg.count("<rect") == 2 + 4 + 4 + 1
    assert svg.count(">, </tspan>") == 4 * 2
    few = str(mc.derive("sum((A*x - b).^2)").picture())
    assert ">, <" not in few


def test_the_shape_of_a_value_is_written_once() -> None:
    svg = str(mc.derive("x: d x 1\nA: k x d\nB: k x d\nr = A*x\ns = B*x\nf = r'*s").picture())
    assert svg.count('class="s"') == 3 + 2


def test_a_variable_stands_near_what_it_enters() -> None:
    gates = "\n".join(f"{g} = sigmoid(W{g}*x + U{g}*h + b{g})" for g in "ifog")
    d = mc.derive(f"x: d x 1\nh: k x 1\nc: k x 1\n{gates}\nq = f .* c + i .* g\nL = sum(o .* tanh(q))")
    (band,) = placed(d)
    at = {name: box.y for box in band.boxes.values() for name in box.labels}
    gates_down = sorted("ifog", key=at.__getitem__)
    assert sorted("ifog", key=lambda g: at[f"W{g}"]) == gates_down
    assert gates_down[-1] == "o"  # goes beyond the next column, below all others


def test_a_wide_graph_has_another_picture_for_a_phone() -> None:
    d = chain(4)
    wide, narrow = (
        max(b.x + b.width / 2 for band in placed(d, n) for b in band.boxes.values()) for n in (WIDEST, PHONE)
    )
    assert narrow < 320 < wide
    page = for_screens(d, STANDARD)
    assert page.count("<svg") == 2
    tips = re.findall(r'marker id="([^"]+)"', page)
    assert len(tips) == len(set(tips)) == 4  # one that is hidden draws no arrows of another
    assert for_screens(mc.derive("x'*x"), STANDARD).count("<svg") == 1
