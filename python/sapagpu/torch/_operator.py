"""Registers operators with torch's dispatcher: kernels, shapes without data, gradients.

An operator ``sapagpu::name`` has the companion ``sapagpu::name_backward``, and one that keeps something for its
backward ``sapagpu::name_forward``, which returns that too. They exist so that what traces operators (torch.compile,
torch.onnx) sees each of them as one node.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import Any, Iterator, Optional, Sequence

import torch

from .. import _abi
from .._library import call
from ..device import Device
from ..errors import NotSupportedError
from . import _memory

LIBRARY = torch.library.Library("sapagpu", "DEF")

Descriptors = Sequence[Optional[_abi.SapaTensor]]


class Operator:
    """What an operator is made of. Its arguments are the operands, which are maps, and then the settings.

    The functions of the C interface have the operator's name with ``_forward`` and ``_backward``, and take the
    operands, what :meth:`middle` returns, what is written, and what :meth:`end` returns.
    """

    name: str
    operands: tuple[str, ...]
    settings: str
    # Whether the forward can write something that the backward reads.
    keeps = False
    backward_reads_operands = True

    def outputs(self, operands: Sequence[torch.Tensor], *settings: Any) -> list[torch.Tensor]:
        """New maps: for the result, and, if the operator keeps something, for that."""
        raise NotImplementedError

    def middle(self, *settings: Any) -> tuple[Any, ...]:
        return ()

    def end(self, *settings: Any) -> tuple[Any, ...]:
        raise NotImplementedError

    def forward(self, device: Device, operands: Descriptors, outputs: Descriptors, settings: Sequence[Any]) -> None:
        """Computes; the second output is None where it is not wanted."""
        call(
            f"{self.name}_forward",
            device.handle,
            *operands,
            *self.middle(*settings),
            *outputs,
            *self.end(*settings),
        )

    def backward(
        self,
        device: Device,
        operands: Descriptors,
        grad_output: _abi.SapaTensor,
        gradients: Descriptors,
        settings: Sequence[Any],
    ) -> None:
        """Computes the gradients that are not None, from the operands and what was kept."""
        call(
            f"{self.name}_backward",
            device.handle,
            *(operands if self.backward_reads_operands else ()),
            *self.middle(*settings),
            grad_output,
            *gradients,
            *self.end(*settings),
        )

    def split(self, arguments: Sequence[Any]) -> tuple[list[torch.Tensor], tuple[Any, ...]]:
        count = len(self.operands)
        return list(arguments[:count]), tuple(arguments[count:])


def register(operator: Operator) -> Any:
    """Makes an operator known to torch, and returns what calls it."""
    maps = ", ".join(f"Tensor {name}" for name in operator.operands)
    name = operator.name
    LIBRARY.define(f"{name}({maps}, {operator.settings}) -> Tensor")
    kept = ", Tensor kept" if operator.keeps else ""
    LIBRARY.define(f"{name}_backward(Tensor grad_output, {maps}{kept}, {operator.settings}, bool[] wanted) -> Tensor[]")
    if operator.keeps:
        LIBRARY.define(f"{name}_forward({maps}, {operator.settings}) -> (Tensor, Tensor)")

    def forward(*arguments: Any) -> torch.Tensor:
        return _forward(operator, arguments, keeps=False)[0]

    def forward_and_keep(*arguments: Any) -> tuple[torch.Tensor, ...]:
        return tuple(_forward(operator, arguments, keeps=True))

    def backward(*arguments: Any) -> list[torch.Tensor]:
        return _backward(operator, arguments)

    def differentiable(*arguments: Any) -> torch.Tensor:
        operands, _ = operator.split(arguments)
        records = torch.is_grad_enabled() and any(operand.requires_grad for operand in operands)
        # With forward-mode gradients the function is what says that there are none.
        if records or torch.autograd.forward_ad._current_level >= 0:
            return _Differentiable.apply(operator, *arguments)
        with below_autograd():
            return overload(name)(*arguments)

    for key in ("CPU", "CUDA", "Meta"):
        LIBRARY.impl(name, forward, key)
        LIBRARY.impl(f"{name}_backward", backward, key)
        if operator.keeps:
            LIBRARY.impl(f"{name}_forward", forward_and_keep, key)
    LIBRARY.impl(name, differentiable, "Autograd")
    return overload(name)


@contextmanager
def below_autograd() -> Iterator[None]:
    """Calls of operators inside go to the kernels and record nothing."""
    # The guard holds as long as it lives; that of torch 1.13 knows no "with", that of later versions asks for it.
    guard = torch._C._AutoDispatchBelowAutograd()
    try:
        with guard if hasattr(guard, "__enter__") else nullcontext():
            yield
    finally:
        del guard


def overload(name: str) -> Any:
    return getattr(torch.ops.sapagpu, name).default


def _has_no_images(tensors: Sequence[torch.Tensor]) -> bool:
    return all(tensor.shape[0] == 0 for tensor in tensors)


def _forward(operator: Operator, arguments: Sequence[Any], keeps: bool) -> list[torch.Tensor]:
    operands, settings = operator.split(arguments)
    _memory.check(operator.operands, operands)
    operands = [_memory.in_place(operand) for operand in operands]
    outputs = operator.outputs(operands, *settings)
    if operands[0].device.type == "meta" or _has_no_images(operands):
        return outputs
    written: list[Optional[_abi.SapaTensor]] = [_memory.descriptor(output) for output in outputs]
    if not keeps:
        written[1:] = [None] * (len(written) - 1)
    operator.forward(
        _memory.device_of(operands[0]), [_memory.descriptor(operand) for operand in operands], written, settings
    )
    return outputs


def _backward(operator: Operator, arguments: Sequence[Any]) -> list[torch.Tensor]:
    """The gradients of the operands; one that is not wanted is empty."""
    grad_output, *arguments, wanted = arguments
    operands, rest = operator.split(arguments)
    kept, settings = (rest[:1], rest[1:]) if operator.keeps else ((), rest)
    _memory.check(("grad_output", *operator.operands), (grad_output, *operands))
    operands = [_memory.in_place(operand) for operand in operands]
    grad_output = _memory.in_place(grad_output)
    gradients = [
        _memory.empty(operand.shape, operand) if is_wanted else operand.new_empty(0)
        for operand, is_wanted in zip(operands, wanted)
    ]
    if grad_output.device.type == "meta" or _has_no_images(operands):
        return gradients
    operator.backward(
        _memory.device_of(grad_output),
        [_memory.descriptor(tensor) for tensor in (*operands, *kept)],
        _memory.descriptor(grad_output),
        [_memory.descriptor(gradient) if is_wanted else None for gradient, is_wanted in zip(gradients, wanted)],
        settings,
    )
    return gradients


class _Differentiable(torch.autograd.Function):
    """An operator with its gradient, once: a second derivative is an error."""

    @staticmethod
    def forward(ctx: Any, operator: Operator, *arguments: Any) -> torch.Tensor:
        operands, settings = operator.split(arguments)
        kept: tuple[torch.Tensor, ...] = ()
        with below_autograd():
            if operator.keeps:
                output, *rest = overload(f"{operator.name}_forward")(*arguments)
                kept = tuple(rest)
            else:
                output = overload(operator.name)(*arguments)
        ctx.save_for_backward(*operands, *kept)
        ctx.operator, ctx.settings = operator, settings
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[Optional[torch.Tensor], ...]:
        operator, settings = ctx.operator, ctx.settings
        wanted = list(ctx.needs_input_grad[1 : 1 + len(operator.operands)])
        with torch.no_grad(), below_autograd():
            gradients = overload(f"{operator.name}_backward")(grad_output, *ctx.saved_tensors, *settings, wanted)
        if torch.is_grad_enabled():
            # With create_graph: torch's once_differentiable would return constants where the incoming gradient is one.
            message = f"sapagpu.torch.{operator.name} is differentiable once; a second derivative was asked for."
            gradients = Once.apply(message, len(gradients), *gradients, grad_output, *ctx.saved_tensors)
        found = [gradient if is_wanted else None for gradient, is_wanted in zip(gradients, wanted)]
        return (None, *found, *[None] * len(settings))


class Once(torch.autograd.Function):
    """Passes gradients on, and raises where somebody differentiates them."""

    @staticmethod
    def forward(ctx: Any, message: str, count: int, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        ctx.message = message
        return tuple(tensor.view_as(tensor) for tensor in tensors[:count])

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> None:
        raise NotSupportedError(ctx.message)
