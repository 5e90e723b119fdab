/*
 * SapaGpu in C: window-attention upsampling, forward and backward, on the CPU, OpenCL and CUDA.
 *
 * Status     Every function that can fail returns a status, SAPA_OK or one of the values below. The text of what went wrong
 *            is sapa_last_error() of the same thread; it names the operands and says what to change.
 * Runtime    The library hosts .NET, 10 or newer, in the process: the first call starts it, once, whatever thread makes it, and
 *            it stays until the process ends. .NET is looked for in a folder "dotnet" beside the library, which wins; else in
 *            DOTNET_ROOT, if that is set; else where installers put it. Without it every call returns SAPA_RUNTIME_MISSING.
 * Threads    Every function may be called from any thread at any time. Calls on one device are queued in order; on "cuda"
 *            sapa_device_on_stream names the stream of a call.
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

/*
 * Returns a device with the queue of another stream, which shares context, compiled kernels and modules with it: one open
 * device serves all streams of a framework. Cheap enough for every call, and safe for threads with a stream each:
 *     sapa_device_on_stream(device, stream, &on_stream) || sapa_window_attention_forward(on_stream, ...)
 * stream     a CUstream of the primary context, with which the device has to be open; null for the default stream, which is all
 *            that "cpu" and "opencl" take. It stays until its calls have finished and the handle is closed.
 * on_stream  receives a handle, the same one for the same stream, whoever asks. It ends with the device, or by
 *            sapa_device_close, which then waits for the GPU and frees the memory that calls on the stream worked in: call it before
 *            the stream is destroyed, and not while others use the handle. Null after an error.
 */
SAPA_API int32_t sapa_device_on_stream(sapa_device device, void *stream, sapa_device *on_stream);

/*
 * Waits for running calls and closes the device, with its handles on streams. Its modules cannot be used afterwards and are
 * still to be closed.
 */
SAPA_API int32_t sapa_device_close(sapa_device device);

/* Waits until all calls that were queued on the stream of the device have finished, and reports their errors. */
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

/* ---- Cross-resolution attention ---- */

/*
 * Which cells of a map [H, W] every point of an output [OH, OW] sees: those in the range of its row and in the range of its
 * column. A number that is never used again; null is none. Ranges belong to no device, and threads may share them. What is
 * derived from them is kept with them: create them once for maps of the same sizes.
 */
typedef struct sapa_ranges_handle *sapa_ranges;

/*
 * Windows around the cell of every point, from row y * H / OH - window_height / 2 on, each quotient rounded down; columns alike.
 * window_height, window_width  from 1, odd or even, also larger than the map
 * border                       SAPA_BORDER_MASKED, ...
 * ranges                       receives the handle; null after an error
 */
SAPA_API int32_t sapa_ranges_create_window(
    int32_t height, int32_t width, int32_t output_height, int32_t output_width, int32_t window_height, int32_t window_width,
    int32_t border, sapa_ranges *ranges);

/* The whole map for every point. */
SAPA_API int32_t sapa_ranges_create_whole(
    int32_t height, int32_t width, int32_t output_height, int32_t output_width, sapa_ranges *ranges);

/*
 * A part of either axis around the point, the rule of AnyUp. In single precision, with p = (y + 0.5) / OH: rows from
 * floor(clamp(p - ratio, 0, 1) * H) up to, not including, ceil(clamp(p + ratio, 0, 1) * H); columns alike. ratio is positive.
 */
SAPA_API int32_t sapa_ranges_create_ratio(
    int32_t height, int32_t width, int32_t output_height, int32_t output_width, float ratio, sapa_ranges *ranges);

/*
 * Ranges of the caller's own: of every output row, and column, the first cell and the one after the last, equal where nothing
 * is seen. Neither may be smaller than the one before. The arrays are copied.
 * rows     [output_height][2]
 * columns  [output_width][2]
 */
SAPA_API int32_t sapa_ranges_create_table(
    int32_t height, int32_t width, int32_t output_height, int32_t output_width, const int32_t *rows, const int32_t *columns,
    sapa_ranges *ranges);

