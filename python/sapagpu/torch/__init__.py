"""SapaGpu for PyTorch: operators with gradients, and modules that load the authors' checkpoints, on the memory of
tensors.

The operators are also known to torch's dispatcher, as ``torch.ops.sapagpu.window_attention`` and so on, with shapes for
tensors without data, and ``torch.onnx.export`` writes window attention, reassembly and cross-resolution attention as nodes of the domain
``com.sapagpu``.
"""

from . import _export
from .functional import (
    carafe,
    cross_attention,
    deformable_attention,
    interpolate,
    window_attention,
    window_reassembly,
    window_similarity,
    window_weights,
)
from .image_guided import AnyUpUpsampler, NafUpsampler
from .modules import CarafeUpsampler, SapaDeformableUpsampler, SapaUpsampler

_export.register()

__all__ = [
    "AnyUpUpsampler",
    "CarafeUpsampler",
    "NafUpsampler",
    "SapaDeformableUpsampler",
    "SapaUpsampler",
    "carafe",
    "cross_attention",
    "deformable_attention",
    "interpolate",
    "window_attention",
    "window_reassembly",
    "window_similarity",
    "window_weights",
]
