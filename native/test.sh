#!/usr/bin/env bash
# Builds the C library and runs its tests: values, CUDA where there is a driver, misuse, random calls, threads, fork, machines
# without .NET, ONNX Runtime where its package is, an installed copy; misuse and random calls again with AddressSanitizer. Needs a C
# compiler; cmake, pkg-config, valgrind and a C++ compiler are used where they are.
set -euo pipefail
cd "$(dirname "$0")"
cc="${CC:-gcc}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# run FOLDER PROGRAM ARGUMENTS...: a program with the library of a folder.
run() {
    local folder="$1"
    shift
    LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" DYLD_LIBRARY_PATH="$folder" "$@"
}
compile() { # compile TEST FLAGS...
    local test="$1"
    shift
    "$cc" -std=gnu11 -O2 -Wall -Wextra -Werror "tests/$test.c" -o "$work/$test" "$@" \
        -Iout/include -Lout/lib -lsapagpu -lm -lpthread -ldl
}

./build.sh
SANITIZE=1 ./build.sh &
pids=($!)
for test in attention cross operators modules guided cuda errors fuzz threads fork missing timing; do
    compile "$test" &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done
for test in attention cross operators modules guided cuda errors threads fork timing; do run out/lib "$work/$test" "$work"; done
# Another seed every day.
run out/lib "$work/fuzz" "$work" "$(($(date +%s) / 86400))"

# copy FOLDER: the library without what it loads.
copy() {
    mkdir -p "$work/$1"
    cp -P out/lib/libsapagpu.* "$work/$1/"
}
DOTNET_ROOT=/nowhere run out/lib "$work/missing" "Looked at: /nowhere"
copy alone
run "$work/alone" "$work/missing" "incomplete"
copy damaged
cp -R out/lib/sapagpu "$work/damaged/"
echo '{"runtimeOptions": {"framework": {"name": "Microsoft.NETCore.App", "version": "99.0.0"}}}' \
    >"$work/damaged/sapagpu/SapaGpu.Native.runtimeconfig.json"
run "$work/damaged" "$work/missing" "99.0.0"
copy foreign
cp -R out/lib/sapagpu "$work/foreign/"
cp out/lib/sapagpu/SapaGpu.Kernels.dll "$work/foreign/sapagpu/SapaGpu.Native.dll"
run "$work/foreign" "$work/missing" "reinstall"

# A runtime of its own beside the library wins, and has all that is needed where there is no other.
copy private
cp -R out/lib/sapagpu "$work/private/"
dotnet run copy-runtime.cs -- out/lib/sapagpu "$work/private/dotnet"
for test in attention cross operators modules guided errors threads fork; do
    DOTNET_ROOT=/nowhere PATH=/nowhere run "$work/private" "$work/$test" "$work"
done

# The programs in the documentation are the examples.
example() { sed -n "/^\`\`\`$2\$/,/^\`\`\`\$/p" "../docs/$1" | sed '1d;$d' | cmp - "$3"; }
example interop.md c examples/upsample.c
example onnx.md cpp examples/onnx.cpp

# The header is C++ as well.
if command -v "${CXX:-g++}" >/dev/null; then
    "${CXX:-g++}" -std=c++17 -Wall -Wextra -Wpedantic -Werror -x c++ examples/upsample.c -Iout/include -Lout/lib -lsapagpu \
        -o "$work/upsample-cpp"
    run out/lib "$work/upsample-cpp"
fi

# ONNX Runtime, from the package that the tests of SapaGpu.Onnx restore; its files are exported by the tool.
packages=("${NUGET_PACKAGES:-$HOME/.nuget/packages}"/microsoft.ml.onnxruntime/*)
onnxruntime="${packages[-1]}"
onnxruntime_library="$onnxruntime/runtimes/linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')/native/libonnxruntime.so"
if [ -e "$onnxruntime_library" ]; then
    tool=../src/SapaGpu.Cli/bin/Release/net10.0/SapaGpu.Cli.dll
    if [ ! -e "$tool" ]; then dotnet build ../src/SapaGpu.Cli -c Release; fi
    headers=(-isystem "$onnxruntime/build/native/include")
    compile onnx "${headers[@]}"
    onnx=("$work/onnx" "$onnxruntime_library" "$PWD/out/lib/libsapagpu.so" "$work" "dotnet $tool")
    run out/lib "${onnx[@]}"
    DOTNET_ROOT=/nowhere run out/lib "${onnx[@]}" "Looked at: /nowhere"
    if command -v "${CXX:-g++}" >/dev/null; then
        "${CXX:-g++}" -std=c++17 -Wall -Wextra -Werror examples/onnx.cpp "${headers[@]}" "$onnxruntime_library" -o "$work/onnx-cpp"
        ln -s "$onnxruntime_library" "$work/libonnxruntime.so.1"
        run "out/lib:$work" "$work/onnx-cpp" "$work/onnx-0.onnx"
        DOTNET_ROOT=/nowhere PATH=/nowhere run "$work/private:$work" "$work/onnx-cpp" "$work/onnx-0.onnx"
    fi
else
    echo "ONNX Runtime was not tested: there is no package microsoft.ml.onnxruntime."
fi

# Someone else's program, with the installed library.
if command -v cmake >/dev/null; then
    cmake -S tests/consumer -B "$work/consumer" -DCMAKE_PREFIX_PATH="$PWD/out" >/dev/null
    cmake --build "$work/consumer" >/dev/null
    "$work/consumer/upsample"
    if command -v pkg-config >/dev/null; then
        # shellcheck disable=SC2046
        "$cc" examples/upsample.c $(PKG_CONFIG_PATH=out/lib/pkgconfig pkg-config --cflags --libs sapagpu) -o "$work/upsample"
        run out/lib "$work/upsample"
    fi
fi

# The runtime handles faults itself and keeps memory until the end, which the sanitizer leaves to it.
compile errors -o "$work/errors-sanitized" -g -fsanitize=address,undefined -Lout/sanitized/lib
ASAN_OPTIONS=detect_leaks=0:handle_segv=0:use_sigaltstack=0 run out/sanitized/lib "$work/errors-sanitized"
compile fuzz -o "$work/fuzz-sanitized" -g -fsanitize=address,undefined -Lout/sanitized/lib
ASAN_OPTIONS=detect_leaks=0:handle_segv=0:use_sigaltstack=0 run out/sanitized/lib "$work/fuzz-sanitized" "$work" 1
compile missing -o "$work/missing-sanitized" -g -fsanitize=address,undefined
DOTNET_ROOT=/nowhere run out/sanitized/lib "$work/missing-sanitized" "Looked at: /nowhere"
# Valgrind cannot run .NET; what the library does without it.
if command -v valgrind >/dev/null; then
    DOTNET_ROOT=/nowhere run out/lib valgrind -q --error-exitcode=9 --leak-check=full "$work/missing" "Looked at: /nowhere"
fi
echo "The C interface passed."
