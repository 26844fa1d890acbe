import threading
import time

import numpy as np
import pytest
from lit_nlp.api.dataset import Dataset, IndexedDataset
from lit_nlp.components.pca import PCAModel
from lit_nlp.lib import caching
from neuron_answers import PATIENCE_S, answer_of, ask, of_split
from tiny_probing import computed, edited, models_of, tiny_splits

from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.pending_checks import PendingChecks
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.lit.interpreters.neuron_ablation import ABLATION_PARTS
from lit_probe.neurons.effects.ablation import Ablation, ablate
from lit_probe.neurons.effects.curve import ablation_curve
from lit_probe.neurons.effects.erasure import erase_concept
from lit_probe.neurons.rankings import rank_neurons
from lit_probe.neurons.rankings.neuron_evaluation import compare_rankings, evaluate_ranking, minimal_set

NAME = "neuron_ablation"
interpreter = INTERPRETERS[NAME]


@pytest.fixture(scope="module")
def study(model):
    return model.study.result()


@pytest.fixture
def edit(dataset):
    """A dev row and an edit of it."""
    row = of_split(dataset, "dev")[0]
    return row, edited(row, text="the story is awful")


# ---- single texts


@pytest.mark.parametrize("replacement", ["mean", "zero", "resample", "scale"])
def test_texts_are_answered_with_the_digits_of_the_library(model, dataset, study, edit, replacement):
    config = {"layer": 1, "units": ["1:9", 4], "replacement": replacement, "factor": "2.5", "seed": 3}
    answer = answer_of(NAME, model, dataset, *edit, part="text", **config)
    expected = ablate(study, [row["text"] for row in edit], Ablation(1, (4, 9), replacement, 2.5, 3))
    assert answer.items() >= expected.to_json().items()
    assert (answer["units"], answer["layers"], answer["random"], answer["model"]) == ([4, 9], [1, 2, 3], None, None)
    assert answer["before"] != answer["after"]


def test_once_a_layer_is_known_texts_are_answered_at_once(model, dataset, edit):
    answer_of(NAME, model, dataset, edit[0], part="text", layer=2, units=[1])
    for units in ([1], [2, 3], []):
        assert ask(NAME, model, dataset, *edit, part="text", layer=2, units=units)["status"] == "ready"


def test_without_neurons_nothing_changes(model, dataset, edit):
    answer = answer_of(NAME, model, dataset, *edit, part="text", layer=2, units=[], n_random=3)
    assert answer["before"] == answer["after"] == answer["random"]["low"] == answer["random"]["high"]
    assert answer["moved"] == [0, 0]
    for judged in answer["judged"]:
        assert not judged["matched"] and "Nothing is changed" in judged["notes"][0] and judged["exceeded"] == 0


def test_the_change_stands_beside_that_of_random_sets_of_like_size(tiny_folder):
    encoder = load_encoder(str(tiny_folder(n_classes=2)))
    (model,) = models_of([computed(encoder, tiny_splits())])
    dataset, study = IndexedDataset(base=model.dataset), model.study.result()
    row = of_split(dataset, "dev")[0]
    top = rank_neurons(study, layers=1).top(8).tolist()
    answer = answer_of(NAME, model, dataset, row, part="text", layer=1, units=top, n_random=20)
    random = answer["random"]
    assert random["n"] == 20 and np.shape(random["mean"]) == np.shape(answer["after"]) == (1, 3, 2)
    low, mean, high = (np.array(random[name]) for name in ("low", "mean", "high"))
    assert (low <= mean).all() and (mean <= high).all() and (low < high).any()
    assert answer["model"]["label_names"] == list(model.head_label_names)
    assert np.shape(answer["model"]["after"]) == np.shape(random["model"]["low"]) == (1, 2)
    [judged] = answer["judged"]
    assert judged["moved"] == answer["moved"][0] and 0 <= judged["exceeded"] <= 20
    assert judged["matched"] == (0.8 <= judged["moved_ratio"] <= 1.25)
    last = answer_of(NAME, model, dataset, row, part="text", layer=3, units=top, n_random=2)
    assert last["judged"][0]["exceeded"] in (0, 1, 2), "the model's own head comes after the last layer"
    assert answer_of(NAME, model, dataset, row, part="text", layer=1, units=top, n_random=20) == answer
    too_many = answer_of(NAME, model, dataset, row, part="text", layer=1, units=list(range(17)), n_random=20)
    assert too_many["status"] == "ready" and too_many["random"] is None and "at most half" in too_many["notes"][0]
    assert too_many["judged"][0]["exceeded"] is None and not too_many["judged"][0]["matched"]


