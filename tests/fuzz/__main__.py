"""The command: `python -m tests.fuzz --count 100000 --jobs 2 --seed 1`; it exits with 1 where something fails.

Every program has its number: `--start` goes on where a run was broken off, `--only` runs one with every check.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing import get_context

from .run import Outcome, outcome, task


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="how many programs")
    parser.add_argument("--start", type=int, default=0, help="the number of the first one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", type=int, help="the number of one program, run with every check")
    parser.add_argument("--no-shrink", action="store_true", help="show failures as they were found")
    return parser.parse_args()


def _outcomes(options: argparse.Namespace) -> Iterator[Outcome]:
    if options.only is not None:
        yield outcome(options.seed, options.only, everything=True, shrink=not options.no_shrink)
        return
    numbers = range(options.start, options.start + options.count)
    tasks = ((options.seed, k, not options.no_shrink) for k in numbers)
    if options.jobs == 1:
        yield from map(task, tasks)
        return
    with get_context("spawn").Pool(options.jobs, maxtasksperchild=2000) as pool:
        yield from pool.imap_unordered(task, tasks, chunksize=20)


def main() -> int:
    """Run, show progress, failures and counts."""
    options = _options()
    counts: Counter[str] = Counter()
    started, used, done = time.monotonic(), 0.0, 0
    failures: dict[str, str] = {}
    for found in _outcomes(options):
        done += 1
        used += found.seconds
        counts.update(found.results)
        for kind, text in found.failures:
            counts["failed"] += 1
            if kind not in failures:
                failures[kind] = text
                print(f"\n{'-' * 100}\n{text}", flush=True)
        if sys.stderr.isatty() or done % 500 == 0:
            _progress(done, options.count if options.only is None else 1, counts["failed"], time.monotonic() - started)
    print(f"\n{done} programs, {done / max(used, 1e-9):.1f} per second of processor time, {len(failures)} kinds failed")
    for result, n in counts.most_common(40):
        print(f"{n:8d}  {result}")
    return 1 if failures else 0


def _progress(done: int, count: int, failed: int, seconds: float) -> None:
    width = 40
    full = width * done // max(count, 1)
    left = seconds / done * (count - done)
    bar = f"[{'#' * full}{'.' * (width - full)}] {done}/{count}, {failed} failed, {left / 60:.1f} minutes left"
    print(bar, end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
