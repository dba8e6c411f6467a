"""The text door: what a text builds, what is inferred, and what is said about wrong text."""

from __future__ import annotations

import time

import pytest
import sympy as sp

import matcalc.ops  # noqa: F401  (fills the registry)
from matcalc import core
from matcalc.core import divide, hadamard, matmul, number, power, scale, var
from matcalc.errors import MatcalcError, ParseError
from matcalc.expr import Expr, node
from matcalc.frontend.parser import parse
from matcalc.ops.user_functions import Function

SHAPES = {
    **dict.fromkeys("ABC", ("n", "n")),
    "X": ("m", "n"),
    "x": ("n", 1),
    "y": ("n", 1),
    "z": ("m", 1),
    "b": (1, "n"),
    "s": (1, 1),
    "t": (1, 1),
}
A, B, C, X, x, y, z, b, s, t = (var(name, *shape) for name, shape in SHAPES.items())
n, m = sp.Symbol("n", integer=True, positive=True), sp.Symbol("m", integer=True, positive=True)
half = sp.Rational(1, 2)
phi = Function("phi")


def read(text: str, **options: object) -> Expr:
    """The output of a text over the variables above."""
    return parse(text, shapes=SHAPES, **options).graph.output  # type: ignore[arg-type]


def spread(e: Expr, rows: object = n, cols: object = 1) -> Expr:
    """`e` broadcast."""
    return core.broadcast(e, (rows, cols))


BUILT = [
    # chains are n-ary, brackets are kept
    ("A*B*C", matmul(A, B, C)),
    ("(A*B)*C", matmul(matmul(A, B), C)),
    ("A*(B*C)", matmul(A, matmul(B, C))),
    ("A@B", matmul(A, B)),
    ("A .* B .* C", hadamard(A, B, C)),
    ("A*B.*C*A", matmul(hadamard(matmul(A, B), C), A)),
    ("A + B - C", core.add(A, B, core.minus(C))),
    ("A - (B + C)", core.add(A, core.minus(core.add(B, C)))),
    ("x'*A*x", matmul(x.T, A, x)),
    ("x'*y*A", scale(matmul(x.T, y), A)),
    ("2*s*A*t*B", scale(number(2), s, t, matmul(A, B))),
    ("s*t", scale(s, t)),
    # precedence
    ("-s^2", scale(number(-1), power(s, 2))),
    ("-x*y'", scale(number(-1), matmul(x, y.T))),
    ("-2*x", scale(number(-2), x)),
    ("A^-1'", node("inv", (A,)).T),
    ("A^2'", node("matpow", (A, number(2))).T),
    ("A'^2", node("matpow", (A.T, number(2)))),
    ("x.T*x", matmul(x.T, x)),
    ("s^-t", power(s, scale(number(-1), t))),
    ("2.*sum(x)", scale(number(2), node("sum", (x,), (None,)))),
    ("A/2*B", scale(number(half), matmul(A, B))),
    # numbers are exact and fold
    ("1/2", number(half)),
    ("0.1", number(sp.Rational(1, 10))),
    (".5", number(half)),
    ("1e-3", number(sp.Rational(1, 1000))),
    ("2^3 - 8", number(0)),
    ("m*n/2", number(m * n / 2)),
    ("pi", number(sp.pi)),
    ("X/n", scale(number(1 / n), X)),
    ("3*x/4", scale(number(sp.Rational(3, 4)), x)),
    ("s/t", divide(s, t)),
    ("x/s", scale(power(s, -1), x)),
    ("x/s^2", scale(power(s, -2), x)),
    ("1/s", divide(number(1), s)),
    # broadcasting
    ("1 - y.^2", core.add(spread(number(1)), core.minus(power(y, 2)))),
    ("X + b", core.add(X, spread(b, m, n))),
    ("b + s + X", core.add(spread(b, m, n), spread(s, m, n), X)),
    ("z + b", core.add(spread(z, m, n), spread(b, m, n))),
    ("X .* b", hadamard(X, spread(b, m, n))),
    ("X ./ z", divide(X, spread(z, m, n))),
    ("1 ./ X", divide(spread(number(1), m, n), X)),
    ("X.^2", power(X, 2)),
    ("2.^x", power(spread(number(2)), x)),
    ("ones(m,1)*b", matmul(core.ones(m, 1), b)),
    # calls
    ("sum(X, 1)", node("sum", (X,), (1,))),
    ("var(X, ddof=1)", node("var", (X,), (None, 1))),
    ("var(X, 1, 1)", node("var", (X,), (1, 1))),
    ("standardize(X, 1, 0, 1/1000)", node("standardize", (X,), (1, 0, sp.Rational(1, 1000)))),
    ("softmax(x)", node("softmax", (x,), (1,))),
    ("polygamma(1, x)", node("polygamma", (x,), (1,))),
    ("reshape(X, n, m)", node("reshape", (X,), (n, m))),
    ("eye(m*n)", core.eye(m * n)),
    ("comm(m, n)", core.commutation(m, n)),
    ("solve(A, x)", node("solve", (A, x))),
    ("maximum(x, 0)", node("maximum", (x, spread(number(0))))),
    ("where(x > y, x, 0)", node("where", (x, y, x, spread(number(0))), (">",))),
    ("where(x <= y, x, 0)", node("where", (y, x, x, spread(number(0))), (">=",))),
    ("(x > y)", node("where", (x, y, spread(number(1)), spread(number(0))), (">",))),
    ("(x <= y)'*x", matmul(node("where", (y, x, spread(number(1)), spread(number(0))), (">=",)).T, x)),
    ("x .* (x > 0)", hadamard(x, node("where", (x, spread(number(0)), spread(number(1)), spread(number(0))), (">",)))),
    ("x'*vector(1)", matmul(x.T, spread(number(1)))),
    ("X + matrix(2)", core.add(X, spread(number(2), m, n))),
    ("vector(s)'*x", matmul(spread(s).T, x)),
    ("D(phi)(X)", phi.derivative(X)),
    ("D(phi, 2)(x) + phi(x)", core.add(Function("phi", None, 2)(x), phi(x))),
    # layout
    ("sum(\n x\n)  # all", node("sum", (x,), (None,))),
    ("\n\nx'*x;\n", matmul(x.T, x)),
]


