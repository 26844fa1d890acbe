"""How faithful and how stable is each salience method on real sentences? Writes the tables of docs/salience.md.

    python -m benchmarks.salience_table [N_FAITHFULNESS [N_STABILITY]]

The first sentences of SST-2's dev split, explained by the probe of the dev-chosen layer of the default model; none is written.
"""

from __future__ import annotations

import functools
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.common import data_folder, default_encoder, sentences
from lit_probe.data import load_dataset
from lit_probe.data.options import DatasetOptions
from lit_probe.encoder.cache import Cache
from lit_probe.probing.probe_forward import forward_of_probe
from lit_probe.probing.study import probe_layers
from lit_probe.salience import SalienceOptions
from lit_probe.salience.trust.faithfulness import Faithfulness, faithfulness
from lit_probe.salience.trust.judged_texts import OverTexts
from lit_probe.salience.trust.stability import SalienceStability, salience_stability

TARGET = Path(__file__).parent.parent / "docs" / "salience.md"
# Every map is made ten times over for stability, so that LIME and KernelSHAP get half of their usual samples.
STABILITY_SAMPLES = 128
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def main(n_faithfulness: int = 200, n_stability: int = 200) -> None:
    """Measures, and puts the tables between the marks of docs/salience.md."""
    encoder = default_encoder()
    splits = load_dataset("sst2_sentences", str(data_folder() / "sst2"), DatasetOptions(max_examples=0))
    with tempfile.TemporaryDirectory() as folder:
        study = probe_layers(encoder, splits, cache=Cache(Path(folder)))
    layer = study.best_layer
    forward = forward_of_probe(encoder, study.pooling, layer, study.layerwise.probes[layer], splits.label_names)
    # In the order of the file, which is not that of the splits.
    label_of = dict(zip(splits.dev.texts, splits.dev.labels.tolist(), strict=True))
    texts = [text for text in sentences("dev") if text in label_of][:n_faithfulness]
    labels = [label_of[text] for text in texts]
    with tqdm(total=1, desc="faithfulness") as bar:
        faithful = faithfulness(forward, texts, labels, progress=functools.partial(_show, bar))
    with tqdm(total=1, desc="stability") as bar:
        options = SalienceOptions(samples=STABILITY_SAMPLES)
        stable = salience_stability(forward, texts[:n_stability], options=options, progress=functools.partial(_show, bar))
    page = TARGET.read_text("utf-8")
    start, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    TARGET.write_text(f"{page[:start]}\n{tables(faithful, stable, layer)}\n{page[end:]}", "utf-8")
    print(f"Written: {TARGET}")


def tables(faithful: Faithfulness, stable: SalienceStability, layer: int) -> str:
    """Both tables as Markdown, with what they were measured on."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "captum", "scikit-learn"))
    lines = [
        f"Probe of layer {layer} of all-MiniLM-L6-v2 (mean pooling, trained on SST-2 sentences); the first {faithful.n_texts} "
        f"dev sentences for faithfulness, the first {stable.n_texts} for stability (there with {STABILITY_SAMPLES} samples "
        f"for LIME and KernelSHAP); seed {faithful.seed}; {versions}. Each cell: mean [95 % interval over sentences].",
        "",
        "| method | comprehensiveness, normalised | sufficiency, normalised | τ, leave-one-out | macro-F1, top words masked |",
        "|---|---|---|---|---|",
    ]
    measures = ("comprehensiveness_normalised", "sufficiency_normalised", "tau_loo", "macro_f1_masked")
    titled = [*((one.title, one.measures) for one in faithful.methods), ("*random ranking*", faithful.random)]
    for title, row in titled:
        lines.append(f"| {title} | " + " | ".join(_cell(getattr(row, name)) for name in measures) + " |")
    lines += [
        "",
        f"Macro-F1 of the unmasked sentences: {_cell(faithful.macro_f1)}.",
        "",
        "| method | across seeds (mean Spearman) | across small edits (mean Spearman) | map changes as the prediction does |",
        "|---|---|---|---|",
    ]
    for one in stable.methods:
        lines.append(f"| {one.title} | {_cell(one.seeds)} | {_cell(one.edits)} | {_cell(one.edit_correlation)} |")
    return "\n".join(lines)


def _cell(cell: OverTexts | None) -> str:
    if cell is None or cell.mean is None:
        return "–"
    if cell.low is None:
        return f"{cell.mean:.3f}"
    return f"{cell.mean:.3f} [{cell.low:.3f}, {cell.high:.3f}]"


def _show(bar: tqdm[Any], done: int, total: int) -> None:
    bar.total = total
    bar.update(done - bar.n)


if __name__ == "__main__":
    main(*(int(value) for value in sys.argv[1:]))
