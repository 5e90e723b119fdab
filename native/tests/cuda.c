/*
 * Device memory and streams of the primary context, beside the CPU, and two threads with a stream each on one device; skipped
 * where there is no CUDA driver or device.
 */
#define _GNU_SOURCE
#include "test.h"

#include <dlfcn.h>
#include <pthread.h>

enum { CHANNELS = 8, SIZE = 6, CELLS = CHANNELS * SIZE * SIZE, POINTS = 4 * CELLS };

typedef int (*driver_function)();

static void *driver;

/* A function of the driver, whose arguments are numbers and pointers. */
#define DRIVER(name) ((driver_function)dlsym(driver, name))

static uint64_t to_device(const float *values, size_t count)
{
    uint64_t pointer = 0;
    CHECK(DRIVER("cuMemAlloc_v2")(&pointer, count * sizeof(float)) == 0, "no device memory");
    CHECK(DRIVER("cuMemcpyHtoD_v2")(pointer, values, count * sizeof(float)) == 0, "cannot copy to the device");
    return pointer;
}

static sapa_tensor on_device(sapa_tensor host)
{
    host.data = (void *)(uintptr_t)to_device(host.data, (size_t)(host.shape[0] * host.shape[1] * host.shape[2] * host.shape[3]));
    return host;
}

/* What a thread computes on a stream of a device, and where. */
typedef struct {
    sapa_device device;
    void *context, *stream;
    sapa_tensor q, k, o;
    float result[POINTS];
    int32_t status;
} work;

static void *compute(void *argument)
{
    enum { ROUNDS = 5 };
    work *own = argument;
    DRIVER("cuCtxSetCurrent")(own->context);
    for (int i = 0; i < ROUNDS && own->status == SAPA_OK; i++) {
        sapa_device on_stream = NULL;
        own->status = sapa_device_on_stream(own->device, own->stream, &on_stream);
        if (own->status == SAPA_OK)
            own->status = sapa_window_attention_forward(on_stream, &own->q, &own->k, &own->k, &own->o, NULL, NULL);
    }
    return NULL;
}

static void test_streams(void *context, sapa_tensor q, sapa_tensor k, const float *expected)
{
    enum { STREAMS = 2 };
    static work works[STREAMS];
    pthread_t threads[STREAMS];
    sapa_device device = NULL, on_stream = NULL, again = NULL, separate = NULL;
    sapa_device_options options = SAPA_DEVICE_OPTIONS_INIT;
    options.uses_primary_context = 1;
    CHECK_OK(sapa_device_open("cuda", &options, &device));
    for (int i = 0; i < STREAMS; i++) {
        sapa_tensor o = q;
        o.data = works[i].result;
        works[i] = (work) { device, context, NULL, on_device(q), on_device(k), on_device(o), { 0 }, SAPA_OK };
        CHECK(DRIVER("cuStreamCreate")(&works[i].stream, 1) == 0, "no stream");
        pthread_create(&threads[i], NULL, compute, &works[i]);
    }
    for (int i = 0; i < STREAMS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(works[i].status == SAPA_OK, "thread %d: %s", i, sapa_status_name(works[i].status));
        CHECK_OK(sapa_device_on_stream(device, works[i].stream, &on_stream));
        CHECK_OK(sapa_device_synchronize(on_stream));
        CHECK(DRIVER("cuMemcpyDtoH_v2")(works[i].result, works[i].o.data, sizeof works[i].result) == 0, "cannot copy back");
        CHECK(memcmp(works[i].result, expected, sizeof works[i].result) == 0, "stream %d has other bits", i);
        CHECK_OK(sapa_device_on_stream(device, works[i].stream, &again));
        CHECK(again == on_stream && on_stream != device, "another handle for the same stream");
    }
    CHECK_OK(sapa_device_close(on_stream));
    CHECK(DRIVER("cuStreamDestroy_v2")(works[1].stream) == 0, "the stream is gone");
    CHECK(sapa_device_on_stream(device, (void *)2, &again) == SAPA_INVALID_ARGUMENT && again == NULL, "%s", sapa_last_error());
    CHECK_OK(sapa_device_open("cuda", NULL, &separate));
    CHECK(sapa_device_on_stream(separate, works[0].stream, &again) == SAPA_INVALID_ARGUMENT
        && strstr(sapa_last_error(), "UsesPrimaryContext") != NULL, "%s", sapa_last_error());
    CHECK_OK(sapa_device_close(separate));
    CHECK_OK(sapa_device_on_stream(device, works[0].stream, &on_stream));
    CHECK_OK(sapa_device_close(device));
    CHECK(sapa_device_synchronize(on_stream) == SAPA_INVALID_HANDLE, "%s", sapa_last_error());
}

