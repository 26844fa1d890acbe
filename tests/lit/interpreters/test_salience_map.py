import threading
import time

import numpy as np
import pytest
from lit_nlp.api.dataset import Dataset
from lit_nlp.components.pca import PCAModel
from lit_nlp.lib import caching, serialize
from tiny_probing import computed, edited, models_of, tiny_splits

from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.explaining import explainer_of, question_of
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.lit.interpreters.salience import salience_rows
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions, explain

interpreter = INTERPRETERS["salience_map"]
TEXT = "the qq was awful"
LONG = "the story was awful and the film was dull " * 8
PATIENCE_S = 60


def ask(model, dataset, *examples, **config):
    answer = interpreter.run(list(examples), model, dataset, config=config)
    return serialize.from_json(serialize.to_json(answer, simple=True, allow_nan=False))


@pytest.mark.parametrize("method", SALIENCE_METHODS)
def test_every_method_arrives_with_the_digits_of_the_library(model, dataset, method):
    answer = ask(model, dataset, {"text": TEXT}, method=method, layer=2)
    expected = explain(explainer_of(model).forward(question_of({"layer": 2})), TEXT, method)
    assert answer["status"] == "ready" and answer["title"] == SALIENCE_METHODS[method].title
    for key, value in expected.to_json().items():
        assert answer[key] == value, key
    assert answer["layer"] == 2 and answer["explained"] == "probe at layer 2"
    assert answer["class_names"] == ["negative", "positive"] and answer["predicted_class"] == answer["class_name"]
    words, scores = expected.by_word()
    how = "sum" if expected.signed else "l2"
    assert answer["by_word"] == {"how": how, "words": list(words), "scores": scores.tolist()}
    assert len(words) == 4 < len(answer["tokens"]) - 2


def test_the_largest_token_can_stand_for_its_word(model, dataset):
    answer = ask(model, dataset, {"text": TEXT}, method="gradient_l2", aggregation="max")
    tokens = [score for score, word in zip(answer["scores"], answer["words"], strict=True) if word == 1]
    assert answer["by_word"]["scores"][1] == max(tokens)


def test_gold_is_the_rows_label_and_an_edits_own(model, dataset):
    row = dataset.examples[0]
    other = next(name for name in model.label_names if name != row["label"])
    assert ask(model, dataset, row, method="occlusion", target="gold")["class_name"] == row["label"]
    assert ask(model, dataset, edited(row, label=other), method="occlusion", target="gold")["class_name"] == other
    assert ask(model, dataset, {"text": TEXT}, method="occlusion")["gold"] is None


def test_the_panel_and_lits_rows_compute_nothing_twice(model, dataset, monkeypatch):
    text = "nobody has asked for this before"
    first = ask(model, dataset, {"text": text}, method="lime")
    explainer = explainer_of(model)
    explainer.baseline_line(explainer.plan(question_of({}), "lime", {"text": text}, dataset), "sum")
    monkeypatch.setattr("lit_probe.lit.host.explaining.explain", None)
    (row,) = salience_rows([model])["LIME"].run([{"text": text}], model, dataset)
    assert next(iter(row.values())).tokens == first["tokens"]
    assert ask(model, dataset, {"text": text}, method="lime") == first


def test_a_text_over_the_limit_names_the_words_beyond_it(tiny_folder):
    (model,) = models_of([computed(load_encoder(str(tiny_folder()), max_length=8), tiny_splits())])
    answer = ask(model, model.dataset, {"text": "the film was very good and it was not slow"}, method="input_x_gradient")
    assert answer["words_beyond_limit"] == ["it", "was", "not", "slow"] and answer["status"] == "ready"


def test_a_class_name_with_brackets_is_shown_with_others(encoder):
    (model,) = models_of([computed(encoder, tiny_splits(label_names=("negative", "<b>positive</b>")))])
    answer = ask(model, model.dataset, {"text": TEXT}, method="occlusion", target="class:‹b›positive‹/b›")
    assert answer["class_name"] == "‹b›positive‹/b›" == answer["class_names"][1]


@pytest.mark.parametrize(
    ("text", "config", "said"),
    [
        ("", {}, "The text has no word to explain."),
        (TEXT, {"layer": 99}, "Unknown layer 99"),
        (TEXT, {"explain": "model"}, "no classification head"),
        (TEXT, {"target": "class:<b>"}, "'‹b›' is no class of the probe"),
        (TEXT, {"target": "gold"}, "gold label"),
        (None, {}, "needs a string"),
    ],
)
def test_why_there_is_no_map_is_a_message(model, dataset, text, config, said):
    answer = ask(model, dataset, {"text": text}, method="lime", **config)
    assert answer["status"] == "failed" and said in answer["message"] and set(answer) == {"status", "message"}


