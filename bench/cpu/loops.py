#!/usr/bin/env python3
"""What the loops of the processor's kernels consist of, and how fast they can be on processors that are not here.

    loops.py [--program PATH] [--mca llvm-mca] [--bits 512] [--workload medium] [--operators A,B] [--least 2]

Runs every operator with the listing of the compiler's code, finds the innermost loops that have multiply-adds, and gives them to
llvm-mca (16 or later), which knows how many cycles each takes where all it reads is in the first-level cache. With perf, the
rows say how much of the operator's own time each loop took on this machine, and are sorted by that; what is between the loops is
`elsewhere`, by method. Needs .NET, an x86-64 processor with vectors of so many bits, and llvm-mca. Prints a markdown table.
"""
import argparse, bisect, collections, os, re, shutil, subprocess, tempfile
from dataclasses import dataclass, field

# The processors that are modelled for vectors of so many bits, and how many multiply-adds each can do in a cycle. For a Sapphire
# Rapids stands its forerunner: LLVM's model of the newer one has one unit for 512 bits, the processor two.
MODELS = {
    512: {"skylake-avx512": 2, "znver4": 1},
    256: {"haswell": 2, "znver4": 2},
    128: {"haswell": 2, "znver4": 2},
}
SWITCHES = {512: {}, 256: {"DOTNET_EnableAVX512": "0", "DOTNET_EnableAVX512F": "0"}, 128: {"DOTNET_EnableAVX2": "0"}}
CASES = [
    (operator, way, window)
    for operator, windows in {
        "window_attention": (5, 3, 7), "carafe": (5,), "sapa_b": (5,), "deformable": (None,), "cross_attention": (None,),
    }.items()
    for window in windows
    for way in ("forward", "backward")
]
MULTIPLY_ADD = re.compile(r"vf(n?m(add|sub))\d+[ps][sd]$")
SHUFFLE = re.compile(r"v(p?perm|p?shuf|p?unpck|p?broadcast|p?align|insert|extract|p?blend|movs[hl]dup|movddup|pack)")
TITLES = {"fma": "multiply-adds", "load": "loads", "store": "stores", "shuffle": "shuffles", "stack": "stack", "other": "other"}


@dataclass
class Method:
    """A method of a listing: its name, its bytes, and its blocks as (offset, instructions)."""
    name: str
    size: int = 0
    blocks: list = field(default_factory=list)
    labels: dict = field(default_factory=dict)


@dataclass
class Loop:
    """The instructions of an innermost loop, and the bytes of its method that they are."""
    name: str
    first: int
    end: int
    code: list


def methods(listing):
    """The methods of a listing of the compiler."""
    found = []
    for line in listing.splitlines():
        head = re.match(r"; Assembly listing for method (.*) \(", line)
        label = re.match(r"(\w+_IG\d+):.*offset=0x([0-9A-Fa-f]+)", line)
        size = re.match(r"; Total bytes of code:? (\d+)", line)
        if head:
            found.append(Method(head.group(1)))
        elif label and found:
            found[-1].labels[label.group(1)] = len(found[-1].blocks)
            found[-1].blocks.append((int(label.group(2), 16), []))
        elif size and found:
            found[-1].size = int(size.group(1))
        elif found and found[-1].blocks and line.startswith("       ") and not line.strip().startswith((";", "align")):
            found[-1].blocks[-1][1].append(" ".join(line.split(";")[0].split()))
    return found


def loops(method):
    """The innermost loops of a method that have multiply-adds, from where a branch goes back to, to that branch."""
    spans = []
    for index, (_, code) in enumerate(method.blocks):
        for instruction in code:
            jump = re.match(r"j\w+ (?:SHORT )?(\w+_IG\d+)$", instruction)
            if jump and method.labels.get(jump.group(1), index + 1) <= index:
                spans.append((method.labels[jump.group(1)], index))
    spans = sorted(set(spans))
    # A loop that shares blocks with a shorter one is around it, also where the compiler put its end before its start.
    innermost = [a for a in spans if not any(b != a and a[0] <= b[1] and b[0] <= a[1] and b[1] - b[0] < a[1] - a[0] for b in spans)]
    for first, last in innermost:
        code = [instruction for _, block in method.blocks[first:last + 1] for instruction in block]
        end = method.blocks[last + 1][0] if last + 1 < len(method.blocks) else method.size
        if any(MULTIPLY_ADD.match(instruction.split()[0]) for instruction in code):
            yield Loop(short(method.name), method.blocks[first][0], end, code)


