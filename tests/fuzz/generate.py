"""Random well-shaped programs, made from the records of the operations: shapes, parameters, domains."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np
import sympy as sp

from matcalc import core
from matcalc.dims import dim, is_one, same, shape_text
from matcalc.errors import MatcalcError
from matcalc.expr import REGISTRY, Expr, Op, node, postorder
from matcalc.numeric.sample import value_with_facts
from matcalc.properties import names_of
from matcalc.walk import variables

from .constants import LEAVES
from .definitions import TABLE
from .evaluation import Arrays, Evaluation

SIZES = (
    {"n": 3, "m": 2, "p": 4},
    {"n": 2, "m": 3, "p": 2},
    {"n": 4, "m": 1, "p": 2},
    {"n": 1, "m": 2, "p": 3},
    {"n": 3, "m": 3, "p": 1},
)
FACTS = (
    ("symmetric",),
    ("positive-definite",),
    ("diagonal",),
    ("lower",),
    ("upper",),
    ("orthogonal",),
    ("skew",),
    ("nonsingular",),
    ("symmetric", "nonsingular"),
    ("diagonal", "positive-definite"),
    ("positive-semidefinite",),
)
ENTRY_FACTS = (("positive",), ("nonnegative",), ("nonzero",), ("row-stochastic",), ("one-hot",), ("column-stochastic",))
FREQUENT = ("matmul", "add", "hadamard", "scale", "transpose", "divide", "sum")
OPERATIONS = sorted(name for name in REGISTRY if name in TABLE or name in LEAVES)
HEAVY = {name for name in REGISTRY if name.endswith("form") and name != "quadform"} | {
    "frechet",
    "frechetpow",
    "dpolar",
}
LARGE, MARGIN = 50.0, 0.03
MOST_ENTRIES = 600  # of a value: kron(dup(3), elim(3)) grows beyond what the oracle holds


@dataclass
class Program:
    """A program and a point.

    Attributes:
        output: what is computed, definitions as named values in it.
        arrays: the values of its variables.
        sizes: of its dimensions.
    """

    output: Expr
    arrays: Arrays
    sizes: dict[str, int]
    seed: tuple[int, ...] = ()

    @property
    def variables(self) -> list[Expr]:
        """The variables, in order of appearance."""
        return variables((self.output,))

    @property
    def definitions(self) -> list[Expr]:
        """The named values, in order."""
        return [e for e in postorder((self.output,)) if e.op == "named"]

    @property
    def functions(self) -> list[Any]:
        """The user's functions in it."""
        return list({e.params[0].name: e.params[0] for e in postorder((self.output,)) if e.op == "func"}.values())

    def text(self) -> str:
        """The program in the text syntax."""
        lines = [
            f"{v.params[0]}: {shape_text(v.shape)} {' '.join(names_of(v.params[3]))}".rstrip() for v in self.variables
        ]
        lines += [f"{e.params[0]} = {e.args[0]}" for e in self.definitions]
        return "\n".join([*lines, str(self.output)])

    def at(self, output: Expr, arrays: Arrays | None = None) -> Program:
        """Another output at the same point."""
        values = {**self.arrays, **(arrays or {})}
        needed = {v.params[0] for v in variables((output,))}
        return replace(self, output=output, arrays={k: a for k, a in values.items() if k in needed})


