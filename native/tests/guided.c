/* Guided upsampling: labels follow an edge of the photo that lies inside a cell; types, methods, misuse. */
#include "test.h"

enum { SIZE = 32, CELLS = 8, EDGE = 14 };

static unsigned char photo[SIZE * SIZE * 3];

#define EXPECT(part, call) \
    do { \
        int32_t got_ = (call); \
        CHECK(got_ == SAPA_INVALID_ARGUMENT, "got %s: %s", sapa_status_name(got_), sapa_last_error()); \
        CHECK(strstr(sapa_last_error(), part) != NULL, "'%s' is not in: %s", part, sapa_last_error()); \
    } while (0)

static void test_labels(sapa_device device)
{
    unsigned short labels[CELLS * CELLS];
    int result[SIZE * SIZE];
    for (int i = 0; i < CELLS * CELLS; i++)
        labels[i] = i % CELLS * SIZE / CELLS < EDGE ? 7 : 40000;
    sapa_image guide = SAPA_IMAGE_INIT(SAPA_SAMPLES_U8, photo, SIZE, SIZE, 3);
    sapa_image map = SAPA_IMAGE_INIT(SAPA_SAMPLES_U16, labels, CELLS, CELLS, 1);
    sapa_image large = SAPA_IMAGE_INIT(SAPA_SAMPLES_I32, result, SIZE, SIZE, 1);
    sapa_guided_options options = SAPA_GUIDED_OPTIONS_INIT(SAPA_MAP_LABELS);
    int wrong = 0, wrong_nearest = 0;
    CHECK_OK(sapa_guided_upsample(device, &guide, &map, &large, &options));
    for (int i = 0; i < SIZE * SIZE; i++)
        wrong += result[i] != (i % SIZE < EDGE ? 7 : 40000);
    CHECK(wrong == 0, "%d pixels are of the wrong class", wrong);

    options.method = SAPA_UPSAMPLE_NEAREST;
    CHECK_OK(sapa_guided_upsample(device, &guide, &map, &large, &options));
    for (int i = 0; i < SIZE * SIZE; i++)
        wrong_nearest += result[i] != labels[i / SIZE * CELLS / SIZE * CELLS + i % SIZE * CELLS / SIZE];
    CHECK(wrong_nearest == 0, "%d pixels are not those of the nearest cell", wrong_nearest);
}

static void test_logits(void)
{
    float scores[CELLS * CELLS * 2], probabilities[SIZE * SIZE * 2];
    unsigned char classes[SIZE * SIZE];
    for (int i = 0; i < CELLS * CELLS; i++) {
        scores[2 * i] = i % CELLS * SIZE / CELLS < EDGE ? 4.0f : -4.0f;
        scores[2 * i + 1] = -scores[2 * i];
    }
    sapa_image guide = SAPA_IMAGE_INIT(SAPA_SAMPLES_U8, photo, SIZE, SIZE, 3);
    sapa_image map = SAPA_IMAGE_INIT(SAPA_SAMPLES_F32, scores, CELLS, CELLS, 2);
    sapa_image all = SAPA_IMAGE_INIT(SAPA_SAMPLES_F32, probabilities, SIZE, SIZE, 2);
    sapa_image decided = SAPA_IMAGE_INIT(SAPA_SAMPLES_U8, classes, SIZE, SIZE, 1);
    sapa_guided_options options = SAPA_GUIDED_OPTIONS_INIT(SAPA_MAP_LOGITS);
    CHECK_OK(sapa_guided_upsample(NULL, &guide, &map, &all, &options));
    CHECK_OK(sapa_guided_upsample(NULL, &guide, &map, &decided, &options));
    int wrong = 0;
    for (int i = 0; i < SIZE * SIZE; i++) {
        wrong += classes[i] != (i % SIZE >= EDGE) || (probabilities[2 * i] < 0.5f) != (i % SIZE >= EDGE);
        wrong += fabsf(probabilities[2 * i] + probabilities[2 * i + 1] - 1) > 1e-5f;
    }
    CHECK(wrong == 0, "%d classes or probabilities are wrong", wrong);
}

