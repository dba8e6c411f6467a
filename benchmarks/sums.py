"""Sums over indices and recurrences: how many sums keep an index, and how long loops take.

    python benchmarks/sums.py count         sums that have a matrix form and keep an index, or another value (must be 0)
    python benchmarks/sums.py time          the gradient beside hand-written NumPy and jax.jit with lax.scan: the table
                                            of docs/sums.md, in some minutes

The count goes over tests/cases/sums.jsonl and the sums of tests/test_sums.py, whose values are computed by plain loops
too. Times are the best of several, in microseconds of processor time; NumPy's is to be at most 1.05 of the hand-written
code, Numba's and native code's on small sizes below JAX's.
"""

from __future__ import annotations

import argparse
import json
import re
import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import matcalc as mc

ROOT = Path(__file__).resolve().parent.parent
INDEXED = re.compile(r"\b(?:sum|prod|mean|max|min)\s*\(\s*\w+\s*=")


def kept() -> tuple[int, list[str], list[str]]:
    """How many sums with a matrix form there are, which of them keep an index, and which have not the loops' value."""
    sys.path.insert(0, str(ROOT / "tests"))
    tests = runpy.run_path(str(ROOT / "tests" / "test_sums.py"))
    cases = [json.loads(line) for line in (ROOT / "tests/cases/sums.jsonl").read_text().splitlines()]
    programs = [(c["id"], c["program"], c["wrt"], referred(c)) for c in cases if c.get("matrix_form")]
    programs += [(name, program, wrt, loops) for name, (program, wrt, loops) in tests["LIFTED"].items()]
    bad, wrong = [], []
    for name, program, wrt, loops in programs:
        d = mc.derive(program, wrt=wrt)
        if INDEXED.search(f"{d.output}; {d.gradient(wrt)}"):
            bad.append(name)
        arrays = tests["drawn"](program, np.random.default_rng(1))
        if not np.isclose(d.evaluate(**arrays), tests["number"](loops(**arrays)), rtol=1e-9):
            wrong.append(name)
    return len(programs), bad, wrong


def referred(case: dict[str, Any]) -> Callable[..., Any]:
    """The plain loops of a case."""
    scope: dict[str, Any] = {"np": np}
    exec(case["reference"], scope)
    return scope["ref"]  # type: ignore[no-any-return]


# ------------------------------------------------------------------------------------------------ by hand


def recurrent(W: Any, U: Any, V: Any, x: Any, y: Any) -> tuple[float, dict[str, Any]]:
    """Backpropagation through time as one writes it."""
    steps, d = len(x), len(W)
    h = [np.zeros((d, 1))]
    errors, value = [], 0.0
    for t in range(steps):
        h.append(np.tanh(W @ h[t] + U @ x[t][:, None]))
        errors.append((V @ h[t + 1])[0, 0] - y[t])
        value += errors[t] ** 2
    dW, dU, dV, back = np.zeros_like(W), np.zeros_like(U), np.zeros_like(V), np.zeros((d, 1))
    for t in reversed(range(steps)):
        dV += errors[t] * h[t + 1].T
        back += errors[t] * V.T
        z = back * (1 - h[t + 1] ** 2)
        dW += z * h[t].T
        dU += z * x[t]
        back = W.T @ z
    return value / 2, {"W": dW, "U": dU, "V": dV}


