"""Memory of CUDA by DLPack and on streams of the primary context, beside the processor; skipped where there is no
driver or device.
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

    def __init__(self, driver, values):
        self.driver, self.shape = driver, values.shape
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
        assert stream == 1
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


def test_one_device_for_each_stream_of_torch(driver, maps, monkeypatch):
    streams = [0]
    for _ in range(2):
        stream = ctypes.c_void_p()
        assert driver.cuStreamCreate(ctypes.byref(stream), 1) == 0
        streams.append(stream.value)
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
    assert len(set(found)) == 3 and found[:3] == found[3:]