static void test_depth(void)
{
    float depth[CELLS * CELLS], result[SIZE * SIZE];
    double unknown = -1;
    for (int i = 0; i < CELLS * CELLS; i++)
        depth[i] = i == 9 ? -1.0f : 2.5f;
    sapa_image guide = SAPA_IMAGE_INIT(SAPA_SAMPLES_U8, photo, SIZE, SIZE, 3);
    sapa_image map = SAPA_IMAGE_INIT(SAPA_SAMPLES_F32, depth, CELLS, CELLS, 1);
    sapa_image large = SAPA_IMAGE_INIT(SAPA_SAMPLES_F32, result, SIZE, SIZE, 1);
    sapa_guided_options options = SAPA_GUIDED_OPTIONS_INIT(SAPA_MAP_DEPTH);
    options.unknown = &unknown;
    options.unknown_count = 1;
    CHECK_OK(sapa_guided_upsample(NULL, &guide, &map, &large, &options));
    int wrong = 0;
    for (int i = 0; i < SIZE * SIZE; i++)
        wrong += result[i] != -1 && fabsf(result[i] - 2.5f) > 1e-5f;
    CHECK(wrong == 0, "%d pixels mix a missing value in", wrong);
}

static void test_errors(void)
{
    float values[CELLS * CELLS * 2], result[SIZE * SIZE + 1];
    sapa_image guide = SAPA_IMAGE_INIT(SAPA_SAMPLES_U8, photo, SIZE, SIZE, 3);
    sapa_image map = SAPA_IMAGE_INIT(SAPA_SAMPLES_F32, values, CELLS, CELLS, 1);
    sapa_image large = SAPA_IMAGE_INIT(SAPA_SAMPLES_F32, result, SIZE, SIZE, 1), bad;
    sapa_guided_options options = SAPA_GUIDED_OPTIONS_INIT(SAPA_MAP_IMAGE);
    for (int i = 0; i < CELLS * CELLS * 2; i++)
        values[i] = 1;
    EXPECT("'photo' is null", sapa_guided_upsample(NULL, NULL, &map, &large, NULL));
    EXPECT("'result' is null", sapa_guided_upsample(NULL, &guide, &map, NULL, NULL));
    bad = map;
    bad.struct_size = 1;
    EXPECT("'map' has struct_size", sapa_guided_upsample(NULL, &guide, &bad, &large, NULL));
    bad = map;
    bad.data = NULL;
    EXPECT("'map.data' is null", sapa_guided_upsample(NULL, &guide, &bad, &large, NULL));
    bad = map;
    bad.width = -1;
    EXPECT("'map' has height 8, width -1", sapa_guided_upsample(NULL, &guide, &bad, &large, NULL));
    bad.width = bad.height = bad.channels = 1 << 20;
    EXPECT("less than 2^31", sapa_guided_upsample(NULL, &guide, &bad, &large, NULL));
    bad = map;
    bad.sample_type = 4;
    EXPECT("sample_type 4", sapa_guided_upsample(NULL, &guide, &bad, &large, NULL));
    bad = guide;
    bad.channels = 2;
    EXPECT("'photo' must be", sapa_guided_upsample(NULL, &bad, &map, &large, NULL));
    bad = large;
    bad.height = SIZE - 1;
    EXPECT("'result' must have the size", sapa_guided_upsample(NULL, &guide, &map, &bad, NULL));
    bad = large;
    bad.data = (char *)result + 1;
    EXPECT("not aligned", sapa_guided_upsample(NULL, &guide, &map, &bad, NULL));
    bad = map;
    bad.channels = 2;
    EXPECT("2 channels", sapa_guided_upsample(NULL, &guide, &bad, &large, NULL));
    options.kind = 6;
    EXPECT("Kind 6", sapa_guided_upsample(NULL, &guide, &map, &large, &options));
    options.kind = SAPA_MAP_IMAGE;
    options.unknown_count = 1;
    EXPECT("'unknown' is null", sapa_guided_upsample(NULL, &guide, &map, &large, &options));
    options.unknown_count = 0;
    options.refine = 2;
    EXPECT("'refine' must be 0 or 1", sapa_guided_upsample(NULL, &guide, &map, &large, &options));
    CHECK_OK(sapa_guided_upsample(NULL, &guide, &map, &large, NULL));
    CHECK(fabsf(result[0] - 1) < 1e-5f, "%g", result[0]);
}

int main(void)
{
    sapa_device device = NULL;
    for (int i = 0; i < SIZE * SIZE * 3; i++)
        photo[i] = i / 3 % SIZE < EDGE ? 40 : 220;
    CHECK_OK(sapa_device_open("cpu", NULL, &device));
    test_labels(device);
    test_logits();
    test_depth();
    test_errors();
    CHECK_OK(sapa_device_close(device));
    CHECK(sapa_guided_upsample(device, NULL, NULL, NULL, NULL) == SAPA_INVALID_HANDLE, "%s", sapa_last_error());
    return report("guided");
}
