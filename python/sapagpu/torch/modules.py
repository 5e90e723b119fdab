"""The upsamplers as modules. Their parameters have the names of the authors' modules, whose checkpoints load unchanged.

Parameters are float32 or what ``to``, ``double`` or ``half`` make of them. Under ``torch.autocast`` query and key are
brought to the type of the value.
"""

from __future__ import annotations

from typing import Any, Optional

import torch
from torch import nn
from torch.nn import functional

from ..errors import InvalidArgumentError
from ._layers import Projection, check_at_least_one, check_channels, check_upsampling, norm_layer, upsample_nearest
from .functional import carafe, deformable_attention, window_attention

_SIMILARITIES = ("inner_product", "bilinear", "gated_bilinear", "concatenated")
_LARGEST_SCALE = 16


class SapaUpsampler(nn.Module):
    """SAPA (Lu et al., NeurIPS 2022, section 4.2): brings decoder features x to the resolution of encoder features y.

    The key is norm(x) of the inner product, otherwise k(norm(x)). The query is that of the similarity:

    ===================  ============================================================  ==========
    ``inner_product``    norm(y)                                                       SAPA-I
    ``bilinear``         q(norm(y))                                                    SAPA-B
    ``gated_bilinear``   g·qy(norm(y)) + (1 − g)·qx(x)↑ with g = σ(gate(norm(x)))↑     SAPA-G
    ``concatenated``     q([norm(y), x↑])
    ===================  ============================================================  ==========

    ↑ is nearest-neighbour upsampling. Parameters: norm_y, norm_x, q (qy, qx), k, v and gate, as the options need them,
    each with weight and bias. Initially projections are normal of standard deviation 0.02, biases 0, normalisations
    the identity.

    Args:
        encoder_channels: Cy, of the guide.
        decoder_channels: Cx, of the features that are upsampled.
        similarity: as in the table.
        feature_norm: ``"layer"`` over the channels of a pixel, with linear weights [O, I]; ``"group"`` or ``"none"``,
            with weights of 1×1 convolutions [O, I, 1, 1]. A checkpoint may have either shape.
        norm_groups: of ``"group"``, a divisor of both numbers of channels.
        embedding_channels: D, of query and key; not used by the inner product.
        value_channels: upsamples v(norm(x)) with so many channels instead of x.
        kernel_size: K, odd, from 1 to 15.
        border: ``"zero_logit"``, ``"masked"``, ``"replicate"`` or ``"shifted"``, as in
            :func:`sapagpu.window_attention`.
        normalisation: ``"softmax"``, ``"sigmoid"`` or ``"none"``.
        bias: whether projections have a bias.
        epsilon: what the normalisations add to the variance.
        allows_downsampling: whether the encoder features may be smaller than the decoder features, which otherwise is an
            error, since the arguments are easily swapped.

    Raises:
        InvalidArgumentError: channels, groups or names do not fit.
    """

    def __init__(
        self,
        encoder_channels: int,
        decoder_channels: int,
        *,
        similarity: str = "bilinear",
        feature_norm: str = "layer",
        norm_groups: int = 32,
        embedding_channels: int = 64,
        value_channels: Optional[int] = None,
        kernel_size: int = 5,
        border: str = "zero_logit",
        normalisation: str = "softmax",
        bias: bool = True,
        epsilon: float = 1e-5,
        allows_downsampling: bool = False,
    ) -> None:
        super().__init__()
        if similarity not in _SIMILARITIES:
            raise InvalidArgumentError(
                f"'similarity' is {similarity!r}; choose one of {', '.join(map(repr, _SIMILARITIES))}."
            )
        check_at_least_one(
            encoder_channels=encoder_channels,
            decoder_channels=decoder_channels,
            embedding_channels=embedding_channels,
            value_channels=1 if value_channels is None else value_channels,
        )
        if similarity == "inner_product" and encoder_channels != decoder_channels:
            raise InvalidArgumentError(
                f"The inner product needs as many encoder as decoder channels; got {encoder_channels} and "
                f"{decoder_channels}. Choose a similarity with projections, such as 'bilinear'."
            )
        self.encoder_channels, self.decoder_channels = encoder_channels, decoder_channels
        self.similarity = similarity
        self.allows_downsampling = allows_downsampling
        self.settings: dict[str, Any] = {"kernel_size": kernel_size, "border": border, "normalisation": normalisation}
        self.norm_y = norm_layer(feature_norm, encoder_channels, norm_groups, epsilon)
        self.norm_x = norm_layer(feature_norm, decoder_channels, norm_groups, epsilon)

        def project(inputs: int, outputs: int) -> Projection:
            return Projection(inputs, outputs, bias, is_linear=feature_norm == "layer")

        if similarity == "gated_bilinear":
            self.qy = project(encoder_channels, embedding_channels)
            self.qx = project(decoder_channels, embedding_channels)
        elif similarity == "concatenated":
            self.q = project(encoder_channels + decoder_channels, embedding_channels)
        elif similarity == "bilinear":
            self.q = project(encoder_channels, embedding_channels)
        self.k = None if similarity == "inner_product" else project(decoder_channels, embedding_channels)
        self.v = None if value_channels is None else project(decoder_channels, value_channels)
        if similarity == "gated_bilinear":
            self.gate = project(decoder_channels, 1)

    def forward(self, encoder: torch.Tensor, decoder: torch.Tensor) -> torch.Tensor:
        """Upsamples decoder [B, Cx, H, W] to [B, C, OH, OW], guided by encoder [B, Cy, OH, OW], of any ratio from 1
        to 16, or below with ``allows_downsampling``. The output is in the memory format of the value.

        Raises:
            InvalidArgumentError: the features do not fit the module or each other.
        """
        check_channels("encoder", encoder, self.encoder_channels)
        check_channels("decoder", decoder, self.decoder_channels)
        if not self.allows_downsampling:
            check_upsampling(encoder, decoder)
        guide, features = self.norm_y(encoder), self.norm_x(decoder)
        key = features if self.k is None else self.k(features)
        value = decoder if self.v is None else self.v(features)
        query = self._query(guide, features, decoder)
        return window_attention(query.to(value.dtype), key.to(value.dtype), value, **self.settings)

    def _query(self, guide: torch.Tensor, features: torch.Tensor, decoder: torch.Tensor) -> torch.Tensor:
        if self.similarity == "inner_product":
            return guide
        if self.similarity == "bilinear":
            return self.q(guide)
        if self.similarity == "concatenated":
            # The columns of both maps one after the other, without concatenating the maps.
            of_encoder = self.q.apply_part(guide, 0, self.encoder_channels)
            of_decoder = self.q.apply_part(decoder, self.encoder_channels, self.decoder_channels, with_bias=False)
            return of_encoder + upsample_nearest(of_decoder, guide)
        gate = upsample_nearest(torch.sigmoid(self.gate(features)), guide)
        return gate * self.qy(guide) + (1 - gate) * upsample_nearest(self.qx(decoder), guide)

    def extra_repr(self) -> str:
        return ", ".join([self.similarity, *(f"{name}={value}" for name, value in self.settings.items())])


