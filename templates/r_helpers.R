# A matrix of numbers of this size; a plain vector is a column or a row where one is needed.
taken_matrix <- function(x, name, rows = NA, columns = NA) {
  if (is.data.frame(x)) x <- as.matrix(x)
  if (!is.numeric(x) && !is.logical(x)) stop(name, " must be a matrix of numbers", call. = FALSE)
  if (is.null(dim(x))) {
    if (identical(columns, 1)) x <- matrix(x, ncol = 1)
    else if (identical(rows, 1)) x <- matrix(x, nrow = 1)
    else stop(name, " must be a matrix, got a vector of length ", length(x), call. = FALSE)
  }
  wanted <- c(rows, columns)
  if (length(dim(x)) != 2 || any(wanted != dim(x), na.rm = TRUE)) {
    wanted[is.na(wanted)] <- "any number"
    stop(name, " is ", paste(dim(x), collapse = " x "), "; needed ", paste(wanted, collapse = " x "), call. = FALSE)
  }
  if (length(x) == 0) stop(name, " is empty", call. = FALSE)
  storage.mode(x) <- "double"
  dimnames(x) <- NULL
  x
}

# A number.
taken_number <- function(x, name) {
  if (!(is.numeric(x) || is.logical(x)) || length(x) != 1) stop(name, " must be one number", call. = FALSE)
  as.double(x)
}

# A size that no argument has.
taken_size <- function(x, name) {
  if (!is.numeric(x) || length(x) != 1 || is.na(x) || x < 1 || x != round(x)) {
    stop(name, " must be a whole number, at least 1", call. = FALSE)
  }
  as.double(x)
}

# The direction of a variable; zero where it is left out.
taken_tangent <- function(tangents, name, rows, columns) {
  x <- tangents[[name]]
  if (is.null(x)) return(matrix(0, rows, columns))
  taken_matrix(x, name, rows, columns)
}

# A list of directions for some of these variables.
check_tangents <- function(tangents, names) {
  if (!is.list(tangents) || length(tangents) == 0 || !all(names(tangents) %in% names) || is.null(names(tangents))) {
    stop("tangents must be a list with some of: ", paste(names, collapse = ", "), call. = FALSE)
  }
}

# Refuse a size of 0.
not_zero <- function(size, text) {
  if (size == 0) stop(text, " is 0, and the function divides by it", call. = FALSE)
}

# A derivative in the form of its variable: a plain vector for a plain vector, with its names.
like <- function(x, given) {
  if (is.data.frame(given)) given <- as.matrix(given)
  if (is.null(dim(given))) {
    x <- c(x)
    names(x) <- names(given)
  } else {
    x <- matrix(x, nrow(given), ncol(given), dimnames = dimnames(given))
  }
  x
}

# A number, a row or a column, repeated to m x n.
along <- function(x, m, n) {
  if (length(x) == 1) return(matrix(c(x), m, n))
  if (nrow(x) == 1) matrix(c(x), m, n, byrow = TRUE) else matrix(c(x), m, n)
}

row_sums <- function(x) matrix(rowSums(x), ncol = 1)

col_sums <- function(x) matrix(colSums(x), nrow = 1)

row_means <- function(x) matrix(rowMeans(x), ncol = 1)

col_means <- function(x) matrix(colMeans(x), nrow = 1)

# A function of each row, as a column.
by_row <- function(x, f) matrix(apply(x, 1, f), ncol = 1)

# A function of each column, as a row.
by_col <- function(x, f) matrix(apply(x, 2, f), nrow = 1)

# `yes` where the test holds, else `no`: numbers, or in the shape of the test.
choose_entries <- function(test, yes, no) {
  test <- test & !is.na(test)
  result <- test
  result[] <- no
  result[test] <- if (length(yes) == 1) yes else yes[test]
  result
}

# log(1 + exp(x)), without overflow.
softplus <- function(x) pmax(x, 0) + log1p(exp(-abs(x)))

# log(1 - exp(-x)) for positive x, without cancellation.
log1mexp <- function(x) choose_entries(x < log(2), log(-expm1(-x)), log1p(-exp(-x)))