/* Closes the handle; calls that are under way are not disturbed. */
SAPA_API int32_t sapa_ranges_close(sapa_ranges ranges);

typedef struct {
    uint32_t struct_size;    /* sizeof(sapa_cross_options) */
    int32_t heads;           /* h, a divisor of the channels of query and key */
    int32_t averages_heads;  /* 1: the mean of the heads' weights weighs all channels of the value; 0: every head its own C / h */
    int32_t normalisation;   /* SAPA_NORMALISATION_SOFTMAX, ... */
    double score_scale;      /* what inner products are multiplied by, such as 1 / sqrt(D) */
} sapa_cross_options;

#define SAPA_CROSS_OPTIONS_INIT { sizeof(sapa_cross_options), 1, 0, SAPA_NORMALISATION_SOFTMAX, 1.0 }

/*
 * Upsamples a value: each output point is the sum of the cells that it sees, weighted by the normalisation, softmax by default, of
 * score_scale * <query, key> + key_bias, for each head. The sizes of query and key may have any ratio. A point that sees no cell
 * is 0 and contributes nothing to any gradient.
 *
 * query       [B, h * D, OH, OW]
 * key         [B, h * D, H, W]
 * value       [B, C, H, W]
 * key_bias    [B, 1, H, W]; a cell with minus infinity is not seen. Null for 0.
 * ranges      for H, W, OH and OW
 * output      [B, C, OH, OW]; written
 * statistics  [B, 2 * h, OH, OW], SAPA_F64 if the others are, otherwise SAPA_F32; written. What the backwards need of the
 *             forward: of every head and point what is subtracted from the scores, the largest for softmax, and the sum of the
 *             unnormalised weights; 0 and 1 with SAPA_NORMALISATION_NONE.
 *             Null if there are none.
 * options     null for the defaults
 */
SAPA_API int32_t sapa_cross_attention_forward(
    sapa_device device, const sapa_tensor *query, const sapa_tensor *key, const sapa_tensor *value,
    const sapa_tensor *key_bias, sapa_ranges ranges, const sapa_tensor *output, const sapa_tensor *statistics,
    const sapa_cross_options *options);

/* The gradients from that of the output and the statistics that the forward wrote. grad_key_bias is null without key_bias. */
SAPA_API int32_t sapa_cross_attention_backward(
    sapa_device device, const sapa_tensor *query, const sapa_tensor *key, const sapa_tensor *value,
    const sapa_tensor *key_bias, sapa_ranges ranges, const sapa_tensor *statistics, const sapa_tensor *grad_output,
    const sapa_tensor *grad_query, const sapa_tensor *grad_key, const sapa_tensor *grad_value,
    const sapa_tensor *grad_key_bias, const sapa_cross_options *options);

/*
 * The backward of the backward: the gradients of S = <grad_query, query_direction> + the same of key, value and bias, where
 * those gradients are what the backward computes from grad_output.
 *
 * ..._direction      in the shape of the operand; null for 0
 * grad_grad_output   the gradient of S with respect to grad_output, in its shape; written, as are those of the operands
 */
SAPA_API int32_t sapa_cross_attention_double_backward(
    sapa_device device, const sapa_tensor *query, const sapa_tensor *key, const sapa_tensor *value,
    const sapa_tensor *key_bias, sapa_ranges ranges, const sapa_tensor *statistics, const sapa_tensor *grad_output,
    const sapa_tensor *query_direction, const sapa_tensor *key_direction, const sapa_tensor *value_direction,
    const sapa_tensor *key_bias_direction, const sapa_tensor *grad_grad_output, const sapa_tensor *grad_query,
    const sapa_tensor *grad_key, const sapa_tensor *grad_value, const sapa_tensor *grad_key_bias,
    const sapa_cross_options *options);

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

/* ---- What modules are made of. Parameters and statistics are SAPA_F64 if the maps are, otherwise SAPA_F32. ---- */

