"""Random functions whose curvature is claimed: `python -m tests.fuzz.curvature --count 10000 --jobs 2`.

Each claim is held against Hessians at random points (`POINTS` in this command, fewer in the tests), and against chords,
which see kinks too: the middle of a convex function's chord lies above the function. Data and unknowns are drawn from
their sets, near the middle and far out.
"""

from __future__ import annotations

import argparse
import inspect
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

import matcalc as mc
from matcalc.curvature.status import Curvature
from matcalc.errors import NoRuleError
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.precise import evaluate_precisely, exactly
from matcalc.numeric.sample import sample
from matcalc.properties import known

POINTS = 200
CHORDS = 30
MOVES = 5  # of a point in its last digits
LARGEST = 1e100  # entries of Hessians that are looked at
SIZES = {"n": 3, "m": 2}
FUNCTIONS = (
    *("exp", "softplus", "sigmoid", "tanh", "abs", "relu", "sqrt", "log", "cosh", "sin", "huber", "logsigmoid"),
    *(
        "arctan",
        "normcdf",
        "normlogcdf",
        "log1p",
        "expm1",
        "sinh",
        "silu",
        "gelu",
        "selu",
        "softsign",
        "arcsinh",
        "erf",
    ),
)
POWERS = ("2", "3", "4", "(1/2)", "(-1)", "(-2)", "(3/2)")


@dataclass(frozen=True)
class Found:
    """What became of one random function: its status, or `refused`; `failure` tells an unsound claim."""

    number: int
    status: str
    failure: str = ""


# ------------------------------------------------------------------------------------------------ random functions


def entries(rng: random.Random, depth: int, plain: tuple[str, ...]) -> str:
    """A random value of entries in the unknown."""
    if depth <= 0:
        return rng.choice(plain)
    a, b = entries(rng, depth - 1, plain), entries(rng, depth - 1, plain)
    forms = (f"{rng.choice(FUNCTIONS)}({a})", f"({a}) + ({b})", f"({a}) .* ({b})", f"-({a})", f"c*({a})")
    bound = rng.choice(("0*x", "1 + 0*x", "b") if plain[0] == "x" and "b - x" in plain else ("0*x", "B"))
    forms += (f"where(({a}) > ({bound}), {a}, {b})", f"where(abs({a}) > 1 + 0*({a}), 2*abs({a}) - 1, ({a}).^2)")
    power = f"({a}).^{rng.choice(POWERS)}"
    return rng.choice((*forms, power, f"maximum({a}, {b})", f"({a}) ./ ({b})", f"1 + ({a})"))


def of_column(rng: random.Random, depth: int) -> str:
    """A random scalar function of the column x."""
    a = entries(rng, depth - 1, ("x", "A*x", "A*x + b", "y .* x", "b - x", "M*x", "2*x"))
    simple = [f"sum({a})", f"norm2({a})", f"norm2({a})^2", f"logsumexp({a})", f"max({a})", f"c*sum({a})", "x'*P*x"]
    simple += [f"sqrt(1 + ({a})'*({a}))", f"norm1({a})", f"var({a})", "b'*x", f"prod({a})", f"max(abs({a}))"]
    simple += [f"y'*({a})", f"({a})'*P*({a})", f"mean({a})", f"std({a})", f"tr(inv(P + diag({a})))"]
    return rng.choice(simple)


def of_matrix(rng: random.Random, depth: int) -> str:
    """A random scalar function of the n x m matrix x."""
    a = entries(rng, depth - 1, ("x", "A*x", "x + B", "x .* B", "B - x", "M*x", "2*x", "x*C"))
    simple = [f"sum({a})", f"norm2({a})", f"norm2({a})^2", f"sum(logsumexp({a}, 2))", f"max({a})", "tr(x'*P*x)"]
    simple += [f"norm1({a})", f"normnuc({a})", f"normspec({a})", f"sum(max({a}, 2))", f"tr(B'*({a}))", f"b'*({a})*z"]
    simple += [f"logdet(eye(m) + ({a})'*({a}))", f"sum(sqrt(sum(({a}).^2, 2)))", f"tr(({a})'*P*({a})*D)"]
    return rng.choice(simple)


