"""Python in a browser: what the worker of the static page imports, after `absent.stand_in()`."""

from __future__ import annotations

import gc
import json
from collections.abc import Mapping
from typing import Any

from matcalc.export.formats import FORMATS
from matcalc.serve import absent
from matcalc.serve.handling import handled
from matcalc.targets.registry import target_names

LEAST_SQUARES = {"source": "norm2(X*w - y)^2 + c*norm2(w)^2", "wrt": "w"}
NETWORK = {"source": "W: n x n\nnorm2(tanh(W*x) - y)^2/2 + logdet(W'*W) + sum(softmax(W*x, 1))", "wrt": "W, x"}
RECURRENCE = {
    "source": "x[t=1..T]: n x 1; W: n x n; h[0] = zeros(n, 1)\nh[t] = tanh(W*h[t-1] + x[t]) for t = 1..T\nsum(h[T])"
}


def started() -> None:
    """Everything is imported: from now on what is missing is said."""
    absent.done()
    gc.freeze()  # what was imported stays: it need not be looked through again
    gc.set_threshold(50_000, 50, 100)  # looking through what a derivation makes takes a tenth of its time
    gc.enable()


def warm() -> None:
    """Read the grammar and the templates before they are needed."""
    for tool in ("show", "code"):
        handled(tool, NETWORK)


def remember() -> None:
    """Use everything once, so that it is in the image of the memory: modules, templates, tables."""
    asked: list[tuple[str, Mapping[str, Any]]] = [
        *((tool, given) for given in (LEAST_SQUARES, NETWORK, RECURRENCE) for tool in ("show", "check", "curvature")),
        *(("show", {**LEAST_SQUARES, "style": style}) for style in handled("about", {})["data"]["styles"]),
        ("show", {**LEAST_SQUARES, "hessian": True}),
        ("show", {"source": r"\frac{1}{2}\|X w - y\|_2^2"}),
        ("show", {"source": "A*X*B", "wrt": "X"}),
        ("claim", {"claim": "2*X'*(X*w - y)", "of": LEAST_SQUARES["source"], "name": "w"}),
        ("claim", {"claim": "(A*B)' = B'*A'"}),
        ("curvature", {"source": "x'*A*x"}),
        ("solve", {"source": LEAST_SQUARES["source"], "over": "w", "fact": {"c": "positive"}}),
        *(("code", {**NETWORK, "target": name}) for name in target_names()),
        *(("export", {**LEAST_SQUARES, "format": name}) for name in FORMATS),
        ("ops", {"words": ["trace"]}),
        ("rules", {"words": ["kron"]}),
    ]
    for tool, given in asked:
        handled(tool, given)
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def answer(tool: str, given: str) -> str:
    """The answer of a tool, as JSON."""
    return json.dumps(handled(tool, json.loads(given)))
