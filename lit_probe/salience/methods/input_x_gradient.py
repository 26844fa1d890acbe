"""A token's share of the number as a linear function of the embeddings would have it: input times gradient."""

from __future__ import annotations

from lit_probe.salience.methods.explained import ExplainedText
from lit_probe.salience.options import SalienceOptions
from lit_probe.salience.token_scores import MethodScores


def compute(explained: ExplainedText, options: SalienceOptions) -> MethodScores:
    """``[n_tokens]`` dot product of each token's embedding with its gradient (Shrikumar et al. 2016, arXiv 1605.01713)."""
    from captum.attr import InputXGradient

    products = InputXGradient(explained).attribute(explained.embeddings)
    return MethodScores(products[0].detach().double().sum(dim=1).cpu().numpy())
