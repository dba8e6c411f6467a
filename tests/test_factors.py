"""What factors, eigenvalues and solutions of systems make short: the forms as text, the numbers by differences."""

import pytest

import matcalc as mc
from matcalc import core
from matcalc.expr import node
from matcalc.properties import known

SQUARE = {"X": ("n", "n"), "A": ("n", "n"), "Y": ("n", "q")}
PD = {"X": ["positive-definite"]}


def right(d, name, form, kind="gradient"):
    """The result by `name` prints as `form`, and agrees with differences."""
    assert str(getattr(d, kind)(name)) == form
    assert d.check(kind=kind).ok


@pytest.mark.parametrize(
    ("source", "form"),
    [
        ("sum(log(diagvec(chol(X))))", "inv(X)/2"),
        ("L = chol(X); sum(log(diagvec(L)))", "inv(X)/2"),
        ("2*sum(log(diagvec(chol(X)))) - logdet(X)", "zeros(n, n)"),
        ("tr(chol(X)*chol(X)'*A)", "(A + A')/2"),
        ("logdet(chol(X)*chol(X)')", "inv(X)"),
        ("L = chol(X); norm2(solve(L, Y))^2", "-inv(X)*Y*Y'*inv(X)"),
        ("L = chol(X); tr(inv(L*L')*A)", "-inv(X)*(A + A')*inv(X)/2"),
        ("L = chol(X); 2*sum(log(diagvec(L))) + norm2(solve(L, Y))^2", "inv(X) - inv(X)*Y*Y'*inv(X)"),
        ("sum(log(eigvals(X)))", "inv(X)"),
        ("l = eigvals(X); sum(log(l))", "inv(X)"),
        ("sum(eigvals(X))", "eye(n)"),
        ("sum(eigvals(X).^3)", "3*X^2"),
        ("sum(1 ./ eigvals(X))", "-X^-2"),
        ("prod(eigvals(X))", "det(X)*inv(X)"),
    ],
)
def test_factors_and_eigenvalues(source, form):
    right(mc.derive(source.replace("; ", "\n"), wrt="X", shapes=SQUARE, facts=PD), "X", form)


def test_the_factor_of_a_free_matrix_is_that_of_its_symmetric_part():
    d = mc.derive("sum(log(diagvec(chol(X))))", wrt="X", shapes=SQUARE)
    right(d, "X", "inv(X + X')")
    assert "(X + X')/2 is positive-definite" in d.text("result")
    assert [s.rule for s in d.recognised] == ["log_diagonal_of_cholesky"]


def test_a_named_factor_can_be_asked_for():
    d = mc.derive("L = chol(X)\nsum(log(diagvec(L)))", wrt=["X", "L"], shapes=SQUARE, facts=PD)
    assert str(d.gradient("L")) == "diag(1 ./ diagvec(L))"


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        ("X: n x n positive-definite\nsum(log(eigvals(X))) = logdet(X)", "proved"),
        ("X: n x n positive-definite\n2*sum(log(diagvec(chol(X)))) = logdet(X)", "proved"),
        ("X: n x n positive-definite\ninv(chol(X))*X*inv(chol(X)') = eye(n)", "proved"),
        ("X: n x n positive-definite\nchol(X)'*inv(X)*chol(X) = eye(n)", "proved"),
        ("X: n x n positive-definite\nchol(X)'*chol(X) = X", "disproved"),
        ("X: n x n\nsum(eigvals(X)) = tr(X)", "proved"),
        ("X: n x n\nprod(eigvals(X)) = det(X)", "proved"),
        ("X: n x n\nsum(eigvals(X).^2) = tr(X*X)", "proved"),
        ("X: n x n symmetric\nsum(eigvals(X).^2) = tr(X)^2", "disproved"),
        ("tril(ones(3,3)) + triu(ones(3,3)) - eye(3) = ones(3,3)", "proved"),
        ("X: n x n\ntril(X) + triu(X) - diag(diagvec(X)) = X", "proved"),
        ("X: n x n\ntril(X) + triu(X) = X", "disproved"),
        ("X: n x n lower\ntriu(X) = diag(diagvec(X))", "proved"),
    ],
)
def test_claims(claim, status):
    assert mc.prove(claim).status == status


# ------------------------------------------------------------------------------------------------ symmetric by form


