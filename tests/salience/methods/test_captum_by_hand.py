"""Gradient methods equal captum called by hand, on the library's own forward pass and a probe written out in torch."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import captum.attr
import numpy as np
import pytest
import torch
from tiny_encoders import ARCHITECTURES

from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.probing.probe_forward import Target, forward_of_model
from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions, explain
from lit_probe.salience.methods.gradient_shap import stratified

TEXT = "The acting isn't great, but we loved the zqx-music"
LAYER = 2
OPTIONS = SalienceOptions(steps=20, noise_samples=7, growth=1, seed=5)


class ByHand:
    """The same computation without any of our code behind it but the tokens and the probe's numbers."""

    def __init__(self, encoder, probe: FittedProbe, class_index: int | list[int]):
        [encoded] = encoder.encode([TEXT])
        self.model = encoder.model
        self.tokenizer = encoder.tokenizer
        self.ids = torch.tensor([encoded.ids])
        self.special = torch.tensor([encoded.special])
        self.layer = self.model.get_input_embeddings()
        self.embedded = self.layer(self.ids)
        self.probe = probe
        self.class_index = class_index

    def of_ids(self, ids):
        return self._scalar(self.model(input_ids=ids, output_hidden_states=True))

    def of_embeddings(self, embeddings):
        return self._scalar(self.model(inputs_embeds=embeddings, output_hidden_states=True))

    def _scalar(self, output):
        pooled = output.hidden_states[LAYER][:, ~self.special[0]].mean(dim=1).double()
        [(weight, bias)] = self.probe.layers
        z = (pooled - torch.tensor(self.probe.mean)) / torch.tensor(self.probe.scale)
        return (z @ torch.tensor(weight).T + torch.tensor(bias))[:, self.class_index]

    def baseline_ids(self, token_id):
        return torch.where(self.special, self.ids, token_id)

    def baseline(self, row):
        return torch.where(self.special.unsqueeze(2), self.embedded, row)

    def gradient_l2(self):
        return self._gradient().norm(dim=2)

    def gradient_mean(self):
        return self._gradient().abs().mean(dim=2)

    def _gradient(self):
        method = captum.attr.LayerGradientXActivation(self.of_ids, self.layer, multiply_by_inputs=False)
        return method.attribute(self.ids)

    def input_x_gradient(self):
        return captum.attr.LayerGradientXActivation(self.of_ids, self.layer).attribute(self.ids).sum(dim=2)

    def integrated_gradients(self):
        method = captum.attr.LayerIntegratedGradients(self.of_ids, self.layer)
        baselines = self.baseline_ids(self.tokenizer.pad_token_id)
        return method.attribute(self.ids, baselines=baselines, n_steps=OPTIONS.steps).sum(dim=2)

    def integrated_from(self, row):
        method = captum.attr.IntegratedGradients(self.of_embeddings)
        return method.attribute(self.embedded, self.baseline(row), n_steps=OPTIONS.steps).sum(dim=2)

    def smoothgrad(self):
        torch.manual_seed(OPTIONS.seed)
        deviation = OPTIONS.noise * float(self.embedded[~self.special].numpy().std())
        method = captum.attr.NoiseTunnel(captum.attr.Saliency(self.of_embeddings))
        return method.attribute(self.embedded, nt_samples=OPTIONS.noise_samples, stdevs=deviation, abs=False).norm(dim=2)

    def gradient_shap(self):
        table = self.layer.weight
        rows = (table[self.tokenizer.pad_token_id], table[self.tokenizer.mask_token_id], torch.zeros(1), table.mean(dim=0))
        baselines = torch.cat([self.baseline(row) for row in rows])
        method = captum.attr.GradientShap(self.of_embeddings)
        # captum draws baselines and points independently of one another; here it gets ours.
        points = stratified(np.random.default_rng(OPTIONS.seed), len(rows), 2)
        which = np.repeat(np.arange(len(rows)), 2)
        with (
            mock.patch("numpy.random.choice", return_value=which),
            mock.patch("numpy.random.uniform", return_value=points.ravel()),
        ):
            return method.attribute(self.embedded, baselines, n_samples=len(which)).sum(dim=2)

    def scores(self, run):
        """``[n_tokens]``, special tokens 0."""

        def compute():
            return torch.where(self.special, 0.0, run().detach())[0].double().numpy()

        return on_encoder_thread(compute)


