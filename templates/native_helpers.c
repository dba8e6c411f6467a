/* The largest number of a row of numbers; nan if one is nan. */
static real largest(size_t length, const real *x)
{
    real top = x[0];
    int strange = 0;
#pragma omp simd reduction(max : top) reduction(| : strange)
    for (size_t k = 0; k < length; k++) {
        top = x[k] > top ? x[k] : top;
        strange |= x[k] != x[k];
    }
    return strange ? (real)NAN : top;
}

/* The smallest number of a row of numbers; nan if one is nan. */
static real smallest(size_t length, const real *x)
{
    real low = x[0];
    int strange = 0;
#pragma omp simd reduction(min : low) reduction(| : strange)
    for (size_t k = 0; k < length; k++) {
        low = x[k] < low ? x[k] : low;
        strange |= x[k] != x[k];
    }
    return strange ? (real)NAN : low;
}

/* The product of a row of numbers. */
static real product(size_t length, const real *x)
{
    real result = 1;
#pragma omp simd reduction(* : result)
    for (size_t k = 0; k < length; k++)
        result *= x[k];
    return result;
}

/* log(sum(exp(x))) of a row of numbers, without overflow. */
static real log_sum_exp(size_t length, const real *x)
{
    const real top = largest(length, x);
    real sum = 0;
    if (isinf(top))
        return top;
#pragma omp simd reduction(+ : sum)
    for (size_t k = 0; k < length; k++)
        sum += exp(x[k] - top);
    return top + log(sum);
}

/* The largest number of each column. */
static void largest_of_columns(size_t rows, size_t columns, const real *x, real *y)
{
    for (size_t k = 0; k < columns; k++)
        y[k] = x[k];
    for (size_t i = 1; i < rows; i++)
        INDEPENDENT
        for (size_t k = 0; k < columns; k++)
            y[k] = x[i * columns + k] <= y[k] || isnan(y[k]) ? y[k] : x[i * columns + k];
}

/* The smallest number of each column. */
static void smallest_of_columns(size_t rows, size_t columns, const real *x, real *y)
{
    for (size_t k = 0; k < columns; k++)
        y[k] = x[k];
    for (size_t i = 1; i < rows; i++)
        INDEPENDENT
        for (size_t k = 0; k < columns; k++)
            y[k] = x[i * columns + k] >= y[k] || isnan(y[k]) ? y[k] : x[i * columns + k];
}

/* The product of each column. */
static void product_of_columns(size_t rows, size_t columns, const real *x, real *y)
{
    for (size_t k = 0; k < columns; k++)
        y[k] = 1;
    for (size_t i = 0; i < rows; i++)
        INDEPENDENT
        for (size_t k = 0; k < columns; k++)
            y[k] *= x[i * columns + k];
}

/* log(sum(exp(x))) of each column, without overflow; a column with an infinite top has that. */
static int log_sum_exp_of_columns(size_t rows, size_t columns, const real *x, real *y)
{
    real *const top = memory(columns);
    if (top == NULL)
        return -2;
    largest_of_columns(rows, columns, x, top);
    for (size_t k = 0; k < columns; k++)
        y[k] = 0;
    for (size_t i = 0; i < rows; i++)
        INDEPENDENT
        for (size_t k = 0; k < columns; k++)
            y[k] += exp(x[i * columns + k] - top[k]);
    for (size_t k = 0; k < columns; k++)
        y[k] = isinf(top[k]) ? top[k] : top[k] + log(y[k]);
    free(top);
    return 0;
}

/* exp(x) / sum(exp(x)) of a row, without overflow. */
static void softmax_of_row(size_t columns, const real *x, real *y)
{
    const real top = largest(columns, x);
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t k = 0; k < columns; k++) {
        y[k] = exp(x[k] - top);
        sum += y[k];
    }
    INDEPENDENT
    for (size_t k = 0; k < columns; k++)
        y[k] /= sum;
}

