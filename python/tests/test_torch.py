"""What sapagpu.torch promises beyond values: gradients by differences, memory formats, types, errors, and torch's own
machinery.
"""

import copy
import threading

import pytest
import reference
import torch
from torch.autograd import gradcheck

import sapagpu
import sapagpu.torch as st

BORDERS = ("zero_logit", "masked", "replicate", "shifted")


def maps(*shapes, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_() for shape in shapes]


def same_gradients(actual, expected, operands):
    assert actual.shape == expected.shape
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)
    grad = torch.linspace(-1, 1, actual.numel(), dtype=actual.dtype).reshape(actual.shape)
    for one, other in zip(
        torch.autograd.grad(actual, operands, grad), torch.autograd.grad(expected, operands, grad, allow_unused=True)
    ):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("normalisation", ["softmax", "sigmoid", "none"])
@pytest.mark.parametrize("heads, head_value", [(1, "split"), (2, "split"), (2, "shared")])
@pytest.mark.parametrize("size", [(8, 12), (7, 9)], ids=["ratio2", "any"])
def test_attention_is_its_composition(border, normalisation, heads, head_value, size):
    operands = maps((2, 4, *size), (2, 4, 4, 6), (2, 6, 4, 6))
    options = {
        "kernel_size": 3,
        "border": border,
        "normalisation": normalisation,
        "heads": heads,
        "head_value": head_value,
    }
    same_gradients(st.window_attention(*operands, **options), reference.attention(*operands, **options), operands)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("average", [False, True])
def test_steps_are_their_compositions(border, average):
    query, key = maps((1, 4, 7, 9), (1, 4, 4, 6))
    window = {"kernel_size": 3, "border": border, "heads": 2}
    same_gradients(st.window_similarity(query, key, **window), reference.similarity(query, key, **window), (query, key))
    (scores,) = maps((1, 18, 7, 9))
    options = {**window, "normalisation": "sigmoid", "average": average}
    same_gradients(
        st.window_weights(scores, (4, 6), **options), reference.weights(scores, (4, 6), **options), (scores,)
    )
    value, given = maps((1, 6, 4, 6), (1, 18, 7, 9))
    same_gradients(
        st.window_reassembly(given, value, **window), reference.reassembly(given, value, **window), (given, value)
    )


@pytest.mark.parametrize("mode, align_corners", [("bilinear", False), ("bilinear", True), ("nearest", False)])
def test_interpolation_is_torchs(mode, align_corners):
    (source,) = maps((2, 3, 4, 5))
    corners = {} if mode == "nearest" else {"align_corners": align_corners}
    same_gradients(
        st.interpolate(source, (8, 15), mode=mode, align_corners=align_corners),
        torch.nn.functional.interpolate(source, (8, 15), mode=mode, **corners),
        (source,),
    )


@pytest.mark.parametrize("border", BORDERS)
def test_gradcheck_of_window_operators(border):
    query, key, value = maps((1, 2, 5, 6), (1, 2, 3, 4), (1, 2, 3, 4))
    window = {"kernel_size": 3, "border": border}
    assert gradcheck(lambda *m: st.window_attention(*m, **window), (query, key, value))
    assert gradcheck(lambda *m: st.window_similarity(*m, **window), (query, key))
    (scores,) = maps((1, 9, 5, 6))
    assert gradcheck(lambda m: st.window_weights(m, (3, 4), **window), (scores,))
    assert gradcheck(lambda *m: st.window_reassembly(*m, **window), (scores, value))


def test_gradcheck_of_sampling():
    query, key, value, offsets = maps((1, 4, 4, 6), (1, 4, 2, 3), (1, 4, 2, 3), (1, 12, 4, 6))
    # Away from whole coordinates, where the gradient jumps.
    offsets = (offsets.detach().tanh() * 0.3 + 0.4).requires_grad_()
    assert gradcheck(lambda *m: st.deformable_attention(*m, groups=2, points=3), (query, key, value, offsets))
    assert gradcheck(lambda m: st.interpolate(m, (5, 4)), (key,))


