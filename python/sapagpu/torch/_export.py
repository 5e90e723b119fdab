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


def _cross_attention(graph: Any, *arguments: Any) -> Any:
    raise NotSupportedError(
        "torch.onnx.export has no node for sapagpu.torch.cross_attention, and so none for NafUpsampler and "
        "AnyUpUpsampler. Export the part of the model before it, and run the upsampling beside ONNX Runtime: "
        "sapagpu.cross_attention, sapagpu.load_naf or sapagpu.load_anyup on its outputs, or the modules of the .NET and "
        "C libraries."
    )


def register() -> None:
    """Tells torch's exporter about the operators."""
    torch.onnx.register_custom_op_symbolic("sapagpu::window_attention", _window_attention, _OPSET)
    torch.onnx.register_custom_op_symbolic("sapagpu::window_reassembly", _window_reassembly, _OPSET)
    torch.onnx.register_custom_op_symbolic("sapagpu::cross_attention", _cross_attention, _OPSET)
