"""The operators as torch knows them."""

from __future__ import annotations

from typing import Any, Sequence

import torch

from .. import _abi, _layout
from .._options import choice, deformable_options, pair, window_options
from ._memory import empty
from ._operator import Operator, register

_WINDOW = "int kernel_size, str border"


class _WindowAttention(Operator):
    name = "window_attention"
    operands = ("query", "key", "value")
    settings = f"{_WINDOW}, str normalisation, int heads, str head_value"
    keeps = True

    def outputs(self, operands: Sequence[torch.Tensor], *settings: Any) -> list[torch.Tensor]:
        query, _, value = operands
        options = window_options(*settings)
        wide = torch.float64 if query.dtype == torch.float64 else torch.float32
        return [
            empty(_layout.attention_shape(query.shape, value.shape, options), value),
            torch.empty(_layout.normaliser_shape(query.shape, options), dtype=wide, device=query.device),
        ]

    def end(self, *settings: Any) -> tuple[Any, ...]:
        return (window_options(*settings),)


class _WindowSimilarity(Operator):
    name = "window_similarity"
    operands = ("query", "key")
    settings = f"{_WINDOW}, int heads"

    def outputs(self, operands: Sequence[torch.Tensor], *settings: Any) -> list[torch.Tensor]:
        query = operands[0]
        return [empty(_layout.scores_shape(query.shape, *self.end(*settings)), query)]

    def end(self, *settings: Any) -> tuple[Any, ...]:
        kernel_size, border, heads = settings
        return (window_options(kernel_size, border, heads=heads),)


class _WindowWeights(Operator):
    name = "window_weights"
    operands = ("scores",)
    settings = f"int key_height, int key_width, {_WINDOW}, str normalisation, int heads, bool average"

    def outputs(self, operands: Sequence[torch.Tensor], *settings: Any) -> list[torch.Tensor]:
        scores = operands[0]
        return [empty(_layout.weights_shape(scores.shape, *self.end(*settings)), scores)]

    def middle(self, *settings: Any) -> tuple[Any, ...]:
        return pair("key_size", settings[:2])

    def end(self, *settings: Any) -> tuple[Any, ...]:
        *window, average = settings[2:]
        return window_options(*window), int(average)


class _WindowReassembly(Operator):
    name = "window_reassembly"
    operands = ("weights", "value")
    settings = f"{_WINDOW}, int heads, str head_value"

    def outputs(self, operands: Sequence[torch.Tensor], *settings: Any) -> list[torch.Tensor]:
        weights, value = operands
        return [empty(_layout.attention_shape(weights.shape, value.shape, *self.end(*settings)), value)]

    def end(self, *settings: Any) -> tuple[Any, ...]:
        kernel_size, border, heads, head_value = settings
        return (window_options(kernel_size, border, heads=heads, head_value=head_value),)


class _DeformableAttention(Operator):
    name = "deformable_attention"
    operands = ("query", "key", "value", "offsets")
    settings = "int groups, int points"

    def outputs(self, operands: Sequence[torch.Tensor], *settings: Any) -> list[torch.Tensor]:
        query, _, value, _ = operands
        return [empty(_layout.deformable_shape(query.shape, value.shape), value)]

    def end(self, *settings: Any) -> tuple[Any, ...]:
        return (deformable_options(*settings),)


class _Interpolate(Operator):
    name = "interpolate"
    operands = ("input",)
    settings = "int height, int width, str mode, bool align_corners"
    backward_reads_operands = False

    def outputs(self, operands: Sequence[torch.Tensor], *settings: Any) -> list[torch.Tensor]:
        source = operands[0]
        return [empty((*source.shape[:2], *pair("size", settings[:2])), source)]

    def end(self, *settings: Any) -> tuple[Any, ...]:
        return choice("mode", settings[2], _abi.INTERPOLATIONS), int(settings[3])


window_attention = register(_WindowAttention())
window_similarity = register(_WindowSimilarity())
window_weights = register(_WindowWeights())
window_reassembly = register(_WindowReassembly())
deformable_attention = register(_DeformableAttention())
interpolate = register(_Interpolate())
