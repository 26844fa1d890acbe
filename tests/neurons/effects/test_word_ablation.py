"""Neurons switched off where rows are words: each word is read from the changed pass, and a planted neuron carries the tag."""

import numpy as np
import pytest
from planted_tags import UNIT, tagged_sentences, with_planted_neuron
from tiny_encoders import N_BLOCKS

from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.joining import JOININGS
from lit_probe.errors import LitProbeError, UnknownNameError, UnservedError
from lit_probe.neurons.effects.ablation import REPLACEMENTS, Ablation, ablate, changed_by, usual_tokens
from lit_probe.neurons.effects.curve import ablation_curve
from lit_probe.neurons.effects.erasure import erase_concept
from lit_probe.neurons.neuron_report import neuron_report, neuron_table
from lit_probe.neurons.rankings import rank_neurons
from lit_probe.neurons.rankings.neuron_evaluation import evaluate_ranking, minimal_set
from lit_probe.probing.layer_states import LayerStates
from lit_probe.probing.study import probe_layers


@pytest.fixture(scope="module")
def splits():
    return tagged_sentences()


@pytest.fixture(scope="module")
def study(splits, tiny_folder):
    return probe_layers(with_planted_neuron(str(tiny_folder())), splits, pooling="mean")


@pytest.mark.parametrize("architecture", ["bert", "modernbert", "deberta-v2"])
@pytest.mark.parametrize("joining", JOININGS)
def test_switching_off_no_neuron_gives_the_studys_own_vectors(splits, tiny_folder, architecture, joining):
    study = probe_layers(load_encoder(str(tiny_folder(architecture)), device="cpu"), splits, pooling=joining)
    dev = study.splits.dev
    for layer in (0, N_BLOCKS):
        states = LayerStates(study.encoder, dev.texts, layer, joining, dev.spans)
        plain = states.go_on()
        for later, vectors in zip(plain.layers, plain.pooled, strict=True):
            np.testing.assert_allclose(vectors, study.activations["dev"].layer(later), atol=1e-5)
        for replacement in REPLACEMENTS:
            none = states.go_on(changed_by(Ablation(layer, (), replacement), states.statistics()))
            assert all(np.array_equal(one, other) for one, other in zip(none.pooled, plain.pooled, strict=True))
        some = states.go_on(changed_by(Ablation(layer, (1, 5), "zero"), states.statistics()))
        assert not np.array_equal(some.pooled[-1], plain.pooled[-1])
        assert not plain.moved.any() and len(some.moved) == len(dev) and (some.moved > 0).all()


@pytest.mark.parametrize("layer", [0, 1])
def test_the_changed_layers_own_vectors_are_the_words_with_the_neurons_replaced(study, layer):
    dev, usual = study.splits.dev, usual_tokens(study, layer)
    after = LayerStates(study.encoder, dev.texts, layer, "mean", dev.spans).go_on(changed_by(Ablation(layer, (UNIT,)), usual))
    expected = study.activations["dev"].layer(layer).copy()
    expected[:, UNIT] = usual.mean[UNIT]
    np.testing.assert_allclose(after.pooled[0], expected, atol=1e-5)


def test_a_word_is_changed_in_its_sentence_alone_as_among_others(study):
    dev, ablation = study.splits.dev, Ablation(1, (0, UNIT), "resample", seed=3)
    together = ablate(study, dev.texts, ablation, spans=dev.spans)
    for row in (0, 5, len(dev) - 1):
        alone = ablate(study, [dev.texts[row]], ablation, spans=dev.spans[row : row + 1])
        np.testing.assert_allclose(alone.after[0], together.after[row], atol=1e-5)
        np.testing.assert_allclose(alone.before[0], study.probabilities("dev")[row, 1:], atol=1e-5)
        assert alone.moved[0] == pytest.approx(together.moved[row], rel=1e-4)


