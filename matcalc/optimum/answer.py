"""What a rule for a class of equations finds, and the registry of these rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from matcalc.curvature.spectrum import Reason
from matcalc.expr import Expr
from matcalc.optimum.lines import Line
from matcalc.optimum.question import Question

INDEPENDENT, NOT_ZERO, WITHOUT_ZEROS = "has independent columns", "is not zero", "has no zero entries"


@dataclass(frozen=True)
class Candidate:
    """A solution of the stationarity equations that a rule found, not yet checked.

    Attributes:
        values: the unknowns' values.
        reasons: the rules that led to it, with sources.
        given: facts of the data under which it holds, beyond those that are known: `(fact, expression)`.
        multipliers: by the text of the constraint.
        needs: what else must hold, as `(expression, words)`.
        remarks: what else is true of all solutions, in words; not needed for this one.
        lemma: whether it solves the equations by its construction, also where the prover does not manage to show it.
        proved: whether a theorem of the class shows that it is stationary and feasible.
        kind: what a theorem of the class shows it to be; empty where the curvature decides.
        unique: what such a theorem says of uniqueness.
        value: the optimal value where the class gives it in a shorter form.
        members: facts that the values have by the theorem of the class: `(unknown, fact)`.
        lines: what leads from the gradient to the values, as far as the rule says it.
        whole: whether the lines begin before the gradient of the whole function.
    """

    values: dict[Expr, Expr]
    reasons: tuple[Reason, ...]
    given: tuple[tuple[str, Expr], ...] = ()
    multipliers: dict[str, Expr] = field(default_factory=dict)
    needs: tuple[tuple[Expr, str], ...] = ()
    remarks: tuple[str, ...] = ()
    lemma: bool = False
    proved: bool = False
    kind: str = ""
    unique: bool | None = None
    value: Expr | None = None
    members: frozenset[tuple[Expr, str]] = frozenset()
    lines: tuple[Line, ...] = ()
    whole: bool = False


Method = Callable[[Question], "Candidate | None"]


@dataclass(frozen=True)
class Solver:
    """A rule for one class of equations.

    Attributes:
        name: its name.
        statement: what it says, its docstring.
        source: where that is published.
        apply: finds a candidate, or None where the class does not fit.
        kinks: whether it may be tried on functions with kinks: it proves what it finds by itself.
    """

    name: str
    statement: str
    source: str
    apply: Method
    kinks: bool = False


SOLVERS: list[Solver] = []


def solver(source: str, *, kinks: bool = False) -> Callable[[Method], Method]:
    """Register a rule; they are tried in the order of their registration."""

    def wrap(f: Method) -> Method:
        SOLVERS.append(Solver(f.__name__, statement(f), source, f, kinks))
        return f

    return wrap


def statement(f: Callable[..., object]) -> str:
    """A docstring as one line."""
    return " ".join((f.__doc__ or "").split())


def reason(f: Callable[..., object], source: str, of: Expr) -> Reason:
    """The step that a rule makes."""
    return Reason(f.__name__, statement(f), source, of)
