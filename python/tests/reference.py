"""The operators composed of torch's own, from their definitions, for any size, border, normalisation and number of
heads.
"""

from __future__ import annotations

import torch


def taps(size: int, points: int, kernel_size: int, border: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The cells that the points of an axis look at, [points, K], and which of them lie inside."""
    first = torch.arange(points) * size // points - kernel_size // 2
    if border == "shifted":
        first = first.clamp(0, size - kernel_size)
    cells = first[:, None] + torch.arange(kernel_size)
    inside = (cells >= 0) & (cells < size)
    return cells.clamp(0, size - 1), inside | torch.tensor(border == "replicate")


def gather(
    map: torch.Tensor, size: tuple[int, int], kernel_size: int, border: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """The taps of every point, [B, C, K², OH, OW], 0 outside, and which are inside, [K², OH, OW]."""
    (rows, rows_inside), (columns, columns_inside) = (
        taps(extent, points, kernel_size, border) for extent, points in zip(map.shape[2:], size)
    )
    inside = rows_inside[:, :, None, None] & columns_inside
    gathered = map[:, :, rows][..., columns] * inside
    b, c = map.shape[:2]
    order = gathered.permute(0, 1, 3, 5, 2, 4).reshape(b, c, kernel_size**2, *size)
    return order, inside.permute(1, 3, 0, 2).reshape(kernel_size**2, *size)


def similarity(query, key, kernel_size=5, border="zero_logit", heads=1):
    b, _, oh, ow = query.shape
    gathered, _ = gather(key, (oh, ow), kernel_size, border)
    products = (query[:, :, None] * gathered).reshape(b, heads, -1, kernel_size**2, oh, ow)
    return products.sum(2).reshape(b, heads * kernel_size**2, oh, ow)


def weights(scores, key_size, kernel_size=5, border="zero_logit", normalisation="softmax", heads=1, average=False):
    b, _, oh, ow = scores.shape
    inside = gather(torch.zeros(1, 1, *key_size), (oh, ow), kernel_size, border)[1]
    scores = scores.reshape(b, heads, kernel_size**2, oh, ow)
    counts = inside if border == "masked" else torch.ones_like(inside)
    if normalisation == "softmax":
        result = scores.masked_fill(~counts, -torch.inf).softmax(2)
    elif normalisation == "sigmoid":
        powers = scores.sigmoid() * counts
        result = powers / powers.sum(2, keepdim=True)
    else:
        result = scores * counts
    return result.mean(1) if average else result.reshape(b, -1, oh, ow)


def reassembly(weights, value, kernel_size=5, border="zero_logit", heads=1, head_value="split"):
    b, _, oh, ow = weights.shape
    gathered, _ = gather(value, (oh, ow), kernel_size, border)
    weights = weights.reshape(b, heads, 1, kernel_size**2, oh, ow)
    if head_value == "split":
        gathered = gathered.reshape(b, heads, -1, kernel_size**2, oh, ow)
    else:
        gathered = gathered[:, None]
    return (weights * gathered).sum(3).reshape(b, -1, oh, ow)


def attention(
    query, key, value, kernel_size=5, border="zero_logit", normalisation="softmax", heads=1, head_value="split"
):
    scores = similarity(query, key, kernel_size, border, heads)
    normalised = weights(scores, tuple(key.shape[2:]), kernel_size, border, normalisation, heads)
    return reassembly(normalised, value, kernel_size, border, heads, head_value)