def hidden_markov(A: Any, B: Any, c: Any) -> tuple[float, dict[str, Any]]:
    """The forward recurrence, scaled, and its adjoint."""
    steps = B.shape[1]
    a = [c[:, 0] * B[:, 0]]
    sums = [a[0].sum()]
    means = []
    for t in range(1, steps):
        means.append(A.T @ a[-1])
        a.append(B[:, t] * means[-1] / sums[-1])
        sums.append(a[-1].sum())
    dA, dB, back = np.zeros_like(A), np.zeros_like(B), np.zeros(len(A))
    for t in reversed(range(steps)):
        back = back + 1 / sums[t]
        if t == 0:
            dB[:, 0] = back * c[:, 0]
            dc = back * B[:, 0]
            continue
        m, s = means[t - 1], sums[t - 1]
        dB[:, t] = back * m / s
        scaled = back * B[:, t]
        dA += a[t - 1][:, None] * (scaled / s)
        back = A @ (scaled / s) - (scaled @ m) / s**2
    return float(np.log(sums).sum()), {"A": dA, "B": dB, "c": dc[:, None]}


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def lstm(
    Wi: Any, Wf: Any, Wo: Any, Wg: Any, Ui: Any, Uf: Any, Uo: Any, Ug: Any, V: Any, x: Any, y: Any
) -> tuple[float, dict[str, Any]]:
    """An LSTM and its adjoint, its gates in one product as one writes it."""
    steps, d = len(x), len(Wi)
    W, U = np.vstack([Wi, Wf, Wo, Wg]), np.vstack([Ui, Uf, Uo, Ug])
    h, c = [np.zeros(d)], [np.zeros(d)]
    gates, errors, value = [], [], 0.0
    for t in range(steps):
        z = W @ h[t] + U @ x[t]
        gate = sigmoid(z[: 3 * d])
        i, f, o, g = gate[:d], gate[d : 2 * d], gate[2 * d :], np.tanh(z[3 * d :])
        c.append(f * c[t] + i * g)
        th = np.tanh(c[-1])
        h.append(o * th)
        gates.append((i, f, o, g, th))
        errors.append(V[0] @ h[-1] - y[t])
        value += errors[t] ** 2
    dW, dU, dV, dh, dc = np.zeros_like(W), np.zeros_like(U), np.zeros_like(V), np.zeros(d), np.zeros(d)
    for t in reversed(range(steps)):
        i, f, o, g, th = gates[t]
        dV[0] += errors[t] * h[t + 1]
        dh = dh + errors[t] * V[0]
        dc = dc + dh * o * (1 - th**2)
        dz = np.concatenate([dc * g * i * (1 - i), dc * c[t] * f * (1 - f), dh * th * o * (1 - o), dc * i * (1 - g**2)])
        dW += np.outer(dz, h[t])
        dU += np.outer(dz, x[t])
        dh, dc = W.T @ dz, dc * f
    found = {f"W{name}": dW[k * d : (k + 1) * d] for k, name in enumerate("ifog")}
    found |= {f"U{name}": dU[k * d : (k + 1) * d] for k, name in enumerate("ifog")}
    return value / 2, {**found, "V": dV}


def lstm_data(rng: np.random.Generator, d: int, q: int, steps: int) -> dict[str, Any]:
    """Inputs of the LSTM."""
    return {
        **{f"W{name}": rng.normal(size=(d, d)) / np.sqrt(d) for name in "ifog"},
        **{f"U{name}": rng.normal(size=(d, q)) / np.sqrt(q) for name in "ifog"},
        **{"V": rng.normal(size=(1, d)), "x": rng.normal(size=(steps, q)), "y": rng.normal(size=steps)},
    }


def jax_lstm() -> Callable[..., Any]:
    """The value and its gradient by autodiff, jitted."""

    def loss(weights: Any, x: Any, y: Any) -> Any:
        W = jnp.concatenate([weights[f"W{name}"] for name in "ifog"])
        U = jnp.concatenate([weights[f"U{name}"] for name in "ifog"])
        d = W.shape[1]

        def step(carry: Any, given: Any) -> Any:
            h, c = carry
            z = W @ h + U @ given[0]
            i, f, o = jnp.split(jax.nn.sigmoid(z[: 3 * d]), 3)
            c = f * c + i * jnp.tanh(z[3 * d :])
            h = o * jnp.tanh(c)
            return (h, c), ((weights["V"] @ h)[0] - given[1]) ** 2

        return lax.scan(step, (jnp.zeros(d), jnp.zeros(d)), (x, y))[1].sum() / 2

    f = jax.jit(jax.value_and_grad(loss))
    return lambda x, y, **weights: jax.block_until_ready(f(weights, x, y))


