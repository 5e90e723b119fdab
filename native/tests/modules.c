/* Modules with the parameters of a checkpoint, beside projections in plain loops and the operators. The argument is a folder. */
#include "checkpoint.h"

enum { B = 2, CY = 5, CX = 8, D = 6, H = 4, W = 5, S = 2, OH = S * H, OW = S * W };

static sapa_device device;

/* ---- Layers ---- */

/* A matrix [rows, channels] and a bias on every pixel. */
static test_tensor project(
    const double *input, const double *matrix, const double *bias, int64_t channels, int64_t rows, int64_t h, int64_t w)
{
    test_tensor t = make_tensor(SAPA_F64, NCHW, B, rows, h, w);
    for (int64_t i = 0; i < t.count; i++) {
        int64_t image = i / (rows * h * w), row = i / (h * w) % rows, pixel = i % (h * w);
        double sum = bias[row];
        for (int64_t c = 0; c < channels; c++)
            sum += matrix[row * channels + c] * input[(image * channels + c) * h * w + pixel];
        ((double *)t.tensor.data)[i] = t.values[i] = sum;
    }
    return t;
}

/* LayerNorm over the channels of every pixel. */
static double *layer_norm(const double *input, const double *weight, const double *bias, int64_t channels, int64_t plane)
{
    double *output = malloc((size_t)(B * channels * plane) * sizeof(double));
    for (int64_t i = 0; i < B * plane; i++) {
        const double *x = input + i / plane * channels * plane + i % plane;
        double mean = 0, variance = 0;
        for (int64_t c = 0; c < channels; c++)
            mean += x[c * plane] / (double)channels;
        for (int64_t c = 0; c < channels; c++)
            variance += (x[c * plane] - mean) * (x[c * plane] - mean) / (double)channels;
        for (int64_t c = 0; c < channels; c++)
            output[i / plane * channels * plane + c * plane + i % plane]
                = (x[c * plane] - mean) / sqrt(variance + 1e-5) * weight[c] + bias[c];
    }
    return output;
}

static void free_all(test_tensor **tensors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free_tensor(tensors[i]);
}

/* Compares what a module and what the operators wrote. */
static void compare(const test_tensor *result, const test_tensor *reference, double tolerance, const char *what)
{
    check_tensor(result, (const double *)reference->tensor.data, tolerance, what);
}

/* ---- SAPA-B ---- */