def short(name):
    """`PixelDots.Taps<Five>` of a name with all types and namespaces."""
    kind, _, method = re.sub(r"\([^()]*\)(:\S+)?( \(.*)?$", "", name).rpartition(":")
    kind = re.sub(r"[`\[].*", "", kind).split(".")[-1]
    own, _, arguments = method.partition("[")
    arguments = arguments[:-1]
    while "[" in arguments:
        arguments = re.sub(r"\[[^\[\]]*\]", "", arguments)
    arguments = [re.sub(r"`\d+$", "", re.split(r"[.+]", part)[-1]) for part in arguments.split(",") if part]
    return f"{kind}.{own}" + (f"<{', '.join(arguments)}>" if arguments else "")


def kinds(code):
    """How many instructions of each kind a loop has; one that loads and multiplies counts as both."""
    count = collections.Counter()
    for instruction in code:
        name, _, operands = instruction.partition(" ")
        memory = "[" in operands and not name.startswith(("lea", "prefetch", "nop"))
        stores = memory and (name.startswith(("vmov", "mov", "vextract")) and "[" in operands.split(",")[0])
        if memory and re.search(r"\[r[sb]p[+\-\]]", operands):
            count["stack"] += 1
        elif memory:
            count["store" if stores else "load"] += 1
        if MULTIPLY_ADD.match(name):
            count["fma"] += 1
        elif SHUFFLE.match(name) and not memory:
            count["shuffle"] += 1
        elif not memory or not name.startswith(("vmov", "mov", "vextract", "vbroadcast", "vpbroadcast")):
            count["other"] += 1
    return count


def assembly(code):
    """The instructions of a loop as an assembler reads them; calls and what has no cost are left out."""
    lines = [".intel_syntax noprefix"]
    for instruction in code:
        if instruction.startswith("call"):
            continue
        instruction = re.sub(r"\b(SHORT|bword|gword) ", lambda m: "" if m.group(1) == "SHORT" else "qword ", instruction)
        instruction = re.sub(r"\[\(?reloc[^\]]*\]", "[rip]", instruction)
        lines.append(re.sub(r"(ptr \[[^\]]*\]) \{", r"\1{", instruction))
    return "\n".join(lines) + "\n"


def cycles(mca, code, model):
    """The cycles that a model needs for one turn of a loop."""
    turns = 200
    command = [mca, "-mtriple=x86_64", f"-mcpu={model}", f"-iterations={turns}", "-summary-view", "-instruction-info=0",
               "-resource-pressure=0"]
    for extra in [], ["-skip-unsupported-instructions=any"]:
        done = subprocess.run(command + extra, input=assembly(code), capture_output=True, text=True)
        total = re.search(r"Total Cycles:\s+(\d+)", done.stdout)
        if total:
            break
    if not total or "not a recognized processor" in done.stderr:
        raise SystemExit(f"{mca} has no figures for {model}; versions from 16 on have. It says:\n{done.stderr}")
    return int(total.group(1)) / turns


