"""What do many texts take on a Ray cluster of this machine, beside the arithmetic of docs/many-machines.md?

``python -m benchmarks.many_texts`` extracts 200,000 texts with two encoders into 2.2 GB of blocks, a quarter of an hour to an
hour on two cores; ``--texts=10000`` tries it. Texts are made up of common words and are as long as the phrases of SST-2: 9.4
words and 54 characters on average. Told are bytes, texts a second, the share of the matrix product's speed that the encoders
reach (the plan assumes a fifth to a half), and the driver's processor time for a block. ``--fits`` also fits the probes of all
layers, here and on the cluster, and compares their digits.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import seconds
from benchmarks.figures import Figure, load_per_core, tell
from lit_probe.encoder.activations import BLOCK_SIZE, split_into_blocks
from lit_probe.encoder.block_places import Folder
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.checkpoint import DEFAULT_MODEL
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.encoder.ray_extraction import Extraction, extract_blocks
from lit_probe.encoder.ray_layers import RayLayers
from lit_probe.probing.layerwise import LayerwiseProbe

WORDS = """a the of and to in is it that this with for film movie story good bad great funny moving clever dull director
characters performances comedy drama audience never always about because through another something nothing everything""".split()
MEAN_WORDS, MOST_WORDS = 9.4, 52
PLANNED_BLOCKS = 97_657


def phrases(n_texts: int) -> list[str]:
    """Made-up texts, as long as phrases of SST-2."""
    random = np.random.default_rng(0)
    lengths = random.geometric(1 / MEAN_WORDS, n_texts).clip(1, MOST_WORDS)
    return [" ".join(random.choice(WORDS, length)) for length in lengths]


def product_speed() -> float:
    """Multiplications and additions a second of a matrix product on all cores that torch uses; the best of ten."""
    import torch

    one = torch.rand(2_048, 2_048)
    return 2 * 2_048**3 / min(seconds(torch.mm, one, one) for _ in range(10))


def operations(encoder: Encoder, texts: Sequence[str]) -> float:
    """Of a text's pass, on average: two for each weight of the blocks and each token."""
    n_tokens = np.mean([len(text.ids) for text in encoder.encode(texts[:BLOCK_SIZE])])
    embedding = encoder.model.get_input_embeddings()
    return 2 * (encoder.checkpoint.n_parameters - embedding.weight.numel()) * float(n_tokens)


def run(texts: Sequence[str], encoder: Encoder, n_encoders: int, folder: Path, *, fits: bool) -> None:
    """Extracts the texts, twice, and tells the figures."""
    speed = product_speed()
    began: list[float] = []

    def blocks() -> Iterator[Sequence[str]]:
        for number, (part, _) in enumerate(split_into_blocks(texts)):
            if number == 1:  # which is asked for once a worker has begun
                began.append(time.process_time())
            yield part

    def extract() -> Extraction:
        cores = max(1, (os.cpu_count() or 1) // n_encoders)
        return extract_blocks(encoder, "mean", blocks(), Folder(folder), Cache(folder), device="cpu", cores=cores)

    found = extract()
    driver, ended = time.process_time() - began[0], time.monotonic()
    rate = found.texts_written / (ended - (found.since or ended))
    name = f"{len(texts):,} texts, encoders: {n_encoders}"
    planned = BLOCK_SIZE * sum(encoder.widths) * 4
    start = time.process_time()
    again = extract()
    looking = time.process_time() - start
    assert (again.n_written, again.n_found) == (0, found.n_written)
    by_driver = driver / found.n_written
    tell(
        Figure(f"{name}: bytes of a text, over those of the plan", found.n_bytes / len(texts) / (planned / BLOCK_SIZE)),
        Figure(f"{name}: all blocks", found.n_bytes / 1e9, "GB"),
        Figure(f"{name}: texts a second, once the first worker had begun", rate, "a second"),
        Figure(f"{name}: share of the matrix product's speed", operations(encoder, texts) * rate / speed),
        Figure(f"{name}: processor time of the driver for a block", by_driver * 1e3, "ms"),
        Figure(f"{name}: the same for the blocks of the plan", by_driver * PLANNED_BLOCKS, "s"),
        Figure(f"{name}: to name a block and find it there", looking / found.n_written * 1e3, "ms"),
    )
    if fits:
        _fit(texts, encoder, folder)


def _fit(texts: Sequence[str], encoder: Encoder, folder: Path) -> None:
    cache, labels = Cache(folder), np.array(["good" in text.split() for text in texts], dtype=np.int64)
    made: dict[str, LayerwiseProbe] = {}
    start = time.perf_counter()
    activations = cache.activations(encoder, texts, "mean")
    tell(Figure("to open and check the blocks", time.perf_counter() - start, "s"))
    with RayLayers(cache) as cluster:
        for where, spread in {"threads of this process": None, "the cluster, joined for it": cluster}.items():
            start = time.perf_counter()
            made[where] = LayerwiseProbe.fit(activations, labels, ("other", "good"), spread=spread)
            tell(Figure(f"fits of {encoder.n_layers} layers by {where}", time.perf_counter() - start, "s"))
    for one, other in zip(*(probe.probes for probe in made.values()), strict=True):
        for name, array in one.to_arrays().items():
            np.testing.assert_array_equal(array, other.to_arrays()[name])
    print("    The digits are the same.")


def main() -> None:
    """Makes the texts and a folder, and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=200_000)
    parser.add_argument("--encoders", type=int, default=2)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--folder", type=Path, help="on the disk that is measured; by default a temporary one")
    parser.add_argument("--fits", action="store_true")
    asked = parser.parse_args()
    # Ray gives its workers a low priority otherwise.
    os.environ.setdefault("RAY_worker_niceness", "0")
    encoder, texts = load_encoder(asked.model, device="cpu"), phrases(asked.texts)
    print(f"Load {load_per_core():.1f} processes a core; {np.mean([len(text) for text in texts]):.0f} characters a text")
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        run(texts, encoder, asked.encoders, Path(folder) / "blocks", fits=asked.fits)


if __name__ == "__main__":
    main()
