"""A derivation as a lesson, in LaTeX: plain data on each value, that the templates `note.*` arrange."""

from __future__ import annotations

from dataclasses import dataclass, field

from matcalc.calculus.problem import Problem
from matcalc.languages import Message
from matcalc.views.page import Needed, Second, StepBack

DETAILS = ("full", "lesson", "sheet", "brief")  # brief is another name of the sheet


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable or a definition: its name, what it is (empty for a variable), its shape, its facts, a gloss."""

    name: str
    definition: str
    shape: str
    facts: list[str]
    gloss: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact about a value."""

    formula: str
    fact: str


@dataclass(frozen=True, slots=True)
class Recognised:
    """A function that the source spells out: the equation, and the number of its identity."""

    value: str
    cited: int


@dataclass(frozen=True, slots=True)
class Adjoint:
    """An adjoint as a formula sheet has it: its name, its value, its shape."""

    name: str
    value: str
    shape: str


@dataclass(frozen=True, slots=True)
class LocalMatrix:
    """The Jacobian of a kind of step: the equation on vec, why it has its form, and the diagonal one written out."""

    formula: str
    reason: str
    written_out: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A gradient or Jacobian.

    Attributes:
        left: what it is called.
        rows: its value; along a structured set, after the formula of the set; with all adjoints written out.
        where: definitions of names in it.
        shape: its shape.
        remark: the structured set, and what it means for the differential.
        entries: the entries by index; empty where that would be long.
        conditions: what it needs beyond the domain of the source.
    """

    left: str
    rows: list[str]
    where: str
    shape: str
    remark: str = ""
    entries: str = ""
    conditions: list[Fact] = field(default_factory=list)

    @property
    def formula(self) -> str:
        """The result as one equation."""
        return f"{self.left} = {self.rows[-1]}{self.where}"


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
    recognised: list[Recognised] = field(default_factory=list)
    adjoints: list[Adjoint] = field(default_factory=list)
    needed: list[Needed] = field(default_factory=list)
    steps: list[StepBack] = field(default_factory=list)
    jacobians: list[LocalMatrix] = field(default_factory=list)
    second: list[Second] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    facts_used: list[Fact] = field(default_factory=list)
    facts_wished: list[Fact] = field(default_factory=list)
    domain: list[Fact] = field(default_factory=list)
    problem: Problem | None = None  # with the names of the page
