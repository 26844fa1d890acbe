import random
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from lit_nlp.api import model as lit_model
from lit_nlp.api.dataset import Dataset, IndexedDataset
from lit_nlp.components.pca import PCAModel
from lit_nlp.lib import caching, serialize
from tiny_probing import computed, edited, models_of, tiny_splits

from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError, UnknownNameError
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.probing.layerwise import LayerMetrics
from lit_probe.scores.metrics import metrics_for

interpreter = INTERPRETERS["layer_metrics"]


def run(model, dataset, inputs=None, **config):
    answer = interpreter.run(dataset.examples if inputs is None else inputs, model, dataset, config=config or None)
    return serialize.from_json(serialize.to_json(answer, simple=True, allow_nan=False))


def rows_of(dataset, split):
    return [example for example in dataset.examples if example["probe_split"] == split]


def columns(series, key):
    return [layer[key] for layer in series["layers"]]


@pytest.mark.parametrize("metric", metrics_for(("negative", "positive")))
def test_the_curve_over_all_dev_rows_has_the_digits_of_the_study(model, dataset, metric):
    answer = run(model, dataset, metric=metric)
    study = model.study.result()
    rows = study.splits.dev
    expected = LayerMetrics.measure(
        "dev", study.probabilities("dev"), rows.labels, study.splits.label_names, study.splits.train.labels, seed=study.seed
    )
    (dev,) = [series for series in answer["series"] if series["split"] == "dev"]
    assert columns(dev, "score") == [score.value for score in expected.scores[metric]]
    assert columns(dev, "low") == [score.low for score in expected.scores[metric]]
    assert columns(dev, "high") == [score.high for score in expected.scores[metric]]
    assert dev["majority"] == expected.majority[metric]


def test_the_whole_data_set_has_the_numbers_of_the_command_line_though_lit_shows_few_rows(encoder):
    (full,) = models_of([computed(encoder, tiny_splits())])
    (few,) = models_of([computed(encoder, tiny_splits())], partial(ProbeDataset, max_shown=60))
    dataset = IndexedDataset(base=few.dataset)
    study = full.study.result()
    n_rows = sum(len(rows) for _, rows in study.splits.items())
    assert len(dataset.examples) == 60 < n_rows
    shown, whole = run(few, dataset), run(few, dataset, [], whole=True)
    dev, test = whole["series"]
    assert [dev["n"], test["n"]] == [len(study.splits.dev), len(study.splits.test)]
    assert shown["series"][1]["n"] < test["n"] and whole["n_rows"] == n_rows
    assert whole["left_out"] == {
        "edited": 0,
        "unlabelled": 0,
        "not_in_data": 0,
        "train": len(study.splits.train),
        "seen_in_training": 0,
    }
    # One test score: the one of layers.json, and of the sentence on optimism.
    reported = study.test_metrics().scores["accuracy"]
    at_best = test["layers"][study.best_layer]
    assert (at_best["score"], at_best["low"], at_best["high"]) == (reported.value, reported.low, reported.high)
    assert whole == run(few, dataset, rows_of(dataset, "dev")[:3], whole=True), "what is selected does not matter"
    assert run(few, dataset, [], whole=True, train=True)["series"][0]["n"] == len(study.splits.train)


def test_the_whole_of_another_data_set_leaves_out_what_the_probes_were_trained_on(encoder):
    studies = [computed(encoder, tiny_splits("own")), computed(encoder, tiny_splits("other", start=-60))]
    model, other = models_of(studies)
    rows = IndexedDataset(base=other.dataset)
    whole, asked = run(model, rows, [], whole=True), run(model, rows)
    assert not whole["own_rows"] and whole["left_out"]["seen_in_training"] > 0
    assert [series["layers"] for series in whole["series"]] == [series["layers"] for series in asked["series"]]
    assert whole["left_out"]["seen_in_training"] == asked["left_out"]["seen_in_training"]


@pytest.mark.parametrize("metric", ["accuracy", "auroc", "log_loss"])
def test_intervals_respect_the_groups_of_the_data_set(encoder, metric):
    splits = tiny_splits(groups=lambda texts: np.array([" ".join(text.split()[1:4]) for text in texts]))
    (model,) = models_of([computed(encoder, splits)])
    study, rows = model.study.result(), splits.dev
    args = ("dev", study.probabilities("dev"), rows.labels, splits.label_names, splits.train.labels)
    expected, ungrouped = (
        [score.low for score in LayerMetrics.measure(*args, groups=groups, seed=study.seed).scores[metric]]
        for groups in (rows.groups, None)
    )
    dataset = IndexedDataset(base=model.dataset)
    (dev,) = run(model, dataset, rows_of(dataset, "dev")[::-1], metric=metric)["series"]
    assert columns(dev, "low") == expected != ungrouped


