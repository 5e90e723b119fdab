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

/* A sum over the output with weights. */
static double weighted_sum(sapa_module module, const test_tensor *encoder, const test_tensor *decoder, test_tensor *output,
    const double *weights)
{
    double sum = 0;
    CHECK_OK(sapa_module_forward(module, encoder ? &encoder->tensor : NULL, &decoder->tensor, &output->tensor));
    for (int64_t i = 0; i < output->count; i++)
        sum += weights[i] * read_element(output, position(output, i));
    return sum;
}

/* Compares the gradients of the maps, in double precision, with differences along random directions. */
static void check_backward(
    sapa_module module, test_tensor *encoder, test_tensor *decoder, int64_t channels, int64_t oh, int64_t ow, const char *what)
{
    const double step = 1e-5;
    test_tensor output = make_tensor(SAPA_F64, NCHW, B, channels, oh, ow), grad = make_tensor(SAPA_F64, NHWC, B, channels, oh, ow);
    const int64_t *n = encoder ? encoder->tensor.shape : decoder->tensor.shape, *m = decoder->tensor.shape;
    test_tensor of_encoder = make_tensor(SAPA_F64, WITH_GAPS, n[0], n[1], n[2], n[3]);
    test_tensor of_decoder = make_tensor(SAPA_F64, NHWC, m[0], m[1], m[2], m[3]);
    const sapa_tensor *y = encoder ? &encoder->tensor : NULL, *gy = encoder ? &of_encoder.tensor : NULL;
    CHECK_OK(sapa_module_backward(module, y, &decoder->tensor, &grad.tensor, gy, &of_decoder.tensor));
    test_tensor *operands[] = { encoder, decoder }, *gradients[] = { &of_encoder, &of_decoder };
    for (int which = encoder ? 0 : 1; which < 2; which++) {
        test_tensor *operand = operands[which];
        test_tensor way = make_tensor(SAPA_F64, NCHW, operand->tensor.shape[0], operand->tensor.shape[1],
            operand->tensor.shape[2], operand->tensor.shape[3]);
        double slope = 0, sums[2];
        for (int64_t i = 0; i < operand->count; i++)
            slope += way.values[i] * read_element(gradients[which], position(gradients[which], i));
        for (int side = 0; side < 2; side++) {
            for (int64_t i = 0; i < operand->count; i++)
                write_element(operand, position(operand, i), operand->values[i] + (side ? step : -step) * way.values[i]);
            sums[side] = weighted_sum(module, encoder, decoder, &output, grad.values);
        }
        for (int64_t i = 0; i < operand->count; i++)
            write_element(operand, position(operand, i), operand->values[i]);
        double difference = (sums[1] - sums[0]) / (2 * step);
        CHECK(fabs(difference - slope) <= 1e-6 * fmax(1, fabs(slope)) && slope != 0, "%s: gradient %d is %.10g along a direction, "
            "by differences %.10g", what, which, slope, difference);
        free_tensor(&way);
    }
    CHECK(sapa_module_backward(module, y, &decoder->tensor, &grad.tensor, NULL, NULL) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "both null") != NULL, "%s", sapa_last_error());
    CHECK(sapa_module_backward(module, y, &decoder->tensor, &grad.tensor, NULL, &decoder->tensor) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "shares memory") != NULL, "%s", sapa_last_error());
    CHECK(sapa_module_backward(module, y, &decoder->tensor, &grad.tensor, NULL, &grad.tensor) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "grad_decoder") != NULL, "%s", sapa_last_error());
    free_all((test_tensor *[]) { &output, &grad, &of_encoder, &of_decoder }, 4);
}

