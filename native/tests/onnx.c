/*
 * The operators in ONNX Runtime: files of modules with the operators registered, without them, and the modules themselves.
 * Arguments: the library of ONNX Runtime, this library, a folder, and the command that is "sapagpu". A fifth one where .NET cannot
 * be found: what the failure of a registration has to say. The files are those of an earlier run then.
 */
#include "checkpoint.h"

#include <dlfcn.h>
#include <onnxruntime_c_api.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { B = 2, CY = 5, CX = 8, D = 6, H = 4, W = 5, S = 2, OH = S * H, OW = S * W, K = 3, G = 2, P = 3, THREADS = 8, ROUNDS = 5 };

static const OrtApiBase *base;
static const OrtApi *ort;
static OrtEnv *environment;
static OrtMemoryInfo *memory;
static const char *library, *folder;

/* ---- Files ---- */

typedef struct {
    const char *name, *operator, *arguments;
    int32_t type;
    int has_guide;
    double tolerance;
    void (*add_parameters)(void);
    int32_t (*load)(sapa_device device, int32_t type, const char *path, sapa_module *module);
} model;

static void add_sapa(void)
{
    const char *norms[] = { "norm_y.weight", "norm_y.bias", "norm_x.weight", "norm_x.bias" };
    for (int i = 0; i < 4; i++)
        add_parameter(norms[i], i < 2 ? CY : CX, 0);
    add_parameter("q.weight", D, CY);
    add_parameter("q.bias", D, 0);
    add_parameter("k.weight", D, CX);
    add_parameter("k.bias", D, 0);
}

static int32_t load_sapa(sapa_device device, int32_t type, const char *path, sapa_module *module)
{
    sapa_upsampler_options options = SAPA_UPSAMPLER_OPTIONS_INIT(CY, CX);
    options.element_type = type;
    options.embedding_channels = D;
    options.window = K;
    options.border = SAPA_BORDER_MASKED;
    return sapa_upsampler_load(device, &options, path, NULL, module);
}

static void add_deformable(void)
{
    add_parameter("q.weight", G * D, CY);
    add_parameter("q.bias", G * D, 0);
    add_parameter("k.weight", G * D, CX);
    add_parameter("k.bias", G * D, 0);
    add_parameter("offset.weight", G * P * 2 * S * S, CX);
    add_parameter("offset.bias", G * P * 2 * S * S, 0);
}

static int32_t load_deformable(sapa_device device, int32_t type, const char *path, sapa_module *module)
{
    sapa_deformable_upsampler_options options = SAPA_DEFORMABLE_UPSAMPLER_OPTIONS_INIT(CY, CX);
    options.element_type = type;
    options.embedding_channels = D;
    options.groups = G;
    options.points = P;
    return sapa_deformable_upsampler_load(device, &options, path, NULL, module);
}

static void add_carafe(void)
{
    add_parameter("channel_compressor.weight", D, CX);
    add_parameter("channel_compressor.bias", D, 0);
    add_parameter("content_encoder.weight", K * K * S * S, D);
    add_parameter("content_encoder.bias", K * K * S * S, 0);
}

static int32_t load_carafe(sapa_device device, int32_t type, const char *path, sapa_module *module)
{
    sapa_carafe_options options = SAPA_CARAFE_OPTIONS_INIT(CX);
    options.element_type = type;
    options.compressed_channels = D;
    options.encoder_kernel = 1;
    options.window = K;
    return sapa_carafe_load(device, &options, path, NULL, module);
}

static const model models[] = {
    { "sapa-b", "WindowAttention", "--window 3 --border masked", SAPA_F32, 1, 2e-5, add_sapa, load_sapa },
    { "sapa-b", "WindowAttention", "--window 3 --border masked --dtype f16", SAPA_F16, 1, 1e-2, add_sapa, load_sapa },
    { "sapa-d", "DeformableAttention", "--groups 2 --points 3", SAPA_F32, 1, 2e-5, add_deformable, load_deformable },
    { "carafe", "WindowReassembly", "--window 3", SAPA_F32, 0, 2e-5, add_carafe, load_carafe },
};

enum { MODELS = sizeof models / sizeof *models };

static void path_of(char *path, size_t capacity, const model *of, const char *ending)
{
    snprintf(path, capacity, "%s/onnx-%d.%s", folder, (int)(of - models), ending);
}

static void export(const model *of, const char *tool)
{
    char checkpoint[2048], file[2048], command[8192];
    path_of(checkpoint, sizeof checkpoint, of, "safetensors");
    path_of(file, sizeof file, of, "onnx");
    of->add_parameters();
    write_parameters(checkpoint, "", of->load != load_sapa);
    forget_parameters();
    snprintf(command, sizeof command, "%s export -c '%s' -m %s -o '%s' %s >/dev/null", tool, checkpoint, of->name, file,
        of->arguments);
    CHECK(system(command) == 0, "%s", command);
}

