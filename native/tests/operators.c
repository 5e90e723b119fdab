/* The steps of window attention, deformable attention and interpolation. */
#include "test.h"

enum { B = 2, D = 6, C = 4, H = 5, W = 6, OH = 10, OW = 12, K = 3, TAPS = K * K };

static sapa_device device;

static double product(const test_tensor *one, const test_tensor *other)
{
    double sum = 0;
    for (int64_t i = 0; i < one->count; i++)
        sum += read_element(one, position(one, i)) * read_element(other, position(other, i));
    return sum;
}

static double *read_all(const test_tensor *t)
{
    double *values = malloc((size_t)t->count * sizeof(double));
    for (int64_t i = 0; i < t->count; i++)
        values[i] = read_element(t, position(t, i));
    return values;
}

/* Similarity, weights and reassembly give what window attention gives, forward and backward. */
static void test_steps(int32_t normalisation)
{
    sapa_window_options options = SAPA_WINDOW_OPTIONS_INIT;
    options.window = K;
    options.heads = 2;
    options.border = SAPA_BORDER_MASKED;
    options.normalisation = normalisation;
    test_tensor query = make_tensor(SAPA_F64, NCHW, B, D, OH, OW), key = make_tensor(SAPA_F64, NHWC, B, D, H, W);
    test_tensor value = make_tensor(SAPA_F64, NCHW, B, C, H, W), grad_output = make_tensor(SAPA_F64, NHWC, B, C, OH, OW);
    test_tensor scores = make_tensor(SAPA_F64, NCHW, B, 2 * TAPS, OH, OW);
    test_tensor weights = make_tensor(SAPA_F64, NHWC, B, 2 * TAPS, OH, OW);
    test_tensor grad_weights = make_tensor(SAPA_F64, NCHW, B, 2 * TAPS, OH, OW);
    test_tensor grad_scores = make_tensor(SAPA_F64, NCHW, B, 2 * TAPS, OH, OW);
    test_tensor mean = make_tensor(SAPA_F64, NCHW, B, TAPS, OH, OW), normaliser = make_tensor(SAPA_F64, NCHW, B, 2, OH, OW);
    test_tensor output[2], grad_query[2], grad_key[2], grad_value[2];
    for (int i = 0; i < 2; i++) {
        output[i] = make_tensor(SAPA_F64, NCHW, B, C, OH, OW);
        grad_query[i] = make_tensor(SAPA_F64, NCHW, B, D, OH, OW);
        grad_key[i] = make_tensor(SAPA_F64, NCHW, B, D, H, W);
        grad_value[i] = make_tensor(SAPA_F64, NCHW, B, C, H, W);
    }

    CHECK_OK(sapa_window_attention_forward(
        device, &query.tensor, &key.tensor, &value.tensor, &output[0].tensor, &normaliser.tensor, &options));
    CHECK_OK(sapa_window_attention_backward(device, &query.tensor, &key.tensor, &value.tensor, &normaliser.tensor,
        &grad_output.tensor, &grad_query[0].tensor, &grad_key[0].tensor, &grad_value[0].tensor, &options));

    CHECK_OK(sapa_window_similarity_forward(device, &query.tensor, &key.tensor, &scores.tensor, &options));
    CHECK_OK(sapa_window_weights_forward(device, &scores.tensor, H, W, &weights.tensor, &options, 0));
    CHECK_OK(sapa_window_weights_forward(device, &scores.tensor, H, W, &mean.tensor, &options, 1));
    CHECK_OK(sapa_window_reassembly_forward(device, &weights.tensor, &value.tensor, &output[1].tensor, &options));
    CHECK_OK(sapa_window_reassembly_backward(device, &weights.tensor, &value.tensor, &grad_output.tensor, &grad_weights.tensor,
        &grad_value[1].tensor, &options));
    CHECK_OK(sapa_window_weights_backward(
        device, &scores.tensor, H, W, &grad_weights.tensor, &grad_scores.tensor, &options, 0));
    CHECK_OK(sapa_window_similarity_backward(device, &query.tensor, &key.tensor, &grad_scores.tensor, &grad_query[1].tensor,
        &grad_key[1].tensor, &options));

    test_tensor *pairs[] = { output, grad_query, grad_key, grad_value };
    const char *names[] = { "output of the steps", "query gradient of the steps", "key gradient of the steps",
        "value gradient of the steps" };
    for (int i = 0; i < 4; i++) {
        double *expected = read_all(&pairs[i][0]);
        check_tensor(&pairs[i][1], expected, 1e-12, names[i]);
        free(expected);
        free_tensor(&pairs[i][0]);
        free_tensor(&pairs[i][1]);
    }
    double *expected = read_all(&mean), *all = read_all(&weights);
    for (int64_t i = 0; i < mean.count; i++) {
        int64_t image = i / (TAPS * OH * OW), rest = i % (TAPS * OH * OW);
        expected[i] = (all[2 * image * TAPS * OH * OW + rest] + all[(2 * image + 1) * TAPS * OH * OW + rest]) / 2;
    }
    check_tensor(&mean, expected, 1e-12, "mean of the weights");
    free(expected);
    free(all);
    test_tensor *others[] = { &query, &key, &value, &grad_output, &scores, &weights, &grad_weights, &grad_scores, &mean,
        &normaliser };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        free_tensor(others[i]);
}

