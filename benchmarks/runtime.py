"""Generated code beside the forward pass, code by hand (NumPy, Numba, C), jax.jit, torch and autograd, in one run.

The runs of all of them are interleaved.

All results are compared before anything is timed. Every round times each competitor once, in a random order;
ratios are taken round by round and their median is reported, so that drifts of a shared machine cancel.

    python benchmarks/runtime.py [--quick] [--threads 1|2|all|both] [--rounds 15] [--only NAME] [--markdown]
                                 [--plot docs/benchmarks.svg] [--write docs/benchmarks.md] [--again FILE]

`--threads both` measures with one thread and then, in a process of its own, with all. `--markdown` prints nothing but
the tables. `--write` puts the tables between the marks of a page and leaves the rest of it. What is measured is saved
after each workload (`--json`): an interrupted run still writes its tables, and `--again` makes them from the file.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import signal
import subprocess
import sys
import tempfile
import traceback
import tracemalloc
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import threads  # isort: skip  (before NumPy)
import goals
import numpy as np
import report
from competitors import Call, available, compared, competitors
from workload import Workload
from workloads import workloads

from matcalc.targets.native.loading import release

CLOCK = process_time if "--processor-time" in sys.argv else perf_counter
_SHORTEST = 2e-3
_SLOW = 1.0  # seconds beyond which a competitor is timed once
_ALWAYS = ("matcalc", "native", "by hand")  # are timed in every round
_FEWEST = 5  # rounds, however long they take


def measure(calls: dict[str, Call], rounds: int, longest: float) -> dict[str, list[float]]:
    """Seconds per call of each competitor in every round, each round in another order: what ran before tells.

    Rounds that are short are repeated more often than asked; after the longest time (in seconds) few are enough.
    """
    names = list(calls)
    repeats = {}
    for name, call in calls.items():
        call()
        repeats[name] = max(1, min(500, int(_SHORTEST / max(_seconds(call), 1e-7))))
    times: dict[str, list[float]] = {name: [] for name in names}
    gc.disable()
    shuffle = np.random.default_rng(0).permutation
    begin, done = perf_counter(), 0
    while done < rounds or perf_counter() - begin < longest / 10:
        if done >= _FEWEST and perf_counter() - begin > longest:
            break
        for name in shuffle(names).tolist():
            call = calls[name]
            start = CLOCK()
            for _ in range(repeats[name]):
                call()
            times[name].append((CLOCK() - start) / repeats[name])
        done += 1
    gc.enable()
    return times


def _shortest(call: Call) -> float:
    """The time of a call, or of a second one where the first was slow: others may have had the processor."""
    first = _seconds(call)
    return first if first < _SLOW else min(first, _seconds(call))


def _seconds(call: Call) -> float:
    start = CLOCK()
    call()
    return CLOCK() - start


def peak(call: Call) -> float:
    """The peak of NumPy's and Python's memory during a call, in MB."""
    call()
    tracemalloc.start()
    call()
    _, top = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return top / 1e6


def resident(call: Call) -> float | None:
    """By how much the process grows during a call that finds no memory of earlier ones, in MB; None where unknown."""
    reset, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")
    if not (reset.exists() and hasattr(ctypes.CDLL(None), "malloc_trim")):
        return None

    def kilobytes(what: str) -> int:
        return int(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith(what)))

    call()
    grown = []
    for _ in range(3):
        release()
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        reset.write_text("5")
        before = kilobytes("VmRSS")
        call()
        grown.append((kilobytes("VmHWM") - before) * 1024 / 1e6)
    return max(0.0, min(grown))


def row(w: Workload, peers: list[str], rounds: int, longest: float) -> dict[str, Any]:
    """The measurements of one workload."""
    arrays = w.arrays()
    calls, failed = competitors(w, arrays, peers)
    result, wrong = compared(w, calls)
    once = {name: _shortest(call) for name, call in calls.items()}
    repeated = {name: call for name, call in calls.items() if once[name] < _SLOW or name in _ALWAYS}
    times = measure(repeated, rounds, longest)

    def against(name: str) -> dict[str, float]:
        own = np.array(times[name])
        ratios = {other: float(np.median(own / np.array(t))) for other, t in times.items() if other != name}
        return ratios | {other: float(np.median(own)) / s for other, s in once.items() if other not in times}

    found: dict[str, Any] = {
        "name": w.name,
        "group": w.group,
        "kind": w.problem.kind,
        "rounds": len(times["matcalc"]),
        "seconds": float(np.median(times["matcalc"])),
        "MB": peak(calls["matcalc"]),
        "numpy MB": resident(calls["matcalc"]),
        "result MB": result,
        "input MB": max(a.nbytes for a in arrays.values()) / 1e6,
        "ratios": against("matcalc"),
        "failed": failed | wrong,
        "native": None,
    }
    if "native" in times:
        own = {"seconds": float(np.median(times["native"])), "MB": resident(calls["native"])}
        found["native"] = own | {"ratios": against("native")}
    return found


def measured(options: argparse.Namespace, peers: list[str], saved: Path) -> tuple[list[dict[str, Any]], bool]:
    """The rows of all workloads that are asked for, saved after each, and whether nothing interrupted."""
    rows: list[dict[str, Any]] = []
    rounds, longest = options.rounds or (5 if options.quick else 15), options.seconds or (3 if options.quick else 20)
    try:
        for w in workloads(options.quick):
            if options.only not in w.name:
                continue
            try:
                rows.append(row(w, peers, rounds, longest))
            except Exception:  # the other workloads are measured
                print(f"{w.name}:\n{traceback.format_exc()}", file=sys.stderr, flush=True)
                continue
            saved.write_text(json.dumps(rows), encoding="utf-8")
            for name, error in rows[-1]["failed"].items():
                print(f"{w.name}: {name} {error}", file=sys.stderr, flush=True)
            if not options.markdown:
                print(report.line(rows[-1], ["by hand", "forward", *peers]), file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print(f"interrupted after {len(rows)} workloads", file=sys.stderr)
        return rows, False
    return rows, True


def with_all_threads(saved: Path) -> list[dict[str, Any]]:
    """The rows with all threads, which a process of its own measures."""
    left_out = ("--threads", "both", "--threads=both", "--write", "--plot", "--json")
    words = [a for a in sys.argv[1:] if a not in left_out and not a.endswith((".md", ".svg", ".json"))]
    saved.write_text("[]", encoding="utf-8")
    command = [sys.executable, __file__, *words, "--threads", "all", "--json", str(saved)]
    try:
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    return list(json.loads(saved.read_text(encoding="utf-8")))


def of_all_threads(saved: Path) -> Path:
    """Where the measurements with all threads are saved, beside those of one."""
    return saved.with_name(f"{saved.stem}-all.json")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small and medium sizes only, fewer rounds")
    parser.add_argument("--rounds", type=int, default=None, help="rounds of timing (default 15; 5 with --quick)")
    parser.add_argument("--seconds", type=float, default=None, help="for a workload, if 5 rounds fit (default 20; 3)")
    parser.add_argument("--only", default="", help="workloads whose name contains this")
    parser.add_argument("--peers", default="native,numba,C,jax,torch,autograd", help="other libraries, by commas")
    parser.add_argument("--threads", default="1", help="a number, all, or both: one and all")
    parser.add_argument("--processor-time", action="store_true", help="of all threads, where others use the machine")
    parser.add_argument("--markdown", action="store_true", help="print the tables alone")
    parser.add_argument("--json", default=None, help="save the measurements in this file, after each workload")
    parser.add_argument("--again", default=None, metavar="FILE", help="measure nothing, take what was saved there")
    parser.add_argument("--plot", default=None, help="write a plot to this file (SVG)")
    parser.add_argument("--write", default=None, help="put the tables between the marks of this page")
    options = parser.parse_args()
    peers = available([p for p in options.peers.split(",") if p])
    saved = Path(options.again or options.json or Path(tempfile.gettempdir()) / "matcalc-runtime.json")
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    if options.write:
        report.around(options.write)  # before anything is measured
    runs: dict[str, list[dict[str, Any]]] = {}
    label = f"{threads.COUNT} thread{'s' * (threads.COUNT > 1)}"
    if options.again:
        runs[label] = json.loads(saved.read_text(encoding="utf-8"))
        if of_all_threads(saved).exists():
            runs["all threads"] = json.loads(of_all_threads(saved).read_text(encoding="utf-8"))
    else:
        runs[label], finished = measured(options, peers, saved)
        if options.threads == "both" and finished:
            runs["all threads"] = with_all_threads(of_all_threads(saved))
    asked = [w.name for w in workloads(options.quick) if options.only in w.name]
    for label, rows in runs.items():
        if missing := [name for name in asked if name not in {r["name"] for r in rows}]:
            print(f"{label}: not measured: {'; '.join(missing)}", file=sys.stderr)
    parts = report.parts(runs, peers)
    print("\n\n".join(f"{title}\n\n{text}" for title, text in parts))
    if not options.markdown:
        print("", *goals.sentences(runs), f"saved in {saved}", sep="\n")
    if options.plot and any(runs.values()):
        report.plot(next(rows for rows in runs.values() if rows), peers, options.plot)
    if options.write:
        how = " ".join(a for a in sys.argv[1:] if a not in ("--json", "--again") and not a.endswith(".json"))
        report.write(options.write, report.tables(parts, how))


if __name__ == "__main__":
    main()