/* ---- Sessions ---- */

/* Returns whether a call of ONNX Runtime failed with a text, or with a null text whether it succeeded. */
static int ends_with(OrtStatus *status, const char *text)
{
    int is_right = text == NULL ? status == NULL : status != NULL && strstr(ort->GetErrorMessage(status), text) != NULL;
    if (!is_right)
        printf("ONNX Runtime: %s\n", status == NULL ? "no error" : ort->GetErrorMessage(status));
    if (status != NULL)
        ort->ReleaseStatus(status);
    return is_right;
}

#define CHECK_ORT(call) CHECK(ends_with((call), NULL), "an error of ONNX Runtime")

static OrtSessionOptions *new_options(void)
{
    OrtSessionOptions *options = NULL;
    CHECK_ORT(ort->CreateSessionOptions(&options));
    CHECK_ORT(ort->SetIntraOpNumThreads(options, 1));
    return options;
}

/* Makes a session and releases its options. */
static OrtSession *new_session(const model *of, OrtSessionOptions *options)
{
    char path[4096];
    OrtSession *session = NULL;
    path_of(path, sizeof path, of, "onnx");
    CHECK_ORT(ort->CreateSession(environment, path, options, &session));
    ort->ReleaseSessionOptions(options);
    return session;
}

static OrtSession *new_registered_session(const model *of)
{
    OrtSessionOptions *options = new_options();
    CHECK_ORT(ort->RegisterCustomOpsLibrary_V2(options, library));
    return new_session(of, options);
}

static OrtValue *value_of(const test_tensor *t)
{
    OrtValue *value = NULL;
    CHECK_ORT(ort->CreateTensorWithDataAsOrtValue(memory, t->tensor.data, (size_t)t->count * element_size(t->tensor.element_type),
        t->tensor.shape, 4,
        t->tensor.element_type == SAPA_F16 ? ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &value));
    return value;
}

/* Runs a file; operands and output are NCHW without gaps. */
static void run(const model *of, OrtSession *session, const test_tensor *encoder, const test_tensor *decoder, test_tensor *output)
{
    const char *inputs[] = { "encoder", "decoder" }, *carafe_inputs[] = { "features" }, *outputs[] = { "output" };
    OrtValue *values[] = { value_of(of->has_guide ? encoder : decoder), of->has_guide ? value_of(decoder) : NULL };
    OrtValue *result = value_of(output);
    CHECK_ORT(ort->Run(session, NULL, of->has_guide ? inputs : carafe_inputs, (const OrtValue *const *)values,
        of->has_guide ? 2 : 1, outputs, 1, &result));
    ort->ReleaseValue(values[0]);
    if (of->has_guide)
        ort->ReleaseValue(values[1]);
    ort->ReleaseValue(result);
}

/* Makes operands, the same ones every time. */
static void make_operands(const model *of, test_tensor *encoder, test_tensor *decoder)
{
    *encoder = make_tensor(of->type, NCHW, B, CY, OH, OW);
    *decoder = make_tensor(of->type, NCHW, B, CX, H, W);
}

static double *doubles_of(const test_tensor *t)
{
    double *values = malloc((size_t)t->count * sizeof *values);
    for (int64_t i = 0; i < t->count; i++)
        values[i] = read_element(t, i);
    return values;
}

/* ---- Values ---- */

/* Returns whether the profile of a session, which this ends, names an operator. */
static int has_run(OrtSession *session, const char *operator)
{
    OrtAllocator *allocator = NULL;
    char *path = NULL, name[128];
    CHECK_ORT(ort->GetAllocatorWithDefaultOptions(&allocator));
    CHECK_ORT(ort->SessionEndProfiling(session, allocator, &path));
    FILE *file = fopen(path, "rb");
    char *text = calloc(1 << 20, 1);
    CHECK(file != NULL && fread(text, 1, (1 << 20) - 1, file) > 0, "no profile %s", path);
    snprintf(name, sizeof name, "\"op_name\" : \"%s\"", operator);
    int is_named = strstr(text, name) != NULL;
    CHECK(strstr(text, "\"op_name\" : \"Conv\"") != NULL, "the profile has another form");
    fclose(file);
    free(text);
    CHECK_ORT(ort->AllocatorFree(allocator, path));
    return is_named;
}

