"""Operands: layouts, types, arrays of the caller, DLPack, and every kind of array that is refused."""

import gc

import numpy
import pytest
import reference
import torch

import sapagpu


def arrays(dtype="float32", seed=0):
    random = numpy.random.default_rng(seed)
    return [random.normal(size=size).astype(dtype) for size in ((2, 4, 7, 9), (2, 4, 4, 6), (2, 6, 4, 6))]


def last(array):
    """The same values with channels last in memory."""
    return numpy.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def strides_of(array):
    return [stride // array.itemsize for stride in array.strides]


@pytest.mark.parametrize("border", ["zero_logit", "masked", "replicate", "shifted"])
@pytest.mark.parametrize("heads, head_value", [(1, "split"), (2, "split"), (2, "shared")])
def test_values(border, heads, head_value):
    operands = arrays("float64")
    options = {"kernel_size": 3, "border": border, "heads": heads, "head_value": head_value}
    expected = reference.attention(*map(torch.from_numpy, operands), **options)
    output, normaliser = sapagpu.window_attention(*operands, return_normaliser=True, **options)
    assert normaliser.shape == (2, heads, 7, 9) and normaliser.dtype == "float64"
    numpy.testing.assert_allclose(output, expected, atol=1e-12)


def test_memory_formats():
    query, key, value = arrays()
    expected = sapagpu.window_attention(query, key, value)
    assert expected.flags.c_contiguous
    output = sapagpu.window_attention(query, last(key), last(value))
    assert output.transpose(0, 2, 3, 1).flags.c_contiguous
    numpy.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-6)


def test_gaps_are_read_and_written_in_place():
    query, key, value = arrays()
    expected = sapagpu.window_attention(query, key, value)
    inside = numpy.zeros((2, 9, 5, 8), "float32")[:, 2:8, 1:, 1:7]
    inside[:] = value
    whole = numpy.full((2, 7, 9, 11), numpy.nan, "float32")
    out = whole[..., 3:9].transpose(0, 3, 1, 2)
    assert sapagpu.window_attention(query, key, inside, out=out) is out
    numpy.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)
    assert numpy.isnan(whole[..., :3]).all() and numpy.isnan(whole[..., 9:]).all()


def test_arrays_of_the_caller_are_written():
    query, key, value = arrays()
    normaliser = numpy.empty((2, 1, 7, 9), "float32")
    output, kept = sapagpu.window_attention(query, key, value, normaliser=normaliser, return_normaliser=True)
    assert kept is normaliser
    fresh = sapagpu.window_attention_backward(query, key, value, normaliser, output)
    given = {"query": numpy.empty_like(query), "value": last(numpy.empty_like(value))}
    gradients = sapagpu.window_attention_backward(query, key, value, normaliser, output, wanted=(), out=given)
    assert gradients.query is given["query"] and gradients.key is None and gradients.value is given["value"]
    numpy.testing.assert_array_equal(gradients.query, fresh.query)
    numpy.testing.assert_allclose(gradients.value, fresh.value, rtol=1e-5, atol=1e-6)


def test_wanted_gradients():
    query, key, value = arrays()
    output, normaliser = sapagpu.window_attention(query, key, value, return_normaliser=True)
    only = sapagpu.window_attention_backward(query, key, value, normaliser, output, wanted="key")
    assert only.query is None and only.value is None and only.key.shape == key.shape
    with pytest.raises(ValueError, match="'keys'.*choose from 'query', 'key', 'value'"):
        sapagpu.window_attention_backward(query, key, value, normaliser, output, wanted=["keys"])
    with pytest.raises(ValueError, match="choose from"):
        sapagpu.window_attention_backward(query, key, value, normaliser, output, wanted=())


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 1e-5), ("float16", 1e-2)])
def test_types(dtype, tolerance):
    operands = arrays(dtype)
    expected = reference.attention(*(torch.from_numpy(array.astype("float64")) for array in operands))
    output = sapagpu.window_attention(*operands)
    assert output.dtype == dtype
    numpy.testing.assert_allclose(output, expected, rtol=tolerance, atol=tolerance)


def test_bfloat16_comes_and_goes_by_dlpack():
    tensors = [torch.from_numpy(array).bfloat16() for array in arrays()]
    output = sapagpu.window_attention(*tensors)
    assert output.shape == (2, 6, 7, 9)
    result = torch.from_dlpack(output)
    assert result.dtype == torch.bfloat16
    expected = reference.attention(*(tensor.double() for tensor in tensors))
    torch.testing.assert_close(result.double(), expected, rtol=0.02, atol=0.02)
    # What is lent is freed with its last user, whether anybody took it or not.
    output.__dlpack__()
    del output
    gc.collect()
    assert sapagpu.dlpack._lent
    torch.testing.assert_close(result.double(), expected, rtol=0.02, atol=0.02)
    del result
    gc.collect()
    assert not sapagpu.dlpack._lent


def test_dlpack_reads_in_place_and_writes_in_place():
    query, key, value = arrays()
    expected = sapagpu.window_attention(query, key, value)
    out = torch.empty(2, 6, 7, 9).contiguous(memory_format=torch.channels_last)
    assert sapagpu.window_attention(torch.from_numpy(query), key, torch.from_numpy(value), out=out) is out
    numpy.testing.assert_allclose(out.numpy(), expected, rtol=1e-5, atol=1e-6)
    returned = torch.from_dlpack(sapagpu.window_attention(*map(torch.from_numpy, (query, key, value))))
    numpy.testing.assert_array_equal(returned.numpy(), expected)


class Foreign:
    """Speaks DLPack as another framework would."""

    def __init__(self, capsule_of, device=(1, 0)):
        self.capsule_of, self.device = capsule_of, device

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **arguments):
        return self.capsule_of(**arguments)


