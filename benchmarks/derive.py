"""Time to derive all gradients of deep networks and print their code, beside SymPy, JAX and tensorgrad, in one run.

Networks of layers h = tanh(h W + b) and of residual layers h = h + tanh(h W), as text and as a Graph (every value has a
name), and as one SymPy expression without names. The rivals: SymPy's `diff` (its answers are not checked), JAX's trace
and lowering of the gradient with and without compiling, tensorgrad's simplification; each where it is installed and as
deep as it goes in bearable time. Ratios are against JAX's trace + lower + compile. Every input is built once, and not
counted: SymPy would compare a second one with the first, in its cache, in time that doubles with each residual layer.

    python benchmarks/derive.py [--depths 1,2,10,64,250,1000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from time import perf_counter

import sympy as sp

import matcalc as mc

SYMPY_DEPTH = 2  # its time grows by a large factor with each layer
UNNAMED_DEPTH = 250  # SymPy flattens nested sums: the input grows with the square of the depth
COMPILED_DEPTH = 250
RECURSION = 100_000  # SymPy and JAX recurse


# ------------------------------------------------------------------------------------------------ the networks


def text(depth: int, *, residual: bool = False) -> str:
    """The network in the text syntax."""
    lines = ["x: 1 x n", *(f"W{k}: n x n" for k in range(depth))]
    lines += [] if residual else [f"b{k}: 1 x n" for k in range(depth)]
    lines.append("h0 = x")
    for k in range(depth):
        if residual:
            lines.append(f"r{k} = h{k}*W{k}\nh{k + 1} = h{k} + tanh(r{k})")
        else:
            lines.append(f"r{k} = h{k}*W{k} + b{k}\nh{k + 1} = tanh(r{k})")
    return "\n".join([*lines, f"J = sum(h{depth}.^2)/2"])


def graph(depth: int, *, residual: bool = False) -> mc.Graph:
    """The network as a graph of matcalc expressions."""
    g = mc.Graph()
    h = mc.var("x", 1, "n")
    for k in range(depth):
        W, b = mc.var(f"W{k}", "n", "n"), mc.var(f"b{k}", 1, "n")
        r = g.define(f"r{k}", h @ W if residual else h @ W + b)
        h = g.define(f"h{k + 1}", h + mc.tanh(r) if residual else mc.tanh(r))
    g.define("J", mc.total(mc.hadamard(h, h)) / 2)
    return g


def unnamed(depth: int, *, residual: bool = False) -> sp.Expr:
    """The network as one SymPy expression."""
    n = sp.Symbol("n", integer=True, positive=True)
    h = sp.MatrixSymbol("x", 1, n)
    for k in range(depth):
        W, b = sp.MatrixSymbol(f"W{k}", n, n), sp.MatrixSymbol(f"b{k}", 1, n)
        h = h + mc.tanh(h * W) if residual else mc.tanh(h * W + b)
    return mc.total(mc.hadamard(h, h)) / 2


# ------------------------------------------------------------------------------------------------ the competitors


def matcalc_time(source: object) -> float:
    """All gradients and the code of value and gradients of an input that is built already."""
    start = perf_counter()
    mc.derive(source).code()
    return perf_counter() - start


def sympy_time(depth: int, residual: bool) -> float | str | None:
    """SymPy's `diff` of the same function by each weight matrix, with its own functions; the error where it fails."""
    if depth > SYMPY_DEPTH:
        return None
    n, t = sp.Symbol("n", integer=True, positive=True), sp.Symbol("t")
    tanh = sp.Lambda(t, sp.tanh(t))
    h, weights = sp.MatrixSymbol("x", 1, n), [sp.MatrixSymbol(f"W{k}", n, n) for k in range(depth)]
    for W in weights:
        h = h + (h * W).applyfunc(tanh) if residual else (h * W).applyfunc(tanh)
    J = sp.Trace(h * h.T)
    start = perf_counter()
    try:
        for W in weights:
            J.diff(W)
    except Exception as error:
        return type(error).__name__
    return perf_counter() - start


