/* Every misuse has its status and a text that says what is wrong. */
#include "test.h"

static sapa_device device;

#define EXPECT(status, part, call) \
    do { \
        int32_t got_ = (call); \
        CHECK(got_ == (status), "got %s: %s", sapa_status_name(got_), sapa_last_error()); \
        CHECK(strstr(sapa_last_error(), part) != NULL, "'%s' is not in: %s", part, sapa_last_error()); \
    } while (0)

static float query[4 * 8 * 8], key[4 * 4 * 4], value[2 * 4 * 4], output[2 * 8 * 8];

int main(void)
{
    CHECK(sapa_last_error()[0] == 0, "text before any error: %s", sapa_last_error());
    CHECK(sapa_abi_version() == SAPA_ABI_VERSION, "version %d", (int)sapa_abi_version());
    CHECK(strcmp(sapa_status_name(SAPA_FORKED), "SAPA_FORKED") == 0, "%s", sapa_status_name(SAPA_FORKED));

    /* Devices. */
    sapa_device none = (sapa_device)1;
    sapa_device_options device_options = SAPA_DEVICE_OPTIONS_INIT;
    EXPECT(SAPA_INVALID_ARGUMENT, "'device' is null", sapa_device_open("cpu", NULL, NULL));
    EXPECT(SAPA_INVALID_ARGUMENT, "toaster", sapa_device_open("toaster", NULL, &none));
    CHECK(none == NULL, "the handle is not null after an error");
    EXPECT(SAPA_DEVICE_UNAVAILABLE, "cpu:3", sapa_device_open("cpu:3", NULL, &none));
    device_options.threads = -1;
    EXPECT(SAPA_INVALID_ARGUMENT, "Threads", sapa_device_open("cpu", &device_options, &none));
    device_options.threads = 1;
    device_options.struct_size = 8;
    EXPECT(SAPA_INVALID_ARGUMENT, "struct_size 8", sapa_device_open("cpu", &device_options, &none));
    device_options.struct_size = sizeof device_options;
    device_options.reserved = 1;
    EXPECT(SAPA_INVALID_ARGUMENT, "reserved", sapa_device_open("cpu", &device_options, &none));
    device_options.reserved = 0;
    device_options.uses_primary_context = 7;
    EXPECT(SAPA_INVALID_ARGUMENT, "uses_primary_context", sapa_device_open("cpu", &device_options, &none));
    device_options.uses_primary_context = 0;
    device_options.workspace_bytes = 1 << 20;
    CHECK_OK(sapa_device_open("cpu", &device_options, &device));

    char whole[512], cut[8];
    size_t length = 0;
    CHECK_OK(sapa_device_info(device, whole, sizeof whole, &length));
    CHECK(strncmp(whole, "cpu: ", 5) == 0 && strlen(whole) == length, "%s", whole);
    CHECK_OK(sapa_device_info(device, cut, sizeof cut, NULL));
    CHECK(strlen(cut) == 7 && strncmp(cut, whole, 7) == 0, "%s", cut);
    CHECK_OK(sapa_device_info(device, NULL, 0, &length));
    EXPECT(SAPA_INVALID_ARGUMENT, "'buffer' is null", sapa_device_info(device, NULL, 5, &length));

    /* Handles. */
    sapa_tensor q = sapa_nchw(SAPA_F32, query, 1, 4, 8, 8), k = sapa_nchw(SAPA_F32, key, 1, 4, 4, 4);
    sapa_tensor v = sapa_nchw(SAPA_F32, value, 1, 2, 4, 4), o = sapa_nchw(SAPA_F32, output, 1, 2, 8, 8);
    sapa_device other = NULL;
    CHECK_OK(sapa_device_open("cpu", NULL, &other));
    CHECK_OK(sapa_device_close(other));
    EXPECT(SAPA_INVALID_HANDLE, "was closed", sapa_device_close(other));
    EXPECT(SAPA_INVALID_HANDLE, "was closed", sapa_device_synchronize(other));
    EXPECT(SAPA_INVALID_HANDLE, "'device' is null", sapa_device_synchronize(NULL));
    EXPECT(SAPA_INVALID_HANDLE, "0x7fff1234", sapa_window_attention_forward((sapa_device)0x7fff1234, &q, &k, &v, &o, NULL, NULL));
    CHECK_OK(sapa_device_synchronize(device));

    /* Streams, of which the processor has the default one. */
    sapa_device on_stream = (sapa_device)1, same = NULL;
    EXPECT(SAPA_INVALID_ARGUMENT, "'on_stream' is null", sapa_device_on_stream(device, NULL, NULL));
    EXPECT(SAPA_NOT_SUPPORTED, "only CUDA", sapa_device_on_stream(device, (void *)4096, &on_stream));
    CHECK(on_stream == NULL, "the handle is not null after an error");
    EXPECT(SAPA_INVALID_HANDLE, "'device' is null", sapa_device_on_stream(NULL, NULL, &on_stream));
    EXPECT(SAPA_INVALID_HANDLE, "was closed", sapa_device_on_stream(other, NULL, &on_stream));
    CHECK_OK(sapa_device_on_stream(device, NULL, &on_stream));
    CHECK_OK(sapa_device_on_stream(on_stream, NULL, &same));
    CHECK(on_stream != NULL && on_stream == same && on_stream != device, "%p, then %p, of %p", (void *)on_stream, (void *)same, (void *)device);
    CHECK_OK(sapa_window_attention_forward(on_stream, &q, &k, &v, &o, NULL, NULL));
    CHECK_OK(sapa_device_close(on_stream));
    EXPECT(SAPA_INVALID_HANDLE, "was closed", sapa_device_synchronize(on_stream));
    CHECK_OK(sapa_device_synchronize(device));
    CHECK_OK(sapa_device_on_stream(device, NULL, &same));
    CHECK(same != on_stream, "a handle was used again");
    CHECK_OK(sapa_device_open("cpu", NULL, &other));
    CHECK_OK(sapa_device_on_stream(other, NULL, &on_stream));
    CHECK_OK(sapa_device_close(other));
    EXPECT(SAPA_INVALID_HANDLE, "was closed", sapa_device_close(on_stream));

    /* Tensors. */
    EXPECT(SAPA_INVALID_ARGUMENT, "'query' is null", sapa_window_attention_forward(device, NULL, &k, &v, &o, NULL, NULL));
    EXPECT(SAPA_INVALID_ARGUMENT, "'key' is null", sapa_window_attention_forward(device, &q, NULL, &v, &o, NULL, NULL));
    EXPECT(SAPA_INVALID_ARGUMENT, "'output' is null", sapa_window_attention_forward(device, &q, &k, &v, NULL, NULL, NULL));
    EXPECT(SAPA_INVALID_ARGUMENT, "'normaliser' is null",
        sapa_window_attention_backward(device, &q, &k, &v, NULL, &o, NULL, NULL, NULL, NULL));
    sapa_tensor bad = k;
    bad.struct_size = sizeof bad - 8;
    EXPECT(SAPA_INVALID_ARGUMENT, "'key' has struct_size", sapa_window_attention_forward(device, &q, &bad, &v, &o, NULL, NULL));
    bad = k;
    bad.element_type = 9;
    EXPECT(SAPA_INVALID_ARGUMENT, "element_type 9", sapa_window_attention_forward(device, &q, &bad, &v, &o, NULL, NULL));
    bad.element_type = SAPA_F64;
    EXPECT(SAPA_INVALID_ARGUMENT, "'key' has element type f64",
        sapa_window_attention_forward(device, &q, &bad, &v, &o, NULL, NULL));
    bad = k;
    bad.data = NULL;
    EXPECT(SAPA_INVALID_ARGUMENT, "'key': The pointer", sapa_window_attention_forward(device, &q, &bad, &v, &o, NULL, NULL));
    bad.data = (char *)key + 2;
    EXPECT(SAPA_INVALID_ARGUMENT, "not aligned", sapa_window_attention_forward(device, &q, &bad, &v, &o, NULL, NULL));
    bad = k;
    bad.shape[2] = 0;
    EXPECT(SAPA_INVALID_ARGUMENT, "[1, 4, 0, 4]", sapa_window_attention_forward(device, &q, &bad, &v, &o, NULL, NULL));
    bad.shape[2] = INT64_C(1) << 40;
    EXPECT(SAPA_INVALID_ARGUMENT, "1099511627776", sapa_window_attention_forward(device, &q, &bad, &v, &o, NULL, NULL));
    bad = k;
    bad.strides[3] = 2;
    EXPECT(SAPA_INVALID_ARGUMENT, "copy the data", sapa_window_attention_forward(device, &q, &bad, &v, &o, NULL, NULL));
    bad = k;
    bad.strides[2] = 3;
    EXPECT(SAPA_INVALID_ARGUMENT, "'key':", sapa_window_attention_forward(device, &q, &bad, &v, &o, NULL, NULL));
    bad = k;
    bad.shape[1] = 3;
    EXPECT(SAPA_INVALID_ARGUMENT, "key", sapa_window_attention_forward(device, &q, &bad, &v, &o, NULL, NULL));
    bad = sapa_nchw(SAPA_F32, output, 1, 2, 8, 7);
    EXPECT(SAPA_INVALID_ARGUMENT, "output", sapa_window_attention_forward(device, &q, &k, &v, &bad, NULL, NULL));
    bad = sapa_nchw(SAPA_F32, value, 1, 2, 4, 4);
    EXPECT(SAPA_INVALID_ARGUMENT, "memory", sapa_interpolate_forward(device, &v, &bad, SAPA_BILINEAR, 0));
    bad = sapa_nchw(SAPA_F64, output, 1, 1, 8, 8);
    EXPECT(SAPA_INVALID_ARGUMENT, "normaliser", sapa_window_attention_forward(device, &q, &k, &v, &o, &bad, NULL));

    /* Options. */
    sapa_window_options options = SAPA_WINDOW_OPTIONS_INIT;
    options.struct_size = 0;
    EXPECT(SAPA_INVALID_ARGUMENT, "struct_size 0", sapa_window_attention_forward(device, &q, &k, &v, &o, NULL, &options));
    options.struct_size = sizeof options;
    options.border = 4;
    EXPECT(SAPA_INVALID_ARGUMENT, "BorderRule", sapa_window_attention_forward(device, &q, &k, &v, &o, NULL, &options));
    options.border = SAPA_BORDER_MASKED;
    options.normalisation = -1;
    EXPECT(SAPA_INVALID_ARGUMENT, "ScoreNormalisation", sapa_window_attention_forward(device, &q, &k, &v, &o, NULL, &options));
    options.normalisation = SAPA_NORMALISATION_NONE;
    options.head_value = 2;
    EXPECT(SAPA_INVALID_ARGUMENT, "HeadValue", sapa_window_attention_forward(device, &q, &k, &v, &o, NULL, &options));
    options.head_value = SAPA_HEADS_SPLIT_VALUE;
    options.heads = 3;
    EXPECT(SAPA_INVALID_ARGUMENT, "heads", sapa_window_attention_forward(device, &q, &k, &v, &o, NULL, &options));
    options.heads = 1;
    options.window = 4;
    EXPECT(SAPA_NOT_SUPPORTED, "window", sapa_window_attention_forward(device, &q, &k, &v, &o, NULL, &options));
    EXPECT(SAPA_INVALID_ARGUMENT, "InterpolationMode", sapa_interpolate_forward(device, &v, &o, 2, 0));
    EXPECT(SAPA_INVALID_ARGUMENT, "align_corners", sapa_interpolate_forward(device, &v, &o, SAPA_BILINEAR, 2));

    CHECK_OK(sapa_device_close(device));
    EXPECT(SAPA_INVALID_HANDLE, "was closed", sapa_window_attention_forward(device, &q, &k, &v, &o, NULL, NULL));
    return report("errors");
}
