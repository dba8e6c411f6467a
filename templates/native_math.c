/* Functions of one entry, in straight lines, so that the compiler computes several entries at once: polynomials after a
 * reduction, with the largest errors that tests find in units of the last place: exp 1, expm1 2, log 1, log1p 1, tanh 3,
 * the slope of tanh 5.
 * Infinities, nan, zeros with their signs and subnormal numbers are as in the C library. */
static inline uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#define ROUNDING 0x1.8p52 /* adding it leaves a whole number in the low bits */
#define LN2_HIGH 0x1.62e42fefa3800p-1
#define LN2_LOW 5.497923018708371e-14

/* (exp(r) - 1 - r) / r^2 for |r| <= log(2)/2 */
static inline double exp_rest(double r)
{
    return 0.5000000000000012 + r * (0.166666666666667 + r * (0.04166666666651628 + r * (0.008333333333307226 +
           r * (0.0013888888946818156 + r * (0.0001984126991738626 + r * (2.4801490126910315e-05 + r *
           (2.7557216266399504e-06 + r * (2.7631219932380714e-07 + r * (2.511787992744349e-08)))))))));
}

/* 2^k, from k + ROUNDING. */
static inline double power_of_two(double k)
{
    return of_bits((bits_of(k) << 52) + 0x3ff0000000000000u);
}

static inline double native_exp(double x)
{
    x = x > 710 ? 710 : x;
    x = x < -746 ? -746 : x;
    const double shifted = x * 1.4426950408889634 + ROUNDING, k = shifted - ROUNDING;
    const double r = (x - k * LN2_HIGH) - k * LN2_LOW;
    const double half = k * 0.5 + ROUNDING, rest = (k - (half - ROUNDING)) + ROUNDING;
    return (1 + (r + r * r * exp_rest(r))) * power_of_two(half) * power_of_two(rest);
}

static inline double native_expm1(double x)
{
    const double given = x;
    x = x > 710 ? 710 : x;
    x = x < -50 ? -50 : x;
    const double shifted = x * 1.4426950408889634 + ROUNDING, k = shifted - ROUNDING;
    const double r = (x - k * LN2_HIGH) - k * LN2_LOW;
    const double half = power_of_two((k - 1) + ROUNDING), part = r + r * r * exp_rest(r);
    const double value = (half * part + (half - 0.5)) * 2;
    return given == 0 ? given : value;
}

/* A positive number x = m 2^power with m between the square roots of 1/2 and 2, and 2^-power (0 where that is tiny). */
static inline double mantissa_of(double x, double *power, double *scale)
{
    const int small = x < 0x1p-1022;
    const double grown = small ? x * 0x1p54 : x;
    const uint64_t k = (bits_of(grown) - 0x3fe6a09e667f3bcdu + ((uint64_t)1100 << 52)) >> 52;
    const double e = of_bits(k | 0x4330000000000000u) - (0x1p52 + 1100);
    *power = small ? e - 54 : e;
    *scale = of_bits((2123 - (k < 2123 ? k : 2123)) << 52);
    return of_bits(bits_of(grown) - ((k - 1100) << 52));
}

/* power log(2) + log(1 + f), by 2 atanh(s) = f - s (f - 2 atanh(s)/s + 2) with s = f/(2 + f). */
static inline double log_of(double power, double f)
{
    const double s = f / (2 + f), z = s * s;
    const double rest =
        2 * z * (0.3333333333333335 + z * (0.19999999999948945 + z * (0.14285714313325432 + z * (0.11111105515937522
           + z * (0.09091448098379035 + z * (0.0766574907955586 + z * (0.07309545954613726)))))));
    return power * LN2_HIGH + (f - (s * (f - rest) - power * LN2_LOW));
}

static inline double native_log(double x)
{
    double power, scale;
    const double m = mantissa_of(x, &power, &scale), value = log_of(power, m - 1);
    const double positive = x < INFINITY ? value : x, outside = x == 0 ? -INFINITY : NAN;
    return x > 0 || isnan(x) ? positive : outside;
}

static inline double native_log1p(double x)
{
    const double u = 1 + x, one = u - 1, residue = (1 - (u - one)) + (x - one);
    double power, scale;
    const double m = mantissa_of(u, &power, &scale), value = log_of(power, (m - 1) + residue * scale);
    const double positive = x < INFINITY ? value : x, outside = x == -1 ? -INFINITY : NAN;
    const double found = x > -1 || isnan(x) ? positive : outside;
    return x == 0 ? x : found;
}

/* exp(x) and exp(x) - 1 for x <= 0, without branches: compilers see that two calls for one number are one. */
static inline double exp_below_one(double x, double *less)
{
    const uint64_t far = -(uint64_t)(x < -746);
    x = of_bits((bits_of(x) & ~far) | (bits_of(-746) & far));
    const double shifted = x * 1.4426950408889634 + ROUNDING, k = shifted - ROUNDING;
    const double r = (x - k * LN2_HIGH) - k * LN2_LOW, part = r + r * r * exp_rest(r);
    const double half = k * 0.5 + ROUNDING, rest = (k - (half - ROUNDING)) + ROUNDING;
    const double power = power_of_two(half) * power_of_two(rest);
    *less = power * part + (power - 1);
    return (1 + part) * power;
}

static inline double native_tanh(double x)
{
    double t;
    (void)exp_below_one(-2 * fabs(x), &t);
    return copysign(-t * (1 / (t + 2)), x);
}

/* 1 / cosh(x)^2, the derivative of tanh, which keeps its digits where tanh is flat. */
static inline double native_slope_of_tanh(double x)
{
    double t;
    const double e = exp_below_one(-2 * fabs(x), &t), part = 1 / (t + 2);
    return 4 * (e * part) * part;
}

#define exp(x) ((real)native_exp(x))
#define expm1(x) ((real)native_expm1(x))
#define log(x) ((real)native_log(x))
#define log1p(x) ((real)native_log1p(x))
#define tanh(x) ((real)native_tanh(x))
#define slope_of_tanh(x) ((real)native_slope_of_tanh(x))

/* The other functions, several entries at once by the GNU C library's vector functions (errors up to 4 units). */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#if __GLIBC_PREREQ(2, 35)
#define VECTOR(f) __attribute__((simd("notinbranch"), const)) extern double f(double)
VECTOR(sin);
VECTOR(cos);
VECTOR(tan);
VECTOR(sinh);
VECTOR(cosh);
VECTOR(asin);
VECTOR(acos);
VECTOR(atan);
VECTOR(asinh);
VECTOR(acosh);
VECTOR(atanh);
VECTOR(erf);
VECTOR(erfc);
#endif
#endif
