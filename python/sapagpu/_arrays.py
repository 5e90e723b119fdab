"""Operands of calls: arrays of numpy and of what speaks DLPack, described in place."""

from __future__ import annotations

import ctypes
from typing import Any, Mapping, Optional, Sequence

import numpy
from numpy.typing import NDArray

from . import _abi
from ._layout import Shape, format_of
from ._library import call
from .device import Device, default_device, device_of_cuda_memory
from .dlpack import Array, Borrowed
from .errors import InvalidArgumentError

try:
    from ml_dtypes import bfloat16 as _bfloat16
except ImportError:
    _bfloat16 = None

_TYPES = ", ".join(_abi.ELEMENT_TYPES)
# dtype.name takes as long as the rest of a description.
_NAMES = {numpy.dtype(name): name for name in ("float32", "float64", "float16")}
if _bfloat16 is not None:
    _NAMES[numpy.dtype(_bfloat16)] = "bfloat16"


class Operand:
    """A map [B, C, H, W] of a caller: the descriptor for the library, and what keeps its memory."""

    def __init__(
        self,
        value: Any,
        keeper: Any,
        element_type: str,
        address: int,
        shape: Sequence[int],
        strides: Sequence[int],
        memory_format: str,
        cuda_index: Optional[int] = None,
    ) -> None:
        self.value = value
        self.keeper = keeper
        self.element_type = element_type
        self.shape: Shape = (shape[0], shape[1], shape[2], shape[3])
        self.is_channels_last = memory_format == "channels_last"
        self.cuda_index = cuda_index
        self.tensor = _abi.SapaTensor(
            element_type=_abi.ELEMENT_TYPES[element_type],
            data=address,
            shape=(ctypes.c_int64 * 4)(*shape),
            strides=(ctypes.c_int64 * 4)(*strides),
        )

    @property
    def wide_type(self) -> str:
        """The type of parameters and statistics that go with maps of this type."""
        return "float64" if self.element_type == "float64" else "float32"


def operand(value: Any, name: str, *, written: bool = False, stream: int = 0) -> Operand:
    """Describes an array, or anything with ``__dlpack__``, whose memory is going to be used on a stream of CUDA.

    Raises:
        TypeError: it is no array.
        InvalidArgumentError: it is no map, or is written to and must not be.
    """
    if isinstance(value, numpy.ndarray):
        return _of_numpy(value, name, written)
    if hasattr(value, "__dlpack__") and hasattr(value, "__dlpack_device__"):
        return _of_dlpack(value, name, written, stream)
    raise TypeError(
        f"'{name}' is {type(value).__name__}; expected a numpy array, or an object with __dlpack__. "
        "Convert it by numpy.asarray."
    )


