#include "runtime.h"

#include "platform.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

enum { LEAST_MAJOR = 10 };

/* The interface of hostfxr, which is stable: docs/design/features/native-hosting.md of dotnet/runtime. */
typedef void *host_handle;
typedef struct {
    size_t size;
    const path_char *host_path;
    const path_char *dotnet_root;
} initialise_parameters;
typedef int32_t(HOST_CALL *initialise_function)(const path_char *config, const initialise_parameters *, host_handle *);
typedef int32_t(HOST_CALL *get_delegate_function)(host_handle, int32_t kind, void **delegate);
typedef int32_t(HOST_CALL *close_function)(host_handle);
typedef void(HOST_CALL *error_writer)(const path_char *message);
typedef error_writer(HOST_CALL *set_error_writer_function)(error_writer);
typedef int32_t(DELEGATE_CALL *load_method_function)(
    const path_char *assembly, const path_char *type, const path_char *method, const path_char *delegate_type, void *reserved,
    void **function);
enum { LOAD_ASSEMBLY_AND_GET_FUNCTION_POINTER = 5 };
#define UNMANAGED_CALLERS_ONLY ((const path_char *)-1)

/* What the host wrote while it looked for the framework. Starting happens once, so one text is enough. */
static char host_messages[2048];

static void append(char *text, size_t capacity, const char *more)
{
    size_t length = strlen(text);
    snprintf(text + length, capacity - length, "%s", more);
}

static void HOST_CALL keep_host_message(const path_char *message)
{
    if (host_messages[0] != 0)
        append(host_messages, sizeof host_messages, " ");
    append_path(host_messages, sizeof host_messages, message);
}

typedef struct {
    int numbers[3];
    int is_release;
    path_char name[64];
} version;

typedef struct {
    path_char hostfxr[PATH_CAPACITY];
    path_char root[PATH_CAPACITY];
    int is_found;
    char looked_at[1024];
} installation;

/* Reads "10.0.1" or "10.0.0-preview.1"; returns whether it is a version. */
static int read_version(const path_char *name, version *read)
{
    size_t length = 0;
    int part = 0, digits = 0;
    memset(read, 0, sizeof *read);
    read->is_release = 1;
    for (const path_char *at = name; *at != 0; at++, length++) {
        if (length + 1 >= sizeof read->name / sizeof *read->name)
            return 0;
        read->name[length] = *at;
        if (!read->is_release)
            continue;
        if (*at >= '0' && *at <= '9' && digits < 8) {
            read->numbers[part] = read->numbers[part] * 10 + (*at - '0');
            digits++;
        } else if (*at == '.' && digits > 0 && part < 2) {
            part++;
            digits = 0;
        } else if (*at == '-' && digits > 0 && part == 2) {
            read->is_release = 0;
        } else {
            return 0;
        }
    }
    return part == 2 && digits > 0;
}

static int is_newer(const version *one, const version *other)
{
    for (int i = 0; i < 3; i++) {
        if (one->numbers[i] != other->numbers[i])
            return one->numbers[i] > other->numbers[i];
    }
    return one->is_release > other->is_release;
}

static void take_newest(const path_char *name, void *state)
{
    version *newest = state, read;
    if (read_version(name, &read) && is_newer(&read, newest))
        *newest = read;
}

/* Takes the hostfxr of a folder if there is one that can be used and no earlier folder had one. */
static void look_at(const path_char *root, void *state)
{
    installation *found = state;
    path_char host[PATH_CAPACITY], versions[PATH_CAPACITY], folder[PATH_CAPACITY];
    version newest = { 0 };
    if (found->is_found)
        return;
    append(found->looked_at, sizeof found->looked_at, found->looked_at[0] != 0 ? ", " : "");
    append_path(found->looked_at, sizeof found->looked_at, root);
    if (!join_path(host, root, TEXT_OF("host")) || !join_path(versions, host, TEXT_OF("fxr")))
        return;
    visit_folder(versions, take_newest, &newest);
    if (newest.numbers[0] < LEAST_MAJOR || !join_path(folder, versions, newest.name)
        || !join_path(found->hostfxr, folder, HOSTFXR_NAME) || !is_present(found->hostfxr))
        return;
    for (size_t i = 0; (found->root[i] = root[i]) != 0; i++) {
    }
    found->is_found = 1;
}

