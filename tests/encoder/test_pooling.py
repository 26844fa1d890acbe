"""Laws of every pooling: padding and batch neighbours change nothing, whichever side the padding stands on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers
from tiny_encoders import ARCHITECTURES

from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.encoder.thread import on_encoder_thread

TEXTS = [
    "a good film",
    "the movie was not very good but the ending is fine and i loved it",
    "dull",
    "",
    "never the best plot of all",
]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_text_in_a_batch_pools_as_it_does_alone(tiny_folder, architecture, pooling):
    encoder = load_encoder(str(tiny_folder(architecture)))
    together = extract_activations(encoder, TEXTS, pooling).values
    for i, text in enumerate(TEXTS):
        alone = extract_activations(encoder, [text], pooling).values[0]
        np.testing.assert_allclose(together[i], alone, atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_left_padding_with_explicit_positions_pools_as_no_padding(tiny_folder, architecture, pooling):
    folder = tiny_folder(architecture)
    encoder = load_encoder(str(folder))
    alone = extract_activations(encoder, TEXTS[:1], pooling).values[0]
    encoded = encoder.encode(TEXTS[:1])[0]
    n_pad = 4
    n_real = len(encoded.ids)

    def padded_left() -> np.ndarray:
        model = transformers.AutoModel.from_pretrained(folder).eval()
        ids = torch.tensor([[0] * n_pad + encoded.ids])
        attended = torch.tensor([[False] * n_pad + [True] * n_real])
        special = torch.tensor([[True] * n_pad + encoded.special])
        first = 1 if architecture == "roberta" else 0  # roberta counts from pad_token_id + 1
        positions = torch.tensor([[0] * n_pad + list(range(first, first + n_real))])
        with torch.no_grad():
            output = model(input_ids=ids, attention_mask=attended.long(), position_ids=positions, output_hidden_states=True)
        return np.stack([POOLINGS[pooling](states, attended, special)[0].numpy() for states in output.hidden_states])

    np.testing.assert_allclose(on_encoder_thread(padded_left), alone, atol=1e-5)


@pytest.fixture
def hand_made():
    hidden = torch.tensor([[[9.0], [1.0], [5.0], [9.0], [7.0]], [[9.0], [9.0], [0.0], [0.0], [0.0]]])
    attended = torch.tensor([[True, True, True, True, False], [True, True, False, False, False]])
    special = torch.tensor([[True, False, False, True, True], [True, True, True, True, True]])
    return hidden, attended, special


EXPECTED = {
    "mean": [3.0, 0.0],
    "mean_all": [6.0, 9.0],
    "mean_after_first": [3.0, 0.0],
    "cls": [9.0, 9.0],
    "last": [5.0, 0.0],
    "max": [5.0, 0.0],
}


@pytest.mark.parametrize("pooling", POOLINGS)
def test_poolings_of_hand_made_hidden_states(hand_made, pooling):
    assert POOLINGS[pooling](*hand_made).squeeze(-1).tolist() == EXPECTED[pooling]


def test_the_first_attended_token_is_taken_under_left_padding():
    hidden = torch.arange(4.0).view(1, 4, 1)
    attended = torch.tensor([[False, False, True, True]])
    assert POOLINGS["cls"](hidden, attended, torch.zeros_like(attended)).item() == 2.0


@pytest.mark.parametrize("n_pad", [0, 2])
def test_the_mean_after_the_first_token_leaves_out_what_stands_first(n_pad):
    def pooled(values, special):
        hidden = torch.tensor([9.0] * n_pad + values).view(1, -1, 1)
        attended = torch.tensor([[False] * n_pad + [True] * len(values)])
        return POOLINGS["mean_after_first"](hidden, attended, torch.tensor([[True] * n_pad + special])).item()

    assert pooled([5.0, 1.0, 3.0], [False] * 3) == 2.0
    assert pooled([5.0, 1.0, 3.0], [True, False, False]) == 2.0
    assert pooled([5.0, 1.0], [False, True]) == 5.0, "its only content token"
    assert pooled([5.0, 1.0], [True, True]) == 0.0


def test_leaving_special_tokens_out_changes_the_mean(tiny_encoder):
    content, everything = (extract_activations(tiny_encoder, TEXTS[:1], name).values for name in ("mean", "mean_all"))
    assert np.abs(content - everything).max() > 1e-3
