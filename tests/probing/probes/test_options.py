"""Options of the kinds of probe: which kinds take which, what they do, and words for what does not fit."""

from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest
from planted import planted

from lit_probe.errors import ProbeError, UnservedError
from lit_probe.probing.layerwise import check_probe
from lit_probe.probing.probes import PROBES, ProbeOptions, fit_logistic, fit_mlp, fit_ridge
from lit_probe.probing.probes.options import OPTION_NAMES, read_option

VALUES = {
    "regularisation": 0.02,
    "class_weight": "balanced",
    "hidden_units": (9, 5),
    "max_epochs": 7,
    "learning_rate": 0.02,
    "batch_size": 16,
}
WRONG = {"regularisation": (0, -1.0, float("nan"), float("inf"), True, "1"), "class_weight": ("Balanced", True, {0: 2.0})}
TAKEN = [(kind, name) for kind, entry in PROBES.items() for name in entry.options]
REFUSED = [(kind, name) for kind, entry in PROBES.items() for name in OPTION_NAMES if name not in entry.options]


def fitted(kind: str, options: ProbeOptions):
    """A probe of unbalanced, overlapping classes, or of a number."""
    entry, data = PROBES[kind], planted(strength=1.0)
    rows = np.flatnonzero((data.labels == 0) | (np.arange(400) % 4 == 0))
    if "classes" not in entry.targets:
        return entry.fit(data.x, data.x[:, 0].astype(np.float64), 0, **entry.keywords(options))
    return entry.fit(data.x[rows], data.labels[rows], 2, **entry.keywords(options))


def test_there_is_a_reader_for_every_option():
    assert set(VALUES) == set(OPTION_NAMES) == {field.name for field in fields(ProbeOptions)}


@pytest.mark.parametrize(("kind", "name"), TAKEN)
def test_an_option_that_a_kind_takes_changes_its_fit_and_stands_in_its_settings(kind, name):
    options = ProbeOptions(**{name: VALUES[name]})
    check_probe(kind, PROBES[kind].targets[0], options)
    usual, other = fitted(kind, ProbeOptions()), fitted(kind, options)
    assert not all(np.array_equal(a, b) for a, b in zip(usual.layers[0], other.layers[0], strict=True))
    told = json.loads(json.dumps(other.settings))
    assert json.loads(json.dumps(VALUES[name])) in told.values()
    again = fitted(kind, options)
    assert all(np.array_equal(a, b) for a, b in zip(again.layers[-1], other.layers[-1], strict=True))


@pytest.mark.parametrize(("kind", "name"), REFUSED)
def test_an_option_that_a_kind_does_not_take_is_refused_in_one_sentence(kind, name):
    with pytest.raises(UnservedError, match=f"The probe '{kind}' does not take the option {name}; it takes "):
        check_probe(kind, PROBES[kind].targets[0], ProbeOptions(**{name: VALUES[name]}))


@pytest.mark.parametrize("name", OPTION_NAMES)
def test_options_come_back_from_json_and_from_words(name):
    options = ProbeOptions(**{name: VALUES[name]})
    assert ProbeOptions.from_json(json.loads(json.dumps(options.to_json()))) == options
    assert ProbeOptions().with_words(options.words()) == options
    assert options.given == (name,) and options.or_none is options and ProbeOptions().or_none is None


@pytest.mark.parametrize(
    ("name", "word", "value"),
    [
        ("regularisation", "cv", None),
        ("regularisation", "1e-3", 1e-3),
        ("class_weight", "none", None),
        ("hidden_units", "64", (64,)),
        ("hidden_units", "64-32", (64, 32)),
        ("hidden_units", "64, 32", (64, 32)),
        ("max_epochs", " 12 ", 12),
    ],
)
def test_words_are_read(name, word, value):
    assert read_option(name, word) == value


@pytest.mark.parametrize(
    ("name", "word"),
    [
        *(("regularisation", word) for word in ("", "strong", "0", "-1", "nan", "inf", "none")),
        *(("class_weight", word) for word in ("", "even", "Balanced")),
        *(("hidden_units", word) for word in ("", "64-", "-64", "0", "1.5", "64x32", "70000", "8-" * 8 + "8", "½")),
        *((name, word) for name in ("max_epochs", "batch_size") for word in ("", "0", "-3", "2.5", "many")),
        *(("learning_rate", word) for word in ("", "0", "-1", "nan", "fast")),
    ],
)
def test_words_that_say_nothing_are_refused_by_the_name_of_the_option(name, word):
    with pytest.raises(ProbeError, match=f"The option {name} is "):
        ProbeOptions().with_words({name: word})