def test_five_classes_with_names_of_their_own_have_a_curve(encoder):
    two = tiny_splits()
    nouns = ("film", "movie", "story", "plot", "acting")

    def by_noun(rows):
        return LabelledTexts(rows.texts, np.array([nouns.index(text.split()[1]) for text in rows.texts]), nouns)

    (model,) = models_of([computed(encoder, Splits("nouns", by_noun(two.train), by_noun(two.dev), by_noun(two.test)))])
    dataset = IndexedDataset(base=model.dataset)
    answer = run(model, dataset)
    assert answer["label_names"] == list(nouns) and "recall:plot" in [metric["name"] for metric in answer["metrics"]]
    dev = answer["series"][1]
    assert len(dev["n_by_class"]) == 5 and max(columns(dev, "score")) > 0.9 > 0.5 > dev["majority"]
    by_class = run(model, dataset, metric="balanced_accuracy")["series"][1]
    # A class of 40 rows in five has fewer than ten rows: a doubt where each class has the same weight.
    assert dev["reliable"] and not by_class["reliable"] and "rows of" in by_class["reason"]


def test_the_answer_holds_what_the_panel_needs(model, dataset):
    answer = run(model, dataset, train=True)
    study = model.study.result()
    assert (
        answer.items()
        >= {
            "status": "ready",
            "metric": "accuracy",
            "metric_title": "Accuracy",
            "higher_is_better": True,
            "headline": "accuracy",
            "best_layer": study.best_layer,
            "chosen_on": "dev",
            "n_layers": 4,
            "d_model": 32,
            "pooling": "mean",
            "probe": "logistic",
            "label_names": ["negative", "positive"],
            "encoder": "tiny-bert",
            "trained_on": "tiny",
            "not_converged": [],
            "left_out": {"edited": 0, "unlabelled": 0, "not_in_data": 0, "train": 0, "seen_in_training": 0},
            "own_rows": True,
            "circular": None,
        }.items()
    )
    assert {"name": "accuracy", "title": "Accuracy"} in answer["metrics"]
    assert {"name": "recall:positive", "title": "Recall (positive)"} in answer["metrics"]
    assert [series["split"] for series in answer["series"]] == ["train", "dev", "test"]
    for series in answer["series"]:
        assert sum(series["n_by_class"]) == series["n"]
        assert columns(series, "layer") == [0, 1, 2, 3]
        assert all(layer["low"] <= layer["score"] <= layer["high"] for layer in series["layers"])
        assert series["reliable"] and series["reason"] == ""


def test_the_planted_concept_is_decodable_and_a_constant_answer_is_not_better(model, dataset):
    (dev,) = run(model, dataset, rows_of(dataset, "dev"))["series"]
    assert max(columns(dev, "score")) > 0.9 > dev["majority"]


def test_the_same_rows_in_another_order_give_the_same_digits(model, dataset):
    rows = rows_of(dataset, "dev")[5:38]
    shuffled = random.Random(2).sample(rows, len(rows))
    for metric in ("accuracy", "auroc", "macro_f1", "log_loss"):
        assert run(model, dataset, rows, metric=metric) == run(model, dataset, shuffled, metric=metric)


def test_train_rows_are_scored_only_where_that_is_asked_for(model, dataset):
    n_train = len(rows_of(dataset, "train"))
    answer = run(model, dataset)
    assert [series["split"] for series in answer["series"]] == ["dev", "test"] and answer["left_out"]["train"] == n_train
    nothing = run(model, dataset, rows_of(dataset, "train"))
    assert nothing["series"] == [] and nothing["left_out"]["train"] == n_train
    (fit,) = run(model, dataset, rows_of(dataset, "train"), train=True)["series"]
    assert (fit["split"], fit["n"]) == ("train", n_train)
    with pytest.raises(LitProbeError, match="true or false, not 'yes'"):
        run(model, dataset, train="yes")


def test_only_the_splits_that_were_asked_for_are_answered(model, dataset):
    assert [series["split"] for series in run(model, dataset, rows_of(dataset, "test"))["series"]] == ["test"]
    assert run(model, dataset, [])["series"] == []


def test_few_rows_are_marked_as_unreliable_with_the_reason(model, dataset):
    (dev,) = run(model, dataset, rows_of(dataset, "dev")[:5])["series"]
    assert not dev["reliable"] and dev["reason"] == "only 5 rows (fewer than 30)"


def test_a_score_that_is_not_defined_is_null_with_the_reason(model, dataset):
    rows = [example for example in rows_of(dataset, "dev") if example["label"] == "positive"]
    (dev,) = run(model, dataset, rows, metric="auroc")["series"]
    assert columns(dev, "score") == [None] * 4 and not dev["reliable"] and "negative" in dev["reason"]
    assert dev["n_by_class"][0] == 0 and dev["majority"] is None


