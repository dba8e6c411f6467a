"""An independent evaluator of the text syntax on NumPy, for the tests: it shares no code with the package.

It computes values as it parses; derivatives are taken by differences of its values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.linalg
import scipy.special

Array = np.ndarray
MAX_DEPTH = 200


class OracleError(ValueError):
    """The text is not in the syntax, or its shapes do not fit."""


TOKEN = re.compile(
    r"\s*(?:(?P<num>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<op>\.\*|\./|\.\^|[-+*/^'(),;=:\[\]]))",
    re.ASCII,
)
POWERS = {"+": 50, "-": 50, "*": 60, "/": 60, ".*": 60, "./": 60, "^": 80, ".^": 80}
ENTRYWISE = {"+": np.add, "-": np.subtract, ".*": np.multiply, "./": np.divide, ".^": np.power}


def evaluate(text: str, arrays: Mapping[str, Array], dims: Mapping[str, int]) -> Array:
    """The value of a program in the text syntax as a 2-D array."""
    with np.errstate(all="ignore"):
        return np.real(_Machine(text, arrays, dims).run()).astype(float)


# ------------------------------------------------------------------------------------------------ functions


def _need(condition: bool, message: str) -> None:
    if not condition:
        raise OracleError(message)


def _square(x: Array) -> Array:
    _need(x.shape[0] == x.shape[1], f"a square matrix is needed, got {x.shape}")
    return x


def _vector(x: Array) -> Array:
    _need(1 in x.shape, f"a vector is needed, got {x.shape}")
    return x


def _scalar(x: Any) -> Array:
    return np.array([[float(np.real(x))]])


def _int(x: Array) -> int:
    _need(x.shape == (1, 1) and float(x[0, 0]).is_integer() and x[0, 0] >= 0, "a size is needed")
    return int(x[0, 0])


def _along(f: Callable[..., Any]) -> Callable[..., Array]:
    """A reduction over all, rows (axis 1) or columns (axis 2)."""

    def reduced(x: Array, axis: Array | None = None) -> Array:
        return _scalar(f(x)) if axis is None else np.asarray(f(x, axis=_int(axis) - 1, keepdims=True))

    return reduced


def _normalized(f: Callable[..., Any]) -> Callable[..., Array]:
    """A function of a vector, or of all rows or columns."""

    def mapped(x: Array, axis: Array | None = None) -> Array:
        return np.asarray(f(_vector(x)) if axis is None else f(x, axis=_int(axis) - 1))

    return mapped


def adjugate(x: Array) -> Array:
    """The adjugate by cofactors: valid for singular matrices too."""
    n = len(_square(x))
    if n == 1:
        return np.ones((1, 1))
    minors = [[np.linalg.det(np.delete(np.delete(x, i, 0), j, 1)) for j in range(n)] for i in range(n)]
    signs = (-1.0) ** np.add.outer(np.arange(n), np.arange(n))
    return (signs * np.array(minors)).T


def commutation(m: int, n: int) -> Array:
    """K with K vec(A) = vec(A') for A m x n."""
    K = np.zeros((m * n, m * n))
    for i in range(m):
        for j in range(n):
            K[i * n + j, j * m + i] = 1.0
    return K


def duplication(n: int) -> Array:
    """D with D vech(A) = vec(A) for symmetric A."""
    D, column = np.zeros((n * n, n * (n + 1) // 2)), 0
    for j in range(n):
        for i in range(j, n):
            D[j * n + i, column] = D[i * n + j, column] = 1.0
            column += 1
    return D


def _eigenvalues(x: Array) -> Array:
    found = np.linalg.eigvalsh(x) if np.allclose(_square(x), x.T) else np.linalg.eigvals(x)
    return np.asarray(found).reshape(-1, 1)


def _largest_eigenvector(x: Array) -> Array:
    v = np.linalg.eigh((_square(x) + x.T) / 2)[1][:, -1]
    return np.asarray(v * np.sign(v[np.argmax(np.abs(v))])).reshape(-1, 1)


def _distances(x: Array, y: Array) -> Array:
    return np.asarray(np.sum((x[:, None, :] - y[None, :, :]) ** 2, axis=2))


def _relu(x: Array) -> Array:
    return np.maximum(x, 0.0)


FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int]] = {
    name: (f, 1, 1)
    for name, f in {
        **{name: getattr(np, name) for name in ("exp", "log", "sqrt", "abs", "sign", "sin", "cos", "tan", "tanh")},
        **{name: getattr(np, name) for name in ("sinh", "cosh", "arctan", "arcsin", "arccos", "log1p", "expm1")},
        "sigmoid": scipy.special.expit,
        "relu": _relu,
        "softplus": lambda x: np.logaddexp(0.0, x),
        "erf": scipy.special.erf,
        "gammaln": scipy.special.gammaln,
        "tr": lambda x: _scalar(np.trace(_square(x))),
        "det": lambda x: _scalar(np.linalg.det(_square(x))),
        "logdet": lambda x: _scalar(np.linalg.slogdet(_square(x))[1]),
        "inv": lambda x: np.linalg.inv(_square(x)),
        "chol": lambda x: np.linalg.cholesky((_square(x) + x.T) / 2),
        "pinv": np.linalg.pinv,
        "expm": lambda x: scipy.linalg.expm(_square(x)),
        "cosm": lambda x: np.real(scipy.linalg.cosm(_square(x))),
        "adj": adjugate,
        "norm1": lambda x: _scalar(np.abs(x).sum()),
        "norm2": lambda x: _scalar(np.sqrt((x * x).sum())),
        "diag": lambda x: np.diag(_vector(x).reshape(-1)),
        "diagvec": lambda x: np.diag(_square(x)).reshape(-1, 1),
        "vec": lambda x: x.reshape(-1, 1, order="F"),
        "eye": lambda n: np.eye(_int(n)),
        "dup": lambda n: duplication(_int(n)),
        "vector": np.copy,
        "matrix": np.copy,
        "eigvals": _eigenvalues,
        "eigmax": lambda x: _scalar(np.max(np.real(_eigenvalues(x)))),
        "eigmin": lambda x: _scalar(np.min(np.real(_eigenvalues(x)))),
        "eigvecmax": _largest_eigenvector,
    }.items()
}
FUNCTIONS |= {name: (_along(getattr(np, name)), 1, 2) for name in ("sum", "mean", "var", "std", "max", "prod")}
FUNCTIONS |= {
    "logsumexp": (_along(scipy.special.logsumexp), 1, 2),
    "softmax": (_normalized(scipy.special.softmax), 1, 2),
    "log_softmax": (_normalized(scipy.special.log_softmax), 1, 2),
    "kron": (np.kron, 2, 2),
    "solve": (lambda a, b: np.linalg.solve(_square(a), b), 2, 2),
    "pdist2": (_distances, 2, 2),
    "ones": (lambda m, n: np.ones((_int(m), _int(n))), 2, 2),
    "zeros": (lambda m, n: np.zeros((_int(m), _int(n))), 2, 2),
    "comm": (lambda m, n: commutation(_int(m), _int(n)), 2, 2),
}


# ------------------------------------------------------------------------------------------------ the parser


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = TOKEN.match(text, at)
        if match is None:
            raise OracleError(f"unexpected character at position {at}")
        kind = str(match.lastgroup)
        found.append((kind, match.group(kind)))
        at = match.end()
    return [*found, ("end", "")]


class _Machine:
    """A precedence-climbing parser that evaluates as it goes."""

    def __init__(self, text: str, names: Mapping[str, Array], dims: Mapping[str, int]) -> None:
        self.tokens, self.at, self.depth = _tokens(text), 0, 0
        self.names: dict[str, Array] = {**{d: np.array([[float(n)]]) for d, n in dims.items()}, **names}

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead][1]

    def next(self) -> tuple[str, str]:
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, token: str) -> None:
        _need(self.next()[1] == token, f"expected {token!r}")

    def run(self) -> Array:
        while self.tokens[self.at][0] == "name" and self.peek(1) == "=":
            name = self.next()[1]
            self.next()
            _need(name not in self.names and name not in FUNCTIONS, f"{name} is taken")
            self.names[name] = self.expression(0)
            if self.tokens[self.at][0] == "end":  # the last definition is the value
                return self.names[name]
            self.expect(";")
        value = self.expression(0)
        if self.peek() == ";":
            self.next()
        _need(self.tokens[self.at][0] == "end", f"unexpected {self.peek()!r}")
        return value

    def expression(self, least: int) -> Array:
        self.depth += 1
        _need(self.depth <= MAX_DEPTH, "nested too deeply")
        left = self.prefix()
        while self.tokens[self.at][0] == "op":
            operator = self.peek()
            if operator == "'":
                self.next()
                left = left.T
                continue
            if operator == "[":
                left = self.part(left)
                continue
            power = POWERS.get(operator)
            if power is None or power < least:
                break
            self.next()
            if power == 80:  # one level with ': X^2' is (X^2)'
                left = self.binary(operator, left, self.exponent())
                _need(self.peek() not in ("^", ".^"), "bracket the chained power")
            else:
                left = self.binary(operator, left, self.expression(power + 1))
        self.depth -= 1
        return left

    def exponent(self) -> Array:
        if self.peek() in ("-", "+"):
            return (-1.0 if self.next()[1] == "-" else 1.0) * self.prefix()
        return self.prefix()

    def prefix(self) -> Array:
        kind, text = self.next()
        if kind == "num":
            return np.array([[float(text)]])
        if text in ("-", "+"):
            value = self.expression(70)
            return -value if text == "-" else value
        if text == "(":
            value = self.expression(0)
            self.expect(")")
            return value
        if text == "[":
            return self.blocks()
        _need(kind == "name", f"unexpected {text!r}")
        if self.peek() == "(":
            return self.call(text)
        _need(text in self.names, f"undefined {text}")
        return self.names[text]

    def blocks(self) -> Array:
        """[A, B; C, D], of which the opening bracket is read."""
        rows = [[self.expression(0)]]
        while (separator := self.next()[1]) != "]":
            _need(separator in (",", ";"), f"unexpected {separator!r} in a matrix of blocks")
            if separator == ";":
                rows.append([])
            rows[-1].append(self.expression(0))
        return np.block(rows)

    def part(self, value: Array) -> Array:
        """X[i:j, k] or x[i], from 1 and inclusive."""
        self.next()
        ranges = [self.range()]
        while self.peek() == ",":
            self.next()
            ranges.append(self.range())
        self.expect("]")
        if len(ranges) == 1:
            ranges = [*ranges, slice(None)] if _vector(value).shape[1] == 1 else [slice(None), *ranges]
        return value[ranges[0], ranges[1]]

    def range(self) -> slice:
        """One range of a part; all of it where nothing is said."""
        if self.peek() == ":":
            self.next()
            return slice(None)
        first = last = _int(self.expression(0))
        if self.peek() == ":":
            self.next()
            last = _int(self.expression(0))
        return slice(first - 1, last)

    def call(self, name: str) -> Array:
        _need(name in FUNCTIONS, f"no function {name}")
        self.next()
        args = [self.expression(0)]
        while self.peek() == ",":
            self.next()
            args.append(self.expression(0))
        self.expect(")")
        function, least, most = FUNCTIONS[name]
        _need(least <= len(args) <= most, f"{name} got {len(args)} arguments")
        return np.atleast_2d(np.asarray(function(*args)))

    def binary(self, operator: str, a: Array, b: Array) -> Array:
        one = (1, 1) in (a.shape, b.shape)
        if operator == "*":
            _need(one or a.shape[1] == b.shape[0], f"cannot multiply {a.shape} by {b.shape}")
            return a @ b if a.shape[1] == b.shape[0] else a * b
        if operator == "/":
            _need(b.shape == (1, 1), f"cannot divide by {b.shape}")
            return a / b
        if operator == "^":
            return self.power(a, b)
        _need(all(p == q or 1 in (p, q) for p, q in zip(a.shape, b.shape)), f"{a.shape} and {b.shape} do not fit")
        return np.asarray(ENTRYWISE[operator](a, b))

    def power(self, a: Array, b: Array) -> Array:
        _need(b.shape == (1, 1), "an exponent is a scalar")
        if a.shape == (1, 1):
            return np.asarray(a**b)
        _need(float(b[0, 0]).is_integer(), "a matrix power needs a whole number")
        return np.linalg.matrix_power(_square(a), int(b[0, 0]))
