static double square(double x)
{
    return x * x;
}

static double choose(int condition, double yes, double no)
{
    return condition ? yes : no;
}

static double sign(double x)
{
    return x > 0 ? 1.0 : x < 0 ? -1.0 : x;
}

static double maximum(double x, double y)
{
    return x >= y || isnan(x) ? x : y;
}

static double minimum(double x, double y)
{
    return x <= y || isnan(x) ? x : y;
}

/* 1 / (1 + exp(-x)), without overflow. */
static double sigmoid(double x)
{
    const double small = exp(-fabs(x));
    return (x >= 0 ? 1 : small) / (1 + small);
}

/* log(1 + exp(x)), without overflow. */
static double softplus(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

/* log(1 - exp(-x)) for positive x, without cancellation near 0 and where exp(-x) is small. */
static double log1mexp(double x)
{
    return x < 0.6931471805599453 ? log(-expm1(-x)) : log1p(-exp(-x));
}

/* cosh(x)^2 */
static double squared_cosh(double x)
{
    return cosh(x) * cosh(x);
}

/* 1 / norm, and 0 where the norm is 0: the gradient of a norm at 0 is taken to be 0. */
static double reciprocal(double norm)
{
    return norm != 0 ? 1 / norm : norm;
}

/* x^2/2 up to delta, linear beyond. */
static double huber(double x, double delta)
{
    return fabs(x) > delta ? delta * (fabs(x) - delta / 2) : x * x / 2;
}

/* x where it is positive, slope x elsewhere. */
static double leaky_relu(double x, double slope)
{
    return x > 0 ? x : slope * x;
}

/* x where it is positive, alpha (exp(x) - 1) elsewhere. */
static double elu(double x, double alpha)
{
    return x > 0 ? x : alpha * expm1(x);
}

/* The scaled exponential linear unit. */
static double selu(double x)
{
    return 1.0507009873554805 * elu(x, 1.6732632423543772);
}

/* The distribution function of the standard normal distribution. */
static double normal_distribution(double x)
{
    return erfc(-x * 0.7071067811865476) / 2;
}

/* x times the distribution function of the standard normal distribution. */
static double gelu(double x)
{
    return x * normal_distribution(x);
}

/* The inner product of two vectors of any length. */
static double dot(size_t length, const double *x, const double *y)
{
    const size_t most = (size_t)1 << 30;
    double sum = 0;
    for (; length > most; length -= most, x += most, y += most)
        sum += cblas_ddot((int)most, x, 1, y, 1);
    return sum + cblas_ddot((int)length, x, 1, y, 1);
}

/* The largest of the entries of a line. */
static double largest(size_t length, size_t step, const double *x)
{
    double top = x[0];
    for (size_t k = 1; k < length; k++)
        if (x[k * step] > top || isnan(x[k * step]))
            top = x[k * step];
    return top;
}

/* The smallest of the entries of a line. */
static double smallest(size_t length, size_t step, const double *x)
{
    double low = x[0];
    for (size_t k = 1; k < length; k++)
        if (x[k * step] < low || isnan(x[k * step]))
            low = x[k * step];
    return low;
}

/* The product of the entries of a line. */
static double product(size_t length, size_t step, const double *x)
{
    double result = 1;
    for (size_t k = 0; k < length; k++)
        result *= x[k * step];
    return result;
}

/* The products of all other entries of a line, also where some are zero. */
static void product_of_others(size_t length, size_t step, const double *x, double *y)
{
    double before = 1, after = 1;
    for (size_t k = 0; k < length; before *= x[k++ * step])
        y[k * step] = before;
    for (size_t k = length; k-- > 0; after *= x[k * step])
        y[k * step] *= after;
}

/* The sums of the entries up to each one of a line. */
static void running_sum(size_t length, size_t step, const double *x, double *y)
{
    double sum = 0;
    for (size_t k = 0; k < length; k++)
        y[k * step] = sum += x[k * step];
}

/* log(sum(exp(x))) of a line, without overflow. */
static double log_sum_exp(size_t length, size_t step, const double *x)
{
    const double top = largest(length, step, x);
    double sum = 0;
    if (isinf(top))
        return top;
    for (size_t k = 0; k < length; k++)
        sum += exp(x[k * step] - top);
    return top + log(sum);
}

/* exp(x) / sum(exp(x)) of a line, without overflow. */
static void softmax(size_t length, size_t step, const double *x, double *y)
{
    const double top = largest(length, step, x);
    double sum = 0;
    for (size_t k = 0; k < length; k++)
        sum += y[k * step] = exp(x[k * step] - top);
    for (size_t k = 0; k < length; k++)
        y[k * step] /= sum;
}

/* log(softmax(x)) of a line, without overflow or underflow. */
static void log_softmax(size_t length, size_t step, const double *x, double *y)
{
    const double top = largest(length, step, x);
    double sum = 0;
    for (size_t k = 0; k < length; k++)
        sum += exp(x[k * step] - top);
    for (size_t k = 0; k < length; k++)
        y[k * step] = x[k * step] - top - log(sum);
}

extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);

/* The lower Cholesky factor of s (its lower triangle is read): row-major lower is LAPACK's upper. */
static int cholesky(int n, const double *s, double *l)
{
    int info;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            l[(size_t)i * n + j] = j <= i ? s[(size_t)i * n + j] : 0;
    dpotrf_("U", &n, l, &n, &info);
    return info;
}