/* The bilinear value of a channel, 0 outside. */
static double sample(const double *plane, double row, double column)
{
    double sum = 0;
    if (row <= -1 || row >= H || column <= -1 || column >= W)
        return 0;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            int y = (int)floor(row) + i, x = (int)floor(column) + j;
            if (y >= 0 && y < H && x >= 0 && x < W)
                sum += (1 - fabs(row - y)) * (1 - fabs(column - x)) * plane[y * W + x];
        }
    return sum;
}

enum { GROUPS = 2, POINTS = 3 };

/* output of deformable attention, and its product with a gradient. */
static double deformable(const double *query, const double *key, const double *value, const double *offsets,
    const double *grad_output, double *output)
{
    double loss = 0;
    for (int b = 0; b < B; b++)
        for (int g = 0; g < GROUPS; g++)
            for (int i = 0; i < OH * OW; i++) {
                double row[POINTS], column[POINTS], weight[POINTS], sum = 0;
                for (int p = 0; p < POINTS; p++) {
                    const double *offset = offsets + ((b * GROUPS + g) * POINTS + p) * 2 * OH * OW + i;
                    row[p] = i / OW * H / OH + offset[OH * OW];
                    column[p] = i % OW * W / OW + offset[0];
                    double score = 0;
                    for (int d = g * D / GROUPS; d < (g + 1) * D / GROUPS; d++)
                        score += query[(b * D + d) * OH * OW + i] * sample(key + (b * D + d) * H * W, row[p], column[p]);
                    sum += weight[p] = exp(score);
                }
                for (int c = g * C / GROUPS; c < (g + 1) * C / GROUPS; c++) {
                    int at = (b * C + c) * OH * OW + i;
                    output[at] = 0;
                    for (int p = 0; p < POINTS; p++)
                        output[at] += weight[p] / sum * sample(value + (b * C + c) * H * W, row[p], column[p]);
                    loss += output[at] * grad_output[at];
                }
            }
    return loss;
}

