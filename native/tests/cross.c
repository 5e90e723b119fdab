/* Cross-resolution attention: output, gradients and second derivatives beside plain loops, and misuse. */
#include "test.h"

enum { B = 2, HEADS = 2, D = 3, C = 4, H = 3, W = 4, OH = 5, OW = 6 };
enum { QUERIES = B * HEADS * D * OH * OW, KEYS = B * HEADS * D * H * W, VALUES = B * C * H * W, BIASES = B * H * W,
    OUTPUTS = B * C * OH * OW };
enum { QUERY, KEY, VALUE, BIAS, GRAD_OUTPUT, OPERANDS };

static const int64_t counts[OPERANDS] = { QUERIES, KEYS, VALUES, BIASES, OUTPUTS };
static const double score_scale = 0.5;

/* What a point sees: first and end of every output row and column. */
typedef struct {
    const char *name;
    int32_t rows[OH][2], columns[OW][2];
    int averages, normalisation;
} problem;

/* The unnormalised weight of a score, and its derivative. */
static double unnormalised(int normalisation, double score, double *slope)
{
    double p = normalisation == SAPA_NORMALISATION_NONE ? score : exp(score);
    *slope = normalisation == SAPA_NORMALISATION_NONE ? 1 : p;
    if (normalisation == SAPA_NORMALISATION_SIGMOID) {
        p = 1 / (1 + exp(-score));
        *slope = p * (1 - p);
    }
    return p;
}

/* The output, and the gradients of query, key, value and bias, in double. */
static void reference(const problem *p, double *const *in, double *output, double *const *gradients)
{
    memset(output, 0, OUTPUTS * sizeof(double));
    for (int i = 0; i < GRAD_OUTPUT; i++)
        memset(gradients[i], 0, (size_t)counts[i] * sizeof(double));
    for (int b = 0; b < B; b++)
        for (int y = 0; y < OH; y++)
            for (int x = 0; x < OW; x++)
                for (int n = 0; n < HEADS; n++) {
                    double weights[H * W], slopes[H * W], grads[H * W], sum = 0, mean = 0;
                    int first = p->averages ? 0 : n * C / HEADS, end = p->averages ? C : (n + 1) * C / HEADS;
                    double share = p->averages ? 1.0 / HEADS : 1;
                    for (int cell = 0; cell < H * W; cell++) {
                        int i = cell / W, j = cell % W;
                        weights[cell] = slopes[cell] = grads[cell] = 0;
                        if (i < p->rows[y][0] || i >= p->rows[y][1] || j < p->columns[x][0] || j >= p->columns[x][1])
                            continue;
                        double score = 0;
                        for (int d = n * D; d < (n + 1) * D; d++)
                            score += in[QUERY][((b * HEADS * D + d) * OH + y) * OW + x] * in[KEY][(b * HEADS * D + d) * H * W + cell];
                        for (int c = first; c < end; c++)
                            grads[cell] += share * in[GRAD_OUTPUT][((b * C + c) * OH + y) * OW + x] * in[VALUE][(b * C + c) * H * W + cell];
                        score = score_scale * score + in[BIAS][b * H * W + cell];
                        sum += weights[cell] = unnormalised(p->normalisation, score, &slopes[cell]);
                    }
                    int divides = p->normalisation != SAPA_NORMALISATION_NONE;
                    if (sum == 0 && divides)
                        continue;
                    for (int cell = 0; cell < H * W && divides; cell++) {
                        mean += (weights[cell] /= sum) * grads[cell];
                        slopes[cell] /= sum;
                    }
                    for (int cell = 0; cell < H * W; cell++) {
                        double grad_score = slopes[cell] * (grads[cell] - mean);
                        gradients[BIAS][b * H * W + cell] += grad_score;
                        for (int d = n * D; d < (n + 1) * D; d++) {
                            int q = ((b * HEADS * D + d) * OH + y) * OW + x, k = (b * HEADS * D + d) * H * W + cell;
                            gradients[QUERY][q] += score_scale * grad_score * in[KEY][k];
                            gradients[KEY][k] += score_scale * grad_score * in[QUERY][q];
                        }
                        for (int c = first; c < end; c++) {
                            int o = ((b * C + c) * OH + y) * OW + x, v = (b * C + c) * H * W + cell;
                            output[o] += share * weights[cell] * in[VALUE][v];
                            gradients[VALUE][v] += share * weights[cell] * in[GRAD_OUTPUT][o];
                        }
                    }
                }
}

