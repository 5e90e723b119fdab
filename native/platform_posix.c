/* Linux and macOS. */
#define _GNU_SOURCE
#include "platform.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__aarch64__) || defined(__arm64__)
#define ARCHITECTURE "arm64"
#else
#define ARCHITECTURE "x64"
#endif

void call_once_only(once_flag *flag, void (*function)(void)) { pthread_once(flag, function); }

void call_in_forked_children(void (*function)(void)) { pthread_atfork(NULL, NULL, function); }

/* An address in this library. */
static const char anchor;

void stay_loaded(void)
{
    Dl_info info;
    if (dladdr(&anchor, &info) != 0)
        dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

void *load_library(const path_char *path, char *reason, size_t capacity)
{
    void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (library == NULL)
        snprintf(reason, capacity, "%s", dlerror());
    return library;
}

void *library_symbol(void *library, const char *name) { return dlsym(library, name); }

int own_folder(path_char *folder)
{
    Dl_info info;
    char resolved[PATH_MAX];
    /* Through links, so that a link to the library in another folder finds what lies beside the file. */
    if (dladdr(&anchor, &info) == 0 || realpath(info.dli_fname, resolved) == NULL)
        return 0;
    char *end = strrchr(resolved, '/');
    if (end == NULL || end - resolved >= PATH_CAPACITY)
        return 0;
    memcpy(folder, resolved, (size_t)(end - resolved));
    folder[end - resolved] = 0;
    return 1;
}

int path_from_environment(const path_char *name, path_char *value)
{
    const char *found = getenv(name);
    if (found == NULL || *found == 0 || strlen(found) >= PATH_CAPACITY)
        return 0;
    strcpy(value, found);
    return 1;
}

int join_path(path_char *path, const path_char *folder, const path_char *name)
{
    int length = snprintf(path, PATH_CAPACITY, "%s/%s", folder, name);
    return length > 0 && length < PATH_CAPACITY;
}

int is_present(const path_char *path) { return access(path, F_OK) == 0; }

void visit_folder(const path_char *folder, void (*visit)(const path_char *name, void *state), void *state)
{
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        visit(entry->d_name, state);
    closedir(directory);
}

void append_path(char *text, size_t capacity, const path_char *path)
{
    size_t length = strlen(text);
    snprintf(text + length, capacity - length, "%s", path);
}

/* A file that an installer wrote, whose first line is the folder. */
static void visit_location(const char *file, void (*visit)(const path_char *folder, void *state), void *state)
{
    char folder[PATH_CAPACITY];
    FILE *stream = fopen(file, "r");
    if (stream == NULL)
        return;
    if (fgets(folder, sizeof folder, stream) != NULL) {
        folder[strcspn(folder, "\r\n")] = 0;
        if (*folder != 0)
            visit(folder, state);
    }
    fclose(stream);
}

void visit_installations(void (*visit)(const path_char *folder, void *state), void *state)
{
    visit_location("/etc/dotnet/install_location_" ARCHITECTURE, visit, state);
    visit_location("/etc/dotnet/install_location", visit, state);
#ifdef __APPLE__
    visit("/usr/local/share/dotnet/" ARCHITECTURE, state);
    visit("/usr/local/share/dotnet", state);
#else
    visit("/usr/share/dotnet", state);
    visit("/usr/lib/dotnet", state);
    visit("/usr/lib64/dotnet", state);
#endif
    /* Where dotnet-install puts it. */
    char home[PATH_CAPACITY], folder[PATH_CAPACITY];
    if (path_from_environment("HOME", home) && join_path(folder, home, ".dotnet"))
        visit(folder, state);
}
