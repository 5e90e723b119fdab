"""Trained modules on arrays, without a framework: the parameters of a checkpoint, forward."""

from __future__ import annotations

import ctypes
import os
from types import TracebackType
from typing import Any, Callable, Optional, Sequence, Union

from . import _abi
from ._arrays import Call, Operand, start, value_of
from ._layout import Shape
from ._library import call
from ._options import choice, int32, pair
from .device import Device, default_device
from .errors import ClosedError, InvalidArgumentError, SapaGpuError

Path = Union[str, "os.PathLike[str]"]

# The guide of modules whose output has any size.
_IMAGE = "image"


class Module:
    """A module with its parameters on a device: what the ``load_…`` functions return. It is called on arrays.

    It is closed by :meth:`close`, at the end of a ``with`` block, or with its last reference. Any number of threads may
    call it.
    """

    def __init__(
        self,
        function: str,
        options: Any,
        path: Path,
        prefix: Optional[str],
        device: Optional[Device],
        inputs: tuple[str, ...],
        shape_of: Callable[..., Shape],
    ) -> None:
        self._handle: Optional[int] = None
        self._device = default_device() if device is None else device
        self._inputs, self._shape_of = inputs, shape_of
        handle = ctypes.c_void_p()
        name = None if prefix is None else prefix.encode()
        call(function, self._device.handle, options, os.fsencode(path), name, ctypes.byref(handle))
        self._handle = handle.value

    def __call__(
        self,
        *maps: Any,
        size: Optional[tuple[int, int]] = None,
        out: Optional[Any] = None,
        device: Optional[Device] = None,
    ) -> Any:
        """Upsamples features.

        Args:
            maps: the encoder features [B, Cy, OH, OW] and the decoder features [B, Cx, H, W]; CARAFE takes the features
                alone, NAF and AnyUp an image [B, 3, Hi, Wi] and features [B, C, H, W]. In the type that the module was
                loaded for, contiguous or channels-last.
            size: (OH, OW), of NAF and AnyUp; None for that of the image.
            out: the array for the output; a new one if None.
            device: the module's own on another stream, by :meth:`Device.on_stream`; None for its own.

        Returns:
            The output, [B, C, OH, OW], in the memory format of the decoder features.

        Raises:
            InvalidArgumentError: shapes or types do not fit the module or each other.
            ClosedError: the module was closed.
        """
        handle, call, operands = self._start(maps, device)
        given = () if size is None else (pair("size", size),)
        if given and self._inputs[0] != _IMAGE:
            raise InvalidArgumentError(f"'size' is {size!r}; the output of this module has the size of its inputs.")
        output = call.output("out", out, self._shape_of(*(operand.shape for operand in operands), *given), operands[-1])
        encoder: Optional[Operand] = operands[0] if len(operands) == 2 else None
        call.run_on(handle, "module_forward_on", call.device.handle, encoder, operands[-1], output)
        return output.value

    def backward(
        self,
        *maps: Any,
        grad_output: Any,
        wanted: Optional[Sequence[str]] = None,
        device: Optional[Device] = None,
    ) -> tuple[Any, ...]:
        """Computes the gradients of the maps from that of the output, which is computed again. Parameters are fixed.

        Args:
            maps: as in the call.
            grad_output: the gradient of the output, in its shape.
            wanted: the names of the maps whose gradients to compute, such as ``"image"``; all if None.
            device: as in the call.

        Returns:
            The gradients, one for each map, in its shape and memory format; None where it was not wanted.

        Raises:
            InvalidArgumentError: shapes or types do not fit the module or each other, or a name is unknown.
            ClosedError: the module was closed.
        """
        names = self._inputs if wanted is None else (wanted,) if isinstance(wanted, str) else tuple(wanted)
        if not names or not set(names) <= set(self._inputs):
            raise InvalidArgumentError(
                f"'wanted' is {sorted(names)}; choose from {', '.join(map(repr, self._inputs))}."
            )
        handle, call, (*operands, gradient) = self._start(maps, device, grad_output=grad_output)
        results: list[Optional[Operand]] = [
            call.output(f"grad_{name}", None, operand.shape, operand) if name in names else None
            for name, operand in zip(self._inputs, operands)
        ]
        # CARAFE has no guide.
        missing: list[Optional[Operand]] = [None] * (2 - len(operands))
        call.run_on(handle, "module_backward_on", call.device.handle, *missing, *operands, gradient, *missing, *results)
        return tuple(map(value_of, results))

    def _start(self, maps: Sequence[Any], device: Optional[Device], **others: Any) -> tuple[int, Call, list[Operand]]:
        if len(maps) != len(self._inputs):
            raise InvalidArgumentError(f"The module takes {' and '.join(self._inputs)}; got {len(maps)} maps.")
        if self._handle is None:
            raise ClosedError("The module was closed; load it again.")
        on = self._device if device is None else device
        call, operands = start(on, **dict(zip(self._inputs, maps)), **others)
        return self._handle, call, list(operands)

    def close(self) -> None:
        """Releases the parameters, after the last call that is under way; does nothing the second time."""
        handle, self._handle = self._handle, None
        if handle is not None:
            call("module_close", handle)

    def __enter__(self) -> Module:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # As of a device: a forked child cannot, and need not.
        try:
            self.close()
        except (SapaGpuError, TypeError, AttributeError):
            pass


