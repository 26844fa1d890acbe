"""Vectors whose examples are pairs: read, divided and checked as pairs are."""

from __future__ import annotations

import numpy as np
import pytest
from nli_rows import nli_rows

from lit_probe.checks.baselines import baselines_for
from lit_probe.data.text_pairs import joined
from lit_probe.probing.given_activations import given_activations

ROWS = nli_rows()
PAIRS = [(row["premise"], row["hypothesis"]) for row in ROWS]
LABELS = [row["label"] for row in ROWS]
VECTORS = np.random.default_rng(0).normal(size=(len(ROWS), 2, 4))


def test_examples_of_given_vectors_may_be_pairs():
    encoder, splits = given_activations(VECTORS, LABELS, texts=PAIRS)
    assert splits.pair == ("first", "second") and splits.provenance["pair"] == ["first", "second"]
    assert {text for _, part in splits.items() for text in part.texts} == {joined(*pair) for pair in PAIRS}
    np.testing.assert_array_equal(np.stack(encoder.vectors([joined(*PAIRS[7])]), axis=1)[0], VECTORS[7].astype(np.float32))
    assert "second_text" in baselines_for(splits)


def test_the_two_texts_are_called_as_they_are_named():
    _, splits = given_activations(VECTORS, LABELS, texts=PAIRS, pair=("text", "label"))
    assert splits.pair == ("text", "label") and splits.provenance["pair"] == ["text", "label"]


@pytest.mark.parametrize("half", [("", "the film"), ("the film", " "), ("", "")])
def test_half_a_pair_is_left_out(half):
    _, splits = given_activations(VECTORS, LABELS, texts=[*PAIRS[:-1], half])
    assert splits.provenance["dropped"] == {"without text": 1}


def test_the_same_pair_with_other_vectors_is_told_apart():
    texts = [PAIRS[0], PAIRS[0], *PAIRS[2:]]
    encoder, splits = given_activations(VECTORS, [LABELS[0], LABELS[0], *LABELS[2:]], texts=texts)
    first, second = PAIRS[0]
    np.testing.assert_array_equal(
        np.stack(encoder.vectors([joined(first, f"{second} (2)")]), axis=1)[0], VECTORS[1].astype(np.float32)
    )
    homes = [name for name, part in splits.items() for text in part.texts if text.startswith(joined(first, second))]
    assert len(homes) == 2 and len(set(homes)) == 1
