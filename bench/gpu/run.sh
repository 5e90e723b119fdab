#!/usr/bin/env bash
# Checks and measures SapaGpu on this machine's GPU: needs a driver, and neither .NET nor a network.
#
#   ./run.sh [--first] [--device cuda|opencl] [--output FOLDER] [--python PYTHON] [--bin FOLDER] [--rehearsal]
#
# Every step has a log of its own in FOLDER (default: results) and a limit of time; one that fails does not stop the others.
# With --first only the test vectors in all types and the times of single precision, in less than 3 minutes; without it also
# the tests, the sanitizer, all types and the peers, in less than 15. Both may have one FOLDER: its table has the rows of both,
# and of what both measured those of the longer run. Exit status: 0 if every step that ran succeeded. With --rehearsal every
# step is tried on small work, for a simulated driver; --bin says where the programs are.
set -uo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
device=cuda
output="$here/results"
python=python3
bin="$here/bin"
types=(f64 f32 f16 bf16)
filter=
measured=()
first=
while [ $# -gt 0 ]; do
    case "$1" in
        --first) first=yes; shift ;;
        --device) device="$2"; shift 2 ;;
        --output) output="$2"; shift 2 ;;
        --python) python="$2"; shift 2 ;;
        --bin) bin="$(cd "$2" && pwd)"; shift 2 ;;
        --rehearsal)
            filter="&FullyQualifiedName~PrimitiveTests"
            types=(f32)
            measured=(--workload tiny --compared tiny --dtypes f32 --seconds 0.002)
            shift ;;
        *) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
done
kind="${device%%:*}"
mkdir -p "$output"
output="$(cd "$output" && pwd)"
rm -f "$output"/*.failed
begin=$SECONDS

# step NAME SECONDS COMMAND...
step() {
    local name="$1" limit="$2" start=$SECONDS status=0
    shift 2
    timeout --kill-after=10 "$limit" "$@" >"$output/$name.log" 2>&1 || status=$?
    if [ "$status" -eq 0 ]; then
        echo "ok      $name, $((SECONDS - start)) s"
    else
        echo "FAILED  $name, exit status $status after $((SECONDS - start)) s; the end of $output/$name.log:"
        tail -n 15 "$output/$name.log" | sed 's/^/        /'
        touch "$output/$name.failed"
    fi
}
skip() { echo "skipped $1: $2"; }

# Code that was compiled when the kit was packed; what is not there is compiled once, for all processes.
export SAPAGPU_CODE_FOLDER="${SAPAGPU_CODE_FOLDER:-$here/code}"

# .NET keeps what it extracts and its diagnostics here.
export DOTNET_gcServer=0 DOTNET_EnableDiagnostics=0

step info 30 "$bin/SapaGpu.Cli" info
if command -v nvidia-smi >/dev/null; then
    step nvidia-smi 30 nvidia-smi
fi

# What has to be compiled takes most of the time, on one core.
for type in "${types[@]}"; do
    step "verify-$type" 150 "$bin/SapaGpu.Cli" verify "$bin/vectors" --device "$device" --dtype "$type" &
done
wait

finish() {
    rm -rf "$output/samples"
    local measurements=() file
    for file in "$output"/{measured-first,measured,peers}.json; do
        [ -s "$file" ] && measurements+=("$file")
    done
    if [ ${#measurements[@]} -gt 0 ]; then
        "$bin/SapaGpu.DeviceBenchmarks" compare "${measurements[@]}" | tee "$output/table.md"
    fi
    local failures=("$output"/*.failed)
    [ -e "${failures[0]}" ] || failures=()
    echo "${#failures[@]} failed, $((SECONDS - begin)) s; logs in $output"
    exit $((${#failures[@]} > 0))
}
if [ -n "$first" ]; then
    [ ${#measured[@]} -gt 0 ] || measured=(--dtypes f32 --seconds 0.1)
    rm -f "$output/measured.json" "$output/peers.json"
    step measure 120 "$bin/SapaGpu.DeviceBenchmarks" measure --device "$device" \
        --output "$output/measured-first.json" "${measured[@]}"
    finish
fi
step tests 400 "$bin/SapaGpu.Tests" --progress off --filter "FullyQualifiedName~$kind$filter"
grep -E '^ *(total|succeeded|failed|skipped):' "$output/tests.log" | sed 's/^ */        /'

if [ "$kind" != cuda ]; then
    skip sanitizer "it is CUDA's"
elif command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck; do
        step "$tool" 90 compute-sanitizer --tool "$tool" --error-exitcode 1 \
            "$bin/SapaGpu.Cli" verify "$bin/vectors" --device "$device" --dtype f32
    done
else
    skip sanitizer "there is no compute-sanitizer"
fi

step measure 240 "$bin/SapaGpu.DeviceBenchmarks" measure --device "$device" \
    --samples "$output/samples" --output "$output/measured.json" "${measured[@]}"
if [ "$kind" != cuda ]; then
    skip peers "PyTorch has no OpenCL"
elif "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
    step peers 150 "$python" "$here/peers.py" "$output/samples" --compile-seconds 60 --output "$output/peers.json"
else
    skip peers "$python has no PyTorch with CUDA"
fi
finish
