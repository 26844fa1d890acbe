"""Options of probes in a study: whatever fits its probes again fits them in the same way, and what it writes says so."""

from __future__ import annotations

import json

import numpy as np
import pytest
from planted_studies import planted_study

import lit_probe
from lit_probe.checks.baselines import measure_baselines
from lit_probe.checks.baselines.from_layers import _fit
from lit_probe.checks.repeats import repeats
from lit_probe.checks.selectivity import selectivity
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError, UnservedError
from lit_probe.neurons.effects.erasure import erase_concept
from lit_probe.neurons.rankings.neuron_stability import neuron_stability
from lit_probe.probing import layerwise
from lit_probe.probing.given_activations import probe_activations
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.portions import portion_probes
from lit_probe.probing.probe_file import load_probe, save_probes
from lit_probe.probing.probes import PROBES, ProbeOptions
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.runs import load_runs, parse_model_flag
from lit_probe.probing.study import probe_layers
from lit_probe.progress import no_progress
from tests.probing.test_kept_probe import splits_of

STRONG = ProbeOptions(regularisation=1e-3)
BALANCED = ProbeOptions(class_weight="balanced")


@pytest.fixture(scope="module")
def encoder(tiny_folder):
    return load_encoder(str(tiny_folder()))


@pytest.fixture
def asked(monkeypatch) -> list[ProbeOptions | None]:
    """With what options probes were fitted, fit by fit."""
    heard: list[ProbeOptions | None] = []
    fit = LayerwiseProbe.fit.__func__

    def listening(cls, *args, **options):
        heard.append(options.get("options"))
        return fit(cls, *args, **options)

    monkeypatch.setattr(LayerwiseProbe, "fit", classmethod(listening))
    return heard


REFITS = {
    "portions": lambda study: portion_probes(study),
    "selectivity": lambda study: selectivity(study, "word"),
    "repeats": lambda study: repeats(study, 2),
    "layer baselines": lambda study: _fit(study, study.activations["train"], study.splits.train.labels, no_progress),
    "erasure": lambda study: erase_concept(study),
}


@pytest.mark.parametrize("refit", REFITS)
def test_whatever_fits_the_probes_again_fits_them_with_their_options(encoder, asked, refit):
    study = probe_layers(encoder, splits_of(), probe_options=STRONG)
    assert asked == [STRONG] and study.layerwise.options == STRONG
    asked.clear()
    REFITS[refit](study)
    assert asked and set(asked) == {STRONG}


def test_balanced_logistic_probes_stay_balanced_when_neurons_are_resampled(encoder, monkeypatch):
    heard = []
    kind = PROBES["logistic"]

    def fit(*args, **options):
        heard.append(options)
        return kind.fit(*args, **options)

    study = probe_layers(encoder, splits_of(), probe_options=BALANCED)
    monkeypatch.setitem(PROBES, "logistic", layerwise.PROBES["logistic"].__class__(fit, options=kind.options))
    neuron_stability(study, "weight_mass", 1, n_draws=3)
    assert [sorted(one) for one in heard] == [["c", "class_weight"]] * 3
    assert {one["c"] for one in heard} == {study.layerwise.probes[1].settings["C"]}


def test_options_decide_fingerprints_and_the_cache_and_usual_ones_leave_no_trace(encoder, tmp_path):
    cache = Cache(tmp_path)
    usual, none = (probe_layers(encoder, splits_of(), probe_options=one, cache=cache) for one in (None, ProbeOptions()))
    assert usual.fingerprint == none.fingerprint and "probe_options" not in usual.settings().to_json()
    # A fixed C that cross-validation would have chosen everywhere still is another rule.
    fixed = probe_layers(encoder, splits_of(), probe_options=STRONG, cache=cache)
    assert fixed.fingerprint != usual.fingerprint
    assert [probe.settings["C"] for probe in fixed.layerwise.probes] == [1e-3] * fixed.layerwise.n_layers
    assert fixed.settings().to_json()["probe_options"] == {"regularisation": 1e-3}
    again = probe_layers(encoder, splits_of(), probe_options=STRONG, cache=cache)
    assert again.layerwise.options == STRONG and np.array_equal(again.probabilities("dev"), fixed.probabilities("dev"))
    assert len(list((tmp_path / "probes").iterdir())) == 2


