"""What sapagpu.h declares: structs, values and functions. Nothing here is loaded or called."""

from __future__ import annotations

import ctypes as C

ABI_VERSION = 1

ELEMENT_TYPES = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 3}
BORDERS = {"zero_logit": 0, "masked": 1, "replicate": 2, "shifted": 3}
NORMALISATIONS = {"softmax": 0, "sigmoid": 1, "none": 2}
HEAD_VALUES = {"split": 0, "shared": 1}
SIMILARITIES = {"inner_product": 0, "bilinear": 1, "gated_bilinear": 2, "concatenated": 3}
FEATURE_NORMS = {"none": 0, "layer": 1, "group": 2}
INTERPOLATIONS = {"nearest": 0, "bilinear": 1}
MAP_KINDS = {"mask": 0, "labels": 1, "depth": 2, "image": 3, "features": 4, "logits": 5}
UPSAMPLE_METHODS = {"nearest": 0, "bilinear": 1, "guided": 2}
SAMPLE_TYPES = {"uint8": 0, "uint16": 1, "int32": 2, "float32": 3}


class _Sized(C.Structure):
    """A struct that begins with its own size, as all of the interface do."""

    def __init__(self, **members: object) -> None:
        super().__init__(struct_size=C.sizeof(type(self)), **members)


class SapaTensor(_Sized):
    _fields_ = [
        ("struct_size", C.c_uint32),
        ("element_type", C.c_int32),
        ("data", C.c_void_p),
        ("shape", C.c_int64 * 4),
        ("strides", C.c_int64 * 4),
    ]


class DeviceOptions(_Sized):
    _fields_ = [
        ("struct_size", C.c_uint32),
        ("threads", C.c_int32),
        ("workspace_bytes", C.c_int64),
        ("stream", C.c_void_p),
        ("uses_primary_context", C.c_int32),
        ("reserved", C.c_int32),
    ]


class WindowOptions(_Sized):
    _fields_ = [
        ("struct_size", C.c_uint32),
        ("window", C.c_int32),
        ("border", C.c_int32),
        ("normalisation", C.c_int32),
        ("heads", C.c_int32),
        ("head_value", C.c_int32),
    ]


class DeformableOptions(_Sized):
    _fields_ = [("struct_size", C.c_uint32), ("groups", C.c_int32), ("points", C.c_int32)]


class CrossOptions(_Sized):
    _fields_ = [
        ("struct_size", C.c_uint32),
        ("heads", C.c_int32),
        ("averages_heads", C.c_int32),
        ("normalisation", C.c_int32),
        ("score_scale", C.c_double),
    ]


class UpsamplerOptions(_Sized):
    _fields_ = [
        ("struct_size", C.c_uint32),
        ("element_type", C.c_int32),
        ("encoder_channels", C.c_int32),
        ("decoder_channels", C.c_int32),
        ("similarity", C.c_int32),
        ("feature_norm", C.c_int32),
        ("norm_groups", C.c_int32),
        ("embedding_channels", C.c_int32),
        ("value_channels", C.c_int32),
        ("window", C.c_int32),
        ("border", C.c_int32),
        ("normalisation", C.c_int32),
        ("has_bias", C.c_int32),
        ("allows_downsampling", C.c_int32),
        ("epsilon", C.c_double),
    ]


class DeformableUpsamplerOptions(_Sized):
    _fields_ = [
        ("struct_size", C.c_uint32),
        ("element_type", C.c_int32),
        ("encoder_channels", C.c_int32),
        ("decoder_channels", C.c_int32),
        ("scale", C.c_int32),
        ("groups", C.c_int32),
        ("points", C.c_int32),
        ("embedding_channels", C.c_int32),
        ("high_resolution_offsets", C.c_int32),
        ("feature_norm", C.c_int32),
        ("norm_groups", C.c_int32),
        ("has_bias", C.c_int32),
        ("epsilon", C.c_double),
    ]


class CarafeOptions(_Sized):
    _fields_ = [
        ("struct_size", C.c_uint32),
        ("element_type", C.c_int32),
        ("channels", C.c_int32),
        ("scale", C.c_int32),
        ("window", C.c_int32),
        ("groups", C.c_int32),
        ("encoder_kernel", C.c_int32),
        ("encoder_dilation", C.c_int32),
        ("compressed_channels", C.c_int32),
    ]


class NafOptions(_Sized):
    _fields_ = [
        ("struct_size", C.c_uint32),
        ("element_type", C.c_int32),
        ("channels", C.c_int32),
        ("heads", C.c_int32),
        ("rotary_heads", C.c_int32),
        ("window", C.c_int32),
        ("blocks", C.c_int32),
        ("norm_groups", C.c_int32),
        ("rotary_base", C.c_double),
        ("epsilon", C.c_double),
    ]


class AnyUpOptions(_Sized):
    _fields_ = [
        ("struct_size", C.c_uint32),
        ("element_type", C.c_int32),
        ("channels", C.c_int32),
        ("heads", C.c_int32),
        ("image_kernel", C.c_int32),
        ("feature_kernel", C.c_int32),
        ("feature_kernels", C.c_int32),
        ("norm_groups", C.c_int32),
        ("window_ratio", C.c_double),
        ("epsilon", C.c_double),
        ("rms_epsilon", C.c_double),
    ]


class SapaImage(_Sized):
    _fields_ = [
        ("struct_size", C.c_uint32),
        ("sample_type", C.c_int32),
        ("data", C.c_void_p),
        ("height", C.c_int32),
        ("width", C.c_int32),
        ("channels", C.c_int32),
        ("reserved", C.c_int32),
    ]


