// Matrices by Eigen.
using matrix = Eigen::MatrixXd;

inline long rows(const matrix& x) { return x.rows(); }

inline long cols(const matrix& x) { return x.cols(); }

inline matrix filled(double value, long m, long n) { return matrix::Constant(m, n, value); }

inline matrix identity(long n) { return matrix::Identity(n, n); }

inline matrix transposed(const matrix& x) { return x.transpose(); }

inline matrix part(const matrix& x, long i, long j, long m, long n) { return x.block(i, j, m, n); }

inline void put(matrix& x, long i, long j, const matrix& block) { x.block(i, j, block.rows(), block.cols()) = block; }

inline matrix shaped(const matrix& x, long m, long n) { return Eigen::Map<const matrix>(x.data(), m, n); }

// The x with a x = b.
inline matrix solved(const matrix& a, const matrix& b)
{
    const Eigen::PartialPivLU<matrix> lu(a);
    if ((lu.matrixLU().diagonal().array() == 0.0).any())
        throw std::runtime_error("the matrix is singular");
    return lu.solve(b);
}

// The logarithm of the size of the determinant, and its sign.
inline double log_abs_det(const matrix& x, double* sign = nullptr)
{
    const Eigen::PartialPivLU<matrix> lu(x);
    const auto d = lu.matrixLU().diagonal().array();
    if (sign != nullptr)
        *sign = static_cast<double>(lu.permutationP().determinant()) * d.sign().prod();
    return d.abs().log().sum();
}

// The lower Cholesky factor; false where the matrix is not positive definite.
inline bool factored(const matrix& x, matrix& lower)
{
    const Eigen::LLT<matrix> llt(x);
    lower = llt.matrixL();
    return llt.info() == Eigen::Success;
}

// The upper triangle r with x = q r, of as many rows as the smaller side of x.
inline matrix triangle_of_qr(const matrix& x)
{
    const Eigen::HouseholderQR<matrix> found(x);
    return found.matrixQR().topRows(std::min(x.rows(), x.cols()));
}

// The x with l l' x = b for a Cholesky factor l.
inline matrix cholesky_solve(const matrix& l, const matrix& b)
{
    if ((l.diagonal().array() == 0).any())
        throw std::runtime_error("the matrix is singular");
    const matrix half = l.triangularView<Eigen::Lower>().solve(b);
    return l.transpose().triangularView<Eigen::Upper>().solve(half);
}

// Ascending eigenvalues, as a column, and eigenvectors of a symmetric matrix.
inline void symmetric_pairs(const matrix& x, matrix& values, matrix& vectors)
{
    const Eigen::SelfAdjointEigenSolver<matrix> found((x + x.transpose()) / 2.0);
    values = found.eigenvalues();
    vectors = found.eigenvectors();
}

// The real and imaginary parts of the eigenvalues, as columns, and the real parts of the eigenvectors.
inline void general_pairs(const matrix& x, matrix& values, matrix& imaginary, matrix& vectors)
{
    const Eigen::EigenSolver<matrix> found(x);
    values = found.eigenvalues().real();
    imaginary = found.eigenvalues().imag();
    vectors = found.eigenvectors().real();
}

// The full decomposition x = u diag(s) v', s as a column.
inline void singular(const matrix& x, matrix& u, matrix& s, matrix& v)
{
    const Eigen::JacobiSVD<matrix> found(x, Eigen::ComputeFullU | Eigen::ComputeFullV);
    u = found.matrixU();
    s = found.singularValues();
    v = found.matrixV();
}

inline matrix least_squares(const matrix& a, const matrix& b) { return a.colPivHouseholderQr().solve(b); }

inline double det_of(const matrix& x) { return x.determinant(); }
