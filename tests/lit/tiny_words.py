"""Sentences whose words have tags that can be read off the words; some words have none."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from lit_probe.data import load_dataset
from lit_probe.data.labelled_texts import Splits

TAGS = {"DET": ["a", "the"], "NOUN": ["film", "movie", "story", "plot"], "VERB": ["was", "is", "loved", "hated"], "_": ["very"]}


def tagged_file(folder: Path, n_sentences: int = 150, words: int = 9) -> Path:
    """A file of such sentences in CoNLL-U."""
    random, lines = np.random.default_rng(0), []
    for _ in range(n_sentences):
        chosen = [(tag, random.choice(TAGS[tag])) for tag in random.choice(list(TAGS), size=random.integers(4, words))]
        chosen += [("NOUN", "film"), ("VERB", "was")]
        lines += [f"{i}\t{word}\t_\t{tag}\t_\t_\t_\t_\t_\t_" for i, (tag, word) in enumerate(chosen, start=1)] + [""]
    file = folder / "tags.conllu"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


@cache
def word_splits() -> Splits:
    """The words of such a file."""
    with TemporaryDirectory() as folder:
        return load_dataset("conllu", str(tagged_file(Path(folder))))
