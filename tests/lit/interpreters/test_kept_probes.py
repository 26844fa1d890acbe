"""Probes as a file from the page, and such a file on the page: scores without rows of training, and a class for each example."""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np
import pytest
from foreign_lit import Page, Planted, Sentences, lit_with
from neuron_answers import answer_of, ask, of_split
from tiny_probing import LABELS, computed, edited, models_of, tiny_splits

import lit_probe.lit
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError, ProbeError
from lit_probe.lit.interpreters.kept_probes import MAX_CLASSES, MAX_FILE
from lit_probe.probing.kept_probe import kept_probe
from lit_probe.probing.probe_file import probe_bytes, read_probe
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import probe_layers
from lit_probe.scores.decision import Decision


def sent(study, layer=None) -> str:
    return base64.b64encode(probe_bytes(kept_probe(study, layer))).decode()


def renamed(splits, names):
    return replace(splits, **{name: replace(rows, label_names=names) for name, rows in splits.items()})


def whole(model, file, **config):
    return answer_of("kept_probe", model, model.dataset, file=file, whole=True, **config)


def by_split(answer) -> dict:
    return {one["split"]: one for one in answer["series"]}


def test_the_file_from_the_page_is_that_of_the_library_and_gives_the_pages_own_scores(model):
    answer = answer_of("probe_file", model, model.dataset)
    assert answer["name"] == "probes_tiny-bert-on-tiny.safetensors"
    assert base64.b64decode(answer["file"]) == probe_bytes(kept_probe(model.study.result()))
    own = by_split(answer_of("layer_metrics", model, model.dataset, whole=True))
    found = by_split(scores := whole(model, answer["file"]))
    assert found["dev"]["layers"] == own["dev"]["layers"] and found["dev"]["n"] == own["dev"]["n"]
    best = model.study.result().best_layer
    assert found["test"]["layers"] == [own["test"]["layers"][best]]
    assert (scores["n_trained_on"], scores["layer"], scores["same_classes"]) == (0, best, True)
    assert scores["title"] == "logistic probes of tiny-bert trained on tiny" and scores["n_train"] == 80


def test_rows_that_it_was_trained_on_are_left_out_and_counted(models):
    other, model = models
    kept = read_probe(base64.b64decode(sent(other.study.result())), "it")
    dev, test = model.dataset.splits.dev, model.dataset.splits.test
    seen = {"dev": kept.in_training(dev.texts), "test": kept.in_training(test.texts)}
    assert seen["dev"].any() or seen["test"].any(), "the data sets overlap"
    answer = whole(model, sent(other.study.result()))
    assert answer["n_trained_on"] == seen["dev"].sum() + seen["test"].sum()
    found = by_split(answer)
    for name, rows in (("dev", dev), ("test", test)):
        new = np.flatnonzero(~seen[name])
        assert (found[name]["n"] if name in found else 0) == len(new)
        if name in found:
            expected = kept.predict([rows.texts[row] for row in new], model.encoder)
            right = np.mean(expected.classes == rows.labels[new])
            [score] = [one["score"] for one in found[name]["layers"] if one["layer"] == kept.layer]
            assert score == pytest.approx(right)


def test_a_selection_is_scored_alone_and_edits_never(model, dataset):
    rows = of_split(dataset, "dev")[:12]
    file = sent(model.study.result())
    answer = answer_of("kept_probe", model, dataset, *rows, edited(rows[0], text="the film was fine"), file=file)
    assert by_split(answer)["dev"]["n"] == 12 and answer["left_out"]["edited"] == 1
    train = answer_of("kept_probe", model, dataset, *of_split(dataset, "train")[:5], file=file)
    assert train["series"] == [] and train["left_out"]["train"] == 5


def test_every_example_gets_a_class_edits_too(model, dataset):
    rows = [*of_split(dataset, "train")[:3], *of_split(dataset, "dev")[:3]]
    rows += [edited(rows[0], text="the film was great and fast")]
    kept = kept_probe(model.study.result())
    answer = answer_of("kept_probe", model, dataset, *rows, file=sent(model.study.result()), part="classes")
    assert answer["classes"] == kept.predict([row["text"] for row in rows], model.encoder).labels
    assert answer["vocabulary"] == list(LABELS) and answer["layer"] == kept.layer
    assert answer_of("kept_probe", model, dataset, file=sent(model.study.result()), part="classes")["classes"] == []


def test_one_layer_is_scored_at_that_layer(model):
    answer = whole(model, sent(model.study.result(), layer=2))
    assert (answer["layers"], answer["layer"]) == ([2], 2)
    assert all([one["layer"] for one in series["layers"]] == [2] for series in answer["series"])


def test_classes_in_another_order_are_the_same_classes(encoder, model):
    turned = probe_layers(encoder, tiny_splits(label_names=LABELS[::-1]), rules=StudyRules(decision="prior"))
    found = by_split(whole(model, sent(turned), metric="recall:positive"))["dev"]
    expected = kept_probe(turned).predict(model.dataset.splits.dev.texts, encoder)
    positive = model.dataset.splits.dev.labels == LABELS.index("positive")
    right = np.array([label == "positive" for label in expected.labels])[positive].mean()
    [score] = [one["score"] for one in found["layers"] if one["layer"] == turned.best_layer]
    assert score == pytest.approx(right)


