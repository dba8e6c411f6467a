"""How many digits generated code loses, beyond those that the condition of the problem explains; worst first.

Over the reference cases and random programs, in float64 and float32, at ordinary points and at extreme ones: the value
and the derivative of the generated code against the source graph evaluated with 60 digits (every operation by its
definition; derivatives are differences with tiny steps), and against JAX's own derivative of the same value.

    python benchmarks/accuracy.py [--programs 60] [--only ID,ID] [--rows 100] [--write docs/accuracy.md]

The condition is measured: how far the derivative moves, with 60 digits, when all inputs move by one rounding error.
"""

from __future__ import annotations

import argparse
import sys
import warnings
import zlib
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from importlib.util import find_spec
from math import inf, isfinite, log10
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from case_support import VALID, Arrays, Case, sample
from rounding import Typed

import matcalc as mc
from matcalc import core
from matcalc.errors import MatcalcError
from matcalc.numeric.precise import evaluate_precisely, exactly

STEP = 1e-20  # relative, of first differences with 60 digits
SECOND_STEP = 1e-14
ROUNDINGS = 4  # choices of roundings in the formula as it is typed
MOVED = 1e-18  # how far inputs move, relative, where the condition is measured
ENTRIES = 6  # of a variable by which is differentiated, and of a matrix that is compared
ALLOWED_DIGITS, ALLOWED_FACTOR = 3, 10
CONVENTION = 1e-2  # a larger difference at an ordinary point is another derivative: along a set, at a tie
GOOD = 64  # rounding errors up to which an error is compared with nobody
EXTREMES = ("ordinary", "small", "large", "nearly equal", "nearly singular")


@dataclass(frozen=True)
class Row:
    """One result at one point.

    Attributes:
        lost: digits lost, of those that the type has.
        explained: those that the condition explains.
        typed: those that the formula loses as it is typed, each operation rounded once (measured where the condition
            does not explain enough).
        factor: our error over JAX's; None without JAX or where ours is a few rounding errors.
    """

    name: str
    what: str
    point: str
    dtype: str
    lost: float
    explained: float
    typed: float
    factor: float | None

    @property
    def beyond(self) -> float:
        """Digits lost that the condition does not explain."""
        return max(0.0, self.lost - self.explained)

    @property
    def own(self) -> float:
        """Digits lost that neither the condition nor the formula as it is typed explains."""
        return max(0.0, self.lost - max(self.explained, self.typed))

    @property
    def worse(self) -> bool:
        """Whether JAX's derivative is better by more than the allowed factor."""
        return self.factor is not None and self.factor > ALLOWED_FACTOR

    @property
    def fails(self) -> bool:
        """Whether it misses a goal."""
        return self.own > ALLOWED_DIGITS or self.worse


# ------------------------------------------------------------------------------------------------ programs

UNARY = (
    *("sin({})", "tanh({})", "sigmoid({})", "softplus({})", "arctan({})", "exp(-({}).^2)", "log(1 + ({}).^2)"),
    *("sqrt(1 + ({}).^2)", "1 - sigmoid({})", "1 - cos({})", "normlogcdf({})", "log(sigmoid({}))"),
)
INNER = (
    *("A*x", "A*x - y", "x .* y", "x - y", "(x - mean(x)) .* y", "(A .* (1 - eye(n)))*x", "exp(-pdist2(A, A))*x"),
    *("(exp(-pdist2(A, A)) .* (1 - eye(n)))*y", "A'*(A*x - y)", "x*x'*y - y", "(eye(n) - A)*x"),
)
OUTER = ("sum({})", "y'*({})", "norm2({})^2", "log(1 + sum(({}).^2))", "logsumexp({})", "var({})")


def random_programs(count: int) -> list[Case]:
    """Random programs as cases."""
    cases = []
    for seed in range(count):
        rng = Random(seed)
        body = rng.choice(INNER)
        for _ in range(rng.randrange(1, 3)):
            body = rng.choice(UNARY).format(body)
        if rng.random() < 0.5:
            body = f"{body} + {rng.choice(INNER)}"
        wrt = rng.choice([v for v in "xA" if v in body.replace("exp", "").replace("max", "")] or ["y"])
        shapes = {"A": ["n", "n"], "x": ["n", 1], "y": ["n", 1]}
        source = rng.choice(OUTER).format(body)
        case = {"id": f"random-{seed}", "expr": source, "vars": shapes, "wrt": wrt, "kind": "gradient"}
        cases.append({**case, "dims": [{"n": 3}]})
    return cases