/* The default stream is all that the processor has: the same bits there, and a refusal of what is no stream of the device. */
static void check_on_stream(sapa_module module, const test_tensor *encoder, const test_tensor *decoder, const test_tensor *expected)
{
    const int64_t *n = expected->tensor.shape;
    test_tensor output = make_tensor(expected->tensor.element_type, NCHW, n[0], n[1], n[2], n[3]);
    sapa_device on_stream = NULL, other = NULL;
    CHECK_OK(sapa_device_on_stream(device, NULL, &on_stream));
    CHECK_OK(sapa_module_forward_on(module, on_stream, &encoder->tensor, &decoder->tensor, &output.tensor));
    for (int64_t i = 0; i < output.count; i++)
        CHECK(read_element(&output, position(&output, i)) == read_element(expected, position(expected, i)), "element %d", (int)i);
    CHECK_OK(sapa_module_forward_on(module, NULL, &encoder->tensor, &decoder->tensor, &output.tensor));
    CHECK_OK(sapa_device_open("cpu", NULL, &other));
    CHECK(sapa_module_forward_on(module, other, &encoder->tensor, &decoder->tensor, &output.tensor) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "The module is on") != NULL, "%s", sapa_last_error());
    CHECK(sapa_module_backward_on(module, other, &encoder->tensor, &decoder->tensor, &expected->tensor, NULL, &output.tensor)
        == SAPA_INVALID_ARGUMENT, "%s", sapa_last_error());
    CHECK_OK(sapa_device_close(other));
    CHECK(sapa_module_forward_on(module, other, &encoder->tensor, &decoder->tensor, &output.tensor) == SAPA_INVALID_HANDLE
        && strstr(sapa_last_error(), "'device'") != NULL, "%s", sapa_last_error());
    free_tensor(&output);
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
    check_on_stream(module, &encoder, &decoder, &output);
    if (type == SAPA_F64) check_backward(module, &encoder, &decoder, CX, OH, OW, "SAPA-B");

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
    check_backward(module, &encoder, &decoder, CX, OH, OW, "SAPA-D");

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
    check_backward(module, NULL, &features, CX, OH, OW, "CARAFE");
    CHECK(sapa_module_forward(module, &features.tensor, &features.tensor, &output.tensor) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "no guide") != NULL, "%s", sapa_last_error());

    /* A module outlives its device only as a handle that is to be closed. */
    CHECK_OK(sapa_device_close(device));
    CHECK(sapa_module_forward(module, NULL, &features.tensor, &output.tensor) == SAPA_CLOSED, "%s", sapa_last_error());
    CHECK_OK(sapa_module_close(module));
    free_all((test_tensor *[]) { &features, &output, &expected, &compressed, &code, &scores, &weights }, 7);
    forget_parameters();
}

/* ---- NAF without blocks: two convolutions, positions, and attention ---- */

enum { Q = 16, HALF = Q / 2, HEADS = 2, IH = 7, IW = 9 };

/* A convolution of the image with a border that is mirrored without its edge. */
static void mirror_convolve(
    const double *image, const double *weight, const double *bias, int64_t kernel, double *encoded, int64_t first)
{
    for (int64_t i = 0; i < B * HALF * IH * IW; i++) {
        int64_t x = i % IW, y = i / IW % IH, row = i / (IH * IW) % HALF, b = i / (HALF * IH * IW);
        double sum = bias[row];
        for (int64_t t = 0; t < 3 * kernel * kernel; t++) {
            int64_t c = t / (kernel * kernel), v = y + t / kernel % kernel - kernel / 2, u = x + t % kernel - kernel / 2;
            v = v < 0 ? -v : v >= IH ? 2 * (IH - 1) - v : v;
            u = u < 0 ? -u : u >= IW ? 2 * (IW - 1) - u : u;
            sum += weight[row * 3 * kernel * kernel + t] * image[((b * 3 + c) * IH + v) * IW + u];
        }
        encoded[((b * Q + first + row) * IH + y) * IW + x] = sum;
    }
}

/* Means of regions that may overlap. */
static test_tensor pool(const double *map, int64_t h, int64_t w, int64_t oh, int64_t ow)
{
    test_tensor t = make_tensor(SAPA_F64, NCHW, B, Q, oh, ow);
    for (int64_t i = 0; i < t.count; i++) {
        int64_t x = i % ow, y = i / ow % oh, plane = i / (oh * ow);
        int64_t top = y * h / oh, bottom = ((y + 1) * h + oh - 1) / oh, left = x * w / ow, right = ((x + 1) * w + ow - 1) / ow;
        double sum = 0;
        for (int64_t v = top; v < bottom; v++)
            for (int64_t u = left; u < right; u++)
                sum += map[(plane * h + v) * w + u];
        ((double *)t.tensor.data)[i] = t.values[i] = sum / (double)((bottom - top) * (right - left));
    }
    return t;
}

