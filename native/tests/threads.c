/* Eight threads whose first call is the first of the process: one start, the same results, an error text for each. */
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { THREADS = 8, ROUNDS = 200, CHANNELS = 8, SIZE = 8, OUTPUT = CHANNELS * 4 * SIZE * SIZE };

static float query[OUTPUT], key[CHANNELS * SIZE * SIZE], outputs[THREADS][OUTPUT];
static pthread_barrier_t barrier;
static sapa_device shared_device;
static int errors[THREADS];
static atomic_int calls;

static int run(sapa_device device, float *output)
{
    sapa_tensor q = sapa_nchw(SAPA_F32, query, 1, CHANNELS, 2 * SIZE, 2 * SIZE);
    sapa_tensor k = sapa_nchw(SAPA_F32, key, 1, CHANNELS, SIZE, SIZE), o = q;
    o.data = output;
    return sapa_window_attention_forward(device, &q, &k, &k, &o, NULL, NULL);
}

static void *work(void *argument)
{
    int number = (int)(intptr_t)argument;
    char name[32];
    sapa_device own = NULL;
    pthread_barrier_wait(&barrier);
    errors[number] += sapa_device_open("cpu", NULL, &own) != SAPA_OK;
    if (number == 0)
        errors[number] += sapa_device_open("cpu", NULL, &shared_device) != SAPA_OK;
    pthread_barrier_wait(&barrier);
    snprintf(name, sizeof name, "device-of-thread-%d", number);
    sapa_device none;
    errors[number] += sapa_device_open(name, NULL, &none) != SAPA_INVALID_ARGUMENT;
    for (int i = 0; i < ROUNDS; i++)
        errors[number] += run(i % 2 ? own : shared_device, outputs[number]) != SAPA_OK;
    errors[number] += strstr(sapa_last_error(), name) == NULL;
    errors[number] += sapa_device_close(own) != SAPA_OK;
    return NULL;
}

static void *work_until_closed(void *argument)
{
    int number = (int)(intptr_t)argument, status;
    while ((status = run(shared_device, outputs[number])) == SAPA_OK)
        atomic_fetch_add(&calls, 1);
    errors[number] += status != SAPA_CLOSED && status != SAPA_INVALID_HANDLE;
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < OUTPUT; i++)
        query[i] = key[i / 4] = (float)random_number();
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        CHECK(errors[i] == 0, "thread %d had %d errors", i, errors[i]);
        CHECK(memcmp(outputs[i], outputs[0], sizeof outputs[0]) == 0, "thread %d has other bits", i);
    }
    CHECK(outputs[0][0] != 0, "nothing was written");

    /* Closing a device under the calls of others: each call succeeds or says that it is closed. */
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work_until_closed, (void *)(intptr_t)i);
    while (atomic_load(&calls) < 10 * THREADS)
        sched_yield();
    CHECK_OK(sapa_device_close(shared_device));
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(errors[i] == 0, "thread %d: a call to a device that was closed returned something else", i);
    }
    CHECK(run(shared_device, outputs[0]) == SAPA_INVALID_HANDLE, "%s", sapa_last_error());
    return report("threads");
}
