"""NAF and AnyUp on tensors: test vectors, checkpoints, derivatives by differences, training, misuse."""

import copy
import pickle

import numpy
import pytest
import sapagpu
import sapagpu.torch as st
import torch
import vectors
from torch.autograd import gradcheck, gradgradcheck

CASES = [case for case in vectors.cross_cases() if case.op in ("naf", "anyup")]
golden = pytest.mark.parametrize("case", CASES, ids=map(repr, CASES))
both = pytest.mark.parametrize("dtype", ["float64", "float32"])
SMALL_NAF = {"channels": 16, "heads": 2, "rotary_heads": 2, "kernel_size": 3, "blocks": 1, "norm_groups": 4}
SMALL_ANYUP = {"channels": 8, "heads": 2, "feature_kernel": 3, "feature_kernels": 12, "norm_groups": 4}


def naf():
    torch.manual_seed(1)
    return st.NafUpsampler(**SMALL_NAF)


def anyup():
    torch.manual_seed(2)
    return st.AnyUpUpsampler(**SMALL_ANYUP)


every = pytest.mark.parametrize("make", [naf, anyup], ids=["naf", "anyup"])


def options_of(case):
    """The options of the module that a case is about."""
    params = case.params
    if case.op == "naf":
        return {
            "channels": params["dim"],
            "heads": params["heads_attn"],
            "rotary_heads": params["heads_rope"],
            "kernel_size": params["kernel_size"],
            "blocks": params["img_layers"],
            "norm_groups": params["num_groups"],
        }
    return {
        "channels": params["qk_dim"],
        "heads": params["num_heads"],
        "image_kernel": params["kernel_size"],
        "feature_kernel": params["kernel_size_lfu"],
        "feature_kernels": params["lfu_dim"],
        "window_ratio": params["window_ratio"],
        "norm_groups": params["num_groups"],
    }


def module_of(case):
    return {"naf": st.NafUpsampler, "anyup": st.AnyUpUpsampler}[case.op](**options_of(case))


def size_of(case):
    return case.params["out_height"], case.params["out_width"]


@both
@golden
def test_vectors(case, dtype):
    module = module_of(case).to(getattr(torch, dtype))
    assert list(module.state_dict()) == case.names("parameter")
    parameters = {name: torch.from_numpy(case.read(name, dtype)) for name in case.names("parameter")}
    module.load_state_dict(parameters, strict=True)
    image, features = (torch.from_numpy(case.read(name, dtype)).requires_grad_() for name in ("image", "features"))
    output = module(image, features, size_of(case))
    case.check("out", output.detach().numpy())
    output.backward(torch.from_numpy(case.read("grad_out", dtype)))
    for name, tensor in {"image": image, "features": features, **dict(module.named_parameters())}.items():
        gradient = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
        case.check(f"grad_{name}", gradient.numpy())


@golden
def test_checkpoints_of_torch(case):
    maps = [torch.from_numpy(case.read(name, "float32")) for name in ("image", "features")]
    for entry in case.checkpoints:
        if entry["format"] == "pth-zip":
            module = module_of(case)
            module.load_state_dict(torch.load(str(case.folder / entry["file"])), strict=True)
            with torch.no_grad():
                output = module(*maps, size_of(case)).numpy()
            tolerance = {"float64": 1e-4, "float32": 1e-4, "float16": 2e-2, "bfloat16": 2e-1}[entry["dtype"]]
            numpy.testing.assert_allclose(output, case.read("out"), rtol=0, atol=tolerance)


@every
def test_derivatives_are_differences(make):
    module = make().double()
    image, features = torch.rand(1, 3, 5, 4).double(), torch.rand(1, 4, 2, 3).double()
    operands = image.requires_grad_(), features.requires_grad_()
    assert gradcheck(lambda *maps: module(*maps, (4, 5)), operands, fast_mode=True)
    assert gradgradcheck(lambda *maps: module(*maps, (3, 3)), operands, atol=1e-4, fast_mode=True)
    weight = dict(module.named_parameters())
    name = "image_encoder.encoder.0.weight" if "image_encoder.encoder.0.weight" in weight else "rope.freqs"
    (gradient,) = torch.autograd.grad(module(*operands, (4, 5)).square().sum(), weight[name])
    index, step = (0, 1), 1e-6
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            weight[name][index] += sign * step
            values.append(module(*operands, (4, 5)).square().sum().item())
            weight[name][index] -= sign * step
    difference = torch.tensor((values[0] - values[1]) / (2 * step)).double()
    torch.testing.assert_close(gradient[index].sum(), difference.reshape(()), rtol=1e-4, atol=1e-7)


