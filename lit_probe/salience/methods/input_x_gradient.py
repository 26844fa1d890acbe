"""A token's share of the number as a linear function of the embeddings would have it: input times gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.salience.methods.explained import ExplainedText
from lit_probe.salience.options import SalienceOptions


def compute(explained: ExplainedText, options: SalienceOptions) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """``[n_tokens]`` dot product of each token's embedding with its gradient (Shrikumar et al. 2016, arXiv 1605.01713)."""
    from captum.attr import InputXGradient

    products = InputXGradient(explained).attribute(explained.embeddings)
    return products[0].detach().double().sum(dim=1).cpu().numpy(), {}
