/* What differs between the systems: text, libraries, folders, one-time calls. */
#ifndef SAPA_PLATFORM_H
#define SAPA_PLATFORM_H

#include <stddef.h>

#ifdef _MSC_VER
#define THREAD_LOCAL __declspec(thread)
#else
#define THREAD_LOCAL __thread
#endif

#ifdef _WIN32
#include <windows.h>
/* Paths and names as hostfxr takes them. */
typedef wchar_t path_char;
#define TEXT_OF(literal) L##literal
#define SEPARATOR L'\\'
#define HOSTFXR_NAME L"hostfxr.dll"
#define HOST_CALL __cdecl
#define DELEGATE_CALL __stdcall
typedef INIT_ONCE once_flag;
#define ONCE_INITIALISER INIT_ONCE_STATIC_INIT
#else
#include <pthread.h>
typedef char path_char;
#define TEXT_OF(literal) literal
#define SEPARATOR '/'
#ifdef __APPLE__
#define HOSTFXR_NAME "libhostfxr.dylib"
#else
#define HOSTFXR_NAME "libhostfxr.so"
#endif
#define HOST_CALL
#define DELEGATE_CALL
typedef pthread_once_t once_flag;
#define ONCE_INITIALISER PTHREAD_ONCE_INIT
#endif

enum { PATH_CAPACITY = 4096 };

/* Calls a function once, whatever thread comes first; the others wait for it. */
void call_once_only(once_flag *flag, void (*function)(void));

/* Has a function called in children that are forked from now on, where there is fork. */
void call_in_forked_children(void (*function)(void));

/* Keeps this library in the process, whoever unloads it: .NET cannot be unloaded, and refers to it. */
void stay_loaded(void);

/* Loads a library. On failure returns null and writes why. */
void *load_library(const path_char *path, char *reason, size_t capacity);

void *library_symbol(void *library, const char *name);

/* The folder that this library lies in, without a separator at the end. Returns whether it is known. */
int own_folder(path_char *folder);

/* An environment variable with a path; returns whether it is set and not empty. */
int path_from_environment(const path_char *name, path_char *value);

/* folder + separator + name; returns whether it fits. */
int join_path(path_char *path, const path_char *folder, const path_char *name);

int is_present(const path_char *path);

/* Calls a function with the name of everything in a folder. */
void visit_folder(const path_char *folder, void (*visit)(const path_char *name, void *state), void *state);

/* Appends a path to a text in UTF-8, cut to its capacity. */
void append_path(char *text, size_t capacity, const path_char *path);

/* Calls a function with each folder that installers of this system put .NET into. */
void visit_installations(void (*visit)(const path_char *folder, void *state), void *state);

#endif
