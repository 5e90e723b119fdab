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


def test_cross_attention_has_no_node_and_says_what_to_do():
    image, features = torch.rand(1, 3, 8, 8), torch.rand(1, 4, 4, 4)
    module = st.NafUpsampler(channels=16, norm_groups=4, blocks=0).eval()
    with pytest.raises(sapagpu.NotSupportedError, match="run the upsampling beside ONNX Runtime: .*sapagpu.load_naf"):
        export(module, image, features)


def test_what_has_no_node_is_an_error():
    with pytest.raises(RuntimeError, match="sapagpu::window_similarity"):
        export(Operator(st.window_similarity), torch.randn(1, 4, 6, 8), torch.randn(1, 4, 3, 4))
