"""Cross-resolution attention on arrays and tensors: test vectors, a composition, second derivatives, misuse."""

import copy
import pickle

import numpy
import pytest
import sapagpu
import sapagpu.torch as st
import torch
import vectors
from torch.autograd import gradcheck, gradgradcheck

SIZE, OUTPUT_SIZE = (3, 4), (5, 6)
CASES = [case for case in vectors.cross_cases() if case.op == "cross_attention"]
golden = pytest.mark.parametrize("case", CASES, ids=map(repr, CASES))
both = pytest.mark.parametrize("dtype", ["float64", "float32"])
TABLE = ([(0, 1), (0, 2), (2, 2), (2, 3), (2, 3)], [(0, 2), (0, 2), (1, 3), (1, 4), (2, 4), (4, 4)])
RANGES = {
    "shifted": lambda: sapagpu.Ranges.window(SIZE, OUTPUT_SIZE, (3, 2)),
    "masked": lambda: sapagpu.Ranges.window(SIZE, OUTPUT_SIZE, 3, "masked"),
    "ratio": lambda: sapagpu.Ranges.ratio(SIZE, OUTPUT_SIZE, 0.2),
    "whole": lambda: sapagpu.Ranges.whole(SIZE, OUTPUT_SIZE),
    "table": lambda: sapagpu.Ranges.table(SIZE, *TABLE),
}


def ranges_of(case):
    params = case.params
    sizes = (params["height"], params["width"]), (params["out_height"], params["out_width"])
    if params["rule"] == "global":
        return sapagpu.Ranges.whole(*sizes)
    if params["rule"] == "ratio":
        return sapagpu.Ranges.ratio(*sizes, params["ratio"])
    return sapagpu.Ranges.window(*sizes, tuple(params["window"]), params["rule"])


def options_of(case):
    params = case.params
    return {
        "heads": params["heads"],
        "averages_heads": params["head_value"] == "mean",
        "score_scale": params.get("score_scale", 1.0),
    }


@both
@golden
def test_vectors(case, dtype):
    q, k, v, grad = (case.read(name, dtype) for name in ("q", "k", "v", "grad_out"))
    options = options_of(case)
    if "key_bias" in case.tensors:
        options["key_bias"] = case.read("key_bias", dtype)
    ranges = ranges_of(case)
    output, statistics = sapagpu.cross_attention(q, k, v, ranges, return_statistics=True, **options)
    case.check("out", output)
    gradients = sapagpu.cross_attention_backward(q, k, v, ranges, statistics, grad, **options)
    for name, gradient in zip(("q", "k", "v", "key_bias"), gradients):
        if gradient is not None:
            case.check(f"grad_{name}", gradient)
    if "dir_q" in case.tensors:
        directions = {name: case.read(f"dir_{name[0]}", dtype) for name in ("query", "key", "value")}
        second = sapagpu.cross_attention_double_backward(q, k, v, ranges, statistics, grad, directions, **options)
        for name, gradient in zip(("grad_out", "q", "k", "v", "key_bias"), second):
            if gradient is not None:
                case.check(f"grad2_{name}", gradient)


@both
@golden
def test_vectors_of_torch(case, dtype):
    operands = {name: torch.from_numpy(case.read(name, dtype)).requires_grad_() for name in case.names("input")}
    grad = torch.from_numpy(case.read("grad_out", dtype)).requires_grad_()
    q, k, v = (operands[name] for name in "qkv")
    output = st.cross_attention(q, k, v, ranges_of(case), key_bias=operands.get("key_bias"), **options_of(case))
    case.check("out", output.detach().numpy())
    first = torch.autograd.grad(output, list(operands.values()), grad, create_graph=True)
    for name, gradient in zip(operands, first):
        case.check(f"grad_{name}", gradient.detach().numpy())
    if "dir_q" in case.tensors:
        directions = [torch.from_numpy(case.read(f"dir_{name}", dtype)) for name in "qkv"]
        second = torch.autograd.grad(first[:3], [grad, *operands.values()], directions)
        for name, gradient in zip(("grad_out", *operands), second):
            case.check(f"grad2_{name}", gradient.numpy())