/* The sum of the products of the gradients with directions. */
static double product(const problem *p, double *const *in, double *const *directions)
{
    static double output[OUTPUTS], space[QUERIES + KEYS + VALUES + BIASES];
    double *gradients[] = { space, space + QUERIES, space + QUERIES + KEYS, space + QUERIES + KEYS + VALUES };
    double sum = 0;
    reference(p, in, output, gradients);
    for (int i = 0; i < GRAD_OUTPUT; i++)
        for (int64_t j = 0; j < counts[i]; j++)
            sum += gradients[i][j] * directions[i][j];
    return sum;
}

static test_tensor make(int32_t type, enum layout layout, int operand)
{
    static const int64_t shapes[OPERANDS][3] = {
        { HEADS * D, OH, OW }, { HEADS * D, H, W }, { C, H, W }, { 1, H, W }, { C, OH, OW }
    };
    return make_tensor(type, layout, B, shapes[operand][0], shapes[operand][1], shapes[operand][2]);
}

/* By element type. */
static const double tolerances[] = { 1e-4, 1e-11, 2e-2, 2e-1 };

static void test(sapa_device device, sapa_ranges ranges, const problem *p, int32_t type, enum layout layout)
{
    static double expected_output[OUTPUTS], space[QUERIES + KEYS + VALUES + BIASES];
    double *expected[] = { space, space + QUERIES, space + QUERIES + KEYS, space + QUERIES + KEYS + VALUES };
    test_tensor in[OPERANDS], out[OPERANDS], directions[GRAD_OUTPUT];
    test_tensor output = make(type, layout, GRAD_OUTPUT);
    test_tensor statistics = make_tensor(type == SAPA_F64 ? SAPA_F64 : SAPA_F32, NCHW, B, 2 * HEADS, OH, OW);
    double *values[OPERANDS], *ways[GRAD_OUTPUT];
    for (int i = 0; i < OPERANDS; i++) {
        in[i] = make(type, layout, i);
        out[i] = make(type, layout, i);
        values[i] = in[i].values;
    }
    for (int i = 0; i < GRAD_OUTPUT; i++) {
        directions[i] = make(type, layout, i);
        ways[i] = directions[i].values;
    }
    const sapa_tensor *q = &in[QUERY].tensor, *k = &in[KEY].tensor, *v = &in[VALUE].tensor, *b = &in[BIAS].tensor;
    const sapa_tensor *g = &in[GRAD_OUTPUT].tensor, *s = &statistics.tensor;
    sapa_cross_options options = SAPA_CROSS_OPTIONS_INIT;
    options.heads = HEADS;
    options.averages_heads = p->averages;
    options.score_scale = score_scale;
    options.normalisation = p->normalisation;
    reference(p, values, expected_output, expected);

    CHECK_OK(sapa_cross_attention_forward(device, q, k, v, b, ranges, &output.tensor, NULL, &options));
    check_tensor(&output, expected_output, tolerances[type], "output without statistics");
    memset(output.tensor.data, 0, element_size(type));
    CHECK_OK(sapa_cross_attention_forward(device, q, k, v, b, ranges, &output.tensor, s, &options));
    check_tensor(&output, expected_output, tolerances[type], p->name);
    CHECK_OK(sapa_cross_attention_backward(device, q, k, v, b, ranges, s, g, &out[QUERY].tensor, &out[KEY].tensor,
        &out[VALUE].tensor, &out[BIAS].tensor, &options));
    for (int i = 0; i < GRAD_OUTPUT; i++)
        check_tensor(&out[i], expected[i], 4 * tolerances[type], "gradient");

    CHECK_OK(sapa_cross_attention_double_backward(device, q, k, v, b, ranges, s, g, &directions[QUERY].tensor,
        &directions[KEY].tensor, &directions[VALUE].tensor, &directions[BIAS].tensor, &out[GRAD_OUTPUT].tensor,
        &out[QUERY].tensor, &out[KEY].tensor, &out[VALUE].tensor, &out[BIAS].tensor, &options));
    for (int i = 0; type == SAPA_F64 && i < OPERANDS; i++) {
        double *differences = malloc((size_t)counts[i] * sizeof(double));
        for (int64_t j = 0; j < counts[i]; j++) {
            double value = values[i][j], step = 1e-5;
            values[i][j] = value + step;
            differences[j] = product(p, values, ways);
            values[i][j] = value - step;
            differences[j] = (differences[j] - product(p, values, ways)) / (2 * step);
            values[i][j] = value;
        }
        check_tensor(&out[i], differences, 1e-7, "second derivative");
        free(differences);
    }

    /* One direction, and one gradient of it. */
    if (type == SAPA_F64) {
        static double zero[QUERIES];
        double *one[] = { zero, ways[KEY], zero, zero };
        double *differences = malloc(sizeof(double) * VALUES);
        for (int64_t j = 0; j < VALUES; j++) {
            double value = values[VALUE][j], step = 1e-5;
            values[VALUE][j] = value + step;
            differences[j] = product(p, values, one);
            values[VALUE][j] = value - step;
            differences[j] = (differences[j] - product(p, values, one)) / (2 * step);
            values[VALUE][j] = value;
        }
        CHECK_OK(sapa_cross_attention_double_backward(device, q, k, v, b, ranges, s, g, NULL, &directions[KEY].tensor, NULL,
            NULL, NULL, NULL, NULL, &out[VALUE].tensor, NULL, &options));
        check_tensor(&out[VALUE], differences, 1e-7, "second derivative of one direction");
        free(differences);
    }

    for (int i = 0; i < OPERANDS; i++) {
        free_tensor(&in[i]);
        free_tensor(&out[i]);
    }
    for (int i = 0; i < GRAD_OUTPUT; i++)
        free_tensor(&directions[i]);
    free_tensor(&output);
    free_tensor(&statistics);
}

