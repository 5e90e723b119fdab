"""Times the operators as one writes them in PyTorch, on the device and in the memory formats that ours were timed in.

Reads the folder that "SapaGpu.DeviceBenchmarks measure --samples" writes: every implementation is compared with the results there,
output and gradients, before it is timed. Needs PyTorch and NumPy and nothing else.
"""

import argparse
import json
import pathlib
import statistics
import sys
import time
import warnings

import numpy
import torch
import torch.nn.functional as functional

try:
    from torch.nn.attention import flex_attention
except ImportError:  # Older than 2.5.
    flex_attention = None

EPSILON = 1e-5
ROTATED_BYTES = 256 << 20
WARM_UP_SECONDS = 0.2
DTYPES = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
TOLERANCES = {"f64": 1e-6, "f32": 1e-3, "f16": 2e-2, "bf16": 1e-1}
FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
MATRIX_PARAMETER_DIMENSIONS = 4


# The formulas. Neither key nor value is upsampled.


def unfold(map_, stage):
    """[B, heads, C/heads, K², H, W]"""
    window = stage["window"]
    unfolded = functional.unfold(map_, window, padding=window // 2)
    return unfolded.reshape(
        stage["batch"], stage["heads"], map_.shape[1] // stage["heads"], window * window, stage["height"], stage["width"])


def reassemble(weights, value, stage):
    """weights: [B, heads, K², H, s, W, s]"""
    output = torch.einsum("bhkysxt,bhckyx->bhcysxt", weights, unfold(value, stage))
    scale = stage["scale"]
    return output.reshape(stage["batch"], stage["channels"], stage["height"] * scale, stage["width"] * scale)


def attend(query, key, value, stage):
    scale = stage["scale"]
    heads = stage["heads"]
    queries = query.reshape(
        stage["batch"], heads, query.shape[1] // heads, stage["height"], scale, stage["width"], scale)
    weights = torch.einsum("bhdysxt,bhdkyx->bhkysxt", queries, unfold(key, stage)).softmax(2)
    return reassemble(weights, value, stage)


def window_attention(operands, stage):
    return attend(operands["query"], operands["key"], operands["value"], stage)


class FlexAttention:
    """Window attention as flex_attention takes it: a mask of the keys that a query sees, in blocks of 128.

    A border of zeros is part of keys and values, as taps outside count with score 0 and value 0.
    """

    def __init__(self):
        self.masks = {}
        self.attend = torch.compile(flex_attention.flex_attention, dynamic=False)

    def mask(self, stage, device):
        size = (stage["height"], stage["width"], stage["window"], stage["scale"])
        if size not in self.masks:
            height, width, window, scale = size
            columns = width + window - 1

            def sees(batch, head, query, key):
                row = key // columns - query // (width * scale) // scale
                column = key % columns - query % (width * scale) // scale
                return (row >= 0) & (row < window) & (column >= 0) & (column < window)

            self.masks[size] = flex_attention.create_block_mask(
                sees, None, None, height * width * scale * scale, (height + window - 1) * columns, device=device, _compile=True)
        return self.masks[size]

    def __call__(self, operands, stage):
        batch, heads, window = stage["batch"], stage["heads"], stage["window"]

        def rows(map_):
            return map_.reshape(batch, heads, map_.shape[1] // heads, -1).transpose(2, 3).contiguous()

        border = [window // 2] * 4
        output = self.attend(
            rows(operands["query"]),
            rows(functional.pad(operands["key"], border)),
            rows(functional.pad(operands["value"], border)),
            block_mask=self.mask(stage, operands["query"].device),
            scale=1.0)
        scale = stage["scale"]
        return output.transpose(2, 3).reshape(batch, stage["channels"], stage["height"] * scale, stage["width"] * scale)


def carafe(operands, stage):
    scale = stage["scale"]
    weights = operands["weights"].reshape(
        stage["batch"], 1, stage["window"] ** 2, stage["height"], scale, stage["width"], scale)
    return reassemble(weights, operands["value"], {**stage, "heads": 1})


def project(operands, norm, projection, map_):
    pixels = map_.permute(0, 2, 3, 1)
    normalised = functional.layer_norm(
        pixels, [map_.shape[1]], operands[f"{norm}.weight"], operands[f"{norm}.bias"], EPSILON)
    projected = functional.linear(normalised, operands[f"{projection}.weight"], operands[f"{projection}.bias"])
    return projected.permute(0, 3, 1, 2)


def sapa_b(operands, stage):
    query = project(operands, "norm_y", "q", operands["encoder"])
    key = project(operands, "norm_x", "k", operands["decoder"])
    return attend(query, key, operands["decoder"], stage)


def sample_points(map_, offsets, stage):
    """The map at the points of every query, [B·G, C/G, P, OH, OW]."""
    batch, groups, points = stage["batch"], stage["groups"], stage["points"]
    scale = stage["scale"]
    height, width = stage["height"] * scale, stage["width"] * scale
    # Places need more digits than 16-bit types have.
    dtype = torch.float64 if offsets.dtype == torch.float64 else torch.float32
    moved = offsets.to(dtype).reshape(batch * groups, points, 2, height, width).permute(0, 1, 3, 4, 2)
    rows = torch.div(torch.arange(height, device=map_.device), scale, rounding_mode="floor").to(dtype)
    columns = torch.div(torch.arange(width, device=map_.device), scale, rounding_mode="floor").to(dtype)
    cells = torch.stack([columns[None, :].expand(height, width), rows[:, None].expand(height, width)], -1)
    extent = torch.tensor([stage["width"] - 1.0, stage["height"] - 1.0], dtype=dtype, device=map_.device)
    grid = ((moved + cells) * 2 / extent - 1).reshape(batch * groups, points * height, width, 2)
    grouped = map_.reshape(batch * groups, -1, stage["height"], stage["width"]).to(dtype)
    sampled = functional.grid_sample(grouped, grid, mode="bilinear", padding_mode="zeros", align_corners=True)
    return sampled.to(map_.dtype).reshape(batch * groups, -1, points, height, width)


def attend_points(query, key, value, offsets, stage):
    scale = stage["scale"]
    height, width = stage["height"] * scale, stage["width"] * scale
    queries = query.reshape(stage["batch"] * stage["groups"], -1, height, width)
    weights = torch.einsum("bdyx,bdpyx->bpyx", queries, sample_points(key, offsets, stage)).softmax(1)
    output = torch.einsum("bpyx,bcpyx->bcyx", weights, sample_points(value, offsets, stage))
    return output.reshape(stage["batch"], stage["channels"], height, width)


def deformable(operands, stage):
    return attend_points(operands["query"], operands["key"], operands["value"], operands["offsets"], stage)


def sapa_d(operands, stage):
    def convolve(name, map_):
        return functional.conv2d(map_, operands[f"{name}.weight"], operands[f"{name}.bias"])

    offsets = functional.pixel_shuffle(convolve("offset", operands["decoder"]), stage["scale"])
    return attend_points(
        convolve("q", operands["encoder"]), convolve("k", operands["decoder"]), operands["decoder"], offsets, stage)


def bilinear(operands, stage):
    return functional.interpolate(
        operands["input"], scale_factor=stage["scale"], mode="bilinear", align_corners=False)


def nearest(operands, stage):
    return functional.interpolate(operands["input"], scale_factor=stage["scale"], mode="nearest")


FORMULAS = {
    "window_attention": window_attention,
    "sapa_b": sapa_b,
    "sapa_d": sapa_d,
    "deformable": deformable,
    "carafe": carafe,
    "bilinear": bilinear,
    "nearest": nearest,
}
# Interpolation is one kernel as it is.
COMPILED = [name for name in FORMULAS if name not in ("bilinear", "nearest")]


# Operands.


class Problem:
    """What is compared and what is timed."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        description = json.loads((self.folder / "problem.json").read_text())
        points = {"groups": description["groups"], "points": description["points"]}
        self.workload = description["workload"]
        self.operators = [name for name in description["operators"] if name in FORMULAS]
        self.compared = [{**stage, **points} for stage in description["compared"]]
        self.timed = [{**stage, **points} for stage in description["timed"]]

    def sample(self, operator, index):
        folder = self.folder / f"{operator}-{index}"
        return (
            {path.stem: numpy.load(path) for path in sorted((folder / "inputs").iterdir())},
            numpy.load(folder / "grad_output.npy"),
            numpy.load(folder / "output.npy"),
            {path.stem: numpy.load(path) for path in sorted((folder / "gradients").iterdir())},
        )


def place(array, dtype, format_, device):
    tensor = torch.as_tensor(array).to(device=device, dtype=dtype)
    is_map = tensor.dim() == MATRIX_PARAMETER_DIMENSIONS
    return tensor.contiguous(memory_format=format_) if is_map else tensor


def enlarged_shape(shape, compared, timed):
    """The shape of an operand of the timed stage, from that of the same operand of the compared one."""
    if len(shape) != MATRIX_PARAMETER_DIMENSIONS or shape[2] < compared["height"]:
        return shape
    is_fine = shape[2] == compared["height"] * compared["scale"]
    factor = timed["scale"] if is_fine else 1
    return (timed["batch"], shape[1], timed["height"] * factor, timed["width"] * factor)


def random_like(shape, generator):
    return torch.rand(shape, generator=generator) - 0.5


# Measurement.


class Clock:
    """Times a call by events of the device, or by the clock where there are none."""

    def __init__(self, device):
        self.is_gpu = device.type == "cuda"

    def synchronize(self):
        if self.is_gpu:
            torch.cuda.synchronize()

    def milliseconds(self, call):
        if not self.is_gpu:
            start = time.perf_counter()
            call()
            return (time.perf_counter() - start) * 1e3
        begin = torch.cuda.Event(enable_timing=True)
        end = torch.cuda.Event(enable_timing=True)
        begin.record()
        call()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end)

    def median(self, calls, seconds):
        """The median over calls that take turns."""
        turn = 0
        times = []
        start = time.perf_counter()
        while len(times) < 3 or time.perf_counter() - start < WARM_UP_SECONDS + seconds:
            elapsed = self.milliseconds(calls[turn % len(calls)])
            if times or time.perf_counter() - start >= WARM_UP_SECONDS:
                times.append(elapsed)
            turn += 1
        return statistics.median(times)

    def extra_mebibytes(self, call):
        """What a call takes beyond what was there before and what it hands over; None where it is not known."""
        if not self.is_gpu:
            return None
        self.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        results = call()
        self.synchronize()
        handed_over = sum(result.numel() * result.element_size() for result in results)
        return max(0, torch.cuda.max_memory_allocated() - before - handed_over) / (1 << 20)


def forward(function, operands, stage):
    with torch.no_grad():
        return [function(operands, stage)]


def differentiable(operands):
    return {name: operand.detach().requires_grad_(True) for name, operand in operands.items()}


def gradients(output, operands, grad_output):
    return torch.autograd.grad(output, list(operands.values()), grad_output, retain_graph=True)


def largest_error(actual, expected):
    expected = torch.as_tensor(expected).double()
    difference = (actual.detach().cpu().double() - expected).abs().max().item()
    return difference / max(expected.abs().max().item(), 1e-30)


def is_comparable(name, dtype):
    # The gradient of an offset jumps where its point is a whole number, and rounding moves some points across. Sums over
    # all pixels that cancel leave little of 16 bits.
    if name.startswith("offset"):
        return dtype == "f64"
    return dtype in ("f64", "f32") or "." not in name


def compare(problem, operator, function, dtype, format_, device):
    """The largest errors of the output and of the gradients."""
    errors = {"forward": 0.0, "backward": 0.0}
    for index, stage in enumerate(problem.compared):
        inputs, grad_output, output, expected = problem.sample(operator, index)
        operands = differentiable(
            {name: place(values, DTYPES[dtype], format_, device) for name, values in inputs.items()})
        result = function(operands, stage)
        actual = gradients(result, operands, place(grad_output, DTYPES[dtype], format_, device))
        errors["forward"] = max(errors["forward"], largest_error(result, output))
        for name, gradient in zip(operands, actual):
            if is_comparable(name, dtype):
                errors["backward"] = max(errors["backward"], largest_error(gradient, expected[name]))
    return errors


def make_sets(problem, operator, dtype, format_, device):
    """Operands and output gradient of every timed stage, several times over."""
    generator = torch.Generator().manual_seed(1)
    templates = problem.sample(operator, 0)

    def make():
        stages = []
        for stage in problem.timed:
            first = problem.compared[0]
            operands = {
                name: place(
                    random_like(enlarged_shape(values.shape, first, stage), generator), DTYPES[dtype], format_, device)
                for name, values in templates[0].items()
            }
            grad_output = place(
                random_like(enlarged_shape(templates[1].shape, first, stage), generator), DTYPES[dtype], format_, device)
            stages.append((operands, grad_output))
        return stages

    sets = [make()]
    size = sum(
        tensor.numel() * tensor.element_size()
        for operands, grad_output in sets[0] for tensor in [*operands.values(), grad_output])
    count = min(4, max(2, -(-ROTATED_BYTES // size)))
    return sets + [make() for _ in range(count - 1)]


def measure(problem, operator, function, dtype, format_, device, seconds):
    """Medians and extra memory of both passes."""
    clock = Clock(device)
    sets = make_sets(problem, operator, dtype, format_, device)

    def forward_of(stages):
        return [result for (operands, _), stage in zip(stages, problem.timed)
                for result in forward(function, operands, stage)]

    results = {}
    calls = [lambda stages=stages: forward_of(stages) for stages in sets]
    calls[0]()
    extra = clock.extra_mebibytes(calls[0])
    results["forward"] = (clock.median(calls, seconds), extra)

    def graph_of(stages):
        graph = []
        for (operands, grad_output), stage in zip(stages, problem.timed):
            leaves = differentiable(operands)
            graph.append((function(leaves, stage), leaves, grad_output))
        return graph

    graphs = [graph_of(stages) for stages in sets[:2]]
    calls = [
        lambda graph=graph: [gradient for output, leaves, grad in graph for gradient in gradients(output, leaves, grad)]
        for graph in graphs
    ]
    calls[0]()
    extra = clock.extra_mebibytes(calls[0])
    results["backward"] = (clock.median(calls, seconds), extra)
    return results


def copy_rate(device):
    size = 2 * ROTATED_BYTES if device.type == "cuda" else ROTATED_BYTES // 4
    source = torch.zeros(size // 4, device=device)
    target = torch.empty_like(source)
    milliseconds = Clock(device).median([lambda: target.copy_(source)], 0.4)
    return 2 * size / milliseconds * 1e-6


class Report:
    def __init__(self, device, path):
        self.results = []
        self.failures = []
        self.path = path
        self.device = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
        self.copy_rate = copy_rate(device)

    def add(self, case, implementation, errors, measured):
        operator, dtype, format_name = case
        for name, (milliseconds, extra) in measured.items():
            self.results.append({
                "operator": operator,
                "pass": name,
                "dtype": dtype,
                "memoryFormat": format_name,
                "implementation": implementation,
                "medianMilliseconds": milliseconds,
                "extraMebibytes": extra,
                "largestError": errors[name],
            })
            print(f"{implementation} {operator}, {dtype}, {format_name}, {name}: {milliseconds:.4g} ms", file=sys.stderr)

    def fail(self, case, implementation, reason):
        operator, dtype, format_name = case
        self.failures.append({
            "operator": operator,
            "dtype": dtype,
            "memoryFormat": format_name,
            "implementation": implementation,
            "reason": reason,
        })
        print(f"{implementation} {operator}, {dtype}, {format_name}: {reason}", file=sys.stderr)

    def save(self):
        """Writes what is known so far."""
        text = json.dumps({
            "device": self.device,
            "library": f"PyTorch {torch.__version__}",
            "copyGBps": self.copy_rate,
            "results": self.results,
            "failures": self.failures,
        }, indent=2)
        pathlib.Path(self.path).write_text(text)


def run_case(report, problem, case, implementation, function, device, seconds):
    operator, dtype, format_name = case
    format_ = FORMATS[format_name]
    try:
        errors = compare(problem, operator, function, dtype, format_, device)
        wrong = {name: error for name, error in errors.items() if not error <= TOLERANCES[dtype]}
        if wrong:
            report.fail(case, implementation, f"differs from ours by {wrong} of the largest value")
            return
        report.add(case, implementation, errors, measure(problem, operator, function, dtype, format_, device, seconds))
    except Exception as error:  # One that does not run must not cost the others.
        report.fail(case, implementation, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
    finally:
        report.save()
        if device.type == "cuda":
            torch.cuda.empty_cache()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", help="the folder that 'SapaGpu.DeviceBenchmarks measure --samples' wrote")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dtypes", default="f32,f16,bf16")
    parser.add_argument("--operators", help="operators to time; all by default")
    parser.add_argument("--seconds", type=float, default=0.3, help="how long every call is timed")
    parser.add_argument(
        "--compile-seconds", type=float, default=120,
        help="no compilation by torch.compile is begun after so many seconds of them; 0 for none")
    parser.add_argument("--output", default="peers.json", help="the file of the results, as JSON")
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.error("PyTorch sees no CUDA device")
    device = torch.device(arguments.device)

    # The same arithmetic as ours: products of single precision are not rounded to TF32.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    warnings.filterwarnings("ignore")

    problem = Problem(arguments.samples)
    report = Report(device, arguments.output)
    cases = [
        (operator, dtype, format_name)
        for dtype in arguments.dtypes.split(",") for operator in problem.operators for format_name in FORMATS
        if arguments.operators is None or operator in arguments.operators.split(",")
    ]
    for case in cases:
        run_case(report, problem, case, "eager", FORMULAS[case[0]], device, arguments.seconds)

    begin = time.perf_counter()
    if arguments.compile_seconds > 0 and hasattr(torch, "compile"):
        # A graph is run backward more than once.
        from torch._functorch import config

        config.donated_buffer = False
        for case in cases:
            if case[0] not in COMPILED:
                continue
            if time.perf_counter() - begin > arguments.compile_seconds:
                report.fail(case, "compile", "not measured: the time for compilations was spent")
                continue
            torch._dynamo.reset()
            function = torch.compile(FORMULAS[case[0]])
            run_case(report, problem, case, "compile", function, device, arguments.seconds)
            if case[0] == "window_attention" and flex_attention is not None:
                torch._dynamo.reset()
                run_case(report, problem, case, "flex", FlexAttention(), device, arguments.seconds)
    report.save()


if __name__ == "__main__":
    main()
