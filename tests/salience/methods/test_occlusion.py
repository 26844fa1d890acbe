"""Occlusion tells how far the number falls without a word or a token."""

import numpy as np
import pytest
import torch
from captum.attr import FeatureAblation
from explained_words import BagOfWords, by_word, planted_forward, read

from lit_probe.encoder.tokens import EncodedText
from lit_probe.probing.probe_forward import Target
from lit_probe.salience.methods.occlusion import compute
from lit_probe.salience.methods.perturbations import AskedText
from lit_probe.salience.options import SalienceOptions

WEIGHTS = {"good": 2.0, "bad": -3.0, "movie": 0.25}


@pytest.mark.parametrize("replace", ["mask", "unk", "delete"])
def test_the_words_of_an_additive_model_get_their_weights(tiny_encoder, replace):
    text, words = read(tiny_encoder, "a good movie but bad music")
    made = compute(AskedText(BagOfWords(tiny_encoder, WEIGHTS), text, words, Target(1)), SalienceOptions(replace=replace))
    assert by_word(made.scores, words) == [0, 2, 0.25, 0, -3, 0]
    assert made.scores[[0, -1]].tolist() == [0, 0]
    assert made.diagnostics == {"n_samples": 7}


def test_a_word_is_taken_out_whole_and_a_token_alone(tiny_encoder):
    # "xyz" is three tokens, and only where all of them stand together do they matter.
    forward = BagOfWords(tiny_encoder, {}, together={("x", "##y"): 6.0})
    text, words = read(tiny_encoder, "xyz film")
    whole = compute(AskedText(forward, text, words, Target(1)), SalienceOptions(unit="word"))
    alone = compute(AskedText(forward, text, words, Target(1)), SalienceOptions(unit="token"))
    assert whole.scores.tolist() == [0, 2, 2, 2, 0, 0]
    assert alone.scores.tolist() == [0, 6, 6, 0, 0, 0]
    assert alone.diagnostics["n_samples"] == 5


@pytest.mark.parametrize("scalar", ["logit", "probability", "margin"])
def test_scores_equal_captums_feature_ablation(tiny_encoder, scalar):
    forward = planted_forward(tiny_encoder, "awful")
    text, words = read(tiny_encoder, "the awful movie, xyz and the music")
    target = Target(1, scalar)

    def number(ids):
        rows = [EncodedText(row, text.special, [], [], False) for row in ids.tolist()]
        return torch.from_numpy(forward.scalar_of(forward.logits_of(rows), target))

    special = len(words.texts)
    captum_scores = FeatureAblation(number).attribute(
        torch.tensor([text.ids]),
        baselines=tiny_encoder.tokenizer.mask_token_id,
        feature_mask=torch.tensor([[special if word is None else word for word in words.of_token]]),
    )[0]
    made = compute(AskedText(forward, text, words, target), SalienceOptions())
    expected = [float(captum_scores[words.of_token.index(word)]) for word in range(len(words.texts))]
    assert by_word(made.scores, words) == pytest.approx(expected, abs=1e-5)
    assert words.texts[int(np.argmax(by_word(made.scores, words)))] == "awful"


def test_a_text_of_one_word(tiny_encoder):
    text, words = read(tiny_encoder, "good")
    made = compute(AskedText(BagOfWords(tiny_encoder, WEIGHTS), text, words, Target(1)), SalienceOptions(replace="delete"))
    assert made.scores.tolist() == [0, 2, 0]
