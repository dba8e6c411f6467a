"""Functions as they are written in practice: likelihoods of linear models, attention, a filter, Gaussian processes."""

import numpy as np
from scipy.special import gammaln, log_ndtr, logsumexp
from scipy.stats import norm


# ---- generalised linear models (negative log-likelihoods by their links)
def gaussian(beta, X, y, sigma2):
    n = X.shape[0]
    resid = y - X @ beta
    return 0.5 * n * np.log(2 * np.pi * sigma2) + 0.5 * np.sum(resid**2) / sigma2


def bernoulli_logit(beta, X, y):
    eta = X @ beta
    return np.sum(np.logaddexp(0, eta) - y * eta)


def bernoulli_probit(beta, X, y):
    q = 2 * y - 1
    return -np.sum(log_ndtr(q * (X @ beta)))


def bernoulli_probit_by_norm(beta, X, y):
    q = 2 * y - 1
    return -np.sum(norm.logcdf(q * (X @ beta))) + norm.pdf(0.5) * np.sum(norm.pdf(beta) * norm.cdf(beta))


def poisson_log(beta, X, y):
    eta = np.dot(X, beta)
    mu = np.exp(eta)
    return np.sum(mu - y * eta + gammaln(y + 1))


def poisson_offset(beta, X, y, exposure):
    mu = np.exp(X.dot(beta)) * exposure
    return -(y * np.log(mu) - mu - gammaln(y + 1.0)).sum()


def gamma_log(beta, X, y, alpha):
    mu = np.exp(X @ beta)
    return -np.sum(alpha * np.log(alpha / mu) + (alpha - 1) * np.log(y) - alpha * y / mu - gammaln(alpha))


def inverse_gaussian(beta, X, y, lam):
    mu = 1 / np.sqrt(X @ beta)
    return -np.sum(0.5 * np.log(lam / (2 * np.pi * y**3)) - lam * (y - mu) ** 2 / (2 * mu**2 * y))


def negative_binomial(beta, X, y, alpha):
    mu = np.exp(X @ beta)
    r = 1 / alpha
    ll = gammaln(y + r) - gammaln(r) - gammaln(y + 1) + r * np.log(r / (r + mu)) + y * np.log(mu / (r + mu))
    return -ll.sum()


def multinomial_logit(B, X, Y):
    logits = X @ B
    return -np.sum(Y * (logits - logsumexp(logits, axis=1, keepdims=True)))


def cloglog(beta, X, y):
    p = 1 - np.exp(-np.exp(X @ beta))
    return -np.sum(y * np.log(p) + (1 - y) * np.log1p(-p))


def elastic_net(beta, X, y, alpha, rho):
    n = len(y)
    r = y - X @ beta
    return r @ r / (2 * n) + alpha * (rho * np.abs(beta).sum() + 0.5 * (1 - rho) * beta @ beta)


def weighted_ridge(beta, X, y, w, lam):
    r = np.sqrt(w) * (y - X @ beta)
    return np.linalg.norm(r) ** 2 + lam * np.linalg.norm(beta) ** 2


def tweedie_deviance(beta, X, y):
    power = 1.5
    mu = np.exp(X @ beta)
    dev = 2 * (
        y ** (2 - power) / ((1 - power) * (2 - power))
        - y * mu ** (1 - power) / (1 - power)
        + mu ** (2 - power) / (2 - power)
    )
    return np.mean(dev)


# ---- a transformer block, one head
def layer_norm(x, g, b, eps=1e-5):
    mean = np.mean(x, axis=-1, keepdims=True)
    variance = np.var(x, axis=-1, keepdims=True)
    return g * (x - mean) / np.sqrt(variance + eps) + b


def softmax(x):
    exp_x = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return exp_x / np.sum(exp_x, axis=-1, keepdims=True)


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def attention(q, k, v, mask):
    return softmax(q @ k.T / np.sqrt(q.shape[-1]) + mask) @ v


def transformer_block(x, Wq, Wk, Wv, Wo, W1, b1, W2, b2, g1, c1, g2, c2, mask):
    h = layer_norm(x, g1, c1)
    x = x + attention(h @ Wq, h @ Wk, h @ Wv, mask) @ Wo
    h = layer_norm(x, g2, c2)
    x = x + gelu(h @ W1 + b1) @ W2 + b2
    return np.mean(x**2)


# ---- a step of a Kalman filter: the log-likelihood of one observation
def kalman_step(A, x, P, Q, C, R, y):
    x_pred = A @ x
    P_pred = A @ P @ A.T + Q
    S = C @ P_pred @ C.T + R
    innovation = y - C @ x_pred
    return -0.5 * (np.linalg.slogdet(2 * np.pi * S)[1] + innovation @ np.linalg.solve(S, innovation))


def kalman_update(A, x, P, Q, C, R, y):
    x_pred = A @ x
    P_pred = A @ P @ A.T + Q
    S = C @ P_pred @ C.T + R
    K = P_pred @ C.T @ np.linalg.inv(S)
    x_new = x_pred + K @ (y - C @ x_pred)
    P_new = (np.eye(len(x)) - K @ C) @ P_pred
    return np.trace(P_new) + x_new @ x_new


# ---- Gaussian processes: the marginal likelihood with three kernels
def sqdist(X, Z):
    return np.sum(X**2, 1)[:, None] + np.sum(Z**2, 1)[None, :] - 2 * X @ Z.T


def marginal(K, y):
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, y))
    return 0.5 * y @ alpha + np.sum(np.log(np.diag(L))) + 0.5 * len(y) * np.log(2 * np.pi)


def gp_rbf(log_ell, log_sf, log_sn, X, y):
    K = np.exp(2 * log_sf) * np.exp(-0.5 * sqdist(X, X) / np.exp(2 * log_ell))
    return marginal(K + np.exp(2 * log_sn) * np.eye(X.shape[0]), y)


def gp_rational_quadratic(ell, alpha, sn, X, y):
    K = (1 + sqdist(X, X) / (2 * alpha * ell**2)) ** (-alpha)
    return marginal(K + sn**2 * np.eye(len(X)), y)


def gp_linear(c, s, sn, X, y):
    Z = X - c
    return marginal(s**2 * Z @ Z.T + sn**2 * np.eye(len(y)), y)


def gp_periodic(ell, period, sn, t, y):
    d = t[:, None] - t[None, :]
    K = np.exp(-2 * np.sin(np.pi * d / period) ** 2 / ell**2)
    return marginal(K + sn**2 * np.eye(len(y)), y)


# ---- what autodiff libraries show in their documents
def logistic_predictions(weights, inputs):
    return 0.5 * (np.tanh(0.5 * np.dot(inputs, weights)) + 1)


def training_loss(weights, inputs, targets):
    preds = logistic_predictions(weights, inputs)
    label_probabilities = preds * targets + (1 - preds) * (1 - targets)
    return -np.sum(np.log(label_probabilities))


def mlp(W1, b1, W2, b2, X, Y):
    hidden = np.tanh(X @ W1 + b1)
    logits = hidden @ W2 + b2
    log_probs = logits - logsumexp(logits, axis=1, keepdims=True)
    return -np.mean(np.sum(log_probs * Y, axis=1))


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
