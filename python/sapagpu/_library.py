"""Finds and loads libsapagpu. Loading does not start .NET; the first call does."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from . import _abi
from .errors import LibraryMissingError, error_of

_NAMES = {"darwin": "libsapagpu.dylib", "win32": "sapagpu.dll"}


def _candidates() -> list[Path]:
    """Where the library may be, best first: in the package, where SAPAGPU_LIBRARY says, in a source checkout."""
    name = _NAMES.get(sys.platform, "libsapagpu.so")
    package = Path(__file__).resolve().parent
    found = [package / "lib" / name]
    named = os.environ.get("SAPAGPU_LIBRARY")
    if named:
        path = Path(named)
        found.append(path / name if path.is_dir() else path)
    found.append(package.parents[1] / "native" / "out" / "lib" / name)
    return found


def _load() -> ctypes.CDLL:
    candidates = _candidates()
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        raise LibraryMissingError(
            f"libsapagpu was not found. Looked at: {', '.join(map(str, candidates))}. Install the wheel, "
            "run native/build.sh in a source checkout, or set SAPAGPU_LIBRARY to the library or its folder."
        )
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise LibraryMissingError(f"{path} cannot be loaded: {error}") from error
    library.sapa_abi_version.restype = ctypes.c_int32
    library.sapa_version.restype = ctypes.c_char_p
    library.sapa_last_error.restype = ctypes.c_char_p
    version = library.sapa_abi_version()
    if version != _abi.ABI_VERSION:
        raise LibraryMissingError(
            f"{path} has version {version} of the C interface; this package needs {_abi.ABI_VERSION}. Install "
            "both from one release."
        )
    for name, parameters in _abi.FUNCTIONS.items():
        function = getattr(library, f"sapa_{name}", None)
        if function is None:
            raise LibraryMissingError(
                f"{path} lacks sapa_{name}. Install the library and this package from one release."
            )
        function.restype = ctypes.c_int32
        function.argtypes = parameters
    return library


_library = _load()
_functions = {name: getattr(_library, f"sapa_{name}") for name in _abi.FUNCTIONS}


def call(name: str, *arguments: object) -> None:
    """Calls a function of the C interface and raises what it reports. Other threads run meanwhile."""
    status = _functions[name](*arguments)
    if status != 0:
        raise error_of(status, _library.sapa_last_error().decode("utf-8", "replace"))


def version() -> str:
    """Returns the version of the library, such as ``"0.1.0"``.

    Raises:
        RuntimeMissingError: .NET 10 was not found.
        ForkedError: the process was forked after the first call.
    """
    text = _library.sapa_version()
    if text is None:
        # A call that fails in the same way tells which error it is.
        call("device_synchronize", None)
    return text.decode()
