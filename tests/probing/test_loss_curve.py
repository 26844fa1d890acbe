"""The loss curve: that of the study's own probe, held out where it says so, in the file and on the page."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from planted_studies import planted_study
from reported_runs import sentences

from lit_probe.checks.battery import run_battery
from lit_probe.data import split_texts
from lit_probe.encoder.cache import Cache
from lit_probe.errors import LitProbeError, UnknownNameError, UnservedError
from lit_probe.probing.loss_curve import has_loss_curve, loss_curve
from lit_probe.probing.probes import PROBES, ProbeOptions
from lit_probe.probing.study import probe_layers
from lit_probe.report.page import report_html
from lit_probe.report.run_file import run_json, run_of, study_json
from lit_probe.scores.metrics import METRICS


def noisy_study(encoder, options=None, probe="mlp"):
    """Labels that are noise: train can be learnt by heart, dev cannot."""
    random = np.random.default_rng(0)
    values = random.normal(size=(160, encoder.n_layers, encoder.d_model)).astype(np.float32)
    values[:, 1, 3] = 2.0  # a unit that never varies
    labels = random.permutation(np.arange(160) % 2)
    return planted_study(encoder, values[:120], labels[:120], (values[120:], labels[120:]), probe=probe, options=options)


def test_the_last_point_is_the_loss_of_the_studys_own_probe_and_heart_is_told_from_mind(tiny_encoder):
    study = noisy_study(tiny_encoder, ProbeOptions(regularisation=1e-4, max_epochs=60, learning_rate=0.01))
    curve = loss_curve(study, 1)
    probe = study.layerwise.probes[1]
    assert curve.n_epochs == len(curve.train) == len(curve.held_out) == probe.settings["n_epochs"]
    for name, rows, last in (("train", study.splits.train, curve.train[-1]), ("dev", study.splits.dev, curve.held_out[-1])):
        of_label = probe.predict_proba(study.activations[name].layer(1))[np.arange(len(rows)), rows.labels]
        assert last == pytest.approx(-np.log(of_label).mean(), abs=1e-9)
    assert curve.train[-1] < 0.2 < 0.69 < curve.held_out[-1]
    assert curve.held_out[-1] == pytest.approx(METRICS["log_loss"].score(study.dev_rows(study.probabilities("dev")))[1].value)
    assert (curve.n_train, curve.n_held_out, curve.layer) == (120, 40, 1)


def test_the_curve_is_kept_and_is_that_of_the_chosen_layer_by_default(tiny_encoder, tmp_path):
    study = noisy_study(tiny_encoder, ProbeOptions(max_epochs=3))
    first = loss_curve(study, cache=Cache(tmp_path))
    assert first.layer == study.best_layer and first == loss_curve(study, cache=Cache(tmp_path))
    assert len(list((tmp_path / "loss_curves").iterdir())) == 1


def test_a_kind_without_passes_and_a_layer_that_is_not_there_are_refused(tiny_encoder):
    study = noisy_study(tiny_encoder, probe="lda")
    assert [has_loss_curve(study), *(kind.by_epoch for name, kind in PROBES.items() if name == "mlp")] == [False, True]
    with pytest.raises(UnservedError, match=r"A probe of kind 'lda' is not trained pass by pass and has no loss curve\."):
        loss_curve(study)
    with pytest.raises(UnknownNameError, match="Unknown layer 9"):
        loss_curve(noisy_study(tiny_encoder, ProbeOptions(max_epochs=1)), 9)


WORDS = {
    "logistic": "an L2-regularised logistic regression",
    "l1": "an L1-regularised logistic regression",
    "elastic_net": "an elastic-net-regularised (half L1, half L2) logistic regression",
    "lda": "a linear discriminant analysis, whose covariance",
    "mean_difference": "a nearest-mean classifier, whose directions",
    "mlp": "a perceptron with hidden layers of <",
    "majority": "the class frequencies of train, which read no activations",
}


def written(encoder, kind, options):
    texts, labels = sentences()
    splits = split_texts(texts, labels, name="films")
    study = probe_layers(encoder, splits, probe=kind, probe_options=options)
    losses = loss_curve(study) if has_loss_curve(study) else None
    one = study_json(study, run_battery(study, names=["layer_comparison"]), losses=losses)
    return json.loads(json.dumps(run_json(study.settings(), {"films": one}, control="word", repeat=0)))


@pytest.mark.parametrize("kind", WORDS)
def test_the_methods_have_words_for_every_kind(tiny_encoder, kind):
    options = ProbeOptions(hidden_units=(6, 4), max_epochs=5, class_weight="balanced") if kind == "mlp" else None
    run = written(tiny_encoder, kind, options)
    page = report_html(run_of(run))
    assert WORDS[kind] in page
    assert ("Every class counted alike." in page) == (kind == "mlp")
    assert ("Training of the " in page and "passes over train" in page) == (kind == "mlp")
    if kind != "mlp":
        assert "loss_curve" not in run["datasets"]["films"]
        return
    for change in (lambda one: one["train"].pop(), lambda one: one.update(layer=99), lambda one: one.update(train="falling")):
        other = copy.deepcopy(run)
        change(other["datasets"]["films"]["loss_curve"])
        with pytest.raises(LitProbeError, match="is not what this version writes"):
            run_of(other)


def test_a_given_strength_is_told_as_given(tiny_encoder):
    page = report_html(run_of(written(tiny_encoder, "logistic", ProbeOptions(regularisation=0.25))))
    assert "Its C was " in page and ", which was given." in page


def test_all_kinds_of_classes_are_told():
    assert set(WORDS) == {name for name, kind in PROBES.items() if "classes" in kind.targets}
