"""Exact scalars do what SymPy's do: every operation, question and text, at random expressions, beside SymPy."""

from __future__ import annotations

import copy
import operator
import pickle
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy as sp

from matcalc import core, dims, exact
from matcalc.exact import Exact, Polynomial, Rational, exactly, rational, symbol

NAMES = "nmpk"
NUMBERS = [0, 1, -1, 2, 3, -2, 5, 10, Fraction(1, 2), Fraction(-1, 2), Fraction(2, 3), Fraction(-3, 4), Fraction(1, 10)]
QUESTIONS = (
    *("is_Symbol", "is_Integer", "is_Rational", "is_Number", "is_number", "is_Add", "is_Mul", "is_Pow", "is_integer"),
    *("is_positive", "is_negative", "is_nonnegative", "is_nonpositive", "is_zero", "is_real", "is_finite", "is_even"),
)


def in_sympy(value: Any) -> Any:
    return value._sympy_() if isinstance(value, Exact) else value


def drawn(draw: random.Random, depth: int) -> Any:
    """A random scalar: of ours wherever one is."""
    if depth == 0:
        return rational(draw.choice(NUMBERS)) if draw.random() < 0.4 else symbol(draw.choice(NAMES))
    a, b = drawn(draw, depth - 1), drawn(draw, draw.randrange(depth))
    sign = draw.choice("++**-/^")
    if sign == "^":
        return exactly(a ** draw.choice([2, 3, -1, -2, 0])) if a != 0 else a
    if sign == "/":
        return exactly(a / b) if b != 0 else a
    return exactly({"+": operator.add, "-": operator.sub, "*": operator.mul}[sign](a, b))


def same(found: Any, wanted: Any) -> bool:
    wanted = exactly(wanted)
    return type(found) is type(wanted) and bool(found == wanted)


@pytest.mark.parametrize("seed", range(6))
def test_arithmetic_is_that_of_sympy(seed: int) -> None:
    draw = random.Random(seed)
    ours = 0
    for _ in range(60):
        a, b = drawn(draw, draw.randrange(4)), drawn(draw, draw.randrange(3))
        A, B = in_sympy(a), in_sympy(b)
        ours += isinstance(a, Exact)
        for operation in (operator.add, operator.sub, operator.mul):
            assert same(exactly(operation(a, b)), operation(A, B)), (operation, a, b)
            if isinstance(a, Exact):
                assert same(operation(a, B), operation(A, B)), (operation, a, B)
                assert same(exactly(operation(B, a)), operation(B, A)), (operation, B, a)
        if b != 0:
            assert same(exactly(a / b), A / B), (a, b)
        for k in (2, 3, 1, 0, *((-1, -2) if a != 0 else ())):
            assert same(exactly(a**k), A**k), (a, k)
        assert same(exactly(-a), -A)
        assert same(exactly(abs(a)), abs(A))
    assert ours > 40


@pytest.mark.parametrize("seed", range(6))
def test_questions_texts_and_parts_are_those_of_sympy(seed: int) -> None:
    draw = random.Random(100 + seed)
    for _ in range(60):
        a = drawn(draw, draw.randrange(4))
        if not isinstance(a, Exact):
            continue
        A = in_sympy(a)
        assert (str(a), exact.structure(a)) == (str(A), sp.srepr(A))
        assert {q: getattr(a, q) for q in QUESTIONS} == {q: getattr(A, q) for q in QUESTIONS}, a
        assert same(a.as_coeff_Mul(), A.as_coeff_Mul())
        assert same(a.as_numer_denom(), A.as_numer_denom())
        assert same(exact.fraction(a), sp.fraction(A))
        assert same(exact.cancel(a), sp.cancel(A))
        assert same(exact.expand(a), sp.expand(A))
        assert a.could_extract_minus_sign() == A.could_extract_minus_sign()
        assert {s.name for s in a.free_symbols} == {s.name for s in A.free_symbols}
        table = {symbol(name): rational(draw.choice(NUMBERS[1:])) for name in draw.sample(NAMES, 2)}
        assert same(a.xreplace(table), A.xreplace({in_sympy(s): in_sympy(v) for s, v in table.items()}))
        assert same(a, A)
        assert a == A == a
        assert hash(exactly(A)) == hash(a)
        assert pickle.loads(pickle.dumps(a)) == copy.deepcopy(a) == a


