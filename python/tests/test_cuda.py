"""Memory of CUDA by DLPack and on streams of the primary context, beside the processor; what needs a driver and a device is
skipped where there is none.
"""

import ctypes
import math
from types import SimpleNamespace

import numpy
import pytest
import torch

import sapagpu
from sapagpu import dlpack
from sapagpu.torch import _memory


@pytest.fixture(scope="module")
def driver():
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        pytest.skip("no CUDA driver")
    number, context = ctypes.c_int(), ctypes.c_void_p()
    if library.cuInit(0) != 0 or library.cuDeviceGet(ctypes.byref(number), 0) != 0:
        pytest.skip("no CUDA device")
    assert library.cuDevicePrimaryCtxRetain(ctypes.byref(context), number) == 0
    assert library.cuCtxSetCurrent(context) == 0
    return library


class CudaArray:
    """A map in memory of CUDA that speaks DLPack, and enough of a tensor for the descriptors of torch."""

    dtype = torch.float32
    device = torch.device("cuda", 0)

    def __init__(self, driver, values, stream=1):
        self.driver, self.shape, self.stream = driver, values.shape, stream
        self.pointer = ctypes.c_uint64()
        assert driver.cuMemAlloc_v2(ctypes.byref(self.pointer), ctypes.c_size_t(values.nbytes)) == 0
        host = numpy.ascontiguousarray(values)
        copied = driver.cuMemcpyHtoD_v2(self.pointer, ctypes.c_void_p(host.ctypes.data), ctypes.c_size_t(host.nbytes))
        assert copied == 0

    def stride(self):
        return tuple(math.prod(self.shape[i + 1 :]) for i in range(4))

    def data_ptr(self):
        return self.pointer.value

    def numpy(self):
        values = numpy.empty(self.shape, "float32")
        copied = self.driver.cuMemcpyDtoH_v2(
            ctypes.c_void_p(values.ctypes.data), self.pointer, ctypes.c_size_t(values.nbytes)
        )
        assert copied == 0
        return values

    def __dlpack_device__(self):
        return dlpack.CUDA, 0

    def __dlpack__(self, *, stream):
        assert stream == self.stream
        return dlpack.capsule(self.data_ptr(), (dlpack.CUDA, 0), (2, 32), self.shape, self.stride(), keeper=self)


@pytest.fixture(scope="module")
def maps():
    random = numpy.random.default_rng(2)
    return [
        random.normal(size=size).astype("float32") for size in ((1, 8, 8, 8), (1, 8, 4, 4), (1, 8, 4, 4), (1, 8, 8, 8))
    ]


def test_dlpack_of_cuda_memory(driver, maps):
    *operands, empty = (CudaArray(driver, map) for map in maps)
    expected = sapagpu.window_attention(*maps[:3])
    assert sapagpu.window_attention(*operands, out=empty) is empty
    numpy.testing.assert_allclose(empty.numpy(), expected, rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="not allocated here; give the array for 'out'"):
        sapagpu.window_attention(*operands)
    with pytest.raises(ValueError, match="different devices: 'query' on cuda:0, 'key' on the host"):
        sapagpu.window_attention(operands[0], maps[1], operands[2], out=empty)
    with pytest.raises(ValueError, match="'out' is on another device"):
        sapagpu.window_attention(*maps[:3], out=empty)
    with pytest.raises(ValueError, match="on cuda:0, the device is cpu:0"):
        sapagpu.window_attention(*operands, out=empty, device=sapagpu.default_device())
    with sapagpu.Device("cuda") as device, pytest.raises(ValueError, match="on the host, the device is cuda:0"):
        sapagpu.window_attention(*maps[:3], device=device)


def new_stream(driver):
    stream = ctypes.c_void_p()
    assert driver.cuStreamCreate(ctypes.byref(stream), 1) == 0
    return stream.value