# x + ratio, where ratio is phi(x)/Phi(x) of the normal distribution: for x < -5 by its continued fraction.
mean_excess <- function(x, ratio) {
  t <- pmax(-x, 5)
  tail <- 0 * t
  for (k in 30:1) tail <- k / (t + tail)
  choose_entries(x < -5, tail, x + ratio)
}

# exp(x) / sum(exp(x)) in each row, without overflow.
softmax_rows <- function(x) {
  e <- exp(x - apply(x, 1, max))
  e / rowSums(e)
}

softmax_cols <- function(x) t(softmax_rows(t(x)))

# log(softmax(x)) in each row.
log_softmax_rows <- function(x) {
  x <- x - apply(x, 1, max)
  x - log(rowSums(exp(x)))
}

log_softmax_cols <- function(x) t(log_softmax_rows(t(x)))

# log(sum(exp(x))), without overflow.
log_sum_exp <- function(x) {
  top <- max(x)
  if (!is.finite(top)) top <- 0
  top + log(sum(exp(x - top)))
}

# 1 / x, and 0 where x is 0.
reciprocal <- function(x) choose_entries(x == 0, 0, 1 / x)

huber <- function(x, delta) choose_entries(abs(x) > delta, delta * (abs(x) - delta / 2), x^2 / 2)

leaky_relu <- function(x, slope) choose_entries(x > 0, x, slope * x)

elu <- function(x, alpha) choose_entries(x > 0, x, alpha * expm1(pmin(x, 0)))

selu <- function(x) 1.0507009873554805 * elu(x, 1.6732632423543772)

# The error function, without cancellation near 0.
erf <- function(x) sign(x) * pgamma(x^2, 0.5)

erfc <- function(x) 2 * pnorm(x * sqrt(2), lower.tail = FALSE)

# exp(x^2) erfc(x): a continued fraction where the first factor is large.
erfcx <- function(x) {
  large <- pmax(x, 4)
  tail <- 0 * large
  for (k in 100:1) tail <- (k / 2) / (large + tail)
  small <- pmin(x, 4)
  choose_entries(x > 4, 1 / (sqrt(pi) * (large + tail)), exp(small^2) * erfc(small))
}

# log(det(x)); nan where the determinant is negative.
log_det <- function(x) {
  found <- determinant(x, logarithm = TRUE)
  if (found$sign >= 0) as.vector(found$modulus) else NaN
}

# The diagonal matrix of a vector (diag() of one number would be an identity).
diag_of <- function(v) diag(c(v), length(v))

# x + diag(v), or x + v I for a number v.
add_diagonal <- function(x, v) {
  diag(x) <- diag(x) + c(v)
  x
}

# The commutation matrix: vec(X') = commutation(m, n) vec(X) for X m x n.
commutation <- function(m, n) diag(m * n)[c(t(matrix(seq_len(m * n), m, n))), , drop = FALSE]

# kron(a, b) m, without the Kronecker product; NULL is an identity.
kron_times <- function(a, b, m) {
  count <- if (is.null(a)) nrow(m) / ncol(b) else ncol(a)
  inner <- if (is.null(b)) nrow(m) / count else ncol(b)
  columns <- lapply(seq_len(ncol(m)), function(k) {
    x <- matrix(m[, k], inner, count)
    if (!is.null(b)) x <- b %*% x
    if (!is.null(a)) x <- tcrossprod(x, a)
    c(x)
  })
  matrix(unlist(columns), ncol = ncol(m))
}

# m kron(a, b), without the Kronecker product; NULL is an identity.
times_kron <- function(m, a, b) {
  t(kron_times(if (!is.null(a)) t(a), if (!is.null(b)) t(b), t(m)))
}

# The blocks of g, each times b, summed: the adjoint of x -> kron(x, b).
block_inner <- function(g, b) {
  p <- nrow(b)
  q <- ncol(b)
  inner <- function(i, j) sum(g[(i - 1) * p + seq_len(p), (j - 1) * q + seq_len(q)] * b)
  outer(seq_len(nrow(g) / p), seq_len(ncol(g) / q), Vectorize(inner))
}

