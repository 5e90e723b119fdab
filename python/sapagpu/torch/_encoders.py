"""What the upsamplers with an image consist of, computed by torch: layers with the parameter names of the published
modules.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from ..errors import InvalidArgumentError


def convolution(inputs: int, outputs: int, kernel: int = 1, *, bias: bool = False, mirrors: bool = False) -> nn.Conv2d:
    """A convolution that keeps the size of the map, with zeros outside it, or a border mirrored without its edge.

    Initial values: normal of variance 1 over the number of inputs of an output; biases 0.
    """
    border = kernel // 2
    layer = nn.Conv2d(
        inputs,
        outputs,
        kernel,
        padding=border,
        bias=bias,
        padding_mode="reflect" if mirrors and border > 0 else "zeros",
    )
    nn.init.trunc_normal_(layer.weight, std=(inputs * kernel * kernel) ** -0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class PlainBlock(nn.Module):
    """NAF's block: twice GroupNorm, SiLU and a convolution with a mirrored border."""

    def __init__(self, channels: int, kernel: int, groups: int, epsilon: float) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, channels, eps=epsilon)
        self.conv1 = convolution(channels, channels, kernel, bias=True, mirrors=True)
        self.norm2 = nn.GroupNorm(groups, channels, eps=epsilon)
        self.conv2 = convolution(channels, channels, kernel, bias=True, mirrors=True)

    def forward(self, map: torch.Tensor) -> torch.Tensor:
        map = self.conv1(functional.silu(self.norm1(map)))
        return self.conv2(functional.silu(self.norm2(map)))


class ResidualBlock(nn.Module):
    """AnyUp's block: twice GroupNorm, SiLU and a 1×1 convolution, added to the input or a projection of it."""

    def __init__(self, inputs: int, outputs: int, groups: int, epsilon: float) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.GroupNorm(groups, inputs, eps=epsilon),
            nn.SiLU(),
            convolution(inputs, outputs),
            nn.GroupNorm(groups, outputs, eps=epsilon),
            nn.SiLU(),
            convolution(outputs, outputs),
        )
        self.shortcut = nn.Identity() if inputs == outputs else convolution(inputs, outputs)

    def forward(self, map: torch.Tensor) -> torch.Tensor:
        return self.block(map) + self.shortcut(map)


