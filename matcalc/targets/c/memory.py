"""Where the matrices of a function in C lie: in one workspace, or in the results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from matcalc.targets.c.entries import Shape, product
from matcalc.targets.c.parts import Step, count


def placed(
    steps: Sequence[Step],
    shapes: Mapping[str, Shape],
    owned: Mapping[str, str],
    spans: Iterable[tuple[int, int]] = (),
    base: Callable[[str], str] = str,
) -> tuple[list[str], str]:
    """Lines that give each matrix its place, and the size of the workspace.

    A place is used again when nobody reads any more what is there; what a loop finds there it may read at every step.

    Args:
        steps: in order.
        shapes: of all names.
        owned: by name the result in which a matrix lies.
        spans: the first and the last step of each loop, inner loops first.
        base: of a pointer the matrix in which it stands; of a matrix itself.
    """
    touched = [sorted({base(n) for n in (s.reads if s.writes is None else {*s.reads, s.writes})}) for s in steps]
    made = {base(s.writes) for s in steps if s.writes is not None} - owned.keys()
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for k, names in enumerate(touched):
        for name in names:
            first.setdefault(name, k)
            last[name] = k
    for start, end in spans:
        for name, k in last.items():
            if first[name] < start <= k <= end:
                last[name] = end
    ending: dict[int, list[str]] = {}
    for name in sorted(made & last.keys()):
        ending.setdefault(last[name], []).append(name)
    places: list[Shape] = []
    free: dict[str, list[int]] = {}
    place: dict[str, int] = {}
    for k, names in enumerate(touched):
        for name in names:
            if name in made and name not in place:
                waiting = free.get(product(*shapes[name]), [])
                if waiting:
                    place[name] = waiting.pop()
                else:
                    place[name] = len(places)
                    places.append(shapes[name])
        for dead in ending.get(k, ()):
            free.setdefault(product(*shapes[dead]), []).append(place[dead])
    return _lines(place, [count(shape) for shape in places], owned)


def _lines(place: Mapping[str, int], sizes: Sequence[str], owned: Mapping[str, str]) -> tuple[list[str], str]:
    lines: list[str] = []
    first_of: dict[int, str] = {}
    for name, number in place.items():
        if number in first_of:
            lines.append(f"double *const {name} = {first_of[number]};")
            continue
        first_of[number] = name
        before = f"{first_of[number - 1]} + {sizes[number - 1]}" if number else "work"
        lines.append(f"double *const {name} = {before};")
    lines += [f"double *const {name} = {output};" for name, output in owned.items() if name != output]
    return lines, " + ".join(sizes)
