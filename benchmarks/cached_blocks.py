"""How long does it take to open activations that the cache has, against their blocks checked one after another?

(ar) 48 blocks of 1,024 texts at 13 layers of 768 units, 2 GB in all, whose files the system holds in memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import in_turn
from benchmarks.figures import Figure, tell
from lit_probe.encoder import cache as cache_module
from lit_probe.encoder.activations import BLOCK_SIZE
from lit_probe.encoder.cache import BLOCKS_CHECKED_AT_ONCE, Cache
from lit_probe.encoder.vector_encoder import VectorEncoder
from lit_probe.progress import Progress, no_progress

N_BLOCKS, N_LAYERS, WIDTH = 48, 13, 768


class _Drawn(VectorEncoder):
    """Vectors at random: what they are makes no difference to their hash."""

    def vectors(self, texts: Sequence[str], progress: Progress = no_progress) -> list[NDArray[np.float32]]:
        rng = np.random.default_rng(0)
        return [rng.random((len(texts), WIDTH), dtype=np.float32) for _ in range(N_LAYERS)]


def main() -> None:
    """Prints the ratio, and how many GB a second are opened."""
    encoder = _Drawn("drawn", [f"layer {i}" for i in range(N_LAYERS)], [WIDTH] * N_LAYERS, "drawn")
    texts = [f"text {i}" for i in range(N_BLOCKS * BLOCK_SIZE)]
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder) / "cache")
        size = sum(values.nbytes for block in cache.activations(encoder, texts).blocks for values in block.values) / 1e9

        def opened(at_once: int) -> None:
            cache_module.BLOCKS_CHECKED_AT_ONCE = at_once
            cache.activations(encoder, texts)

        times = in_turn(5, ours=lambda: opened(BLOCKS_CHECKED_AT_ONCE), before=lambda: opened(1))
        cache_module.BLOCKS_CHECKED_AT_ONCE = BLOCKS_CHECKED_AT_ONCE
    tell(
        times.ratio(f"(ar) {size:.1f} GB in {N_BLOCKS} blocks: one after another / ours", "before", "ours"),
        Figure("opened by ours", size / times["ours"], "GB/s"),
    )