def until_ready(model, dataset, *examples, **config):
    deadline, fractions = time.monotonic() + PATIENCE_S, []
    while (answer := ask(model, dataset, *examples, **config))["status"] == "computing":
        fractions.append(answer["fraction"])
        assert time.monotonic() < deadline, answer
        time.sleep(0.01)
    return answer, fractions


@pytest.mark.parametrize("method", ["lime", "integrated_gradients"])
def test_a_map_that_takes_long_is_made_in_the_background_and_says_how_far_it_is(model, dataset, method):
    config = {"method": method, "layer": 3, "samples": 200, "steps": 200}
    started = time.monotonic()
    first = ask(model, dataset, {"text": LONG}, **config)
    assert first["status"] == "computing" and time.monotonic() - started < 2
    assert first["message"].startswith(f"{SALIENCE_METHODS[method].title} for the probe at layer 3 of tiny-bert-on-tiny: ")
    answer, fractions = until_ready(model, dataset, {"text": LONG}, **config)
    assert answer["status"] == "ready" and fractions == sorted(fractions) and all(0 <= one <= 1 for one in fractions)
    options = SalienceOptions(samples=200, steps=200)
    expected = explain(explainer_of(model).forward(question_of({"layer": 3})), LONG, method, options=options)
    np.testing.assert_allclose(answer["scores"], expected.scores)
    assert ask(model, dataset, {"text": LONG}, **config, aggregation="max")["status"] == "ready", "no second computation"


def test_it_can_be_cancelled_before_its_next_pass(model, dataset, monkeypatch):
    begun, ended, go_on = threading.Event(), threading.Event(), threading.Event()

    def slow(forward, text, method, target, options, check):
        begun.set()
        assert go_on.wait(PATIENCE_S)
        try:
            check()
        finally:
            ended.set()
        return explain(forward, text, method, target, options, check)

    config = {"method": "lime", "layer": 1}
    with monkeypatch.context() as patched:
        patched.setattr("lit_probe.lit.host.explaining.explain", slow)
        assert ask(model, dataset, {"text": LONG}, **config)["status"] == "computing"
        assert begun.wait(PATIENCE_S)
        assert ask(model, dataset, {"text": LONG}, **config, cancel=True)["status"] == "cancelled"
        go_on.set()
        assert ended.wait(PATIENCE_S)
    answer, _ = until_ready(model, dataset, {"text": LONG}, **config)
    assert answer["status"] == "ready"
    assert ask(model, dataset, {"text": LONG}, **config, cancel=True)["status"] == "ready", "there is nothing left to cancel"


def test_it_says_when_it_has_to_wait_and_that_the_model_itself_need_not(tiny_folder):
    study = PendingStudy(load_encoder(str(tiny_folder(n_classes=3))), tiny_splits())
    (model,) = models_of([study])
    study.report("Encoding tiny train", 20, 80, "texts")
    waiting = {"status": "computing", "message": "Encoding tiny train: 20 of 80 texts", "fraction": 0.25}
    assert ask(model, model.dataset, {"text": TEXT}, method="lime") == waiting
    answer = ask(model, model.dataset, {"text": TEXT}, method="lime", explain="model")
    assert answer["status"] == "ready" and answer["layer"] is None and answer["class_names"] == ["class 0", "class 1", "class 2"]

    def fail(progress):
        raise LitProbeError("no probes today")

    study.compute(fail)
    answer = ask(model, model.dataset, {"text": TEXT}, method="lime")
    assert answer["status"] == "failed" and "no probes today" in answer["message"]


@pytest.mark.parametrize(
    ("n_examples", "config", "said"),
    [
        (1, {}, "'method' must be named"),
        (1, {"method": "LIME"}, "Unknown method 'LIME'. Choose one of: attention_rollout, gradient_l2, "),
        (1, {"method": "lime", "aggregation": "l2"}, "Unknown aggregation 'l2'"),
        (1, {"method": "lime", "shwo": "words"}, "but not shwo"),
        (0, {"method": "lime"}, "one example at a time; 0 were sent"),
        (2, {"method": "lime"}, "one example at a time; 2 were sent"),
    ],
)
def test_a_question_that_cannot_be_understood_is_refused(model, dataset, n_examples, config, said):
    with pytest.raises(LitProbeError, match=said):
        ask(model, dataset, *[{"text": TEXT}] * n_examples, **config)


def test_it_offers_itself_for_our_models_only(model, dataset):
    assert interpreter.is_compatible(caching.CachingModelWrapper(model, "m"), dataset)
    assert not interpreter.is_compatible(PCAModel(n_components=2), Dataset())
    assert interpreter.config_spec()["method"].vocab == list(SALIENCE_METHODS) and interpreter.meta_spec() == {}
    assert np.all([len(method.title) < 36 for method in SALIENCE_METHODS.values()])
