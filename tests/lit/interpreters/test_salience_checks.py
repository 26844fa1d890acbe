import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from lit_nlp.api.dataset import Dataset, IndexedDataset
from lit_nlp.components.pca import PCAModel
from lit_nlp.lib import caching, serialize
from tiny_probing import computed, edited, models_of, tiny_splits

from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.explaining import explainer_of, question_of
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.lit.interpreters.salience_checks import SALIENCE_CHECKS
from lit_probe.salience import SALIENCE_METHODS
from lit_probe.salience.salient_words import salient_words
from lit_probe.salience.trust.faithfulness import faithfulness
from lit_probe.salience.trust.stability import salience_stability

interpreter = INTERPRETERS["salience_checks"]
PATIENCE_S = 60
QUICK = ["gradient_l2", "input_x_gradient"]


def ask(model, dataset, *rows, **config):
    answer = interpreter.run(list(rows), model, dataset, config=config)
    return serialize.from_json(serialize.to_json(answer, simple=True, allow_nan=False))


def answer_of(model, dataset, *rows, **config):
    """The answer in the end, asked again and again as the panel does."""
    deadline = time.monotonic() + PATIENCE_S
    while (answer := ask(model, dataset, *rows, **config))["status"] == "computing":
        assert 0 <= answer["fraction"] <= 1 and answer["message"], answer
        assert time.monotonic() < deadline, answer
        time.sleep(0.01)
    return answer


def of_split(dataset, split):
    return [row for row in dataset.examples if row["probe_split"] == split]


@pytest.fixture
def forward(model):
    return explainer_of(model).forward(question_of({"layer": 2}))


def test_faithfulness_arrives_with_the_digits_of_the_library(model, dataset, forward):
    rows = of_split(dataset, "dev")[:6]
    texts, labels = [row["text"] for row in rows], [model.label_names.index(row["label"]) for row in rows]
    expected = faithfulness(forward, texts, labels, QUICK, seed=3).to_json()
    answer = answer_of(model, dataset, *rows, check="faithfulness", layer=2, methods=QUICK, seed=3)
    assert answer.items() >= (expected | {"status": "ready", "check": "faithfulness", "check_title": "Faithfulness"}).items()
    assert answer["scalar"] == "probability"
    assert answer["rows"] == {"ids": [row["_id"] for row in rows], "n_asked": 6, "source": "selection"}


def test_stability_arrives_with_the_digits_of_the_library(model, dataset, forward):
    rows = of_split(dataset, "dev")[:3]
    expected = salience_stability(forward, [row["text"] for row in rows], ["gradient_l2", "smoothgrad"], n_seeds=2).to_json()
    config = {"check": "stability", "layer": "2", "methods": ["gradient_l2", "smoothgrad"], "n_seeds": 2}
    assert answer_of(model, dataset, *rows, **config).items() >= (expected | {"status": "ready"}).items()


def test_salient_words_arrive_with_the_digits_of_the_library(model, dataset, forward):
    rows = of_split(dataset, "dev")[:12]
    expected = salient_words(forward, [row["text"] for row in rows], "input_x_gradient", min_count=3, top=5).to_json()
    config = {"check": "words", "layer": 2, "method": "input_x_gradient", "min_count": "3", "top": 5}
    assert answer_of(model, dataset, *rows, **config).items() >= (expected | {"status": "ready"}).items()


@pytest.mark.parametrize(("target", "named"), [("gold", "gold"), ("class:negative", "negative")])
def test_salient_words_of_the_gold_class_and_of_one_class(model, dataset, forward, target, named):
    rows = of_split(dataset, "dev")[:8]
    labels = [model.label_names.index(row["label"]) for row in rows]
    expected = salient_words(forward, [row["text"] for row in rows], "gradient_l2", target=named, labels=labels).to_json()
    answer = answer_of(model, dataset, *rows, check="words", layer=2, method="gradient_l2", target=target)
    assert answer.items() >= (expected | {"status": "ready"}).items()
    answer = answer_of(model, dataset, *rows, check="words", layer=2, method="gradient_l2", target="class:neutral")
    assert answer["status"] == "failed" and "'neutral' is no class of the probe at layer 2" in answer["message"]