# The sum of the blocks of g weighted by a: the adjoint of x -> kron(a, x).
block_sum <- function(a, g) {
  p <- nrow(g) / nrow(a)
  q <- ncol(g) / ncol(a)
  result <- matrix(0, p, q)
  for (i in seq_len(nrow(a))) for (j in seq_len(ncol(a))) {
    result <- result + a[i, j] * g[(i - 1) * p + seq_len(p), (j - 1) * q + seq_len(q), drop = FALSE]
  }
  result
}

# Rows i to j and columns k to l.
slice <- function(x, i, j, k, l) {
  if (i < 1 || i > j || j > nrow(x) || k < 1 || k > l || l > ncol(x)) {
    stop("rows ", i, " to ", j, ", columns ", k, " to ", l, " of a ", nrow(x), " x ", ncol(x), " matrix", call. = FALSE)
  }
  x[i:j, k:l, drop = FALSE]
}

# An m x n matrix of zeros with x as its block that starts at row i and column k.
place <- function(x, m, n, i, k) {
  if (i < 1 || i > m - nrow(x) + 1 || k < 1 || k > n - ncol(x) + 1) stop("a block does not fit", call. = FALSE)
  result <- matrix(0, m, n)
  result[i - 1 + seq_len(nrow(x)), k - 1 + seq_len(ncol(x))] <- x
  result
}

# The columns of the lower triangle, stacked.
vech <- function(x) matrix(x[lower.tri(x, diag = TRUE)], ncol = 1)

# The lower triangular matrix whose vech is v.
unvech <- function(v, n) {
  result <- matrix(0, n, n)
  result[lower.tri(result, diag = TRUE)] <- c(v)
  result
}

lower_part <- function(x) {
  x[upper.tri(x)] <- 0
  x
}

upper_part <- function(x) {
  x[lower.tri(x)] <- 0
  x
}

# Entry i, j: the sum of g along the diagonal of i, j.
diag_sums <- function(g) {
  offset <- col(g) - row(g) + nrow(g)
  sums <- tapply(c(g), factor(c(offset), levels = seq_len(2 * nrow(g) - 1)), sum)
  matrix(sums[c(offset)], nrow(g))
}

# The duplication matrix: vec(S) = duplication(n) vech(S) for symmetric S.
duplication <- function(n) {
  number <- unvech(seq_len(n * (n + 1) / 2), n)
  number <- pmax(number, t(number))
  diag(n * (n + 1) / 2)[c(number), , drop = FALSE]
}

# The elimination matrix: vech(X) = elimination(n) vec(X).
elimination <- function(n) diag(n * n)[c(vech(matrix(seq_len(n * n), n, n))), , drop = FALSE]

# The matrix with diag's entries: vec(diag(v)) = diagonal_selection(n) v.
diagonal_selection <- function(n) diag(n * n)[, seq(1, n * n, by = n + 1), drop = FALSE]

# vec(T) = toeplitz_basis(n) times the diagonals of T, from the lower left corner up.
toeplitz_basis <- function(n) {
  x <- matrix(0, n, n)
  diag(2 * n - 1)[c(col(x) - row(x) + n), , drop = FALSE]
}

# vec(T) = symmetric_toeplitz_basis(n) times the first row of T.
symmetric_toeplitz_basis <- function(n) {
  x <- matrix(0, n, n)
  diag(n)[c(abs(col(x) - row(x))) + 1, , drop = FALSE]
}

# vec(S) = skew_basis(n) times the columns below the diagonal of S, stacked.
skew_basis <- function(n) {
  number <- matrix(seq_len(n * n), n, n)
  below <- number[lower.tri(number)]
  result <- matrix(0, n * n, length(below))
  result[cbind(below, seq_along(below))] <- 1
  result[cbind(t(number)[below], seq_along(below))] <- -1
  result
}