def maps(*, bias, batch=2, dtype=torch.float64):
    generator = torch.Generator().manual_seed(3)
    shapes = [(4, *OUTPUT_SIZE), (4, *SIZE), (4, *SIZE)] + [(1, *SIZE)] * bias
    return [
        torch.randn((batch, *shape), generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
        for shape in shapes
    ]


def call(ranges, **options):
    return lambda q, k, v, b=None: st.cross_attention(q, k, v, ranges, key_bias=b, heads=2, score_scale=0.7, **options)


normalisations = pytest.mark.parametrize("normalisation", ["softmax", "sigmoid", "none"])


@normalisations
@pytest.mark.parametrize("averages", [False, True])
@pytest.mark.parametrize("kind", RANGES)
def test_derivatives_are_differences(kind, averages, normalisation):
    function = call(RANGES[kind](), averages_heads=averages, normalisation=normalisation)
    operands = maps(bias=averages, batch=1)
    assert gradcheck(function, operands)
    assert gradgradcheck(function, operands)


def weights_of(scores, normalisation):
    if normalisation == "softmax":
        return scores.softmax(3)
    logistic = scores.sigmoid()
    return logistic / logistic.sum(3, keepdim=True) if normalisation == "sigmoid" else scores


@normalisations
def test_whole_map_is_plain_attention(normalisation):
    q, k, v, b = maps(bias=True)
    scores = torch.einsum("bndp,bndc->bnpc", q.reshape(2, 2, 2, -1), k.reshape(2, 2, 2, -1)) * 0.7
    weights = weights_of(scores + b.reshape(2, 1, 1, -1), normalisation)
    expected = torch.einsum("bnpc,bnec->bnep", weights, v.reshape(2, 2, 2, -1)).reshape(2, 4, *OUTPUT_SIZE)
    actual = call(RANGES["whole"](), normalisation=normalisation)(q, k, v, b)
    torch.testing.assert_close(actual, expected)
    for one, other in zip(
        torch.autograd.grad(actual.pow(2).sum(), (q, k, v, b)), torch.autograd.grad(expected.pow(2).sum(), (q, k, v, b))
    ):
        torch.testing.assert_close(one, other)


@normalisations
def test_arrays_have_what_tensors_have(normalisation):
    operands = maps(bias=True)
    ranges = RANGES["masked"]()
    grad, *directions = (torch.randn_like(map) for map in (operands[0][:, :4], *operands))
    grad.requires_grad_()
    output = call(ranges, normalisation=normalisation)(*operands)
    first = torch.autograd.grad(output, operands, grad, create_graph=True)
    second = torch.autograd.grad(first, [grad, *operands], directions)
    q, k, v, b = (map.detach().numpy() for map in operands)
    options = {"heads": 2, "score_scale": 0.7, "key_bias": b, "normalisation": normalisation}
    own, statistics = sapagpu.cross_attention(q, k, v, ranges, return_statistics=True, **options)
    numpy.testing.assert_array_equal(own, output.detach().numpy())
    saved = statistics, grad.detach().numpy()
    for one, other in zip(sapagpu.cross_attention_backward(q, k, v, ranges, *saved, **options), first):
        numpy.testing.assert_array_equal(one, other.detach().numpy())
    towards = {name: map.numpy() for name, map in zip(("query", "key", "value", "key_bias"), directions)}
    for one, other in zip(sapagpu.cross_attention_double_backward(q, k, v, ranges, *saved, towards, **options), second):
        numpy.testing.assert_array_equal(one, other.numpy())


@pytest.mark.parametrize("used", range(4))
def test_one_gradient_is_differentiated(used):
    operands = maps(bias=True)
    first = torch.autograd.grad(call(RANGES["masked"]())(*operands).pow(2).sum(), operands, create_graph=True)
    alone = torch.autograd.grad(call(RANGES["masked"]())(*operands).pow(2).sum(), [operands[used]], create_graph=True)[
        0
    ]
    for one, other in zip(
        torch.autograd.grad(first[used].pow(2).sum(), operands), torch.autograd.grad(alone.pow(2).sum(), operands)
    ):
        torch.testing.assert_close(one, other)


def test_a_third_derivative_is_an_error():
    q, k, v = maps(bias=False)
    (first,) = torch.autograd.grad(call(RANGES["whole"]())(q, k, v).pow(2).sum(), q, create_graph=True)
    (second,) = torch.autograd.grad(first.pow(2).sum(), q, create_graph=True)
    with pytest.raises(sapagpu.NotSupportedError, match="third"):
        second.sum().backward()


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float16, 1e-2), (torch.bfloat16, 8e-2)])
def test_types_and_formats(dtype, tolerance):
    rounded = [map.detach().to(dtype) for map in maps(bias=True)]
    exact = call(RANGES["shifted"]())(*(map.double() for map in rounded))
    actual = call(RANGES["shifted"]())(*(map.contiguous(memory_format=torch.channels_last) for map in rounded))
    assert actual.dtype == dtype and actual.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(actual.double(), exact, rtol=0, atol=tolerance)


