"""What do rankings, ablation and top words cost against bare passes over the same sentences?

Ranking all neurons of all layers by weight mass, activations cached: under 1/50 of a forward pass over the data. Switching off
a set of neurons for 872 sentences: at most 1.15x the plain forward from that layer on. Top words of a layer's neurons: one pass.
"""

from __future__ import annotations

import resource
import tempfile
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import bare_forward, data_folder, default_encoder, in_turn
from benchmarks.figures import Figure, tell
from lit_probe.data import load_dataset
from lit_probe.data.options import DatasetOptions
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.neurons.effects.ablation import Ablation, changed_by
from lit_probe.neurons.meaning.top_words import top_words
from lit_probe.neurons.rankings import rank_neurons
from lit_probe.probing.layer_states import LayerStates
from lit_probe.probing.study import probe_layers

LAYER = 2


def main() -> None:
    """Prints the ratios."""
    encoder = default_encoder()
    splits = load_dataset("sst2_sentences", str(data_folder() / "sst2"), DatasetOptions(max_examples=0))
    with tempfile.TemporaryDirectory() as folder:
        study = probe_layers(encoder, splits, cache=Cache(Path(folder)))
        texts = splits.dev.texts
        encoded = encoder.encode(texts)
        batches = [[encoded[i] for i in indices] for indices in encoder.batches(encoded)]
        # The data are the 6,920 train sentences; the forward is timed on the 872 of dev, which are fewer.
        ranking = in_turn(5, ours=lambda: rank_neurons(study), bare=lambda: bare_forward(encoder, batches))
        tell(ranking.ratio("(m) ranking all neurons / the forward of dev alone", "ours", "bare", at_most=1 / 50))

        states = LayerStates(encoder, texts, LAYER, study.pooling)
        change = changed_by(Ablation(LAYER, tuple(range(0, encoder.d_model, 20))), states.statistics())
        times = in_turn(7, ours=lambda: states.go_on(change), bare=lambda: _bare_rest(encoder, states))
        tell(times.ratio(f"(n) ablation at layer {LAYER} / the plain forward from there on", "ours", "bare", at_most=1.15))

        words = in_turn(3, ours=lambda: top_words(encoder, texts, LAYER), bare=lambda: _bare_part(encoder, batches))
        tell(words.ratio(f"(o) top words of all neurons of layer {LAYER} / the forward to that layer", "ours", "bare"))
        tracemalloc.start()
        top_words(encoder, texts, LAYER)
        held = tracemalloc.get_traced_memory()[1]
        tokens = sum(len(text.ids) for text in encoded) * encoder.d_model * 4
        tell(
            Figure("arrays of top words", held / 1e6, "MB"),
            Figure("all token activations would take", tokens / 1e6, "MB"),
        )
    tell(Figure("peak memory of the process", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, "GB"))


def _bare_rest(encoder: Encoder, states: LayerStates) -> None:
    """The blocks after the layer, by hand, on the same hidden states."""

    def run() -> None:
        import torch

        with torch.inference_mode():
            for _, batch, hidden in states._batches:
                mask = batch.attention_mask[:, None, None, :].expand(-1, 1, batch.ids.shape[1], -1)
                for block in encoder.model.encoder.layer[LAYER:]:
                    hidden = block(hidden, attention_mask=mask)

    on_encoder_thread(run)


def _bare_part(encoder: Encoder, batches: Sequence[Sequence[Any]]) -> None:
    """Embeddings and the blocks up to the layer, by hand."""

    def run() -> None:
        import torch

        with torch.inference_mode():
            for texts in batches:
                batch = encoder.padded(texts)
                hidden = encoder.model.embeddings(input_ids=batch.ids)
                mask = batch.attention_mask[:, None, None, :].expand(-1, 1, batch.ids.shape[1], -1)
                for block in encoder.model.encoder.layer[:LAYER]:
                    hidden = block(hidden, attention_mask=mask)

    on_encoder_thread(run)
