"""The optimum: what it is, under which conditions, why, as text, LaTeX, code and numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

from matcalc import core
from matcalc.curvature.spectrum import Reason
from matcalc.emit.module import compile_function, numpy_source
from matcalc.errors import MatcalcError, need_one_of
from matcalc.expr import HOOKS, Expr, postorder
from matcalc.languages import Message
from matcalc.optimum.answer import NOT_ZERO, WITHOUT_ZEROS, Candidate
from matcalc.optimum.drawing import Need
from matcalc.optimum.linear import is_quadratic
from matcalc.optimum.lines import Line
from matcalc.optimum.proofs import Checked
from matcalc.optimum.question import MAXIMUM, MINIMUM, STATIONARY, Question, split_scalars
from matcalc.optimum.shown import Step, plain_words, steps_latex, steps_text, zero_or
from matcalc.optimum.trial import Trial, tried
from matcalc.optimum.way import equations_of, gradients_of, second_of, way_of
from matcalc.printing.breaking import displayed
from matcalc.printing.display import display
from matcalc.printing.latex import latex
from matcalc.printing.style import STANDARD, Notation
from matcalc.properties import names_of
from matcalc.rules.equations import solutions_by_vec
from matcalc.targets.registry import need_runnable
from matcalc.walk import rebuild, substitute, variables

Value = TypeVar("Value")
CLOSED, EQUATION, NONE = "closed-form", "equation", "none"
CLOSED_DOMAINS = {"nonnegative", "positive-semidefinite"}  # an optimum on their edge is no stationary point
WORDS = {
    "is positive-definite": "is positive definite",
    "is positive-semidefinite": "is positive semidefinite",
    "is nonzero": "is not zero",
}


class Solved(Generic[Value]):
    """An answer with the values of unknowns, where there is a closed form."""

    status: str
    values: dict[str, Value]

    def __bool__(self) -> NoReturn:
        raise MatcalcError("an optimum has no truth value: see its .status and .kind")

    def __getitem__(self, name: str) -> Value:
        """The value of an unknown.

        Raises:
            MatcalcError: there is no closed form, or no such unknown.
        """
        if self.status != CLOSED:
            raise MatcalcError(f"there is no closed form (status {self.status!r}); see .equations")
        need_one_of("unknown", name, tuple(self.values))
        return self.values[name]


@dataclass(frozen=True)
class Optimum(Solved[Expr]):
    """The optimum of a function, or the equations that it satisfies; it has no truth value.

    Attributes:
        question: what was asked.
        status: `closed-form`, `equation` (it exists and is characterised by an equation) or `none`.
        kind: `minimum`, `maximum`, `saddle` or `stationary`; None where nothing is said.
        unique: whether there is no other; None where that depends on the data or is not known.
        values: the unknowns' values, by name.
        value: the value of the function there.
        needs: what the data must satisfy, as `(expression, words)`.
        remarks: what else is true of the solutions.
        multipliers: of the constraints, by their texts.
        equations: the stationarity equations and the constraints, as texts.
        reasons: the steps, each with its rule and source.
        lines: the way from the gradient to the values, equation by equation.
        second: the Hessian where it is constant, and what it says.
        note: one sentence on what is not said, and why.
        notice: what undeclared names were taken for, if there are any.
    """

    question: Question
    status: str
    kind: str | None = None
    unique: bool | None = None
    values: dict[str, Expr] = field(default_factory=dict)
    value: Expr | None = None
    needs: tuple[tuple[Expr, str], ...] = ()
    remarks: tuple[str, ...] = ()
    multipliers: dict[str, Expr] = field(default_factory=dict)
    equations: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    note: str = ""
    notice: Message | None = None
    lines: tuple[Line, ...] = ()
    second: tuple[Expr, str] | None = None

    @property
    def steps(self) -> list[Reason]:
        """The steps of the solution and its proof, in order; each theorem once."""
        return list({(r.rule, r.statement): r for r in self.reasons}.values())

    @property
    def conditions(self) -> list[str]:
        """What the data must satisfy, in words."""
        return list(dict.fromkeys(_said(e, words) for e, words in self.needs))

    @property
    def by_vec(self) -> list[tuple[str, str, Expr, str]]:
        """Solutions of linear equations in the values: what it is, how it is written, its closed form, the rule."""
        found = []
        for name, value in self.values.items():
            for s, form, rule in solutions_by_vec(value):
                found.append((name if s is value else str(s), latex(s), form, rule))
        return list(dict.fromkeys(found))

    # -------------------------------------------------------------------------------------------- views

    @property
    def headline(self) -> str:
        """What it is, in one line."""
        names = ", ".join(v.name for v in self.question.over)
        if self.status == NONE:
            return f"no closed form of the {self._wanted()} over {names} is known"
        unique = {True: "the only ", False: "a ", None: "a "}[self.unique]
        kind = {STATIONARY: "stationary point", None: "solution"}.get(self.kind, f"{self.kind}")
        if self.status == EQUATION:
            return f"{unique}{kind} over {names} is where the equations hold; they have no closed form by these rules"
        return f"{unique}{kind} over {names}, in closed form"

    def _wanted(self) -> str:
        return "stationary point" if self.question.sense == STATIONARY else self.question.sense

    def text(self) -> str:
        """The answer with its proof, in plain text."""
        lines = [self.headline]
        lines += [f"  {name} = {value}" for name, value in self.values.items()]
        lines += [f"  {left} = {form}   (equal by {rule})" for left, _, form, rule in self.by_vec]
        lines += [f"  value = {self.value}"] if self.value is not None else []
        lines += [f"  multiplier of {text}: {L}" for text, L in self.multipliers.items()]
        lines += [f"  where {condition}" for condition in self.conditions]
        lines += [f"  note: {remark}" for remark in self.remarks]
        lines += ["steps:", *steps_text(self.question, self.lines, self.second)] if self.lines else []
        if not self.lines:
            lines += ["stationarity:", *(f"  {equation}" for equation in self.equations)]
        lines += ["because:"] if self.steps else []
        lines += [f"  {r.rule}: {r.statement} [{r.source}]" for r in self.steps]
        lines += [self.note] if self.note else []
        lines += [str(self.notice)] if self.notice is not None else []
        return "\n".join(lines)

    def steps_latex(self, notation: Notation = STANDARD) -> list[Step]:
        """The lines that lead to the answer, in LaTeX."""
        return steps_latex(self.question, self.lines, self.second, notation)

    def latex(self) -> str:
        """The answer as one display, the lines that lead to it first."""
        rows = [row for step in self.steps_latex() for row in (rf"\text{{{step.words}:}}", rf"\quad {step.equation}")]
        rows += [rf"\text{{{self.headline}}}", *self._answer()]
        return _aligned(rows + ([rf"\text{{{plain_words(str(self.notice))}}}"] if self.notice is not None else []))

    def _answer(self) -> list[str]:
        """The values and their conditions, in LaTeX."""
        rows = [f"{latex(v)} = {display(self.values[v.name])}" for v in self.question.over if v.name in self.values]
        rows += [f"{left} = {display(form)}" for _, left, form, _ in self.by_vec]
        rows += [rf"f^\star = {display(self.value)}"] if self.value is not None else []
        return rows + [rf"\text{{where {plain_words(condition)}}}" for condition in self.conditions]

    def markdown(self) -> str:
        """The answer with its proof as Markdown."""
        lines = [f"**{self.headline[:1].upper()}{self.headline[1:]}**", ""]
        lines += ["$$", _aligned(self._answer()), "$$", ""] if self._answer() else []
        lines += [f"- multiplier of `{text}`: `{L}`" for text, L in self.multipliers.items()]
        lines += [f"- {remark}" for remark in self.remarks]
        equal = [f"{display(g)} = 0" for g in gradients_of(self.question)] if self.equations else []
        equal += [f"{latex(c.left)} = {latex(c.right)}" for c in self.question.constraints]
        if self.lines:
            lines += ["", "Steps:"]
            for step in self.steps_latex():
                lines += ["", f"{step.markdown}:", "", "$$", displayed(step.equation), "$$"]
        else:
            lines += ["", "Stationarity:", *(f"\n$$\n{equation}\n$$" for equation in equal)]
        if self.steps:
            lines += ["", "Because:", "", *(f"- *{r.rule}*: {r.statement} ({r.source})" for r in self.steps)]
        lines += ["", self.note] if self.note else []
        lines += ["", f"{self.notice}.".replace(" x ", " × ")] if self.notice is not None else []
        return "\n".join(lines) + "\n"

    def data(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "unknowns": [v.name for v in self.question.over],
            "status": self.status,
            "kind": self.kind,
            "unique": self.unique,
            "values": {name: str(value) for name, value in self.values.items()},
            "by_vec": [{"of": left, "form": str(form), "rule": rule} for left, _, form, rule in self.by_vec],
            "value": None if self.value is None else str(self.value),
            "conditions": list(self.conditions),
            "remarks": list(self.remarks),
            "multipliers": {text: str(L) for text, L in self.multipliers.items()},
            "equations": list(self.equations),
            "lines": [{"left": str(n.left), "right": zero_or(n.right, str), "why": n.words} for n in self.lines],
            "second": None if self.second is None else {"hessian": str(self.second[0]), "says": self.second[1]},
            "steps": [{"rule": r.rule, "statement": r.statement, "source": r.source} for r in self.steps],
            "note": self.note,
            "notice": str(self.notice or ""),
        }

    def export(self, path: str | Path, **options: Any) -> Path:
        """Write the answer to a file: as `.txt`, as `.py` (the code), or as a note in any of its formats.

        Args:
            path: the file; its suffix says what is written.
            options: of a note: `title`, `text`, `format`, `engine`, `notation`.

        Raises:
            MatcalcError: another suffix or option.
        """
        path = Path(path)
        if options or path.suffix not in (".txt", ".py") or path.name.endswith(".anki.txt"):
            return Path(HOOKS["optimum"](self, path, **options))
        made = self.text() if path.suffix == ".txt" else self.code()
        path.write_text(made.rstrip() + "\n", encoding="utf-8")
        return path

    # -------------------------------------------------------------------------------------------- code

    @property
    def data_variables(self) -> list[Expr]:
        """The variables that the values depend on."""
        known = [v.name for v in self.question.over]
        used = variables([self.question.function, *self.values.values()])
        return [v for v in {v.name: v for v in used}.values() if v.name not in known]

    def code(self, target: str = "numpy") -> str:
        """The source text of a module with one function of the data that returns the unknowns by name.

        Raises:
            MatcalcError: there is no closed form, or no such target.
        """
        if self.status != CLOSED:
            raise MatcalcError(f"there is no closed form (status {self.status!r}), and so no code")
        formulas = [line for name, e in self.values.items() if len(line := f"{name} = {e}") <= 240]
        formulas += [f"Valid where {condition}." for condition in self.conditions]
        formulas += [f"{self.notice}."] if self.notice is not None else []
        return numpy_source(
            value=None,
            gradients=self.values,
            kind="gradient",
            variables=self.data_variables,
            name="optimum",
            title=f"The {self.kind} in closed form",
            formulas=formulas,
            summary="The unknowns' values, by name.",
            target=target,
        )

    def function(self, target: str = "numpy") -> Callable[..., Any]:
        """The compiled function of `code(target)`: arrays of the data by keyword give the unknowns by name."""
        need_runnable(target)
        return compile_function(self.code(target), "optimum")

    def check(self, trials: int = 3, seed: int = 0) -> Trial:
        """The closed form at random data: feasible, stationary, and no better feasible point nearby.

        Raises:
            MatcalcError: there is no closed form.
        """
        if self.status != CLOSED:
            raise MatcalcError(f"there is no closed form (status {self.status!r}), and so nothing to check")
        return tried(self.question, self.values, self.kind or STATIONARY, trials, seed, self.needs)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"Optimum({self.status}, {self.kind}, over={', '.join(v.name for v in self.question.over)})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/markdown": self.markdown()}


def _aligned(rows: list[str]) -> str:
    body = " \\\\\n".join(f"&{row}" for row in rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


# ------------------------------------------------------------------------------------------------ making


def closed_form(q: Question, found: Checked) -> Optimum:
    """The answer that a candidate is."""
    c = found.candidate
    known_q = q.with_facts(given=(*q.given, *c.given)) if c.given else q
    values = {v: shorter(known_q, e) for v, e in c.values.items()} if c.given else c.values
    value = c.value if c.value is not None else value_at(known_q, values)
    return Optimum(
        q,
        CLOSED,
        found.kind,
        found.unique,
        {v.name: values[v] for v in q.over},
        value,
        conditions_of(q, c),
        tuple(dict.fromkeys(c.remarks)),
        c.multipliers,
        equations_of(q),
        c.reasons,
        lines=way_of(q, c, values),
        second=second_of(known_q, found.kind),
    )


def conditions_of(q: Question, c: Candidate) -> tuple[Need, ...]:
    """What a candidate needs of the data, each condition about what it comes to: 2 v'v is not zero where v is not."""
    given = ((e, WITHOUT_ZEROS if fact == "nonzero" and not e.is_scalar else f"is {fact}") for fact, e in c.given)
    found = (_about_less(q, e, words) for e, words in (*given, *c.needs))
    return tuple(dict.fromkeys(need for need in found if need is not None))


