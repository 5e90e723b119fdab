"""Modules with the parameters of a checkpoint, on arrays: what sapagpu.torch computes with the same parameters."""

import threading

import numpy
import pytest
import torch
from vectors import ALL, cases

import sapagpu
import sapagpu.torch as st


def checkpoint(module, path, prefix=""):
    torch.save({f"{prefix}{name}": tensor for name, tensor in module.state_dict().items()}, path)
    return path


def randomise(module):
    torch.manual_seed(6)
    for parameter in module.parameters():
        parameter.data += torch.randn(parameter.shape) / 4
    return module.eval()


SIMILARITIES = "bilinear", "gated_bilinear", "concatenated", "inner_product"
# The inner product of features without normalisation has no parameters.
KINDS = [(similarity, norm) for similarity in SIMILARITIES for norm in ("layer", "group", "none")][:-1]


@pytest.mark.parametrize("similarity, feature_norm", KINDS)
def test_sapa(similarity, feature_norm, tmp_path):
    options = {
        "similarity": similarity,
        "feature_norm": feature_norm,
        "norm_groups": 2,
        "embedding_channels": 5,
        "value_channels": 3,
        "kernel_size": 3,
        "border": "replicate",
        "normalisation": "sigmoid",
    }
    module = randomise(st.SapaUpsampler(6, 6, **options))
    path = checkpoint(module, tmp_path / "sapa.pth", "head.up.")
    maps = torch.randn(2, 6, 7, 9), torch.randn(2, 6, 3, 4)
    with sapagpu.load_upsampler(path, 6, 6, prefix="head.up.", **options) as loaded:
        output = loaded(*(map.numpy() for map in maps))
        assert output.shape == (2, 3, 7, 9)
        numpy.testing.assert_allclose(output, module(*maps).detach(), atol=2e-5)
        with sapagpu.Device("cpu") as other, pytest.raises(ValueError, match="The module is on"):
            loaded(*(map.numpy() for map in maps), device=other)
        on_stream = sapagpu.default_device().on_stream(0)
        numpy.testing.assert_array_equal(loaded(*(map.numpy() for map in maps), device=on_stream), output)
    with pytest.raises(sapagpu.ClosedError, match="load it again"):
        loaded(*maps)


@pytest.mark.parametrize("high, norm_groups", [(True, None), (False, 2)])
def test_deformable(high, norm_groups, tmp_path):
    options = {"scale": 3, "groups": 2, "points": 3, "embedding_channels": 2, "high_resolution_offsets": high}
    options["norm_groups"] = norm_groups
    module = randomise(st.SapaDeformableUpsampler(4, 6, **options))
    maps = torch.randn(1, 4, 6, 9), torch.randn(1, 6, 2, 3)
    out = numpy.empty((1, 6, 6, 9), "float32")
    loaded = sapagpu.load_deformable_upsampler(checkpoint(module, tmp_path / "d.pth"), 4, 6, **options)
    assert loaded(*(map.numpy() for map in maps), out=out) is out
    numpy.testing.assert_allclose(out, module(*maps).detach(), atol=2e-5)


