"""The functions of all reference cases in another language, compiled, run, and compared with NumPy's.

The value and the derivative of each case, at all its sizes; what a target refuses is listed by its reason.

    python benchmarks/targets.py [cpp armadillo rcpp r octave stan] [--batch 40] [--every 1] [--write docs/languages.md]

The tests take some of the cases, since a compiler needs a second for a function.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from case_support import VALID, Case, derive, sample

import matcalc as mc
from matcalc.errors import MatcalcError, NoRuleError
from matcalc.functions.request import requested, signature
from matcalc.targets.registry import target_of

TARGETS = ("cpp", "armadillo", "rcpp", "r", "octave", "stan")
TOLERANCE = 1e-9
START, END = "<!-- cases -->", "<!-- end of cases -->"


@dataclass
class Count:
    """What became of the functions of a target.

    Attributes:
        equal: those that gave what NumPy gives, at all sizes.
        points: the sizes at which they were called.
        different: what the others gave.
        refused: how many there is no code for, by the reason.
    """

    equal: int = 0
    points: int = 0
    different: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Task:
    """A function of a case."""

    case: Case
    derived: mc.Derivation
    kind: str


def tasks_of(cases: list[Case], target: str, count: Count) -> Iterator[tuple[Task, str]]:
    """The functions of cases that a target has, with their texts."""
    for case in cases:
        d = derive(case)
        for kind in ("value_and_grad",) if case["kind"] == "gradient" else ("value", case["kind"]):
            try:
                yield Task(case, d, kind), d.code(kind, target)
            except NoRuleError as error:
                count.refused[str(error).partition(":")[2].partition(" has no")[0].strip() or str(error)] += 1


def gap(found: Any, wanted: Any) -> float:
    """The largest difference of two results, relative to the largest entry and at least to 1."""
    if isinstance(wanted, tuple):
        return max(gap(one, other) for one, other in zip(found, wanted, strict=True))
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        return max(gap(found[name], wanted[name]) for name in wanted)
    a, b = np.asarray(found, dtype=float), np.asarray(wanted, dtype=float)
    if a.shape != b.shape or not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return float("inf")
    scale = max(1.0, float(np.abs(b[np.isfinite(b)]).max(initial=0.0)))
    return float(np.abs(np.where(a == b, 0.0, a - b)).max(initial=0.0)) / scale


def compare(task: Task, function: Any, count: Count) -> None:
    """One function at all sizes of its case."""
    case, wanted, said = task.case, task.derived.function(task.kind), ""
    for dims in case["dims"]:
        arrays = sample(case, dims)
        try:
            worst = gap(function(**arrays, dims=dims), wanted(**arrays, dims=dims))
            said = said or ("" if worst < TOLERANCE else f"differs by {worst:.1e} at {dims}")
        except (ValueError, MatcalcError) as error:
            said = said or f"{str(error)[:200]} at {dims}"
        count.points += 1
    if said:
        count.different.append(f"{case['id']} {task.kind}: {said}")
    count.equal += not said


def made(target: str, tasks: list[tuple[Task, str]], count: Count) -> list[Any]:
    """The functions of some tasks, None for one that is not taken there; those are sought by halves."""
    runner = target_of(target).runner
    assert runner is not None
    try:
        return runner([(text, signature(t.derived, requested(t.derived, t.kind, target))) for t, text in tasks])
    except MatcalcError as error:
        if len(tasks) == 1:
            count.different.append(f"{tasks[0][0].case['id']} {tasks[0][0].kind}: {str(error)[:600]}")
            return [None]
        half = len(tasks) // 2
        return made(target, tasks[:half], count) + made(target, tasks[half:], count)


def run(target: str, cases: list[Case], batch: int) -> Count:
    """All functions of the cases, some at a time in one program."""
    count = Count()
    found = list(tasks_of(cases, target, count))
    for start in range(0, len(found), batch):
        part = found[start : start + batch]
        for (task, _), function in zip(part, made(target, part, count), strict=True):
            if function is not None:
                compare(task, function, count)
        print(f"  {target}: {start + len(part)} of {len(found)}", file=sys.stderr, flush=True)
    return count


def row(target: str, count: Count) -> str:
    """A line of the table."""
    refused = ", ".join(f"{why} ({n})" for why, n in sorted(count.refused.items())) or "none"
    total = count.equal + len(count.different)
    return f"| `{target}` | {total} | {count.points} | {count.equal} | {refused} |"


def write(path: Path, rows: list[str]) -> None:
    """Put rows into the table of a page, each in place of the row of its target."""
    text = path.read_text(encoding="utf-8")
    for line in rows:
        head = line.split("|")[1]
        text = re.sub(rf"^\|{re.escape(head)}\|.*$(?=[\s\S]*{END})", lambda _, new=line: new, text, count=1, flags=re.M)
    path.write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", default=TARGETS, metavar="target")
    parser.add_argument("--batch", type=int, default=40, help="functions in one program")
    parser.add_argument("--every", type=int, default=1, help="each case of so many")
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--last", type=int, help="the number of the case after the last")
    parser.add_argument("--only", default="", help="ids of cases, with commas")
    parser.add_argument("--write", type=Path, help="the page whose table is kept")
    options = parser.parse_args()
    only = set(filter(None, options.only.split(",")))
    cases = [case for case in VALID[options.first : options.last : options.every] if not only or case["id"] in only]
    rows, failed = [], 0
    for target in options.targets:
        start, count = time.perf_counter(), run(target, cases, options.batch)
        rows.append(row(target, count))
        print(*count.different, rows[-1], f"{time.perf_counter() - start:.0f} s", sep="\n", flush=True)
        failed += len(count.different)
    if options.write:
        write(options.write, rows)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