def load_upsampler(
    path: Path,
    encoder_channels: int,
    decoder_channels: int,
    *,
    prefix: Optional[str] = None,
    similarity: str = "bilinear",
    feature_norm: str = "layer",
    norm_groups: int = 32,
    embedding_channels: int = 64,
    value_channels: Optional[int] = None,
    kernel_size: int = 5,
    border: str = "zero_logit",
    normalisation: str = "softmax",
    bias: bool = True,
    epsilon: float = 1e-5,
    allows_downsampling: bool = False,
    dtype: str = "float32",
    device: Optional[Device] = None,
) -> Module:
    """Loads SAPA-I, -B or -G with the parameters of a checkpoint.

    Args:
        path: of a ``.safetensors`` file, or a ``.pth`` of PyTorch, whose pickle is parsed and never run.
        encoder_channels: of the guide.
        decoder_channels: of the features that are upsampled.
        prefix: of the names of the module's parameters in the file, such as ``"decode_head.up1."``. Every parameter has
            to be there, in its shape, and nothing else with that prefix.
        similarity: as of :class:`sapagpu.torch.SapaUpsampler`, as are all options down to
            ``allows_downsampling``.
        dtype: of the maps: ``"float32"``, ``"float64"``, ``"float16"`` or ``"bfloat16"``.
        device: the processor if None.

    Raises:
        InvalidArgumentError: options do not fit.
        FileError: the file cannot be read, is damaged, or does not have the parameters.
    """
    channels = int32("decoder_channels", decoder_channels)
    outputs = 0 if value_channels is None else _positive("value_channels", value_channels)
    options = _abi.UpsamplerOptions(
        element_type=choice("dtype", dtype, _abi.ELEMENT_TYPES),
        encoder_channels=int32("encoder_channels", encoder_channels),
        decoder_channels=channels,
        similarity=choice("similarity", similarity, _abi.SIMILARITIES),
        feature_norm=choice("feature_norm", feature_norm, _abi.FEATURE_NORMS),
        norm_groups=int32("norm_groups", norm_groups),
        embedding_channels=int32("embedding_channels", embedding_channels),
        value_channels=outputs,
        window=int32("kernel_size", kernel_size),
        border=choice("border", border, _abi.BORDERS),
        normalisation=choice("normalisation", normalisation, _abi.NORMALISATIONS),
        has_bias=int(bool(bias)),
        allows_downsampling=int(bool(allows_downsampling)),
        epsilon=float(epsilon),
    )

    def shape_of(encoder: Shape, decoder: Shape) -> Shape:
        return decoder[0], outputs or channels, encoder[2], encoder[3]

    return Module("upsampler_load", options, path, prefix, device, ("encoder", "decoder"), shape_of)


def load_deformable_upsampler(
    path: Path,
    encoder_channels: int,
    decoder_channels: int,
    *,
    prefix: Optional[str] = None,
    scale: int = 2,
    groups: int = 4,
    points: int = 9,
    embedding_channels: int = 32,
    high_resolution_offsets: bool = True,
    norm_groups: Optional[int] = None,
    bias: bool = True,
    epsilon: float = 1e-5,
    dtype: str = "float32",
    device: Optional[Device] = None,
) -> Module:
    """Loads SAPA-D with the parameters of a checkpoint; options as of :class:`sapagpu.torch.SapaDeformableUpsampler`,
    the rest as of :func:`load_upsampler`.

    Raises:
        InvalidArgumentError: options do not fit.
        FileError: the file cannot be read, is damaged, or does not have the parameters.
    """
    ratio = int32("scale", scale)
    options = _abi.DeformableUpsamplerOptions(
        element_type=choice("dtype", dtype, _abi.ELEMENT_TYPES),
        encoder_channels=int32("encoder_channels", encoder_channels),
        decoder_channels=int32("decoder_channels", decoder_channels),
        scale=ratio,
        groups=int32("groups", groups),
        points=int32("points", points),
        embedding_channels=int32("embedding_channels", embedding_channels),
        high_resolution_offsets=int(bool(high_resolution_offsets)),
        feature_norm=_abi.FEATURE_NORMS["none" if norm_groups is None else "group"],
        norm_groups=1 if norm_groups is None else int32("norm_groups", norm_groups),
        has_bias=int(bool(bias)),
        epsilon=float(epsilon),
    )

    def shape_of(encoder: Shape, decoder: Shape) -> Shape:
        return decoder[0], decoder[1], ratio * decoder[2], ratio * decoder[3]

    return Module("deformable_upsampler_load", options, path, prefix, device, ("encoder", "decoder"), shape_of)