# ------------------------------------------------------------------------------------------------ points


def points(case: Case) -> Iterator[tuple[str, Arrays]]:
    """Ordinary and extreme values for the variables of a case, with 24 bits each."""
    base = sample(case, case["dims"][0])
    bound = {*case.get("domain", {}), *case.get("assume", {})}
    free = [name for name in case["vars"] if name not in bound]
    definite = [name for name, how in case.get("assume", {}).items() if how == "positive-definite"]
    for extreme in EXTREMES:
        moved = {}
        for name, X in base.items():
            new = X
            if name in free and extreme in ("small", "large"):
                new = X * (1e-6 if extreme == "small" else 1e6)
            elif name in free and extreme == "nearly equal":
                new = 1.5 + 1e-4 * X
            elif name in (*free, *definite) and extreme == "nearly singular" and X.shape[0] == X.shape[1] > 1:
                v = X[:, :1] if name in free else np.ones((len(X), 1))
                new = v @ (X[:1] if name in free else v.T) + 1e-5 * X
            moved[name] = new.astype(np.float32).astype(float)
        if extreme == "ordinary" or any(not np.array_equal(moved[n], base[n].astype(np.float32)) for n in base):
            yield extreme, moved


# ------------------------------------------------------------------------------------------------ references


class Reference:
    """The value and the derivative of a case with 60 digits.

    Args:
        d: the derivation.
        case: what is derived, and by what.
        dims: the sizes.
    """

    def __init__(self, d: mc.Derivation, case: Case, dims: dict[str, int]) -> None:
        self.output, self.name, self.kind, self.dims = d.source.output, case["wrt"], case["kind"], dims
        self.plain = {name: core.var(name, *v.shape) for name, v in d.graph.declared.items()}

    def exact(self, arrays: Arrays) -> Any:
        return {name: exactly(self.plain[name], X) for name, X in arrays.items() if name in self.plain}

    def value(self, arrays: Any) -> Any:
        return evaluate_precisely([self.output], arrays, self.dims).values[0]

    def typed(self, what: str, exact: Any, dtype: str, wanted: Any, scale: Any, entries: Any) -> float:
        """How many digits the formula loses as it is typed, in its value or in the chosen entries of its derivative."""
        all_digits = -log10(float(np.finfo(dtype).eps) / 2)
        try:
            formula = Typed(self.output, exact, self.dims, dtype)
            if formula.overflows:
                return all_digits
            lost = 0.0
            for seed in range(ROUNDINGS):
                other = copy(self)
                other.output, arrays = formula.rounded(MOVED, seed)
                got = other.value(arrays) if what == "value" else other.derivative(arrays, *entries)
                lost = max(lost, log10(max(1.0, distance(got, wanted, scale) / MOVED)))
        except (MatcalcError, ValueError):  # what underflows leaves no value
            return all_digits
        return min(lost, all_digits)

    def _at(self, arrays: Any, *moves: tuple[int, Any]) -> Any:
        X = arrays[self.name].copy()
        for k, h in moves:
            X[k % X.shape[0], k // X.shape[0]] += h
        return self.value({**arrays, self.name: X}).ravel(order="F")

    def derivative(self, arrays: Any, rows: list[int], columns: list[int]) -> Any:
        """Some entries of the Jacobian (of the gradient, for a Hessian): rows of the output, columns of vec(X)."""
        X = arrays[self.name]
        size = max(max(abs(x) for x in X.ravel()), 1e-12)
        if self.kind != "hessian":
            h = size * STEP
            found = [(self._at(arrays, (k, h)) - self._at(arrays, (k, -h)))[rows] / (2 * h) for k in columns]
            return np.array(found, dtype=object).T
        h = size * SECOND_STEP
        made = np.empty((len(rows), len(columns)), dtype=object)
        for (i, a), (j, b) in ((p, q) for p in enumerate(rows) for q in enumerate(columns)):
            terms = (s * t * self._at(arrays, (a, s * h), (b, t * h))[0] for s in (1, -1) for t in (1, -1))
            made[i, j] = sum(terms) / (4 * h * h)
        return made


def chosen(size: int, seed: str) -> list[int]:
    """Some entries."""
    rng = Random(zlib.crc32(seed.encode()))
    return sorted(rng.sample(range(size), min(size, ENTRIES)))


def distance(a: Any, b: Any, scale: Any) -> float:
    """The largest difference over the largest entry of the reference."""
    gaps = [abs(x - y) for x, y in zip(np.ravel(a), np.ravel(b))]
    return inf if any(not isfinite(float(g)) for g in gaps) else float(max(gaps) / scale)


def moved_inputs(exact: Any, case: Case, seed: int) -> Any:
    """All inputs moved by a relative `MOVED`, along their facts."""
    rng = np.random.default_rng(seed)
    result = {}
    for name, X in exact.items():
        signs = rng.choice([-1.0, 1.0], size=X.shape)
        if case.get("assume", {}).get(name) is not None or np.array_equal(X, X.T):
            signs = np.sign(signs + signs.T + 0.5) if X.shape[0] == X.shape[1] else signs
        result[name] = X + X * (MOVED * signs)
    return result


# ------------------------------------------------------------------------------------------------ JAX


def by_jax(d: mc.Derivation, case: Case, arrays: Arrays, dtype: str) -> Any:
    """JAX's own derivative of the generated value, with the activations of JAX; None where there is none."""
    if find_spec("jax") is None:
        return None
    import jax  # noqa: PLC0415  (optional)

    jax.config.update("jax_enable_x64", True)
    name = case["wrt"]
    try:
        value = d.function("value", "jax")
        value.__globals__.update(_activations(jax.nn))
        rest = {n: jax.numpy.asarray(X, dtype=dtype) for n, X in arrays.items()}
        rest = {n: rest[n] for n in d.graph.declared}
        X = rest.pop(name)
        order = jax.hessian if case["kind"] == "hessian" else jax.jacrev
        found = np.asarray(order(lambda moving: value(**{name: moving}, **rest))(X), dtype=float)
    except (MatcalcError, TypeError, NotImplementedError, ValueError):
        return None
    p, q = X.shape
    found = (
        found.reshape(-1, q, p, q) if case["kind"] == "hessian" else found.reshape(*_matrix_shape(found, p * q), p, q)
    )
    return np.transpose(found, (1, 0, 3, 2)).reshape(found.shape[0] * found.shape[1], p * q)


def _activations(nn: Any) -> dict[str, Any]:
    """JAX's own functions, for what generated code has helpers of its own."""
    return {
        "_sigmoid": lambda xp, x: nn.sigmoid(x),
        "_softplus": lambda xp, x: nn.softplus(x),
        "_softmax": lambda xp, x, axis: nn.softmax(x, axis=axis),
        "_log_softmax": lambda xp, x, axis: nn.log_softmax(x, axis=axis),
    }


def _matrix_shape(found: Any, size: int) -> tuple[int, int]:
    return (found.shape[0], found.shape[1]) if found.ndim == 4 else (found.size // size, 1)


# ------------------------------------------------------------------------------------------------ measuring


def ours(d: mc.Derivation, case: Case, arrays: Arrays, dtype: str) -> tuple[Any, Any]:
    """The value and the derivative (on vec) of the generated code."""
    given = {n: arrays[n].astype(dtype) for n in d.graph.declared}
    dims = case["dims"][0]
    value = np.asarray(d.function("value")(**given, dims=dims), dtype=float)
    D = np.asarray(d.function(case["kind"])(**given, dims=dims)[case["wrt"]], dtype=float)
    return value, D.reshape(1, -1, order="F") if case["kind"] == "gradient" else D


def measured(case: Case) -> list[Row]:
    """The rows of a case."""
    d = mc.derive(case["expr"], wrt=case["wrt"], shapes=case["vars"], facts=case.get("assume"))
    reference, rows = Reference(d, case, case["dims"][0]), []
    for point, arrays in points(case):
        try:
            exact = reference.exact(arrays)
            value = reference.value(exact)
            columns = chosen(arrays[case["wrt"]].size, case["id"])
            lines = columns if case["kind"] == "hessian" else chosen(value.size, case["id"] + "rows")
            D = reference.derivative(exact, lines, columns)
            moved = [moved_inputs(exact, case, seed) for seed in (1, 2)]
            values = [reference.value(m) for m in moved]
            slopes = [reference.derivative(m, lines, columns) for m in moved]
        except (MatcalcError, ValueError):  # no finite real value there
            continue
        found = _rows_at((d, case, reference), point, (arrays, exact), (value, D, lines, columns), (values, slopes))
        if found is None:
            return rows
        rows += found
    return rows


def _rows_at(of: Any, point: str, at: Any, exact: Any, moved: Any) -> list[Row] | None:
    """The rows at one point; None at an ordinary point where the derivative is another one by convention."""
    (d, case, reference), (arrays, given) = of, at
    (value, D, lines, columns), (values, slopes) = exact, moved
    rows = []
    for dtype in ("float64", "float32"):
        eps = float(np.finfo(dtype).eps) / 2
        own_value, own = ours(d, case, arrays, dtype)
        own = own[np.ix_(lines, columns)]
        for what, got, wanted, others in (("value", own_value, value, values), (case["kind"], own, D, slopes)):
            scale = max(abs(x) for x in np.ravel(wanted))
            if scale == 0 or not float(np.finfo(dtype).tiny) < float(scale) < float(np.finfo(dtype).max):
                continue
            error = distance(got, wanted, scale)
            if what != "value" and point == "ordinary" and dtype == "float64" and error > CONVENTION:
                return None
            condition = max(distance(other, wanted, scale) for other in others) / MOVED
            explained = log10(max(1.0, condition))
            lost = min(-log10(eps), max(0.0, log10(error / eps))) if error > 0 else 0.0
            factor = None
            if what != "value" and error > GOOD * eps * max(1.0, condition):
                jax = by_jax(d, case, arrays, dtype)
                theirs = inf if jax is None else distance(jax[np.ix_(lines, columns)], wanted, scale)
                factor = None if jax is None else error / max(theirs, eps) if isfinite(theirs) else 0.0
            typed = 0.0
            if lost - explained > ALLOWED_DIGITS:
                typed = reference.typed(what, given, dtype, wanted, scale, (lines, columns))
            rows.append(Row(case["id"], what, point, dtype, lost, explained, typed, factor))
    return rows


# ------------------------------------------------------------------------------------------------ the table


def table(rows: list[Row], count: int) -> str:
    """The totals by class and the worst rows of each, in Markdown."""
    lost = [r for r in rows if r.beyond > ALLOWED_DIGITS]
    missed = [r for r in rows if r.fails]
    typed = [r for r in lost if not r.fails]
    digits = sorted(r.beyond for r in rows)
    shares = ", ".join(f"{100 * q:g} %: {digits[int(q * (len(digits) - 1))]:.1f}" for q in (0.5, 0.9, 0.99, 1))
    return "\n".join(
        [
            f"{len(rows)} results of {len({r.name for r in rows})} programs.",
            f"Digits lost beyond the condition, quantiles: {shares}.",
            "",
            f"- Above {ALLOWED_DIGITS} digits beyond the condition: {len(lost)}; of these the formula as it is typed",
            f"  explains {len(typed)}.",
            f"- Above {ALLOWED_DIGITS} digits beyond both: {sum(r.own > ALLOWED_DIGITS for r in rows)}.",
            f"- Errors above {ALLOWED_FACTOR} times JAX's: {sum(r.worse for r in rows)}.",
            "",
            "## Results that miss a goal",
            "",
            *_listed(sorted(missed, key=lambda r: (-r.own, -(r.factor or 0), r.name, r.what, r.point, r.dtype))),
            "",
            "## What the formula loses as it is typed",
            "",
            *_listed(sorted(typed, key=lambda r: (-r.beyond, r.name, r.what, r.point, r.dtype))[:count]),
        ]
    )


def _listed(rows: list[Row]) -> list[str]:
    lines = ["| case | result | point | type | digits lost | condition | as typed | beyond both | error / JAX |"]
    lines.append("|---|---|---|---|---:|---:|---:|---:|---:|")
    for r in rows:
        factor = "" if r.factor is None else f"{r.factor:.2g}"
        numbers = (f"{x:.1f}" for x in (r.lost, r.explained, r.typed, r.own))
        lines.append(f"| {' | '.join((r.name, r.what, r.point, r.dtype, *numbers, factor))} |")
    return lines if rows else ["None."]


INTRODUCTION = """# Accuracy of generated code

Digits that the generated code loses, and how many of them the condition of the problem explains: how far the result
moves, computed with 60 digits, when all inputs move by one rounding error. The reference is the source graph, every
operation by its definition, with 60 digits; its derivatives are differences with tiny steps. Points are ordinary, or
scaled by 1e-6 and 1e6, or have entries that are nearly equal, or matrices that are nearly singular. Errors are measured
by the largest entry of a result.

Where the condition leaves more than 3 digits unexplained, it is measured what the formula loses *as it is typed*: the
same formula with 60 digits, but with one rounding in each of its operations, and all digits where a value on the way
overflows. `log(cosh(x))` at 1e-6 loses 12 digits so, and Huber's loss as a difference of squares at 1e6, in any
program that follows the text; some such formulas have a stable form that is used, most have not. What is beyond that
too, our rewriting and our code lose.

`error / JAX` is the error over that of JAX's own derivative of the same value, in the same type, with JAX's own
sigmoid, softplus and softmax, where ours is more than a few rounding errors.

The goals: at most 3 digits beyond the condition, and at most 10 times the error of JAX. The second holds if no result
misses it below. The first holds in a weaker sense only, beyond the condition *or* beyond what the formula loses as it
is typed: the results that the condition alone does not explain are all in the second table, with what would mend them
below it. Written by `python benchmarks/accuracy.py --write docs/accuracy.md`; the worst results first.

"""

CAUSES = """
## What would mend the rest

- `X'*A*X`, `A*X*B` with columns that are nearly parallel, in determinants, inverses and traces of them
  (`cookbook-0051b` to `0054` and `0126`, `logdetXtAX`, `cca`, `dpp`): the product has the square of the condition.
  X'*X and X'*diag(w)*X are factored by QR factors of X; for A its own factor would cost more than all else.
- `y'*(I - X*inv(X'*X)*X')*y` (`hat`): the projection is right to the condition of X, and then y'*r has to be r'*r.
- `A + u*u'`, `A + t*B`, and the two steps of the Kalman filter, at 1e6: a term of 1e12 takes the digits of the other.
  Other algorithms keep them (the inverse by Sherman and Morrison's formula, square-root filters).
- `logdet(X'*X + eye(n))` for tiny X needs an elimination that never adds the 1.
- `var(f(x))` where f is nearly constant (`random`), and `exp(s) - 1 - s` near 0 (`vae`): what varies is below the
  rounding of f. For `1 - cos`, `sqrt(1 + x) - 1`, `exp - 1`, `log(1 + x)` and their like there are stable forms.
- `softmax(Z) - Y`, times a matrix whose rows are nearly equal (`mlp`): the sums of its rows are 0 up to rounding. Where
  code subtracts a mean or a mean weighted by a softmax, it does so twice; here that is not known to be one.
"""


def main() -> int:
    """Print the table; 1 where a goal is missed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--programs", type=int, default=60, help="how many random programs (default: 60)")
    options.add_argument("--only", default="", help="cases whose id has one of these texts, separated by commas")
    options.add_argument("--every", type=int, default=1, help="only each n-th case")
    options.add_argument("--rows", type=int, default=100, help="how many rows (default: 100)")
    options.add_argument("--write", type=Path, help="a page to write")
    asked = options.parse_args()
    wanted = asked.only.split(",")
    cases = [c for c in (*VALID, *random_programs(asked.programs)) if any(w in c["id"] for w in wanted)]
    cases = cases[:: asked.every]
    rows: list[Row] = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for k, case in enumerate(cases):
            print(f"\r{k + 1}/{len(cases)} {case['id']:40}", end="", file=sys.stderr, flush=True)
            try:
                rows += measured(case)
            except (MatcalcError, np.linalg.LinAlgError) as error:
                print(f"\n{case['id']}: {error}", file=sys.stderr)
    print(file=sys.stderr)
    text = table(rows, asked.rows)
    print(text)
    if asked.write:
        asked.write.write_text(INTRODUCTION + text + "\n" + CAUSES, encoding="utf-8")
    return int(any(r.fails for r in rows))


if __name__ == "__main__":
    sys.exit(main())
