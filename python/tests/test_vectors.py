"""The operators on numpy arrays against the test vectors, in double and single precision."""

import numpy
import pytest
import sapagpu
from vectors import cases

both = pytest.mark.parametrize("dtype", ["float64", "float32"])


def size_of(case):
    return case.params["height"], case.params["width"]


def options_of(case):
    params = case.params
    return {
        "kernel_size": params["kernel_size"],
        "border": "masked" if params["mask_out_of_map"] else "zero_logit",
        "normalisation": params["normalization"],
    }


@both
@cases("sim")
def test_similarity(case, dtype):
    q, k, grad = (case.read(name, dtype) for name in ("q", "k", "grad_out"))
    kernel_size = case.params["kernel_size"]
    case.check("out", sapagpu.window_similarity(q, k, kernel_size=kernel_size))
    gradients = sapagpu.window_similarity_backward(q, k, grad, kernel_size=kernel_size)
    case.check("grad_q", gradients.query)
    case.check("grad_k", gradients.key)


@both
@cases("atn")
def test_reassembly(case, dtype):
    weights, v, grad = (case.read(name, dtype) for name in ("attn", "v", "grad_out"))
    kernel_size = case.params["kernel_size"]
    case.check("out", sapagpu.window_reassembly(weights, v, kernel_size=kernel_size))
    gradients = sapagpu.window_reassembly_backward(weights, v, grad, kernel_size=kernel_size)
    case.check("grad_attn", gradients.weights)
    case.check("grad_v", gradients.value)


@both
@cases("attention")
def test_attention(case, dtype):
    q, k, v, grad = (case.read(name, dtype) for name in ("q", "k", "v", "grad_out"))
    options = options_of(case)
    output, normaliser = sapagpu.window_attention(q, k, v, return_normaliser=True, **options)
    case.check("out", output)
    gradients = sapagpu.window_attention_backward(q, k, v, normaliser, grad, **options)
    for name, gradient in zip("qkv", gradients):
        case.check(f"grad_{name}", gradient)


@both
@cases("attention")
def test_attention_in_steps(case, dtype):
    q, k, v, grad = (case.read(name, dtype) for name in ("q", "k", "v", "grad_out"))
    options = options_of(case)
    window = {"kernel_size": options["kernel_size"], "border": options["border"]}
    scores = sapagpu.window_similarity(q, k, **window)
    weights = sapagpu.window_weights(scores, size_of(case), **options)
    case.check("out", sapagpu.window_reassembly(weights, v, **window))
    of_weights, of_value = sapagpu.window_reassembly_backward(weights, v, grad, **window)
    of_scores = sapagpu.window_weights_backward(scores, size_of(case), of_weights, **options)
    of_query, of_key = sapagpu.window_similarity_backward(q, k, of_scores, **window)
    for name, gradient in zip("qkv", (of_query, of_key, of_value)):
        case.check(f"grad_{name}", gradient)


@both
@cases("carafe")
def test_carafe(case, dtype):
    masks, features, grad = (case.read(name, dtype) for name in ("masks", "features", "grad_out"))
    options = {"kernel_size": case.params["kernel_size"], "heads": case.params["group_size"]}
    case.check("out", sapagpu.window_reassembly(masks, features, **options))
    gradients = sapagpu.window_reassembly_backward(masks, features, grad, **options)
    case.check("grad_masks", gradients.weights)
    case.check("grad_features", gradients.value)


@both
@cases("deform_attention")
def test_deformable_attention(case, dtype):
    operands = [case.read(name, dtype) for name in ("q", "k", "v", "offset")]
    options = {"groups": case.params["groups"], "points": case.params["num_point"]}
    case.check("out", sapagpu.deformable_attention(*operands, **options))
    gradients = sapagpu.deformable_attention_backward(*operands, case.read("grad_out", dtype), **options)
    for name, gradient in zip(("q", "k", "v", "offset"), gradients):
        case.check(f"grad_{name}", gradient)


@both
@cases("interpolate")
def test_interpolation(case, dtype):
    scale = case.params["scale"]
    options = {"mode": case.params["mode"], "align_corners": case.params["align_corners"]}
    height, width = size_of(case)
    x = case.read("x", dtype)
    case.check("out", sapagpu.interpolate(x, (height * scale, width * scale), **options))
    case.check("grad_x", sapagpu.interpolate_backward(case.read("grad_out", dtype), (height, width), **options))


@both
@cases("sapa_gn")
def test_bilinear_sapa_of_operators(case, dtype):
    """SAPA-B with GroupNorm, of normalisation, projection and attention, and back through all of them."""
    params = case.params
    y, x = case.read("y", dtype), case.read("x", dtype)
    of = {name: case.read(name, dtype) for name in case.names("parameter")}
    bias = {name: of.get(f"{name}.bias") for name in "qk"}
    groups = {"groups": params["num_groups"], "epsilon": params["eps"]}
    normed, statistics = {"y": y, "x": x}, {}
    if params["norm"]:
        for name, map in (("y", y), ("x", x)):
            normed[name], statistics[name] = sapagpu.feature_norm(
                map, of[f"norm_{name}.weight"], of[f"norm_{name}.bias"], **groups
            )
    q = sapagpu.projection(normed["y"], of["q.weight"], bias["q"])
    k = sapagpu.projection(normed["x"], of["k.weight"], bias["k"])
    output, normaliser = sapagpu.window_attention(q, k, x, return_normaliser=True, **options_of(case))
    case.check("out", output)

    grad = case.read("grad_out", dtype)
    dq, dk, dv = sapagpu.window_attention_backward(q, k, x, normaliser, grad, **options_of(case))
    for projection, map, gradient in (("q", "y", dq), ("k", "x", dk)):
        into, of_weight, of_bias = sapagpu.projection_backward(
            normed[map], of[f"{projection}.weight"], bias[projection], gradient
        )
        case.check(f"grad_{projection}.weight", of_weight)
        if of_bias is not None:
            case.check(f"grad_{projection}.bias", of_bias)
        if params["norm"]:
            into, of_weight, of_bias = sapagpu.feature_norm_backward(
                y if map == "y" else x, of[f"norm_{map}.weight"], statistics[map], into, groups=params["num_groups"]
            )
            case.check(f"grad_norm_{map}.weight", of_weight)
            case.check(f"grad_norm_{map}.bias", of_bias)
        case.check(f"grad_{map}", into if map == "y" else into + dv)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_layer_norm(dtype):
    random = numpy.random.default_rng(5)
    wide = "float64" if dtype == "float64" else "float32"
    x, weight, bias = random.normal(size=(2, 6, 3, 4)), random.normal(size=6), random.normal(size=6)
    output, statistics = sapagpu.feature_norm(x.astype(dtype), weight.astype(wide), bias.astype(wide))
    centred = x - x.mean(1, keepdims=True)
    expected = centred / numpy.sqrt(x.var(1, keepdims=True) + 1e-5) * weight[:, None, None] + bias[:, None, None]
    numpy.testing.assert_allclose(output, expected, atol={"float64": 1e-12, "float32": 1e-5, "float16": 2e-2}[dtype])
    assert output.dtype == dtype and statistics.shape == (2, 2, 3, 4)