def test_dlpack_of_others():
    query, key, value = arrays()
    with pytest.raises(sapagpu.NotSupportedError, match="'value' is on a device of DLPack type 7"):
        sapagpu.window_attention(query, key, Foreign(lambda **_: None, (7, 0)))
    with pytest.raises(ValueError, match="'value': its __dlpack__.. returned no DLPack capsule"):
        sapagpu.window_attention(query, key, Foreign(lambda **_: "capsule"))
    with pytest.raises(ValueError, match="'value' has DLPack type code 0 with 64 bits"):
        sapagpu.window_attention(query, key, torch.zeros(2, 6, 4, 6, dtype=torch.int64))
    with pytest.raises(ValueError, match="different devices: 'query' on the host, .*'value' on cuda:0"):
        sapagpu.window_attention(query, key, Foreign(lambda stream, **_: value.__dlpack__(), (2, 0)))


def test_what_is_no_map_is_refused():
    query, key, value = arrays()
    byte_swapped = value.astype(value.dtype.newbyteorder())
    unaligned = numpy.frombuffer(bytearray(value.nbytes + 1), "u1")[1:].view("float32").reshape(value.shape)
    odd = numpy.zeros(value.shape, numpy.dtype([("value", "float32"), ("tag", "u1")]))["value"]
    for wrong, text in (
        (value[0], "'value' has shape .6, 4, 6.; expected four dimensions"),
        (value.astype("int32"), "'value' is int32; expected float32"),
        (numpy.ma.masked_less(value, 0), "'value' is a masked array"),
        (value.astype(object), "'value' is object"),
        (byte_swapped, "'value' has the byte order of another machine.*astype"),
        (unaligned, "'value' is not aligned to its elements"),
        (odd, "'value' is not aligned to its elements"),
        (value[:, :, ::-1], "'value' .*neither contiguous .*numpy.ascontiguousarray"),
        (value[..., ::2], "'value' .*neither contiguous"),
        (value.transpose(0, 1, 3, 2), "'value' .*neither contiguous"),
        (numpy.broadcast_to(value[:1], value.shape), "'value' .*neither contiguous"),
        (value[:0], "'value' has shape .0, 6, 4, 6.; every dimension must be at least 1"),
        (value.astype("float64"), "'value' has element type f64, the first tensor of the call f32"),
        (value[:1], "(?s)'value'|batch"),
        (value[:, :, :3].copy(), "(?s)'value'|'key'"),
    ):
        with pytest.raises(ValueError, match=text):
            sapagpu.window_attention(query, key, wrong)
    for wrong in (None, 3, value.tolist(), "value"):
        with pytest.raises(TypeError, match="'value' is .*expected a numpy array"):
            sapagpu.window_attention(query, key, wrong)


def test_outputs_that_cannot_be_written_are_refused():
    query, key, value = arrays()
    out = numpy.empty((2, 6, 7, 9), "float32")
    out.flags.writeable = False
    with pytest.raises(ValueError, match="'out' is read-only"):
        sapagpu.window_attention(query, key, value, out=out)
    with pytest.raises(ValueError, match="'output' must be .2, 6, 7, 9."):
        sapagpu.window_attention(query, key, value, out=numpy.empty((2, 6, 7, 8), "float32"))
    shared = numpy.empty((2, 6, 7, 9), "float32")
    with pytest.raises(ValueError, match="memory"):
        sapagpu.window_attention(shared[:, :4], key, value, out=shared)


def test_options_that_do_not_exist_are_refused():
    query, key, value = arrays()
    for options, error, text in (
        ({"kernel_size": 4}, NotImplementedError, "must be odd"),
        ({"kernel_size": 17}, NotImplementedError, "15"),
        ({"kernel_size": 2.5}, ValueError, "'kernel_size' is 2.5; expected a whole number"),
        ({"kernel_size": 2**40}, ValueError, "out of range"),
        ({"border": "zeros"}, ValueError, "'border' is 'zeros'; choose one of 'zero_logit'"),
        ({"border": 0}, ValueError, "'border' is 0"),
        ({"normalisation": "max"}, ValueError, "choose one of 'softmax'"),
        ({"head_value": "both"}, ValueError, "choose one of 'split', 'shared'"),
        ({"heads": 0}, ValueError, "'heads' is 0"),
        ({"heads": 3}, ValueError, "3"),
        ({"heads": 2**31 - 1, "head_value": "shared"}, (ValueError, MemoryError), ""),
    ):
        with pytest.raises(error, match=text):
            sapagpu.window_attention(query, key, value, **options)
    with pytest.raises(ValueError, match="'size' is 3; expected .height, width."):
        sapagpu.interpolate(value, 3)
    with pytest.raises(ValueError, match="'key_size'"):
        sapagpu.window_weights(numpy.zeros((1, 25, 4, 4)), (0, 2))
    with pytest.raises(ValueError):
        sapagpu.deformable_attention(query, key, value, query, groups=0)
    with pytest.raises(ValueError):
        sapagpu.feature_norm(value, numpy.ones(6, "f4"), numpy.ones(6, "f4"), groups=-1)
    with pytest.raises(ValueError):
        sapagpu.feature_norm(value, numpy.ones(5, "f4"), numpy.ones(5, "f4"))
    with pytest.raises(ValueError):
        sapagpu.projection(value, numpy.ones((3, 5), "f4"))
    with pytest.raises(ValueError, match="choose from 'input', 'weight', 'bias'"):
        sapagpu.projection_backward(value, numpy.ones((3, 6), "f4"), None, value[:, :3].copy(), wanted=["weights"])