class Unification(nn.Module):
    """AnyUp's layer for any number of channels C to O: every channel is correlated with each of O kernels, with zeros
    outside the map and the sum divided by the taps inside. The responses are numbered c·O + o and read as o·C + c, as
    published; a softmax over the kernels, and the mean over the channels.
    """

    def __init__(self, kernels: int, kernel: int) -> None:
        super().__init__()
        self.kernels, self.kernel = kernels, kernel
        self.basis = nn.Parameter(torch.empty(kernels, 1, kernel, kernel))
        nn.init.trunc_normal_(self.basis, std=1 / kernel)

    def forward(self, map: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = map.shape
        taps = map.new_ones(1, 1, self.kernel, self.kernel)
        inside = functional.conv2d(map.new_ones(1, 1, height, width), taps, padding=self.kernel // 2)
        responses = functional.conv2d(
            map.reshape(batch * channels, 1, height, width), self.basis, padding=self.kernel // 2
        )
        numbered = (responses / inside).reshape(batch, self.kernels, channels, height, width)
        return numbered.softmax(1).mean(2)


class PixelRmsNorm(nn.Module):
    """RMSNorm over the channels of every pixel."""

    def __init__(self, channels: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.epsilon = epsilon

    def forward(self, map: torch.Tensor) -> torch.Tensor:
        scale = (map.square().mean(1, keepdim=True) + self.epsilon).rsqrt()
        return map * scale * self.weight.reshape(1, -1, 1, 1)


class StackedProjections(nn.Module):
    """The parameters of torch's MultiheadAttention, of which only those of queries and keys have an influence."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.in_proj_weight = nn.Parameter(torch.empty(3 * channels, channels))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * channels))
        self.out_proj = nn.Linear(channels, channels)
        for weight in (self.in_proj_weight, self.out_proj.weight):
            nn.init.trunc_normal_(weight, std=channels**-0.5)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, map: torch.Tensor, place: int) -> torch.Tensor:
        """Projects queries, of place 0, or keys, of place 1."""
        first = place * self.channels
        weight = self.in_proj_weight.narrow(0, first, self.channels)
        return functional.conv2d(map, weight[:, :, None, None], self.in_proj_bias.narrow(0, first, self.channels))


class PeriodicRotary(nn.Module):
    """NAF's positions: fixed periods over pixel centres in [−1, 1]; in every head a quarter of the channels for rows and
    columns each, and the same for the other component.
    """

    periods: torch.Tensor

    def __init__(self, head_channels: int, base: float) -> None:
        super().__init__()
        steps = torch.arange(head_channels // 4, dtype=torch.float64)
        self.register_buffer("periods", (base ** (4 * steps / head_channels)).float())

    def forward(self, map: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = map.shape
        quarter = self.periods.shape[0]
        # ONNX Runtime has no cosine of double precision.
        wide = torch.float32 if torch.onnx.is_in_onnx_export() else torch.float64
        factors = 2 * math.pi / self.periods.to(wide)[:, None, None]
        rows = (factors * _centres(height, factors)[None, :, None]).expand(quarter, height, width)
        columns = (factors * _centres(width, factors)[None, None, :]).expand(quarter, height, width)
        angles = torch.cat([rows, columns])
        cosine, sine = angles.cos().to(map.dtype), angles.sin().to(map.dtype)
        first, second = map.reshape(batch, -1, 2, 2 * quarter, height, width).unbind(2)
        turned = torch.stack([first * cosine - second * sine, second * cosine + first * sine], 2)
        return turned.reshape(batch, channels, height, width)


class LearnedRotary(nn.Module):
    """AnyUp's positions: a learned angle for each channel, over coordinates from 0 to 1. Both components of a pair have
    angles of their own, so that this is no rotation.

    Initially one component follows the rows and the other the columns, from two turns over the map down to a fiftieth.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        turns = 4 * math.pi * 100 ** (-2 * torch.arange(half, dtype=torch.float64) / channels)
        zeros = torch.zeros_like(turns)
        factors = torch.stack([torch.cat([turns, zeros]), torch.cat([zeros, turns])])
        self.freqs = nn.Parameter(factors.float())

    def forward(self, map: torch.Tensor) -> torch.Tensor:
        wide = self.freqs.double() if self.freqs.dtype == torch.float64 else self.freqs.float()
        rows, columns = (
            torch.arange(size, dtype=wide.dtype, device=wide.device) / max(size - 1, 1) for size in map.shape[2:]
        )
        angles = wide[0, :, None, None] * rows[None, :, None] + wide[1, :, None, None] * columns[None, None, :]
        first, second = map.chunk(2, 1)
        turned = torch.cat([-second, first], 1)
        return map * angles.cos().to(map.dtype) + turned * angles.sin().to(map.dtype)


def limited(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Shrinks an image of more than four times the output, as NAF does: both axes are limited by both sizes, so that the
    proportions can change.
    """
    most = [4 * length for length in size]
    if image.shape[2] <= most[0] and image.shape[3] <= most[1]:
        return image
    limits = [min(length, *most) for length in image.shape[2:]]
    return functional.interpolate(image, size=limits, mode="bilinear", align_corners=False)


def check_mirrored(name: str, height: int, width: int, kernel: int) -> None:
    """Checks that a map is large enough for a mirrored border.

    Raises:
        InvalidArgumentError: it is not.
    """
    least = kernel // 2 + 1
    if height < least or width < least:
        raise InvalidArgumentError(
            f"The border of the {name} is mirrored, which takes {least} pixels on each axis for kernels of "
            f"{kernel}x{kernel}; got {height}x{width}."
        )


def _centres(size: int, like: torch.Tensor) -> torch.Tensor:
    return (torch.arange(size, dtype=like.dtype, device=like.device) + 0.5) * (2 / size) - 1
