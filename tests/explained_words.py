"""What is explained in the tests of salience: models whose words have a known influence, over a real tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch

from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.tokens import EncodedText
from lit_probe.encoder.words import Words, words_of
from lit_probe.probing.probe_forward import Forward, forward_of_probe
from lit_probe.probing.probes import fit_logistic


class BagOfWords(Forward):
    """Two classes. The logit of class 1 is a sum over the words that are read, that of class 0 its opposite.

    ``weights`` are added for each time a word's token is read, ``together`` once where two tokens are both read. ``curve``
    bends the sum.
    """

    def __init__(
        self,
        encoder: Encoder,
        weights: Mapping[str, float],
        together: Mapping[tuple[str, str], float] | None = None,
        curve: Callable = lambda total: total,
    ):
        super().__init__(encoder, "bag of words", ("no", "yes"), None)
        self._weights = torch.zeros(len(encoder.tokenizer), dtype=torch.float64)
        for word, weight in weights.items():
            self._weights[self._id(word)] = weight
        self._together = {(self._id(a), self._id(b)): bonus for (a, b), bonus in (together or {}).items()}
        self._curve = curve
        self.n_calls = 0

    def logits_of(self, texts, check=None):
        self.n_calls += 1
        return super().logits_of(texts, check)

    def _id(self, word: str) -> int:
        return self.encoder.tokenizer.convert_tokens_to_ids(word)

    def _logits(self, batch):
        total = (self._weights[batch.ids] * ~batch.special_tokens_mask).sum(dim=1)
        for (a, b), bonus in self._together.items():
            total = total + bonus * ((batch.ids == a).any(dim=1) & (batch.ids == b).any(dim=1))
        total = self._curve(total)
        return torch.stack([-total, total], dim=1)


def planted_forward(encoder: Encoder, word: str, layer: int = 1) -> Forward:
    """A probe fitted on texts of common words; its class 1 are those that hold ``word``."""
    random = np.random.default_rng(0)
    common = "the movie plot story scene music a was is of and in what this".split()
    labels = np.arange(120) % 2
    texts = []
    for label in labels:
        words = list(random.choice(common, size=8))
        texts.append(" ".join(random.permutation([*words, word] if label else [*words, random.choice(common)])))
    probe = fit_logistic(extract_activations(encoder, texts, "mean").layer(layer), labels, 2)
    return forward_of_probe(encoder, "mean", layer, probe)


def read(encoder: Encoder, text: str) -> tuple[EncodedText, Words]:
    """A text as its encoder reads it, and its words."""
    [encoded] = encoder.encode([text], with_tokens=True)
    return encoded, words_of(text, encoded)


def by_word(scores, words: Words) -> list[float]:
    """``[n_words]`` the sum over each word's tokens."""
    sums = [0.0] * len(words.texts)
    for score, word in zip(scores, words.of_token, strict=True):
        if word is not None:
            sums[word] += score
    return sums
