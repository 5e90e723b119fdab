"""The exceptions of the package. Each is a :class:`SapaGpuError` and, where Python has one for it, the usual exception
too.
"""

from __future__ import annotations


class SapaGpuError(RuntimeError):
    """An error of the library. The text names the operands and says what to change."""


class LibraryMissingError(SapaGpuError, ImportError):
    """libsapagpu was not found, or is another version than this package."""


class InvalidArgumentError(SapaGpuError, ValueError):
    """A wrong shape, stride, type or value."""


class NotSupportedError(SapaGpuError, NotImplementedError):
    """The device or the library cannot do this."""


class DeviceUnavailableError(SapaGpuError):
    """There is no such device on this machine."""


class OutOfMemoryError(SapaGpuError, MemoryError):
    """The device does not have enough memory."""


class InvalidHandleError(SapaGpuError, ValueError):
    """A device that is not open."""


class ClosedError(SapaGpuError, ValueError):
    """The device was closed."""


class FileError(SapaGpuError, OSError):
    """A file cannot be read, is damaged, or does not fit."""


class RuntimeMissingError(SapaGpuError, ImportError):
    """.NET, or the assemblies beside libsapagpu, were not found or cannot start."""


class ForkedError(SapaGpuError):
    """The process was forked after the first call: .NET does not survive that."""


class InternalError(SapaGpuError):
    """An error of the library or of a driver."""


_BY_STATUS: dict[int, type[SapaGpuError]] = {
    1: InvalidArgumentError,
    2: NotSupportedError,
    3: DeviceUnavailableError,
    4: OutOfMemoryError,
    5: InvalidHandleError,
    6: ClosedError,
    7: FileError,
    8: RuntimeMissingError,
    9: ForkedError,
    10: InternalError,
}

_FORKED = 9


def error_of(status: int, text: str) -> SapaGpuError:
    """Returns the exception for a status that is not SAPA_OK."""
    if status == _FORKED:
        text += " With multiprocessing: multiprocessing.get_context('spawn')."
    return _BY_STATUS.get(status, InternalError)(text)
