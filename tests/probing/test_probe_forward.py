"""Explained numbers equal predicted ones, the pass ends at its layer, and nothing is left behind."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from tiny_encoders import ARCHITECTURES, N_BLOCKS

from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.layer_calls import layer_calls
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import EncoderError, LitProbeError, UnknownNameError
from lit_probe.probing.probe_forward import SCALARS, Target, forward_of_model, forward_of_probe
from lit_probe.probing.probes.fitted import FittedProbe

TEXTS = ["a very good film", "dull", "", "the plot is slow and the acting is bad, but we loved the music"]


def some_probe(d_model: int, n_classes: int = 3, hidden: int | None = 5) -> FittedProbe:
    random = np.random.default_rng(0)
    widths = [d_model, *([hidden] if hidden else []), n_classes]
    layers = tuple((random.normal(size=(out, into)), random.normal(size=out)) for into, out in itertools.pairwise(widths))
    mean, scale = random.normal(size=d_model), random.uniform(0.5, 2, size=d_model)
    return FittedProbe("mlp" if hidden else "logistic", np.arange(n_classes), mean, scale, layers, True)


def from_embeddings(forward, text):
    """The logits by way of word embeddings, for one text."""

    def compute():
        return forward.of_text(text)(forward.embeddings(text).unsqueeze(0)).detach().numpy()[0]

    return on_encoder_thread(compute)


def hooks_of(model) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_explained_logits_equal_the_ordinary_prediction(tiny_folder, architecture, pooling):
    encoder = load_encoder(str(tiny_folder(architecture)))
    probe = some_probe(encoder.d_model)
    activations = extract_activations(encoder, TEXTS, pooling)
    encoded = encoder.encode(TEXTS)
    for layer in range(encoder.n_layers):
        forward = forward_of_probe(encoder, pooling, layer, probe)
        expected = probe.logits(activations.layer(layer))
        assert np.abs(forward.logits_of(encoded) - expected).max() < 1e-5
        one_by_one = np.array([from_embeddings(forward, text) for text in encoded])
        assert np.abs(one_by_one - expected).max() < 1e-5
    assert np.ptp(expected, axis=0).max() > 1e-2, "the texts should differ"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_blocks_after_the_layer_are_not_run(tiny_folder, architecture):
    encoder = load_encoder(str(tiny_folder(architecture)))
    text = encoder.encode(["a fine movie"])
    blocks = [call.module for call in layer_calls(encoder)[1:]]
    assert len(blocks) == N_BLOCKS
    for layer in range(N_BLOCKS):
        ran = []
        handles = [block.register_forward_hook(lambda *_, ran=ran: ran.append(1)) for block in blocks[layer:]]
        try:
            forward_of_probe(encoder, "mean", layer, some_probe(encoder.d_model)).logits_of(text)
            assert not ran
            encoder.forward(text)
            assert ran
        finally:
            for handle in handles:
                handle.remove()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_models_own_logits_equal_those_of_its_head(tiny_folder, architecture):
    encoder = load_encoder(str(tiny_folder(architecture, n_classes=3)))
    encoded = encoder.encode(TEXTS)
    expected = encoder.forward(encoded).head_logits.numpy()
    forward = forward_of_model(encoder)
    assert forward.class_names == encoder.head_label_names
    assert np.abs(forward.logits_of(encoded) - expected).max() < 1e-5
    assert np.abs(np.array([from_embeddings(forward, text) for text in encoded]) - expected).max() < 1e-5


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradients_reach_the_word_embeddings_and_match_finite_differences(tiny_folder, architecture):
    encoder = load_encoder(str(tiny_folder(architecture)))
    # An ordinary pass first: what it leaves in the model must not stand in the way of a gradient.
    encoder.forward(encoder.encode(["a b c"]))
    forward = forward_of_probe(encoder, "mean", 2, some_probe(encoder.d_model, hidden=None))
    text = encoder.encode(["the story is sad"])[0]

    def compute():
        scalar = forward.scalar(text, Target(1))
        embeddings = forward.embeddings(text).unsqueeze(0).requires_grad_()
        (gradient,) = torch.autograd.grad(scalar(embeddings).sum(), embeddings)
        step = torch.zeros_like(embeddings)
        step[0, 2] = gradient[0, 2] / gradient[0, 2].norm() * 1e-2
        with torch.no_grad():
            slope = (scalar(embeddings + step) - scalar(embeddings - step)) / 2e-2
        return float(slope), float(gradient[0, 2].norm())

    slope, norm = on_encoder_thread(compute)
    assert norm > 1e-4
    assert slope == pytest.approx(norm, rel=0.02)


def test_scalars_are_the_logit_the_probability_and_the_margin(tiny_encoder):
    forward = forward_of_probe(tiny_encoder, "mean", 1, some_probe(tiny_encoder.d_model))
    logits = np.array([[1.0, 3.0, 2.5], [0.0, -1.0, 4.0]])
    assert forward.scalar_of(logits, Target(1)).tolist() == [3.0, -1.0]
    assert forward.scalar_of(logits, Target(1, "margin")).tolist() == [0.5, -5.0]
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(forward.scalar_of(logits, Target(1, "probability")), softmax[:, 1])
    assert set(SCALARS) == {"logit", "probability", "margin"}


@pytest.mark.parametrize("architecture", ["bert", "modernbert"])
def test_no_hook_is_left_after_success_or_failure(tiny_folder, architecture):
    encoder = load_encoder(str(tiny_folder(architecture)))
    text = encoder.encode(["a film"])[0]
    forward = forward_of_probe(encoder, "mean", 1, some_probe(encoder.d_model))
    # The library installs hooks of its own at the first pass that collects hidden states.
    encoder.forward([text])
    before = hooks_of(encoder.model)
    forward.logits_of([text])
    from_embeddings(forward, text)
    assert hooks_of(encoder.model) == before
    with pytest.raises((RuntimeError, EncoderError)):
        on_encoder_thread(lambda: forward.of_text(text)(torch.zeros(1, 2, 7)))
    assert hooks_of(encoder.model) == before
    assert not any(parameter.requires_grad for parameter in encoder.model.parameters())


@pytest.mark.parametrize("layer", [-1, N_BLOCKS + 1])
def test_a_layer_that_does_not_exist_is_named(tiny_encoder, layer):
    with pytest.raises(UnknownNameError, match=rf"Unknown layer {layer}.*0 \(embeddings\) to {N_BLOCKS}"):
        forward_of_probe(tiny_encoder, "mean", layer, some_probe(tiny_encoder.d_model))


def test_what_does_not_fit_is_said_at_the_door(tiny_encoder):
    with pytest.raises(LitProbeError, match="reads 7 units"):
        forward_of_probe(tiny_encoder, "mean", 1, some_probe(7))
    with pytest.raises(LitProbeError, match="3 classes apart, but 2 names"):
        forward_of_probe(tiny_encoder, "mean", 1, some_probe(tiny_encoder.d_model), ["a", "b"])
    with pytest.raises(EncoderError, match="no classification head"):
        forward_of_model(tiny_encoder)
    with pytest.raises(UnknownNameError, match="Unknown scalar 'odds'"):
        Target(0, "odds")
    forward = forward_of_probe(tiny_encoder, "mean", 1, some_probe(tiny_encoder.d_model))
    text = tiny_encoder.encode(["a film"])[0]
    with pytest.raises(LitProbeError, match="no class 3"):
        forward.scalar(text, Target(3))
    with pytest.raises(EncoderError, match="no token"):
        forward.logits_of([dataclasses.replace(text, ids=[], special=[])])