@every
def test_what_is_upsampled_is_a_mean_of_cells(make):
    module = make()
    image, features = torch.rand(2, 3, 9, 8), torch.full((2, 4, 3, 4), 0.75)
    output = module(image, features)
    assert output.shape == (2, 4, 9, 8)
    torch.testing.assert_close(output, torch.full_like(output, 0.75))
    # An image of another size than the output, and a smaller one than the features.
    assert module(image, features, (5, 7)).shape == (2, 4, 5, 7)
    assert module(image, features, (2, 2)).shape == (2, 4, 2, 2)


def test_naf_of_a_large_image_sees_it_shrunk():
    module = naf()
    image, features = torch.rand(1, 3, 40, 30), torch.rand(1, 4, 2, 3)
    small = torch.nn.functional.interpolate(image, size=(16, 16), mode="bilinear", align_corners=False)
    assert torch.equal(module(image, features, (4, 6)), module(small, features, (4, 6)))


@every
def test_it_learns(make):
    module = make()
    image, features, target = torch.rand(1, 3, 8, 8), torch.rand(1, 4, 4, 4), torch.rand(1, 4, 8, 8)
    optimiser = torch.optim.Adam(module.parameters(), 1e-2)
    losses = []
    for _ in range(15):
        optimiser.zero_grad()
        loss = (module(image, features) - target).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.97 * losses[0]


@every
@pytest.mark.parametrize("dtype, tolerance", [(torch.float16, 1e-2), (torch.bfloat16, 5e-2)])
def test_features_in_16_bits(make, dtype, tolerance):
    module = make()
    image, features = torch.rand(1, 3, 8, 8), torch.rand(1, 4, 4, 4)
    wide = module(image, features)
    narrow = module(image.to(dtype), features.to(dtype))
    assert narrow.dtype == dtype
    torch.testing.assert_close(narrow.float(), wide, rtol=tolerance, atol=tolerance)
    narrow.sum().backward()
    assert all(parameter.dtype == torch.float32 for parameter in module.parameters())


@every
def test_formats_copies_and_state(make, tmp_path):
    module = make()
    image, features = torch.rand(1, 3, 8, 8), torch.rand(1, 4, 4, 4)
    expected = module(image, features)
    last = module(image, features.to(memory_format=torch.channels_last))
    assert last.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(last, expected)
    torch.save(module.state_dict(), str(tmp_path / "state.pth"))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(1)
    other = copy.deepcopy(module)
    other.load_state_dict(torch.load(str(tmp_path / "state.pth")))
    assert torch.equal(other(image, features), expected)
    assert torch.equal(pickle.loads(pickle.dumps(other))(image, features), expected)


LOADERS = {"naf": (sapagpu.load_naf, SMALL_NAF), "anyup": (sapagpu.load_anyup, SMALL_ANYUP)}


@every
@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-6), ("float32", 2e-5)])
def test_arrays_without_torch(make, dtype, tolerance, tmp_path):
    module = make().to(getattr(torch, dtype))
    path = tmp_path / "module.pth"
    torch.save({f"up.{name}": tensor for name, tensor in module.state_dict().items()}, str(path))
    load, options = LOADERS[make.__name__]
    image, features, grad = (
        torch.rand(*shape).to(getattr(torch, dtype)) for shape in ((2, 3, 9, 8), (2, 4, 3, 4), (2, 4, 7, 6))
    )
    for tensor in (image, features):
        tensor.requires_grad_()
    expected = module(image, features, (7, 6))
    expected.backward(grad)
    arrays = image.detach().numpy(), features.detach().numpy()
    with load(path, prefix="up.", dtype=dtype, **options) as loaded:
        numpy.testing.assert_allclose(loaded(*arrays, size=(7, 6)), expected.detach(), atol=tolerance)
        assert loaded(*arrays).shape == (2, 4, 9, 8)
        out = numpy.empty((2, 4, 7, 6), dtype)
        assert loaded(*arrays, size=(7, 6), out=out) is out
        gradients = loaded.backward(*arrays, grad_output=grad.numpy())
        for gradient, tensor in zip(gradients, (image, features)):
            most = 10 * tolerance * float(tensor.grad.abs().max())
            numpy.testing.assert_allclose(gradient, tensor.grad, atol=most)
        nothing, alone = loaded.backward(*arrays, grad_output=grad.numpy(), wanted="features")
        assert nothing is None and numpy.array_equal(alone, gradients[1])
        with pytest.raises(ValueError, match="'wanted' is .'encoder'.; choose from 'image', 'features'"):
            loaded.backward(*arrays, grad_output=grad.numpy(), wanted="encoder")
        with pytest.raises(ValueError, match="'size'"):
            loaded(*arrays, size=(0, 6))
        with pytest.raises(ValueError, match="takes image and features; got 1"):
            loaded(arrays[0])
    with pytest.raises(sapagpu.FileError, match="image_encoder"):
        load(path, dtype=dtype, **options)
    with pytest.raises(ValueError, match="heads|Heads"):
        load(path, **{**options, "heads": 3})