def unrolled_descent(X: Any, y: Any, Z: Any, v: Any, s: float, dims: dict[str, int]) -> tuple[float, dict[str, Any]]:
    """The loss on held-out data after steps of gradient descent, and its derivative by the step size."""
    n, m, w, found = len(X), len(Z), np.zeros((X.shape[1], 1)), []
    for _ in range(dims["T"]):
        found.append(X.T @ (X @ w - y) / n)
        w = w - s * found[-1]
    error = Z @ w - v
    back, slope = Z.T @ error / m, 0.0
    for g in reversed(found):
        slope -= (back * g).sum()
        back = back - s * (X.T @ (X @ back)) / n
    return (error**2).sum() / (2 * m), {"s": slope}


def descent_data(rng: np.random.Generator, n: int, p: int, m: int, steps: int) -> dict[str, Any]:
    """Inputs of gradient descent."""
    data = {"X": rng.normal(size=(n, p)), "y": rng.normal(size=(n, 1))}
    return {**data, "Z": rng.normal(size=(m, p)), "v": rng.normal(size=(m, 1)), "s": 0.1, "dims": {"T": steps}}


def jax_descent() -> Callable[..., Any]:
    """The value and its derivative by autodiff, jitted."""

    def loss(s: Any, X: Any, y: Any, Z: Any, v: Any, steps: int) -> Any:
        def step(w: Any, _: Any) -> Any:
            return w - s * X.T @ (X @ w - y) / len(X), None

        w = lax.scan(step, jnp.zeros((X.shape[1], 1)), None, length=steps)[0]
        return ((Z @ w - v) ** 2).sum() / (2 * len(Z))

    f = jax.jit(jax.value_and_grad(loss), static_argnums=5)
    return lambda X, y, Z, v, s, dims: jax.block_until_ready(f(s, X, y, Z, v, dims["T"]))


def recurrent_data(rng: np.random.Generator, d: int, q: int, steps: int) -> dict[str, Any]:
    """Inputs of the network."""
    return {
        **{"W": rng.normal(size=(d, d)) / np.sqrt(d), "U": rng.normal(size=(d, q)) / np.sqrt(q)},
        **{"V": rng.normal(size=(1, d)), "x": rng.normal(size=(steps, q)), "y": rng.normal(size=steps)},
    }


def hidden_markov_data(rng: np.random.Generator, k: int, steps: int) -> dict[str, Any]:
    """Inputs of the Markov model."""
    A = rng.random((k, k)) + 0.1
    return {"A": A / A.sum(1, keepdims=True), "B": rng.random((k, steps)) + 0.1, "c": np.full((k, 1), 1 / k)}


def jax_recurrent() -> Callable[..., Any]:
    """The value and its gradient by autodiff, jitted."""

    def loss(weights: Any, x: Any, y: Any) -> Any:
        W, U, V = weights["W"], weights["U"], weights["V"]

        def step(h: Any, given: Any) -> Any:
            h = jnp.tanh(W @ h + U @ given[0])
            return h, ((V @ h)[0] - given[1]) ** 2

        return lax.scan(step, jnp.zeros(len(W)), (x, y))[1].sum() / 2

    f = jax.jit(jax.value_and_grad(loss))
    return lambda W, U, V, x, y: jax.block_until_ready(f({"W": W, "U": U, "V": V}, x, y))


def jax_hidden_markov() -> Callable[..., Any]:
    """The value and its gradient by autodiff, jitted."""

    def loss(parts: Any) -> Any:
        A, B, c = parts["A"], parts["B"], parts["c"][:, 0]

        def step(a: Any, b: Any) -> Any:
            a = b * (A.T @ a) / a.sum()
            return a, jnp.log(a.sum())

        first = c * B[:, 0]
        return lax.scan(step, first, B[:, 1:].T)[1].sum() + jnp.log(first.sum())

    f = jax.jit(jax.value_and_grad(loss))
    return lambda A, B, c: jax.block_until_ready(f({"A": A, "B": B, "c": c}))