#define EXPECT(status, part, call) \
    do { \
        int32_t got_ = (call); \
        CHECK(got_ == (status), "got %s: %s", sapa_status_name(got_), sapa_last_error()); \
        CHECK(strstr(sapa_last_error(), part) != NULL, "'%s' is not in: %s", part, sapa_last_error()); \
    } while (0)

static void misuse(sapa_device device)
{
    static float query[HEADS * D * OH * OW], key[HEADS * D * H * W], value[C * H * W], output[C * OH * OW], grad[C * H * W];
    sapa_tensor q = sapa_nchw(SAPA_F32, query, 1, HEADS * D, OH, OW), k = sapa_nchw(SAPA_F32, key, 1, HEADS * D, H, W);
    sapa_tensor v = sapa_nchw(SAPA_F32, value, 1, C, H, W), o = sapa_nchw(SAPA_F32, output, 1, C, OH, OW);
    sapa_tensor g = sapa_nchw(SAPA_F32, grad, 1, C, H, W);
    sapa_ranges ranges = (sapa_ranges)1, other;
    const int32_t rows[OH][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 }, { 1, 3 }, { 0, 3 } };
    const int32_t columns[OW][2] = { { 0, 4 }, { 0, 4 }, { 0, 4 }, { 0, 4 }, { 0, 4 }, { 0, 4 } };
    EXPECT(SAPA_INVALID_ARGUMENT, "'ranges' is null", sapa_ranges_create_whole(H, W, OH, OW, NULL));
    EXPECT(SAPA_INVALID_ARGUMENT, "cells", sapa_ranges_create_whole(0, W, OH, OW, &ranges));
    CHECK(ranges == NULL, "the handle is not null after an error");
    EXPECT(SAPA_INVALID_ARGUMENT, "BorderRule", sapa_ranges_create_window(H, W, OH, OW, 3, 3, 9, &ranges));
    EXPECT(SAPA_INVALID_ARGUMENT, "ratio", sapa_ranges_create_ratio(H, W, OH, OW, 0, &ranges));
    EXPECT(SAPA_INVALID_ARGUMENT, "'rows' is null", sapa_ranges_create_table(H, W, OH, OW, NULL, &columns[0][0], &ranges));
    EXPECT(SAPA_INVALID_ARGUMENT, "'rows': The range of output 4",
        sapa_ranges_create_table(H, W, OH, OW, &rows[0][0], &columns[0][0], &ranges));
    EXPECT(SAPA_INVALID_ARGUMENT, "'rows'", sapa_ranges_create_table(H, W, -1, OW, &rows[0][0], &columns[0][0], &ranges));

    CHECK_OK(sapa_ranges_create_whole(H, W, OH, OW, &ranges));
    CHECK_OK(sapa_ranges_create_whole(H, W, OH, OW + 1, &other));
    EXPECT(SAPA_INVALID_HANDLE, "'ranges' is null", sapa_cross_attention_forward(device, &q, &k, &v, NULL, NULL, &o, NULL, NULL));
    EXPECT(SAPA_INVALID_HANDLE, "something else",
        sapa_cross_attention_forward(device, &q, &k, &v, NULL, (sapa_ranges)device, &o, NULL, NULL));
    EXPECT(SAPA_INVALID_ARGUMENT, "create ranges for these sizes",
        sapa_cross_attention_forward(device, &q, &k, &v, NULL, other, &o, NULL, NULL));
    EXPECT(SAPA_INVALID_ARGUMENT, "keyBias", sapa_cross_attention_forward(device, &q, &k, &v, &v, ranges, &o, NULL, NULL));
    EXPECT(SAPA_INVALID_ARGUMENT, "'statistics' is null", sapa_cross_attention_backward(
        device, &q, &k, &v, NULL, ranges, NULL, &o, NULL, NULL, &g, NULL, NULL));

    static float numbers[2 * OH * OW];
    sapa_tensor s = sapa_nchw(SAPA_F32, numbers, 1, 2, OH, OW);
    sapa_tensor bias = sapa_nchw(SAPA_F32, grad, 1, 1, H, W), again = g;
    again.shape[1] = C - 1;
    EXPECT(SAPA_INVALID_ARGUMENT, "'key_bias' is null", sapa_cross_attention_double_backward(device, &q, &k, &v, NULL, ranges, &s,
        &o, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &bias, NULL));
    EXPECT(SAPA_INVALID_ARGUMENT, "grad_value", sapa_cross_attention_double_backward(device, &q, &k, &v, NULL, ranges, &s,
        &o, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &again, NULL, NULL));
    EXPECT(SAPA_INVALID_ARGUMENT, "memory", sapa_cross_attention_double_backward(device, &q, &k, &v, NULL, ranges, &s,
        &o, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &v, NULL, NULL));

    sapa_cross_options options = SAPA_CROSS_OPTIONS_INIT;
    options.heads = 5;
    EXPECT(SAPA_INVALID_ARGUMENT, "5 heads", sapa_cross_attention_forward(device, &q, &k, &v, NULL, ranges, &o, NULL, &options));
    options.heads = 1;
    options.averages_heads = 2;
    EXPECT(SAPA_INVALID_ARGUMENT, "averages_heads",
        sapa_cross_attention_forward(device, &q, &k, &v, NULL, ranges, &o, NULL, &options));
    options.averages_heads = 0;
    options.normalisation = 3;
    EXPECT(SAPA_INVALID_ARGUMENT, "ScoreNormalisation",
        sapa_cross_attention_forward(device, &q, &k, &v, NULL, ranges, &o, NULL, &options));
    options.normalisation = SAPA_NORMALISATION_SOFTMAX;
    options.score_scale = NAN;
    EXPECT(SAPA_INVALID_ARGUMENT, "finite", sapa_cross_attention_forward(device, &q, &k, &v, NULL, ranges, &o, NULL, &options));
    CHECK_OK(sapa_ranges_close(other));
    CHECK_OK(sapa_ranges_close(ranges));
    EXPECT(SAPA_INVALID_HANDLE, "was closed", sapa_ranges_close(ranges));
    EXPECT(SAPA_INVALID_HANDLE, "was closed", sapa_cross_attention_forward(device, &q, &k, &v, NULL, ranges, &o, NULL, NULL));
}