@pytest.mark.parametrize("case", [case for case in CASES if case.checkpoints], ids=repr)
def test_checkpoints_of_arrays(case):
    load = {"naf": sapagpu.load_naf, "anyup": sapagpu.load_anyup}[case.op]
    maps = [case.read(name, "float32") for name in ("image", "features")]
    for entry in case.checkpoints:
        if entry["dtype"] == "float32":
            loaded = load(case.folder / entry["file"], **options_of(case))
            case.check("out", loaded(*maps, size=size_of(case)))
            image, features = loaded.backward(*maps, grad_output=case.read("grad_out", "float32"))
            case.check("grad_image", image)
            case.check("grad_features", features)


@every
def test_a_batch_of_none(make):
    module = make()
    image, features = torch.rand(0, 3, 8, 8).requires_grad_(), torch.rand(0, 4, 4, 4).requires_grad_()
    output = module(image, features, (6, 5))
    output.sum().backward()
    assert output.shape == (0, 4, 6, 5) and image.grad.shape == image.shape and features.grad.shape == features.shape
    assert all(not parameter.grad.any() for parameter in module.parameters())


@every
def test_misuse(make):
    module = make()
    image, features = torch.rand(1, 3, 8, 8), torch.rand(1, 4, 4, 4)
    wrong = sapagpu.InvalidArgumentError
    with pytest.raises(wrong, match="'image' has shape"):
        module(torch.rand(1, 4, 8, 8), features)
    with pytest.raises(wrong, match=r"\[2, 3, 8, 8\]"):
        module(torch.rand(2, 3, 8, 8), features)
    with pytest.raises(wrong, match="'size'"):
        module(image, features, (0, 4))
    with pytest.raises(wrong, match=r"\[1, 0, 4, 4\]"):
        module(image, features[:, :0])
    with pytest.raises(wrong, match="int32"):
        module(image, features.int())


def test_misuse_of_one():
    wrong = sapagpu.InvalidArgumentError
    with pytest.raises(wrong, match="multiple of the 2 heads"):
        naf()(torch.rand(1, 3, 8, 8), torch.rand(1, 5, 4, 4))
    with pytest.raises(wrong, match="mirrored"):
        naf()(torch.rand(1, 3, 1, 8), torch.rand(1, 4, 4, 4))
    with pytest.raises(wrong, match="features is mirrored"):
        anyup()(torch.rand(1, 3, 8, 8), torch.rand(1, 4, 1, 4))
    beyond = 1 << 30
    for options in (
        {"channels": 18},
        {"heads": 3},
        {"kernel_size": 0},
        {"blocks": -1},
        {"blocks": beyond},
        {"channels": beyond},
        {"epsilon": -1.0},
        {"rotary_base": 0.0},
    ):
        with pytest.raises(wrong):
            st.NafUpsampler(**{**SMALL_NAF, **options})
    for options in (
        {"channels": 9},
        {"image_kernel": 2},
        {"window_ratio": float("nan")},
        {"feature_kernels": 5},
        {"feature_kernels": beyond},
        {"feature_kernel": beyond + 1},
        {"rms_epsilon": float("nan")},
    ):
        with pytest.raises(wrong):
            st.AnyUpUpsampler(**{**SMALL_ANYUP, **options})