def test_all_methods_are_judged_when_none_is_named(model, dataset):
    config = {"samples": 4, "steps": 2, "noise_samples": 2}
    answer = answer_of(model, dataset, *of_split(dataset, "dev")[:2], check="faithfulness", **config)
    assert [row["method"] for row in answer["methods"]] == list(SALIENCE_METHODS)


# ---- the rows


def test_without_a_selection_a_seeded_sample_of_the_shown_dev_rows_is_taken(model, dataset):
    def rows(**config):
        answer = answer_of(model, dataset, check="faithfulness", methods=QUICK[:1], **config)
        assert answer["rows"]["source"] == "dev" and answer["rows"]["n_asked"] == 40
        return answer["rows"]["ids"]

    dev = [row["_id"] for row in of_split(dataset, "dev")]
    first = rows(sample=6)
    assert len(first) == 6 and first == [identity for identity in dev if identity in first] and first == rows(sample=6)
    assert rows(sample=6, seed=1) != first
    labels = {row["_id"]: row["label"] for row in dataset.examples}
    assert abs(np.mean([labels[identity] == "positive" for identity in first]) - 0.5) < 0.2, "every label has its share"


def test_of_a_selection_that_is_too_large_a_sample_is_taken(model, dataset):
    rows = of_split(dataset, "test")
    answer = answer_of(model, dataset, *rows, check="faithfulness", methods=QUICK[:1], sample=4)
    assert answer["rows"]["n_asked"] == len(rows) == 36 and len(answer["rows"]["ids"]) == answer["n_texts"] == 4


def test_edited_rows_and_rows_without_a_label_are_looked_at_too(model, dataset):
    row = of_split(dataset, "dev")[0]
    edit = edited(row, text=row["text"] + " bad", label="")
    answer = answer_of(model, dataset, row, edit, check="faithfulness", methods=QUICK[:1])
    assert answer["n_texts"] == 2 and answer["rows"]["ids"] == [row["_id"], ""]


def test_it_says_how_many_rows_the_probes_were_fitted_on(model, dataset):
    rows = [*of_split(dataset, "dev")[:2], *of_split(dataset, "train")[:1]]
    answer = answer_of(model, dataset, *rows, check="faithfulness", methods=QUICK[:1])
    assert "1 of the 3 rows are train rows, which probes were fitted on." in answer["notes"]


def test_gold_classes_of_the_models_own_head_are_those_of_the_same_name(tiny_folder):
    (model,) = models_of([computed(load_encoder(str(tiny_folder(n_classes=3))), tiny_splits())])
    dataset = IndexedDataset(base=model.dataset)
    answer = answer_of(model, dataset, check="faithfulness", explain="model", methods=QUICK[:1], sample=4)
    assert answer["status"] == "ready" and answer["explained"] == "model"
    assert answer["macro_f1"]["mean"] is None, "the head's classes are not those of the rows"


# ---- in the background


def test_asking_does_not_wait_and_what_is_not_wanted_any_more_ends(encoder, monkeypatch):
    (model,) = models_of([computed(encoder, tiny_splits())])
    dataset = IndexedDataset(base=model.dataset)
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(*arguments, progress, **options):
        progress(1, 4)
        begun.set()
        assert go_on.wait(PATIENCE_S)
        try:
            progress(2, 4)
        finally:
            ended.set()
        return SimpleNamespace(to_json=lambda: {"notes": [], "methods": []})

    monkeypatch.setattr("lit_probe.lit.interpreters.salience_checks.faithfulness", slow)
    started = time.monotonic()
    first = ask(model, dataset, check="faithfulness")
    best = model.study.result().best_layer
    assert first["status"] == "computing" and time.monotonic() - started < 5
    assert first["message"].startswith(f"Faithfulness of the probe at layer {best} of tiny-bert-on-tiny: ")
    assert begun.wait(PATIENCE_S)
    assert ask(model, dataset, check="faithfulness", cancel=True)["status"] == "cancelled"
    go_on.set()
    assert ended.wait(PATIENCE_S)
    assert answer_of(model, dataset, check="faithfulness")["status"] == "ready"
    assert ask(model, dataset, check="faithfulness", cancel=True)["status"] == "ready", "there is nothing left to cancel"


