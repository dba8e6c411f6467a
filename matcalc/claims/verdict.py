"""The verdict on a claim: plain data, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from matcalc.claims.equality import Proof
from matcalc.claims.key import key_step
from matcalc.errors import MatcalcError
from matcalc.expr import Expr
from matcalc.languages import ENGLISH, Message
from matcalc.languages import language as language_of
from matcalc.numeric.binding import Array
from matcalc.steps import Step

SHOWN = 12  # variables of a counterexample that are written out
PROVED, DISPROVED, UNDECIDED = "proved", "disproved", "undecided"


class Diagnosis(Message):
    """What is wrong with a claim, in words; empty where no usual mistake reproduces it. `.text("es")` is in Spanish.

    Attributes:
        kinds: the mistakes, by keyword: `sign`, `factor`, `transposed`, `held constant`, ...
        node: the value of the graph where the error enters, if it could be found.
        right: what the claim would have to be, if one edit of it is right.
    """

    kinds: tuple[str, ...]
    node: str
    right: str

    def __new__(cls, text: str = "", kinds: tuple[str, ...] = (), node: str = "", right: str = "") -> Diagnosis:
        made = super().__new__(cls, text)
        made.kinds, made.node, made.right = kinds, node, right
        if isinstance(text, Message):
            made.pattern, made.values = text.pattern, text.values
        return made


@dataclass(frozen=True)
class Counterexample:
    """Values at which a claim and the right result differ.

    Attributes:
        values: by variable.
        sizes: of the dimensions.
        claimed: what the claim gives.
        right: what is right.
    """

    values: Mapping[str, Array]
    sizes: Mapping[str, int]
    claimed: Array
    right: Array

    def __str__(self) -> str:
        return self.text()

    def text(self, language: str = ENGLISH) -> str:
        """The values and both results, in plain text."""
        t = language_of(language).filled
        lines = [f"{name} = {array_text(value)}" for name, value in list(self.values.items())[:SHOWN]]
        if len(self.values) > SHOWN:
            lines.append(t("... and {0} more", str(len(self.values) - SHOWN)))
        lines += [t("the claim gives {0}", array_text(self.claimed)), t("right is        {0}", array_text(self.right))]
        return "\n".join(f"  {line}" for line in lines)


@dataclass(frozen=True)
class Verdict:
    """Proved, disproved or undecided; it has no truth value, since undecided is neither.

    Attributes:
        status: `proved`, `disproved` or `undecided`.
        about: what was claimed, such as `the gradient with respect to W1`.
        claim: the claim as it was written.
        expected: what the derivation says instead (None for numbers).
        proof: for `proved`.
        counterexample: for `disproved`, where a point was found.
        diagnosis: for `disproved`: what is wrong, in words; empty where no usual mistake explains it.
        agreed: how many random evaluations agreed.
        tried: what was tried, for `undecided`.
        assumptions: what was assumed beyond the declared facts: `(fact, expression)`.
        notice: what undeclared names were taken for, if there are any.
        holds_where: for `undecided`: the side of a kink, such as `t > 0`, on which the claim holds; not on the other.
    """

    status: str
    about: str
    claim: str
    expected: Expr | None = None
    proof: Proof | None = None
    counterexample: Counterexample | None = None
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    agreed: int = 0
    tried: tuple[str, ...] = ()
    assumptions: tuple[tuple[str, str], ...] = ()
    holds_where: str = ""
    notice: Message | None = None

    def __bool__(self) -> NoReturn:
        raise MatcalcError("a verdict is proved, disproved or undecided and has no truth value: see its .status")

    @property
    def steps(self) -> list[Step]:
        """The chain of steps from the right result to the claim; empty unless proved."""
        return self.proof.steps if self.proof is not None else []

    @property
    def rules(self) -> list[str]:
        """The names of the rules of the proof, each once, in order."""
        return list(dict.fromkeys(step.rule for step in self.steps))

    @property
    def key(self) -> Step | None:
        """The step of the proof that matters; the rest is arranging. None where there is none."""
        return key_step(self.steps)

    def __str__(self) -> str:
        return self.text()

    def text(self, language: str = ENGLISH) -> str:
        """The verdict in plain text; the message of an error of shapes stays in English."""
        t = language_of(language).filled
        about = self.about.text(language) if isinstance(self.about, Message) else self.about
        lines = [f"{t(self.status)}: {about}", "  " + t("claim: {0}", self.claim)]
        if self.status == PROVED:
            names = self.rules
            lines.append("  " + (t("by {0}", ", ".join(names)) if names else t("it is the same expression")))
            key = self.key
            if key is not None and len(names) > 1:
                lines.append("  " + t("above all {0}: {1}", key.rule, key.identity))
            if self.assumptions:
                facts = "; ".join(t("{0} is {1}", e, t(fact)) for fact, e in self.assumptions)
                lines.append("  " + t("where {0}", facts))
        if self.holds_where:
            said = t("it holds where {0} and fails elsewhere: no fact says which side is meant", self.holds_where)
            lines.append("  " + said)
        if self.diagnosis:
            lines.append(f"  {self.diagnosis.text(language)}")
        if self.diagnosis.node:
            lines.append("  " + t("the error enters at {0}", self.diagnosis.node))
        if (self.status == DISPROVED or self.holds_where) and self.expected is not None:
            lines.append("  " + t("right is {0}", str(self.expected)))
        if self.counterexample is not None:
            lines += ["  " + t("for example, with"), self.counterexample.text(language)]
        if self.status == UNDECIDED and not self.holds_where:
            tried = ", ".join(map(t, self.tried))
            lines.append("  " + t("{0} random evaluations agreed; tried: {1}", str(self.agreed), tried))
        if self.notice is not None:
            lines.append(f"  {self.notice.text(language)}")
        return "\n".join(lines)

    def _repr_markdown_(self) -> str:
        return in_notebook(self.status, self.text())

    def __repr__(self) -> str:
        return f"Verdict({self.status!r}, {self.about!r})"


def in_notebook(status: str, text: str) -> str:
    """A verdict as a notebook shows it."""
    mark = {PROVED: "✓", DISPROVED: "✗"}.get(status, "?")
    return f"**{mark} {status}**\n\n```text\n{text}\n```"


def array_text(value: Array) -> str:
    """An array on one line."""
    if value.size == 1:
        return f"{value.item():.6g}"
    text = np.array2string(value, precision=4, suppress_small=True, separator=" ", threshold=40)
    return " ".join(text.split())