@dataclass
class Maker:
    """Grows one program from values that it has."""

    rng: np.random.Generator
    sizes: dict[str, int]
    arrays: Arrays = field(default_factory=dict)
    pool: list[Expr] = field(default_factory=list)
    names: int = 0

    def __post_init__(self) -> None:
        self.run = Evaluation(self.arrays, self.sizes)

    def value(self, e: Expr) -> tuple[np.ndarray, float]:
        """The value of an expression, and the distance from kinks of what is new in it."""
        self.run.machine.margin = np.inf
        return self.run.jet(e)[0, 0], self.run.machine.margin

    def pick(self, options: Any) -> Any:
        """One of several."""
        return options[int(self.rng.integers(len(options)))]

    # ------------------------------------------------------------------------------------------------ variables

    def dimension(self) -> Any:
        """A dimension of this program."""
        return dim(self.pick(("n", "n", "n", "m", "m", "p", 1)))

    def variable(self, rows: Any, cols: Any) -> Expr:
        """A new variable with a value, perhaps with facts."""
        facts: tuple[str, ...] = ()
        if self.rng.random() < 0.35:
            square = same(rows, cols) and not is_one(rows)
            facts = self.pick(FACTS if square and self.rng.random() < 0.7 else ENTRY_FACTS)
        shape = self.size(rows), self.size(cols)
        if math.prod(shape) > MOST_ENTRIES:
            raise MatcalcError("the program grows too large")
        letters = "abcxyzuvwqrs" if is_one(cols) else "ABCXYZUVWQRS"
        name = next(free for k in count() for x in letters if (free := x + (str(k) if k else "")) not in self.arrays)
        for words in (facts, ()):
            try:
                v = core.var(name, rows, cols, words)
                self.arrays[name] = value_with_facts(name, v.params[3], shape, self.rng)
            except MatcalcError:
                continue
            self.pool.append(v)
            return v
        raise AssertionError("a variable without facts has a value")

    def size(self, d: Any) -> int:
        """The size of a dimension."""
        found = sp.sympify(d)
        return int(found.subs({s: self.sizes[s.name] for s in found.free_symbols}))

    # ------------------------------------------------------------------------------------------------ operations

    def step(self) -> Expr | None:
        """One more value: a random operation on values that there are, where it is defined at this point."""
        name = self.pick(FREQUENT) if self.rng.random() < 0.35 else self.pick(OPERATIONS)
        entry = REGISTRY[name]
        if name == "named" or (name in HEAVY and self.rng.random() < 0.8):
            return None
        try:
            args, params = self.arguments(entry)
            e = self.defined(entry, args, params)
        except MatcalcError:
            return None
        if e is None:
            return None
        if self.rng.random() < 0.25 and e.args:
            self.names += 1
            e = core.named(f"h{self.names}", e)
        self.pool.append(e)
        return e

    def arguments(self, entry: Op) -> tuple[list[Expr], tuple[Any, ...]]:
        """Arguments and parameters that fit the example of a record."""
        bound: dict[str, Any] = {}
        parts = [p.strip() for p in entry.example[0].split(",") if p.strip()]
        if entry.variadic and entry.name != "block" and len(parts) > 2:
            parts = parts[: 2 + int(self.rng.integers(2))]
        args = [self.argument(part, bound) for part in parts]
        params = tuple(self.parameter(p, given, bound) for p, given in zip(entry.params, entry.example[1:]))
        return args, params

    def argument(self, part: str, bound: dict[str, Any]) -> Expr:
        """A value of the shape that a part of an example names, its letters bound on the way."""
        shape, _, number = part.partition("=")
        if number and self.rng.random() < 0.8:
            return core.number(self.pick((2, 3, -1, sp.Rational(1, 2), -2, sp.Rational(number))))
        pattern = shape.split()
        recent = list(reversed(self.pool))
        weights = 0.6 ** np.arange(len(recent))
        tries = 0 if bound and self.rng.random() < 0.25 else min(len(recent), 6)
        for k in self.rng.choice(len(recent), size=tries, replace=False, p=weights / weights.sum()):
            trial = dict(bound)
            if all(self.bind(word, d, trial) for word, d in zip(pattern, recent[k].shape)):
                bound.update(trial)
                return recent[k]
        rows, cols = (self.instance(word, bound) for word in pattern)
        return self.variable(rows, cols)

    def bind(self, word: str, d: Any, bound: dict[str, Any]) -> bool:
        """Whether a dimension fits a word of a pattern."""
        if word.isdigit():
            return same(dim(int(word)), d) or (
                int(word) > 1 and isinstance(d, int) and d > 1 and self.rng.random() < 0.3
            )
        if not word.isidentifier():
            return same(self.instance(word, bound), d)
        return bool(same(bound.setdefault(word, d), d))

    def instance(self, word: str, bound: dict[str, Any]) -> Any:
        """The dimension that a word of a pattern stands for."""
        if word.isdigit():
            return dim(int(word))
        form = sp.sympify(word)
        for s in form.free_symbols:
            bound.setdefault(s.name, self.dimension())
        return dim(form.subs({s: sp.sympify(bound[s.name]) for s in form.free_symbols}, simultaneous=True))

    def parameter(self, spec: Any, given: Any, bound: dict[str, Any]) -> Any:
        """A parameter: of its kind at random, or that of the example."""
        if spec.kind == "dim":
            return self.instance(given, bound) if isinstance(given, str) else dim(given)
        if spec.kind == "axis":
            return self.pick((None, 1, 2))
        if spec.name == "function" and spec.kind == "function":
            return self.pick(("expm", "logm", "sqrtm"))
        if spec.name == "ddof":
            return self.pick((0, 1))
        if spec.name == "relation":
            return self.pick((">", ">="))
        if spec.name == "value":
            return core.exact(self.pick((2, 3, -1, 1, sp.Rational(1, 2), sp.Rational(-3, 4))))
        return given

    def joined(self, last: Expr) -> Expr:
        """The last value together with others that were made on the way."""
        for other in reversed(self.pool):
            if other is last or other.op == "variable" or self.rng.random() < 0.4:
                continue
            how = self.pick((core.add, core.hadamard, core.matmul, core.scale))
            try:
                e = how(other, last)
                found, margin = self.value(e)
            except MatcalcError:
                continue
            if margin > MARGIN and np.isfinite(found).all() and np.abs(found).max(initial=0) < LARGE:
                last = e
        return last

    # ------------------------------------------------------------------------------------------------ domains

    def defined(self, entry: Op, args: list[Expr], params: tuple[Any, ...]) -> Expr | None:
        """The operation, its arguments mended where it is not defined or not smooth at this point."""
        for mend in (None, *self.rng.permutation(np.array(MENDS, dtype=object))):
            try:
                new = [a if mend is None or a.op == "number" else mend(a) for a in args]
                e = node(entry.name, new, params)
                if self.is_fine(entry, e):
                    return e
            except (MatcalcError, np.linalg.LinAlgError):
                continue
        return None

    def is_fine(self, entry: Op, e: Expr) -> bool:
        """Whether an operation has a value of moderate size here, away from where it is not smooth."""
        for fact, condition in entry.sampled(*e.args, *e.params):
            if not self.holds(fact, condition):
                return False
        found, margin = self.value(e)
        small = found.size <= MOST_ENTRIES and np.abs(found).max(initial=0) < LARGE
        return bool(margin > MARGIN and np.isfinite(found).all() and small)

    def holds(self, fact: str, e: Expr) -> bool:
        """Whether a condition of a record holds with a margin."""
        x, _ = self.value(e)
        if not np.isfinite(x).all():
            return False
        if fact == "positive":
            return bool((x > MARGIN).all())
        if fact == "nonzero":
            return bool((np.abs(x) > MARGIN).all())
        if fact == "positive-definite":
            return bool(np.linalg.eigvalsh((x + x.T) / 2).min() > MARGIN)
        return bool(np.linalg.svd(x, compute_uv=False).min() > MARGIN)