@pytest.mark.parametrize("seed", range(4))
def test_signs_of_differences_are_those_of_sympy(seed: int) -> None:
    draw = random.Random(200 + seed)
    for _ in range(60):
        size = symbol(draw.choice(NAMES)) ** draw.choice([1, 1, 2])
        size = size * symbol(draw.choice(NAMES)) if draw.random() < 0.3 else size
        a = rational(draw.choice(NUMBERS[1:])) + rational(draw.choice(NUMBERS[1:])) * size
        A = in_sympy(a)
        assert {q: getattr(a, q) for q in QUESTIONS[8:14]} == {q: getattr(A, q) for q in QUESTIONS[8:14]}, a


def test_rational_numbers_are_numbers_of_python() -> None:
    third, two = rational(Fraction(1, 3)), rational(2)
    assert (float(third), int(-third - 1)) == (1 / 3, -1)
    assert two == 2
    assert hash(two) == hash(2)
    assert third == Fraction(1, 3)
    assert [third < 0.5, third <= 1, two > third, two >= sp.Integer(2), two < sp.oo] == [True] * 5
    assert ([0, 1, 2][two], range(two)[-1], np.ones(3)[two]) == (2, 1, 1.0)
    assert (round(rational("2.7")), bool(rational(0))) == (3, False)
    with pytest.raises(TypeError):
        operator.index(third)
    assert float(-(rational(10) ** 400)) == float(-(sp.Integer(10) ** 400)) == -np.inf


def test_what_has_no_value_here_is_left_to_sympy() -> None:
    assert rational(5) / 0 == sp.zoo
    assert rational(2) ** rational(Fraction(1, 2)) == sp.sqrt(2)
    assert type(rational(4) ** rational(Fraction(1, 2))) is Rational
    assert (symbol("n") + 1) ** 2 == (in_sympy(symbol("n")) + 1) ** 2


def test_what_sympy_makes_of_sizes_comes_back() -> None:
    n = symbol("n")
    assert type(exactly(sp.expand((in_sympy(n) + 1) ** 2))) is Polynomial
    assert exactly(sp.Symbol("n")) == sp.Symbol("n"), "a symbol of the user's is another"
    assert type(exactly(sp.Symbol("n"))) is sp.Symbol
    assert type(exactly(sp.Mul(2, in_sympy(n) + 1, evaluate=False))) is sp.Mul, "this form is kept"
    assert type(exactly(sp.Mul(2, 3, evaluate=False))) is sp.Mul
    assert core.number(sp.Rational(1, 2)) is core.number(Fraction(1, 2)) is core.number(0.5)
    assert dims.dim(sp.Symbol("n") + 1) == n + 1
    assert dims.times(n + 1, n - 1) == n**2 - 1


def test_sympy_takes_them_as_they_are() -> None:
    n, x = symbol("n"), sp.Symbol("x")
    assert sp.sympify(n) == sp.Symbol("n", integer=True, positive=True)
    assert sp.simplify((n**2 - 1) / (n + 1)) == in_sympy(n) - 1
    assert sp.exp(x).subs(x, rational(0)) == 1
    assert sp.Integer(2) * (n + 1) == 2 * n + 2
    assert type(sp.Integer(2) * (n + 1)) is Polynomial
    assert (sp.latex(2 * n), sp.srepr(n), sp.pretty(n)) == ("2 n", exact.structure(n), "n")
    assert n._repr_latex_() == in_sympy(n)._repr_latex_()
    assert divmod(rational(7), 2) == divmod(sp.Integer(7), 2) == (3, 1)
