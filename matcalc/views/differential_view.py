"""The differential view in print: successive differentials, carried back for a scalar function, and identified."""

from __future__ import annotations

from matcalc import core
from matcalc.calculus.jacobian import hessian_by, jacobian_by
from matcalc.expr import Expr
from matcalc.printing.pieces import locals_of
from matcalc.rewrite.terms import coefficient_and_rest
from matcalc.views.builder import ViewBuilder
from matcalc.views.differential import Differentials
from matcalc.views.page import Line, View

MANY = 5  # names that a second differential may need; one with more would help nobody


def write_differentials(b: ViewBuilder, view: View) -> None:
    """Fill in the successive differentials of a scalar function, forwards and back, of first and second order."""
    d, w = b.d, b.w
    pairs = _forward(b, view)
    for carried in pairs.backward():
        left = (
            b.differential_of(d.output) if carried.of is d.output else _trace(b, b.adjoint_name(carried.of), carried.of)
        )
        right = " + ".join(_trace(b, _bracketed(b, G), end) for end, G in carried.parts)
        names = [name if w.plain else name.replace("_", " ") for name in carried.rules]
        view.carried.append(Line(f"{left} = {right}", ", ".join(names)))
    total = [_trace(b, _bracketed(b, d.reverse.adjoints[e].value), e) for e in d.wrt]
    view.identified.append(Line(f"{b.differential_of(d.output)} = {' + '.join(total)}"))
    for e in d.wrt:
        if d.structure.get(str(e.params[0]), "none") == "none":
            view.identified += _second_order(b, e)


def write_map_differentials(b: ViewBuilder, view: View) -> None:
    """Fill in the successive differentials of a matrix function, and what they are on vec: the first identification."""
    _forward(b, view)
    for e in b.d.wrt:
        J = jacobian_by(b.d, str(e.params[0])).value
        remark = b.words("along {0} alone").format(b.inline(b.named(e))) if len(b.d.wrt) > 1 else ""
        view.identified += _definitions(b, locals_of(J))
        view.identified.append(Line(f"{b.d_vec(b.d.output)} = {b.product([J], b.d_entries(e))}", remark))


def _forward(b: ViewBuilder, view: View) -> Differentials:
    pairs = Differentials(b.d)
    for line in pairs.forward({e: b.label(e) for e in (*b.paths, b.d.output)}):
        remark = "; ".join(map(b.rule_of, line.jacobians)) if b.w.plain else ""
        value = b.w.with_differentials({b.label(e): b.differential_of(e) for e in b.paths})(line.value)
        view.differentials.append(Line(f"{b.differential_of(line.of)} = {value}", remark))
    return pairs


def _second_order(b: ViewBuilder, e: Expr) -> list[Line]:
    """d2f = d vec(X)' H d vec(X): the second identification, after the names that H needs; not where it is long."""
    H = hessian_by(b.d, str(e.params[0])).value
    left = b.differential_of(b.d.output, order=2)
    remark = b.words("along {0} alone").format(b.inline(b.named(e)))
    if H.op == "zeros" or (H.number == 0):
        return [Line(f"{left} = 0", remark)]
    names = locals_of(H)
    if len(names) > MANY:
        return []
    step = b.d_vec(e)
    if e.is_scalar:
        square = b.product([H], f"({step})^2")
    else:
        coefficient, rest = coefficient_and_rest(H)
        square = b.product([core.number(coefficient)], f"({step}){b.w.transpose}")
        square += b.w.times + b.product([] if rest is None else [rest], step)
    return [*_definitions(b, names), Line(f"{left} = {square}", remark)]


def _definitions(b: ViewBuilder, names: list[Expr]) -> list[Line]:
    """The names that a matrix of first or second derivatives needs."""
    return [Line(f"{b.named(n)} = {b.w.expr(n.args[0])}", b.words("in what follows")) for n in names]


def _trace(b: ViewBuilder, G: str, e: Expr) -> str:
    """tr(G' dX); for scalars the product."""
    if e.is_scalar:
        return f"{G}{b.w.times}{b.differential_of(e)}"
    if b.w.plain:
        return f"tr({G}' * {b.differential_of(e)})"
    return rf"\operatorname{{tr}}\left({G}{b.w.transpose} \,{b.differential_of(e)}\right)"


def _bracketed(b: ViewBuilder, G: Expr) -> str:
    written = b.w.expr(G)
    if not G.args or G.op == "named":
        return written
    return f"({written})" if b.w.plain else rf"\left({written}\right)"