@pytest.mark.parametrize(
    ("name", "value"),
    [("hidden_units", [64]), ("hidden_units", 64), ("hidden_units", ()), ("max_epochs", True), ("regularisation", "1")],
)
def test_values_of_another_type_are_refused(name, value):
    with pytest.raises(ProbeError, match=f"The option {name} is "):
        ProbeOptions(**{name: value})


@pytest.mark.parametrize(
    ("kind", "name", "value"), [(kind, name, value) for kind, name in TAKEN for value in WRONG.get(name, ())]
)
def test_a_fit_by_hand_refuses_what_the_options_refuse(kind, name, value):
    entry, x = PROBES[kind], planted().x[:40]
    labels = x[:, 0].astype(np.float64) if "classes" not in entry.targets else np.arange(40) % 2
    with pytest.raises(ProbeError, match=f"The option {name} is "):
        entry.fit(x, labels, 2, **{entry.options[name]: value})


def test_balanced_classes_count_as_if_rows_of_the_rare_class_were_there_several_times():
    data = planted(strength=1.0)
    rare = np.flatnonzero(data.labels == 1)[:40]
    rows = np.r_[np.flatnonzero(data.labels == 0), rare]
    x, labels = data.x[rows].astype(np.float64), data.labels[rows]
    # Standardised by itself, so that the copies change no mean: only the weights are compared.
    n = len(labels)
    times = n / (2 * np.bincount(labels)[labels])
    weighted = fit_logistic(x, labels, 2, c=0.1, class_weight="balanced")
    scaled = (x - weighted.mean) / weighted.scale
    from sklearn.linear_model import LogisticRegression

    theirs = LogisticRegression(C=0.1, tol=1e-10, max_iter=10_000).fit(scaled, labels, sample_weight=times)
    assert weighted.coef_ == pytest.approx(theirs.coef_, abs=1e-5)
    assert weighted.converged and weighted.settings["largest_gradient"] < 1e-5
    plain = fit_logistic(x, labels, 2, c=0.1)
    assert weighted.predict(data.test_x).mean() > plain.predict(data.test_x).mean() + 0.1


def test_one_number_takes_the_place_of_cross_validation():
    data = planted(strength=1.0)
    assert "cv" not in fit_logistic(data.x, data.labels, 2, c=0.5).settings
    assert fit_logistic(data.x, data.labels, 2, c=0.5).settings["C"] == 0.5
    assert fit_ridge(data.x, data.x[:, 0], alpha=3.0).settings["alpha"] == 3.0


def test_the_sizes_of_a_perceptron_are_those_that_were_asked_for():
    data = planted(3)
    probe = fit_mlp(data.x, data.labels, 3, hidden_units=(9, 5), max_epochs=20)
    assert [weight.shape for weight, _ in probe.layers] == [(9, 16), (5, 9), (3, 5)]
    assert probe.settings["hidden_units"] == [9, 5] and fit_mlp(data.x, data.labels, 3).settings["hidden_units"] == 64


def test_a_batch_of_more_rows_than_there_are_is_all_of_them():
    data = planted()
    one, other = (fit_mlp(data.x, data.labels, 2, max_epochs=5, batch_size=size) for size in (400, 10_000))
    assert np.array_equal(one.layers[0][0], other.layers[0][0])


def test_each_epoch_of_a_perceptron_is_told_and_watching_changes_no_bit():
    data = planted(strength=1.0)
    wide = np.insert(data.x, [3, 9], 0.5, axis=1)  # units that never vary are no matter to whoever listens
    heard = []
    watched = fit_mlp(wide, data.labels, 2, max_epochs=12, after_epoch=heard.append)
    alone = fit_mlp(wide, data.labels, 2, max_epochs=12)
    assert [probe.settings["n_epochs"] for probe in heard] == list(range(1, 13)) and all(one.d_model == 18 for one in heard)
    assert np.array_equal(watched.logits(wide), alone.logits(wide)) and np.array_equal(heard[-1].logits(wide), alone.logits(wide))
