import numpy as np
import pytest
import tiny_encoders
import torch
import transformers
from language_models import build_masked

from lit_probe.counterfactuals.masked_words import masked_words
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import EncoderError


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return load_encoder(str(build_masked(tmp_path_factory.mktemp("masked") / "tiny-masked", favourite="awful")))


@pytest.mark.parametrize("architecture", tiny_encoders.ARCHITECTURES)
def test_the_head_says_what_it_says_alone(tmp_path, architecture):
    folder = build_masked(tmp_path / "masked", architecture)
    encoder = load_encoder(str(folder))
    texts = ["the film was [MASK]", "[MASK] is dull and slow", "a [MASK] film with music"]
    found = encoder.fill_mask(encoder.encode(texts))
    model = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
    for text, row in zip(texts, found, strict=True):
        ids = torch.tensor([encoder.encode([text])[0].ids])
        with torch.inference_mode():
            logits = model(input_ids=ids).logits[0, int((ids[0] == encoder.tokenizer.mask_token_id).nonzero())]
        np.testing.assert_allclose(row, logits.softmax(-1).numpy(), atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-4)


def test_the_head_shares_the_encoders_weights(encoder):
    encoder.fill_mask(encoder.encode(["a [MASK]"]))
    assert encoder.language_model.base_model is encoder.model


def test_layers_are_the_same_before_and_after_the_head_was_asked(tmp_path):
    encoder = load_encoder(str(build_masked(tmp_path / "masked")))
    texts = encoder.encode(["the film was good"])
    before = [layer.clone() for layer in encoder.forward(texts).layers]
    encoder.fill_mask(encoder.encode(["a [MASK]"]))
    assert all(torch.equal(one, other) for one, other in zip(before, encoder.forward(texts).layers, strict=True))


def test_a_planted_favourite_is_the_likeliest_replacement_everywhere(encoder):
    made = masked_words(encoder, "The film was good, wasn't it?", per_word=1)
    assert {one.text for one in made} == {"The awful was good, wasn't it?", "The film was awful, wasn't it?"}
    assert all(one.probability > 0.9 and one.replacement == "awful" for one in made)


def test_replacements_come_by_their_probability_and_no_more_than_asked_for(encoder):
    made = masked_words(encoder, "good film , fast story", per_word=5, at_most=7)
    assert len(made) == 7
    assert [one.probability for one in made] == sorted((one.probability for one in made), reverse=True)
    assert len({one.text for one in made}) == 7
    assert all(one.word != one.replacement for one in made)


def test_a_word_is_never_replaced_by_itself(encoder):
    made = masked_words(encoder, "Awful film", only=["AWFUL"], per_word=1)
    assert [one.word for one in made] == ["Awful"] and made[0].replacement != "awful"


def test_little_words_are_replaced_where_they_are_asked_for(encoder):
    assert masked_words(encoder, "it was the") == []
    assert [one.word for one in masked_words(encoder, "it was the", only=["The"], per_word=1)] == ["the"]


def test_a_word_of_several_tokens_is_hidden_behind_one_mask(encoder):
    (made,) = masked_words(encoder, "an xyzzy film", only=["xyzzy"], per_word=1)
    assert made.text == "an awful film"


@pytest.mark.parametrize("text", ["", "...", "\U0001f600", "12 3"])
def test_a_text_without_words_has_no_replacement(encoder, text):
    assert masked_words(encoder, text) == []


def test_a_checkpoint_without_the_head_says_so(tiny_encoder):
    assert "BertModel" in tiny_encoder.why_no_masked_lm
    with pytest.raises(EncoderError, match=r"no masked-language-model head: its config\.json names BertModel"):
        masked_words(tiny_encoder, "a film")
    with pytest.raises(EncoderError, match="no masked-language-model head"):
        tiny_encoder.fill_mask([])


def test_random_weights_have_no_head(encoder):
    assert "random weights" in encoder.randomised(0).why_no_masked_lm


def test_a_promised_head_that_is_not_in_the_file_is_refused(tmp_path):
    folder = build_masked(tmp_path / "torn")
    model = transformers.AutoModel.from_pretrained(folder)
    model.save_pretrained(folder)
    config = transformers.AutoConfig.from_pretrained(folder)
    config.architectures = ["BertForMaskedLM"]
    config.save_pretrained(folder)
    encoder = load_encoder(str(folder))
    with pytest.raises(EncoderError, match="would have been filled with random numbers"):
        masked_words(encoder, "a good film")


@pytest.mark.parametrize("template", ["I say: {text}", "{text} It was [MASK]."])
def test_within_a_template_words_of_the_text_are_replaced(tmp_path, template):
    encoder = load_encoder(str(build_masked(tmp_path / "masked", favourite="awful")), template=template)
    made = masked_words(encoder, "The film was good", per_word=1)
    assert {(one.word, one.replacement) for one in made} == {("film", "awful"), ("good", "awful")}
    assert {one.text for one in made} == {"The awful was good", "The film was awful"}
