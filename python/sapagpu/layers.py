"""What modules are made of: projections and normalisations of maps."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Sequence

import numpy

from ._arrays import Call, Operand, operand, start, value_of
from ._options import int32
from .device import Device
from .errors import InvalidArgumentError


class ProjectionGradients(NamedTuple):
    """Gradients of :func:`projection`; None where they were not wanted, or where there is no bias."""

    input: Any
    weight: Any
    bias: Any


class NormGradients(NamedTuple):
    """Gradients of :func:`feature_norm`."""

    input: Any
    weight: Any
    bias: Any


class NormResult(NamedTuple):
    """What :func:`feature_norm` returns."""

    output: Any
    statistics: Any


def _matrix(weight: Any) -> Any:
    # A linear layer's [O, I] is a 1x1 convolution's [O, I, 1, 1].
    return weight[:, :, None, None] if isinstance(weight, numpy.ndarray) and weight.ndim == 2 else weight


def _vector(vector: Any) -> Any:
    return vector[None, :, None, None] if isinstance(vector, numpy.ndarray) and vector.ndim == 1 else vector


def _reshaped(result: Optional[Operand], like: Any) -> Any:
    if result is None or not isinstance(result.value, numpy.ndarray):
        return value_of(result)
    return result.value.reshape(like.shape)


def projection(
    input: Any,
    weight: Any,
    bias: Optional[Any] = None,
    *,
    out: Optional[Any] = None,
    device: Optional[Device] = None,
) -> Any:
    """Projects the channels of every pixel: a 1×1 convolution.

    Args:
        input: [B, I, H, W].
        weight: [O, I] or [O, I, 1, 1]; float64 with float64 maps, otherwise float32, as all parameters.
        bias: [O] or [1, O, 1, 1]; None without one.
        out: the array for the output; a new one if None.
        device: the processor if None.

    Returns:
        The output, [B, O, H, W], in the memory format of the input.

    Raises:
        InvalidArgumentError: shapes, types or strides do not fit.
    """
    call, (i, w) = start(device, input=input, weight=_matrix(weight))
    b = None if bias is None else operand(_vector(bias), "bias")
    output = call.output("out", out, (i.shape[0], w.shape[0], *i.shape[2:]), i)
    call.run("projection_forward", i, w, b, output)
    return output.value


def projection_backward(
    input: Any,
    weight: Any,
    bias: Optional[Any],
    grad_output: Any,
    *,
    wanted: Sequence[str] = ("input", "weight", "bias"),
    device: Optional[Device] = None,
) -> ProjectionGradients:
    """Computes the gradients of :func:`projection`.

    Args:
        input: as in the forward, as are weight and bias.
        grad_output: the gradient of the output, [B, O, H, W].
        wanted: ``"input"``, and ``"weight"`` or ``"bias"``, which are computed together.
        device: the processor if None.

    Raises:
        InvalidArgumentError: shapes, types or strides do not fit.
    """
    asked = {*([wanted] if isinstance(wanted, str) else wanted)}
    if not asked or not asked <= {"input", "weight", "bias"}:
        raise InvalidArgumentError(f"'wanted' is {sorted(asked)}; choose from 'input', 'weight', 'bias'.")
    call, (i, w, g) = start(device, input=input, weight=_matrix(weight), grad_output=grad_output)
    b = None if bias is None else operand(_vector(bias), "bias")
    of_parameters = bool(asked & {"weight", "bias"})
    di = _like(call, "grad_input", i) if "input" in asked else None
    dw = _like(call, "grad_weight", w) if of_parameters else None
    db = _like(call, "grad_bias", b) if of_parameters and b is not None else None
    call.run("projection_backward", i, w, b, g, di, dw, db)
    return ProjectionGradients(value_of(di), _reshaped(dw, weight), _reshaped(db, bias))


def feature_norm(
    input: Any,
    weight: Any,
    bias: Any,
    *,
    groups: int = 0,
    epsilon: float = 1e-5,
    out: Optional[Any] = None,
    device: Optional[Device] = None,
) -> NormResult:
    """LayerNorm over the channels of every pixel, or GroupNorm over groups of channels of the image.

    Args:
        input: [B, C, H, W].
        weight: [C] or [1, C, 1, 1]; float64 with float64 maps, otherwise float32.
        bias: the same.
        groups: of GroupNorm, a divisor of C; 0 for LayerNorm.
        epsilon: added to the variance.
        out: the array for the output; a new one if None.
        device: the processor if None.

    Returns:
        The output, [B, C, H, W], and the statistics that :func:`feature_norm_backward` takes.

    Raises:
        InvalidArgumentError: shapes, types or strides do not fit.
    """
    groups = int32("groups", groups)
    call, (i, w, b) = start(device, input=input, weight=_vector(weight), bias=_vector(bias))
    output = call.output("out", out, i.shape, i)
    count, _, height, width = i.shape
    shape = (count, 2, height, width) if groups == 0 else (count, 2 * max(groups, 1), 1, 1)
    statistics = call.output("statistics", None, shape, w)
    call.run("feature_norm_forward", i, groups, w, b, float(epsilon), output, statistics)
    return NormResult(output.value, statistics.value)


def feature_norm_backward(
    input: Any,
    weight: Any,
    statistics: Any,
    grad_output: Any,
    *,
    groups: int = 0,
    device: Optional[Device] = None,
) -> NormGradients:
    """Computes the gradients of :func:`feature_norm` from its statistics and the gradient of its output.

    Raises:
        InvalidArgumentError: shapes, types or strides do not fit.
    """
    call, (i, w, s, g) = start(
        device, input=input, weight=_vector(weight), statistics=statistics, grad_output=grad_output
    )
    di, dw, db = (_like(call, f"grad_{name}", like) for name, like in (("input", i), ("weight", w), ("bias", w)))
    call.run("feature_norm_backward", i, int32("groups", groups), w, s, g, di, dw, db)
    return NormGradients(di.value, _reshaped(dw, weight), _reshaped(db, weight))


def _like(call: Call, name: str, like: Operand) -> Operand:
    return call.output(name, None, like.shape, like)
