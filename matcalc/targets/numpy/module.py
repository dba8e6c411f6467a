"""The text of a standalone NumPy module."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from functools import cache
from typing import Protocol

from matcalc.emit import array_helpers, helpers, input_helpers, root_helpers
from matcalc.emit.blocks import is_blocks
from matcalc.emit.masks import has_risky_branches
from matcalc.emit.program import Lowered, plain, quoted
from matcalc.emit.schedule import Statement
from matcalc.expr import Expr, postorder
from matcalc.printing.text import shared
from matcalc.targets.numpy.idioms import in_numpy
from matcalc.targets.numpy.inputs import Inputs
from matcalc.targets.registry import Page
from matcalc.targets.solvers import solver_sources
from matcalc.templating import render
from matcalc.walk import substitute

COMMENT = 110
MODULES = (helpers, input_helpers, array_helpers, root_helpers)
HELPERS = {name: f for m in MODULES for name, f in vars(m).items() if inspect.isfunction(f)}


class Kernels(Protocol):
    """What compiles the entrywise blocks of statements."""

    def text(self, tree: ast.expr, target: str) -> str:
        """A statement's text, with its entrywise blocks as calls of kernels."""

    def all_sources(self) -> list[str]:
        """The texts of the kernels and of what they call."""


def numpy_text(lowered: Lowered, page: Page, kernels: Kernels | None = None) -> str:
    """The NumPy module; `kernels` take its entrywise blocks where they are compiled."""
    comments = page.comments
    statements, result = numpy_body(lowered, comments, kernels)
    if lowered.alternative is not None:
        less, more, other = lowered.alternative
        inner, inner_result = numpy_body(other, comments, kernels)
        branch = "\n".join([*inner, f"return {inner_result}"]).splitlines()
        comment = "# the products of the factors are smaller than the residual"
        statements = [comment, f"if {less} < {more}:", *(f"    {line}" for line in branch), *statements]
    taken = Inputs(
        *(lowered.program.variables, lowered.program.tangents, lowered.program.cotangent),
        *(lowered.inputs, lowered.dimensions, lowered.shapes),
        lowered.needed,
    )
    call, taking = taken.call("\n".join([*statements, result]))
    prologue = [f"{lowered.inputs[name]} = _renamed(inputs, {quoted(name)})" for name in lowered.renamed()]
    prologue += [*(["_nothing_left(inputs)"] if prologue else []), call]
    body = "\n".join([*prologue, *statements, result, *taking])
    solvers = solver_sources(lowered, lambda inner: numpy_body(inner, {}))
    used = used_helpers("\n".join([body, *solvers]))
    everything = body + "".join([*solvers, *used.values()])
    return render(
        "numpy_module.py.jinja",
        title=plain(page.title),
        documentation=lowered.documentation(page.formulas),
        uses_math="math." in everything,
        uses_special="special." in everything,
        uses_lapack="lapack." in everything,
        uses_linalg="sla." in everything,
        quiet=has_risky_branches(lowered.roots),
        function=lowered.name,
        signature=lowered.signature(),
        summary=lowered.summary,
        prologue=prologue,
        taking=taking,
        taken=taken.signature(),
        statements=statements,
        result=result,
        kernels=kernels.all_sources() if kernels is not None else [],
        helpers=[*solvers, *used.values()],
    )


def numpy_body(lowered: Lowered, comments: Mapping[str, str], kernels: Kernels | None = None) -> tuple[list[str], str]:
    """The lines of the statements, and the text of what is returned."""
    result = lowered.result()
    inputs = {v: lowered.inputs[v.params[0]] for v in (*lowered.program.variables, *lowered.extra)}
    if kernels is None:
        lines = lowered.schedule.lines(inputs, lowered.returned())
    else:
        lines = [(s, [f"{s.target} = {kernels.text(s.tree, s.target)}"]) for s in lowered.schedule.statements]
    *found, result = in_numpy([*(line for s, part in lines for line in _commented(s, part, comments)), result])
    return found, result


def _commented(statement: Statement, lines: list[str], comments: Mapping[str, str]) -> list[str]:
    """The lines of a statement with its formula: the one that was given, or for several lines its own."""
    of = statement.of
    name, value = (statement.target, statement.shown) if of is None else (of.params[0], of.args[0])
    formula = None if of is None else comments.get(name)
    if is_blocks(value):
        comment = plain(f"# {name} holds the blocks of {shared(value.args[0]).body}")
        return [comment, *lines] if len(comment) <= COMMENT else lines
    if len(lines) == 1:
        return lines if formula is None else [f"{lines[0]}  # {name} = {plain(formula)}"]
    if formula is None and not _is_short(value):
        return lines
    comment = plain(f"# {name} = {formula or shared(_opened(value)).body}")
    return [comment, *lines] if len(comment) <= COMMENT else lines


def _opened(e: Expr) -> Expr:
    """The expression without the names of temporaries, which are numbered in the code."""
    parts = postorder((e,), through_names=False)
    table = {sub: sub.args[0] for sub in parts if sub.op == "named" and sub.params[0] == "t"}
    return substitute(e, table, through_names=False)


def used_helpers(body: str) -> dict[str, str]:
    """The source texts of the helpers that a body calls, and of those that these call, in the order of their file."""
    used: set[str] = set()
    waiting = [body]
    while waiting:
        text = waiting.pop()
        for name in set(re.findall(r"\b_[a-z]\w*", text)) & set(HELPERS) - used:
            used.add(name)
            waiting.append(_helper(name))
    return {name: _helper(name) for name in HELPERS if name in used}


@cache
def _helper(name: str) -> str:
    """The source text of a helper."""
    return inspect.getsource(HELPERS[name]).rstrip()


def _is_short(e: Expr) -> bool:
    """Whether an expression may fit into a comment: it has few parts, names not opened."""
    seen, waiting = {e}, [e]
    while waiting:
        part = waiting.pop()
        new = [a for a in part.args if a not in seen] if part.op != "named" else []
        seen.update(new)
        waiting += new
        if len(seen) > COMMENT:
            return False
    return True
