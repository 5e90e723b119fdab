"""Tensors of torch as operands: descriptors of their memory, and the device that computes on it."""

from __future__ import annotations

import ctypes
from typing import Sequence

import torch

from .. import _abi
from .._layout import format_of
from ..device import Device, DeviceCache, device_of_cuda_memory
from ..errors import InvalidArgumentError

_ELEMENT_TYPES = {getattr(torch, name): number for name, number in _abi.ELEMENT_TYPES.items()}

_devices = DeviceCache()


def check(names: Sequence[str], tensors: Sequence[torch.Tensor]) -> None:
    """Checks that operands are maps of one type on one device.

    Raises:
        InvalidArgumentError: they are not; the text names all of them.
    """
    first = tensors[0]
    for tensor in tensors:
        if tensor.dim() != 4 or tensor.layout != torch.strided:
            problem = "must be dense and have four dimensions, [B, C, H, W]"
        elif tensor.dtype not in _ELEMENT_TYPES:
            problem = f"must be {', '.join(_abi.ELEMENT_TYPES)}; convert them by to(...)"
        elif tensor.dtype != first.dtype:
            problem = "must have one type; convert them by to(dtype)"
        elif tensor.device != first.device:
            problem = "must be on one device; move them by to(device)"
        else:
            continue
        raise InvalidArgumentError(f"The operands {problem}. Operands: {describe(names, tensors)}.")


def describe(names: Sequence[str], tensors: Sequence[torch.Tensor]) -> str:
    """All operands in words."""
    return ", ".join(
        f"{name} {list(tensor.shape)} {str(tensor.dtype)[6:]} on {tensor.device}"
        for name, tensor in zip(names, tensors)
    )


def in_place(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor, or a contiguous copy where the library cannot read its strides."""
    return tensor if format_of(tensor.shape, tensor.stride()) is not None else tensor.contiguous()


def empty(shape: Sequence[int], like: torch.Tensor) -> torch.Tensor:
    """A new map on the device and in the memory format of another one."""
    last = like.numel() > 0 and format_of(like.shape, like.stride()) == "channels_last"
    return torch.empty(
        tuple(shape),
        dtype=like.dtype,
        device=like.device,
        memory_format=torch.channels_last if last else torch.contiguous_format,
    )


def descriptor(tensor: torch.Tensor) -> _abi.SapaTensor:
    """What the library reads of a tensor, which has to stay alive."""
    return _abi.SapaTensor(
        element_type=_ELEMENT_TYPES[tensor.dtype],
        data=tensor.data_ptr(),
        shape=(ctypes.c_int64 * 4)(*tensor.shape),
        strides=(ctypes.c_int64 * 4)(*tensor.stride()),
    )


def device_of(tensor: torch.Tensor) -> Device:
    """The device that computes on the memory of a tensor: on the processor with as many threads as torch, on CUDA in
    torch's context and on its current stream. One device is open for all streams of a GPU. The CUDA path was written from
    the interfaces of both and has not run on hardware.
    """
    if tensor.device.type == "cuda":
        index = tensor.device.index
        stream = torch.cuda.current_stream(tensor.device).cuda_stream
        return _devices.get(("cuda", index, stream), lambda: device_of_cuda_memory(index).on_stream(stream))
    threads = torch.get_num_threads()
    return _devices.get(("cpu", threads), lambda: Device("cpu", threads=threads))
