"""Memory of other frameworks by DLPack, without a copy and without a compiler.

:class:`Borrowed` reads what any object with ``__dlpack__`` holds. :class:`Array` is memory of this package that other
frameworks read: bfloat16 results, which numpy alone has no type for.
"""

from __future__ import annotations

import ctypes as C
from typing import Any, Optional, Sequence

import numpy
from numpy.typing import NDArray

from .errors import InvalidArgumentError, NotSupportedError

CPU, CUDA, CUDA_HOST, CUDA_MANAGED = 1, 2, 3, 13
_HOST = {CPU, CUDA_HOST}
_ELEMENT_TYPES = {(2, 32): "float32", (2, 64): "float64", (2, 16): "float16", (4, 16): "bfloat16"}
_READ_ONLY = 1
# The stream that CUDA's consumers mean by 1: the default one, which orders itself with all that block.
_DEFAULT_STREAM = 1


class _Tensor(C.Structure):
    _fields_ = [
        ("data", C.c_void_p),
        ("device_type", C.c_int32),
        ("device_id", C.c_int32),
        ("ndim", C.c_int32),
        ("code", C.c_uint8),
        ("bits", C.c_uint8),
        ("lanes", C.c_uint16),
        ("shape", C.POINTER(C.c_int64)),
        ("strides", C.POINTER(C.c_int64)),
        ("byte_offset", C.c_uint64),
    ]


class _Managed(C.Structure):
    """DLManagedTensor, what a capsule named "dltensor" holds."""

    _fields_ = [("tensor", _Tensor), ("context", C.c_void_p), ("deleter", C.c_void_p)]


class _Versioned(C.Structure):
    """DLManagedTensorVersioned, what a capsule named "dltensor_versioned" holds."""

    _fields_ = [
        ("major", C.c_uint32),
        ("minor", C.c_uint32),
        ("context", C.c_void_p),
        ("deleter", C.c_void_p),
        ("flags", C.c_uint64),
        ("tensor", _Tensor),
    ]


_pointer_of = C.pythonapi.PyCapsule_GetPointer
_pointer_of.restype, _pointer_of.argtypes = C.c_void_p, [C.py_object, C.c_char_p]
_is_named = C.pythonapi.PyCapsule_IsValid
_is_named.restype, _is_named.argtypes = C.c_int, [C.py_object, C.c_char_p]


class Borrowed:
    """What an object with ``__dlpack__`` holds. The memory stays as long as this object lives.

    Args:
        source: the object.
        name: of the operand, for errors.
        stream: of CUDA, on which the memory is going to be used: its producer lets that wait for its own work. 0 for the
            default stream.

    Raises:
        InvalidArgumentError: it is no map [B, C, H, W] of a known type.
        NotSupportedError: it is on a device that neither the host nor CUDA can read.
    """

    def __init__(self, source: Any, name: str, stream: int = 0) -> None:
        device_type, self.device_index = (int(part) for part in source.__dlpack_device__())
        if device_type not in _HOST | {CUDA, CUDA_MANAGED}:
            raise NotSupportedError(
                f"'{name}' is on a device of DLPack type {device_type}; memory of the host and of CUDA can be read."
            )
        self.is_on_host = device_type in _HOST
        arguments = {} if self.is_on_host else {"stream": stream or _DEFAULT_STREAM}
        # The capsule frees the memory itself, since it is not marked as used.
        try:
            self._capsule = source.__dlpack__(max_version=(1, 0), **arguments)
        except TypeError:
            self._capsule = source.__dlpack__(**arguments)
        tensor = self._tensor_of_capsule(name)
        element_type = _ELEMENT_TYPES.get((tensor.code, tensor.bits)) if tensor.lanes == 1 else None
        if element_type is None:
            raise InvalidArgumentError(
                f"'{name}' has DLPack type code {tensor.code} with {tensor.bits} bits and {tensor.lanes} lanes; "
                "expected float32, float64, float16 or bfloat16."
            )
        self.element_type: str = element_type
        self.shape = tuple(tensor.shape[i] for i in range(tensor.ndim))
        self.address = (tensor.data or 0) + tensor.byte_offset
        if tensor.strides:
            self.strides = tuple(tensor.strides[i] for i in range(tensor.ndim))
        else:
            strides = [1] * tensor.ndim
            for i in reversed(range(tensor.ndim - 1)):
                strides[i] = strides[i + 1] * self.shape[i + 1]
            self.strides = tuple(strides)

    def _tensor_of_capsule(self, name: str) -> _Tensor:
        self.is_read_only = False
        if _is_named(self._capsule, b"dltensor_versioned"):
            versioned = _Versioned.from_address(_pointer_of(self._capsule, b"dltensor_versioned"))
            if versioned.major != 1:
                raise NotSupportedError(f"'{name}' speaks version {versioned.major} of DLPack; expected 1.")
            self.is_read_only = bool(versioned.flags & _READ_ONLY)
            return versioned.tensor
        if _is_named(self._capsule, b"dltensor"):
            return _Managed.from_address(_pointer_of(self._capsule, b"dltensor")).tensor
        raise InvalidArgumentError(f"'{name}': its __dlpack__() returned no DLPack capsule.")


