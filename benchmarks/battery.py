"""How long do the checks beside the scores take on SST-2 sentences, activations cached, and how much memory?

All checks of one study in at most 4 minutes on 2 cores, with at most 1 GB above the cached activations; 1,000 bootstrap draws
of a confusion-based metric for 7 layers and 872 rows under 0.3 s; one metric for 7 layers and 10,000 rows within 1 s.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile

import numpy as np

from benchmarks.common import data_folder, in_turn
from benchmarks.figures import Figure, tell
from lit_probe.scores.metrics import METRICS, score_layers

RUN = """
import json, resource, sys, time
from pathlib import Path
from lit_probe.encoder.cache import Cache
from lit_probe.checks.battery import USUAL_CHECKS, run_check
from lit_probe.encoder.checkpoint import DEFAULT_MODEL
from lit_probe.data import load_dataset
from lit_probe.data.options import DatasetOptions
from lit_probe.encoder.encoder import load_encoder
from lit_probe.probing.study import probe_layers
source, folder, measured = sys.argv[1:]
splits = load_dataset("sst2_sentences", source, DatasetOptions(max_examples=0))
encoder, cache = load_encoder(DEFAULT_MODEL, device="cpu"), Cache(Path(folder))
study = probe_layers(encoder, splits, cache=cache)
seconds = {}
if measured == "yes":
    for name in USUAL_CHECKS:
        start = time.perf_counter()
        run_check(name, study, cache)
        seconds[name] = time.perf_counter() - start
# The activations of the encoder with random weights are cached and mapped as the study's own are, one draw of weights at a time.
held = [sum(block.values.nbytes for one in splits for block in one.blocks) for splits in (
    list(study.activations.values()), [study.activations["train"], study.activations["dev"]])]
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, held]))
"""


def main() -> None:
    """Prints the times and the memory."""
    with tempfile.TemporaryDirectory() as folder:
        for measured in ("no", "yes"):  # first the activations and probes, then the checks in a process of their own
            command = [sys.executable, "-c", RUN, str(data_folder() / "sst2"), folder, measured]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds, peak, held = json.loads(done.stdout.splitlines()[-1])
    own, random = held
    tell(
        *(Figure(f"check {name}", value, "s") for name, value in seconds.items()),
        Figure("(g) all checks", sum(seconds.values()), "s", at_most=240),
        Figure(
            "(h) memory above the activations of the study and of the random weights",
            (peak - own - random) / 1e9,
            "GB",
            at_most=1,
        ),
        Figure("memory above the activations of the study", (peak - own) / 1e9, "GB"),
    )

    _bootstrap(872, 0.3)
    _bootstrap(10_000, 1)


def _bootstrap(n: int, at_most: float) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, n)
    positive = np.clip(rng.normal(0.3 + 0.4 * labels[:, None], 0.3, (n, 7)), 0.01, 0.99)
    probabilities = np.stack([1 - positive, positive], axis=2)
    names = [name for name in METRICS if name in ("balanced_accuracy", "macro_f1", "mcc")]
    times = in_turn(5, **{name: lambda name=name: score_layers(name, probabilities, labels) for name in names})
    tell(*(times.seconds(f"(i) {name}: 1,000 draws x 7 layers x {n:,} rows", name, at_most=at_most) for name in times))
