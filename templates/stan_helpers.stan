// A number, a row or a column, repeated to m x n.
matrix along(matrix x, int m, int n) {
  matrix[m, n] y;
  for (j in 1:n) {
    for (i in 1:m) {
      y[i, j] = x[rows(x) == 1 ? 1 : i, cols(x) == 1 ? 1 : j];
    }
  }
  return y;
}

// 1 where a > b, else 0.
matrix greater(matrix a, matrix b) {
  matrix[rows(a), cols(a)] y;
  for (j in 1:cols(a)) {
    for (i in 1:rows(a)) {
      y[i, j] = a[i, j] > b[i, j];
    }
  }
  return y;
}

// 1 where a >= b, else 0.
matrix greater_equal(matrix a, matrix b) {
  matrix[rows(a), cols(a)] y;
  for (j in 1:cols(a)) {
    for (i in 1:rows(a)) {
      y[i, j] = a[i, j] >= b[i, j];
    }
  }
  return y;
}

// `yes` where the test is not 0, else `no`.
matrix choose_entries(matrix test, matrix yes, matrix no) {
  matrix[rows(test), cols(test)] y;
  for (j in 1:cols(test)) {
    for (i in 1:rows(test)) {
      y[i, j] = test[i, j] != 0 ? yes[i, j] : no[i, j];
    }
  }
  return y;
}

matrix larger(matrix a, matrix b) {
  return choose_entries(greater(b, a), b, a);
}

matrix smaller(matrix a, matrix b) {
  return choose_entries(greater(a, b), b, a);
}

matrix sign_of(matrix x) {
  matrix[rows(x), cols(x)] zero = rep_matrix(0, rows(x), cols(x));
  return greater(x, zero) - greater(zero, x);
}

// 1 / x, and 0 where x is 0.
matrix reciprocal(matrix x) {
  matrix[rows(x), cols(x)] y;
  for (j in 1:cols(x)) {
    for (i in 1:rows(x)) {
      y[i, j] = x[i, j] == 0 ? 0 : 1 / x[i, j];
    }
  }
  return y;
}

matrix col_sums(matrix x) {
  return rep_matrix(1, 1, rows(x)) * x;
}

matrix row_sums(matrix x) {
  return x * rep_matrix(1, cols(x), 1);
}

matrix row_maxima(matrix x) {
  matrix[rows(x), 1] y;
  for (i in 1:rows(x)) {
    y[i, 1] = max(x[i]);
  }
  return y;
}

