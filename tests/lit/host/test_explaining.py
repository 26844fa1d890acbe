import gc
import threading
import weakref

import numpy as np
import pytest
from lit_nlp.api.dataset import Dataset
from tiny_probing import computed, edited, models_of, tiny_splits

from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.explaining import Explainer, MapQuestion, explainer_of, gold_label, map_keys, question_of
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.probing.probe_forward import Target
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions, explain

TEXT = "the film was not awful"


@pytest.fixture(scope="module")
def classifier(tiny_folder):
    """An encoder whose own head tells three classes apart, none of them those of the probes."""
    return models_of([computed(load_encoder(str(tiny_folder(n_classes=3))), tiny_splits())])[0]


@pytest.fixture
def named_alike(classifier, monkeypatch):
    """An explainer of a model whose own head has the classes of the probes, in another order and writing."""
    monkeypatch.setattr(classifier.encoder, "head_label_names", ("POSITIVE", "NEGATIVE"))
    return Explainer(classifier)


def from_lits_panel(row, label):
    return edited(row, label=label) | {"_meta": {"added": True, "source": "SalienceMapModule", "parentId": row["_id"]}}


# ---- the question


def test_a_question_without_words_has_the_defaults():
    nothing = MapQuestion("probe", None, "predicted", "logit", SalienceOptions())
    assert question_of(None) == question_of({}) == nothing
    assert map_keys("probability")["scalar"].default == "probability"


def test_numbers_may_come_as_lits_form_delivers_them():
    as_strings = {"layer": "2", "steps": "20", "noise": "0.5", "kernel_width": "1", "seed": "7"}
    as_numbers = {"layer": 2, "steps": 20, "noise": 0.5, "kernel_width": 1.0, "seed": 7}
    assert question_of(as_strings) == question_of(as_numbers)
    assert question_of(as_strings).layer == 2 and question_of(as_strings).options.kernel_width == 1
    assert question_of({"layer": "dev-chosen"}).layer is None


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (["lime"], "must be an object"),
        ({"layr": 2}, "takes .*layer.*, but not layr"),
        ({"explain": "both"}, "Unknown explain 'both'. Choose one of: model, probe"),
        ({"layer": "last"}, "'layer' must be a whole number"),
        ({"layer": -20_000}, "'layer' must be a whole number"),
        ({"target": "positive"}, "'target' must be predicted, gold, or class: and the name of a class"),
        ({"target": 1}, "'target' must be"),
        ({"scalar": "loss"}, "Unknown scalar 'loss'. Choose one of: logit, margin, probability"),
        ({"steps": 10**6}, "'steps' must be a whole number from 1 to 500"),
        ({"samples": 1}, "'samples' must be a whole number from 2 to 2,000"),
        ({"noise": "much"}, "'noise' must be a number from 0 to 2"),
        ({"noise": float("nan")}, "'noise' must be a number"),
        ({"kernel_width": 0}, "'kernel_width' must be a number from 0.01 to 10"),
        ({"kernel_width": [1]}, "'kernel_width' must be a number"),
        ({"baseline": "black"}, "Unknown baseline 'black'. Choose one of: mask, mean, pad, zero"),
        ({"replace": 5}, "'replace' must be named"),
    ],
)
def test_a_question_that_cannot_be_understood_is_refused_with_the_choices(config, said):
    with pytest.raises(LitProbeError, match=said):
        question_of(config)


# ---- what is explained


@pytest.mark.parametrize("layer", [None, 0, 3])
def test_the_probe_of_the_layer_is_explained_with_the_digits_of_the_library(model, dataset, layer):
    study = model.study.result()
    expected_layer = study.best_layer if layer is None else layer
    explained = explainer_of(model).explain(
        question_of({} if layer is None else {"layer": layer}), "occlusion", {"text": TEXT}, dataset
    )
    forward = explainer_of(model).forward(question_of({"layer": expected_layer}))
    assert explained.layer == forward.layer == expected_layer
    assert forward.class_names == explained.class_names == model.label_names
    np.testing.assert_array_equal(explained.scores.scores, explain(forward, TEXT, "occlusion").scores)
    classes = model.predictions(model.pooled([TEXT]))[0, expected_layer]
    assert explained.predicted_class == explained.class_name == model.label_names[classes.argmax()]


