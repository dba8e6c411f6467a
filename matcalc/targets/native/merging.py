"""Passes over the entries of the same rows as one pass: what lies between them is in a register, not in memory.

Only passes over as many columns meet, one entry after the other. Functions of entries (exponentials and others) stay
with passes that see a matrix as one long row, as these fill the processor's vectors also where there are few columns.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from matcalc.targets.c.parts import Step, group

_PLACE = re.compile(r"\b[A-Za-z_]\w*\[[^\]]*\]")  # an entry of a matrix
Text = Callable[[bool], str]  # of an entry, where a matrix is read as one long row or not


@dataclass(frozen=True)
class Loop:
    """One pass: a statement for each entry.

    Attributes:
        columns: how many entries a row has.
        indices: the names of the index of rows (or of all entries) and of that of columns.
        target: what it writes.
        place: an entry of the target, as it is written and read.
        entry: the value.
        flat: whether it can read matrices as one long row.
        adds: whether it adds rows up, into one row.
        work: about how many additions an entry takes.
    """

    columns: str
    indices: tuple[str, str]
    target: str
    place: Text
    entry: Text
    flat: bool
    adds: bool
    work: int


def meet(loops: Collection[Loop], other: Loop) -> bool:
    """Whether another pass can join some."""
    if any(loop.columns != other.columns for loop in loops):
        return False
    everything = [*loops, other]
    return all(loop.flat for loop in everything) or (
        other.columns != "1" and all(loop.work == 1 for loop in everything)
    )


def runs(
    steps: Sequence[Step], loop_of: Callable[[Step], Loop | None], sets: Callable[[Step], set[str]]
) -> list[list[Step]]:
    """The steps in an order in which as many passes as possible follow each other; those that are one, together."""
    found: list[list[Step]] = []
    waiting = list(steps)
    while waiting:
        first, *rest = waiting
        run, waiting = [first], []
        loops = [loop for loop in (loop_of(first),) if loop is not None]
        for step in rest:
            loop = loop_of(step)
            if loops and loop is not None and meet(loops, loop) and _free(step, waiting, sets):
                run.append(step)
                loops.append(loop)
            else:
                waiting.append(step)
        found.append(run)
    return found


def _free(step: Step, waiting: Iterable[Step], sets: Callable[[Step], set[str]]) -> bool:
    """Whether a step can come before those that wait."""
    writes = sets(step)
    return not any(step.reads & sets(s) or writes & (s.reads | sets(s)) for s in waiting)


def registers(
    run: Sequence[Step], loops: Sequence[Loop], everything: Sequence[Step], inner: Collection[str]
) -> set[str]:
    """The names that only one pass knows, which need no memory: written once, and read there alone."""
    mine = {id(s) for s in run}
    outside = set(chain.from_iterable(_words(s) for s in everything if id(s) not in mine))
    kept = set(chain.from_iterable(re.findall(r"\w+", loop.entry(False)) for loop in loops if loop.adds))
    written = [loop.target for loop in loops if not loop.adds]
    seen: set[str] = set()
    early = set()
    for loop in loops:
        early |= set(re.findall(r"\w+", loop.entry(False))) - seen
        seen.add(loop.target)
    return {name for name in written if name in inner and written.count(name) == 1} - outside - kept - early


def _words(step: Step) -> set[str]:
    return step.reads | ({step.writes} if step.writes is not None else set())


def merged(
    loops: Sequence[Loop], rows: str, local: Collection[str], part: Callable[[str], str], fresh: Callable[[str], str]
) -> list[str]:
    """The lines of one pass."""
    flat = all(loop.flat for loop in loops)
    (i, j), columns = loops[0].indices, loops[0].columns
    entries = _statements([loop for loop in loops if not loop.adds], flat, local, part, fresh)
    sums = [_renamed(f"{loop.place(flat)} += {loop.entry(flat)};", part) for loop in loops if loop.adds]
    work = sum(loop.work for loop in loops)
    if flat:
        number = f"(size_t){rows}" if columns == "1" else f"(size_t){rows} * {group(columns)}"
        return [f"ENTRIES({i}, {number}, {work}, {{", *_inside(entries), "})"]
    over = f"{i}, (size_t){rows}, {j}, (size_t){group(columns)}"
    if not sums:
        return [f"ROWS({over}, {work}, {{", *_inside(entries), "})"]
    if entries:
        return [f"ROWS_AND_SUMS({over}, {work}, {{", *_inside(entries), "}, {", *_inside(sums), "})"]
    lines = [f"for (size_t {i} = 0; {i} < (size_t){rows}; {i}++)", "    INDEPENDENT"]
    return [
        *lines,
        f"    for (size_t {j} = 0; {j} < (size_t){group(columns)}; {j}++) {{",
        *_inside(_inside(sums)),
        "    }",
    ]


def _inside(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _statements(
    loops: Sequence[Loop], flat: bool, local: Collection[str], part: Callable[[str], str], fresh: Callable[[str], str]
) -> list[str]:
    """What is done for an entry. What is read again is kept: compilers cannot know that nothing has written there."""
    texts = [(loop.place(flat), loop.entry(flat)) for loop in loops]
    reads = Counter(place for _, entry in texts for place in set(_PLACE.findall(entry)))
    known: dict[str, str] = {}
    lines = []
    for loop, (place, entry) in zip(loops, texts):
        for read in sorted(set(_PLACE.findall(entry)) - set(known)):
            if reads[read] > 1:
                known[read] = fresh(f"{read.partition('[')[0]}_at")
                lines.append(f"const real {known[read]} = {_renamed(read, part)};")
        value = _renamed(_PLACE.sub(lambda found: known.get(found[0], found[0]), entry), part)
        if loop.target in local:
            known[place] = loop.target
            lines.append(f"const real {loop.target} = {value};")
            continue
        if reads[place]:
            known[place] = fresh(f"{loop.target}_at")
            lines.append(f"const real {known[place]} = {value};")
            value = known[place]
        lines.append(f"{_renamed(place, part)} = {value};")
    return lines


def _renamed(text: str, part: Callable[[str], str]) -> str:
    """A text with the names of parts of matrices."""
    return re.sub(r"\w+", lambda word: part(word[0]), text)
