"""What does `lit-probe layers` cost as a whole process, cold and warm, against a process that runs the bare forward?

Both without the checks of the battery (`--checks=none`), which are measured in battery.py.

(c) cold: at most 1.4x the bare process; a second identical run: at least 8x faster than cold, without importing torch.

Both sides read the sentences of train and dev (6,920 + 872). `layers` also encodes the 1,821 test sentences, to score the chosen
layer once; the ratio is given against a bare process with and without them.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.common import data_folder, seconds
from benchmarks.figures import Times, tell

ROUNDS = 3

BARE = """
import sys
from benchmarks.common import bare_forward, default_encoder, sentences
encoder = default_encoder()
encoded = encoder.encode(sentences(*sys.argv[1:]))
bare_forward(encoder, [[encoded[i] for i in indices] for indices in encoder.batches(encoded)])
"""

NO_TORCH = """
import sys
from lit_probe import cli
code = cli.main(["lit-probe", *sys.argv[1:]])
assert "torch" not in sys.modules, "torch was imported"
sys.exit(code)
"""


def main() -> None:
    """Prints the ratios."""
    times: dict[str, list[float]] = {"cold": [], "warm": [], "bare": [], "bare with test": []}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            flags = [
                "layers",
                f"--datasets=sst2_sentences={data_folder() / 'sst2'}",
                "--max_examples=10000",
                "--checks=none",
                f"--cache_dir={folder}/cache",
                f"--out={folder}/out",
                "--device=cpu",
            ]
            run = [sys.executable, "-m", "lit_probe.cli", *flags]
            times["cold"].append(seconds(_quietly, run))
            cold = (Path(folder) / "out/layers.json").read_bytes()
            times["warm"] += [seconds(_quietly, run) for _ in range(3)]
            assert (Path(folder) / "out/layers.json").read_bytes() == cold, "the second run gave other numbers"
            _quietly([sys.executable, "-c", NO_TORCH, *flags])
        times["bare"].append(seconds(_quietly, [sys.executable, "-c", BARE, "train", "dev"]))
        times["bare with test"].append(seconds(_quietly, [sys.executable, "-c", BARE, "train", "dev", "test"]))
    times["warm"] = [statistics.median(times["warm"][3 * n : 3 * n + 3]) for n in range(ROUNDS)]
    measured = Times(times)
    tell(
        *(measured.seconds(name, name) for name in times),
        measured.ratio("(c) cold / bare on train and dev", "cold", "bare", at_most=1.4),
        measured.ratio("cold / bare on the same 9,613 sentences", "cold", "bare with test"),
        # Without torch and with identical numbers, as asserted above.
        measured.ratio("cold / warm", "cold", "warm", at_least=8),
    )


def _quietly(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
