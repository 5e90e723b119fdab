"""Shapes and strides: which maps the library reads in place, and what operators return."""

from __future__ import annotations

from typing import Sequence

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


def is_contiguous(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether a map [B, C, H, W] is contiguous (NCHW), with gaps or without; strides in elements."""
    b, c, h, w = zip(shape, strides)
    return (w[0] == 1 or w[1] == 1) and _nests((w, h, c, b))


def is_channels_last(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether a map [B, C, H, W] is channels-last (NHWC), with gaps or without, and is not contiguous as well."""
    b, c, h, w = zip(shape, strides)
    return (c[0] == 1 or c[1] == 1) and _nests((c, w, h, b)) and not is_contiguous(shape, strides)


def is_map(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether the library reads a map with these strides in place."""
    return is_contiguous(shape, strides) or is_channels_last(shape, strides)


Shape = tuple[int, int, int, int]


def attention_shape(query: Sequence[int], value: Sequence[int], options: _abi.WindowOptions) -> Shape:
    """The output of window attention and reassembly: the size of the query or weights, the channels of the value."""
    shared = options.head_value == _abi.HEAD_VALUES["shared"]
    return query[0], value[1] * (options.heads if shared else 1), query[2], query[3]


def normaliser_shape(query: Sequence[int], options: _abi.WindowOptions) -> Shape:
    return query[0], options.heads, query[2], query[3]


def scores_shape(query: Sequence[int], options: _abi.WindowOptions) -> Shape:
    return query[0], options.heads * options.window**2, query[2], query[3]


def weights_shape(scores: Sequence[int], options: _abi.WindowOptions, average: bool) -> Shape:
    return scores[0], options.window**2 if average else scores[1], scores[2], scores[3]


def deformable_shape(query: Sequence[int], value: Sequence[int]) -> Shape:
    return query[0], value[1], query[2], query[3]