def test_one_device_for_all_streams_of_torch(driver, maps, monkeypatch):
    streams = [0, new_stream(driver), new_stream(driver)]
    expected = sapagpu.window_attention(*maps[:3])
    found = []
    for stream in (*streams, *streams):
        monkeypatch.setattr(torch.cuda, "current_stream", lambda _, stream=stream: SimpleNamespace(cuda_stream=stream))
        operands = [CudaArray(driver, map) for map in maps]
        device = _memory.device_of(operands[0])
        found.append(device)
        options = sapagpu._options.window_options(5)
        sapagpu._library.call(
            "window_attention_forward", device.handle, *map(_memory.descriptor, operands), None, options
        )
        device.synchronize()
        numpy.testing.assert_allclose(operands[3].numpy(), expected, rtol=1e-5, atol=1e-5)
    assert [device.stream for device in found] == [*streams, *streams]
    assert len({device.handle for device in found}) == 3 and found[:3] == found[3:]
    assert {device._parent for device in found} == {sapagpu.device.device_of_cuda_memory(0)}


def test_torch_is_asked_for_its_stream_at_every_call(monkeypatch):
    """Without a driver: which device and which stream tensors of two GPUs get."""

    class Opened:
        _is_open = True

        def __init__(self, index, stream=0):
            self.place = index, stream

        def on_stream(self, stream):
            return Opened(self.place[0], stream)

    current = {}
    monkeypatch.setattr(_memory, "_devices", sapagpu.device.DeviceCache())
    monkeypatch.setattr(_memory, "device_of_cuda_memory", Opened)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: SimpleNamespace(cuda_stream=current[device.index]))
    tensors = [SimpleNamespace(device=torch.device("cuda", index)) for index in (0, 1)]
    current.update({0: 0x700, 1: 0})
    first = _memory.device_of(tensors[0])
    assert first.place == (0, 0x700) and _memory.device_of(tensors[1]).place == (1, 0)
    current[0] = 0x800
    assert _memory.device_of(tensors[0]).place == (0, 0x800)
    current[0] = 0x700
    assert _memory.device_of(tensors[0]) is first
    first._is_open = False
    assert _memory.device_of(tensors[0]) is not first


def test_the_processor_has_the_default_stream_only():
    with sapagpu.Device("cpu") as device:
        on_stream = device.on_stream(0)
        assert on_stream.handle != device.handle and on_stream.kind == "cpu" and on_stream.info() == device.info()
        query, key = numpy.ones((1, 2, 4, 4), "float32"), numpy.ones((1, 2, 2, 2), "float32")
        expected = sapagpu.window_attention(query, key, key, device=device)
        numpy.testing.assert_array_equal(sapagpu.window_attention(query, key, key, device=on_stream), expected)
        with pytest.raises(sapagpu.NotSupportedError, match="only CUDA"):
            device.on_stream(0x1000)
    with pytest.raises(sapagpu.ClosedError, match="was closed"):
        on_stream.synchronize()
    with pytest.raises(sapagpu.ClosedError, match="was closed"):
        device.on_stream(0)
    assert repr(on_stream).endswith(", closed>")


def test_a_stream_of_a_device(driver, maps):
    stream = new_stream(driver)
    expected = sapagpu.window_attention(*maps[:3])
    with sapagpu.Device("cuda", primary_context=True) as device:
        on_stream = device.on_stream(stream)
        assert on_stream.handle == device.on_stream(stream).handle != device.handle
        assert (on_stream.kind, on_stream.index, on_stream.stream) == ("cuda", 0, stream)
        operands = [CudaArray(driver, map, stream) for map in maps]
        assert sapagpu.window_attention(*operands[:3], out=operands[3], device=on_stream) is operands[3]
        numpy.testing.assert_array_less(abs(operands[3].numpy() - expected), 1e-5)
        del on_stream
        on_stream = device.on_stream(stream)
        on_stream.close()
        with pytest.raises(sapagpu.ClosedError, match="was closed"):
            on_stream.synchronize()
        with pytest.raises(ValueError, match="each thread"):
            device.on_stream(2)
        on_stream = device.on_stream(stream)
    with pytest.raises(sapagpu.ClosedError, match="was closed"):
        on_stream.synchronize()
    with sapagpu.Device("cuda") as device, pytest.raises(ValueError, match="UsesPrimaryContext"):
        device.on_stream(stream)