@pytest.mark.parametrize(
    "kernel",
    [
        "exp(-pdist2(X, X))",
        "log(1 + pdist2(X, X))",
        "1 ./ (1 + pdist2(X, X)/s)",
        "sqrt(1 + pdist2(X, X)) + s*eye(n)",
        "(s + X*X').^3",
        "maximum(X*X', pdist2(X, X))",
        "sum(X.^2, 2) + sum(X.^2, 2)' - 2*X*X'",
        "exp(-pdist2(X, X)) .* (X*M*M'*X')",
    ],
)
def test_kernels_are_symmetric_for_all_points(kernel):
    shapes = {"X": ("n", "d"), "y": ("n", 1), "s": (1, 1), "M": ("d", "d")}
    d = mc.derive(f"K = {kernel}\nf = y'*K*y", wrt="y", shapes=shapes, facts={"s": ["positive"]})
    right(d, "y", "2*K*y")
    assert str(d.hessian("y")) == "2*K"


def test_two_sets_of_points_have_no_symmetric_kernel():
    d = mc.derive("y'*exp(-pdist2(X, Z))*y", wrt="y", shapes={"X": ("n", "d"), "Z": ("n", "d"), "y": ("n", 1)})
    assert "'" in str(d.gradient("y"))


def test_facts_of_the_form_may_be_used_before_the_last_differentiation():
    d = mc.derive("K = exp(-pdist2(X, X))\nf = y'*K*y", wrt=["X", "y"], shapes={"X": ("n", "d"), "y": ("n", 1)})
    assert d.check(kind="hessian").ok
    S = core.var("S", "n", "n", ["symmetric"])
    assert known(node("divide", (S, core.plus(S, S))), "symmetric")


# ------------------------------------------------------------------------------------------------ equal terms


@pytest.mark.parametrize(
    ("source", "facts", "form"),
    [
        ("sum((A*P) .* A, 2)'*c", {"P": ["symmetric"]}, "2*c .* (A*P)"),
        ("sum((P*B) .* B, 1)*c", {"P": ["symmetric"]}, "2*c' .* (P*B)"),
    ],
)
def test_rows_scaled_before_and_after_a_product_are_one_term(source, facts, form):
    shapes = {"A": ("m", "n"), "B": ("n", "m"), "P": ("n", "n"), "c": ("m", 1)}
    name = "A" if "A" in source else "B"
    right(mc.derive(source, wrt=name, shapes=shapes, facts=facts), name, form)


# ------------------------------------------------------------------------------------------------ solutions

DATA = {"X": ("m", "p"), "y": ("m", 1), "a": (1, 1), "v": ("m", 1), "A": ("n", "n"), "b": ("n", 1)}


@pytest.mark.parametrize(
    ("source", "name", "form"),
    [
        ("w = solve(A, b)\nf = w'*A*w/2 - b'*w", "b", "-w"),
        ("w = solve(X'*X + a*eye(p), X'*y)\nf = norm2(y - X*w)^2 + a*w'*w", "a", "w'*w"),
        ("G = X'*X + a*eye(p)\nw = solve(G, X'*y)\nr = y - X*w\nf = r'*r + a*w'*w", "y", "2*r"),
        ("w = inv(X'*X)*X'*y\nr = y - X*w\nf = r'*r", "X", "-2*r*w'"),
        ("w = solve(X'*diag(v)*X, X'*(v .* y))\nf = sum(v .* (y - X*w).^2)", "v", "(y - X*w).^2"),
    ],
)
def test_the_adjoint_of_a_minimiser_is_zero(source, name, form):
    d = mc.derive(source, wrt=name, shapes=DATA, facts={"A": ["positive-definite"], "v": ["positive"]})
    right(d, name, form)
    assert "solution_solves_its_equation" in [s.rule for s in d.steps]


def test_the_adjoint_of_another_solution_is_not_zero():
    d = mc.derive("w = solve(A, b)\nf = w'*A*w/2 - b'*w", wrt="b", shapes=DATA)
    assert d.check().ok
    assert "g_w" in d.text("result")
    assert "solution_solves_its_equation" not in [s.rule for s in d.steps]


def test_second_derivatives_know_what_the_solution_depends_on():
    d = mc.derive("w = solve(A, b)\nf = w'*A*w/2 - b'*w", wrt="b", shapes=DATA, facts={"A": ["positive-definite"]})
    right(d, "b", "-inv(A)", "hessian")
    assert str(d.hessian("w")) == "A"  # w moves alone


# ------------------------------------------------------------------------------------------------ one entry, powers


@pytest.mark.parametrize(
    ("source", "form"),
    [
        *((f"{op}(x'*x)", "2*x") for op in ("min", "max", "sum", "mean", "prod", "logsumexp", "det", "eigmax", "tril")),
        ("min(x, 2)'*c", "c"),
        ("sum(softmax(x, 2) .* c)", "zeros(n, 1)"),
        ("softmax(x'*x)", "zeros(n, 1)"),
        ("m = max(x'*x)\nm^2", "4*m*x"),
        ("chol(1 + x'*x)", "x/sqrt(1 + x'*x)"),
    ],
)
def test_one_entry_is_itself(source, form):
    right(mc.derive(source, wrt="x", shapes={"x": ("n", 1), "c": ("n", 1)}), "x", form)


