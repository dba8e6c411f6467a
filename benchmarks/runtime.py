"""Generated code beside the forward pass, code by hand (NumPy, Numba, C), jax.jit, torch and autograd, in one run.

The runs of all of them are interleaved.

All results are compared before anything is timed. Every round times each competitor once, in a random order;
ratios are taken round by round and their median is reported, so that drifts of a shared machine cancel.

    python benchmarks/runtime.py [--quick] [--threads 1|2|all|both] [--rounds 15] [--only NAME] [--markdown]
                                 [--plot docs/benchmarks.svg] [--write docs/benchmarks.md]

`--threads both` measures with one thread and then, in a process of its own, with all. `--markdown` prints nothing but
the tables.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import importlib
import json
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Collection
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import threads  # isort: skip  (before NumPy)
import by_hand_c
import by_hand_numba
import numpy as np
import report
from workload import Workload, called
from workloads import workloads

import matcalc as mc
from matcalc.errors import MissingDependencyError
from matcalc.targets.native.compiler import compiler
from matcalc.targets.native.loading import release

CLOCK = process_time if "--processor-time" in sys.argv else perf_counter
_SHORTEST = 2e-3
_SLOW = 1.0  # seconds beyond which a competitor is timed once


def competitors(w: Workload, arrays: dict[str, Any], peers: list[str]) -> dict[str, Callable[[], Any]]:
    """By name a call that computes the derivative; for "forward" the value alone."""
    p = w.problem
    options = {} if p.form == "dense" else {"form": p.form}
    generated = mc.derive(p.source, wrt=list(p.wrt)).function(p.kind, **options)
    found: dict[str, Callable[[], Any]] = {
        "matcalc": lambda: generated(**arrays),
        "by hand": called(p.by_hand, arrays),
        "forward": called(p.value_by_hand, arrays),
    }
    for peer in peers:
        found[peer] = _PEERS[peer](w, arrays)
    return found


def _native(w: Workload, arrays: dict[str, Any]) -> Callable[[], Any]:
    p = w.problem
    made = mc.derive(p.source, wrt=list(p.wrt)).function(p.kind, "native")
    return lambda: made(**arrays)


def _jax(w: Workload, arrays: dict[str, Any]) -> Callable[[], Any]:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    p = w.problem
    places = tuple(list(arrays).index(name) for name in p.wrt)

    def value(*values: Any) -> Any:
        return p.forward(jnp, *values)

    made = jax.jit((jax.hessian if p.kind == "hessian" else jax.grad)(value, argnums=places))
    values = [jnp.asarray(a) for a in arrays.values()]
    return lambda: dict(zip(p.wrt, _unpaired(jax.block_until_ready(made(*values)), p.kind)))


def _unpaired(found: Any, kind: str) -> list[Any]:
    return [row[k] for k, row in enumerate(found)] if kind == "hessian" else list(found)


def _torch(w: Workload, arrays: dict[str, Any]) -> Callable[[], Any]:
    torch = importlib.import_module("torch")
    torch.set_num_threads(threads.COUNT)
    p = w.problem
    values = {name: torch.tensor(a, requires_grad=name in p.wrt) for name, a in arrays.items()}

    def gradient() -> Any:
        J = p.forward(torch, *values.values())
        return dict(zip(p.wrt, torch.autograd.grad(J, [values[name] for name in p.wrt])))

    def hessian() -> Any:
        (name,) = p.wrt

        def value(x: Any) -> Any:
            return p.forward(torch, *(x if k == name else v for k, v in values.items()))

        return {name: torch.autograd.functional.hessian(value, values[name], vectorize=True)}

    return hessian if p.kind == "hessian" else gradient


def _autograd(w: Workload, arrays: dict[str, Any]) -> Callable[[], Any]:
    autograd, anp = importlib.import_module("autograd"), importlib.import_module("autograd.numpy")
    p = w.problem
    places = tuple(list(arrays).index(name) for name in p.wrt)
    values = list(arrays.values())
    if p.kind == "hessian":
        second = autograd.hessian(lambda x: p.forward(anp, *values[: places[0]], x, *values[places[0] + 1 :]))
        return lambda: {p.wrt[0]: second(values[places[0]])}
    made = autograd.grad(lambda *a: p.forward(anp, *a), argnum=places)
    return lambda: dict(zip(p.wrt, made(*values)))


def _numba(w: Workload, arrays: dict[str, Any]) -> Callable[[], Any]:
    return by_hand_numba.in_numba(w.problem, arrays)


def _c(w: Workload, arrays: dict[str, Any]) -> Callable[[], Any]:
    return by_hand_c.in_c(w.problem, arrays)


_PEERS = {"native": _native, "numba": _numba, "C": _c, "jax": _jax, "torch": _torch, "autograd": _autograd}
_WRITTEN: dict[str, Collection[str]] = {"numba": by_hand_numba.BY_HAND, "C": by_hand_c.BY_HAND}


def compare(w: Workload, calls: dict[str, Callable[[], Any]]) -> float:
    """Stop unless all results agree; the size of the result in MB."""
    reference = calls["by hand"]()
    for name, call in calls.items():
        if name in ("forward", "by hand"):
            continue
        found = call()
        for wrt in w.problem.wrt:
            expected = _dense(reference[wrt])
            got = _as_matrix(found[wrt], expected, w.problem.kind)
            error = np.abs(got - expected).max() / max(np.abs(expected).max(), 1e-300)
            if not error < 1e-8:
                sys.exit(f"{w.name}: {name} and the hand-written gradient for {wrt} differ by {error:.1e}")
    return float(sum(_dense(a).nbytes for a in reference.values())) / 1e6


def _dense(value: Any) -> Any:
    """An array as it is; of factors the first."""
    return value[0][0] if isinstance(value, list) else np.asarray(value)


def _as_matrix(found: Any, expected: Any, kind: str) -> Any:
    array = found.detach().numpy() if hasattr(found, "detach") else np.asarray(_dense(found))
    if kind == "hessian" and array.ndim == 4:  # (p, q, p, q), rows first, to column-major vec
        array = array.transpose(1, 0, 3, 2).reshape(expected.shape)
    return array.reshape(expected.shape)


def measure(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds per call of each competitor in every round, each round in another order: what ran before tells."""
    names = list(calls)
    repeats = {}
    for name, call in calls.items():
        call()
        repeats[name] = max(1, min(500, int(_SHORTEST / max(_seconds(call), 1e-7))))
    times: dict[str, list[float]] = {name: [] for name in names}
    gc.disable()
    shuffle = np.random.default_rng(0).permutation
    for _ in range(rounds):
        for name in shuffle(names).tolist():
            call = calls[name]
            start = CLOCK()
            for _ in range(repeats[name]):
                call()
            times[name].append((CLOCK() - start) / repeats[name])
    gc.enable()
    return times