@pytest.mark.parametrize(("text", "expected"), BUILT, ids=[text for text, _ in BUILT])
def test_builds(text: str, expected: Expr) -> None:
    assert read(text) is expected


INFERRED = [
    ("r = X*w - y; r'*r", ["X: n x m", "w: m x 1", "y: n x 1"]),
    ("logdet(Sigma) + (x - mu)'*inv(Sigma)*(x - mu)", ["Sigma: n x n", "x: n x 1", "mu: n x 1"]),
    ("b: 1 x k; sigmoid(X*W + b)", ["X: n x m", "W: m x k"]),
    ("X - mean(X, 1)", ["X: n x m"]),
    ("a*x + c", ["a: 1 x 1", "x: n x 1", "c: n x 1"]),
    ("eye(n)*x", ["x: n x 1"]),
    ("X^2", ["X: n x n"]),
    ("kron(A, B)*x", ["A: n x m", "B: p x q", "x: (m*q) x 1"]),
    ("vec(X)'*y", ["X: n x m", "y: (m*n) x 1"]),
    ("vector(1)'*x", ["x: n x 1"]),
    ("alpha'*Gamma1", ["alpha: n x 1", "Gamma1: n x m"]),
    ("n: 3 x 1; n'*x", ["x: 3 x 1"]),
]


@pytest.mark.parametrize(("text", "lines"), INFERRED, ids=[text for text, _ in INFERRED])
def test_infers(text: str, lines: list[str]) -> None:
    assert parse(text).inferred == lines


def test_facts_shape_what_is_inferred() -> None:
    parsed = parse("tr(X*W)", facts={"W": "symmetric positive"})
    assert parsed.inferred == ["X: n x m", "W: m x n"] or parsed.inferred == ["X: n x n", "W: n x n"]
    assert parse("sum(W)", facts={"W": ["spd"]}).inferred == ["W: n x n"]


def test_declarations() -> None:
    parsed = parse("x: 1 x D\nS: D x D symmetric positive-definite\nV: (D, 2*D)\nx*S*V", shapes={"q": (3, 1)})
    variables = parsed.graph.declared
    assert list(variables) == ["q", "x", "S", "V"]
    assert variables["S"] is var("S", "D", "D", ["positive-definite"])
    assert variables["V"].shape == (sp.Symbol("D", integer=True, positive=True), 2 * variables["x"].shape[1])
    assert parsed.dims == ["D"]


def test_definitions_are_named() -> None:
    parsed = parse("r = A*x; h = sigmoid(r)\nh'*r", shapes=SHAPES)
    r, h = parsed.graph.definitions.values()
    assert r is core.named("r", matmul(A, x))
    assert parsed.graph.output is matmul(h.T, r)
    last = parse("r = A*x", shapes=SHAPES)
    assert last.graph.output is r
    assert parse("scale = 2; scale*x", shapes=SHAPES).graph.output.op == "scale"


