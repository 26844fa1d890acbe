"""Going on from a layer's hidden states gives what an ordinary pass gives, without the blocks before it."""

import gc
import threading
import weakref

import pytest
import torch
import transformers
from passes import go_on
from tiny_encoders import ARCHITECTURES, N_BLOCKS, build

from lit_probe.encoder import layer_calls as layer_calls_module
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.layer_calls import layer_calls
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import EncoderError

TEXTS = ["a very good film", "dull", "the plot is slow and the acting is bad"]


@pytest.mark.parametrize("n_classes", [0, 2])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_going_on_from_a_layer_gives_the_ordinary_pass_bit_for_bit(tiny_folder, architecture, n_classes):
    encoder = load_encoder(str(tiny_folder(architecture, n_classes=n_classes)))
    encoded = encoder.encode(TEXTS)
    batch, ordinary = encoder.padded(encoded), encoder.forward(encoded)
    for layer in range(N_BLOCKS + 1):
        output = go_on(encoder, batch, layer, ordinary.layers[layer].clone())
        for later in range(layer + 1, N_BLOCKS + 1):
            assert torch.equal(output.hidden_states[later], ordinary.layers[later])
        if n_classes:
            assert torch.equal(output.logits, ordinary.head_logits)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_changed_hidden_states_reach_the_later_layers(tiny_folder, architecture):
    encoder = load_encoder(str(tiny_folder(architecture)))
    encoded = encoder.encode(TEXTS)
    batch, ordinary = encoder.padded(encoded), encoder.forward(encoded)
    for layer in range(N_BLOCKS):
        hidden = ordinary.layers[layer].clone()
        hidden[..., 3] += 1.0
        output = go_on(encoder, batch, layer, hidden)
        assert not torch.allclose(output.hidden_states[-1], ordinary.layers[-1])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_blocks_before_the_layer_are_not_run_and_everything_is_put_back(tiny_folder, architecture):
    encoder = load_encoder(str(tiny_folder(architecture)))
    encoded = encoder.encode(TEXTS)
    batch, ordinary = encoder.padded(encoded), encoder.forward(encoded)
    blocks = [call.module for call in layer_calls(encoder)[1:]]
    # The last layer of some architectures is made by a normalisation alone, with nothing inside that could be watched.
    inside = {one: number for number, block in enumerate(blocks) for one in block.modules() if isinstance(one, torch.nn.Linear)}
    ran = set()
    handles = [module.register_forward_hook(lambda module, *_: ran.add(inside[module])) for module in inside]
    try:
        for layer in range(N_BLOCKS + 1):
            ran.clear()
            go_on(encoder, batch, layer, ordinary.layers[layer])
            assert ran == {number for number in inside.values() if number >= layer}
            if layer < N_BLOCKS:
                with pytest.raises(EncoderError, match=r"gives \[1, 2, 3\] for 3 texts"):
                    go_on(encoder, batch, layer, torch.zeros(1, 2, 3))
    finally:
        for handle in handles:
            handle.remove()
    assert all("forward" not in vars(block) for block in blocks)
    assert all(torch.equal(a, b) for a, b in zip(encoder.forward(encoded).layers, ordinary.layers, strict=True))


def test_a_block_inside_another_is_entered_where_hidden_states_are_collected(tmp_path):
    # albert calls one block of one group again and again.
    sizes = dict(num_hidden_layers=4, hidden_size=32, num_attention_heads=4, intermediate_size=48, embedding_size=16)
    tokenizer = transformers.AutoTokenizer.from_pretrained(build(tmp_path / "tiny", "bert"))
    transformers.AlbertModel(transformers.AlbertConfig(vocab_size=len(tokenizer), pad_token_id=0, **sizes)).save_pretrained(
        tmp_path / "tiny"
    )
    encoder = load_encoder(str(tmp_path / "tiny"))
    ordinary = encoder.forward(encoder.encode(TEXTS)).layers
    batch = encoder.padded(encoder.encode(TEXTS))
    for layer in range(encoder.n_layers):
        later = go_on(encoder, batch, layer, ordinary[layer]).hidden_states
        assert len(later) == encoder.n_layers
        for one, other in zip(later[layer + 1 :], ordinary[layer + 1 :], strict=True):
            torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


def test_a_model_that_is_no_longer_needed_is_not_kept(tiny_folder):
    encoder = load_encoder(str(tiny_folder()))
    layer_calls(encoder)
    gone = weakref.ref(encoder.model)
    del encoder
    gc.collect()
    assert gone() is None


def test_a_pass_that_runs_at_the_same_time_is_not_watched(tiny_folder):
    alone = [call.number for call in layer_calls(load_encoder(str(tiny_folder("bert"))))]
    encoder = load_encoder(str(tiny_folder("bert")))
    encoded = encoder.encode(TEXTS)
    encoder.forward(encoded)
    over = threading.Event()

    def others():
        while not over.is_set():
            encoder.forward(encoded)

    busy = threading.Thread(target=others)
    busy.start()
    try:
        for _ in range(10):
            # What is watched once is watched anew.
            found = on_encoder_thread(layer_calls_module._watched.__wrapped__, encoder)
            assert [call.number for call in found] == alone
    finally:
        over.set()
        busy.join()
