/*
 * Random calls: operands that fit, then some of their fields replaced. Whatever a descriptor says of memory that is there, a call
 * computes or is refused with a text, and the process lives.
 */
#include "checkpoint.h"

enum { ARENA = 1 << 20, TENSORS = 9, CALLS = 20000 };

static double arena[ARENA];
static uint64_t state;
static char path[4096];

static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 16) % below;
}

static int64_t odd_number(void)
{
    static const int64_t numbers[] = { 0, -1, 1, 2, 3, 7, 64, -64, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, INT64_MAX / 2 };
    return numbers[draw(sizeof numbers / sizeof *numbers)];
}

/* A stride that is refused, or that stays within the arena for the shapes that are drawn. */
static int64_t odd_stride(void)
{
    static const int64_t strides[] = { 0, -1, 1, 2, 5, 100, -100, INT64_MAX, INT64_MIN };
    return strides[draw(sizeof strides / sizeof *strides)];
}

static sapa_tensor tensor(int32_t type, int64_t b, int64_t c, int64_t h, int64_t w, int place)
{
    double *data = arena + (size_t)place * (ARENA / (TENSORS + 1));
    return draw(2) ? sapa_nchw(type, data, b, c, h, w) : sapa_nhwc(type, data, b, c, h, w);
}

static void change(sapa_tensor *t)
{
    switch (draw(6)) {
    case 0: t->struct_size = (uint32_t)odd_number(); break;
    case 1: t->element_type = (int32_t)draw(7) - 1; break;
    case 2: t->data = draw(2) || !t->data ? NULL : (char *)t->data + draw(9); break;
    case 3: t->shape[draw(4)] = (int64_t)draw(9) - 1; break;
    case 4: t->strides[draw(4)] = odd_stride(); break;
    default: t->data = arena + draw(4) * 8; break;
    }
}

/* NAF without blocks, the smallest module with an image. */
static sapa_naf_options naf_options(int32_t type)
{
    sapa_naf_options options = SAPA_NAF_OPTIONS_INIT;
    options.element_type = type;
    options.channels = 4;
    options.heads = options.rotary_heads = options.norm_groups = 1;
    options.window = 3;
    options.blocks = 0;
    return options;
}

static void write_naf(void)
{
    add_convolution("image_encoder.encoder.0.weight", 2, 3, 1);
    add_parameter("image_encoder.encoder.0.bias", 2, 0);
    add_convolution("image_encoder.sem_encoder.0.weight", 2, 3, 3);
    add_parameter("image_encoder.sem_encoder.0.bias", 2, 0);
    add_parameter("image_encoder.rope.periods", 1, 0);
    write_parameters(path, "", 0);
    forget_parameters();
}

static int32_t load(sapa_device device, int32_t type)
{
    sapa_naf_options options = naf_options(type);
    int32_t *fields[] = { &options.element_type, &options.channels, &options.heads, &options.rotary_heads, &options.window,
        &options.norm_groups };
    if (draw(2)) *fields[draw(6)] = (int32_t)odd_number();
    if (draw(16) == 0) options.struct_size = (uint32_t)odd_number();
    if (draw(8) == 0) options.epsilon = options.rotary_base = NAN;
    sapa_module loaded;
    int32_t status = sapa_naf_load(device, draw(16) ? &options : NULL, draw(16) ? path : NULL, draw(16) ? NULL : "a.", &loaded);
    if (status == SAPA_OK) CHECK_OK(sapa_module_close(loaded));
    return status;
}

