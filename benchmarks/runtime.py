"""Generated code beside the forward pass, hand-written NumPy, jax.jit, torch and autograd, in one interleaved run.

All results are compared before anything is timed. Every round times each competitor once, in an order that rotates;
ratios are taken round by round and their median is reported, so that drifts of a shared machine cancel.

    python benchmarks/runtime.py [--quick] [--rounds 15] [--only NAME] [--write docs/benchmarks.md]

One thread is used unless OPENBLAS_NUM_THREADS (and OMP_NUM_THREADS) say otherwise.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import threads  # isort: skip  (before NumPy)
import numpy as np
from workloads import Workload, called, workloads

import matcalc as mc

GOALS = {"gradient": 1.05, "hessian": 1.10, "small": 1.15}
_SHORTEST = 2e-3


def competitors(w: Workload, arrays: dict[str, Any], peers: list[str]) -> dict[str, Callable[[], Any]]:
    """By name a call that computes the derivative; for "forward" the value alone."""
    d = mc.derive(w.source, wrt=list(w.wrt))
    generated = d.function(w.kind)
    found: dict[str, Callable[[], Any]] = {
        "matcalc": lambda: generated(**arrays),
        "by hand": called(w.by_hand, arrays),
        "forward": called(w.value_by_hand, arrays),
    }
    for peer in peers:
        found[peer] = _PEERS[peer](w, arrays)
    return found


def _jax(w: Workload, arrays: dict[str, Any]) -> Callable[[], Any]:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    places = tuple(list(arrays).index(name) for name in w.wrt)

    def value(*values: Any) -> Any:
        return w.forward(jnp, *values)

    made = jax.jit((jax.hessian if w.kind == "hessian" else jax.grad)(value, argnums=places))
    values = [jnp.asarray(a) for a in arrays.values()]
    return lambda: dict(zip(w.wrt, _unpaired(jax.block_until_ready(made(*values)), w.kind)))


def _unpaired(found: Any, kind: str) -> list[Any]:
    return [row[k] for k, row in enumerate(found)] if kind == "hessian" else list(found)


def _torch(w: Workload, arrays: dict[str, Any]) -> Callable[[], Any]:
    torch = importlib.import_module("torch")
    torch.set_num_threads(threads.COUNT)
    values = {name: torch.tensor(a, requires_grad=name in w.wrt) for name, a in arrays.items()}

    def gradient() -> Any:
        J = w.forward(torch, *values.values())
        return dict(zip(w.wrt, torch.autograd.grad(J, [values[name] for name in w.wrt])))

    def hessian() -> Any:
        (name,) = w.wrt

        def value(x: Any) -> Any:
            return w.forward(torch, *(x if k == name else v for k, v in values.items()))

        return {name: torch.autograd.functional.hessian(value, values[name], vectorize=True)}

    return hessian if w.kind == "hessian" else gradient


def _autograd(w: Workload, arrays: dict[str, Any]) -> Callable[[], Any]:
    autograd, anp = importlib.import_module("autograd"), importlib.import_module("autograd.numpy")
    places = tuple(list(arrays).index(name) for name in w.wrt)
    values = list(arrays.values())
    if w.kind == "hessian":
        second = autograd.hessian(lambda x: w.forward(anp, *values[: places[0]], x, *values[places[0] + 1 :]))
        return lambda: {w.wrt[0]: second(values[places[0]])}
    made = autograd.grad(lambda *a: w.forward(anp, *a), argnum=places)
    return lambda: dict(zip(w.wrt, made(*values)))


_PEERS = {"jax": _jax, "torch": _torch, "autograd": _autograd}


def compare(w: Workload, calls: dict[str, Callable[[], Any]]) -> None:
    """Stop unless all results agree."""
    reference = calls["by hand"]()
    for name, call in calls.items():
        if name in ("forward", "by hand"):
            continue
        found = call()
        for wrt in w.wrt:
            expected = np.asarray(reference[wrt])
            got = _as_matrix(found[wrt], expected, w.kind)
            error = np.abs(got - expected).max() / max(np.abs(expected).max(), 1e-300)
            if not error < 1e-8:
                sys.exit(f"{w.name}: {name} and the hand-written gradient for {wrt} differ by {error:.1e}")


def _as_matrix(found: Any, expected: Any, kind: str) -> Any:
    array = found.detach().numpy() if hasattr(found, "detach") else np.asarray(found)
    if kind == "hessian" and array.ndim == 4:  # (p, q, p, q), rows first, to column-major vec
        array = array.transpose(1, 0, 3, 2).reshape(expected.shape)
    return array.reshape(expected.shape)


def measure(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds per call of each competitor in every round."""
    names = list(calls)
    repeats = {}
    for name, call in calls.items():
        call()
        start = perf_counter()
        call()
        repeats[name] = max(1, min(500, int(_SHORTEST / max(perf_counter() - start, 1e-7))))
    times: dict[str, list[float]] = {name: [] for name in names}
    gc.disable()
    for k in range(rounds):
        for name in names[k % len(names) :] + names[: k % len(names)]:
            call = calls[name]
            start = perf_counter()
            for _ in range(repeats[name]):
                call()
            times[name].append((perf_counter() - start) / repeats[name])
    gc.enable()
    return times