def jax_times(depth: int, residual: bool) -> tuple[float, float | None] | None:
    """Trace + lower, and that + compile, of value_and_grad in all arguments."""
    if importlib.util.find_spec("jax") is None:
        return None
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    jax = importlib.import_module("jax")
    jnp = importlib.import_module("jax.numpy")

    def network(x, weights, biases):
        h = x
        for W, b in zip(weights, biases):
            h = h + jnp.tanh(h @ W) if residual else jnp.tanh(h @ W + b)
        return jnp.sum(h**2) / 2

    arguments = (jnp.ones((1, 8)), [jnp.ones((8, 8))] * depth, [jnp.ones((1, 8))] * depth)
    jax.clear_caches()
    start = perf_counter()
    lowered = jax.jit(jax.value_and_grad(network, argnums=(0, 1, 2))).lower(*arguments)
    middle = perf_counter()
    if depth > COMPILED_DEPTH:
        return middle - start, None
    lowered.compile()
    return middle - start, perf_counter() - start


def tensorgrad_time(depth: int, residual: bool) -> float | None:
    """tensorgrad's derivative by the first weights, simplified."""
    if importlib.util.find_spec("tensorgrad") is None or depth > SYMPY_DEPTH:
        return None
    tg = importlib.import_module("tensorgrad")
    functions = importlib.import_module("tensorgrad.functions")

    n = sp.Symbol("n")
    h = tg.Variable("x", i0=n)
    first = None
    for k in range(depth):
        W = tg.Variable(f"W{k}", **{f"i{k}": n, f"i{k + 1}": n})
        first = first or W
        moved = functions.tanh(h @ W)
        h = h.rename(**{f"i{k}": f"i{k + 1}"}) + moved if residual else moved
    start = perf_counter()
    functions.frobenius2(h).grad(first).full_simplify()
    return perf_counter() - start


# ------------------------------------------------------------------------------------------------ the table


def best(rounds: int, measure: Callable[[], float | None]) -> float | None:
    """The shortest of some rounds."""
    times = [t for t in (measure() for _ in range(rounds)) if t is not None]
    return min(times, default=None)


def cell(seconds: float | str | None) -> str:
    """A time in milliseconds, or what went wrong, for the table."""
    if isinstance(seconds, str):
        return f"{seconds[:11]:>12}"
    return f"{'-':>12}" if seconds is None else f"{1000 * seconds:>9.1f} ms"


def table(depths: list[int], rounds: int, residual: bool) -> None:
    """Print the rows of one kind of network."""
    print(f"\n{'residual layers' if residual else 'layers'}: all gradients and code")
    heads = ("text", "Graph", "SymPy input", "SymPy diff", "tensorgrad", "JAX lower", "JAX compile")
    print(f"{'depth':>6}" + "".join(f"{head:>12}" for head in heads) + f"{'Graph/JAX':>12}{'SymPy in/JAX':>14}")
    for depth in depths:
        makers = (text, graph, unnamed) if depth <= UNNAMED_DEPTH else (text, graph)
        sources = [make(depth, residual=residual) for make in makers]
        times = [best(rounds, lambda source=source: matcalc_time(source)) for source in sources]
        by_text, by_graph, by_sympy = (*times, None)[:3]
        diff, other = sympy_time(depth, residual), tensorgrad_time(depth, residual)
        lowered, compiled = jax_times(depth, residual) or (None, None)
        cells = (by_text, by_graph, by_sympy, diff, other, lowered, compiled)
        ratios = [f"{t / compiled:.3f}" if t is not None and compiled else "-" for t in (by_graph, by_sympy)]
        print(f"{depth:>6}" + "".join(map(cell, cells)) + f"{ratios[0]:>12}{ratios[1]:>14}", flush=True)


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--depths", default="1,2,10,64,250,1000", help="comma-separated (default: 1,2,10,64,250,1000)")
    options.add_argument("--rounds", type=int, default=3, help="the best of so many counts (default: 3)")
    chosen = options.parse_args()
    sys.setrecursionlimit(RECURSION)
    matcalc_time(text(2))  # imports and caches
    for residual in (False, True):
        table([int(d) for d in chosen.depths.split(",")], chosen.rounds, residual)


if __name__ == "__main__":
    main()
