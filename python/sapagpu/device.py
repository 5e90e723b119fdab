"""Devices, and the ones that calls take where none is named."""

from __future__ import annotations

import ctypes
import os
import threading
from types import TracebackType
from typing import Callable, Hashable, Optional

from . import _abi
from ._library import call
from .errors import ClosedError, InvalidArgumentError, SapaGpuError


class Device:
    """An open device: the processor, or one that OpenCL or CUDA knows.

    A device may be used from any number of threads; calls on one are queued in order. :meth:`on_stream` names another
    stream of CUDA. It is closed by :meth:`close`, at the end of a ``with`` block, or with its last reference.

    Args:
        id: ``"cpu"``, ``"opencl"``, ``"opencl:1"``, ``"cuda"``, ``"cuda:1"``; None for the best one of the machine.
        threads: of the processor; 0 for one per core.
        workspace_bytes: what a backward may take beside its operands; 0 for 256 MiB.
        stream: on CUDA the address of the stream that calls go to; 0 for the default stream.
        primary_context: on CUDA whether to work in the context of the other frameworks of the process.

    Raises:
        DeviceUnavailableError: there is no such device.
        InvalidArgumentError: the identifier is unknown, or a number is out of range.
        RuntimeMissingError: .NET 10 was not found.
        ForkedError: the process was forked after the first call.
    """

    def __init__(
        self,
        id: Optional[str] = "cpu",
        *,
        threads: int = 0,
        workspace_bytes: int = 0,
        stream: int = 0,
        primary_context: bool = False,
    ) -> None:
        self._handle: Optional[int] = None
        self._parent: Optional[Device] = None
        self._stream = stream
        if id is not None and not isinstance(id, str):
            raise TypeError(f"'id' is {type(id).__name__}; expected a string such as 'cpu', or None.")
        if not 0 <= threads < 2**31 or not 0 <= workspace_bytes < 2**63:
            raise InvalidArgumentError(
                f"'threads' and 'workspace_bytes' must be at least 0 and fit; got {threads} and {workspace_bytes}."
            )
        options = _abi.DeviceOptions(
            threads=threads,
            workspace_bytes=workspace_bytes,
            stream=stream or None,
            uses_primary_context=int(bool(primary_context)),
        )
        handle = ctypes.c_void_p()
        call("device_open", None if id is None else id.encode(), ctypes.byref(options), ctypes.byref(handle))
        self._handle = handle.value
        self._info = self._read_info()
        self._kind, self._index = _kind_and_index(self._info)

    @property
    def handle(self) -> int:
        """The handle of the C interface.

        Raises:
            ClosedError: the device was closed.
        """
        handle = self._handle
        if handle is None or not self._is_open:
            raise ClosedError("The device was closed; open another one.")
        return handle

    @property
    def _is_open(self) -> bool:
        return self._handle is not None and (self._parent is None or self._parent._is_open)

    @property
    def kind(self) -> str:
        """``"cpu"``, ``"opencl"`` or ``"cuda"``."""
        return self._kind

    @property
    def index(self) -> int:
        """The number of the device among those of its kind."""
        return self._index

    @property
    def stream(self) -> int:
        """On CUDA the address of the stream that calls go to; 0 for the default stream."""
        return self._stream

    def on_stream(self, stream: int) -> Device:
        """Returns this device with the queue of another stream of CUDA: it shares context, kernels and modules, so that one
        open device serves all streams.

        The memory that calls on a stream worked in is kept for the next one on that stream, until the device is closed, or
        :meth:`close` of what is returned, which waits for the GPU: before the stream is destroyed, and not while others use
        it. With its last reference it is not closed.

        Args:
            stream: the address of a stream of the context that frameworks share; 0 for the default stream, which is all
                that the processor and OpenCL take.

        Raises:
            InvalidArgumentError: the device was opened without ``primary_context``, or the stream is the one of each thread.
            NotSupportedError: the device is not a CUDA device.
            ClosedError: the device was closed.
        """
        handle = ctypes.c_void_p()
        call("device_on_stream", self.handle, stream or None, ctypes.byref(handle))
        found = Device.__new__(Device)
        found._handle, found._parent, found._stream = handle.value, self._parent or self, stream
        found._info, found._kind, found._index = self._info, self._kind, self._index
        return found

    def info(self) -> str:
        """Returns identifier, name and properties as text, also of a device that was closed."""
        return self._info

    def _read_info(self) -> str:
        length = ctypes.c_size_t()
        call("device_info", self.handle, None, 0, ctypes.byref(length))
        buffer = ctypes.create_string_buffer(length.value + 1)
        call("device_info", self.handle, buffer, len(buffer), None)
        return buffer.value.decode()

    def synchronize(self) -> None:
        """Waits until all calls that were queued on the stream have finished, and raises their errors.

        Raises:
            ClosedError: the device was closed.
        """
        call("device_synchronize", self.handle)

    def close(self) -> None:
        """Waits for running calls and closes the device; does nothing the second time."""
        handle, self._handle = self._handle, None
        if handle is not None and (self._parent is None or self._parent._is_open):
            call("device_close", handle)

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # A forked child cannot close what its parent opened, and need not. Others may use the same stream.
        try:
            if self._parent is None:
                self.close()
        except (SapaGpuError, TypeError, AttributeError):
            pass

    def __repr__(self) -> str:
        stream = f", stream 0x{self._stream:x}" if self._stream else ""
        return f"<sapagpu.Device {self._info}{stream}{'' if self._is_open else ', closed'}>"


def _kind_and_index(info: str) -> tuple[str, int]:
    # "cuda:1: NVIDIA ..., or "cpu: ...".
    parts = info.split(":", 2)
    return parts[0], int(parts[1]) if len(parts) > 2 and parts[1].isdigit() else 0


class DeviceCache:
    """Devices that calls share, opened when first wanted."""

    def __init__(self) -> None:
        self._devices: dict[Hashable, Device] = {}
        self._lock = threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._replace_lock)

    def get(self, key: Hashable, open_device: Callable[[], Device]) -> Device:
        """Returns the device of a key, another one if somebody closed it."""
        device = self._devices.get(key)
        if device is None or not device._is_open:
            with self._lock:
                device = self._devices.get(key)
                if device is None or not device._is_open:
                    device = self._devices[key] = open_device()
        return device

    def _replace_lock(self) -> None:
        # Another thread may have held it in the parent, and does not exist in the child.
        self._lock = threading.Lock()


_shared = DeviceCache()


def default_device() -> Device:
    """Returns the processor with one thread per core, which calls on host memory use where no device is given."""
    return _shared.get("cpu", lambda: Device("cpu"))


def device_of_cuda_memory(index: int) -> Device:
    """Returns the CUDA device that shares the context of other frameworks, on the default stream."""
    return _shared.get(("cuda", index), lambda: Device(f"cuda:{index}", primary_context=True))
