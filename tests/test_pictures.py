"""Pictures of graphs."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from note_support import EXAMPLES, NAMES, chain, derived

from matcalc.export.picture import graph_svg


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_pictures_show_every_value_and_every_adjoint(path: Path) -> None:
    d = derived(path)
    root = ET.fromstring(graph_svg(d))
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{space}rect")) == len(d.graph.nodes)
    adjoints = [t for t in root.findall(f"{space}text") if "a" in t.get("class", "").split()]
    assert len(adjoints) == sum(1 for e in d.reverse.adjoints if e is not d.output)
    assert d.graph._repr_svg_().startswith("<svg")
    assert d.picture()._repr_svg_().startswith("<svg")


def test_boxes_of_a_picture_do_not_overlap() -> None:
    for d in [chain(12), *(derived(path) for path in EXAMPLES)]:
        root = ET.fromstring(graph_svg(d))
        boxes = [
            tuple(float(r.get(k, "0")) for k in ("x", "y", "width", "height"))
            for r in root.findall("{http://www.w3.org/2000/svg}rect")
        ]
        for k, (x, y, w, h) in enumerate(boxes):
            for u, v, p, q in boxes[:k]:
                assert x + w <= u or u + p <= x or y + h <= v or v + q <= y
