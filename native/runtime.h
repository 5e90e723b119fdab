/* Finds and starts .NET. */
#ifndef SAPA_RUNTIME_H
#define SAPA_RUNTIME_H

#include <stddef.h>

/*
 * Starts .NET, unless the process runs it already, and loads a static method of SapaGpu.Native that is marked with
 * UnmanagedCallersOnly. Returns null and writes why, with what to do, if that cannot be done.
 */
void *load_managed_method(char *reason, size_t capacity);

#endif