/* Turns pairs of channels of both heads by angles of rows, then of columns. */
static void turn(test_tensor *map, const double *periods, int64_t oh, int64_t ow)
{
    enum { PAIRS = Q / HEADS / 2 };
    double *values = map->tensor.data;
    for (int64_t i = 0; i < B * HEADS * PAIRS * oh * ow; i++) {
        int64_t x = i % ow, y = i / ow % oh, pair = i / (oh * ow) % PAIRS, head = i / (PAIRS * oh * ow);
        double at = pair < PAIRS / 2 ? 2 * (y + 0.5) / (double)oh - 1 : 2 * (x + 0.5) / (double)ow - 1;
        double angle = 2 * acos(-1) * at / periods[pair % (PAIRS / 2)];
        double *one = values + ((head * 2 * PAIRS + pair) * oh + y) * ow + x, *other = one + PAIRS * oh * ow;
        double left = *one * cos(angle) - *other * sin(angle), right = *other * cos(angle) + *one * sin(angle);
        *one = left;
        *other = right;
    }
    memcpy(map->values, values, (size_t)map->count * sizeof(double));
}

static void test_naf(const char *path)
{
    const double *w1 = add_convolution("image_encoder.encoder.0.weight", HALF, 3, 1);
    const double *b1 = add_parameter("image_encoder.encoder.0.bias", HALF, 0);
    const double *w3 = add_convolution("image_encoder.sem_encoder.0.weight", HALF, 3, 3);
    const double *b3 = add_parameter("image_encoder.sem_encoder.0.bias", HALF, 0);
    double *periods = add_convolution("image_encoder.rope.periods", Q / HEADS / 4, 0, 0);
    for (int i = 0; i < Q / HEADS / 4; i++)
        periods[i] = 1 + i;
    write_parameters(path, "", 0);
    sapa_naf_options options = SAPA_NAF_OPTIONS_INIT;
    options.element_type = SAPA_F64;
    options.channels = Q;
    options.heads = options.rotary_heads = HEADS;
    options.window = 3;
    options.blocks = 0;
    options.norm_groups = 4;
    sapa_module module = NULL;
    CHECK_OK(sapa_naf_load(device, &options, path, NULL, &module));

    test_tensor image = make_tensor(SAPA_F64, NCHW, B, 3, IH, IW), features = make_tensor(SAPA_F64, NHWC, B, CX, H, W);
    test_tensor output = make_tensor(SAPA_F64, WITH_GAPS, B, CX, OH, OW), expected = make_tensor(SAPA_F64, NCHW, B, CX, OH, OW);
    CHECK_OK(sapa_module_forward(module, &image.tensor, &features.tensor, &output.tensor));

    double *encoded = malloc(sizeof(double) * B * Q * IH * IW);
    mirror_convolve(image.values, w1, b1, 1, encoded, 0);
    mirror_convolve(image.values, w3, b3, 3, encoded, HALF);
    test_tensor query = pool(encoded, IH, IW, OH, OW);
    turn(&query, periods, OH, OW);
    test_tensor key = pool(query.values, OH, OW, H, W);
    sapa_ranges ranges;
    sapa_cross_options attention = SAPA_CROSS_OPTIONS_INIT;
    attention.heads = HEADS;
    attention.score_scale = 1 / sqrt(Q / HEADS);
    CHECK_OK(sapa_ranges_create_window(H, W, OH, OW, 3, 3, SAPA_BORDER_SHIFTED, &ranges));
    CHECK_OK(sapa_cross_attention_forward(
        device, &query.tensor, &key.tensor, &features.tensor, NULL, ranges, &expected.tensor, NULL, &attention));
    compare(&output, &expected, 1e-12, "NAF");
    check_backward(module, &image, &features, CX, OH, OW, "NAF");

    CHECK(sapa_module_forward(module, NULL, &features.tensor, &output.tensor) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "'encoder' is null") != NULL, "%s", sapa_last_error());
    CHECK(sapa_module_forward(module, &features.tensor, &features.tensor, &output.tensor) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "3 channels of 'image'") != NULL, "%s", sapa_last_error());
    options.channels = Q + 1;
    sapa_module other;
    CHECK(sapa_naf_load(device, &options, path, NULL, &other) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "NormGroups") != NULL, "%s", sapa_last_error());
    options.struct_size--;
    CHECK(sapa_naf_load(device, &options, path, NULL, &other) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "struct_size") != NULL, "%s", sapa_last_error());
    CHECK_OK(sapa_ranges_close(ranges));
    CHECK_OK(sapa_module_close(module));
    free_all((test_tensor *[]) { &image, &features, &output, &expected, &query, &key }, 6);
    free(encoded);
    forget_parameters();
}

