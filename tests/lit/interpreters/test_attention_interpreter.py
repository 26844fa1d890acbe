"""The page is told what the encoder's own weights say, of texts and of sentences of words, and why there are none."""

import base64

import numpy as np
import pytest
from neuron_answers import answer_of, ask, of_split
from tiny_probing import computed, edited, models_of, tiny_splits

from lit_probe.encoder.attention import attention
from lit_probe.encoder.attention_rollout import rollout_by_token
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.queries_keys import queries_and_keys
from lit_probe.encoder.site_search import sites_of
from lit_probe.errors import LitProbeError
from lit_probe.views.attention_heads import head_shares, small_pictures


@pytest.fixture
def pair(dataset):
    row = of_split(dataset, "dev")[0]
    return row, edited(row, text="well, " + row["text"])


def test_all_heads_of_a_text_and_its_edit(model, dataset, pair):
    answer = answer_of("attention", model, dataset, *pair)
    one, other = (attention(model.encoder, row["text"]) for row in pair)
    assert (answer["n_blocks"], answer["n_heads"]) == (3, 4)
    for told, own in zip(answer["examples"], (one, other), strict=True):
        assert told["tokens"] == list(own.tokens)
        pictures = np.frombuffer(base64.b64decode(told["pictures"]), dtype=np.uint8)
        assert np.array_equal(pictures.reshape(3, 4, told["side"], told["side"]), small_pictures(own, 24))
        np.testing.assert_allclose(told["to_special"], head_shares(own).to_special, atol=1e-5)
        mean = ~np.array(own.special) / np.sum(~np.array(own.special))
        np.testing.assert_allclose(told["rollout"], rollout_by_token(own, mean), atol=1e-5)
    assert answer["aligned"][:4] == [0, None, None, None], "w, ##e, ##l: letters of a word that is new"
    assert [place for place in answer["aligned"] if place is not None] == list(range(len(one.tokens)))
    assert np.min(answer["changes"]) > 0 and np.max(answer["changes"]) <= 1
    assert answer["places"] is None


def test_one_text_is_compared_with_none(model, dataset, pair):
    answer = answer_of("attention", model, dataset, pair[0])
    assert len(answer["examples"]) == 1 and answer["aligned"] is None and answer["changes"] is None


def test_one_head_has_its_own_weights(model, dataset, pair):
    answer = answer_of("attention", model, dataset, *pair, part="head", block=2, head=3)
    for told, row in zip(answer["weights"], pair, strict=True):
        np.testing.assert_allclose(told, attention(model.encoder, row["text"]).head(2, 3), atol=1e-5)
        np.testing.assert_allclose(np.sum(told, axis=1), 1, atol=1e-3)


def test_the_units_of_a_token(model, dataset, pair):
    answer = answer_of("attention", model, dataset, pair[0], part="units", block="3", head="1", token="2")
    found, of = queries_and_keys(model.encoder, pair[0]["text"], 3)
    np.testing.assert_allclose(answer["query"], found.queries[1, 2], atol=1e-5)
    np.testing.assert_allclose(answer["products"], found.products(1, 2), atol=1e-5)
    scores = np.sum(answer["products"], axis=1)
    np.testing.assert_allclose(np.exp(scores) / np.exp(scores).sum(), answer["weights"], atol=1e-4)
    np.testing.assert_allclose(answer["weights"], of.head(3, 1)[2], atol=1e-5)


def test_a_sentence_of_words_is_a_text_too(word_model, word_dataset):
    row = word_dataset.examples[0]
    answer = answer_of("attention", word_model, word_dataset, row)
    assert answer["examples"][0]["rollout"] is None
    assert answer["examples"][0]["tokens"] == list(attention(word_model.encoder, row["text"]).tokens)


def test_where_probes_read_heads_each_head_has_its_place(encoder, pair):
    sites = sites_of(encoder, ["layers", "heads"])
    (model,) = models_of([computed(encoder.at(sites[:-1]), tiny_splits())])
    answer = answer_of("attention", model, model.dataset, pair[0])
    names = list(model.encoder.layer_names)
    assert answer["places"][1] == [names.index(f"head 2.{head}") for head in range(4)]
    assert answer["places"][2][3] is None, "left out of the places"


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"part": "head", "block": 4, "head": 0}, "Unknown head 4.0. There are blocks 1 to 3, each with heads 0 to 3."),
        ({"part": "head", "block": 1, "head": 4}, "Unknown head 1.4."),
        ({"part": "units", "block": 1, "head": 4, "token": 0}, "Unknown head 1.4."),
        ({"part": "units", "block": 1, "head": 0, "token": 99}, "tokens, so there is none at place 99."),
    ],
)
def test_what_there_is_not_is_told(model, dataset, pair, config, sentence):
    answer = answer_of("attention", model, dataset, pair[0], **config)
    assert answer["status"] == "failed" and sentence in answer["message"]


def test_an_empty_text_is_told_in_a_sentence_and_the_next_one_is_shown(model, dataset, pair):
    answer = answer_of("attention", model, dataset, edited(pair[0], text=" "))
    assert answer["status"] == "failed" and answer["message"].startswith("The text is empty")
    assert answer_of("attention", model, dataset, pair[0])["status"] == "ready"


def test_other_numbers_of_texts_are_refused(model, dataset, pair):
    for rows in ((), (*pair, pair[0])):
        with pytest.raises(LitProbeError, match=rf"of one text, or of two side by side; {len(rows)} were sent"):
            ask("attention", model, dataset, *rows)
    answer = answer_of("attention", model, dataset, *pair, part="units", block=1, head=0, token=0)
    assert answer["status"] == "failed" and "of one text; 2 were sent" in answer["message"]


def test_a_model_without_attention_says_why(tmp_path):
    import tiny_encoders
    import transformers

    folder = tiny_encoders.build(tmp_path / "tiny", "bert")
    size = len(transformers.AutoTokenizer.from_pretrained(folder))
    sizes = {name: value for name, value in tiny_encoders.SIZES.items() if name != "num_attention_heads"}
    transformers.AutoModel.from_config(transformers.FNetConfig(vocab_size=size, **sizes)).save_pretrained(folder)
    (model,) = models_of([computed(load_encoder(str(folder)), tiny_splits())])
    answer = answer_of("attention", model, model.dataset, model.dataset.examples[0])
    assert answer["status"] == "failed" and "gives no attention weights" in answer["message"]


def test_who_walks_from_head_to_head_waits_for_no_pass(model, dataset, pair, monkeypatch):
    from lit_probe.lit.interpreters import attention as module

    passes = []
    monkeypatch.setattr(module, "attention", lambda encoder, text: passes.append(text) or attention(encoder, text))
    rows = [edited(row, text=f"{row['text']} again") for row in pair]
    for head in range(4):
        answer_of("attention", model, dataset, *rows, part="head", block=1, head=head)
    assert [text for text in passes if text.endswith("again")] == [row["text"] for row in rows]
    answer_of("attention", model, dataset, pair[0])
    assert len(module._LAST) == 2, "those of the last two texts"
