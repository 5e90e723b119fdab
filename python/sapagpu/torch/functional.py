"""The operators as functions of tensors, with gradients.

In all of them: maps are [B, C, H, W], contiguous or channels-last, with gaps or without, and are read in place; a
tensor with other strides is made contiguous first. All maps of a call have one type, float64, float32, float16 or
bfloat16, and one device: the processor, or CUDA, where the kernels work on torch's current stream. A batch of 0 gives
an output of no images. Gradients exist once, and a second derivative raises, except for :func:`cross_attention`, which
is differentiable twice. Wrong operands raise :class:`sapagpu.InvalidArgumentError`, a ValueError.
"""

from __future__ import annotations

from typing import Optional

import torch

from ..cross import Ranges
from . import _cross, _operators


def window_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    kernel_size: int = 5,
    border: str = "zero_logit",
    normalisation: str = "softmax",
    heads: int = 1,
    head_value: str = "split",
) -> torch.Tensor:
    """Upsamples a value [B, C, H, W] to [B, C, OH, OW], guided by the similarity of query [B, D, OH, OW] and key [B, D,
    H, W].

    Options and border rule as in :func:`sapagpu.window_attention`. With a shared value the output has heads·C channels.
    It is in the memory format of the value.
    """
    return _operators.window_attention(query, key, value, kernel_size, border, normalisation, heads, head_value)


def window_similarity(
    query: torch.Tensor,
    key: torch.Tensor,
    *,
    kernel_size: int = 5,
    border: str = "zero_logit",
    heads: int = 1,
) -> torch.Tensor:
    """Returns the scores of every window, [B, heads·K², OH, OW], of query [B, D, OH, OW] and key [B, D, H, W]."""
    return _operators.window_similarity(query, key, kernel_size, border, heads)


def window_weights(
    scores: torch.Tensor,
    key_size: tuple[int, int],
    *,
    kernel_size: int = 5,
    border: str = "zero_logit",
    normalisation: str = "softmax",
    heads: int = 1,
    average: bool = False,
) -> torch.Tensor:
    """Normalises scores [B, heads·K², OH, OW] of a map of size ``key_size``; averaged over heads [B, K², OH, OW]."""
    height, width = key_size
    return _operators.window_weights(scores, height, width, kernel_size, border, normalisation, heads, average)


def window_reassembly(
    weights: torch.Tensor,
    value: torch.Tensor,
    *,
    kernel_size: int = 5,
    border: str = "zero_logit",
    heads: int = 1,
    head_value: str = "split",
) -> torch.Tensor:
    """Sums a value [B, C, H, W] over every window with weights [B, heads·K², OH, OW]; taps outside have value 0."""
    return _operators.window_reassembly(weights, value, kernel_size, border, heads, head_value)


def carafe(features: torch.Tensor, masks: torch.Tensor, kernel_size: int = 5, groups: int = 1) -> torch.Tensor:
    """The reassembly of CARAFE: features [B, C, H, W] and masks [B, groups·K², s·H, s·W], normalised already, to [B, C,
    s·H, s·W].
    """
    return window_reassembly(masks, features, kernel_size=kernel_size, heads=groups)


def deformable_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    offsets: torch.Tensor,
    *,
    groups: int = 4,
    points: int = 9,
) -> torch.Tensor:
    """Attends to sampled points: query [B, G·D, OH, OW], key [B, G·D, H, W], value [B, G·C, H, W], offsets [B, G·P·2,
    OH, OW] in cells, columns before rows, to [B, G·C, OH, OW]. As in :func:`sapagpu.deformable_attention`.
    """
    return _operators.deformable_attention(query, key, value, offsets, groups, points)


def cross_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    ranges: Ranges,
    *,
    heads: int = 1,
    averages_heads: bool = False,
    score_scale: float = 1.0,
    normalisation: str = "softmax",
    key_bias: Optional[torch.Tensor] = None,
) -> torch.Tensor:
    """Attends to the cells of a map that each point sees: query [B, h·D, OH, OW], key [B, h·D, H, W], value [B, C, H, W],
    bias [B, 1, H, W], to [B, C, OH, OW], in the memory format of the value.

    Options and ranges as in :func:`sapagpu.cross_attention`. Differentiable twice. In a trace the ranges
    are made for the sizes of each run, unless they are a table.
    """
    return _cross.cross_attention(
        query, key, value, key_bias, ranges, heads, averages_heads, score_scale, normalisation
    )


def interpolate(
    input: torch.Tensor,
    size: tuple[int, int],
    *,
    mode: str = "bilinear",
    align_corners: bool = False,
) -> torch.Tensor:
    """Resamples a map [B, C, H, W] to any size: nearest cell ⌊y·H/OH⌋, or bilinear, with the last cell repeated beyond
    the edge.
    """
    height, width = size
    return _operators.interpolate(input, height, width, mode, align_corners)