/* The same of some short rows: the exponentials of all of them in one pass. */
static void softmax_of_short_rows(size_t rows, size_t columns, const real *x, real *y)
{
    for (size_t i = 0; i < rows; i++) {
        const real *const row = x + i * columns;
        real *const shifted = y + i * columns;
        real top = row[0]; /* with a nan in the row, the sum is nan */
        for (size_t k = 1; k < columns; k++)
            top = row[k] > top ? row[k] : top;
        for (size_t k = 0; k < columns; k++)
            shifted[k] = row[k] - top;
    }
    INDEPENDENT
    for (size_t k = 0; k < rows * columns; k++)
        y[k] = exp(y[k]);
    for (size_t i = 0; i < rows; i++) {
        real *const row = y + i * columns;
        wide sum = 0;
        for (size_t k = 0; k < columns; k++)
            sum += row[k];
        for (size_t k = 0; k < columns; k++)
            row[k] /= (real)sum;
    }
}

/* The same of each row. */
static void softmax_of_rows(size_t rows, size_t columns, const real *x, real *y)
{
    enum { SHORT = 32, AT_ONCE = 64 };
    if (columns < SHORT) {
        EACH_ROW(i, (rows + AT_ONCE - 1) / AT_ONCE, AT_ONCE * columns, 8,
                 softmax_of_short_rows(at_most(AT_ONCE, rows - i * AT_ONCE), columns, x + i * AT_ONCE * columns,
                                       y + i * AT_ONCE * columns);)
    } else {
        EACH_ROW(i, rows, columns, 8, softmax_of_row(columns, x + i * columns, y + i * columns);)
    }
}

/* exp(x) / sum(exp(x)) of each column, without overflow. */
static int softmax_of_columns(size_t rows, size_t columns, const real *x, real *y)
{
    real *const top = memory(2 * columns), *const sum = top + columns;
    if (top == NULL)
        return -2;
    largest_of_columns(rows, columns, x, top);
    for (size_t k = 0; k < columns; k++)
        sum[k] = 0;
    for (size_t i = 0; i < rows; i++)
        INDEPENDENT
        for (size_t k = 0; k < columns; k++) {
            y[i * columns + k] = exp(x[i * columns + k] - top[k]);
            sum[k] += y[i * columns + k];
        }
    for (size_t i = 0; i < rows; i++)
        INDEPENDENT
        for (size_t k = 0; k < columns; k++)
            y[i * columns + k] /= sum[k];
    free(top);
    return 0;
}

/* log(softmax(x)) of a row, without overflow or underflow. */
static void log_softmax_of_row(size_t columns, const real *x, real *y)
{
    const real top = largest(columns, x);
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t k = 0; k < columns; k++)
        sum += exp(x[k] - top);
    const real logarithm = log(sum);
    INDEPENDENT
    for (size_t k = 0; k < columns; k++)
        y[k] = (x[k] - top) - logarithm;
}

/* The same of each row. */
static void log_softmax_of_rows(size_t rows, size_t columns, const real *x, real *y)
{
    EACH_ROW(i, rows, columns, 8, log_softmax_of_row(columns, x + i * columns, y + i * columns);)
}

/* log(softmax(x)) of each column, without overflow or underflow. */
static int log_softmax_of_columns(size_t rows, size_t columns, const real *x, real *y)
{
    real *const top = memory(2 * columns), *const sum = top + columns;
    if (top == NULL)
        return -2;
    largest_of_columns(rows, columns, x, top);
    for (size_t k = 0; k < columns; k++)
        sum[k] = 0;
    for (size_t i = 0; i < rows; i++)
        INDEPENDENT
        for (size_t k = 0; k < columns; k++)
            sum[k] += exp(x[i * columns + k] - top[k]);
    for (size_t k = 0; k < columns; k++)
        sum[k] = log(sum[k]);
    for (size_t i = 0; i < rows; i++)
        INDEPENDENT
        for (size_t k = 0; k < columns; k++)
            y[i * columns + k] = (x[i * columns + k] - top[k]) - sum[k];
    free(top);
    return 0;
}

/* 1 / (1 + exp(-x)), without overflow. */
static inline real sigmoid(real x)
{
    double less;
    const real small = exp_below_one(-fabs(x), &less), large = 1 / (1 + small);
    return x >= 0 ? large : small * large;
}

