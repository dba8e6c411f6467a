"""The passes of code generation, each alone: a program before and after it."""

from __future__ import annotations

import pytest

import matcalc as mc
from matcalc.emit.passes import PASSES, Around
from matcalc.emit.recipe import Program
from matcalc.emit.shown import PASS_NAMES
from matcalc.errors import MatcalcError
from matcalc.functions.request import program_after
from matcalc.kinds import GRADIENT
from matcalc.printing.text import text

SHAPES = {"X": ("n", "p"), "Y": ("n", "p"), "A": ("n", "n"), "B": ("n", "n"), "U": ("m", "k"), "V": ("q", "k")}
SHAPES |= {"T": ("m", "q"), "W": ("q", "r")}
SHAPES |= dict.fromkeys("CDE", ("n", "n"))
SHAPES |= {"x": ("n", 1)}
CASES = [
    ("choices", "where(X > 0, Y, 0).*log(X)", "where(X > 0, Y .* log(X), 0)"),
    ("choices", "sin(X).*Y", "sin(X) .* Y"),
    ("multiples", "(1/2 - erf(X)/2) .* Y", "erfc(X) .* Y/2"),
    ("multiples", "exp(Y)/2 - X/2", "exp(Y)/2 - X/2"),
    ("centring", "X - 1*mean(X)", "X - mean(X) - mean(X - mean(X))"),
    ("inverses", "B*inv(A) + inv(A)", "B*inv_A + inv_A"),
    ("twins", "A*B' + sin(B*A')", "A*B' + sin((A*B')')"),
    (
        "neighbours",
        "exp(pdist2(X, Y))*Y - sum(exp(pdist2(X, Y)), 2).*X",
        "exp(pdist2(X, Y))*(Y - mean(Y, 1)) - sum(exp(pdist2(X, Y)), 2) .* (X - mean(Y, 1))",
    ),
    (
        "chains",
        "A*B*C*D + B*C*D*E + C*D*E*A + D*E*A*B + E*A*B*C",
        "A*B_to_D + B_to_D*E + C*D_to_A + D_to_A*B + E_to_A*B_to_C",
    ),
    ("residuals", "(U*V' - T)*W", "U*t - T*W"),
    ("residuals", "(eye(n) - A*inv(A'*A)*A')*x", "x - A*t"),
    ("residuals", "x'*(2*x*x'/(x'*x) - eye(n))", "2*t*x'/(x'*x) - x'"),
    ("residuals", "(eye(n) - A*B)*C", "(eye(n) - A*B)*C"),
]


def program_of(source: str) -> Program:
    d = mc.derive(source, shapes={name: s for name, s in SHAPES.items() if name in source})
    return Program(GRADIENT, None, {"result": d.output}, list(d.graph.declared.values()))


@pytest.mark.parametrize(("name", "before", "after"), CASES)
def test_a_program_before_and_after_a_pass(name: str, before: str, after: str) -> None:
    run = next(p.run for p in PASSES if p.name == name)
    sizes = {"m": 1000, "q": 1000, "k": 2, "r": 2}
    done = run(program_of(before), Around(lambda wanted: wanted, sizes))
    assert text(done.results["result"]) == after
    again = run(done, Around(lambda wanted: wanted, sizes))
    assert text(again.results["result"]) == after or name in ("centring", "neighbours")


def test_gradients_by_all_factors_of_a_chain_take_linearly_many_products() -> None:
    names = [f"A{k}" for k in range(24)]
    shapes = dict.fromkeys(names, ("n", "n"))
    for source, more in ((f"tr({'*'.join(names)})", {}), (f"x'*{'*'.join(names)}*y", {"x": ("n", 1), "y": ("n", 1)})):
        d = mc.derive(source, shapes={**shapes, **more})
        assert d.code("gradient").count("@") <= 4 * len(names)
        assert d.check().ok


def test_few_or_short_products_stay_as_they_are() -> None:
    shapes = dict.fromkeys("ABC", ("n", "n"))
    assert "_to_" not in mc.derive("tr(A*B*C)", shapes=shapes).code("value_and_grad")
    assert "_to_" not in mc.derive("sum(A*B*C*A*B*C)", shapes=shapes).code("value")


def test_every_pass_has_a_case() -> None:
    assert {p.name for p in PASSES} == {name for name, *_ in CASES}


def test_residuals_that_the_sizes_decide_give_two_programs() -> None:
    d = mc.derive("sum((U*V' - T).^2)", wrt=["U", "V"], shapes={name: SHAPES[name] for name in "UVT"})
    lines = program_after(d, "residuals", "gradient").splitlines()
    assert lines[:2] == ["g_U = 2*(U*V' - T)*V", "g_V = 2*(U*V' - T)'*U"]
    assert lines[2] == "where 2*k*(m + q) < m*q:"
    assert lines[-2:] == ["    g_U = 2*(U*t - T*V)", "    g_V = 2*(V*t - T'*U)"]


def test_statements_and_where_they_are_put() -> None:
    shapes = {"X": ("n", "p"), "W": ("p", "q"), "b": (1, "q")}
    d = mc.derive("h = exp(X*W + b); sum(h.*h)", wrt="W", shapes=shapes)
    assert program_after(d, "instructions").splitlines() == [
        "h: n x q = exp(add[++](matmul(X, W), b))",
        "value: 1 x 1 = dot(h, h)",
        "g_h: n x q = product[**](2, h)",
        "g_W: p x q = matmul(transpose(X), product[**](g_h, h))",
        "return value: 1 x 1 = value",
        "return W: p x q = g_W",
    ]
    assert program_after(d, "schedule").splitlines() == [
        "h = np.exp(X @ W + b)",
        "value = np.vdot(h, h)",
        "g_h = 2 * h",
        "g_W = X.T @ (g_h * h)",
        'return float(value), {"W": g_W}',
    ]
    assert program_after(d, "memory").splitlines()[:3] == ["h = X @ W", "h += b", "np.exp(h, out=h)"]


def test_an_unknown_pass_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(MatcalcError, match=f"pass must be one of {', '.join(PASS_NAMES)}, got 'memry'"):
        program_after(mc.derive("x'*x", shapes={"x": ("n", 1)}), "memry")