int main(void)
{
    static float query[POINTS], key[CELLS], grad[POINTS], outputs[2][POINTS], grad_queries[2][POINTS];
    static float normaliser[4 * SIZE * SIZE];
    int device_number = 0;
    void *context = NULL, *stream = NULL;
    driver = dlopen("libcuda.so.1", RTLD_NOW);
    if (driver == NULL || DRIVER("cuInit")(0) != 0 || DRIVER("cuDeviceGet")(&device_number, 0) != 0) {
        printf("cuda: skipped: no CUDA driver, or no device\n");
        return 0;
    }
    CHECK(DRIVER("cuDevicePrimaryCtxRetain")(&context, device_number) == 0, "no primary context");
    CHECK(DRIVER("cuCtxSetCurrent")(context) == 0, "cannot enter the primary context");
    CHECK(DRIVER("cuStreamCreate")(&stream, 1) == 0, "no stream");
    for (int i = 0; i < POINTS; i++) {
        query[i] = (float)random_number();
        grad[i] = (float)random_number();
        key[i / 4] = (float)random_number();
    }

    sapa_tensor q = sapa_nchw(SAPA_F32, query, 1, CHANNELS, 2 * SIZE, 2 * SIZE);
    sapa_tensor k = sapa_nchw(SAPA_F32, key, 1, CHANNELS, SIZE, SIZE);
    sapa_tensor g = q, o = q, dq = q, n = sapa_nchw(SAPA_F32, normaliser, 1, 1, 2 * SIZE, 2 * SIZE);
    g.data = grad;
    for (int i = 0; i < 2; i++) {
        sapa_device device = NULL;
        sapa_device_options options = SAPA_DEVICE_OPTIONS_INIT;
        options.uses_primary_context = 1;
        options.stream = i == 1 ? stream : NULL;
        o.data = outputs[i];
        dq.data = grad_queries[i];
        sapa_tensor operands[] = { q, k, n, g, o, dq };
        for (int j = 0; i == 1 && j < 6; j++)
            operands[j] = on_device(operands[j]);
        CHECK_OK(sapa_device_open(i == 0 ? "cpu" : "cuda", i == 0 ? NULL : &options, &device));
        CHECK_OK(sapa_window_attention_forward(
            device, &operands[0], &operands[1], &operands[1], &operands[4], &operands[2], NULL));
        CHECK_OK(sapa_window_attention_backward(device, &operands[0], &operands[1], &operands[1], &operands[2], &operands[3],
            &operands[5], NULL, NULL, NULL));
        CHECK_OK(sapa_device_synchronize(device));
        if (i == 1) {
            CHECK(DRIVER("cuMemcpyDtoH_v2")(outputs[1], operands[4].data, sizeof outputs[1]) == 0, "cannot copy back");
            CHECK(DRIVER("cuMemcpyDtoH_v2")(grad_queries[1], operands[5].data, sizeof outputs[1]) == 0, "cannot copy back");
        }
        CHECK_OK(sapa_device_close(device));
    }
    double worst = 0, largest = 0;
    for (int i = 0; i < POINTS; i++) {
        worst = fmax(worst, fmax(fabs(outputs[0][i] - outputs[1][i]), fabs(grad_queries[0][i] - grad_queries[1][i])));
        largest = fmax(largest, fabs(outputs[0][i]));
    }
    CHECK(worst < 2e-5 && largest > 0.1, "CUDA and the CPU differ by %g, the largest value is %g", worst, largest);
    test_streams(context, q, k, outputs[1]);
    return report("cuda");
}
