"""How much memory does extraction take above the pooled array, and does it grow with the number of texts?

(d) at most 1.5 GB above the pooled array, whatever the number of texts.
"""

from __future__ import annotations

import subprocess
import sys

from benchmarks.common import data_folder
from benchmarks.figures import Figure, tell

COUNTS = (2_000, 8_000, 32_000)

EXTRACT = """
import resource, sys
from benchmarks.common import default_encoder
from lit_probe.encoder.activations import extract_activations
path, count = sys.argv[1], int(sys.argv[2])
texts = [line.split("\\t")[0] for line in open(path, encoding="utf-8", newline="\\n").read().split("\\n")[1:] if line][:count]
activations = extract_activations(default_encoder(), texts)
pooled = sum(block.values.nbytes for block in activations.blocks)
print(len(texts), pooled, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def main() -> None:
    """Prints one line per number of texts."""
    for count in COUNTS:
        command = [sys.executable, "-c", EXTRACT, str(data_folder() / "sst2/train.tsv"), str(count)]
        n_texts, pooled, peak = map(int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
        tell(Figure(f"(d) memory above the pooled array, {n_texts:,} texts", (peak - pooled) / 1e9, "GB", at_most=1.5))
