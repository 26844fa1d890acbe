"""Sentences whose words have tags, and an encoder in which one neuron tells two of the tags apart."""

from __future__ import annotations

import numpy as np
import torch

from lit_probe.data import split_words
from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.encoder import Encoder, load_encoder

# "storyly" and "filmly" are made of several tokens.
TAGS = {"NOUN": ["film", "movie", "story", "plot", "filmly"], "VERB": ["was", "is", "loved", "hated", "lovedly"]}
# The neuron that is planted, and what it does.
UNIT = 7


def tagged_sentences(n: int = 120, seed: int = 0) -> Splits:
    """Sentences of three to seven words, of which each has one of two tags."""
    random = np.random.default_rng(seed)
    tags = [random.choice(list(TAGS), size=random.integers(3, 8)).tolist() for _ in range(n)]
    return split_words([[str(random.choice(TAGS[tag])) for tag in own] for own in tags], tags)


def with_planted_neuron(folder: str, size: float = 2.0) -> Encoder:
    """A tiny BERT whose word embeddings differ by their tag in one neuron, and by nothing else that goes with a tag."""
    encoder = load_encoder(folder, device="cpu")
    speaks = dict.fromkeys(["film", "movie", "story", "plot"], size) | dict.fromkeys(["was", "is", "loved", "hated"], -size)
    with torch.no_grad():
        table = encoder.model.get_input_embeddings().weight
        table[:] = 0.05 * torch.randn(table.shape, generator=torch.Generator().manual_seed(0))
        table[:, UNIT] = 0
        for word, value in speaks.items():
            table[encoder.tokenizer.convert_tokens_to_ids(word), UNIT] = value
        encoder.model.embeddings.LayerNorm = torch.nn.Identity()
    return encoder
