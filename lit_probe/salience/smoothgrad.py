"""The gradient's length after averaging over noisy copies of the text, which evens out the kinks of a steep function."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.salience.explained import ExplainedText
from lit_probe.salience.options import SalienceOptions
from lit_probe.salience.seeded import seeded


def compute(explained: ExplainedText, options: SalienceOptions) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """``[n_tokens]`` L2 norm of the mean gradient over noisy embeddings (Smilkov et al. 2017, arXiv 1706.03825).

    The noise is Gaussian, on every token, with ``options.noise`` times the standard deviation of the content embeddings.
    """
    import torch
    from captum.attr import NoiseTunnel, Saliency

    with torch.no_grad():
        explained(explained.embeddings)
    deviation = options.noise * float(explained.embeddings.detach()[0][explained.content[:, 0]].std(correction=0))
    with seeded(options.seed, explained.embeddings.device):
        gradient = NoiseTunnel(Saliency(explained)).attribute(
            explained.embeddings,
            nt_samples=options.noise_samples,
            nt_samples_batch_size=explained.rows_per_pass,
            stdevs=deviation,
            abs=False,
        )
    return gradient[0].double().norm(dim=1).cpu().numpy(), {"noise_deviation": deviation}
