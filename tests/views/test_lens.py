"""The lens of a text: what stands in it, what is asked for, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from language_models import build_masked
from tiny_decoders import build as build_decoder

import lit_probe
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.views.lens import MAX_WATCHED, TokenLens, lens, why_no_lens

TEXT = "the film was very good"


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    return load_encoder(str(build_masked(tmp_path_factory.mktemp("masked") / "tiny-masked", favourite="awful")))


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    return load_encoder(str(build_decoder(tmp_path_factory.mktemp("decoder") / "tiny-gpt2", "gpt2")))


def test_it_is_public_and_survives_json(masked):
    found = lit_probe.lens(masked, TEXT, watch=["dull"])
    assert TokenLens.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))).to_json() == found.to_json()


def test_a_masked_model_is_asked_for_the_token_in_each_place_but_not_for_a_mask(masked):
    found = lens(masked, "the [MASK] was good")
    assert found.tokens == ("[CLS]", "the", "[MASK]", "was", "good", "[SEP]") and found.task == "masked"
    assert found.targets == ("[CLS]", "the", None, "was", "good", "[SEP]")
    assert (found.target_ranks[2] == 0).all() and (np.delete(found.target_ranks, 2, axis=0) > 0).all()
    assert found.special[0] and found.special[-1] and not found.special[1]
    assert not any("Write [MASK]" in note for note in found.notes)
    assert any("Write [MASK] in place of a word" in note for note in lens(masked, TEXT).notes)


def test_a_planted_favourite_is_the_likeliest_everywhere(masked):
    found = lens(masked, TEXT, watch=["awful"])
    assert {layer[0] for token in found.top for layer in token} == {"awful"}
    [watched] = found.watched
    assert (watched.ranks == 1).all() and np.array_equal(watched.probabilities, found.probabilities[:, :, 0])


def test_a_decoder_is_asked_for_the_next_token(decoder):
    found = lens(decoder, TEXT, top=2)
    assert "".join(found.tokens) == TEXT and found.task == "next"
    assert found.targets == (*found.tokens[1:], None)
    assert np.asarray(found.top).shape == (len(found.tokens), decoder.n_layers, 2) == found.probabilities.shape
    # A decoder has not seen what comes: the same beginning has the same lens.
    longer = lens(decoder, TEXT + " and the music is dull", top=2)
    np.testing.assert_allclose(longer.probabilities[: len(found.tokens)], found.probabilities, rtol=1e-4)


def test_numbers_are_those_of_distributions(masked):
    found = lens(masked, TEXT, top=20)
    assert (found.entropy >= 0).all() and (found.entropy <= np.log2(found.n_vocabulary) + 1e-4).all()
    assert (np.diff(found.probabilities, axis=-1) <= 0).all() and (found.probabilities.sum(axis=-1) <= 1 + 1e-5).all()
    assert (found.target_ranks >= 1).all() and (found.target_ranks <= found.n_vocabulary).all()
    first = found.target_ranks == 1
    assert np.array_equal(found.target_probabilities[first], found.probabilities[:, :, 0][first])


def test_the_table_has_a_row_for_each_token_and_a_column_for_each_layer(decoder):
    head, *rows = lens(decoder, TEXT).table().splitlines()
    assert head.split()[0] == "token" and head.endswith("(after the final norm)")
    assert len(rows) == len(lens(decoder, TEXT).tokens) and rows[0].startswith("the") and rows[1].startswith("␣")


def test_a_word_of_several_tokens_is_followed_by_its_first_and_it_is_said_which(masked, decoder):
    [pieces] = lens(masked, TEXT, watch=["dragon"]).watched
    assert pieces.token == "d" and pieces.pieces == ("d", "##r", "##a", "##g", "##o", "##n") and pieces.ranks.size
    assert pieces.note.startswith("“dragon” is 6 tokens (d + ##r") and pieces.note.endswith("the rank is that of the first, “d”.")
    [whole] = lens(decoder, TEXT, watch=["film"]).watched
    assert whole.token == " film" and whole.note == ""
    [several] = lens(decoder, TEXT, watch=["Zürich"]).watched
    assert several.token == several.pieces[0] and several.token.strip() and "tokens (" in several.note


def test_a_word_that_the_vocabulary_cannot_spell_has_no_rank(masked):
    [one, other] = lens(masked, TEXT, watch=["☃", "dull"]).watched
    assert one.token is None and one.ranks.size == 0 and "cannot spell “☃”" in one.note
    assert other.token == "dull" and other.ranks.shape == (7, masked.n_layers)


def test_words_are_watched_once_each_and_blank_ones_not(masked):
    found = lens(masked, TEXT, watch=["dull", "", "  ", "dull", "[MASK]"])
    assert [(one.word, one.token) for one in found.watched] == [("dull", "dull"), ("[MASK]", "[MASK]")]


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_text_is_refused_in_a_sentence(masked, text):
    with pytest.raises(LitProbeError, match="The text is empty"):
        lens(masked, text)


def test_to_a_decoder_spaces_are_tokens_and_nothing_is_none(decoder):
    assert lens(decoder, "  ").tokens
    with pytest.raises(LitProbeError, match="The text is empty"):
        lens(decoder, "")


def test_a_long_text_is_cut_as_the_encoder_cuts_and_it_is_said(tmp_path, masked):
    words = "the film was very good and the plot is bad " * 400
    found = lens(masked, words)
    assert found.truncated and found.n_read == len(found.tokens) == masked.max_length == 64
    assert any("longer than the 64 tokens" in note for note in found.notes)
    few = lens(masked, words, max_tokens=10)
    assert len(few.tokens) == 10 and few.n_read == 64 and few.tokens == found.tokens[:10]
    np.testing.assert_allclose(few.probabilities, found.probabilities[:10], rtol=1e-4)
    assert any("reads 64 tokens of this text, of which the first 10 are shown" in note for note in few.notes)
    decoder = load_encoder(str(build_decoder(tmp_path / "long", "bloom")), max_length=4000)
    last = lens(decoder, words)
    assert (
        last.n_read > 3000 and len(last.tokens) == 128 and any("of which the last 128 are shown" in note for note in last.notes)
    )


def test_bytes_of_half_a_character_are_written_as_the_vocabulary_writes_them(decoder):
    found = lens(decoder, "☃ good")
    assert len(found.tokens) > 2 and all("\ufffd" not in token and token for token in found.tokens)


def test_a_template_and_a_pair_are_read_too(tmp_path):
    folder = build_decoder(tmp_path / "one", "gpt2")
    found = lens(load_encoder(str(folder), template="Review: {text} It is"), "dull")
    assert "".join(found.tokens) == "Review: dull It is" and sum(not one for one in found.special) >= 1


@pytest.mark.parametrize(
    "values, why",
    [
        ({"watch": "dull"}, "are a list"),
        ({"watch": [str(i) for i in range(MAX_WATCHED + 1)]}, "5 words can be watched at a time; 6 were named"),
        ({"top": 0}, "top is 0"),
        ({"top": 21}, "top is 21"),
        ({"top": 2.5}, "top is 2.5"),
        ({"max_tokens": 2.5}, "max_tokens is 2.5"),
        ({"watch": [318]}, r"The words to watch are a list of words, as in watch=\['318'\]"),
        ({"max_tokens": 0}, "max_tokens is 0"),
    ],
)
def test_values_that_make_no_sense_are_refused(masked, values, why):
    with pytest.raises(LitProbeError, match=why):
        lens(masked, TEXT, **values)


def test_without_a_head_it_says_what_to_load(tiny_folder):
    plain, classifier = load_encoder(str(tiny_folder())), load_encoder(str(tiny_folder(n_classes=2)))
    with pytest.raises(LitProbeError, match=r"names BertModel\. Load a checkpoint that has a head, such as distilbert"):
        lens(plain, TEXT)
    assert why_no_lens(classifier) is None
    with pytest.raises(LitProbeError, match=r"names BertForSequenceClassification\. Ask class_lens"):
        lens(classifier, TEXT)


def test_a_padded_head_may_name_what_is_no_token(tmp_path):
    found = lens(load_encoder(str(build_masked(tmp_path / "one", vocab_size=900))), TEXT, top=20)
    named = {word for token in found.top for layer in token for word in layer}
    assert found.n_vocabulary == 900 and any(word.startswith("[no token ") for word in named)


def test_the_memory_of_the_head_and_its_tie_are_told(tmp_path):
    untied = lens(load_encoder(str(build_decoder(tmp_path / "untied", "gpt2", tie_word_embeddings=False))), TEXT)
    tied = lens(load_encoder(str(build_decoder(tmp_path / "tied", "gpt2"))), TEXT)
    assert any(note.startswith("The head was loaded beside the encoder; it takes 0.0") for note in untied.notes)
    assert any("is that of the word embeddings" in note for note in tied.notes) and tied.head_bytes == 0


def test_the_same_twice(masked):
    assert lens(masked, TEXT).to_json() == lens(masked, TEXT).to_json()