def test_gradients_that_nobody_wants_are_not_there():
    query, key, value = maps((1, 4, 4, 4), (1, 4, 2, 2), (1, 4, 2, 2))
    output = st.window_attention(query, key.detach(), value)
    whole = torch.autograd.grad(st.window_attention(query, key, value).sum(), (query, key, value))
    output.sum().backward()
    assert key.grad is None
    assert torch.equal(query.grad, whole[0]) and torch.equal(value.grad, whole[2])


def test_no_grad_and_inference_mode_record_nothing():
    operands = maps((1, 4, 4, 4), (1, 4, 2, 2), (1, 4, 2, 2))
    expected = st.window_attention(*operands)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            output = st.window_attention(*operands)
            assert not output.requires_grad and torch.equal(output, expected)


def test_second_derivative_is_an_error():
    operands = maps((1, 4, 4, 4), (1, 4, 2, 2), (1, 4, 2, 2))
    output = st.window_attention(*operands)
    expected = torch.autograd.grad(output.sum(), operands, retain_graph=True)
    gradients = torch.autograd.grad(output.sum(), operands, create_graph=True)
    assert all(torch.equal(one, other) for one, other in zip(gradients, expected))
    # A penalty on gradients, whose second derivative must not be left out in silence.
    loss = output.sum() + gradients[0].square().sum()
    with pytest.raises(RuntimeError, match="window_attention is differentiable once"):
        loss.backward()


def test_forward_mode_is_an_error():
    operands = [operand.detach() for operand in maps((1, 4, 4, 4), (1, 4, 2, 2), (1, 4, 2, 2))]
    expected = st.window_attention(*operands)
    with torch.autograd.forward_ad.dual_level():
        assert torch.equal(st.window_attention(*operands), expected)
        dual = torch.autograd.forward_ad.make_dual(operands[0], torch.ones_like(operands[0]))
        with pytest.raises(NotImplementedError, match="(?i)jvp|forward"):
            st.window_attention(dual, *operands[1:])


def test_operand_changed_in_place_is_noticed():
    query, key, value = maps((1, 4, 4, 4), (1, 4, 2, 2), (1, 4, 2, 2))
    scaled = query * 2
    output = st.window_attention(scaled, key, value)
    scaled.mul_(3)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.sum().backward()


def last(tensor):
    return tensor.detach().contiguous(memory_format=torch.channels_last).requires_grad_()


def test_channels_last_is_kept():
    contiguous = maps((2, 4, 6, 8), (2, 4, 3, 4), (2, 6, 3, 4))
    channels_last = [last(tensor) for tensor in contiguous]
    one, other = (st.window_attention(*operands) for operands in (contiguous, channels_last))
    assert one.is_contiguous() and other.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(one, other)
    for output, operands in ((one, contiguous), (other, channels_last)):
        output.sum().backward()
    for a, b in zip(contiguous, channels_last):
        assert b.grad.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(a.grad, b.grad)


def test_views_are_read_in_place_and_other_strides_copied():
    query, key, value = (tensor.detach() for tensor in maps((2, 4, 6, 8), (2, 4, 3, 4), (2, 6, 3, 4)))
    expected = st.window_attention(query, key, value)
    wide = torch.zeros(2, 9, 5, 7, dtype=torch.float64)
    part = wide[:, 2:8, 1:4, 2:6]
    part.copy_(value)
    transposed = key.transpose(2, 3).contiguous().transpose(2, 3)
    assert torch.equal(st.window_attention(query, transposed, part), expected)
    assert torch.equal(st.window_attention(query[:1].expand(2, -1, -1, -1), key, value)[0], expected[0])


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float16, 5e-3), (torch.bfloat16, 4e-2)])
def test_types(dtype, tolerance):
    narrow = maps((1, 4, 6, 6), (1, 4, 3, 3), (1, 4, 3, 3), dtype=dtype)
    narrow = [tensor.detach().requires_grad_() for tensor in narrow]
    wide = [tensor.detach().double().requires_grad_() for tensor in narrow]
    output, expected = st.window_attention(*narrow), st.window_attention(*wide)
    assert output.dtype == dtype
    torch.testing.assert_close(output.double(), expected, rtol=tolerance, atol=tolerance)
    output.sum().backward()
    expected.sum().backward()
    for one, other in zip(narrow, wide):
        assert one.grad.dtype == dtype
        torch.testing.assert_close(one.grad.double(), other.grad, rtol=4 * tolerance, atol=4 * tolerance)


