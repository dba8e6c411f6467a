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

matrix solved(matrix a, matrix b) {
  return a \ b;
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
