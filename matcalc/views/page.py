"""What a view consists of: plain strings that the templates arrange, and how formulas are written in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from matcalc.dims import Shape, shape_text
from matcalc.expr import Expr
from matcalc.optional import later
from matcalc.printing.numbers import dim_latex
from matcalc.printing.style import STANDARD, Notation
from matcalc.printing.symbols import name_latex
from matcalc.printing.text import text
from matcalc.rewrite.terms import coefficient_and_rest

if TYPE_CHECKING:
    from matcalc.printing.latex import latex
else:
    (latex,) = later("matcalc.printing.latex", "latex")

FACTORS = 4  # of a product whose shapes are written one by one


@dataclass(frozen=True, slots=True)
class Line:
    """A formula, a remark and the shape of what is found; each may be empty."""

    formula: str
    remark: str = ""
    shape: str = ""


@dataclass(slots=True)
class Edge:
    """One path of the chain rule into a value."""

    start: str
    jacobians: list[Line]
    chain: str
    collapse: list[str]


@dataclass(slots=True)
class Block:
    """One step backwards: the adjoint of one value.

    Attributes:
        name: the value.
        definition: what it is defined as; empty for a variable.
        shape: its shape.
        edges: the paths by which the output depends on it.
        adjoint: the name of its adjoint.
        before: the adjoint as the chain rule gives it.
        rules: the rules that simplified it.
        after: the simplified adjoint, as an equation.
    """

    name: str
    definition: str
    shape: str
    edges: list[Edge]
    adjoint: str
    before: str
    rules: list[Line]
    after: str


@dataclass(slots=True)
class Equation:
    """A chain `left = first = second = ...`: each right side with a remark, or an empty one; a sentence before it."""

    left: str
    rows: list[Line]
    before: str = ""


@dataclass(slots=True)
class Needed:
    """A fact that a lesson derives before it uses it: the first equation, the further ones as clauses, a remark."""

    first: str
    rest: list[str]
    remark: str = ""


@dataclass(slots=True)
class StepBack:
    """One step back of a lesson.

    Attributes:
        values: the values whose adjoints it finds.
        into: the values that they enter.
        inline: the differential of what they enter, where the step needs no line for it.
        lines: differentials; those that stand in one line are together.
        found: the adjoints that are read off.
    """

    values: list[str]
    into: list[str]
    inline: str
    lines: list[list[Equation]]
    found: list[Equation]


@dataclass(slots=True)
class Second:
    """A Hessian with its steps.

    Attributes:
        of: the variable.
        heading: what it is, and on vec what it maps.
        lines: the differentials of the values in the gradient, and of the gradient.
        definitions: of names in the result.
        result: the Hessian; then as a sum over rows.
        remarks: what is proved of it.
        conditions: what its form needs.
    """

    of: str
    heading: str
    lines: list[Equation]
    definitions: list[Line]
    result: Equation
    conditions: list[str]
    remarks: list[str]


@dataclass(slots=True)
class View:
    """Everything that the templates arrange."""

    output: str
    shape: str
    variables: list[Line]
    inferred: list[str]
    notice: str
    definitions: list[Line]
    recognised: list[Line] = field(default_factory=list)
    title: str = ""
    forward: list[Line] = field(default_factory=list)
    needed: list[Needed] = field(default_factory=list)
    steps: list[StepBack] = field(default_factory=list)
    jacobians: list[Line] = field(default_factory=list)
    gradients: list[Equation] = field(default_factory=list)
    second: list[Second] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    results: list[Line] = field(default_factory=list)
    adjoints: list[Line] = field(default_factory=list)
    facts_used: list[str] = field(default_factory=list)
    facts_wished: list[str] = field(default_factory=list)
    domain: list[str] = field(default_factory=list)
    layout: str = "denominator"
    heading: str = "Gradients"
    direction: str = ""
    differentials: list[Equation] = field(default_factory=list)
    carried: list[Equation] = field(default_factory=list)
    identified: list[Equation] = field(default_factory=list)
    components: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Writer:
    """How formulas are written: in the text syntax or in LaTeX.

    Attributes:
        expr: an expression.
        name: a name, given whether what it stands for is 1 x 1.
        vec: vec of something, with `{0}` for it.
        differential: d vec of something, with `{0}` for it.
        times: between the factors of a product of Jacobians.
        transpose: the mark of a transpose.
        plain: whether it is text and not LaTeX.
        notation: the symbols of LaTeX.
    """

    expr: Callable[[Expr], str]
    name: Callable[[str, bool], str]
    vec: str
    differential: str
    times: str
    transpose: str
    plain: bool
    notation: Notation = STANDARD

    def shape(self, shape: Shape) -> str:
        """m x n, to stand in a remark."""
        if self.plain:
            return shape_text(shape)
        return rf"${dim_latex(shape[0])} \times {dim_latex(shape[1])}$"

    def shapes_of_product(self, e: Expr) -> str:
        r"""The shapes of a product's factors and what they give: (1 x K)(K x H) = 1 x H; empty for anything else."""
        _, rest = coefficient_and_rest(e)
        if rest is None or rest.op != "matmul":
            return ""
        factors = [f for f in rest.args if not (f.op == "broadcast" or f.is_scalar)]
        if not 2 <= len(factors) <= FACTORS:
            return ""
        if self.plain:
            return f"{''.join(f'({self.shape(f.shape)})' for f in factors)} = {self.shape(rest.shape)}"
        product = r" \;\cdot\; ".join(f"({self.shape(f.shape)[1:-1]})" for f in factors)
        return rf"${product} \;\to\; {self.shape(rest.shape)[1:-1]}$"


def _as_is(name: str, scalar: bool) -> str:
    return name


TEXT = Writer(text, _as_is, "vec({0})", "d vec({0})", " * ", "'", plain=True)


def latex_writer(notation: Notation = STANDARD) -> Writer:
    """The writer of LaTeX with these symbols."""
    return Writer(
        partial(latex, notation=notation),
        partial(_latex_name, notation),
        r"\operatorname{{vec}}({0})",
        r"\mathrm{{d}}\operatorname{{vec}}({0})",
        r" \, ",
        notation.transpose,
        plain=False,
        notation=notation,
    )


def _latex_name(notation: Notation, name: str, scalar: bool) -> str:
    return name_latex(name, notation, scalar)