def test_the_models_own_prediction_is_explained_though_the_probes_are_in_the_making(tiny_folder):
    study = PendingStudy(load_encoder(str(tiny_folder(n_classes=3))), tiny_splits())
    (model,) = models_of([study])
    explainer, question = explainer_of(model), question_of({"explain": "model", "target": "class:class 2", "scalar": "margin"})
    assert explainer.status(question) is None and explainer.status(question_of({}))["status"] == "computing"
    explained = explainer.explain(question, "lime", {"text": TEXT}, model.dataset)
    assert explained.scores.explained == "model" and explained.layer is None
    assert explained.scores.target == Target(2, "margin") and explained.class_name == "class 2"


@pytest.mark.parametrize(
    ("config", "example", "said"),
    [
        ({"layer": 4}, {}, r"Unknown layer 4. tiny-bert has layers 0 \(embeddings\) to 3"),
        ({"layer": -1}, {}, r"Unknown layer -1. tiny-bert has layers 0 \(embeddings\) to 3"),
        ({"explain": "model"}, {}, "tiny-bert has no classification head of its own"),
        ({"target": "class:neutral"}, {}, "'neutral' is no class of the probe at layer .*, which tells negative, positive apart"),
        ({"target": "gold"}, {}, "gold label of this text is not known"),
        ({}, {"text": ""}, "no word to explain"),
        ({}, {"text": "   "}, "no word to explain"),
        ({}, {"text": None}, "needs a string"),
    ],
)
@pytest.mark.parametrize("method", ["gradient_l2", "occlusion"])
def test_what_cannot_be_explained_is_a_sentence(model, dataset, config, example, said, method):
    with pytest.raises(LitProbeError, match=said):
        explainer_of(model).explain(question_of(config), method, {"text": TEXT, **example}, dataset)


@pytest.mark.parametrize("method", SALIENCE_METHODS)
def test_one_word_is_enough(model, dataset, method):
    explained = explainer_of(model).explain(question_of({"samples": 2, "steps": 2}), method, {"text": "awful"}, dataset)
    assert explained.scores.word_texts == ("awful",) and np.isfinite(explained.scores.scores).all()


def test_other_classes_and_scalars_are_other_maps(model, dataset):
    def scores(**config):
        return explainer_of(model).explain(question_of(config), "input_x_gradient", {"text": TEXT}, dataset).scores.scores

    positive, negative = (scores(target=f"class:{name}") for name in ("positive", "negative"))
    np.testing.assert_allclose(positive, -negative)
    np.testing.assert_allclose(scores(target="class:positive", scalar="margin"), 2 * positive)


# ---- the gold class


def test_the_gold_class_is_that_of_the_row_also_after_lits_panel_has_overwritten_it(model, dataset):
    row = dataset.examples[0]
    other = next(name for name in model.label_names if name != row["label"])
    for example in (row, from_lits_panel(row, other)):
        explained = explainer_of(model).explain(question_of({"target": "gold"}), "gradient_l2", example, dataset)
        assert explained.gold == explained.class_name == row["label"]


def test_the_gold_class_of_an_edited_text_is_its_own(model, dataset):
    row = dataset.examples[0]
    other = next(name for name in model.label_names if name != row["label"])
    assert gold_label(edited(row, label=other), dataset, model.labels) == other
    assert gold_label(edited(row, label="unheard of"), dataset, model.labels) is None


def test_nobody_guesses_the_gold_class_of_an_edited_text_that_lits_panel_has_overwritten(model, dataset):
    row = edited(dataset.examples[0], text=TEXT) | {"_id": "of the edit"}
    assert gold_label(from_lits_panel(row, "positive"), dataset, model.labels) is None
    assert gold_label(from_lits_panel(row, "positive"), Dataset(), model.labels) is None