def best(f: Callable[[], Any], seconds: float = 0.6) -> float:
    """The shortest of several runs, in microseconds of processor time."""
    f()
    start = time.process_time()
    f()
    times = max(1, int(2e-3 / max(time.process_time() - start, 1e-6)))
    found, began = [], time.perf_counter()
    while time.perf_counter() - began < seconds or len(found) < 5:
        start = time.process_time()
        for _ in range(times):
            f()
        found.append((time.process_time() - start) / times)
    return 1e6 * min(found)


WORDS = {
    "recurrent": "recurrent network",
    "lstm": "LSTM",
    "unrolled_descent": "unrolled descent",
    "hidden_markov": "hidden Markov model",
}


def sizes_of(name: str, arrays: dict[str, Any]) -> str:
    """The sizes in words."""
    if name == "unrolled_descent":
        n, p = np.shape(arrays["X"])
        return f"{n} x {p}, {arrays['dims']['T']} steps"
    states, steps = np.shape(arrays["B"]) if name == "hidden_markov" else (np.shape(arrays["V"])[1], len(arrays["x"]))
    return f"{states} states, {steps} steps"


def compared() -> list[str]:
    """The table of docs/sums.md, a line for each size: ours, the hand-written code, JAX."""
    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(0)
    sized: list[tuple[str, list[str], Callable[..., Any], Callable[[], Any], list[dict[str, Any]]]] = [
        (
            "recurrent",
            ["W", "U", "V"],
            recurrent,
            jax_recurrent,
            [recurrent_data(rng, d, q, t) for d, q, t in ((4, 3, 10), (16, 8, 50), (128, 32, 50))],
        ),
        (
            "lstm",
            [*(f"{a}{b}" for a in "WU" for b in "ifog"), "V"],
            lstm,
            jax_lstm,
            [lstm_data(rng, d, q, t) for d, q, t in ((4, 3, 10), (16, 8, 50), (64, 32, 50))],
        ),
        (
            "unrolled_descent",
            ["s"],
            unrolled_descent,
            jax_descent,
            [descent_data(rng, *sizes) for sizes in ((20, 5, 10, 10), (200, 20, 50, 50), (1000, 100, 200, 50))],
        ),
        (
            "hidden_markov",
            ["A", "B", "c"],
            hidden_markov,
            jax_hidden_markov,
            [hidden_markov_data(rng, k, t) for k, t in ((3, 10), (10, 100), (100, 100))],
        ),
    ]
    lines = ["| example | sizes | NumPy | / by hand | native | / by hand | Numba | jax.jit |"]
    lines += ["|---|---|---:|---:|---:|---:|---:|---:|"]
    for name, names, by_hand, make, inputs in sized:
        d = mc.derive((ROOT / f"examples/sums/{name}.txt").read_text(), wrt=names)
        ours, compiled, native, other = d.function(), d.function(target="numba"), d.function(target="native"), make()
        for arrays in inputs:
            wanted, expected = by_hand(**arrays)
            for f in (ours, compiled, native):
                value, gradients = f(**arrays)
                assert np.isclose(value, wanted)
                assert all(np.allclose(gradients[n], expected[n]) for n in names)
            assert np.isclose(wanted, float(other(**arrays)[0]))
            functions = (ours, by_hand, compiled, native, other)
            mine, hand, quick, made, theirs = (best(lambda f=f, a=arrays: f(**a)) for f in functions)
            times = f"{mine:.0f} | {mine / hand:.2f} | {made:.{0 if made > 30 else 1}f} | {made / hand:.2f}"
            lines.append(f"| {WORDS[name]} | {sizes_of(name, arrays)} | {times} | {quick:.0f} | {theirs:.0f} |")
    return lines


def main() -> int:
    """Count or time; 1 where a sum keeps an index."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("count", "time"))
    if parser.parse_args().what == "time":
        print("\n".join(compared()))
        return 0
    count, bad, wrong = kept()
    print(f"{count} sums with a matrix form; {len(bad)} keep an index; {len(wrong)} have not the value of the loops")
    print("".join(f"  {name}\n" for name in (*bad, *wrong)), end="")
    return int(bool(bad or wrong))


if __name__ == "__main__":
    sys.exit(main())