def test_wrong_operands_are_errors_that_name_them():
    query, key, value = maps((1, 4, 4, 4), (1, 4, 2, 2), (1, 4, 2, 2))
    for operands, text in (
        ((query, key.float(), value), "one type.*key .1, 4, 2, 2. float32"),
        ((query, key, value.to("meta")), "one device.*value .* on meta"),
        ((query[0], key, value), "four dimensions.*query .4, 4, 4."),
        ((query.long(), key.long(), value.long()), "float32.*query .* int64"),
        ((query, key[:, :3], value), "'query' must be"),
        ((query.to_sparse(), key, value), "(?i)dense|sparse"),
    ):
        with pytest.raises((ValueError, NotImplementedError), match=text):
            st.window_attention(*(operand.detach() for operand in operands))
    with pytest.raises(ValueError, match="'border' is 'zero'; choose one of 'zero_logit'"):
        st.window_attention(query, key, value, border="zero")
    with pytest.raises(sapagpu.NotSupportedError, match="must be odd"):
        st.window_attention(query, key, value, kernel_size=4)
    with pytest.raises(sapagpu.NotSupportedError, match="16"):
        st.window_attention(torch.zeros(1, 1, 40, 40), torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2))
    with pytest.raises(ValueError, match="at least 1"):
        st.interpolate(query, (0, 4))


def test_batch_of_zero():
    query, key, value = maps((0, 4, 4, 4), (0, 4, 2, 2), (0, 6, 2, 2))
    output = st.window_attention(query, key, value)
    assert output.shape == (0, 6, 4, 4)
    output.sum().backward()
    assert value.grad.shape == value.shape


def test_shapes_without_data():
    query, key, value = (tensor.detach().to("meta") for tensor in maps((2, 4, 6, 8), (2, 4, 3, 4), (2, 6, 3, 4)))
    output = st.window_attention(query, key, value, heads=2, head_value="shared")
    assert output.is_meta and output.shape == (2, 12, 6, 8)
    query.requires_grad_()
    st.window_attention(query, key, value).sum().backward()
    assert query.grad.is_meta and query.grad.shape == query.shape
    assert st.window_similarity(query, key, kernel_size=3).shape == (2, 9, 6, 8)
    assert st.interpolate(value, (5, 7)).shape == (2, 6, 5, 7)


def test_operators_are_the_dispatchers():
    query, key, value = maps((1, 4, 4, 4), (1, 4, 2, 2), (1, 4, 2, 2))
    direct = torch.ops.sapagpu.window_attention(query, key, value, 5, "zero_logit", "softmax", 1, "split")
    assert direct.requires_grad and torch.equal(direct, st.window_attention(query, key, value))


def test_traced_module_is_saved_and_loaded(tmp_path):
    module = st.SapaUpsampler(4, 6, similarity="gated_bilinear", embedding_channels=8).eval()
    maps = torch.randn(1, 4, 6, 8), torch.randn(1, 6, 3, 4)
    torch.jit.save(torch.jit.trace(module, maps), str(tmp_path / "traced.pt"))
    loaded = torch.jit.load(str(tmp_path / "traced.pt"))
    torch.testing.assert_close(loaded(*maps), module(*maps))
    encoder = maps[0].clone().requires_grad_()
    loaded(encoder, maps[1]).sum().backward()
    assert encoder.grad.abs().sum() > 0