/* x = the inverse of l l', for a Cholesky factor l; not a number where a pivot is 0. */
static void cholesky_inverse(int n, const real *l, real *x)
{
    int info = 0;
    memcpy(x, l, (size_t)n * n * sizeof(real));
    if (n > 0)
        routine.potri("U", &n, x, &n, &info);
    if (info != 0)
        for (ptrdiff_t k = 0; k < (ptrdiff_t)n * n; k++)
            x[k] = NAN;
    mirrored(n, x);
}

/* The lower l with l l' = x' x and no negative diagonal: row-major x is LAPACK's x', and x' = l q. */
static int gram_factor(int m, int n, const real *x, real *l)
{
    int info = 0, places = 32 * n + 1, least = m < n ? m : n, leading = n > 1 ? n : 1;
    real *const a = memory((size_t)m * n + least + places);
    if (a == NULL)
        return -2;
    memcpy(a, x, (size_t)m * n * sizeof(real));
    if (least > 0)
        routine.gelqf(&n, &m, a, &leading, a + (size_t)m * n, a + (size_t)m * n + least, &places, &info);
    for (ptrdiff_t i = 0; i < n; i++)
        for (ptrdiff_t j = 0; j < n; j++)
            l[i * n + j] = j <= i && j < m ? (a[j * n + j] < 0 ? -1 : 1) * a[j * n + i] : 0;
    free(a);
    real top = 0;
    for (ptrdiff_t i = 0; i < n; i++)
        top = l[i * n + i] > top ? l[i * n + i] : top;
    const real bound = (m > n ? m : n) * (sizeof(real) == 8 ? (real)DBL_EPSILON : (real)FLT_EPSILON) * top;
    for (ptrdiff_t i = 0; i < n; i++)
        if (l[i * n + i] <= bound) /* dependent columns, as far as the digits tell */
            l[i * n + i] = 0;
    return info;
}

/* y = x' diag(d) x for d >= 0: of large matrices z' z with z = sqrt(d) x. */
static int weighted_gram(int m, int n, int rows, int columns, const real *x, const real *d, real *y)
{
    real *const z = memory((size_t)m * n);
    (void)rows, (void)columns;
    if (z == NULL)
        return -2;
    const int small = (size_t)m * n < 10000;
    for (ptrdiff_t i = 0; i < m; i++) {
        const real root = small ? d[i] : (real)sqrt(d[i]);
        INDEPENDENT
        for (ptrdiff_t j = 0; j < n; j++)
            z[i * n + j] = root * x[i * n + j];
    }
    if (small)
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, n, m, 1.0, z, n, x, n, 0.0, y, n);
    else
        gram(0, n, m, z, y);
    free(z);
    return 0;
}

/* The inner products of the p x q blocks of g with b. */
static void block_inner(int m, int n, int p, int q, const real *g, const real *b, real *y)
{
    for (ptrdiff_t i = 0; i < m / p; i++)
        for (ptrdiff_t j = 0; j < n / q; j++) {
            wide sum = 0;
            for (ptrdiff_t k = 0; k < p; k++) {
                const real *const row = g + (i * p + k) * n + j * q, *const other = b + k * q;
#pragma omp simd reduction(+ : sum)
                for (ptrdiff_t l = 0; l < q; l++)
                    sum += row[l] * other[l];
            }
            y[i * (n / q) + j] = sum;
        }
}

/* The sum of the blocks of g weighted by a, m x n. */
static void block_sum(int m, int n, int rows, int columns, const real *a, const real *g, real *y)
{
    const ptrdiff_t p = rows / m, q = columns / n;
    memset(y, 0, (size_t)p * q * sizeof(real));
    for (ptrdiff_t i = 0; i < m; i++)
        for (ptrdiff_t k = 0; k < p; k++)
            for (ptrdiff_t j = 0; j < n; j++) {
                const real weight = a[i * n + j], *const row = g + (i * p + k) * columns + j * q;
                INDEPENDENT
                for (ptrdiff_t l = 0; l < q; l++)
                    y[k * q + l] += weight * row[l];
            }
}

