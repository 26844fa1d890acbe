"""What do ten other splits cost beside the extraction and the first fit, activations cached?

At most 1,200 sentences of each split are read once. Each repeat fits and scores all layers on other rows of train and dev.
"""

from __future__ import annotations

from benchmarks.common import data_folder, default_encoder, in_turn
from benchmarks.figures import Figure, tell
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
    tell(
        times.seconds(f"extraction of {n_texts:,} sentences", "extraction"),
        times.seconds("first fit", "fit"),
        Figure(f"(s) {N_REPEATS} repeats / extraction and first fit together", ten / once),
        Figure("one repeat / the first fit", ten / N_REPEATS / times["fit"]),
    )
