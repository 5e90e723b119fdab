"""Upsamplers of features of any backbone with an image: NAF and AnyUp, with the parameter names of the published modules.

The encoders are layers of torch; the attention is :func:`sapagpu.torch.cross_attention`. So modules are differentiable
twice.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Optional, Union

import torch
from torch import nn
from torch.nn import functional

from .._options import pair
from ..cross import Ranges
from ..errors import InvalidArgumentError
from ._encoders import (
    LearnedRotary,
    PeriodicRotary,
    PixelRmsNorm,
    PlainBlock,
    ResidualBlock,
    StackedProjections,
    Unification,
    check_mirrored,
    convolution,
    limited,
)
from ._layers import check_at_least_one, check_at_most, check_channels, check_finite
from .functional import cross_attention

_IMAGE_CHANNELS = 3
_LEAST_NORM = 1e-12
_SIZES_KEPT = 16
_MOST_CHANNELS = 1 << 14
_MOST_TAPS = 255
_MOST_BLOCKS = 256

_Size = tuple[int, int]


@lru_cache(_SIZES_KEPT)
def _window(size: _Size, output_size: _Size, kernel_size: int) -> Ranges:
    return Ranges.window(size, output_size, kernel_size)


@lru_cache(_SIZES_KEPT)
def _ratio(size: _Size, output_size: _Size, ratio: float) -> Ranges:
    return Ranges.ratio(size, output_size, ratio) if ratio > 0 else Ranges.whole(size, output_size)


class NafUpsampler(nn.Module):
    """NAF (Chambon et al., CVPR 2026): upsamples features by attention of positions and colours of an image.

    Two encoders of the image, of 1×1 and of 3×3 convolutions, pooled to the size of the output and turned by rotary
    positions, are the queries; pooled again to the size of the features, the keys. The values are the features.
    Parameters: image_encoder.encoder, image_encoder.sem_encoder; the buffer image_encoder.rope.periods.

    Args:
        channels: of queries and keys, a multiple of 2·norm_groups, of heads and of 4·rotary_heads.
        heads: of the attention, a divisor of the channels of the features; each weighs its own.
        rotary_heads: of the positions.
        kernel_size: of the window of cells that a point attends to, on both axes.
        blocks: after the first convolution of either encoder, at most 256.
        norm_groups: of the GroupNorms.
        rotary_base: the longest period, but for one step; the shortest is 1.
        epsilon: what the GroupNorms add to the variance.

    Raises:
        InvalidArgumentError: numbers do not fit each other.
    """

    def __init__(
        self,
        *,
        channels: int = 256,
        heads: int = 4,
        rotary_heads: int = 4,
        kernel_size: int = 9,
        blocks: int = 2,
        norm_groups: int = 8,
        rotary_base: float = 100.0,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        check_at_least_one(
            channels=channels,
            heads=heads,
            rotary_heads=rotary_heads,
            kernel_size=kernel_size,
            norm_groups=norm_groups,
            blocks=blocks + 1,
        )
        check_at_most(_MOST_CHANNELS, channels=channels)
        check_at_most(_MOST_BLOCKS, blocks=blocks)
        check_finite(epsilon=epsilon, rotary_base=rotary_base)
        if rotary_base == 0:
            raise InvalidArgumentError("'rotary_base' is 0; it must be positive.")
        if channels % (2 * norm_groups) != 0 or channels % heads != 0 or channels % (4 * rotary_heads) != 0:
            raise InvalidArgumentError(
                "'channels' must be a multiple of 2·norm_groups, of heads and of 4·rotary_heads; got channels "
                f"{channels}, norm_groups {norm_groups}, heads {heads} and rotary_heads {rotary_heads}."
            )
        self.channels, self.heads, self.kernel_size = channels, heads, kernel_size

        def encoder(kernel: int) -> nn.Sequential:
            half = channels // 2
            return nn.Sequential(
                convolution(_IMAGE_CHANNELS, half, kernel, bias=True, mirrors=True),
                *(PlainBlock(half, kernel, norm_groups, epsilon) for _ in range(blocks)),
            )

        self.image_encoder = nn.ModuleDict(
            {
                "encoder": encoder(1),
                "sem_encoder": encoder(3),
                "rope": PeriodicRotary(channels // rotary_heads, rotary_base),
            }
        )

    def forward(self, image: torch.Tensor, features: torch.Tensor, size: Optional[_Size] = None) -> torch.Tensor:
        """Upsamples features [B, C, H, W] with an image [B, 3, Hi, Wi], normalised as for training.

        Args:
            image: in any size; its batch is that of the features.
            features: C is a multiple of the heads.
            size: (OH, OW), of any ratio to the others; None for that of the image.

        Returns:
            The output, [B, C, OH, OW], in the type and memory format of the features.

        Raises:
            InvalidArgumentError: the maps do not fit the module or each other.
        """
        height, width = _check(image, features, size)
        if features.shape[1] % self.heads != 0:
            raise InvalidArgumentError(
                f"'features' has shape {list(features.shape)}; the channels must be a multiple of the {self.heads} heads."
            )
        if image.shape[0] == 0:
            return _of_none(self, image, features, (height, width))
        encoders = self.image_encoder
        small = limited(image.to(_type_of(self)), (height, width))
        check_mirrored("image", small.shape[2], small.shape[3], 3)
        encoded = torch.cat([encoders["encoder"](small), encoders["sem_encoder"](small)], 1)
        query = encoders["rope"](functional.adaptive_avg_pool2d(encoded, (height, width)))
        cells = _cells(features)
        key = functional.adaptive_avg_pool2d(query, cells)
        ranges = _window(cells, (height, width), self.kernel_size)
        return _attend(query, key, features, ranges, self, averages_heads=False)

    def extra_repr(self) -> str:
        return f"channels={self.channels}, heads={self.heads}, kernel_size={self.kernel_size}"


class AnyUpUpsampler(nn.Module):
    """AnyUp (Wimmer et al., ICLR 2026): upsamples features of any number of channels by attention to cells near a point.

    Queries come from the image, keys from image and features, values are the features. Parameters: image_encoder,
    key_encoder, query_encoder, key_features_encoder, cross_decode, aggregation, rope.freqs. Of
    cross_decode.cross_attn.attention the last third of in_proj_weight and in_proj_bias, and out_proj, have no influence.
    The responses of the features to the kernels are held at once: ``feature_kernels`` values for each of the features.

    Args:
        channels: of queries and keys, an even multiple of heads and norm_groups.
        heads: of the attention; their weights are averaged.
        image_kernel: the odd width of the first convolution over the image.
        feature_kernel: the odd width of the kernels that every channel of the features is correlated with.
        feature_kernels: how many of these there are, a multiple of norm_groups.
        window_ratio: the part of either axis that a point sees to either side; 0 or less for the whole map.
        norm_groups: of the GroupNorms.
        epsilon: what the GroupNorms add to the variance.
        rms_epsilon: what the RMSNorms add to the mean square.

    Raises:
        InvalidArgumentError: numbers do not fit each other.
    """

    def __init__(
        self,
        *,
        channels: int = 128,
        heads: int = 4,
        image_kernel: int = 1,
        feature_kernel: int = 5,
        feature_kernels: int = 128,
        window_ratio: float = 0.1,
        norm_groups: int = 8,
        epsilon: float = 1e-5,
        rms_epsilon: float = 2.0**-23,
    ) -> None:
        super().__init__()
        check_at_least_one(
            channels=channels,
            heads=heads,
            image_kernel=image_kernel,
            feature_kernel=feature_kernel,
            feature_kernels=feature_kernels,
            norm_groups=norm_groups,
        )
        check_at_most(_MOST_CHANNELS, channels=channels, feature_kernels=feature_kernels)
        check_at_most(_MOST_TAPS, image_kernel=image_kernel, feature_kernel=feature_kernel)
        check_finite(epsilon=epsilon, rms_epsilon=rms_epsilon)
        if (
            channels % 2 != 0
            or channels % heads != 0
            or channels % norm_groups != 0
            or feature_kernels % norm_groups != 0
        ):
            raise InvalidArgumentError(
                "'channels' must be even and a multiple of heads and norm_groups, and 'feature_kernels' a multiple of "
                f"norm_groups; got channels {channels}, heads {heads}, norm_groups {norm_groups} and feature_kernels "
                f"{feature_kernels}."
            )
        if image_kernel % 2 == 0 or feature_kernel % 2 == 0 or window_ratio != window_ratio:
            raise InvalidArgumentError(
                "'image_kernel' and 'feature_kernel' must be odd and 'window_ratio' a number; got image_kernel "
                f"{image_kernel}, feature_kernel {feature_kernel} and window_ratio {window_ratio}."
            )
        self.channels, self.heads, self.image_kernel = channels, heads, image_kernel
        self.window_ratio = float(window_ratio)

        def encoder(first: nn.Module, inputs: int = channels) -> nn.Sequential:
            return nn.Sequential(
                first,
                ResidualBlock(inputs, channels, norm_groups, epsilon),
                ResidualBlock(channels, channels, norm_groups, epsilon),
            )

        self.image_encoder = encoder(convolution(_IMAGE_CHANNELS, channels, image_kernel, mirrors=True))
        self.key_encoder = encoder(convolution(channels, channels))
        self.query_encoder = encoder(convolution(channels, channels))
        self.key_features_encoder = encoder(Unification(feature_kernels, feature_kernel), feature_kernels)
        attended = nn.ModuleDict(
            {
                "norm_q": PixelRmsNorm(channels, rms_epsilon),
                "norm_k": PixelRmsNorm(channels, rms_epsilon),
                "attention": StackedProjections(channels),
            }
        )
        self.cross_decode = nn.ModuleDict({"cross_attn": attended, "conv2d": convolution(channels, channels, 3)})
        self.aggregation = encoder(convolution(2 * channels, channels, 3, mirrors=True))
        self.rope = LearnedRotary(channels)

    def forward(self, image: torch.Tensor, features: torch.Tensor, size: Optional[_Size] = None) -> torch.Tensor:
        """Upsamples features [B, C, H, W] with an image [B, 3, Hi, Wi], normalised as for training.

        Args:
            image: in any size; its batch is that of the features.
            features: of any number of channels, and at least two cells on each axis.
            size: (OH, OW), of any ratio to the others; None for that of the image.

        Returns:
            The output, [B, C, OH, OW], in the type and memory format of the features.

        Raises:
            InvalidArgumentError: the maps do not fit the module or each other.
        """
        height, width = _check(image, features, size)
        check_mirrored("image", image.shape[2], image.shape[3], self.image_kernel)
        check_mirrored("features", features.shape[2], features.shape[3], 3)
        if image.shape[0] == 0:
            return _of_none(self, image, features, (height, width))
        cells = _cells(features)
        encoded = self.rope(self.image_encoder(image.to(_type_of(self))))
        query = functional.adaptive_avg_pool2d(self.query_encoder(encoded), (height, width))
        query = self._projected("norm_q", 0, self.cross_decode["conv2d"](query))
        from_image = functional.adaptive_avg_pool2d(self.key_encoder(encoded), cells)
        wide = features.to(_type_of(self))
        from_features = self.key_features_encoder(functional.normalize(wide, dim=1, eps=_LEAST_NORM))
        key = self._projected("norm_k", 1, self.aggregation(torch.cat([from_image, from_features], 1)))
        ranges = _ratio(cells, (height, width), self.window_ratio)
        return _attend(query, key, features, ranges, self, averages_heads=True)

    def _projected(self, norm: str, place: int, map: torch.Tensor) -> torch.Tensor:
        attended: Any = self.cross_decode["cross_attn"]
        return attended["attention"](attended[norm](map), place)

    def extra_repr(self) -> str:
        return f"channels={self.channels}, heads={self.heads}, window_ratio={self.window_ratio}"


_Upsampler = Union[NafUpsampler, AnyUpUpsampler]


def _type_of(module: nn.Module) -> torch.dtype:
    return next(module.parameters()).dtype


def _cells(features: torch.Tensor) -> _Size:
    # In a trace they are tensors, and a model that is traced has one size.
    return int(features.shape[2]), int(features.shape[3])


def _check(image: torch.Tensor, features: torch.Tensor, size: Optional[_Size]) -> _Size:
    """The size of the output, (OH, OW).

    Raises:
        InvalidArgumentError: the size is none, or the maps are not of one batch, or have another rank or no channels, rows
            or columns.
    """
    check_channels("image", image, _IMAGE_CHANNELS)
    if features.dim() != 4 or 0 in (*image.shape[1:], *features.shape[1:]) or image.shape[0] != features.shape[0]:
        raise InvalidArgumentError(
            "There must be an image [B, 3, Hi, Wi] for each of the features [B, C, H, W]; got 'image' "
            f"{list(image.shape)} and 'features' {list(features.shape)}."
        )
    return pair("size", tuple(image.shape[2:]) if size is None else tuple(size))


def _attend(
    query: torch.Tensor,
    key: torch.Tensor,
    features: torch.Tensor,
    ranges: Ranges,
    module: _Upsampler,
    averages_heads: bool,
) -> torch.Tensor:
    scale = (module.channels / module.heads) ** -0.5
    query, key = query.to(features.dtype), key.to(features.dtype)
    return cross_attention(
        query, key, features, ranges, heads=module.heads, averages_heads=averages_heads, score_scale=scale
    )


def _of_none(module: nn.Module, image: torch.Tensor, features: torch.Tensor, size: _Size) -> torch.Tensor:
    """The output for no images, with gradients of zero; not all operators of torch take such a batch."""
    total = image.sum().to(features.dtype) + features.sum()
    for parameter in module.parameters():
        total = total + 0 * parameter.sum().to(features.dtype)
    return features.new_zeros((0, features.shape[1], *size)) + total