@pytest.mark.parametrize("kind", RANGES)
def test_it_is_the_dispatchers_operator(kind):
    ranges, operands = RANGES[kind](), maps(bias=True)
    settings = (ranges.rule.name, ranges.rule.numbers, ranges.rule.ratio, 2, False, 0.5)
    direct = torch.ops.sapagpu.cross_attention(*operands, *settings)
    expected = st.cross_attention(*operands[:3], ranges, heads=2, score_scale=0.5, key_bias=operands[3])
    assert direct.requires_grad and torch.equal(direct, expected)
    # Softmax is the default of the operator too, which was first without a choice.
    for one, other in zip(torch.autograd.grad(direct.sum(), operands), torch.autograd.grad(expected.sum(), operands)):
        assert torch.equal(one, other)
    scored = torch.ops.sapagpu.cross_attention(*operands, *settings, "none")
    options = {"heads": 2, "score_scale": 0.5, "key_bias": operands[3], "normalisation": "none"}
    assert torch.equal(scored, st.cross_attention(*operands[:3], ranges, **options))
    meta = [map.detach().to("meta").requires_grad_() for map in operands]
    output = torch.ops.sapagpu.cross_attention(*meta, *settings)
    assert output.is_meta and output.shape == expected.shape
    (gradient,) = torch.autograd.grad(output.sum(), meta[1])
    assert gradient.is_meta and gradient.shape == operands[1].shape


def test_a_trace_is_saved_and_loaded(tmp_path):
    q, k, v = (map.detach() for map in maps(bias=False))

    class Model(torch.nn.Module):
        def forward(self, *operands):
            sizes = tuple(operands[1].shape[2:]), tuple(operands[0].shape[2:])
            return st.cross_attention(*operands, sapagpu.Ranges.window(*sizes, 3), heads=2)

    torch.jit.save(torch.jit.trace(Model(), (q, k, v)), str(tmp_path / "traced.pt"))
    loaded = torch.jit.load(str(tmp_path / "traced.pt"))
    assert torch.equal(loaded(q, k, v), Model()(q, k, v))
    # The ranges are those of the sizes of the run.
    larger = [map.repeat(1, 1, 2, 2) for map in (q, k, v)]
    larger[0].requires_grad_()
    output = loaded(*larger)
    assert torch.equal(output, Model()(*larger))
    output.sum().backward()
    assert larger[0].grad.abs().sum() > 0


@pytest.mark.parametrize("kind", RANGES)
def test_ranges_are_copied_by_what_they_are_made_of(kind):
    ranges = RANGES[kind]()
    q, k, v = (map.detach() for map in maps(bias=False))
    expected = call(ranges)(q, k, v)
    copies = copy.deepcopy(ranges), pickle.loads(pickle.dumps(ranges))
    assert copies[0].handle != ranges.handle
    ranges.close()
    for other in copies:
        assert other.rule == ranges.rule and torch.equal(call(other)(q, k, v), expected)
    with pytest.raises(sapagpu.ClosedError):
        call(ranges)(q, k, v)


