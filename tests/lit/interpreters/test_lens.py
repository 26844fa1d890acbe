"""The lens as the page asks for it."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from language_models import build_masked
from lit_nlp.api.dataset import IndexedDataset
from neuron_answers import PATIENCE_S, answer_of, ask, of_split
from tiny_decoders import build as build_decoder
from tiny_numbers import number_splits
from tiny_probing import LABELS, computed, edited, models_of, tiny_splits
from tiny_words import word_splits

from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.views.class_lens import class_lens
from lit_probe.views.lens import lens


def model_of(folder, splits=None):
    """A model whose probes nobody has fitted yet."""
    (model,) = models_of([PendingStudy(load_encoder(str(folder)), splits or tiny_splits())])
    return model, IndexedDataset(base=model.dataset)


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    return model_of(build_masked(tmp_path_factory.mktemp("masked") / "tiny-masked"))


@pytest.fixture(scope="module")
def classifier(tiny_folder):
    encoder = load_encoder(str(tiny_folder(n_classes=2)))
    encoder.checkpoint.config["id2label"] = dict(enumerate(LABELS))
    encoder.head_label_names = LABELS
    (model,) = models_of([computed(encoder, tiny_splits())])
    return model, IndexedDataset(base=model.dataset)


def test_which_lens_there_is_is_known_without_loading_anything(masked, classifier, model, dataset, tmp_path):
    about = ask("lens", *masked, part="about")
    assert about["status"] == "ready" and about["kind"] == "masked" and about["reason"] is None
    assert masked[0].encoder._loaded.model is None
    assert ask("lens", *classifier, part="about")["kind"] == "classes"
    assert ask("lens", *model_of(build_decoder(tmp_path / "one", "gpt2")), part="about")["kind"] == "next"
    none = ask("lens", model, dataset, part="about")
    assert none["kind"] is None and "Load a checkpoint that has a head" in none["reason"]


def test_tokens_are_read_before_there_are_probes_and_as_in_python(masked):
    model, dataset = masked
    row = of_split(dataset, "dev")[0]
    assert ask("lens", model, dataset, row, part="tokens")["status"] == "computing"
    answer = answer_of("lens", model, dataset, row, part="tokens", watch=["good", "☃"])
    wanted = lens(model.encoder, row["text"], watch=["good", "☃"]).to_json()
    [one] = answer["examples"]
    assert {**wanted, "text": row["text"], "aligned": None, "status": "ready", "examples": None, "part": "tokens"} == {
        **answer,
        **one,
        "examples": None,
    }
    assert one["watched"][1]["token"] is None and "cannot spell" in one["watched"][1]["note"]


def test_an_edit_stands_beside_its_original_token_by_token(masked):
    model, dataset = masked
    row = of_split(dataset, "dev")[0]
    other = edited(row, text="well " + row["text"])
    original, edit = answer_of("lens", model, dataset, row, other, part="tokens")["examples"]
    assert original["aligned"] is None and len(edit["aligned"]) == len(edit["tokens"])
    pairs = [(there, here) for here, there in enumerate(edit["aligned"]) if there is not None]
    assert all(original["tokens"][there] == edit["tokens"][here] for there, here in pairs)
    assert len(pairs) == len(original["tokens"]) and edit["aligned"].count(None) == len(edit["tokens"]) - len(pairs) > 0


def test_classes_by_layer_end_in_the_models_answer(classifier):
    model, dataset = classifier
    row = of_split(dataset, "dev")[0]
    answer = answer_of("lens", model, dataset, row, edited(row, text="dull"), part="classes")
    assert answer["label_names"] == list(LABELS) and len(answer["examples"]) == 2
    own = model.study.result().activations["dev"].head_probabilities[0]
    np.testing.assert_allclose(answer["examples"][0]["probabilities"][-1], own, rtol=1e-4)


def test_the_curve_is_that_of_python(classifier):
    model, dataset = classifier
    answer = answer_of("lens", model, dataset, part="curve")
    wanted = class_lens(model.study.result()).to_json()
    assert {name: answer[name] for name in wanted} == wanted


def test_what_an_encoder_has_no_head_for_is_told_in_a_sentence(masked, classifier, model, dataset):
    row = of_split(dataset, "dev")[0]
    no_head = answer_of("lens", model, dataset, row, part="tokens")
    assert no_head["status"] == "failed" and "Load a checkpoint that has a head" in no_head["message"]
    assert "no classification head" in answer_of("lens", model, dataset, row, part="classes")["message"]
    assert "no classification head" in answer_of("lens", model, dataset, part="curve")["message"]
    assert "Ask class_lens" in answer_of("lens", *classifier, row, part="tokens")["message"]


def test_other_classes_than_the_datas_are_told(tiny_folder):
    encoder = load_encoder(str(tiny_folder("roberta", n_classes=3)))
    (model,) = models_of([computed(encoder, tiny_splits())])
    answer = answer_of("lens", model, IndexedDataset(base=model.dataset), part="curve")
    assert answer["status"] == "failed" and "they cannot be compared" in answer["message"]
    assert ask("lens", model, IndexedDataset(base=model.dataset), part="about")["no_curve"] == answer["message"]


def test_a_head_has_no_scores_where_a_number_is_asked_for_and_its_classes_of_a_text_are_told(tiny_folder):
    model, dataset = model_of(tiny_folder(n_classes=2), number_splits())
    about = ask("lens", model, dataset, part="about")
    assert about["kind"] == "classes" and "asks for a number, so there is no score of it by layer" in about["no_curve"]


def test_matching_classes_have_a_curve(classifier):
    assert ask("lens", *classifier, part="about")["no_curve"] is None


def test_a_text_without_tokens_is_told_and_the_next_one_is_read(masked):
    model, dataset = masked
    row = of_split(dataset, "dev")[0]
    assert "The text is empty" in answer_of("lens", model, dataset, {**row, "text": ""}, part="tokens")["message"]
    assert answer_of("lens", model, dataset, {**row, "text": "dull"}, part="tokens")["status"] == "ready"


@pytest.mark.parametrize("watch", ["good", 3, [1], {"good": 1}])
def test_words_are_a_list(masked, watch):
    with pytest.raises(LitProbeError, match="lists words"):
        ask("lens", *masked, masked[1].examples[0], part="tokens", watch=watch)


def test_too_many_words_and_texts_are_told(masked):
    rows = of_split(masked[1], "dev")[:3]
    assert "5 words can be watched" in answer_of("lens", *masked, rows[0], part="tokens", watch=list("abcdef"))["message"]
    assert "3 were sent" in answer_of("lens", *masked, *rows, part="tokens")["message"]
    assert "0 were sent" in answer_of("lens", *masked, part="tokens")["message"]


def test_tokens_of_sentences_whose_words_are_probed_are_read_and_their_classes_not(tmp_path):
    model, dataset = model_of(build_masked(tmp_path / "words"), word_splits())
    row = of_split(dataset, "dev")[0]
    [one] = answer_of("lens", model, dataset, row, part="tokens")["examples"]
    assert one["tokens"][1:3] == row["words"][:2]
    assert ask("lens", model, dataset, row, part="classes")["status"] == "failed"


@pytest.mark.parametrize("part", ["tokens", "curve"])
def test_what_is_cancelled_ends_and_may_be_asked_again(masked, classifier, part):
    (first, dataset), rows = (masked, 1) if part == "tokens" else (classifier, 0)
    model, inputs = models_of([first.study])[0], of_split(dataset, "dev")[5 : 5 + rows]
    go_on = threading.Event()
    for quick in (True, False):
        model.checks.ask(("before", quick), "Something else", lambda _: {"waited": go_on.wait(PATIENCE_S)}, quick=quick)
    assert ask("lens", model, dataset, *inputs, part=part)["status"] == "computing"
    assert ask("lens", model, dataset, *inputs, part=part, cancel=True)["status"] == "cancelled"
    go_on.set()
    assert answer_of("lens", model, dataset, *inputs, part=part)["status"] == "ready"
