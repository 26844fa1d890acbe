"""Vectors whose examples are pairs: both texts are shown on one line."""

from __future__ import annotations

import numpy as np
from nli_rows import nli_rows

from lit_probe.probing.given_activations import given_activations


def test_examples_of_given_vectors_may_be_pairs():
    rows = nli_rows()
    vectors = np.random.default_rng(0).normal(size=(len(rows), 2, 4))
    pairs = [(row["premise"], row["hypothesis"]) for row in rows]
    encoder, splits = given_activations(vectors, [row["label"] for row in rows], texts=pairs)
    assert splits.pair is None
    texts = {text for _, part in splits.items() for text in part.texts}
    assert texts <= {" ‖ ".join(pair) for pair in pairs}
    np.testing.assert_array_equal(encoder.vectors([" ‖ ".join(pairs[7])])[0], vectors[7].astype(np.float32))