def test_scope() -> None:
    source = parse("r = A*x; h = phi(r); h'*h", shapes=SHAPES, functions=["phi"])
    scope = {**source.graph.declared, **source.graph.definitions}
    r, h = source.graph.definitions["r"], source.graph.definitions["h"]
    back = parse("d_h = 2*h; A'*(d_h .* D(phi)(r))/n", scope=scope).graph.output
    assert back is scale(
        number(1 / n), matmul(A.T, hadamard(core.named("d_h", scale(number(2), h), "local"), phi.derivative(r)))
    )
    shadowed = parse("r = 2*y; r'*h", scope=scope)
    assert shadowed.graph.output is matmul(scale(number(2), y).T, h)
    with pytest.raises(ParseError, match="Q is not declared"):
        parse("Q*x", scope=scope)


# Each wrong text over the variables above, the place, and words that the message must hold.
WRONG = [
    ("A*x +\n x", 1, 6, "the line ends"),
    ("sum(x", 1, 4, "never closed"),
    ("x)", 1, 2, "without an opening"),
    ("sum(x]", 1, 6, "']'"),
    ("x'**A", 1, 2, "' is not a transpose in Python"),
    ("2x", 1, 1, "'2x' is not a number"),
    ("1.2.3*x", 1, 1, "is not a number"),
    ("0x1F*x", 1, 1, "is not a number"),
    ("5.", 1, 1, "is not a number"),
    ("1e999*x", 1, 1, "too large"),
    ("x == x", 1, 4, "unexpected '=='"),
    ("x = 3", 1, 1, "x is a declared variable"),
    ("n = 3; x", 1, 1, "n is a dimension"),
    ("x'*x = 3", 1, 6, "unexpected '='"),
    ("f(q) = q", 1, 6, "unexpected '='"),
    ("r = ; x", 1, 5, "a value is needed"),
    ("x;; x", 1, 3, "empty statement"),
    ("x'*x; x", 1, 1, "only definitions may come before"),
    ("p = 1, q = 2", 1, 6, "statements are separated"),
    ("r = x; r = y; r", 1, 8, "r is defined twice"),
    ("p = q; q = x; p", 1, 5, "q is used before it is defined"),
    ("sum = x", 1, 1, "name of a function"),
    ("Q*x", 1, 1, "Q is not declared"),
    ("Y'*x", 1, 1, "did you mean y"),
    ("x*T", 1, 3, "the transpose is X'"),
    ("A + I", 1, 5, r"eye\(n\)"),
    ("exp + x", 1, 1, "exp is a function and needs an argument"),
    ("foo(x)", 1, 1, "no function foo"),
    ("A(1, 2)", 1, 1, "A is a variable, not a function"),
    ("getattr(x, A)", 1, 1, "no function getattr"),
    ("exp.__class__", 1, 4, "unexpected character '.'"),
    ("x\u200b*y", 1, 2, "U\\+200B"),
    ("x'*x\ud800", 1, 5, "U\\+D800"),
    ("x'*A*x\n\n  + y\x00", 3, 6, "U\\+0000"),
    ("r = A*x\nr*x", 2, 2, r"cannot multiply r \(n x 1\) by x \(n x 1\): 1 and n differ"),
    ("X + X'", 1, 3, r"cannot add X' \(n x m\) to X \(m x n\): m and n, n and m differ"),
    ("x ./ z", 1, 3, "entry by entry: n and m differ"),
    ("s/x", 1, 2, r"\./"),
    ("X^2", 1, 2, "square"),
    ("A^x", 1, 2, "must be 1 x 1"),
    ("s^2^3", 1, 4, "bracket the chained power"),
    ("inv(X)", 1, 1, "inv needs a square matrix, but X is m x n"),
    ("sum(X, 3)", 1, 8, "axis must be 1"),
    ("sum(X, x)", 1, 8, "axis must be 1"),
    ("sum(X, 1, 2)", 1, 1, "wrong number of arguments"),
    ("sum(X, foo=1)", 1, 8, "parameter foo"),
    ("sum(x,)", 1, 7, "a value is needed"),
    ("eye(2.5)", 1, 5, "positive integer"),
    ("eye(x)", 1, 5, "size"),
    ("sum(x > 1)", 1, 5, "comparison"),
    ("x > 1", 1, 3, r"in brackets \(A > B\) is 1 where it holds"),
    ("(x != y)'*x", 1, 4, "compares with >, >=, < or <="),
    ("(x > y > 1)", 1, 8, "unexpected '>'"),
    ("where(x, 1)", 1, 1, r"where\(A > B, C, D\)"),
    ("vector(1)", 1, 1, "does not follow from the context"),
    ("x/(1 - 1)", 1, 2, "division by zero"),
    ("10^1e6*x", 1, 3, "too large"),
    ("[x, A; A, A]", 1, 1, "equally many columns"),
    ("[x; A]", 1, 1, "equally many columns"),
    ("X[1]", 1, 2, "needs two indices"),
    ("x[0]", 1, 3, "positive integer"),
    ("x[3:2]", 1, 2, "empty"),
    ("frechet(sinm, A, A)", 1, 9, "one of expm"),
    ("frechet(A, A, A)", 1, 9, "one of expm"),
    ("x(1)(2)", 1, 1, "an operator is missing"),
    ("polygamma(x, 1)", 1, 11, "order must be a whole number"),
    ("S: n x n shiny; S", 1, 10, "unknown fact 'shiny'"),
    ("S: m x n symmetric; S", 1, 10, "square"),
    ("S: n x 0; S", 1, 8, "positive integer"),
    ("S: n y n; S", 1, 6, "rows x columns"),
    ("x: 2 x 2; x", 1, 1, "declared twice"),
]


