"""The rates of the verdicts: closed forms of the reference cases proved, mutants of them disproved, and the times.

    python benchmarks/claims.py [--mutants 8] [--only ID] [--failures] [--chains]

A mutant is a closed form with one edit; it counts where its values differ from the closed form's
at the data of the case.
`--chains` also checks every proof: its steps join, are named in `matcalc rules`, and change no value.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from random import Random
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from case_support import VALID, Case, derive, relative_error, sample

import matcalc as mc
from matcalc import core
from matcalc.claims.edits import edits
from matcalc.claims.points import Field
from matcalc.errors import MatcalcError
from matcalc.expr import Expr
from matcalc.numeric.evaluate import evaluate
from matcalc.rewrite.rule import RULES

DIFFERENT = 1e-6
SAME = 1e-7


def mutants(e: Expr, count: int, seed: str) -> list[tuple[str, Expr]]:
    """Some expressions of the same shape that one edit makes of `e`, each kind of edit at least once."""
    found: dict[bytes, tuple[str, Expr]] = {}
    doubled = core.scale(core.number(2), e)
    whole = [("sign", core.minus(e)), ("factor", doubled), ("factor", core.scale(core.number(core.exact("0.5")), e))]
    if e.shape[0] == e.shape[1] and not e.is_scalar:
        whole.append(("transpose", core.transpose(e)))
    single = [(edit.kind, edit.result) for edit in edits(e)]
    Random(seed).shuffle(single)
    kinds: dict[str, list[tuple[str, Expr]]] = {}
    for kind, made in single:
        kinds.setdefault(kind, []).append((kind, made))
    ordered = [
        group[k] for k in range(max(map(len, kinds.values()), default=0)) for group in kinds.values() if k < len(group)
    ]
    for kind, made in (*ordered[: count - 2], *whole, *ordered[count - 2 :]):
        found.setdefault(made.digest, (kind, made))
    return list(found.values())[:count]


def differs(case: Case, e: Expr, other: Expr) -> bool:
    """Whether two expressions have different finite values at the data of the case."""
    for seed, dims in enumerate(case["dims"]):
        arrays = sample(case, dims, seed)
        try:
            a, b = evaluate(e, arrays, dims), evaluate(other, arrays, dims)
        except (MatcalcError, np.linalg.LinAlgError):
            continue
        if np.isfinite(a).all() and np.isfinite(b).all() and relative_error(a, b) > DIFFERENT:
            return True
    return False


def check_chain(verdict: mc.Verdict) -> str:
    """What is wrong with the steps of a proof; empty where nothing is."""
    steps = verdict.steps
    if not steps:
        return ""
    if steps[0].before is not verdict.expected:
        return "the chain does not begin at the right result"
    field = Field([steps[0].before, steps[-1].after])
    point = next(field.random(1), None)
    if point is None:
        return "there is no point at which both sides are defined"
    (reference,) = field.values([steps[0].before], point)
    for k, step in enumerate(steps):
        if step.rule not in RULES:
            return f"{step.rule} is no rule"
        if k and steps[k - 1].after is not step.before:
            return f"the steps {k} and {k + 1} do not join"
        (value,) = field.values([step.after], point)
        if not relative_error(value, reference) < SAME:
            return f"step {k + 1} by {step.rule} changes the value: {step.before} -> {step.after}"
    return ""


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=8)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--failures", action="store_true")
    parser.add_argument("--chains", action="store_true")
    options = parser.parse_args()
    status: dict[str, list[str]] = {"proved": [], "disproved": [], "undecided": [], "error": []}
    wrong: dict[str, list[str]] = {"proved": [], "disproved": [], "undecided": []}
    times: list[float] = []
    slow: list[tuple[float, str]] = []
    diagnosed, broken = 0, []
    for case in VALID:
        name = case["id"]
        if case.get("expected") is None or case.get("claim") is False or (options.only and name not in options.only):
            continue
        try:
            d = derive(case)
            getattr(d, case["kind"])(case["wrt"])
            start = time.perf_counter()
            verdict = d.claim(case["wrt"], case["expected"], kind=case["kind"])
        except MatcalcError as error:
            status["error"].append(f"{name}: {error}")
            continue
        times.append(time.perf_counter() - start)
        slow.append((times[-1], name))
        status[verdict.status].append(name)
        if verdict.status == "proved" and options.chains:
            problem = check_chain(verdict)
            broken.extend([f"{name}: {problem}"] if problem else [])
        right = d.parse(case["expected"])
        for kind, made in mutants(right, options.mutants, name):
            if not differs(case, made, right):
                continue
            start = time.perf_counter()
            verdict = d.claim(case["wrt"], made, kind=case["kind"])
            times.append(time.perf_counter() - start)
            slow.append((times[-1], f"{name} {kind}"))
            wrong[verdict.status].append(f"{name}: {kind}: {made}")
            diagnosed += bool(verdict.diagnosis)
    total, mutated = sum(map(len, status.values())), sum(map(len, wrong.values()))
    print(f"closed forms: {total}")
    for key, names in status.items():
        print(f"  {key:10s} {len(names):5d}  {100 * len(names) / max(total, 1):5.1f} %")
    print(f"mutants that differ in value: {mutated}")
    for key, names in wrong.items():
        print(f"  {key:10s} {len(names):5d}  {100 * len(names) / max(mutated, 1):5.1f} %")
    print(f"  diagnosed  {diagnosed:5d}  {100 * diagnosed / max(mutated, 1):5.1f} %")
    print(f"time of a verdict: median {1000 * median(times):.0f} ms, worst {1000 * max(times):.0f} ms")
    if options.chains:
        print(f"proofs whose steps do not hold: {len(broken)}")
    if options.failures:
        rows = [*status["disproved"], *status["undecided"], *status["error"], *wrong["proved"], *wrong["undecided"]]
        print("\n".join([*rows, *broken, *(f"{t:.2f} s {name}" for t, name in sorted(slow)[-8:])]))


if __name__ == "__main__":
    main()