/* Whether all entries are finite. */
static int all_finite(size_t count, const real *x)
{
    int strange = 0;
#pragma omp simd reduction(| : strange)
    for (size_t k = 0; k < count; k++)
        strange |= !(fabs(x[k]) <= REAL_MAX);
    return !strange;
}

/* Fill with nan. */
static void nothing(size_t count, real *y)
{
    for (size_t k = 0; k < count; k++)
        y[k] = NAN;
}

/* The lower Cholesky factor of the symmetric part; nan where that is not positive definite. */
static void symmetric_factor(int n, int columns, const real *x, real *l)
{
    int info = 0;
    for (ptrdiff_t i = 0; i < columns; i++)
        for (ptrdiff_t j = 0; j < n; j++)
            l[i * n + j] = j <= i ? (x[i * n + j] + x[j * n + i]) / 2 : 0;
    if (n > 0)
        dpotrf_("U", &n, l, &n, &info);
    if (info != 0)
        nothing((size_t)n * n, l);
}

/* The eigenvalues of x, ascending where x is symmetric up to rounding, their imaginary parts, and in rows the
 * eigenvectors (of pairs of complex ones the real and the imaginary part). */
static int spectrum(int n, const real *x, real *values, real *imaginary, real *vectors)
{
    real difference = 0, size = 0, wanted[2] = {0};
    int info = 0, whole = 0, most = -1, places = -1;
    if (!all_finite((size_t)n * n, x)) {
        nothing(n, values);
        nothing((size_t)n * n, vectors);
        memset(imaginary, 0, n * sizeof(real));
        return 0;
    }
    for (ptrdiff_t i = 0; i < n; i++)
        for (ptrdiff_t j = 0; j < n; j++) {
            const real gap = fabs(x[i * n + j] - x[j * n + i]), entry = fabs(x[i * n + j]);
            difference = gap > difference ? gap : difference;
            size = entry > size ? entry : size;
        }
    const int symmetric = difference <= 8 * n * REAL_EPSILON * size;
    real *const copy = symmetric ? vectors : memory((size_t)n * n);
    if (copy == NULL)
        return -2;
    for (ptrdiff_t i = 0; i < n; i++)
        for (ptrdiff_t j = 0; j < n; j++)
            copy[j * n + i] = symmetric ? (x[i * n + j] + x[j * n + i]) / 2 : x[i * n + j];
    real *work = wanted;
    int *order = &whole;
    for (int round = 0; round < 2; round++) { /* the first one asks for the work space */
        if (symmetric)
            routine.syevd("V", "L", &n, copy, &n, values, work, &most, order, &places, &info);
        else
            routine.geev("N", "V", &n, copy, &n, values, imaginary, wanted, &n, vectors, &n, work, &most, &info);
        if (round == 0) {
            most = (int)wanted[0], places = symmetric ? whole : 1;
            work = memory(most);
            order = malloc((places + 1) * sizeof(int));
            if (work == NULL || order == NULL) {
                info = -2;
                break;
            }
        }
    }
    free(work == wanted ? NULL : work);
    free(order == &whole ? NULL : order);
    if (symmetric)
        memset(imaginary, 0, n * sizeof(real));
    else
        free(copy);
    return info;
}

/* The place of the entry of a row that is farthest from 0. */
static ptrdiff_t farthest(int n, const real *x)
{
    ptrdiff_t best = 0;
    for (ptrdiff_t k = 1; k < n; k++)
        best = fabs(x[k]) > fabs(x[best]) ? k : best;
    return best;
}

/* All eigenvalues in ascending order (y of n rows), or all eigenvectors in columns, with their largest entries
 * positive; nan where one is complex. */
