/*
 * SapaGpu in C: window-attention upsampling, forward and backward, on the CPU, OpenCL and CUDA.
 *
 * Status     Every function that can fail returns a status, SAPA_OK or one of the values below. The text of what went wrong
 *            is sapa_last_error() of the same thread; it names the operands and says what to change.
 * Runtime    The library hosts .NET, 10 or newer, in the process: the first call starts it, once, whatever thread makes it, and
 *            it stays until the process ends. .NET is looked for in a folder "dotnet" beside the library, which wins; else in
 *            DOTNET_ROOT, if that is set; else where installers put it. Without it every call returns SAPA_RUNTIME_MISSING.
 * Threads    Every function may be called from any thread at any time. Calls on one device are queued in order.
 * fork       A child that was forked after the first call cannot use .NET: its calls return SAPA_FORKED. Fork before the
 *            first call, or start the child with exec.
 * Ownership  Tensors are descriptions of memory that the caller owns; a call neither copies nor keeps nor frees it. On "cpu"
 *            a call returns when its work is done. On "cuda" and "opencl" it queues the work: the memory has to stay in place
 *            until sapa_device_synchronize. Handles belong to the caller, who closes them.
 * Structs    Every struct begins with its size, which the library checks: set struct_size to sizeof, or begin with the
 *            initialiser of the struct.
 * Versions   What the library and this header agree on has a number, SAPA_ABI_VERSION. Within a number functions and values
 *            are only added.
 */
#ifndef SAPAGPU_H
#define SAPAGPU_H

#include <stddef.h>
#include <stdint.h>

#if defined(SAPA_BUILD) && defined(_WIN32)
#define SAPA_API __declspec(dllexport)
#elif defined(SAPA_BUILD)
#define SAPA_API __attribute__((visibility("default")))
#elif defined(_WIN32)
#define SAPA_API __declspec(dllimport)
#else
#define SAPA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define SAPA_ABI_VERSION 1

/* ---- Statuses ---- */

enum {
    SAPA_OK = 0,
    SAPA_INVALID_ARGUMENT = 1,    /* a null operand, a wrong shape, stride, size or value */
    SAPA_NOT_SUPPORTED = 2,       /* the device or the library cannot do this */
    SAPA_DEVICE_UNAVAILABLE = 3,  /* there is no such device on this machine */
    SAPA_OUT_OF_MEMORY = 4,       /* the device does not have enough memory */
    SAPA_INVALID_HANDLE = 5,      /* a handle that is not open, or of something else */
    SAPA_CLOSED = 6,              /* another thread closed the device or the module, or the device of the module is closed */
    SAPA_FILE_ERROR = 7,          /* a file cannot be read, is damaged, or does not fit */
    SAPA_RUNTIME_MISSING = 8,     /* .NET or the library's own files were not found, or cannot start */
    SAPA_FORKED = 9,              /* the process was forked after the first call */
    SAPA_INTERNAL_ERROR = 10      /* an error of the library or of a driver */
};

/* ---- About the library ---- */

/* The SAPA_ABI_VERSION that the library was built with. Does not start .NET. */
SAPA_API int32_t sapa_abi_version(void);

/* The version of the library, such as "0.1.0"; null if .NET cannot start. Valid until the process ends. */
SAPA_API const char *sapa_version(void);

/*
 * What went wrong in the last call of this thread that failed, in UTF-8; empty if none has. Valid until the next call of
 * this thread that fails. Does not start .NET.
 */
SAPA_API const char *sapa_last_error(void);

/* The name of a status, such as "SAPA_INVALID_ARGUMENT". Does not start .NET. */
SAPA_API const char *sapa_status_name(int32_t status);

/* ---- Devices ---- */

/* An open device: a number that is never used again, so that a handle which was closed is recognised. Null is none. */
typedef struct sapa_device_handle *sapa_device;

typedef struct {
    uint32_t struct_size;          /* sizeof(sapa_device_options) */
    int32_t threads;               /* of the CPU; 0: one per processor */
    int64_t workspace_bytes;       /* what a backward may take beside its operands; 0: 256 MiB */
    void *stream;                  /* cuda: the CUstream that calls go to, with the primary context; null: the default stream */
    int32_t uses_primary_context;  /* cuda: 1 to work in the context of the other frameworks of the process, else 0 */
    int32_t reserved;              /* 0 */
} sapa_device_options;

#define SAPA_DEVICE_OPTIONS_INIT { sizeof(sapa_device_options), 0, 0, NULL, 0, 0 }

/*
 * Opens a device: "cpu", "opencl", "opencl:1", "cuda", "cuda:1", or null for the best one of the machine.
 * options  null for the defaults.
 * device   receives the handle; null after an error.
 */
SAPA_API int32_t sapa_device_open(const char *id, const sapa_device_options *options, sapa_device *device);

/* Waits for running calls and closes the device. Its modules cannot be used afterwards and are still to be closed. */
SAPA_API int32_t sapa_device_close(sapa_device device);

/* Waits until all queued calls have finished, and reports their errors. */
SAPA_API int32_t sapa_device_synchronize(sapa_device device);