/* The lower l with l l' = x' x and no negative diagonal, for x of m x n, by reflections that make x triangular. */
static int gram_factor(int m, int n, const double *x, double *l)
{
    double *a = malloc(((size_t)m * n + n + 1) * sizeof(double)), *w = a + (size_t)m * n;
    if (a == NULL)
        return -2;
    for (size_t k = 0; k < (size_t)m * n; k++)
        a[k] = x[k];
    for (int j = 0; j < n && j < m; j++) {
        double size = 0, top = 0;
        for (int i = j; i < m; i++)
            top = fmax(top, fabs(a[(size_t)i * n + j]));
        for (int i = j; i < m && top > 0; i++)
            size += (a[(size_t)i * n + j] / top) * (a[(size_t)i * n + j] / top);
        size = top * sqrt(size);
        if (size == 0)
            continue;
        const double pivot = a[(size_t)j * n + j], far = pivot < 0 ? pivot - size : pivot + size;
        const double factor = pivot < 0 ? -far / size : far / size;
        a[(size_t)j * n + j] = far;
        for (int k = j + 1; k < n; k++)
            w[k] = 0;
        for (int i = j; i < m; i++)
            for (int k = j + 1; k < n; k++)
                w[k] += a[(size_t)i * n + j] / far * a[(size_t)i * n + k];
        for (int i = j; i < m; i++)
            for (int k = j + 1; k < n; k++)
                a[(size_t)i * n + k] -= factor * (a[(size_t)i * n + j] / far) * w[k];
        a[(size_t)j * n + j] = pivot < 0 ? size : -size;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            l[(size_t)i * n + j] = j <= i && j < m ? (a[(size_t)j * n + j] < 0 ? -1 : 1) * a[(size_t)j * n + i] : 0;
    free(a);
    double top = 0;
    for (int i = 0; i < n; i++)
        top = fmax(top, l[(size_t)i * n + i]);
    const double bound = (m > n ? m : n) * 2.220446049250313e-16 * top;
    for (int i = 0; i < n; i++)
        if (l[(size_t)i * n + i] <= bound) /* dependent columns, as far as the digits tell */
            l[(size_t)i * n + i] = 0;
    return 0;
}

/* x = the solution of l l' x = b, for a Cholesky factor l; b is n x m. */
static void cholesky_solve(int n, int m, const double *l, const double *b, double *x)
{
    for (size_t k = 0; k < (size_t)n * m; k++)
        x[k] = b[k];
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, n, m, 1.0, l, n, x, m);
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, n, m, 1.0, l, n, x, m);
}

/* x = the inverse of l l', for a Cholesky factor l. */
static void cholesky_inverse(int n, const double *l, double *x)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            x[(size_t)i * n + j] = i == j;
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, n, n, 1.0, l, n, x, n);
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, n, n, 1.0, l, n, x, n);
}

extern void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *pivots, int *info);
extern void dgetrs_(const char *trans, const int *n, const int *m, const double *a, const int *lda, const int *pivots,
                    double *b, const int *ldb, int *info);

/* x = the solution of a x = b, by the LU factors of a' (row-major a is LAPACK's a'); b is n x m. */
static int solve(int n, int m, const double *a, const double *b, double *x)
{
    int info = -2;
    double *lu = malloc(((size_t)n * n + (size_t)n * m) * sizeof(double));
    int *pivots = malloc((size_t)n * sizeof(int));
    if (lu != NULL && pivots != NULL) {
        double *turned = lu + (size_t)n * n;
        for (size_t k = 0; k < (size_t)n * n; k++)
            lu[k] = a[k];
        for (int i = 0; i < n; i++)
            for (int j = 0; j < m; j++)
                turned[(size_t)j * n + i] = b[(size_t)i * m + j];
        dgetrf_(&n, &n, lu, &n, pivots, &info);
        if (info == 0)
            dgetrs_("T", &n, &m, lu, &n, pivots, turned, &n, &info);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < m; j++)
                x[(size_t)i * m + j] = turned[(size_t)j * n + i];
    }
    free(pivots);
    free(lu);
    return info;
}

/* x = the inverse of a. */
static int inverse(int n, const double *a, double *x)
{
    int info = -2;
    double *one = malloc((size_t)n * n * sizeof(double));
    if (one != NULL) {
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                one[(size_t)i * n + j] = i == j;
        info = solve(n, n, a, one, x);
    }
    free(one);
    return info;
}

/* The sign of the determinant of a and the logarithm of its size. */
static int log_determinant(int n, const double *a, double *signum, double *logarithm)
{
    int info = -2;
    double *lu = malloc((size_t)n * n * sizeof(double));
    int *pivots = malloc((size_t)n * sizeof(int));
    *signum = 1;
    *logarithm = 0;
    if (lu != NULL && pivots != NULL) {
        for (size_t k = 0; k < (size_t)n * n; k++)
            lu[k] = a[k];
        dgetrf_(&n, &n, lu, &n, pivots, &info);
        for (int i = 0; i < n; i++) {
            const double d = lu[(size_t)i * n + i];
            *signum *= (pivots[i] == i + 1 ? 1 : -1) * (d < 0 ? -1 : d > 0 ? 1 : d);
            *logarithm += log(fabs(d));
        }
        info = 0; /* a singular matrix has the determinant 0 */
    }
    free(pivots);
    free(lu);
    return info;
}
