"""What the modules consist of, computed by torch: projections and normalisations with the parameter names of the
authors' code.
"""

from __future__ import annotations

from typing import Any, Optional

import torch
from torch import nn
from torch.nn import functional

from ..errors import InvalidArgumentError
from .functional import interpolate

_DEVIATION = 0.02


class Projection(nn.Module):
    """A 1×1 convolution whose weight is [O, I], as of a linear layer, or [O, I, 1, 1]. A checkpoint may have either.

    Initial values: normal of standard deviation 0.02, or 0; biases 0.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool, is_linear: bool, is_zero: bool = False) -> None:
        super().__init__()
        shape = (outputs, inputs) if is_linear else (outputs, inputs, 1, 1)
        self.weight = nn.Parameter(torch.zeros(shape))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        if not is_zero:
            nn.init.trunc_normal_(self.weight, std=_DEVIATION)

    def forward(self, map: torch.Tensor) -> torch.Tensor:
        return self.apply_part(map, 0, None)

    def apply_part(self, map: torch.Tensor, first: int, count: Optional[int], with_bias: bool = True) -> torch.Tensor:
        """Applies the columns of some input channels."""
        weight = self.weight.reshape(*self.weight.shape[:2], 1, 1)
        if count is not None:
            weight = weight.narrow(1, first, count)
        return functional.conv2d(map, weight, self.bias if with_bias else None)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        name = f"{prefix}weight"
        weight = state_dict.get(name)
        if weight is not None and weight.dim() != self.weight.dim() and weight.shape[:2] == self.weight.shape[:2]:
            if weight.numel() == self.weight.numel():
                state_dict[name] = weight.reshape(self.weight.shape)
        super()._load_from_state_dict(state_dict, prefix, *rest)


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of every pixel of a map [B, C, H, W]."""

    def forward(self, map: torch.Tensor) -> torch.Tensor:
        return super().forward(map.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def norm_layer(kind: str, channels: int, groups: int, epsilon: float) -> nn.Module:
    """The normalisation of features: ``"layer"``, ``"group"`` or ``"none"``.

    Raises:
        InvalidArgumentError: the kind is unknown, or the channels are not a multiple of the groups.
    """
    if kind == "none":
        return nn.Identity()
    if kind == "layer":
        return ChannelNorm(channels, eps=epsilon)
    if kind != "group":
        raise InvalidArgumentError(f"'feature_norm' is {kind!r}; choose 'layer', 'group' or 'none'.")
    if groups < 1 or channels % groups != 0:
        raise InvalidArgumentError(f"The channels must be a multiple of 'norm_groups'; got {channels} and {groups}.")
    return nn.GroupNorm(groups, channels, eps=epsilon)


def upsample_nearest(map: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Brings the cells of a map to the points of another, cell ⌊y·H/OH⌋ to point y."""
    size = like.shape[2:]
    if torch.onnx.is_in_onnx_export():
        # A standard node, with the sizes of the run.
        return functional.interpolate(map, size=size, mode="nearest")
    return interpolate(map, (size[0], size[1]), mode="nearest")


def check_channels(name: str, map: torch.Tensor, channels: int) -> None:
    """Checks that a map is [B, channels, H, W].

    Raises:
        InvalidArgumentError: it is not.
    """
    # In a trace sizes are tensors, and what is compared would become a constant.
    if not torch.jit.is_tracing() and (map.dim() != 4 or map.shape[1] != channels):
        raise InvalidArgumentError(
            f"'{name}' has shape {list(map.shape)}; the module was made for [B, {channels}, H, W]."
        )


def check_upsampling(encoder: torch.Tensor, decoder: torch.Tensor) -> None:
    """Checks that the guide is not smaller than what it guides.

    Raises:
        InvalidArgumentError: it is.
    """
    (height, width), (rows, columns) = encoder.shape[2:], decoder.shape[2:]
    if not torch.jit.is_tracing() and (height < rows or width < columns):
        raise InvalidArgumentError(
            f"'encoder' has {height}x{width} pixels, fewer than the {rows}x{columns} of 'decoder'; swap the arguments if "
            "they are the wrong way round, or make the module with allows_downsampling=True."
        )


def check_at_most(most: int, **numbers: int) -> None:
    """Checks numbers that are not limited otherwise, before memory is asked for.

    Raises:
        InvalidArgumentError: one is larger than any model's.
    """
    for name, number in numbers.items():
        if number > most:
            raise InvalidArgumentError(f"'{name}' is {number}; it must be at most {most}.")


def check_finite(**numbers: float) -> None:
    """Checks what is added to variances and the like.

    Raises:
        InvalidArgumentError: one is negative, or not finite.
    """
    for name, number in numbers.items():
        if not 0 <= number < float("inf"):
            raise InvalidArgumentError(f"'{name}' is {number}; it must be finite and at least 0.")


def check_at_least_one(**numbers: int) -> None:
    """Checks numbers of channels and the like.

    Raises:
        InvalidArgumentError: one is below 1.
    """
    for name, number in numbers.items():
        if number < 1:
            raise InvalidArgumentError(f"'{name}' is {number}; it must be at least 1.")
