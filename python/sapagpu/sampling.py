"""Deformable attention and interpolation."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Optional, Sequence

from . import _abi, _layout
from ._arrays import start, value_of, wanted_outputs
from ._options import choice, deformable_options, pair
from .device import Device


class DeformableGradients(NamedTuple):
    """Gradients of :func:`deformable_attention`; None where they were not wanted."""

    query: Any
    key: Any
    value: Any
    offsets: Any


def deformable_attention(
    query: Any,
    key: Any,
    value: Any,
    offsets: Any,
    *,
    groups: int = 4,
    points: int = 9,
    out: Optional[Any] = None,
    device: Optional[Device] = None,
) -> Any:
    """Attends, at every output point and for every group of channels, to P points of the map: the operator of SAPA-D.

    Point p of group g of query (y, x) lies at row y·H/OH + offsets[:, (g·P + p)·2 + 1] and column
    x·W/OW + offsets[:, (g·P + p)·2], in cells, and is read by bilinear interpolation; cells outside count 0. The
    weights are the softmax over the points of the inner products.

    Args:
        query: [B, G·D, OH, OW].
        key: [B, G·D, H, W].
        value: [B, G·C, H, W].
        offsets: [B, G·P·2, OH, OW], columns before rows.
        groups: G.
        points: P.
        out: the array for the output; a new one if None.
        device: the processor if None.

    Returns:
        The output, [B, G·C, OH, OW], in the memory format of the value.

    Raises:
        InvalidArgumentError: shapes, types, strides or options do not fit.
    """
    options = deformable_options(groups, points)
    call, (q, k, v, o) = start(device, query=query, key=key, value=value, offsets=offsets)
    output = call.output("out", out, _layout.deformable_shape(q.shape, v.shape), v)
    call.run("deformable_attention_forward", q, k, v, o, output, options)
    return output.value


def deformable_attention_backward(
    query: Any,
    key: Any,
    value: Any,
    offsets: Any,
    grad_output: Any,
    *,
    groups: int = 4,
    points: int = 9,
    wanted: Sequence[str] = ("query", "key", "value", "offsets"),
    out: Optional[Mapping[str, Any]] = None,
    device: Optional[Device] = None,
) -> DeformableGradients:
    """Computes the gradients of :func:`deformable_attention`.

    At whole coordinates the gradient of an offset is the one towards larger coordinates. ``wanted`` and ``out`` are as
    in :func:`~sapagpu.window_attention_backward`.

    Raises:
        InvalidArgumentError: shapes, types, strides or options do not fit.
    """
    options = deformable_options(groups, points)
    call, (q, k, v, o, g) = start(device, query=query, key=key, value=value, offsets=offsets, grad_output=grad_output)
    gradients = wanted_outputs(call, wanted, out, {"query": q, "key": k, "value": v, "offsets": o})
    call.run("deformable_attention_backward", q, k, v, o, g, *gradients.values(), options)
    return DeformableGradients(*map(value_of, gradients.values()))


def interpolate(
    input: Any,
    size: tuple[int, int],
    *,
    mode: str = "bilinear",
    align_corners: bool = False,
    out: Optional[Any] = None,
    device: Optional[Device] = None,
) -> Any:
    """Resamples a map to any size; the last cell is repeated beyond the edge.

    Args:
        input: [B, C, H, W].
        size: (OH, OW).
        mode: ``"nearest"``: cell ⌊y·H/OH⌋; ``"bilinear"``: at max((y + ½)·H/OH − ½, 0).
        align_corners: of bilinear: at y·(H − 1)/(OH − 1) instead.
        out: the array for the output; a new one if None.
        device: the processor if None.

    Returns:
        The output, [B, C, OH, OW], in the memory format of the input.

    Raises:
        InvalidArgumentError: shapes, types, strides or options do not fit.
    """
    number = choice("mode", mode, _abi.INTERPOLATIONS)
    height, width = pair("size", size)
    call, (i,) = start(device, input=input)
    output = call.output("out", out, (*i.shape[:2], height, width), i)
    call.run("interpolate_forward", i, output, number, int(bool(align_corners)))
    return output.value


def interpolate_backward(
    grad_output: Any,
    size: tuple[int, int],
    *,
    mode: str = "bilinear",
    align_corners: bool = False,
    out: Optional[Any] = None,
    device: Optional[Device] = None,
) -> Any:
    """Computes the gradient of the input of :func:`interpolate`, whose size is (H, W).

    Raises:
        InvalidArgumentError: shapes, types, strides or options do not fit.
    """
    number = choice("mode", mode, _abi.INTERPOLATIONS)
    height, width = pair("size", size)
    call, (g,) = start(device, grad_output=grad_output)
    gradient = call.output("out", out, (*g.shape[:2], height, width), g)
    call.run("interpolate_backward", g, gradient, number, int(bool(align_corners)))
    return gradient.value
