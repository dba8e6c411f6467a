"""Identities that textbooks state are proved, the same ones with a slip are not."""

from __future__ import annotations

import re

import pytest

import matcalc as mc

SHAPES = {
    **dict.fromkeys("ABCDPQRS", ("n", "n")),
    **dict.fromkeys("XY", ("m", "n")),
    **dict.fromkeys("xyz", ("n", 1)),
    **dict.fromkeys("ab", (1, 1)),
    "U": ("n", "k"),
    "V": ("k", "n"),
    "E": ("m", "m"),
}

IDENTITIES = r"""
(A*B)' = B'*A'
inv(A*B) = inv(B)*inv(A)
inv(A') = inv(A)'
tr(A*B*C) = tr(C*A*B)
tr(A'*B) = sum(A .* B)
det(A*B) = det(A)*det(B)
det(inv(A)) = 1/det(A)
det(A') = det(A)
det(a*A) = a^n*det(A)
logdet(A*B) = logdet(A) + logdet(B)
inv(eye(n) + U*V)*U = U*inv(eye(k) + V*U)
inv(eye(n) + U*V) = eye(n) - U*inv(eye(k) + V*U)*V
inv(A + U*V) = inv(A) - inv(A)*U*inv(eye(k) + V*inv(A)*U)*V*inv(A)
inv(A + x*y') = inv(A) - inv(A)*x*y'*inv(A)/(1 + y'*inv(A)*x)
det(A + x*y') = det(A)*(1 + y'*inv(A)*x)
det(eye(n) + U*V) = det(eye(k) + V*U)
det(A + U*V) = det(A)*det(eye(k) + V*inv(A)*U)
logdet(eye(n) + U*V) = logdet(eye(k) + V*U)
vec(A*B*C) = kron(C', A)*vec(B)
kron(A,B)*kron(C,D) = kron(A*C, B*D)
kron(A,B)' = kron(A', B')
inv(kron(A,B)) = kron(inv(A), inv(B))
tr(kron(A,B)) = tr(A)*tr(B)
det(kron(A,E)) = det(A)^m*det(E)^n
x'*A*y = y'*A'*x
x'*diag(y)*z = sum(x .* y .* z)
diag(x)*A*diag(y) = A .* (x*y')
diagvec(A*diag(x)*B') = (A .* B)*x
(x*y') .* (y*x') = (x .* y)*(x .* y)'
norm2(x)^2 = x'*x
norm2(x - y)^2 = norm2(x)^2 + norm2(y)^2 - 2*x'*y
sum(X) = ones(1,m)*X*ones(n,1)
sigmoid(x) + sigmoid(-x) = ones(n,1)
tanh(x) = 2*sigmoid(2*x) - 1
sigmoid(x) = (1 + tanh(x/2))/2
softplus(x) - softplus(-x) = x
log(sigmoid(x)) = -softplus(-x)
softmax(x) = exp(x - logsumexp(x))
softmax(x + a) = softmax(x)
logsumexp(x + a) = logsumexp(x) + a
logsumexp(x) = max(x) + log(sum(exp(x - max(x))))
log_softmax(x) = x - logsumexp(x)
log(softmax(X,2)) = log_softmax(X,2)
exp(a)*exp(b) = exp(a + b)
exp(x) .* exp(y) = exp(x + y)
(eye(n) - ones(n,n)/n)*x = x - mean(x)
var(x) = mean(x.^2) - mean(x)^2
sum((x - mean(x)).*(y - mean(y))) = x'*y - n*mean(x)*mean(y)
A*inv(A) = eye(n)
A^2*A^3 = A^5
A^-2 = inv(A)*inv(A)
inv(A) - inv(B) = inv(A)*(B - A)*inv(B)
inv(inv(A) + inv(B)) = A*inv(A + B)*B
inv(A)+inv(B) = inv(A)*(A+B)*inv(B)
A*inv(eye(n) + A) = eye(n) - inv(eye(n) + A)
A*inv(eye(n)+A) = inv(eye(n)+A)*A
expm(A)*expm(-A) = eye(n)
expm(A)*A = A*expm(A)
det(expm(A)) = exp(tr(A))
expm(a*A)*expm(b*A) = expm((a+b)*A)
sqrtm(A)*sqrtm(A) = A
adj(A)*A = det(A)*eye(n)
adj(A*B) = adj(B)*adj(A)
adj(A) = det(A)*inv(A)
comm(m,n)*vec(X) = vec(X')
tr(X'*Y) = vec(X)'*vec(Y)
sum(X .* Y) = tr(X*Y')
relu(x) = x .* step(x)
abs(x) = x .* sign(x)
relu(x) - relu(-x) = x
relu(x) + relu(-x) = abs(x)
max(x) = -min(-x)
cosh(x).^2 - sinh(x).^2 = ones(n,1)
sin(x).^2 + cos(x).^2 = ones(n,1)
sin(2*x) = 2*sin(x).*cos(x)
cos(2*x) = 2*cos(x).^2 - 1
sinh(x) = (exp(x)-exp(-x))/2
log(x.*y) = log(x)+log(y)
sqrt(x.^2) = abs(x)
pinv(X)*X*pinv(X) = pinv(X)
pinv(X') = pinv(X)'
pinv(X) = inv(X'*X)*X'
tr(A)^2 = tr(kron(A,A))
tr(A*B) = vec(A')'*vec(B)
(A+B)^2 = A^2 + A*B + B*A + B^2
norm2(X)^2 = tr(X'*X)
x*x'*y = (x'*y)*x
diag(x)*y = x .* y
diag(x .* y) = diag(x)*diag(y)
ones(n,1)'*softmax(x) = 1
sum(softmax(X,2),2) = ones(m,1)
eigmax(a*eye(n) + A) = a + eigmax(A)
tr(inv(A)*B*inv(A)) = tr(inv(A)^2*B)
[A, B; C, D]*[x; y] = [A*x + B*y; C*x + D*y]
[A, B; C, D]' = [A', C'; B', D']
det([A, B; zeros(n,n), D]) = det(A)*det(D)
X*inv(X'*X)*X'*X = X
(eye(m) - X*inv(X'*X)*X')^2 = eye(m) - X*inv(X'*X)*X'
x'*x*eye(n)*y = y*x'*x
kron(x, y) = vec(y*x')
kron(x',y) = y*x'
erf(-x) = -erf(x)
gammaln(x+1) = gammaln(x) + log(x)
(x'*y)^2 = x'*(y*y')*x
std(x)^2 = var(x)
log1p(x) = log(1+x)
expm1(x) = exp(x) - 1
vech(A) = elim(n)*vec(A)
tr(A .* B) = diagvec(A)'*diagvec(B)
X .* (ones(m,1)*x') = X*diag(x)
"""