class GuidedOptions(_Sized):
    _fields_ = [
        ("struct_size", C.c_uint32),
        ("kind", C.c_int32),
        ("method", C.c_int32),
        ("window", C.c_int32),
        ("colour_sigma", C.c_double),
        ("space_sigma", C.c_double),
        ("unknown", C.POINTER(C.c_double)),
        ("unknown_count", C.c_int32),
        ("refine", C.c_int32),
        ("has_opacity", C.c_int32),
        ("are_probabilities", C.c_int32),
    ]


_DEVICE = C.c_void_p
_TENSOR = C.POINTER(SapaTensor)
_WINDOW = C.POINTER(WindowOptions)
_DEFORMABLE = C.POINTER(DeformableOptions)
_CROSS = C.POINTER(CrossOptions)
_RANGES = C.c_void_p
_NUMBERS = C.POINTER(C.c_int32)
_IMAGE = C.POINTER(SapaImage)
_LOAD: list[type] = [C.c_char_p, C.c_char_p, C.POINTER(C.c_void_p)]

# The parameters of every function that returns a status.
FUNCTIONS: dict[str, list[type]] = {
    "device_open": [C.c_char_p, C.POINTER(DeviceOptions), C.POINTER(C.c_void_p)],
    "device_on_stream": [_DEVICE, C.c_void_p, C.POINTER(C.c_void_p)],
    "device_close": [_DEVICE],
    "device_synchronize": [_DEVICE],
    "device_info": [_DEVICE, C.c_char_p, C.c_size_t, C.POINTER(C.c_size_t)],
    "window_attention_forward": [_DEVICE, *[_TENSOR] * 5, _WINDOW],
    "window_attention_backward": [_DEVICE, *[_TENSOR] * 8, _WINDOW],
    "window_similarity_forward": [_DEVICE, *[_TENSOR] * 3, _WINDOW],
    "window_similarity_backward": [_DEVICE, *[_TENSOR] * 5, _WINDOW],
    "window_weights_forward": [_DEVICE, _TENSOR, C.c_int32, C.c_int32, _TENSOR, _WINDOW, C.c_int32],
    "window_weights_backward": [_DEVICE, _TENSOR, C.c_int32, C.c_int32, *[_TENSOR] * 2, _WINDOW, C.c_int32],
    "window_reassembly_forward": [_DEVICE, *[_TENSOR] * 3, _WINDOW],
    "window_reassembly_backward": [_DEVICE, *[_TENSOR] * 5, _WINDOW],
    "deformable_attention_forward": [_DEVICE, *[_TENSOR] * 5, _DEFORMABLE],
    "deformable_attention_backward": [_DEVICE, *[_TENSOR] * 9, _DEFORMABLE],
    "ranges_create_window": [*[C.c_int32] * 7, C.POINTER(_RANGES)],
    "ranges_create_whole": [*[C.c_int32] * 4, C.POINTER(_RANGES)],
    "ranges_create_ratio": [*[C.c_int32] * 4, C.c_float, C.POINTER(_RANGES)],
    "ranges_create_table": [*[C.c_int32] * 4, _NUMBERS, _NUMBERS, C.POINTER(_RANGES)],
    "ranges_close": [_RANGES],
    "cross_attention_forward": [_DEVICE, *[_TENSOR] * 4, _RANGES, *[_TENSOR] * 2, _CROSS],
    "cross_attention_backward": [_DEVICE, *[_TENSOR] * 4, _RANGES, *[_TENSOR] * 6, _CROSS],
    "cross_attention_double_backward": [_DEVICE, *[_TENSOR] * 4, _RANGES, *[_TENSOR] * 11, _CROSS],
    "interpolate_forward": [_DEVICE, *[_TENSOR] * 2, C.c_int32, C.c_int32],
    "interpolate_backward": [_DEVICE, *[_TENSOR] * 2, C.c_int32, C.c_int32],
    "projection_forward": [_DEVICE, *[_TENSOR] * 4],
    "projection_backward": [_DEVICE, *[_TENSOR] * 7],
    "feature_norm_forward": [_DEVICE, _TENSOR, C.c_int32, *[_TENSOR] * 2, C.c_double, *[_TENSOR] * 2],
    "feature_norm_backward": [_DEVICE, _TENSOR, C.c_int32, *[_TENSOR] * 6],
    "upsampler_load": [_DEVICE, C.POINTER(UpsamplerOptions), *_LOAD],
    "deformable_upsampler_load": [_DEVICE, C.POINTER(DeformableUpsamplerOptions), *_LOAD],
    "carafe_load": [_DEVICE, C.POINTER(CarafeOptions), *_LOAD],
    "naf_load": [_DEVICE, C.POINTER(NafOptions), *_LOAD],
    "anyup_load": [_DEVICE, C.POINTER(AnyUpOptions), *_LOAD],
    "module_forward": [C.c_void_p, *[_TENSOR] * 3],
    "module_backward": [C.c_void_p, *[_TENSOR] * 5],
    "module_forward_on": [C.c_void_p, _DEVICE, *[_TENSOR] * 3],
    "module_backward_on": [C.c_void_p, _DEVICE, *[_TENSOR] * 5],
    "module_close": [C.c_void_p],
    "guided_upsample": [_DEVICE, *[_IMAGE] * 3, C.POINTER(GuidedOptions)],
}