/*
 * Writes identifier, name and properties of a device as text in UTF-8 that ends with 0, cut to the capacity.
 * buffer    may be null if capacity is 0.
 * length    receives the length of the whole text, without the 0; may be null.
 */
SAPA_API int32_t sapa_device_info(sapa_device device, char *buffer, size_t capacity, size_t *length);

/* ---- Tensors ---- */

enum {
    SAPA_F32 = 0,
    SAPA_F64 = 1,
    SAPA_F16 = 2,  /* IEEE half precision, computed in single precision */
    SAPA_BF16 = 3  /* bfloat16, computed in single precision */
};

/*
 * A feature map [B, C, H, W] in memory of the caller.
 * data     on "cpu" a host pointer, on "cuda" a device pointer of the device's context, on "opencl" a cl_mem of it. Aligned
 *          to an element.
 * shape    B, C, H, W, each at least 1.
 * strides  of B, C, H, W in elements. Either columns have stride 1 and rows, channels and images larger ones (NCHW), or
 *          channels have stride 1 and columns, rows and images larger ones (NHWC); gaps are allowed, overlaps are not. The
 *          stride of a dimension of size 1 is ignored. Anything else is refused: copy such data first.
 */
typedef struct {
    uint32_t struct_size;  /* sizeof(sapa_tensor) */
    int32_t element_type;  /* SAPA_F32, ... */
    void *data;
    int64_t shape[4];
    int64_t strides[4];
} sapa_tensor;

/* A tensor without gaps in the order B, C, H, W. */
static inline sapa_tensor sapa_nchw(int32_t element_type, const void *data, int64_t b, int64_t c, int64_t h, int64_t w)
{
    sapa_tensor tensor = { sizeof(sapa_tensor), element_type, (void *)data, { b, c, h, w }, { c * h * w, h * w, w, 1 } };
    return tensor;
}

/* A tensor without gaps in the order B, H, W, C. */
static inline sapa_tensor sapa_nhwc(int32_t element_type, const void *data, int64_t b, int64_t c, int64_t h, int64_t w)
{
    sapa_tensor tensor = { sizeof(sapa_tensor), element_type, (void *)data, { b, c, h, w }, { h * w * c, 1, w * c, c } };
    return tensor;
}

/*
 * In all operators: the tensors of a call have one element type, except where another is named. What is written shares no
 * memory with another tensor of the call. Gradients may be null where they are not wanted; all others must be given.
 */

/* ---- Window attention ---- */

enum {
    SAPA_BORDER_ZERO_LOGIT = 0,  /* taps outside have score 0 and value 0 and take part in the normalisation */
    SAPA_BORDER_MASKED = 1,      /* taps outside are left out */
    SAPA_BORDER_REPLICATE = 2,   /* taps outside are those of the nearest cell inside */
    SAPA_BORDER_SHIFTED = 3      /* the window is shifted to lie inside the map */
};

enum {
    SAPA_NORMALISATION_SOFTMAX = 0,
    SAPA_NORMALISATION_SIGMOID = 1,  /* sigmoid of every score, divided by their sum */
    SAPA_NORMALISATION_NONE = 2      /* the scores are the weights */
};

enum {
    SAPA_HEADS_SPLIT_VALUE = 0,  /* every head reassembles its own channels of the value */
    SAPA_HEADS_SHARE_VALUE = 1   /* every head reassembles the whole value: the output has heads * C channels */
};

typedef struct {
    uint32_t struct_size;   /* sizeof(sapa_window_options) */
    int32_t window;         /* K, odd, from 1 to 15 */
    int32_t border;         /* SAPA_BORDER_ZERO_LOGIT, ... */
    int32_t normalisation;  /* SAPA_NORMALISATION_SOFTMAX, ... */
    int32_t heads;          /* at least 1; D is the channels of all heads together */
    int32_t head_value;     /* SAPA_HEADS_SPLIT_VALUE, ... */
} sapa_window_options;

/* The options of the SAPA paper, which a null pointer stands for as well. */
#define SAPA_WINDOW_OPTIONS_INIT \
    { sizeof(sapa_window_options), 5, SAPA_BORDER_ZERO_LOGIT, SAPA_NORMALISATION_SOFTMAX, 1, SAPA_HEADS_SPLIT_VALUE }

/*
 * Upsamples a value, guided by the similarity of query and key: output point (y, x) is the mean of the value over the K*K
 * window around cell (y * H / OH, x * W / OW), rounded down. Its weights are the normalised inner products of query and
 * keys, which are not divided by sqrt(D). OH and OW may be any sizes up to 16 times H and W.
 *
 * query       [B, D, OH, OW]
 * key         [B, D, H, W]
 * value       [B, C, H, W]
 * output      [B, C, OH, OW], or [B, heads * C, OH, OW] if the heads share the value; written
 * normaliser  [B, heads, OH, OW], SAPA_F64 if the others are, otherwise SAPA_F32; written. What the backward needs of the
 *             forward; null if there is none.
 * options     null for the defaults
 */
