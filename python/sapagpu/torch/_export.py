"""What torch.onnx.export writes for the operators: one node each of the domain ``com.sapagpu``, with all attributes."""

from __future__ import annotations

from typing import Any, Optional

import torch

# The first opset version of the exporter; a symbolic holds for later ones too.
_OPSET = 9


def _constant(value: Any, kind: str) -> Any:
    return torch.onnx.symbolic_helper._get_const(value, kind, "setting")


def _output(node: Any, points: Any, value: Any, heads: int, head_value: str) -> Any:
    """Gives a node the type of its output, as far as sizes are known."""
    sizes: list[Optional[list[Optional[int]]]] = [map.type().sizes() for map in (points, value)]
    if all(sizes):
        (batch, _, height, width), channels = sizes[0], sizes[1][1]
        if head_value == "shared" and channels is not None:
            channels *= heads
        node.setType(value.type().with_sizes([batch, channels, height, width]))
    return node


def _window_attention(
    graph: Any, query: Any, key: Any, value: Any, kernel_size: Any, border: Any, normalisation: Any, heads: Any, head_value: Any
) -> Any:
    heads, head_value = _constant(heads, "i"), _constant(head_value, "s")
    node = graph.op(
        "com.sapagpu::WindowAttention",
        query,
        key,
        value,
        kernel_size_i=_constant(kernel_size, "i"),
        heads_i=heads,
        border_s=_constant(border, "s"),
        head_value_s=head_value,
        normalisation_s=_constant(normalisation, "s"),
    )
    return _output(node, query, value, heads, head_value)


def _window_reassembly(
    graph: Any, weights: Any, value: Any, kernel_size: Any, border: Any, heads: Any, head_value: Any
) -> Any:
    heads, head_value = _constant(heads, "i"), _constant(head_value, "s")
    node = graph.op(
        "com.sapagpu::WindowReassembly",
        weights,
        value,
        kernel_size_i=_constant(kernel_size, "i"),
        heads_i=heads,
        border_s=_constant(border, "s"),
        head_value_s=head_value,
    )
    return _output(node, weights, value, heads, head_value)


def register() -> None:
    """Tells torch's exporter about the operators."""
    for name, symbolic in (
        ("window_attention", _window_attention),
        ("window_reassembly", _window_reassembly),
    ):
        torch.onnx.register_custom_op_symbolic(f"sapagpu::{name}", symbolic, _OPSET)
