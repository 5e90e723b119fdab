"""Turns keyword arguments into the structs of the C interface."""

from __future__ import annotations

import operator
from typing import Mapping

from . import _abi
from .errors import InvalidArgumentError


def choice(name: str, value: object, values: Mapping[str, int]) -> int:
    """Returns the number of a named value.

    Raises:
        InvalidArgumentError: there is no such value.
    """
    if not isinstance(value, str) or value not in values:
        raise InvalidArgumentError(f"'{name}' is {value!r}; choose one of {', '.join(map(repr, values))}.")
    return values[value]


def int32(name: str, value: object) -> int:
    """Returns a whole number that fits into 32 bits.

    Raises:
        InvalidArgumentError: it does not.
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise InvalidArgumentError(f"'{name}' is {value!r}; expected a whole number.") from None
    if not -(2**31) <= number < 2**31:
        raise InvalidArgumentError(f"'{name}' is {number}, which is out of range.")
    return number


def pair(name: str, value: object) -> tuple[int, int]:
    """Returns a height and a width of at least 1.

    Raises:
        InvalidArgumentError: it is none.
    """
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise InvalidArgumentError(f"'{name}' is {value!r}; expected (height, width).")
    height, width = int32(name, value[0]), int32(name, value[1])
    if height < 1 or width < 1:
        raise InvalidArgumentError(f"'{name}' is {value!r}; height and width must be at least 1.")
    return height, width


def window_options(
    kernel_size: int,
    border: str = "zero_logit",
    normalisation: str = "softmax",
    heads: int = 1,
    head_value: str = "split",
) -> _abi.WindowOptions:
    """The options of the window operators; the library checks the window and the heads.

    Raises:
        InvalidArgumentError: a name is unknown, or something is no whole number.
    """
    heads = int32("heads", heads)
    if heads < 1:
        raise InvalidArgumentError(f"'heads' is {heads}; it must be at least 1.")
    return _abi.WindowOptions(
        window=int32("kernel_size", kernel_size),
        border=choice("border", border, _abi.BORDERS),
        normalisation=choice("normalisation", normalisation, _abi.NORMALISATIONS),
        heads=heads,
        head_value=choice("head_value", head_value, _abi.HEAD_VALUES),
    )


def deformable_options(groups: int, points: int) -> _abi.DeformableOptions:
    """The options of deformable attention; the library checks that the channels fit them.

    Raises:
        InvalidArgumentError: something is no whole number.
    """
    return _abi.DeformableOptions(groups=int32("groups", groups), points=int32("points", points))


def cross_options(
    heads: int, averages_heads: bool, score_scale: float, normalisation: str = "softmax"
) -> _abi.CrossOptions:
    """The options of cross-resolution attention; the library checks that the channels fit the heads.

    Raises:
        InvalidArgumentError: the heads are no whole number of at least 1, or the normalisation is unknown.
    """
    heads = int32("heads", heads)
    if heads < 1:
        raise InvalidArgumentError(f"'heads' is {heads}; it must be at least 1.")
    return _abi.CrossOptions(
        heads=heads,
        averages_heads=int(bool(averages_heads)),
        normalisation=choice("normalisation", normalisation, _abi.NORMALISATIONS),
        score_scale=float(score_scale),
    )
