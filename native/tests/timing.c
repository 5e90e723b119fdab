/* Prints what a start, a call that does nothing and a small forward take; fails only where something is broken. */
#include "test.h"

#include <time.h>

enum { CHANNELS = 8, SIZE = 4, OUTPUT = CHANNELS * 4 * SIZE * SIZE };

static float query[OUTPUT], key[CHANNELS * SIZE * SIZE], output[OUTPUT];

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double best_of(double best, double time) { return time < best ? time : best; }

int main(void)
{
    double start = now();
    sapa_device device = NULL;
    sapa_tensor q = sapa_nchw(SAPA_F32, query, 1, CHANNELS, 2 * SIZE, 2 * SIZE);
    sapa_tensor k = sapa_nchw(SAPA_F32, key, 1, CHANNELS, SIZE, SIZE), o = q;
    o.data = output;
    CHECK_OK(sapa_device_open("cpu", NULL, &device));
    double opened = now();
    CHECK_OK(sapa_window_attention_forward(device, &q, &k, &k, &o, NULL, NULL));
    double first = now() - start;

    double empty = 1e9, synchronise = 1e9, forward = 1e9;
    enum { ROUNDS = 20, CALLS = 20000 };
    for (int round = 0; round < ROUNDS; round++) {
        double before = now();
        for (int i = 0; i < CALLS; i++)
            sapa_version();
        empty = best_of(empty, (now() - before) / CALLS);
        before = now();
        for (int i = 0; i < CALLS; i++)
            sapa_device_synchronize(device);
        synchronise = best_of(synchronise, (now() - before) / CALLS);
        before = now();
        for (int i = 0; i < CALLS / 10; i++)
            sapa_window_attention_forward(device, &q, &k, &k, &o, NULL, NULL);
        forward = best_of(forward, (now() - before) / (CALLS / 10));
    }
    printf("first result %.0f ms after start (device open after %.0f ms), empty call %.0f ns, synchronise %.0f ns, "
           "forward of [1, 8, 4, 4] %.1f us\n",
        first / 1e6, (opened - start) / 1e6, empty, synchronise, forward / 1e3);
    CHECK(empty < 1000, "an empty call takes %.0f ns", empty);
    CHECK(forward < 1e6, "a small forward takes %.0f ns", forward);
    CHECK_OK(sapa_device_close(device));
    return report("timing");
}
