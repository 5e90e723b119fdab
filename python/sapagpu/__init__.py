"""SapaGpu: window-attention upsampling, forward and backward, on arrays in place.

The operators take numpy arrays, and anything that speaks DLPack, without a copy. :mod:`sapagpu.torch` has the same for
PyTorch, with gradients and modules; importing this package does not import torch.
"""

from ._library import version
from .attention import (
    AttentionGradients,
    ReassemblyGradients,
    SimilarityGradients,
    window_attention,
    window_attention_backward,
    window_reassembly,
    window_reassembly_backward,
    window_similarity,
    window_similarity_backward,
    window_weights,
    window_weights_backward,
)
from .cross import (
    CrossAttentionGradients,
    CrossAttentionSecondGradients,
    Ranges,
    cross_attention,
    cross_attention_backward,
    cross_attention_double_backward,
)
from .device import Device, default_device
from .errors import (
    ClosedError,
    DeviceUnavailableError,
    FileError,
    ForkedError,
    InternalError,
    InvalidArgumentError,
    InvalidHandleError,
    LibraryMissingError,
    NotSupportedError,
    OutOfMemoryError,
    RuntimeMissingError,
    SapaGpuError,
)
from .guided import upsample
from .layers import (
    NormGradients,
    NormResult,
    ProjectionGradients,
    feature_norm,
    feature_norm_backward,
    projection,
    projection_backward,
)
from .modules import Module, load_anyup, load_carafe, load_deformable_upsampler, load_naf, load_upsampler
from .sampling import (
    DeformableGradients,
    deformable_attention,
    deformable_attention_backward,
    interpolate,
    interpolate_backward,
)

__all__ = [
    "AttentionGradients",
    "ClosedError",
    "CrossAttentionGradients",
    "CrossAttentionSecondGradients",
    "DeformableGradients",
    "Device",
    "DeviceUnavailableError",
    "FileError",
    "ForkedError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidHandleError",
    "LibraryMissingError",
    "Module",
    "NormGradients",
    "NormResult",
    "NotSupportedError",
    "OutOfMemoryError",
    "ProjectionGradients",
    "Ranges",
    "ReassemblyGradients",
    "RuntimeMissingError",
    "SapaGpuError",
    "SimilarityGradients",
    "cross_attention",
    "cross_attention_backward",
    "cross_attention_double_backward",
    "default_device",
    "deformable_attention",
    "deformable_attention_backward",
    "feature_norm",
    "feature_norm_backward",
    "interpolate",
    "interpolate_backward",
    "load_anyup",
    "load_carafe",
    "load_deformable_upsampler",
    "load_naf",
    "load_upsampler",
    "projection",
    "projection_backward",
    "upsample",
    "version",
    "window_attention",
    "window_attention_backward",
    "window_reassembly",
    "window_reassembly_backward",
    "window_similarity",
    "window_similarity_backward",
    "window_weights",
    "window_weights_backward",
]
