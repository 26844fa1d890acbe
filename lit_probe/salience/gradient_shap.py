"""Integrated gradients without the choice of a baseline: at random points on the ways from several of them to the text."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.salience.baselines import all_baselines
from lit_probe.salience.explained import ExplainedText
from lit_probe.salience.options import SalienceOptions
from lit_probe.salience.seeded import seeded


def compute(explained: ExplainedText, options: SalienceOptions) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """``[n_tokens]`` GradientSHAP (Lundberg & Lee 2017, arXiv 1705.07874) over all baselines that the tokenizer knows.

    Each random row draws one baseline and one point on its way. In expectation the scores add up to the mean change from the
    baselines to the text; ``completeness_gap`` is how far the drawn rows are from that.
    """
    import torch
    from captum.attr import GradientShap

    named = all_baselines(explained)
    baselines = torch.cat(list(named.values()))
    change = float(explained.change_from(baselines).mean())
    total = torch.zeros_like(explained.embeddings[0], dtype=torch.float64)
    left = options.noise_samples
    with seeded(options.seed, explained.embeddings.device):
        # captum runs all samples of a call in one pass.
        while left:
            n = min(left, explained.rows_per_pass)
            attributions = GradientShap(explained).attribute(explained.embeddings, baselines, n_samples=n)
            total += n * attributions[0].detach()
            left -= n
    scores = (total.sum(dim=1) / options.noise_samples).cpu().numpy()
    return scores, {"baselines": ", ".join(named), "change": change, "completeness_gap": abs(float(scores.sum()) - change)}
