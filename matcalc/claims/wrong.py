"""Gradients with a mistake on purpose: reverse accumulation in which some values are held constant, some derivatives
of activations are taken as 1, or one operation is differentiated as people do it wrongly."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from matcalc import core
from matcalc.dims import same_shape
from matcalc.expr import REGISTRY, Expr, Op, node, operations, postorder, record
from matcalc.linearize import Linearization
from matcalc.linop import adjoint, apply
from matcalc.map_kinds import LinearMap, Mask
from matcalc.ops.elementwise import cos, log, relu, sigmoid, sin, sqrt, tanh
from matcalc.ops.normalization import log_softmax, logsumexp, softmax, standardize
from matcalc.ops.reductions import max_, mean_, min_, norm2, std, sum_, var_
from matcalc.walk import depends, substitute, transform

MAX_NODES = 10
ACTIVATIONS = (sigmoid, tanh, relu, log, sqrt, sin, cos)  # taken for one another
NORMALIZED = operations(softmax, log_softmax)  # each entry depends on all others
REDUCTIONS = operations(sum_, mean_, var_, std, max_, min_, norm2, logsumexp)


@dataclass(frozen=True)
class Local:
    """One operation differentiated wrongly.

    Attributes:
        place: the operation.
        kind: `at the output` (the slope taken at f(x)), `at the input` (the slope, a formula in f(x), written with x),
            `twice`, `entry by entry` (as if it had the slope y o (1 - y)), `twice, entry by entry` (that as well),
            `value` (the function in place of its slope), `other` (the slope of another function, written with the value
            of this one), `other function` (all of another function), `left out` (the argument in place of the slope,
            which is another function of it), `broadcast` (that of a 1 x 1 value taken as 1 for
            every entry).
        other: for these, the function.
    """

    place: Expr
    kind: str
    other: str = ""

    @property
    def weight(self) -> float:
        """How much has to go wrong; that a factor of the slope is missing says more than that the value is left."""
        return 1.5 if self.kind == "value" else 0.9

    def back(self, value: Expr, G: Expr) -> Expr:
        """What is propagated to the argument; `value` is the operation under its name, `G` its adjoint."""
        e, x = self.place, self.place.args[0]
        if self.kind == "broadcast":
            return core.broadcast(G, x.shape)
        if self.kind == "at the output":
            return apply(adjoint(_slope(e, node(e.op, (value,), e.params), value)), G)
        if self.kind == "at the input":
            return apply(adjoint(_slope(e, x, x)), G)
        if self.kind == "entry by entry":
            return core.entrywise_product(G, _logistic(value))
        if self.kind == "left out":
            return core.entrywise_product(G, x)
        if self.kind == "value":
            return core.entrywise_product(G, value)
        if self.kind.startswith("twice"):
            slope = adjoint(_slope(e, value, x))
            once = apply(slope, G)
            return apply(slope, once) if self.kind == "twice" else core.entrywise_product(once, _logistic(value))
        other = node(self.other, (x,))
        return apply(adjoint(_slope(other, value if self.kind == "other" else other, x)), G)


def _logistic(value: Expr) -> Expr:
    return core.entrywise_product(value, core.difference(1, value))


def _slope(e: Expr, value: Expr, x: Expr) -> LinearMap:
    """The local derivative of an operation, written with a value and an argument that may be wrong."""
    found: LinearMap = record(e.op).differential(value, x, *e.params)[0]
    return found


@dataclass(frozen=True)
class Mistake:
    """What is done wrong on the way back.

    Attributes:
        held: values through which nothing is propagated.
        linear: entrywise operations whose derivative is taken as 1.
        local: an operation that is differentiated wrongly.
    """

    held: tuple[Expr, ...] = ()
    linear: tuple[Expr, ...] = ()
    local: Local | None = None

    @property
    def weight(self) -> float:
        """How much has to go wrong at once."""
        return len(self.held) + (1 if self.linear else 0) + (0 if self.local is None else self.local.weight)


def wrong_gradient(output: Expr, target: Expr, mistake: Mistake) -> Expr:
    """The gradient of a 1 x 1 output with respect to a value, with the mistake made; not simplified."""
    return _accumulated(output, target, frozenset(mistake.held), frozenset(mistake.linear), mistake.local)


def _accumulated(
    output: Expr, target: Expr, held: Collection[Expr], straight: Collection[Expr], local: Local | None
) -> Expr:
    linear = Linearization((output,), (target,))
    contributions: dict[Expr, list[Expr]] = {output: [core.number(1)]}
    for e in reversed(linear.order):
        parts = contributions.get(e)
        if parts is None or e not in linear.needed or e in held or e is target:
            continue
        G = core.add(*parts)
        if local is not None and e is local.place:
            contributions.setdefault(e.args[0], []).append(local.back(linear.written(e), G))
            continue
        for a, L in linear.local(e):
            back = G if e in straight and same_shape(a.shape, G.shape) else apply(adjoint(L), G)
            contributions.setdefault(a, []).append(back)
    found = contributions.get(target)
    if found is None:
        return core.zero_of(target)
    return core.add(*found)


def opened(output: Expr, *others: Expr) -> list[Expr]:
    """The expressions with standardisations written out, so that their mean and deviation can be held constant."""
    definition = standardize.definition
    assert definition is not None

    def written_out(new: Expr, _: Expr) -> Expr:
        return definition(*new.args, *new.params) if new.op == "standardize" else new

    done = transform((output, *others), written_out)
    return [done[e] for e in (output, *others)]


def reductions(output: Expr) -> list[Expr]:
    """The sums, means, deviations, ... inside an expression that stand under no name."""
    order = list(postorder((output,)))
    bodies = {e.args[0] for e in order if e.op == "named"}
    return [e for e in order if e.op in REDUCTIONS and e not in bodies and e is not output]


def mistakes(output: Expr, target: Expr) -> Iterator[Mistake]:
    """The mistakes that can be made on the way from the output to a value: the simple ones first."""
    needed = depends((output,), (target,))
    order = [e for e in postorder((output,)) if e in needed and e is not target and e is not output]
    activations = tuple(e for e in order if _is_activation(e))
    inner = set(reductions(output))
    nodes = [e for e in order if e.op == "named" or e in inner][:MAX_NODES]
    linear = [()] if not activations else [(), activations]
    yield Mistake()
    yield from (Mistake((), chosen) for chosen in linear[1:])
    yield from (Mistake((), (a,)) for a in activations[: MAX_NODES if len(activations) > 1 else 0])
    yield from (Mistake(local=local) for local in _locals(order, output))
    for size in (1, 2):
        for held in combinations(nodes, size):
            yield from (Mistake(held, chosen) for chosen in linear)


def _is_activation(e: Expr) -> bool:
    return REGISTRY[e.op].scalar_function is not None or e.op in ("func", *NORMALIZED)


def _by_its_value(function: Op, x: Expr) -> bool:
    """Whether the slope of a function is written with its value, as that of the sigmoid, y o (1 - y)."""
    f = function(x)
    return _slope(f, f, x) != _slope(f, x, x)


def _function_of_slope(e: Expr) -> str:
    """The function that is the slope, as the sigmoid is that of softplus; empty where it is none of the argument."""
    slope = _slope(e, e, e.args[0])
    if not isinstance(slope, Mask) or slope.by is e or slope.by.args != e.args:
        return ""
    return slope.by.op if REGISTRY[slope.by.op].scalar_function is not None else ""


def _locals(order: Sequence[Expr], output: Expr) -> Iterator[Local]:
    """The operations on the way that are often differentiated wrongly, and how."""
    entrywise = [e for e in order if REGISTRY[e.op].scalar_function is not None and len(e.args) == 1][:MAX_NODES]
    normalized = [e for e in order if e.op in NORMALIZED][:MAX_NODES]
    for e in normalized:
        yield Local(e, "entry by entry")
        yield Local(e, "twice, entry by entry")
    for e in (*normalized, *entrywise):
        yield Local(e, "twice")
    for e in entrywise:
        yield Local(e, "at the output")
        yield Local(e, "at the input")
        yield Local(e, "value")
        if slope := _function_of_slope(e):
            yield Local(e, "left out", slope)
    for e in entrywise:
        for other in ACTIVATIONS:
            if other.name != e.op:
                if _by_its_value(other, e.args[0]):
                    yield Local(e, "other", other.name)
                yield Local(e, "other function", other.name)
    for e in (*order, output):
        inner = e.definition
        if inner.op in REDUCTIONS and inner.is_scalar and not inner.args[0].is_scalar and inner.op != "sum":
            yield Local(inner, "broadcast")


def neighbours(output: Expr) -> Iterator[tuple[Expr, Expr, Expr]]:
    """Functions that are taken for this one: a part, what stands in its place, the function with it.

    A norm for its square and the reverse, a power, root or logarithm that is left out.
    """
    order = list(postorder((output,)))
    squared = {e.args[0] for e in order if e.op == "power"}
    for e in order:
        if e.op in ("norm2", "sqrt", "std") and e not in squared:
            yield from _with_part(output, e, core.power(e, 2))
        definition = record(e.op).definition
        spelled = e if definition is None else definition(*e.args, *e.params)
        if spelled.op in ("power", "sqrt", "log"):
            yield from _with_part(output, e, spelled.args[0])


def _with_part(output: Expr, part: Expr, other: Expr) -> Iterator[tuple[Expr, Expr, Expr]]:
    if same_shape(part.shape, other.shape):
        yield part, other, substitute(output, {part: other})