class Array:
    """A map of bfloat16 in host memory, for frameworks that read DLPack: ``torch.from_dlpack(array)``.

    Attributes:
        bits: the values as uint16, [B, C, H, W].
        shape: [B, C, H, W].
    """

    def __init__(self, bits: NDArray[Any]) -> None:
        if bits.dtype != numpy.uint16:
            raise TypeError(f"'bits' is {bits.dtype}; expected uint16.")
        self.bits = bits

    @property
    def shape(self) -> tuple[int, ...]:
        return self.bits.shape

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU, 0

    def __dlpack__(self, *, stream: Optional[int] = None, **_: Any) -> Any:
        """Returns a capsule; the memory lives until its consumer lets go of it."""
        if stream is not None:
            raise BufferError("Memory of the host has no stream; leave it out.")
        return _export(self.bits)

    def __repr__(self) -> str:
        return f"<sapagpu.dlpack.Array bfloat16 {list(self.shape)}>"


# What consumers hold: the descriptor, and the memory that it describes, by the descriptor's address.
_lent: dict[int, tuple[Any, ...]] = {}


@C.CFUNCTYPE(None, C.c_void_p)  # type: ignore[misc]
def _delete(address: int) -> None:
    _lent.pop(address, None)


@C.CFUNCTYPE(None, C.c_void_p)  # type: ignore[misc]
def _destroy_capsule(capsule: int) -> None:
    # A capsule that nobody took still has its name; its consumer calls the deleter otherwise.
    if _raw_is_named(capsule, b"dltensor"):
        _lent.pop(_raw_pointer_of(capsule, b"dltensor"), None)


# The capsule is being freed when its destructor runs: no reference may be made of it.
_raw_is_named = C.PYFUNCTYPE(C.c_int, C.c_void_p, C.c_char_p)(("PyCapsule_IsValid", C.pythonapi))
_raw_pointer_of = C.PYFUNCTYPE(C.c_void_p, C.c_void_p, C.c_char_p)(("PyCapsule_GetPointer", C.pythonapi))
_new_capsule = C.PYFUNCTYPE(C.py_object, C.c_void_p, C.c_void_p, C.c_void_p)(("PyCapsule_New", C.pythonapi))
_NAME = C.create_string_buffer(b"dltensor")


def _export(bits: NDArray[Any]) -> Any:
    strides = [stride // bits.itemsize for stride in bits.strides]
    return capsule(bits.ctypes.data, (CPU, 0), (4, 16), bits.shape, strides, keeper=bits)


def capsule(
    address: int,
    device: tuple[int, int],
    type: tuple[int, int],
    shape: Sequence[int],
    strides: Sequence[int],
    *,
    keeper: Any,
) -> Any:
    """Returns a capsule of memory that an object keeps.

    Args:
        address: of the first element.
        device: type and number of the device, as DLPack counts them.
        type: code and bits of an element, as DLPack counts them.
        shape: of all dimensions.
        strides: of all dimensions, in elements.
        keeper: stays alive until the consumer lets go of the memory.
    """
    count = len(shape)
    lengths, steps = (C.c_int64 * count)(*shape), (C.c_int64 * count)(*strides)
    managed = _Managed(
        _Tensor(
            data=address,
            device_type=device[0],
            device_id=device[1],
            ndim=count,
            code=type[0],
            bits=type[1],
            lanes=1,
            shape=lengths,
            strides=steps,
            byte_offset=0,
        ),
        None,
        C.cast(_delete, C.c_void_p),
    )
    _lent[C.addressof(managed)] = managed, lengths, steps, keeper
    return _new_capsule(C.addressof(managed), C.addressof(_NAME), C.cast(_destroy_capsule, C.c_void_p))
