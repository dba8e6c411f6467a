"""How long curvature, optima and values given by equations take: the goals are 2 s each and a median of 0.2 s.

python benchmarks/answers.py [--slowest 5]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from case_support import load

import matcalc as mc

MOST, MEDIAN = 2.0, 0.2


def curvature(case: dict[str, Any]) -> str:
    """The verdict, with its proof."""
    return mc.derive(case["program"], wrt=case["wrt"]).curvature(case["wrt"]).text()


def optimum(case: dict[str, Any]) -> str:
    """The answer, with its proof."""
    seek = {"min": mc.minimize, "max": mc.maximize}.get(case["sense"])
    if seek is None:
        return mc.derive(case["program"], wrt=case["over"]).optimum(case["over"], case["subject_to"]).text()
    return seek(case["program"], over=case["over"], subject_to=case["subject_to"]).text()


def implicit(case: dict[str, Any]) -> str:
    """The page with the derivatives."""
    return mc.derive(case["program"], wrt=case["wrt"]).text()


KINDS: dict[str, Callable[[dict[str, Any]], str]] = {"curvature": curvature, "optimum": optimum, "implicit": implicit}


def main() -> int:
    """Print the times in processor seconds; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slowest", type=int, default=3, help="how many cases to name")
    options = parser.parse_args()
    mc.minimize("x: n x 1; norm2(x)^2", over="x")  # what is read and compiled once
    times: list[float] = []
    for kind, answer in KINDS.items():
        taken: list[tuple[float, str]] = []
        for case in load(kind):
            start = time.process_time()
            answer(case)
            taken.append((time.process_time() - start, case["id"]))
        times += [seconds for seconds, _ in taken]
        slowest = ", ".join(f"{name} {seconds:.2f} s" for seconds, name in sorted(taken)[: -options.slowest - 1 : -1])
        print(f"{kind:10} {len(taken):4} cases, median {median(s for s, _ in taken):.3f} s, slowest {slowest}")
    print(f"all        {len(times):4} cases, median {median(times):.3f} s, slowest {max(times):.2f} s")
    return int(max(times) > MOST or median(times) > MEDIAN)


if __name__ == "__main__":
    sys.exit(main())
