"""How long do an edit's trajectory, 500 pairs and a notebook widget take?

From the editor's "Add" (HTTP) to the trajectory's answer: at most 3x the bare forward of the two texts. 500 pairs: at most 1.1x
the forward of their 1,000 texts. A widget with cached activations: at most 3 s above the import of its libraries.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import bare_forward, data_folder, default_encoder, in_turn, seconds, sentences
from benchmarks.edited_text import demo_server, edited, post
from benchmarks.figures import Times, of_rounds, tell
from lit_probe.counterfactuals.over_pairs import over_pairs
from lit_probe.counterfactuals.pair_changes import TrainGeometry, compare_pairs
from lit_probe.data import load_dataset
from lit_probe.data.options import DatasetOptions
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.cache import Cache
from lit_probe.probing.layerwise import ActivationView
from lit_probe.probing.study import probe_layers

ROUNDS = 40
WIDGET = """
import sys, time
from pathlib import Path
start = time.perf_counter()
import lit_probe.notebook, lit_nlp, torch, transformers, sklearn.linear_model
from lit_probe import Cache
imported = time.perf_counter()
widget = lit_probe.notebook.ProbeWidget("sentence-transformers/all-MiniLM-L6-v2", "demo", cache=Cache(Path(sys.argv[1])))
widget.layers
print(imported - start, time.perf_counter() - imported)
widget.stop()
"""


def main() -> None:
    """Prints the ratios."""
    encoder = default_encoder()
    texts = [text for text in sentences("dev") if 10 <= len(text.split()) <= 30]
    with tempfile.TemporaryDirectory() as folder:
        with demo_server(folder) as (port, model, _):
            through_http, bare = [], []
            for i in range(ROUNDS + 5):
                # New texts every time, so that no memo answers for either.
                pair = [f"{texts[i % len(texts)]} {word} {i}" for word in ("first", "second")]
                through_http.append(seconds(_add_and_compare, port, model, pair))
                bare.append(seconds(bare_forward, encoder, [encoder.encode(pair)]))
        times = Times({"http": through_http[5:], "bare": bare[5:]})
        tell(times.ratio("(p) Add and trajectory / the forward of both texts", "http", "bare", at_most=3))
        done = [
            subprocess.run([sys.executable, "-c", WIDGET, folder], check=True, capture_output=True, text=True).stdout.split()
            for _ in range(3)
        ]
        tell(of_rounds("(r) widget with its table, cached, above imports", [float(row[1]) for row in done], "s", at_most=3))
    _many_pairs(encoder)


def _add_and_compare(port: int, model: str, pair: list[str]) -> None:
    """What LIT's editor and our panel ask for: ids for the new examples, then the trajectory."""
    question = f"get_interpretations?model={model}&dataset_name=demo&interpreter=counterfactual_by_layer&do_predict=0"
    answer = post(port, question, {"inputs": [edited(port, text) for text in pair], "config": {}})
    assert answer["status"] == "ready", answer


def _many_pairs(encoder: Any) -> None:
    splits = load_dataset("sst2_sentences", str(data_folder() / "sst2"), DatasetOptions(max_examples=1_000))
    with tempfile.TemporaryDirectory() as folder:
        study = probe_layers(encoder, splits, cache=Cache(Path(folder)))
    geometry = TrainGeometry(study)
    geometry.prepare()
    texts = sentences("train")[-1_000:]
    encoded = encoder.encode(texts)
    batches = [[encoded[i] for i in indices] for indices in encoder.batches(encoded)]

    def ours() -> None:
        activations = extract_activations(encoder, texts, study.pooling)
        originals, edits = (ActivationView(activations, rows) for rows in (np.arange(500), np.arange(500, 1_000)))
        over_pairs(compare_pairs(study, originals, edits, geometry), [0] * 500, [1] * 500)

    times = in_turn(3, ours=ours, bare=lambda: bare_forward(encoder, batches))
    tell(times.ratio("(q) 500 pairs / the forward of their 1,000 texts", "ours", "bare", at_most=1.1))
