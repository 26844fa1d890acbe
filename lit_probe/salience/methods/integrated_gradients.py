"""How a change of the number from a baseline to the text is shared among its tokens, along a straight path of embeddings."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from lit_probe.salience.methods.baselines import baseline_of
from lit_probe.salience.methods.explained import ExplainedText
from lit_probe.salience.options import SalienceOptions
from lit_probe.salience.token_scores import MethodScores


def compute(explained: ExplainedText, options: SalienceOptions) -> Generator[None, None, MethodScores]:
    """``[n_tokens]`` integrated gradients by Gauss-Legendre quadrature (Sundararajan et al. 2017, arXiv 1703.01365).

    Their sum should be the change from the baseline to the text; ``completeness_gap`` is how far it is from that.
    """
    import torch

    baseline = baseline_of(explained, options.baseline)
    change = float(explained.change_from(baseline)[0])
    difference = explained.embeddings.detach() - baseline
    # From [-1, 1] to [0, 1]. captum has the same points, but takes all its passes in one go.
    rule: Any = np.polynomial.legendre.leggauss
    nodes, weights = (torch.as_tensor(one, device=difference.device)[:, None, None] for one in rule(options.steps))
    total = torch.zeros_like(difference[0], dtype=torch.float64)
    for part in explained.parts(options.steps):
        yield
        rows = baseline + (1 + nodes[part]).to(difference.dtype) / 2 * difference
        total += (weights[part] / 2 * explained.gradients(rows)).sum(dim=0)
    scores = (total * difference[0]).sum(dim=1).cpu().numpy()
    return MethodScores(scores, {"change": change, "completeness_gap": abs(float(scores.sum()) - change)})
