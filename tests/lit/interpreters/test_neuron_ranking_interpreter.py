import dataclasses
import threading
import time

import numpy as np
import pytest
from lit_nlp.api.dataset import Dataset, IndexedDataset
from lit_nlp.components.pca import PCAModel
from lit_nlp.lib import caching
from neuron_answers import PATIENCE_S, answer_of, ask
from tiny_probing import computed, models_of, tiny_splits

from lit_probe.encoder.cache import Cache
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.pending_checks import PendingChecks
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.neurons.rankings import RANKINGS, RankingOptions, rank_neurons
from lit_probe.neurons.rankings.neuron_stability import neuron_stability

NAME = "neuron_ranking"
interpreter = INTERPRETERS[NAME]
OF_CLASSES = [name for name, one in RANKINGS.items() if "classes" in one.targets]


@pytest.fixture(scope="module")
def study(model):
    return model.study.result()


@pytest.mark.parametrize("method", OF_CLASSES)
def test_every_ranking_arrives_with_the_digits_of_the_library(model, dataset, study, method):
    expected = rank_neurons(study, method, 2).to_json(5)
    first = ask(NAME, model, dataset, method=method, layer=2, top=5)
    assert first["status"] == ("ready" if RANKINGS[method].cost == "at once" else "computing")
    answer = answer_of(NAME, model, dataset, method=method, layer="2", top="5")
    assert answer.items() >= expected.items() and answer["status"] == "ready"
    assert (answer["layer"], answer["n_units"], answer["n_train"], answer["stability"]) == (2, 32, 80, None)
    assert "decodable" in answer["notes"][0]


def test_the_layer_chosen_on_dev_is_the_default_and_all_layers_are_ranked_together(model, dataset, study):
    assert ask(NAME, model, dataset)["layer"] == study.best_layer
    answer = ask(NAME, model, dataset, layer="all")
    assert answer["layer"] is None and answer["layers"] == [0, 1, 2, 3] and answer["n_units"] == 128
    assert [row["name"] for row in answer["neurons"]] == [row["name"] for row in rank_neurons(study).to_json(50)["neurons"]]


def test_options_reach_the_ranking(model, dataset, study):
    options = {"seed": "3", "regression": "linear", "strength": 0.1, "l1_ratio": 0.25}
    answer = answer_of(NAME, model, dataset, method="elastic_net", layer=1, **options)
    expected = rank_neurons(study, "elastic_net", 1, options=RankingOptions(3, "linear", 0.1, 0.25)).to_json()
    assert answer.items() >= expected.items() and answer["settings"]["strength"] == 0.1
    greedy = answer_of(NAME, model, dataset, method="gaussian", layer=1, greedy=3)
    assert greedy["neurons"] == rank_neurons(study, "gaussian", 1, options=RankingOptions(greedy=3)).to_json()["neurons"]


def test_neurons_are_chosen_from_the_top_the_bottom_at_random_or_by_their_scores(model, dataset, study):
    ranking = rank_neurons(study, layers=3)

    def names(**config):
        return [row["name"] for row in ask(NAME, model, dataset, layer=3, **config)["neurons"]]

    def named(positions):
        return [ranking.names[position] for position in positions]

    assert names() == named(ranking.order), "a layer with fewer than 50 neurons is listed as a whole"
    assert names(select="bottom", top=4) == named(ranking.bottom(4))
    assert names(select="random", top=4, seed=2) == named(ranking.random(4, 2))
    assert names(select="threshold", threshold=0.7) == named(ranking.threshold(0.7))
    assert names(select="mass", share="0.3") == named(ranking.top_mass(0.3))
    by_class = ask(NAME, model, dataset, layer=3, top=6, **{"class": "positive"})
    assert [row["name"] for row in by_class["neurons"]] == named(ranking.top(6, 1)) and by_class["class"] == "positive"
    places = {name: rank for rank, name in enumerate(named(ranking.order), start=1)}
    assert all(row["rank"] == places[row["name"]] for row in by_class["neurons"])
    signs = np.sign([row["class_scores"] for row in by_class["neurons"]])
    assert np.array_equal(signs, ranking.signs[:, ranking.top(6, 1)].T)


def test_the_list_is_there_while_its_stability_is_computed(model, dataset, study):
    first = ask(NAME, model, dataset, method="weight_mass", layer=1, stability=True)
    assert first["neurons"] and first["stability"]["status"] in ("computing", "ready")
    deadline = time.monotonic() + PATIENCE_S
    while (answer := ask(NAME, model, dataset, layer=1, stability=True)["stability"])["status"] == "computing":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert answer == {"status": "ready", **neuron_stability(study, "weight_mass", 1).to_json()}
    assert answer["n_draws"] == 20 and all(0 < point["chance"] < 1 for point in answer["points"])


def test_what_can_be_asked_is_known_before_the_probes_are(encoder, model, dataset, study):
    (waiting,) = models_of([PendingStudy(encoder, tiny_splits())])
    assert ask(NAME, waiting, waiting.dataset)["status"] == "computing"
    choices = ask(NAME, waiting, waiting.dataset, choices=True)
    assert choices["status"] == "ready" and choices["best_layer"] is None
    assert (choices["n_layers"], choices["d_model"], choices["label_names"]) == (4, 32, ["negative", "positive"])
    assert [one["name"] for one in choices["methods"]] == OF_CLASSES
    assert {option for one in choices["methods"] for option in one["options"]} <= set(choices["options"])
    assert ask(NAME, model, dataset, choices=True)["best_layer"] == study.best_layer


