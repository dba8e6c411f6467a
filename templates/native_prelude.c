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
#ifdef _OPENMP
#include <omp.h>
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
#ifndef FEW
#define FEW (1 << 16) /* additions that are not worth a second thread */
#endif

/* Fortran's routines, in the order in which they are given. */
static struct {
    void (*gemm)(char *, char *, int *, int *, int *, real *, real *, int *, real *, int *, real *, real *, int *);
    void (*gemv)(char *, int *, int *, real *, real *, int *, real *, int *, real *, real *, int *);
    void (*syrk)(char *, char *, int *, int *, real *, real *, int *, real *, real *, int *);
    void (*trsm)(char *, char *, char *, char *, int *, int *, real *, real *, int *, real *, int *);
    void (*potri)(char *, int *, real *, int *, int *);
    void (*potrf)(char *, int *, real *, int *, int *);
    void (*gelqf)(int *, int *, real *, int *, real *, real *, int *, int *);
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

/* What the process knows of its threads: none yet, some, or that it is to have none: it was forked from a process with
 * some, for which OpenMP would wait forever, or OpenMP's threads would take the processors from those of BLAS. */
enum { NO_THREADS, THREADS, ALONE };
static atomic_int *team;

void matcalc_bind(void *const *given, void *place, void *threads)
{
    memcpy(&routine, given, sizeof routine);
    memcpy(&kept, &place, sizeof place);
    memcpy(&team, &threads, sizeof threads);
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

/* Whether some work is too little for more than this thread, or there are to be no others (OMP_NUM_THREADS). */
static inline int few(size_t work)
{
#ifdef _OPENMP
    if (work < FEW || omp_get_max_threads() == 1 || omp_in_parallel() || atomic_load(team) == ALONE)
        return 1;
    atomic_store(team, THREADS);
    return 0;
#else
    (void)work;
    return 1;
#endif
}

#ifdef _OPENMP
#define SPREAD(...) _Pragma(#__VA_ARGS__)
#else
#define SPREAD(...)
#endif

/* Statements for all entries i, which do not depend on each other; the work for one, in additions. */
#define ENTRIES(i, count, work, ...)                     \
    if (few((count) * (size_t)(work))) {                 \
        INDEPENDENT                                      \
        for (size_t i = 0; i < (count); i++)             \
            __VA_ARGS__                                  \
    } else {                                             \
        SPREAD(omp parallel for simd schedule(static))   \
        for (size_t i = 0; i < (count); i++)             \
            __VA_ARGS__                                  \
    }

/* The same for entries i, j. */
#define ROWS(i, rows, j, columns, work, ...)             \
    if (few((rows) * (columns) * (size_t)(work))) {      \
        for (size_t i = 0; i < (rows); i++)              \
            INDEPENDENT                                  \
            for (size_t j = 0; j < (columns); j++)       \
                __VA_ARGS__                              \
    } else {                                             \
        SPREAD(omp parallel for schedule(static))        \
        for (size_t i = 0; i < (rows); i++)              \
            INDEPENDENT                                  \
            for (size_t j = 0; j < (columns); j++)       \
                __VA_ARGS__                              \
    }

/* The same with sums over i that add up what the statements have left. */
#define ROWS_AND_SUMS(i, rows, j, columns, work, statements, ...) \
    if (few((rows) * (columns) * (size_t)(work))) {      \
        for (size_t i = 0; i < (rows); i++)              \
            INDEPENDENT                                  \
            for (size_t j = 0; j < (columns); j++) {     \
                statements                               \
                __VA_ARGS__                              \
            }                                            \
    } else {                                             \
        SPREAD(omp parallel for schedule(static))        \
        for (size_t i = 0; i < (rows); i++)              \
            INDEPENDENT                                  \
            for (size_t j = 0; j < (columns); j++)       \
                statements                               \
        for (size_t i = 0; i < (rows); i++)              \
            INDEPENDENT                                  \
            for (size_t j = 0; j < (columns); j++)       \
                __VA_ARGS__                              \
    }

/* The sum of the terms i from a first one up to another. */
#define PART_OF_SUM(sum, i, first, end, ...)                        \
    {                                                               \
        wide matcalc_part = 0;                                      \
        _Pragma("omp simd reduction(+ : matcalc_part)")             \
        for (size_t i = first; i < (end); i++)                      \
            matcalc_part += __VA_ARGS__;                            \
        sum += matcalc_part;                                        \
    }

/* total += the sum of all terms, part by part, so that rounding errors do not grow. */
#define TOTAL(total, i, count, work, ...)                                                                         \
    {                                                                                                             \
        wide matcalc_sum = 0;                                                                                     \
        if (few((count) * (size_t)(work))) {                                                                      \
            for (size_t matcalc_k = 0; matcalc_k < (count); matcalc_k += PART)                                    \
                PART_OF_SUM(matcalc_sum, i, matcalc_k, at_most(matcalc_k + PART, count), __VA_ARGS__)             \
        } else {                                                                                                  \
            SPREAD(omp parallel for schedule(static) reduction(+ : matcalc_sum))                                  \
            for (size_t matcalc_k = 0; matcalc_k < (count); matcalc_k += PART)                                    \
                PART_OF_SUM(matcalc_sum, i, matcalc_k, at_most(matcalc_k + PART, count), __VA_ARGS__)             \
        }                                                                                                         \
        total += matcalc_sum;                                                                                     \
    }

/* The same for terms i, j. */
#define TOTAL_OF_ROWS(total, i, rows, j, columns, work, ...)                                  \
    {                                                                                         \
        wide matcalc_sum = 0;                                                                 \
        if (few((rows) * (columns) * (size_t)(work))) {                                       \
            for (size_t i = 0; i < (rows); i++)                                               \
                PART_OF_SUM(matcalc_sum, j, 0, columns, __VA_ARGS__)                          \
        } else {                                                                              \
            SPREAD(omp parallel for schedule(static) reduction(+ : matcalc_sum))              \
            for (size_t i = 0; i < (rows); i++)                                               \
                PART_OF_SUM(matcalc_sum, j, 0, columns, __VA_ARGS__)                          \
        }                                                                                     \
        total += matcalc_sum;                                                                 \
    }

/* sums[i] = the sum of the terms i, j over j. */
#define SUMS_OF_ROWS(sums, i, rows, j, columns, work, ...)                                    \
    if (few((rows) * (columns) * (size_t)(work))) {                                           \
        for (size_t i = 0; i < (rows); i++) {                                                 \
            wide matcalc_sum = 0;                                                             \
            PART_OF_SUM(matcalc_sum, j, 0, columns, __VA_ARGS__)                              \
            sums[i] = matcalc_sum;                                                            \
        }                                                                                     \
    } else {                                                                                  \
        SPREAD(omp parallel for schedule(static))                                             \
        for (size_t i = 0; i < (rows); i++) {                                                 \
            wide matcalc_sum = 0;                                                             \
            PART_OF_SUM(matcalc_sum, j, 0, columns, __VA_ARGS__)                              \
            sums[i] = matcalc_sum;                                                            \
        }                                                                                     \
    }

/* A statement for each row i, which do not depend on each other. */
#define EACH_ROW(i, rows, columns, work, ...)                                                 \
    if (few((rows) * (columns) * (size_t)(work))) {                                           \
        for (size_t i = 0; i < (rows); i++)                                                   \
            __VA_ARGS__                                                                       \
    } else {                                                                                  \
        SPREAD(omp parallel for schedule(static))                                             \
        for (size_t i = 0; i < (rows); i++)                                                   \
            __VA_ARGS__                                                                       \
    }

static inline size_t at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many rows of so many columns stay in the cache; all of them if they are few. Where they are multiplied by matrices,
 * more at once: BLAS is a tenth slower on 128 rows than on 256. */
static inline ptrdiff_t rows_at_once(ptrdiff_t rows, ptrdiff_t columns, int products)
{
    const ptrdiff_t fit = CACHE / (columns > 0 ? columns : 1), least = products ? 2 * FEWEST_ROWS : FEWEST_ROWS;
    const ptrdiff_t some = fit > least ? fit : least;
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
