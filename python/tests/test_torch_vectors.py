"""The functions and modules of sapagpu.torch against the test vectors, outputs and gradients."""

import numpy
import pytest
import torch
from vectors import cases

import sapagpu.torch as st

both = pytest.mark.parametrize("dtype", ["float64", "float32"])


def operand(case, name, dtype):
    """A tensor that wants a gradient, channels-last where the vector is."""
    return torch.from_numpy(case.read(name, dtype)).requires_grad_()


def check(case, dtype, function, **operands):
    """Runs a function of tensors and compares output and gradients."""
    tensors = {name: operand(case, name, dtype) for name in operands}
    output = function(**{operands[name]: tensor for name, tensor in tensors.items()})
    case.check("out", output.detach().numpy())
    output.backward(torch.from_numpy(case.read("grad_out", dtype)))
    for name, tensor in tensors.items():
        case.check(f"grad_{name}", tensor.grad.numpy())


@both
@cases("sim")
def test_similarity(case, dtype):
    check(
        case,
        dtype,
        lambda **maps: st.window_similarity(**maps, kernel_size=case.params["kernel_size"]),
        q="query",
        k="key",
    )


@both
@cases("atn")
def test_reassembly(case, dtype):
    check(
        case,
        dtype,
        lambda **maps: st.window_reassembly(**maps, kernel_size=case.params["kernel_size"]),
        attn="weights",
        v="value",
    )


def options_of(case):
    params = case.params
    return {
        "kernel_size": params["kernel_size"],
        "border": "masked" if params["mask_out_of_map"] else "zero_logit",
        "normalisation": params["normalization"],
    }


@both
@cases("attention")
def test_attention(case, dtype):
    check(case, dtype, lambda **maps: st.window_attention(**maps, **options_of(case)), q="query", k="key", v="value")


@both
@cases("attention")
def test_attention_in_steps(case, dtype):
    options = options_of(case)
    window = {"kernel_size": options["kernel_size"], "border": options["border"]}

    def attention(query, key, value):
        scores = st.window_similarity(query, key, **window)
        weights = st.window_weights(scores, tuple(key.shape[2:]), **options)
        return st.window_reassembly(weights, value, **window)

    check(case, dtype, attention, q="query", k="key", v="value")


@both
@cases("carafe")
def test_carafe(case, dtype):
    check(
        case,
        dtype,
        lambda **maps: st.carafe(**maps, kernel_size=case.params["kernel_size"], groups=case.params["group_size"]),
        features="features",
        masks="masks",
    )


@both
@cases("deform_attention")
def test_deformable_attention(case, dtype):
    check(
        case,
        dtype,
        lambda **maps: st.deformable_attention(**maps, groups=case.params["groups"], points=case.params["num_point"]),
        q="query",
        k="key",
        v="value",
        offset="offsets",
    )


@both
@cases("interpolate")
def test_interpolation(case, dtype):
    params = case.params
    size = params["height"] * params["scale"], params["width"] * params["scale"]
    check(
        case,
        dtype,
        lambda input: st.interpolate(input, size, mode=params["mode"], align_corners=params["align_corners"]),
        x="input",
    )


def sapa_of(case):
    """The module that a case is about."""
    params = case.params
    if case.op == "sapa_d":
        return st.SapaDeformableUpsampler(
            params["y_channels"],
            params["x_channels"],
            scale=params["scale"],
            groups=params["groups"],
            points=params["num_point"],
            embedding_channels=params["embedding_dim"],
            high_resolution_offsets=params["high_offset"],
            norm_groups=params["num_groups"] if params["norm"] else None,
            bias=params["qkv_bias"],
            epsilon=params["eps"],
        )
    if case.op == "carafe_pack":
        return st.CarafeUpsampler(
            params["channels"],
            scale=params["scale"],
            kernel_size=params["up_kernel"],
            groups=params["up_group"],
            encoder_kernel=params["encoder_kernel"],
            encoder_dilation=params["encoder_dilation"],
            compressed_channels=params["compressed_channels"],
        )
    similarity = {"sapa_i": "inner_product", "sapa_g": "gated_bilinear", "sapa_cat": "concatenated"}.get(
        case.op, "bilinear"
    )
    kind = {"none": "none", "layer_norm": "layer", True: "group", False: "none"}[params.get("norm", "layer_norm")]
    channels = params.get("channels")
    return st.SapaUpsampler(
        params.get("y_channels", channels),
        params.get("x_channels", channels),
        similarity=similarity,
        feature_norm=kind,
        norm_groups=params.get("num_groups", 32),
        embedding_channels=params.get("embedding_dim", 64),
        value_channels=params["out_channels"] if params.get("v_embed") else None,
        bias=params.get("qkv_bias", True),
        epsilon=params["eps"],
        **options_of(case),
    )


MODULES = ("sapa_i", "sapa_b", "sapa_g", "sapa_cat", "sapa_gn", "sapa_d", "carafe_pack")


@both
@cases(*MODULES)
def test_module(case, dtype):
    module = sapa_of(case).to(getattr(torch, dtype))
    parameters = {name: torch.from_numpy(case.read(name, dtype)) for name in case.names("parameter")}
    module.load_state_dict(parameters, strict=True)
    maps = {name: operand(case, name, dtype) for name in case.names("input")}
    output = module(*maps.values())
    case.check("out", output.detach().numpy())
    output.backward(torch.from_numpy(case.read("grad_out", dtype)))
    # torch's LayerNorm over one channel divides what it rounded by √ε, instead of giving the 0 that it is.
    rounding = 1e-4 if case.params.get("y_channels") == 1 else 0
    for name, tensor in {**maps, **dict(module.named_parameters())}.items():
        case.check(f"grad_{name}", tensor.grad.numpy(), at_least=rounding)


@cases("sapa_b", "sapa_g")
def test_official_checkpoint(case):
    """What torch.save wrote for the authors' modules, in every type and layout."""
    checkpoints = [entry for entry in case.checkpoints if entry["file"].endswith(".pth")]
    for entry in checkpoints:
        module = sapa_of(case)
        module.load_state_dict(torch.load(str(case.folder / entry["file"])), strict=True)
        tolerance = {"float64": 1e-6, "float32": 1e-6, "float16": 1e-2, "bfloat16": 5e-2}[entry["dtype"]]
        for name, parameter in module.named_parameters():
            numpy.testing.assert_allclose(parameter.detach().numpy(), case.read(name), rtol=tolerance, atol=tolerance)


def test_linear_and_convolutional_weights_stand_for_each_other():
    linear = st.SapaUpsampler(4, 6, embedding_channels=5)
    convolutional = st.SapaUpsampler(4, 6, embedding_channels=5, feature_norm="none")
    projections = {name: tensor for name, tensor in linear.state_dict().items() if not name.startswith("norm")}
    convolutional.load_state_dict(projections)
    assert convolutional.q.weight.shape == (5, 4, 1, 1)
    assert torch.equal(convolutional.q.weight.flatten(), linear.q.weight.flatten())
    wrong = dict(projections, **{"q.weight": torch.zeros(4, 5)})
    with pytest.raises(RuntimeError, match="size mismatch for q.weight"):
        convolutional.load_state_dict(wrong)