@pytest.mark.parametrize(
    ("source", "form"),
    [
        ("det(X^5)", "5*det(X)^4*adj(X')"),
        ("logdet(X^3)", "3*inv(X')"),
        ("logdet(inv(X))", "-inv(X')"),
        ("tr(inv(X^3))", "-3*X'^-4"),
        ("tr(X^5)", "5*X'^4"),
        ("tr(expm(X)*X^2)", None),
    ],
)
def test_powers_of_one_matrix_are_merged(source, form):
    d = mc.derive(source, wrt="X", shapes={"X": ("n", "n")})
    assert d.check().ok
    assert form is None or str(d.gradient()) == form


# ------------------------------------------------------------------------------------------------ layers

LAYER = {"X": ("n", "m"), "C": ("n", "m"), "x": ("n", 1), "c": ("n", 1), "g": (1, "m")}


@pytest.mark.parametrize(
    ("source", "name", "known_as"),
    [
        ("sum((x - mean(x))/sqrt(var(x) + 1e-5) .* c)", "x", "standardize"),
        ("c'*((x - mean(x))/std(x))", "x", "standardize"),
        ("sum((X - mean(X, 2)) ./ sqrt(var(X, 2) + 1e-5) .* C)", "X", "standardize"),
        ("sum((X - mean(X, 1)) ./ sqrt(mean((X - mean(X, 1)).^2, 1) + 0.001) .* g .* C)", "X", "standardize"),
        ("sum(maximum(X, 0) .* C)", "X", "relu"),
        ("sum(where(X > 0, X, 0) .* C)", "X", "relu"),
        ("sum(X .* where(X > 0, 1, 0) .* C)", "X", "relu"),
        ("mean((x - mean(x)).^2)", "x", "var"),
        ("log(sum(exp(x - max(x)))) + max(x)", "x", "logsumexp"),
        ("sum(exp(X) ./ (1 + exp(X)) .* C)", "X", "sigmoid"),
    ],
)
def test_layers_that_are_spelled_out_are_known(source, name, known_as):
    d = mc.derive(source, wrt=name, shapes=LAYER)
    assert f"{known_as}(" in str(d.output)
    assert d.check().ok
    assert d.recognised


@pytest.mark.parametrize(
    "source",
    [
        "sum((X - mean(X, 1)) ./ sqrt(var(X, 2) + 0.1) .* C)",
        "sum((X - mean(C, 1)) ./ sqrt(var(X, 1) + 0.1))",
        "sum((X + mean(X, 1)) ./ sqrt(var(X, 1) + 0.1) .* C)",
        "sum(where(X > 1, X, 0) .* C)",
        "sum(where(X > 0, C, 0))",
        "mean((X - mean(X, 1)).^2)",
    ],
)
def test_what_is_nearly_a_layer_is_none(source):
    d = mc.derive(source, wrt="X", shapes=LAYER)
    assert not d.recognised
    assert d.check().ok


# ------------------------------------------------------------------------------------------------ named quotients

SCALED = {"x": ("n", 1), "u": (1, 1), "v": (1, 1), "c": ("n", 1), "eps": (1, 1), "X": ("n", "q"), "C": ("n", "q")}


@pytest.mark.parametrize(
    ("source", "name", "form"),
    [
        ("z = (x - u)/v\nf = sum(z.^2)/2 + n*log(v)", "v", "(n - z'*z)/v"),
        ("z = (x - u)/v\nf = sum((x - u).^2)/v + sum(exp(z))", "v", "-z'*exp(z)/v - sum(z.^2)"),
        ("z = (u - eps)/v\nf = (u - eps)*normcdf(z) + v*normpdf(z)", "v", "normpdf(z)"),
        ("z = (u - eps)/v\nf = (u - eps)^2*exp(z)", "v", "-z*f/v"),
        ("m = mean(x)\ns = sqrt(mean((x - m).^2) + eps)\nz = (x - m)/s\nf = sum(z.*c)", "x", None),
        ("m = mean(X, 1)\ns = sqrt(var(X, 1) + eps)\nZ = (X - m) ./ s\nf = sum(Z.*C)", "X", None),
    ],
)
def test_numerators_of_named_quotients_are_multiples_of_the_name(source, name, form):
    d = mc.derive(source, wrt=name, shapes=SCALED, facts={"eps": ["positive"]})
    assert d.check().ok
    assert form is None or str(d.gradient()) == form
    assert "x - m" not in str(d.gradient())
    assert "X - m" not in str(d.gradient())
