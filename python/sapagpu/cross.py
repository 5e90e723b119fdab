"""Cross-resolution attention: each point of a query attends to cells of a smaller map, in any window."""

from __future__ import annotations

import ctypes
from typing import Any, Mapping, NamedTuple, Optional, Sequence, Union

from . import _abi, _layout
from ._arrays import Operand, start, value_of, wanted_outputs
from ._library import call as call_library
from ._options import choice, cross_options, int32, pair
from .device import Device
from .errors import ClosedError, InvalidArgumentError, SapaGpuError


class Rule(NamedTuple):
    """What ranges were made of, apart from the sizes: the name of a border, ``"whole"``, ``"ratio"`` or ``"table"``; the
    window (rows, columns), or the tables of rows and columns one number after the other; the ratio.
    """

    name: str
    numbers: tuple[int, ...] = ()
    ratio: float = 0.0

    def ranges(self, size: tuple[int, int], output_size: tuple[int, int]) -> Ranges:
        """Makes ranges for sizes.

        Raises:
            InvalidArgumentError: there is no such rule, or it does not fit the sizes.
        """
        if self.name == "whole":
            return Ranges.whole(size, output_size)
        if self.name == "ratio":
            return Ranges.ratio(size, output_size, self.ratio)
        if self.name != "table":
            return Ranges.window(size, output_size, pair("kernel_size", list(self.numbers)), self.name)
        pairs = list(zip(self.numbers[::2], self.numbers[1::2]))
        if len(self.numbers) != 2 * sum(output_size):
            raise InvalidArgumentError(
                f"The tables have {len(self.numbers)} numbers, not the {2 * sum(output_size)} of an output of "
                f"{output_size}; create ranges for these sizes."
            )
        return Ranges.table(size, pairs[: output_size[0]], pairs[output_size[0] :])


class Ranges:
    """Which cells of a map [H, W] each point of an output [OH, OW] sees: those in the range of its row and in the range
    of its column.

    Made by :meth:`window`, :meth:`whole`, :meth:`ratio` or :meth:`table`, once for maps of the same sizes, since what
    is derived from it is kept with it. Any number of threads may use it. Sizes are (height, width).
    """

    def __init__(
        self, function: str, rule: Rule, size: tuple[int, int], output_size: tuple[int, int], *arguments: Any
    ) -> None:
        self._handle: Optional[int] = None
        self.rule = rule
        self.size = pair("size", size)
        self.output_size = pair("output_size", output_size)
        handle = ctypes.c_void_p()
        call_library(function, *self.size, *self.output_size, *arguments, ctypes.byref(handle))
        self._handle = handle.value

    @classmethod
    def window(
        cls,
        size: tuple[int, int],
        output_size: tuple[int, int],
        kernel_size: Union[int, tuple[int, int]],
        border: str = "shifted",
    ) -> Ranges:
        """Windows around the cell of every point, (⌊y·H/OH⌋, ⌊x·W/OW⌋).

        Args:
            size: (H, W) of key and value.
            output_size: (OH, OW) of the query.
            kernel_size: of both axes, or (rows, columns); odd or even, from 1, also larger than the map. Of an even one
                there is one cell more before the middle than after it.
            border: as in :func:`window_attention`; with ``"shifted"`` a window larger than an axis is the whole axis.

        Raises:
            InvalidArgumentError: a size or the border is wrong.
        """
        rows, columns = (kernel_size, kernel_size) if isinstance(kernel_size, int) else pair("kernel_size", kernel_size)
        number = choice("border", border, _abi.BORDERS)
        window = int32("kernel_size", rows), int32("kernel_size", columns)
        return cls("ranges_create_window", Rule(border, window), size, output_size, *window, number)

    @classmethod
    def whole(cls, size: tuple[int, int], output_size: tuple[int, int]) -> Ranges:
        """The whole map for every point.

        Raises:
            InvalidArgumentError: a size is wrong.
        """
        return cls("ranges_create_whole", Rule("whole"), size, output_size)

    @classmethod
    def ratio(cls, size: tuple[int, int], output_size: tuple[int, int], ratio: float) -> Ranges:
        """The part of either axis within ``ratio`` of the point to both sides, the rule of AnyUp.

        Raises:
            InvalidArgumentError: a size is wrong, or the ratio is not positive.
        """
        return cls("ranges_create_ratio", Rule("ratio", ratio=float(ratio)), size, output_size, float(ratio))

    @classmethod
    def table(cls, size: tuple[int, int], rows: Sequence[Sequence[int]], columns: Sequence[Sequence[int]]) -> Ranges:
        """Ranges of the caller's own.

        Args:
            size: (H, W) of key and value.
            rows: [OH, 2], for every output row the first row of cells and the one after the last; equal where nothing is
                seen. Neither may be smaller than the one before.
            columns: [OW, 2], likewise.

        Raises:
            InvalidArgumentError: a range lies outside the map or goes back.
        """
        tables = _numbers("rows", rows), _numbers("columns", columns)
        rule = Rule("table", (*tables[0], *tables[1]))
        return cls("ranges_create_table", rule, size, (len(rows), len(columns)), *tables)

    @property
    def handle(self) -> int:
        """The handle for the library.

        Raises:
            ClosedError: the ranges were closed.
        """
        if self._handle is None:
            raise ClosedError("The ranges were closed; make new ones.")
        return self._handle

    def close(self) -> None:
        """Closes the ranges; does nothing the second time."""
        handle, self._handle = self._handle, None
        if handle is not None:
            call_library("ranges_close", handle)

    def __del__(self) -> None:
        # As of a device: a forked child cannot, and need not.
        try:
            self.close()
        except (SapaGpuError, TypeError, AttributeError):
            pass

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy has a handle of its own.
        return self.rule.ranges, (self.size, self.output_size)

    def __repr__(self) -> str:
        return f"<sapagpu.Ranges {self.size} to {self.output_size}{', closed' if self._handle is None else ''}>"