def test_an_edit_is_changed_alone_as_it_is_beside_its_original(model, dataset, edit):
    config = {"part": "text", "layer": 1, "units": [4, 9, 11], "replacement": "resample"}
    both = answer_of(NAME, model, dataset, *edit, **config)
    for place, row in enumerate(edit):
        alone = answer_of(NAME, model, dataset, row, **config)
        np.testing.assert_allclose(alone["after"][0], both["after"][place], atol=1e-5)


def test_the_probes_direction_is_projected_out_of_a_text(model, dataset, edit):
    answer = answer_of(NAME, model, dataset, *edit, part="text", layer=1, what="direction", n_random=5)
    assert (answer["what"], answer["units"]) == ("direction", [])
    assert [judged["moved_ratio"] for judged in answer["judged"]] == pytest.approx([1, 1], abs=1e-3)
    own = np.array(answer["after"])[:, 0]
    assert np.ptp(own[:, 1]) < 1e-4, "without its direction the layer's probe says the same of every text"
    assert np.ptp(np.array(answer["before"])[:, 0, 1]) > 0.1
    away = np.abs(np.array(answer["random"]["mean"])[:, 0] - np.array(answer["before"])[:, 0])
    assert away.max() < np.abs(own - np.array(answer["before"])[:, 0]).max()


# ---- many texts


def test_the_curve_of_the_dev_rows_has_the_digits_of_the_library(model, dataset, study):
    rows = of_split(dataset, "dev")
    texts, labels = [row["text"] for row in rows], [model.label_names.index(row["label"]) for row in rows]
    answer = answer_of(NAME, model, dataset, part="curve", layer=1, units=[9, 4], n_random=3)
    expected = ablation_curve(study, texts, labels, Ablation(1, (4, 9)), n_random=3)
    assert answer.items() >= expected.to_json().items() and answer["n"] == 40 and answer["units"] == [4, 9]
    found = answer["rows"]
    assert found["ids"] == [row["_id"] for row in rows]
    assert (found["n_asked"], found["source"], found["split"], sum(found["left_out"].values())) == (40, "dev", "dev", 0)


def test_of_a_selection_held_out_rows_alone_are_scored(model, dataset, study, edit):
    dev, test = of_split(dataset, "dev")[:9], of_split(dataset, "test")[:5]
    rows = [*dev, edit[1], *of_split(dataset, "train")[:3], *test]
    answer = answer_of(NAME, model, dataset, *rows, part="curve", layer=2, what="direction", n_random=2, sample=6)
    assert (answer["n"], answer["rows"]["n_asked"], answer["rows"]["split"]) == (6, 18, "dev")
    assert set(answer["rows"]["ids"]) < {row["_id"] for row in dev}
    assert answer["rows"]["left_out"]["edited"] == 1 and answer["rows"]["left_out"]["train"] == 3
    ids = answer["rows"]["ids"]
    chosen = [row for row in dev if row["_id"] in ids]
    labels = [model.label_names.index(row["label"]) for row in chosen]
    expected = ablation_curve(study, [row["text"] for row in chosen], labels, layer=2, n_random=2)
    assert answer.items() >= expected.to_json().items()
    assert answer_of(NAME, model, dataset, *test, part="curve", layer=2, units=[1], n_random=2)["rows"]["split"] == "test"
    nothing = answer_of(NAME, model, dataset, edit[1], part="curve", layer=2, units=[1])
    assert nothing["status"] == "failed" and "None of the 1 rows can be scored (1 edited)" in nothing["message"]


