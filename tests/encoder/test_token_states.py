"""The tokens of a layer are those of an ordinary pass, without padding, and nothing is left behind."""

import numpy as np
import pytest
import torch
from tiny_encoders import ARCHITECTURES, N_BLOCKS

from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.token_states import check_units, token_rows, token_states
from lit_probe.errors import LitProbeError, UnknownNameError

TEXTS = ["a very good film", "dull", "", "the plot is slow and the acting is bad, but we loved the music"]


def hooks_of(encoder) -> int:
    encoder.forward(encoder.encode(["a"]))  # transformers leaves some of its own at the first pass
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in encoder.model.modules())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("layer", range(N_BLOCKS + 1))
def test_each_token_has_the_hidden_state_of_its_text_alone(tiny_folder, architecture, layer):
    encoder = load_encoder(str(tiny_folder(architecture)))
    encoded, before = encoder.encode(TEXTS), hooks_of(encoder)
    seen = []
    for indices, rows in token_states(encoder, encoded, layer):
        alone = [encoder.forward([encoded[i]]).layers[layer][0].numpy() for i in indices]
        np.testing.assert_allclose(rows, np.concatenate(alone), atol=1e-5)
        seen += indices
    assert sorted(seen) == [0, 1, 2, 3]
    assert hooks_of(encoder) == before


def test_unknown_layers_and_neurons_are_named_with_what_there_is(tiny_encoder):
    with pytest.raises(UnknownNameError, match=r"Unknown layer 4\. tiny-bert has layers 0 \(embeddings\) to 3"):
        next(token_states(tiny_encoder, tiny_encoder.encode(TEXTS), 4))
    with pytest.raises(UnknownNameError, match=r"Unknown neuron 32\. Layer 1 has neurons 0 to 31"):
        check_units(tiny_encoder, 1, [3, 32])
    check_units(tiny_encoder, 1, [0, 31])


def test_activations_that_are_not_finite_are_told_with_their_neuron(tiny_encoder):
    before = hooks_of(tiny_encoder)
    with torch.no_grad():
        tiny_encoder.model.encoder.layer[0].output.LayerNorm.bias[5] = float("nan")
    with pytest.raises(LitProbeError, match=r"at layer 1 hold NaN or infinity \(first in neuron 5\)"):
        list(token_states(tiny_encoder, tiny_encoder.encode(TEXTS), 1))
    assert hooks_of(tiny_encoder) == before


def test_no_hook_stays_when_the_pass_fails(tiny_encoder):
    list(token_states(tiny_encoder, tiny_encoder.encode(TEXTS), 2))
    before = hooks_of(tiny_encoder)

    def fail(*_):
        raise ZeroDivisionError

    handle = tiny_encoder.model.encoder.layer[1].register_forward_pre_hook(fail)
    with pytest.raises(ZeroDivisionError):
        list(token_states(tiny_encoder, tiny_encoder.encode(TEXTS), 2))
    handle.remove()
    assert hooks_of(tiny_encoder) == before


def test_whatever_is_read_of_a_batch_comes_without_its_padding(tiny_encoder):
    encoded = tiny_encoder.encode(TEXTS)
    found = list(token_rows(tiny_encoder, encoded, lambda batch: batch.ids.unsqueeze(-1), "the ids"))
    for indices, rows in found:
        assert rows[:, 0].tolist() == [token for i in indices for token in encoded[i].ids]
    assert sum(len(indices) for indices, _ in found) == 4
