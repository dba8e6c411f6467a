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

/* exp(x) / sum(exp(x)) of each row, without overflow. */
static void softmax_of_rows(size_t rows, size_t columns, const real *x, real *y)
{
    for (size_t i = 0; i < rows; i++, x += columns, y += columns) {
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

/* log(softmax(x)) of each row, without overflow or underflow. */
static void log_softmax_of_rows(size_t rows, size_t columns, const real *x, real *y)
{
    for (size_t i = 0; i < rows; i++, x += columns, y += columns) {
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
static real sigmoid(real x)
{
    const real small = exp(-(real)fabs(x));
    return (x >= 0 ? 1 : small) / (1 + small);
}
