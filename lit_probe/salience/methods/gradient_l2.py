"""How strongly the number reacts to a token at all: the length of its gradient."""

from __future__ import annotations

from lit_probe.salience.methods.explained import ExplainedText
from lit_probe.salience.options import SalienceOptions
from lit_probe.salience.token_scores import MethodScores


def compute(explained: ExplainedText, options: SalienceOptions) -> MethodScores:
    """``[n_tokens]`` L2 norm of the gradient with respect to each token's embedding (Simonyan et al. 2013, arXiv 1312.6034)."""
    from captum.attr import Saliency

    gradient = Saliency(explained).attribute(explained.embeddings, abs=False)
    return MethodScores(gradient[0].double().norm(dim=1).cpu().numpy())