static int all_of_spectrum(int n, const real *x, real *y, int vectors)
{
    real *const values = memory((size_t)n * n + 2 * (size_t)n), *const imaginary = values + n, *const rows = values + 2 * n;
    if (values == NULL)
        return -2;
    const int info = spectrum(n, x, values, imaginary, rows);
    int complex = 0;
    for (ptrdiff_t k = 0; k < n; k++)
        complex |= imaginary[k] != 0 || values[k] != values[k];
    if (complex)
        nothing(vectors ? (size_t)n * n : (size_t)n, y);
    for (ptrdiff_t k = 0; !complex && k < n; k++) {
        ptrdiff_t place = 0; /* the number of smaller ones, and of equal ones before */
        for (ptrdiff_t j = 0; j < n; j++)
            place += values[j] < values[k] || (values[j] == values[k] && j < k);
        if (!vectors) {
            y[place] = values[k];
            continue;
        }
        const real top = rows[k * n + farthest(n, rows + k * n)], turn = top < 0 ? -1 : top > 0 ? 1 : 0;
        for (ptrdiff_t i = 0; i < n; i++)
            y[i * n + place] = turn * rows[k * n + i];
    }
    free(values);
    return info;
}

static int eigenvalues(int n, int columns, const real *x, real *y)
{
    return columns == 0 ? 0 : all_of_spectrum(n, x, y, 0);
}

static int eigenvectors(int n, int columns, const real *x, real *y)
{
    return columns == 0 ? 0 : all_of_spectrum(n, x, y, 1);
}

/* The largest (sign 1) or smallest (sign -1) eigenvalue, and its eigenvector: of length 1, its largest entry positive;
 * nan where it is complex. */
static int extreme(int n, const real *x, int sign, real *value, real *vector)
{
    real *const values = memory((size_t)n * n + 2 * (size_t)n), *const imaginary = values + n, *const rows = values + 2 * n;
    if (values == NULL)
        return -2;
    const int info = spectrum(n, x, values, imaginary, rows);
    ptrdiff_t best = 0;
    for (ptrdiff_t k = 1; k < n; k++)
        best = sign * values[k] > sign * values[best] ? k : best;
    if (imaginary[best] != 0 || values[best] != values[best]) {
        *value = NAN;
        nothing(n, vector);
    } else {
        const real *const row = rows + best * n, top = row[farthest(n, row)];
        real square = 0;
        for (ptrdiff_t k = 0; k < n; k++)
            square += row[k] * row[k];
        const real factor = (top < 0 ? -1 : 1) / (real)sqrt(square);
        for (ptrdiff_t k = 0; k < n; k++)
            vector[k] = factor * row[k];
        *value = values[best];
    }
    free(values);
    return info;
}

static int largest_eigenvalue(int n, int columns, const real *x, real *y)
{
    real *const vector = memory(n);
    const int info = vector == NULL ? -2 : extreme(columns, x, 1, y, vector);
    free(vector);
    return info;
}

static int smallest_eigenvalue(int n, int columns, const real *x, real *y)
{
    real *const vector = memory(n);
    const int info = vector == NULL ? -2 : extreme(columns, x, -1, y, vector);
    free(vector);
    return info;
}

static int largest_eigenvector(int n, int columns, const real *x, real *y)
{
    real value;
    (void)columns;
    return extreme(n, x, 1, &value, y);
}

static int smallest_eigenvector(int n, int columns, const real *x, real *y)
{
    real value;
    (void)columns;
    return extreme(n, x, -1, &value, y);
}

/* x = u diag(s) v' (u m x r, s of r, v' r x n, r the smaller size; with all of u and v' where `whole`), or only s where u
 * is NULL. Row-major x is LAPACK's x', whose factors are v and u'. */
static int singular(int m, int n, const real *x, real *u, real *s, real *vt, int whole)
{
    const int least = m < n ? m : n;
    int info = 0, most = -1, right = whole ? m : least;
    char job = u == NULL ? 'N' : whole ? 'A' : 'S';
    real *const copy = memory((size_t)m * n), *work = copy, none[1] = {0};
    int *const places = malloc((8 * (size_t)least + 1) * sizeof(int));
    if (least == 0 || copy == NULL || places == NULL) {
        free(copy);
        free(places);
        return least == 0 ? 0 : -2;
    }
    memcpy(copy, x, (size_t)m * n * sizeof(real));
    routine.gesdd(&job, &n, &m, copy, &n, s, u == NULL ? none : vt, &n, u == NULL ? none : u, &right, none, &most, places, &info);
    most = (int)none[0];
    work = memory(most);
    if (work == NULL)
        info = -2;
    else
        routine.gesdd(&job, &n, &m, copy, &n, s, u == NULL ? none : vt, &n, u == NULL ? none : u, &right, work, &most, places, &info);
    free(work);
    free(copy);
    free(places);
    return info == -2 ? -2 : info != 0;
}