/*
 * Projects the channels of every pixel, a 1x1 convolution: input [B, I, H, W], weight [O, I, 1, 1], bias [1, O, 1, 1] or null,
 * output [B, O, H, W], written.
 */
SAPA_API int32_t sapa_projection_forward(
    sapa_device device, const sapa_tensor *input, const sapa_tensor *weight, const sapa_tensor *bias,
    const sapa_tensor *output);

/* grad_weight and grad_bias have the shapes of the parameters; where one is wanted, so is the other if there is a bias. */
SAPA_API int32_t sapa_projection_backward(
    sapa_device device, const sapa_tensor *input, const sapa_tensor *weight, const sapa_tensor *bias,
    const sapa_tensor *grad_output, const sapa_tensor *grad_input, const sapa_tensor *grad_weight,
    const sapa_tensor *grad_bias);

/*
 * LayerNorm over the channels of every pixel, or GroupNorm over groups of channels of the image.
 * input       [B, C, H, W]
 * groups      of GroupNorm, a divisor of C; 0 for LayerNorm
 * weight      [1, C, 1, 1]
 * bias        [1, C, 1, 1]
 * epsilon     added to the variance
 * output      [B, C, H, W]; written
 * statistics  [B, 2, H, W] of LayerNorm, [B, 2 * groups, 1, 1] of GroupNorm; written, for the backward
 */
SAPA_API int32_t sapa_feature_norm_forward(
    sapa_device device, const sapa_tensor *input, int32_t groups, const sapa_tensor *weight, const sapa_tensor *bias,
    double epsilon, const sapa_tensor *output, const sapa_tensor *statistics);

/* All three gradients have to be given; they have the shapes of input, weight and bias. */
SAPA_API int32_t sapa_feature_norm_backward(
    sapa_device device, const sapa_tensor *input, int32_t groups, const sapa_tensor *weight, const sapa_tensor *statistics,
    const sapa_tensor *grad_output, const sapa_tensor *grad_input, const sapa_tensor *grad_weight,
    const sapa_tensor *grad_bias);

/* ---- Modules with trained parameters ---- */

/* A module with its parameters on a device: a number that is never used again. Null is none. */
typedef struct sapa_module_handle *sapa_module;

enum {
    SAPA_SIMILARITY_INNER_PRODUCT = 0,   /* SAPA-I */
    SAPA_SIMILARITY_BILINEAR = 1,        /* SAPA-B */
    SAPA_SIMILARITY_GATED_BILINEAR = 2,  /* SAPA-G */
    SAPA_SIMILARITY_CONCATENATED = 3     /* bilinear, with a query of both maps */
};

enum {
    SAPA_FEATURE_NORM_NONE = 0,
    SAPA_FEATURE_NORM_LAYER = 1,  /* LayerNorm over the channels of a pixel */
    SAPA_FEATURE_NORM_GROUP = 2   /* GroupNorm over the image */
};

/* SAPA: parameters norm_y, norm_x, q or qy and qx, k, gate and so on, as the similarity needs them. */
typedef struct {
    uint32_t struct_size;        /* sizeof(sapa_upsampler_options) */
    int32_t element_type;        /* of the features; parameters are SAPA_F64 for SAPA_F64, otherwise SAPA_F32 */
    int32_t encoder_channels;    /* of the guide */
    int32_t decoder_channels;    /* of the features that are upsampled */
    int32_t similarity;          /* SAPA_SIMILARITY_BILINEAR, ... */
    int32_t feature_norm;        /* SAPA_FEATURE_NORM_LAYER, ... */
    int32_t norm_groups;         /* of SAPA_FEATURE_NORM_GROUP */
    int32_t embedding_channels;  /* D */
    int32_t value_channels;      /* of a projected value; 0: the decoder features themselves are upsampled */
    int32_t window;              /* K, odd, from 1 to 15 */
    int32_t border;              /* SAPA_BORDER_ZERO_LOGIT, ... */
    int32_t normalisation;       /* SAPA_NORMALISATION_SOFTMAX, ... */
    int32_t has_bias;            /* 1 or 0 */
    int32_t allows_downsampling; /* 1: the guide may be smaller than the decoder features; 0: that is an error */
    double epsilon;              /* of the normalisation of the features */
} sapa_upsampler_options;

