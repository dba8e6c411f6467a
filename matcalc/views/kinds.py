"""One operation for each kind of step of a page: those whose Jacobians are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from matcalc import maps
from matcalc.calculus.paths import LocalJacobian, Path
from matcalc.core import number, scale
from matcalc.dims import is_one
from matcalc.expr import Expr
from matcalc.map_kinds import Identity, Transposition
from matcalc.ops.reductions import norm2

PASSING = ("add", "scale")


def kinds_of_steps(paths: Iterable[Path]) -> list[list[LocalJacobian]]:
    """One operation of each kind on some paths, by all its arguments; what leaves vec as it is teaches nothing."""
    seen: set[tuple[str, str]] = set()
    found: list[list[LocalJacobian]] = []
    whole: dict[Expr, list[LocalJacobian]] = {}
    paths = list(paths)
    for path in paths:
        for j in path.jacobians:
            own = whole.setdefault(j.value.definition, [])
            own += [] if j in own else [j]
    for path in paths:
        for j in _squares_whole(path.jacobians):
            if _kind(j) in seen or _kind(j)[1] in PASSING or _changes_nothing(j):
                continue
            own = whole[j.value.definition]
            found.append([j, *(o for o in own if o != j)] if j in own else [j])
            seen.update(map(_kind, found[-1]))
    return found


def _kind(j: LocalJacobian) -> tuple[str, str]:
    return type(j.map).__name__, j.value.definition.op


def _changes_nothing(j: LocalJacobian) -> bool:
    """Whether vec stays as it is: a transpose of a vector, too."""
    return isinstance(j.map, Identity) or (isinstance(j.map, Transposition) and any(map(is_one, j.argument.shape)))


def _squares_whole(jacobians: tuple[LocalJacobian, ...]) -> Iterator[LocalJacobian]:
    """The operations of a path; norm2(X)^2 = x'*x is one, which has a derivative at 0, too."""
    waiting = list(jacobians)
    while waiting:
        j = waiting.pop(0)
        square = j.value.definition
        is_square = square.op == "power" and square.args[1].number == 2 and square.args[0].definition.op == norm2.name
        if is_square and waiting and waiting[0].value.definition is square.args[0].definition:
            inside = waiting.pop(0)
            by = scale(number(2), inside.argument)
            yield LocalJacobian(j.value, inside.argument, maps.inner(by), inside.identity, inside.source)
        else:
            yield j
