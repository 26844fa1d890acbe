"""The learning curve ends at the study's own score, rises where there is something to learn, and shares the fits."""

from __future__ import annotations

import json

import numpy as np
import pytest
from counted import count_fits
from planted_studies import noise, planted_study

from lit_probe.checks.description_length import description_length
from lit_probe.checks.learning_curve import CurvePoint, learning_curve
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.probing.portions import Portions
from lit_probe.scores.metrics import score_layers

N_TRAIN, N_DEV = 1000, 600


def shifted(strength: float, n: int = N_TRAIN + N_DEV):
    """Train and dev rows whose class shifts eight of 32 features at layer 1; layer 0 is noise."""
    values, labels = noise(n, d_model=32)
    values[:, 1, :8] += strength * labels[:, None]
    return values[:N_TRAIN], labels[:N_TRAIN], (values[N_TRAIN:], labels[N_TRAIN:])


@pytest.fixture(scope="module")
def curve(tiny_folder):
    return learning_curve(planted_study(load_encoder(str(tiny_folder())), *shifted(0.6)))


def scores(curve, layer: int) -> list[float]:
    return [point.score for point in curve.layers[layer].points]


def test_more_examples_help_where_the_concept_is_and_nowhere_else(curve):
    assert curve.n_train == (16, 32, 62, 125, 250, 500, 1000)
    there, nowhere = scores(curve, 1), scores(curve, 0)
    assert there[0] < 0.7 and there[-1] > 0.77
    assert there[-1] - there[0] > 0.1
    assert np.polyfit(np.log(curve.n_train), there, 1)[0] > 0.02
    assert all(abs(score - 0.5) < 0.08 for score in nowhere)


def test_permuted_labels_stay_at_chance_however_many_there_are(tiny_encoder):
    values, labels, (dev_values, dev_labels) = shifted(0.6)
    random = np.random.default_rng(0)
    dev = dev_values, random.permutation(dev_labels)
    permuted = learning_curve(planted_study(tiny_encoder, values, random.permutation(labels), dev))
    assert all(abs(score - 0.5) < 0.08 for layer in (0, 1) for score in scores(permuted, layer))


def test_each_point_has_its_size_and_an_interval_around_its_score(curve):
    for index, layer in enumerate(curve.layers):
        assert layer.layer == index
        assert tuple(point.n for point in layer.points) == curve.n_train
        assert all(point.low < point.score < point.high for point in layer.points)
        assert all(0.05 < point.high - point.low < 0.1 for point in layer.points)


def test_the_result_names_its_metric_and_what_knowing_nothing_scores(curve):
    assert (curve.metric, curve.metric_title, curve.n_dev, curve.notes) == ("accuracy", "Accuracy", N_DEV, ())
    assert 0.45 < curve.majority < 0.55
    json.dumps(curve.to_json(), allow_nan=False)


@pytest.mark.parametrize("probe", ["logistic", "majority"])
@pytest.mark.parametrize(("kept", "metric"), [(1, "accuracy"), (4, "balanced_accuracy")])
def test_the_last_point_is_the_studys_own_score_in_its_own_metric(tiny_encoder, probe, kept, metric):
    values, labels, dev = shifted(0.6)
    rows = np.flatnonzero((labels == 0) | (np.arange(N_TRAIN) % kept == 0))
    study = planted_study(tiny_encoder, values[rows], labels[rows], dev, probe=probe, seed=2)
    curve = learning_curve(study)
    assert curve.metric == study.headline == metric
    for layer, score in zip(curve.layers, study.metrics("dev").scores[metric], strict=True):
        assert layer.points[-1] == CurvePoint(len(rows), score.value, score.low, score.high)


def test_an_earlier_point_is_the_score_of_a_study_of_that_portion(tiny_encoder):
    values, labels, dev = shifted(0.6)
    rows = Portions.draw(labels, None, seed=0).rows(3)
    part = planted_study(tiny_encoder, values[rows], labels[rows], dev)
    points = [layer.points[3] for layer in learning_curve(planted_study(tiny_encoder, values, labels, dev)).layers]
    expected = score_layers("accuracy", part.probabilities("dev"), dev[1])
    assert [point.score for point in points] == [score.value for score in expected]


def test_portions_of_unbalanced_classes_are_decided_beside_their_own_shares(tiny_encoder):
    values, labels, dev = shifted(0.6)
    kept = np.flatnonzero((labels == 0) | (np.arange(N_TRAIN) % 4 == 0))
    values, labels = values[kept], labels[kept]
    study = planted_study(tiny_encoder, values, labels, dev)
    rows = Portions.draw(labels, None, seed=0).rows(1)
    part = planted_study(tiny_encoder, values[rows], labels[rows], dev)
    assert part.decision.rule == "prior" and part.decision != study.decision
    points = [layer.points[1].score for layer in learning_curve(study).layers]
    assert points == [score.value for score in part.dev_scores(part.probabilities("dev"))]


def test_description_length_and_learning_curve_share_their_fits(tiny_encoder, tmp_path, monkeypatch):
    study = planted_study(tiny_encoder, *shifted(0.6))
    fits = count_fits(monkeypatch)
    fresh = learning_curve(study)
    assert fits == [16, 32, 62, 125, 250, 500]
    in_memory = description_length(study)
    assert len(fits) == 6, "without a cache they are shared too"
    assert description_length(study, Cache(tmp_path)) == in_memory
    assert len(fits) == 12
    assert learning_curve(study, Cache(tmp_path)) == fresh
    assert len(fits) == 12


def test_portions_without_a_probe_are_no_points_and_the_notes_say_so(tiny_encoder):
    values, labels, dev = shifted(0.6)
    labels[:], labels[:40] = 0, 1  # of 40, one is among the first 32 rows and two are among the first 62
    result = learning_curve(planted_study(tiny_encoder, values, labels, dev))
    assert result.n_train == (62, 125, 250, 500, 1000)
    assert "16, 32 examples" in result.notes[0]


def test_a_dev_split_too_small_for_trust_is_named_once(tiny_encoder):
    values, labels, dev = shifted(0.6)
    result = learning_curve(planted_study(tiny_encoder, values, labels, (dev[0][:12], dev[1][:12])))
    assert result.notes == ("Dev: only 12 rows (fewer than 30).",)


def test_a_train_split_of_one_portion_is_one_point(tiny_encoder):
    values, labels, dev = shifted(0.6)
    assert learning_curve(planted_study(tiny_encoder, values[:14], labels[:14], dev)).n_train == (14,)
