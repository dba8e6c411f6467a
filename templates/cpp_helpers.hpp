// A function of every entry.
template <class F> matrix mapped(const matrix& x, F f)
{
    matrix y = x;
    for (long j = 0; j < cols(x); j++)
        for (long i = 0; i < rows(x); i++)
            y(i, j) = f(x(i, j));
    return y;
}

// A function of the entries of two matrices; one row, one column or one entry is repeated.
template <class F> matrix zipped(const matrix& a, const matrix& b, F f)
{
    matrix y = filled(0.0, std::max(rows(a), rows(b)), std::max(cols(a), cols(b)));
    for (long j = 0; j < cols(y); j++)
        for (long i = 0; i < rows(y); i++)
            y(i, j) = f(a(rows(a) == 1 ? 0 : i, cols(a) == 1 ? 0 : j), b(rows(b) == 1 ? 0 : i, cols(b) == 1 ? 0 : j));
    return y;
}

template <class F> matrix zipped(const matrix& a, double b, F f) { return zipped(a, filled(b, 1, 1), f); }

template <class F> matrix zipped(double a, const matrix& b, F f) { return zipped(filled(a, 1, 1), b, f); }

// `yes` where the test is not 0, else `no`: numbers, or in the shape of the test.
inline matrix choose(const matrix& test, const matrix& yes, const matrix& no)
{
    matrix y = test;
    for (long j = 0; j < cols(y); j++)
        for (long i = 0; i < rows(y); i++) {
            const matrix& from = test(i, j) != 0.0 ? yes : no;
            y(i, j) = rows(from) == 1 && cols(from) == 1 ? from(0, 0) : from(i, j);
        }
    return y;
}

inline matrix choose(const matrix& test, double yes, const matrix& no) { return choose(test, filled(yes, 1, 1), no); }

inline matrix choose(const matrix& test, const matrix& yes, double no) { return choose(test, yes, filled(no, 1, 1)); }

inline matrix choose(const matrix& test, double yes, double no)
{
    return choose(test, filled(yes, 1, 1), filled(no, 1, 1));
}

// Refuse a matrix of another size.
inline void check(const char* name, long m, long n, long wanted_m, long wanted_n)
{
    if (m != wanted_m || n != wanted_n)
        throw std::invalid_argument(std::string(name) + " is " + std::to_string(m) + " x " + std::to_string(n)
                                    + "; needed " + std::to_string(wanted_m) + " x " + std::to_string(wanted_n));
    if (m < 1 || n < 1)
        throw std::invalid_argument(std::string(name) + " is empty");
}

// Refuse a size of 0.
inline void not_zero(long size, const char* text)
{
    if (size == 0)
        throw std::invalid_argument(std::string(text) + " is 0, and the function divides by it");
}

inline double greater(double a, double b) { return a > b ? 1.0 : 0.0; }

inline double greater_equal(double a, double b) { return a >= b ? 1.0 : 0.0; }

inline double sign(double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x; }

inline double square(double x) { return x * x; }

inline double squared_cosh(double x) { return square(std::cosh(x)); }

inline double maximum(double a, double b) { return a >= b || std::isnan(a) ? a : b; }

inline double minimum(double a, double b) { return a <= b || std::isnan(a) ? a : b; }

inline double power(double x, double k) { return std::pow(x, k); }