/* ---- AnyUp: what it computes of equal features is the features; its gradients are differences ---- */

enum { A = 8, KERNELS = 12 };

static void add_block(const char *encoder, int number, int64_t inputs)
{
    char name[64];
    static const char *norms[] = { "block.0", "block.3" }, *convolutions[] = { "block.2", "block.5" };
    for (int part = 0; part < 2; part++) {
        int64_t channels = part == 0 ? inputs : A;
        snprintf(name, sizeof name, "%s.%d.%s.weight", encoder, number, norms[part]);
        add_parameter(name, channels, 0);
        snprintf(name, sizeof name, "%s.%d.%s.bias", encoder, number, norms[part]);
        add_parameter(name, channels, 0);
        snprintf(name, sizeof name, "%s.%d.%s.weight", encoder, number, convolutions[part]);
        add_convolution(name, A, channels, 1);
    }
    if (inputs != A) {
        snprintf(name, sizeof name, "%s.%d.shortcut.weight", encoder, number);
        add_convolution(name, A, inputs, 1);
    }
}

static void add_encoder(const char *encoder, int64_t inputs, int64_t kernel, int64_t channels)
{
    char name[64];
    if (inputs > 0) {
        snprintf(name, sizeof name, "%s.0.weight", encoder);
        add_convolution(name, A, inputs, kernel);
    }
    add_block(encoder, 1, channels);
    add_block(encoder, 2, A);
}

static void test_anyup(const char *path)
{
    add_encoder("image_encoder", 3, 1, A);
    add_encoder("key_encoder", A, 1, A);
    add_encoder("query_encoder", A, 1, A);
    add_convolution("key_features_encoder.0.basis", KERNELS, 1, 3);
    add_encoder("key_features_encoder", 0, 0, KERNELS);
    add_encoder("aggregation", 2 * A, 3, A);
    add_convolution("cross_decode.conv2d.weight", A, A, 3);
    add_parameter("cross_decode.cross_attn.norm_q.weight", A, 0);
    add_parameter("cross_decode.cross_attn.norm_k.weight", A, 0);
    add_parameter("cross_decode.cross_attn.attention.in_proj_weight", 3 * A, A);
    add_parameter("cross_decode.cross_attn.attention.in_proj_bias", 3 * A, 0);
    add_parameter("cross_decode.cross_attn.attention.out_proj.weight", A, A);
    add_parameter("cross_decode.cross_attn.attention.out_proj.bias", A, 0);
    add_parameter("rope.freqs", 2, A);
    write_parameters(path, "up.", 0);
    sapa_anyup_options options = SAPA_ANYUP_OPTIONS_INIT;
    options.element_type = SAPA_F64;
    options.channels = A;
    options.heads = 2;
    options.feature_kernel = 3;
    options.feature_kernels = KERNELS;
    options.norm_groups = 4;
    sapa_module module = NULL;
    CHECK_OK(sapa_anyup_load(device, &options, path, "up.", &module));

    test_tensor image = make_tensor(SAPA_F64, NHWC, B, 3, IH, IW), features = make_tensor(SAPA_F64, NCHW, B, CX, H, W);
    test_tensor output = make_tensor(SAPA_F64, NCHW, B, CX, OH, OW);
    check_backward(module, &image, &features, CX, OH, OW, "AnyUp");
    for (int64_t i = 0; i < features.count; i++)
        write_element(&features, i, 0.75);
    CHECK_OK(sapa_module_forward(module, &image.tensor, &features.tensor, &output.tensor));
    for (int64_t i = 0; i < output.count; i++)
        output.values[i] = 0.75;
    check_tensor(&output, output.values, 1e-12, "AnyUp of equal features");
    sapa_module other;
    options.feature_kernel = 4;
    CHECK(sapa_anyup_load(device, &options, path, "up.", &other) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "FeatureKernel") != NULL, "%s", sapa_last_error());
    options.feature_kernel = 5;
    CHECK(sapa_anyup_load(device, &options, path, "up.", &other) == SAPA_FILE_ERROR
        && strstr(sapa_last_error(), "key_features_encoder.0.basis") != NULL, "%s", sapa_last_error());
    CHECK_OK(sapa_module_close(module));
    free_all((test_tensor *[]) { &image, &features, &output }, 3);
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
    test_naf(path);
    test_anyup(path);
    test_carafe(path);
    return report("modules");
}
