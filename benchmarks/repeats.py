"""What do ten other splits cost beside the extraction and the first fit, activations cached?

At most 1,200 sentences of each split are read once. Each repeat fits and scores all layers on other rows of train and dev.
"""

from __future__ import annotations

from benchmarks.common import data_folder, default_encoder, in_turn
from lit_probe.checks.repeats import N_REPEATS, repeats
from lit_probe.data import load_dataset
from lit_probe.data.options import DatasetOptions
from lit_probe.encoder.activations import extract_activations
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.study import probe_layers


def main() -> None:
    """Prints the times and their ratios."""
    encoder = default_encoder()
    splits = load_dataset("sst2_sentences", str(data_folder() / "sst2"), DatasetOptions(max_examples=1_200))
    study, train = probe_layers(encoder, splits), splits.train
    times = in_turn(
        3,
        extraction=lambda: [extract_activations(encoder, rows.texts) for _, rows in splits.items()],
        fit=lambda: LayerwiseProbe.fit(study.activations["train"], train.labels, train.label_names),
        repeats=lambda: repeats(study),
    )
    once, ten = times["extraction"] + times["fit"], times["repeats"]
    n_texts = sum(len(rows) for _, rows in splits.items())
    print(f"extraction of {n_texts:,} sentences {times['extraction']:.1f} s, first fit {times['fit']:.2f} s")
    print(f"{N_REPEATS} repeats: {ten:.1f} s, {ten / once:.2f}x extraction and first fit together")
    print(
        f"one repeat: {ten / N_REPEATS / times['fit']:.2f}x the first fit, {ten / N_REPEATS / once:.2f}x extraction and first fit"
    )
