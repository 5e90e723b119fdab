"""Window attention and its steps: scores, weights, reassembly."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Optional, Sequence

from . import _layout
from ._arrays import start, value_of, wanted_outputs
from ._options import pair, window_options
from .device import Device


class AttentionGradients(NamedTuple):
    """Gradients of :func:`window_attention`; None where they were not wanted."""

    query: Any
    key: Any
    value: Any


class SimilarityGradients(NamedTuple):
    """Gradients of :func:`window_similarity`; None where they were not wanted."""

    query: Any
    key: Any


class ReassemblyGradients(NamedTuple):
    """Gradients of :func:`window_reassembly`; None where they were not wanted."""

    weights: Any
    value: Any


def window_attention(
    query: Any,
    key: Any,
    value: Any,
    *,
    kernel_size: int = 5,
    border: str = "zero_logit",
    normalisation: str = "softmax",
    heads: int = 1,
    head_value: str = "split",
    out: Optional[Any] = None,
    normaliser: Optional[Any] = None,
    return_normaliser: bool = False,
    device: Optional[Device] = None,
) -> Any:
    """Upsamples a value, guided by the similarity of query and key.

    Output point (y, x) is the mean of the value over the K×K window around cell (⌊y·H/OH⌋, ⌊x·W/OW⌋). Its weights are
    the normalised inner products of query and keys, which are not divided by √D. OH and OW may be any sizes up to 16
    times H and W.

    Args:
        query: [B, D, OH, OW].
        key: [B, D, H, W].
        value: [B, C, H, W].
        kernel_size: K, odd, from 1 to 15.
        border: what a tap outside the map is. ``"zero_logit"``: score 0, value 0, part of the normalisation;
            ``"masked"``: left out; ``"replicate"``: the nearest cell inside; ``"shifted"``: the window is moved inside
            the map.
        normalisation: ``"softmax"``, ``"sigmoid"`` (sigmoid of every score, divided by their sum) or ``"none"``.
        heads: query and key have heads·d channels, and each head compares its own.
        head_value: ``"split"``: every head reassembles its own channels of the value; ``"shared"``: every head the
            whole value.
        out: the array for the output; a new one if None.
        normaliser: the array for what :func:`window_attention_backward` needs, [B, heads, OH, OW]; float64 with
            float64, otherwise float32.
        return_normaliser: whether to return the normaliser too, in a new array if none is given.
        device: the processor if None.

    All maps have one type: float64, float32, float16 or bfloat16 (of ml_dtypes, or by DLPack). They are read in place:
    contiguous or channels-last, with gaps or without.

    Returns:
        The output, [B, C, OH, OW], or [B, heads·C, OH, OW] with a shared value, in the memory format of the value. With
        ``return_normaliser`` the pair of output and normaliser.

    Raises:
        InvalidArgumentError: shapes, types, strides or options do not fit; also a ValueError.
        NotSupportedError: the output is more than 16 times as large as the map, or K is out of range.
        OutOfMemoryError: the device does not have enough memory.
        TypeError: an operand is no array.
    """
    options = window_options(kernel_size, border, normalisation, heads, head_value)
    call, (q, k, v) = start(device, query=query, key=key, value=value)
    output = call.output("out", out, _layout.attention_shape(q.shape, v.shape, options), v)
    kept = None
    if return_normaliser or normaliser is not None:
        kept = call.output("normaliser", normaliser, _layout.normaliser_shape(q.shape, options), q, q.wide_type)
    call.run("window_attention_forward", q, k, v, output, kept, options)
    return (output.value, value_of(kept)) if return_normaliser else output.value


def window_attention_backward(
    query: Any,
    key: Any,
    value: Any,
    normaliser: Any,
    grad_output: Any,
    *,
    kernel_size: int = 5,
    border: str = "zero_logit",
    normalisation: str = "softmax",
    heads: int = 1,
    head_value: str = "split",
    wanted: Sequence[str] = ("query", "key", "value"),
    out: Optional[Mapping[str, Any]] = None,
    device: Optional[Device] = None,
) -> AttentionGradients:
    """Computes the gradients of :func:`window_attention`, from the normaliser that it returned and the gradient of its
    output.

    Args:
        query: as in the forward, as are all operands and options not listed here.
        normaliser: what the forward returned, [B, heads, OH, OW].
        grad_output: the gradient of the output, in its shape.
        wanted: which gradients to compute.
        out: arrays for gradients by name, such as ``{"query": grad_query}``; new ones where none is given.

    Returns:
        The gradients, each in the shape and memory format of its operand.

    Raises:
        InvalidArgumentError: shapes, types, strides or options do not fit.
    """
    options = window_options(kernel_size, border, normalisation, heads, head_value)
    call, (q, k, v, n, g) = start(
        device, query=query, key=key, value=value, normaliser=normaliser, grad_output=grad_output
    )
    gradients = wanted_outputs(call, wanted, out, {"query": q, "key": k, "value": v})
    call.run("window_attention_backward", q, k, v, n, g, *gradients.values(), options)
    return AttentionGradients(*map(value_of, gradients.values()))


def window_similarity(
    query: Any,
    key: Any,
    *,
    kernel_size: int = 5,
    border: str = "zero_logit",
    heads: int = 1,
    out: Optional[Any] = None,
    device: Optional[Device] = None,
) -> Any:
    """Computes the scores of every window: the inner products of a query and the keys of the K×K taps around its cell.

    Args:
        query: [B, D, OH, OW].
        key: [B, D, H, W].
        kernel_size: K, odd, from 1 to 15.
        border: as in :func:`window_attention`; scores of taps outside are 0 with ``"zero_logit"`` and ``"masked"``.
        heads: each compares its own D / heads channels.
        out: the array for the scores; a new one if None.
        device: the processor if None.

    Returns:
        The scores, [B, heads·K², OH, OW], taps row by row, in the memory format of the query.

    Raises:
        InvalidArgumentError: shapes, types, strides or options do not fit.
    """
    options = window_options(kernel_size, border, heads=heads)
    call, (q, k) = start(device, query=query, key=key)
    scores = call.output("out", out, _layout.scores_shape(q.shape, options), q)
    call.run("window_similarity_forward", q, k, scores, options)
    return scores.value


def window_similarity_backward(
    query: Any,
    key: Any,
    grad_scores: Any,
    *,
    kernel_size: int = 5,
    border: str = "zero_logit",
    heads: int = 1,
    wanted: Sequence[str] = ("query", "key"),
    out: Optional[Mapping[str, Any]] = None,
    device: Optional[Device] = None,
) -> SimilarityGradients:
    """Computes the gradients of :func:`window_similarity`; ``wanted`` and ``out`` as in
    :func:`window_attention_backward`.

    Raises:
        InvalidArgumentError: shapes, types, strides or options do not fit.
    """
    options = window_options(kernel_size, border, heads=heads)
    call, (q, k, g) = start(device, query=query, key=key, grad_scores=grad_scores)
    gradients = wanted_outputs(call, wanted, out, {"query": q, "key": k})
    call.run("window_similarity_backward", q, k, g, *gradients.values(), options)
    return SimilarityGradients(*map(value_of, gradients.values()))


def window_weights(
    scores: Any,
    key_size: tuple[int, int],
    *,
    kernel_size: int = 5,
    border: str = "zero_logit",
    normalisation: str = "softmax",
    heads: int = 1,
    average: bool = False,
    out: Optional[Any] = None,
    device: Optional[Device] = None,
) -> Any:
    """Normalises the scores of every window.

    Args:
        scores: [B, heads·K², OH, OW].
        key_size: (H, W) of the map, which determine the taps that lie outside.
        kernel_size: K, odd, from 1 to 15.
        border: with ``"masked"`` taps outside are left out.
        normalisation: as in :func:`window_attention`.
        heads: each is normalised on its own.
        average: whether to return the mean of the heads' weights.
        out: the array for the weights; a new one if None.
        device: the processor if None.

    Returns:
        The weights, in the shape of the scores, or [B, K², OH, OW] if averaged.

    Raises:
        InvalidArgumentError: shapes, types, strides or options do not fit.
    """
    options = window_options(kernel_size, border, normalisation, heads)
    height, width = pair("key_size", key_size)
    call, (s,) = start(device, scores=scores)
    weights = call.output("out", out, _layout.weights_shape(s.shape, options, average), s)
    call.run("window_weights_forward", s, height, width, weights, options, int(bool(average)))
    return weights.value


def window_weights_backward(
    scores: Any,
    key_size: tuple[int, int],
    grad_weights: Any,
    *,
    kernel_size: int = 5,
    border: str = "zero_logit",
    normalisation: str = "softmax",
    heads: int = 1,
    average: bool = False,
    out: Optional[Any] = None,
    device: Optional[Device] = None,
) -> Any:
    """Computes the gradient of the scores of :func:`window_weights` from that of the weights.

    Raises:
        InvalidArgumentError: shapes, types, strides or options do not fit.
    """
    options = window_options(kernel_size, border, normalisation, heads)
    height, width = pair("key_size", key_size)
    call, (s, g) = start(device, scores=scores, grad_weights=grad_weights)
    gradient = call.output("out", out, s.shape, s)
    call.run("window_weights_backward", s, height, width, g, gradient, options, int(bool(average)))
    return gradient.value


def window_reassembly(
    weights: Any,
    value: Any,
    *,
    kernel_size: int = 5,
    border: str = "zero_logit",
    heads: int = 1,
    head_value: str = "split",
    out: Optional[Any] = None,
    device: Optional[Device] = None,
) -> Any:
    """Sums the values of every window with given weights. With ``heads`` groups this is the reassembly of CARAFE.

    Args:
        weights: [B, heads·K², OH, OW], taps row by row.
        value: [B, C, H, W].
        kernel_size: K, odd, from 1 to 15.
        border: a tap outside has value 0 with ``"zero_logit"`` and ``"masked"``; otherwise as in
            :func:`window_attention`.
        heads: each reassembles its own C / heads channels.
        head_value: as in :func:`window_attention`.
        out: the array for the output; a new one if None.
        device: the processor if None.

    Returns:
        The output, [B, C, OH, OW], or [B, heads·C, OH, OW] with a shared value, in the memory format of the value.

    Raises:
        InvalidArgumentError: shapes, types, strides or options do not fit.
    """
    options = window_options(kernel_size, border, heads=heads, head_value=head_value)
    call, (w, v) = start(device, weights=weights, value=value)
    output = call.output("out", out, _layout.attention_shape(w.shape, v.shape, options), v)
    call.run("window_reassembly_forward", w, v, output, options)
    return output.value


def window_reassembly_backward(
    weights: Any,
    value: Any,
    grad_output: Any,
    *,
    kernel_size: int = 5,
    border: str = "zero_logit",
    heads: int = 1,
    head_value: str = "split",
    wanted: Sequence[str] = ("weights", "value"),
    out: Optional[Mapping[str, Any]] = None,
    device: Optional[Device] = None,
) -> ReassemblyGradients:
    """Computes the gradients of :func:`window_reassembly`; ``wanted`` and ``out`` as in
    :func:`window_attention_backward`.

    Raises:
        InvalidArgumentError: shapes, types, strides or options do not fit.
    """
    options = window_options(kernel_size, border, heads=heads, head_value=head_value)
    call, (w, v, g) = start(device, weights=weights, value=value, grad_output=grad_output)
    gradients = wanted_outputs(call, wanted, out, {"weights": w, "value": v})
    call.run("window_reassembly_backward", w, v, g, *gradients.values(), options)
    return ReassemblyGradients(*map(value_of, gradients.values()))
