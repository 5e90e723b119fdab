"""The operators as torch knows them."""

from __future__ import annotations

from typing import Any, Sequence

import torch

from .. import _abi, _layout
from .._library import call
from .._options import choice, deformable_options, pair, window_options
from ..device import Device
from ._memory import empty
from ._operator import Descriptors, Operator, register

_WINDOW = "int kernel_size, str border"


def _wide(tensor: torch.Tensor) -> torch.dtype:
    return torch.float64 if tensor.dtype == torch.float64 else torch.float32


class _WindowAttention(Operator):
    name = "window_attention"
    operands = ("query", "key", "value")
    settings = f"{_WINDOW}, str normalisation, int heads, str head_value"
    keeps = True

    def outputs(self, operands: Sequence[torch.Tensor], *settings: Any) -> list[torch.Tensor]:
        query, _, value = operands
        options = window_options(*settings)
        return [
            empty(_layout.attention_shape(query.shape, value.shape, options), value),
            torch.empty(_layout.normaliser_shape(query.shape, options), dtype=_wide(query), device=query.device),
        ]

    def forward(self, device: Device, operands: Descriptors, outputs: Descriptors, *settings: Any) -> None:
        call("window_attention_forward", device.handle, *operands, *outputs, window_options(*settings))

    def backward(
        self,
        device: Device,
        operands: Descriptors,
        kept: Descriptors,
        grad_output: _abi.SapaTensor,
        gradients: Descriptors,
        *settings: Any,
    ) -> None:
        call(
            "window_attention_backward",
            device.handle,
            *operands,
            *kept,
            grad_output,
            *gradients,
            window_options(*settings),
        )


class _WindowSimilarity(Operator):
    name = "window_similarity"
    operands = ("query", "key")
    settings = f"{_WINDOW}, int heads"

    @staticmethod
    def _options(kernel_size: int, border: str, heads: int) -> _abi.WindowOptions:
        return window_options(kernel_size, border, heads=heads)

    def outputs(self, operands: Sequence[torch.Tensor], *settings: Any) -> list[torch.Tensor]:
        query = operands[0]
        return [empty(_layout.scores_shape(query.shape, self._options(*settings)), query)]

    def forward(self, device: Device, operands: Descriptors, outputs: Descriptors, *settings: Any) -> None:
        call("window_similarity_forward", device.handle, *operands, *outputs, self._options(*settings))

    def backward(
        self,
        device: Device,
        operands: Descriptors,
        kept: Descriptors,
        grad_output: _abi.SapaTensor,
        gradients: Descriptors,
        *settings: Any,
    ) -> None:
        call("window_similarity_backward", device.handle, *operands, grad_output, *gradients, self._options(*settings))


class _WindowWeights(Operator):
    name = "window_weights"
    operands = ("scores",)
    settings = f"int key_height, int key_width, {_WINDOW}, str normalisation, int heads, bool average"

    @staticmethod
    def _read(height: int, width: int, *settings: Any) -> tuple[int, int, _abi.WindowOptions, int]:
        *window, average = settings
        return (*pair("key_size", (height, width)), window_options(*window), int(average))

    def outputs(self, operands: Sequence[torch.Tensor], *settings: Any) -> list[torch.Tensor]:
        scores = operands[0]
        _, _, options, average = self._read(*settings)
        return [empty(_layout.weights_shape(scores.shape, options, bool(average)), scores)]

    def forward(self, device: Device, operands: Descriptors, outputs: Descriptors, *settings: Any) -> None:
        height, width, options, average = self._read(*settings)
        call("window_weights_forward", device.handle, *operands, height, width, *outputs, options, average)

    def backward(
        self,
        device: Device,
        operands: Descriptors,
        kept: Descriptors,
        grad_output: _abi.SapaTensor,
        gradients: Descriptors,
        *settings: Any,
    ) -> None:
        height, width, options, average = self._read(*settings)
        call(
            "window_weights_backward",
            device.handle,
            *operands,
            height,
            width,
            grad_output,
            *gradients,
            options,
            average,
        )


class _WindowReassembly(Operator):
    name = "window_reassembly"
    operands = ("weights", "value")
    settings = f"{_WINDOW}, int heads, str head_value"

    @staticmethod
    def _options(kernel_size: int, border: str, heads: int, head_value: str) -> _abi.WindowOptions:
        return window_options(kernel_size, border, heads=heads, head_value=head_value)

    def outputs(self, operands: Sequence[torch.Tensor], *settings: Any) -> list[torch.Tensor]:
        weights, value = operands
        return [empty(_layout.attention_shape(weights.shape, value.shape, self._options(*settings)), value)]

    def forward(self, device: Device, operands: Descriptors, outputs: Descriptors, *settings: Any) -> None:
        call("window_reassembly_forward", device.handle, *operands, *outputs, self._options(*settings))

    def backward(
        self,
        device: Device,
        operands: Descriptors,
        kept: Descriptors,
        grad_output: _abi.SapaTensor,
        gradients: Descriptors,
        *settings: Any,
    ) -> None:
        call("window_reassembly_backward", device.handle, *operands, grad_output, *gradients, self._options(*settings))


class _DeformableAttention(Operator):
    name = "deformable_attention"
    operands = ("query", "key", "value", "offsets")
    settings = "int groups, int points"

    def outputs(self, operands: Sequence[torch.Tensor], *settings: Any) -> list[torch.Tensor]:
        query, _, value, _ = operands
        return [empty(_layout.deformable_shape(query.shape, value.shape), value)]

    def forward(self, device: Device, operands: Descriptors, outputs: Descriptors, *settings: Any) -> None:
        call("deformable_attention_forward", device.handle, *operands, *outputs, deformable_options(*settings))

    def backward(
        self,
        device: Device,
        operands: Descriptors,
        kept: Descriptors,
        grad_output: _abi.SapaTensor,
        gradients: Descriptors,
        *settings: Any,
    ) -> None:
        call(
            "deformable_attention_backward",
            device.handle,
            *operands,
            grad_output,
            *gradients,
            deformable_options(*settings),
        )


class _Interpolate(Operator):
    name = "interpolate"
    operands = ("input",)
    settings = "int height, int width, str mode, bool align_corners"

    def outputs(self, operands: Sequence[torch.Tensor], *settings: Any) -> list[torch.Tensor]:
        source = operands[0]
        height, width = pair("size", settings[:2])
        return [empty((*source.shape[:2], height, width), source)]

    def forward(self, device: Device, operands: Descriptors, outputs: Descriptors, *settings: Any) -> None:
        _, _, mode, align_corners = settings
        number = choice("mode", mode, _abi.INTERPOLATIONS)
        call("interpolate_forward", device.handle, *operands, *outputs, number, int(align_corners))

    def backward(
        self,
        device: Device,
        operands: Descriptors,
        kept: Descriptors,
        grad_output: _abi.SapaTensor,
        gradients: Descriptors,
        *settings: Any,
    ) -> None:
        _, _, mode, align_corners = settings
        number = choice("mode", mode, _abi.INTERPOLATIONS)
        call("interpolate_backward", device.handle, grad_output, *gradients, number, int(align_corners))


window_attention = register(_WindowAttention())
window_similarity = register(_WindowSimilarity())
window_weights = register(_WindowWeights())
window_reassembly = register(_WindowReassembly())
deformable_attention = register(_DeformableAttention())
interpolate = register(_Interpolate())
