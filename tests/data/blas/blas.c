/* The few functions of CBLAS and LAPACK that generated C calls, from their definitions, row-major and column-major as
 * these are. Compiled with a sanitizer they show a wrong size, which an optimised library reads over. */

#include "cblas.h"

#include <math.h>

double cblas_ddot(int n, const double *x, int step_x, const double *y, int step_y)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i * step_x] * y[i * step_y];
    return sum;
}

void cblas_dgemv(enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE turned, int m, int n, double alpha, const double *a,
                 int lda, const double *x, int step_x, double beta, double *y, int step_y)
{
    const int rows = turned == CblasTrans ? n : m, columns = turned == CblasTrans ? m : n;
    (void)order;
    for (int i = 0; i < rows; i++) {
        double sum = 0;
        for (int j = 0; j < columns; j++)
            sum += (turned == CblasTrans ? a[j * lda + i] : a[i * lda + j]) * x[j * step_x];
        y[i * step_y] = alpha * sum + (beta == 0 ? 0 : beta * y[i * step_y]);
    }
}

void cblas_dgemm(enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE turned_a, enum CBLAS_TRANSPOSE turned_b, int m, int n,
                 int k, double alpha, const double *a, int lda, const double *b, int ldb, double beta, double *c,
                 int ldc)
{
    (void)order;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int l = 0; l < k; l++)
                sum += (turned_a == CblasTrans ? a[l * lda + i] : a[i * lda + l]) *
                       (turned_b == CblasTrans ? b[j * ldb + l] : b[l * ldb + j]);
            c[i * ldc + j] = alpha * sum + (beta == 0 ? 0 : beta * c[i * ldc + j]);
        }
}

/* The lower triangle of a, or its transpose, from the left. */
void cblas_dtrsm(enum CBLAS_ORDER order, enum CBLAS_SIDE side, enum CBLAS_UPLO triangle, enum CBLAS_TRANSPOSE turned,
                 enum CBLAS_DIAG diagonal, int m, int n, double alpha, const double *a, int lda, double *b, int ldb)
{
    (void)order, (void)side, (void)triangle, (void)diagonal;
    for (int j = 0; j < n; j++)
        for (int step = 0; step < m; step++) {
            const int i = turned == CblasTrans ? m - 1 - step : step;
            double sum = alpha * b[i * ldb + j];
            for (int done = 0; done < step; done++) {
                const int k = turned == CblasTrans ? m - 1 - done : done;
                sum -= (turned == CblasTrans ? a[k * lda + i] : a[i * lda + k]) * b[k * ldb + j];
            }
            b[i * ldb + j] = sum / a[i * lda + i];
        }
}

/* a = r' r for an upper triangle r, column by column; info is the order of the first minor that is not positive. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info)
{
    (void)uplo;
    *info = 0;
    for (int j = 0; j < *n; j++)
        for (int i = 0; i <= j; i++) {
            double sum = a[j * *lda + i];
            for (int k = 0; k < i; k++)
                sum -= a[i * *lda + k] * a[j * *lda + k];
            if (i == j && !(sum > 0)) {
                *info = j + 1;
                return;
            }
            a[j * *lda + i] = i == j ? sqrt(sum) : sum / a[i * *lda + i];
        }
}

/* a = p l u with row exchanges, column by column. */
void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *pivots, int *info)
{
    *info = 0;
    for (int k = 0; k < *m && k < *n; k++) {
        int best = k;
        for (int i = k; i < *m; i++)
            best = fabs(a[k * *lda + i]) > fabs(a[k * *lda + best]) ? i : best;
        pivots[k] = best + 1;
        for (int j = 0; j < *n; j++) {
            const double held = a[j * *lda + k];
            a[j * *lda + k] = a[j * *lda + best];
            a[j * *lda + best] = held;
        }
        if (a[k * *lda + k] == 0) {
            *info = *info == 0 ? k + 1 : *info;
            continue;
        }
        for (int i = k + 1; i < *m; i++) {
            a[k * *lda + i] /= a[k * *lda + k];
            for (int j = k + 1; j < *n; j++)
                a[j * *lda + i] -= a[k * *lda + i] * a[j * *lda + k];
        }
    }
}

/* b = the solution of a' x = b by the factors of dgetrf_: u', then l', then the exchanges backwards. */
void dgetrs_(const char *trans, const int *n, const int *m, const double *a, const int *lda, const int *pivots,
             double *b, const int *ldb, int *info)
{
    (void)trans;
    *info = 0;
    for (int j = 0; j < *m; j++) {
        double *x = b + j * *ldb;
        for (int i = 0; i < *n; i++) {
            for (int k = 0; k < i; k++)
                x[i] -= a[i * *lda + k] * x[k];
            x[i] /= a[i * *lda + i];
        }
        for (int i = *n; i-- > 0;) {
            for (int k = i + 1; k < *n; k++)
                x[i] -= a[i * *lda + k] * x[k];
        }
        for (int i = *n; i-- > 0;) {
            const double held = x[i];
            x[i] = x[pivots[i] - 1];
            x[pivots[i] - 1] = held;
        }
    }
}
