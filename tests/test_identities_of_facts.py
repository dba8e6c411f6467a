"""Identities that hold for the facts of the declarations are proved, nearly true ones disproved."""

from __future__ import annotations

import pytest

import matcalc as mc

TRUE = """
D: n x n diagonal; x: n x 1
  D*x = diagvec(D) .* x
D: n x n diagonal
  tr(D^2) = sum(diagvec(D).^2)
D: n x n diagonal positive-definite
  inv(D) = diag(1 ./ diagvec(D))
D: n x n diagonal; A: n x n
  diagvec(D*A) = diagvec(D) .* diagvec(A)
D: n x n diagonal; A: n x n
  D*A = (diagvec(D)*ones(1, n)) .* A
D: n x n diagonal; A: n x n
  tr(D*A) = diagvec(D)'*diagvec(A)
D: n x n diagonal
  expm(D) = diag(exp(diagvec(D)))
D: n x n diagonal positive-definite
  sqrtm(D) = diag(sqrt(diagvec(D)))
D: n x n diagonal positive-definite
  logm(D) = diag(log(diagvec(D)))
D: n x n diagonal positive-definite
  logdet(D) = sum(log(diagvec(D)))
D: n x n diagonal invertible; A: n x n invertible
  logdet(D*A) = logdet(A) + sum(log(abs(diagvec(D))))
D: n x n diagonal; x: n x 1
  x'*D*x = sum(diagvec(D) .* x.^2)
D: n x n diagonal
  norm2(D) = norm2(diagvec(D))
D: n x n diagonal; E: n x n diagonal
  diagvec(D*E) = diagvec(D) .* diagvec(E)
D: n x n diagonal
  D' = D
D: n x n diagonal positive-definite; A: n x n
  inv(D)*A*inv(D) = A ./ (diagvec(D)*diagvec(D)')
L: n x n lower-triangular; M: n x n lower-triangular
  tr(L*M) = diagvec(L)'*diagvec(M)
L: n x n lower-triangular; M: n x n lower-triangular
  det(L*M) = prod(diagvec(L))*prod(diagvec(M))
L: n x n lower-triangular
  logdet(L*L') = 2*sum(log(abs(diagvec(L))))
U: n x n upper-triangular
  det(U') = prod(diagvec(U))
A: n x n; B: n x n; C: n x n
  tr(kron(A, B)*kron(C, C)) = tr(A*C)*tr(B*C)
A: n x n invertible; B: n x p; D: p x p invertible
  det([A, B; zeros(p, n), D]) = det(A)*det(D)
A: n x n invertible; B: n x p; C: p x n; D: p x p
  logdet([A, B; C, D]) = logdet(A) + logdet(D - C*inv(A)*B)
A: n x n invertible; B: n x p; D: p x p invertible
  inv([A, B; zeros(p, n), D]) = [inv(A), -inv(A)*B*inv(D); zeros(p, n), inv(D)]
A: n x n positive-definite; U: n x k; C: k x k positive-definite
  logdet(A + U*C*U') = logdet(A) + logdet(C) + logdet(inv(C) + U'*inv(A)*U)
A: n x n positive-definite; U: n x k; C: k x k positive-definite
  det(A + U*C*U') = det(A)*det(C)*det(inv(C) + U'*inv(A)*U)
X: n x p; W: n x n positive-definite
  tr(X*inv(X'*W*X)*X'*W) = p
X: n x p; P: n x n symmetric
  tr((eye(n) - X*inv(X'*X)*X')^2) = n - p
X: n x p; y: n x 1
  y'*(eye(n) - X*inv(X'*X)*X')*y = y'*y - y'*X*inv(X'*X)*X'*y
P: n x n positive-definite; R: m x m positive-definite; H: m x n
  P*H'*inv(H*P*H' + R) = inv(inv(P) + H'*inv(R)*H)*H'*inv(R)
P: n x n positive-definite; R: m x m positive-definite; H: m x n
  inv(inv(P) + H'*inv(R)*H) = P - P*H'*inv(H*P*H' + R)*H*P
A: n x n; c: scalar nonzero
  (c*A)^2 = c^2*A^2
x: n x 1; y: n x 1
  norm2(kron(x, y)) = norm2(x)*norm2(y)
A: m x n; B: p x q
  normnuc(kron(A, B)) = normnuc(A)*normnuc(B)
x: n x 1; A: m x n
  norm1(x') = norm1(x)
x: n x 1
  max(2*x) = 2*max(x)
x: n x 1; c: scalar positive
  max(c*x) = c*max(x)
x: n x 1; A: n x n
  sum(diag(x)*A) = x'*sum(A, 2)
X: n x p
  sum((X - mean(X, 1)).^2) = norm2(X)^2 - n*norm2(mean(X, 1))^2
X: n x p
  X'*X - n*mean(X,1)'*mean(X,1) = (X - mean(X,1))'*(X - mean(X,1))
x: n x 1; y: n x 1
  sum((x - mean(x)).*(y - mean(y))) = x'*y - n*mean(x)*mean(y)
x: n x 1; y: n x 1
  sum((x - mean(x)).*y) = sum(x.*(y - mean(y)))
A: n x n symmetric; B: n x n symmetric
  tr((A*B - B*A)^2) = 2*tr(A*B*A*B) - 2*tr(A^2*B^2)
A: n x n; B: n x n
  tr(A*B - B*A) = 0
A: n x n; B: n x n; C: n x n
  (A*B - B*A)*C + C*(A*B - B*A) = A*B*C - B*A*C + C*A*B - C*B*A
K: n x n skew
  tr(K^3) = 0
K: n x n skew; A: n x n
  tr(A'*K*A) = 0
Q: n x n orthogonal; x: n x 1; y: n x 1
  norm2(Q*x - Q*y) = norm2(x - y)
Q: n x n orthogonal; A: n x n
  expm(Q*A*Q') = Q*expm(A)*Q'
P: n x n invertible; A: n x n
  expm(P*A*inv(P)) = P*expm(A)*inv(P)
P: n x n invertible; A: n x n
  tr(P*A*inv(P)) = tr(A)
P: n x n invertible; A: n x n
  det(P*A*inv(P)) = det(A)
P: n x n invertible; A: n x n
  (P*A*inv(P))^3 = P*A^3*inv(P)
A: m x n
  pinv(A')' = pinv(A)
A: m x n
  A*pinv(A)*A = A
A: n x n invertible
  pinv(A) = inv(A)
x: n x 1
  softmax(x)'*(diag(softmax(x)) - softmax(x)*softmax(x)')*ones(n,1) = 0
x: n x 1
  (diag(softmax(x)) - softmax(x)*softmax(x)')*ones(n,1) = zeros(n, 1)
x: n x 1
  sum(softmax(x).*log_softmax(x)) = softmax(x)'*x - logsumexp(x)
x: scalar
  log(2*cosh(x)) = x + softplus(-2*x)
x: scalar
  sigmoid(x)/(1 - sigmoid(x)) = exp(x)
x: scalar
  log(sigmoid(x)/(1 - sigmoid(x))) = x
x: scalar
  sigmoid(x)^2 + sigmoid(x)*sigmoid(-x) = sigmoid(x)
x: scalar
  erf(-x) = -erf(x)
x: scalar
  normcdf(x) + normcdf(-x) = 1
x: scalar
  normcdf(x) = (1 + erf(x/sqrt(2)))/2
x: scalar positive
  gammaln(x + 1) = gammaln(x) + log(x)
x: scalar; y: scalar
  tanh(x + y) = (tanh(x) + tanh(y))/(1 + tanh(x)*tanh(y))
x: scalar
  sin(3*x) = 3*sin(x) - 4*sin(x)^3
x: scalar
  cosh(x)^2 + sinh(x)^2 = cosh(2*x)
x: scalar
  abs(sin(x))^2 = 1 - cos(x)^2
A: n x n positive-definite; U: n x k; C: k x k positive-definite
  inv(A + U*C*U') = inv(A) - inv(A)*U*inv(inv(C) + U'*inv(A)*U)*U'*inv(A)
A: n x n invertible; U: n x k; C: k x k invertible; V: k x n
  inv(A + U*C*V) = inv(A) - inv(A)*U*inv(inv(C) + V*inv(A)*U)*V*inv(A)
Q: n x n orthogonal; R: n x n orthogonal; A: n x n
  normnuc(Q*A*R) = normnuc(A)
Q: n x n orthogonal; A: n x n
  normspec(Q*A) = normspec(A)
A: m x n
  normspec(A) = normspec(A')
A: m x n
  normspec(A)^2 = eigmax(A'*A)
A: n x n invertible; B: p x p invertible
  inv([A, zeros(n, p); zeros(p, n), B]) = [inv(A), zeros(n, p); zeros(p, n), inv(B)]
X: n x p
  tr(X*inv(X'*X)*X') = p
X: n x p
  tr(eye(n) - X*inv(X'*X)*X') = n - p
S: n x n positive-definite
  inv(S) = inv(sqrtm(S))*inv(sqrtm(S))
S: n x n positive-definite
  logdet(S) = tr(logm(S))
S: n x n positive-definite
  det(sqrtm(S))^2 = det(S)
S: n x n positive-definite
  eigmax(inv(S)) = 1/eigmin(S)
S: n x n symmetric; c: scalar positive
  eigmax(c*S) = c*eigmax(S)
Q: n x n orthogonal; S: n x n symmetric
  eigvals(Q*S*Q') = eigvals(S)
A: m x n; u: m x 1; v: n x 1
  u'*A*v = sum(A .* (u*v'))
A: m x n; B: p x q
  norm2(kron(A, B)) = norm2(A)*norm2(B)
x: n x 1
  cumsum(x) = tril(ones(n, n))*x
x: n x 1; c: scalar
  max(x + c) = max(x) + c
D: n x n diagonal
  det(D) = prod(diagvec(D))
X: n x p
  tr(X'*(eye(n) - ones(n, n)/n)*X) = sum((X - mean(X, 1)).^2)
A: n x n invertible; B: n x p; C: p x n; D: p x p
  det([A, B; C, D]) = det(A)*det(D - C*inv(A)*B)
x: n x 1; y: n x 1
  norm2(x*y') = norm2(x)*norm2(y)
L: n x n lower-triangular
  det(L) = prod(diagvec(L))
K: 3 x 3 skew
  det(K) = 0
A: 2 x 2
  A^2 - tr(A)*A + det(A)*eye(2) = zeros(2, 2)
A: 2 x 2
  2*det(A) = tr(A)^2 - tr(A^2)
A: 2 x 2 invertible
  inv(A) = (tr(A)*eye(2) - A)/det(A)
A: 2 x 2
  adj(A) = tr(A)*eye(2) - A
A: 3 x 3
  6*det(A) = tr(A)^3 - 3*tr(A)*tr(A^2) + 2*tr(A^3)
S: 2 x 2 symmetric
  det(S) = S[1,1]*S[2,2] - S[1,2]^2
L: 3 x 3 lower-triangular
  det(L) = L[1,1]*L[2,2]*L[3,3]
x: 2 x 1; A: 2 x 2 symmetric
  x'*A*x = A[1,1]*x[1]^2 + 2*A[1,2]*x[1]*x[2] + A[2,2]*x[2]^2
K: 2 x 2 skew
  det(K) = K[1,2]^2
K: 2 x 2 skew
  K^2 = -det(K)*eye(2)
A: 2 x 2; B: 2 x 2
  tr((A*B - B*A)^2) = -2*det(A*B - B*A)
A: 2 x 2
  norm2(A)^2 = A[1,1]^2 + A[1,2]^2 + A[2,1]^2 + A[2,2]^2
a: 3 x 1; b: 3 x 1
  norm2([0, -a[3], a[2]; a[3], 0, -a[1]; -a[2], a[1], 0]*b)^2 = norm2(a)^2*norm2(b)^2 - (a'*b)^2
x: n x 1
  softplus(x) = x/2 + log(2*cosh(x/2))
x: n x 1
  log(cosh(x)) = softplus(2*x) - x - log(2)
x: n x 1; y: m x 1
  logsumexp([x; y]) = log(exp(logsumexp(x)) + exp(logsumexp(y)))
X: n x m
  logsumexp(2*X) = log(sum(exp(X).^2))
x: n x 1 positive
  prod(x) = exp(sum(log(x)))
x: n x 1 positive; y: n x 1 positive
  log(prod(x .* y.^2)) = sum(log(x)) + 2*log(prod(y))
A: n x n; B: m x m
  kron(A, B)^3 = kron(A^3, B^3)
A: n x n positive-definite; B: n x n positive-definite
  A - A*inv(A + B)*A = A*inv(A + B)*B
A: n x n positive-definite; B: n x n positive-definite
  eye(n) - inv(A + B)*A = inv(A + B)*B
P: n x n positive-definite; Q: n x n positive-definite; R: n x n positive-definite; s: scalar positive
  P*inv(s*P + Q + R) = (eye(n) - (Q + R)*inv(s*P + Q + R))/s
W: n x n symmetric
  sum(W, 1)' = sum(W, 2)
W: n x n symmetric; X: n x p
  tr(X'*(diag(sum(W, 2)) - W)*X) = sum(W .* pdist2(X, X))/2
A: n x n positive-definite
  inv(sqrtm(A)) = sqrtm(inv(A))
A: n x n positive-definite; c: scalar positive
  chol(c*A) = sqrt(c)*chol(A)
A: m x n
  pinv(A'*A)*A' = pinv(A)
A: n x n symmetric; c: scalar
  eigvals(A + c*eye(n)) = eigvals(A) + c
A: n x n symmetric; c: scalar positive
  eigvals(c*A) = c*eigvals(A)
x: n x 1
  eigmax(x*x') = x'*x
X: n x n; Y: n x n
  X*Y - X*Y = 0
x: n x 1
  cosh(x).^2 - sinh(x).^2 = 1
X: n x m
  sum(softmax(X, 2), 2) = 1
a: n x 1; c: scalar
  std(c*a) = abs(c)*std(a)
X: m x n; c: scalar positive
  standardize(c*X, 1) = standardize(X, 1)
X: m x n
  var(standardize(X, 1), 1) = ones(1, n)
A: n x n positive-definite
  sqrtm(A)*inv(A) = inv(sqrtm(A))
x: n x 1
  arcsin(x) + arccos(x) = pi/2
x: n x 1
  arctan(x) + arctan(1./x) = pi/2*sign(x)
t: scalar positive
  arctan(t) + arctan(1/t) = pi/2
x: n x 1
  norm1(x)^2 = sum(abs(x*x'))
x: n x 1 positive
  exp(mean(log(x))) = prod(x)^(1/n)
t: scalar positive; s: scalar
  t^s = exp(s*log(t))
x: n x 1 positive; y: n x 1
  x.^y = exp(y .* log(x))
A: n x n; B: n x n
  det([A, B; B, A]) = det(A + B)*det(A - B)
x: n x 1
  x .* normcdf(x) + exp(-x.^2/2)/sqrt(2*pi) = x .* normcdf(x) + normpdf(x)
"""

