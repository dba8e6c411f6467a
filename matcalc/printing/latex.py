r"""Expressions in LaTeX that every renderer knows (MathJax, KaTeX, pdflatex): `2 X^\top (X w - y)`, `D \odot E`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from string import Formatter
from typing import Any

from matcalc import core
from matcalc.dims import is_one, same
from matcalc.errors import NoRuleError
from matcalc.expr import HOOKS, REQUIRED, Expr, Param, number_value, operations, record
from matcalc.notation import Builtin, Call, Level, Template
from matcalc.notation import Notation as Form
from matcalc.ops.elementwise import cos, cosh, exp, log, sin, sinh, sqrt
from matcalc.printing.numbers import dim_latex, number_latex, scalar_latex, split
from matcalc.printing.pieces import Operand, Piece, Printer, join, locals_of, negative, printed, signed_sum
from matcalc.printing.style import STANDARD, Notation
from matcalc.printing.symbols import adjoint_of, name_latex
from matcalc.printing.terms import (
    Application,
    Flipped,
    Layout,
    Leaf,
    Product,
    Raised,
    Spread,
    Sum,
    arrange,
    defaults,
    unbroadcast,
)

AMBIGUOUS = operations(exp, log, sqrt, sin, cos, sinh, cosh)  # of a square matrix also functions of it as a whole
ENTRYWISE = r"_{\odot}"
ENTRYWISE_ROOT = Template(r"{0}^{{\odot 1/2}}", Level.POSTFIX, Level.ATOM)
NORM_OF_ENTRIES = Template(r"\lVert \operatorname{{vec}}({0}) \rVert_1")
ONES = r"\mathbf{1}"
FUNCTIONS = {r"\sigma": "sigmoid", r"\Gamma": "gamma", r"\psi": "digamma", r"\Phi": "normcdf"}  # written as letters
DIFFERENTIAL = r"\mathrm{d}"  # how the names of differentials start: dX B could be d(X B) or (dX) B


def latex(e: Expr, notation: Notation = STANDARD) -> str:
    r"""The expression in LaTeX; an `aligned` list of definitions `t_{1} = ...` first where it would be very long.

    Args:
        e: the expression.
        notation: the marks of transposes, entrywise products and adjoints; bold or plain letters.

    Example:
        >>> import matcalc as mc
        >>> X, w, y = mc.var("X", "n", "p"), mc.var("w", "p", 1), mc.var("y", "n", 1)
        >>> print(latex(2 * X.T @ (X @ w - y)))
        2 X^\top (X w - y)
    """
    shown = printed(e, partial(LatexPrinter, notation=notation), name_latex)
    if not shown.definitions:
        return shown.body
    rows = [rf"{name} &= {value} \\" for name, value in shown.definitions]
    return "\n".join([r"\begin{aligned}", *rows, f"& {shown.body}", r"\end{aligned}"])


def _bracketed(piece: Piece) -> Piece:
    left, right = (r"\left(", r"\right)") if piece.tall else ("(", ")")
    return Piece((left, piece, right))


def _at_least(level: Level, piece: Piece) -> Piece:
    return piece if piece.level >= level else _bracketed(piece)


def _head(piece: Piece) -> Piece:
    """The first factor of a product: a matrix product needs no brackets there."""
    return piece if piece.chain else _at_least(Level.POSTFIX, piece)


def _bare_term(e: Expr) -> Expr:
    """A number repeated over a matrix is written as the number; other broadcasts with their ones."""
    short = unbroadcast(e)
    return short if short.op == "number" else e


def _bare_factor(e: Expr) -> Expr:
    """A 1 x 1 value repeated over a matrix is a scalar factor; other broadcasts keep their ones."""
    short = unbroadcast(e)
    return short if short.is_scalar else e


class LatexPrinter(Printer):
    """Prints in LaTeX."""

    def __init__(self, names: Mapping[Expr, Piece], notation: Notation = STANDARD) -> None:
        super().__init__(names)
        self.notation = notation
        self.mark = notation.transpose

    def arrange(self, e: Expr) -> Layout:
        """As in text, but broadcasts are written as products with ones, and solve as a product with an inverse."""
        if e.op == "root":
            return Application(e.params[0].shown(e.args))
        if e.op == "solve" and e not in self.names:
            e = core.matmul(core.inverse(e.args[0]), e.args[1])
        if (e.op, e.args and e.args[0].op) in (("transpose", "inv"), ("inv", "transpose")) and (
            e.args[0] not in self.names and e.args[0].args[0].op not in ("transpose", "inv")
        ):
            return Application(e.args[0].args)
        return arrange(e, _bare_term, _bare_factor, self.names.__contains__)

    def render(self, e: Expr, layout: Layout, piece: Operand) -> Piece:
        """The node in print."""
        match layout:
            case Leaf():
                return self._leaf(e)
            case Sum():
                return signed_sum([piece(t) for t in layout.operands], _bracketed)
            case Product():
                return _product(layout, piece, e.is_scalar, f" {self.notation.hadamard} ")
            case Raised():
                return _power(layout, piece, self.notation.hadamard)
            case Flipped():
                return self._marked(piece(layout.arg))
            case Spread():
                return self._spread(layout, piece(layout.arg))
            case Application():
                args = [piece(a) for a in layout.operands]
                if e.op == "root":
                    return _root(args)
                if e.op in ("transpose", "inv"):
                    return self._inverse(args[0], transposed=layout.operands[0] is not e.args[0])
                return _apply(e, args, self.notation.taken)

    def _marked(self, base: Piece) -> Piece:
        return Piece((_at_least(Level.ATOM, base), self.mark), Level.POSTFIX)

    def _inverse(self, base: Piece, transposed: bool) -> Piece:
        base = _at_least(Level.ATOM, base)
        if not transposed:
            return Piece((base, "^{-1}"), Level.POSTFIX)
        if self.mark.startswith("^"):
            return Piece((base, f"^{{-{self.mark[1:].removeprefix('{').removesuffix('}')}}}"), Level.POSTFIX)
        return Piece((_bracketed(Piece((base, "^{-1}"), Level.POSTFIX)), self.mark), Level.POSTFIX)

    def _leaf(self, e: Expr) -> Piece:
        match e.op:
            case "variable" | "named":
                return self._name(e)
            case "zeros":
                return Piece(("0",))
            case "eye":
                letter = r"\mathbf{I}" if self.notation.bold else "I"
                return Piece((f"{letter}_{{{dim_latex(e.params[0])}}}",))
            case "ones":
                return self._ones(*e.params)
            case "comm":
                return Piece((f"K_{{{', '.join(dim_latex(d) for d in e.params)}}}",))
        return _apply(e, [], self.notation.taken)

    def _name(self, e: Expr) -> Piece:
        written = name_latex(e.params[0], self.notation, e.is_scalar)
        if self.notation.adjoint == "partial" and adjoint_of(e.params[0]) and written.startswith(r"\frac"):
            return Piece((written,), Level.POSTFIX, tall=True)
        if written.startswith(DIFFERENTIAL):
            return Piece((written,), Level.POSTFIX)
        return Piece((f"{{{written}}}" if "^" in written else written,))  # another superscript may follow

    def _ones(self, m: object, n: object) -> Piece:
        if is_one(n):
            return Piece((f"{ONES}_{{{dim_latex(m)}}}",))
        if is_one(m):
            return self._marked(Piece((f"{ONES}_{{{dim_latex(n)}}}",)))
        return Piece((rf"{ONES}_{{{dim_latex(m)} \times {dim_latex(n)}}}",))

    def _spread(self, p: Spread, arg: Piece) -> Piece:
        """A row is repeated by a column of ones before it, a column by a row of ones after it."""
        if arg.positive is not None:
            return negative(self._spread(p, arg.positive))
        column, row = Piece((ONES,)), self._marked(Piece((ONES,)))
        (m, n), (rows, cols) = p.arg.shape, p.shape
        before = [column] if is_one(m) and not is_one(rows) else []
        after = [row] if is_one(n) and not is_one(cols) else []
        if not p.arg.is_scalar:
            return _chain([*before, _head(arg) if after else _at_least(Level.POSTFIX, arg), *after])
        one = p.arg.number == 1
        scaled = arg if arg.level == Level.PRODUCT else _at_least(Level.POSTFIX, arg)
        return _chain([*([] if one else [scaled]), *before, *after])


def _chain(factors: list[Piece]) -> Piece:
    return factors[0] if len(factors) == 1 else Piece(_juxtaposed(factors).parts, Level.PRODUCT, chain=True)


def _number(value: object) -> Piece:
    written, level = number_latex(value)
    return Piece((written,), level)


def _juxtaposed(factors: list[Piece]) -> Piece:
    """Factors side by side; a dot before one that starts with a digit; a differential before another in brackets."""
    if len(factors) == 1:
        return factors[0]
    parts: list[str | Piece] = []
    for f in factors:
        differential = _is_differential(f)
        if parts:
            parts.append(r" \cdot " if f.starts.isdigit() else r" \, " if differential and f is factors[-1] else " ")
        parts.append(_bracketed(f) if differential and f is not factors[-1] else f)
    return Piece(tuple(parts) or ("1",), Level.PRODUCT if parts else Level.ATOM)


def _is_differential(piece: Piece) -> bool:
    first = piece.parts[0]
    return piece.level == Level.POSTFIX and isinstance(first, str) and first.startswith(DIFFERENTIAL)


def _fraction(above: Piece, below: Piece) -> Piece:
    return Piece((r"\frac{", above, "}{", below, "}"), Level.POSTFIX, tall=True)


def _product(p: Product, piece: Operand, scalar: bool, hadamard: str) -> Piece:
    result = _unsigned(p, piece, scalar, hadamard)
    if p.negative:
        return negative(_at_least(Level.PRODUCT, result))
    scaled = bool(p.body) and not p.over and result.level == Level.PRODUCT  # c A B is (c A) B
    if (len(p.body) > 1 or scaled) and not p.entrywise and not scalar:
        return Piece(result.parts, result.level, chain=True)
    return result


def _unsigned(p: Product, piece: Operand, scalar: bool, hadamard: str) -> Piece:
    numbers = [_number(value) for value in p.numerators]
    scalars = [piece(s) for s in p.scalars]
    below = [piece(d) for d in p.divisors]
    if p.denominator != 1:
        below.insert(0, _number(p.denominator))
    body = _body(p, piece, hadamard)
    front = [*numbers, *scalars]
    if not below:
        if body is None:
            return front[0] if len(front) == 1 else _juxtaposed(_factors(numbers, scalars))
        return _with_body(_factors(numbers, scalars), body, p)
    divisor = below[0] if len(below) == 1 else _juxtaposed([_at_least(Level.POSTFIX, d) for d in below])
    if body is None:
        above = front[0] if len(front) == 1 else _juxtaposed(_factors(numbers, scalars))
        return _fraction(above, divisor)
    leaf = len(p.body) == 1 and not p.over and p.body[0].name
    if p.divisors and (leaf or scalar):
        above = body if not front else _with_body(_factors(numbers, scalars), body, p)
        return _fraction(above, divisor)
    return _with_body([_fraction(_juxtaposed(_factors(numbers, scalars)), divisor)], body, p)


def _factors(numbers: list[Piece], scalars: list[Piece]) -> list[Piece]:
    return [_at_least(Level.PRODUCT, n) for n in numbers] + [_at_least(Level.POSTFIX, s) for s in scalars]


def _body(p: Product, piece: Operand, hadamard: str) -> Piece | None:
    """The matrices of a product; None where there are only scalars."""
    matrices = [piece(b) for b in p.body]
    over = [_at_least(Level.POSTFIX, piece(o)) for o in p.over]
    if p.entrywise:
        above = join(hadamard, (_at_least(Level.POSTFIX, m) for m in matrices))
        parts = above
        for o in over:
            parts += (r" \oslash ", o)
        return Piece(parts, Level.PRODUCT)
    if not matrices:
        return None
    if len(matrices) == 1:
        return matrices[0]
    return _juxtaposed([_head(matrices[0]), *(_at_least(Level.POSTFIX, m) for m in matrices[1:])])


def _with_body(front: list[Piece], body: Piece, p: Product) -> Piece:
    """Scalars before the matrices; a Hadamard product of reciprocals alone starts with its scalars, or 1."""
    if p.entrywise:
        if not p.body:
            return Piece((_juxtaposed(front), body), Level.PRODUCT)
        return _juxtaposed([*front, body])
    if not front:
        return body
    whole = len(p.body) > 1 or (body.level == Level.MINUS and body.positive is None)  # a function without brackets
    return _juxtaposed([*front, body if whole else _head(body)])


def _power(p: Raised, piece: Operand, hadamard: str) -> Piece:
    mark = f"{hadamard} " if p.entrywise else ""
    exponent = piece(p.exponent)
    if p.exponent.op == "number":
        parts = split(number_value(p.exponent))
        if len(parts.numerators) < 2 and parts.denominator != 1:
            above = _number(parts.numerators[0]) if parts.numerators else Piece(("1",))
            exponent = Piece((above, "/", _at_least(Level.POSTFIX, _number(parts.denominator))), Level.PRODUCT)
    if p.entrywise and exponent.level < Level.POSTFIX:
        exponent = _bracketed(exponent)
    return Piece((_at_least(Level.ATOM, piece(p.base)), f"^{{{mark}", exponent, "}"), Level.POSTFIX)


def _root(args: list[Piece]) -> Piece:
    """The solution of an equation, or what minimises."""
    unknown, *sides = args
    head = r"\operatorname{root}_{" if len(sides) > 1 else r"\operatorname{arg\,min}_{"
    return Piece((head, unknown, "}", _bracketed(Piece(join(" = ", sides), Level.LOOSE))))


def _apply(e: Expr, args: list[Piece], taken: frozenset[str]) -> Piece:
    """A function by its record's notation; parameters that differ from their defaults are named.

    A Greek letter that is `taken` by a name is not a function too.
    """
    entry = record(e.op)
    stated = list(zip(entry.params, e.params))
    options = [
        rf"\mathrm{{{p.name}}} = {_parameter(value, p)}"
        for p, value in stated
        if p.kind != "axis" and p.default is not REQUIRED and p.default != value
    ]
    if isinstance(entry.latex, (Call, Template, Builtin)):
        form: Form = entry.latex
        options = [_parameter(value, p) for p, value in stated if p.default is REQUIRED] + options
    else:
        own_axis = entry.complete is not None and e.params == defaults(e)
        form = entry.latex(*(p.default for p in entry.params)) if own_axis else entry.latex(*e.params)
    form = _certain(e, form)
    if isinstance(form, Template) and form.of_matrices and not all(a.is_scalar for a in e.args):
        form = Call(form.of_matrices)
    match form:
        case Call():
            name = form.name
            for letter in taken:
                name = name.replace(letter, rf"\operatorname{{{FUNCTIONS[letter]}}}")
            return Piece((name, _bracketed(Piece(join(", ", [*args, *options]), Level.LOOSE))))
        case Template():
            return _filled(form, args, e)
        case Builtin():
            raise NoRuleError(f"the LaTeX of {e.op} is not known")


def _certain(e: Expr, form: Form) -> Form:
    """The notation where the usual one has another reading: functions and norms of matrices as a whole."""
    if e.op in AMBIGUOUS and same(*e.shape) and not e.is_scalar:
        return Call(f"{form.name}{ENTRYWISE}") if isinstance(form, Call) else ENTRYWISE_ROOT
    if e.op == "norm1" and not any(is_one(d) for d in e.args[0].shape):
        return NORM_OF_ENTRIES
    return form


def _filled(template: Template, args: list[Piece], e: Expr) -> Piece:
    parts: list[str | Piece] = []
    for literal, slot, _, _ in Formatter().parse(template.text):
        parts.append(literal)
        if slot is None:
            continue
        if slot.startswith("p"):
            k = int(slot[1:])
            parts.append(_parameter(e.params[k], record(e.op).params[k]))
        else:
            parts.append(_at_least(template.inner, args[int(slot)]))
    return Piece(tuple(parts), template.level)


def _parameter(value: Any, param: Param) -> str:
    if param.kind == "dim":
        return dim_latex(value)
    return scalar_latex(value) if param.kind == "number" else str(value)


def program(e: Expr, notation: Notation = STANDARD) -> str:
    """The expression, followed by the definitions of the local names (adjoints) in it."""
    where = [f"{latex(local, notation)} = {latex(local.args[0], notation)}" for local in locals_of(e)]
    return r", \quad ".join([latex(e, notation), *where])


HOOKS["latex"] = program
