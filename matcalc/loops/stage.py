"""A function with several results as it stands in a module with loops: its statements, without checks of its inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from matcalc.emit.masks import has_risky_branches
from matcalc.emit.module import program
from matcalc.emit.program import Lowered
from matcalc.emit.twins import without_twins
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.kinds import GRADIENT, VALUE_AND_GRAD
from matcalc.targets.numpy.idioms import in_numpy
from matcalc.targets.numpy.module import numpy_body, used_helpers
from matcalc.walk import variables

IMPORTS = {
    "math": "import math",
    "sla": "from scipy import linalg as sla",
    "special": "from scipy import special",
    "lapack": "try:\n    from scipy.linalg import lapack\nexcept ImportError:\n    lapack = None",
}


@dataclass
class Stage:
    """Statements and the texts of results.

    Attributes:
        given: the names of what the statements read, by variable.
        sizes: the names of the sizes that they read, by dimension.
        statements: in order.
        results: the texts, in order.
        quiet: whether a branch that is not taken may be anything.
    """

    given: dict[Expr, str]
    sizes: dict[str, str]
    statements: list[str]
    results: list[str]
    quiet: bool

    @property
    def text(self) -> str:
        """All of it, to be searched."""
        return "\n".join([*self.statements, *self.results])


@dataclass
class Function:
    """A function of the module.

    Attributes:
        name: of it.
        parameters: in order.
        lines: its body.
        quiet: whether a branch that is not taken may be anything.
        summary: one line on it.
    """

    name: str
    parameters: list[str]
    lines: list[str]
    quiet: bool = False
    summary: str = ""
    decorators: list[str] = field(default_factory=list)
    helpers: dict[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """Its text."""
        head = ['@np.errstate(divide="ignore", over="ignore", invalid="ignore")'] if self.quiet else self.decorators
        said = [f'    """{self.summary}"""'] if self.summary else []
        body = [f"    {line}" if line else "" for line in self.lines]
        return "\n".join([*head, f"def {self.name}({', '.join(self.parameters)}):", *said, *body])

    @property
    def imports(self) -> list[str]:
        """The lines at the top that it needs."""
        everything = "\n".join([*self.lines, *self.helpers.values()])
        return [line for name, line in IMPORTS.items() if re.search(rf"\b{name}\.", everything)]


class Dialect(Protocol):
    """How statements are written."""

    def statements(self, lowered: Lowered) -> list[str]:
        """The statements of a program."""

    def results(self, texts: list[str]) -> list[str]:
        """The texts of its results."""


class InPlace:
    """NumPy, which computes in place."""

    def statements(self, lowered: Lowered) -> list[str]:
        """The statements of a program."""
        return numpy_body(lowered, {})[0]

    def results(self, texts: list[str]) -> list[str]:
        """The texts of its results."""
        return in_numpy(texts)


def staged(results: Mapping[str, Expr], value: Expr | None = None, dialect: Dialect | None = None) -> Stage:
    """The statements that compute some results, after a value where there is one.

    Raises:
        NoRuleError: there is an equation to solve, or a function without a body, among them.
    """
    roots = [*([] if value is None else [value]), *results.values()]
    table = without_twins(roots, vectors=True)
    roots, value = list(table.values()), None if value is None else table[value]
    results = {name: table[e] for name, e in results.items()}
    wanted = program(value, results, GRADIENT if value is None else VALUE_AND_GRAD, variables(roots))
    lowered = Lowered(wanted, "stage")
    if lowered.solvers or lowered.functions:
        raise NoRuleError("equations and functions without a body are not written inside of loops")
    texts: list[str] = []
    returned: set[Expr] = set()
    for e in lowered.returned():
        text, returned = lowered.own(e, returned)
        texts.append(f"np.float64({text})" if e.is_scalar and not variables([e]) else text)
    dialect = dialect or InPlace()
    statements, made = dialect.statements(lowered), dialect.results(texts)
    text = "\n".join([*statements, *made])
    used = set(re.findall(r"\w+", text))
    given = {v: n for v in wanted.variables if (n := lowered.inputs[v.params[0]]) in used}
    sizes = {d: n for d, n in lowered.dimensions.items() if n in used}
    return Stage(given, sizes, statements, made, has_risky_branches(lowered.roots))


def with_helpers(function: Function) -> Function:
    """The function, with the helpers that it calls."""
    function.helpers = used_helpers("\n".join(function.lines))
    return function
