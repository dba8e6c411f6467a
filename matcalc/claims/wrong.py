"""Gradients with a mistake on purpose: reverse accumulation in which some values are held constant, or some
derivatives of activations are taken as 1."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import combinations

from matcalc import core
from matcalc.dims import same_shape
from matcalc.expr import REGISTRY, Expr, depends, postorder, rebuild, record
from matcalc.linop import adjoint, apply
from matcalc.maps import Zero

MAX_NODES = 10
REDUCTIONS = ("sum", "mean", "var", "std", "max", "min", "norm2", "logsumexp")


@dataclass(frozen=True)
class Mistake:
    """What is done wrong on the way back.

    Attributes:
        held: values through which nothing is propagated.
        linear: entrywise operations whose derivative is taken as 1.
    """

    held: tuple[Expr, ...] = ()
    linear: tuple[Expr, ...] = ()

    @property
    def weight(self) -> float:
        """How much has to go wrong at once."""
        return len(self.held) + (1 if self.linear else 0)


def wrong_gradient(output: Expr, target: Expr, mistake: Mistake) -> Expr:
    """The gradient of a 1 x 1 output with respect to a value, with the mistake made; not simplified."""
    return _accumulated(output, target, frozenset(mistake.held), frozenset(mistake.linear))


def _accumulated(output: Expr, target: Expr, held: Collection[Expr], linear: Collection[Expr]) -> Expr:
    order = list(postorder((output,)))
    alias = {e.args[0]: e for e in order if e.op == "named"}
    needed = depends((output,), (target,))
    contributions: dict[Expr, list[Expr]] = {output: [core.number(1)]}
    for e in reversed(order):
        parts = contributions.get(e)
        if parts is None or e not in needed or e in held or e is target:
            continue
        G = core.add(*parts)
        maps = record(e.op).differential(alias.get(e, e), *e.args, *e.params)
        for a, L in zip(e.args, maps):
            if a not in needed or isinstance(L, Zero):
                continue
            back = G if e in linear and same_shape(a.shape, G.shape) else apply(adjoint(L), G)
            contributions.setdefault(a, []).append(back)
    found = contributions.get(target)
    if found is None:
        return core.number(0) if target.is_scalar else core.zeros(*target.shape)
    return core.add(*found)


def opened(output: Expr, *others: Expr) -> list[Expr]:
    """The expressions with standardisations written out, so that their mean and deviation can be held constant."""
    done: dict[Expr, Expr] = {}
    for e in postorder((output, *others)):
        args = tuple(done[a] for a in e.args)
        definition = record(e.op).definition
        if e.op == "standardize" and definition is not None:
            done[e] = definition(*args, *e.params)
        else:
            done[e] = e if args == e.args else rebuild(e, args)
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
    activations = tuple(e for e in order if REGISTRY[e.op].scalar_function is not None or e.op == "func")
    inner = set(reductions(output))
    nodes = [e for e in order if e.op == "named" or e in inner][:MAX_NODES]
    linear = [()] if not activations else [(), activations]
    yield Mistake()
    yield from (Mistake((), chosen) for chosen in linear[1:])
    yield from (Mistake((), (a,)) for a in activations[: MAX_NODES if len(activations) > 1 else 0])
    for size in (1, 2):
        for held in combinations(nodes, size):
            yield from (Mistake(held, chosen) for chosen in linear)
