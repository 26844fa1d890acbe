"""Do vectors of words cost more than the bare forward pass, and their probes more than that pass?

(v) a vector per word at all layers, tokenising and places of words included, against the bare forward on the same batches: at
most 1.1x.
(w) probes of parts of speech at all layers on 20,000 words, activations at hand, against the forward pass of these sentences.
"""

from __future__ import annotations

import sys

from benchmarks.common import bare_forward, data_folder, default_encoder, in_turn, seconds
from benchmarks.figures import Figure, tell
from lit_probe.data import DatasetOptions, load_dataset
from lit_probe.encoder.activations import BLOCK_SIZE, extract_activations
from lit_probe.encoder.joining import in_sentences
from lit_probe.probing.layerwise import LayerwiseProbe

ROUNDS = 3
N_WORDS = 20_000


def main() -> None:
    """Prints the two figures."""
    folder = data_folder() / "ud"
    if not folder.is_dir():
        sys.exit(f"This benchmark reads the words of Universal Dependencies. Put CoNLL-U files into {folder}.")
    encoder = default_encoder()
    train = load_dataset("conllu", str(folder), DatasetOptions(max_words=N_WORDS)).train
    assert train.spans is not None and train.groups is not None
    texts = [train.texts[start] for start, _ in in_sentences(train.texts)]
    encoded = [encoder.encode(texts[start : start + BLOCK_SIZE]) for start in range(0, len(texts), BLOCK_SIZE)]
    batches = [[part[i] for i in indices] for part in encoded for indices in encoder.batches(part)]

    times = in_turn(
        ROUNDS,
        ours=lambda: extract_activations(encoder, train.texts, "last", spans=train.spans),
        mean=lambda: extract_activations(encoder, train.texts, "mean", spans=train.spans),
        bare=lambda: bare_forward(encoder, batches),
    )
    told = f"{len(train):,} words of {len(texts):,} sentences, {len(train.label_names)} tags"
    # Told before the fits, which take longest.
    tell(
        times.ratio(f"(v) vectors of words / bare forward, {told}", "ours", "bare", at_most=1.1),
        times.ratio("with the mean of a word's tokens / bare forward", "mean", "bare"),
    )
    pooled = extract_activations(encoder, train.texts, "last", spans=train.spans)
    fit = seconds(lambda: LayerwiseProbe.fit(pooled, train.labels, train.label_names, groups=train.groups))
    tell(
        Figure(f"probes of {pooled.n_layers} layers", fit, "s"),
        Figure("(w) probes of all layers / bare forward", fit / times["bare"], at_most=1),
    )
