"""Python in a browser: what the worker of the static page imports, after `absent.stand_in()`."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable

from matcalc.serve import absent
from matcalc.serve.handling import handled

WARM_UP = {"source": "W: n x n\nnorm2(tanh(W*x) - y)^2/2 + logdet(W'*W)", "wrt": "W, x"}


def started() -> Callable[[str, str], str]:
    """What answers a tool: its name and its fields as JSON, and JSON comes back."""
    absent.done()
    gc.freeze()  # what was imported stays: it need not be looked through again
    gc.enable()
    return answer


def warm() -> None:
    """Read the grammar and the templates before they are needed."""
    for tool in ("show", "code"):
        handled(tool, WARM_UP)


def answer(tool: str, given: str) -> str:
    """The answer of a tool, as JSON."""
    return json.dumps(handled(tool, json.loads(given)))