static void test_upsampler(const char *path, int32_t type, double tolerance)
{
    const double *gy = add_parameter("norm_y.weight", CY, 0), *by = add_parameter("norm_y.bias", CY, 0);
    const double *gx = add_parameter("norm_x.weight", CX, 0), *bx = add_parameter("norm_x.bias", CX, 0);
    const double *wq = add_parameter("q.weight", D, CY), *bq = add_parameter("q.bias", D, 0);
    const double *wk = add_parameter("k.weight", D, CX), *bk = add_parameter("k.bias", D, 0);
    write_parameters(path, "decoder.up.", 0);
    sapa_upsampler_options options = SAPA_UPSAMPLER_OPTIONS_INIT(CY, CX);
    options.element_type = type;
    options.embedding_channels = D;
    sapa_module module = NULL;
    CHECK_OK(sapa_upsampler_load(device, &options, path, "decoder.up.", &module));

    test_tensor encoder = make_tensor(type, NHWC, B, CY, OH, OW), decoder = make_tensor(type, WITH_GAPS, B, CX, H, W);
    test_tensor output = make_tensor(type, WITH_GAPS, B, CX, OH, OW), expected = make_tensor(SAPA_F64, NCHW, B, CX, OH, OW);
    CHECK_OK(sapa_module_forward(module, &encoder.tensor, &decoder.tensor, &output.tensor));

    double *y = layer_norm(encoder.values, gy, by, CY, OH * OW), *x = layer_norm(decoder.values, gx, bx, CX, H * W);
    test_tensor query = project(y, wq, bq, CY, D, OH, OW), key = project(x, wk, bk, CX, D, H, W);
    sapa_tensor value = sapa_nchw(SAPA_F64, decoder.values, B, CX, H, W);
    CHECK_OK(sapa_window_attention_forward(device, &query.tensor, &key.tensor, &value, &expected.tensor, NULL, NULL));
    compare(&output, &expected, tolerance, "SAPA-B");

    /* What does not fit. */
    CHECK(sapa_module_forward(module, NULL, &decoder.tensor, &output.tensor) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "'encoder' is null") != NULL, "%s", sapa_last_error());
    CHECK(sapa_module_forward(module, &encoder.tensor, &decoder.tensor, &encoder.tensor) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "'output' must be [2, 8, 8, 10]") != NULL, "%s", sapa_last_error());
    test_tensor shared = make_tensor(type, NCHW, B, CX + CY, OH, OW);
    sapa_tensor guide = shared.tensor, overlapping = shared.tensor;
    guide.shape[1] = CY;
    overlapping.shape[1] = CX;
    CHECK(sapa_module_forward(module, &guide, &decoder.tensor, &overlapping) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "'output' is written, but shares memory with 'encoder'") != NULL, "%s", sapa_last_error());
    free_tensor(&shared);
    CHECK(sapa_module_forward((sapa_module)device, &encoder.tensor, &decoder.tensor, &output.tensor) == SAPA_INVALID_HANDLE
        && strstr(sapa_last_error(), "no open module") != NULL, "%s", sapa_last_error());
    CHECK(sapa_device_close((sapa_device)module) == SAPA_INVALID_HANDLE, "%s", sapa_last_error());
    sapa_module other = (sapa_module)1;
    options.embedding_channels = D + 1;
    CHECK(sapa_upsampler_load(device, &options, path, "decoder.up.", &other) == SAPA_FILE_ERROR && other == NULL
        && strstr(sapa_last_error(), "q.weight") != NULL, "%s", sapa_last_error());
    options.embedding_channels = D;
    CHECK(sapa_upsampler_load(device, &options, path, "elsewhere.", &other) == SAPA_FILE_ERROR, "%s", sapa_last_error());
    CHECK(sapa_upsampler_load(device, &options, "/nowhere/file.pth", NULL, &other) == SAPA_FILE_ERROR
        && strstr(sapa_last_error(), "/nowhere/file.pth") != NULL, "%s", sapa_last_error());
    CHECK(sapa_upsampler_load(device, &options, NULL, NULL, &other) == SAPA_INVALID_ARGUMENT, "%s", sapa_last_error());
    CHECK(sapa_upsampler_load(device, NULL, path, NULL, &other) == SAPA_INVALID_ARGUMENT, "%s", sapa_last_error());
    options.similarity = 9;
    CHECK(sapa_upsampler_load(device, &options, path, "decoder.up.", &other) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "Similarity") != NULL, "%s", sapa_last_error());

    CHECK_OK(sapa_module_close(module));
    CHECK(sapa_module_close(module) == SAPA_INVALID_HANDLE, "%s", sapa_last_error());
    CHECK(sapa_module_forward(module, &encoder.tensor, &decoder.tensor, &output.tensor) == SAPA_INVALID_HANDLE, "%s",
        sapa_last_error());
    free_all((test_tensor *[]) { &encoder, &decoder, &output, &expected, &query, &key }, 6);
    free(y);
    free(x);
    forget_parameters();
}

/* ---- SAPA-D ---- */

static void test_deformable(const char *path)
{
    enum { G = 2, P = 3, OFFSETS = G * P * 2 };
    const double *wq = add_parameter("q.weight", G * D, CY), *bq = add_parameter("q.bias", G * D, 0);
    const double *wk = add_parameter("k.weight", G * D, CX), *bk = add_parameter("k.bias", G * D, 0);
    const double *wo = add_parameter("offset.weight", OFFSETS, CX), *bo = add_parameter("offset.bias", OFFSETS, 0);
    write_parameters(path, "", 1);
    sapa_deformable_upsampler_options options = SAPA_DEFORMABLE_UPSAMPLER_OPTIONS_INIT(CY, CX);
    options.element_type = SAPA_F64;
    options.groups = G;
    options.points = P;
    options.embedding_channels = D;
    options.high_resolution_offsets = 0;
    sapa_module module = NULL;
    CHECK_OK(sapa_deformable_upsampler_load(device, &options, path, NULL, &module));

    test_tensor encoder = make_tensor(SAPA_F64, NCHW, B, CY, OH, OW), decoder = make_tensor(SAPA_F64, NCHW, B, CX, H, W);
    test_tensor output = make_tensor(SAPA_F64, NCHW, B, CX, OH, OW), expected = make_tensor(SAPA_F64, NCHW, B, CX, OH, OW);
    CHECK_OK(sapa_module_forward(module, &encoder.tensor, &decoder.tensor, &output.tensor));

    test_tensor query = project(encoder.values, wq, bq, CY, G * D, OH, OW);
    test_tensor key = project(decoder.values, wk, bk, CX, G * D, H, W);
    test_tensor cells = project(decoder.values, wo, bo, CX, OFFSETS, H, W);
    test_tensor offsets = make_tensor(SAPA_F64, NCHW, B, OFFSETS, OH, OW);
    sapa_deformable_options attention = SAPA_DEFORMABLE_OPTIONS_INIT;
    attention.groups = G;
    attention.points = P;
    CHECK_OK(sapa_interpolate_forward(device, &cells.tensor, &offsets.tensor, SAPA_NEAREST, 0));
    CHECK_OK(sapa_deformable_attention_forward(
        device, &query.tensor, &key.tensor, &decoder.tensor, &offsets.tensor, &expected.tensor, &attention));
    compare(&output, &expected, 1e-12, "SAPA-D");

    CHECK_OK(sapa_module_close(module));
    free_all((test_tensor *[]) { &encoder, &decoder, &output, &expected, &query, &key, &cells, &offsets }, 8);
    forget_parameters();
}

