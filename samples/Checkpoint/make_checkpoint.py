"""Writes segmenter.pth: what torch.save writes of {'epoch': …, 'args': …, 'state_dict': …} after training on several GPUs.

The parameters of an upsampler lie among others, under "module.decode_head.up1.", and a Namespace beside them. A file of
torch.save is a zip of a pickle and of the numbers; where torch is absent, a few classes of its names serve, so that the
script needs no packages.
"""
import argparse
import collections
import io
import pickle
import random
import struct
import sys
import types
import zipfile

ENCODER, DECODER, EMBEDDING = 4, 6, 3


def module(name):
    return sys.modules.setdefault(name, types.ModuleType(name))


def stand_in(name, owner):
    """A class that pickles as a name of torch."""
    made = type(name, (), {"__module__": owner})
    setattr(module(owner), name, made)
    return made


FloatStorage = stand_in("FloatStorage", "torch")
rebuild = stand_in("_rebuild_tensor_v2", "torch._utils")


class Tensor:
    def __init__(self, *shape, of=None):
        self.shape = shape
        count = 1
        for size in shape:
            count *= size
        self.values = [random.gauss(0, 0.3) if of is None else of for _ in range(count)]

    def __reduce__(self):
        strides = [1] * len(self.shape)
        for axis in range(len(strides) - 2, -1, -1):
            strides[axis] = strides[axis + 1] * self.shape[axis + 1]
        return rebuild, (Storage(self.values), 0, self.shape, tuple(strides), False, collections.OrderedDict())


class Storage:
    def __init__(self, values):
        self.values = values


class Pickler(pickle.Pickler):
    def __init__(self, stream):
        super().__init__(stream, protocol=2)
        self.storages = []

    def persistent_id(self, value):
        if not isinstance(value, Storage):
            return None
        self.storages.append(value.values)
        return "storage", FloatStorage, str(len(self.storages) - 1), "cuda:0", len(value.values)


def write(path, value):
    stream = io.BytesIO()
    pickler = Pickler(stream)
    pickler.dump(value)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        def add(name, content):
            archive.writestr(zipfile.ZipInfo(f"segmenter/{name}"), content)

        add("data.pkl", stream.getvalue())
        add("byteorder", "little")
        for key, values in enumerate(pickler.storages):
            add(f"data/{key}", struct.pack(f"<{len(values)}f", *values))
        add("version", "3\n")


def main():
    random.seed(1)
    up = "module.decode_head.up1."
    state = collections.OrderedDict([
        ("module.backbone.conv1.weight", Tensor(4, 3, 3, 3)),
        (f"{up}norm_y.weight", Tensor(ENCODER, of=1.0)), (f"{up}norm_y.bias", Tensor(ENCODER)),
        (f"{up}norm_x.weight", Tensor(DECODER, of=1.0)), (f"{up}norm_x.bias", Tensor(DECODER)),
        (f"{up}q.weight", Tensor(EMBEDDING, ENCODER)), (f"{up}q.bias", Tensor(EMBEDDING)),
        (f"{up}k.weight", Tensor(EMBEDDING, DECODER)), (f"{up}k.bias", Tensor(EMBEDDING)),
        ("module.decode_head.classes.weight", Tensor(2, DECODER, 1, 1)),
    ])
    write("segmenter.pth", {"epoch": 80, "args": argparse.Namespace(lr=0.01, crop=(512, 512)), "state_dict": state})


main()
