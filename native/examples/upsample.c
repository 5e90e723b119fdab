#include <sapagpu.h>
#include <stdio.h>

static float query[8 * 16 * 16], key[8 * 8 * 8], value[4 * 8 * 8] = { 1, 2, 3 }, output[4 * 16 * 16];

int main(void)
{
    sapa_device device;
    sapa_tensor q = sapa_nchw(SAPA_F32, query, 1, 8, 16, 16), k = sapa_nchw(SAPA_F32, key, 1, 8, 8, 8);
    sapa_tensor v = sapa_nchw(SAPA_F32, value, 1, 4, 8, 8), o = sapa_nchw(SAPA_F32, output, 1, 4, 16, 16);
    if (sapa_device_open("cpu", NULL, &device) || sapa_window_attention_forward(device, &q, &k, &v, &o, NULL, NULL)) {
        fprintf(stderr, "%s\n", sapa_last_error());
        return 1;
    }
    printf("output[0] = %g\n", output[0]);
    return sapa_device_close(device);
}