# The matrix T with T x the convolution of x (of length m) and w.
convolution_matrix <- function(w, m) {
  result <- matrix(0, nrow(w) + m - 1, m)
  for (j in seq_len(m)) result[j - 1 + seq_len(nrow(w)), j] <- w
  result
}

# The squared distances of the rows of x from those of z; where they nearly coincide, from their differences.
squared_distances <- function(x, z) {
  centre <- colSums(x) / nrow(x)
  a <- t(t(x) - centre)
  b <- t(t(z) - centre)
  sizes <- outer(rowSums(a^2), rowSums(b^2), "+")
  result <- sizes - 2 * tcrossprod(a, b)
  near <- which(result < sizes / 8, arr.ind = TRUE)
  result[near] <- rowSums((x[near[, 1], , drop = FALSE] - z[near[, 2], , drop = FALSE])^2)
  result
}

# A whole power of a square matrix, or of its inverse.
whole_power <- function(x, k) {
  if (k < 0) return(whole_power(solve(x, tol = 0), -k))
  result <- diag(nrow(x))
  while (k > 0) {
    if (k %% 2 == 1) result <- result %*% x
    k <- k %/% 2
    if (k > 0) x <- x %*% x
  }
  result
}

# The products of all other entries in each row.
other_products_rows <- function(x) {
  result <- x
  for (j in seq_len(ncol(x))) result[, j] <- apply(x[, -j, drop = FALSE], 1, prod)
  result
}

other_products_cols <- function(x) t(other_products_rows(t(x)))

other_products <- function(x) matrix(other_products_rows(matrix(x, 1)), nrow(x))

# The derivative of other_products_rows at x in the direction v.
other_products_rows_slope <- function(x, v) {
  result <- 0 * x
  for (j in seq_len(ncol(x))) for (k in seq_len(ncol(x))[-j]) {
    result[, j] <- result[, j] + v[, k] * apply(x[, -c(j, k), drop = FALSE], 1, prod)
  }
  result
}

other_products_cols_slope <- function(x, v) t(other_products_rows_slope(t(x), t(v)))

other_products_slope <- function(x, v) matrix(other_products_rows_slope(matrix(x, 1), matrix(v, 1)), nrow(x))

# The derivative of some order of other_products on vec, the entries in groups: a column for each tuple of entries.
products_form <- function(x, order, groups) {
  size <- length(x)
  result <- matrix(0, size, size^order)
  for (group in groups) {
    places <- as.matrix(expand.grid(rep(list(group), order + 1)))
    for (k in seq_len(nrow(places))) {
      place <- places[k, ]
      if (anyDuplicated(place)) next
      column <- 1 + sum((place[-1] - 1) * size^(rev(seq_len(order)) - 1))
      result[place[1], column] <- prod(x[setdiff(group, place)])
    }
  }
  result
}

products_form_all <- function(x, order) products_form(x, order, list(seq_along(x)))

products_form_cols <- function(x, order) products_form(x, order, split(seq_along(x), c(col(x))))

products_form_rows <- function(x, order) products_form(x, order, split(seq_along(x), c(row(x))))

not_finite <- function(x) !all(is.finite(x))

nans <- function(x) matrix(NaN, nrow(x), ncol(x))

# Whether x is symmetric up to rounding.
symmetric <- function(x) max(abs(x - t(x))) <= 8 * nrow(x) * .Machine$double.eps * max(abs(x))

# Ascending eigenvalues and eigenvectors (length 1, largest entry positive); nan where they are complex.
eigen_pairs <- function(x) {
  if (not_finite(x)) return(list(values = nans(x)[, 1], vectors = nans(x)))
  found <- if (symmetric(x)) eigen((x + t(x)) / 2, symmetric = TRUE) else eigen(x, symmetric = FALSE)
  if (is.complex(found$values)) return(list(values = nans(x)[, 1], vectors = nans(x)))
  order <- order(found$values)
  list(values = found$values[order], vectors = upright(found$vectors[, order, drop = FALSE]))
}

# Columns of length 1 with their largest entry positive.
upright <- function(vectors) {
  apply_column <- function(v) v / sqrt(sum(v^2)) * sign(v[which.max(abs(v))])
  matrix(apply(vectors, 2, apply_column), nrow(vectors))
}

