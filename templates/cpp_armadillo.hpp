// Matrices by Armadillo.
using matrix = arma::mat;

inline long rows(const matrix& x) { return static_cast<long>(x.n_rows); }

inline long cols(const matrix& x) { return static_cast<long>(x.n_cols); }

inline matrix filled(double value, long m, long n) { matrix x(m, n); x.fill(value); return x; }

inline matrix identity(long n) { return matrix(n, n, arma::fill::eye); }

inline matrix transposed(const matrix& x) { return x.t(); }

inline matrix part(const matrix& x, long i, long j, long m, long n)
{
    return m == 0 || n == 0 ? matrix(m, n) : matrix(x.submat(i, j, i + m - 1, j + n - 1));
}

inline void put(matrix& x, long i, long j, const matrix& block)
{
    if (!block.is_empty())
        x.submat(i, j, i + block.n_rows - 1, j + block.n_cols - 1) = block;
}

inline matrix shaped(const matrix& x, long m, long n) { return arma::reshape(x, m, n); }

// The x with a x = b.
inline matrix solved(const matrix& a, const matrix& b)
{
    matrix x;
    if (!arma::solve(x, a, b, arma::solve_opts::fast + arma::solve_opts::no_approx))
        throw std::runtime_error("the matrix is singular");
    return x;
}

// The logarithm of the size of the determinant, and its sign.
inline double log_abs_det(const matrix& x, double* sign = nullptr)
{
    double value = 0, side = 0;
    arma::log_det(value, side, x);
    if (sign != nullptr)
        *sign = side;
    return value;
}

// The lower Cholesky factor; false where the matrix is not positive definite.
inline bool factored(const matrix& x, matrix& lower)
{
    return arma::chol(lower, arma::symmatl(x), "lower");
}

// The upper triangle r with x = q r, of as many rows as the smaller side of x.
inline matrix triangle_of_qr(const matrix& x)
{
    matrix q, r;
    arma::qr_econ(q, r, x);
    return r;
}

// The x with l l' x = b for a Cholesky factor l.
inline matrix cholesky_solve(const matrix& l, const matrix& b)
{
    if (arma::any(l.diag() == 0))
        throw std::runtime_error("the matrix is singular");
    const matrix half = arma::solve(arma::trimatl(l), b, arma::solve_opts::fast);
    return arma::solve(arma::trimatu(l.t()), half, arma::solve_opts::fast);
}

// Ascending eigenvalues, as a column, and eigenvectors of a symmetric matrix.
inline void symmetric_pairs(const matrix& x, matrix& values, matrix& vectors)
{
    arma::vec found;
    arma::eig_sym(found, vectors, matrix((x + x.t()) / 2.0));
    values = found;
}

// The real and imaginary parts of the eigenvalues, as columns, and the real parts of the eigenvectors.
inline void general_pairs(const matrix& x, matrix& values, matrix& imaginary, matrix& vectors)
{
    arma::cx_vec found;
    arma::cx_mat pairs;
    arma::eig_gen(found, pairs, x);
    values = arma::real(found);
    imaginary = arma::imag(found);
    vectors = arma::real(pairs);
}

// The full decomposition x = u diag(s) v', s as a column.
inline void singular(const matrix& x, matrix& u, matrix& s, matrix& v)
{
    arma::vec found;
    arma::svd(u, found, v, x);
    s = found;
}

inline matrix least_squares(const matrix& a, const matrix& b) { return arma::solve(a, b); }

inline double det_of(const matrix& x) { return arma::det(x); }