static void find_runtime(const path_char *folder, installation *found)
{
    path_char path[PATH_CAPACITY];
    if (join_path(path, folder, TEXT_OF("dotnet")) && is_present(path))
        look_at(path, found);
    else if (path_from_environment(TEXT_OF("DOTNET_ROOT"), path))
        look_at(path, found);
    else
        visit_installations(look_at, found);
}

static void explain(char *reason, size_t capacity, const char *what, int32_t code)
{
    snprintf(reason, capacity, "%s (0x%08x).", what, (unsigned)code);
    if (host_messages[0] != 0) {
        append(reason, capacity, " ");
        append(reason, capacity, host_messages);
    }
}

/* Starts the runtime and returns the function that loads methods. */
static load_method_function start(const installation *found, const path_char *config, char *reason, size_t capacity)
{
    void *library = load_library(found->hostfxr, reason, capacity);
    if (library == NULL)
        return NULL;
    initialise_function initialise = (initialise_function)library_symbol(library, "hostfxr_initialize_for_runtime_config");
    get_delegate_function get_delegate = (get_delegate_function)library_symbol(library, "hostfxr_get_runtime_delegate");
    close_function close_host = (close_function)library_symbol(library, "hostfxr_close");
    set_error_writer_function set_writer = (set_error_writer_function)library_symbol(library, "hostfxr_set_error_writer");
    if (initialise == NULL || get_delegate == NULL || close_host == NULL || set_writer == NULL) {
        snprintf(reason, capacity, "The .NET host lacks the functions that load components: ");
        append_path(reason, capacity, found->hostfxr);
        return NULL;
    }

    load_method_function load_method = NULL;
    host_handle host = NULL;
    initialise_parameters parameters = { sizeof parameters, found->hostfxr, found->root };
    error_writer before = set_writer(keep_host_message);
    int32_t code = initialise(config, &parameters, &host);
    /* 1 and 2: the process runs .NET already, as a .NET program or with another component; that one is used. */
    if (code < 0 || code > 2) {
        explain(reason, capacity, ".NET 10 cannot start: install it, or set DOTNET_ROOT to where it is", code);
    } else {
        code = get_delegate(host, LOAD_ASSEMBLY_AND_GET_FUNCTION_POINTER, (void **)&load_method);
        if (code != 0)
            explain(reason, capacity, ".NET cannot load components into this process", code);
    }
    if (host != NULL)
        close_host(host);
    set_writer(before);
    return load_method;
}

void *load_managed_method(char *reason, size_t capacity)
{
    path_char folder[PATH_CAPACITY], managed[PATH_CAPACITY], assembly[PATH_CAPACITY], config[PATH_CAPACITY];
    if (!own_folder(folder) || !join_path(managed, folder, TEXT_OF("sapagpu"))
        || !join_path(assembly, managed, TEXT_OF("SapaGpu.Native.dll"))
        || !join_path(config, managed, TEXT_OF("SapaGpu.Native.runtimeconfig.json"))) {
        snprintf(reason, capacity, "The folder of the library is unknown or too long.");
        return NULL;
    }
    if (!is_present(assembly) || !is_present(config)) {
        snprintf(reason, capacity, "The library is incomplete: install it with the folder 'sapagpu' beside it; missing ");
        append_path(reason, capacity, assembly);
        return NULL;
    }

    installation found = { .is_found = 0 };
    find_runtime(folder, &found);
    if (!found.is_found) {
        snprintf(reason, capacity, "No .NET 10 was found: install it, or set DOTNET_ROOT to where it is. Looked at: %s.",
            found.looked_at[0] != 0 ? found.looked_at : "nothing");
        return NULL;
    }
    load_method_function load_method = start(&found, config, reason, capacity);
    if (load_method == NULL)
        return NULL;

    void *method = NULL;
    int32_t code = load_method(assembly, TEXT_OF("SapaGpu.Native.ExportTable, SapaGpu.Native"), TEXT_OF("Fill"),
        UNMANAGED_CALLERS_ONLY, NULL, &method);
    if (code != 0 || method == NULL) {
        explain(reason, capacity, "The assemblies in the folder 'sapagpu' cannot be loaded; reinstall the library", code);
        return NULL;
    }
    return method;
}