def _numbers(name: str, table: Sequence[Sequence[int]]) -> Any:
    if any(len(entry) != 2 for entry in table):
        raise InvalidArgumentError(f"'{name}' must hold pairs, the first cell and the one after the last.")
    numbers = [int32(name, number) for entry in table for number in entry]
    return (ctypes.c_int32 * len(numbers))(*numbers)


class CrossAttentionGradients(NamedTuple):
    """Gradients of :func:`cross_attention`; None where they were not wanted."""

    query: Any
    key: Any
    value: Any
    key_bias: Any


class CrossAttentionSecondGradients(NamedTuple):
    """Gradients of :func:`cross_attention_backward`; None where they were not wanted."""

    grad_output: Any
    query: Any
    key: Any
    value: Any
    key_bias: Any


def cross_attention(
    query: Any,
    key: Any,
    value: Any,
    ranges: Ranges,
    *,
    heads: int = 1,
    averages_heads: bool = False,
    score_scale: float = 1.0,
    normalisation: str = "softmax",
    key_bias: Optional[Any] = None,
    out: Optional[Any] = None,
    statistics: Optional[Any] = None,
    return_statistics: bool = False,
    device: Optional[Device] = None,
) -> Any:
    """Upsamples a value: each output point is the sum of the cells that it sees, weighted for each head by the softmax
    of ``score_scale``·⟨query, key⟩ + ``key_bias``, or another normalisation of these scores.

    Args:
        query: [B, h·D, OH, OW].
        key: [B, h·D, H, W].
        value: [B, C, H, W].
        ranges: what every point sees, for these sizes.
        heads: h; each compares its own D channels.
        averages_heads: whether the mean of the heads' weights weighs all channels of the value; otherwise every head
            weighs its own C / h.
        score_scale: what inner products are multiplied by, such as D**-0.5.
        normalisation: as in :func:`window_attention`.
        key_bias: what is added to the scores of a cell, [B, 1, H, W]; minus infinity takes it away. None for 0.
        out: the array for the output; a new one if None.
        statistics: the array for what the backwards need, [B, 2·h, OH, OW]; float64 with float64, otherwise float32.
        return_statistics: whether to return the statistics too, in a new array if none is given.
        device: the processor if None.

    Types and memory as in :func:`window_attention`. The sizes may have any ratio. A point that sees no cell is 0.

    Returns:
        The output, [B, C, OH, OW], in the memory format of the value. With ``return_statistics`` the pair of output and
        statistics.

    Raises:
        InvalidArgumentError: shapes, types, strides or options do not fit each other or the ranges.
        OutOfMemoryError: the device does not have enough memory.
        TypeError: an operand is no array.
    """
    options = cross_options(heads, averages_heads, score_scale, normalisation)
    operands = {"query": query, "key": key, "value": value, **_optional(key_bias=key_bias)}
    call, (q, k, v, *bias) = start(device, **operands)
    output = call.output("out", out, (v.shape[0], v.shape[1], q.shape[2], q.shape[3]), v)
    kept = None
    if return_statistics or statistics is not None:
        kept = call.output("statistics", statistics, _layout.statistics_shape(q.shape, options), q, q.wide_type)
    call.run("cross_attention_forward", q, k, v, _first(bias), ranges.handle, output, kept, options)
    return (output.value, value_of(kept)) if return_statistics else output.value


