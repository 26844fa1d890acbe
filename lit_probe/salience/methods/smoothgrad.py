"""The gradient's length after averaging over noisy copies of the text, which evens out the kinks of a steep function."""

from __future__ import annotations

from collections.abc import Generator

from lit_probe.salience.methods.explained import ExplainedText
from lit_probe.salience.options import SalienceOptions
from lit_probe.salience.token_scores import MethodScores


def compute(explained: ExplainedText, options: SalienceOptions) -> Generator[None, None, MethodScores]:
    """``[n_tokens]`` L2 norm of the mean gradient over noisy embeddings (Smilkov et al. 2017, arXiv 1706.03825).

    The noise is Gaussian, on every token, with ``options.noise`` times the standard deviation of the content embeddings.
    """
    import torch

    with torch.no_grad():
        explained(explained.embeddings)
    text = explained.embeddings.detach()
    deviation = options.noise * float(text[0][explained.content[:, 0]].std(correction=0))
    # captum draws the same numbers, from the generator of the whole process. On the CPU, so that a GPU's map is the same.
    random = torch.Generator().manual_seed(options.seed)
    total = torch.zeros_like(text[0], dtype=torch.float64)
    for part in explained.parts(options.noise_samples):
        yield
        spread = torch.full((part.stop - part.start, *text.shape[1:]), deviation)
        noise = torch.normal(0.0, spread, generator=random).to(text.device)
        total += explained.gradients(text + noise).sum(dim=0)
    return MethodScores((total / options.noise_samples).norm(dim=1).cpu().numpy(), {"noise_deviation": deviation})
