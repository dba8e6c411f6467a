"""Weighted sums of differences of rows, the sums over j of W_ij (z_j - x_i), which come as W Z - diag(W 1) X.

The derivatives of distances have this form. The rows are taken from their mean, so that nothing is lost of points that
lie far from 0. For distances within one set of points, what W has on its diagonal meets x_i - x_i and takes no part:
where it is large beside the rest, as in a kernel of points that are far apart, it would take all digits with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from matcalc import core
from matcalc.core import broadcast, minus
from matcalc.dims import is_one
from matcalc.emit.weights import Weights, is_zero, less, polynomial, stochastic
from matcalc.expr import Expr, postorder
from matcalc.ops.hollow import is_hollow
from matcalc.rewrite.terms import factors_of, join, meaning, number_and_term, split
from matcalc.walk import transform

Group = Mapping[int, tuple[bool, Weights]]


def from_mean(roots: Iterable[Expr]) -> Mapping[Expr, Expr]:
    """The roots with their differences of rows taken from a mean, and weights that are 0 where a row meets itself."""
    roots = list(roots)
    if not any(e.op == "pdist2" for e in postorder(roots)):  # then no sum is searched for them
        return {}
    return transform(roots, lambda new, _: _rewritten(new) if new.op == "add" else new)


def _rewritten(e: Expr) -> Expr:
    """A sum with its differences of rows in the other form, if it has some."""
    for X, Z in _rows(e):
        groups: dict[tuple[Expr, ...], dict[int, tuple[bool, Weights]]] = defaultdict(dict)
        for k, t in enumerate(e.args):
            is_product, weights = _weights(t, X, Z)
            if weights:
                groups[tuple(split(t)[1])][k] = is_product, weights
        for scalars, group in groups.items():
            made = _differences(group, X, Z) if len(group) > 1 else None
            if made is not None:
                rest = [t for k, t in enumerate(e.args) if k not in group]
                return core.add(*rest, join(1, scalars, made))
    return e


def _rows(e: Expr) -> list[tuple[Expr, Expr]]:
    """The rows X and Z that the sum may be about: those of products W Z with distances of X from Z in W."""
    found = []
    for body in (meaning(b) for b in (split(t)[2] for t in e.args) if b is not None):
        if body.op == "matmul":
            Z = core.matmul(*body.args[1:])
            pairs = [s.args for s in postorder((body.args[0],)) if s.op == "pdist2"]
            found += [
                (X, Z) for first, second in pairs for X, other in ((first, second), (second, first)) if other is Z
            ]
    return list(dict.fromkeys(found))


def _weights(t: Expr, X: Expr, Z: Expr) -> tuple[bool, Weights]:
    """Whether a term is c W Z, else -c diag(W 1) X, and the numbers c with the matrices W; none of other terms.

    X alone is diag(W 1) X for any W with W 1 = 1, which is noted as None.
    """
    c, _, body = split(t)
    body = None if body is None else meaning(body)
    if body is None or body is X:
        return False, [] if body is None else [(-c, None)]
    if body.op == "matmul":
        W, *others = body.args
        return True, [(c, W)] if core.matmul(*others) is Z else []
    for k, column in enumerate(body.args if body.op == "hadamard" else ()):
        others = [*body.args[:k], *body.args[k + 1 :]]
        if others and core.hadamard(*others) is X:
            return False, [(-c * k, W) for k, W in _summed(column)]
    return False, []


def _summed(column: Expr) -> list[tuple[Any, Expr]]:
    """The matrices, with numbers, whose sums of rows are added in a (repeated) column; none where it is another."""
    found: list[tuple[Any, Expr]] = []
    whole = column.args[0] if column.op == "broadcast" else column
    for t in factors_of(meaning(whole), "add"):
        c, sums = number_and_term(t)
        sums = None if sums is None else meaning(sums.args[0] if sums.op == "broadcast" else sums)
        turned = sums is not None and sums.op == "transpose"
        sums = meaning(sums.args[0]) if sums is not None and turned else sums
        if sums is None or sums.op != "sum" or sums.params[0] != (1 if turned else 2):
            return []
        found.append((c, core.turned(sums.args[0]) if turned else sums.args[0]))
    return found


def _differences(group: Group, X: Expr, Z: Expr) -> Expr | None:
    """The sum of these terms in the other form, if they are such a sum, or what is on the diagonals cancels."""
    products = [(c, W) for is_product, weights in group.values() if is_product for c, W in weights if W is not None]
    sums = [pair for is_product, weights in group.values() if not is_product for pair in weights]
    given = [(c, W) for c, W in sums if W is not None]
    own = X is Z and not is_one(X.shape[0])
    if alone := sum(c for c, W in sums if W is None):
        P = stochastic(less(polynomial(products, diagonal=own), polynomial(given, diagonal=own)), alone, products)
        if P is None:
            return None
        given.append((alone, P))
    balanced = is_zero(less(polynomial(products), polynomial(given)))
    hollow = own and is_zero(less(polynomial(products, diagonal=True), polynomial(given, diagonal=True)))
    if not products or not (balanced or hollow):
        return None
    keep = (lambda W: W) if not hollow else _without_diagonal
    if balanced:  # the sums are those of the weights in the products
        given = products
        centre = core.mean(Z, 1)
        X, Z = (core.add(A, broadcast(minus(centre), A.shape)) for A in (X, Z))
    parts = [join(c, [], core.matmul(keep(W), Z)) for c, W in products]
    columns = [join(c, [], core.total(keep(W), 2)) for c, W in given]
    return core.add(*parts, minus(core.hadamard(broadcast(core.add(*columns), X.shape), X)))


def _without_diagonal(W: Expr) -> Expr:
    return W if is_hollow(W) else core.add(W, minus(core.diag(core.diagvec(W))))
