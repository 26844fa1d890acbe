"""The object that travels: one vector per text and layer."""

from __future__ import annotations

import numpy as np

from lit_probe.encoder.activations import BLOCK_SIZE, Activations, extract_activations, split_into_blocks


def test_values_and_layers_are_the_same_numbers(tiny_encoder):
    activations = extract_activations(tiny_encoder, ["a good film", "bad", "it was fine"])
    assert activations.values.shape == (3, activations.n_layers, *set(activations.widths)) == (3, 4, 32)
    assert activations.values.dtype == np.float32
    for layer in range(activations.n_layers):
        assert np.array_equal(activations.layer(layer), activations.values[:, layer])
        assert activations.layer(layer).flags.c_contiguous


def test_values_from_elsewhere_can_be_wrapped():
    values = np.random.default_rng(0).normal(size=(5, 3, 8)).astype(np.float32)
    activations = Activations.from_array(values)
    assert len(activations) == 5
    assert np.array_equal(activations.values, values)
    assert activations.head_probabilities is None
    assert activations.share_truncated == 0


def test_blocks_hold_every_text_in_order():
    texts = [str(i) for i in range(2 * BLOCK_SIZE + 3)]
    parts = [part for part, _ in split_into_blocks(texts)]
    assert [text for part in parts for text in part] == texts
    assert [len(part) for part in parts] == [BLOCK_SIZE, BLOCK_SIZE, 3]