def test_edited_rows_are_never_scored(model, dataset):
    rows = rows_of(dataset, "dev")
    edits = [edited(row, text=row["text"] + " in fact", label="positive") for row in rows[:4]]
    assert run(model, dataset, [*rows, *edits])["series"] == run(model, dataset, rows)["series"]
    assert run(model, dataset, [*rows, *edits])["left_out"]["edited"] == 4


def test_a_missing_interval_is_explained(model, dataset):
    rows = rows_of(dataset, "dev")[:1]
    everything = run(model, dataset, rows, metric="log_loss")["notes"]
    about_intervals = [note for note in everything if note.startswith("Layers ")]
    assert about_intervals[0].startswith("Layers 0, 1, 2 and 3 on dev")
    assert all("on dev" in note and "no interval" in note for note in about_intervals)


def test_copies_across_splits_are_counted_those_removed_and_those_left(encoder, model, dataset):
    notes = run(model, dataset)["notes"]
    assert any(note.startswith("Among 40 dev rows, exact copies of train rows: 0; near copies") for note in notes)
    assert notes[-1] == "The rows with a copy in train are marked in the column in_train."
    words = [f"word{i}" for i in range(600)]

    def unlike_each_other(rows, start):
        texts = tuple(
            f"{text.split()[4]} {' '.join(words[start + 4 * i : start + 4 * i + 4])}" for i, text in enumerate(rows.texts)
        )
        return LabelledTexts(texts, rows.labels, rows.label_names)

    tiny = tiny_splits(sizes=(60, 40, 36))
    parts = [unlike_each_other(rows, start) for rows, start in ((tiny.train, 0), (tiny.dev, 240), (tiny.test, 400))]
    reason = "train rows whose text also stands in dev or test"
    for dropped, removed in (({}, "none"), ({reason: 3, "unlabelled": 2}, f"3 {reason}")):
        (clean,) = models_of([computed(encoder, Splits("clean", *parts, {"dropped": dropped}))])
        said = f"Copies across splits: {removed} removed at load; 0 exact and 0 near ones left."
        assert run(clean, IndexedDataset(base=clean.dataset))["notes"] == [said]


def test_a_checkpoint_tuned_on_the_probed_labels_is_called_circular(tiny_folder):
    encoder = load_encoder(str(tiny_folder(n_classes=2)))
    (model,) = models_of([computed(encoder, tiny_splits("reviews"))])
    assert run(model, model.dataset)["circular"] is None
    encoder.checkpoint.config["finetuning_task"] = "reviews"
    answer = run(model, IndexedDataset(base=model.dataset))
    assert "was fine-tuned on reviews, as its files say" in answer["circular"]
    assert answer["notes"][0] == f"Circular: {answer['circular']}" and "Circular: " in model.description()
    assert not any("fine-tuned to classify" in note for note in answer["notes"]), "said once"


def test_rows_of_another_data_set_are_scored_but_for_those_seen_in_training(models):
    model, other = models
    foreign = IndexedDataset(base=other.dataset)
    answer = run(model, foreign, train=True)
    assert answer["trained_on"] == "tiny" and not answer["own_rows"]
    assert answer["notes"] == ["The probes were trained on tiny; these are rows of other."]
    assert answer["left_out"]["seen_in_training"] > 0
    n_scored = sum(series["n"] for series in answer["series"])
    assert n_scored + answer["left_out"]["seen_in_training"] == len(foreign)


def test_truncated_texts_and_a_fine_tuned_checkpoint_are_noted(tiny_folder):
    encoder = load_encoder(str(tiny_folder(n_classes=2)), max_length=8, keep="tail")
    (model,) = models_of([computed(encoder, tiny_splits())])
    notes = run(model, IndexedDataset(base=model.dataset))["notes"]
    assert any("fine-tuned" in note for note in notes)
    assert any(note.endswith("dev texts were truncated to 8 tokens (kept: tail).") for note in notes)


def test_while_the_probes_are_computed_the_answer_says_how_far_they_are(encoder):
    study = PendingStudy(encoder, tiny_splits())
    (model,) = models_of([study])
    study.report("Encoding tiny train", 20, 80, "texts")
    assert run(model, model.dataset) == {
        "status": "computing",
        "message": "Encoding tiny train: 20 of 80 texts",
        "fraction": 0.25,
    }


def test_a_model_on_another_data_set_waits_for_that_one_too(encoder):
    ready, pending = computed(encoder, tiny_splits()), PendingStudy(encoder, tiny_splits("other"))
    model, other = models_of([ready, pending])
    assert run(model, model.dataset)["status"] == "ready"
    assert run(model, other.dataset)["status"] == "computing"


