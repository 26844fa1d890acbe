"""What holds for every kind of probe."""

import json
import warnings

import numpy as np
import pytest
from planted import planted

from lit_probe.errors import ProbeError
from lit_probe.probing.probes import PROBES, FittedProbe
from tests.kinds_of_probe import OF_CLASSES

LEARNING = [name for name in OF_CLASSES if name != "majority"]


def accuracy(probe: FittedProbe, x, labels) -> float:
    return float((probe.predict(x) == labels).mean())


@pytest.mark.parametrize("n_classes", [2, 3, 6])
@pytest.mark.parametrize("name", LEARNING)
def test_a_planted_direction_is_found(name, n_classes):
    data = planted(n_classes, strength=5.0)
    probe = PROBES[name].fit(data.x, data.labels, n_classes)
    assert accuracy(probe, data.test_x, data.test_labels) > 0.97
    assert probe.kind == name and probe.converged
    assert probe.predict_proba(data.test_x).shape == (600, n_classes)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_permuted_labels_give_chance(name):
    data = planted()
    random = np.random.default_rng(1)
    fits = [PROBES[name].fit(data.x, random.permutation(data.labels), 2) for _ in range(10)]
    # One permutation can agree or disagree with the planted direction by luck; ten on average do not.
    assert np.mean([accuracy(fit, data.test_x, data.test_labels) for fit in fits]) == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_rows_that_are_not_fitted_on_leave_the_probe_bit_identical(name):
    data = planted()
    rows = np.concatenate([data.x, data.test_x])
    before = PROBES[name].fit(rows[:400], data.labels, 2).to_arrays()
    rows[400:] *= -7
    after = PROBES[name].fit(rows[:400], data.labels, 2).to_arrays()
    assert all(np.array_equal(before[key], after[key]) for key in before)


@pytest.mark.parametrize("name", LEARNING)
def test_a_row_that_is_fitted_on_changes_the_probe(name):
    data = planted()
    before = PROBES[name].fit(data.x, data.labels, 2)
    changed = data.x.copy()
    changed[0] *= -7
    assert not np.array_equal(before.layers[0][0], PROBES[name].fit(changed, data.labels, 2).layers[0][0])


@pytest.mark.parametrize("name", OF_CLASSES)
def test_scaling_a_layer_by_a_thousand_moves_accuracy_by_less_than_a_tenth_of_a_point(name):
    data = planted(strength=1.0, n_test=5000)
    # In float64 the product is exact. In float32 it is rounded, and the many steps of a perceptron make more of the rounding on
    # some processors than on others, which is no matter of scale.
    x, test_x = data.x.astype(np.float64), data.test_x.astype(np.float64)
    plain = PROBES[name].fit(x, data.labels, 2)
    scaled = PROBES[name].fit(x * 1000, data.labels, 2)
    assert accuracy(scaled, test_x * 1000, data.test_labels) == pytest.approx(
        accuracy(plain, test_x, data.test_labels), abs=0.001
    )


