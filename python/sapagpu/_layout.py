"""Shapes and strides: which maps the library reads in place, and what operators return."""

from __future__ import annotations

from typing import Optional, Sequence

from . import _abi


def _nests(dimensions: Sequence[tuple[int, int]]) -> bool:
    """Whether the stride of every dimension is at least the extent of those inside it; innermost first."""
    span = 1
    for size, stride in dimensions:
        if size == 1:
            continue
        if stride < span:
            return False
        span += stride * (size - 1)
    return True


def format_of(shape: Sequence[int], strides: Sequence[int]) -> Optional[str]:
    """The memory format of a map [B, C, H, W]; strides in elements.

    Returns:
        ``"contiguous"`` (NCHW) or ``"channels_last"`` (NHWC), with gaps or without; the first if it is
        both; None for strides that the library does not read in place.
    """
    b, c, h, w = zip(shape, strides)
    if (w[1] == 1 or w[0] == 1) and _nests((w, h, c, b)):
        return "contiguous"
    if (c[1] == 1 or c[0] == 1) and _nests((c, w, h, b)):
        return "channels_last"
    return None


Shape = tuple[int, int, int, int]


def attention_shape(query: Sequence[int], value: Sequence[int], options: _abi.WindowOptions) -> Shape:
    """The output of window attention and reassembly: the size of the query or weights, the channels of the value."""
    shared = options.head_value == _abi.HEAD_VALUES["shared"]
    return query[0], value[1] * (options.heads if shared else 1), query[2], query[3]


def normaliser_shape(query: Sequence[int], options: _abi.WindowOptions) -> Shape:
    return query[0], options.heads, query[2], query[3]


def scores_shape(query: Sequence[int], options: _abi.WindowOptions) -> Shape:
    return query[0], options.heads * options.window**2, query[2], query[3]


def weights_shape(scores: Sequence[int], options: _abi.WindowOptions, average: int) -> Shape:
    return scores[0], options.window**2 if average else scores[1], scores[2], scores[3]


def deformable_shape(query: Sequence[int], value: Sequence[int]) -> Shape:
    return query[0], value[1], query[2], query[3]


def statistics_shape(query: Sequence[int], options: _abi.CrossOptions) -> Shape:
    return query[0], 2 * options.heads, query[2], query[3]