def test_threads_train_at_once():
    expected = {}
    found = {}

    def train(seed, results):
        operands = maps((1, 8, 16, 16), (1, 8, 8, 8), (1, 8, 8, 8), seed=seed)
        for _ in range(10):
            results[seed] = torch.autograd.grad(st.window_attention(*operands).sum(), operands)

    for seed in range(4):
        train(seed, expected)
    threads = [threading.Thread(target=train, args=(seed, found)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(4):
        assert all(torch.equal(one, other) for one, other in zip(found[seed], expected[seed]))


def test_number_of_threads_is_torchs():
    operands = maps((1, 8, 16, 16), (1, 8, 8, 8), (1, 8, 8, 8))
    before = torch.get_num_threads()
    expected = st.window_attention(*operands)
    try:
        torch.set_num_threads(1)
        assert torch.equal(st.window_attention(*operands), expected)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("similarity", ["inner_product", "bilinear", "gated_bilinear", "concatenated"])
def test_module_learns(similarity):
    torch.manual_seed(3)
    module = st.SapaUpsampler(6, 6, similarity=similarity, embedding_channels=8, kernel_size=3, value_channels=4)
    encoder, decoder, target = torch.randn(2, 6, 7, 9), torch.randn(2, 6, 4, 5), torch.randn(2, 4, 7, 9)
    optimiser = torch.optim.Adam(module.parameters(), 0.02)
    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        loss = torch.nn.functional.mse_loss(module(encoder, decoder), target)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.95 * losses[0]
    assert all(parameter.grad is not None for parameter in module.parameters())


def test_module_is_copied_moved_and_saved(tmp_path):
    module = st.SapaDeformableUpsampler(3, 8, groups=2, points=3, embedding_channels=2, norm_groups=1).double()
    torch.save(module.state_dict(), tmp_path / "module.pth")
    other = st.SapaDeformableUpsampler(3, 8, groups=2, points=3, embedding_channels=2, norm_groups=1).double()
    other.load_state_dict(torch.load(tmp_path / "module.pth"))
    encoder, decoder = torch.randn(1, 3, 6, 8).double(), torch.randn(1, 8, 3, 4).double()
    expected = module(encoder, decoder)
    assert expected.dtype == torch.float64
    # All offsets are 0 at first: every point takes its cell.
    torch.testing.assert_close(expected, torch.nn.functional.interpolate(decoder, scale_factor=2.0, mode="nearest"))
    assert torch.equal(other(encoder, decoder), expected)
    assert torch.equal(copy.deepcopy(module)(encoder, decoder), expected)


def test_modules_work_under_autocast():
    module = st.SapaUpsampler(4, 6, embedding_channels=8)
    encoder, decoder = torch.randn(1, 4, 6, 8), torch.randn(1, 6, 3, 4)
    expected = module(encoder, decoder)
    with torch.autocast("cpu", torch.bfloat16):
        output = module(encoder, decoder)
    torch.testing.assert_close(output, expected, rtol=0.05, atol=0.05)


def test_module_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="inner product needs as many encoder as decoder"):
        st.SapaUpsampler(4, 6, similarity="inner_product")
    with pytest.raises(ValueError, match="multiple of 'norm_groups'; got 6 and 4"):
        st.SapaUpsampler(4, 6, feature_norm="group", norm_groups=4)
    with pytest.raises(ValueError, match="'similarity' is 'sapa'"):
        st.SapaUpsampler(4, 6, similarity="sapa")
    with pytest.raises(ValueError, match="must be odd"):
        st.CarafeUpsampler(4, encoder_kernel=2)
    with pytest.raises(ValueError, match="'scale' is 17"):
        st.SapaDeformableUpsampler(4, 8, scale=17)
    with pytest.raises(ValueError, match="'decoder' has shape .*the module was made for .B, 6, H, W."):
        st.SapaUpsampler(4, 6)(torch.zeros(1, 4, 4, 4), torch.zeros(1, 5, 2, 2))