/* ---- CARAFE, whose content encoder sees one pixel here ---- */

static void test_carafe(const char *path)
{
    enum { M = 4, K = 3, TAPS = K * K };
    const double *wc = add_parameter("channel_compressor.weight", M, CX), *bc = add_parameter("channel_compressor.bias", M, 0);
    const double *we = add_parameter("content_encoder.weight", TAPS * S * S, M);
    const double *be = add_parameter("content_encoder.bias", TAPS * S * S, 0);
    write_parameters(path, "", 1);
    sapa_carafe_options options = SAPA_CARAFE_OPTIONS_INIT(CX);
    options.element_type = SAPA_F64;
    options.window = K;
    options.encoder_kernel = 1;
    options.compressed_channels = M;
    sapa_module module = NULL;
    CHECK_OK(sapa_carafe_load(device, &options, path, NULL, &module));

    test_tensor features = make_tensor(SAPA_F64, NHWC, B, CX, H, W);
    test_tensor output = make_tensor(SAPA_F64, NHWC, B, CX, OH, OW), expected = make_tensor(SAPA_F64, NCHW, B, CX, OH, OW);
    CHECK_OK(sapa_module_forward(module, NULL, &features.tensor, &output.tensor));

    test_tensor compressed = project(features.values, wc, bc, CX, M, H, W);
    test_tensor code = project(compressed.values, we, be, M, TAPS * S * S, H, W);
    test_tensor scores = make_tensor(SAPA_F64, NCHW, B, TAPS, OH, OW), weights = make_tensor(SAPA_F64, NCHW, B, TAPS, OH, OW);
    for (int64_t i = 0; i < scores.count; i++) {
        int64_t x = i % OW, y = i / OW % OH, tap = i / (OH * OW) % TAPS, image = i / (TAPS * OH * OW);
        int64_t channel = (tap * S + y % S) * S + x % S;
        ((double *)scores.tensor.data)[i] = code.values[((image * TAPS * S * S + channel) * H + y / S) * W + x / S];
    }
    sapa_window_options window = SAPA_WINDOW_OPTIONS_INIT;
    window.window = K;
    CHECK_OK(sapa_window_weights_forward(device, &scores.tensor, H, W, &weights.tensor, &window, 0));
    CHECK_OK(sapa_window_reassembly_forward(device, &weights.tensor, &features.tensor, &expected.tensor, &window));
    compare(&output, &expected, 1e-12, "CARAFE");
    CHECK(sapa_module_forward(module, &features.tensor, &features.tensor, &output.tensor) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "no guide") != NULL, "%s", sapa_last_error());

    /* A module outlives its device only as a handle that is to be closed. */
    CHECK_OK(sapa_device_close(device));
    CHECK(sapa_module_forward(module, NULL, &features.tensor, &output.tensor) == SAPA_CLOSED, "%s", sapa_last_error());
    CHECK_OK(sapa_module_close(module));
    free_all((test_tensor *[]) { &features, &output, &expected, &compressed, &code, &scores, &weights }, 7);
    forget_parameters();
}

int main(int count, char **arguments)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/module.safetensors", count > 1 ? arguments[1] : ".");
    CHECK_OK(sapa_device_open("cpu", NULL, &device));
    test_upsampler(path, SAPA_F64, 1e-12);
    test_upsampler(path, SAPA_F32, 2e-5);
    test_deformable(path);
    test_carafe(path);
    return report("modules");
}