def test_the_same_question_is_answered_once_and_another_one_anew(encoder, monkeypatch):
    (model,) = models_of([computed(encoder, tiny_splits())])
    dataset, asked = IndexedDataset(base=model.dataset), []

    def noted(forward, texts, labels, methods, options, *, scalar, seed, progress):
        asked.append((forward.layer, len(texts), tuple(methods), options, scalar))
        return SimpleNamespace(to_json=lambda: {"notes": []})

    monkeypatch.setattr("lit_probe.lit.interpreters.salience_checks.faithfulness", noted)
    best = model.study.result().best_layer
    for same in ({}, {"layer": best}, {"scalar": "probability"}, {"methods": list(SALIENCE_METHODS)}):
        answer_of(model, dataset, check="faithfulness", **same)
    assert len(asked) == 1
    others = ({"layer": (best + 1) % 4}, {"sample": 5}, {"methods": QUICK}, {"replace": "unk"}, {"scalar": "logit"}, {"seed": 1})
    for other in others:
        answer_of(model, dataset, check="faithfulness", **other)
    assert len(asked) == len(set(asked)) == 1 + len(others)


def test_what_cannot_be_computed_is_a_sentence(model, dataset):
    row = dataset.examples[0]
    for config, said in (({"layer": 9}, "Unknown layer 9"), ({"explain": "model"}, "no classification head")):
        answer = answer_of(model, dataset, row, check="faithfulness", **config)
        assert answer["status"] == "failed" and said in answer["message"]
    answer = answer_of(model, dataset, edited(row, text="awful"), check="faithfulness")
    assert answer["status"] == "failed" and "two words" in answer["message"]


def test_it_waits_for_the_probes(encoder):
    (model,) = models_of([PendingStudy(encoder, tiny_splits())])
    assert ask(model, model.dataset, check="stability")["status"] == "computing"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "'check' must be named"),
        ({"check": "truth"}, "Unknown check 'truth'. Choose one of: faithfulness, stability, words"),
        ({"check": "faithfulness", "method": "lime"}, "but not method"),
        ({"check": "faithfulness", "n_seeds": 3}, "but not n_seeds"),
        ({"check": "faithfulness", "target": "gold"}, "explains the predicted class"),
        ({"check": "faithfulness", "methods": "lime"}, "'methods' must be a list of names"),
        ({"check": "faithfulness", "methods": []}, "'methods' must be a list of names"),
        ({"check": "faithfulness", "methods": ["LIME"]}, "Unknown salience method 'LIME'"),
        ({"check": "faithfulness", "sample": 10**6}, "'sample' must be a whole number from 2 to 1,000"),
        ({"check": "stability", "n_seeds": 1}, "'n_seeds' must be a whole number from 2 to 20"),
        ({"check": "words", "method": "lime", "min_count": 1}, "'min_count' must be a whole number from 2 to 1,000"),
        ({"check": "words"}, "'method' must be named"),
        ({"check": "words", "method": "lime", "methods": ["lime"]}, "but not methods"),
    ],
)
def test_a_question_that_cannot_be_understood_is_refused(model, dataset, config, said):
    with pytest.raises(LitProbeError, match=said):
        interpreter.run([], model, dataset, config=config)


def test_it_offers_itself_for_our_models_only(model, dataset):
    assert interpreter.is_compatible(caching.CachingModelWrapper(model, "m"), dataset)
    assert not interpreter.is_compatible(PCAModel(n_components=2), Dataset())
    assert interpreter.config_spec()["check"].vocab == list(SALIENCE_CHECKS) and interpreter.meta_spec() == {}
