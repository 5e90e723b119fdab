/* Device memory and a stream of the primary context, beside the CPU; skipped where there is no CUDA driver or device. */
#define _GNU_SOURCE
#include "test.h"

#include <dlfcn.h>

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
    return report("cuda");
}
