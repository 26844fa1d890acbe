"""A pass hands over each layer as it is made and lets it go; the digits are those of a pass that keeps all of them."""

from __future__ import annotations

import weakref

import every_encoder
import numpy as np
import pytest
import tiny_decoders
import tiny_encoders
import torch
from every_encoder import EVERY

from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.arriving import ArrivingVectors
from lit_probe.encoder.batching import BatchRule
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.encoder.met_layers import met_layers
from lit_probe.encoder.pooling import pool_tokens
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import EncoderError

_rng = np.random.default_rng(0)
TEXTS = ["", "a", *(" ".join(_rng.choice(tiny_encoders.DEFAULT_WORDS, size=n)) for n in _rng.integers(1, 60, size=60))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("every")


def former_batches(encoder, encoded):
    """Texts sorted by length, 1,024 padded tokens a batch, as they were cut before devices had rules of their own."""
    order = sorted((i for i, text in enumerate(encoded) if text.ids), key=lambda i: -len(encoded[i].ids))
    while order:
        longest = len(encoded[order[0]].ids)
        batch = order[: max(1, 1_024 // longest)]
        if not encoder._loaded.padding_is_neutral:
            batch = [i for i in batch if len(encoded[i].ids) == longest]
        yield batch
        order = order[len(batch) :]


def former_answers(encoder, texts, pooling):
    """``[n_layers]`` pooled values and the head's probabilities, from passes that keep all hidden states to their end."""
    encoded = encoder.encode(texts)
    values = np.zeros((encoder.n_layers, len(texts), encoder.d_model), dtype=np.float32)
    n_classes = len(encoder.head_label_names or ())
    head = np.full((len(texts), n_classes), 1 / max(1, n_classes), dtype=np.float32)

    def run(indices):
        batch = encoder.padded([encoded[i] for i in indices])
        with torch.inference_mode():
            output = encoder.model(**batch.model_inputs, output_hidden_states=True)
        for layer, states in enumerate(output.hidden_states):
            values[layer][indices] = pool_tokens(pooling, states[:, : batch.ids.shape[1]], batch).float().cpu().numpy()
        if n_classes:
            head[indices] = output.logits.float().softmax(dim=-1).cpu().numpy()

    for indices in former_batches(encoder, encoded):
        on_encoder_thread(run, indices)
    return values, head


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("architecture", EVERY)
def test_pooled_vectors_are_byte_for_byte_those_of_passes_that_keep_everything(folder, architecture, dtype):
    encoder = every_encoder.opened(folder, architecture)
    if dtype != "float32":
        encoder = load_encoder(str(folder / architecture), dtype=dtype)
    for pooling in ("mean", "last", "cls", "max"):
        found = extract_activations(encoder, TEXTS, pooling)
        values, _ = former_answers(encoder, TEXTS, pooling)
        for layer in range(encoder.n_layers):
            assert found.layer(layer).tobytes() == values[layer].tobytes(), (pooling, layer)


@pytest.mark.parametrize("architecture", [name for name in EVERY if name not in tiny_decoders.STACKS])
def test_a_head_says_byte_for_byte_the_same(tmp_path, architecture):
    tiny = tiny_encoders if architecture in tiny_encoders.ARCHITECTURES else tiny_decoders
    encoder = load_encoder(str(tiny.build(tmp_path / architecture, architecture, n_classes=3)))
    found = extract_activations(encoder, TEXTS, "mean")
    values, head = former_answers(encoder, TEXTS, "mean")
    assert found.head_probabilities.tobytes() == head.tobytes()
    assert [found.layer(layer).tobytes() for layer in range(encoder.n_layers)] == [one.tobytes() for one in values]


def most_alive(encoder: Encoder) -> int:
    """How many layers of one pass are in memory at once."""
    alive, most = [], 0

    def take(_, states):
        nonlocal most
        alive.append(weakref.ref(states))
        most = max(most, sum(one() is not None for one in alive))

    on_encoder_thread(lambda: encoder.run(encoder.padded(encoder.encode(["a good film", "bad"])), take))
    assert len(alive) == encoder.n_layers and not any(one() is not None for one in alive)
    return most


# Deberta's own code keeps all layers of each pass.
@pytest.mark.parametrize("architecture", [name for name in EVERY if name != "deberta-v2"])
def test_a_pass_holds_the_first_layer_and_two_more_at_most(folder, architecture):
    encoder = every_encoder.opened(folder, architecture)
    _ = encoder.model
    assert encoder._loaded.met_layers is not None
    assert most_alive(encoder) <= 3


def test_the_number_of_layers_in_memory_does_not_grow_with_their_number(tmp_path, monkeypatch):
    monkeypatch.setattr(tiny_decoders, "_GROUPED", {**tiny_decoders._GROUPED, "num_hidden_layers": 12})
    encoder = load_encoder(str(tiny_decoders.build(tmp_path / "deep", "llama")))
    assert encoder.n_layers == 13 and most_alive(encoder) <= 3
    encoder._loaded.met_layers = None  # as of an architecture whose layers cannot be met
    assert most_alive(encoder) == 13


def test_layers_that_the_model_writes_over_are_read_at_the_end_of_a_pass(tiny_encoder):
    model = tiny_encoder.model
    assert tiny_encoder._loaded.met_layers is not None
    batch = tiny_encoder.padded(tiny_encoder.encode(["a good film", "bad"]))

    def run(with_layers):
        with torch.inference_mode():
            return model(**batch.model_inputs, output_hidden_states=with_layers)

    hooks = lambda: sum(len(one._forward_hooks) + len(one._forward_pre_hooks) for one in model.modules())  # noqa: E731
    before = hooks()  # transformers has its own
    assert on_encoder_thread(met_layers, model, run) == tiny_encoder._loaded.met_layers
    handle = model.encoder.layer[1].attention.register_forward_pre_hook(lambda _, args: args[0].mul_(2))
    try:
        assert on_encoder_thread(met_layers, model, run) is None
    finally:
        handle.remove()
    assert hooks() == before


def test_a_module_that_gives_another_shape_later_on_is_refused_by_layer(tiny_encoder):
    layer = tiny_encoder.model.encoder.layer[1]
    handle = layer.register_forward_hook(lambda _, __, output: output[:, ::2])
    try:
        with pytest.raises(EncoderError, match=r"Layer 2 of .* gives .* is expected: one vector per token"):
            extract_activations(tiny_encoder, ["a good film"])
    finally:
        handle.remove()


@pytest.mark.parametrize("architecture", EVERY)
def test_batches_cut_for_a_gpu_give_the_same_vectors_but_for_rounding(folder, architecture, monkeypatch):
    encoder = every_encoder.opened(folder, architecture)
    expected = extract_activations(encoder, TEXTS, "mean")
    monkeypatch.setattr(Encoder, "batch_rule", BatchRule(2_000, 1 / 8, 100))
    found = extract_activations(encoder, TEXTS, "mean")
    for layer in range(encoder.n_layers):
        np.testing.assert_allclose(found.layer(layer), expected.layer(layer), atol=1e-4, rtol=1e-5)


def test_vectors_that_arrive_are_float32_of_each_place_whatever_they_were():
    vectors = ArrivingVectors(2, [3, 0, 1], "cpu")
    given = [torch.arange(6).view(2, 3).to(torch.bfloat16), torch.zeros(2, 0), torch.tensor([[0.5], [1.5]])]
    for place in (2, 0, 1):
        vectors.put(place, given[place])
    vectors.send()
    received = vectors.received()
    assert [one.dtype for one in received] == [np.float32] * 3
    for one, expected in zip(received, given, strict=True):
        assert np.array_equal(one, expected.float().numpy())
