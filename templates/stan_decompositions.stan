int is_finite(matrix x) {
  return abs(sum(0 * x)) <= 0;
}

matrix nans(int m, int n) {
  return rep_matrix(not_a_number(), m, n);
}

real top_size(matrix x) {
  return max(abs(x));
}

int is_symmetric(matrix x) {
  return top_size(x - x') <= 8 * rows(x) * machine_precision() * top_size(x);
}

// A column of length 1 with its largest entry positive.
matrix upright(matrix v) {
  int top = 1;
  for (i in 1:rows(v)) {
    if (abs(v[i, 1]) > abs(v[top, 1])) {
      top = i;
    }
  }
  return v / (v[top, 1] < 0 ? -norm2(to_vector(v)) : norm2(to_vector(v)));
}

// The eigenvalues as a column, their imaginary parts, and the (real parts of the) eigenvectors.
tuple(matrix, matrix, matrix) eigen_parts(matrix x) {
  int n = rows(x);
  if (is_symmetric(x)) {
    matrix[n, n] half = (x + x') / 2;
    return (to_matrix(eigenvalues_sym(half)), rep_matrix(0, n, 1), eigenvectors_sym(half));
  }
  complex_vector[n] values = eigenvalues(x);
  return (to_matrix(get_real(values)), to_matrix(get_imag(values)), get_real(eigenvectors(x)));
}

// Ascending eigenvalues in the first column, and eigenvectors after it; not a number where they are complex.
matrix eigen_pairs(matrix x) {
  int n = rows(x);
  if (!is_finite(x)) {
    return nans(n, n + 1);
  }
  tuple(matrix[n, 1], matrix[n, 1], matrix[n, n]) found = eigen_parts(x);
  matrix[n, n + 1] y;
  array[n] int order = sort_indices_asc(to_vector(found.1));
  if (top_size(found.2) > 0) {
    return nans(n, n + 1);
  }
  for (k in 1:n) {
    y[k, 1] = found.1[order[k], 1];
    y[:, k + 1] = to_vector(upright(to_matrix(found.3[:, order[k]])));
  }
  return y;
}

matrix eigen_values(matrix x) {
  return eigen_pairs(x)[:, 1:1];
}

matrix eigen_vectors(matrix x) {
  return eigen_pairs(x)[:, 2:(rows(x) + 1)];
}

// The eigenvalue that is largest (side 1) or smallest (side -1), and its eigenvector below it.
matrix extreme_pair(matrix x, int side) {
  int n = rows(x);
  int k = 1;
  matrix[n + 1, 1] y;
  if (!is_finite(x)) {
    return nans(n + 1, 1);
  }
  tuple(matrix[n, 1], matrix[n, 1], matrix[n, n]) found = eigen_parts(x);
  for (i in 1:n) {
    if (side * found.1[i, 1] > side * found.1[k, 1]) {
      k = i;
    }
  }
  if (found.2[k, 1] != 0) {
    return nans(n + 1, 1);
  }
  y[1, 1] = found.1[k, 1];
  y[2:(n + 1)] = upright(to_matrix(found.3[:, k]));
  return y;
}

real extreme_value(matrix x, int side) {
  return extreme_pair(x, side)[1, 1];
}

matrix extreme_vector(matrix x, int side) {
  return extreme_pair(x, side)[2:(rows(x) + 1)];
}

// The pseudoinverse of (t I - x), t the largest (side 1) or smallest (side -1) eigenvalue of a symmetric x.
matrix resolvent(matrix x, int side) {
  int n = rows(x);
  vector[n] values = eigenvalues_sym((x + x') / 2);
  matrix[n, n] vectors = eigenvectors_sym((x + x') / 2);
  vector[n] weights;
  for (j in 1:n) {
    real gap = values[side > 0 ? n : 1] - values[j];
    weights[j] = abs(gap) <= 10 * n * machine_precision() * max(abs(values)) ? 0 : 1 / gap;
  }
  return diag_post_multiply(vectors, weights) * vectors';
}

// The number of singular values that are no rounding errors.
int rank_of(matrix x, vector s) {
  int m = rows(x);
  int n = cols(x);
  int r = 0;
  for (i in 1:rows(s)) {
    r += s[i] > 10 * max(m, n) * machine_precision() * s[1];
  }
  return r;
}

matrix pseudo_inverse(matrix x) {
  int m = rows(x);
  int n = cols(x);
  if (!is_finite(x)) {
    return nans(n, m);
  }
  vector[min(m, n)] s = singular_values(x);
  int r = rank_of(x, s);
  return diag_post_multiply(svd_V(x)[:, 1:r], 1 ./ s[1:r]) * svd_U(x)[:, 1:r]';
}

// U V' for x = U diag(s) V', s > 0.
matrix polar_factor(matrix x) {
  if (!is_finite(x)) {
    return nans(rows(x), cols(x));
  }
  int r = rank_of(x, singular_values(x));
  return svd_U(x)[:, 1:r] * svd_V(x)[:, 1:r]';
}

// The derivative of the polar factor at x in the direction v, along matrices of the rank of x.
matrix polar_slope(matrix x, matrix v) {
  int m = rows(x);
  int n = cols(x);
  if (!is_finite(x)) {
    return nans(m, n);
  }
  vector[min(m, n)] values = singular_values(x);
  int r = rank_of(x, values);
  vector[r] s = values[1:r];
  matrix[m, r] left = svd_U(x)[:, 1:r];
  matrix[n, r] right = svd_V(x)[:, 1:r];
  matrix[r, r] turned = left' * v * right;
  matrix[r, r] inner = (turned - turned') ./ (rep_matrix(s, r) + rep_matrix(s, r)');
  matrix[r, n] below = diag_pre_multiply(1 ./ s, left' * v - turned * right');
  matrix[m, r] beside = diag_post_multiply(v * right - left * turned, 1 ./ s);
  return left * (inner * right' + below) + beside * right';
}

matrix polar_form(matrix x) {
  matrix[rows(x) * cols(x), rows(x) * cols(x)] y;
  for (k in 1:cols(y)) {
    matrix[rows(x), cols(x)] unit = rep_matrix(0, rows(x), cols(x));
    unit[(k - 1) % rows(x) + 1, (k - 1) %/% rows(x) + 1] = 1;
    y[:, k] = to_vector(polar_slope(x, unit));
  }
  return y;
}

// The adjugate, also of a singular matrix: det(U V') adj(s) on the singular values.
matrix adjugate(matrix x) {
  int n = rows(x);
  if (!is_finite(x)) {
    return nans(n, n);
  }
  matrix[n, n] u = svd_U(x);
  matrix[n, n] v = svd_V(x);
  vector[n] rest = to_vector(other_products_down(to_matrix(singular_values(x))));
  return determinant(u) * determinant(v) * diag_post_multiply(v, rest) * u';
}

// The derivative of the adjugate at x in the direction dx.
matrix adjugate_slope(matrix x, matrix dx) {
  int n = rows(x);
  if (!is_finite(x)) {
    return nans(n, n);
  }
  matrix[n, n] u = svd_U(x);
  matrix[n, n] v = svd_V(x);
  vector[n] s = singular_values(x);
  matrix[n, n] turned = u' * dx * v;
  matrix[n, n] inner = rep_matrix(0, n, n);
  for (i in 1:n) {
    for (j in 1:n) {
      if (i != j) {
        vector[n] others = s;
        others[i] = 1;
        others[j] = 1;
        inner[i, j] -= prod(others) * turned[i, j];
        inner[i, i] += prod(others) * turned[j, j];
      }
    }
  }
  return determinant(u) * determinant(v) * v * inner * u';
}

// The sign of the order of some numbers.
int order_sign(array[] int x) {
  int y = 1;
  for (a in 1:size(x)) {
    for (b in 1:(a - 1)) {
      y *= x[b] > x[a] ? -1 : x[b] == x[a] ? 0 : 1;
    }
  }
  return y;
}

// The numbers from 1 to n that are not among some.
array[] int others_of(int n, array[] int without) {
  array[n] int y;
  int k = 0;
  for (i in 1:n) {
    int found = 0;
    for (j in 1:size(without)) {
      found += without[j] == i;
    }
    if (found == 0) {
      k += 1;
      y[k] = i;
    }
  }
  return y[1:k];
}

// The derivative of this order of the adjugate on vec: minors, a column for each tuple of unit matrices.
matrix adjugate_form(matrix x, int order) {
  int n = rows(x);
  int count = n * n;
  int width = 1;
  for (k in 1:order) {
    width *= count;
  }
  matrix[count, width] y = rep_matrix(0, count, width);
  for (t in 0:(count * width - 1)) {
    array[order + 1] int left_out;
    array[order + 1] int right_out;
    int rest = t;
    int total = 0;
    for (k in 0:order) {
      int row = rest % count % n + 1;
      int col = (rest % count) %/% n + 1;
      left_out[order + 1 - k] = k == order ? col : row;
      right_out[order + 1 - k] = k == order ? row : col;
      total += row + col;
      rest = rest %/% count;
    }
    int side = (total % 2 == 0 ? 1 : -1) * order_sign(left_out) * order_sign(right_out);
    if (side != 0 && order < n) {
      array[n - order - 1] int i = others_of(n, left_out);
      y[t %/% width + 1, t % width + 1] = side * (order + 1 == n ? 1.0 : determinant(x[i, others_of(n, right_out)]));
    }
  }
  return y;
}

// The derivative of some order of other_products on vec: a column for each tuple of entries.
matrix products_form(matrix x, int order, int axis) {
  int m = rows(x);
  int count = m * cols(x);
  int width = 1;
  for (k in 1:order) {
    width *= count;
  }
  matrix[count, width] y = rep_matrix(0, count, width);
  for (t in 0:(count * width - 1)) {
    array[order + 1] int chosen;
    array[order + 1] int line;
    int fits = 1;
    int rest = t;
    matrix[m, cols(x)] others = x;
    for (k in 1:(order + 1)) {
      chosen[k] = rest % count;
      line[k] = axis == 0 ? chosen[k] %/% m : axis == 1 ? chosen[k] % m : 0;
      others[chosen[k] % m + 1, chosen[k] %/% m + 1] = 1;
      rest = rest %/% count;
      for (b in 1:(k - 1)) {
        fits *= chosen[b] != chosen[k] && line[b] == line[k];
      }
    }
    if (fits) {
      y[t %/% width + 1, t % width + 1] = axis == 0 ? prod(others[:, line[1] + 1])
                                          : axis == 1 ? prod(others[line[1] + 1]) : prod(to_vector(others));
    }
  }
  return y;
}

// The principal square root by Denman and Beavers' iteration; not a number where it does not converge to a real one.
matrix general_root(matrix x) {
  int n = rows(x);
  matrix[n, n] y = x;
  matrix[n, n] m = x;
  real far = 1;
  for (k in 1:60) {
    real scale = far > 0.01 ? exp(-log_determinant(m) / n) : 1;
    if (is_inf(scale) || is_nan(scale)) {
      return nans(n, n);
    }
    m = scale * m;
    matrix[n, n] inverse_m = inverted(m);
    y = sqrt(scale) * (y + y * inverse_m) / 2;
    m = add_diag((m + inverse_m) / 2, 1) / 2;
    real next = top_size(add_diag(m, -1));
    if (is_inf(next) || is_nan(next)) {
      return nans(n, n);
    }
    int done = next <= n * machine_precision() || (far <= 0.01 && next >= far / 2);
    far = next;
    if (done) {
      break;
    }
  }
  return top_size(y * y - x) <= 1.5e-8 * square(top_size(y)) ? y : nans(n, n);
}

// The principal square root; not a number where it is not real.
matrix sqrt_matrix(matrix x) {
  int n = rows(x);
  if (!is_finite(x)) {
    return nans(n, n);
  }
  if (!is_symmetric(x)) {
    return general_root(x);
  }
  vector[n] values = eigenvalues_sym((x + x') / 2);
  matrix[n, n] vectors = eigenvectors_sym((x + x') / 2);
  for (i in 1:n) {
    values[i] = sqrt(abs(values[i]) <= n * machine_precision() * max(abs(values)) ? abs(values[i]) : values[i]);
  }
  return diag_post_multiply(vectors, values) * vectors';
}

// The principal logarithm (not a number where it is not real): roots until near I, then Gauss's quadrature.
matrix log_matrix(matrix x) {
  int n = rows(x);
  if (!is_finite(x)) {
    return nans(n, n);
  }
  if (is_symmetric(x)) {
    matrix[n, n] vectors = eigenvectors_sym((x + x') / 2);
    return diag_post_multiply(vectors, log(eigenvalues_sym((x + x') / 2))) * vectors';
  }
  real factor = 1;
  matrix[n, n] near = x;
  while (factor < 1e15 && max(rep_row_vector(1, n) * abs(add_diag(near, -1))) > 0.25) {
    near = general_root(near);
    if (!is_finite(near)) {
      return near;
    }
    factor *= 2;
  }
  near = add_diag(near, -1);
  vector[7] nodes = [-0.9491079123427585, -0.7415311855993945, -0.4058451513773972, 0,
                     0.4058451513773972, 0.7415311855993945, 0.9491079123427585]';
  vector[7] weights = [0.1294849661688697, 0.27970539148927664, 0.3818300505051189, 0.4179591836734694,
                       0.3818300505051189, 0.27970539148927664, 0.1294849661688697]';
  matrix[n, n] y = rep_matrix(0, n, n);
  for (k in 1:7) {
    y += weights[k] / 2 * solved(add_diag((1 + nodes[k]) / 2 * near, 1), near);
  }
  return factor * y;
}

// x^k: the repeated product for a whole number k, else the principal power.
matrix power_matrix(matrix x, real k) {
  if (is_nan(k) || is_inf(k)) {
    return nans(rows(x), cols(x));
  }
  if (k != round(k)) {
    return matrix_exp(k * log_matrix(x));
  }
  int whole = 0;
  while (whole < abs(k)) {
    whole += 1;
  }
  return whole_power(x, k < 0 ? -whole : whole);
}

// [x, v; 0, x]: the upper right block of a function of it is the derivative at x in the direction v.
matrix doubled(matrix x, matrix v) {
  return append_row(append_col(x, v), append_col(0 * v, x));
}

matrix log_slope(matrix x, matrix v) {
  int n = rows(x);
  return log_matrix(doubled(x, v))[1:n, (n + 1):(2 * n)];
}

matrix power_slope(matrix x, matrix v, real k) {
  int n = rows(x);
  return power_matrix(doubled(x, v), k)[1:n, (n + 1):(2 * n)];
}

// y with s y + y s = v for the root s of x.
matrix sqrt_slope(matrix x, matrix v) {
  matrix[rows(x), rows(x)] s = sqrt_matrix(x);
  return sylvester_solution(s, s, v);
}

// The matrix of zeros with a 1 where vec has its k-th entry.
matrix unit_matrix(int n, int k) {
  matrix[n, n] y = rep_matrix(0, n, n);
  y[(k - 1) % n + 1, (k - 1) %/% n + 1] = 1;
  return y;
}

matrix log_slope_form(matrix x) {
  int n = rows(x);
  matrix[n * n, n * n] y;
  for (k in 1:(n * n)) {
    y[:, k] = to_vector(log_slope(x, unit_matrix(n, k)));
  }
  return y;
}

matrix sqrt_slope_form(matrix x) {
  int n = rows(x);
  matrix[n * n, n * n] y;
  for (k in 1:(n * n)) {
    y[:, k] = to_vector(sqrt_slope(x, unit_matrix(n, k)));
  }
  return y;
}

matrix power_form(matrix x, real p) {
  int n = rows(x);
  matrix[n * n, n * n] y;
  for (k in 1:(n * n)) {
    y[:, k] = to_vector(power_slope(x, unit_matrix(n, k), p));
  }
  return y;
}

// The stabilising x with a' x + x a - x b r^-1 b' x + q = 0, from the sign of the Hamiltonian matrix.
matrix riccati(matrix a, matrix b, matrix q0, matrix r0) {
  int n = rows(a);
  if (!is_finite(a) || !is_finite(b) || !is_finite(q0) || !is_finite(r0)) {
    return nans(n, n);
  }
  matrix[n, n] q = (q0 + q0') / 2;
  matrix[n, n] g = b * solved((r0 + r0') / 2, b');
  matrix[2 * n, 2 * n] w = append_row(append_col(a, -g), append_col(-q, -a'));
  for (k in 1:60) {
    matrix[2 * n, 2 * n] scaled = exp(-log_determinant(w) / (2 * n)) * w;
    matrix[2 * n, 2 * n] next = (scaled + inverted(scaled)) / 2;
    real change = top_size(next - w) / top_size(next);
    w = next;
    if (!(change > 10 * n * machine_precision())) {
      break;
    }
  }
  if (!is_finite(w)) {
    return nans(n, n);
  }
  matrix[2 * n, n] left = append_row(w[1:n, (n + 1):(2 * n)], add_diag(w[(n + 1):(2 * n), (n + 1):(2 * n)], 1));
  matrix[2 * n, n] right = append_row(add_diag(w[1:n, 1:n], 1), w[(n + 1):(2 * n), 1:n]);
  matrix[n, n] x = -solved(qr_thin_R(left), qr_thin_Q(left)' * right);
  x = (x + x') / 2;
  matrix[n, n] rest = a' * x + x * a - x * g * x + q;
  return top_size(rest) <= 1e-8 * (top_size(x) * top_size(a) + top_size(q)) ? x : nans(n, n);
}

// The stabilising x with x = a' x a - a' x b (r + b' x b)^-1 b' x a + q, by doubling.
matrix discrete_riccati(matrix a, matrix b, matrix q0, matrix r0) {
  int n = rows(a);
  if (!is_finite(a) || !is_finite(b) || !is_finite(q0) || !is_finite(r0)) {
    return nans(n, n);
  }
  matrix[n, n] q = (q0 + q0') / 2;
  matrix[rows(r0), rows(r0)] r = (r0 + r0') / 2;
  matrix[n, n] x = q;
  matrix[n, n] s = a;
  matrix[n, n] g = b * solved(r, b');
  for (k in 1:60) {
    matrix[n, n] w = add_diag(g * x, 1);
    matrix[n, n] left = solved(w, s);
    g = g + s * solved(w, g) * s';
    x = x + s' * x * left;
    s = s * left;
    if (!is_finite(s) || top_size(s) <= machine_precision()) {
      break;
    }
    g = (g + g') / 2;
    x = (x + x') / 2;
  }
  if (!is_finite(x)) {
    return nans(n, n);
  }
  matrix[rows(r), n] gain = solved(r + b' * x * b, b' * x * a);
  matrix[n, n] rest = a' * x * (a - b * gain) - x + q;
  return top_size(rest) <= 1e-8 * (top_size(x) + top_size(q)) ? x : nans(n, n);
}

// The derivative of this order of the logarithm of the gamma function: recurrence up, then the asymptotic series.
real polygamma(int order, real x) {
  if (x <= 0 && x == floor(x)) {
    return not_a_number();
  }
  real side = order % 2 == 0 ? -1 : 1;
  real factorial = tgamma(order + 1);
  real total = 0;
  real z = x;
  vector[8] b = [1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510]';
  while (z < 20) {
    total += side * factorial / pow(z, order + 1);
    z += 1;
  }
  real series = tgamma(order) / pow(z, order) + factorial / (2 * pow(z, order + 1));
  real rising = tgamma(order + 2) / 2;
  for (k in 1:8) {
    series += b[k] * rising / pow(z, 2 * k + order);
    rising *= (2.0 * k + order) * (2.0 * k + 1 + order) / ((2.0 * k + 1) * (2.0 * k + 2));
  }
  return total + side * series;
}

matrix polygamma(int order, matrix x) {
  matrix[rows(x), cols(x)] y;
  for (j in 1:cols(x)) {
    for (i in 1:rows(x)) {
      y[i, j] = polygamma(order, x[i, j]);
    }
  }
  return y;
}

// The place of entry i, j (or j, i) among the entries of vech.
int vech_place(int i, int j, int n) {
  int a = max(i, j);
  int b = min(i, j);
  return (b - 1) * n - ((b - 1) * (b - 2)) %/% 2 + a - b + 1;
}

// vec(S) = duplication(n) vech(S) for symmetric S.
matrix duplication(int n) {
  matrix[n * n, (n * (n + 1)) %/% 2] y = rep_matrix(0, n * n, (n * (n + 1)) %/% 2);
  for (j in 1:n) {
    for (i in 1:n) {
      y[i + (j - 1) * n, vech_place(i, j, n)] = 1;
    }
  }
  return y;
}

// vech(X) = elimination(n) vec(X).
matrix elimination(int n) {
  matrix[(n * (n + 1)) %/% 2, n * n] y = rep_matrix(0, (n * (n + 1)) %/% 2, n * n);
  for (j in 1:n) {
    for (i in j:n) {
      y[vech_place(i, j, n), i + (j - 1) * n] = 1;
    }
  }
  return y;
}

// vec(T) = toeplitz_basis(n) times the diagonals of T, from the lower left corner up.
matrix toeplitz_basis(int n) {
  matrix[n * n, 2 * n - 1] y = rep_matrix(0, n * n, 2 * n - 1);
  for (j in 1:n) {
    for (i in 1:n) {
      y[i + (j - 1) * n, j - i + n] = 1;
    }
  }
  return y;
}

// vec(T) = symmetric_toeplitz_basis(n) times the first row of T.
matrix symmetric_toeplitz_basis(int n) {
  matrix[n * n, n] y = rep_matrix(0, n * n, n);
  for (j in 1:n) {
    for (i in 1:n) {
      y[i + (j - 1) * n, abs(j - i) + 1] = 1;
    }
  }
  return y;
}

// vec(S) = skew_basis(n) times the columns below the diagonal of S, stacked.
matrix skew_basis(int n) {
  matrix[n * n, (n * (n - 1)) %/% 2] y = rep_matrix(0, n * n, (n * (n - 1)) %/% 2);
  int k = 0;
  for (j in 1:n) {
    for (i in (j + 1):n) {
      k += 1;
      y[i + (j - 1) * n, k] = 1;
      y[j + (i - 1) * n, k] = -1;
    }
  }
  return y;
}

// m kron(a, b), without the Kronecker product.
matrix times_kron(matrix m, matrix a, matrix b) {
  return kron_times(a', b', m')';
}

// The logarithm of the determinant; not a number where that is negative.
real log_det(matrix x) {
  real y = log_determinant(x);
  if (is_inf(y) || is_nan(y)) {
    return y;
  }
  return determinant(exp(-y / rows(x)) * x) < 0 ? not_a_number() : y;
}