def _seconds(call: Callable[[], Any]) -> float:
    start = CLOCK()
    call()
    return CLOCK() - start


def peak(call: Callable[[], Any]) -> float:
    """The peak of NumPy's and Python's memory during a call, in MB."""
    call()
    tracemalloc.start()
    call()
    _, top = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return top / 1e6


def resident(call: Callable[[], Any]) -> float | None:
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


def row(w: Workload, peers: list[str], rounds: int) -> dict[str, Any]:
    """The measurements of one workload."""
    arrays = w.arrays()
    largest = max(a.nbytes for a in arrays.values()) / 1e6
    hessian = w.problem.kind == "hessian"
    quick = ("native", "numba", "C", "jax")
    used = [] if w.problem.form != "dense" else [p for p in peers if not hessian or p in quick or largest < 1]
    used = [p for p in used if w.problem.name in _WRITTEN.get(p, (w.problem.name,))]
    calls = competitors(w, arrays, used)
    result = compare(w, calls)
    once = {name: _seconds(call) for name, call in calls.items()}
    times = measure({name: call for name, call in calls.items() if once[name] < _SLOW}, rounds)
    mine = np.array(times["matcalc"])
    ratios = {name: float(np.median(mine / np.array(t))) for name, t in times.items() if name != "matcalc"}
    ratios |= {name: float(np.median(mine)) / s for name, s in once.items() if name not in times}
    native = None
    if "native" in times:
        own = np.array(times["native"])
        against = {name: float(np.median(own / np.array(t))) for name, t in times.items() if name != "native"}
        against |= {name: float(np.median(own)) / s for name, s in once.items() if name not in times}
        native = {
            "seconds": float(np.median(own)),
            "MB": resident(calls["native"]),
            "numpy MB": resident(calls["matcalc"]),
            "least MB": result,
            "ratios": against,
        }
    return {
        "native": native,
        "name": w.name,
        "group": w.group,
        "seconds": float(np.median(mine)),
        "MB": peak(calls["matcalc"]),
        "needed MB": result + largest,
        "ratios": ratios,
    }