def peak(call: Callable[[], Any]) -> float:
    """The peak of NumPy's and Python's memory during a call, in MB."""
    call()
    tracemalloc.start()
    call()
    _, top = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return top / 1e6


def row(w: Workload, peers: list[str], rounds: int) -> dict[str, Any]:
    """The measurements of one workload."""
    arrays = w.inputs(np.random.default_rng(0))
    entries = max(a.size for a in arrays.values())
    used = [p for p in peers if w.kind != "hessian" or p == "jax" or entries < 10**5]
    calls = competitors(w, arrays, used)
    compare(w, calls)
    slow = [name for name, call in calls.items() if _seconds(call) > 2]
    times = measure({name: call for name, call in calls.items() if name not in slow}, rounds)
    mine = np.array(times["matcalc"])
    ratios = {name: float(np.median(mine / np.array(t))) for name, t in times.items() if name != "matcalc"}
    for name in slow:
        ratios[name] = float(np.median(mine)) / _seconds(calls[name])
    memory = peak(calls["matcalc"])
    return {"name": w.name, "group": w.group, "seconds": float(np.median(mine)), "MB": memory, "ratios": ratios}


def _seconds(call: Callable[[], Any]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


def table(rows: list[dict[str, Any]], peers: list[str]) -> str:
    """The rows and their geometric means as Markdown."""
    columns = ["by hand", "forward", *peers]
    lines = ["| workload | time | peak MB | " + " | ".join(f"/ {c}" for c in columns) + " |"]
    lines.append("|---|" + "---|" * (len(columns) + 2))
    for r in rows:
        cells = [f"{r['ratios'][c]:.2f}" if c in r["ratios"] else "" for c in columns]
        lines.append(f"| {r['name']} | {_time(r['seconds'])} | {r['MB']:.1f} | " + " | ".join(cells) + " |")
    for group in GOALS:
        chosen = [r for r in rows if r["group"] == group]
        if not chosen:
            continue
        cells = []
        for c in columns:
            values = [r["ratios"][c] for r in chosen if c in r["ratios"]]
            cells.append(f"**{np.exp(np.mean(np.log(values))):.2f}**" if values else "")
        lines.append(f"| **{group}: geometric mean** (goal {GOALS[group]:.2f}) | | | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} us" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def available(names: list[str]) -> list[str]:
    """Those of the libraries that can be imported."""
    found = []
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            print(f"{name} is not installed: left out", file=sys.stderr)
        else:
            found.append(name)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small and medium sizes only, fewer rounds")
    parser.add_argument("--rounds", type=int, default=None, help="rounds of timing (default 15; 5 with --quick)")
    parser.add_argument("--only", default="", help="workloads whose name contains this")
    parser.add_argument("--peers", default="jax,torch,autograd", help="other libraries, by commas")
    parser.add_argument("--write", default=None, help="write the table to this file too")
    options = parser.parse_args()
    peers = available([p for p in options.peers.split(",") if p])
    rounds = options.rounds or (5 if options.quick else 15)
    rows = []
    for w in workloads(options.quick):
        if options.only in w.name:
            rows.append(row(w, peers, rounds))
            print(table(rows[-1:], peers).splitlines()[2], flush=True)
    text = table(rows, peers)
    print(text)
    if options.write:
        head = (
            "# Runtime of generated code\n\nThe time of matcalc, and this time divided by the times of others.\n"
            f"{rounds} rounds, {threads.COUNT} thread(s), float64; written by `benchmarks/runtime.py`.\n\n"
        )
        Path(options.write).write_text(head + text + "\n")


if __name__ == "__main__":
    main()
