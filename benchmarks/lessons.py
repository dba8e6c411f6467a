"""The derivation pages read as a student reads them: over the reference derivations, from the text view alone.

    python benchmarks/lessons.py [--only ID,ID] [--verbose]

For each page: the lines of the way back beside those of the best treatment by hand, explanations that repeat one
printed before, citations of operators that their line does not have, names that were not introduced, and the
equalities that are untrue at random values. A differential is a random tangent of the values that a step names, an
adjoint the gradient by the value: both by JAX, from the lines under "Forward graph", which this file reads on its own.
The lines of the best treatment are counted for 25 of the derivations; for the other 20, which are our own, it is
written out beside the source (`hand`), and its results are compared with ours by `tests/test_lessons.py`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import expm

import matcalc as mc

jax.config.update("jax_enable_x64", True)
CASES = Path(__file__).parent.parent / "tests" / "cases" / "lessons.jsonl"
SIZES = {"N": 5, "P": 3, "Q": 4, "R": 2, "D": 3, "H": 4, "K": 3, "n": 4, "p": 3, "m": 5, "d": 2, "k": 2, "q": 2, "T": 4}
TOLERANCE = 1e-6


# ------------------------------------------------------------------------------------------------ the text syntax


class Matrix:
    """A matrix with the operators of the text syntax: `@` for `*`, `*` for `.*`, `/` for both, `**` for powers."""

    __array_priority__ = 100

    def __init__(self, value: Any) -> None:
        self.value = jnp.atleast_2d(jnp.asarray(value, float))

    def __matmul__(self, other: Matrix) -> Matrix:
        scalar = self.value.size == 1 or other.value.size == 1
        return Matrix(self.value * other.value if scalar else self.value @ other.value)

    def __mul__(self, other: Matrix) -> Matrix:
        return Matrix(self.value * other.value)

    def __truediv__(self, other: Matrix) -> Matrix:
        return Matrix(self.value / other.value)

    def __add__(self, other: Matrix) -> Matrix:
        return Matrix(self.value + other.value)

    def __sub__(self, other: Matrix) -> Matrix:
        return Matrix(self.value - other.value)

    def __neg__(self) -> Matrix:
        return Matrix(-self.value)

    def __pow__(self, other: Matrix) -> Matrix:
        if isinstance(other, Exponent) and self.value.size > 1:
            return Matrix(jnp.linalg.matrix_power(self.value, int(other.value[0, 0])))
        return Matrix(self.value**other.value)

    @property
    def T(self) -> Matrix:
        """The transpose."""
        return Matrix(self.value.T)


class Exponent(Matrix):
    """The exponent of `^`: of a matrix it means the power of the matrix."""

    def __init__(self, value: Any) -> None:
        super().__init__(value.value if isinstance(value, Matrix) else value)


def _along(f: Callable[..., Any]) -> Callable[..., Matrix]:
    def reduced(x: Matrix, axis: Matrix | None = None, *_: Matrix) -> Matrix:
        return Matrix(f(x.value) if axis is None else f(x.value, axis=int(axis.value[0, 0]) - 1, keepdims=True))

    return reduced


def _vectors(f: Callable[..., Any]) -> Callable[..., Matrix]:
    def mapped(x: Matrix, axis: Matrix | None = None) -> Matrix:
        return Matrix(f(x.value, axis=None if axis is None else int(axis.value[0, 0]) - 1))

    return mapped


def _size(n: Matrix) -> int:
    return int(n.value[0, 0])


def _commutation(m: Matrix, n: Matrix) -> Matrix:
    rows, columns = _size(m), _size(n)
    K = np.zeros((rows * columns, rows * columns))
    for i in range(rows):
        for j in range(columns):
            K[i * columns + j, j * rows + i] = 1
    return Matrix(K)


def _standardized(x: Any, axis: Any) -> Any:
    return (x - jnp.mean(x, axis=axis, keepdims=True)) / jnp.std(x, axis=axis, keepdims=True)


class Name:
    """The name of a function, as an argument."""

    def __init__(self, name: str) -> None:
        self.name = name


def _frechet(f: Name, x: Matrix, v: Matrix) -> Matrix:
    return Matrix(jax.jvp(FUNCTIONS_OF_MATRICES[f.name], (x.value,), (v.value,))[1])


def _frechetform(f: Name, x: Matrix) -> Matrix:
    n = len(x.value)
    return Matrix(jnp.hstack([_frechet(f, x, Matrix(unit)).value.T.reshape(-1, 1) for unit in _units(n)]))


def _units(n: int) -> Iterator[Any]:
    """The matrices with a single 1, column by column."""
    for k in range(n * n):
        yield np.eye(n * n)[k].reshape(n, n).T


def _root(x: Any) -> Any:
    """The principal square root by Denman and Beavers, so that it can be differentiated."""
    y, z = x, jnp.eye(x.shape[0])
    for _ in range(40):
        y, z = (y + jnp.linalg.inv(z)) / 2, (z + jnp.linalg.inv(y)) / 2
    return y


FUNCTIONS_OF_MATRICES = {"expm": expm, "sqrtm": _root}
ENTRYWISE = {
    "exp": jnp.exp, "log": jnp.log, "sqrt": jnp.sqrt, "tanh": jnp.tanh, "sinh": jnp.sinh, "cosh": jnp.cosh,
    "sin": jnp.sin, "cos": jnp.cos, "sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus, "relu": jax.nn.relu,
    "step": lambda x: (x > 0) * 1.0, "abs": jnp.abs, "erf": jax.scipy.special.erf,
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Matrix]] = {
    **{name: (lambda x, f=f: Matrix(f(x.value))) for name, f in ENTRYWISE.items()},
    **{name: (lambda x, f=f: Matrix(f(x.value))) for name, f in FUNCTIONS_OF_MATRICES.items()},
    "sum": _along(jnp.sum),
    "mean": _along(jnp.mean),
    "std": _along(jnp.std),
    "logsumexp": _along(jax.scipy.special.logsumexp),
    "softmax": _vectors(jax.nn.softmax),
    "log_softmax": _vectors(jax.nn.log_softmax),
    "standardize": _vectors(_standardized),
    "maximum": lambda x, y: Matrix(jnp.maximum(x.value, y.value)),
    "tr": lambda x: Matrix(jnp.trace(x.value)),
    "inv": lambda x: Matrix(jnp.linalg.inv(x.value)),
    "det": lambda x: Matrix(jnp.linalg.det(x.value)),
    "logdet": lambda x: Matrix(jnp.linalg.slogdet(x.value)[1]),
    "norm2": lambda x: Matrix(jnp.sqrt(jnp.sum(x.value**2))),
    "vec": lambda x: Matrix(x.value.T.reshape(-1, 1)),
    "diag": lambda x: Matrix(jnp.diag(x.value.ravel())),
    "diagvec": lambda x: Matrix(jnp.diag(x.value)[:, None]),
    "kron": lambda x, y: Matrix(jnp.kron(x.value, y.value)),
    "eye": lambda n: Matrix(jnp.eye(_size(n))),
    "ones": lambda m, n: Matrix(jnp.ones((_size(m), _size(n)))),
    "zeros": lambda m, n: Matrix(jnp.zeros((_size(m), _size(n)))),
    "comm": _commutation,
    "frechet": _frechet,
    "frechetform": _frechetform,
}


# The text syntax as Python; a power with `^` gets an exponent that knows that it is one of a matrix.
REWRITTEN = [
    (re.compile(r"\bd vec\("), "dvec("),
    (re.compile(r"'"), ".T"),
    (re.compile(r"\b(frechet(?:form)?)\((\w+)"), r"\1(Name('\2')"),
    (re.compile(r"(?<![\w.'])(\d+(?:\.\d+)?)"), r"Matrix(\1)"),
    (re.compile(r"\.\^"), "<power>"),
    (re.compile(r"\^(Matrix\([^()]*\)|\w+|\((?:[^()]|\([^()]*\))*\))"), r"**Exponent(\1)"),
    (re.compile(r"\.\*"), "<times>"),
    (re.compile(r"\./"), "/"),
    (re.compile(r"(?<!\*)\*(?!\*)"), " @ "),
    (re.compile(r"<times>"), " * "),
    (re.compile(r"<power>"), "**"),
]


def compiled(text: str) -> Any:
    """An expression of the text syntax as Python code."""
    for pattern, new in REWRITTEN:
        text = pattern.sub(new, text)
    return compile(text.strip(), text, "eval")


def split(text: str, mark: str) -> list[str]:
    """The parts of a line between marks that stand outside of brackets."""
    parts, depth, start, k = [], 0, 0, 0
    while k < len(text):
        depth += (text[k] in "([") - (text[k] in ")]")
        if depth == 0 and text.startswith(mark, k):
            parts.append(text[start:k])
            start = k = k + len(mark)
            continue
        k += 1
    return [part.strip() for part in (*parts, text[start:])]


# ------------------------------------------------------------------------------------------------ a page


@dataclass
class Line:
    """A line of the way back: its sides and its remark."""

    sides: list[str]
    remark: str = ""


@dataclass
class Page:
    """What a page says.

    Attributes:
        variables: the shapes by name, as texts.
        facts: what is known of the variables.
        definitions: the forward graph.
        needed: equations that are derived first.
        steps: for each step the values, what they enter, and its lines.
        hessians: by variable, the lines.
        results: gradients and Jacobians.
        jacobians: the kinds of steps on vec.
        remarks: every explanation.
        back: the lines of the way back.
    """

    variables: dict[str, tuple[str, str]] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    needed: list[list[str]] = field(default_factory=list)
    steps: list[tuple[list[str], list[str], list[Line]]] = field(default_factory=list)
    hessians: dict[str, list[Line]] = field(default_factory=dict)
    results: list[Line] = field(default_factory=list)
    jacobians: list[Line] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    back: int = 0


HEADINGS = {
    "Variables": "variables", "Forward graph": "forward", "Needed": "needed", "Backward": "back", "Local Jac": "back",
    "Gradients": "results", "Jacobians": "results", "Hessian by": "hessian", "As Jacobians": "jacobians",
}  # fmt: skip
STEP = re.compile(r"\d+\. (.*?) enters? (\w+(?:(?:, | and )\w+)*)(?:: (.*))?$")
BESIDE = re.compile(r"(\S.*?)(?: {2,}(\S.*))?$")


BROKEN = re.compile(r"\n {7}(?=[^\s=])")  # in a remark that goes on in the next line


def read(text: str) -> Page:
    """A page taken apart."""
    page, part, by = Page(), "", ""
    for raw in filter(str.strip, BROKEN.sub(" ", text).splitlines()):
        heading = next((what for head, what in HEADINGS.items() if raw.startswith(head)), None)
        if not raw.startswith(" ") and not STEP.match(raw):
            part = heading or ""
            by = raw.split(":")[0].removeprefix("Hessian by ")
            continue
        page.back += part == "back"
        line = raw.strip()
        found = BESIDE.match(line)
        assert found is not None
        formula, remark = found[1], re.sub(r"\[[^\]]*\]", "", found[2] or "").strip()
        if line.startswith("(") and line.endswith(")") and "=" not in line.split(")")[0]:
            formula, remark = "", line[1:-1]
        if remark and part in ("back", "hessian"):
            page.remarks.append(remark)
        if part == "variables":
            name, _, rest = line.partition(":")
            rows, _, columns, *facts = rest.split()
            page.variables[name], page.facts[name] = (rows, columns), " ".join(facts)
        elif part == "forward":
            name, _, definition = formula.partition(" = ")
            page.definitions[name] = definition
        elif part == "needed" and formula and formula[0] != "(":
            clauses = [clause.removeprefix("so ") for clause in split(formula, ", ") if " = " in clause]
            page.needed.append(clauses)
        elif part == "jacobians" and formula:
            if " = " in formula or formula.startswith("= "):
                _chain(page.jacobians, formula, "")
            else:  # a long side goes on
                page.jacobians[-1].sides[-1] += f" {formula}"
        elif part == "back":
            _step(page, line, formula, remark)
        elif part in ("results", "hessian") and formula:
            lines = page.results if part == "results" else page.hessians.setdefault(by, [])
            _chain(lines, formula, remark)
    return page


def _step(page: Page, line: str, formula: str, remark: str) -> None:
    head = STEP.match(line)
    if head is not None:
        names = [re.split(r", | and ", head[k]) for k in (1, 2)]
        page.steps.append((names[0], names[1], []))
        if head[3]:
            _chain(page.steps[-1][2], head[3], "")
    elif formula:
        _chain(page.steps[-1][2], formula, remark)
    elif remark and page.steps[-1][2]:
        page.steps[-1][2][-1].remark += f"; {remark}"


def _chain(lines: list[Line], formula: str, remark: str) -> None:
    """A line `a = b`, or `= c` that goes on with the line before."""
    formula = formula.removeprefix("=> ")
    if formula.startswith("= "):
        lines[-1].sides.append(formula[2:])
        lines[-1].remark += f"; {remark}" if remark else ""
        return
    for equation in re.split(r", (?=[dg]\w* = )", formula):
        if " = " in equation:
            lines.append(Line(split(equation, " = "), remark))


# ------------------------------------------------------------------------------------------------ the values


class World:
    """The values of a page at random variables, tangents and gradients by JAX."""

    def __init__(self, page: Page, seed: int = 7) -> None:
        self.page = page
        self.random = np.random.default_rng(seed)
        self.dims = {name: Matrix(size) for name, size in SIZES.items() if name not in page.variables}
        self.code = {name: compiled(text) for name, text in page.definitions.items()}
        self.variables = {name: self.sample(name) for name in page.variables}
        self.output = list(page.definitions)[-1]
        self.values = {**self.variables, **self.forward({})}
        self.directions = {name: self.random.normal(size=v.shape) for name, v in self.values.items()}
        self.letters = {name: 0.3 + 0.1 * k for k, name in enumerate("tua") if name not in self.values}

    def sample(self, name: str) -> Any:
        """A random value that satisfies the facts."""
        facts, shape = self.page.facts[name], tuple(self.size(s) for s in self.page.variables[name])
        X = self.random.normal(size=shape)
        if "positive-definite" in facts:
            return X @ X.T + np.eye(len(X))
        if "symmetric" in facts:
            return X @ X.T / 2 + 2 * np.eye(len(X))
        if "one-hot" in facts:
            return np.eye(shape[1])[self.random.integers(shape[1], size=shape[0])]
        if "positive" in facts:
            return 0.5 + np.abs(X)
        return (
            X @ X.T + np.eye(len(X))
            if shape[0] == shape[1] > 1
            else X / (2 if shape != (1, 1) else 1) + (1.5 if shape == (1, 1) else 0)
        )

    def size(self, text: str) -> int:
        """A size as a number."""
        return int(text) if text.isdigit() else SIZES[text]

    def evaluate(self, code: Any, values: Mapping[str, Any]) -> Any:
        """The value of an expression where names have these values."""
        scope = {**FUNCTIONS, **self.dims, **{name: Matrix(v) for name, v in values.items()}}
        return eval(code, {"Matrix": Matrix, "Exponent": Exponent, "Name": Name, "__builtins__": {}}, scope).value

    def forward(self, held: Mapping[str, Any]) -> dict[str, Any]:
        """All values, where those in `held` are what is given."""
        values = {**self.variables, **held}
        for name, code in self.code.items():
            if name not in held:
                values[name] = self.evaluate(code, values)
        return values

    def gradient(self, name: str, held: Mapping[str, Any]) -> Any:
        """The gradient of the output by a value, where those in `held` are what is given."""
        at = self.forward(held)[name]
        return jax.grad(lambda x: self.forward({**held, name: x})[self.output][0, 0])(at)

    def moved(self, f: Callable[[Mapping[str, Any]], Any], moving: Iterable[str]) -> Any:
        """The derivative of f along the directions of the values that move."""
        names = list(moving)
        at, along = tuple(jnp.asarray(self.values[n]) for n in names), tuple(self.directions[n] for n in names)
        return jax.jvp(lambda *x: f(dict(zip(names, x))), at, along)[1]

    def side(self, text: str, moving: list[str], *, total: bool) -> Any:
        """A printed expression.

        Args:
            text: the expression.
            moving: the values that move; the others are held.
            total: whether a differential is the one of everything that follows from those, or what they move directly.
        """
        names = {**self.values, **self.letters}
        while (start := re.search(r"\bd( vec)?\(", text)) is not None:
            end = closing(text, start.end() - 1)
            code = compiled(text[start.end() : end])
            value = self.moved(lambda held, code=code: self.evaluate(code, self.forward(held)), moving)
            names[f"tangent{len(names)}"] = value.T.reshape(-1, 1) if start[1] else value
            text = f"{text[: start.start()]}tangent{len(names) - 1}{text[end + 1 :]}"
        for name in set(re.findall(r"\b[dg]\w+", text)) - names.keys():
            value = self.meaning(name, moving, total=total)
            if value is not None:
                names[name] = value
        return self.evaluate(compiled(text), names)

    def meaning(self, name: str, moving: list[str], *, total: bool) -> Any:
        """dX, g_X or dg_X."""
        if name.startswith("g_") and name[2:] in self.values:
            return self.gradient(name[2:], {})
        if name.startswith("dg_") and name[3:] in self.values:
            return self.moved(lambda held: self.gradient(name[3:], held), moving)
        of = name[1:]
        if not name.startswith("d") or of not in self.values:
            return None
        if of in moving:
            return self.directions[of]
        if total or of not in self.code:
            return self.moved(lambda held: self.forward(held)[of], moving)
        return self.moved(lambda held: self.evaluate(self.code[of], {**self.values, **held}), moving)


def closing(text: str, start: int) -> int:
    """Where the bracket that opens at `start` is closed."""
    depth = 0
    for k in range(start, len(text)):
        depth += (text[k] == "(") - (text[k] == ")")
        if depth == 0:
            return k
    raise ValueError(f"a bracket is not closed: {text}")


def equal(a: Any, b: Any) -> bool:
    """Whether two values agree; a number may stand for a matrix of it."""
    a, b = np.broadcast_arrays(np.asarray(a), np.asarray(b)) if np.size(a) == 1 or np.size(b) == 1 else (a, b)
    if a.shape != b.shape or not (np.all(np.isfinite(a)) and np.all(np.isfinite(b))):
        return False
    return bool(np.max(np.abs(a - b)) <= TOLERANCE * (1e-3 + np.max(np.abs(b))))


# ------------------------------------------------------------------------------------------------ what is measured


@dataclass
class Measured:
    """What was found on a page: counts, and what is wrong."""

    back: int = 0
    best: int = 0
    equalities: int = 0
    untrue: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    unfit: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """All that is wrong."""
        return [*self.untrue, *self.unread, *self.repeated, *self.unfit, *self.unknown]


OPERATORS = {
    "kron(": r"kron|Kronecker",
    "diag(": r"diag\(|diagonal Jacobian",
    "comm(": r"comm\(|commutation",
    "vec(": r"vec\(",
}


def measured(text: str, best: int, structure: Mapping[str, str] | None = None) -> Measured:
    """What the page says, held against random values."""
    page = read(text)
    world = World(page)
    found = Measured(page.back, best)
    seen: set[str] = set()
    for remark in page.remarks:
        if remark in seen:
            found.repeated.append(f"said twice: {remark}")
        seen.add(remark)
    known = {*page.variables, *page.definitions}
    for values, into, lines in page.steps:
        missing = {*values, *into} - known
        found.unknown += [f"not introduced: {name}" for name in missing]
        for line in lines:
            _cited(line, found)
            _introduced(line, {*values, *into, world.output}, found)
            total = line.sides[0] == f"d{world.output}" and (into != [world.output] or len(into) > 1)
            verify(world, line, values, found, total=total)
    for sides in page.needed:
        for equation in sides:
            parts = split(equation, " = ")
            if not re.match(r"\w+'\(", parts[0]):
                verify(world, Line(parts), leaves(parts, world), found, total=False)
    for name, lines in page.hessians.items():
        for line in lines:
            if re.match(r"d2|\w+ = ", line.sides[0]) or re.fullmatch(r"[A-Za-z]\w*", line.sides[0]) is None:
                continue
            moving = leaves(line.sides, world) or [name]
            verify(world, line, moving, found, total=True)
    moving = [by[1] for line in page.results if (by := re.match(r"d\w+/d(\w+)$", line.sides[0]))]
    for line in page.jacobians:
        verify(world, line, moving, found, total=True)
    for line in page.results:
        by = re.fullmatch(r"d\w+/d(\w+)", line.sides[0])
        if by is not None and by[1] in world.values:
            G = world.gradient(by[1], {})
            if (structure or {}).get(by[1]) == "symmetric":
                G = G + G.T - np.diag(np.diag(G))
            for side in line.sides[1:]:
                _compare(world, side, G, [], found, f"{line.sides[0]} = {side}", total=False)
    return found


def leaves(sides: list[str], world: World) -> list[str]:
    """The values whose differentials stand on the right."""
    names = re.findall(r"\bd(\w+)", " ".join(sides[1:]))
    return [name for name in dict.fromkeys(names) if name in world.values]


def verify(world: World, line: Line, moving: list[str], found: Measured, *, total: bool) -> None:
    try:
        left = world.side(line.sides[0], moving, total=total)
    except Exception as error:  # whatever an expression that cannot be read raises
        found.unread.append(f"{line.sides[0]}: {type(error).__name__} {error}")
        return
    for side in line.sides[1:]:
        shown = f"{line.sides[0]} = {side}"
        _compare(world, side, left, moving, found, shown, total=total and " * d" in side)


def _compare(
    world: World, side: str, value: Any, moving: list[str], found: Measured, shown: str, *, total: bool
) -> None:
    try:
        right = world.side(side, moving, total=total)
    except Exception as error:  # whatever an expression that cannot be read raises
        found.unread.append(f"{side}: {type(error).__name__} {error}")
        return
    found.equalities += 1
    if not equal(right, value):
        found.untrue.append(f"untrue: {shown}")


def _cited(line: Line, found: Measured) -> None:
    """Operators in a remark that its line does not have."""
    for operator, said in OPERATORS.items():
        if re.search(said, line.remark) and operator not in " ".join(line.sides):
            found.unfit.append(f"{operator} is not in the line: {line.remark}")


def _introduced(line: Line, names: set[str], found: Measured) -> None:
    """A left side must be the differential or the adjoint of a value that the step names."""
    left = re.fullmatch(r"(?:d|g_|d vec\()(\w+)\)?", line.sides[0])
    if left is None or left[1] not in names:
        found.unknown.append(f"stands nowhere before: {line.sides[0]}")


def lessons() -> Iterator[dict[str, Any]]:
    """The reference derivations, each with the lines of the best treatment by hand."""
    for line in CASES.read_text(encoding="utf-8").splitlines():
        lesson = json.loads(line)
        yield {**lesson, "best": len(lesson["hand"])} if "hand" in lesson else lesson


def page_of(lesson: Mapping[str, Any]) -> str:
    """The text view of a derivation."""
    options = {key: lesson[key] for key in ("facts", "structure", "wrt") if lesson.get(key)}
    return mc.derive(lesson["source"], **options).text(hessian=bool(lesson.get("hessian")))


def main() -> int:
    """Print the table; 1 where a page has a fault or is too long."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--only", default="")
    options.add_argument("--verbose", action="store_true")
    given = options.parse_args()
    only = set(filter(None, given.only.split(",")))
    warnings.simplefilter("ignore")
    rows = []
    print("| page | lines | by hand | ratio | equalities | untrue | unread | repeated | unfit | not introduced |")
    print("| --- " * 10 + "|")
    for lesson in lessons():
        if only and lesson["id"] not in only:
            continue
        row = measured(page_of(lesson), lesson["best"], lesson.get("structure"))
        rows.append(row)
        faults = [len(x) for x in (row.untrue, row.unread, row.repeated, row.unfit, row.unknown)]
        cells = [row.back, row.best, f"{row.back / row.best:.1f}", row.equalities, *faults]
        print(f"| {lesson['id']} | {' | '.join(map(str, cells))} |", flush=True)
        if given.verbose:
            for fault in row.faults:
                print("    " + fault)
    back, best = sum(row.back for row in rows), sum(row.best for row in rows)
    faults = sum(len(row.faults) for row in rows)
    print(f"\n{len(rows)} pages, {back} lines for {best} by hand: {back / best:.2f}; {faults} faults")
    print(f"{sum(row.equalities for row in rows)} equalities, {sum(len(row.untrue) for row in rows)} untrue")
    return int(faults > 0 or back > 2.5 * best or any(row.back > 4 * row.best for row in rows))


if __name__ == "__main__":
    sys.exit(main())
