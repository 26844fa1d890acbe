"""A data set of words in LIT: sentences with tags, a tag for each word, and a sentence from whatever is about texts alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
from lit_nlp.api import types
from lit_nlp.api.dataset import IndexedDataset
from lit_nlp.lib import serialize
from neuron_answers import answer_of
from panel_questions import CHECKS
from tiny_probing import computed, edited, models_of, tiny_splits
from tiny_words import TAGS, tagged_file, word_splits

from lit_probe.data import load_dataset
from lit_probe.data.asked import WORD
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError, UnservedError
from lit_probe.lit.app import AppOptions, assemble
from lit_probe.lit.generators import generators_for
from lit_probe.lit.host import fields
from lit_probe.lit.host.asked_rows import rows_of
from lit_probe.lit.host.metrics import LIT_METRICS
from lit_probe.lit.host.model import probe_model
from lit_probe.lit.host.row_selection import HELD_OUT
from lit_probe.lit.host.word_dataset import WordDataset
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.lit.interpreters.salience import salience_rows
from lit_probe.lit.notebook import ProbeWidget
from lit_probe.lit.plugin import ProbeModel as PluginModel
from lit_probe.neurons.effects.ablation import Ablation, ablate
from lit_probe.neurons.effects.curve import ablation_curve

# What each question that is about texts has to say.
ABOUT_TEXTS: dict[str, dict[str, object]] = {
    "layer_predictions": {},
    "concept_map": {},
    "slice_comparison": {"slices": []},
    "transfer": {},
    "probe_file": {},
    "kept_probe": {"file": ""},
    "salience_methods": {},
    "salience_map": {"method": "gradient_l2"},
    "salience_baselines": {"method": "integrated_gradients"},
    "salience_checks": {"check": "words", "method": "gradient_l2"},
    "counterfactual_by_layer": {"part": "trajectory"},
    "counterfactual_pairs": {"source": "sent"},
    "projections": {},
}


@pytest.fixture(scope="module")
def splits():
    return word_splits()


@pytest.fixture(scope="module")
def shown(word_dataset) -> IndexedDataset:
    return word_dataset


def dev_sentence(shown, at_least: int = 5):
    return next(one for one in shown.examples if one[fields.SPLIT] == "dev" and len(one[fields.WORDS]) >= at_least)


def test_each_question_says_whether_it_is_about_words():
    assert set(ABOUT_TEXTS) == {name for name, one in INTERPRETERS.items() if WORD not in one.units}


def test_examples_are_sentences_with_their_words_and_tags(word_model, splits):
    examples, spec = word_model.dataset.examples, word_model.dataset.spec()
    assert isinstance(spec["words"], types.Tokens) and isinstance(spec["tags"], types.SequenceTags)
    assert spec["tags"].align == "words"
    assert [one["text"] for one in examples if one["probe_split"] == "dev"] == list(splits.dev.whole_texts)
    for one in examples:
        assert one["words"] == one["text"].split() and len(one["tags"]) == len(one["words"])
        for word, tag in zip(one["words"], one["tags"], strict=True):
            assert word in TAGS[tag]
    assert any("_" in one["tags"] for one in examples)


def test_a_tag_that_is_called_like_no_tag_has_another_name(tmp_path):
    file = tagged_file(tmp_path)
    file.write_text(file.read_text("utf-8").replace("\tDET\t", "\t__\t"), "utf-8")
    names = WordDataset(load_dataset("conllu", str(file))).label_names
    assert len(set(names)) == 3 and fields.NO_TAG not in names


def test_the_model_gives_each_word_the_tag_of_the_dev_chosen_layer(word_model, shown):
    assert word_model.is_compatible_with_dataset(word_model.dataset)
    study, dev = word_model.study.result(), [one for one in shown.examples if one["probe_split"] == "dev"]
    predictions = word_model.predict(dev)
    said = [tag for one in predictions for tag in one["predicted_tags"] if tag != fields.NO_TAG]
    names = word_model.label_names
    expected = study.decision.classes(study.probabilities("dev")[:, study.best_layer])
    assert said == [names[tag] for tag in expected]
    for example, one in zip(dev, predictions, strict=True):
        assert one["read_words"] == example["words"]
        assert [tag == "_" for tag in one["predicted_tags"]] == [tag == "_" for tag in example["tags"]]


def test_an_edited_sentence_keeps_the_tags_of_the_words_that_stay(word_model, shown):
    example = dev_sentence(shown)
    words = example["words"]
    edit = edited(example, text=" ".join(["unknown", *words[:2], "other", *words[3:]]))
    sentence = word_model.sentence_of(edit)
    assert list(sentence.forms) == ["unknown", *words[:2], "other", *words[3:]]
    kept = [None if tag is None else word_model.label_names[tag] for tag in sentence.tags]
    before = [None if tag == "_" else tag for tag in example["tags"]]
    assert kept == [None, *before[:2], None, *before[3:]]
    assert sentence.split is None
    (prediction,) = word_model.predict([edit])
    assert len(prediction["predicted_tags"]) == len(words) + 1 and "_" not in prediction["predicted_tags"]


@pytest.mark.parametrize("text", ["", "   ", "films", "Don't!", "\u200b", "日本語 film", "x" * 3000])
def test_any_text_is_read(word_model, text):
    (prediction,) = word_model.predict([{"text": text}])
    assert len(prediction["read_words"]) == len(prediction["predicted_tags"])


@pytest.mark.parametrize("words", [None, "film", 3, ["film", 3, None], [], {"a": 1}])
def test_any_words_beside_a_text_are_taken(word_model, words):
    (prediction,) = word_model.predict([{"text": "the film", "words": words}])
    assert prediction["read_words"] == ["the", "film"]


def test_the_curve_is_the_studys(word_model, shown):
    answer = answer_of("layer_metrics", word_model, shown, whole=True)
    study = word_model.study.result()
    dev = next(one for one in answer["series"] if one["split"] == "dev")
    expected = study.metrics("dev").scores[study.headline]
    assert [one["score"] for one in dev["layers"]] == [one.value for one in expected]
    assert [one["low"] for one in dev["layers"]] == [one.low for one in expected]
    assert answer["unit"] == "word" and dev["n"] == len(study.splits.dev)


def test_the_curve_of_selected_sentences_is_about_their_words(word_model, shown):
    some = [one for one in shown.examples if one["probe_split"] == "dev"][:6]
    answer = answer_of("layer_metrics", word_model, shown, *some)
    (series,) = answer["series"]
    assert series["n"] == sum(tag != "_" for one in some for tag in one["tags"])
    everything = rows_of(list(shown.examples), word_model, word_model.dataset, HELD_OUT, whole=False).by_split
    whole = rows_of([], word_model, word_model.dataset, HELD_OUT, whole=True).by_split
    for split, rows in whole.items():
        assert everything[split].texts == rows.texts and everything[split].labels.tolist() == rows.labels.tolist()


def test_edited_sentences_are_counted_and_not_scored(word_model, shown):
    some = [one for one in shown.examples if one["probe_split"] == "dev"][:6]
    edits = [edited(some[0]), {**some[0], "probe_split": "test"}, edited(some[0], text="a film")]
    answer = answer_of("layer_metrics", word_model, shown, *some, *edits)
    assert (
        answer["left_out"]["edited"] == 3 and answer["series"] == answer_of("layer_metrics", word_model, shown, *some)["series"]
    )


def test_words_that_are_cut_off_are_neither_tagged_nor_scored(splits, tiny_folder):
    (short,) = models_of([computed(load_encoder(str(tiny_folder()), device="cpu", max_length=7), splits)])
    shown = IndexedDataset(base=short.dataset)
    example = dev_sentence(shown, 8)
    answer = answer_of("words_by_layer", short, shown, example)
    read = [word["read"] for word in answer["examples"][0]["words"]]
    assert read == [place < 5 for place in range(len(read))]
    (prediction,) = short.predict([example])
    assert prediction["predicted_tags"][5:] == ["_"] * (len(read) - 5)
    series = next(one for one in answer_of("layer_metrics", short, shown, whole=True)["series"] if one["split"] == "dev")
    assert series["n"] == len(short.study.result().splits.dev) < len(splits.dev)


def test_words_by_layer_holds_the_studys_numbers(word_model, shown):
    example = dev_sentence(shown)
    answer = answer_of("words_by_layer", word_model, shown, example)
    study, (sentence,) = word_model.study.result(), answer["examples"]
    rows = [row for row, text in enumerate(study.splits.dev.texts) if text == example["text"]]
    tagged = [word for word in sentence["words"] if word["tag"] is not None]
    probabilities, labels = study.probabilities("dev")[rows], study.splits.dev.labels[rows]
    assert [word["tag"] for word in tagged] == labels.tolist()
    for word, of_word, label in zip(tagged, probabilities, labels, strict=True):
        assert word["probability"] == of_word[:, label].tolist() and word["certainty"] == of_word.max(axis=1).tolist()
    untagged = [word for word in sentence["words"] if word["tag"] is None]
    assert all(word["probability"] is None and len(word["predicted"]) == answer["n_layers"] for word in untagged)
    assert answer["best_layer"] == study.best_layer and sentence["aligned"] is None and sentence["split"] == "dev"


def test_an_edit_stands_beside_its_parent_word_by_word(word_model, shown):
    example = dev_sentence(shown)
    words = example["words"]
    edit = edited(example, text=" ".join(["really", *words]))
    answer = answer_of("words_by_layer", word_model, shown, example, edit)
    assert answer["examples"][1]["aligned"] == [None, *range(len(words))] and answer["examples"][1]["split"] is None
    with pytest.raises(LitProbeError, match="2 sentences at most"):
        answer_of("words_by_layer", word_model, shown, example, edit, edit)


@pytest.mark.parametrize("name", ABOUT_TEXTS)
def test_what_is_about_texts_says_so_in_one_sentence(name, model, word_model, shown):
    values = ABOUT_TEXTS[name]
    if name == "kept_probe":
        values = {"file": answer_of("probe_file", model, model.dataset)["file"]}
    answer = answer_of(name, word_model, shown, **values)
    assert answer["status"] == "failed"
    assert answer["message"] == "This is about texts; the rows of this data set are words."


@pytest.mark.parametrize("name", CHECKS)
def test_checks_answer_or_say_that_they_are_about_texts(name, word_model, shown):
    answer = answer_of("probe_checks", word_model, shown, check=name)
    if name == "agreement":
        assert answer["status"] == "failed" and answer["message"].endswith("is about texts; the rows of this data set are words.")
    else:
        assert answer["status"] == "ready"
    if name == "selectivity":
        assert answer["control"] == "word_type"


def test_the_other_questions_answer(word_model, shown):
    rows = [one for one in shown.examples if one["probe_split"] == "dev"][:3]
    assert answer_of("row_splits", word_model, shown, *rows)["splits"] == ["dev"] * 3
    card = answer_of("provenance", word_model, shown, *rows, number={"check": "layer_metrics", "layer": 1, "whole": True})
    assert card["card"]["number"]["rows"]["dev"]["n"] == len(word_model.study.result().splits.dev)
    assert answer_of("provenance", word_model, shown, number={"check": "selectivity"})["card"]["number"]["control"] == "word_type"
    assert "<html" in answer_of("report", word_model, shown)["html"]


@pytest.mark.parametrize("part", ["distribution", "clusters"])
def test_neurons_are_ranked_and_shown_by_tag(part, word_model, shown):
    ranking = answer_of("neuron_ranking", word_model, shown, method="mean_gap", layer=1, top=3)
    assert ranking["label_names"] == list(word_model.label_names) and len(ranking["neurons"]) == 3
    row = dev_sentence(shown)
    values = {"unit": 0} if part == "distribution" else {}
    answer = answer_of("neuron_evidence", word_model, shown, *([row] if values else []), part=part, layer=1, **values)
    assert answer["status"] == "ready"
    if values:
        assert [one["label"] for one in answer["classes"]] == list(word_model.label_names)


def test_a_column_of_sentences_has_no_vector_and_says_so(word_model, shown):
    answer = answer_of("neuron_evidence", word_model, shown, part="column", unit=0, layer=1)
    assert answer["status"] == "failed" and "is about texts" in answer["message"]


@pytest.mark.parametrize("tag", [None, "NOUN"])
def test_top_words_are_those_of_the_words_vectors_and_lead_to_their_sentences(tag, word_model, shown):
    study = word_model.study.result()
    dev, values = study.splits.dev, study.activations["dev"].layer(1)[:, 3]
    rows = [row for row, label in enumerate(dev.labels) if tag in (None, dev.label_names[label])]
    answer = answer_of("neuron_evidence", word_model, shown, part="words", unit=3, layer=1, top=5, tag=tag)
    best = sorted(rows, key=lambda row: -values[row])[:5]
    contexts = answer["highest"]["contexts"]
    assert [one["value"] for one in contexts] == [float(values[row]) for row in best]
    assert [one["tag"] for one in contexts] == [dev.label_names[dev.labels[row]] for row in best]
    by_id = {one["_id"]: one for one in shown.examples}
    assert [by_id[one["id"]]["text"] for one in contexts] == [dev.texts[row] for row in best]
    assert all(one["word"] in TAGS[one["tag"]] for one in (*answer["highest"]["words"], *answer["lowest"]["words"]))
    assert answer["n_occurrences"] == len(rows) and answer["split"] == "dev"


def test_a_tag_that_is_none_or_of_texts_is_a_sentence(model, word_model, shown):
    with pytest.raises(LitProbeError, match="NOUN"):
        answer_of("neuron_evidence", word_model, shown, part="words", unit=3, layer=1, tag="film")
    with pytest.raises(LitProbeError, match="only the rows of a data set of words have tags"):
        answer_of("neuron_evidence", model, model.dataset, part="words", unit=3, layer=1, tag="NOUN")


def test_tokens_and_factors_of_sentences_are_those_of_their_texts(word_model, shown):
    row = dev_sentence(shown)
    tokens = answer_of("neuron_evidence", word_model, shown, row, part="tokens", layer=1, units=[0, 3])
    assert tokens["texts"][0]["pooled"] is None and len(tokens["texts"][0]["tokens"]) >= len(row["words"])
    assert answer_of("neuron_evidence", word_model, shown, row, part="factors", components=2)["status"] == "ready"


def test_neurons_are_switched_off_word_by_word(word_model, shown):
    study, row = word_model.study.result(), dev_sentence(shown)
    sent = [row, edited(row, text=row["text"] + " unknown film")]
    answer = answer_of("neuron_ablation", word_model, shown, *sent, part="text", layer=1, units=[0, 3], n_random=3)
    assert answer["layers"] == [1, 2, 3] and answer["label_names"] == list(word_model.label_names)
    for example, asked in zip(answer["examples"], sent, strict=True):
        sentence = word_model.sentence_of(asked)
        assert [one["word"] for one in example["words"]] == list(sentence.forms)
        found = ablate(
            study, [sentence.text] * len(sentence), Ablation(1, (0, 3)), spans=np.array(sentence.spans, dtype=np.int64)
        )
        for place, one in enumerate(example["words"]):
            assert one["tag"] == sentence.tags[place] and one["read"]
            said = study.decision.classes(found.before[place])
            assert one["said"] == said.tolist() and one["now"] == study.decision.classes(found.after[place]).tolist()
            for name, values in (("before", found.before), ("after", found.after)):
                np.testing.assert_allclose(one[name], values[place][range(3), said], atol=1e-5)
            assert all(low <= high for low, high in zip(one["low"], one["high"], strict=True))
            assert 0 <= one["judged"]["exceeded"] <= 3 and one["judged"]["moved"] > 0
    none = answer_of("neuron_ablation", word_model, shown, row, part="text", layer=1, units=[])
    assert all(one["before"] == one["after"] and one["said"] == one["now"] for one in none["examples"][0]["words"])


def test_words_that_were_cut_off_and_texts_without_words_are_told(splits, tiny_folder):
    (short,) = models_of([computed(load_encoder(str(tiny_folder()), device="cpu", max_length=7), splits)])
    shown = IndexedDataset(base=short.dataset)
    words = answer_of("neuron_ablation", short, shown, dev_sentence(shown, 8), part="text", layer=1, units=[0], n_random=2)[
        "examples"
    ][0]["words"]
    assert [one["read"] for one in words] == [place < 5 for place in range(len(words))] and "said" not in words[-1]
    answer = answer_of("neuron_ablation", short, shown, {"text": " "}, part="text", layer=1, units=[0])
    assert answer["status"] == "failed" and "reads no word" in answer["message"]


@pytest.mark.parametrize("sample", [200, 4])
def test_the_curve_without_neurons_is_about_the_words_of_whole_sentences(sample, word_model, shown):
    study, dev = word_model.study.result(), word_model.study.result().splits.dev
    answer = answer_of("neuron_ablation", word_model, shown, part="curve", layer=1, units=[0, 3], sample=sample, n_random=2)
    texts = [next(one for one in shown.examples if one["_id"] == name)["text"] for name in answer["rows"]["ids"]]
    rows = [row for row, text in enumerate(dev.texts) if text in texts]
    assert answer["n"] == len(rows) and len(texts) == min(sample, len(dev.whole_texts)) and answer["rows"]["split"] == "dev"
    some = dev.select(rows)
    expected = ablation_curve(
        study, some.texts, some.labels.tolist(), Ablation(1, (0, 3)), groups=some.groups, spans=some.spans, n_random=2
    ).to_json()
    assert answer["layers"] == json.loads(json.dumps(expected["layers"]))


@pytest.mark.parametrize("part", ["erasure", "evaluation", "minimal_set"])
def test_rankings_of_words_are_judged(part, word_model, shown):
    values = {} if part == "erasure" else {"method": "mean_gap", "layer": 1}
    values |= {"percentages": [10], "n_draws": 2} if part == "evaluation" else {}
    assert answer_of("neuron_ablation", word_model, shown, part=part, **values)["status"] == "ready"


def test_what_lit_offers_for_texts_is_not_offered(word_model, shown):
    offered = {**generators_for([]), **salience_rows([]), **LIT_METRICS}
    assert not [name for name, one in offered.items() if one.is_compatible(word_model, shown)]


def test_the_application_serves_words_beside_texts(splits, tiny_folder):
    encoder = load_encoder(str(tiny_folder()), device="cpu")
    assembled = assemble([encoder], [splits, tiny_splits()], AppOptions())
    models = {probe_model(one).unit for one in assembled.application._models.values()}
    assert models == {"word", "text"} and len(assembled.studies) == 2
    with pytest.raises(UnservedError, match="token_fields"):
        assemble([encoder], [splits], AppOptions(token_fields=True))


def test_a_lit_server_of_ones_own_is_refused_in_a_sentence(splits, tiny_folder):
    with pytest.raises(UnservedError, match="of your own is about texts; the rows of this data set are words"):
        PluginModel(load_encoder(str(tiny_folder()), device="cpu"), splits, background=False)


def test_answers_survive_json(word_model, shown):
    example = dev_sentence(shown)
    answer = answer_of("words_by_layer", word_model, shown, example)
    assert json.loads(serialize.to_json(answer, simple=True, allow_nan=False)) == json.loads(json.dumps(answer))


def test_salience_of_a_words_tag_is_the_gradient_of_its_logit(word_model, shown):
    """Input times gradient of a linear probe at the embeddings adds up to the part of the logit that they make."""
    example = dev_sentence(shown)
    place = next(place for place, tag in enumerate(example["tags"]) if tag != "_")
    answer = answer_of("word_salience", word_model, shown, example, word=place, layer=1)
    study = word_model.study.result()
    assert word_model.label_names[answer["tag"]] == example["tags"][place] and not answer["predicted"]
    assert len(answer["scores"]) == len(example["words"]) and any(answer["scores"])
    rows = [row for row, text in enumerate(study.splits.dev.texts) if text == example["text"]]
    row = rows[sum(tag != "_" for tag in example["tags"][:place])]
    logits = study.layerwise.probes[1].logits(study.activations["dev"].layer(1)[[row]])
    assert answer["value"] == pytest.approx(float(logits[0][answer["tag"]]), abs=1e-4)


def test_at_the_embeddings_a_word_speaks_for_itself_alone(word_model, shown):
    example = dev_sentence(shown)
    answer = answer_of("word_salience", word_model, shown, example, word=2, layer=0)
    assert [score != 0 for score in answer["scores"]] == [place == 2 for place in range(len(answer["scores"]))]


def test_a_word_without_a_tag_has_its_predicted_one_explained_and_an_unknown_place_is_refused(word_model, shown):
    edit = edited(dev_sentence(shown), text="unknown film")
    answer = answer_of("word_salience", word_model, shown, edit, word=0, layer=1)
    assert answer["predicted"] and len(answer["scores"]) == 2
    with pytest.raises(LitProbeError, match="2 words, so there is none at place 2"):
        answer_of("word_salience", word_model, shown, edit, word=2, layer=1)
    with pytest.raises(LitProbeError, match="0 sentences were sent"):
        answer_of("word_salience", word_model, shown, word=0, layer=1)


def test_a_notebooks_widget_shows_words(word_model, splits):
    widget = ProbeWidget(word_model.encoder, splits, cache=Cache(None))
    try:
        study = widget.study()
        assert study.pooling == "last" and study.best_layer == word_model.study.result().best_layer
    finally:
        widget.stop()
