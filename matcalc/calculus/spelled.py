"""Functions that a source spells out, `exp(x)/sum(exp(x))`, are recognised before anything is differentiated.

So `softmax` has its compact derivative, and generated code does not overflow; sums and products over the entries of
factors and eigenvalues become determinants and traces. Named values are searched one definition at a time; values in
`wrt` always stay.
"""

from __future__ import annotations

from collections.abc import Iterable

from matcalc.calculus.conditions import domain_of
from matcalc.expr import Expr, operations, postorder
from matcalc.graph import Graph
from matcalc.ops.arithmetic import add, divide, hadamard_, power_, scale_
from matcalc.ops.decompositions import chol
from matcalc.ops.elementwise import exp, log, sigmoid, sinh
from matcalc.ops.entry_products import prod
from matcalc.ops.normalization import log_softmax, logsumexp, softmax
from matcalc.ops.reductions import mean_, std, sum_, var_
from matcalc.ops.spectral import eigvals
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.rule import Rule, among, rules_of
from matcalc.rules.eigenvalues import FACTORED
from matcalc.rules.layers import LAYERS, RECTIFIERS
from matcalc.rules.recognition import SPELLED_OUT
from matcalc.rules.single import SINGLE
from matcalc.steps import Step
from matcalc.walk import transform

# Where none of these is, no function and no layer is spelled out.
MARKS = operations(exp, sinh, sigmoid, softmax, log_softmax, logsumexp, mean_, var_, std)
FACTORS = operations(chol, eigvals)
REDUCTIONS = operations(sum_, prod)
# With what is nonnegative whatever its variables are, these are no choice: the derivative of x'x is not that of abs.
NONNEGATIVE = (
    *("norm_of_scalar", "sum_norm_of_scalar"),
    *("absolute_value_of_nonnegative", "relu_of_nonnegative", "sum_norm_of_nonnegative"),
)
DETERMINANTS = ("det_of_matrix_power", "det_of_inverse", "logdet_of_matrix_power")
ROOTS = operations(divide, scale_, hadamard_, power_, log, add, exp, softmax, log_softmax, mean_)


def recognised(graph: Graph) -> tuple[Graph, list[Step]]:
    """The graph with the functions that it spells out by name, and the steps to them; itself where there is none."""
    order = list(postorder((graph.output, *graph.definitions.values())))
    steps: list[Step] = []
    at_root = rules_of("collapse", "expand", only=among(*SINGLE, *DETERMINANTS, *RECTIFIERS, *NONNEGATIVE))
    if not any(e.op in MARKS or e.op in FACTORS or e.op in at_root for e in order):
        return graph, []
    hot: set[Expr] = set()  # what has one of the marks in it, names not looked through

    def known(new: Expr, old: Expr) -> Expr:
        if new.op != "named" and (new.op in MARKS or any(a in hot for a in new.args)):
            new = _named(new, steps) if new.op in ROOTS else new
            hot.add(new)
        if new.op in REDUCTIONS and old.is_scalar:
            new = _without_factor(new, steps)
        while new.op in at_root and (after := _rewritten_root(new, at_root[new.op], steps)) is not new:
            new = after
        return new

    done = transform((graph.output, *graph.definitions.values()), known)
    if not steps:
        return graph, []
    made = Graph.of(done[graph.output], graph.declared.values())
    for name, definition in graph.definitions.items():
        made.collect(done[definition])
        made.handles[name] = done.get(graph.handles[name], graph.handles[name])
    return made, steps


def _named(e: Expr, steps: list[Step]) -> Expr:
    """`e` by its name, with the steps to it, if it spells out a function."""
    quiet = Rewriter(Context(), among(*SPELLED_OUT, *LAYERS))
    found = quiet.simplify(e)
    if not quiet.context.steps or quiet.cost(found) >= quiet.cost(e):
        return e
    steps.extend(quiet.context.steps)
    return found


def _rewritten_root(e: Expr, rules: list[Rule], steps: list[Step]) -> Expr:
    """`e` by the first of the rules that fits, with the step to it."""
    context = Context()
    for r in rules:
        after = r.apply(e, context)
        if after is not None:
            context.log(r.name, r.identity, r.source, e, after)
            steps.extend(context.steps)
            return after
    return e


def _without_factor(e: Expr, steps: list[Step]) -> Expr:
    """A sum or product over a factor's diagonal or over eigenvalues as a determinant or trace, with the steps to it."""
    inner = e.args[0]
    while inner.op in ("log", "power", "diagvec"):
        inner = inner.args[0]
    if inner.op not in FACTORS:
        return e
    quiet = Rewriter(Context(domain_of(e), closed=False), among(*FACTORED))
    found = quiet.normal(e)
    steps.extend(quiet.context.steps)
    return found


def lost_conditions(steps: Iterable[Step]) -> list[tuple[str, Expr]]:
    """What the source needs and its rewritten form does not: S must be positive definite where chol(S) is written."""
    lost = (pair for s in steps if s.rule in FACTORED for pair in domain_of(s.before))
    return [(fact, e) for fact, e in lost if fact in ("positive", "positive-definite")]