eigen_values <- function(x) matrix(eigen_pairs(x)$values)

eigen_vectors <- function(x) eigen_pairs(x)$vectors

# The eigenvalue that is largest (sign 1) or smallest (sign -1), and its eigenvector; nan where it is complex.
extreme_pair <- function(x, sign) {
  if (not_finite(x)) return(list(value = NaN, vector = nans(x)[, 1, drop = FALSE]))
  found <- if (symmetric(x)) eigen((x + t(x)) / 2, symmetric = TRUE) else eigen(x, symmetric = FALSE)
  k <- which.max(sign * Re(found$values))
  if (Im(found$values[k]) != 0) return(list(value = NaN, vector = nans(x)[, 1, drop = FALSE]))
  list(value = Re(found$values[k]), vector = upright(Re(found$vectors[, k, drop = FALSE])))
}

# The pseudoinverse; singular values that are rounding errors count as 0.
pseudo_inverse <- function(x) {
  if (not_finite(x)) return(t(nans(x)))
  found <- svd(x)
  kept <- found$d > 10 * max(dim(x)) * .Machine$double.eps * found$d[1]
  if (!any(kept)) return(0 * t(x))
  found$v[, kept, drop = FALSE] %*% (t(found$u[, kept, drop = FALSE]) / found$d[kept])
}

# The pseudoinverse of (t I - x), t the largest (sign 1) or smallest (sign -1) eigenvalue of a symmetric x.
resolvent <- function(x, sign) {
  found <- eigen((x + t(x)) / 2, symmetric = TRUE)
  gaps <- (if (sign > 0) max(found$values) else min(found$values)) - found$values
  small <- abs(gaps) <= 10 * nrow(x) * .Machine$double.eps * max(abs(found$values))
  found$vectors %*% (t(found$vectors) * ifelse(small, 0, 1 / gaps))
}

# U V' for x = U diag(s) V', s > 0.
polar_factor <- function(x) {
  if (not_finite(x)) return(nans(x))
  found <- svd(x)
  kept <- found$d > 10 * max(dim(x)) * .Machine$double.eps * found$d[1]
  tcrossprod(found$u[, kept, drop = FALSE], found$v[, kept, drop = FALSE])
}

# U, V and the weights of the derivative of U V' at x: U' dX V is weighted, minus its transpose in the corner.
polar_weights <- function(x) {
  found <- svd(x, nu = nrow(x), nv = ncol(x))
  rank <- sum(found$d > 10 * max(dim(x)) * .Machine$double.eps * found$d[1])
  s <- found$d * (seq_along(found$d) <= rank)
  rows <- c(s, rep(0, nrow(x) - length(s)))
  columns <- c(s, rep(0, ncol(x) - length(s)))
  sums <- outer(rows, columns, "+")
  list(u = found$u, v = found$v, weights = ifelse(sums > 0, 1 / sums, 0), rank = rank)
}

# The derivative of the polar factor at x in the direction v, along matrices of the rank of x.
polar_slope <- function(x, v) {
  if (not_finite(x)) return(nans(x))
  p <- polar_weights(x)
  turned <- p$weights * (crossprod(p$u, v) %*% p$v)
  corner <- seq_len(p$rank)
  turned[corner, corner] <- turned[corner, corner, drop = FALSE] - t(turned[corner, corner, drop = FALSE])
  p$u %*% tcrossprod(turned, p$v)
}

# The matrix whose columns are the vec of f at the unit matrices in the shape of x.
form_of <- function(x, f) {
  columns <- lapply(seq_along(x), function(k) c(f(matrix(as.numeric(seq_along(x) == k), nrow(x)))))
  matrix(unlist(columns), ncol = length(x))
}

polar_form <- function(x) form_of(x, function(v) polar_slope(x, v))

# The lower Cholesky factor of the symmetric part; nan where that is not positive definite.
chol_lower <- function(x) tryCatch(t(chol((x + t(x)) / 2)), error = function(e) nans(x))

