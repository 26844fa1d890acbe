"""captum draws from the process's own random number generators; here they are lent to it and given back as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import device


@contextmanager
def seeded(seed: int, where: device) -> Iterator[None]:
    """Within the context, numpy and torch draw from ``seed``; after it, as if nothing had been drawn."""
    import torch

    on_gpu = where.type == "cuda"
    before = np.random.get_state()
    with torch.random.fork_rng(devices=[where] if on_gpu else []):
        np.random.seed(seed)
        # Not torch.manual_seed, which would seed every GPU and not give them back.
        torch.default_generator.manual_seed(seed)
        if on_gpu:
            with torch.cuda.device(where):
                torch.cuda.manual_seed(seed)
        try:
            yield
        finally:
            np.random.set_state(before)
