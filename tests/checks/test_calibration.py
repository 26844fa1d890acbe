"""Calibration: against independent formulas, on probabilities whose calibration is known, and where the rows do not suffice."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.metrics import brier_score_loss, log_loss

from lit_probe.checks.calibration import (
    N_BINS,
    TEMPERATURE_LIMITS,
    CalibrationFolds,
    brier_score,
    calibrate_layers,
    calibration,
    expected_calibration_error,
    expected_error_by_chance,
    fit_temperature,
    reliability_bins,
    reliability_marks,
    rescale,
)
from lit_probe.data import split_texts
from lit_probe.encoder.encoder import load_encoder
from lit_probe.probing.probes.cross_validation import stratified_folds
from lit_probe.probing.study import probe_layers
from lit_probe.scores.intervals import wilson_interval
from lit_probe.scores.metrics import score_layers


def calibrated(n: int, n_classes: int = 2, *, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities ``[n, n_classes]`` and labels drawn from them."""
    random = np.random.default_rng(seed)
    logits = random.normal(scale=1.5, size=(n, n_classes))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (random.random(n)[:, None] > probabilities.cumsum(axis=1)).sum(axis=1)
    return probabilities, np.minimum(labels, n_classes - 1)


def ece_by_hand(probabilities, labels, n_bins=N_BINS) -> float:
    """One row after the other, for confidences that are all different."""
    rows = sorted((max(p), int(np.argmax(p) == y)) for p, y in zip(probabilities.tolist(), labels, strict=True))
    edges = np.linspace(0, len(rows), n_bins + 1)
    total = 0.0
    for low, high in zip(np.ceil(edges[:-1]).astype(int), np.ceil(edges[1:]).astype(int), strict=True):
        part = rows[low:high]
        total += abs(sum(right for _, right in part) - sum(confidence for confidence, _ in part))
    return total / len(rows)


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_the_brier_score_is_scikit_learns(n_classes):
    probabilities, labels = calibrated(300, n_classes)
    expected = brier_score_loss(labels, probabilities[:, 1] if n_classes == 2 else probabilities, labels=range(n_classes))
    assert brier_score(probabilities, labels) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("n", [300, 30 * N_BINS])
def test_the_calibration_error_is_what_a_count_by_hand_gives(n, n_classes):
    probabilities, labels = calibrated(n, n_classes)
    ours = expected_calibration_error(reliability_bins(probabilities, labels))
    assert ours == pytest.approx(ece_by_hand(probabilities, labels), abs=1e-12)


@pytest.mark.parametrize("n", [30, 44, 872, 1001])
def test_bins_hold_equally_many_rows_of_rising_confidence(n):
    bins = reliability_bins(*calibrated(n))
    sizes = [one.n for one in bins]
    assert len(bins) == N_BINS
    assert sum(sizes) == n
    assert max(sizes) - min(sizes) <= 1
    assert [one.confidence for one in bins] == sorted(one.confidence for one in bins)


def test_the_mean_of_all_bins_is_the_accuracy_and_the_mean_confidence():
    probabilities, labels = calibrated(500, 3)
    bins = reliability_bins(probabilities, labels)
    assert sum(one.n * one.accuracy for one in bins) / 500 == pytest.approx((probabilities.argmax(axis=1) == labels).mean())
    assert sum(one.n * one.confidence for one in bins) / 500 == pytest.approx(probabilities.max(axis=1).mean())


def test_rows_in_another_order_fall_into_the_same_bins_to_the_last_digit_even_with_equal_confidences():
    probabilities, labels = calibrated(400)
    probabilities = probabilities.round(1)
    order = np.random.default_rng(1).permutation(400)
    assert reliability_bins(probabilities, labels) == reliability_bins(probabilities[order], labels[order])


@pytest.mark.parametrize(("n", "sizes"), [(165, [20] * 7 + [25]), (900, [60] * 15), (39, [39]), (40, [20, 20]), (19, [19])])
def test_the_diagram_has_marks_of_twenty_rows_or_more(n, sizes):
    probabilities, labels = calibrated(n)
    marks = reliability_marks(probabilities, labels)
    assert [one.n for one in marks] == sizes
    for one in marks:
        assert (one.low, one.high) == pytest.approx(wilson_interval(one.accuracy, one.n))
    right = (probabilities.argmax(axis=1) == labels).sum()
    assert sum(one.n * one.accuracy for one in marks) == pytest.approx(right)


def test_rows_of_one_confidence_are_one_mark_in_any_order():
    probabilities, labels = calibrated(400)
    probabilities = probabilities.round(1)
    order = np.random.default_rng(1).permutation(400)
    marks = reliability_marks(probabilities, labels)
    assert marks == reliability_marks(probabilities[order], labels[order])
    confidences, counts = np.unique(probabilities.max(axis=1), return_counts=True)
    assert len(marks) == len(confidences) - 1 and counts[0] < 27  # 0.5 is too rare for a mark of its own