static void test_deformable(void)
{
    test_tensor inputs[4] = { make_tensor(SAPA_F64, NCHW, B, D, OH, OW), make_tensor(SAPA_F64, NCHW, B, D, H, W),
        make_tensor(SAPA_F64, NCHW, B, C, H, W), make_tensor(SAPA_F64, NCHW, B, GROUPS * POINTS * 2, OH, OW) };
    test_tensor gradients[4] = { make_tensor(SAPA_F64, NCHW, B, D, OH, OW), make_tensor(SAPA_F64, NCHW, B, D, H, W),
        make_tensor(SAPA_F64, NCHW, B, C, H, W), make_tensor(SAPA_F64, NCHW, B, GROUPS * POINTS * 2, OH, OW) };
    test_tensor output = make_tensor(SAPA_F64, NHWC, B, C, OH, OW), grad_output = make_tensor(SAPA_F64, NCHW, B, C, OH, OW);
    sapa_deformable_options options = SAPA_DEFORMABLE_OPTIONS_INIT;
    options.groups = GROUPS;
    options.points = POINTS;
    CHECK_OK(sapa_deformable_attention_forward(device, &inputs[0].tensor, &inputs[1].tensor, &inputs[2].tensor,
        &inputs[3].tensor, &output.tensor, &options));
    CHECK_OK(sapa_deformable_attention_backward(device, &inputs[0].tensor, &inputs[1].tensor, &inputs[2].tensor,
        &inputs[3].tensor, &grad_output.tensor, &gradients[0].tensor, &gradients[1].tensor, &gradients[2].tensor,
        &gradients[3].tensor, &options));

    double *expected = malloc((size_t)output.count * sizeof(double));
    double *of[4] = { inputs[0].values, inputs[1].values, inputs[2].values, inputs[3].values };
    deformable(of[0], of[1], of[2], of[3], grad_output.values, expected);
    check_tensor(&output, expected, 1e-12, "output of deformable attention");

    /* Gradients beside differences, some elements of each. */
    const char *names[] = { "query", "key", "value", "offsets" };
    const double step = 1e-5;
    for (int operand = 0; operand < 4; operand++)
        for (int64_t i = 0; i < inputs[operand].count; i += 37) {
            double before = of[operand][i];
            of[operand][i] = before + step;
            double above = deformable(of[0], of[1], of[2], of[3], grad_output.values, expected);
            of[operand][i] = before - step;
            double below = deformable(of[0], of[1], of[2], of[3], grad_output.values, expected);
            of[operand][i] = before;
            double difference = read_element(&gradients[operand], i) - (above - below) / (2 * step);
            CHECK(fabs(difference) < 1e-7, "gradient of %s at %d differs by %g", names[operand], (int)i, difference);
        }
    free(expected);
    for (int i = 0; i < 4; i++) {
        free_tensor(&inputs[i]);
        free_tensor(&gradients[i]);
    }
    free_tensor(&output);
    free_tensor(&grad_output);
}

static double bilinear(const double *plane, double row, double column)
{
    row = fmin(fmax(row, 0), H - 1);
    column = fmin(fmax(column, 0), W - 1);
    int y = (int)row, x = (int)column, below = y + 1 < H ? y + 1 : y, right = x + 1 < W ? x + 1 : x;
    double fy = row - y, fx = column - x;
    return (1 - fy) * ((1 - fx) * plane[y * W + x] + fx * plane[y * W + right])
        + fy * ((1 - fx) * plane[below * W + x] + fx * plane[below * W + right]);
}

static void test_interpolate(int32_t mode, int32_t align_corners)
{
    test_tensor input = make_tensor(SAPA_F64, WITH_GAPS, B, C, H, W), output = make_tensor(SAPA_F64, NCHW, B, C, OH, OW);
    test_tensor grad_output = make_tensor(SAPA_F64, NHWC, B, C, OH, OW), grad_input = make_tensor(SAPA_F64, NCHW, B, C, H, W);
    CHECK_OK(sapa_interpolate_forward(device, &input.tensor, &output.tensor, mode, align_corners));
    CHECK_OK(sapa_interpolate_backward(device, &grad_output.tensor, &grad_input.tensor, mode, align_corners));
    double *expected = malloc((size_t)output.count * sizeof(double));
    for (int64_t i = 0; i < output.count; i++) {
        int64_t y = i / OW % OH, x = i % OW;
        const double *plane = input.values + i / (OH * OW) * H * W;
        if (mode == SAPA_NEAREST)
            expected[i] = plane[y * H / OH * W + x * W / OW];
        else if (align_corners)
            expected[i] = bilinear(plane, y * (H - 1.0) / (OH - 1), x * (W - 1.0) / (OW - 1));
        else
            expected[i] = bilinear(plane, (y + 0.5) * H / OH - 0.5, (x + 0.5) * W / OW - 0.5);
    }
    check_tensor(&output, expected, 1e-12, "interpolated");
    /* The backward is the adjoint of the forward. */
    double forward = product(&output, &grad_output), backward = product(&input, &grad_input);
    CHECK(fabs(forward - backward) < 1e-10, "adjoint: %g and %g", forward, backward);
    free(expected);
    free_tensor(&input);
    free_tensor(&output);
    free_tensor(&grad_output);
    free_tensor(&grad_input);
}

int main(void)
{
    CHECK_OK(sapa_device_open("cpu", NULL, &device));
    test_steps(SAPA_NORMALISATION_SOFTMAX);
    test_steps(SAPA_NORMALISATION_SIGMOID);
    test_steps(SAPA_NORMALISATION_NONE);
    test_deformable();
    test_interpolate(SAPA_NEAREST, 0);
    test_interpolate(SAPA_BILINEAR, 0);
    test_interpolate(SAPA_BILINEAR, 1);
    CHECK_OK(sapa_device_close(device));
    return report("operators");
}