# The exponential of a matrix: a Pade approximation of degree 13 at x / 2^k, squared k times.
exp_matrix <- function(x) {
  if (not_finite(x)) return(nans(x))
  size <- max(colSums(abs(x)))
  times <- if (size > 0) max(0, ceiling(log2(size / 5.37))) else 0
  x <- x / 2^times
  unit <- diag(nrow(x))
  c <- cumprod(c(1, (13 - 0:12) / ((26 - 0:12) * 1:13)))
  x2 <- x %*% x
  x4 <- x2 %*% x2
  x6 <- x2 %*% x4
  odd <- x %*% (x6 %*% (c[14] * x6 + c[12] * x4 + c[10] * x2) + c[8] * x6 + c[6] * x4 + c[4] * x2 + c[2] * unit)
  even <- x6 %*% (c[13] * x6 + c[11] * x4 + c[9] * x2) + c[7] * x6 + c[5] * x4 + c[3] * x2 + c[1] * unit
  result <- unit + 2 * solve(even - odd, odd, tol = 0)
  for (k in seq_len(times)) result <- result %*% result
  result
}

# A function of a symmetric matrix by its eigenvalues.
by_eigenvalues <- function(x, f) {
  found <- eigen((x + t(x)) / 2, symmetric = TRUE)
  found$vectors %*% (f(found$values, nrow(x)) * t(found$vectors))
}

# The principal square root by Denman and Beavers' iteration; nan where it does not converge to a real one.
general_root <- function(x) {
  n <- nrow(x)
  unit <- diag(n)
  far <- 1
  y <- x
  m <- x
  for (k in 1:60) {
    scale <- if (far > 0.01) exp(-as.vector(determinant(m)$modulus) / n) else 1
    m <- scale * m
    inverse <- tryCatch(solve(m, tol = 0), error = function(e) NULL)
    if (is.null(inverse)) return(nans(x))
    y <- sqrt(scale) * (y + y %*% inverse) / 2
    m <- (unit + (m + inverse) / 2) / 2
    new <- max(abs(m - unit))
    if (!is.finite(new)) return(nans(x))
    done <- new <= n * .Machine$double.eps || (far <= 0.01 && new >= far / 2)
    far <- new
    if (done) break
  }
  if (max(abs(y %*% y - x)) <= sqrt(.Machine$double.eps) * max(abs(y))^2) y else nans(x)
}

# The principal square root; nan where it is not real.
sqrt_matrix <- function(x) {
  if (not_finite(x)) return(nans(x))
  if (!symmetric(x)) return(general_root(x))
  root <- function(values, n) {
    small <- abs(values) <= n * .Machine$double.eps * max(abs(values))
    values <- ifelse(small, abs(values), values)
    if (any(values < 0)) rep(NaN, n) else sqrt(values)
  }
  by_eigenvalues(x, root)
}

# The principal logarithm (nan where it is not real): roots until the matrix is near I, then Gauss's quadrature.
log_matrix <- function(x) {
  if (not_finite(x)) return(nans(x))
  if (symmetric(x)) return(by_eigenvalues(x, function(values, n) if (any(values < 0)) rep(NaN, n) else log(values)))
  unit <- diag(nrow(x))
  factor <- 1
  while (factor < 2^50 && max(colSums(abs(x - unit))) > 0.25) {
    x <- general_root(x)
    if (not_finite(x)) return(x)
    factor <- 2 * factor
  }
  x <- x - unit
  nodes <- c(0, 0.4058451513773972, 0.7415311855993945, 0.9491079123427585)
  weights <- c(0.4179591836734694, 0.3818300505051189, 0.27970539148927664, 0.1294849661688697)
  result <- 0 * x
  for (place in c(-nodes[4:2], nodes)) {
    result <- result + weights[match(abs(place), nodes)] / 2 * solve(unit + (1 + place) / 2 * x, x, tol = 0)
  }
  factor * result
}