def _about_less(q: Question, e: Expr, words: str) -> Need | None:
    """The condition without factors that are known not to be zero; None where nothing is left."""
    if words not in ("is nonsingular", "is nonzero", NOT_ZERO, WITHOUT_ZEROS):
        return e, words
    factors = e.args if e.op == "scale" else (e,)
    left = [f for f in factors if not (f.is_scalar and q.is_nonzero(f))]
    if not left:
        return None
    if not e.is_scalar and left[-1].op == "eye":
        return _about_less(q, core.scale(*left[:-1]), "is nonzero") if left[:-1] else None
    if len(left) == 1 and left[0].op == "diag":
        return left[0].args[0], WITHOUT_ZEROS
    if len(left) == 1 and is_square(left[0]):
        return left[0].args[1], NOT_ZERO
    return core.scale(*left), words


def is_square(e: Expr) -> bool:
    """Whether it is x'x."""
    return e.op == "matmul" and e.is_scalar and len(e.args) == 2 and core.turned(e.args[0]) is e.args[1]


def shorter(q: Question, e: Expr) -> Expr:
    """The expression, as what is given of the data allows to write it."""
    simple = q.simple(e)
    return simple if q.rewriter.cost(simple) < q.rewriter.cost(e) else e


def without_signs(e: Expr) -> Expr:
    """norm2(-y) as norm2(y)."""
    norms = [s for s in postorder((e,)) if s.op == "norm2"]
    return substitute(e, {s: rebuild(s, [_positive(s.args[0])]) for s in norms})


