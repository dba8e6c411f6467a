"""A derivation as plain data (dicts, lists, strings, numbers): what `--format json` prints.

Formulas are in the text syntax, so that each parses again in the derivation's scope.
"""

from __future__ import annotations

from typing import Any

from matcalc.calculus.jacobian import hessian_by, jacobian_by
from matcalc.calculus.problem import Problem
from matcalc.calculus.reverse import Adjoint
from matcalc.dims import Shape
from matcalc.expr import Expr
from matcalc.languages import ENGLISH, language
from matcalc.loops.page import checked_style, page_data
from matcalc.loops.problem import LoopProblem
from matcalc.numeric.report import Report
from matcalc.printing.display import display
from matcalc.printing.latex import latex
from matcalc.properties import names_of
from matcalc.steps import Step
from matcalc.views.page import TEXT, Block, Edge, Equation, StepBack
from matcalc.views.view import make_view


def derivation_data(d: Problem | LoopProblem, style: str = "steps", layout: str = "denominator") -> dict[str, Any]:
    """The derivation: gradients of a scalar function, Jacobians of a matrix-valued one; the steps as the style says.

    Example:
        >>> import matcalc as mc
        >>> data = derivation_data(mc.derive("x'*A*x", wrt="x", facts={"A": "symmetric"}))
        >>> data["results"][0]["gradient"], data["variables"][1]
        ('2*A*x', {'name': 'A', 'shape': ['n', 'n'], 'facts': ['symmetric']})
    """
    if isinstance(d, LoopProblem):
        return page_data(d, checked_style(style, layout, ENGLISH))
    view = make_view(d, style, layout, TEXT, language(ENGLISH))
    data: dict[str, Any] = {
        "output": {"name": view.output, "expression": str(_opened(d.output)), "shape": _shape(d.output.shape)},
        "variables": [
            {"name": v.params[0], "shape": _shape(v.shape), "facts": names_of(v.params[3])}
            for v in d.graph.declared.values()
        ],
        "inferred": view.inferred,
        "notice": view.notice,
        "definitions": [
            {"name": name, "expression": str(_opened(e)), "shape": _shape(e.shape)}
            for name, e in d.graph.definitions.items()
        ],
        "domain": [{"fact": fact, "expression": str(e)} for fact, e in d.domain],
        "layout": layout,
    }
    if d.output.is_scalar:
        data["results"] = [_gradient(d, name, line.formula) for name, line in zip(d.names, view.results)]
        data["facts_used"] = [{"name": name, "fact": fact} for name, fact in d.facts_used]
        data["facts_wished"] = [{"name": name, "fact": fact} for name, fact in d.facts_wished]
        adjoints = [made for made in d.reverse.adjoints.values() if made.of is not d.output]
        blocks = [_block(block, made) for block, made in zip(view.blocks, adjoints)]
    else:
        data["results"] = [_jacobian(d, name, line.formula) for name, line in zip(d.names, view.results)]
        blocks = [_block(block) for block in view.blocks]
    if d.liftings:
        data["sums"] = [lifting.data() for lifting in d.liftings]
    if style == "jacobians":
        data["steps"] = blocks
    elif style == "steps":
        data["title"] = view.title
        data["named"] = [{"formula": line.formula, "shape": line.shape} for line in view.forward]
        data["needed"] = [{"equations": [fact.first, *fact.rest], "reason": fact.remark} for fact in view.needed]
        data["steps"] = [_step(step) for step in view.steps]
        data["gradients"] = [_equation(e) for e in view.gradients]
        data["jacobians"] = [{"formula": line.formula, "reason": line.remark} for line in view.jacobians]
    elif style == "differential":
        for part in ("differentials", "carried", "identified"):
            data[part] = [_equation(e) for e in getattr(view, part)]
    return data


def report_data(report: Report) -> dict[str, Any]:
    """The report of a numeric check; errors that are no numbers (nan, inf) as null."""
    return {
        "notice": str(report.notice or ""),
        "ok": report.ok,
        "worst": _finite(report.worst),
        "errors": {name: _finite(error) for name, error in report.errors.items()},
        "trials": report.trials,
        "seed": report.seed,
        "sizes": [dict(sizes) for sizes in report.sizes],
        "reason": report.reason,
    }


def _finite(value: float) -> float | None:
    return float(value) if abs(value) < float("inf") else None


def _shape(shape: Shape) -> list[int | str]:
    return [size if isinstance(size, int) else str(size) for size in shape]


def _opened(e: Expr) -> Expr:
    return e.definition


def _gradient(d: Problem, name: str, formula: str) -> dict[str, Any]:
    gradient = d.gradient(name)
    return {
        "name": name,
        "shape": _shape(gradient.shape),
        "formula": formula,
        "gradient": str(gradient),
        "latex": latex(gradient),
        "structure": d.structure.get(name, "none"),
        "convention": d.convention,
    }


def _jacobian(d: Problem, name: str, formula: str) -> dict[str, Any]:
    jacobian = jacobian_by(d, name)
    return {
        "name": name,
        "shape": _shape(jacobian.value.shape),
        "formula": formula,
        "jacobian": str(jacobian),
        "latex": latex(jacobian.value),
    }


def hessian_data(d: Problem) -> list[dict[str, Any]]:
    """The Hessians of a scalar function by each of its variables."""
    rows = []
    for name in d.names:
        hessian = hessian_by(d, name)
        rows.append(
            {
                "name": name,
                "shape": _shape(hessian.value.shape),
                "hessian": str(hessian),
                "latex": display(hessian.value),
                "conditions": [{"fact": fact, "expression": str(e)} for fact, e in hessian.conditions],
            }
        )
    return rows


def _step(step: StepBack) -> dict[str, Any]:
    """A step back: what enters what, the differentials, and what is read off."""
    return {
        "of": step.values,
        "into": step.into,
        "differentials": [
            *([step.inline] if step.inline else []),
            *(_equation(e) for line in step.lines for e in line),
        ],
        "adjoints": [_equation(e) for e in step.found],
    }


def _equation(e: Equation) -> dict[str, Any]:
    """A chain of equal expressions, each with its reason."""
    return {
        "left": e.left,
        "equals": [row.formula for row in e.rows],
        "reasons": [row.remark for row in e.rows],
        "shape": e.rows[-1].shape,
    }


def _block(block: Block, made: Adjoint | None = None) -> dict[str, Any]:
    """A step of the view; for a scalar function with the adjoint that it finds."""
    data = {
        "of": block.name,
        "definition": block.definition,
        "shape": block.shape,
        "chain_rule": [_edge(edge) for edge in block.edges],
    }
    if made is not None:
        data["before"] = str(made.raw)
        data["rules"] = [_rule(step) for step in made.steps]
        data["after"] = str(made.value)
        data["adjoint"] = block.adjoint
    return data


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "through": edge.start,
        "jacobians": [{"formula": line.formula, "reason": line.remark} for line in edge.jacobians],
        "formula": edge.chain,
        "by": edge.collapse,
    }


def _rule(step: Step) -> dict[str, Any]:
    return {
        "rule": step.rule,
        "before": str(step.before),
        "after": str(step.after),
        "identity": step.identity,
        "source": step.source,
        "facts": [{"name": name, "fact": fact} for name, fact in step.facts],
    }
