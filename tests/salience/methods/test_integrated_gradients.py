"""The scores of integrated gradients add up to the change from the baseline."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tiny_encoders import ARCHITECTURES, N_BLOCKS

from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.probing.probe_forward import Target, forward_of_model
from lit_probe.salience import SalienceOptions, explain
from lit_probe.salience.methods.baselines import INPUT_BASELINES

TEXT = "The acting isn't great, but we loved the zqx-music"


def share_missed(scores) -> float:
    """The completeness gap against the larger of the change and 0.1."""
    return scores.diagnostics["completeness_gap"] / max(abs(scores.diagnostics["change"]), 0.1)


# From zeros, an encoder without position embeddings jumps: its first layer norm makes any small vector a long one. See below.
PATHS = [pair for pair in itertools.product(ARCHITECTURES, INPUT_BASELINES) if pair != ("modernbert", "zero")]


@pytest.mark.parametrize(("architecture", "baseline"), PATHS)
def test_the_scores_add_up_to_the_change_within_two_percent_at_50_steps(random_probe, architecture, baseline):
    texts = (TEXT, "great", "the film was slow and the plot never ending " * 4)
    for layer in (0, N_BLOCKS):
        options = SalienceOptions(steps=50, baseline=baseline)
        forward, _ = random_probe(architecture, layer)
        maps = [explain(forward, text, "integrated_gradients", Target(1), options) for text in texts]
        assert max(abs(one.diagnostics["change"]) for one in maps) > 0.2, "nothing to share out"
        assert max(share_missed(one) for one in maps) <= 0.02


def test_the_change_is_that_from_the_baseline_and_the_gap_is_that_of_the_sum(planted):
    forward = planted.forward()
    scores = explain(forward, TEXT, "integrated_gradients", Target(1), SalienceOptions(baseline="mask", steps=1))
    tokenizer = planted.encoder.tokenizer
    [text] = planted.encoder.encode([TEXT])
    masks = " ".join([tokenizer.mask_token] * (len(text.ids) - 2))
    # A tokenizer reads the mask token where a text names it.
    [masked] = planted.encoder.encode([masks])
    assert masked.ids == [text.ids[0], *[tokenizer.mask_token_id] * (len(text.ids) - 2), text.ids[-1]]
    masked = type(text)(masked.ids, text.special, [], [], False)
    change = np.diff(forward.logits_of([masked, text])[:, 1])[0]
    assert scores.diagnostics["change"] == pytest.approx(change, abs=1e-5)
    assert scores.diagnostics["completeness_gap"] == pytest.approx(abs(scores.scores.sum() - change), abs=1e-5)


def test_a_path_of_too_few_steps_shows_its_gap(random_probe):
    forward, _ = random_probe("modernbert", N_BLOCKS)
    maps = {
        steps: explain(forward, TEXT, "integrated_gradients", Target(1), SalienceOptions(steps=steps, baseline="zero"))
        for steps in (50, 400)
    }
    assert share_missed(maps[50]) > 0.02
    assert share_missed(maps[400]) <= 0.02


def test_a_baseline_token_that_the_tokenizer_lacks_is_named(tiny_folder):
    encoder = load_encoder(str(tiny_folder(n_classes=2)))
    encoder.tokenizer.mask_token = None
    with pytest.raises(LitProbeError, match="no mask token; choose another baseline"):
        explain(forward_of_model(encoder), TEXT, "integrated_gradients", options=SalienceOptions(baseline="mask"))
    # GradientSHAP goes on with the others.
    assert explain(forward_of_model(encoder), TEXT, "gradient_shap").diagnostics["baselines"] == "pad, zero, mean"