def _positive(e: Expr) -> Expr:
    s, body = split_scalars(e)
    return body if s.number == -1 else e


def value_at(q: Question, values: dict[Expr, Expr]) -> Expr:
    """The function at a stationary point: of a quadratic one f(0) + <f'(0), x>/2, where that is shorter."""
    plain = q.simple(substitute(q.function, values))
    if q.constraints or not is_quadratic(q):
        return plain
    x = values[q.one]
    slope = core.product(q.start, x) if x.is_scalar else core.trace(core.matmul(q.start.T, x))
    half = core.scale(core.number(core.exact("0.5")), slope)
    short = without_signs(q.simple(core.add(q.at_zero(q.function, q.one), half)))
    return short if q.rewriter.cost(short) < q.rewriter.cost(plain) else plain


def _said(e: Expr, words: str) -> str:
    return f"{e} {WORDS.get(words, words)}"


def without_form(q: Question, remark: str, *, rough: bool = False) -> Optimum:
    """The answer where no rule finds one: the stationarity equations, and what the curvature says of their solution."""
    note = remark or "no rule for closed forms applies: the equations stand as they are"
    if rough:
        note = remark or "it has kinks: the equations hold away from them only"
    elif not q.constraints and not any(_bounded(v) for v in q.over) and q.sense != MAXIMUM:
        c = q.curvature
        if c.status == "strongly convex":
            return Optimum(q, EQUATION, MINIMUM, True, equations=equations_of(q), reasons=c.reasons, note=note)
    closed = [v.name for v in q.over if set(names_of(v.params[3])) & CLOSED_DOMAINS]
    if closed and not remark:
        names = ", ".join(closed) + (" has" if len(closed) == 1 else " have")
        note = f"{note}; {names} a domain with an edge, where the optimum may lie and they need not hold"
    return Optimum(q, NONE, equations=equations_of(q), note=note)


def _bounded(v: Expr) -> bool:
    """Whether facts bound the unknown, or leave a set that is not a space."""
    return bool(set(names_of(v.params[3])) - {"symmetric"})