# ---- classes of the probes and of the model's own head


def test_classes_are_found_by_the_names_of_the_probes_and_of_the_head(named_alike):
    probe, head = (named_alike.forward(question_of({"explain": explained})) for explained in ("probe", "model"))
    for name, in_probe, in_head in (("negative", 0, 1), ("positive", 1, 0), ("POSITIVE", 1, 0), ("neutral", None, None)):
        assert (named_alike.class_index(probe, name), named_alike.class_index(head, name)) == (in_probe, in_head)


def test_classes_of_another_kind_are_not_taken_for_one_another(classifier):
    explainer = explainer_of(classifier)
    probe, head = (explainer.forward(question_of({"explain": explained})) for explained in ("probe", "model"))
    assert explainer.class_index(head, "positive") is None and explainer.class_index(probe, "class 1") is None
    assert explainer.class_index(head, "class 1") == 1


# ---- once


def test_what_is_asked_twice_is_computed_once(model, dataset, monkeypatch):
    calls = []

    def counted(*arguments):
        calls.append(arguments)
        return explain(*arguments)

    monkeypatch.setattr("lit_probe.lit.host.explaining.explain", counted)
    explainer = Explainer(model)

    def ask(method="occlusion", text=TEXT, **config):
        return explainer.explain(question_of(config), method, {"text": text}, dataset).scores

    first = ask()
    # The class by its name, an option that occlusion does not read, and the layer by its number are the same question.
    best = model.study.result().best_layer
    for same in ({"target": f"class:{first.class_name}"}, {"steps": 7}, {"layer": best}):
        assert ask(**same) is first
    assert len(calls) == 1
    other = next(layer for layer in range(4) if layer != best)
    for different in ({"scalar": "margin"}, {"replace": "unk"}, {"layer": other}, {"text": "fine"}, {"method": "lime"}):
        ask(**different)
    assert len(calls) == 6


def test_several_who_ask_at_once_wait_for_one_computation(model, dataset, monkeypatch):
    calls, started, go_on = [], threading.Event(), threading.Event()

    def slow(*arguments):
        calls.append(arguments)
        started.set()
        assert go_on.wait(20)
        return explain(*arguments)

    monkeypatch.setattr("lit_probe.lit.host.explaining.explain", slow)
    explainer, answers = Explainer(model), []

    def ask():
        answers.append(explainer.explain(question_of({}), "occlusion", {"text": TEXT}, dataset).scores)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert started.wait(20)
    go_on.set()
    for thread in threads:
        thread.join()
    assert len(calls) == 1 and len(answers) == 4 and all(answer is answers[0] for answer in answers)


def test_what_failed_is_tried_again(model, dataset, monkeypatch):
    def fail(*_):
        raise LitProbeError("not today")

    explainer = Explainer(model)
    with monkeypatch.context() as patched, pytest.raises(LitProbeError, match="not today"):
        patched.setattr("lit_probe.lit.host.explaining.explain", fail)
        explainer.explain(question_of({}), "occlusion", {"text": TEXT}, dataset)
    assert explainer.explain(question_of({}), "occlusion", {"text": TEXT}, dataset).scores.word_texts == tuple(TEXT.split())


def test_what_was_asked_long_ago_is_computed_anew(model, dataset, monkeypatch):
    monkeypatch.setattr("lit_probe.lit.host.explaining._MEMO_SIZE", 2)
    explainer = Explainer(model)

    def ask(text):
        return explainer.explain(question_of({}), "gradient_l2", {"text": text}, dataset).scores

    first, second = ask("fine"), ask("dull")
    assert ask("fine") is first
    third = ask("sad")
    assert ask("fine") is first and ask("sad") is third
    assert ask("dull") is not second


def test_a_model_that_is_gone_takes_its_maps_along(encoder):
    (model,) = models_of([computed(encoder, tiny_splits())])
    explainer = weakref.ref(explainer_of(model))
    assert explainer_of(model) is explainer()
    del model
    gc.collect()
    assert explainer() is None