def test_a_failed_study_is_answered_with_its_message(encoder):
    study = PendingStudy(encoder, tiny_splits())
    (model,) = models_of([study])

    def fail(progress):
        raise LitProbeError("Layer 2: activations are not finite")

    study.compute(fail)
    answer = run(model, model.dataset)
    assert answer["status"] == "failed" and "Layer 2: activations are not finite" in answer["message"]


@pytest.mark.parametrize("config", [None, {}, {"metric": "headline"}, {"metric": "accuracy"}])
def test_without_a_metric_the_headline_metric_is_used(model, dataset, config):
    assert interpreter.run(dataset.examples, model, dataset, config=config)["metric"] == "accuracy"


def test_an_unknown_metric_is_refused_with_the_choices(model, dataset):
    with pytest.raises(UnknownNameError, match=r"Unknown metric 'acuracy'. Choose one of: accuracy, .*auroc, .*recall:positive"):
        run(model, dataset, metric="acuracy")


@pytest.mark.parametrize("config", [{"metric": 3}, {"metric": None}, {"metric": ["accuracy"]}, ["accuracy"], "accuracy"])
def test_a_configuration_of_another_shape_is_refused(model, dataset, config):
    with pytest.raises(LitProbeError, match="must be"):
        interpreter.run(dataset.examples, model, dataset, config=config)


def test_it_offers_itself_for_our_models_only(model, dataset):
    assert interpreter.is_compatible(model, dataset)
    assert interpreter.is_compatible(caching.CachingModelWrapper(model, "m"), Dataset())
    projector: lit_model.Model = PCAModel(n_components=2)
    assert not interpreter.is_compatible(projector, dataset)


def test_its_specs_are_lits_and_its_default_is_a_choice():
    spec = interpreter.config_spec()["metric"]
    assert spec.default in spec.vocab and not spec.required
    assert interpreter.meta_spec() == {} and "decodable" in interpreter.description()


# ---- answers that are remembered


@pytest.fixture
def measured(monkeypatch):
    """How often the scores of a split have been computed; each takes a moment, so that equal questions meet."""
    calls, measure = [], LayerMetrics.measure

    def counted(split, *args, **options):
        calls.append(split)
        time.sleep(0.05)
        return measure(split, *args, **options)

    monkeypatch.setattr(LayerMetrics, "measure", counted)
    return calls


def test_equal_questions_are_computed_once_also_when_they_come_at_once(encoder, measured):
    (model,) = models_of([computed(encoder, tiny_splits())])
    dataset = IndexedDataset(base=model.dataset)
    dev = rows_of(dataset, "dev")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: run(model, dataset, dev), range(16)))
    assert measured == ["dev"] and all(one == answers[0] for one in answers)


def test_every_part_of_a_question_counts(encoder, measured):
    (model,) = models_of([computed(encoder, tiny_splits())])
    dataset = IndexedDataset(base=model.dataset)
    dev = rows_of(dataset, "dev")
    other = {**dev[0], "label": next(one["label"] for one in dev if one["label"] != dev[0]["label"])}
    asked = [
        lambda: run(model, dataset, dev),
        lambda: run(model, dataset, dev[1:]),
        lambda: run(model, dataset, dev[::-1]),
        lambda: run(model, dataset, dev, metric="auroc"),
        lambda: run(model, dataset, [other, *dev[1:]]),
        lambda: run(model, IndexedDataset(base=model.dataset), dev),
    ]
    first = []
    for number, ask in enumerate(asked, start=1):
        first.append(ask())
        assert len(measured) == number
    assert [ask() for ask in asked[:-1]] == first[:-1] and len(measured) == len(asked)
    assert first[0]["series"] != first[1]["series"] and first[0]["metric"] != first[3]["metric"]


def test_edits_are_told_apart_by_all_that_they_say_and_by_nothing_that_they_claim(encoder):
    (model,) = models_of([computed(encoder, tiny_splits())])
    dataset, predictions = IndexedDataset(base=model.dataset), INTERPRETERS["layer_predictions"]
    row = rows_of(dataset, "dev")[0]

    def said(example):
        return predictions.run([example], model, dataset)["examples"][0]["probabilities"]

    # An edit that claims to be a row of the data set is none.
    claims = {**row, "text": "something else entirely"}
    assert said(row) != said(claims) and said(claims) == said({**claims, "_id": ""})


def test_only_so_many_answers_are_kept(encoder, measured, monkeypatch):
    monkeypatch.setattr("lit_probe.lit.interpreters.probe_interpreter._N_REMEMBERED", 2)
    (model,) = models_of([computed(encoder, tiny_splits())])
    dataset = IndexedDataset(base=model.dataset)
    dev = rows_of(dataset, "dev")
    measured.clear()
    first = run(model, dataset, dev)
    for number in range(3):
        run(model, dataset, dev[number + 1 :])
    n = len(measured)
    assert run(model, dataset, dev) == first and len(measured) == n + 1
