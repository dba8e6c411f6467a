/* What native functions stand on: the type of their numbers, BLAS and LAPACK by pointers, and small products in loops. */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <stdatomic.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#ifdef SINGLE
typedef float real;
#define REAL_EPSILON FLT_EPSILON
#define REAL_MAX FLT_MAX
#else
typedef double real;
#define REAL_EPSILON DBL_EPSILON
#define REAL_MAX DBL_MAX
#endif

#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

typedef double wide; /* of sums, also of narrow numbers */
enum { PART = 1024, PARTS_AT_ONCE = 1 << 16 };
#ifndef FEWEST_ROWS
#define FEWEST_ROWS 128
#define CACHE (1 << 17) /* numbers */
#endif

/* Fortran's routines, in the order in which they are given. */
static struct {
    void (*gemm)(char *, char *, int *, int *, int *, real *, real *, int *, real *, int *, real *, real *, int *);
    void (*gemv)(char *, int *, int *, real *, real *, int *, real *, int *, real *, real *, int *);
    void (*syrk)(char *, char *, int *, int *, real *, real *, int *, real *, real *, int *);
    void (*trsm)(char *, char *, char *, char *, int *, int *, real *, real *, int *, real *, int *);
    void (*potri)(char *, int *, real *, int *, int *);
    void (*potrf)(char *, int *, real *, int *, int *);
    void (*getrf)(int *, int *, real *, int *, int *, int *);
    void (*syevd)(char *, char *, int *, real *, int *, real *, real *, int *, int *, int *, int *);
    void (*geev)(char *, char *, int *, real *, int *, real *, real *, real *, int *, real *, int *, real *, int *, int *);
    void (*gesdd)(char *, int *, int *, real *, int *, real *, real *, int *, real *, int *, real *, int *, int *, int *);
    void (*getrs)(char *, int *, int *, real *, int *, int *, real *, int *, int *);
} routine;

/* A value that is computed in Python: its number, and the shapes of what it reads (-1 x -1 for a number) and of itself. */
typedef int (*Outside)(int number, const int *sizes, const long long *shapes, const void *const *given, void *taken);

/* The memory of the last call, which the next one finds: one place for all functions of the process, taken and given back
 * in one step each, so that calls at the same time do not meet. */
typedef struct {
    size_t size;
    char unused[64 - sizeof(size_t)];
    real entries[];
} Workspace;
static _Atomic(void *) *kept;
static const size_t KEPT = (size_t)1 << 27, HUGE_PAGES = (size_t)1 << 22;

void matcalc_bind(void *const *given, void *place)
{
    memcpy(&routine, given, sizeof routine);
    memcpy(&kept, &place, sizeof place);
}

static real *workspace(size_t count)
{
    const size_t size = ((count + 1) * sizeof(real) + sizeof(Workspace)) / 64 * 64 + 64;
    Workspace *found = atomic_exchange(kept, NULL);
    if (found != NULL && found->size >= size)
        return found->entries;
    free(found);
    const size_t page = size < HUGE_PAGES ? 64 : (size_t)1 << 21;
    found = aligned_alloc(page, (size + page - 1) / page * page);
    if (found == NULL)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (size >= HUGE_PAGES)
        madvise(found, size, MADV_HUGEPAGE);
#endif
    found->size = size;
    return found->entries;
}

static void returned(real *entries)
{
    void *place = (char *)entries - offsetof(Workspace, entries);
    if (((Workspace *)place)->size <= KEPT)
        place = atomic_exchange(kept, place);
    free(place);
}

/* How many rows of so many columns stay in the cache; all of them if they are few. */
static inline ptrdiff_t rows_at_once(ptrdiff_t rows, ptrdiff_t columns)
{
    const ptrdiff_t fit = CACHE / (columns > 0 ? columns : 1), some = fit > FEWEST_ROWS ? fit : FEWEST_ROWS;
    return rows <= some + some / 2 ? (rows > 0 ? rows : 1) : some;
}

enum { CblasRowMajor = 101, CblasColMajor = 102 };
enum { CblasNoTrans = 'N', CblasTrans = 'T', CblasUpper = 'U', CblasLower = 'L', CblasNonUnit = 'N', CblasUnit = 'U' };
enum { CblasLeft = 'L', CblasRight = 'R' };

