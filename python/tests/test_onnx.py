"""torch.onnx.export of operators and modules: one node each of com.sapagpu, with every attribute that its readers need.
"""

import io

import onnx
import pytest
import torch
from onnx import helper

import sapagpu
import sapagpu.torch as st

pytestmark = pytest.mark.filterwarnings("ignore")


class Operator(torch.nn.Module):
    """An operator with options, as a module."""

    def __init__(self, function, **options):
        super().__init__()
        self.function, self.options = function, options

    def forward(self, *maps):
        return self.function(*maps, **self.options)


def export(module, *maps, **options):
    file = io.BytesIO()
    torch.onnx.export(module, maps, file, opset_version=17, **options)
    model = onnx.load_from_string(file.getvalue())
    onnx.checker.check_model(model)
    assert [(entry.version) for entry in model.opset_import if entry.domain == "com.sapagpu"] == [1]
    return model


def node_of(model, operation):
    """The only node of our domain, and its attributes."""
    (node,) = [node for node in model.graph.node if node.domain == "com.sapagpu"]
    assert node.op_type == operation
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    return node, {name: value.decode() if isinstance(value, bytes) else value for name, value in attributes.items()}


ATTENTION = {"kernel_size": 3, "heads": 2, "border": "shifted", "head_value": "shared", "normalisation": "sigmoid"}


def test_attention_with_all_attributes():
    maps = torch.randn(1, 4, 6, 8), torch.randn(1, 4, 3, 4), torch.randn(1, 6, 3, 4)
    model = export(Operator(st.window_attention, **ATTENTION), *maps, input_names=["query", "key", "value"])
    node, attributes = node_of(model, "WindowAttention")
    assert attributes == ATTENTION and list(node.input) == ["query", "key", "value"]


def test_operators_go_on_after_the_node():
    """What follows needs the number of dimensions."""

    class Followed(torch.nn.Module):
        def forward(self, *maps):
            return torch.nn.functional.group_norm(st.window_attention(*maps), 2).mean((2, 3))

    node_of(
        export(Followed(), torch.randn(1, 4, 6, 8), torch.randn(1, 4, 3, 4), torch.randn(1, 6, 3, 4)), "WindowAttention"
    )


def test_reassembly_with_all_attributes():
    model = export(
        Operator(st.window_reassembly, kernel_size=3, border="replicate", heads=2),
        torch.randn(1, 18, 6, 8),
        torch.randn(1, 4, 3, 4),
    )
    _, attributes = node_of(model, "WindowReassembly")
    assert attributes == {"kernel_size": 3, "heads": 2, "border": "replicate", "head_value": "split"}


DYNAMIC = {"encoder": {0: "batch", 2: "oh", 3: "ow"}, "decoder": {0: "batch", 2: "h", 3: "w"}}


@pytest.mark.parametrize("similarity", ["inner_product", "bilinear", "gated_bilinear", "concatenated"])
@pytest.mark.parametrize("feature_norm", ["layer", "group", "none"])
def test_modules_with_dynamic_sizes(similarity, feature_norm):
    module = st.SapaUpsampler(
        6, 6, similarity=similarity, feature_norm=feature_norm, norm_groups=2, kernel_size=3
    ).eval()
    maps = torch.randn(1, 6, 7, 9), torch.randn(1, 6, 3, 4)
    model = export(module, *maps, input_names=["encoder", "decoder"], dynamic_axes=DYNAMIC)
    _, attributes = node_of(model, "WindowAttention")
    assert attributes["kernel_size"] == 3 and attributes["border"] == "zero_logit"
    standard = {node.op_type for node in model.graph.node if node.domain != "com.sapagpu"}
    assert ("Resize" in standard) == (similarity in ("gated_bilinear", "concatenated"))


def test_carafe():
    module = st.CarafeUpsampler(4, groups=2, kernel_size=3, compressed_channels=5).eval()
    _, attributes = node_of(export(module, torch.randn(1, 4, 3, 4)), "WindowReassembly")
    assert attributes == {"kernel_size": 3, "heads": 2, "border": "zero_logit", "head_value": "split"}


def cross_operands():
    return torch.randn(1, 4, 6, 8), torch.randn(1, 4, 3, 4), torch.randn(1, 6, 3, 4)


@pytest.mark.parametrize(
    "ranges, expected",
    [
        (lambda sizes: sapagpu.Ranges.window(*sizes, (3, 2), "masked"), ("masked", 3, 2, 0.0)),
        (lambda sizes: sapagpu.Ranges.whole(*sizes), ("whole", 0, 0, 0.0)),
        (lambda sizes: sapagpu.Ranges.ratio(*sizes, 0.25), ("ratio", 0, 0, 0.25)),
    ],
    ids=["window", "whole", "ratio"],
)
@pytest.mark.parametrize("normalisation", ["softmax", "sigmoid", "none"])
def test_cross_attention_with_all_attributes(ranges, expected, normalisation):
    options = {"heads": 2, "averages_heads": True, "score_scale": 0.5, "normalisation": normalisation}
    options["ranges"] = ranges(((3, 4), (6, 8)))
    node, attributes = node_of(export(Operator(st.cross_attention, **options), *cross_operands()), "CrossAttention")
    assert len(node.input) == 3
    assert tuple(attributes.pop(name) for name in ("rule", "kernel_height", "kernel_width", "ratio")) == expected
    assert attributes == {"heads": 2, "averages_heads": 1, "score_scale": 0.5, "normalisation": normalisation}


def test_cross_attention_that_has_no_node_says_what_to_do():
    table = sapagpu.Ranges.table((3, 4), [(0, 3)] * 6, [(0, 4)] * 8)
    with pytest.raises(sapagpu.NotSupportedError, match="no Ranges.table. Use Ranges.window"):
        export(Operator(st.cross_attention, ranges=table), *cross_operands())

    class Biased(torch.nn.Module):
        def forward(self, *maps):
            return st.cross_attention(*maps[:3], sapagpu.Ranges.whole((3, 4), (6, 8)), key_bias=maps[3])

    with pytest.raises(sapagpu.NotSupportedError, match="no 'key_bias'"):
        export(Biased(), *cross_operands(), torch.randn(1, 1, 3, 4))


@pytest.mark.parametrize("make", [st.NafUpsampler, st.AnyUpUpsampler])
def test_upsamplers_with_an_image(make):
    module = make(channels=16, norm_groups=4).eval()
    _, attributes = node_of(export(module, torch.rand(1, 3, 8, 8), torch.rand(1, 4, 4, 4)), "CrossAttention")
    assert attributes["heads"] == 4 and attributes["averages_heads"] == (make is st.AnyUpUpsampler)


def test_what_has_no_node_is_an_error():
    with pytest.raises(RuntimeError, match="sapagpu::window_similarity"):
        export(Operator(st.window_similarity), torch.randn(1, 4, 6, 8), torch.randn(1, 4, 3, 4))
