"""What undeclared names are taken for: scalars, columns or matrices, from the context and else by their first letter.

By its first letter a name is a scalar (a-g), a column (h-z, and Greek words in lower case) or a matrix (A-Z). The
context comes first. Among all readings in which every shape fits, the one is taken that

1. leaves the fewest places at odds: an assumed scalar added to, or multiplied entrywise with, a larger matrix
   (`A*x - b`, `d.*x`), transposed, or handed to a function of vectors (`diag(d)`); and, less so, to the right of a
   matrix (`X*b`), or a scalar value added to a column (`lambda*x'*x + norm2(A*x - b)^2`);
2. is scalar, if the text contracts anything: a function that is differentiated is scalar (`lambda/2*w'*w`);
3. departs from the first letters as little as possible, the later names first.

A size is never set to 1 to make shapes fit: a column becomes a scalar only where the text fits without that, or where
it is a Greek word or an exponent, and a capital letter is never a row or column. The search is bounded, and the same
text always gives the same answer.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from matcalc.dims import Shape, shape_text
from matcalc.errors import ParseError
from matcalc.languages import Message, said

_GREEK_WORD = re.compile(
    "(alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|vartheta|iota|kappa|lambda|mu|nu|xi|omicron|rho|varrho|"
    "sigma|tau|upsilon|phi|varphi|chi|psi|omega)_?[0-9]*"
)
ODDS = 10  # what a place at odds weighs, against departures from the first letter
MILD = 2  # the same where an operation, not an assumption, made the scalar
NO_SCALAR = 3  # the same for a result that is not scalar: two Greek words may change for it, no other column
MAX_RUNS = 60

Kinds = Mapping[str, str]


def kind_of(name: str) -> str | None:
    """What an undeclared name is taken for by its letters: `scalar`, `vector` or `matrix`; None if it has no letter."""
    bare = name.lstrip("_0123456789")
    if not bare:
        return None
    if bare[0].isupper():
        return "matrix"
    return "vector" if is_greek(name) or bare[0] >= "h" else "scalar"


def is_greek(name: str) -> bool:
    """Whether it is the name of a Greek letter, in lower case."""
    return _GREEK_WORD.fullmatch(name.lstrip("_0123456789")) is not None


@dataclass
class Reading:
    """The text with one choice of kinds.

    Attributes:
        shapes: the shapes of the undeclared names as far as they are known.
        odds: places that speak against it: a weight, and the names that may be to blame.
        error: why nothing fits, if so.
        exponents: names that stand where only a scalar can.
        fixed: names whose kinds are declared.
    """

    shapes: dict[str, Shape]
    odds: list[tuple[int, frozenset[str]]] = field(default_factory=list)
    error: ParseError | None = None
    exponents: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()


def choose(read: Callable[[Kinds], Reading]) -> Kinds:
    """The kinds that depart from the first letters; `read` tries a choice.

    Raises:
        ParseError: no reading fits; the error is that of the first letters.
    """
    first: ParseError | None = None
    best: tuple[int, Kinds] | None = None
    queue: list[tuple[int, tuple[int, ...], int, dict[str, str]]] = [(0, (), 0, {})]
    seen: set[frozenset[str]] = {frozenset()}
    for _ in range(MAX_RUNS):
        if not queue or (best is not None and queue[0][0] >= best[0]):
            break
        weight, place, _, kinds = heapq.heappop(queue)
        reading = read(kinds)
        first = first or reading.error
        total = weight + sum(odds for odds, _ in reading.odds)
        if reading.error is None and _is_admissible(reading, kinds) and (best is None or total < best[0]):
            best = total, kinds
        if reading.error is None and not reading.odds:
            continue
        for more, position, name, kind in _departures(reading, kinds):
            chosen = {**kinds, name: kind}
            key = frozenset(f"{n}:{k}" for n, k in chosen.items())
            if key not in seen:
                seen.add(key)
                heapq.heappush(queue, (weight + more, (*place, position), len(seen), chosen))
    if best is None:
        assert first is not None
        raise first
    return best[1]


def _is_admissible(reading: Reading, kinds: Kinds) -> bool:
    """Whether no name was made a scalar only to be spread over a matrix: nothing is made to fit like that."""
    spread = {name for weight, names in reading.odds if weight == ODDS for name in names}
    return all(kinds.get(name) != "scalar" for name in spread)


def _departures(reading: Reading, kinds: Kinds) -> Iterator[tuple[int, int, str, str]]:
    """What may be read otherwise: the weight, the place of the name (the later first), the name and its new kind."""
    suspects = {name for _, names in reading.odds for name in names}
    for position, name in enumerate(reversed(reading.shapes)):
        if name in kinds or name in reading.fixed or (reading.error is None and name not in suspects):
            continue
        kind = kind_of(name)
        if kind == "scalar":
            yield 1, position, name, "vector"
        elif kind == "vector" and (is_greek(name) or name in reading.exponents):
            yield 1, position, name, "scalar"
        elif (kind == "vector" and reading.error is None) or (kind == "matrix" and reading.error is None):
            yield 3, position, name, "scalar"


def notice(shapes: Mapping[str, Shape], kinds: Kinds) -> Message | None:
    """One sentence on what undeclared names were taken for, and how to declare them; None if there are none."""
    lines = {name: f"{name}: {shape_text(shape)}" for name, shape in shapes.items()}
    context = "; ".join(line for name, line in lines.items() if name in kinds)
    letters = "; ".join(line for name, line in lines.items() if name not in kinds)
    parts = [said("{0} (from the context)", context)] if context else []
    parts += [said("{0} (by first letter)", letters)] if letters else []
    if not parts:
        return None
    listed = parts[0] if len(parts) == 1 else said("{0}, {1}", *parts)
    example = (context or letters).partition(";")[0]
    return said("Undeclared names are taken for {0}; declare one to change that, as in {1}", listed, example)