/* The singular values. */
static int singular_values(int m, int n, const real *x, real *y)
{
    return singular(m, n, x, NULL, y, NULL, 0);
}

/* The sum of the singular values. */
static int nuclear_norm(int m, int n, const real *x, real *y)
{
    real *const s = memory(m < n ? m : n);
    const int info = s == NULL ? -2 : singular(m, n, x, NULL, s, NULL, 0);
    *y = 0;
    for (ptrdiff_t k = 0; info == 0 && k < (m < n ? m : n); k++)
        *y += s[k];
    free(s);
    return info;
}

/* The largest singular value. */
static int spectral_norm(int m, int n, const real *x, real *y)
{
    real *const s = memory(m < n ? m : n);
    const int info = s == NULL ? -2 : singular(m, n, x, NULL, s, NULL, 0);
    *y = s == NULL || m == 0 || n == 0 ? 0 : s[0];
    free(s);
    return info;
}

/* y = the sum of the w[k] u_k v_k' (or of their transposes) with w[k] = 1 / s[k] or 1 (inverse or not), of the singular
 * values that are no rounding errors. */
static int by_singular_values(int m, int n, const real *x, real *y, int inverse)
{
    const ptrdiff_t r = m < n ? m : n;
    if (!all_finite((size_t)m * n, x)) {
        nothing((size_t)m * n, y);
        return 0;
    }
    memset(y, 0, (size_t)m * n * sizeof(real));
    real *const u = memory((size_t)r * (m + n + 1)), *const vt = u + m * r, *const s = vt + r * n;
    if (u == NULL)
        return -2;
    const int info = singular(m, n, x, u, s, vt, 0);
    int rank = 0;
    while (info == 0 && rank < r && s[rank] > 10 * (m > n ? m : n) * REAL_EPSILON * s[0])
        rank++;
    for (ptrdiff_t k = 0; inverse && k < rank; k++)
        for (ptrdiff_t j = 0; j < n; j++)
            vt[k * n + j] /= s[k];
    if (rank > 0 && inverse)
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasTrans, n, m, rank, 1.0, vt, n, u, (int)r, 0.0, y, m);
    else if (rank > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, rank, 1.0, u, (int)r, vt, n, 0.0, y, n);
    free(u);
    return info;
}

/* The pseudoinverse; singular values that are rounding errors count as 0. */
static int pseudoinverse(int m, int n, const real *x, real *y)
{
    return by_singular_values(m, n, x, y, 1);
}

/* U V' for x = U diag(s) V', s > 0. */
static int polar(int m, int n, const real *x, real *y)
{
    return by_singular_values(m, n, x, y, 0);
}

/* The adjugate, also of a singular matrix: det(U V') adj(s) on the singular values. */
static int adjugate(int n, int columns, const real *x, real *y)
{
    const size_t square = (size_t)n * columns;
    if (!all_finite(square, x)) {
        nothing(square, y);
        return 0;
    }
    real *const u = memory(2 * square + 2 * (size_t)n), *const vt = u + square, *const s = vt + square, *const rest = s + n;
    if (u == NULL)
        return -2;
    int info = singular(n, n, x, u, s, vt, 1);
    if (info == 0 && n > 0) {
        real sign_u, sign_v, log_u, log_v;
        info = log_determinant(n, u, &sign_u, &log_u);
        info = info != 0 ? info : log_determinant(n, vt, &sign_v, &log_v);
        for (ptrdiff_t k = 0; info == 0 && k < n; k++) {
            rest[k] = sign_u * sign_v;
            for (ptrdiff_t j = 0; j < n; j++)
                rest[k] *= j == k ? 1 : s[j];
            for (ptrdiff_t j = 0; j < n; j++)
                vt[k * n + j] *= rest[k];
        }
        if (info == 0)
            cblas_dgemm(CblasRowMajor, CblasTrans, CblasTrans, n, n, n, 1.0, vt, n, u, n, 0.0, y, n);
    }
    free(u);
    return info;
}