def available(names: list[str]) -> list[str]:
    """Those of the libraries that can be imported."""
    found = []
    for name in names:
        try:
            if name in ("native", "C"):
                compiler()
            else:
                importlib.import_module(name)
        except (ImportError, MissingDependencyError) as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
        else:
            found.append(name)
    return found


def measured(options: argparse.Namespace, peers: list[str]) -> list[dict[str, Any]]:
    """The rows of all workloads that are asked for."""
    rows = []
    for w in workloads(options.quick):
        if options.only in w.name:
            rows.append(row(w, peers, options.rounds or (5 if options.quick else 15)))
            if not options.markdown:
                print(report.line(rows[-1], ["by hand", "forward", *peers]), file=sys.stderr, flush=True)
    return rows


def with_all_threads() -> list[dict[str, Any]]:
    """The rows with all threads, which a process of its own measures."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        left_out = ("--threads", "both", "--threads=both", "--write", "--plot")
        words = [a for a in sys.argv[1:] if a not in left_out and not a.endswith((".md", ".svg"))]
        subprocess.run([sys.executable, __file__, *words, "--threads", "all", "--json", str(file)], check=True)
        return list(json.loads(file.read_text()))


def titled(title: str, rows: list[dict[str, Any]], peers: list[str]) -> list[tuple[str, str]]:
    """The tables of some measurements with their titles: that of the NumPy functions and that of the native ones."""
    others = [p for p in peers if p != "native"]
    found = [(title, report.table(rows, others))]
    if "native" in peers:
        table = f"{report.NATIVE}\n\n{report.native_table(rows, others)}"
        found.append((f"Native functions, {title[0].lower()}{title[1:]}", table))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small and medium sizes only, fewer rounds")
    parser.add_argument("--rounds", type=int, default=None, help="rounds of timing (default 15; 5 with --quick)")
    parser.add_argument("--only", default="", help="workloads whose name contains this")
    parser.add_argument("--peers", default="native,numba,C,jax,torch,autograd", help="other libraries, by commas")
    parser.add_argument("--threads", default="1", help="a number, all, or both: one and all")
    parser.add_argument("--processor-time", action="store_true", help="of all threads, where others use the machine")
    parser.add_argument("--markdown", action="store_true", help="print the tables alone")
    parser.add_argument("--json", default=None, help="write the measurements to this file")
    parser.add_argument("--plot", default=None, help="write a plot to this file (SVG)")
    parser.add_argument("--write", default=None, help="write the page of the documentation to this file")
    options = parser.parse_args()
    peers = available([p for p in options.peers.split(",") if p])
    rows = measured(options, peers)
    parts = titled(f"{threads.COUNT} thread{'s' * (threads.COUNT > 1)}", rows, peers)
    if options.threads == "both":
        parts += titled("All threads", with_all_threads(), peers)
    print("\n\n".join(text for _, text in parts))
    if not options.markdown:
        others = [p for p in peers if p != "native"]
        print("\n".join(["", *report.faults(rows, others), *report.native_faults(rows)]))
    if options.json:
        Path(options.json).write_text(json.dumps(rows))
    if options.plot:
        report.plot(rows, peers, options.plot)
    if options.write:
        how = " ".join(a for a in sys.argv[1:] if a not in ("--write", "--plot") and not a.endswith((".md", ".svg")))
        report.write(options.write, report.page(parts, Path(options.plot).name if options.plot else None, how))


if __name__ == "__main__":
    main()
