#!/usr/bin/env bash
# Packs the tool, the benchmarks and the tests with the small test vectors for a Linux machine with a GPU that has neither
# .NET nor a network. Unpack there and start ./run.sh.
#
#   bench/gpu/pack.sh [--driver FOLDER] [ARCHIVE]      default: artifacts/sapagpu-gpu-kit.tar.xz
#
# With a folder that holds a simulated CUDA driver, the code of the kernels is compiled here and packed as well, for devices of
# compute capability 9.0, or that of CUDASIM_CC: there it would take most of the time.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
repository="$(cd "$here/../.." && pwd)"
driver=
if [ "${1:-}" = --driver ]; then
    driver="$(cd "$2" && pwd)"
    shift 2
fi
archive="$(realpath -m "${1:-$repository/artifacts/sapagpu-gpu-kit.tar.xz}")"

# A copy of the sources, so that nothing that was built here for other purposes is mixed with what is packed.
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir "$work/source"
git -C "$repository" ls-files -z --cached --others --exclude-standard |
    (cd "$repository" && xargs -0 -I{} sh -c 'if test -e "{}"; then printf "%s\0" "{}"; fi') |
    tar -C "$repository" --null -T - -cf - | tar -xf - -C "$work/source"

kit="$work/sapagpu-gpu-kit"
for project in src/SapaGpu.Cli bench/SapaGpu.DeviceBenchmarks tests/SapaGpu.Tests; do
    dotnet publish "$work/source/$project" -c Release -r linux-x64 --self-contained --nologo -v quiet \
        -p:SatelliteResourceLanguages=en -p:DebugType=none \
        -o "$kit/bin"
done

# What debuggers, tracers and unused garbage collectors take.
(cd "$kit/bin" && rm -rf ./*.xml ./*.pdb libmscordaccore.so libmscordbi.so libclrgc.so libclrgcexp.so \
    libcoreclrtraceptprovider.so createdump Microsoft.CodeCoverage)
cp "$here/run.sh" "$here/peers.py" "$kit/"

# Two at a time: each compiles on one core.
if [ -n "$driver" ]; then
    (
        export LD_LIBRARY_PATH="$driver" CUDASIM_CC="${CUDASIM_CC:-9.0}" SAPAGPU_CODE_FOLDER="$kit/code"
        compile() {
            "$kit/bin/SapaGpu.Cli" verify "$kit/bin/vectors" --device cuda --dtype "$1" >/dev/null
            "$kit/bin/SapaGpu.DeviceBenchmarks" measure --device cuda --workload tiny --compared tiny --seconds 0.002 \
                --dtypes "$1" >/dev/null
        }
        (compile f32; compile f64) &
        first=$!
        compile f16
        compile bf16
        wait "$first"
    )
    echo "$(find "$kit/code" -type f | wc -l) kernels compiled"
fi
mkdir -p "$(dirname "$archive")"
tar -C "$work" --owner=0 --group=0 -cf - sapagpu-gpu-kit | xz -T0 -6 >"$archive"
echo "$archive: $(($(stat -c %s "$archive") >> 20)) MiB"
