"""What torch.onnx.export writes for the operators: one node each of the domain ``com.sapagpu``, with all attributes."""

from __future__ import annotations

from typing import Any

import torch

from ..errors import NotSupportedError

# The first opset version of the exporter; a symbolic holds for later ones too.
_OPSET = 9


def _constant(value: Any, kind: str) -> Any:
    return torch.onnx.symbolic_helper._get_const(value, kind, "setting")


def _window_attention(
    graph: Any,
    query: Any,
    key: Any,
    value: Any,
    kernel_size: Any,
    border: Any,
    normalisation: Any,
    heads: Any,
    head_value: Any,
) -> Any:
    return graph.op(
        "com.sapagpu::WindowAttention",
        query,
        key,
        value,
        kernel_size_i=_constant(kernel_size, "i"),
        heads_i=_constant(heads, "i"),
        border_s=_constant(border, "s"),
        head_value_s=_constant(head_value, "s"),
        normalisation_s=_constant(normalisation, "s"),
    )


def _window_reassembly(
    graph: Any, weights: Any, value: Any, kernel_size: Any, border: Any, heads: Any, head_value: Any
) -> Any:
    return graph.op(
        "com.sapagpu::WindowReassembly",
        weights,
        value,
        kernel_size_i=_constant(kernel_size, "i"),
        heads_i=_constant(heads, "i"),
        border_s=_constant(border, "s"),
        head_value_s=_constant(head_value, "s"),
    )


def _cross_attention(
    graph: Any,
    query: Any,
    key: Any,
    value: Any,
    key_bias: Any,
    rule: Any,
    numbers: Any,
    ratio: Any,
    heads: Any,
    averages_heads: Any,
    score_scale: Any,
    normalisation: Any = "softmax",
) -> Any:
    name = _constant(rule, "s")
    if name == "table" or not torch.onnx.symbolic_helper._is_none(key_bias):
        what = "Ranges.table" if name == "table" else "'key_bias'"
        raise NotSupportedError(
            f"The node com.sapagpu::CrossAttention has no {what}. Use Ranges.window, Ranges.whole or Ranges.ratio without a "
            "bias; or export the model up to its operands, and call sapagpu.cross_attention beside ONNX Runtime."
        )
    height, width = _constant(numbers, "is") or (0, 0)
    return graph.op(
        "com.sapagpu::CrossAttention",
        query,
        key,
        value,
        rule_s=name,
        kernel_height_i=height,
        kernel_width_i=width,
        ratio_f=_constant(ratio, "f"),
        heads_i=_constant(heads, "i"),
        averages_heads_i=int(_constant(averages_heads, "i")),
        score_scale_f=_constant(score_scale, "f"),
        normalisation_s=_constant(normalisation, "s"),
    )


def register() -> None:
    """Tells torch's exporter about the operators."""
    torch.onnx.register_custom_op_symbolic("sapagpu::window_attention", _window_attention, _OPSET)
    torch.onnx.register_custom_op_symbolic("sapagpu::window_reassembly", _window_reassembly, _OPSET)
    torch.onnx.register_custom_op_symbolic("sapagpu::cross_attention", _cross_attention, _OPSET)
