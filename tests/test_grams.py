"""Systems, inverses and determinants of X' X keep the digits that X has: its square is never factored."""

import numpy as np
import pytest

import matcalc as mc
from matcalc.errors import MatcalcError
from matcalc.numeric.precise import evaluate_precisely, exactly

RNG = np.random.default_rng(3)
X = 1.5 + 1e-6 * RNG.normal(size=(5, 2))  # X'X has no correct digit left in its smaller eigenvalue
W = RNG.uniform(1, 2, size=(5, 1))
FORMS = (
    "logdet(X'*X)",
    "log(det(X'*X))",
    "det(X'*X)",
    "tr(inv(X'*X))",
    "tr(inv(X'*diag(w)*X))",
    "tr(inv(X'*(X .* w)))",
    "S = X'*X; logdet(S) + tr(inv(S))",
)
LOST = 1e-7  # of X's condition of about 1e6, beside 1e-16


@pytest.mark.parametrize("formula", FORMS)
@pytest.mark.parametrize("target", ["numpy", "native", "numba"])
def test_digits_are_kept(formula: str, target: str) -> None:
    d = mc.derive(f"X: n x p; w: n x 1 positive; {formula}", wrt="X")
    given = {name: {"X": X, "w": W}[name] for name in d.graph.declared}
    exact = {name: exactly(v, given[name]) for name, v in d.graph.declared.items()}
    wanted = float(evaluate_precisely([d.graph.output], exact, {"n": 5, "p": 2}).values[0][0, 0])
    try:
        value = d.function("value", target)(**given)
    except MatcalcError as missing:  # no compiler, no Numba
        pytest.skip(str(missing))
    assert abs(value - wanted) <= LOST * abs(wanted)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", ["numpy", "native", "numba"])
def test_dependent_columns_have_no_solution_and_the_determinant_zero(target: str, dtype: str) -> None:
    A = RNG.normal(size=(6, 2))
    singular = np.column_stack([A, A[:, 0] - 2 * A[:, 1]]).astype(dtype)
    fit = mc.derive("X: n x p; y: n x 1; w = solve(X'*X, X'*y); sum((y - X*w).^2)", wrt="X")
    spread = mc.derive("X: n x p; tr(inv(X'*X))")
    volume = mc.derive("X: n x p; det(X'*X)", wrt="X")
    try:
        gradient, value = fit.function("gradient", target), volume.function("value", target)
        trace = spread.function("value", target)
    except MatcalcError as missing:  # no compiler, no Numba
        pytest.skip(str(missing))
    assert value(X=singular) == 0
    y = np.ones(6, dtype)
    if target == "native":  # nothing in C raises
        assert not np.isfinite(gradient(X=singular, y=y)["X"]).any()
        assert np.isnan(trace(X=singular))
        return
    with pytest.raises(np.linalg.LinAlgError):
        trace(X=singular)
    with pytest.raises(np.linalg.LinAlgError):
        gradient(X=singular, y=y)


def test_products_are_not_formed() -> None:
    code = mc.derive("X: n x p; y: n x 1; y'*X*inv(X'*X)*X'*y", wrt="X").code()
    assert "_gram_factor(X)" in code
    assert "X.T @ X" not in code


def test_standardize_of_a_number_is_written_for_languages_without_numpy() -> None:
    d = mc.derive("x: 1 x 1; standardize(x, eps=0.25)", wrt="x")
    assert d.function("value")(x=3.0) == 0
    for target in ("c", "r", "octave", "cpp"):
        assert "value" in d.code(target=target)


def test_wide_matrices_have_the_determinant_zero() -> None:
    wide = RNG.normal(size=(2, 3))
    assert mc.derive("X: n x p; det(X'*X)", wrt="X").function("value")(X=wide) == 0


def test_one_factor_serves_all_spellings() -> None:
    code = mc.derive("X: n x p; w: n x 1 positive; tr(inv(X'*diag(w)*X)) + logdet((X .* w)'*X)", wrt="w").code()
    assert code.count("_gram_factor(") == 2  # the call and the definition
