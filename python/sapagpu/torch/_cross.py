"""Cross-resolution attention with first and second derivatives.

The operators of torch's dispatcher are ``sapagpu::cross_attention``, and, so that what traces sees one node each,
``cross_attention_forward`` and ``cross_attention_backward``. They take what describes ranges, since objects are no
arguments of theirs, and make the ranges for the sizes of their operands. The backward is a function of autograd itself,
whose backward is the double backward of the library.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Optional, Sequence

import torch

from .. import _abi, _layout
from .._library import call
from .._options import cross_options
from ..cross import Ranges, Rule
from ..errors import InvalidArgumentError
from . import _memory
from ._operator import LIBRARY, Once, below_autograd, overload

_NAMES = ("query", "key", "value", "key_bias")
_THIRD = "sapagpu.torch.cross_attention is differentiable twice; a third derivative was asked for."
_MAPS = "Tensor query, Tensor key, Tensor value, Tensor? key_bias"
_SETTINGS = "str rule, int[] numbers, float ratio, int heads, bool averages_heads, float score_scale"
_NORMALISATION = "str normalisation"
_DEFAULT = "softmax"
_RANGES_KEPT = 64

_Maps = Sequence[Optional[torch.Tensor]]
# What _SETTINGS names, and the normalisation.
_Settings = tuple[Any, ...]


def cross_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    key_bias: Optional[torch.Tensor],
    ranges: Ranges,
    heads: int,
    averages_heads: bool,
    score_scale: float,
    normalisation: str = _DEFAULT,
) -> torch.Tensor:
    """Calls the operator of the dispatcher; recorded by autograd where an operand wants a gradient."""
    if not isinstance(ranges, Ranges):
        raise TypeError(f"'ranges' is {type(ranges).__name__}; expected sapagpu.Ranges.")
    assert ranges.handle
    maps = (query, key, value, key_bias)
    _check(maps)
    # In a trace sizes are tensors, and what is compared would become a constant.
    if not torch.jit.is_tracing():
        sizes = tuple(key.shape[2:]), tuple(query.shape[2:])
        if sizes != (ranges.size, ranges.output_size):
            raise InvalidArgumentError(
                f"'ranges' are from {ranges.size} to {ranges.output_size}, but key and query have {sizes[0]} and "
                f"{sizes[1]}; create ranges for these sizes."
            )
    rule = ranges.rule
    options = cross_options(heads, averages_heads, score_scale, normalisation)
    return overload("cross_attention")(
        *maps,
        rule.name,
        rule.numbers,
        rule.ratio,
        options.heads,
        bool(averages_heads),
        options.score_scale,
        normalisation,
    )


@lru_cache(_RANGES_KEPT)
def _ranges(rule: Rule, size: tuple[int, int], output_size: tuple[int, int]) -> Ranges:
    return rule.ranges(size, output_size)


def _check(maps: _Maps) -> None:
    names, given = zip(*((name, map) for name, map in zip(_NAMES, maps) if map is not None))
    _memory.check(names, given)
    batches = {map.shape[0] for map in given}
    if not torch.jit.is_tracing() and 0 in batches and len(batches) > 1:
        raise InvalidArgumentError(
            f"The operands must have the same batch. Operands: {_memory.describe(names, given)}."
        )


def _options(settings: _Settings) -> _abi.CrossOptions:
    return cross_options(*settings[3:])


def _run(function: str, settings: _Settings, maps: _Maps, *others: Optional[torch.Tensor]) -> None:
    """Calls a function of the library with the operands, the ranges, and other maps; not where there is no memory."""
    query, key = maps[:2]
    assert query is not None and key is not None
    if query.device.type == "meta" or query.shape[0] == 0:
        return
    name, numbers, ratio = settings[:3]
    ranges = _ranges(Rule(name, tuple(numbers), ratio), (key.shape[2], key.shape[3]), (query.shape[2], query.shape[3]))
    operands, rest = ([None if map is None else _memory.descriptor(map) for map in group] for group in (maps, others))
    call(
        f"cross_attention_{function}",
        _memory.device_of(query).handle,
        *operands,
        ranges.handle,
        *rest,
        _options(settings),
    )


def _in_place(maps: _Maps) -> list[Optional[torch.Tensor]]:
    return [None if map is None else _memory.in_place(map) for map in maps]


def _new(maps: _Maps, wanted: Sequence[bool]) -> list[Optional[torch.Tensor]]:
    return [
        _memory.empty(map.shape, map) if map is not None and is_wanted else None for map, is_wanted in zip(maps, wanted)
    ]


def _found(maps: Sequence[Optional[torch.Tensor]]) -> list[torch.Tensor]:
    return [map for map in maps if map is not None]


def _compute(maps: _Maps, settings: _Settings, keeps: bool) -> tuple[torch.Tensor, Optional[torch.Tensor]]:
    """The output, and the statistics that the backward needs."""
    _check(maps)
    maps = _in_place(maps)
    query, _, value, _ = maps
    assert query is not None and value is not None
    output = _memory.empty((value.shape[0], value.shape[1], query.shape[2], query.shape[3]), value)
    statistics = None
    if keeps:
        wide = torch.float64 if query.dtype == torch.float64 else torch.float32
        shape = _layout.statistics_shape(query.shape, _options(settings))
        statistics = torch.empty(shape, dtype=wide, device=query.device)
    _run("forward", settings, maps, output, statistics)
    return output, statistics


def _forward(*arguments: Any) -> torch.Tensor:
    return _compute(arguments[:4], arguments[4:], keeps=False)[0]


def _forward_and_keep(*arguments: Any) -> tuple[torch.Tensor, ...]:
    output, statistics = _compute(arguments[:4], arguments[4:], keeps=True)
    assert statistics is not None
    return output, statistics


def _backward(*arguments: Any) -> list[torch.Tensor]:
    """The gradients that are wanted, in the order of the operands."""
    maps, (statistics, grad_output, *settings, wanted) = (_in_place(arguments[:4]), arguments[4:])
    gradients = _new(maps, wanted)
    _run("backward", tuple(settings), maps, statistics, _memory.in_place(grad_output), *gradients)
    return _found(gradients)


def _differentiable(*arguments: Any) -> torch.Tensor:
    # The dispatcher leaves out an argument that has its default.
    maps, settings = arguments[:4], (*arguments[4:], *[_DEFAULT][: 11 - len(arguments)])
    records = torch.is_grad_enabled() and any(map is not None and map.requires_grad for map in maps)
    # With forward-mode gradients the function is what says that there are none.
    if records or torch.autograd.forward_ad._current_level >= 0:
        return _Forward.apply(settings, *maps)
    with below_autograd():
        return overload("cross_attention")(*maps, *settings)


class _Forward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, settings: _Settings, *maps: Optional[torch.Tensor]) -> torch.Tensor:
        maps = tuple(_in_place(maps))
        with below_autograd():
            output, statistics = overload("cross_attention_forward")(*maps, *settings)
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
        with below_autograd():
            gradients = overload("cross_attention_backward")(*maps, statistics, grad_output, *settings, wanted)
        ctx.save_for_backward(statistics, grad_output, *maps)
        ctx.settings, ctx.wanted = settings, wanted
        ctx.set_materialize_grads(False)
        return tuple(gradients)

    @staticmethod
    def backward(ctx: Any, *directions: Optional[torch.Tensor]) -> tuple[Optional[torch.Tensor], ...]:
        statistics, *sources = ctx.saved_tensors
        given = iter(directions)
        towards = _in_place([next(given) if is_wanted else None for is_wanted in ctx.wanted])
        with torch.no_grad():
            grad_output, *maps = _in_place(sources)
            second = _new([grad_output, *maps], ctx.needs_input_grad[3:])
            _run("double_backward", ctx.settings, maps, statistics, grad_output, *towards, *second)
        if torch.is_grad_enabled():
            computed = _found(second)
            marked = iter(Once.apply(_THIRD, len(computed), *computed, *_found(sources), *_found(towards)))
            second = [None if gradient is None else next(marked) for gradient in second]
        return (None, None, None, *second)


def _register() -> None:
    # What was traced before there was a choice has none.
    LIBRARY.define(f"cross_attention({_MAPS}, {_SETTINGS}, {_NORMALISATION}='{_DEFAULT}') -> Tensor")
    LIBRARY.define(f"cross_attention_forward({_MAPS}, {_SETTINGS}, {_NORMALISATION}) -> (Tensor, Tensor)")
    LIBRARY.define(
        f"cross_attention_backward({_MAPS}, Tensor statistics, Tensor grad_output, {_SETTINGS}, {_NORMALISATION}, "
        "bool[] wanted) -> Tensor[]"
    )
    for key in ("CPU", "CUDA", "Meta"):
        LIBRARY.impl("cross_attention", _forward, key)
        LIBRARY.impl("cross_attention_forward", _forward_and_keep, key)
        LIBRARY.impl("cross_attention_backward", _backward, key)
    LIBRARY.impl("cross_attention", _differentiable, "Autograd")


_register()