@pytest.mark.parametrize("name", PROBES)
def test_rows_without_a_unit_are_refused(name):
    entry = PROBES[name]
    labels = np.arange(40) % 2 if "classes" in entry.targets else np.arange(40.0)
    with pytest.raises(ProbeError, match=r"Activations \[n_examples, d_model\] with a unit or more .* got \[40, 0\] and 40"):
        entry.fit(planted().x[:40, :0], labels, 2)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_saved_probe_gives_identical_numbers_from_safetensors_and_json_alone(name, n_classes, tmp_path):
    data = planted(n_classes)
    probe = PROBES[name].fit(data.x, data.labels, n_classes, seed=3)
    probe.save(tmp_path / "kept" / "layer.v2")
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["layer.v2.json", "layer.v2.safetensors"]
    loaded = FittedProbe.load(tmp_path / "kept" / "layer.v2")
    assert np.array_equal(loaded.predict_proba(data.test_x), probe.predict_proba(data.test_x))
    assert (loaded.kind, loaded.converged, loaded.settings) == (probe.kind, probe.converged, probe.settings)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_row_gets_the_same_digits_alone_as_among_others(name):
    data = planted(3)
    probe = PROBES[name].fit(data.x, data.labels, 3)
    together = probe.predict_proba(data.test_x)
    alone = np.concatenate([probe.predict_proba(row[None]) for row in data.test_x])
    assert np.array_equal(together, alone)
    assert together.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_second_fit_gives_the_same_bits(name):
    data = planted()
    first, second = (PROBES[name].fit(data.x, data.labels, 2, seed=5).to_arrays() for _ in range(2))
    assert all(np.array_equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_constant_features_do_no_harm(name):
    data = planted(strength=5.0)
    x = np.concatenate([data.x, np.full((len(data.x), 2), 0.1, np.float32)], axis=1)
    test_x = np.concatenate([data.test_x, np.full((len(data.test_x), 2), 0.3, np.float32)], axis=1)
    plain, wider = PROBES[name].fit(data.x, data.labels, 2), PROBES[name].fit(x, data.labels, 2)
    assert np.isfinite(wider.predict_proba(test_x)).all()
    assert accuracy(wider, test_x, data.test_labels) == pytest.approx(accuracy(plain, data.test_x, data.test_labels), abs=0.02)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_features_that_never_vary_give_the_class_frequencies(name):
    labels = np.array([0] * 60 + [1] * 40)
    probe = PROBES[name].fit(np.full((100, 4), 0.1), labels, 2)
    assert probe.predict_proba(np.full((1, 4), 0.1))[0] == pytest.approx([0.6, 0.4], abs=0.02)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_float32_and_float64_activations_give_the_same_probe(name):
    data = planted(strength=2.0)
    single, double = (PROBES[name].fit(data.x.astype(dtype), data.labels, 2) for dtype in (np.float32, np.float64))
    assert single.predict_proba(data.test_x) == pytest.approx(double.predict_proba(data.test_x), abs=1e-4)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_class_with_one_example_is_refused_by_name(name):
    with pytest.raises(ProbeError, match=r"at least 2 training examples of each class, but 'class 1' has 1, 'class 2' has 0"):
        PROBES[name].fit(np.ones((5, 3)), [0, 0, 0, 0, 1], 3)


@pytest.mark.parametrize("n_classes", [0, 1])
@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_single_class_is_refused_in_a_sentence(name, n_classes):
    data = planted()
    with pytest.raises(ProbeError, match=rf"A probe needs 2 classes or more to tell apart; got {n_classes}\."):
        PROBES[name].fit(data.x, np.zeros(len(data.x), dtype=np.int64), n_classes)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_class_with_two_examples_is_enough(name):
    data = planted()
    labels = np.zeros(len(data.x), dtype=int)
    labels[:2] = 1
    assert np.isfinite(PROBES[name].fit(data.x, labels, 2).predict_proba(data.test_x)).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", OF_CLASSES)
def test_activations_that_are_not_finite_are_refused(name, value):
    data = planted()
    x = data.x.copy()
    x[3, 2] = value
    with pytest.raises(ProbeError, match="1 of 400 training examples hold NaN or infinity"):
        PROBES[name].fit(x, data.labels, 2)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_labels_that_do_not_fit_are_refused(name):
    data = planted()
    with pytest.raises(ProbeError, match="as many labels"):
        PROBES[name].fit(data.x[1:], data.labels, 2)
    with pytest.raises(ProbeError, match=r"in 0\.\.1"):
        PROBES[name].fit(data.x, data.labels + 1, 2)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_settings_are_json_and_hold_the_seed(name):
    data = planted()
    settings = PROBES[name].fit(data.x, data.labels, 2, seed=11).settings
    assert json.loads(json.dumps(settings, allow_nan=False)) == settings
    assert settings["seed"] == 11 and settings["n_train"] == 400


@pytest.mark.parametrize(("name", "limit"), [("logistic", {"max_iter": 1}), ("mlp", {"max_epochs": 2})])
def test_a_fit_that_stops_early_says_so_in_the_result_and_warns_nobody(name, limit):
    data = planted(strength=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        probe = PROBES[name].fit(data.x, data.labels, 2, **limit)
    assert not probe.converged
    assert probe.settings[next(iter(limit))] == next(iter(limit.values()))
