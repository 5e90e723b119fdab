"""What a call from Python costs where there is next to nothing to compute: key and value [1, 8, 4, 4], query [1, 8, 8, 8],
float32.

Prints microseconds a call: the C function through ctypes with descriptors that are made beforehand, the package on numpy
arrays and on tensors of torch, and the composition of torch's own operators. All take turns in one process.

    python3 bench/python/overhead.py [--rounds 21] [--calls 200] [--threads 1]

Run it where sapagpu is installed, or with PYTHONPATH=python and a library in native/out.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from typing import Any, Callable

import numpy
import torch
from torch.nn import functional

import sapagpu
import sapagpu.torch as st
from sapagpu._library import call
from sapagpu._options import cross_options, window_options
from sapagpu.torch import _memory

KERNEL = 3
SIZE, OUTPUT_SIZE = (4, 4), (8, 8)
Calls = dict[str, Callable[[], Any]]


def windows(map: torch.Tensor) -> torch.Tensor:
    """The cells around that of each output point, [1, C, K², OH, OW]; zeros outside."""
    found = functional.unfold(map, KERNEL, padding=KERNEL // 2).reshape(1, map.shape[1], KERNEL**2, *SIZE)
    rows, columns = (torch.arange(out) * n // out for n, out in zip(SIZE, OUTPUT_SIZE))
    return found.index_select(3, rows).index_select(4, columns)


def composed_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    weights = torch.einsum("bdyx,bdkyx->bkyx", query, windows(key)).softmax(1)
    return torch.einsum("bkyx,bckyx->bcyx", weights, windows(value))


def composed_cross(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Attention to the whole map."""
    weights = torch.einsum("bdp,bdc->bpc", query.flatten(2), key.flatten(2)).softmax(2)
    return torch.einsum("bpc,bec->bep", weights, value.flatten(2)).reshape(1, -1, *OUTPUT_SIZE)


def trained(
    function: Callable[..., torch.Tensor], operands: list[torch.Tensor], grad: torch.Tensor
) -> Callable[[], Any]:
    """Forward and backward."""
    wanting = [operand.clone().requires_grad_() for operand in operands]
    return lambda: torch.autograd.grad(function(*wanting), wanting, grad)


def without_gradients(function: Callable[..., torch.Tensor], operands: list[torch.Tensor]) -> Callable[[], Any]:
    def run() -> torch.Tensor:
        with torch.no_grad():
            return function(*operands)

    return run


def groups() -> dict[str, Calls]:
    """What is compared, by operator and pass."""
    shapes = (1, 8, *OUTPUT_SIZE), (1, 8, *SIZE), (1, 8, *SIZE), (1, 8, *OUTPUT_SIZE)
    query, key, value, grad = (torch.randn(shape) for shape in shapes)
    tensors, arrays = [query, key, value], [tensor.numpy() for tensor in (query, key, value)]
    output, gradient = numpy.empty(shapes[3], "float32"), grad.numpy()
    ranges = sapagpu.Ranges.whole(SIZE, OUTPUT_SIZE)
    descriptors = [_memory.descriptor(tensor) for tensor in tensors]
    written = _memory.descriptor(torch.from_numpy(output))
    handle = sapagpu.default_device().handle
    window, cross = window_options(KERNEL), cross_options(1, False, 1.0)
    _, normaliser = sapagpu.window_attention(*arrays, kernel_size=KERNEL, return_normaliser=True)
    _, kept = sapagpu.cross_attention(*arrays, ranges, return_statistics=True)

    def attention(*operands: torch.Tensor) -> torch.Tensor:
        return st.window_attention(*operands, kernel_size=KERNEL)

    def crossed(*operands: torch.Tensor) -> torch.Tensor:
        return st.cross_attention(*operands, ranges)

    torch.testing.assert_close(attention(*tensors), composed_attention(*tensors), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(crossed(*tensors), composed_cross(*tensors), rtol=1e-4, atol=1e-5)
    return {
        "window attention, forward": {
            "C": lambda: call("window_attention_forward", handle, *descriptors, written, None, window),
            "numpy": lambda: sapagpu.window_attention(*arrays, kernel_size=KERNEL, out=output),
            "sapagpu.torch": without_gradients(attention, tensors),
            "composition": without_gradients(composed_attention, tensors),
        },
        "window attention, backward": {
            "numpy": lambda: sapagpu.window_attention_backward(*arrays, normaliser, gradient, kernel_size=KERNEL)
        },
        "window attention, forward and backward": {
            "sapagpu.torch": trained(attention, tensors, grad),
            "composition": trained(composed_attention, tensors, grad),
        },
        "cross attention, forward": {
            "C": lambda: call(
                "cross_attention_forward", handle, *descriptors, None, ranges.handle, written, None, cross
            ),
            "numpy": lambda: sapagpu.cross_attention(*arrays, ranges, out=output),
            "sapagpu.torch": without_gradients(crossed, tensors),
            "composition": without_gradients(composed_cross, tensors),
        },
        "cross attention, backward": {
            "numpy": lambda: sapagpu.cross_attention_backward(*arrays, ranges, kept, gradient)
        },
        "cross attention, forward and backward": {
            "sapagpu.torch": trained(crossed, tensors, grad),
            "composition": trained(composed_cross, tensors, grad),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1, help="of torch, and so of the library on tensors")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    times: dict[tuple[str, str], list[float]] = {}
    compared = groups()
    for turn in range(options.rounds + 1):
        for group, calls in compared.items():
            for name, function in calls.items():
                begin = time.perf_counter()
                for _ in range(options.calls):
                    function()
                # The first turn warms up.
                if turn > 0:
                    times.setdefault((group, name), []).append((time.perf_counter() - begin) / options.calls * 1e6)
    versions = f"torch {torch.__version__}, numpy {numpy.__version__}, Python {platform.python_version()}"
    print(f"{versions}, {options.threads} threads of torch")
    print("microseconds a call, median and least of the rounds\n")
    columns = ("C", "numpy", "sapagpu.torch", "composition")
    print(f"| call | {' | '.join(columns)} |\n| --- |{' --- |' * len(columns)}")
    for group in compared:
        cells = [times.get((group, name)) for name in columns]
        shown = [f"{statistics.median(cell):.0f} ({min(cell):.0f})" if cell else "" for cell in cells]
        print(f"| {group} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