def _half() -> Expr:
    return core.number(sp.Rational(1, 2))


def _shifted(a: Expr, by: Any) -> Expr:
    return core.add(a, core.broadcast(core.number(by), a.shape)) if not a.is_scalar else core.add(a, core.number(by))


def _gram(a: Expr) -> Expr:
    return core.add(core.matmul(a, a.T), core.eye(a.shape[0]))


MENDS: tuple[Callable[[Expr], Expr], ...] = (
    lambda a: _shifted(core.hadamard(a, a), sp.Rational(1, 2)),
    lambda a: node("sigmoid", (a,)),
    lambda a: _shifted(core.hadamard(a, a), sp.Rational(3, 2)),
    lambda a: node("exp", (core.scale(_half(), a),)),
    lambda a: _gram(a) if same(*a.shape) else _shifted(a, 3),
    lambda a: core.add(a, a.T) if same(*a.shape) else core.minus(a),
    lambda a: core.add(a, core.scale(core.number(4), core.eye(a.shape[0]))) if same(*a.shape) else _shifted(a, 1),
)


def reductions(maker: Maker, F: Expr) -> Iterator[Expr]:
    """Scalar functions of a value."""
    if F.is_scalar:
        yield F
        yield core.hadamard(F, F)
        return
    C = maker.variable(*F.shape)
    yield core.total(core.hadamard(F, C))
    yield core.total(core.hadamard(F, F))
    yield node("norm2", (F,))
    yield core.total(core.hadamard(F, node("sin", (F,))))
    yield node("logsumexp", (F,), (None,))
    yield core.total(F)


def make(seed: tuple[int, ...]) -> Program | None:
    """The program of a seed: its output is a matrix; None where nothing came of it."""
    rng = np.random.default_rng(seed)
    maker = Maker(rng, dict(SIZES[int(rng.integers(len(SIZES)))]))
    for _ in range(1 + int(rng.integers(3))):
        maker.variable(maker.dimension(), maker.dimension())
    steps, made, tries = 2 + int(rng.integers(5)), 0, 0
    last: Expr | None = None
    while made < steps and tries < 60:
        tries += 1
        e = maker.step()
        if e is not None and e.args:
            made, last = made + 1, e
    if last is None or not variables((last,)):
        return None
    last = maker.joined(last)
    return Program(last, maker.arrays, maker.sizes, seed).at(last)


def scalar(program: Program) -> Program | None:
    """A scalar function of a program's output, smooth at its point."""
    rng = np.random.default_rng((*program.seed, 1))
    maker = Maker(rng, program.sizes, dict(program.arrays), list(program.variables))
    found = list(reductions(maker, program.output))
    for k in rng.permutation(len(found)):
        value, margin = maker.value(found[k])
        fits = margin > MARGIN and np.isfinite(value).all() and abs(value.item()) < 20 * LARGE
        if fits and variables((found[k],)):
            return program.at(found[k], maker.arrays)
    return None


def names(program: Program) -> Mapping[str, Expr]:
    """The variables and definitions by name."""
    return {str(e.params[0]): e for e in (*program.variables, *program.definitions)}
