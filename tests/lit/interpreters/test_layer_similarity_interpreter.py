"""Which layers say the same, as the page asks it."""

from __future__ import annotations

import numpy as np
import pytest
from lit_nlp.api.dataset import IndexedDataset
from lit_nlp.lib import serialize
from neuron_answers import answer_of, ask
from tiny_probing import computed, models_of, tiny_splits

from lit_probe import layer_similarity, probe_activations, similarity_series
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.views.similarity_measures import MEASURES


@pytest.fixture(scope="module")
def pair(tiny_folder):
    """A model, and another one on the same data set, with its data set as LIT's components see it."""
    model, *_ = models_of([computed(load_encoder(str(tiny_folder("bert"))), tiny_splits())])
    [other] = models_of([computed(load_encoder(str(tiny_folder("electra"))), tiny_splits())])
    model.peers = other.peers = {model.name: model.study, other.name: other.study}
    return model, other, IndexedDataset(base=model.dataset)


def shown(found, expected) -> None:
    """The answer holds what Python's result holds, through JSON."""
    for name, value in serialize.from_json(serialize.to_json(expected.to_json(), simple=True)).items():
        assert found[name] == value, name


@pytest.mark.parametrize("measure", MEASURES)
def test_it_says_what_the_python_function_says(pair, measure):
    model, other, dataset = pair
    one, two = model.study.result(), other.study.result()
    shown(answer_of("layer_similarity", model, dataset, measure=measure), layer_similarity(one, measure=measure))
    beside = answer_of("layer_similarity", model, dataset, measure=measure, other=other.name)
    shown(beside, layer_similarity(one, two, measure=measure))
    assert (beside["one"]["name"], beside["other"]["name"]) == ("tiny-bert", "tiny-electra")
    assert beside["split"] == MEASURES[measure].split


def test_it_says_what_may_be_asked_for(pair):
    model, other, dataset = pair
    found = answer_of("layer_similarity", model, dataset)
    assert [one["value"] for one in found["measures"]] == [*MEASURES]
    assert found["others"] == [
        {"value": other.name, "title": "tiny-electra"},
        {"value": "random weights", "title": "itself with random weights"},
        {"value": "the series", "title": "the series of all 2"},
    ]


@pytest.mark.parametrize("measure", ["cka", "probe_cosine"])
def test_the_series_is_all_models_with_the_same_layers_in_their_order(pair, measure):
    model, other, dataset = pair
    studies = [model.study.result(), other.study.result()]
    found = answer_of("layer_similarity", other, dataset, other="the series", measure=measure)
    shown(found, similarity_series(studies, measure=measure))
    assert found["checkpoints"] == ["tiny-bert", "tiny-electra"]
    # What has other layers is no checkpoint of these.
    random = np.random.default_rng(0)
    study = probe_activations(random.normal(size=(90, 3, 5)), [*range(2)] * 45)
    model.peers["others"] = PendingStudy(study.encoder, study.splits)
    assert (
        answer_of("layer_similarity", model, dataset, other="the series", measure=measure)["checkpoints"] == found["checkpoints"]
    )
    del model.peers["others"]
    pending = PendingStudy(other.study.encoder, other.study.splits)
    model.peers["step 3"] = pending
    pending.report("Encoding train", 20, 80, "texts")
    assert ask("layer_similarity", model, dataset, other="the series")["message"] == "Encoding train: 20 of 80 texts"
    del model.peers["step 3"]


def test_random_weights_are_those_of_the_same_encoder_drawn_by_the_studys_seed(pair):
    model, _, dataset = pair
    study = model.study.result()
    found = answer_of("layer_similarity", model, dataset, other="random weights")
    drawn = computed(study.encoder.randomised(study.seed), study.splits).result()
    expected = layer_similarity(study, drawn)
    assert np.array(found["values"]) == pytest.approx(np.array(expected.values), abs=1e-10)
    assert found["other"]["name"] == "tiny-bert with random weights"
    refused = answer_of("layer_similarity", model, dataset, other="random weights", measure="probe_cosine")
    assert refused["status"] == "failed" and "[weights=random]" in refused["message"]


def test_it_waits_for_the_other_model_and_tells_that_it_failed(pair):
    model, other, dataset = pair
    pending = PendingStudy(other.study.encoder, other.study.splits)
    model.peers["pending"] = pending
    pending.report("Encoding train", 20, 80, "texts")
    asked = {"other": "pending"}
    assert ask("layer_similarity", model, dataset, **asked)["message"] == "Encoding train: 20 of 80 texts"

    def fail(progress):
        raise LitProbeError("no such file")

    pending.compute(fail)
    assert ask("layer_similarity", model, dataset, **asked).items() >= {"status": "failed"}.items()
    del model.peers["pending"]


def test_unknown_names_are_told(pair):
    model, _, dataset = pair
    with pytest.raises(LitProbeError, match="Unknown model 'bert'"):
        ask("layer_similarity", model, dataset, other="bert")
    with pytest.raises(LitProbeError, match=r"Unknown measure 'cca'\. Choose one of: cka, "):
        ask("layer_similarity", model, dataset, measure="cca")


def test_vectors_alone_can_be_compared_but_have_no_random_weights():
    random = np.random.default_rng(0)
    study = probe_activations(random.normal(size=(90, 3, 5)), [*range(2)] * 45, dataset="vectors")
    pending = PendingStudy(study.encoder, study.splits)
    pending.compute(lambda progress: study)
    [model] = models_of([pending])
    dataset = IndexedDataset(base=model.dataset)
    found = answer_of("layer_similarity", model, dataset)
    assert found["status"] == "ready" and found["others"] == [] and found["one"]["layer_names"] == study.layer_names
    refused = answer_of("layer_similarity", model, dataset, other="random weights")
    assert refused["status"] == "failed" and "is known by its vectors alone" in refused["message"]


def test_words_are_rows_too(word_model, word_dataset):
    study = word_model.study.result()
    for measure in MEASURES:
        found = answer_of("layer_similarity", word_model, word_dataset, measure=measure)
        shown(found, layer_similarity(study, measure=measure))
        assert found["n"] == len(getattr(study.splits, MEASURES[measure].split))
