"""Guided upsampling of every kind of map and type."""

import numpy
import pytest

import sapagpu


def scene(height=48, width=64):
    """A photo of a disc before a background, and the disc itself."""
    rows, columns = numpy.mgrid[:height, :width]
    disc = (rows - 22) ** 2 + (columns - 30) ** 2 < 15**2
    photo = numpy.where(disc[..., None], [220, 90, 40], [40, 110, 200]).astype("uint8")
    return photo, disc


def small(disc, ratio=8):
    return disc.reshape(disc.shape[0] // ratio, ratio, -1, ratio).mean((1, 3)) > 0.5


def test_labels_follow_the_photo():
    photo, disc = scene()
    labels = numpy.where(small(disc), 70_000, -3)
    for dtype in ("int32", "int64"):
        result = sapagpu.upsample(labels.astype(dtype), photo, "labels")
        assert result.dtype == dtype and result.shape == disc.shape and set(numpy.unique(result)) == {-3, 70_000}
        nearest = numpy.where(small(disc).repeat(8, 0).repeat(8, 1), 70_000, -3)
        truth = numpy.where(disc, 70_000, -3)
        assert (result != truth).mean() < 0.25 * (nearest != truth).mean()


@pytest.mark.parametrize("dtype", ["bool", "uint8", "float32"])
def test_masks_of_every_type(dtype):
    photo, disc = scene()
    result = sapagpu.upsample(small(disc).astype(dtype), photo, "mask")
    assert result.dtype == dtype
    assert (result.astype(float).round() != disc).mean() < 0.02


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "int64", "float16", "float32", "float64"])
def test_nearest_is_exact_in_every_type(dtype):
    photo, _ = scene()
    map = numpy.arange(48).reshape(6, 8).astype(dtype)
    result = sapagpu.upsample(map, photo, "depth", method="nearest")
    numpy.testing.assert_array_equal(result, map.repeat(8, 0).repeat(8, 1))
    assert result.dtype == dtype


def test_depth_leaves_missing_values_out():
    photo, disc = scene()
    depth = numpy.where(small(disc), 1000, 3000).astype("uint16")
    depth[0, 0] = 0
    result = sapagpu.upsample(depth, photo, "depth", unknown=[0])
    assert result[0, 0] == 0
    known = result[result != 0]
    assert known.size > 2800 and known.min() >= 900 and known.max() <= 3100


def test_features_logits_and_images():
    photo, disc = scene()
    scores = numpy.stack([~small(disc), small(disc)], -1) * 9.0
    probabilities = sapagpu.upsample(scores, photo, "logits")
    assert probabilities.shape == (48, 64, 2) and probabilities.dtype == "float64"
    numpy.testing.assert_allclose(probabilities.sum(-1), 1, atol=1e-5)
    classes = sapagpu.upsample(scores, photo, "logits", classes=True)
    assert classes.shape == (48, 64) and (classes != disc).mean() < 0.03
    features = sapagpu.upsample(scores.astype("f4"), photo, "features", kernel_size=3, colour_sigma=8, space_sigma=1.5)
    assert features.shape == (48, 64, 2) and features.min() >= 0 and features.max() < 9.001
    grey = sapagpu.upsample(photo[::8, ::8], photo[..., 0], "image", refine=False)
    assert grey.shape == photo.shape and grey.dtype == "uint8"
    with_opacity = numpy.dstack([photo[::8, ::8], numpy.full((6, 8), 255, "u1")])
    assert (sapagpu.upsample(with_opacity, photo, "image", has_opacity=True)[..., 3] == 255).all()


def test_lists_and_a_device_of_the_caller():
    photo, _ = scene()
    with sapagpu.Device("cpu", threads=1) as device:
        one = sapagpu.upsample([[1.0, 2.0], [3.0, 4.0]], photo, "depth", device=device)
    numpy.testing.assert_array_equal(one, sapagpu.upsample([[1.0, 2.0], [3.0, 4.0]], photo, "depth"))


def test_what_does_not_fit_is_refused():
    photo, disc = scene()
    map = small(disc).astype("u1")
    for arguments, options, text in (
        ((map, photo / 255.0), {}, "'guide' is float64; expected uint8.*255"),
        ((map, numpy.dstack([photo, photo[..., :1]])), {}, "'guide' has shape .48, 64, 4."),
        ((map, photo[None]), {}, "'guide' has shape"),
        ((map[0], photo), {}, "'map' has shape .8.; expected"),
        ((map[:0], photo), {}, "'map' has shape"),
        ((numpy.ma.masked_equal(map, 0), photo), {}, "masked array.*unknown"),
        ((map.astype(complex), photo), {}, "'map' is complex128"),
        ((numpy.full((6, 8), 2**40), photo), {"kind": "labels"}, "do not fit into 32 bits"),
        ((map, photo), {"kind": "colours"}, "'kind' is 'colours'; choose one of 'mask'"),
        ((map, photo), {"method": "cubic"}, "'method' is 'cubic'"),
        ((map, photo), {"kernel_size": 0}, "'kernel_size' is 0; it must be above 0"),
        ((map, photo), {"colour_sigma": -1}, "'colour_sigma' is -1"),
        ((map, photo), {"space_sigma": "wide"}, "'space_sigma' is 'wide'; expected a number"),
        ((map, photo), {"classes": True}, "'classes' goes with kind 'logits'"),
        ((numpy.dstack([map, map]), photo), {"kind": "labels"}, "(?i)label|channel"),
        ((photo.repeat(2, 0), photo), {}, "(?i)larger|size"),
    ):
        with pytest.raises((ValueError, NotImplementedError), match=text):
            sapagpu.upsample(*arguments, **options)