static void test_values(const model *of, sapa_device device)
{
    char checkpoint[4096], profile[4096];
    sapa_module module = NULL;
    path_of(checkpoint, sizeof checkpoint, of, "safetensors");
    path_of(profile, sizeof profile, of, "profile");
    CHECK_OK(of->load(device, of->type, checkpoint, &module));
    test_tensor encoder, decoder, outputs[3];
    make_operands(of, &encoder, &decoder);
    for (int i = 0; i < 3; i++)
        outputs[i] = make_tensor(of->type, NCHW, B, CX, OH, OW);
    CHECK_OK(sapa_module_forward(module, of->has_guide ? &encoder.tensor : NULL, &decoder.tensor, &outputs[2].tensor));
    double *expected = doubles_of(&outputs[2]);
    for (int registers = 0; registers < 2; registers++) {
        OrtSessionOptions *options = new_options();
        CHECK_ORT(ort->EnableProfiling(options, profile));
        if (registers)
            CHECK_ORT(ort->RegisterCustomOpsLibrary_V2(options, library));
        OrtSession *session = new_session(of, options);
        run(of, session, &encoder, &decoder, &outputs[registers]);
        check_tensor(&outputs[registers], expected, of->tolerance, registers ? "in the kernels" : "in standard operators");
        CHECK(has_run(session, of->operator) == registers, "%s, registered: %d", of->operator, registers);
        ort->ReleaseSession(session);
    }
    CHECK_OK(sapa_module_close(module));
    free(expected);
    free_tensor(&encoder);
    free_tensor(&decoder);
    for (int i = 0; i < 3; i++)
        free_tensor(&outputs[i]);
}

/* ---- Time ---- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* The shortest of many runs in microseconds, on maps of a size; sessions have all threads here, as the operators do. */
static double shortest_run(const model *of, int64_t height, int64_t width, int registers)
{
    OrtSessionOptions *options = new_options();
    CHECK_ORT(ort->SetIntraOpNumThreads(options, 0));
    if (registers)
        CHECK_ORT(ort->RegisterCustomOpsLibrary_V2(options, library));
    OrtSession *session = new_session(of, options);
    test_tensor encoder = make_tensor(of->type, NCHW, 1, CY, S * height, S * width);
    test_tensor decoder = make_tensor(of->type, NCHW, 1, CX, height, width);
    test_tensor output = make_tensor(of->type, NCHW, 1, CX, S * height, S * width);
    double best = INFINITY;
    /* The first runs compile; then a tenth of a second. */
    for (int i = 0; i < ROUNDS; i++)
        run(of, session, &encoder, &decoder, &output);
    for (double end = now() + 1e5; now() < end;) {
        double start = now();
        run(of, session, &encoder, &decoder, &output);
        best = fmin(best, now() - start);
    }
    ort->ReleaseSession(session);
    free_tensor(&encoder);
    free_tensor(&decoder);
    free_tensor(&output);
    return best;
}

static void print_times(const model *of)
{
    enum { LARGER = 64 };
    printf("%s %s: [1, %d, %d, %d] %.0f us in the kernels, %.0f us in standard operators; ", of->name,
        of->type == SAPA_F16 ? "f16" : "f32", CX, H, W, shortest_run(of, H, W, 1), shortest_run(of, H, W, 0));
    printf("[1, %d, %d, %d] %.0f and %.0f us\n", CX, LARGER, LARGER, shortest_run(of, LARGER, LARGER, 1),
        shortest_run(of, LARGER, LARGER, 0));
}

/* ---- Ways to register ---- */

static void *to_unload;

static OrtStatus *register_first(OrtSessionOptions *options)
{
    return ort->RegisterCustomOpsLibrary(options, library, &to_unload);
}

static OrtStatus *register_by_path(OrtSessionOptions *options) { return ort->RegisterCustomOpsLibrary_V2(options, library); }

static OrtStatus *register_by_name(OrtSessionOptions *options)
{
    return ort->RegisterCustomOpsUsingFunction(options, "RegisterCustomOps");
}

static OrtStatus *register_directly(OrtSessionOptions *options)
{
    /* The type that ONNX Runtime gives the function. */
    RegisterCustomOpsFn function = RegisterCustomOps;
    return function(options, base);
}

static OrtStatus *(*const ways[])(OrtSessionOptions *) = { register_first, register_by_path, register_by_name, register_directly };

static void test_ways(void)
{
    test_tensor encoder, decoder, output = make_tensor(SAPA_F32, NCHW, B, CX, OH, OW);
    double *expected = NULL;
    make_operands(models, &encoder, &decoder);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
            OrtSessionOptions *options = new_options();
            CHECK_ORT(ways[way](options));
            OrtSession *session = new_session(models, options);
            if (to_unload != NULL)
                CHECK(dlclose(to_unload) == 0, "%s", dlerror());
            to_unload = NULL;
            run(models, session, &encoder, &decoder, &output);
            if (expected == NULL)
                expected = doubles_of(&output);
            check_tensor(&output, expected, 0, "a way to register");
            ort->ReleaseSession(session);
        }
    }
    free(expected);
    free_tensor(&encoder);
    free_tensor(&decoder);
    free_tensor(&output);
}