/* exp(x) as 1 + 2 u / (v - u), the Pade approximation of degree 13 at x / 2^k, squared k times. */
static int exponential(int n, int columns, const real *x, real *y)
{
    const size_t square = (size_t)n * columns;
    if (!all_finite(square, x)) {
        nothing(square, y);
        return 0;
    }
    real *const base = memory(6 * square), *const x2 = base + square, *const x4 = x2 + square, *const x6 = x4 + square;
    real *const odd = x6 + square, *const even = odd + square;
    if (base == NULL)
        return -2;
    double size = 0, c[14] = {1};
    for (ptrdiff_t j = 0; j < n; j++) {
        double sum = 0;
        for (ptrdiff_t i = 0; i < n; i++)
            sum += fabs(x[i * n + j]);
        size = sum > size ? sum : size;
    }
    int times = 0;
    if (size > 5.37 && size < INFINITY)
        for (double rest = size; rest > 5.37; rest /= 2)
            times++;
    for (int k = 0; k < 13; k++)
        c[k + 1] = c[k] * (13 - k) / ((26.0 - k) * (k + 1));
    for (size_t k = 0; k < square; k++)
        base[k] = (real)ldexp(x[k], -times);
#define MULTIPLIED(a, b, product) \
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1.0, a, n, b, n, 0.0, product, n)
    MULTIPLIED(base, base, x2);
    MULTIPLIED(x2, x2, x4);
    MULTIPLIED(x2, x4, x6);
    for (size_t k = 0; k < square; k++)
        even[k] = c[13] * x6[k] + c[11] * x4[k] + c[9] * x2[k];
    MULTIPLIED(x6, even, y);
    for (size_t k = 0; k < square; k++)
        y[k] += c[7] * x6[k] + c[5] * x4[k] + c[3] * x2[k] + (k % (n + 1) == 0 ? c[1] : 0);
    MULTIPLIED(base, y, odd);
    for (size_t k = 0; k < square; k++)
        y[k] = c[12] * x6[k] + c[10] * x4[k] + c[8] * x2[k];
    MULTIPLIED(x6, y, even);
    for (size_t k = 0; k < square; k++)
        even[k] += c[6] * x6[k] + c[4] * x4[k] + c[2] * x2[k] + (k % (n + 1) == 0 ? c[0] : 0) - odd[k];
    const int info = n > 0 ? solve(n, n, even, odd, y) : 0;
    for (size_t k = 0; k < square; k++)
        y[k] = 2 * y[k] + (k % (n + 1) == 0);
    for (; info == 0 && times > 0; times--) {
        memcpy(base, y, square * sizeof(real));
        MULTIPLIED(base, base, y);
    }
    free(base);
    return info;
}

/* The derivative of the exponential of x in the direction v: the upper right block of exp([x, v; 0, x]). */
static int exponential_along(int n, int columns, int rows, int more, const real *x, const real *v, real *y)
{
    const size_t twice = 2 * (size_t)n, square = twice * twice;
    real *const both = memory(2 * square), *const found = both + square;
    (void)columns, (void)rows, (void)more;
    if (both == NULL)
        return -2;
    for (size_t i = 0; i < twice; i++)
        for (size_t j = 0; j < twice; j++) {
            const size_t place = i % n * n + j % n;
            both[i * twice + j] = (i < (size_t)n) == (j < (size_t)n) ? x[place] : i < (size_t)n ? v[place] : 0;
        }
    const int info = exponential((int)twice, (int)twice, both, found);
    for (ptrdiff_t i = 0; info == 0 && i < n; i++)
        memcpy(y + i * n, found + i * twice + n, n * sizeof(real));
    free(both);
    return info;
}
