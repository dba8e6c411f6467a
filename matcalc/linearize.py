"""The local maps of a graph of values: what reverse and forward accumulation, Jacobians and paths fold over."""

from __future__ import annotations

from collections.abc import Iterable

from matcalc.expr import Expr, postorder, record
from matcalc.map_kinds import LinearMap, Zero
from matcalc.walk import depends


class Linearization:
    """The values below some roots, and the differential of each by its arguments; made when it is asked for.

    Args:
        roots: the values that are differentiated; names are looked through.
        wrt: what they are differentiated by.

    Attributes:
        order: all values below the roots, arguments before what uses them.
        needed: those that depend on `wrt`, and `wrt`.
    """

    def __init__(self, roots: Iterable[Expr], wrt: Iterable[Expr]) -> None:
        roots = tuple(roots)
        self.order = list(postorder(roots))
        self.needed = depends(roots, wrt)
        self._names: dict[Expr, Expr] = {}
        for e in self.order:
            if e.op == "named":
                self._names.setdefault(e.args[0], e)

    def written(self, e: Expr) -> Expr:
        """A value as derivatives refer to it: by its name where it is a definition."""
        return self._names.get(e, e)

    def local(self, e: Expr) -> list[tuple[Expr, LinearMap]]:
        """The arguments of a value that depend on `wrt`, each with the map from its differential to that of the value.

        An argument that occurs twice is listed twice; maps that are zero are left out.
        """
        if not any(a in self.needed for a in e.args):
            return []
        maps = record(e.op).differential(self.written(e), *e.args, *e.params)
        return [(a, L) for a, L in zip(e.args, maps) if a in self.needed and not isinstance(L, Zero)]
