/* Windows. */
#include "platform.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#if defined(_M_ARM64)
#define ARCHITECTURE L"arm64"
#else
#define ARCHITECTURE L"x64"
#endif

static BOOL CALLBACK run_once(PINIT_ONCE flag, PVOID function, PVOID *context)
{
    (void)flag;
    (void)context;
    (*(void (**)(void))function)();
    return TRUE;
}

void call_once_only(once_flag *flag, void (*function)(void)) { InitOnceExecuteOnce(flag, run_once, &function, NULL); }

/* There is no fork. */
void call_in_forked_children(void (*function)(void)) { (void)function; }

/* An address in this library. */
static const char anchor;

void stay_loaded(void)
{
    HMODULE module;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN, (LPCWSTR)&anchor, &module);
}

void *load_library(const path_char *path, char *reason, size_t capacity)
{
    HMODULE library = LoadLibraryW(path);
    if (library == NULL) {
        snprintf(reason, capacity, "error %lu of Windows while loading ", GetLastError());
        append_path(reason, capacity, path);
    }
    return (void *)library;
}

void *library_symbol(void *library, const char *name) { return (void *)GetProcAddress((HMODULE)library, name); }

int own_folder(path_char *folder)
{
    HMODULE module;
    DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    if (!GetModuleHandleExW(flags, (LPCWSTR)&anchor, &module))
        return 0;
    DWORD length = GetModuleFileNameW(module, folder, PATH_CAPACITY);
    wchar_t *end = length > 0 && length < PATH_CAPACITY ? wcsrchr(folder, L'\\') : NULL;
    if (end == NULL)
        return 0;
    *end = 0;
    return 1;
}

int path_from_environment(const path_char *name, path_char *value)
{
    DWORD length = GetEnvironmentVariableW(name, value, PATH_CAPACITY);
    return length > 0 && length < PATH_CAPACITY;
}

int join_path(path_char *path, const path_char *folder, const path_char *name)
{
    int length = swprintf(path, PATH_CAPACITY, L"%ls\\%ls", folder, name);
    return length > 0 && length < PATH_CAPACITY;
}

int is_present(const path_char *path) { return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES; }

void visit_folder(const path_char *folder, void (*visit)(const path_char *name, void *state), void *state)
{
    wchar_t pattern[PATH_CAPACITY];
    WIN32_FIND_DATAW entry;
    if (!join_path(pattern, folder, L"*"))
        return;
    HANDLE search = FindFirstFileW(pattern, &entry);
    if (search == INVALID_HANDLE_VALUE)
        return;
    do
        visit(entry.cFileName, state);
    while (FindNextFileW(search, &entry));
    FindClose(search);
}

void append_path(char *text, size_t capacity, const path_char *path)
{
    size_t length = strlen(text);
    int room = (int)(capacity - length);
    if (room > 1 && WideCharToMultiByte(CP_UTF8, 0, path, -1, text + length, room, NULL, NULL) == 0)
        text[length] = 0;
}

void visit_installations(void (*visit)(const path_char *folder, void *state), void *state)
{
    wchar_t folder[PATH_CAPACITY], programs[PATH_CAPACITY];
    DWORD size = sizeof folder;
    /* Installers register in the 32-bit view, whatever the architecture. */
    if (RegGetValueW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\dotnet\\Setup\\InstalledVersions\\" ARCHITECTURE, L"InstallLocation",
            RRF_RT_REG_SZ | RRF_SUBKEY_WOW6432KEY, NULL, folder, &size) == ERROR_SUCCESS)
        visit(folder, state);
    if (path_from_environment(L"ProgramFiles", programs) && join_path(folder, programs, L"dotnet"))
        visit(folder, state);
}
