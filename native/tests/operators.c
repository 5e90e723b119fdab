/* The steps of window attention, deformable attention and interpolation. */
#include "test.h"

enum { B = 2, D = 6, C = 4, H = 5, W = 6, OH = 10, OW = 12, K = 3, TAPS = K * K };

static sapa_device device;

/* Of differences, which gradients are compared with. */
static const double step = 1e-5;

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

/* Compares a gradient with differences of a loss, at some elements. */
static void check_gradient(const test_tensor *gradient, test_tensor *of, double (*loss)(void *), void *state, const char *what)
{
    for (int64_t i = 0; i < of->count; i += of->count / 7 + 1) {
        double before = of->values[i];
        of->values[i] = before + step;
        double above = loss(state);
        of->values[i] = before - step;
        double below = loss(state);
        of->values[i] = before;
        double difference = read_element(gradient, position(gradient, i)) - (above - below) / (2 * step);
        CHECK(fabs(difference) < 1e-6, "gradient of %s at %d differs by %g", what, (int)i, difference);
    }
}

/* A layer: input, weight, bias, gradient of the output, and what it wrote. */
typedef struct {
    test_tensor input, weight, bias, grad_output, output, statistics;
    int groups;
    double *expected;
} layer;

static double projection_loss(void *state)
{
    layer *l = state;
    double loss = 0;
    for (int64_t i = 0; i < l->output.count; i++) {
        int64_t b = i / (D * H * W), o = i / (H * W) % D, pixel = i % (H * W);
        l->expected[i] = l->bias.values[o];
        for (int64_t c = 0; c < C; c++)
            l->expected[i] += l->weight.values[o * C + c] * l->input.values[(b * C + c) * H * W + pixel];
        loss += l->expected[i] * l->grad_output.values[i];
    }
    return loss;
}

/* Statistics are of all channels of a pixel, or of all pixels of a group. */
static double norm_loss(void *state)
{
    layer *l = state;
    double loss = 0;
    for (int64_t i = 0; i < l->output.count; i++) {
        int64_t b = i / (C * H * W), c = i / (H * W) % C, pixel = i % (H * W), size = C / (l->groups ? l->groups : 1);
        int64_t first = l->groups ? c / size * size : 0, count = 0;
        double mean = 0, variance = 0;
        for (int pass = 0; pass < 2; pass++) {
            count = 0;
            for (int64_t k = first; k < first + size; k++)
                for (int64_t at = l->groups ? 0 : pixel; at < (l->groups ? H * W : pixel + 1); at++, count++) {
                    double x = l->input.values[(b * C + k) * H * W + at];
                    if (pass == 0)
                        mean += x;
                    else
                        variance += (x - mean) * (x - mean);
                }
            if (pass == 0)
                mean /= (double)count;
        }
        l->expected[i] = (l->input.values[i] - mean) / sqrt(variance / (double)count + 1e-3) * l->weight.values[c]
            + l->bias.values[c];
        loss += l->expected[i] * l->grad_output.values[i];
    }
    return loss;
}

/* groups: of GroupNorm, 0 for LayerNorm, -1 for a projection. */
static void test_layer(int groups)
{
    int is_projection = groups < 0, outputs = is_projection ? D : C;
    layer l = { .input = make_tensor(SAPA_F64, NHWC, B, C, H, W), .groups = groups,
        .weight = is_projection ? make_tensor(SAPA_F64, NCHW, D, C, 1, 1) : make_tensor(SAPA_F64, NCHW, 1, C, 1, 1),
        .bias = make_tensor(SAPA_F64, NCHW, 1, outputs, 1, 1), .grad_output = make_tensor(SAPA_F64, NCHW, B, outputs, H, W),
        .output = make_tensor(SAPA_F64, WITH_GAPS, B, outputs, H, W),
        .statistics = groups > 0 ? make_tensor(SAPA_F64, NCHW, B, 2 * groups, 1, 1) : make_tensor(SAPA_F64, NCHW, B, 2, H, W) };
    test_tensor grad_input = make_tensor(SAPA_F64, NCHW, B, C, H, W), grad_bias = make_tensor(SAPA_F64, NCHW, 1, outputs, 1, 1);
    test_tensor grad_weight = is_projection ? make_tensor(SAPA_F64, NCHW, D, C, 1, 1) : make_tensor(SAPA_F64, NCHW, 1, C, 1, 1);
    if (is_projection) {
        CHECK_OK(sapa_projection_forward(device, &l.input.tensor, &l.weight.tensor, &l.bias.tensor, &l.output.tensor));
        CHECK_OK(sapa_projection_backward(device, &l.input.tensor, &l.weight.tensor, &l.bias.tensor, &l.grad_output.tensor,
            &grad_input.tensor, &grad_weight.tensor, &grad_bias.tensor));
    } else {
        CHECK_OK(sapa_feature_norm_forward(device, &l.input.tensor, groups, &l.weight.tensor, &l.bias.tensor, 1e-3,
            &l.output.tensor, &l.statistics.tensor));
        CHECK_OK(sapa_feature_norm_backward(device, &l.input.tensor, groups, &l.weight.tensor, &l.statistics.tensor,
            &l.grad_output.tensor, &grad_input.tensor, &grad_weight.tensor, &grad_bias.tensor));
    }
    double (*loss)(void *) = is_projection ? projection_loss : norm_loss;
    l.expected = malloc((size_t)l.output.count * sizeof(double));
    loss(&l);
    check_tensor(&l.output, l.expected, 1e-12, is_projection ? "projection" : "norm");
    check_gradient(&grad_input, &l.input, loss, &l, "the input");
    check_gradient(&grad_weight, &l.weight, loss, &l, "the weight");
    check_gradient(&grad_bias, &l.bias, loss, &l, "the bias");
    if (is_projection)
        CHECK(sapa_projection_backward(device, &l.input.tensor, &l.weight.tensor, &l.bias.tensor, &l.grad_output.tensor, NULL,
                  NULL, &grad_bias.tensor) == SAPA_INVALID_ARGUMENT, "a gradient of the bias alone is not refused");
    free(l.expected);
    test_tensor *all[] = { &l.input, &l.weight, &l.bias, &l.grad_output, &l.output, &l.statistics, &grad_input, &grad_weight,
        &grad_bias };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free_tensor(all[i]);
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
    test_layer(-1);
    test_layer(0);
    test_layer(2);
    CHECK_OK(sapa_device_close(device));
    return report("operators");
}