def test_other_classes_are_predicted_and_not_scored(encoder, model, dataset):
    other = probe_layers(encoder, renamed(tiny_splits(), ("negative", "<img src=x onerror=alert(1)>")))
    answer = whole(model, sent(other))
    assert answer["series"] == [] and not answer["same_classes"]
    [note] = answer["notes"]
    assert note.startswith("They tell negative, ‹img src=x onerror=alert(1)› apart, and the rows here are negative, positive: ")
    classes = answer_of("kept_probe", model, dataset, *of_split(dataset, "dev"), file=sent(other), part="classes")
    assert set(classes["classes"]) <= set(classes["vocabulary"]) == {"negative", "‹img src=x onerror=alert(1)›"}


def test_probes_of_another_encoder_pooling_or_length_are_refused_in_one_sentence(model, tiny_folder, encoder):
    others = {
        "another config and weights": load_encoder(str(tiny_folder("distilbert"))),
        "max_length 32 there and 64 here": load_encoder(str(tiny_folder()), max_length=32),
    }
    for said, other in others.items():
        answer = whole(model, sent(probe_layers(other, tiny_splits())))
        assert answer["status"] == "failed" and said in answer["message"] and "\n" not in answer["message"]
    answer = whole(model, sent(probe_layers(encoder, tiny_splits(), pooling="cls")))
    assert "cls pooling there and mean pooling here" in answer["message"]
    again = whole(model, sent(model.study.result()))
    assert again["status"] == "ready", "nothing is left behind"


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (None, "must be a file of probes in base64"),
        (7, "must be a file of probes in base64"),
        ("é", "must be a file of probes in base64"),
        ("a", "must be a file of probes in base64"),
        ("", "The file is empty"),
        (base64.b64encode(b"text,label\n").decode(), "The file is no safetensors file"),
        (base64.b64encode((10**9).to_bytes(8, "little") + b"{}").decode(), "The file is no safetensors file"),
    ],
)
def test_what_is_no_file_of_probes_is_refused(model, dataset, file, said):
    with pytest.raises(LitProbeError, match=said):
        ask("kept_probe", model, dataset, file=file)


def test_what_is_too_large_is_refused_unread(model, dataset):
    with pytest.raises(LitProbeError, match=r"larger than the 16 MiB that the page takes\. Use lit-probe predict"):
        ask("kept_probe", model, dataset, file="A" * (4 * (MAX_FILE // 3 + 2)))


def test_probes_of_very_many_classes_are_refused_here(model, dataset):
    kept, n_classes = kept_probe(model.study.result()), MAX_CLASSES + 1
    pairs = (np.zeros((n_classes, kept.probes[0].d_model)), np.zeros(n_classes))
    probes = tuple(replace(one, classes_=np.arange(n_classes), layers=(pairs,)) for one in kept.probes)
    facts = replace(kept.facts, label_names=tuple(map(str, range(n_classes))), decision=Decision())
    file = base64.b64encode(probe_bytes(replace(kept, probes=probes, facts=facts))).decode()
    with pytest.raises(ProbeError, match=r"tell 1,001 classes apart, and the page takes at most 1,000\. Use lit-probe predict\."):
        ask("kept_probe", model, dataset, file=file)


def test_long_lists_of_other_classes_are_cut_in_the_note(encoder, model):
    splits = tiny_splits()
    names = tuple(f"class {index:03d}" for index in range(200))
    kept = kept_probe(probe_layers(encoder, splits))
    pairs = (np.zeros((200, kept.probes[0].d_model)), np.zeros(200))
    probes = tuple(replace(one, classes_=np.arange(200), layers=(pairs,)) for one in kept.probes)
    kept = replace(kept, probes=probes, facts=replace(kept.facts, label_names=names, decision=Decision()))
    [note] = whole(model, base64.b64encode(probe_bytes(kept)).decode())["notes"]
    assert note.startswith(
        "They tell class 000, class 001, class 002, class 003, class 004, … (200 classes) apart, and the rows here "
    )


def test_a_probe_that_makes_no_numbers_is_told(model):
    kept = read_probe(probe_bytes(kept_probe(model.study.result())), "it")
    large = [
        replace(one, layers=((np.full_like(one.layers[0][0], 1e308) * [[1], [-1]], one.layers[0][1]),)) for one in kept.probes
    ]
    kept = replace(kept, probes=tuple(large))
    answer = whole(model, base64.b64encode(probe_bytes(kept)).decode())
    assert answer["status"] == "failed" and "gives no finite probabilities" in answer["message"]


def test_vectors_of_a_model_that_is_not_ours_are_read_until_its_server_ends():
    def page():
        return Page(lit_probe.lit.attach(lit_with({"mine": Planted()}, {"data": Sentences()}), guard=False))

    served = page()
    file = served.ask("probe_file")["file"]
    assert by_split(served.ask("kept_probe", file=file, whole=True))["dev"]["n"] > 0
    refused = page().ask("kept_probe", file=file, whole=True)
    assert refused["status"] == "failed" and "other vectors, or those of a model that was loaded anew" in refused["message"]
    assert "predict_vectors(values)" in refused["message"]


def test_a_model_of_a_lone_study_takes_its_own_file(encoder):
    [model] = models_of([computed(encoder, tiny_splits("alone"), probe="mlp")])
    assert whole(model, answer_of("probe_file", model, model.dataset)["file"])["probe"] == "mlp"