class SapaDeformableUpsampler(nn.Module):
    """SAPA-D (arXiv 2307.08198, section 4): every output point attends, for each group of channels, to points at
    predicted offsets.

    query = q(norm(y)), key = k(norm(x)), offsets = offset(norm(x)) by pixel shuffle, or by nearest-neighbour
    upsampling. Parameters: norm_y, norm_x (with ``norm_groups``), q, k, offset, each with weight and bias. Initially
    all offsets are 0.

    Args:
        encoder_channels: Cy, of the guide.
        decoder_channels: Cx, a multiple of the groups.
        scale: s, from 1 to 16.
        groups: G.
        points: P, of a group.
        embedding_channels: D, of query and key in a group.
        high_resolution_offsets: whether every output point has its own offsets, or those of its cell.
        norm_groups: of GroupNorm before the projections; None for no normalisation.
        bias: whether projections have a bias.
        epsilon: what the normalisation adds to the variance.

    Raises:
        InvalidArgumentError: channels, groups or numbers do not fit.
    """

    def __init__(
        self,
        encoder_channels: int,
        decoder_channels: int,
        *,
        scale: int = 2,
        groups: int = 4,
        points: int = 9,
        embedding_channels: int = 32,
        high_resolution_offsets: bool = True,
        norm_groups: Optional[int] = None,
        bias: bool = True,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        check_at_least_one(
            encoder_channels=encoder_channels,
            decoder_channels=decoder_channels,
            groups=groups,
            points=points,
            embedding_channels=embedding_channels,
        )
        _check_scale(scale)
        _check_groups(decoder_channels, groups)
        self.encoder_channels, self.decoder_channels = encoder_channels, decoder_channels
        self.scale, self.groups, self.points = scale, groups, points
        self.high_resolution_offsets = high_resolution_offsets
        kind = "none" if norm_groups is None else "group"
        self.norm_y = norm_layer(kind, encoder_channels, norm_groups or 1, epsilon)
        self.norm_x = norm_layer(kind, decoder_channels, norm_groups or 1, epsilon)
        embedding = groups * embedding_channels
        offsets = groups * points * 2 * (scale * scale if high_resolution_offsets else 1)
        self.q = Projection(encoder_channels, embedding, bias, is_linear=False)
        self.k = Projection(decoder_channels, embedding, bias, is_linear=False)
        self.offset = Projection(decoder_channels, offsets, bias, is_linear=False, is_zero=True)

    def forward(self, encoder: torch.Tensor, decoder: torch.Tensor) -> torch.Tensor:
        """Upsamples decoder [B, Cx, H, W] to [B, Cx, s·H, s·W], guided by encoder [B, Cy, s·H, s·W]; in the decoder's
        memory format.

        Raises:
            InvalidArgumentError: the features do not fit the module or each other.
        """
        check_channels("encoder", encoder, self.encoder_channels)
        check_channels("decoder", decoder, self.decoder_channels)
        features = self.norm_x(decoder)
        cells = self.offset(features)
        if self.high_resolution_offsets:
            offsets = functional.pixel_shuffle(cells, self.scale)
        else:
            offsets = upsample_nearest(cells, encoder)
        operands = (self.q(self.norm_y(encoder)), self.k(features), decoder, offsets)
        return deformable_attention(
            *(operand.to(decoder.dtype) for operand in operands), groups=self.groups, points=self.points
        )

    def extra_repr(self) -> str:
        return f"scale={self.scale}, groups={self.groups}, points={self.points}"


class CarafeUpsampler(nn.Module):
    """CARAFE (Wang et al., ICCV 2019, section 3): upsamples features with kernels that are predicted from them.

    Parameters, as ``CARAFEPack`` of mmcv has them: channel_compressor and content_encoder, each with weight and bias.
    Initially Xavier normal, and normal of standard deviation 0.001.

    Args:
        channels: C, a multiple of the groups.
        scale: s, from 1 to 16.
        kernel_size: K of the reassembly, odd, from 1 to 15.
        groups: groups of channels, each with its own kernels.
        encoder_kernel: of the content encoder, odd.
        encoder_dilation: of the content encoder.
        compressed_channels: between compressor and encoder.

    Raises:
        InvalidArgumentError: channels, groups or numbers do not fit.
    """

    def __init__(
        self,
        channels: int,
        *,
        scale: int = 2,
        kernel_size: int = 5,
        groups: int = 1,
        encoder_kernel: int = 3,
        encoder_dilation: int = 1,
        compressed_channels: int = 64,
    ) -> None:
        super().__init__()
        check_at_least_one(
            channels=channels,
            kernel_size=kernel_size,
            groups=groups,
            encoder_kernel=encoder_kernel,
            encoder_dilation=encoder_dilation,
            compressed_channels=compressed_channels,
        )
        _check_scale(scale)
        _check_groups(channels, groups)
        if encoder_kernel % 2 == 0:
            raise InvalidArgumentError(f"'encoder_kernel' is {encoder_kernel}; it must be odd.")
        self.channels, self.scale, self.kernel_size, self.groups = channels, scale, kernel_size, groups
        self.channel_compressor = nn.Conv2d(channels, compressed_channels, 1)
        self.content_encoder = nn.Conv2d(
            compressed_channels,
            kernel_size**2 * groups * scale**2,
            encoder_kernel,
            padding=encoder_dilation * (encoder_kernel // 2),
            dilation=encoder_dilation,
        )
        nn.init.xavier_normal_(self.channel_compressor.weight)
        nn.init.normal_(self.content_encoder.weight, std=0.001)
        for layer in (self.channel_compressor, self.content_encoder):
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Upsamples features [B, C, H, W] to [B, C, s·H, s·W], in their memory format.

        Raises:
            InvalidArgumentError: the features do not fit the module.
        """
        check_channels("features", features, self.channels)
        code = self.content_encoder(self.channel_compressor(features))
        scores = functional.pixel_shuffle(code, self.scale)
        batch, _, height, width = scores.shape
        masks = scores.reshape(batch, self.groups, self.kernel_size**2, height, width).softmax(2)
        masks = masks.reshape(batch, self.groups * self.kernel_size**2, height, width)
        return carafe(features, masks.to(features.dtype), self.kernel_size, self.groups)

    def extra_repr(self) -> str:
        return f"scale={self.scale}, kernel_size={self.kernel_size}, groups={self.groups}"


def _check_scale(scale: int) -> None:
    if not 1 <= scale <= _LARGEST_SCALE:
        raise InvalidArgumentError(f"'scale' is {scale}; it must be from 1 to {_LARGEST_SCALE}.")


def _check_groups(channels: int, groups: int) -> None:
    if channels % groups != 0:
        raise InvalidArgumentError(f"The channels must be a multiple of 'groups'; got {channels} and {groups}.")