/* SAPA-B with the options of the paper. */
#define SAPA_UPSAMPLER_OPTIONS_INIT(encoder_channels, decoder_channels) \
    { sizeof(sapa_upsampler_options), SAPA_F32, encoder_channels, decoder_channels, SAPA_SIMILARITY_BILINEAR, \
        SAPA_FEATURE_NORM_LAYER, 32, 64, 0, 5, SAPA_BORDER_ZERO_LOGIT, SAPA_NORMALISATION_SOFTMAX, 1, 0, 1e-5 }

/* SAPA-D: parameters norm_y, norm_x, q, k, offset. */
typedef struct {
    uint32_t struct_size;             /* sizeof(sapa_deformable_upsampler_options) */
    int32_t element_type;
    int32_t encoder_channels;
    int32_t decoder_channels;
    int32_t scale;                    /* s, from 1 to 16 */
    int32_t groups;
    int32_t points;
    int32_t embedding_channels;       /* D of a group */
    int32_t high_resolution_offsets;  /* 1: every output point has its own offsets; 0: those of its cell */
    int32_t feature_norm;             /* SAPA_FEATURE_NORM_NONE or SAPA_FEATURE_NORM_GROUP */
    int32_t norm_groups;
    int32_t has_bias;                 /* 1 or 0 */
    double epsilon;
} sapa_deformable_upsampler_options;

#define SAPA_DEFORMABLE_UPSAMPLER_OPTIONS_INIT(encoder_channels, decoder_channels) \
    { sizeof(sapa_deformable_upsampler_options), SAPA_F32, encoder_channels, decoder_channels, 2, 4, 9, 32, 1, \
        SAPA_FEATURE_NORM_NONE, 32, 1, 1e-5 }

/* CARAFE: parameters channel_compressor and content_encoder, as CARAFEPack of mmcv has them. */
typedef struct {
    uint32_t struct_size;         /* sizeof(sapa_carafe_options) */
    int32_t element_type;
    int32_t channels;
    int32_t scale;                /* s, from 1 to 16 */
    int32_t window;               /* K, odd, from 1 to 15 */
    int32_t groups;
    int32_t encoder_kernel;       /* odd */
    int32_t encoder_dilation;
    int32_t compressed_channels;
} sapa_carafe_options;

#define SAPA_CARAFE_OPTIONS_INIT(channels) { sizeof(sapa_carafe_options), SAPA_F32, channels, 2, 5, 1, 3, 1, 64 }

/* NAF: features of any backbone with an image. Parameters image_encoder.encoder.0.weight and so on, as published. */
typedef struct {
    uint32_t struct_size;  /* sizeof(sapa_naf_options) */
    int32_t element_type;  /* of image and features */
    int32_t channels;      /* of queries and keys, a multiple of 2 * norm_groups, of heads and of 4 * rotary_heads */
    int32_t heads;         /* a divisor of the channels of the features */
    int32_t rotary_heads;
    int32_t window;        /* K of the cells that a point sees */
    int32_t blocks;        /* of either encoder */
    int32_t norm_groups;
    double rotary_base;    /* of the periods of an untrained module; a checkpoint has them */
    double epsilon;        /* of the GroupNorms */
} sapa_naf_options;

#define SAPA_NAF_OPTIONS_INIT { sizeof(sapa_naf_options), SAPA_F32, 256, 4, 4, 9, 2, 8, 100, 1e-5 }

