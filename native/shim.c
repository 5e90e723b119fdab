/* The exports of the library: they start .NET at the first call and go through a table that it fills. */
#define SAPA_BUILD
#include "sapagpu.h"

#include "functions.h"
#include "onnxruntime.h"
#include "platform.h"
#include "runtime.h"

#include <stdio.h>
#include <string.h>

#define MEMBER(name, parameters, arguments) int32_t (*name) parameters;
#define NAME(name, parameters, arguments) #name,

static struct {
    SAPA_FUNCTIONS(MEMBER)
    const char *(*version)(void);
    int32_t (*register_operators)(struct OrtSessionOptions *, const struct OrtApiBase *);
} table;

static const char *const names[] = { SAPA_FUNCTIONS(NAME) "version", "register_operators" };

enum { FUNCTIONS = sizeof names / sizeof *names };

/* What the managed side writes texts of errors with, and fills the table by name. Returns null, or the name that it lacks. */
typedef const char *(*fill_function)(
    int32_t abi_version, const char *const *names, void **functions, int32_t count, void (*set_error)(const char *));

static once_flag once = ONCE_INITIALISER;
static int32_t start_status = SAPA_RUNTIME_MISSING;
static char start_error[4096];
static volatile int is_forked;
static THREAD_LOCAL char last_error[4096];

static void set_last_error(const char *text)
{
    size_t length = strlen(text);
    if (length >= sizeof last_error) {
        length = sizeof last_error - 1;
        /* Not within a character. */
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
    }
    memcpy(last_error, text, length);
    last_error[length] = 0;
}

static void note_fork(void) { is_forked = 1; }

static void start(void)
{
    stay_loaded();
    call_in_forked_children(note_fork);
    fill_function fill = (fill_function)load_managed_method(start_error, sizeof start_error);
    if (fill == NULL)
        return;
    const char *missing = fill(SAPA_ABI_VERSION, names, (void **)&table, FUNCTIONS, set_last_error);
    if (missing == NULL)
        start_status = SAPA_OK;
    else
        snprintf(start_error, sizeof start_error,
            "The library and the assemblies in the folder 'sapagpu' are of different versions: '%s' differs; reinstall both.",
            missing);
}

static int32_t ready(void)
{
    if (is_forked) {
        set_last_error("The process was forked after the first call, and .NET does not survive that. Fork before the first "
                       "call, or start the child with exec.");
        return SAPA_FORKED;
    }
    call_once_only(&once, start);
    if (start_status != SAPA_OK)
        set_last_error(start_error);
    return start_status;
}

#define EXPORT(name, parameters, arguments) \
    SAPA_API int32_t sapa_##name parameters \
    { \
        int32_t status = ready(); \
        return status == SAPA_OK ? table.name arguments : status; \
    }

SAPA_FUNCTIONS(EXPORT)

SAPA_API const char *sapa_version(void) { return ready() == SAPA_OK ? table.version() : NULL; }

SAPA_API struct OrtStatus *RegisterCustomOps(struct OrtSessionOptions *options, const struct OrtApiBase *api)
{
    int32_t status = ready();
    if (status == SAPA_OK)
        status = table.register_operators(options, api);
    return status == SAPA_OK ? NULL : api->functions_of(ORT_FIRST_VERSION)->create_status(ORT_FAILED, last_error);
}

SAPA_API int32_t sapa_abi_version(void) { return SAPA_ABI_VERSION; }

SAPA_API const char *sapa_last_error(void) { return last_error; }

SAPA_API const char *sapa_status_name(int32_t status)
{
#define STATUS(name) \
    case name: \
        return #name;
    switch (status) {
        STATUS(SAPA_OK)
        STATUS(SAPA_INVALID_ARGUMENT)
        STATUS(SAPA_NOT_SUPPORTED)
        STATUS(SAPA_DEVICE_UNAVAILABLE)
        STATUS(SAPA_OUT_OF_MEMORY)
        STATUS(SAPA_INVALID_HANDLE)
        STATUS(SAPA_CLOSED)
        STATUS(SAPA_FILE_ERROR)
        STATUS(SAPA_RUNTIME_MISSING)
        STATUS(SAPA_FORKED)
        STATUS(SAPA_INTERNAL_ERROR)
    }
    return "unknown";
}