FALSE = r"""
(A*B)' = A'*B'
inv(A + U*V) = inv(A) - inv(A)*U*inv(eye(k) + V*U)*V*inv(A)
inv(A + B) = inv(A) + inv(B)
det(A + B) = det(A) + det(B)
det(a*A) = a*det(A)
vec(A*B*C) = kron(C, A)*vec(B)
tr(A*B) = tr(A)*tr(B)
x'*diag(y)*z = sum(x .* y)
sigmoid(x) - sigmoid(-x) = ones(n, 1)
logsumexp(x + a) = logsumexp(x)
var(x) = mean(x.^2) - mean(x)
A*expm(B) = expm(B)*A
inv(inv(A) + inv(B)) = A + B
[A, B; C, D]' = [A', B'; C', D']
det([A, B; zeros(n, n), D]) = det(A) - det(D)
cos(2*x) = 2*cos(x).^2 + 1
logm(expm(A)) = A'
"""


def proved(identity: str) -> mc.Verdict:
    """The verdict, with the shapes of the names that occur."""
    return mc.prove(identity, shapes={k: s for k, s in SHAPES.items() if re.search(rf"\b{k}\b", identity)})


@pytest.mark.parametrize("identity", IDENTITIES.strip().splitlines())
def test_proved(identity):
    assert proved(identity).status == "proved"


@pytest.mark.parametrize("identity", FALSE.strip().splitlines())
def test_disproved(identity):
    assert proved(identity).status == "disproved"


def test_a_logarithm_of_an_exponential_is_undecided():
    """It is A only for eigenvalues with small imaginary parts."""
    assert proved("logm(expm(A)) = A").status == "undecided"