def test_carafe_from_several_threads(tmp_path):
    options = {"kernel_size": 3, "groups": 2, "compressed_channels": 5}
    module = randomise(st.CarafeUpsampler(6, **options))
    features = torch.randn(2, 6, 4, 5)
    loaded = sapagpu.load_carafe(checkpoint(module, tmp_path / "carafe.pth"), 6, **options)
    expected = module(features).detach().numpy()
    results = []
    threads = [threading.Thread(target=lambda: results.append(loaded(features.numpy()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        numpy.testing.assert_allclose(result, expected, atol=2e-5)


def test_gradients_are_those_of_torch(tmp_path):
    sapa, carafe = randomise(st.SapaUpsampler(4, 6, kernel_size=3)), randomise(st.CarafeUpsampler(6, kernel_size=3))
    encoder, decoder = torch.randn(1, 4, 6, 8).requires_grad_(), torch.randn(1, 6, 3, 4).requires_grad_()
    grad = torch.randn(1, 6, 6, 8)
    (sapa(encoder, decoder) * grad).sum().backward()
    y, x, g = encoder.detach().numpy(), decoder.detach().numpy(), grad.numpy()
    loaded = sapagpu.load_upsampler(checkpoint(sapa, tmp_path / "sapa.pth"), 4, 6, kernel_size=3)
    for gradient, tensor in zip(loaded.backward(y, x, grad_output=g), (encoder, decoder)):
        numpy.testing.assert_allclose(gradient, tensor.grad, atol=5e-5)
    decoder.grad = None
    (carafe(decoder) * grad).sum().backward()
    loaded = sapagpu.load_carafe(checkpoint(carafe, tmp_path / "carafe.pth"), 6, kernel_size=3)
    (gradient,) = loaded.backward(x, grad_output=g)
    numpy.testing.assert_allclose(gradient, decoder.grad, atol=5e-5)
    with pytest.raises(ValueError, match="'size' is .*the output of this module has the size of its inputs"):
        loaded(x, size=(6, 8))
    with pytest.raises(ValueError, match="must be .1, 6, 6, 8."):
        loaded.backward(x, grad_output=x)


def test_a_guide_smaller_than_the_features_is_refused_unless_asked_for(tmp_path):
    module = st.SapaUpsampler(4, 4, kernel_size=3)
    small, large = torch.rand(1, 4, 2, 4), torch.rand(1, 4, 4, 4)
    with pytest.raises(ValueError, match="2x4 pixels, fewer than the 4x4 .*allows_downsampling=True"):
        module(small, large)
    path = checkpoint(module, tmp_path / "sapa.pth")
    with pytest.raises(ValueError, match="fewer than"):
        sapagpu.load_upsampler(path, 4, 4, kernel_size=3)(small.numpy(), large.numpy())
    allowing = st.SapaUpsampler(4, 4, kernel_size=3, allows_downsampling=True)
    allowing.load_state_dict(module.state_dict())
    loaded = sapagpu.load_upsampler(path, 4, 4, kernel_size=3, allows_downsampling=True)
    expected = allowing(small, large).detach()
    assert expected.shape == small.shape
    numpy.testing.assert_allclose(loaded(small.numpy(), large.numpy()), expected, atol=1e-5)


def test_what_does_not_fit_is_refused(tmp_path):
    path = checkpoint(st.SapaUpsampler(4, 6), tmp_path / "sapa.pth")
    loaded = sapagpu.load_upsampler(path, 4, 6)
    encoder, decoder = numpy.zeros((1, 4, 8, 8), "f4"), numpy.zeros((1, 6, 4, 4), "f4")
    for maps, text in (
        ((decoder,), "takes encoder and decoder; got 1"),
        ((encoder, encoder), "decoder"),
        ((encoder.astype("f8"), decoder.astype("f8")), "f64|float64|element type"),
    ):
        with pytest.raises(ValueError, match=text):
            loaded(*maps)
    for options, error, text in (
        ({"prefix": "head."}, sapagpu.FileError, "head"),
        ({"similarity": "gated_bilinear"}, sapagpu.FileError, "gate"),
        ({"similarity": "cosine"}, ValueError, "'similarity' is 'cosine'"),
        ({"value_channels": 0}, ValueError, "'value_channels' is 0"),
        ({"dtype": "int8"}, ValueError, "'dtype' is 'int8'"),
    ):
        with pytest.raises(error, match=text):
            sapagpu.load_upsampler(path, 4, 6, **options)
    with pytest.raises(OSError, match="nowhere.pth"):
        sapagpu.load_upsampler(tmp_path / "nowhere.pth", 4, 6)
    (tmp_path / "torn.pth").write_bytes(path.read_bytes()[:500])
    with pytest.raises(sapagpu.FileError):
        sapagpu.load_upsampler(tmp_path / "torn.pth", 4, 6)


if any(case.checkpoints for case in ALL):

    @cases("sapa_b")
    def test_official_checkpoints(case):
        params = case.params
        for entry in case.checkpoints:
            if entry["dtype"] != "float32":
                continue
            loaded = sapagpu.load_upsampler(
                case.folder / entry["file"],
                params["y_channels"],
                params["x_channels"],
                embedding_channels=params["embedding_dim"],
                kernel_size=params["kernel_size"],
            )
            case.check("out", loaded(case.read("y", "float32"), case.read("x", "float32")))
