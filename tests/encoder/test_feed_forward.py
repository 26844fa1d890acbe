"""The feed-forward activations of every architecture are found by watching, and read where the nonlinearity has been."""

import gc
import weakref

import pytest
import torch
import transformers
from tiny_encoders import ARCHITECTURES, CONFIGS, N_BLOCKS, build

from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.feed_forward import feed_forward_activations, feed_forwards
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import EncoderError, UnknownNameError

TEXTS = ["a very good film", "dull", "the plot is slow and the acting is bad"]
PATHS = {
    "bert": "encoder.layer.{}.output.dense",
    "distilbert": "transformer.layer.{}.ffn.lin2",
    "roberta": "encoder.layer.{}.output.dense",
    "electra": "encoder.layer.{}.output.dense",
    "deberta-v2": "encoder.layer.{}.output.dense",
    "modernbert": "layers.{}.mlp.Wo",
}
ALBERT = dict(num_hidden_layers=3, hidden_size=32, num_attention_heads=4, intermediate_size=48, embedding_size=16)


def hooks_of(encoder) -> int:
    encoder.forward(encoder.encode(["a"]))  # transformers leaves some of its own at the first pass
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in encoder.model.modules())


def read(encoder, texts, first, last):
    batch = encoder.padded(encoder.encode(texts))
    blocks = feed_forwards(encoder, first, last)

    def run():
        with torch.inference_mode():
            return feed_forward_activations(encoder, batch, blocks, last)

    return on_encoder_thread(run)


def handed_to(encoder, texts, modules):
    """What these modules are given in an ordinary pass, side by side."""
    given = []
    handles = [module.register_forward_pre_hook(lambda _, arguments: given.append(arguments[0])) for module in modules]
    try:
        encoder.forward(encoder.encode(texts))
    finally:
        for handle in handles:
            handle.remove()
    return torch.cat(given, dim=-1)


@pytest.mark.parametrize("n_classes", [0, 2])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_second_matrix_of_each_block_is_found(tiny_folder, architecture, n_classes):
    encoder = load_encoder(str(tiny_folder(architecture, n_classes=n_classes)))
    before = hooks_of(encoder)
    found = feed_forwards(encoder, 1, N_BLOCKS)
    for number, block in enumerate(found):
        assert block.path.endswith(PATHS[architecture].format(number))
        assert block.n_units == 48
    expected = handed_to(encoder, TEXTS, [encoder.model.get_submodule(block.path) for block in found])
    assert torch.equal(read(encoder, TEXTS, 1, N_BLOCKS), expected)
    assert torch.equal(read(encoder, TEXTS, 2, 2), expected[..., 48:96])
    assert hooks_of(encoder) == before


def test_a_fresh_encoder_gives_the_same_as_one_that_was_watched_before(tiny_folder):
    one, other = (load_encoder(str(tiny_folder("distilbert"))) for _ in range(2))
    read(other, TEXTS, 1, 1)
    assert torch.equal(read(one, TEXTS, 3, 3), read(other, TEXTS, 3, 3))


def test_they_have_been_through_the_nonlinearity_and_padding_changes_nothing(tiny_encoder):
    encoded = tiny_encoder.encode(TEXTS[:1])
    block = tiny_encoder.model.encoder.layer[0]
    with torch.inference_mode():
        attended = block.attention(tiny_encoder.forward(encoded).layers[0])
        expected = torch.nn.functional.gelu(block.intermediate.dense(attended[0] if isinstance(attended, tuple) else attended))
    torch.testing.assert_close(read(tiny_encoder, TEXTS[:1], 1, 1), expected, atol=1e-6, rtol=0)
    beside = read(tiny_encoder, TEXTS, 1, 1)[:1, : len(encoded[0].ids)]
    torch.testing.assert_close(beside, expected, atol=1e-5, rtol=0)


def test_one_block_that_is_called_again_and_again_is_read_at_each_call(tmp_path, monkeypatch):
    monkeypatch.setitem(CONFIGS, "albert", lambda **kw: transformers.AlbertConfig(**ALBERT, max_position_embeddings=64, **kw))
    encoder = load_encoder(str(build(tmp_path / "tiny-albert", "albert")))
    found = feed_forwards(encoder, 1, 3)
    assert len({block.path for block in found}) == 1
    assert [block.number for block in found] == [0, 1, 2]
    expected = handed_to(encoder, TEXTS, [found[0].module])
    assert torch.equal(read(encoder, TEXTS, 1, 3), expected)
    assert torch.equal(read(encoder, TEXTS, 2, 3), expected[..., 48:])


class Unusual(torch.nn.Module):
    """A linear map that is no torch.nn.Linear."""

    def __init__(self, linear):
        super().__init__()
        self.kernel = linear.weight

    def forward(self, hidden):
        return hidden @ self.kernel.T


def test_a_block_that_cannot_be_read_says_which_modules_were_expected(tiny_encoder):
    before, output = hooks_of(tiny_encoder), tiny_encoder.model.encoder.layer[1].output
    output.dense = Unusual(output.dense)
    with pytest.raises(EncoderError, match=r"encoder\.layer\.1\.output\.dense, of which the second takes 48 inputs") as caught:
        feed_forwards(tiny_encoder, 1, 3)
    assert "Layer 2 of" in str(caught.value)
    assert "encoder.layer.1.intermediate.dense (32 to 48)" in str(caught.value)
    assert [block.path for block in feed_forwards(tiny_encoder, 3, 3)] == ["encoder.layer.2.output.dense"]
    assert hooks_of(tiny_encoder) == before


def test_layers_without_a_block_are_named(tiny_encoder):
    for first, last in ((0, 1), (2, 1), (1, 4)):
        with pytest.raises(UnknownNameError, match=f"no blocks {first} to {last}.*layers 1 to 3"):
            feed_forwards(tiny_encoder, first, last)


def test_hooks_are_gone_when_the_pass_fails(tiny_encoder):
    read(tiny_encoder, TEXTS, 1, 2)
    before = hooks_of(tiny_encoder)

    def fail(*_):
        raise ZeroDivisionError

    handle = tiny_encoder.model.encoder.layer[1].register_forward_pre_hook(fail)
    with pytest.raises(ZeroDivisionError):
        read(tiny_encoder, TEXTS, 1, 3)
    handle.remove()
    assert hooks_of(tiny_encoder) == before


def test_a_model_that_is_no_longer_needed_is_not_kept(tiny_folder):
    encoder = load_encoder(str(tiny_folder()))
    feed_forwards(encoder, 1, 3)
    gone = weakref.ref(encoder.model)
    del encoder
    gc.collect()
    assert gone() is None
