"""Attention rollout as a row among others: the mixing up to what is explained, and nothing about a class."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_decoders
import transformers
from tiny_encoders import ARCHITECTURES, SIZES

from lit_probe.encoder.attention import attention
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import EncoderError, UnknownNameError
from lit_probe.probing.probe_forward import Target, forward_of_model, forward_of_probe
from lit_probe.salience import EXPLAINING_METHODS, SALIENCE_METHODS, explain
from lit_probe.salience.salient_words import salient_words
from lit_probe.salience.selftest.selftest import selftest
from lit_probe.salience.trust.faithfulness import faithfulness

ROLLOUT = "attention_rollout"
TEXT = "the film was slow but great"


def mixed_by_hand(encoder, n_blocks: int) -> np.ndarray:
    """``[n_tokens, n_tokens]`` the product of the paper."""
    weights = attention(encoder, TEXT).weights[:n_blocks].mean(axis=1)
    mixed = np.eye(weights.shape[-1])
    for block in weights:
        mixed = (block + np.eye(len(block))) / 2 @ mixed
    return mixed


@pytest.mark.parametrize("pooling", ["mean", "cls", "last", "mean_all"])
@pytest.mark.parametrize("layer", [0, 1, 3])
def test_it_is_the_rollout_up_to_the_layer_where_the_pooling_reads(planted, layer, pooling):
    encoder = planted.encoder
    scores = explain(forward_of_probe(encoder, pooling, layer, planted.probes[layer]), TEXT, ROLLOUT)
    mixed = mixed_by_hand(encoder, layer)
    own = np.array([word is not None for word in scores.words])
    read = {"mean": own, "cls": [0], "last": np.flatnonzero(own)[-1:], "mean_all": ...}[pooling]
    expected = mixed[read].mean(axis=0)
    np.testing.assert_allclose(scores.scores, np.where(own, expected, 0), atol=1e-6)
    assert scores.diagnostics["blocks"] == layer
    # What special tokens give has no score, and is told.
    assert scores.scores.sum() + scores.diagnostics["share_of_special_tokens"] == pytest.approx(1, abs=1e-5)
    assert not scores.signed and scores.warning == ""


def test_it_is_the_same_for_every_class_and_number(planted):
    forward = planted.forward()
    targets = [Target(index, scalar) for index in (0, 1) for scalar in ("logit", "probability", "margin")]
    maps = [explain(forward, TEXT, ROLLOUT, target) for target in targets]
    assert len({tuple(one.scores) for one in maps}) == 1 and len({one.value for one in maps}) > 2


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_of_a_models_own_head_it_goes_through_all_blocks_to_the_token_that_the_head_reads(tiny_folder, architecture):
    encoder = load_encoder(str(tiny_folder(architecture, n_classes=3)))
    scores = explain(forward_of_model(encoder), TEXT, ROLLOUT)
    own = np.array([word is not None for word in scores.words])
    np.testing.assert_allclose(scores.scores, np.where(own, mixed_by_hand(encoder, encoder.n_layers - 1)[0], 0), atol=1e-5)
    assert scores.diagnostics["blocks"] == encoder.n_layers - 1


def test_a_head_that_reads_all_tokens_or_the_last_one_is_found(tmp_path, tiny_folder):
    reads_mean = load_encoder(str(tiny_folder("modernbert", n_classes=2)))
    reads_mean.model.config.classifier_pooling = "mean"
    [encoded] = reads_mean.encode([TEXT])
    assert forward_of_model(reads_mean).read_tokens(encoded) == pytest.approx([1 / len(encoded.ids)] * len(encoded.ids))
    decoder = load_encoder(str(tiny_decoders.build(tmp_path / "gpt2", "gpt2", n_classes=2)))
    [encoded] = decoder.encode([TEXT])
    assert forward_of_model(decoder).read_tokens(encoded).tolist() == [0] * (len(encoded.ids) - 1) + [1]


def test_it_is_kept_out_of_what_asks_for_the_words_of_a_class(planted):
    assert set(SALIENCE_METHODS) - set(EXPLAINING_METHODS) == {ROLLOUT}
    for asks in (lambda: salient_words(planted.forward(), [TEXT], ROLLOUT), lambda: selftest(planted.encoder, methods=[ROLLOUT])):
        with pytest.raises(UnknownNameError, match=r"explains no prediction\. Choose one of: gradient_l2, "):
            asks()


def test_it_is_judged_beside_the_others_and_says_what_it_is_not(planted):
    found = faithfulness(planted.forward(), [TEXT], methods=["input_x_gradient", ROLLOUT])
    assert found.methods[1].reason == "" and found.methods[1].measures.tau_loo.n == 1
    assert SALIENCE_METHODS[ROLLOUT].no_explanation in found.notes
    assert not any("rollout" in note for note in faithfulness(planted.forward(), [TEXT], methods=["occlusion"]).notes)


def test_a_model_without_attention_weights_says_so_and_the_others_stay(tmp_path, planted):
    sizes = {name: value for name, value in SIZES.items() if name != "num_attention_heads"}
    config = transformers.FNetConfig(vocab_size=len(planted.encoder.tokenizer), **sizes)
    transformers.AutoModel.from_config(config).save_pretrained(tmp_path)
    planted.encoder.tokenizer.save_pretrained(tmp_path)
    forward = forward_of_probe(load_encoder(str(tmp_path)), "mean", 2, planted.probes[2])
    with pytest.raises(EncoderError, match="no attention weights"):
        explain(forward, TEXT, ROLLOUT)
    assert np.abs(explain(forward, TEXT, "occlusion").scores).max() > 0
    judged = faithfulness(forward, [TEXT], methods=[ROLLOUT, "occlusion"])
    assert ["no attention weights" in one.reason for one in judged.methods] == [True, False]
