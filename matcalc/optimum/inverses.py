"""Equations in a positive definite matrix and its inverse: linear in the inverse, or of matrices that commute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp

from matcalc import core
from matcalc.core import matmul, number
from matcalc.errors import NoRuleError
from matcalc.expr import Expr, postorder
from matcalc.ops.matrix_functions import matpow, sqrtm
from matcalc.optimum.answer import Candidate, reason, solver
from matcalc.optimum.lines import Line, put_in, reasoned
from matcalc.optimum.maps import solved_map
from matcalc.optimum.question import Question, split_scalars
from matcalc.properties import known
from matcalc.walk import substitute

ANDERSON = "Anderson, An Introduction to Multivariate Statistical Analysis (2003), Lemma 3.2.2"
BHATIA = "Bhatia, Positive Definite Matrices (2007), 4.1"
HIGHAM = "Higham, Functions of Matrices (2008), Theorem 1.13 and 1.29"
T = sp.Symbol("t", positive=True)
Z = sp.Symbol("z", positive=True)


@solver(source=ANDERSON)
def linear_in_the_inverse(q: Question) -> Candidate | None:
    """an equation that is linear in inv(X) is solved for it: A = inv(X) gives X = inv(A)"""
    v = _definite(q)
    if v is None:
        return None
    mark = core.var("the_inverse_of_" + v.name, *v.shape, ["positive-definite"])
    G = substitute(q.gradient, {core.inverse(v): mark})
    if not q.free_of(G) or mark not in set(postorder((G,))):
        return None
    inner = q.with_facts(function=core.trace(G), over=(mark,))
    K = inner.jacobian_of(G, mark)
    if K is None or not inner.free_of(inner.simple(K)):
        return None
    solved = solved_map(inner, mark, inner.simple(K), inner.simple(core.minus(inner.at_zero(G, mark))))
    if not solved.unique:
        return None
    value = q.simple(core.inverse(solved.value))
    why = reason(linear_in_the_inverse, ANDERSON, q.gradient)
    lines = put_in(solved.lines, {mark: core.inverse(v)})
    lines = reasoned(lines, ("the terms in ", core.inverse(v), " on one side")) if lines else ()
    inverted = Line(v, value, ("inverted",))
    return Candidate({v: value}, (why,), solved.given, lines=(*lines, inverted))


def _definite(q: Question) -> Expr | None:
    """The only unknown, where it is a positive definite matrix and there is no constraint."""
    if q.constraints or len(q.over) != 1 or q.one.is_scalar or not known(q.one, "positive-definite"):
        return None
    return q.one


@dataclass(frozen=True)
class Term:
    """A term of the gradient: a multiple of C, X, inv(X), inv(X + B), or inv(X) C inv(X).

    Attributes:
        kind: `constant`, `X`, `inverse`, `shifted` or `middle`.
        factor: the scalar.
        matrix: the C or B.
    """

    kind: str
    factor: Expr
    matrix: Expr | None = None


def terms_of(q: Question, v: Expr) -> list[Term] | None:
    """The terms of the gradient, where each is one of the known kinds."""
    found: list[Term] = []
    constants: list[Expr] = []
    J = core.inverse(v)
    for t in q.multiplied_out(q.gradient):
        if q.free_of(t):
            constants.append(t)
            continue
        s, e = split_scalars(t)
        if not q.free_of(s):
            return None
        if e is v or e is J:
            found.append(Term("X" if e is v else "inverse", s))
        elif e.op == "inv" and e.args[0].op == "add" and v in e.args[0].args:
            rest = core.add(*(a for a in e.args[0].args if a is not v))
            if not q.free_of(rest):
                return None
            found.append(Term("shifted", s, rest))
        elif e.op == "matpow" and e.args[0] is v and e.args[1].number == -2:
            found.append(Term("middle", s, core.eye(v.shape[0])))
        elif e.op == "matmul" and e.args[0] is J and e.args[-1] is J and len(e.args) > 2:
            C = matmul(*e.args[1:-1])
            if not q.free_of(C):
                return None
            found.append(Term("middle", s, C))
        else:
            return None
    if constants:
        found.append(Term("constant", number(1), q.simple(core.add(*constants))))
    return _gathered(q, found)


def _gathered(q: Question, found: list[Term]) -> list[Term]:
    """The terms with inv(X) C inv(X) taken together."""
    middles = [
        Term("middle", t.factor, q.with_matching_signs(t.matrix))
        for t in found
        if t.kind == "middle" and t.matrix is not None
    ]
    rest = [t for t in found if t.kind != "middle"]
    if not middles:
        return rest
    if len(middles) == 1:
        return [*rest, *middles]
    total = q.simple(core.add(*(core.scale(t.factor, t.matrix) for t in middles if t.matrix is not None)))
    return [*rest, Term("middle", number(1), total)]


@solver(source=f"{ANDERSON}; {BHATIA}; {HIGHAM}")
def commuting_after_a_congruence(q: Question) -> Candidate | None:
    """X = L Z L makes it an equation in Z and one symmetric T; their common eigenvectors make it one for numbers"""
    v = _definite(q)
    found = None if v is None else terms_of(q, v)
    if v is None or not found:
        return None
    simple = _multiplied_through(q, found, v)
    if simple is not None:
        value, line = simple
        why = reason(commuting_after_a_congruence, ANDERSON, q.gradient)
        solved = Line(v, value, ("divided",))
        return Candidate({v: value}, (why,), lines=(line, solved))
    for L, Li in _bases(q, found, v):
        leaves: dict[Any, Expr] = {}
        equation = _scalar_equation(q, found, L, Li, leaves)
        if equation is None:
            continue
        form, matrix, positive = equation
        root = _positive_root(form, positive)
        if root is None:
            continue
        value = _lifted(root, matrix, leaves)
        if L.op != "eye":
            value = matmul(L, value, L)
        why = reason(commuting_after_a_congruence, f"{BHATIA}; {HIGHAM}", q.gradient)
        members = frozenset([(v, "positive-definite")])
        return Candidate({v: q.simple(value)}, (why,), proved=True, members=members)
    return None


def _multiplied_through(q: Question, found: list[Term], X: Expr) -> tuple[Expr, Line] | None:
    """a inv(X) + inv(X) C inv(X) = 0 times X from both sides: X = -C/a, and the line a X = -C."""
    kinds = {t.kind: t for t in found}
    if set(kinds) != {"inverse", "middle"} or len(found) != 2:
        return None
    middle = kinds["middle"]
    assert middle.matrix is not None
    s, body = split_scalars(q.with_matching_signs(middle.matrix))
    factor = q.simple(core.scale(core.minus(core.reciprocal(kinds["inverse"].factor)), middle.factor, s))
    value = body if factor.number == 1 else core.scale(factor, body)
    a = kinds["inverse"].factor
    right = q.simple(core.minus(core.scale(middle.factor, middle.matrix)))
    line = Line(core.scale(a, X), right, ("multiplied by ", X, " from the left and from the right"))
    return value, line


def _bases(q: Question, found: list[Term], v: Expr) -> list[tuple[Expr, Expr]]:
    """Congruences to try: the identity, the roots of a shift, the inverse roots of a constant term."""
    n = v.shape[0]
    bases = [(core.eye(n), core.eye(n))]
    for t in found:
        if t.matrix is None or not q.is_positive_definite(t.matrix):
            continue
        root = sqrtm(t.matrix)
        if t.kind == "shifted":
            bases.append((root, core.inverse(root)))
        elif t.kind == "constant":
            bases.append((core.inverse(root), root))
    return bases


def _scalar_equation(
    q: Question, found: list[Term], L: Expr, Li: Expr, leaves: dict[Any, Expr]
) -> tuple[Any, Expr | None, bool] | None:
    """The equation for an eigenvalue z of Z and t of T, the T, and whether it is positive definite."""
    total = sp.S.Zero
    matrix: Expr | None = None
    for t in found:
        s = _number(q, t.factor, leaves)
        if s is None:
            return None
        match t.kind:
            case "X" if L.op == "eye":
                total += s * Z
                continue
            case "X":
                return None
            case "inverse":
                total += s / Z
                continue
        assert t.matrix is not None
        M = q.simple(matmul(L, t.matrix, L) if t.kind == "constant" else matmul(Li, t.matrix, Li))
        M = _known_root(q, M, t.matrix, L, Li)
        factor, body = split_scalars(M)
        inner = _number(q, factor, leaves)
        if inner is None:
            return None
        if body.op == "eye":
            value = inner
        else:
            if matrix is not None and matrix is not M:
                return None
            matrix, value = M, T
        total += s * value if t.kind == "constant" else s / (Z + value) if t.kind == "shifted" else s * value / Z**2
    if matrix is None:
        return total, None, True
    positive = q.is_positive_definite(matrix)
    return total, matrix, positive


def _known_root(q: Question, M: Expr, given: Expr, L: Expr, Li: Expr) -> Expr:
    """L G L = I for the matrix whose root was taken."""
    for root in (L, Li):
        inner = root.args[0] if root.op == "inv" else root
        if inner.op == "sqrtm" and inner.args[0] is given:
            return core.eye(given.shape[0])
    return M


def _number(q: Question, s: Expr, leaves: dict[Any, Expr]) -> Any:
    """A scalar of the data as a SymPy one; its sign is what is known of it."""
    if s.number is not None:
        return s.number
    return None if q.sign(s) == 0 else _symbol(q, s, leaves)


def _symbol(q: Question, s: Expr, leaves: dict[Any, Expr]) -> Any:
    sign = q.sign(s)
    body = s if sign == 1 else core.minus(s)
    symbol = sp.Dummy("s", positive=True)
    leaves[symbol] = body
    return symbol if sign == 1 else -symbol


def _positive_root(form: Any, positive: bool) -> Any:
    """The only positive root z of an equation that is linear or quadratic in z, for every t."""
    t = T if positive else sp.Symbol("t", real=True)
    top = sp.expand(sp.fraction(sp.together(form))[0]).xreplace({T: t})
    if not top.is_polynomial(Z):
        return None
    poly = sp.Poly(top, Z)
    if poly.degree() == 1:
        a, b = poly.all_coeffs()
        root = sp.cancel(-b / a)
        return root.xreplace({t: T}) if root.is_positive else None
    if poly.degree() != 2:
        return None
    a, b, c = (sp.factor(p) for p in poly.all_coeffs())
    if a.is_negative and c.is_positive:
        a, b, c = -a, -b, -c
    if not (a.is_positive and c.is_negative):
        return None
    inside = sp.expand(b**2 - 4 * a * c)
    root = sp.sqrt(inside) / (2 * a) - b / (2 * a) if b != 0 else sp.sqrt(sp.cancel(-c / a))
    return root.xreplace({t: T})


def _lifted(root: Any, matrix: Expr | None, leaves: dict[Any, Expr]) -> Expr:
    """The function of a number as a function of a symmetric matrix."""
    if matrix is None:
        raise NoRuleError("there is no matrix to take the function of")
    n = matrix.shape[0]

    def scalar(form: Any) -> Expr:
        if form in leaves:
            return leaves[form]
        if form.is_number or not form.free_symbols & set(leaves):
            return number(form)
        args = [scalar(a) for a in form.args]
        if form.is_Add:
            return core.add(*args)
        return core.scale(*args) if form.is_Mul else core.power(*args)

    def of(form: Any) -> Expr:
        if form == T:
            return matrix
        if not form.has(T):
            return core.scale(scalar(form), core.eye(n)) if form != 1 else core.eye(n)
        if form.is_Add:
            return core.add(*(of(a) for a in form.args))
        if form.is_Mul:
            fixed, moving = form.as_independent(T)
            product = matmul(*(of(a) for a in sp.Mul.make_args(moving)))
            return product if fixed == 1 else core.scale(scalar(fixed), product)
        if form.is_Pow and form.exp == sp.Rational(1, 2):
            return sqrtm(of(form.base))
        if form.is_Pow and form.exp == -sp.Rational(1, 2):
            return core.inverse(sqrtm(of(form.base)))
        if form.is_Pow and form.exp == -1:
            return core.inverse(of(form.base))
        if form.is_Pow and form.exp.is_Integer:
            return matpow(of(form.base), number(form.exp))
        raise NoRuleError(f"{form} has no matrix function")

    return of(root)