def cross_attention_backward(
    query: Any,
    key: Any,
    value: Any,
    ranges: Ranges,
    statistics: Any,
    grad_output: Any,
    *,
    heads: int = 1,
    averages_heads: bool = False,
    score_scale: float = 1.0,
    normalisation: str = "softmax",
    key_bias: Optional[Any] = None,
    wanted: Optional[Sequence[str]] = None,
    out: Optional[Mapping[str, Any]] = None,
    device: Optional[Device] = None,
) -> CrossAttentionGradients:
    """Computes the gradients of :func:`cross_attention`, from the statistics that it returned and the gradient of its
    output.

    Args:
        query: as in the forward, as are all operands and options not listed here.
        statistics: what the forward returned, [B, 2·h, OH, OW].
        grad_output: the gradient of the output, in its shape.
        wanted: which gradients to compute, of ``"query"``, ``"key"``, ``"value"`` and, with a bias, ``"key_bias"``; all
            if None.
        out: arrays for gradients by name; new ones where none is given.

    Returns:
        The gradients, each in the shape and memory format of its operand.

    Raises:
        InvalidArgumentError: shapes, types, strides or options do not fit.
    """
    options = cross_options(heads, averages_heads, score_scale, normalisation)
    operands = {"query": query, "key": key, "value": value, **_optional(key_bias=key_bias)}
    call, described = start(device, **operands, statistics=statistics, grad_output=grad_output)
    s, g = described[-2:]
    likes = dict(zip(operands, described))
    gradients = wanted_outputs(call, list(likes) if wanted is None else wanted, out, likes)
    q, k, v, b = (likes.get(name) for name in CrossAttentionGradients._fields)
    results = [gradients.get(name) for name in CrossAttentionGradients._fields]
    call.run("cross_attention_backward", q, k, v, b, ranges.handle, s, g, *results, options)
    return CrossAttentionGradients(*map(value_of, results))


def cross_attention_double_backward(
    query: Any,
    key: Any,
    value: Any,
    ranges: Ranges,
    statistics: Any,
    grad_output: Any,
    directions: Mapping[str, Any],
    *,
    heads: int = 1,
    averages_heads: bool = False,
    score_scale: float = 1.0,
    normalisation: str = "softmax",
    key_bias: Optional[Any] = None,
    wanted: Optional[Sequence[str]] = None,
    out: Optional[Mapping[str, Any]] = None,
    device: Optional[Device] = None,
) -> CrossAttentionSecondGradients:
    """Computes the gradients of the sum of the products of the gradients that :func:`cross_attention_backward` computes
    with directions: the backward of the backward.

    Args:
        query: as in the backward, as are all operands and options not listed here.
        directions: arrays by name, ``"query"``, ``"key"``, ``"value"``, ``"key_bias"``, each in the shape of its operand;
            those that are left out are 0.
        wanted: as in the backward, and ``"grad_output"``; all if None.

    Returns:
        The gradients, each in the shape and memory format of its operand.

    Raises:
        InvalidArgumentError: shapes, types, strides or options do not fit, or a direction is of no operand.
    """
    options = cross_options(heads, averages_heads, score_scale, normalisation)
    operands = {"query": query, "key": key, "value": value, **_optional(key_bias=key_bias)}
    unknown = set(directions) - set(operands)
    if unknown:
        raise InvalidArgumentError(
            f"'directions' name {sorted(unknown)}; choose from {', '.join(map(repr, operands))}."
        )
    towards = {f"{name}_direction": direction for name, direction in directions.items()}
    call, described = start(device, **operands, statistics=statistics, grad_output=grad_output, **towards)
    s, g = described[len(operands) : len(operands) + 2]
    along = dict(zip(directions, described[len(operands) + 2 :]))
    likes = {"grad_output": g, **dict(zip(operands, described))}
    gradients = wanted_outputs(call, list(likes) if wanted is None else wanted, out, likes)
    names = CrossAttentionGradients._fields
    q, k, v, b = (likes.get(name) for name in names)
    ways = [along.get(name) for name in names]
    results = [gradients.get(name) for name in CrossAttentionSecondGradients._fields]
    call.run("cross_attention_double_backward", q, k, v, b, ranges.handle, s, g, *ways, *results, options)
    return CrossAttentionSecondGradients(*map(value_of, results))


def _optional(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _first(operands: Sequence[Operand]) -> Optional[Operand]:
    return operands[0] if operands else None