/* AnyUp: features of any number of channels with an image. Parameters image_encoder.0.weight and so on, as published. */
typedef struct {
    uint32_t struct_size;     /* sizeof(sapa_anyup_options) */
    int32_t element_type;     /* of image and features */
    int32_t channels;         /* of queries and keys, an even multiple of heads and norm_groups */
    int32_t heads;            /* whose weights are averaged */
    int32_t image_kernel;     /* odd, of the first convolution over the image */
    int32_t feature_kernel;   /* odd, of the kernels over the features */
    int32_t feature_kernels;  /* how many, a multiple of norm_groups */
    int32_t norm_groups;
    double window_ratio;      /* the part of an axis that a point sees to either side; 0 or less: the whole map */
    double epsilon;           /* of the GroupNorms */
    double rms_epsilon;       /* of the RMSNorms */
} sapa_anyup_options;

#define SAPA_ANYUP_OPTIONS_INIT \
    { sizeof(sapa_anyup_options), SAPA_F32, 128, 4, 1, 5, 128, 8, 0.1, 1e-5, 1.1920928955078125e-7 }

/*
 * Create a module with the parameters of a checkpoint: .safetensors, or a .pth of PyTorch, whose pickle is parsed and never run.
 * path     of the file, in UTF-8
 * prefix   of the names of the module's parameters in the file, such as "decode_head.up1."; null for none. Every parameter
 *          has to be there, in its shape, and nothing else with that prefix.
 * module   receives the handle; null after an error
 */
SAPA_API int32_t sapa_upsampler_load(
    sapa_device device, const sapa_upsampler_options *options, const char *path, const char *prefix, sapa_module *module);

SAPA_API int32_t sapa_deformable_upsampler_load(
    sapa_device device, const sapa_deformable_upsampler_options *options, const char *path, const char *prefix,
    sapa_module *module);

SAPA_API int32_t sapa_carafe_load(
    sapa_device device, const sapa_carafe_options *options, const char *path, const char *prefix, sapa_module *module);

SAPA_API int32_t sapa_naf_load(
    sapa_device device, const sapa_naf_options *options, const char *path, const char *prefix, sapa_module *module);

SAPA_API int32_t sapa_anyup_load(
    sapa_device device, const sapa_anyup_options *options, const char *path, const char *prefix, sapa_module *module);

/*
 * Upsamples features.
 * encoder  the guide, [B, encoder channels, OH, OW]; null for CARAFE, which has none; the image, [B, 3, any, any], for NAF and
 *          AnyUp
 * decoder  [B, C, H, W]
 * output   [B, C, OH, OW], or as many channels as the value; written, and may share no memory with the others. With SAPA-D and
 *          CARAFE OH = s * H and OW = s * W.
 */
SAPA_API int32_t sapa_module_forward(
    sapa_module module, const sapa_tensor *encoder, const sapa_tensor *decoder, const sapa_tensor *output);

/*
 * Computes gradients of the maps that sapa_module_forward was called with; parameters are fixed. The output is computed again.
 * encoder       as in the forward, as is decoder
 * grad_output   the gradient of the output, in its shape
 * grad_encoder  written, in the shape of encoder; null if it is not wanted, and for CARAFE
 * grad_decoder  written, in the shape of decoder; null if it is not wanted
 */
SAPA_API int32_t sapa_module_backward(
    sapa_module module, const sapa_tensor *encoder, const sapa_tensor *decoder, const sapa_tensor *grad_output,
    const sapa_tensor *grad_encoder, const sapa_tensor *grad_decoder);

/*
 * The same on a stream of the device that holds the module. Its parameters are there for all streams.
 * device  what sapa_device_on_stream of that device returned, or the device itself; null for the latter
 */
SAPA_API int32_t sapa_module_forward_on(
    sapa_module module, sapa_device device, const sapa_tensor *encoder, const sapa_tensor *decoder, const sapa_tensor *output);

SAPA_API int32_t sapa_module_backward_on(
    sapa_module module, sapa_device device, const sapa_tensor *encoder, const sapa_tensor *decoder,
    const sapa_tensor *grad_output, const sapa_tensor *grad_encoder, const sapa_tensor *grad_decoder);

/* Releases the parameters, after the last call that is under way. */
SAPA_API int32_t sapa_module_close(sapa_module module);

/* ---- Guided upsampling of images ---- */