def test_an_interval_of_the_diagram_is_wider_where_rows_are_copies_of_each_other():
    """Each row stands there four times, as one group: about the interval of a quarter of the rows, which is twice as wide."""
    probabilities, labels = (np.repeat(one, 4, axis=0) for one in calibrated(200))
    alone = reliability_marks(probabilities, labels)
    grouped = reliability_marks(probabilities, labels, np.repeat(np.arange(200), 4))
    for one, other in zip(alone, grouped, strict=True):
        assert other.high - other.low > 1.6 * (one.high - one.low)


def test_a_constant_probability_has_the_error_of_its_mean_and_none_by_chance():
    labels = np.array([1] * 60 + [0] * 40)
    for confidence, expected in ((0.6, 0.0), (0.9, 0.3)):
        bins = reliability_bins(np.tile([1 - confidence, confidence], (100, 1)), labels)
        assert expected_calibration_error(bins) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_calibrated_probabilities_have_the_error_that_chance_explains(n_classes):
    errors, by_chance = [], []
    for seed in range(200):
        bins = reliability_bins(*calibrated(872, n_classes, seed=seed))
        errors.append(expected_calibration_error(bins))
        by_chance.append(expected_error_by_chance(bins))
    assert np.mean(errors) == pytest.approx(np.mean(by_chance), rel=0.05)


def test_overconfident_probabilities_have_more_error_than_chance_explains():
    probabilities, labels = calibrated(872)
    bins = reliability_bins(rescale(probabilities, 1 / 3), labels)
    assert expected_calibration_error(bins) > 2 * expected_error_by_chance(bins)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_temperature_minimises_the_log_loss(n_classes):
    probabilities, labels = calibrated(500, n_classes)
    probabilities = rescale(probabilities, 0.6)
    best = minimize_scalar(
        lambda log_t: log_loss(labels, rescale(probabilities, np.exp(log_t)), labels=range(n_classes)),
        bounds=(-3, 3),
        method="bounded",
        options={"xatol": 1e-8},
    )
    assert fit_temperature(probabilities, labels) == pytest.approx(np.exp(best.x), rel=1e-5)


@pytest.mark.parametrize("factor", [3.0, 1.0, 1 / 3])
def test_logits_multiplied_by_a_factor_get_it_back_as_temperature(factor):
    probabilities, labels = calibrated(20_000)
    assert fit_temperature(rescale(probabilities, 1 / factor), labels) == pytest.approx(factor, rel=0.05)


def test_rescaling_keeps_the_order_of_the_classes_and_undoes_itself():
    probabilities, _ = calibrated(200, 4)
    scaled = rescale(probabilities, 2.5)
    assert np.array_equal(scaled.argsort(axis=1), probabilities.argsort(axis=1))
    assert np.allclose(scaled.sum(axis=1), 1)
    assert np.allclose(rescale(scaled, 1 / 2.5), probabilities, atol=1e-12)


def test_overconfidence_is_repaired_and_calibration_left_alone():
    probabilities, labels = calibrated(5_000)
    layers = np.stack([rescale(probabilities, 1 / 3), probabilities], axis=1)
    overconfident, fine = calibrate_layers(layers, labels).layers
    assert overconfident.temperature == pytest.approx(3, rel=0.1)
    assert overconfident.ece > 0.1
    assert overconfident.ece_after < 2 * overconfident.ece_by_chance_after
    for name in ("brier", "log_loss"):
        assert getattr(overconfident, f"{name}_after") < getattr(overconfident, name)
    assert fine.temperature == pytest.approx(1, rel=0.1)
    assert fine.ece_after == pytest.approx(fine.ece, abs=0.01)
    assert fine.brier_after == pytest.approx(fine.brier, abs=0.001)


def test_each_row_is_scaled_by_the_temperature_of_the_other_folds():
    probabilities, labels = calibrated(300, 3)
    groups = np.arange(300) // 3
    layer = calibrate_layers(probabilities[:, None], labels, groups, seed=4).layers[0]
    after = np.empty_like(probabilities)
    temperatures = []
    for fitted, held in stratified_folds(labels, groups, 4).pairs:
        assert not set(groups[fitted]) & set(groups[held])
        temperatures.append(fit_temperature(probabilities[fitted], labels[fitted]))
        after[held] = rescale(probabilities[held], temperatures[-1])
    assert layer.fold_temperatures == tuple(temperatures)
    assert layer.temperature == np.median(temperatures)
    assert layer.brier_after == pytest.approx(brier_score(after, labels), abs=1e-12)
    assert layer.log_loss_after == pytest.approx(log_loss(labels, after), abs=1e-12)


def test_a_layer_gets_the_same_digits_alone_as_among_others():
    probabilities, labels = calibrated(300)
    layers = np.stack([rescale(probabilities, t) for t in (0.5, 1.0, 2.0)], axis=1)
    together = calibrate_layers(layers, labels).layers
    for index in range(3):
        alone = calibrate_layers(layers[:, [index]], labels).layers[0]
        assert replace(alone, layer=index) == together[index]


