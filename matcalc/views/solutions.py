"""alpha = inv(K)*y: what a quadratic form y'*inv(K)*y is differentiated to, by the name that it has in textbooks.

Source: Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), 5.4.1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from matcalc import core
from matcalc.dims import is_one
from matcalc.expr import Expr, postorder
from matcalc.ops.linalg import inv
from matcalc.printing.text import text
from matcalc.properties import known
from matcalc.walk import transform

LETTER = "alpha"


def solutions(output: Expr, moving: Collection[Expr]) -> Iterator[Expr]:
    """inv(K)*y for the quadratic forms y'*inv(K)*y with a symmetric K that moves."""
    for e in postorder((output,)):
        if e.op != "matmul" or not e.is_scalar or len(e.args) != len(("y'", "inv(K)", "y")):
            continue
        before, between, y = e.args
        is_form = before is core.transpose(y) and between.op == inv.name and y.name
        if is_form and between.args[0] in moving and known(between.args[0], "symmetric"):
            yield core.matmul(between, y)


def by_solutions(e: Expr, names: Mapping[Expr, Expr]) -> Expr:
    """An expression with the names of such solutions, products multiplied out where these then occur."""

    def change(new: Expr, _: Expr) -> Expr:
        if new.op != "matmul":
            return new
        folded = _folded(new, names)
        place = next((k for k, f in enumerate(new.args) if f.op == "add"), None)
        if place is None or folded is not new:
            return folded
        left, terms, right = new.args[:place], new.args[place].args, new.args[place + 1 :]
        spread = core.add(*(_folded(_times(left, t, right), names) for t in terms))
        return spread if len(text(spread)) < len(text(new)) else new

    return transform((e,), change, through_names=False)[e] if names else e


def _times(left: tuple[Expr, ...], t: Expr, right: tuple[Expr, ...]) -> Expr:
    """One term of a product multiplied out; numbers in front, identities left out."""
    scalars: tuple[Expr, ...] = ()
    if t.op == "scale":
        scalars, t = t.args[:-1], t.args[-1]
    factors = [*left, *(t.args if t.op == "matmul" else () if t.op == "eye" else (t,)), *right]
    body = core.matmul(*factors) if len(factors) > 1 else factors[0]
    return core.scale(*scalars, body) if scalars else body


def _folded(e: Expr, names: Mapping[Expr, Expr]) -> Expr:
    """A product with inv(K)*y and y'*inv(K) by their names."""
    scalars: tuple[Expr, ...] = ()
    body = e
    if e.op == "scale":
        scalars, body = e.args[:-1], e.args[-1]
    if body.op != "matmul":
        return e
    factors = [inverse for f in body.args for inverse in _inverses(f)]
    for solution, name in names.items():
        inverse, y = solution.args
        pairs = {(inverse, y): name, (core.transpose(y), inverse): core.transpose(name)}
        k = 0
        while k + 1 < len(factors):
            if (short := pairs.get((factors[k], factors[k + 1]))) is not None:
                factors[k : k + 2] = [short]
            k += 1
    if not any(core.transpose(name) in factors or name in factors for name in names.values()):
        return e
    made = core.matmul(*factors) if len(factors) > 1 else factors[0]
    return core.scale(*scalars, made) if scalars else made


def _inverses(f: Expr) -> tuple[Expr, ...]:
    """K^-2 as inv(K)*inv(K)."""
    if f.op in ("power", "matpow") and f.args[1].number == -len("KK") and not is_one(f.shape[0]):
        return inv(f.args[0]), inv(f.args[0])
    return (f,)
