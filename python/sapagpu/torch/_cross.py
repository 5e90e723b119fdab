"""Cross-resolution attention with first and second derivatives.

The backward is a function of autograd itself, whose backward is the double backward of the library. Ranges are objects,
which torch's dispatcher does not take as arguments; so this operator is none of ``torch.ops.sapagpu``.
"""

from __future__ import annotations

from typing import Any, Optional, Sequence

import torch

from .. import _abi, _layout
from .._library import call
from .._options import cross_options
from ..cross import Ranges
from ..errors import InvalidArgumentError
from . import _memory
from ._operator import Once

_NAMES = ("query", "key", "value", "key_bias")
_THIRD = "sapagpu.torch.cross_attention is differentiable twice; a third derivative was asked for."

_Maps = Sequence[Optional[torch.Tensor]]
_Settings = tuple[Ranges, _abi.CrossOptions]


def cross_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    key_bias: Optional[torch.Tensor],
    ranges: Ranges,
    heads: int,
    averages_heads: bool,
    score_scale: float,
) -> torch.Tensor:
    """Checks the operands and computes; recorded by autograd where an operand wants a gradient."""
    if not isinstance(ranges, Ranges):
        raise TypeError(f"'ranges' is {type(ranges).__name__}; expected sapagpu.Ranges.")
    maps = (query, key, value, key_bias)
    names, given = zip(*((name, map) for name, map in zip(_NAMES, maps) if map is not None))
    _memory.check(names, given)
    batches = {map.shape[0] for map in given}
    if 0 in batches and len(batches) > 1:
        raise InvalidArgumentError(
            f"The operands must have the same batch. Operands: {_memory.describe(names, given)}."
        )
    return _Forward.apply((ranges, cross_options(heads, averages_heads, score_scale)), *maps)


def _run(function: str, settings: _Settings, maps: _Maps, *others: Optional[torch.Tensor]) -> None:
    """Calls a function of the library with the operands, the ranges, and other maps."""
    ranges, options = settings
    first = maps[0]
    assert first is not None
    operands, rest = ([None if map is None else _memory.descriptor(map) for map in group] for group in (maps, others))
    call(f"cross_attention_{function}", _memory.device_of(first).handle, *operands, ranges.handle, *rest, options)


def _in_place(maps: _Maps) -> list[Optional[torch.Tensor]]:
    return [None if map is None else _memory.in_place(map) for map in maps]


def _new(maps: _Maps, wanted: Sequence[bool]) -> list[Optional[torch.Tensor]]:
    return [
        _memory.empty(map.shape, map) if map is not None and is_wanted else None for map, is_wanted in zip(maps, wanted)
    ]


def _found(maps: Sequence[Optional[torch.Tensor]]) -> list[torch.Tensor]:
    return [map for map in maps if map is not None]


class _Forward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, settings: _Settings, *maps: Optional[torch.Tensor]) -> torch.Tensor:
        maps = tuple(_in_place(maps))
        query, _, value, _ = maps
        assert query is not None and value is not None
        output = _memory.empty((value.shape[0], value.shape[1], query.shape[2], query.shape[3]), value)
        statistics = None
        if any(ctx.needs_input_grad):
            wide = torch.float64 if query.dtype == torch.float64 else torch.float32
            shape = _layout.statistics_shape(query.shape, settings[1])
            statistics = torch.empty(shape, dtype=wide, device=query.device)
        if query.shape[0] > 0:
            _run("forward", settings, maps, output, statistics)
        ctx.save_for_backward(statistics, *maps)
        ctx.settings = settings
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[Optional[torch.Tensor], ...]:
        wanted = list(ctx.needs_input_grad[1:])
        gradients = iter(
            _Backward.apply(ctx.settings, wanted, ctx.saved_tensors[0], grad_output, *ctx.saved_tensors[1:])
        )
        return (None, *(next(gradients) if is_wanted else None for is_wanted in wanted))


class _Backward(torch.autograd.Function):
    """The gradients that are wanted, in the order of the operands."""

    @staticmethod
    def forward(
        ctx: Any,
        settings: _Settings,
        wanted: Sequence[bool],
        statistics: torch.Tensor,
        grad_output: torch.Tensor,
        *maps: Optional[torch.Tensor],
    ) -> tuple[torch.Tensor, ...]:
        maps = tuple(_in_place(maps))
        grad_output = _memory.in_place(grad_output)
        gradients = _new(maps, wanted)
        if grad_output.shape[0] > 0:
            _run("backward", settings, maps, statistics, grad_output, *gradients)
        ctx.save_for_backward(statistics, grad_output, *maps)
        ctx.settings, ctx.wanted = settings, wanted
        ctx.set_materialize_grads(False)
        return tuple(_found(gradients))

    @staticmethod
    def backward(ctx: Any, *directions: Optional[torch.Tensor]) -> tuple[Optional[torch.Tensor], ...]:
        statistics, *sources = ctx.saved_tensors
        given = iter(directions)
        towards = _in_place([next(given) if is_wanted else None for is_wanted in ctx.wanted])
        with torch.no_grad():
            grad_output, *maps = _in_place(sources)
            second = _new([grad_output, *maps], ctx.needs_input_grad[3:])
            if maps[0] is not None and maps[0].shape[0] > 0:
                _run("double_backward", ctx.settings, maps, statistics, grad_output, *towards, *second)
        if torch.is_grad_enabled():
            computed = _found(second)
            marked = iter(Once.apply(_THIRD, len(computed), *computed, *_found(sources), *_found(towards)))
            second = [None if gradient is None else next(marked) for gradient in second]
        return (None, None, None, *second)