def of_symmetric(rng: random.Random, depth: int) -> str:
    """A random scalar function of the symmetric n x n matrix x."""
    a = rng.choice(("x", "P + x", "A*x*A'", "2*x", "x + eye(n)", "x - P", "diag(diagvec(x))", "A'*x*A + P", "-x"))
    if depth > 1:
        a = rng.choice((a, f"inv({a})", f"({a})^2", f"expm({a})", f"sqrtm({a})", f"({a}) + b*b'"))
    simple = [f"logdet({a})", f"tr({a})", f"tr(P*({a}))", f"b'*({a})*b", f"tr(inv({a}))", f"b'*inv({a})*b"]
    simple += [f"eigmax({a})", f"eigmin({a})", f"norm2({a})^2", f"tr(({a})^2)", f"normnuc({a})", f"tr(expm({a}))"]
    simple += [f"sum(log(eigvals({a})))", f"det({a})", f"-logdet({a}) + tr(P*x)", f"sum(exp({a}))", f"tr(P*inv({a}))"]
    return rng.choice(simple)


def combined(rng: random.Random, depth: int, simple: Callable[[random.Random, int], str]) -> str:
    """A random function, or two of them together."""
    if depth <= 1 or rng.random() < 0.4:
        return simple(rng, depth)
    f, g = combined(rng, depth - 1, simple), combined(rng, depth - 1, simple)
    forms = [f"({f}) + ({g})", f"({f}) - ({g})", f"exp({f})", f"log({f})", f"({f})^2", f"({f})/({g})", f"sqrt({f})"]
    return rng.choice((*forms, f"({f})*({g})", f"maximum({f}, {g})", f"c*({f}) + ({g})", f"softplus({f})"))


def source(seed: int) -> str:
    """The text of a random function with its declarations."""
    rng = random.Random(seed)
    kind = rng.choice(("column", "column", "matrix", "symmetric"))
    depth = rng.choice((1, 2, 2, 3))
    fact = rng.choice(("", "positive", "nonnegative"))
    if kind == "column":
        unknown, text = f"x: n x 1 {fact}", combined(rng, depth, of_column)
    elif kind == "matrix":
        unknown, text = f"x: n x m {fact}", combined(rng, depth, of_matrix)
    else:
        facts = ("symmetric", "positive-definite", "positive-definite", "positive-semidefinite")
        unknown, text = f"x: n x n {rng.choice(facts)}", combined(rng, depth, of_symmetric)
    return "\n".join(
        (
            unknown,
            f"M: n x n {rng.choice(('', 'positive', 'nonnegative'))}",
            f"P: n x n {rng.choice(('positive-definite', 'symmetric', 'positive-semidefinite'))}",
            f"D: m x m {rng.choice(('positive-definite', 'symmetric', 'diagonal'))}",
            f"b: n x 1 {rng.choice(('', 'positive'))}",
            f"y: n x 1 {rng.choice(('', 'positive'))}",
            f"c: 1 x 1 {rng.choice(('', 'positive'))}",
            f"B: n x m {rng.choice(('', 'positive'))}",
            *("A: n x n", "C: m x m", "z: m x 1"),
            text,
        )
    )


# ------------------------------------------------------------------------------------------------ against numbers


def _directions(x: mc.Expr, sizes: dict[str, int]) -> np.ndarray:
    """An orthonormal basis of the directions in which the unknown moves, as columns of vec."""
    rows, columns = (int(sizes.get(str(s), 0)) or int(str(s)) for s in x.shape)
    whole = np.eye(rows * columns)
    if rows != columns or rows == 1 or not known(x, "symmetric"):
        return whole
    both = [
        np.sqrt(0.5 if i != j else 0.25) * (whole[:, i + j * rows] + whole[:, j + i * rows])
        for j in range(rows)
        for i in range(j, rows)
    ]
    return np.column_stack(both)