def test_rules_that_do_not_fit_are_refused():
    q, k, v = (map.detach() for map in maps(bias=False))
    operator = torch.ops.sapagpu.cross_attention
    for rule, text in (
        (("mirrored", [3, 3], 0.0), "mirrored"),
        (("shifted", [3], 0.0), "kernel_size"),
        (("table", [0, 1], 0.0), "create ranges for these sizes"),
        (("ratio", [], -1.0), "ratio"),
    ):
        with pytest.raises(sapagpu.InvalidArgumentError, match=text):
            operator(q, k, v, None, *rule, 2, False, 1.0)
    with pytest.raises(sapagpu.InvalidArgumentError, match="create ranges for these sizes"):
        st.cross_attention(q, k, v, sapagpu.Ranges.whole(OUTPUT_SIZE, SIZE))


def test_a_batch_of_none():
    operands = [map.detach()[:0].requires_grad_() for map in maps(bias=True)]
    output = call(RANGES["whole"]())(*operands)
    assert output.shape == (0, 4, *OUTPUT_SIZE)
    first = torch.autograd.grad(output.sum(), operands, create_graph=True)
    sum(gradient.sum() for gradient in first).backward()
    for map in operands:
        assert map.grad is None or map.grad.shape == map.shape


def test_misuse():
    q, k, v = (numpy.zeros((1, 4, *size), "float32") for size in (OUTPUT_SIZE, SIZE, SIZE))
    ranges = sapagpu.Ranges.whole(SIZE, OUTPUT_SIZE)
    with pytest.raises(sapagpu.InvalidArgumentError, match="create ranges for these sizes"):
        sapagpu.cross_attention(q, k, v, sapagpu.Ranges.whole(OUTPUT_SIZE, SIZE))
    with pytest.raises(sapagpu.InvalidArgumentError, match="heads"):
        sapagpu.cross_attention(q, k, v, ranges, heads=3)
    with pytest.raises(sapagpu.InvalidArgumentError, match="'normalisation' is 'tanh'"):
        sapagpu.cross_attention(q, k, v, ranges, normalisation="tanh")
    with pytest.raises(sapagpu.InvalidArgumentError, match="'normalisation' is 'tanh'"):
        st.cross_attention(*map(torch.from_numpy, (q, k, v)), ranges, normalisation="tanh")
    with pytest.raises(sapagpu.InvalidArgumentError, match="keyBias"):
        sapagpu.cross_attention(q, k, v, ranges, key_bias=v)
    with pytest.raises(sapagpu.InvalidArgumentError, match="'rows': The range of output 1"):
        sapagpu.Ranges.table(SIZE, [(1, 2), (0, 3)], TABLE[1])
    with pytest.raises(sapagpu.InvalidArgumentError, match="pairs"):
        sapagpu.Ranges.table(SIZE, [(1, 2, 3)], TABLE[1])
    with pytest.raises(sapagpu.InvalidArgumentError, match="ratio"):
        sapagpu.Ranges.ratio(SIZE, OUTPUT_SIZE, 0)
    with pytest.raises(sapagpu.InvalidArgumentError, match="zero_logit"):
        sapagpu.Ranges.window(SIZE, OUTPUT_SIZE, 3, "mirrored")
    _, statistics = sapagpu.cross_attention(q, k, v, ranges, return_statistics=True)
    grad = numpy.zeros((1, 4, *OUTPUT_SIZE), "float32")
    with pytest.raises(sapagpu.InvalidArgumentError, match="key_bias"):
        sapagpu.cross_attention_backward(q, k, v, ranges, statistics, grad, wanted=("key_bias",))
    with pytest.raises(sapagpu.InvalidArgumentError, match="'directions' name"):
        sapagpu.cross_attention_double_backward(q, k, v, ranges, statistics, grad, {"bias": v})
    ranges.close()
    ranges.close()
    with pytest.raises(sapagpu.ClosedError):
        sapagpu.cross_attention(q, k, v, ranges)
    with pytest.raises(TypeError, match="Ranges"):
        st.cross_attention(*map(torch.from_numpy, (q, k, v)), "whole")