def test_kept_probes_know_their_options(encoder, tmp_path):
    for name, options in (("usual", None), ("strong", STRONG)):
        study = probe_layers(encoder, splits_of(), probe_options=options)
        kept = load_probe(save_probes(study, tmp_path / f"{name}.safetensors"))
        assert kept.facts.probe_options == options
    assert "probe_options" not in load_probe(tmp_path / "usual.safetensors").facts.to_json()


def unbalanced_study(encoder, options, seed=0):
    random = np.random.default_rng(seed)
    labels = (np.arange(400) % 10 == 0).astype(np.int64)
    values = random.normal(size=(400, encoder.n_layers, encoder.d_model)).astype(np.float32)
    values[:, 1:, 0] += 1.5 * labels[:, None]
    return planted_study(encoder, values, labels, (values[200:], labels[200:]), options=options)


def test_balanced_classes_are_not_made_up_for_twice(encoder):
    usual, balanced = (unbalanced_study(encoder, options) for options in (None, BALANCED))
    assert usual.headline == balanced.headline == "balanced_accuracy"
    assert (usual.decision.rule, balanced.decision.rule) == ("prior", "argmax")
    called = [np.mean(study.decision.classes(study.probabilities("dev")[:, 1])) for study in (usual, balanced)]
    assert called[1] == pytest.approx(called[0], abs=0.1) and called[1] < 0.5
    assert [study.dev_scores(study.probabilities("dev"))[1].value > 0.75 for study in (usual, balanced)] == [True, True]
    with pytest.raises(UnservedError, match="'prior' divides by the shares of the classes, for which class_weight has made up"):
        StudyRules(decision="prior").decision_for([0, 1], 2, balanced=True)


def test_baselines_of_words_are_scored_as_they_were_fitted(encoder):
    usual, balanced = (unbalanced_study(encoder, options) for options in (None, BALANCED))
    scores = [measure_baselines(one, Cache(None), names=["length"]).baselines[0].score for one in (usual, balanced)]
    assert scores[0] == scores[1]


def test_brackets_give_a_run_options_of_its_own_over_those_of_all(tiny_folder):
    folder = tiny_folder()
    flag = f"{folder}[probe=mlp],{folder}[probe=mlp,hidden_units=16-8,max_epochs=4]"
    runs = load_runs(
        parse_model_flag(flag),
        lambda name: load_encoder(name),
        pooling=None,
        probe=None,
        seed=0,
        probe_options=ProbeOptions(max_epochs=9),
    )
    assert [run.probe_options for run in runs] == [
        ProbeOptions(max_epochs=9),
        ProbeOptions(hidden_units=(16, 8), max_epochs=4),
    ]
    assert runs[1].encoder.name == f"{runs[0].encoder.name.removesuffix(')')} hidden units 16-8 max epochs 4)"
    studies = [
        probe_layers(run.encoder, splits_of(), pooling=run.pooling, probe=run.probe, probe_options=run.probe_options)
        for run in runs
    ]
    assert [study.layerwise.probes[0].settings["hidden_units"] for study in studies] == [64, [16, 8]]
    with pytest.raises(LitProbeError, match="is named twice with mean pooling, the usual probes and trained weights"):
        load_runs(
            parse_model_flag(f"{folder}[max_epochs=9],{folder}"),
            lambda name: load_encoder(name),
            pooling=None,
            probe=None,
            seed=0,
            probe_options=ProbeOptions(max_epochs=9),
        )


def test_options_are_a_public_name(encoder):
    study = lit_probe.probe_layers(encoder, splits_of(), probe="mlp", probe_options=lit_probe.ProbeOptions(hidden_units=(4,)))
    assert [len(bias) for _, bias in study.layerwise.probes[0].layers] == [4, 2]
    assert json.loads(json.dumps(study.to_json()))["probes"][0]["hidden_units"] == 4


def test_activations_that_are_given_are_fitted_as_asked():
    rng, labels = np.random.default_rng(0), np.arange(120) % 2
    values = rng.normal(size=(120, 6)) + labels[:, None]
    study = probe_activations(values, labels, probe_options=ProbeOptions(regularisation=0.125))
    assert study.layerwise.probes[0].settings["C"] == 0.125
    assert study.settings().probe_options == ProbeOptions(regularisation=0.125)
