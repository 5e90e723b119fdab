/* Checks, random numbers, and tensors of any layout that are compared with doubles. */
#ifndef SAPA_TEST_H
#define SAPA_TEST_H

#include <sapagpu.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

#define CHECK(condition, ...) \
    do { \
        if (!(condition)) { \
            failures++; \
            printf("%s:%d: %s: ", __FILE__, __LINE__, #condition); \
            printf(__VA_ARGS__); \
            printf("\n"); \
        } \
    } while (0)

#define CHECK_OK(call) \
    do { \
        int32_t status_ = (call); \
        CHECK(status_ == SAPA_OK, "%s: %s", sapa_status_name(status_), sapa_last_error()); \
    } while (0)

static inline double random_number(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / (double)(UINT64_C(1) << 53) * 2 - 1;
}

enum layout { NCHW, NHWC, WITH_GAPS, LAYOUTS };

/* What lies in the gaps of a tensor, which nothing may write. */
enum { GAP = 77 };

/* A tensor and its values in the order B, C, H, W. */
typedef struct {
    sapa_tensor tensor;
    int64_t count, span;
    double *values;
} test_tensor;

static inline int64_t position(const test_tensor *t, int64_t i)
{
    const int64_t *n = t->tensor.shape, *s = t->tensor.strides;
    int64_t x = i % n[3], y = i / n[3] % n[2], c = i / n[3] / n[2] % n[1], b = i / n[3] / n[2] / n[1];
    return b * s[0] + c * s[1] + y * s[2] + x * s[3];
}

static inline size_t element_size(int32_t type)
{
    return type == SAPA_F64 ? sizeof(double) : type == SAPA_F32 ? sizeof(float) : sizeof(uint16_t);
}

/* Half precision of numbers that it holds exactly, subnormals aside. */
static inline double from_half(uint16_t bits)
{
    double magnitude = (bits & 0x7FFF) == 0 ? 0 : ldexp(1024 + (bits & 0x3FF), (bits >> 10 & 0x1F) - 25);
    return bits >> 15 ? -magnitude : magnitude;
}

static inline uint16_t to_half(double value)
{
    int exponent;
    double fraction = frexp(fabs(value), &exponent);
    uint16_t sign = value < 0 ? 0x8000 : 0;
    return value == 0 ? 0 : (uint16_t)(sign | ((exponent + 14) << 10 | ((int)(fraction * 2048) & 0x3FF)));
}

static inline double read_element(const test_tensor *t, int64_t at)
{
    uint32_t bits;
    float single;
    switch (t->tensor.element_type) {
    case SAPA_F64:
        return ((double *)t->tensor.data)[at];
    case SAPA_F32:
        return ((float *)t->tensor.data)[at];
    case SAPA_F16:
        return from_half(((uint16_t *)t->tensor.data)[at]);
    default:
        bits = (uint32_t)((uint16_t *)t->tensor.data)[at] << 16;
        memcpy(&single, &bits, sizeof single);
        return single;
    }
}

static inline void write_element(test_tensor *t, int64_t at, double value)
{
    uint32_t bits;
    float single = (float)value;
    switch (t->tensor.element_type) {
    case SAPA_F64:
        ((double *)t->tensor.data)[at] = value;
        break;
    case SAPA_F32:
        ((float *)t->tensor.data)[at] = single;
        break;
    case SAPA_F16:
        ((uint16_t *)t->tensor.data)[at] = to_half(value);
        break;
    default:
        memcpy(&bits, &single, sizeof bits);
        ((uint16_t *)t->tensor.data)[at] = (uint16_t)(bits >> 16);
    }
}

/* A random number that a type holds exactly: in 16-bit types one of 127. */
static inline double random_element(int32_t type)
{
    return element_size(type) == 2 ? round(random_number() * 63) / 64 : (float)random_number();
}

/* A tensor of random values, of single precision so that both it and double precision hold them. */
static inline test_tensor make_tensor(int32_t type, enum layout layout, int64_t b, int64_t c, int64_t h, int64_t w)
{
    test_tensor t;
    t.tensor = layout == NHWC ? sapa_nhwc(type, NULL, b, c, h, w) : sapa_nchw(type, NULL, b, c, h, w);
    if (layout == WITH_GAPS) {
        t.tensor.strides[2] = w + 3;
        t.tensor.strides[1] = h * (w + 3) + 5;
        t.tensor.strides[0] = c * (h * (w + 3) + 5) + 7;
    }
    t.count = b * c * h * w;
    t.span = b * t.tensor.strides[0];
    if (layout == NHWC)
        t.span = t.count;
    t.tensor.data = malloc((size_t)t.span * element_size(type));
    t.values = malloc((size_t)t.count * sizeof(double));
    for (int64_t i = 0; i < t.span; i++)
        write_element(&t, i, GAP);
    for (int64_t i = 0; i < t.count; i++) {
        t.values[i] = random_element(type);
        write_element(&t, position(&t, i), t.values[i]);
    }
    return t;
}

static inline void free_tensor(test_tensor *t)
{
    free(t->tensor.data);
    free(t->values);
}

/* Compares what was written with the expected values, and the gaps with what was in them. */
static inline void check_tensor(const test_tensor *t, const double *expected, double tolerance, const char *what)
{
    double worst = 0;
    char *is_element = calloc((size_t)t->span, 1);
    for (int64_t i = 0; i < t->count; i++) {
        double difference = fabs(read_element(t, position(t, i)) - expected[i]);
        if (!(difference <= worst))
            worst = difference;
        is_element[position(t, i)] = 1;
    }
    CHECK(worst <= tolerance, "%s differs by %g, more than %g", what, worst, tolerance);
    int64_t written = 0;
    for (int64_t i = 0; i < t->span; i++)
        written += !is_element[i] && read_element(t, i) != GAP;
    CHECK(written == 0, "%s: %d elements of gaps were written", what, (int)written);
    free(is_element);
}

static inline int report(const char *name)
{
    printf("%s: %s\n", name, failures == 0 ? "passed" : "FAILED");
    return failures != 0;
}

#endif