// 1 / (1 + exp(-x)), without overflow.
inline double sigmoid(double x)
{
    const double e = std::exp(-std::abs(x));
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

// log(1 + exp(x)), without overflow.
inline double softplus(double x) { return maximum(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

// log(1 - exp(-x)) for positive x, without cancellation.
inline double log1mexp(double x)
{
    return x < 0.6931471805599453 ? std::log(-std::expm1(-x)) : std::log1p(-std::exp(-x));
}

// x + ratio, where ratio is phi(x)/Phi(x) of the normal distribution: for x < -5 by its continued fraction.
inline double mean_excess(double x, double ratio)
{
    if (!(x < -5))
        return x + ratio;
    double tail = 0;
    for (int k = 30; k > 0; k--)
        tail = k / (tail - x);
    return tail;
}

// 1 / x, and 0 where x is 0.
inline double reciprocal(double x) { return x == 0 ? 0.0 : 1 / x; }

inline double huber(double x, double delta)
{
    return std::abs(x) > delta ? delta * (std::abs(x) - delta / 2) : x * x / 2;
}

inline double leaky_relu(double x, double slope) { return x > 0 ? x : slope * x; }

inline double elu(double x, double alpha) { return x > 0 ? x : alpha * std::expm1(x); }

inline double selu(double x) { return 1.0507009873554805 * elu(x, 1.6732632423543772); }

inline double normal_cdf(double x) { return std::erfc(-x * 0.7071067811865476) / 2; }

inline double gelu(double x) { return x * normal_cdf(x); }

// exp(x^2) erfc(x): a continued fraction where the first factor is large.
inline double erfcx(double x)
{
    if (!(x > 4))
        return std::exp(x * x) * std::erfc(x);
    double tail = 0;
    for (int k = 100; k > 0; k--)
        tail = k / 2.0 / (x + tail);
    return 0.5641895835477563 / (x + tail);
}

inline double log_normal_cdf(double x)
{
    const double y = -x * 0.7071067811865476;
    return x < 0 ? std::log(erfcx(y) / 2) - y * y : std::log1p(-std::erfc(-y) / 2);
}

inline double log_gamma(double x) { return std::lgamma(x); }

// The derivative of this order of the logarithm of the gamma function: recurrence up, then the asymptotic series.
inline double polygamma(int order, double x)
{
    if (x <= 0 && x == std::floor(x))
        return std::nan("");
    if (x < 0 && order == 0)
        return polygamma(0, 1 - x) - 3.141592653589793 / std::tan(3.141592653589793 * x);
    const double side = order % 2 == 0 ? -1.0 : 1.0;
    const double factorial = std::tgamma(order + 1.0);
    double sum = 0;
    for (; x < 20; x += 1)
        sum += order == 0 ? -1 / x : side * factorial / std::pow(x, order + 1);
    const double b[] = {1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510};
    if (order == 0) {
        sum += std::log(x) - 0.5 / x;
        for (int k = 0; k < 8; k++)
            sum -= b[k] / ((2 * k + 2) * std::pow(x, 2 * k + 2));
        return sum;
    }
    double series = std::tgamma(order) / std::pow(x, order) + factorial / (2 * std::pow(x, order + 1));
    double rising = std::tgamma(order + 2.0) / 2;
    for (int k = 0; k < 8; k++) {
        series += b[k] * rising / std::pow(x, 2 * k + 2 + order);
        rising *= (2.0 * k + 2 + order) * (2.0 * k + 3 + order) / ((2.0 * k + 3) * (2.0 * k + 4));
    }
    return sum + side * series;
}

inline double digamma(double x) { return polygamma(0, x); }

// A function of the lines along an axis (0: of each column, 1: of each row), which gives a number.
template <class F> matrix folded(const matrix& x, int axis, F f)
{
    matrix y = axis == 0 ? filled(0.0, 1, cols(x)) : filled(0.0, rows(x), 1);
    for (long k = 0; k < (axis == 0 ? cols(x) : rows(x)); k++) {
        const matrix line = axis == 0 ? part(x, 0, k, rows(x), 1) : part(x, k, 0, 1, cols(x));
        (axis == 0 ? y(0, k) : y(k, 0)) = f(line);
    }
    return y;
}

inline double sum_of(const matrix& x)
{
    double y = 0;
    for (long j = 0; j < cols(x); j++)
        for (long i = 0; i < rows(x); i++)
            y += x(i, j);
    return y;
}

inline double product_of(const matrix& x)
{
    double y = 1;
    for (long j = 0; j < cols(x); j++)
        for (long i = 0; i < rows(x); i++)
            y *= x(i, j);
    return y;
}

inline double largest(const matrix& x)
{
    double y = x(0, 0);
    for (long j = 0; j < cols(x); j++)
        for (long i = 0; i < rows(x); i++)
            y = maximum(y, x(i, j));
    return y;
}

inline double smallest(const matrix& x) { return -largest(-x); }

// log(sum(exp(x))), without overflow.
inline double log_sum_exp(const matrix& x)
{
    double top = largest(x), y = 0;
    if (!std::isfinite(top))
        top = 0;
    for (long j = 0; j < cols(x); j++)
        for (long i = 0; i < rows(x); i++)
            y += std::exp(x(i, j) - top);
    return top + std::log(y);
}

// log(softmax(x)) along an axis.
inline matrix log_softmax(const matrix& x, int axis)
{
    return zipped(x, folded(x, axis, log_sum_exp), [](double a, double b) { return a - b; });
}

// exp(x) / sum(exp(x)) along an axis, without overflow.
inline matrix softmax(const matrix& x, int axis)
{
    const matrix e = zipped(x, folded(x, axis, largest), [](double a, double b) { return std::exp(a - b); });
    return zipped(e, folded(e, axis, sum_of), [](double a, double b) { return a / b; });
}

inline matrix cumulative(const matrix& x, int axis)
{
    matrix y = x;
    for (long j = 0; j < cols(x); j++)
        for (long i = 0; i < rows(x); i++)
            if (axis == 0 ? i > 0 : j > 0)
                y(i, j) += axis == 0 ? y(i - 1, j) : y(i, j - 1);
    return y;
}

inline double trace_of(const matrix& x)
{
    double y = 0;
    for (long i = 0; i < rows(x); i++)
        y += x(i, i);
    return y;
}

// The root of the sum of squares, without overflow.
inline double norm_of(const matrix& x)
{
    const double top = largest(mapped(x, [](double t) { return std::abs(t); }));
    if (top == 0 || !std::isfinite(top))
        return top;
    return top * std::sqrt(sum_of(mapped(x, [top](double t) { return square(t / top); })));
}

inline matrix nans(long m, long n) { return filled(std::nan(""), m, n); }

inline bool is_finite(const matrix& x)
{
    for (long j = 0; j < cols(x); j++)
        for (long i = 0; i < rows(x); i++)
            if (!std::isfinite(x(i, j)))
                return false;
    return true;
}

inline double top_size(const matrix& x)
{
    double y = 0;
    for (long j = 0; j < cols(x); j++)
        for (long i = 0; i < rows(x); i++)
            y = maximum(y, std::abs(x(i, j)));
    return y;
}

inline matrix singular_values(const matrix& x)
{
    matrix u, s, v;
    singular(x, u, s, v);
    return s;
}

inline matrix inverse(const matrix& x) { return solved(x, identity(rows(x))); }

// log(det_of(x)); not a number where the determinant is negative.
inline double log_det_of(const matrix& x)
{
    double side = 0;
    const double value = log_abs_det(x, &side);
    return side >= 0 ? value : std::nan("");
}

inline matrix cholesky(const matrix& x)
{
    matrix lower;
    if (!factored(x, lower))
        throw std::runtime_error("the matrix is not positive definite");
    return lower;
}

// The lower l with l l' = x' x and no negative diagonal, by QR factors: x' x has the square of x's condition.
inline matrix gram_factor(const matrix& x)
{
    const matrix upper = triangle_of_qr(x);
    matrix lower = filled(0, cols(x), cols(x));
    double top = 0;
    for (long i = 0; i < rows(upper); ++i) {
        for (long j = i; j < cols(x); ++j)
            lower(j, i) = upper(i, i) < 0 ? -upper(i, j) : upper(i, j);
        top = std::max<double>(top, lower(i, i));
    }
    const double least = std::max<double>(rows(x), cols(x)) * 2.220446049250313e-16 * top;
    for (long i = 0; i < cols(x); ++i)
        if (lower(i, i) <= least) // dependent columns, as far as the digits tell
            lower(i, i) = 0;
    return lower;
}

inline matrix cholesky_inverse(const matrix& l) { return cholesky_solve(l, identity(rows(l))); }

// The lower Cholesky factor of the symmetric part; not a number where that is not positive definite.
inline matrix cholesky_or_nan(const matrix& x)
{
    matrix lower;
    const matrix half = (x + transposed(x)) / 2.0;
    if (!is_finite(x) || !factored(half, lower))
        return nans(rows(x), cols(x));
    return lower;
}

inline matrix whole_power(matrix x, long k)
{
    if (k < 0)
        return whole_power(inverse(x), -k);
    matrix y = identity(rows(x));
    for (; k > 0; k /= 2) {
        if (k % 2 == 1)
            y = matrix(y * x);
        x = matrix(x * x);
    }
    return y;
}

inline matrix column(const matrix& x) { return shaped(x, rows(x) * cols(x), 1); }

// The diagonal matrix of a vector.
inline matrix diagonal_matrix(const matrix& v)
{
    const long n = rows(v) * cols(v);
    matrix y = filled(0.0, n, n);
    for (long i = 0; i < n; i++)
        y(i, i) = rows(v) == 1 ? v(0, i) : v(i, 0);
    return y;
}

inline matrix diagonal(const matrix& x)
{
    matrix y = filled(0.0, std::min(rows(x), cols(x)), 1);
    for (long i = 0; i < rows(y); i++)
        y(i, 0) = x(i, i);
    return y;
}

// x + v I
inline matrix add_diagonal(matrix x, double v)
{
    for (long i = 0; i < rows(x); i++)
        x(i, i) += v;
    return x;
}

// x + diag(v)
inline matrix add_diagonal(matrix x, const matrix& v)
{
    for (long i = 0; i < rows(x); i++)
        x(i, i) += rows(v) == 1 ? v(0, i) : v(i, 0);
    return x;
}

// The matrix with ones at (i, f(i)): m rows, n columns.
template <class F> matrix selection(long m, long n, F f)
{
    matrix y = filled(0.0, m, n);
    for (long i = 0; i < m; i++)
        y(i, f(i)) = 1;
    return y;
}

// vec(X') = commutation(m, n) vec(X) for X m x n.
inline matrix commutation(long m, long n)
{
    return selection(m * n, m * n, [m, n](long i) { return i / n + i % n * m; });
}

inline matrix kronecker(const matrix& a, const matrix& b)
{
    matrix y = filled(0.0, rows(a) * rows(b), cols(a) * cols(b));
    for (long j = 0; j < cols(a); j++)
        for (long i = 0; i < rows(a); i++)
            put(y, i * rows(b), j * cols(b), a(i, j) * b);
    return y;
}

// kron(a, b) m, without the Kronecker product; a null pointer is an identity.
inline matrix kron_times(const matrix* a, const matrix* b, const matrix& m)
{
    const long count = a == nullptr ? rows(m) / cols(*b) : cols(*a);
    const long inner = rows(m) / count;
    matrix y;
    for (long k = 0; k < cols(m); k++) {
        matrix x = shaped(part(m, 0, k, rows(m), 1), inner, count);
        if (b != nullptr)
            x = matrix(*b * x);
        if (a != nullptr)
            x = matrix(x * transposed(*a));
        if (k == 0)
            y = filled(0.0, rows(x) * cols(x), cols(m));
        put(y, 0, k, column(x));
    }
    return y;
}

inline matrix kron_times(const matrix& a, const matrix& b, const matrix& m) { return kron_times(&a, &b, m); }

inline matrix eye_kron_times(const matrix& b, const matrix& m) { return kron_times(nullptr, &b, m); }

inline matrix kron_eye_times(const matrix& a, const matrix& m) { return kron_times(&a, nullptr, m); }

inline matrix times_kron(const matrix& m, const matrix& a, const matrix& b)
{
    return transposed(kron_times(transposed(a), transposed(b), transposed(m)));
}

inline matrix times_eye_kron(const matrix& m, const matrix& b)
{
    return transposed(eye_kron_times(transposed(b), transposed(m)));
}

inline matrix times_kron_eye(const matrix& m, const matrix& a)
{
    return transposed(kron_eye_times(transposed(a), transposed(m)));
}

// The blocks of g, each times b, summed: the adjoint of x -> kron(x, b).
inline matrix block_inner(const matrix& g, const matrix& b)
{
    matrix y = filled(0.0, rows(g) / rows(b), cols(g) / cols(b));
    for (long j = 0; j < cols(g); j++)
        for (long i = 0; i < rows(g); i++)
            y(i / rows(b), j / cols(b)) += g(i, j) * b(i % rows(b), j % cols(b));
    return y;
}

// The sum of the blocks of g weighted by a: the adjoint of x -> kron(a, x).
inline matrix block_sum(const matrix& a, const matrix& g)
{
    matrix y = filled(0.0, rows(g) / rows(a), cols(g) / cols(a));
    for (long j = 0; j < cols(g); j++)
        for (long i = 0; i < rows(g); i++)
            y(i % rows(y), j % cols(y)) += g(i, j) * a(i / rows(y), j / cols(y));
    return y;
}

// Rows i to j and columns k to l, counted from 1.
inline matrix slice(const matrix& x, long i, long j, long k, long l)
{
    if (i < 1 || i > j || j > rows(x) || k < 1 || k > l || l > cols(x))
        throw std::invalid_argument("a slice is not in its matrix");
    return part(x, i - 1, k - 1, j - i + 1, l - k + 1);
}

// An m x n matrix of zeros with x as its block that starts at row i and column k, counted from 1.
inline matrix place(const matrix& x, long m, long n, long i, long k)
{
    if (i < 1 || i > m - rows(x) + 1 || k < 1 || k > n - cols(x) + 1)
        throw std::invalid_argument("a block does not fit");
    matrix y = filled(0.0, m, n);
    put(y, i - 1, k - 1, x);
    return y;
}

// A matrix of blocks, row by row.
inline matrix joined(const std::vector<std::vector<matrix>>& blocks)
{
    long m = 0, n = 0;
    for (const auto& row : blocks)
        m += rows(row[0]);
    for (const auto& block : blocks[0])
        n += cols(block);
    matrix y = filled(0.0, m, n);
    long i = 0;
    for (const auto& row : blocks) {
        long j = 0;
        for (const auto& block : row) {
            put(y, i, j, block);
            j += cols(block);
        }
        i += rows(row[0]);
    }
    return y;
}

// The columns of the lower triangle, stacked.
inline matrix vech(const matrix& x)
{
    matrix y = filled(0.0, rows(x) * (rows(x) + 1) / 2, 1);
    long k = 0;
    for (long j = 0; j < cols(x); j++)
        for (long i = j; i < rows(x); i++)
            y(k++, 0) = x(i, j);
    return y;
}

// The lower triangular matrix whose vech is v.
inline matrix unvech(const matrix& v, long n)
{
    matrix y = filled(0.0, n, n);
    long k = 0;
    for (long j = 0; j < n; j++)
        for (long i = j; i < n; i++, k++)
            y(i, j) = rows(v) == 1 ? v(0, k) : v(k, 0);
    return y;
}

inline matrix lower_part(matrix x)
{
    for (long j = 1; j < cols(x); j++)
        for (long i = 0; i < std::min(j, rows(x)); i++)
            x(i, j) = 0;
    return x;
}

inline matrix upper_part(const matrix& x) { return transposed(lower_part(transposed(x))); }

// Entry i, j: the sum of g along the diagonal of i, j.
inline matrix diagonal_sums(const matrix& g)
{
    const long n = rows(g);
    std::vector<double> sums(2 * n, 0.0);
    matrix y = g;
    for (long j = 0; j < n; j++)
        for (long i = 0; i < n; i++)
            sums[j - i + n] += g(i, j);
    for (long j = 0; j < n; j++)
        for (long i = 0; i < n; i++)
            y(i, j) = sums[j - i + n];
    return y;
}

// The place of entry i, j (or j, i) among the entries of vech.
inline long vech_place(long i, long j, long n)
{
    const long a = std::max(i, j), b = std::min(i, j);
    return b * n - b * (b - 1) / 2 + a - b;
}

// vec(S) = duplication(n) vech(S) for symmetric S.
inline matrix duplication(long n)
{
    return selection(n * n, n * (n + 1) / 2, [n](long k) { return vech_place(k % n, k / n, n); });
}

// vech(X) = elimination(n) vec(X).
inline matrix elimination(long n)
{
    matrix y = filled(0.0, n * (n + 1) / 2, n * n);
    for (long j = 0; j < n; j++)
        for (long i = j; i < n; i++)
            y(vech_place(i, j, n), i + j * n) = 1;
    return y;
}

// vec(diag(v)) = diagonal_selection(n) v.
inline matrix diagonal_selection(long n)
{
    matrix y = filled(0.0, n * n, n);
    for (long i = 0; i < n; i++)
        y(i * (n + 1), i) = 1;
    return y;
}

// vec(T) = toeplitz_basis(n) times the diagonals of T, from the lower left corner up.
inline matrix toeplitz_basis(long n)
{
    return selection(n * n, 2 * n - 1, [n](long k) { return k / n - k % n + n - 1; });
}

// vec(T) = symmetric_toeplitz_basis(n) times the first row of T.
inline matrix symmetric_toeplitz_basis(long n)
{
    return selection(n * n, n, [n](long k) { return std::abs(k / n - k % n); });
}

// vec(S) = skew_basis(n) times the columns below the diagonal of S, stacked.
inline matrix skew_basis(long n)
{
    matrix y = filled(0.0, n * n, n * (n - 1) / 2);
    long k = 0;
    for (long j = 0; j < n; j++)
        for (long i = j + 1; i < n; i++, k++) {
            y(i + j * n, k) = 1;
            y(j + i * n, k) = -1;
        }
    return y;
}

// The matrix T with T x the convolution of x (of length m) and w.
inline matrix convolution_matrix(const matrix& w, long m)
{
    matrix y = filled(0.0, rows(w) + m - 1, m);
    for (long j = 0; j < m; j++)
        put(y, j, j, w);
    return y;
}

inline matrix convolution(const matrix& a, const matrix& b) { return convolution_matrix(b, rows(a)) * a; }

// The squared distances of the rows of x from those of z.
inline matrix squared_distances(const matrix& x, const matrix& z)
{
    matrix y = filled(0.0, rows(x), rows(z));
    for (long j = 0; j < rows(z); j++)
        for (long i = 0; i < rows(x); i++)
            for (long k = 0; k < cols(x); k++)
                y(i, j) += square(x(i, k) - z(j, k));
    return y;
}

// The entries along an axis (0: columns, 1: rows, 2: all) as columns of a matrix, and back in the shape of x.
inline matrix lines(const matrix& x, int axis) { return axis == 0 ? x : axis == 1 ? transposed(x) : column(x); }

inline matrix from_lines(const matrix& y, const matrix& x, int axis)
{
    return axis == 0 ? y : axis == 1 ? transposed(y) : shaped(y, rows(x), cols(x));
}

// The product of the entries of a column without some.
inline double product_without(const matrix& x, long column, std::initializer_list<long> without)
{
    double y = 1;
    for (long i = 0; i < rows(x); i++)
        if (std::find(without.begin(), without.end(), i) == without.end())
            y *= x(i, column);
    return y;
}

// The products of all other entries along an axis (2: of all entries).
inline matrix other_products(const matrix& x, int axis)
{
    const matrix all = lines(x, axis);
    matrix y = all;
    for (long j = 0; j < cols(all); j++)
        for (long i = 0; i < rows(all); i++)
            y(i, j) = product_without(all, j, {i});
    return from_lines(y, x, axis);
}

// The derivative of other_products at x in the direction v.
inline matrix other_products_slope(const matrix& x, const matrix& v, int axis)
{
    const matrix all = lines(x, axis), moved = lines(v, axis);
    matrix y = filled(0.0, rows(all), cols(all));
    for (long j = 0; j < cols(all); j++)
        for (long i = 0; i < rows(all); i++)
            for (long k = 0; k < rows(all); k++)
                if (k != i)
                    y(i, j) += moved(k, j) * product_without(all, j, {i, k});
    return from_lines(y, x, axis);
}

// The derivative of some order of other_products on vec: a column for each tuple of entries.
inline matrix products_form(const matrix& x, int order, int axis)
{
    const long m = rows(x), count = rows(x) * cols(x);
    long tuples = 1;
    for (int k = 0; k <= order; k++)
        tuples *= count;
    matrix y = filled(0.0, count, tuples / count);
    for (long t = 0; t < tuples; t++) {
        std::vector<long> tuple;
        for (long rest = t, k = 0; k <= order; k++, rest /= count)
            tuple.insert(tuple.begin(), rest % count);
        const auto line = [&](long k) { return axis == 0 ? k / m : axis == 1 ? k % m : 0; };
        bool fits = true;
        for (size_t a = 0; a < tuple.size(); a++)
            for (size_t b = 0; b < a; b++)
                fits = fits && tuple[a] != tuple[b] && line(tuple[a]) == line(tuple[b]);
        if (!fits)
            continue;
        double value = 1;
        for (long k = 0; k < count; k++)
            if (line(k) == line(tuple[0]) && std::find(tuple.begin(), tuple.end(), k) == tuple.end())
                value *= x(k % m, k / m);
        y(t / (tuples / count), t % (tuples / count)) = value;
    }
    return y;
}

inline bool is_symmetric(const matrix& x)
{
    return top_size(x - transposed(x)) <= 8.0 * rows(x) * 2.220446049250313e-16 * top_size(x);
}

// A column of length 1 with its largest entry positive.
inline matrix upright(const matrix& v)
{
    long top = 0;
    for (long i = 0; i < rows(v); i++)
        if (std::abs(v(i, 0)) > std::abs(v(top, 0)))
            top = i;
    return v * (sign(v(top, 0)) / norm_of(v));
}

// Ascending eigenvalues and eigenvectors (length 1, largest entry positive); not a number where they are complex.
inline matrix eigen_pairs(const matrix& x, matrix& vectors)
{
    const long n = rows(x);
    vectors = nans(n, n);
    if (!is_finite(x))
        return nans(n, 1);
    matrix values, imaginary = filled(0.0, n, 1), found;
    if (is_symmetric(x))
        symmetric_pairs(x, values, found);
    else
        general_pairs(x, values, imaginary, found);
    if (top_size(imaginary) != 0)
        return nans(n, 1);
    std::vector<long> order(n);
    for (long i = 0; i < n; i++)
        order[i] = i;
    std::sort(order.begin(), order.end(), [&](long a, long b) { return values(a, 0) < values(b, 0); });
    matrix sorted = values;
    for (long i = 0; i < n; i++) {
        sorted(i, 0) = values(order[i], 0);
        put(vectors, 0, i, upright(part(found, 0, order[i], n, 1)));
    }
    return sorted;
}

inline matrix eigen_values(const matrix& x)
{
    matrix vectors;
    return eigen_pairs(x, vectors);
}

inline matrix eigen_vectors(const matrix& x)
{
    matrix vectors;
    eigen_pairs(x, vectors);
    return vectors;
}

// The eigenvalue that is largest (side 1) or smallest (side -1), and its eigenvector.
inline double extreme_pair(const matrix& x, int side, matrix& vector)
{
    const long n = rows(x);
    vector = nans(n, 1);
    if (!is_finite(x))
        return std::nan("");
    matrix values, imaginary = filled(0.0, n, 1), vectors;
    if (is_symmetric(x))
        symmetric_pairs(x, values, vectors);
    else
        general_pairs(x, values, imaginary, vectors);
    long k = 0;
    for (long i = 0; i < n; i++)
        if (side * values(i, 0) > side * values(k, 0))
            k = i;
    if (imaginary(k, 0) != 0)
        return std::nan("");
    vector = upright(part(vectors, 0, k, n, 1));
    return values(k, 0);
}

inline double extreme_value(const matrix& x, int side)
{
    matrix vector;
    return extreme_pair(x, side, vector);
}

inline matrix extreme_vector(const matrix& x, int side)
{
    matrix vector;
    extreme_pair(x, side, vector);
    return vector;
}

// The number of singular values that are no rounding errors.
inline long rank_of(const matrix& x, const matrix& s)
{
    long r = 0;
    for (long i = 0; i < rows(s); i++)
        r += s(i, 0) > 10.0 * std::max(rows(x), cols(x)) * 2.220446049250313e-16 * s(0, 0);
    return r;
}

inline matrix pseudo_inverse(const matrix& x)
{
    if (!is_finite(x))
        return nans(cols(x), rows(x));
    matrix u, s, v;
    singular(x, u, s, v);
    const long r = rank_of(x, s);
    matrix scaled = part(v, 0, 0, cols(x), r);
    for (long j = 0; j < r; j++)
        for (long i = 0; i < rows(scaled); i++)
            scaled(i, j) /= s(j, 0);
    return scaled * transposed(part(u, 0, 0, rows(x), r));
}

// The pseudoinverse of (t I - x), t the largest (side 1) or smallest (side -1) eigenvalue of a symmetric x.
inline matrix resolvent(const matrix& x, int side)
{
    matrix values, vectors;
    symmetric_pairs(x, values, vectors);
    matrix scaled = vectors;
    const long n = rows(x);
    for (long j = 0; j < n; j++) {
        const double gap = values(side > 0 ? n - 1 : 0, 0) - values(j, 0);
        const bool small = std::abs(gap) <= 10.0 * n * 2.220446049250313e-16 * top_size(values);
        for (long i = 0; i < n; i++)
            scaled(i, j) = small ? 0.0 : scaled(i, j) / gap;
    }
    return scaled * transposed(vectors);
}

// U V' for x = U diag(s) V', s > 0.
inline matrix polar_factor(const matrix& x)
{
    if (!is_finite(x))
        return nans(rows(x), cols(x));
    matrix u, s, v;
    singular(x, u, s, v);
    const long r = rank_of(x, s);
    return part(u, 0, 0, rows(x), r) * transposed(part(v, 0, 0, cols(x), r));
}

// The derivative of the polar factor at x in a direction, along matrices of the rank of x.
inline matrix polar_slope(const matrix& x, const matrix& dx)
{
    if (!is_finite(x))
        return nans(rows(x), cols(x));
    matrix u, s, v;
    singular(x, u, s, v);
    const long r = rank_of(x, s);
    const matrix turned = transposed(u) * dx * v;
    matrix y = turned;
    for (long j = 0; j < cols(x); j++)
        for (long i = 0; i < rows(x); i++) {
            const double weight = reciprocal((i < r ? s(i, 0) : 0.0) + (j < r ? s(j, 0) : 0.0));
            y(i, j) = weight * (turned(i, j) - (i < r && j < r ? turned(j, i) : 0.0));
        }
    return u * y * transposed(v);
}

// The matrix whose columns are the vec of f at the unit matrices in the shape of x.
template <class F> matrix form_of(const matrix& x, F f)
{
    matrix y;
    for (long k = 0; k < rows(x) * cols(x); k++) {
        matrix unit = filled(0.0, rows(x), cols(x));
        unit(k % rows(x), k / rows(x)) = 1;
        const matrix found = column(f(unit));
        if (k == 0)
            y = filled(0.0, rows(found), rows(x) * cols(x));
        put(y, 0, k, found);
    }
    return y;
}

inline matrix polar_form(const matrix& x)
{
    return form_of(x, [&](const matrix& v) { return polar_slope(x, v); });
}

// The exponential of a matrix: a Pade approximation of degree 13 at x / 2^k, squared k times.
inline matrix exp_matrix(matrix x)
{
    if (!is_finite(x))
        return nans(rows(x), cols(x));
    const double size = largest(folded(mapped(x, [](double t) { return std::abs(t); }), 0, sum_of));
    const int times = size > 0 ? std::max(0, static_cast<int>(std::ceil(std::log2(size / 5.37)))) : 0;
    x = matrix(x / std::pow(2.0, times));
    double c[14] = {1};
    for (int k = 0; k < 13; k++)
        c[k + 1] = c[k] * (13 - k) / ((26.0 - k) * (k + 1));
    const matrix unit = identity(rows(x)), x2 = x * x, x4 = x2 * x2, x6 = x2 * x4;
    const matrix high_odd = c[13] * x6 + c[11] * x4 + c[9] * x2;
    const matrix low_odd = x6 * high_odd + c[7] * x6 + c[5] * x4 + c[3] * x2 + c[1] * unit;
    const matrix odd = x * low_odd;
    const matrix high_even = c[12] * x6 + c[10] * x4 + c[8] * x2;
    const matrix even = x6 * high_even + c[6] * x6 + c[4] * x4 + c[2] * x2 + c[0] * unit;
    matrix y = unit + 2.0 * solved(even - odd, odd);
    for (int k = 0; k < times; k++)
        y = matrix(y * y);
    return y;
}

// A function of a symmetric matrix by its eigenvalues.
template <class F> matrix by_eigenvalues(const matrix& x, F f)
{
    matrix values, vectors;
    symmetric_pairs(x, values, vectors);
    matrix scaled = vectors;
    for (long j = 0; j < cols(x); j++)
        for (long i = 0; i < rows(x); i++)
            scaled(i, j) *= f(values(j, 0), rows(x) * 2.220446049250313e-16 * top_size(values));
    return scaled * transposed(vectors);
}

// The principal square root by Denman and Beavers' iteration; not a number where it does not converge to a real one.
inline matrix general_root(const matrix& x)
{
    const long n = rows(x);
    matrix y = x, m = x;
    double far = 1;
    for (int k = 0; k < 60; k++) {
        const double scale = far > 0.01 ? std::exp(-log_abs_det(m) / n) : 1.0;
        if (!std::isfinite(scale))
            return nans(n, n);
        m = matrix(scale * m);
        const matrix inverted = inverse(m);
        y = matrix(std::sqrt(scale) * (y + y * inverted) / 2.0);
        m = matrix((identity(n) + (m + inverted) / 2.0) / 2.0);
        const double next = top_size(m - identity(n));
        if (!std::isfinite(next))
            return nans(n, n);
        const bool done = next <= n * 2.220446049250313e-16 || (far <= 0.01 && next >= far / 2);
        far = next;
        if (done)
            break;
    }
    return top_size(y * y - x) <= 1.5e-8 * square(top_size(y)) ? y : nans(n, n);
}

// The principal square root; not a number where it is not real.
inline matrix sqrt_matrix(const matrix& x)
{
    if (!is_finite(x))
        return nans(rows(x), cols(x));
    if (!is_symmetric(x))
        return general_root(x);
    return by_eigenvalues(x, [](double t, double small) { return std::sqrt(std::abs(t) <= small ? std::abs(t) : t); });
}

// The principal logarithm (not a number where it is not real): roots until near I, then Gauss's quadrature.
inline matrix log_matrix(matrix x)
{
    const long n = rows(x);
    if (!is_finite(x))
        return nans(n, n);
    if (is_symmetric(x))
        return by_eigenvalues(x, [](double t, double) { return std::log(t); });
    double factor = 1;
    while (factor < 1e15
           && largest(folded(mapped(x - identity(n), [](double t) { return std::abs(t); }), 0, sum_of)) > 0.25) {
        x = general_root(x);
        if (!is_finite(x))
            return x;
        factor *= 2;
    }
    x = matrix(x - identity(n));
    const double nodes[] = {0.0, 0.4058451513773972, 0.7415311855993945, 0.9491079123427585};
    const double weights[] = {0.4179591836734694, 0.3818300505051189, 0.27970539148927664, 0.1294849661688697};
    matrix y = filled(0.0, n, n);
    for (int k = -3; k < 4; k++) {
        const double node = k < 0 ? -nodes[-k] : nodes[k];
        y = matrix(y + weights[std::abs(k)] / 2 * solved(identity(n) + (1 + node) / 2 * x, x));
    }
    return factor * y;
}

// x^k: the repeated product for a whole number k, else the principal power.
inline matrix power_matrix(const matrix& x, double k)
{
    if (!std::isfinite(k))
        return nans(rows(x), cols(x));
    return k == std::round(k) ? whole_power(x, static_cast<long>(k)) : exp_matrix(k * log_matrix(x));
}

// The upper right block of f([x, v; 0, x]): the derivative of f at x in the direction v.
template <class F> matrix slope_of(F f, const matrix& x, const matrix& v)
{
    const long n = rows(x);
    return part(f(joined({{x, v}, {filled(0.0, n, n), x}})), 0, n, n, n);
}

inline matrix exp_slope(const matrix& x, const matrix& v) { return slope_of(exp_matrix, x, v); }

inline matrix log_slope(const matrix& x, const matrix& v) { return slope_of(log_matrix, x, v); }

inline matrix power_slope(const matrix& x, const matrix& v, double k)
{
    return slope_of([k](const matrix& z) { return power_matrix(z, k); }, x, v);
}

template <class F> matrix slope_form(F slope, const matrix& x)
{
    return form_of(x, [&](const matrix& v) { return slope(x, v); });
}

inline matrix power_form(const matrix& x, double k)
{
    return form_of(x, [&](const matrix& v) { return power_slope(x, v, k); });
}

// The x in the shape of c with system vec(x) = vec(c); not a number where there is not one.
inline matrix system_solution(const matrix& system, const matrix& c)
{
    if (!is_finite(system) || !is_finite(c))
        return nans(rows(c), cols(c));
    try {
        return shaped(solved(system, column(c)), rows(c), cols(c));
    } catch (const std::runtime_error&) {
        return nans(rows(c), cols(c));
    }
}

// The x with a x + x b = c, as one system for all its entries.
inline matrix sylvester_solution(const matrix& a, const matrix& b, const matrix& c)
{
    return system_solution(kronecker(identity(cols(c)), a) + kronecker(transposed(b), identity(rows(c))), c);
}

// y with s y + y s = v for the root s of x.
inline matrix sqrt_slope(const matrix& x, const matrix& v)
{
    const matrix s = sqrt_matrix(x);
    return sylvester_solution(s, s, v);
}

inline matrix lyapunov(const matrix& a, const matrix& q) { return sylvester_solution(a, transposed(a), q); }

// The x with x = a x a' + q.
inline matrix discrete_lyapunov(const matrix& a, const matrix& q)
{
    return system_solution(identity(rows(q) * cols(q)) - kronecker(a, a), q);
}

// The stabilising x with a' x + x a - x b r^-1 b' x + q = 0, from the sign of the Hamiltonian matrix.
inline matrix riccati(const matrix& a, const matrix& b, const matrix& q0, const matrix& r0)
{
    const long n = rows(a);
    if (!is_finite(a) || !is_finite(b) || !is_finite(q0) || !is_finite(r0))
        return nans(n, n);
    const matrix q = (q0 + transposed(q0)) / 2.0, r = (r0 + transposed(r0)) / 2.0;
    const matrix g = b * solved(r, transposed(b));
    matrix w = joined({{a, -g}, {-q, -transposed(a)}});
    for (int k = 0; k < 60; k++) {
        const double scale = std::exp(-log_abs_det(w) / (2.0 * n));
        const matrix next = (scale * w + inverse(scale * w)) / 2.0;
        const double change = top_size(next - w) / top_size(next);
        w = next;
        if (!(change > 10.0 * n * 2.220446049250313e-16))
            break;
    }
    if (!is_finite(w))
        return nans(n, n);
    const matrix left = joined({{part(w, 0, n, n, n)}, {part(w, n, n, n, n) + identity(n)}});
    const matrix right = joined({{part(w, 0, 0, n, n) + identity(n)}, {part(w, n, 0, n, n)}});
    matrix x = -least_squares(left, right);
    x = matrix((x + transposed(x)) / 2.0);
    const matrix rest = transposed(a) * x + x * a - x * g * x + q;
    return top_size(rest) <= 1e-8 * (top_size(x) * top_size(a) + top_size(q)) ? x : nans(n, n);
}

// The stabilising x with x = a' x a - a' x b (r + b' x b)^-1 b' x a + q, by doubling.
inline matrix discrete_riccati(const matrix& a, const matrix& b, const matrix& q0, const matrix& r0)
{
    const long n = rows(a);
    if (!is_finite(a) || !is_finite(b) || !is_finite(q0) || !is_finite(r0))
        return nans(n, n);
    const matrix q = (q0 + transposed(q0)) / 2.0, r = (r0 + transposed(r0)) / 2.0;
    matrix x = q, s = a, g = b * solved(r, transposed(b));
    for (int k = 0; k < 60; k++) {
        const matrix w = identity(n) + g * x;
        const matrix left = solved(w, s), right = solved(w, g);
        g = matrix(g + s * right * transposed(s));
        x = matrix(x + transposed(s) * x * left);
        s = matrix(s * left);
        if (!is_finite(s) || top_size(s) <= 2.220446049250313e-16)
            break;
        g = matrix((g + transposed(g)) / 2.0);
        x = matrix((x + transposed(x)) / 2.0);
    }
    if (!is_finite(x))
        return nans(n, n);
    const matrix gain = solved(r + transposed(b) * x * b, transposed(b) * x * a);
    const matrix rest = transposed(a) * x * (a - b * gain) - x + q;
    return top_size(rest) <= 1e-8 * (top_size(x) + top_size(q)) ? x : nans(n, n);
}

// The adjugate, also of a singular matrix: det(U V') adj(s) on the singular values.
inline matrix adjugate(const matrix& x)
{
    if (!is_finite(x))
        return nans(rows(x), cols(x));
    matrix u, s, v;
    singular(x, u, s, v);
    const matrix rest = diagonal_matrix(other_products(s, 0));
    return det_of(u) * det_of(v) * matrix(v * rest * transposed(u));
}

// The derivative of the adjugate at x in a direction.
inline matrix adjugate_slope(const matrix& x, const matrix& dx)
{
    const long n = rows(x);
    if (!is_finite(x))
        return nans(n, n);
    matrix u, s, v;
    singular(x, u, s, v);
    const matrix turned = transposed(u) * dx * v;
    matrix inner = filled(0.0, n, n);
    for (long i = 0; i < n; i++)
        for (long j = 0; j < n; j++)
            if (i != j) {
                const double rest = product_without(s, 0, {i, j});
                inner(i, j) -= rest * turned(i, j);
                inner(i, i) += rest * turned(j, j);
            }
    return det_of(u) * det_of(v) * matrix(v * inner * transposed(u));
}

// The sign of the order of some numbers.
inline double order_sign(const std::vector<long>& x)
{
    double y = 1;
    for (size_t a = 0; a < x.size(); a++)
        for (size_t b = 0; b < a; b++)
            y *= x[b] > x[a] ? -1.0 : x[b] == x[a] ? 0.0 : 1.0;
    return y;
}

// The determinant of x without some rows and columns.
inline double minor_of(const matrix& x, const std::vector<long>& without_rows, const std::vector<long>& without_cols)
{
    const long n = rows(x), left = n - static_cast<long>(without_rows.size());
    if (left <= 0)
        return left == 0 ? 1.0 : 0.0;
    matrix y = filled(0.0, left, left);
    for (long i = 0, a = 0; i < n; i++) {
        if (std::find(without_rows.begin(), without_rows.end(), i) != without_rows.end())
            continue;
        for (long j = 0, b = 0; j < n; j++)
            if (std::find(without_cols.begin(), without_cols.end(), j) == without_cols.end())
                y(a, b++) = x(i, j);
        a++;
    }
    return det_of(y);
}

// The derivative of this order of the adjugate on vec: minors, a column for each tuple of unit matrices.
inline matrix adjugate_form(const matrix& x, int order)
{
    const long n = rows(x), count = n * n;
    long tuples = 1;
    for (int k = 0; k <= order; k++)
        tuples *= count;
    matrix y = filled(0.0, count, tuples / count);
    for (long t = 0; t < tuples; t++) {
        std::vector<long> without_rows, without_cols;
        long total = 0;
        for (long rest = t, k = order; k >= 0; k--, rest /= count) {
            const long row = rest % count % n, col = rest % count / n;
            without_rows.insert(without_rows.begin(), k == 0 ? col : row);
            without_cols.insert(without_cols.begin(), k == 0 ? row : col);
            total += row + col;
        }
        const double side = (total % 2 == 0 ? 1.0 : -1.0) * order_sign(without_rows) * order_sign(without_cols);
        if (side != 0)
            y(t / (tuples / count), t % (tuples / count)) = side * minor_of(x, without_rows, without_cols);
    }
    return y;
}

// x' diag(d) x
inline matrix weighted_gram(const matrix& x, const matrix& d)
{
    return transposed(x) * zipped(x, d, [](double a, double b) { return a * b; });
}