# x^k: the repeated product for a whole number k, else the principal power.
power_matrix <- function(x, k) {
  k <- c(k)
  if (!is.finite(k)) return(nans(x))
  if (k == round(k)) whole_power(x, k) else exp_matrix(k * log_matrix(x))
}

# The upper right block of f([x, v; 0, x]): the derivative of f at x in the direction v.
slope_of <- function(f, x, v) {
  n <- nrow(x)
  f(rbind(cbind(x, v), cbind(0 * x, x)))[seq_len(n), n + seq_len(n), drop = FALSE]
}

exp_slope <- function(x, v) slope_of(exp_matrix, x, v)

log_slope <- function(x, v) slope_of(log_matrix, x, v)

# y with s y + y s = v for the root s of x.
sqrt_slope <- function(x, v) {
  s <- sqrt_matrix(x)
  if (not_finite(s)) nans(x) else sylvester(s, s, v)
}

power_slope <- function(x, v, k) slope_of(function(z) power_matrix(z, k), x, v)

slope_form <- function(slope, x) form_of(x, function(v) slope(x, v))

power_form <- function(x, k) form_of(x, function(v) power_slope(x, v, k))

# The x with a x + x b = c, as one system for all its entries; nan where there is not one.
sylvester <- function(a, b, c) {
  system <- kronecker(diag(ncol(c)), a) + kronecker(t(b), diag(nrow(c)))
  if (not_finite(system) || not_finite(c)) return(nans(c))
  tryCatch(matrix(solve(system, c(c), tol = 0), nrow(c)), error = function(e) nans(c))
}

lyapunov <- function(a, q) sylvester(a, t(a), q)

# The x with x = a x a' + q.
discrete_lyapunov <- function(a, q) {
  if (not_finite(a) || not_finite(q)) return(nans(q))
  system <- diag(length(q)) - kronecker(a, a)
  tryCatch(matrix(solve(system, c(q), tol = 0), nrow(q)), error = function(e) nans(q))
}

# The stabilising x with a' x + x a - x b r^-1 b' x + q = 0, from the eigenvectors of the Hamiltonian matrix.
riccati <- function(a, b, q, r) {
  n <- nrow(a)
  if (not_finite(cbind(a, q)) || not_finite(b) || not_finite(r)) return(nans(a))
  q <- (q + t(q)) / 2
  r <- (r + t(r)) / 2
  g <- b %*% solve(r, t(b), tol = 0)
  w <- rbind(cbind(a, -g), cbind(-q, -t(a)))
  for (k in 1:60) {
    scale <- exp(-as.vector(determinant(w)$modulus) / nrow(w))
    new <- (scale * w + solve(scale * w, tol = 0)) / 2
    change <- max(abs(new - w)) / max(abs(new))
    w <- new
    if (!is.finite(change) || change <= 10 * n * .Machine$double.eps) break
  }
  if (not_finite(w)) return(nans(a))
  first <- seq_len(n)
  left <- rbind(w[first, n + first, drop = FALSE], w[n + first, n + first, drop = FALSE] + diag(n))
  right <- rbind(w[first, first, drop = FALSE] + diag(n), w[n + first, first, drop = FALSE])
  x <- -qr.solve(left, right)
  x <- (x + t(x)) / 2
  rest <- t(a) %*% x + x %*% a - x %*% g %*% x + q
  if (isTRUE(max(abs(rest)) <= 1e-8 * (max(abs(x)) * max(abs(a)) + max(abs(q))))) x else nans(a)
}

# The stabilising x with x = a' x a - a' x b (r + b' x b)^-1 b' x a + q, by doubling.
discrete_riccati <- function(a, b, q, r) {
  if (not_finite(cbind(a, q)) || not_finite(b) || not_finite(r)) return(nans(a))
  x <- q <- (q + t(q)) / 2
  r <- (r + t(r)) / 2
  s <- a
  g <- b %*% solve(r, t(b), tol = 0)
  for (k in 1:60) {
    w <- diag(nrow(a)) + g %*% x
    left <- solve(w, s, tol = 0)
    right <- solve(w, g, tol = 0)
    g <- g + s %*% right %*% t(s)
    x <- x + t(s) %*% x %*% left
    s <- s %*% left
    if (not_finite(s) || max(abs(s)) <= .Machine$double.eps) break
    g <- (g + t(g)) / 2
    x <- (x + t(x)) / 2
  }
  if (not_finite(x)) return(nans(a))
  gain <- solve(r + t(b) %*% x %*% b, t(b) %*% x %*% a, tol = 0)
  rest <- t(a) %*% x %*% (a - b %*% gain) - x + q
  if (isTRUE(max(abs(rest)) <= 1e-8 * (max(abs(x)) + max(abs(q))))) x else nans(a)
}