SAPA_API int32_t sapa_window_attention_forward(
    sapa_device device, const sapa_tensor *query, const sapa_tensor *key, const sapa_tensor *value,
    const sapa_tensor *output, const sapa_tensor *normaliser, const sapa_window_options *options);

/* The gradients of query, key and value from that of the output and the normaliser that the forward wrote. */
SAPA_API int32_t sapa_window_attention_backward(
    sapa_device device, const sapa_tensor *query, const sapa_tensor *key, const sapa_tensor *value,
    const sapa_tensor *normaliser, const sapa_tensor *grad_output,
    const sapa_tensor *grad_query, const sapa_tensor *grad_key, const sapa_tensor *grad_value,
    const sapa_window_options *options);

/* ---- Its steps: scores, weights, reassembly ---- */

/* The scores of every window: query [B, D, OH, OW], key [B, D, H, W], scores [B, heads * K * K, OH, OW], written. */
SAPA_API int32_t sapa_window_similarity_forward(
    sapa_device device, const sapa_tensor *query, const sapa_tensor *key, const sapa_tensor *scores,
    const sapa_window_options *options);

SAPA_API int32_t sapa_window_similarity_backward(
    sapa_device device, const sapa_tensor *query, const sapa_tensor *key, const sapa_tensor *grad_scores,
    const sapa_tensor *grad_query, const sapa_tensor *grad_key, const sapa_window_options *options);

/*
 * The weights of every window from its scores, both [B, heads * K * K, OH, OW].
 * key_height, key_width  H and W of the map, which determine the taps that lie outside
 * average                1 for the mean over the heads, weights [B, K * K, OH, OW]; else 0
 */
SAPA_API int32_t sapa_window_weights_forward(
    sapa_device device, const sapa_tensor *scores, int32_t key_height, int32_t key_width, const sapa_tensor *weights,
    const sapa_window_options *options, int32_t average);

SAPA_API int32_t sapa_window_weights_backward(
    sapa_device device, const sapa_tensor *scores, int32_t key_height, int32_t key_width, const sapa_tensor *grad_weights,
    const sapa_tensor *grad_scores, const sapa_window_options *options, int32_t average);

/* Sums a value [B, C, H, W] with weights [B, heads * K * K, OH, OW] into output [B, C, OH, OW], or heads * C channels. */
SAPA_API int32_t sapa_window_reassembly_forward(
    sapa_device device, const sapa_tensor *weights, const sapa_tensor *value, const sapa_tensor *output,
    const sapa_window_options *options);

SAPA_API int32_t sapa_window_reassembly_backward(
    sapa_device device, const sapa_tensor *weights, const sapa_tensor *value, const sapa_tensor *grad_output,
    const sapa_tensor *grad_weights, const sapa_tensor *grad_value, const sapa_window_options *options);

/* ---- Deformable attention ---- */

typedef struct {
    uint32_t struct_size;  /* sizeof(sapa_deformable_options) */
    int32_t groups;        /* G, groups of channels, each with its own points */
    int32_t points;        /* P, points of a query in a group */
} sapa_deformable_options;

#define SAPA_DEFORMABLE_OPTIONS_INIT { sizeof(sapa_deformable_options), 4, 9 }

/*
 * Attention over P sampled points of every query and group, the operator of SAPA-D: point p of group g of query (y, x) lies at
 * row y * H / OH + offset[(g * P + p) * 2 + 1] and column x * W / OW + offset[(g * P + p) * 2], in cells.
 *
 * query    [B, G * D, OH, OW]
 * key      [B, G * D, H, W]
 * value    [B, G * C, H, W]
 * offsets  [B, G * P * 2, OH, OW]
 * output   [B, G * C, OH, OW], written
 * options  null for the defaults
 */
SAPA_API int32_t sapa_deformable_attention_forward(
    sapa_device device, const sapa_tensor *query, const sapa_tensor *key, const sapa_tensor *value,
    const sapa_tensor *offsets, const sapa_tensor *output, const sapa_deformable_options *options);

SAPA_API int32_t sapa_deformable_attention_backward(
    sapa_device device, const sapa_tensor *query, const sapa_tensor *key, const sapa_tensor *value,
    const sapa_tensor *offsets, const sapa_tensor *grad_output,
    const sapa_tensor *grad_query, const sapa_tensor *grad_key, const sapa_tensor *grad_value, const sapa_tensor *grad_offsets,
    const sapa_deformable_options *options);

/* ---- Interpolation ---- */

enum {
    SAPA_NEAREST = 0,
    SAPA_BILINEAR = 1
};

/* Resamples input [B, C, H, W] to output [B, C, OH, OW], written. align_corners: 1 or 0, for SAPA_BILINEAR. */
SAPA_API int32_t sapa_interpolate_forward(
    sapa_device device, const sapa_tensor *input, const sapa_tensor *output, int32_t mode, int32_t align_corners);

SAPA_API int32_t sapa_interpolate_backward(
    sapa_device device, const sapa_tensor *grad_output, const sapa_tensor *grad_input, int32_t mode, int32_t align_corners);

#ifdef __cplusplus
}
#endif

#endif