def test_the_erasure_of_every_layer_has_the_digits_of_the_library(model, dataset, study):
    answer = answer_of(NAME, model, dataset, part="erasure")
    assert answer.items() >= erase_concept(study).to_json().items() and answer["n"] == 40 and answer["rank"] == 1


# ---- rankings, judged


def test_a_ranking_is_judged_with_the_digits_of_the_library(model, dataset, study):
    ranking = rank_neurons(study, "mean_gap", 2)
    config = {"method": "mean_gap", "layer": 2, "evaluator": "linear"}
    answer = answer_of(NAME, model, dataset, part="evaluation", **config, percentages=[10, 50], n_draws=3)
    expected = evaluate_ranking(study, ranking, "linear", percentages=(10.0, 50.0), n_draws=3)
    assert answer.items() >= expected.to_json().items()
    own = answer_of(NAME, model, dataset, part="evaluation", **config, percentages=[50], n_draws=3, refit=False)
    assert own["evaluator"] == "probe"
    smallest = answer_of(NAME, model, dataset, part="minimal_set", **config, within="2.5")
    assert smallest.items() >= minimal_set(study, ranking, "linear", within=2.5).to_json().items()


def test_all_layers_together_are_judged_too(model, dataset, study):
    answer = answer_of(NAME, model, dataset, part="evaluation", layer="all", percentages=[5], n_draws=2)
    assert answer.items() >= evaluate_ranking(study, rank_neurons(study), percentages=(5.0,), n_draws=2).to_json().items()
    assert answer["n_units"] == 128


def test_every_ranking_is_judged_by_every_evaluator(model, dataset, study):
    answer = answer_of(NAME, model, dataset, part="comparison", layer=2, percentages=[25], n_draws=2)
    assert answer.items() >= compare_rankings(study, 2, percentages=(25.0,), n_draws=2).to_json().items()
    assert np.shape(answer["tables"][0]["scores"]) == (len(answer["methods"]), len(answer["evaluators"]))


# ---- in the background


def test_asking_does_not_wait_and_what_is_not_wanted_any_more_ends(encoder, monkeypatch):
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
        return {"layers": []}

    monkeypatch.setattr("lit_probe.lit.interpreters.neuron_ablation.ablation_curve", slow)
    question = {"part": "curve", "layer": 1, "units": [1, 2]}
    started = time.monotonic()
    first = ask(NAME, model, dataset, **question)
    assert first["status"] == "computing" and time.monotonic() - started < 5
    assert first["message"].startswith("Ablation of 2 neurons at layer 1 of tiny-bert on tiny: ")
    assert begun.wait(PATIENCE_S)
    assert ask(NAME, model, dataset, **question, cancel=True)["status"] == "cancelled"
    go_on.set()
    assert ended.wait(PATIENCE_S)
    assert answer_of(NAME, model, dataset, **question)["status"] == "ready"
    assert ask(NAME, model, dataset, **question, cancel=True)["status"] == "ready", "there is nothing left to cancel"


def test_results_are_read_from_the_cache_by_the_next_server(encoder, tmp_path, monkeypatch):
    (model,) = models_of([computed(encoder, tiny_splits())])
    dataset = IndexedDataset(base=model.dataset)
    question = {"part": "curve", "layer": 1, "units": [1, 2], "n_random": 2}
    model.checks = PendingChecks(Cache(tmp_path))
    first = answer_of(NAME, model, dataset, **question)
    monkeypatch.setattr("lit_probe.lit.interpreters.neuron_ablation.ablation_curve", None)
    model.checks = PendingChecks(Cache(tmp_path))
    assert answer_of(NAME, model, dataset, **question | {"units": [2, "1:1"]}) == first, "the same set in another order"
    for other in ({"units": [1]}, {"layer": 2}, {"n_random": 3}, {"replacement": "zero"}, {"sample": 9}):
        assert answer_of(NAME, model, dataset, **question | other)["status"] == "failed", "sanity: it is another question"