/* ---- Threads ---- */

static pthread_barrier_t barrier;
static OrtSession *shared_session;
static test_tensor shared_encoder, shared_decoder, results[THREADS];

/* Whoever registers first starts .NET. */
static void *register_and_run(void *argument)
{
    int number = (int)(intptr_t)argument;
    pthread_barrier_wait(&barrier);
    OrtSession *own = new_registered_session(models);
    if (number == 0)
        shared_session = new_registered_session(models);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < ROUNDS; i++)
        run(models, i % 2 ? own : shared_session, &shared_encoder, &shared_decoder, &results[number]);
    ort->ReleaseSession(own);
    return NULL;
}

static void test_threads(void)
{
    pthread_t threads[THREADS];
    make_operands(models, &shared_encoder, &shared_decoder);
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        results[i] = make_tensor(SAPA_F32, NCHW, B, CX, OH, OW);
        pthread_create(&threads[i], NULL, register_and_run, (void *)(intptr_t)i);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    double *expected = doubles_of(&results[0]);
    for (int i = 0; i < THREADS; i++) {
        check_tensor(&results[i], expected, 0, "another thread");
        free_tensor(&results[i]);
    }
    free(expected);
    ort->ReleaseSession(shared_session);
    free_tensor(&shared_encoder);
    free_tensor(&shared_decoder);
}

/* ---- Failures ---- */

/* A library of 1.16, which has not what the operators need. */
static const OrtApi *older_table(uint32_t version) { return version <= 16 ? base->GetApi(version) : NULL; }

static const char *older_version(void) { return "1.16.3"; }

static void test_failures(void)
{
    const OrtApiBase older = { older_table, older_version };
    char path[4096];
    path_of(path, sizeof path, models, "onnx");
    OrtSessionOptions *options = new_options();
    OrtSession *session = NULL;
    CHECK(ends_with(RegisterCustomOps(options, &older), "ONNX Runtime 1.17 or later is needed; this is 1.16.3"), "too old");
    CHECK(strstr(sapa_last_error(), "1.16.3") != NULL, "%s", sapa_last_error());
    CHECK(ends_with(RegisterCustomOps(NULL, base), "'options' is null"), "no options");
    CHECK_ORT(ort->RegisterCustomOpsLibrary_V2(options, library));
    CHECK_ORT(ort->RegisterCustomOpsLibrary_V2(options, library));
    CHECK(ends_with(ort->CreateSession(environment, path, options, &session), "already set"), "registered twice");
    pid_t child = fork();
    if (child == 0)
        _exit(ends_with(RegisterCustomOps(options, base), "forked") ? 42 : 1);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42, "a child that was forked after the first call was not told so");
    ort->ReleaseSessionOptions(options);
}

/* Without .NET the text says so, and the file runs without the operators. */
static void test_missing(const char *text)
{
    OrtSessionOptions *options = new_options();
    CHECK(ends_with(ort->RegisterCustomOpsLibrary_V2(options, library), text), "without .NET");
    OrtSession *session = new_session(models, options);
    test_tensor encoder, decoder, output = make_tensor(SAPA_F32, NCHW, B, CX, OH, OW);
    make_operands(models, &encoder, &decoder);
    run(models, session, &encoder, &decoder, &output);
    ort->ReleaseSession(session);
    free_tensor(&encoder);
    free_tensor(&decoder);
    free_tensor(&output);
}

int main(int count, char **arguments)
{
    if (count < 5)
        return 2;
    void *handle = dlopen(arguments[1], RTLD_NOW | RTLD_GLOBAL);
    if (handle == NULL) {
        printf("%s\n", dlerror());
        return 1;
    }
    library = arguments[2];
    folder = arguments[3];
    /* A pointer to an object as one to a function, which POSIX has and C has not. */
    const OrtApiBase *(*get_base)(void);
    *(void **)&get_base = dlsym(handle, "OrtGetApiBase");
    base = get_base();
    ort = base->GetApi(ORT_API_VERSION);
    int is_missing = count > 5;
    for (int i = 0; i < MODELS && !is_missing; i++)
        export(&models[i], arguments[4]);
    CHECK_ORT(ort->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "tests", &environment));
    CHECK_ORT(ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
    if (is_missing) {
        test_missing(arguments[5]);
    } else {
        sapa_device device = NULL;
        test_threads();
        CHECK_OK(sapa_device_open("cpu", NULL, &device));
        for (int i = 0; i < MODELS; i++)
            test_values(&models[i], device);
        for (int i = 0; i < MODELS; i++)
            print_times(&models[i]);
        CHECK_OK(sapa_device_close(device));
        test_ways();
        test_failures();
    }
    ort->ReleaseMemoryInfo(memory);
    ort->ReleaseEnv(environment);
    return report("onnx");
}