def test_a_ranking_is_read_from_the_cache_by_the_next_server(encoder, tmp_path, monkeypatch):
    (model,) = models_of([computed(encoder, tiny_splits())])
    dataset = IndexedDataset(base=model.dataset)
    model.checks = PendingChecks(Cache(tmp_path))
    question = {"method": "gaussian", "layer": 2, "greedy": 2}
    first = answer_of(NAME, model, dataset, **question)
    monkeypatch.setattr("lit_probe.lit.interpreters.neuron_questions.rank_neurons", None)
    model.checks = PendingChecks(Cache(tmp_path))
    assert answer_of(NAME, model, dataset, **question) == first
    assert answer_of(NAME, model, dataset, **question | {"greedy": 3})["status"] == "failed", "sanity: it is another ranking"


def test_what_is_not_wanted_any_more_ends(encoder, monkeypatch):
    (model,) = models_of([computed(encoder, tiny_splits())])
    dataset = IndexedDataset(base=model.dataset)
    begun, go_on, ended = (threading.Event() for _ in range(3))

    def slow(*arguments, progress, **options):
        progress(1, 4)
        begun.set()
        assert go_on.wait(PATIENCE_S)
        try:
            progress(2, 4)
        finally:
            ended.set()

    monkeypatch.setattr("lit_probe.lit.interpreters.neuron_questions.rank_neurons", slow)
    first = ask(NAME, model, dataset, method="l1")
    assert first["status"] == "computing" and first["message"].startswith(
        "Ranking of neurons (L1 regression) of tiny-bert on tiny: "
    )
    assert begun.wait(PATIENCE_S)
    assert ask(NAME, model, dataset, method="l1", cancel=True)["status"] == "cancelled"
    go_on.set()
    assert ended.wait(PATIENCE_S)


# ---- bad input


def test_what_cannot_be_ranked_is_a_sentence(model, dataset):
    for config, said in (
        ({"layer": 9}, "Unknown layer 9"),
        ({"layer": 1, "top": 33}, "33 neurons cannot be chosen: layer 1 has 32"),
        ({"layer": "all", "method": "gaussian", "greedy": 2}, "chosen jointly within one layer"),
        ({"layer": 1, "method": "gaussian", "greedy": 33}, "33 neurons cannot be chosen jointly: layer 1 has 32"),
    ):
        answer = answer_of(NAME, model, dataset, **config)
        assert answer["status"] == "failed" and said in answer["message"], answer


def test_a_probe_that_is_not_linear_has_no_weights_to_rank_by(encoder):
    (model,) = models_of([computed(encoder, tiny_splits(), probe="mlp")])
    dataset = IndexedDataset(base=model.dataset)
    answer = ask(NAME, model, dataset)
    assert answer["status"] == "failed" and "linear" in answer["message"]
    assert answer_of(NAME, model, dataset, method="mean_gap")["status"] == "ready"


def test_a_class_without_examples_is_a_sentence(encoder):
    splits = tiny_splits()
    train = dataclasses.replace(splits.train, labels=np.zeros(80, dtype=np.int64))
    pending = computed(encoder, splits)
    (model,) = models_of([pending])
    pending.result().splits = dataclasses.replace(splits, train=train)
    for method in ("weight_mass", "mean_gap"):
        answer = answer_of(NAME, model, IndexedDataset(base=model.dataset), method=method, layer=1)
        assert answer["status"] == "failed" and "positive" in answer["message"], answer


def test_activations_that_are_not_finite_are_a_sentence(encoder):
    pending = computed(encoder, tiny_splits())
    (model,) = models_of([pending])
    pending.result().activations["train"].blocks[0].values[2][5, 7] = np.nan
    answer = answer_of(NAME, model, IndexedDataset(base=model.dataset), method="mean_gap", layer=2)
    assert answer["status"] == "failed"
    assert "1 of 80 examples hold NaN or infinity (first in neuron 7)" in answer["message"]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"method": "magic"}, "Unknown method 'magic'. Choose one of: average_precision, "),
        ({"methods": "l1"}, "but not methods"),
        ({"choices": True, "layer": 1}, "takes choices, but not layer"),
        ({"layer": "first"}, "'layer' must be a whole number"),
        ({"layer": -1}, "'layer' must be a whole number"),
        ({"top": "many"}, "'top' must be a whole number"),
        ({"select": "best"}, "Unknown select 'best'"),
        ({"threshold": 1.5}, "'threshold' must be a number from 0 to 1"),
        ({"strength": 0}, "'strength' must be a number"),
        ({"strength": float("nan")}, "'strength' must be a number"),
        ({"regression": "ridge"}, "Unknown regression 'ridge'"),
        ({"class": "neutral"}, "Unknown class 'neutral'. Choose one of: negative, positive"),
    ],
)
def test_a_question_that_cannot_be_understood_is_refused(model, dataset, config, said):
    with pytest.raises(LitProbeError, match=said):
        interpreter.run([], model, dataset, config=config)


def test_it_offers_itself_for_our_models_only(model, dataset):
    assert interpreter.is_compatible(caching.CachingModelWrapper(model, "m"), dataset)
    assert not interpreter.is_compatible(PCAModel(n_components=2), Dataset())
    assert interpreter.config_spec()["method"].vocab == [*RANKINGS] and "decodable" in interpreter.description()