/* c = alpha a b + beta c. Row-major matrices are the transposes of Fortran's: c' = b' a'. */
static inline void cblas_dgemm(int order, int turn_a, int turn_b, int m, int n, int k, real alpha, const real *a, int lda,
                               const real *b, int ldb, real beta, real *c, int ldc)
{
    char ta = (char)turn_a, tb = (char)turn_b;
    (void)order;
    lda = lda > 1 ? lda : 1, ldb = ldb > 1 ? ldb : 1, ldc = ldc > 1 ? ldc : 1;
    routine.gemm(&tb, &ta, &n, &m, &k, &alpha, (real *)b, &ldb, (real *)a, &lda, &beta, c, &ldc);
}

/* y = alpha a x + beta y */
static inline void cblas_dgemv(int order, int turn_a, int m, int n, real alpha, const real *a, int lda, const real *x,
                               int incx, real beta, real *y, int incy)
{
    char turned = turn_a == CblasTrans ? 'N' : 'T';
    (void)order;
    if (m == 0 || n == 0) { /* where Fortran's returns without a word */
        for (ptrdiff_t k = 0; k < (turn_a == CblasTrans ? n : m); k++)
            y[k * incy] = beta == 0 ? 0 : beta * y[k * incy];
        return;
    }
    routine.gemv(&turned, &n, &m, &alpha, (real *)a, &lda, (real *)x, &incx, &beta, y, &incy);
}

/* a x = alpha b, x in the place of b. */
static inline void cblas_dtrsm(int order, int side, int triangle, int turn_a, int unit, int m, int n, real alpha,
                               const real *a, int lda, real *b, int ldb)
{
    char s = side == CblasLeft ? 'R' : 'L', u = triangle == CblasUpper ? 'L' : 'U', t = (char)turn_a, d = (char)unit;
    (void)order;
    lda = lda > 1 ? lda : 1, ldb = ldb > 1 ? ldb : 1;
    routine.trsm(&s, &u, &t, &d, &n, &m, &alpha, (real *)a, &lda, b, &ldb);
}

static inline real cblas_ddot(int n, const real *x, int incx, const real *y, int incy)
{
    (void)incx, (void)incy;
    wide total = 0;
    for (int start = 0; start < n; start += PART) {
        const int end = n - start > PART ? start + PART : n;
        wide sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int k = start; k < end; k++)
            sum += (wide)x[k] * y[k];
        total += sum;
    }
    return (real)total;
}

/* The other triangle of a symmetric matrix, in tiles. */
static void mirrored(int n, real *c)
{
    enum { TILE = 16 };
    for (ptrdiff_t i = 0; i < n; i += TILE)
        for (ptrdiff_t j = 0; j <= i; j += TILE)
            for (ptrdiff_t k = i; k < i + TILE && k < n; k++)
                for (ptrdiff_t l = j; l < j + TILE && l < k; l++)
                    c[l * n + k] = c[k * n + l];
}

/* c = a' a for a matrix of k rows, or (turned) c = a a' for one of k columns. */
static inline void gram(int turned, int n, int k, const real *a, real *c)
{
    char triangle = 'U', turn = turned ? 'T' : 'N';
    real one = 1, zero = 0;
    int lda = turned ? k : n, ldc = n;
    lda = lda > 1 ? lda : 1, ldc = ldc > 1 ? ldc : 1;
    routine.syrk(&triangle, &turn, &n, &k, &one, (real *)a, &lda, &zero, c, &ldc);
    mirrored(n, c);
}

#define dpotrf_(uplo, n, a, lda, info) routine.potrf((char *)(uplo), (int *)(n), a, (int *)(lda), info)
#define dgetrf_(m, n, a, lda, pivots, info) routine.getrf((int *)(m), (int *)(n), a, (int *)(lda), pivots, info)
#define dgetrs_(trans, n, m, a, lda, pivots, b, ldb, info) \
    routine.getrs((char *)(trans), (int *)(n), (int *)(m), (real *)(a), (int *)(lda), (int *)(pivots), b, (int *)(ldb), info)

/* Memory for a function's matrices, also for none. */
static inline real *memory(size_t count)
{
    return malloc((count + 1) * sizeof(real));
}
