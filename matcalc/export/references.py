"""The identities and differentials that a note cites: numbered in order of first use, shared by its derivations."""

from __future__ import annotations

from dataclasses import dataclass

from matcalc.expr import Expr, record
from matcalc.printing.latex import latex
from matcalc.printing.style import Notation
from matcalc.rewrite.rule import RULES
from matcalc.views.formulas import formulas

DEFINITION = "definition"  # the source of rules that only exchange a name and what it stands for


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of the list.

    Attributes:
        number: under which the steps cite it.
        name: the rule's or the operation's name.
        formula: the identity in LaTeX; of an operation its differential.
        statement: the identity in the text syntax; of an operation the operation in LaTeX.
        source: where it is published.
    """

    number: int
    name: str
    formula: str
    statement: str
    source: str


class References:
    """Collects what is cited.

    Args:
        notation: the symbols of the formulas.
    """

    def __init__(self, notation: Notation) -> None:
        self.notation = notation
        self.rules: dict[str, Reference] = {}
        self.operations: dict[str, Reference] = {}

    def cite(self, rule: str) -> int:
        """The number of a rewrite rule; 0 for what is no identity (names and their definitions)."""
        if rule not in RULES or RULES[rule].source == DEFINITION:
            return 0
        if rule not in self.rules:
            entry = RULES[rule]
            left, right = entry.example()
            formula = f"{latex(left, self.notation)} = {latex(right, self.notation)}"
            number = len(self.rules) + 1
            self.rules[rule] = Reference(number, rule.replace("_", " "), formula, entry.identity, entry.source)
        return self.rules[rule].number

    def use(self, e: Expr) -> None:
        """Note that the differential of an operation was used."""
        found = formulas(e.op, self.notation, e.params)
        if found.operation not in self.operations:
            entry = record(e.op)
            number = len(self.operations) + 1
            self.operations[found.operation] = Reference(
                number, e.op, found.differential, found.operation, entry.source
            )