def load_carafe(
    path: Path,
    channels: int,
    *,
    prefix: Optional[str] = None,
    scale: int = 2,
    kernel_size: int = 5,
    groups: int = 1,
    encoder_kernel: int = 3,
    encoder_dilation: int = 1,
    compressed_channels: int = 64,
    dtype: str = "float32",
    device: Optional[Device] = None,
) -> Module:
    """Loads CARAFE with the parameters of a checkpoint; options as of :class:`sapagpu.torch.CarafeUpsampler`, the rest
    as of :func:`load_upsampler`.

    Raises:
        InvalidArgumentError: options do not fit.
        FileError: the file cannot be read, is damaged, or does not have the parameters.
    """
    ratio = int32("scale", scale)
    options = _abi.CarafeOptions(
        element_type=choice("dtype", dtype, _abi.ELEMENT_TYPES),
        channels=int32("channels", channels),
        scale=ratio,
        window=int32("kernel_size", kernel_size),
        groups=int32("groups", groups),
        encoder_kernel=int32("encoder_kernel", encoder_kernel),
        encoder_dilation=int32("encoder_dilation", encoder_dilation),
        compressed_channels=int32("compressed_channels", compressed_channels),
    )

    def shape_of(features: Shape) -> Shape:
        return features[0], features[1], ratio * features[2], ratio * features[3]

    return Module("carafe_load", options, path, prefix, device, ("features",), shape_of)


def load_naf(
    path: Path,
    *,
    prefix: Optional[str] = None,
    channels: int = 256,
    heads: int = 4,
    rotary_heads: int = 4,
    kernel_size: int = 9,
    blocks: int = 2,
    norm_groups: int = 8,
    epsilon: float = 1e-5,
    dtype: str = "float32",
    device: Optional[Device] = None,
) -> Module:
    """Loads NAF with the parameters of a checkpoint; options as of :class:`sapagpu.torch.NafUpsampler`, the rest as of
    :func:`load_upsampler`. It is called with an image and features.

    Raises:
        InvalidArgumentError: options do not fit.
        FileError: the file cannot be read, is damaged, or does not have the parameters.
    """
    options = _abi.NafOptions(
        element_type=choice("dtype", dtype, _abi.ELEMENT_TYPES),
        channels=int32("channels", channels),
        heads=int32("heads", heads),
        rotary_heads=int32("rotary_heads", rotary_heads),
        window=int32("kernel_size", kernel_size),
        blocks=int32("blocks", blocks),
        norm_groups=int32("norm_groups", norm_groups),
        # The periods are in the checkpoint.
        rotary_base=100.0,
        epsilon=float(epsilon),
    )
    return Module("naf_load", options, path, prefix, device, (_IMAGE, "features"), _shape_at_size)


def load_anyup(
    path: Path,
    *,
    prefix: Optional[str] = None,
    channels: int = 128,
    heads: int = 4,
    image_kernel: int = 1,
    feature_kernel: int = 5,
    feature_kernels: int = 128,
    window_ratio: float = 0.1,
    norm_groups: int = 8,
    epsilon: float = 1e-5,
    rms_epsilon: float = 2.0**-23,
    dtype: str = "float32",
    device: Optional[Device] = None,
) -> Module:
    """Loads AnyUp with the parameters of a checkpoint; options as of :class:`sapagpu.torch.AnyUpUpsampler`, the rest as
    of :func:`load_upsampler`. It is called with an image and features.

    Raises:
        InvalidArgumentError: options do not fit.
        FileError: the file cannot be read, is damaged, or does not have the parameters.
    """
    options = _abi.AnyUpOptions(
        element_type=choice("dtype", dtype, _abi.ELEMENT_TYPES),
        channels=int32("channels", channels),
        heads=int32("heads", heads),
        image_kernel=int32("image_kernel", image_kernel),
        feature_kernel=int32("feature_kernel", feature_kernel),
        feature_kernels=int32("feature_kernels", feature_kernels),
        norm_groups=int32("norm_groups", norm_groups),
        window_ratio=float(window_ratio),
        epsilon=float(epsilon),
        rms_epsilon=float(rms_epsilon),
    )
    return Module("anyup_load", options, path, prefix, device, (_IMAGE, "features"), _shape_at_size)


def _shape_at_size(image: Shape, features: Shape, size: Optional[tuple[int, int]] = None) -> Shape:
    return (*features[:2], *(image[2:] if size is None else size))


def _positive(name: str, value: object) -> int:
    number = int32(name, value)
    if number < 1:
        raise InvalidArgumentError(f"'{name}' is {number}; it must be at least 1.")
    return number
