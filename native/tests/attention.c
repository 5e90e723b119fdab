/* Window attention, forward and backward, beside plain loops. */
#include "test.h"

typedef struct {
    int64_t b, d, c, h, w, oh, ow, k;
    int32_t border;
} problem;

/* The reference in double: output and the gradients for one gradient of the output. */
static void reference(
    const problem *p, const double *query, const double *key, const double *value, const double *grad_output, double *output,
    double *grad_query, double *grad_key, double *grad_value)
{
    int64_t plane = p->h * p->w, points = p->oh * p->ow, radius = p->k / 2;
    for (int64_t b = 0; b < p->b; b++)
        for (int64_t y = 0; y < p->oh; y++)
            for (int64_t x = 0; x < p->ow; x++) {
                const double *q = query + b * p->d * points + y * p->ow + x;
                const double *g = grad_output + b * p->c * points + y * p->ow + x;
                double weights[15 * 15], grad_weights[15 * 15], sum = 0, mean = 0;
                int64_t cells[15 * 15], taps = 0;
                for (int64_t j = 0; j < p->k * p->k; j++) {
                    int64_t row = y * p->h / p->oh + j / p->k - radius, column = x * p->w / p->ow + j % p->k - radius;
                    int is_inside = row >= 0 && row < p->h && column >= 0 && column < p->w;
                    if (!is_inside && p->border == SAPA_BORDER_MASKED)
                        continue;
                    double score = 0, grad = 0;
                    int64_t cell = is_inside ? row * p->w + column : -1;
                    for (int64_t d = 0; is_inside && d < p->d; d++)
                        score += q[d * points] * key[(b * p->d + d) * plane + cell];
                    for (int64_t c = 0; is_inside && c < p->c; c++)
                        grad += g[c * points] * value[(b * p->c + c) * plane + cell];
                    cells[taps] = cell;
                    grad_weights[taps] = grad;
                    sum += weights[taps++] = exp(score);
                }
                for (int64_t j = 0; j < taps; j++)
                    mean += (weights[j] /= sum) * grad_weights[j];
                for (int64_t j = 0; j < taps; j++) {
                    double grad_score = weights[j] * (grad_weights[j] - mean);
                    for (int64_t c = 0; cells[j] >= 0 && c < p->c; c++) {
                        int64_t at = (b * p->c + c) * plane + cells[j];
                        output[b * p->c * points + y * p->ow + x + c * points] += weights[j] * value[at];
                        grad_value[at] += weights[j] * g[c * points];
                    }
                    for (int64_t d = 0; cells[j] >= 0 && d < p->d; d++) {
                        int64_t at = (b * p->d + d) * plane + cells[j];
                        grad_query[b * p->d * points + y * p->ow + x + d * points] += grad_score * key[at];
                        grad_key[at] += grad_score * q[d * points];
                    }
                }
            }
}

/* By element type; gradients of keys and values are sums of some hundred terms up to 8 in 16-bit types. */
static const double tolerances[] = { 2e-5, 1e-12, 1e-2, 8e-2 };

static void test(sapa_device device, const problem *p, int32_t type, enum layout layout)
{
    test_tensor query = make_tensor(type, layout, p->b, p->d, p->oh, p->ow);
    test_tensor key = make_tensor(type, layout, p->b, p->d, p->h, p->w);
    test_tensor value = make_tensor(type, layout, p->b, p->c, p->h, p->w);
    test_tensor grad_output = make_tensor(type, layout, p->b, p->c, p->oh, p->ow);
    test_tensor output = make_tensor(type, layout, p->b, p->c, p->oh, p->ow);
    test_tensor normaliser = make_tensor(type == SAPA_F64 ? SAPA_F64 : SAPA_F32, NCHW, p->b, 1, p->oh, p->ow);
    test_tensor grad_query = make_tensor(type, layout, p->b, p->d, p->oh, p->ow);
    test_tensor grad_key = make_tensor(type, layout, p->b, p->d, p->h, p->w);
    test_tensor grad_value = make_tensor(type, layout, p->b, p->c, p->h, p->w);
    double *expected[4] = { calloc((size_t)output.count, sizeof(double)), calloc((size_t)query.count, sizeof(double)),
        calloc((size_t)key.count, sizeof(double)), calloc((size_t)value.count, sizeof(double)) };
    reference(p, query.values, key.values, value.values, grad_output.values, expected[0], expected[1], expected[2], expected[3]);

    sapa_window_options options = SAPA_WINDOW_OPTIONS_INIT;
    options.window = (int32_t)p->k;
    options.border = p->border;
    double tolerance = tolerances[type];
    CHECK_OK(sapa_window_attention_forward(device, &query.tensor, &key.tensor, &value.tensor, &output.tensor, NULL, &options));
    check_tensor(&output, expected[0], tolerance, "output without a normaliser");
    memset(output.tensor.data, 0, element_size(type));
    CHECK_OK(sapa_window_attention_forward(
        device, &query.tensor, &key.tensor, &value.tensor, &output.tensor, &normaliser.tensor, &options));
    check_tensor(&output, expected[0], tolerance, "output");
    CHECK_OK(sapa_window_attention_backward(device, &query.tensor, &key.tensor, &value.tensor, &normaliser.tensor,
        &grad_output.tensor, &grad_query.tensor, &grad_key.tensor, &grad_value.tensor, &options));
    check_tensor(&grad_query, expected[1], tolerance, "gradient of the query");
    check_tensor(&grad_key, expected[2], tolerance, "gradient of the key");
    check_tensor(&grad_value, expected[3], tolerance, "gradient of the value");

    /* One gradient alone. */
    memset(grad_key.tensor.data, 0, element_size(type));
    CHECK_OK(sapa_window_attention_backward(device, &query.tensor, &key.tensor, &value.tensor, &normaliser.tensor,
        &grad_output.tensor, NULL, &grad_key.tensor, NULL, &options));
    check_tensor(&grad_key, expected[2], tolerance, "gradient of the key alone");

    test_tensor *all[] = { &query, &key, &value, &grad_output, &output, &normaliser, &grad_query, &grad_key, &grad_value };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free_tensor(all[i]);
    for (int i = 0; i < 4; i++)
        free(expected[i]);
}

int main(void)
{
    const problem problems[] = {
        { 2, 4, 3, 6, 7, 12, 14, 5, SAPA_BORDER_ZERO_LOGIT },
        { 1, 5, 8, 4, 4, 9, 11, 3, SAPA_BORDER_MASKED },
        { 1, 16, 16, 8, 8, 16, 16, 5, SAPA_BORDER_MASKED },
    };
    sapa_device device = NULL;
    CHECK_OK(sapa_device_open("cpu", NULL, &device));
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
        for (int layout = 0; layout < LAYOUTS; layout++)
            for (int32_t type = SAPA_F32; type <= SAPA_BF16; type++)
                test(device, &problems[i], type, (enum layout)layout);
    CHECK_OK(sapa_device_close(device));
    return report("attention");
}
