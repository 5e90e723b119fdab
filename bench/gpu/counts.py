#!/usr/bin/env python3
"""What the kernels of a call execute, counted on a simulated CUDA driver that writes statistics.

    LD_LIBRARY_PATH=DRIVER counts.py [--program PATH] [--operators A,B] [--dtypes f32,f16] [--workload counted]

For every launch of a call: warp instructions of the PTX for one multiply-add of the formula (products and sums joined as the
assembler joins them), the share of multiply-adds in them, 128-byte lines and wavefronts of shared memory for one multiply-add
instruction, and wavefronts over the least there could be. The driver takes CUDASIM_STATS, a file, and CUDASIM_STATS_EACH.
"""
import argparse, json, os, subprocess, tempfile

WARP = 32


def launches(program, arguments, times):
    """What the driver wrote of each launch, and what the program printed."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "statistics")
        known = dict(os.environ, CUDASIM_STATS=path, CUDASIM_STATS_EACH="1", CUDASIM_FMAD="1")
        done = subprocess.run([*program, "call", "--device", "cuda", *arguments, "--times", str(times)], env=known, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr.strip() or done.stdout.strip())
        lines = open(path).read().splitlines() if os.path.exists(path) else []
        return [json.loads(line) for line in lines], float(done.stdout.split()[-1])


def row(counts, multiply_adds):
    """The figures of launches together."""
    total = lambda *path: sum(value(c, path) for c in counts)
    instructions = total("warp_instructions", "all")
    fused = total("warp_instructions", "fp32_fma") + total("warp_instructions", "mma")
    lines = total("global_load", "lines") + total("global_store", "lines")
    wavefronts = total("shared_load", "wavefronts") + total("shared_store", "wavefronts")
    least = total("shared_load", "minimum") + total("shared_store", "minimum")
    moved = total("global_load", "unique_sectors") + total("global_store", "unique_sectors")
    sectors = total("global_load", "sectors") + total("global_store", "sectors")
    formula = multiply_adds / WARP
    return [
        f"{sum(c['blocks'] for c in counts)}",
        f"{instructions / formula:.2f}",
        f"{fused / instructions:.0%}",
        f"{lines / formula:.3f}",
        f"{wavefronts / formula:.3f}",
        f"{wavefronts / max(1, least):.2f}",
        f"{sectors / max(1, moved):.1f}",
    ]


def value(counts, path):
    for name in path:
        counts = counts[name]
    return counts


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--program", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "SapaGpu.DeviceBenchmarks"))
    options.add_argument("--operators", default="window_attention,carafe")
    options.add_argument("--dtypes", default="f32,f16,bf16")
    options.add_argument("--formats", default="channels_last,contiguous")
    options.add_argument("--workload", default="counted")
    chosen = options.parse_args()
    program = ["dotnet", chosen.program] if chosen.program.endswith(".dll") else [chosen.program]
    head = ["call", "groups", "instructions / multiply-add", "multiply-adds", "lines", "wavefronts", "over the least", "sectors"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for kind in chosen.operators.split(","):
        for dtype in chosen.dtypes.split(","):
            for layout in chosen.formats.split(","):
                for direction in ("forward", "backward"):
                    arguments = ["--operator", kind, "--dtype", dtype, "--format", layout, "--pass", direction, "--workload", chosen.workload]
                    before, _ = launches(program, arguments, 0)
                    after, multiply_adds = launches(program, arguments, 1)
                    own = after[len(before):]
                    name = f"{kind} {dtype} {layout} {direction}"
                    print("| " + " | ".join([name, *row(own, multiply_adds)]) + " |")
                    if len(own) > 1:
                        for index, launch in enumerate(own):
                            print("| " + " | ".join([f"&nbsp; launch {index + 1}", *row([launch], multiply_adds)]) + " |", flush=True)


if __name__ == "__main__":
    main()