def test_the_planted_neuron_is_ranked_first_and_the_tag_falls_with_it(study):
    dev = study.splits.dev
    labels = dev.labels.tolist()
    assert rank_neurons(study, "weight_mass", 0).order[0] == UNIT
    curve = ablation_curve(study, dev.texts, labels, Ablation(0, (UNIT,)), groups=dev.groups, spans=dev.spans, n_random=5)
    share = max(np.bincount(dev.labels)) / len(dev)
    assert curve.n == len(dev) and curve.layers[0].before == 1.0
    # The layer's own probe may still tell the few words apart by what else their embeddings hold.
    assert all(one.after < share + 0.15 and one.random_low > 0.9 for one in curve.layers[1:])
    assert curve.exceeded == 5 and all(one.answers.beyond for one in curve.layers[1:])
    other = ablation_curve(study, dev.texts, labels, Ablation(0, (UNIT + 1,)), groups=dev.groups, spans=dev.spans, n_random=5)
    assert all(one.after == 1.0 for one in other.layers), "the twin: another neuron carries nothing"
    # Where sentences are given as groups, intervals are by sentence.
    by_word = ablation_curve(study, dev.texts, labels, Ablation(0, (UNIT + 1,)), spans=dev.spans, n_random=2).layers[0]
    assert other.layers[0].before_high - other.layers[0].before_low > by_word.before_high - by_word.before_low


def test_without_its_direction_a_probe_gives_every_word_the_same_answer(study):
    dev = study.splits.dev
    curve = ablation_curve(study, dev.texts, dev.labels.tolist(), layer=0, spans=dev.spans, n_random=10)
    assert curve.layers[0].after < 0.6 < 0.7 < curve.layers[0].random


def test_usual_tokens_are_those_of_whole_sentences_each_once(study):
    train = study.splits.train
    n_tokens = sum(len(one.ids) for one in study.encoder.encode(list(train.whole_texts)))
    assert len(train.whole_texts) < 256 and len(usual_tokens(study, 1).tokens) == n_tokens


def test_rankings_are_judged_and_the_tag_is_erased_by_word(study):
    ranking = rank_neurons(study, "weight_mass", 0)
    assert minimal_set(study, ranking, "logistic").k == 1
    assert evaluate_ranking(study, ranking, "logistic", percentages=(5.0,), n_draws=2).points[0].top.value == 1.0
    first = erase_concept(study).layers[0]
    assert first.before == 1.0 and first.after < 0.75 < first.random


def test_the_report_of_neurons_switches_the_best_ones_off(study):
    report = neuron_report(study, "weight_mass", 1, None)
    assert report.not_ablated == "" and report.ablation.curve.n == len(study.splits.dev)
    assert f"({len(study.splits.dev):,} dev rows)" in neuron_table(report, 3)


def test_what_cannot_be_switched_off_is_a_sentence(study, tiny_folder):
    dev, ablation = study.splits.dev, Ablation(1, (0,))
    with pytest.raises(UnservedError, match="without spans is about texts; the rows of this data set are words"):
        ablate(study, dev.texts, ablation)
    with pytest.raises(LitProbeError, match="no token of 1 of the 1 words"):
        ablate(study, ["film was"], ablation, spans=np.array([[4, 5]]))
    with pytest.raises(UnknownNameError, match="join the tokens of a word"):
        LayerStates(study.encoder, ["film"], 1, "max", np.array([[0, 4]]))
    with pytest.raises(LitProbeError, match="There is no text"):
        ablate(study, [], ablation, spans=np.zeros((0, 2), dtype=np.int64))


def test_spans_are_refused_where_rows_are_texts(tiny_folder):
    from lit_probe.data import split_texts

    texts = probe_layers(
        load_encoder(str(tiny_folder()), device="cpu"), split_texts([f"film {i}" for i in range(40)], [0, 1] * 20)
    )
    with pytest.raises(UnservedError, match="with spans is about words; the rows of this data set are texts"):
        ablate(texts, ["film was"], Ablation(1, (0,)), spans=np.array([[0, 4]]))
