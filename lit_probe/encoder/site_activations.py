"""Pooled activations at any places of an encoder's network, all from one forward pass per batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.activations import run_batches
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.encoder.sites import Site, read_sites, sites_of
from lit_probe.encoder.tokens import by_token
from lit_probe.errors import EncoderError
from lit_probe.progress import Progress, no_progress
from lit_probe.registry import lookup

if TYPE_CHECKING:
    from torch import Tensor


def extract_sites(
    encoder: Encoder,
    texts: Sequence[str],
    sites: Sequence[str | Site],
    pooling: str | None = None,
    *,
    progress: Progress = no_progress,
) -> dict[str, NDArray[np.float32]]:
    """Pools what stands at some places of the network, for every text. ``probe_activations`` probes what it returns.

    Args:
      encoder: the frozen encoder.
      texts: any strings.
      sites: names as for ``sites_of``: ``layers``, ``attention``, ``mlp``, ``mlp_neurons``, ``heads``, ``module:PATH``; and
        places that it found.
      pooling: a name in ``POOLINGS``; the encoder's usual one when None.
      progress: hears how many of the texts are done.

    Returns:
      By the name of the site, in the order asked: ``[n_texts, width]`` float32.

    Raises:
      UnknownNameError: no such pooling, family or module.
      EncoderError: the weights cannot be loaded or used, or a place cannot be read in this architecture.
    """
    pool = lookup(POOLINGS, pooling or encoder.default_pooling, "pooling")
    found = list(dict.fromkeys(site for one in sites for site in ((one,) if isinstance(one, Site) else sites_of(encoder, [one]))))
    layers, others = [site for site in found if site.family == "layers"], [site for site in found if site.family != "layers"]
    encoded = encoder.encode(texts)
    values = {site.name: np.zeros((len(texts), site.width), dtype=np.float32) for site in found}

    def run(indices: list[int]) -> None:
        batch = [encoded[i] for i in indices]
        padded = encoder.padded(batch)

        def put(some: Sequence[Site], states: Tensor) -> None:
            # Units are pooled one by one, so those of all heads can be at once.
            pooled = pool(states, padded.attention_mask, padded.special_tokens_mask).float().cpu().numpy()
            for site in some:
                values[site.name][indices] = pooled[:, site.start : site.start + site.width]

        def take(some: Sequence[Site], given: Any) -> None:
            states = by_token(given, padded)
            if states is None:
                raise EncoderError(f"{some[0].name} gives no vector for each token of a batch of {len(batch)} texts.")
            put(some, states)

        hidden = read_sites(encoder, others, take, lambda: encoder.forward(batch))
        for site in layers:
            put([site], hidden.layers[site.depth])

    run_batches(encoder, encoded, run, progress)
    return values