FALSE = """
a: n x 1; c: scalar
  std(c*a) = c*std(a)
X: m x n; c: scalar
  standardize(c*X, 1) = standardize(X, 1)
A: n x n positive-definite
  sqrtm(A)*inv(A) = inv(A)
x: n x 1
  arctan(x) + arctan(1./x) = pi/2
x: n x 1
  norm1(x)^2 = abs(sum(x*x'))
x: n x 1 positive
  exp(mean(log(x))) = prod(x)/n
A: n x n; B: n x n
  det([A, B; B, A]) = det(A)^2 - det(B)^2
A: n x n positive-definite; U: n x k; C: k x k positive-definite
  inv(A + U*C*U') = inv(A) - inv(A)*U*inv(C + U'*inv(A)*U)*U'*inv(A)
A: n x n positive-definite; U: n x k; C: k x k positive-definite
  det(A + U*C*U') = det(A)*det(inv(C) + U'*inv(A)*U)
A: n x n; Q: n x n orthogonal
  norm1(Q*A) = norm1(A)
A: n x n; P: n x n invertible
  normspec(P*A) = normspec(A)
A: n x n; P: n x n invertible
  expm(P*A*P') = P*expm(A)*P'
S: n x n symmetric; c: scalar
  eigmax(c*S) = c*eigmax(S)
x: n x 1; c: scalar
  max(c*x) = c*max(x)
S: n x n positive-definite
  eigmax(inv(S)) = 1/eigmax(S)
A: n x n; B: n x n
  normnuc(A*B) = normnuc(A)*normnuc(B)
A: n x n; B: n x n
  norm2(A*B) = norm2(A)*norm2(B)
A: n x n invertible; B: n x n; C: n x n; D: n x n
  det([A, B; C, D]) = det(A)*det(D - B*inv(A)*C)
A: n x n invertible; B: n x p; D: p x p invertible
  inv([A, B; zeros(p, n), D]) = [inv(A), -B*inv(D); zeros(p, n), inv(D)]
X: n x p
  tr(X*inv(X'*X)*X') = n
D: n x n diagonal; A: n x n
  D*A = (ones(n, 1)*diagvec(D)') .* A
D: n x n diagonal
  expm(D) = exp(D)
L: n x n lower-triangular; U: n x n upper-triangular
  tr(L*U) = diagvec(L)'*diagvec(U)
L: n x n lower-triangular
  logdet(L) = sum(log(diagvec(L).^2))
A: n x n
  det(A) = prod(diagvec(A))
x: n x 1
  cumsum(x) = triu(ones(n, n))*x
A: m x n; x: n x 1
  A'*(1 - tanh(A*x).^2) = A'*(1 ./ cosh(A*x))
A: m x n; u: m x 1
  sum((u*ones(1, n)) .* A) = sum(u)*sum(A)
S: n x n positive-definite
  det(sqrtm(S)) = det(S)^2
K: 3 x 3 skew
  det(K + eye(3)) = 1
A: 3 x 3
  A^2 - tr(A)*A + det(A)*eye(3) = zeros(3, 3)
A: 2 x 2
  det(A) = tr(A)^2 - tr(A^2)
S: 3 x 3 symmetric
  det(S) = 0
K: 4 x 4 skew
  det(K) = 0
A: 2 x 2; B: 2 x 2
  det(A + B) = det(A) + det(B)
L: 2 x 2 lower-triangular
  L*L' = L'*L
x: n x 1
  softplus(x) = x/2 + log(cosh(x/2))
x: n x 1; y: m x 1
  logsumexp([x; y]) = log(exp(logsumexp(x)) + 2*exp(logsumexp(y)))
x: n x 1
  exp(x).^2 = exp(x.^2)
x: n x 1
  prod(2*x) = 2*prod(x)
A: n x n; B: n x n
  kron(A, B)*kron(B, A) = kron(A*A, B*B)
A: n x n positive-definite; B: n x n positive-definite
  A - A*inv(A + B)*A = A*inv(A + B)*A
A: n x n positive-definite; B: n x n positive-definite; s: scalar positive
  A*inv(A + s*B) = eye(n) - B*inv(A + s*B)
W: n x n
  sum(W, 1)' = sum(W, 2)
A: n x n positive-definite
  chol(4*A) = 4*chol(A)
A: n x n symmetric; c: scalar
  eigvals(c*A) = c*eigvals(A)
X: n x n
  X - X' = 0
x: n x 1
  cosh(x).^2 - sinh(x).^2 = 0
"""


def pairs(text: str) -> list[str]:
    """Declarations and identity, each time."""
    lines = text.strip().splitlines()
    return [f"{declared}\n{said.strip()}" for declared, said in zip(lines[::2], lines[1::2])]


@pytest.mark.parametrize("source", pairs(TRUE))
def test_what_is_true_is_proved(source: str) -> None:
    found = mc.prove(source)
    assert found.status == "proved", found
    assert found.steps
    assert all(before.after is after.before for before, after in zip(found.steps, found.steps[1:]))


@pytest.mark.parametrize("source", pairs(FALSE))
def test_what_is_nearly_true_is_disproved(source: str) -> None:
    assert mc.prove(source).status == "disproved"


@pytest.mark.parametrize("identity", ["X*inv(X) = 1", "exp(X - X) = 1", "2 = X + inv(X)"])
def test_a_number_beside_a_square_matrix_has_two_readings(identity: str) -> None:
    with pytest.raises(mc.MatcalcError, match=r"two readings: write (2\*)?eye\(n\), or (2\*)?ones\(n, n\)"):
        mc.prove(f"X: n x n nonsingular; {identity}")
