/* What generated C calls of CBLAS, for machines without one: blas.c defines it. */

#include <stddef.h>

enum CBLAS_ORDER { CblasRowMajor = 101 };
enum CBLAS_TRANSPOSE { CblasNoTrans = 111, CblasTrans = 112 };
enum CBLAS_UPLO { CblasUpper = 121, CblasLower = 122 };
enum CBLAS_DIAG { CblasNonUnit = 131 };
enum CBLAS_SIDE { CblasLeft = 141 };

double cblas_ddot(int n, const double *x, int step_x, const double *y, int step_y);

void cblas_dgemv(enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE turned, int m, int n, double alpha, const double *a,
                 int lda, const double *x, int step_x, double beta, double *y, int step_y);

void cblas_dgemm(enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE turned_a, enum CBLAS_TRANSPOSE turned_b, int m, int n,
                 int k, double alpha, const double *a, int lda, const double *b, int ldb, double beta, double *c,
                 int ldc);

void cblas_dtrsm(enum CBLAS_ORDER order, enum CBLAS_SIDE side, enum CBLAS_UPLO triangle, enum CBLAS_TRANSPOSE turned,
                 enum CBLAS_DIAG diagonal, int m, int n, double alpha, const double *a, int lda, double *b, int ldb);