enum {
    SAPA_MAP_MASK = 0,
    SAPA_MAP_LABELS = 1,    /* numbers of classes, one channel */
    SAPA_MAP_DEPTH = 2,
    SAPA_MAP_IMAGE = 3,
    SAPA_MAP_FEATURES = 4,
    SAPA_MAP_LOGITS = 5     /* a channel for every class */
};

enum {
    SAPA_UPSAMPLE_NEAREST = 0,
    SAPA_UPSAMPLE_BILINEAR = 1,
    SAPA_UPSAMPLE_GUIDED = 2
};

enum {
    SAPA_SAMPLES_U8 = 0,
    SAPA_SAMPLES_U16 = 1,
    SAPA_SAMPLES_I32 = 2,
    SAPA_SAMPLES_F32 = 3
};

/* An image without gaps in memory of the host: [height, width, channels]. */
typedef struct {
    uint32_t struct_size;  /* sizeof(sapa_image) */
    int32_t sample_type;   /* SAPA_SAMPLES_U8, ... */
    void *data;            /* aligned to a sample */
    int32_t height;
    int32_t width;
    int32_t channels;
    int32_t reserved;      /* 0 */
} sapa_image;

#define SAPA_IMAGE_INIT(sample_type, data, height, width, channels) \
    { sizeof(sapa_image), sample_type, (void *)(data), height, width, channels, 0 }

typedef struct {
    uint32_t struct_size;       /* sizeof(sapa_guided_options) */
    int32_t kind;               /* SAPA_MAP_LABELS, ... */
    int32_t method;             /* SAPA_UPSAMPLE_GUIDED, ... */
    int32_t window;             /* K in cells, odd, from 1 to 15; 0: the default of the kind */
    double colour_sigma;        /* standard deviation over colours; 0: the default of the kind */
    double space_sigma;         /* standard deviation over distance, in cells; 0: the default of the kind */
    const double *unknown;      /* values that mark missing ones; null if there are none */
    int32_t unknown_count;
    int32_t refine;             /* 1: more than the mean over the window, where the kind has it; else 0 */
    int32_t has_opacity;        /* 1 if the last channel of an image is opacity; else 0 */
    int32_t are_probabilities;  /* 1 if a map of logits holds probabilities already; else 0 */
} sapa_guided_options;

#define SAPA_GUIDED_OPTIONS_INIT(kind) { sizeof(sapa_guided_options), kind, SAPA_UPSAMPLE_GUIDED, 0, 0, 0, NULL, 0, 1, 0, 0 }

/*
 * Brings a small map to the size of a photo, guided by the photo, without trained parameters.
 * device   that computes; null for the processor
 * photo    SAPA_SAMPLES_U8, sRGB with 3 channels or grey with 1
 * map      at most as large as the photo
 * result   of the photo's size; written. Of the map's channels; of logits the probabilities, or with 1 channel the number of
 *          the likeliest class.
 * options  null for those of an image
 */
SAPA_API int32_t sapa_guided_upsample(
    sapa_device device, const sapa_image *photo, const sapa_image *map, const sapa_image *result,
    const sapa_guided_options *options);

/* ---- ONNX Runtime ---- */

struct OrtSessionOptions;
struct OrtApiBase;
struct OrtStatus;

/*
 * What ONNX Runtime, 1.17 or newer, calls in a library of custom operators: registers the operators of the domain com.sapagpu, on
 * the CPU and for the CUDA provider, on its streams, for sessions with these options. From C++: options.RegisterCustomOpsLibrary("libsapagpu.so"); from Python:
 * options.register_custom_ops_library("libsapagpu.so"). Once for the same options: a session refuses operators that are there twice.
 * The options may be released before their sessions, and the library stays in the process whoever unloads it.
 * Returns null, or a status of ONNX Runtime with the text of sapa_last_error(), which the caller releases.
 */
SAPA_API struct OrtStatus *RegisterCustomOps(struct OrtSessionOptions *options, const struct OrtApiBase *api);

#ifdef __cplusplus
}
#endif

#endif
