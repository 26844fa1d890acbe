"""Integrated gradients without the choice of a baseline: at random points on the ways from several of them to the text."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from lit_probe.salience.methods.baselines import all_baselines
from lit_probe.salience.methods.explained import ExplainedText
from lit_probe.salience.options import SalienceOptions
from lit_probe.salience.token_scores import MethodScores


def compute(explained: ExplainedText, options: SalienceOptions) -> Generator[None, None, MethodScores]:
    """``[n_tokens]`` GradientSHAP (Lundberg & Lee 2017, arXiv 1705.07874) over all baselines that the tokenizer knows.

    Each random row draws one baseline and one point on its way. In expectation the scores add up to the mean change from the
    baselines to the text; ``completeness_gap`` is how far the drawn rows are from that.
    """
    import torch

    named = all_baselines(explained)
    baselines = torch.cat(list(named.values()))
    change = float(explained.change_from(baselines).mean())
    # captum draws the same numbers, from the generator of the whole process.
    random = np.random.RandomState(options.seed)
    which = random.choice(len(baselines), options.noise_samples)
    points = random.uniform(0.0, 1.0, options.noise_samples)
    text = explained.embeddings.detach()
    total = torch.zeros_like(text[0], dtype=torch.float64)
    for part in explained.parts(options.noise_samples):
        yield
        ends = baselines[which[part]]
        point = torch.as_tensor(points[part], dtype=text.dtype, device=text.device)[:, None, None]
        total += ((text - ends) * explained.gradients(point * text + (1 - point) * ends)).sum(dim=0)
    scores = (total.sum(dim=1) / options.noise_samples).cpu().numpy()
    return MethodScores(
        scores, {"baselines": ", ".join(named), "change": change, "completeness_gap": abs(float(scores.sum()) - change)}
    )
