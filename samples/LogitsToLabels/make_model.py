"""Writes model.onnx: the mean colour of 8x8 pixels, and a score for how close it is to the colour of each class.

It stands for a segmentation network: [1, 3, H, W] of 0 to 1 goes in, [1, classes, H / 8, W / 8] of scores comes out.
ONNX files are Protocol Buffers; the few messages of this one are written by hand, so that the script needs no packages.
"""
import struct

COLOURS = [
    (0.55, 0.72, 0.92), (0.37, 0.44, 0.51), (0.37, 0.52, 0.22), (0.77, 0.67, 0.52), (0.75, 0.70, 0.62), (0.60, 0.24, 0.19),
    (0.15, 0.32, 0.12)]
SHARPNESS = 40
FLOAT, INTS = 1, 7


def varint(number):
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes(parts + [number])


def field(number, value):
    """A field of a message: a whole number, a text, or another message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor(name, shape, values):
    dimensions = b"".join(field(1, size) for size in shape)
    return dimensions + field(2, FLOAT) + field(8, name) + field(9, struct.pack(f"<{len(values)}f", *values))


def value_info(name, shape):
    sizes = b"".join(field(1, field(1, size) if isinstance(size, int) else field(2, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, sizes)))


def node(operator, inputs, output, **attributes):
    content = b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, operator)
    for name, numbers in attributes.items():
        content += field(5, field(1, name) + b"".join(field(8, number) for number in numbers) + field(20, INTS))
    return content


# -|x - colour|^2 without |x|^2, which is the same for all classes.
weight = [2 * SHARPNESS * sample for colour in COLOURS for sample in colour]
bias = [-SHARPNESS * sum(sample * sample for sample in colour) for colour in COLOURS]
graph = (
    field(1, node("AveragePool", ["photo"], "means", kernel_shape=[8, 8], strides=[8, 8]))
    + field(1, node("Conv", ["means", "weight", "bias"], "logits", kernel_shape=[1, 1]))
    + field(2, "colours")
    + field(5, tensor("weight", [len(COLOURS), 3, 1, 1], weight))
    + field(5, tensor("bias", [len(COLOURS)], bias))
    + field(11, value_info("photo", [1, 3, "height", "width"]))
    + field(12, value_info("logits", [1, len(COLOURS), "rows", "columns"])))
model = field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))
with open("model.onnx", "wb") as file:
    file.write(model)
