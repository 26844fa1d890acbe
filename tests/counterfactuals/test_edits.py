"""What an edit is to the encoder: words that changed, edits that it cannot see, and maps put side by side."""

import numpy as np
import pytest

from lit_probe.counterfactuals.edits import aligned_changes, changed_words, edit_warnings
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError


@pytest.fixture(scope="module")
def folder(tiny_folder):
    return str(tiny_folder())


def kinds(encoder, one, other):
    return [warning.kind for warning in edit_warnings(encoder, one, other)]


def test_an_edit_that_the_encoder_reads_needs_no_warning(folder):
    assert edit_warnings(load_encoder(folder), "the film was great", "the film was awful") == []


def test_the_same_text_says_so(folder):
    assert kinds(load_encoder(folder), "the film", "the film ") == ["same_tokens"]
    assert kinds(load_encoder(folder), "the film", "the film") == ["same_text"]


def test_an_edit_that_the_tokenizer_does_away_with_says_so(folder):
    assert kinds(load_encoder(folder), "the film was great", "The FILM  was great") == ["same_tokens"]


@pytest.mark.parametrize(
    ("keep", "beyond", "read"),
    [
        ("head", "the film was great and slow and dull", "the plot was great and slow and bad"),
        ("tail", "a plot was great and slow and bad", "the film was great and slow and dull"),
    ],
)
def test_an_edit_beyond_the_kept_tokens_says_so(folder, keep, beyond, read):
    encoder = load_encoder(folder, max_length=6, keep=keep)
    original = "the film was great and slow and bad"
    assert kinds(encoder, original, beyond) == ["beyond_limit"]
    assert "6 tokens" in edit_warnings(encoder, original, beyond)[0].message
    assert kinds(encoder, original, read) == ["truncated"]


def test_words_added_beyond_the_limit_and_capitals_before_it_are_told_apart(folder):
    encoder = load_encoder(folder, max_length=6)
    assert kinds(encoder, "the film was great", "the film was great and slow") == ["beyond_limit"]
    assert kinds(encoder, "the film was great and", "The film was great and") == ["same_tokens"]


def test_only_the_text_that_is_too_long_is_named(folder):
    encoder = load_encoder(folder, max_length=6)
    (warning,) = edit_warnings(encoder, "the film was great", "the plot was great and slow")
    assert warning.message.startswith("The edit is longer than the 6 tokens")
    (warning,) = edit_warnings(encoder, "the film was great and", "the plot was great and slow")
    assert warning.message.startswith("Both texts are longer")


@pytest.mark.parametrize(("one", "other", "which"), [("a film", "", "edited"), ("a film", " ", "edited"), ("", "a", "original")])
def test_a_text_without_words_is_refused(folder, one, other, which):
    with pytest.raises(LitProbeError, match=f"The {which} text is empty"):
        edit_warnings(load_encoder(folder), one, other)


def test_changed_words_are_marked_with_their_capitals_and_signs():
    before, after = changed_words("The film was great.", "the film wasn't great, right?")
    assert [word.strip() for word, changed in before if changed] == ["The", "was", "."]
    assert [word.strip() for word, changed in after if changed] == ["the", "wasn't", ",", "right", "?"]
    assert "".join(word for word, _ in after) == "the film wasn't great, right?"


def test_characters_of_scripts_without_spaces_are_told_apart():
    before, after = changed_words("映画は良い", "映画は悪い")
    assert [word for word, changed in before + after if changed] == ["良", "悪"]


def test_words_that_were_added_or_removed_stand_alone_and_all_scores_are_kept():
    one, other = "a very fine film".split(), "a film , not fine at all".split()
    scores, other_scores = np.arange(4.0), np.arange(7.0) * 10
    rows = aligned_changes(one, scores, other, other_scores)
    assert [row.before for row in rows if row.before is not None] == one
    assert [row.after for row in rows if row.after is not None] == other
    assert sum(row.change for row in rows) == other_scores.sum() - scores.sum()
    assert {row.kind for row in rows} >= {"same", "added", "removed"}
    assert all(row.score_before == 0 for row in rows if row.kind == "added")
    assert aligned_changes([], np.array([]), [], np.array([])) == []
