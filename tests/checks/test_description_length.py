"""Laws of the online code, each with its sanity twin, and the code lengths that can be worked out by hand."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from planted_studies import noise, planted_study

from lit_probe.checks.description_length import LayerCode, description_length
from lit_probe.errors import ProbeError
from lit_probe.probing.portions import Portions
from lit_probe.probing.probes import PROBES
from tests.kinds_of_probe import OF_CLASSES


def planted(n: int, d_model: int = 16, seed: int = 0):
    """Labels that the sign of one direction decides, without noise: at layer 1, and not at layer 0."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(n, 2, d_model)).astype(np.float32)
    return values, (values[:, 1] @ random.normal(size=d_model) > 0).astype(np.int64)


def skewed(n: int, seed: int = 0):
    """Random labels, 5 % of them positive."""
    values, _ = noise(n, seed=seed)
    return values, np.random.default_rng(seed).permutation(np.arange(n) < n // 20).astype(np.int64)


def layers(study) -> tuple[LayerCode, ...]:
    return description_length(study).layers


@pytest.mark.parametrize(("n", "d_model", "seed"), [(400, 8, 0), (400, 64, 1), (2000, 8, 2), (2000, 64, 3), (5000, 32, 4)])
def test_balanced_random_labels_are_not_compressed(tiny_encoder, n, d_model, seed):
    for layer in layers(planted_study(tiny_encoder, *noise(n, 2, d_model, seed), seed=seed)):
        assert 0.9 < layer.compression < 1.05
        assert 0.9 < layer.compression_to_prior < 1.05


@pytest.mark.parametrize("seed", [0, 1])
def test_a_direction_without_noise_is_compressed_at_its_layer_and_no_other(tiny_encoder, seed):
    values, labels = planted(5000, seed=seed)
    nowhere, there = layers(planted_study(tiny_encoder, values, labels, seed=seed))
    assert there.compression > 2 and there.compression_to_prior > 2
    assert 0.9 < nowhere.compression < 1.05


def test_a_direction_whose_labels_are_permuted_is_not_compressed(tiny_encoder):
    values, labels = planted(5000)
    for layer in layers(planted_study(tiny_encoder, values, np.random.default_rng(0).permutation(labels))):
        assert 0.9 < layer.compression < 1.05


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_unequal_random_labels_are_compressed_against_the_uniform_code_but_not_against_the_prior(tiny_encoder, seed):
    for layer in layers(planted_study(tiny_encoder, *skewed(4000, seed), seed=seed)):
        assert layer.compression > 2.5
        assert 0.9 < layer.compression_to_prior < 1.05


def test_an_unequal_concept_that_is_there_beats_the_prior_too(tiny_encoder):
    values, labels = skewed(4000)
    values[:, 1, 3] += 4 * labels
    nowhere, there = layers(planted_study(tiny_encoder, values, labels))
    assert there.compression_to_prior > 1.8
    assert 0.9 < nowhere.compression_to_prior < 1.05


def test_copies_of_a_row_help_only_where_their_group_is_torn(tiny_encoder):
    values, labels = noise(100, 1, 128)
    values, labels = np.repeat(values, 20, axis=0), np.repeat(labels, 20)
    groups = np.repeat([f"film {i}" for i in range(100)], 20)
    [kept] = layers(planted_study(tiny_encoder, values, labels, groups=groups))
    [torn] = layers(planted_study(tiny_encoder, values, labels))
    assert kept.compression < 1.05 < 1.5 < torn.compression


def by_hand(values, labels, n_classes, fit, seed) -> tuple[float, float]:
    """The two code lengths of one layer, label by label."""
    portions = Portions.draw(labels, None, seed)
    order, ends = portions.order, portions.sizes
    bits = prior_bits = ends[0] * np.log2(n_classes)
    for start, end in pairwise(ends):
        known = sorted(order[:start])
        probe = fit(values[known], labels[known], n_classes, None, seed)
        for row in order[start:end]:
            # No code is endless: probabilities are clipped as scikit-learn clips them.
            bits -= np.log2(max(probe.predict_proba(values[[row]])[0, labels[row]], np.finfo(float).eps))
            prior_bits -= np.log2(np.mean(labels[known] == labels[row]))
    return bits, prior_bits


@pytest.mark.parametrize("kind", OF_CLASSES)
def test_the_bits_are_those_counted_label_by_label(tiny_encoder, kind):
    random = np.random.default_rng(5)
    labels = random.integers(0, 3, 200)
    values = random.normal(size=(200, 2, 6)).astype(np.float32)
    values[:, 1] += np.eye(6, dtype=np.float32)[labels] * 2
    study = planted_study(tiny_encoder, values, labels, label_names=("a", "b", "c"), probe=kind, seed=5)
    result = description_length(study)
    assert result.portions == (16, 25, 50, 100, 200) and result.n == 200 and result.n_uniform == 16
    for index, layer in enumerate(result.layers):
        bits, prior_bits = by_hand(values[:, index], labels, 3, PROBES[kind].fit, 5)
        assert layer.layer == index
        assert layer.bits == pytest.approx(bits)
        assert layer.prior_bits == pytest.approx(prior_bits)
        assert layer.uniform_bits == pytest.approx(200 * np.log2(3))
        assert layer.compression == pytest.approx(200 * np.log2(3) / bits)
        assert layer.compression_to_prior == pytest.approx(prior_bits / bits)


def test_the_label_prior_code_is_what_the_majority_probe_takes(tiny_encoder):
    for layer in layers(planted_study(tiny_encoder, *skewed(1000), probe="majority")):
        assert layer.bits == pytest.approx(layer.prior_bits, rel=1e-12)
        assert layer.compression > 2


def test_activations_that_never_vary_cost_what_the_label_prior_does(tiny_encoder):
    _, labels = skewed(2000)
    [layer] = layers(planted_study(tiny_encoder, np.ones((2000, 1, 4)), labels))
    assert layer.compression_to_prior == pytest.approx(1, abs=1e-4)


def test_blocks_that_no_probe_precedes_take_the_uniform_code(tiny_encoder):
    values, labels = noise(400)
    labels[:], labels[:8] = 0, 1
    study = planted_study(tiny_encoder, values, labels, probe="majority")
    result = description_length(study)
    # Portions 16, 25 and 50 hold at most one of the eight positives: the 100 labels up to the end of the next one are sent
    # uniformly. That one holds two of them, the next four.
    expected = 100 - 2 * np.log2(2 / 100) - 98 * np.log2(98 / 100) - 4 * np.log2(4 / 200) - 196 * np.log2(196 / 200)
    assert result.n_uniform == 100
    assert result.layers[0].bits == result.layers[0].prior_bits == pytest.approx(expected)
    assert result.notes[0].startswith("The first 100 of 400 labels are sent with the uniform code")
    assert "16, 25, 50 examples" in result.notes[1]


@pytest.mark.parametrize(("n", "portions"), [(12, "12"), (16, "16")])
def test_a_train_split_of_one_portion_is_refused(tiny_encoder, n, portions):
    with pytest.raises(ProbeError, match=f"the portions of these {n} examples have {portions}. Add examples"):
        description_length(planted_study(tiny_encoder, *noise(n)))


def test_a_class_that_only_the_whole_of_train_has_is_refused(tiny_encoder):
    """Of 40 classes of two or three rows, half of train cannot hold two of each."""
    values, _ = noise(100)
    names = tuple(f"class {i}" for i in range(40))
    with pytest.raises(ProbeError, match=r"the portions of these 100 examples have 16, 25, 50, 100\."):
        description_length(planted_study(tiny_encoder, values, np.arange(100) % 40, label_names=names))


def test_a_probe_that_is_sure_and_wrong_pays_52_bits_and_no_more(tiny_encoder):
    random = np.random.default_rng(0)
    labels = np.arange(400) % 2
    values = ((2 * labels - 1)[:, None, None] + random.normal(size=(400, 1, 2)) * 0.01).astype(np.float32)
    last = Portions.draw(labels, None, seed=0).added(5)
    values[last[0]] *= -1e6
    [layer] = layers(planted_study(tiny_encoder, values, labels))
    [without] = layers(planted_study(tiny_encoder, np.where(np.abs(values) > 1e3, values / -1e6, values), labels))
    assert layer.bits - without.bits == pytest.approx(52, abs=0.5)


def test_neither_dev_nor_test_changes_a_digit(tiny_encoder):
    values, labels = planted(300)
    first = description_length(planted_study(tiny_encoder, values, labels, noise(50, d_model=16)))
    assert first == description_length(planted_study(tiny_encoder, values, labels, noise(60, d_model=16, seed=1)))


def test_the_result_is_json_with_finite_numbers(tiny_encoder):
    json.dumps(description_length(planted_study(tiny_encoder, *planted(300))).to_json(), allow_nan=False)


def test_unequal_labels_that_the_activations_do_not_tell_are_no_compression(tiny_encoder):
    """Random labels, 95 to 5: 3.41 times shorter than the uniform code, and 0.995 times shorter than the label prior's."""
    [layer] = layers(planted_study(tiny_encoder, *skewed(4000)))[:1]
    assert layer.compression > 3 and layer.compression_to_prior == pytest.approx(1, abs=0.03)


def test_many_classes_of_few_rows_have_a_number(tiny_encoder):
    """77 classes of 8 rows: in an order by lot alone, no portion but the last has two of each."""
    labels = np.repeat(np.arange(77), 8)
    values = np.random.default_rng(0).normal(size=(616, 1, 20)).astype(np.float32)
    values[:, 0] += 3 * np.random.default_rng(1).normal(size=(77, 20)).astype(np.float32)[labels]
    [layer] = layers(planted_study(tiny_encoder, values, labels, label_names=tuple(f"class {i}" for i in range(77))))
    assert layer.compression_to_prior > 1.1


@pytest.mark.parametrize("n_rare", [2, 3])
def test_a_class_of_two_or_three_rows_has_a_number(tiny_encoder, n_rare):
    values, labels = noise(400)
    labels[:], labels[:n_rare] = 0, 1
    for seed in range(3):
        result = description_length(planted_study(tiny_encoder, values, labels, seed=seed))
        assert result.n_uniform <= 200
        assert all(0.9 < layer.compression_to_prior < 1.1 for layer in result.layers)
