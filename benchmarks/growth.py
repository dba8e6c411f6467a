"""Processor time to derive, to print and to write code, at a size and at twice the size: what grows too fast.

Each workload is measured in a process of its own, so that nothing is remembered from the one before; with `--beside`
also under another checkout of matcalc, in turn. The last columns are the exponents of growth between the two sizes.

    python benchmarks/growth.py [--only residual,sigmoids] [--views derive,code] [--beside /path/to/another/checkout]
    python benchmarks/growth.py --large [--write docs/growth.md]

`--large` says at its end what takes more than 2.3 times as long at twice the size; `--write` puts the table between the
marks of the page.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time

import report

import matcalc as mc

HERE = Path(__file__).resolve().parent.parent
LIMIT = 1500  # seconds for one measurement, also where others use the machine


# ------------------------------------------------------------------------------------------------ the workloads


def plain_layers(depth: int) -> object:
    """h_k = tanh(h_(k-1) W_k), every layer named."""
    g, h = mc.Graph(), mc.var("x", "N", "d")
    for k in range(depth):
        h = g.define(f"h{k}", mc.tanh(h @ mc.var(f"W{k}", "d", "d")))
    g.define("J", mc.total(mc.hadamard(h, h)))
    return g


def residual_layers(depth: int) -> object:
    """h + tanh(h W), nothing named."""
    h = mc.var("x", "N", "d")
    for k in range(depth):
        h = h + mc.tanh(h @ mc.var(f"W{k}", "d", "d"))
    return mc.total(h)


def nested(function: str, depth: int) -> object:
    """sum(f(f(... f(x))))"""
    e = mc.var("x", "n", 1)
    for _ in range(depth):
        e = getattr(mc, function)(e)
    return mc.total(e)


def maximums(depth: int) -> object:
    """maximum(maximum(x, y0) .* z0, y1) ..."""
    e = mc.var("x", "n", 1)
    for k in range(depth):
        e = mc.maximum(e, mc.var(f"y{k}", "n", 1))
    return mc.total(e)


def factors(count: int) -> mc.Expr:
    """A_0 A_1 ... A_(count - 1), square."""
    product = mc.var("A0", "n", "n")
    for k in range(1, count):
        product = product @ mc.var(f"A{k}", "n", "n")
    return product


def sines(count: int) -> object:
    """sum(sin(A_0 x)) + sum(sin(A_1 x)) + ..."""
    x = mc.var("x", "n", 1)
    e = mc.total(mc.sin(mc.var("A0", "m", "n") @ x))
    for k in range(1, count):
        e = e + mc.total(mc.sin(mc.var(f"A{k}", "m", "n") @ x))
    return e


def recurrent(steps: int) -> object:
    """h_t = tanh(W h_(t-1) + U x_t), every state named."""
    g, h = mc.Graph(), mc.var("h", "n", 1)
    W, U = mc.var("W", "n", "n"), mc.var("U", "n", "m")
    for t in range(steps):
        h = g.define(f"h{t}", mc.tanh(W @ h + U @ mc.var(f"x{t}", "m", 1)))
    g.define("J", mc.total(mc.hadamard(h, h)) / 2)
    return g


def transformer(blocks: int) -> object:
    """Attention and a hidden layer with residuals and layer norms, written as text."""
    lines = ["X: n x d"]
    for k in range(blocks):
        lines += [f"{name}{k}: d x d" for name in ("Q", "K", "V", "O")] + [f"A{k}: d x h", f"B{k}: h x d"]
    lines.append("H0 = X")
    for k in range(blocks):
        lines += [
            f"N{k} = standardize(H{k}, 2)",
            f"S{k} = softmax(N{k}*Q{k}*(N{k}*K{k})'/sqrt(d), 2)",
            f"M{k} = H{k} + S{k}*N{k}*V{k}*O{k}",
            f"P{k} = standardize(M{k}, 2)",
            f"H{k + 1} = M{k} + relu(P{k}*A{k})*B{k}",
        ]
    return "\n".join([*lines, f"J = sum(H{blocks}.^2)/2"])


WORKLOADS: dict[str, tuple[Callable[[int], object], int]] = {
    "plain": (plain_layers, 64),
    "residual": (residual_layers, 64),
    "sigmoids": (partial(nested, "sigmoid"), 40),
    "sines": (partial(nested, "sin"), 250),
    "maximums": (maximums, 16),
    "trace": (lambda count: mc.tr(factors(count)), 16),
    "logdet": (lambda count: mc.logdet(factors(count)), 16),
    "sum-of-sines": (sines, 50),
    "recurrent": (recurrent, 100),
    "transformer": (transformer, 4),
}
VIEWS = ("derive", "code", "text", "latex")

# With --large: the networks of docs/growth.md, at half of their size and at all of it.
LARGE = {"plain": 500, "residual": 50, "transformer": 6, "recurrent": 250}
TWICE = 2.3  # at most so many times the time of half the size
TITLES = {
    "plain": "layers, named, each with its weights",
    "residual": "residual layers, nothing named",
    "transformer": "blocks of a transformer",
    "recurrent": "steps of a recurrent network",
}


# ------------------------------------------------------------------------------------------------ the clock


def measured(name: str, size: int) -> list[float]:
    """Processor time of all gradients, of the code, of the text and of LaTeX."""
    source = WORKLOADS[name][0](size)
    mc.derive("sum(exp(X*b))").code()  # what is loaded late is loaded now
    times = [process_time()]
    d = mc.derive(source)
    for view in (lambda: d.gradients, d.code, d.text, d.latex):
        view()
        times.append(process_time())
    return [after - before for before, after in zip(times, times[1:])]


def apart(name: str, size: int, checkout: Path) -> list[float]:
    """The same in a process of its own, under a checkout; infinite where it takes too long or fails."""
    command = [sys.executable, __file__, "--one", name, str(size)]
    try:
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": str(checkout)}, capture_output=True, text=True, timeout=LIMIT
        )
        return [float(word) for word in done.stdout.split()] if not done.returncode else [math.inf] * len(VIEWS)
    except subprocess.TimeoutExpired:
        return [math.inf] * len(VIEWS)


def large(page: Path | None) -> None:
    """The table of the documentation: seconds, and in brackets in times of those for half the size."""
    if page is not None:
        report.around(str(page))  # before anything is measured
    lines = ["| | all gradients | code | page, text | page, LaTeX |", "|---|---:|---:|---:|---:|"]
    missed = []
    for name, size in LARGE.items():
        runs = [(apart(name, size, HERE), apart(name, 2 * size, HERE)) for _ in range(2)]
        once, twice = ([min(times) for times in zip(*found)] for found in zip(*runs))
        growth = [b / a for a, b in zip(once, twice)]
        cells = [f"{b:.2f} ({g:.1f})" for b, g in zip(twice, growth)]
        lines.append(f"| {2 * size:,} {TITLES[name]} | {' | '.join(cells)} |")
        missed += [f"{TITLES[name]}, {view}: {g:.2f}" for view, g in zip(VIEWS, growth) if not g <= TWICE]
        print(lines[-1], flush=True)
    print(
        f"twice the size in at most {TWICE} times the time:",
        "; ".join(missed) or "all",
        f"({'MISSED' if missed else 'met'})",
    )
    if page is not None:
        report.write(str(page), "\n".join(lines))


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--only", default=",".join(WORKLOADS))
    options.add_argument("--views", default=",".join(VIEWS))
    options.add_argument("--beside", type=Path)
    options.add_argument("--large", action="store_true", help="large networks, as a table in Markdown")
    options.add_argument("--write", type=Path, help="with --large: the page that the table goes to")
    options.add_argument("--one", nargs=2, metavar=("WORKLOAD", "SIZE"), help="measure one, and print its four times")
    given = options.parse_args()
    if given.one:
        print(*measured(given.one[0], int(given.one[1])))
        return
    if given.large:
        large(given.write)
        return
    views = [VIEWS.index(view) for view in given.views.split(",")]
    print(
        f"{'':14}{'checkout':10}{'size':>5}" + "".join(f"{VIEWS[k]:>9}" for k in views) + "   growth at twice the size"
    )
    for name in given.only.split(","):
        size = WORKLOADS[name][1]
        for label, checkout in (("this", HERE), ("other", given.beside)):
            if checkout is None:
                continue
            once, twice = apart(name, size, checkout), apart(name, 2 * size, checkout)
            growth = [math.log2(twice[k] / once[k]) if math.isfinite(twice[k]) else math.inf for k in views]
            times = "".join(f"{twice[k]:9.2f}" for k in views)
            print(f"{name:14}{label:10}{2 * size:5}{times}   " + " ".join(f"{g:4.1f}" for g in growth), flush=True)


if __name__ == "__main__":
    main()