# The adjugate, also of a singular matrix: det(U V') adj(s) on the singular values.
adjugate <- function(x) {
  if (not_finite(x)) return(nans(x))
  found <- svd(x)
  rest <- c(other_products_rows(matrix(found$d, 1)))
  det(found$u) * det(found$v) * found$v %*% (rest * t(found$u))
}

# The derivative of the adjugate at x in the direction v.
adjugate_slope <- function(x, v) {
  if (not_finite(x)) return(nans(x))
  found <- svd(x)
  n <- nrow(x)
  rest <- matrix(0, n, n)
  for (i in seq_len(n)) for (j in seq_len(n)[-i]) rest[i, j] <- prod(found$d[-c(i, j)])
  turned <- crossprod(found$u, v) %*% found$v
  inner <- diag(c(rest %*% diag(turned)), n) - rest * turned
  det(found$u) * det(found$v) * found$v %*% tcrossprod(inner, found$u)
}

# The derivative of this order of the adjugate on vec: minors, a column for each tuple of unit matrices.
adjugate_form <- function(x, order) {
  n <- nrow(x)
  size <- n * n
  result <- matrix(0, size, size^order)
  places <- as.matrix(expand.grid(rep(list(seq_len(size)), order + 1)))
  for (k in seq_len(nrow(places))) {
    place <- places[k, ]
    row <- (place - 1) %% n + 1
    column <- (place - 1) %/% n + 1
    rows <- c(column[1], row[-1])
    columns <- c(row[1], column[-1])
    if (anyDuplicated(rows) || anyDuplicated(columns)) next
    minor <- if (order + 1 < n) det(x[-rows, -columns, drop = FALSE]) else 1
    sign <- (-1)^(sum(rows) + sum(columns) + inversions(rows) + inversions(columns))
    result[place[1], 1 + sum((place[-1] - 1) * size^(rev(seq_len(order)) - 1))] <- sign * minor
  }
  result
}

# The number of pairs in the wrong order.
inversions <- function(x) {
  wrong <- outer(x, x, ">")
  sum(wrong[upper.tri(wrong)])
}

# Truth values as numbers; what is unknown does not hold.
as_number <- function(test) {
  result <- test & !is.na(test)
  storage.mode(result) <- "double"
  result
}

gelu <- function(x) x * pnorm(x)

col_cumsums <- function(x) matrix(apply(x, 2, cumsum), nrow(x))

row_cumsums <- function(x) t(col_cumsums(t(x)))

# The convolution of two columns.
convolution <- function(a, b) convolution_matrix(b, nrow(a)) %*% a

# The lower l with l l' = x' x and no negative diagonal, by QR factors: x' x has the square of x's condition.
gram_factor <- function(x) {
  r <- qr.R(qr(x, tol = 0))
  r <- rbind(ifelse(diag(as.matrix(r)) < 0, -1, 1) * r, matrix(0, ncol(x) - nrow(r), ncol(x)))
  lost <- diag(as.matrix(r)) <= max(dim(x)) * .Machine$double.eps * max(diag(as.matrix(r)), 0)
  r[cbind(which(lost), which(lost))] <- 0 # dependent columns, as far as the digits tell
  t(r)
}

# The x with u' u x = b for an upper Cholesky factor u.
chol_solve <- function(u, b) backsolve(u, backsolve(u, b, transpose = TRUE))

# x' diag(d) x
weighted_gram <- function(x, d) crossprod(x, c(d) * x)