static int32_t call(sapa_device device, sapa_device on_stream, sapa_ranges ranges, const sapa_module *modules)
{
    static const int32_t types[] = { SAPA_F32, SAPA_F64, SAPA_F16, SAPA_BF16 };
    int32_t type = types[draw(4)], real = type == SAPA_F64 ? SAPA_F64 : SAPA_F32;
    int64_t d = 1 + (int64_t)draw(4), c = 1 + (int64_t)draw(4), h = 3, w = 4, s = 2;
    sapa_window_options options = SAPA_WINDOW_OPTIONS_INIT;
    sapa_cross_options cross = SAPA_CROSS_OPTIONS_INIT;
    sapa_tensor q = tensor(type, 1, d, s * h, s * w, 0), k = tensor(type, 1, d, h, w, 1), v = tensor(type, 1, c, h, w, 2);
    sapa_tensor o = tensor(type, 1, c, s * h, s * w, 3), n = tensor(real, 1, 1, s * h, s * w, 4);
    sapa_tensor gq = tensor(type, 1, d, s * h, s * w, 5), gk = tensor(type, 1, d, h, w, 6), gv = tensor(type, 1, c, h, w, 7);
    sapa_tensor scores = tensor(type, 1, 9, s * h, s * w, 8), statistics = tensor(real, 1, 2, s * h, s * w, 8);
    sapa_tensor image = tensor(type, 1, 3, s * h + 1, s * w - 1, 8), gi = tensor(type, 1, 3, s * h + 1, s * w - 1, 5);
    sapa_tensor *all[] = { &q, &k, &v, &o, &n, &gq, &gk, &gv, &scores, &statistics, &image, &gi };
    /* The numbers of the types begin at 0. */
    sapa_module module = modules[draw(8) ? type : (int32_t)draw(4)];
    options.window = 3;
    if (draw(3)) {
        for (uint64_t i = 1 + draw(2); i > 0; i--) change(all[draw(12)]);
        if (draw(4) == 0) {
            int32_t *fields[] = { &options.window, &options.border, &options.normalisation, &options.heads, &options.head_value,
                &cross.heads, &cross.averages_heads, &cross.normalisation };
            *fields[draw(8)] = (int32_t)odd_number();
        }
        if (draw(16) == 0) cross.score_scale = draw(2) ? NAN : INFINITY;
        if (draw(16) == 0) device = (sapa_device)(intptr_t)odd_number();
        if (draw(16) == 0) on_stream = (sapa_device)(intptr_t)odd_number();
        if (draw(16) == 0) module = (sapa_module)(intptr_t)odd_number();
        if (draw(16) == 0) ranges = (sapa_ranges)(intptr_t)odd_number();
    }
    switch (draw(14)) {
    case 0: return sapa_window_attention_forward(draw(2) ? device : on_stream, &q, &k, &v, &o, draw(2) ? &n : NULL, &options);
    case 1: return sapa_window_attention_backward(device, &q, &k, &v, &n, &o, &gq, draw(2) ? &gk : NULL, &gv, &options);
    case 2: return sapa_window_similarity_forward(device, &q, &k, &scores, &options);
    case 3: return sapa_window_reassembly_backward(device, &scores, &v, &o, NULL, &gv, &options);
    case 4: return sapa_window_weights_forward(
        device, &scores, (int32_t)draw(5), (int32_t)draw(5), &n, &options, (int32_t)draw(3));
    case 5: return sapa_interpolate_forward(device, &v, &o, (int32_t)draw(3), (int32_t)draw(3));
    case 6: return sapa_interpolate_backward(device, &o, &gv, (int32_t)draw(3), (int32_t)draw(3));
    case 7: return sapa_cross_attention_forward(device, &q, &k, &v, NULL, ranges, &o, draw(2) ? &statistics : NULL, &cross);
    case 8: return sapa_module_forward(module, draw(8) ? &image : NULL, &v, &o);
    case 9: return sapa_module_backward(module, &image, &v, &o, draw(3) ? &gi : NULL, draw(3) ? &gv : NULL);
    case 10: return load(device, type);
    case 11: return sapa_module_forward_on(module, draw(3) ? on_stream : NULL, &image, &v, &o);
    case 12: {
        sapa_device found = NULL;
        int32_t status = sapa_device_on_stream(draw(2) ? device : on_stream, (void *)(intptr_t)(draw(2) ? 0 : odd_number()), &found);
        CHECK((found != NULL) == (status == SAPA_OK), "%s", sapa_last_error());
        return status;
    }
    default: return sapa_cross_attention_backward(
        device, &q, &k, &v, NULL, ranges, &statistics, &o, &gq, &gk, draw(2) ? &gv : NULL, NULL, &cross);
    }
}

int main(int count, char **arguments)
{
    uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
    int done = 0;
    sapa_device device, on_stream;
    sapa_ranges ranges;
    sapa_module modules[4];
    snprintf(path, sizeof path, "%s/fuzz.safetensors", count > 1 ? arguments[1] : ".");
    write_naf();
    state = 88172645463325252u + seed;
    CHECK_OK(sapa_device_open("cpu", NULL, &device));
    CHECK_OK(sapa_device_on_stream(device, NULL, &on_stream));
    CHECK_OK(sapa_ranges_create_window(3, 4, 6, 8, 3, 3, SAPA_BORDER_MASKED, &ranges));
    for (int32_t type = 0; type < 4; type++) {
        sapa_naf_options options = naf_options(type);
        CHECK_OK(sapa_naf_load(device, &options, path, NULL, &modules[type]));
    }
    for (int i = 0; i < CALLS; i++) {
        int32_t status = call(device, on_stream, ranges, modules);
        CHECK(status >= SAPA_OK && status <= SAPA_INTERNAL_ERROR, "call %d of seed %llu", i, (unsigned long long)seed);
        CHECK(status != SAPA_INTERNAL_ERROR, "call %d of seed %llu: %s", i, (unsigned long long)seed, sapa_last_error());
        CHECK(status == SAPA_OK || *sapa_last_error(), "call %d of seed %llu", i, (unsigned long long)seed);
        done += status == SAPA_OK;
    }
    CHECK(done > CALLS / 8 && done < CALLS * 7 / 8, "%d of %d calls were done", done, CALLS);
    for (int32_t type = 0; type < 4; type++)
        CHECK_OK(sapa_module_close(modules[type]));
    CHECK_OK(sapa_ranges_close(ranges));
    CHECK_OK(sapa_device_close(device));
    return failures > 0;
}
