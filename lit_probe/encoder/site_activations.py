"""Pooled activations at any places of an encoder's network, all from one forward pass per batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.site_search import sites_of
from lit_probe.encoder.sites import Site
from lit_probe.progress import Progress, no_progress


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
    found = [site for one in sites for site in ((one,) if isinstance(one, Site) else sites_of(encoder, [one]))]
    read = encoder.at(found)
    activations = extract_activations(read, texts, pooling, progress=progress)
    return {site.name: activations.layer(place) for place, site in enumerate(read.sites)}
