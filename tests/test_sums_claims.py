"""Claims in sums and in matrices are judged equal across the forms; plain NumPy loops say which are right."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import matcalc as mc
from matcalc.frontend.parser import parse
from matcalc.numeric.evaluate import evaluate

SIZES = {"n": 4, "p": 3, "m": 5, "k": 2}

# name: the program, the variable, and the same in plain NumPy
PROGRAMS = {
    "ls": (
        "X: n x p; y: n x 1; w: p x 1; sum(i=1..n, (X[i,:]*w - y[i])^2)",
        "w",
        "sum((X[i] @ w[:, 0] - y[i, 0]) ** 2 for i in range(n))",
    ),
    "logit": (
        "X: n x p; y: n x 1; w: p x 1; sum(i=1..n, log(1 + exp(-y[i]*X[i,:]*w)))",
        "w",
        "sum(np.log(1 + np.exp(-y[i, 0] * (X[i] @ w[:, 0]))) for i in range(n))",
    ),
    "lap": (
        "X: n x p; A: n x n; sum(i=1..n, j=1..n, A[i,j]*norm2(X[i,:] - X[j,:])^2)",
        "X",
        "sum(A[i, j] * ((X[i] - X[j]) ** 2).sum() for i in range(n) for j in range(n))",
    ),
    "lapA": (
        "X: n x p; A: n x n; sum(i=1..n, j=1..n, A[i,j]*norm2(X[i,:] - X[j,:])^2)",
        "A",
        "sum(A[i, j] * ((X[i] - X[j]) ** 2).sum() for i in range(n) for j in range(n))",
    ),
    "quad": (
        "A: n x n; x: n x 1; sum(i=1..n, j=1..n, A[i,j]*x[i]*x[j])",
        "x",
        "sum(A[i, j] * x[i, 0] * x[j, 0] for i in range(n) for j in range(n))",
    ),
    "pairs": (
        "x: n x 1; A: n x n symmetric; sum(i=1..n, j=1..n, i<j, A[i,j]*(x[i] - x[j])^2)",
        "x",
        "sum(A[i, j] * (x[i, 0] - x[j, 0]) ** 2 for i in range(n) for j in range(i + 1, n))",
    ),
    "pairs0": (
        "x: n x 1; A: n x n; sum(i=1..n, j=1..n, i<j, A[i,j]*(x[i] - x[j])^2)",
        "x",
        "sum(A[i, j] * (x[i, 0] - x[j, 0]) ** 2 for i in range(n) for j in range(i + 1, n))",
    ),
    "tv": (
        "u: n x 1; sum(t=1..n-1, (u[t+1] - u[t])^2)",
        "u",
        "sum((u[t + 1, 0] - u[t, 0]) ** 2 for t in range(n - 1))",
    ),
    "mf": (
        "M: n x m; U: n x k; V: m x k; sum(i=1..n, j=1..m, (M[i,j] - U[i,:]*V[j,:]')^2)",
        "U",
        "sum((M[i, j] - U[i] @ V[j]) ** 2 for i in range(n) for j in range(m))",
    ),
    "soft": (
        "X: n x p; Y: n x k; W: p x k; -sum(i=1..n, sum(j=1..k, Y[i,j]*(X[i,:]*W[:,j] - "
        "log(sum(l=1..k, exp(X[i,:]*W[:,l]))))))",
        "W",
        "-sum(Y[i, j] * (X[i] @ W[:, j] - np.log(sum(np.exp(X[i] @ W[:, c]) for c in range(k)))) "
        "for i in range(n) for j in range(k))",
    ),
    "lse": (
        "X: n x p; w: p x 1; log(sum(i=1..n, exp(X[i,:]*w)))",
        "w",
        "np.log(sum(np.exp(X[i] @ w[:, 0]) for i in range(n)))",
    ),
    "kern": (
        "X: n x p; a: n x 1; sum(i=1..n, j=1..n, a[i]*a[j]*exp(-norm2(X[i,:] - X[j,:])^2/2))",
        "a",
        "sum(a[i, 0] * a[j, 0] * np.exp(-((X[i] - X[j]) ** 2).sum() / 2) for i in range(n) for j in range(n))",
    ),
    "kernX": (
        "X: n x p; a: n x 1; sum(i=1..n, j=1..n, a[i]*a[j]*exp(-norm2(X[i,:] - X[j,:])^2/2))",
        "X",
        "sum(a[i, 0] * a[j, 0] * np.exp(-((X[i] - X[j]) ** 2).sum() / 2) for i in range(n) for j in range(n))",
    ),
    "cov": (
        "X: n x p; S: p x p; m: p x 1; sum(i=1..n, (X[i,:]' - m)'*S*(X[i,:]' - m))",
        "m",
        "sum((X[i] - m[:, 0]) @ S @ (X[i] - m[:, 0]) for i in range(n))",
    ),
    "covS": (
        "X: n x p; S: p x p; m: p x 1; sum(i=1..n, (X[i,:]' - m)'*S*(X[i,:]' - m))",
        "S",
        "sum((X[i] - m[:, 0]) @ S @ (X[i] - m[:, 0]) for i in range(n))",
    ),
    "gl": (
        "X: n x p; w: p x 1; sum(i=1..n, norm2(X[i,:]' - w))",
        "w",
        "sum(np.sqrt(((X[i] - w[:, 0]) ** 2).sum()) for i in range(n))",
    ),
    "pois": (
        "X: n x p; y: n x 1; w: p x 1; sum(i=1..n, exp(X[i,:]*w) - y[i]*X[i,:]*w)",
        "w",
        "sum(np.exp(X[i] @ w[:, 0]) - y[i, 0] * (X[i] @ w[:, 0]) for i in range(n))",
    ),
    "var": (
        "y: n x 1; sum(i=1..n, (y[i] - sum(j=1..n, y[j])/n)^2)/n",
        "y",
        "sum((y[i, 0] - y.sum() / n) ** 2 for i in range(n)) / n",
    ),
}

# the program, a claim about its gradient, and whether it is right
CLAIMS = [
    ("ls", "2*sum(i=1..n, (X[i,:]*w - y[i])*X[i,:]')", True),
    ("ls", "sum(i=1..n, 2*X[i,:]'*X[i,:]*w) - 2*sum(i=1..n, y[i]*X[i,:]')", True),
    ("ls", "2*sum(i=1..n, sum(j=1..p, X[i,j]*w[j])*X[i,:]') - 2*X'*y", True),
    ("ls", "2*(sum(i=1..n, X[i,:]'*X[i,:])*w - sum(i=1..n, y[i]*X[i,:]'))", True),
    ("ls", "2*(sum(i=1..n, X[i,:]'*X[i,:])*w + sum(i=1..n, y[i]*X[i,:]'))", False),
    ("logit", "-sum(i=1..n, y[i]*X[i,:]'/(1 + exp(y[i]*X[i,:]*w)))", True),
    ("logit", "-sum(i=1..n, y[i]*(1 - sigmoid(y[i]*X[i,:]*w))*X[i,:]')", True),
    ("logit", "-sum(i=1..n, y[i]*X[i,:]') + sum(i=1..n, y[i]*sigmoid(y[i]*X[i,:]*w)*X[i,:]')", True),
    ("logit", "-sum(i=1..n, y[i]*X[i,:]') + X'*(y .* sigmoid(y .* (X*w)))", True),
    ("logit", "-sum(i=1..n, y[i]*X[i,:]'/(1 + exp(-y[i]*X[i,:]*w)))", False),
    ("lap", "2*(diag(sum(A,2)) + diag(sum(A,1)') - A - A')*X", True),
    ("lap", "2*(diag(sum(j=1..n, A[:,j])) + diag(sum(j=1..n, A[j,:]')) - A - A')*X", True),
    ("lap", "4*(diag(sum(A,2)) - A)*X", False),
    ("quad", "sum(j=1..n, A[:,j]*x[j]) + sum(i=1..n, A[i,:]'*x[i])", True),
    ("quad", "2*sum(j=1..n, A[:,j]*x[j])", False),
    ("quad", "sum(j=1..n, (A[:,j] + A[j,:]')*x[j])", True),
    ("pairs0", "2*(sum(A, 2) .* x - A*x)", False),
    ("mf", "-2*sum(j=1..m, (M[:,j] - U*V[j,:]')*V[j,:])", True),
    ("mf", "-2*sum(j=1..m, M[:,j]*V[j,:]) + 2*U*sum(j=1..m, V[j,:]'*V[j,:])", True),
    ("mf", "2*sum(j=1..m, M[:,j]*V[j,:]) - 2*U*sum(j=1..m, V[j,:]'*V[j,:])", False),
    ("soft", "sum(i=1..n, X[i,:]'*(sum(j=1..k, Y[i,j])*softmax(X[i,:]*W, 2) - Y[i,:]))", True),
    ("soft", "sum(i=1..n, X[i,:]'*(softmax(X[i,:]*W, 2) - Y[i,:]))", False),
    ("soft", "sum(i=1..n, sum(j=1..k, Y[i,j])*X[i,:]'*softmax(X[i,:]*W, 2)) - sum(i=1..n, X[i,:]'*Y[i,:])", True),
    ("lse", "sum(i=1..n, exp(X[i,:]*w)*X[i,:]')/sum(j=1..n, exp(X[j,:]*w))", True),
    ("lse", "sum(i=1..n, softmax(X*w)[i]*X[i,:]')", True),
    ("lse", "sum(i=1..n, exp(X[i,:]*w)*X[i,:]')", False),
    ("kern", "2*sum(j=1..n, a[j]*exp(-sum(c=1..p, (X[:,c] - X[j,c]).^2)/2))", True),
    ("kern", "2*exp(-pdist2(X,X)/2)*a", True),
    (
        "kernX",
        "-2*(diag(a)*exp(-pdist2(X,X)/2)*diag(a)*ones(n,1)*ones(1,p) .* X) + 2*diag(a)*exp(-pdist2(X,X)/2)*diag(a)*X",
        True,
    ),
    ("cov", "-(S + S')*sum(i=1..n, X[i,:]' - m)", True),
    ("cov", "-(S + S')*(sum(i=1..n, X[i,:]') - n*m)", True),
    ("cov", "-2*S*sum(i=1..n, X[i,:]' - m)", False),
    ("covS", "sum(i=1..n, (X[i,:]' - m)*(X[i,:]' - m)')", True),
    ("covS", "sum(i=1..n, X[i,:]'*X[i,:]) - sum(i=1..n, X[i,:]')*m' - m*sum(i=1..n, X[i,:]) + n*m*m'", True),
    ("covS", "X'*X - sum(i=1..n, X[i,:]')*m' - m*sum(i=1..n, X[i,:]) + m*m'", False),
    ("pois", "sum(i=1..n, (exp(X[i,:]*w) - y[i])*X[i,:]')", True),
    ("pois", "sum(i=1..n, exp(X[i,:]*w)*X[i,:]') - sum(i=1..n, y[i]*X[i,:]')", True),
    ("pois", "X'*exp(X*w) - sum(i=1..n, X[i,:]'*y[i])", True),
    ("pois", "X'*exp(X*w) - sum(i=1..n, X[i,:]')*sum(y)", False),
    ("var", "2/n*(y - sum(j=1..n, y[j])/n)", True),
    ("var", "2/n*(y - mean(y))", True),
    ("var", "2/n*y", False),
    ("gl", "sum(i=1..n, (w - X[i,:]')/norm2(w - X[i,:]'))", True),
    ("gl", "-sum(i=1..n, (X[i,:]' - w)/norm2(X[i,:]' - w))", True),
    ("gl", "-sum(i=1..n, (X[i,:]' - w)/norm2(X[i,:]' - w)^2)", False),
    ("lapA", "sum(c=1..p, (X[:,c] - X[:,c]').^2)", True),
    ("lapA", "sum(X.^2, 2) + sum(X.^2, 2)' - 2*X*X'", True),
    ("lapA", "sum(X.^2, 2) + sum(X.^2, 2)' - X*X'", False),
]


@cache
def derived(name: str) -> Any:
    program, wrt, _ = PROGRAMS[name]
    return mc.derive(program, wrt=wrt)


@cache
def numbers(name: str) -> tuple[dict[str, Any], Any]:
    """Data, and the gradient by central differences of the loops."""
    program, wrt, loops = PROGRAMS[name]
    rng = np.random.default_rng(7)
    arrays = {}
    for v in parse(program).graph.declared.values():
        arrays[v.name] = rng.normal(size=[SIZES.get(str(d), 1) for d in v.shape])
        if "symmetric" in str(v.params[3]):
            arrays[v.name] = arrays[v.name] + arrays[v.name].T
    taken = {name: size for name, size in SIZES.items() if name not in arrays}
    gradient = np.zeros_like(arrays[wrt])
    for at in np.ndindex(gradient.shape):
        ends = []
        for step in (1e-5, -1e-5):
            moved = {**arrays, wrt: arrays[wrt].copy()}
            moved[wrt][at] += step
            ends.append(eval(loops, {"np": np, **taken, **moved}))
        gradient[at] = (ends[0] - ends[1]) / 2e-5
    return arrays, gradient


@pytest.mark.parametrize(("name", "claim", "right"), CLAIMS)
def test_a_claim_is_decided_as_the_loops_say(name: str, claim: str, right: bool) -> None:
    program, wrt, _ = PROGRAMS[name]
    arrays, gradient = numbers(name)
    scope = parse(program).graph.declared
    value = evaluate(
        parse(claim, scope=dict(scope)).graph.output, arrays, {k: v for k, v in SIZES.items() if k not in arrays}
    )
    agrees = value.shape == gradient.shape and np.allclose(value, gradient, atol=1e-6)
    assert agrees == right
    assert derived(name).claim(wrt, claim).status == ("proved" if right else "disproved")


# families: the program, the variable or member, the claim, and the verdict
OF_FAMILIES = [
    (
        "X[k=1..K]: n x p; y: n x 1; w: p x 1; sum(k=1..K, norm2(X[k]*w - y)^2)",
        "w",
        "2*sum(k=1..K, X[k]'*(X[k]*w - y))",
        "proved",
    ),
    (
        "X[k=1..K]: n x p; y: n x 1; w: p x 1; sum(k=1..K, norm2(X[k]*w - y)^2)",
        "w",
        "2*sum(k=1..K, X[k]'*X[k]*w) - 2*sum(k=1..K, X[k]'*y)",
        "proved",
    ),
    (
        "X[k=1..K]: n x p; y: n x 1; w: p x 1; sum(k=1..K, norm2(X[k]*w - y)^2)",
        "w",
        "2*sum(k=1..K, X[k]'*X[k])*w - 2*sum(k=1..K, X[k]')*y",
        "proved",
    ),
    (
        "X[k=1..K]: n x p; y: n x 1; w: p x 1; sum(k=1..K, norm2(X[k]*w - y)^2)",
        "w",
        "2*sum(k=1..K, X[k]'*X[k])*w + 2*sum(k=1..K, X[k]')*y",
        "disproved",
    ),
    (
        "x[i=1..n]: p x 1; w: p x 1; y: n x 1; sum(i=1..n, (w'*x[i] - y[i])^2)",
        "w",
        "2*sum(i=1..n, (w'*x[i] - y[i])*x[i])",
        "proved",
    ),
    (
        "x[i=1..n]: p x 1; w: p x 1; y: n x 1; sum(i=1..n, (w'*x[i] - y[i])^2)",
        "w",
        "2*sum(i=1..n, x[i]*x[i]'*w) - 2*sum(i=1..n, y[i]*x[i])",
        "proved",
    ),
    (
        "x[i=1..n]: p x 1; w: p x 1; y: n x 1; sum(i=1..n, (w'*x[i] - y[i])^2)",
        "w",
        "2*sum(i=1..n, x[i]*x[i]')*w - 2*sum(i=1..n, y[i]*x[i])",
        "proved",
    ),
    ("x[i=1..n]: p x 1; w: p x 1; y: n x 1; sum(i=1..n, (w'*x[i] - y[i])^2)", "x", "2*(w'*x[i] - y[i])*w", "proved"),
    (
        "x[i=1..n]: p x 1; A: n x n; sum(i=1..n, j=1..n, A[i,j]*norm2(x[i] - x[j])^2)",
        "x[i]",
        "2*sum(j=1..n, (A[i,j] + A[j,i])*(x[i] - x[j]))",
        "proved",
    ),
    (
        "x[i=1..n]: p x 1; A: n x n; sum(i=1..n, j=1..n, A[i,j]*norm2(x[i] - x[j])^2)",
        "x[i]",
        "2*sum(j=1..n, A[i,j]*(x[i] - x[j])) + 2*sum(j=1..n, A[j,i]*(x[i] - x[j]))",
        "proved",
    ),
    (
        "x[i=1..n]: p x 1; A: n x n; sum(i=1..n, j=1..n, A[i,j]*norm2(x[i] - x[j])^2)",
        "x[i]",
        "4*sum(j=1..n, A[i,j]*(x[i] - x[j]))",
        "disproved",
    ),
    (
        "x[i=1..n]: p x 1; m[k=1..K]: p x 1; sum(i=1..n, log(sum(k=1..K, exp(-norm2(x[i] - m[k])^2/2))))",
        "m[k]",
        "sum(i=1..n, exp(-norm2(x[i] - m[k])^2/2)/sum(l=1..K, exp(-norm2(x[i] - m[l])^2/2))*(x[i] - m[k]))",
        "proved",
    ),
    (
        "x[i=1..n]: p x 1; m[k=1..K]: p x 1; sum(i=1..n, log(sum(k=1..K, exp(-norm2(x[i] - m[k])^2/2))))",
        "m[k]",
        "sum(i=1..n, exp(-norm2(x[i] - m[k])^2/2)*(x[i] - m[k]))",
        "disproved",
    ),
    (
        "x[i=1..n]: p x 1; m[k=1..K]: p x 1; sum(i=1..n, log(sum(k=1..K, exp(-norm2(x[i] - m[k])^2/2))))",
        "x[i]",
        "sum(k=1..K, exp(-norm2(x[i] - m[k])^2/2)*(m[k] - x[i]))/sum(k=1..K, exp(-norm2(x[i] - m[k])^2/2))",
        "proved",
    ),
    (
        "x[i=1..n]: p x 1; A: n x n; sum(i=1..n, j=1..n, i<j, A[i,j]*norm2(x[i] - x[j])^2)",
        "x[i]",
        "2*sum(j=1..n, i<j, A[i,j]*(x[i] - x[j])) + 2*sum(j=1..n, j<i, A[j,i]*(x[i] - x[j]))",
        "proved",
    ),
    (
        "x[i=1..n]: p x 1; z[j=1..m]: p x 1; B: p x p; sum(i=1..n, j=1..m, x[i]'*B*z[j])",
        "B",
        "sum(i=1..n, j=1..m, x[i]*z[j]')",
        "proved",
    ),
    (
        "x[i=1..n]: p x 1; z[j=1..m]: p x 1; B: p x p; sum(i=1..n, j=1..m, x[i]'*B*z[j])",
        "B",
        "sum(i=1..n, x[i])*sum(j=1..m, z[j])'",
        "proved",
    ),
    (
        "x[i=1..n]: p x 1; z[j=1..m]: p x 1; B: p x p; sum(i=1..n, j=1..m, x[i]'*B*z[j])",
        "x[i]",
        "B*sum(j=1..m, z[j])",
        "proved",
    ),
    (
        "x[i=1..n]: p x 1; z[j=1..m]: p x 1; B: p x p; sum(i=1..n, j=1..m, x[i]'*B*z[j])",
        "x[i]",
        "sum(j=1..m, B*z[j])",
        "proved",
    ),
    (
        "x[i=1..n]: p x 1; z[j=1..m]: p x 1; B: p x p; sum(i=1..n, j=1..m, x[i]'*B*z[j])",
        "x[i]",
        "sum(j=1..m, B'*z[j])",
        "disproved",
    ),
]


@pytest.mark.parametrize(("program", "name", "claim", "status"), OF_FAMILIES)
def test_a_claim_about_members_is_decided_across_sums(program: str, name: str, claim: str, status: str) -> None:
    assert mc.derive(program).claim(name, claim).status == status