def drawn(d: mc.Derivation, seed: int, count: int) -> Iterator[tuple[dict, dict]]:
    """Data, with the unknown at two points of its set."""
    rng = np.random.default_rng(seed)
    x = d.graph.declared["x"]
    others = [v for v in d.graph.declared.values() if v is not x]
    for k in range(count):
        mode = ("free", "positive")[k % 2]
        arrays, sizes = sample(others, rng, dict(SIZES), mode=mode)
        scale = (1.0, 0.1, 3.0, 0.3)[k % 4]
        first, _ = sample([x], rng, sizes, mode=mode)
        last, _ = sample([x], rng, sizes, mode=mode)
        yield {**arrays, "x": scale * first["x"]}, {"x": scale * last["x"], "sizes": sizes}


def chord_failure(d: mc.Derivation, c: Curvature, seed: int, count: int = CHORDS) -> str:
    """Where a claim contradicts a chord, confirmed with 60 digits."""
    for arrays, more in drawn(d, seed, count):
        first, last, sizes = arrays["x"], more["x"], more["sizes"]
        values = [value(d, {**arrays, "x": first + w * (last - first)}, sizes) for w in (0.0, 0.5, 1.0)]
        if not np.all(np.isfinite(values)):
            continue
        gap = values[1] - (values[0] + values[2]) / 2
        squared = float(np.sum((last - first) ** 2)) / -8
        bad = wrong(c, gap / squared, arrays, sizes, 1e-9 * (1 + max(map(abs, values))) / abs(squared))
        if bad and confirmed(d, c, arrays, sizes, (first + last) / 2, (last - first) / 2):
            return f"chord: {bad}, values {values}"
    return ""


def value(d: mc.Derivation, arrays: dict, sizes: dict) -> float:
    """The function in double precision."""
    with np.errstate(all="ignore"):
        return float(evaluate(d.source.output, arrays, sizes, {})[0, 0])


def confirmed(d: mc.Derivation, c: Curvature, arrays: dict, sizes: dict, middle: np.ndarray, step: np.ndarray) -> bool:
    """Whether a claim contradicts the second difference along a step, with 60 digits where there are so many.

    It must stay the same where the point moves in its last digits: rounding speaks for nothing.
    """
    x = d.graph.declared["x"]
    given = {v.name: exactly(v, arrays[v.name]) for v in d.graph.declared.values() if v is not x}
    M, S = exactly(x, middle), exactly(x, step)
    squared = sum(s**2 for s in S.ravel())
    try:
        found = [
            [
                evaluate_precisely([d.source.output], {**given, "x": m + k * S}, sizes).values[0][0, 0]
                for k in (-1, 0, 1)
            ]
            for m in (M + j * M / 10**50 for j in range(MOVES))
        ]
    except NoRuleError:  # an operation without a value of 60 digits: the rounded one must do
        moved = [middle * (1 + 1e-13 * j) for j in range(MOVES)]
        found = [[value(d, {**arrays, "x": m + k * step}, sizes) for k in (-1, 0, 1)] for m in moved]
    except (mc.MatcalcError, ValueError):
        return False  # outside of the domain, or of the range of numbers
    curvatures = [float((low + high - 2 * mid) / squared) for low, mid, high in found]
    tolerance = 10 * (max(curvatures) - min(curvatures)) + 1e-12 * abs(curvatures[0])
    return bool(wrong(c, curvatures[0], arrays, sizes, tolerance))