def run(options, case, folder):
    """Runs a case: the methods that were compiled, and the samples of each as (name, size) to offsets."""
    operator, way, window, layout = case
    listing = os.path.join(folder, "listing")
    environment = dict(
        os.environ, **SWITCHES[options.bits], DOTNET_TieredCompilation="0", DOTNET_JitDisasm="*", DOTNET_JitStdOutFile=listing,
        DOTNET_JitDisasmAssemblies="SapaGpu.Kernels", DOTNET_PerfMapEnabled="3", DOTNET_PerfMapJitDumpPath=folder)
    workload = "naf-x8" if operator == "cross_attention" and options.workload != "tiny" else options.workload
    program = ["dotnet", options.program] if options.program.endswith(".dll") else [options.program]
    command = [*program, "call", "--device", "cpu", "--operator", operator, "--pass", way, "--format", layout, "--workload", workload,
               "--times", str(options.times if workload == options.workload else 1 + options.times // 20)]
    if window:
        command += ["--window", str(window)]
    recorded = os.path.join(folder, "samples")
    if options.perf:
        command = [options.perf, "record", "-q", "-e", "cpu-clock", "-F", "2500", "-o", recorded, *command]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr.strip() or done.stdout.strip())
    return methods(open(listing).read()), samples(options.perf, recorded, folder) if options.perf else {}


def samples(perf, recorded, folder):
    """The samples within code that was compiled at run time, as offsets from the start of their method."""
    known = []
    for name in os.listdir(folder):
        if name.startswith("perf-") and name.endswith(".map"):
            for line in open(os.path.join(folder, name)):
                start, size, symbol = line.rstrip().split(" ", 2)
                known.append((int(start, 16), int(size, 16), symbol))
    known.sort()
    found = collections.defaultdict(list)
    script = subprocess.run([perf, "script", "-i", recorded, "-F", "ip"], capture_output=True, text=True).stdout
    for line in script.split():
        place = bisect.bisect(known, (int(line, 16), float("inf"))) - 1
        if place >= 0 and int(line, 16) < known[place][0] + known[place][1]:
            start, size, symbol = known[place]
            own = re.search(r"([\w.]+)(?:`\d+)?(?:\[.*?\])?::(\w+)", symbol)
            if "[SapaGpu.Kernels]" in symbol and own:
                found[f"{own.group(1).split('.')[-1]}.{own.group(2)}", size].append(int(line, 16) - start)
    return found


def rows(options, compiled, sampled):
    """The rows of a case: loops first, then the methods whose time is not in them."""
    everything = sum(len(offsets) for offsets in sampled.values())
    rest = {key: len(offsets) for key, offsets in sampled.items()}
    known = set()
    for method in compiled:
        for loop in loops(method):
            key = (re.sub(r"<.*", "", loop.name), method.size)
            inside = sum(loop.first <= offset < loop.end for offset in sampled.get(key, []))
            text = (loop.name, tuple(loop.code))
            if text in known:
                continue
            known.add(text)
            rest[key] = rest.get(key, 0) - inside
            share = inside / everything if everything else None
            if share is not None and share < options.least / 100:
                continue
            count = kinds(loop.code)
            cells = [str(count[kind]) for kind in TITLES]
            for model, best in MODELS[options.bits].items():
                turn = cycles(options.mca, loop.code, model)
                cells += [f"{turn / count['fma']:.2f}", f"{count['fma'] / best / turn:.0%}"]
            yield share, [f"`{loop.name}`", *cells]
    for (name, _), count in rest.items():
        if everything and count >= max(1, options.least / 100 * everything):
            yield count / everything, [f"`{name}`, elsewhere", *[""] * (len(TITLES) + 2 * len(MODELS[options.bits]))]


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    built = os.path.join(here, "..", "SapaGpu.DeviceBenchmarks", "bin", "Release", "net10.0", "SapaGpu.DeviceBenchmarks.dll")
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--program", default=built)
    options.add_argument("--mca", default="llvm-mca")
    options.add_argument("--perf", default=shutil.which("perf"), help="perf, or nothing for rows without shares")
    options.add_argument("--bits", type=int, choices=MODELS, default=512)
    options.add_argument("--workload", default="medium")
    options.add_argument("--operators", default=",".join(dict.fromkeys(operator for operator, _, _ in CASES)))
    options.add_argument("--formats", default="channels_last,contiguous")
    options.add_argument("--times", type=int, default=60)
    options.add_argument("--least", type=float, default=2, help="the smallest share of the time that has a row, in percent")
    options = options.parse_args()
    titles = ["operator", "of its time", "loop", *TITLES.values()]
    for model in MODELS[options.bits]:
        titles += [f"cycles/multiply-add, {model}", "of ideal"]
    print(f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}", flush=True)
    for operator, way, window in CASES:
        for layout in options.formats.split(",") if operator in options.operators.split(",") else []:
            with tempfile.TemporaryDirectory() as folder:
                compiled, sampled = run(options, (operator, way, window, layout), folder)
            found = sorted(rows(options, compiled, sampled), key=lambda row: -(row[0] or 0))
            for share, cells in found:
                name = f"{operator} {way}, {layout}" + (f", K {window}" if window else "")
                print(f"| {name} | {'' if share is None else f'{share:.0%}'} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