# ---- bad input


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"part": "text", "layer": 9, "units": [1]}, "Unknown layer 9"),
        ({"part": "text", "layer": 1, "units": [32]}, "Unknown neuron 32. Layer 1 has neurons 0 to 31"),
        ({"part": "text", "layer": 1, "units": ["nose"]}, "Layer 1 has no neuron 'nose'"),
        ({"part": "text", "layer": 1, "units": [3, "1:3"]}, "A neuron is named twice"),
        ({"part": "curve", "layer": 1, "units": list(range(17))}, "choose at most half of the layer"),
        ({"part": "evaluation", "layer": "all", "refit": False}, "no common probe of their own"),
        ({"part": "evaluation", "percentages": [0]}, "must lie above 0"),
    ],
)
def test_what_cannot_be_changed_is_a_sentence(model, dataset, config, said):
    answer = answer_of(NAME, model, dataset, *([dataset.examples[0]] if config["part"] == "text" else []), **config)
    assert answer["status"] == "failed" and said in answer["message"], answer


def test_a_probe_that_is_not_linear_has_no_direction(encoder):
    (model,) = models_of([computed(encoder, tiny_splits(), probe="mlp")])
    dataset = IndexedDataset(base=model.dataset)
    for rows, part in ((dataset.examples[:1], "text"), ([], "curve")):
        answer = answer_of(NAME, model, dataset, *rows, part=part, layer=1, what="direction")
        assert answer["status"] == "failed" and "has no directions" in answer["message"]


def test_it_waits_for_the_probes(encoder):
    (model,) = models_of([PendingStudy(encoder, tiny_splits())])
    assert ask(NAME, model, model.dataset, part="erasure")["status"] == "computing"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "'part' must be named"),
        ({"part": "rumour"}, "Unknown part 'rumour'. Choose one of: comparison, curve, "),
        ({"part": "text"}, "'units' must be a list of neurons"),
        ({"part": "text", "units": [[1]]}, "'units' must be a list of neurons"),
        ({"part": "text", "units": [], "replacement": "noise"}, "Unknown replacement 'noise'"),
        ({"part": "text", "units": [], "factor": float("inf")}, "'factor' must be a number from -10 to 10"),
        ({"part": "text", "units": [], "sample": 3}, "but not sample"),
        ({"part": "text", "units": [], "n_random": 21}, "'n_random' must be a whole number from 0 to 20"),
        ({"part": "text", "units": [], "layer": "all"}, "'layer' must be a whole number"),
        ({"part": "curve", "what": "everything"}, "Unknown what 'everything'"),
        ({"part": "curve", "what": "direction", "units": [1]}, "leave 'units' away"),
        ({"part": "curve", "units": [], "n_random": 1}, "'n_random' must be a whole number from 2 to 50"),
        ({"part": "erasure", "layer": 1}, "takes cancel, part, but not layer"),
        ({"part": "evaluation", "evaluator": "svm"}, "Unknown evaluator 'svm'"),
        ({"part": "evaluation", "percentages": "10"}, "'percentages' must be a list"),
        ({"part": "evaluation", "percentages": []}, "'percentages' must be a list"),
        ({"part": "comparison", "method": "l1"}, "but not method"),
        ({"part": "minimal_set", "within": 101}, "'within' must be a number from 0 to 100"),
    ],
)
def test_a_question_that_cannot_be_understood_is_refused(model, dataset, config, said):
    with pytest.raises(LitProbeError, match=said):
        interpreter.run([], model, dataset, config=config)


def test_it_offers_itself_for_our_models_only(model, dataset):
    assert interpreter.is_compatible(caching.CachingModelWrapper(model, "m"), dataset)
    assert not interpreter.is_compatible(PCAModel(n_components=2), Dataset())
    assert interpreter.config_spec()["part"].vocab == list(ABLATION_PARTS) and "decodable" in interpreter.description()
