"""How a sum over indices became matrices: named rules, and the steps in which they were used.

Each rule is an identity between a sum of entries and an entry of a matrix; `contraction.py` uses them and notes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from matcalc import core
from matcalc.dims import Dim, plus, times
from matcalc.dims import text as dim_text
from matcalc.expr import Expr
from matcalc.indices.program import place_text
from matcalc.indices.terms import Along, Apply, Entry, Index, Place, Term, Total, Value
from matcalc.printing.latex import latex
from matcalc.printing.numbers import dim_latex
from matcalc.printing.style import STANDARD, Notation
from matcalc.printing.symbols import index_latex, name_latex
from matcalc.printing.text import shared
from matcalc.walk import variables

DEFINITION = "definition of the matrix product"
ELEMENTARY = "entry by entry"


@dataclass(frozen=True)
class LiftRule:
    """A rule.

    Attributes:
        name: what it is called on the page.
        identity: what it states, with an entry of the matrix on the right.
        source: where it is published, or which definition it is.
        example: a program in which it is used.
    """

    name: str
    identity: str
    source: str
    example: str


RULES: dict[str, LiftRule] = {}


def _rule(name: str, identity: str, source: str, example: str) -> LiftRule:
    RULES[name] = LiftRule(name, identity, source, example)
    return RULES[name]


ROWS_TIMES_VECTOR = _rule(
    "rows times a vector",
    "sum(c, X[i,c]*w[c]) = (X*w)[i]",
    DEFINITION,
    "X: n x p\nw: p x 1\nsum(i=1..n, exp(X[i,:]*w))",
)
PRODUCT = _rule(
    "product of matrices",
    "sum(c, A[i,c]*B[c,j]) = (A*B)[i,j]",
    DEFINITION,
    "A: n x p\nB: p x n\nsum(i=1..n, j=1..n, exp(A[i,:]*B[:,j]))",
)
INNER = _rule("inner product", "sum(i, x[i]*y[i]) = x'*y", DEFINITION, "x: n x 1\ny: n x 1\nsum(i=1..n, x[i]*y[i])")
WEIGHTED = _rule(
    "weighted outer products",
    "sum(i, a[i]*X[i,c]*Y[i,d]) = (X'*diag(a)*Y)[c,d]",
    DEFINITION,
    "X: n x p\na: n x 1\nC: p x p\ntr(C*sum(i=1..n, a[i]*X[i,:]'*X[i,:]))",
)
ROWS_OF_TWO = _rule(
    "inner products of rows",
    "sum(c, A[i,c]*B[i,c]) = sum(A .* B, 2)[i]",
    ELEMENTARY,
    "A: n x p\nB: n x p\nsum(i=1..n, exp(A[i,:]*B[i,:]'))",
)
TRACE_OF_PRODUCT = _rule(
    "trace of a product",
    "sum(i, j, A[i,j]*B[j,i]) = tr(A*B)",
    "Petersen & Pedersen, The Matrix Cookbook (2012), 1.1",
    "A: n x p\nB: p x n\nsum(i=1..n, j=1..p, A[i,j]*B[j,i])",
)
TRACE = _rule("trace", "sum(i, A[i,i]) = tr(A)", "definition of the trace", "A: n x n\nsum(i=1..n, A[i,i])")
DISTANCES = _rule(
    "squared distances",
    "sum(c, (X[i,c] - Z[j,c])^2) = pdist2(X, Z)[i,j]",
    "definition of the squared Euclidean distance",
    "X: n x p\nZ: m x p\nA: n x m\nsum(i=1..n, j=1..m, A[i,j]*norm2(X[i,:] - Z[j,:])^2)",
)
NORM = _rule(
    "squared norm",
    "sum(i, j, A[i,j]^2) = norm2(A)^2",
    "definition of the Frobenius norm",
    "A: n x p\nsum(i=1..n, j=1..p, A[i,j]^2)",
)
ALL_ENTRIES = _rule(
    "sum of all entries",
    "sum(i, j, A[i,j]) = sum(A)",
    "definition of the sum",
    "A: n x p\nsum(i=1..n, j=1..p, A[i,j]^3)",
)
ALONG = _rule(
    "sum along an index",
    "sum(j, A[i,j]) = sum(A, 2)[i]",
    "definition of the sum",
    "A: n x p\nsum(i=1..n, exp(sum(j=1..p, A[i,j])))",
)
COUNT = _rule(
    "constant along an index",
    "sum(i, c) = n*c",
    "n equal terms",
    "x: n x 1\ny: m x 1\nsum(i=1..n, x[i]*(1 + sum(j=1..m, y[j] + i)))",
)
ENTRYWISE = _rule(
    "entry by entry",
    "f(A[i,j]) = f(A)[i,j]",
    ELEMENTARY,
    "X: n x p\nw: p x 1\nsum(i=1..n, exp(X[i,:]*w))",
)
REDUCED = _rule(
    "reduction along an index",
    "max(j, A[i,j]) = max(A, 2)[i]",
    "the same of each row",
    "A: n x p\nsum(i=1..n, max(j=1..p, A[i,j]^2))",
)
MASK = _rule(
    "mask of a condition",
    "[i < j] = M[i,j], ones where it holds, else zeros",
    "K. E. Iverson, A Programming Language (1962)",
    "A: n x n\nsum(i=1..n, j=1..n, i<j, A[i,j]^2)",
)
LAPLACIAN = _rule(
    "Laplacian",
    "sum(i, j, A[i,j]*|X[i,:] - X[j,:]|^2) = tr(X'*(diag(sum(A, 2) + sum(A, 1)') - A - A')*X)",
    "the squared distances multiplied out",
    "X: n x p\nA: n x n\nsum(i=1..n, j=1..n, A[i,j]*norm2(X[i,:] - X[j,:])^2)",
)
EXPANDED = _rule(
    "multiplied out",
    "(a + b)*c = a*c + b*c",
    "distributive law",
    "X: n x p\nM: p x p\nA: n x n\nsum(i=1..n, j=1..n, A[i,j]*(X[i,:] - X[j,:])*M*(X[i,:] - X[j,:])')",
)


# ------------------------------------------------------------------------------------------------ steps


@dataclass(frozen=True, eq=False)
class Named:
    """What a variable of a step stands for: an entry of a matrix; with a head what is taken over a place; or words."""

    matrix: Expr | None
    places: tuple[str, ...]
    head: str = ""


@dataclass(frozen=True, eq=False)
class Lift:
    """The use of a rule: `sum(over, left) = right`; the variables in both are entries."""

    rule: LiftRule
    over: tuple[tuple[str, Dim, Dim], ...]
    left: Expr
    right: Expr
    names: dict[str, Named]

    @property
    def text(self) -> str:
        """The step in text."""
        inside = shared(self.left).body
        for name, first, last in reversed(self.over):
            inside = f"sum({name}={dim_text(first)}..{dim_text(last)}, {inside})"
        return f"{inside} = {shared(self.right).body}"

    def latex(self, notation: Notation = STANDARD) -> str:
        """The step in LaTeX."""
        written = {n: _entry_latex(named, n, notation) for n, named in self.names.items() if not named.head}
        own = notation.with_names(written)
        for name, named in self.names.items():  # inner ones come first
            if named.head:
                own = own.with_names({name: _taken_latex(named, own)})
        body = latex(self.left, own)
        if self.over and self.left.op == "add":
            body = rf"\left({body}\right)"
        for name, first, last in reversed(self.over):
            body = rf"\sum_{{{name_latex(name)}={dim_latex(first)}}}^{{{dim_latex(last)}}} {body}"
        return f"{body} = {latex(self.right, own)}"


def _entry_latex(named: Named, name: str, notation: Notation) -> str:
    if named.matrix is None:
        return name.replace("<=", r"\le").replace(">=", r"\ge").replace("!=", r"\ne")
    inside = latex(named.matrix, notation)
    base = inside if named.matrix.name else rf"\left({inside}\right)"
    if named.matrix.name:
        base = f"{{{base}}}"
    return f"{base}_{{{', '.join(index_latex(p) for p in named.places)}}}"


def _taken_latex(named: Named, notation: Notation) -> str:
    """A sum or a maximum over an index."""
    assert named.matrix is not None
    sign = r"\sum" if named.head == "sum" else rf"\operatorname{{{named.head}}}"
    body = latex(named.matrix, notation)
    return rf"{sign}_{{{name_latex(named.places[0])}}} " + (rf"\left({body}\right)" if named.matrix.args else body)


@dataclass(frozen=True, eq=False)
class Lifting:
    """A sum that was asked for, the steps, and its matrix form.

    Attributes:
        words: the sum as it was typed.
        term: the sum in entries, with the places of the rows and columns of `value`.
    """

    words: str
    term: Term
    row: Place
    column: Place
    steps: tuple[Lift, ...]
    value: Expr

    def lines(self) -> list[str]:
        """In text: the sum, then a line for each step."""
        return [f"{self.words} = {self.value}", *(f"  {s.rule.name}: {s.text}" for s in self.steps)]

    def data(self) -> dict[str, object]:
        """As plain data."""
        return {
            "sum": self.words,
            "matrix": str(self.value),
            "steps": [{"rule": s.rule.name, "line": s.text, "identity": s.rule.identity} for s in self.steps],
        }

    def rows(self, notation: Notation = STANDARD) -> list[tuple[str, str]]:
        """The rules and their lines in LaTeX."""
        return [(s.rule.name, s.latex(notation)) for s in self.steps]


TITLE = "Sums as matrices"


# ------------------------------------------------------------------------------------------------ the log


@dataclass
class Log:
    """The steps of one sum, in order; `values` are the matrices of inner sums, which later steps mention."""

    steps: list[Lift] = field(default_factory=list)
    values: dict[Term, tuple[Expr, Place, Place]] = field(default_factory=dict)
    letters: dict[Index, str] = field(default_factory=dict)
    depth: int = 0

    @property
    def distinct(self) -> tuple[Lift, ...]:
        """The steps, each line once."""
        return tuple({step.text: step for step in self.steps}.values())

    def letter(self, index: Index, beside: set[str]) -> str:
        """What an index is called."""
        if index.name:
            return index.name
        if index not in self.letters:
            taken = {*self.letters.values(), *beside}
            free = (x for x in ("c", "d", "e", "f", "g", "u", "v", "r", "s") if x not in taken)
            self.letters[index] = next(free, f"c{len(self.letters)}")
        return self.letters[index]

    def placed(self, matrix: Expr, row: Place, column: Place, names: dict[str, Named]) -> Expr:
        """The variable for an entry."""
        beside = {v.name for v in variables((matrix,))}
        places = tuple(
            place_text(self.letter(p, beside), plus(1, times(-1, p.first))) for p in (row, column) if p is not None
        )
        if not places:
            return matrix
        if matrix.op == "diagvec" and len(places) == 1:
            matrix, places = matrix.args[0], places * 2
        inside = shared(matrix).body
        base = inside if matrix.name else f"({inside})"
        name = f"{base}[{', '.join(places)}]"
        names[name] = Named(matrix, places)
        return core.var(name, 1, 1)

    def entries(self, term: Term, names: dict[str, Named]) -> Expr:
        """A term in entries."""
        if isinstance(term, Value):
            return term.expr
        if isinstance(term, Entry):
            return self.placed(term.matrix, term.row, term.column, names)
        if isinstance(term, Apply):
            return term.build([self.entries(a, names) for a in term.args])
        if term not in self.values:
            indices = term.bound if isinstance(term, Total) else (term.index,)
            body = self.entries(term.body, names)
            for index in reversed(indices):
                body = self.taken("sum" if isinstance(term, Total) else "max", index, body, names)
            return body
        matrix, row, column = self.values[term]
        return self.placed(matrix, row, column, names)

    def taken(self, head: str, index: Index, body: Expr, names: dict[str, Named]) -> Expr:
        """A sum or the like over an index, as a variable."""
        letter = self.letter(index, set())
        name = f"{head}({letter}={dim_text(index.first)}..{dim_text(index.last)}, {shared(body).body})"
        names[name] = Named(body, (letter,), head)
        return core.var(name, 1, 1)

    def reduced(self, term: Along) -> None:
        """Note a maximum or the like along an index."""
        names: dict[str, Named] = {}
        matrix, row, column = self.values[term]
        body = self.entries(term.body, names)
        left = self.taken(term.build(core.var("X", 2, 3), 2).op, term.index, body, names)
        self.steps.append(Lift(REDUCED, (), left, self.placed(matrix, row, column, names), names))


_LOG: ContextVar[Log | None] = ContextVar("the steps of a sum", default=None)


@contextmanager
def noting() -> Iterator[Log]:
    """Note the steps of the sum that is lifted inside."""
    log = Log()
    token = _LOG.set(log)
    try:
        yield log
    finally:
        _LOG.reset(token)


@contextmanager
def silent() -> Iterator[None]:
    """Note nothing inside: what is done there is part of a step."""
    token = _LOG.set(None)
    try:
        yield
    finally:
        _LOG.reset(token)


def current() -> Log | None:
    """The log, where one is kept."""
    return _LOG.get()


Sided = tuple[Expr, Place, Place]


def took(rule: LiftRule, over: Sequence[Index], left: Sequence[Sided], right: Sided) -> None:
    """Note that the sum of a product of entries is an entry."""
    log = _LOG.get()
    if log is None:
        return
    names: dict[str, Named] = {}
    factors = [log.placed(*f, names) for f in left]
    ranges = tuple((log.letter(i, set()), i.first, i.last) for i in over)
    log.steps.append(Lift(rule, ranges, core.scale(*factors), log.placed(*right, names), names))


def took_term(rule: LiftRule, term: Term, right: Sided, over: Sequence[Index] = ()) -> None:
    """Note that a term in entries, or its sum, is an entry."""
    log = _LOG.get()
    if log is None:
        return
    names: dict[str, Named] = {}
    left = log.entries(term, names)
    ranges = tuple((log.letter(i, set()), i.first, i.last) for i in over)
    log.steps.append(Lift(rule, ranges, left, log.placed(*right, names), names))


def expanded(wide: Term, others: Sequence[Term]) -> None:
    """Note that a sum is multiplied out."""
    log = _LOG.get()
    if log is None or not (isinstance(wide, Apply) and wide.kind == "add"):
        return
    names: dict[str, Named] = {}
    beside = [log.entries(t, names) for t in others]
    terms = [log.entries(t, names) for t in wide.args]
    left = core.scale(core.add(*terms), *beside)
    log.steps.append(Lift(EXPANDED, (), left, core.add(*(core.scale(t, *beside) for t in terms)), names))


def took_words(rule: LiftRule, words: str, right: Sided) -> None:
    """Note that something in words is an entry."""
    log = _LOG.get()
    if log is None:
        return
    names = {words: Named(None, ())}
    log.steps.append(Lift(rule, (), core.var(words, 1, 1), log.placed(*right, names), names))