def _of_numpy(array: NDArray[Any], name: str, written: bool) -> Operand:
    if isinstance(array, numpy.ma.MaskedArray):
        raise InvalidArgumentError(f"'{name}' is a masked array, whose mask would be lost. Fill it by filled(value).")
    _check_dimensions(array.shape, name)
    element_type = _NAMES.get(array.dtype)
    if element_type is None:
        if array.dtype.newbyteorder("=") in _NAMES:
            raise InvalidArgumentError(
                f"'{name}' has the byte order of another machine ({array.dtype.str}). Convert it by "
                f"astype('{array.dtype.name}')."
            )
        raise InvalidArgumentError(f"'{name}' is {array.dtype}; expected {_TYPES}. Convert it by astype.")
    size = array.itemsize
    if not array.flags.aligned or any(stride % size != 0 for stride in array.strides):
        raise InvalidArgumentError(f"'{name}' is not aligned to its elements. Copy it by numpy.array(...).")
    _check_writable(written and not array.flags.writeable, name)
    strides = [stride // size for stride in array.strides]
    memory_format = _format_of(array.shape, strides, name, "numpy.ascontiguousarray")
    address = array.__array_interface__["data"][0]
    return Operand(array, array, element_type, address, array.shape, strides, memory_format)


def _of_dlpack(source: Any, name: str, written: bool, stream: int) -> Operand:
    borrowed = Borrowed(source, name, stream)
    _check_dimensions(borrowed.shape, name)
    _check_writable(written and borrowed.is_read_only, name)
    return Operand(
        source,
        borrowed,
        borrowed.element_type,
        borrowed.address,
        borrowed.shape,
        borrowed.strides,
        _format_of(borrowed.shape, borrowed.strides, name, "contiguous() or its like"),
        None if borrowed.is_on_host else borrowed.device_index,
    )


def _check_dimensions(shape: Sequence[int], name: str) -> None:
    if len(shape) != 4:
        raise InvalidArgumentError(f"'{name}' has shape {list(shape)}; expected four dimensions, [B, C, H, W].")
    if min(shape) < 1:
        raise InvalidArgumentError(f"'{name}' has shape {list(shape)}; every dimension must be at least 1.")


def _check_writable(is_read_only: bool, name: str) -> None:
    if is_read_only:
        raise InvalidArgumentError(f"'{name}' is read-only, and the call writes to it. Give a copy.")


def _format_of(shape: Sequence[int], strides: Sequence[int], name: str, remedy: str) -> str:
    memory_format = format_of(shape, strides)
    if memory_format is None:
        raise InvalidArgumentError(
            f"'{name}' has shape {list(shape)} and strides {list(strides)} (in elements), which are neither "
            f"contiguous (NCHW) nor channels-last (NHWC), with gaps or without. Copy it by {remedy}."
        )
    return memory_format


class Call:
    """A call on the device of its operands: the device given, else the processor, or the CUDA device that has the
    memory.
    """

    def __init__(self, device: Optional[Device], operands: Mapping[str, Operand]) -> None:
        places = {name: operand.cuda_index for name, operand in operands.items()}
        if len(set(places.values())) != 1:
            listed = ", ".join(
                f"'{name}' on {'the host' if index is None else f'cuda:{index}'}" for name, index in places.items()
            )
            raise InvalidArgumentError(f"The operands are on different devices: {listed}. Move them to one.")
        index = next(iter(places.values()))
        if device is None:
            device = default_device() if index is None else device_of_cuda_memory(index)
        elif not isinstance(device, Device):
            raise TypeError(f"'device' is {type(device).__name__}; expected sapagpu.Device or None.")
        elif (device.kind, device.index) != (("cpu", 0) if index is None else ("cuda", index)):
            raise InvalidArgumentError(
                f"The operands are on {'the host' if index is None else f'cuda:{index}'}, the device is "
                f"{device.kind}:{device.index}. Host memory goes with Device('cpu'), memory of CUDA with "
                "its own device."
            )
        self.device = device
        self._operands = dict(operands)
        self._index = index

    def output(
        self,
        name: str,
        given: Optional[Any],
        shape: Sequence[int],
        like: Operand,
        element_type: Optional[str] = None,
    ) -> Operand:
        """The array that a caller gave for a result, or a new one in the memory format of an operand."""
        if given is not None:
            result = operand(given, name, written=True, stream=self.device.stream)
            if result.cuda_index != self._index:
                raise InvalidArgumentError(f"'{name}' is on another device than the operands. Move it to theirs.")
        elif self._index is not None:
            raise InvalidArgumentError(f"Memory of CUDA is not allocated here; give the array for '{name}'.")
        else:
            result = operand(_new(shape, like.is_channels_last, element_type or like.element_type), name)
        return result

    def run(self, function: str, *arguments: Any) -> None:
        """Calls a function of the library on the device; operands stand for their descriptors."""
        self.run_on(self.device.handle, function, *arguments)

    def run_on(self, handle: int, function: str, *arguments: Any) -> None:
        """Calls a function of the library on a handle of the device or of something on it."""
        call(
            function,
            handle,
            *(argument.tensor if isinstance(argument, Operand) else argument for argument in arguments),
        )
        if self._index is not None:
            # Whoever reads the result may do so on any stream.
            self.device.synchronize()


def start(device: Optional[Device], **values: Any) -> tuple[Call, list[Operand]]:
    """Describes the operands of a call by name, and finds its device."""
    stream = device.stream if isinstance(device, Device) else 0
    operands = {name: operand(value, name, stream=stream) for name, value in values.items()}
    return Call(device, operands), list(operands.values())


def wanted_outputs(
    call: Call, wanted: Sequence[str], out: Optional[Mapping[str, Any]], shapes: Mapping[str, Operand]
) -> dict[str, Optional[Operand]]:
    """Arrays for the gradients that a caller wants, each like the operand that it belongs to.

    Raises:
        InvalidArgumentError: a name is unknown, or nothing is wanted.
    """
    out = out or {}
    asked = {*([wanted] if isinstance(wanted, str) else wanted), *out}
    unknown = asked - set(shapes)
    if unknown or not asked:
        raise InvalidArgumentError(
            f"'wanted' and 'out' name {sorted(asked)}; choose from {', '.join(map(repr, shapes))}."
        )
    return {
        name: call.output(f"grad_{name}", out.get(name), like.shape, like) if name in asked else None
        for name, like in shapes.items()
    }


def value_of(result: Optional[Operand]) -> Any:
    """What a caller gets for a result: the array, or None."""
    return None if result is None else result.value


def _new(shape: Sequence[int], channels_last: bool, element_type: str) -> Any:
    if element_type == "bfloat16":
        dtype = numpy.dtype(numpy.uint16 if _bfloat16 is None else _bfloat16)
    else:
        dtype = numpy.dtype(element_type)
    b, c, h, w = shape
    array = (
        numpy.empty((b, h, w, c), dtype).transpose(0, 3, 1, 2) if channels_last else numpy.empty((b, c, h, w), dtype)
    )
    return Array(array) if dtype == numpy.uint16 else array
