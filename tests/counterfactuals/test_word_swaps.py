import dataclasses

import numpy as np
import pytest
import tiny_encoders

from lit_probe.counterfactuals.word_swaps import (
    SwapWords,
    difference,
    embedding_rows,
    in_case_of,
    one_token_words,
    word_gradients,
)
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.tokens import EncodedText
from lit_probe.probing.probe_forward import Target, forward_of_model


@pytest.fixture(scope="module")
def encoder(tiny_folder):
    return load_encoder(str(tiny_folder("bert", n_classes=2)))


@pytest.mark.parametrize("keep", ["head", "tail", "both-ends"])
@pytest.mark.parametrize(
    "text",
    ["The film was good, the acting wasn't!", "", "...", "\u4e00\u4e8c great", "the the the  the\nthe", "GOOD-ish (very) Good."],
)
def test_every_word_stands_where_its_span_says(tiny_folder, text, keep):
    encoder = load_encoder(str(tiny_folder()), max_length=8, keep=keep)
    words = SwapWords.of(encoder, text)
    assert [words.text[start:end] for start, end in words.spans] == list(words.words)
    assert list(words.spans) == sorted(set(words.spans))
    assert all(one[1] <= other[0] for one, other in zip(words.spans, words.spans[1:], strict=False))


def test_of_a_long_text_the_words_that_are_read_are_swapped(tiny_folder):
    encoder = load_encoder(str(tiny_folder()), max_length=4, keep="tail")
    words = SwapWords.of(encoder, "the film was the plot")
    assert words.words == ("the", "plot")
    assert words.swapped({0: "a"}) == "the film was a plot"


def test_swaps_change_nothing_but_the_words(encoder):
    words = SwapWords.of(encoder, "Great  film, GREAT plot…")
    assert words.swapped({}) == words.text
    assert words.swapped({0: "awful", 3: "dull"}) == "Awful  film, DULL plot…"
    assert [words.words[i] for i in words.swappable] == ["Great", "film", "GREAT", "plot"]
    assert SwapWords.of(encoder, "The 2 it, don't").swappable == []


def test_the_case_of_a_word_is_kept():
    assert [in_case_of(word, "dull") for word in ("Good", "GOOD", "good", "I", "gOOD")] == [
        "Dull",
        "DULL",
        "dull",
        "Dull",
        "dull",
    ]


@pytest.mark.parametrize("architecture", ["bert", "roberta"])
def test_one_token_words_are_read_as_one_token_in_a_text(tiny_folder, architecture):
    encoder = load_encoder(str(tiny_folder(architecture)))
    known = one_token_words(encoder)
    assert set(known.words) == {word for word in tiny_encoders.DEFAULT_WORDS if len(word) > 1}
    for word, i in zip(known.words, known.ids, strict=True):
        assert encoder.encode([f"the {word}"])[0].ids[-2] == i
    assert one_token_words(encoder) is known


def test_embedding_rows_are_the_models_table(encoder):
    rows = embedding_rows(forward_of_model(encoder), (7, 5, 7))
    table = encoder.model.get_input_embeddings().weight.numpy()
    np.testing.assert_array_equal(rows, table[[7, 5, 7]])


def test_word_gradients_tell_how_the_margin_moves(encoder):
    forward = forward_of_model(encoder)
    words = SwapWords.of(encoder, "the film was good")
    gradients = word_gradients(forward, words, 0)
    assert gradients.shape == (4, tiny_encoders.D_MODEL)
    # A small real step along the gradient of one word raises the margin by its squared length.
    embeddings = forward.embeddings(words.encoded).unsqueeze(0)
    scalar = forward.scalar(words.encoded, Target(0, "margin"))
    place, step = 3, 1e-2 / np.linalg.norm(gradients[3])
    moved = embeddings.clone()
    moved[0, words.of_token.index(place)] += step * moved.new_tensor(gradients[place])
    found = float(scalar(moved) - scalar(embeddings))
    assert found == pytest.approx(step * float(gradients[place] @ gradients[place]), rel=0.05)


def test_a_words_gradient_is_the_sum_over_its_tokens(encoder):
    words = SwapWords.of(encoder, "xyz")
    assert len(words.words) == 1 and len(words.encoded.ids) == 5
    joined = word_gradients(forward_of_model(encoder), words, 1)
    apart = dataclasses.replace(words, words=("x", "y", "z"), of_token=(None, 0, 1, 2, None))
    np.testing.assert_allclose(joined[0], word_gradients(forward_of_model(encoder), apart, 1).sum(axis=0), rtol=1e-5)


def test_a_difference_names_what_came_and_went():
    assert difference("a b c", "a b c") == ""
    assert difference("so good", "so very good") == "with: very"
    assert difference("", "new") == "with: new"
    assert difference("It isn't good, no.", "It isn't great, no!") == "good → great; . → !"


def test_words_of_a_text_without_tokens():
    assert SwapWords("", EncodedText([], [], [], [], False), (), (), ()).swapped({}) == ""