int main(void)
{
    const problem table = { "table", { { 0, 1 }, { 0, 2 }, { 2, 2 }, { 2, 3 }, { 2, 3 } },
        { { 0, 2 }, { 0, 2 }, { 1, 3 }, { 1, 4 }, { 2, 4 }, { 4, 4 } }, 0, SAPA_NORMALISATION_SOFTMAX };
    const problem window = { "masked window", { { 0, 2 }, { 0, 2 }, { 0, 3 }, { 0, 3 }, { 1, 3 } },
        { { 0, 1 }, { 0, 1 }, { 0, 2 }, { 1, 3 }, { 1, 3 }, { 2, 4 } }, 1, SAPA_NORMALISATION_SOFTMAX };
    const problem whole = { "whole map", { { 0, 3 }, { 0, 3 }, { 0, 3 }, { 0, 3 }, { 0, 3 } },
        { { 0, 4 }, { 0, 4 }, { 0, 4 }, { 0, 4 }, { 0, 4 }, { 0, 4 } }, 0, SAPA_NORMALISATION_SOFTMAX };
    const problem ratio = { "ratio", { { 0, 2 }, { 0, 2 }, { 0, 3 }, { 1, 3 }, { 1, 3 } },
        { { 0, 2 }, { 0, 3 }, { 0, 3 }, { 1, 4 }, { 1, 4 }, { 2, 4 } }, 1, SAPA_NORMALISATION_SOFTMAX };
    const problem *problems[] = { &table, &window, &whole, &ratio };
    sapa_ranges ranges[4];
    sapa_device device = NULL;
    CHECK_OK(sapa_device_open("cpu", NULL, &device));
    CHECK_OK(sapa_ranges_create_table(H, W, OH, OW, &table.rows[0][0], &table.columns[0][0], &ranges[0]));
    CHECK_OK(sapa_ranges_create_window(H, W, OH, OW, 3, 2, SAPA_BORDER_MASKED, &ranges[1]));
    CHECK_OK(sapa_ranges_create_whole(H, W, OH, OW, &ranges[2]));
    CHECK_OK(sapa_ranges_create_ratio(H, W, OH, OW, 0.3f, &ranges[3]));
    for (int i = 0; i < 4; i++) {
        for (int layout = 0; layout < LAYOUTS; layout++)
            for (int32_t type = SAPA_F32; type <= SAPA_BF16; type++)
                for (int normalisation = SAPA_NORMALISATION_SOFTMAX; normalisation <= SAPA_NORMALISATION_NONE; normalisation++) {
                    problem own = *problems[i];
                    own.normalisation = normalisation;
                    test(device, ranges[i], &own, type, (enum layout)layout);
                }
        CHECK_OK(sapa_ranges_close(ranges[i]));
    }
    misuse(device);
    CHECK_OK(sapa_device_close(device));
    return report("cross");
}