def hessian_failure(d: mc.Derivation, c: Curvature, seed: int, count: int = POINTS) -> str:
    """Where a claim contradicts the eigenvalues of a Hessian, confirmed with 60 digits along its eigenvector."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            hessian = d.function("hessian")
    except NoRuleError:
        return ""
    names = [name for name in inspect.signature(hessian).parameters if name != "dims"]
    x = d.graph.declared["x"]
    for arrays, more in drawn(d, seed + 1, count):
        sizes = more["sizes"]
        given = {name: arrays[name] for name in names}
        with np.errstate(all="ignore"):
            try:
                H = np.atleast_2d(np.asarray(hessian(**given, dims=sizes)["x"], dtype=float))
            except (ValueError, np.linalg.LinAlgError):
                continue
        if not np.all(np.abs(H) < LARGEST):
            continue
        basis = _directions(x, sizes)
        found, vectors = np.linalg.eigh(basis.T @ (H + H.T) @ basis / 2)
        for k in (0, -1):
            bad = wrong(c, found[k], arrays, sizes, 1e-9 * (1 + float(np.max(np.abs(H)))))
            step = 1e-9 * (basis @ vectors[:, k]).reshape(arrays["x"].shape, order="F")
            if bad and confirmed(d, c, arrays, sizes, arrays["x"], step):
                return f"Hessian: {bad}, eigenvalues {found}"
    return ""


def wrong(c: Curvature, found: float, arrays: dict, sizes: dict, tolerance: float) -> str:
    """What a claim says that a curvature contradicts."""
    if (c.status == "affine" or "convex" in c.status) and found < -tolerance:
        return f"{c.status}, but {found}"
    if (c.status == "affine" or "concave" in c.status) and found > tolerance:
        return f"{c.status}, but {found}"
    if c.strong is not None:
        mu = float(evaluate(c.strong, arrays, sizes)[0, 0])
        if mu <= 0 or (found if "convex" in c.status else -found) < mu * (1 - 1e-9) - tolerance:
            return f"strong {mu}, but {found}"
    if c.smooth is not None:
        bound = float(evaluate(c.smooth, arrays, sizes)[0, 0])
        if abs(found) > bound * (1 + 1e-9) + tolerance:
            return f"smooth {bound}, but {found}"
    return ""


def judged(number: int, points: int = POINTS) -> Found:
    """One random function: claimed, and held against numbers; what is raised beside refusals is a failure too."""
    text = source(number)
    try:
        return judged_source(number, text, points)
    except Exception as error:
        return Found(number, type(error).__name__, f"{type(error).__name__}: {error}\n{text}")


def judged_source(number: int, text: str, points: int) -> Found:
    """A function in text: claimed, and held against numbers drawn by a seed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            d = mc.derive(text, wrt="x")
            c = d.curvature("x")
    except mc.MatcalcError:
        return Found(number, "refused")
    if c.status == "undecided":
        return Found(number, c.status)
    if c.status == "neither":
        return Found(number, c.status, "" if has_both_signs(c) else f"witness of one sign\n{text}")
    bad = chord_failure(d, c, number) or hessian_failure(d, c, number, points)
    return Found(number, c.status, f"{bad}\n{text}" if bad else "")


def has_both_signs(c) -> bool:
    """Whether the witness shows curvatures, or chords, of both signs."""
    points = [*(c.witness if isinstance(c.witness, tuple) else (c.witness,)), *c.chords]
    signs = {np.sign(value) for point in points if point is not None for value in point.curvatures}
    signs |= {-np.sign(chord.chord) for chord in c.chords if chord.chord is not None}
    return signs == {1.0, -1.0}


def main() -> int:
    """Run, show progress, failures and counts."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.curvature", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="how many functions")
    parser.add_argument("--start", type=int, default=0, help="the number of the first one")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    failures, started = 0, time.monotonic()
    with get_context("spawn").Pool(options.jobs) as pool:
        numbers = range(options.start, options.start + options.count)
        for done, found in enumerate(pool.imap_unordered(judged, numbers, chunksize=10), 1):
            counts[found.status] += 1
            if found.failure:
                failures += 1
                print(f"{'-' * 100}\n{found.number}: {found.failure}", flush=True)
            if done % 500 == 0:
                print(f"{done}/{options.count}, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    for status, n in counts.most_common():
        print(f"{n:8d}  {status}")
    print(f"{failures} unsound of {options.count} functions")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