def both(random_probe, architecture, class_index=1):
    forward, probe = random_probe(architecture, LAYER)
    return forward, on_encoder_thread(ByHand, forward.encoder, probe, class_index)


def assert_equal(ours, theirs):
    assert np.abs(theirs).max() > 1e-3, "a map of zeros proves nothing"
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


def louder(encoder):
    """The head of a random encoder hardly says anything."""
    for name, parameter in encoder.model.named_parameters():
        if not name.startswith(encoder.model.base_model_prefix):
            parameter.mul_(50)


@pytest.fixture
def global_state_kept():
    """What calling captum by hand does to the global generators stays in the test."""
    state = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        yield
    np.random.set_state(state)


GRADIENT_METHODS = [name for name, method in SALIENCE_METHODS.items() if method.gradient]


@pytest.mark.usefixtures("global_state_kept")
@pytest.mark.filterwarnings("ignore:Input Tensor 0 did not already require gradients")
@pytest.mark.parametrize("method", GRADIENT_METHODS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_gradient_method_equals_captum_by_hand(random_probe, architecture, method):
    forward, by_hand = both(random_probe, architecture)
    ours = explain(forward, TEXT, method, Target(1), OPTIONS)
    assert_equal(ours.scores, by_hand.scores(getattr(by_hand, method)))


@pytest.mark.parametrize("baseline", ["mask", "zero", "mean"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_integrated_gradients_equal_captum_from_every_other_baseline(random_probe, architecture, baseline):
    forward, by_hand = both(random_probe, architecture)
    table = by_hand.layer.weight
    row = {"mask": table[by_hand.tokenizer.mask_token_id], "zero": torch.zeros(1), "mean": table.mean(dim=0)}[baseline]
    ours = explain(forward, TEXT, "integrated_gradients", Target(1), replace(OPTIONS, baseline=baseline))
    assert_equal(ours.scores, by_hand.scores(lambda: by_hand.integrated_from(row)))


@pytest.mark.parametrize("scalar", ["probability", "margin"])
def test_other_scalars_equal_captum_too(random_probe, scalar):
    forward, by_hand = both(random_probe, "bert", [0, 1, 2])

    def explained(ids):
        logits = by_hand.of_ids(ids)
        return logits.softmax(dim=1)[:, 1] if scalar == "probability" else logits[:, 1] - logits[:, [0, 2]].max(dim=1).values

    method = captum.attr.LayerGradientXActivation(explained, by_hand.layer)
    theirs = by_hand.scores(lambda: method.attribute(by_hand.ids).sum(dim=2))
    assert_equal(explain(forward, TEXT, "input_x_gradient", Target(1, scalar)).scores, theirs)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_models_own_prediction_equals_captum_too(tiny_folder, architecture):
    encoder = load_encoder(str(tiny_folder(architecture, n_classes=3)))
    louder(encoder)

    def by_hand():
        [encoded] = encoder.encode([TEXT])
        method = captum.attr.LayerIntegratedGradients(lambda ids: encoder.model(ids).logits, encoder.model.get_input_embeddings())
        ids, special = torch.tensor([encoded.ids]), torch.tensor([encoded.special])
        baselines = torch.where(special, ids, encoder.tokenizer.mask_token_id)
        return method.attribute(ids, baselines=baselines, target=2, n_steps=20)[0].sum(dim=1).detach().double().numpy()

    theirs = on_encoder_thread(by_hand)
    options = replace(OPTIONS, baseline="mask")
    ours = explain(forward_of_model(encoder), TEXT, "integrated_gradients", Target(2), options)
    assert ours.explained == "model"
    assert_equal(ours.scores, theirs)
