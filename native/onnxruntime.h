/*
 * The beginning of ONNX Runtime's tables, as onnxruntime_c_api.h lays them out: what a registration that failed is reported with,
 * whether .NET has started or not. Both have begun like this since the first version, and later ones only add at the end. The
 * functions that the operators use are in src/SapaGpu.Onnx/Runtime/OrtApi.cs.
 */
#ifndef SAPA_ONNXRUNTIME_H
#define SAPA_ONNXRUNTIME_H

#include <stdint.h>

typedef struct {
    /* CreateStatus, index 0; an OrtStatus belongs to whoever receives it. */
    struct OrtStatus *(*create_status)(int32_t code, const char *message);
} ort_functions;

struct OrtApiBase {
    /* GetApi, index 0; null for a version that the library does not have. */
    const ort_functions *(*functions_of)(uint32_t version);
};

enum { ORT_FIRST_VERSION = 1, ORT_FAILED = 1 };

#endif