matrix col_maxima(matrix x) {
  return row_maxima(x')';
}

// exp(x) / sum(exp(x)) in each row, without overflow.
matrix softmax_rows(matrix x) {
  matrix[rows(x), cols(x)] y;
  for (i in 1:rows(x)) {
    y[i] = softmax(x[i]')';
  }
  return y;
}

matrix softmax_cols(matrix x) {
  return softmax_rows(x')';
}

matrix log_softmax_rows(matrix x) {
  matrix[rows(x), cols(x)] y;
  for (i in 1:rows(x)) {
    y[i] = log_softmax(x[i]')';
  }
  return y;
}

matrix log_softmax_cols(matrix x) {
  return log_softmax_rows(x')';
}

matrix log_sum_exp_rows(matrix x) {
  matrix[rows(x), 1] y;
  for (i in 1:rows(x)) {
    y[i, 1] = log_sum_exp(x[i]);
  }
  return y;
}

matrix log_sum_exp_cols(matrix x) {
  return log_sum_exp_rows(x')';
}

// The columns, stacked.
matrix vec(matrix x) {
  return to_matrix(x, rows(x) * cols(x), 1);
}

// x + v I
matrix add_number(matrix x, real v) {
  return add_diag(x, v);
}

// x + diag(v)
matrix add_diagonal(matrix x, matrix v) {
  return add_diag(x, to_vector(v));
}

matrix kron(matrix a, matrix b) {
  int p = rows(b);
  int q = cols(b);
  matrix[rows(a) * p, cols(a) * q] y;
  for (j in 1:cols(a)) {
    for (i in 1:rows(a)) {
      y[((i - 1) * p + 1):(i * p), ((j - 1) * q + 1):(j * q)] = a[i, j] * b;
    }
  }
  return y;
}

// vec(X') = commutation(m, n) vec(X) for X m x n.
matrix commutation(int m, int n) {
  matrix[m * n, m * n] y = rep_matrix(0, m * n, m * n);
  for (j in 1:n) {
    for (i in 1:m) {
      y[(i - 1) * n + j, (j - 1) * m + i] = 1;
    }
  }
  return y;
}

// The x with l l' x = b for a Cholesky factor l.
matrix chol_solve(matrix l, matrix b) {
  return mdivide_right_tri_low(mdivide_left_tri_low(l, b)', l)';
}

// The x with a x = b.
matrix solved(matrix a, matrix b) {
  matrix[rows(a), cols(b)] x = a \ b;
  if (!(abs(sum(x)) < positive_infinity()) && abs(sum(a)) + abs(sum(b)) < positive_infinity()) {
    reject("the matrix is singular");
  }
  return x;
}

matrix inverted(matrix x) {
  return solved(x, identity_matrix(rows(x)));
}

// The x with a x + x b = c, as one system for all its entries.
matrix sylvester_solution(matrix a, matrix b, matrix c) {
  int m = rows(c);
  int n = cols(c);
  return to_matrix(solved(kron(identity_matrix(n), a) + kron(b', identity_matrix(m)), vec(c)), m, n);
}

matrix lyapunov(matrix a, matrix q) {
  return sylvester_solution(a, a', q);
}

// The x with x = a x a' + q.
matrix discrete_lyapunov(matrix a, matrix q) {
  int n = rows(q);
  return to_matrix(solved(identity_matrix(n * n) - kron(a, a), vec(q)), n, n);
}

matrix lower_part(matrix x) {
  matrix[rows(x), cols(x)] y = x;
  for (j in 1:cols(x)) {
    for (i in 1:min(j - 1, rows(x))) {
      y[i, j] = 0;
    }
  }
  return y;
}

matrix upper_part(matrix x) {
  return lower_part(x')';
}

// Rows i to j and columns k to l.
matrix slice(matrix x, int i, int j, int k, int l) {
  return x[i:j, k:l];
}

// An m x n matrix of zeros with x as its block that starts at row i and column k.
matrix place(matrix x, int m, int n, int i, int k) {
  matrix[m, n] y = rep_matrix(0, m, n);
  y[i:(i + rows(x) - 1), k:(k + cols(x) - 1)] = x;
  return y;
}

// The squared distances of the rows of x from those of z.
matrix squared_distances(matrix x, matrix z) {
  matrix[rows(x), rows(z)] y;
  for (j in 1:rows(z)) {
    for (i in 1:rows(x)) {
      y[i, j] = squared_distance(x[i], z[j]);
    }
  }
  return y;
}

real huber(real x, real delta) {
  return abs(x) > delta ? delta * (abs(x) - delta / 2) : x * x / 2;
}

matrix huber(matrix x, real delta) {
  matrix[rows(x), cols(x)] y;
  for (j in 1:cols(x)) {
    for (i in 1:rows(x)) {
      y[i, j] = huber(x[i, j], delta);
    }
  }
  return y;
}

real leaky_relu(real x, real slope) {
  return x > 0 ? x : slope * x;
}

matrix leaky_relu(matrix x, real slope) {
  matrix[rows(x), cols(x)] y;
  for (j in 1:cols(x)) {
    for (i in 1:rows(x)) {
      y[i, j] = leaky_relu(x[i, j], slope);
    }
  }
  return y;
}

real elu(real x, real alpha) {
  return x > 0 ? x : alpha * expm1(x);
}

matrix elu(matrix x, real alpha) {
  matrix[rows(x), cols(x)] y;
  for (j in 1:cols(x)) {
    for (i in 1:rows(x)) {
      y[i, j] = elu(x[i, j], alpha);
    }
  }
  return y;
}

// x + ratio, where ratio is phi(x)/Phi(x) of the normal distribution: for x < -5 by its continued fraction.
real mean_excess(real x, real ratio) {
  real tail = 0;
  if (!(x < -5)) {
    return x + ratio;
  }
  for (k in 1:30) {
    tail = (31 - k) / (tail - x);
  }
  return tail;
}

matrix mean_excess(matrix x, matrix ratio) {
  matrix[rows(x), cols(x)] y;
  for (j in 1:cols(x)) {
    for (i in 1:rows(x)) {
      y[i, j] = mean_excess(x[i, j], ratio[i, j]);
    }
  }
  return y;
}

real selu(real x) {
  return 1.0507009873554805 * elu(x, 1.6732632423543772);
}

matrix selu(matrix x) {
  return 1.0507009873554805 * elu(x, 1.6732632423543772);
}

// exp(x^2) erfc(x): a continued fraction where the first factor is large.
real erfcx(real x) {
  real tail = 0;
  if (!(x > 4)) {
    return exp(x * x) * erfc(x);
  }
  for (k in 1:100) {
    tail = (101 - k) / 2.0 / (x + tail);
  }
  return 0.5641895835477563 / (x + tail);
}

matrix erfcx(matrix x) {
  matrix[rows(x), cols(x)] y;
  for (j in 1:cols(x)) {
    for (i in 1:rows(x)) {
      y[i, j] = erfcx(x[i, j]);
    }
  }
  return y;
}

real log_phi(real x) {
  real y = -x * 0.7071067811865476;
  return x < 0 ? log(erfcx(y) / 2) - y * y : log1p(-erfc(-y) / 2);
}

matrix log_phi(matrix x) {
  matrix[rows(x), cols(x)] y;
  for (j in 1:cols(x)) {
    for (i in 1:rows(x)) {
      y[i, j] = log_phi(x[i, j]);
    }
  }
  return y;
}

// Sums of what is above, and of what is on the left.
matrix cumulative_down(matrix x) {
  matrix[rows(x), cols(x)] y = x;
  for (i in 2:rows(x)) {
    y[i] = y[i - 1] + x[i];
  }
  return y;
}

matrix cumulative_right(matrix x) {
  return cumulative_down(x')';
}

matrix row_products(matrix x) {
  matrix[rows(x), 1] y;
  for (i in 1:rows(x)) {
    y[i, 1] = prod(x[i]);
  }
  return y;
}

matrix col_products(matrix x) {
  return row_products(x')';
}

// The products of all other entries of each column.
matrix other_products_down(matrix x) {
  matrix[rows(x), cols(x)] y;
  for (i in 1:rows(x)) {
    matrix[rows(x), cols(x)] rest = x;
    rest[i] = rep_row_vector(1, cols(x));
    y[i] = to_row_vector(col_products(rest));
  }
  return y;
}

matrix other_products_right(matrix x) {
  return other_products_down(x')';
}

matrix other_products(matrix x) {
  return to_matrix(other_products_down(to_matrix(to_vector(x))), rows(x), cols(x));
}

// The derivative of other_products at x in the direction v, in each column.
matrix other_products_slope_down(matrix x, matrix v) {
  matrix[rows(x), cols(x)] y = rep_matrix(0, rows(x), cols(x));
  for (k in 1:rows(x)) {
    matrix[rows(x), cols(x)] rest = x;
    rest[k] = v[k];
    rest = other_products_down(rest);
    rest[k] = rep_row_vector(0, cols(x));
    y += rest;
  }
  return y;
}

matrix other_products_slope_right(matrix x, matrix v) {
  return other_products_slope_down(x', v')';
}

matrix other_products_slope(matrix x, matrix v) {
  return to_matrix(other_products_slope_down(to_matrix(to_vector(x)), to_matrix(to_vector(v))), rows(x), cols(x));
}

// A whole power of a square matrix, or of its inverse.
matrix whole_power(matrix x, int k) {
  if (k < 0) {
    return matrix_power(inverted(x), -k);
  }
  return matrix_power(x, k);
}

// kron(a, b) m, and with an identity for a or b, without the Kronecker product.
matrix kron_times(matrix a, matrix b, matrix m) {
  matrix[rows(a) * rows(b), cols(m)] y;
  for (k in 1:cols(m)) {
    y[:, k] = to_vector(b * to_matrix(m[:, k], cols(b), cols(a)) * a');
  }
  return y;
}

matrix eye_kron_times(matrix b, matrix m) {
  int count = rows(m) %/% cols(b);
  matrix[rows(b) * count, cols(m)] y;
  for (k in 1:cols(m)) {
    y[:, k] = to_vector(b * to_matrix(m[:, k], cols(b), count));
  }
  return y;
}

matrix kron_eye_times(matrix a, matrix m) {
  int count = rows(m) %/% cols(a);
  matrix[rows(a) * count, cols(m)] y;
  for (k in 1:cols(m)) {
    y[:, k] = to_vector(to_matrix(m[:, k], count, cols(a)) * a');
  }
  return y;
}

matrix times_eye_kron(matrix m, matrix b) {
  return eye_kron_times(b', m')';
}

matrix times_kron_eye(matrix m, matrix a) {
  return kron_eye_times(a', m')';
}

// The blocks of g, each times b, summed: the adjoint of x -> kron(x, b).
matrix block_inner(matrix g, matrix b) {
  int p = rows(b);
  int q = cols(b);
  matrix[rows(g) %/% p, cols(g) %/% q] y;
  for (j in 1:cols(y)) {
    for (i in 1:rows(y)) {
      y[i, j] = sum(g[((i - 1) * p + 1):(i * p), ((j - 1) * q + 1):(j * q)] .* b);
    }
  }
  return y;
}

// The sum of the blocks of g weighted by a: the adjoint of x -> kron(a, x).
matrix block_sum(matrix a, matrix g) {
  int p = rows(g) %/% rows(a);
  int q = cols(g) %/% cols(a);
  matrix[p, q] y = rep_matrix(0, p, q);
  for (j in 1:cols(a)) {
    for (i in 1:rows(a)) {
      y += a[i, j] * g[((i - 1) * p + 1):(i * p), ((j - 1) * q + 1):(j * q)];
    }
  }
  return y;
}

// The columns of the lower triangle, stacked.
matrix vech(matrix x) {
  int n = rows(x);
  matrix[(n * (n + 1)) %/% 2, 1] y;
  int k = 0;
  for (j in 1:n) {
    for (i in j:n) {
      k += 1;
      y[k, 1] = x[i, j];
    }
  }
  return y;
}

// The lower triangular matrix whose vech is v.
matrix unvech(matrix v, int n) {
  matrix[n, n] y = rep_matrix(0, n, n);
  vector[(n * (n + 1)) %/% 2] entries = to_vector(v);
  int k = 0;
  for (j in 1:n) {
    for (i in j:n) {
      k += 1;
      y[i, j] = entries[k];
    }
  }
  return y;
}

// Entry i, j: the sum of g along the diagonal of i, j.
matrix diagonal_sums(matrix g) {
  int n = rows(g);
  vector[2 * n] sums = rep_vector(0, 2 * n);
  matrix[n, n] y;
  for (j in 1:n) {
    for (i in 1:n) {
      sums[j - i + n] += g[i, j];
    }
  }
  for (j in 1:n) {
    for (i in 1:n) {
      y[i, j] = sums[j - i + n];
    }
  }
  return y;
}

// vec(diag(v)) = diagonal_selection(n) v.
matrix diagonal_selection(int n) {
  matrix[n * n, n] y = rep_matrix(0, n * n, n);
  for (i in 1:n) {
    y[i + (i - 1) * n, i] = 1;
  }
  return y;
}

// The matrix T with T x the convolution of x (of length m) and w.
matrix convolution_matrix(matrix w, int m) {
  int n = rows(w);
  matrix[n + m - 1, m] y = rep_matrix(0, n + m - 1, m);
  for (j in 1:m) {
    y[j:(j + n - 1), j] = w[:, 1];
  }
  return y;
}

matrix convolution(matrix a, matrix b) {
  return convolution_matrix(b, rows(a)) * a;
}

// The lower l with l l' = x' x and no negative diagonal, by QR factors: x' x has the square of x's condition.
matrix gram_factor(matrix x) {
  int n = cols(x);
  matrix[n, n] y = rep_matrix(0, n, n);
  real top = 0;
  if (rows(x) >= n) {
    y = qr_thin_R(x)';
  } else {
    y[:, 1:rows(x)] = qr_R(x)';
  }
  for (j in 1:n) {
    if (y[j, j] < 0) {
      y[:, j] = -y[:, j];
    }
    top = fmax(top, y[j, j]);
  }
  for (j in 1:n) {
    if (y[j, j] <= fmax(rows(x), n) * machine_precision() * top) {
      y[j, j] = 0; // dependent columns, as far as the digits tell
    }
  }
  return y;
}

// The lower Cholesky factor of the symmetric part; not a number where that is not positive definite.
matrix cholesky_or_nan(matrix x) {
  int n = rows(x);
  matrix[n, n] half = (x + x') / 2;
  matrix[n, n] y = rep_matrix(0, n, n);
  for (j in 1:n) {
    real rest = half[j, j] - dot_self(y[j]);
    if (!(rest > 0)) {
      return rep_matrix(not_a_number(), n, n);
    }
    for (i in j:n) {
      y[i, j] = (half[i, j] - dot_product(y[i], y[j])) / sqrt(rest);
    }
  }
  return y;
}

// The derivative of the exponential at x in the direction v: a block of that of [x, v; 0, x].
matrix exp_slope(matrix x, matrix v) {
  int n = rows(x);
  matrix[2 * n, 2 * n] joined = rep_matrix(0, 2 * n, 2 * n);
  joined[1:n, 1:n] = x;
  joined[1:n, (n + 1):(2 * n)] = v;
  joined[(n + 1):(2 * n), (n + 1):(2 * n)] = x;
  return matrix_exp(joined)[1:n, (n + 1):(2 * n)];
}

matrix exp_slope_form(matrix x) {
  int n = rows(x);
  matrix[n * n, n * n] y;
  for (j in 1:n) {
    for (i in 1:n) {
      matrix[n, n] unit = rep_matrix(0, n, n);
      unit[i, j] = 1;
      y[:, i + (j - 1) * n] = to_vector(exp_slope(x, unit));
    }
  }
  return y;
}
