"""How strongly the number reacts to a token at all: the mean size of its gradient's entries.

The sizes, not the entries: a layer norm right after the embeddings takes no notice of a constant added to all entries, so the
mean of the entries themselves is 0 but for rounding, for nearly every encoder.
"""

from __future__ import annotations

from lit_probe.salience.methods.explained import ExplainedText
from lit_probe.salience.options import SalienceOptions
from lit_probe.salience.token_scores import MethodScores


def compute(explained: ExplainedText, options: SalienceOptions) -> MethodScores:
    """``[n_tokens]`` mean over the embedding's dimensions of the absolute gradient (Atanasova et al. 2020, arXiv 2009.13295)."""
    from captum.attr import Saliency

    gradient = Saliency(explained).attribute(explained.embeddings, abs=True)
    return MethodScores(gradient[0].double().mean(dim=1).cpu().numpy())
