"""Sentences with a number that can be read off their words."""

from __future__ import annotations

import numpy as np
from tiny_probing import tiny_splits

from lit_probe.data.labelled_texts import LabelledTexts, Splits

_WORTH = {"bad": -2.0, "awful": -3.0, "dull": -1.0, "sad": -1.5, "good": 2.0, "great": 3.0, "fine": 1.0, "funny": 1.5}


def worth(text: str) -> float:
    """What the adjectives of a sentence are worth, in a unit of their own."""
    return 10 * sum(_WORTH.get(word, 0.0) for word in text.split()) + 0.1 * len(text) + 1960


def number_splits(name: str = "worths") -> Splits:
    """Such sentences, in three splits."""
    parts = {
        split: LabelledTexts(rows.texts, np.array([worth(text) for text in rows.texts]), ())
        for split, rows in tiny_splits().items()
    }
    return Splits(name, parts["train"], parts["dev"], parts["test"], {"source": "sentences of the tests", "seed": 5})
