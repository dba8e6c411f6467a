"""Mistakes in words."""

from __future__ import annotations

from functools import reduce

from matcalc.claims.verdict import Diagnosis
from matcalc.claims.wrong import Local, Mistake
from matcalc.errors import shorten
from matcalc.expr import Expr
from matcalc.graph import Graph
from matcalc.languages import Message, said


def mistake_text(mistake: Mistake, graph: Graph) -> Diagnosis:
    parts: list[Message] = []
    kinds: list[str] = []
    node = ""
    if mistake.linear:
        names = ", ".join(dict.fromkeys(e.op if e.op != "func" else e.params[0].name for e in mistake.linear))
        parts.append(said("the derivative of the activation ({0}) is taken as 1 everywhere", names))
        kinds.append("activation derivative")
        node = str(mistake.linear[0]) if len(mistake.linear) == 1 else ""
    if mistake.local is not None:
        parts.append(_local_text(mistake.local, graph))
        kinds.append(mistake.local.kind)
        node = name_of_value(mistake.local.place, graph)
    if mistake.held:
        names = reduce(lambda first, second: said("{0} and {1}", first, second), map(name_in_words, mistake.held))
        one = len(mistake.held) == 1
        parts.append(said("{0} was held constant", names) if one else said("{0} were held constant", names))
        kinds.append("held constant")
        node = ", ".join(name_in_words(e) for e in mistake.held)
    return Diagnosis(
        reduce(lambda first, second: said("{0}; in addition, {1}", first, second), parts), tuple(kinds), node
    )


TWICE = "{0} is differentiated twice: y .* (1 - y) is a factor although its derivative is there already"
LOCALS = {
    "at the output": "the derivative of {0} is taken at its output {1} instead of its input {2}",
    "at the input": "the derivative of {0} is written with its input {2} where its output {1} belongs",
    "twice": "{0} is differentiated twice",
    "entry by entry": "{0} is differentiated entry by entry, as y .* (1 - y): the off-diagonal derivatives are missing",
    "other": "the derivative of {3} (in terms of its value) stands in place of that of {0}",
    "other function": "the derivative of {3} stands in place of that of {0}",
    "left out": "{3} is missing: it is the derivative of {0}",
    "value": "{0} itself stands in place of its derivative",
    "twice, entry by entry": TWICE,
    "broadcast": "the derivative of {1} is taken as 1: a 1 x 1 value is broadcast",
}


def _local_text(local: Local, graph: Graph) -> Message:
    name = name_of_value(local.place, graph) or shorten(str(local.place))
    return said(LOCALS[local.kind], local.place.op, name, shorten(str(local.place.args[0])), local.other)


def name_of_value(e: Expr, graph: Graph) -> str:
    """The name of the definition whose value is `e`; empty where there is none."""
    return next((name for name, value in graph.definitions.items() if value.args[0] is e), "")


def name_in_words(e: Expr) -> str:
    return e.name or str(e)