def test_the_log_loss_has_the_digits_of_the_metric():
    probabilities, labels = calibrated(300)
    layers = np.stack([probabilities, rescale(probabilities, 2.0)], axis=1)
    metric = [score.value for score in score_layers("log_loss", layers, labels)]
    assert [row.log_loss for row in calibrate_layers(layers, labels).layers] == metric


def test_certain_and_useless_probabilities_stay_finite_and_are_told():
    labels = np.arange(60) % 2
    certain = np.eye(2)[labels]
    result = calibrate_layers(np.stack([certain, 1 - certain], axis=1), labels)
    json.dumps(result.to_json(), allow_nan=False)
    right, wrong = result.layers
    assert right.temperature == TEMPERATURE_LIMITS[0]
    assert (right.brier, right.ece, right.ece_by_chance) == (0, 0, 0)
    assert wrong.temperature == TEMPERATURE_LIMITS[1]
    assert (wrong.brier, wrong.ece) == (1, 1)
    assert result.notes == ("A temperature lies at its limit, 0.01 or 100, at layers 0, 1.",)


def test_too_few_rows_give_means_but_neither_bins_nor_temperatures():
    probabilities, labels = calibrated(29)
    result = calibrate_layers(probabilities[:, None], labels)
    assert result.reason == "only 29 rows (fewer than 30) for 15 bins"
    assert not result.reliable
    layer = result.layers[0]
    assert layer.brier == pytest.approx(brier_score(probabilities, labels))
    assert (layer.ece, layer.temperature, layer.brier_after, layer.ece_after) == (None, None, None, None)
    assert (layer.reliability, layer.fold_temperatures) == ((), ())
    assert calibrate_layers(*(array[:30] for array in (calibrated(30)[0][:, None], calibrated(30)[1]))).layers[0].ece is not None


def test_no_rows_at_all_give_nothing_and_say_so():
    result = calibrate_layers(np.empty((0, 2, 2)), np.empty(0, dtype=np.int64))
    assert result.reason == "only 0 rows (fewer than 30) for 15 bins"
    assert [(row.layer, row.brier, row.log_loss) for row in result.layers] == [(0, None, None), (1, None, None)]


def test_a_class_with_one_row_makes_no_folds_but_a_missing_one_does_no_harm():
    probabilities, labels = calibrated(100, 3)
    labels = np.where(labels == 2, 0, labels)
    assert calibrate_layers(probabilities[:, None], labels).layers[0].temperature is not None
    labels[0] = 2
    result = calibrate_layers(probabilities[:, None], labels)
    assert result.reason == "a single row of '2', so that no two folds have one"
    named = calibrate_layers(probabilities[:, None], labels, label_names=("joy", "anger", "fear"))
    assert named.reason == "a single row of 'fear', so that no two folds have one"
    assert result.layers[0].temperature is None
    assert result.layers[0].ece is not None


def test_groups_too_few_for_folds_are_told():
    probabilities, labels = calibrated(100)
    result = calibrate_layers(probabilities[:, None], labels, groups=np.zeros(100))
    assert result.folds == CalibrationFolds(n=3, by="row")
    assert result.notes[0] == "Temperatures: groups too few for folds by group that keep every class, hence folds by row."


def test_progress_counts_the_layers():
    probabilities, labels = calibrated(60)
    heard = []
    calibrate_layers(np.stack([probabilities] * 3, axis=1), labels, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(1, 3), (2, 3), (3, 3)]


def texts_and_labels() -> tuple[list[str], list[str]]:
    """Texts of which a word tells the label three times out of four."""
    random = np.random.default_rng(0)
    words = "the film movie story plot was is not very it and we they scene music ending little more of to in".split()
    texts, labels = [], []
    for index in range(400):
        told = "good" if random.random() < (0.75 if index % 2 else 0.25) else "bad"
        filler = list(random.choice(words, 7))
        texts.append(" ".join([*filler[:4], told, *filler[4:]]))
        labels.append("positive" if index % 2 else "negative")
    return texts, labels


def test_a_study_in_another_row_order_is_calibrated_to_the_same_digits(tiny_folder):
    texts, labels = texts_and_labels()
    order = np.random.default_rng(1).permutation(len(texts))

    def run(rows):
        splits = split_texts([texts[i] for i in rows], [labels[i] for i in rows])
        return calibration(probe_layers(load_encoder(str(tiny_folder())), splits))

    first, second = run(range(len(texts))), run(order)
    assert first == second
    assert first.split == "dev"
    named = calibration(probe_layers(load_encoder(str(tiny_folder())), split_texts(texts[:110], labels[:110])))
    assert named.reason == f"only {named.n} rows (fewer than 30) for 15 bins"
    assert len(first.layers) == 4
    json.dumps(first.to_json(), allow_nan=False)
