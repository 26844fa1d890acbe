"""How a change of the number from a baseline to the text is shared among its tokens, along a straight path of embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.salience.baselines import baseline_of
from lit_probe.salience.explained import ExplainedText
from lit_probe.salience.options import SalienceOptions


def compute(explained: ExplainedText, options: SalienceOptions) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """``[n_tokens]`` integrated gradients by Gauss-Legendre quadrature (Sundararajan et al. 2017, arXiv 1703.01365).

    Their sum should be the change from the baseline to the text; ``completeness_gap`` is how far it is from that.
    """
    from captum.attr import IntegratedGradients

    baseline = baseline_of(explained, options.baseline)
    change = float(explained.change_from(baseline)[0])
    attributions = IntegratedGradients(explained).attribute(
        explained.embeddings,
        baselines=baseline,
        n_steps=options.steps,
        method="gausslegendre",
        internal_batch_size=explained.rows_per_pass,
    )
    scores = attributions[0].detach().double().sum(dim=1).cpu().numpy()
    return scores, {"change": change, "completeness_gap": abs(float(scores.sum()) - change)}
