"""A derivation as a lesson, in LaTeX: plain data on each value, that the templates `note.*` arrange."""

from __future__ import annotations

from dataclasses import dataclass, field

from matcalc.languages import Message

DETAILS = ("full", "brief")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable or a definition: its name, what it is (empty for a variable), its shape, its facts."""

    name: str
    definition: str
    shape: str
    facts: list[str]


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact about a value."""

    formula: str
    fact: str


@dataclass(frozen=True, slots=True)
class Reasoned:
    """An equation and why it holds; `formal` where the reason is the identity of a differential."""

    formula: str
    reason: str
    formal: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a chain of equal expressions, and why it equals the line before.

    Attributes:
        value: the expression.
        cited: the numbers of the identities.
        facts: the facts used.
        inserted: the names that were replaced by what they stand for, as equations.
        note: a reason in words, where no identity has a number.
    """

    value: str
    cited: list[int] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    inserted: list[str] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Through:
    """One path of the chain rule.

    Attributes:
        start: the value that depends on the one in question.
        definition: what that value is.
        differential: its differential along the path.
        jacobians: the local Jacobians in vec form.
        left: what the chain rule finds: the adjoint in vec form, or one part of it.
        chain: the product of Jacobians that gives it.
        collapsed: the same in matrix form, as a vec; empty where that is no other formula.
        cited: the identities that lead there, as pairs of a number and a formula.
        written_out: the diagonal Jacobian entry by entry; empty where it was not asked for.
    """

    start: str
    definition: str
    differential: str
    jacobians: list[Reasoned]
    left: str
    chain: str
    collapsed: str
    cited: list[tuple[int, str]]
    written_out: str


@dataclass(frozen=True, slots=True)
class LessonStep:
    """How one adjoint is found; for a matrix function, the local Jacobians of one value.

    Attributes:
        name: the value.
        definition: what it is; empty for a variable.
        shape: its shape.
        through: the paths of the chain rule.
        adjoint: the name of the adjoint; empty for a matrix function.
        rows: the adjoint as the chain rule gives it, and how it is simplified; the last is the result.
        shapes: the shapes of the factors of a product, and what they give.
    """

    name: str
    definition: str
    shape: str
    through: list[Through]
    adjoint: str = ""
    rows: list[Row] = field(default_factory=list)
    shapes: str = ""

    @property
    def after(self) -> str:
        """The result."""
        return self.rows[-1].value if self.rows else ""


@dataclass(frozen=True, slots=True)
class Result:
    """A gradient or Jacobian.

    Attributes:
        left: what it is called.
        rows: its value; along a structured set, after the formula of the set.
        where: definitions of names in it.
        shape: its shape.
        remarks: the structured set and the convention, where there is one.
        substituted: the value with all names of adjoints replaced; empty where that would be long or the same.
        entries: the entries by index; empty where that would be long.
        conditions: what it needs beyond the domain of the source.
    """

    left: str
    rows: list[Row]
    where: str
    shape: str
    remarks: list[str]
    substituted: str = ""
    entries: str = ""
    conditions: list[Fact] = field(default_factory=list)

    @property
    def formula(self) -> str:
        """The result as one equation."""
        return f"{self.left} = {self.rows[-1].value}{self.where}"


@dataclass(slots=True)
class Lesson:
    """Everything that is said about one derivation."""

    output: str
    differential: str
    scalar: bool
    shape: str
    variables: list[Variable]
    definitions: list[Variable]
    notice: Message | None
    recognised: list[Row] = field(default_factory=list)
    steps: list[LessonStep] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    facts_used: list[Fact] = field(default_factory=list)
    facts_wished: list[Fact] = field(default_factory=list)
    domain: list[Fact] = field(default_factory=list)