@pytest.mark.parametrize(("text", "line", "column", "words"), WRONG, ids=[repr(row[0]) for row in WRONG])
def test_errors_have_a_place(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(ParseError, match=words) as caught:
        read(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert "^" in str(caught.value)
    str(caught.value).encode()


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ([], "shapes must map"),
        ({"x": "n 1"}, "x must be a pair"),
        ({"x": ("n", 1, 1)}, "x must be a pair"),
        ({"x": (0, 1)}, "shape of x"),
        ({"x": (True, 1)}, "shape of x"),
        ({"x": (2.5, 1)}, "shape of x"),
        ({"x": ("n+1", 1)}, "shape of x"),
        ({"x-y": ("n", 1)}, "'x-y' is not a name"),
        ({"x\n": ("n", 1)}, "is not a name"),
        ({"sum": ("n", 1)}, "name of a function"),
        ({"x": ("exp", 1)}, "exp is the name of a function"),
        ({"pi": ("n", 1)}, "pi is a number"),
        ({"x": ("x", 1)}, "both a variable and a dimension"),
    ],
)
def test_wrong_declarations(shapes: object, words: str) -> None:
    with pytest.raises(MatcalcError, match=words):
        parse("x'*x", shapes=shapes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"A": "shiny"}, "facts of A: unknown fact 'shiny'"),
        ({"X": "symmetric"}, "X is m x n"),
        ({"Q": "symmetric"}, "Q, which is not declared"),
        ({"A": 3}, "facts of A"),
        ("A", "facts must map"),
    ],
)
def test_wrong_facts(facts: object, words: str) -> None:
    with pytest.raises(MatcalcError, match=words):
        read("x'*A*x", facts=facts)


def test_errors_name_the_convention() -> None:
    with pytest.raises(ParseError, match="undeclared names are taken for x: n x 1; y: m x 1"):
        parse("x*y")


@pytest.mark.parametrize("text", ["", "  \n # nothing\n", 5, ["x"], None])
def test_nothing_to_read(text: object) -> None:
    with pytest.raises(MatcalcError, match=r"empty|str"):
        parse(text)  # type: ignore[arg-type]


LARGE = {
    "brackets": "(" * 5000 + "x" + ")" * 5000,
    "open brackets": "(" * 5000 + "x",
    "transposes": "x" + "'" * 501,
    "product": "*".join(["A"] * 1000),
    "hadamard": ".*".join(["A"] * 2000),
    "sum": "+".join(["x"] * 2000),
    "powers": "s" + "^1" * 300,
    "definitions": "a0 = x;" + ";".join(f"a{k} = sin(a{k - 1})" for k in range(1, 500)),
    "calls": "sin(" * 5000 + "x" + ")" * 5000,
    "signs": "-" * 5000 + "x",
    "name": "a" * 100_000,
    "digits": "1" * 100_000,
    "blanks": " " * 100_000 + "x",
    "semicolons": ";" * 1000,
    "huge number": "(10^300)^300",
    "huge factors": "*".join(["1e300"] * 100),
    "long number": "(" * 300 + "n" + "+1)*n" * 300,
    "huge dimension": "eye((n+m)^(10^7))",
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
@pytest.mark.parametrize("shapes", [SHAPES, None], ids=["declared", "inferred"])
def test_large_texts_end_soon(text: str, shapes: dict[str, object] | None) -> None:
    start = time.process_time()
    message = ""
    try:
        parse(text, shapes=shapes)
    except MatcalcError as error:
        message = str(error)
    assert len(message) < 1000
    assert time.process_time() - start < 5
