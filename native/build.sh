#!/usr/bin/env bash
# Builds the C library into native/out: include/, lib/libsapagpu.so and lib/sapagpu/, which it loads. With cmake, or with the C
# compiler alone where cmake is missing. SANITIZE=1 builds with AddressSanitizer, into native/out/sanitized. WITH_RUNTIME=1 puts
# a copy of .NET beside it, lib/dotnet, with what the library needs of it, so that the folder runs on machines without .NET.
set -euo pipefail
cd "$(dirname "$0")"

managed=../src/SapaGpu.Native/bin/Release/net10.0
# Where nothing changed since the last build, asking dotnet would take longer than all the rest.
if [ ! -e "$managed/SapaGpu.Native.dll" ] || [ -n "$(find ../src ../kernels -name obj -prune -o -name '*.cs' \
    -newer "$managed/SapaGpu.Native.dll" -print -quit)" ]; then
    dotnet build ../src/SapaGpu.Native -c Release
fi
sanitize="${SANITIZE:-0}"
prefix="$PWD/out$([ "$sanitize" = 1 ] && echo /sanitized || true)"

if command -v cmake >/dev/null && [ "${SAPAGPU_WITHOUT_CMAKE:-0}" != 1 ]; then
    cmake -S . -B "$prefix/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib \
        -DSAPAGPU_SANITIZE="$([ "$sanitize" = 1 ] && echo ON || echo OFF)" >/dev/null
    cmake --build "$prefix/build" >/dev/null
    cmake --install "$prefix/build" >/dev/null
else
    flags=(-std=c11 -O2 -Wall -Wextra -fPIC -fvisibility=hidden -shared)
    if [ "$sanitize" = 1 ]; then flags+=(-g -fsanitize=address,undefined); fi
    mkdir -p "$prefix/include" "$prefix/lib/sapagpu"
    if [ "$(uname -s)" = Darwin ]; then
        library=libsapagpu.dylib
    else
        library="libsapagpu.so.$(sed -n 's/^#define SAPA_ABI_VERSION //p' include/sapagpu.h)"
        ln -sf "$library" "$prefix/lib/libsapagpu.so"
        flags+=("-Wl,-soname,$library")
    fi
    "${CC:-gcc}" "${flags[@]}" -Iinclude shim.c runtime.c platform_posix.c -o "$prefix/lib/$library" -ldl -lpthread
    cp include/sapagpu.h "$prefix/include/"
    cp "$managed"/*.dll "$managed"/*.deps.json "$managed"/*.runtimeconfig.json "$prefix/lib/sapagpu/"
fi
rm -rf "$prefix/lib/dotnet"
if [ "${WITH_RUNTIME:-0}" = 1 ]; then
    dotnet run copy-runtime.cs -- "$prefix/lib/sapagpu" "$prefix/lib/dotnet"
fi
echo "The C library is in $prefix."
