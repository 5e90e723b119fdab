"""Guided upsampling of a small map to the size of a photo, without trained parameters."""

from __future__ import annotations

import ctypes
from typing import Any, Optional, Sequence

import numpy
from numpy.typing import NDArray

from . import _abi
from ._library import call
from ._options import choice, int32
from .device import Device
from .errors import InvalidArgumentError

# What the library computes an array of another type in. The result comes back in the type of the array.
_COMPUTED_IN = {"bool": "uint8", "int8": "int32", "int16": "int32", "float16": "float32", "float64": "float32"}
_CHECKED = {"uint32", "int64", "uint64"}


def upsample(
    map: Any,
    guide: Any,
    kind: str = "image",
    *,
    method: str = "guided",
    kernel_size: Optional[int] = None,
    colour_sigma: Optional[float] = None,
    space_sigma: Optional[float] = None,
    unknown: Sequence[float] = (),
    refine: bool = True,
    has_opacity: bool = False,
    are_probabilities: bool = False,
    classes: bool = False,
    device: Optional[Device] = None,
) -> NDArray[Any]:
    """Brings a small map to the size of a photo, guided by the photo.

    Args:
        map: [h, w] or [h, w, C], at most as large as the guide; anything that ``numpy.asarray`` takes. Booleans, whole
            numbers that fit into 32 bits, and floating point, which is computed in single precision.
        guide: the photo, uint8 [H, W], [H, W, 1] or sRGB [H, W, 3].
        kind: ``"mask"``, ``"labels"`` (one channel), ``"depth"``, ``"image"``, ``"features"`` or ``"logits"`` (a
            channel for every class).
        method: ``"guided"``, ``"bilinear"`` or ``"nearest"``.
        kernel_size: the window in cells, odd, from 1 to 15; None for the default of the kind.
        colour_sigma: the standard deviation over colours; None for the default of the kind.
        space_sigma: the standard deviation over distance, in cells; None for the default of the kind.
        unknown: values that mark missing ones, beside everything that is not finite.
        refine: whether to do more than the mean over the window, where the kind has it.
        has_opacity: whether the last channel of an image is opacity.
        are_probabilities: whether a map of logits holds probabilities already.
        classes: of logits: whether to return the number of the likeliest class, int32 [H, W].
        device: where the kernel runs; the processor if None.

    Returns:
        The map in the size of the guide, of the map's type and channels; of logits the probabilities.

    Raises:
        InvalidArgumentError: sizes, types or options do not fit; also a ValueError.
    """
    if isinstance(map, numpy.ma.MaskedArray):
        raise InvalidArgumentError(
            "'map' is a masked array, whose mask would be lost. Give map.filled(value) and unknown=[value]."
        )
    photo = _photo(guide)
    small = numpy.asarray(map)
    if small.ndim not in (2, 3) or small.size == 0:
        raise InvalidArgumentError(
            f"'map' has shape {list(small.shape)}; expected [h, w] or [h, w, C], each at least 1."
        )
    computed = numpy.ascontiguousarray(_computed(small))
    if classes and kind != "logits":
        raise InvalidArgumentError(f"'classes' goes with kind 'logits'; got {kind!r}.")
    shape = photo.shape[:2] if classes else (*photo.shape[:2], *small.shape[2:])
    result = numpy.empty(shape, numpy.int32 if classes else computed.dtype)
    missing = (ctypes.c_double * len(unknown))(*unknown)
    options = _abi.GuidedOptions(
        kind=choice("kind", kind, _abi.MAP_KINDS),
        method=choice("method", method, _abi.UPSAMPLE_METHODS),
        window=_given("kernel_size", kernel_size, int32),
        colour_sigma=_given("colour_sigma", colour_sigma, _number),
        space_sigma=_given("space_sigma", space_sigma, _number),
        unknown=missing,
        unknown_count=len(missing),
        refine=int(bool(refine)),
        has_opacity=int(bool(has_opacity)),
        are_probabilities=int(bool(are_probabilities)),
    )
    handle = None if device is None else device.handle
    call("guided_upsample", handle, _image(photo), _image(computed), _image(result), options)
    return result if classes else result.astype(small.dtype, copy=False)


def _photo(guide: Any) -> NDArray[Any]:
    photo = numpy.asarray(guide)
    if photo.dtype != numpy.uint8:
        raise InvalidArgumentError(
            f"'guide' is {photo.dtype}; expected uint8. A photo from 0 to 1 becomes one by "
            "(photo * 255).round().astype('uint8')."
        )
    if photo.ndim not in (2, 3) or photo.size == 0 or photo.shape[2:] not in ((), (1,), (3,)):
        raise InvalidArgumentError(
            f"'guide' has shape {list(photo.shape)}; expected [H, W], [H, W, 1] or [H, W, 3], each at "
            "least 1. Leave opacity out."
        )
    return numpy.ascontiguousarray(photo)


def _computed(small: NDArray[Any]) -> NDArray[Any]:
    name = small.dtype.name
    if name in _abi.SAMPLE_TYPES:
        return small.astype(name, copy=False)
    if name in _COMPUTED_IN:
        return small.astype(_COMPUTED_IN[name])
    if name in _CHECKED:
        if small.min() < -(2**31) or small.max() >= 2**31:
            raise InvalidArgumentError(f"'map' is {name} and has values that do not fit into 32 bits.")
        return small.astype(numpy.int32)
    raise InvalidArgumentError(f"'map' is {small.dtype}; expected whole or floating-point numbers, or booleans.")


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidArgumentError(f"'{name}' is {value!r}; expected a number.") from None


def _given(name: str, value: Any, read: Any) -> Any:
    # 0 stands for the default in the C interface, and must not do so for a caller who says 0.
    if value is None:
        return 0
    number = read(name, value)
    if not number > 0:
        raise InvalidArgumentError(f"'{name}' is {value!r}; it must be above 0, or None for the default.")
    return number


def _image(array: NDArray[Any]) -> _abi.SapaImage:
    return _abi.SapaImage(
        sample_type=_abi.SAMPLE_TYPES[array.dtype.name],
        data=array.ctypes.data,
        height=array.shape[0],
        width=array.shape[1],
        channels=array.shape[2] if array.ndim == 3 else 1,
    )
