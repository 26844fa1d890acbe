"""LIME: a weighted linear surrogate of the explained number over texts with some words taken out.

Ribeiro, Singh & Guestrin 2016, https://arxiv.org/abs/1602.04938. Unlike common implementations, no perturbation occurs twice
(all of them are used where that takes no more than the asked number of samples), and how far the surrogate can be trusted is
returned with it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lit_probe.errors import LitProbeError
from lit_probe.salience.methods.perturbations import AskedText, Masks, all_masks, draw_subsets, fit_quality, n_subsets, quotas
from lit_probe.salience.options import SalienceOptions
from lit_probe.salience.token_scores import MethodScores

# By the convention: what d²/w² is divided by in the exponent.
_HALVED = {"paper": 1.0, "package": 2.0}

# How strongly the surrogate is held back, against the weighted variance of a word's column: scores are about 1 % too small,
# whatever the length of the text and the width of the kernel. A fixed number would wipe out the scores of a text of two words.
_RIDGE = 0.01


def compute(text: AskedText, options: SalienceOptions) -> MethodScores:
    """The surrogate's weight of each word: how far the number rises, nearby, when the word stands in the text.

    Args:
      text: what is explained.
      options: ``samples`` (texts that the model reads, the full one included), ``replace`` (``mask``, ``unk`` or ``delete``),
        ``kernel_width`` in the convention of ``kernel``, and ``seed``.

    Returns:
      ``[n_tokens]`` scores, a word's divided equally over its tokens, special tokens 0; diagnostics ``r2`` and
      ``effective_samples`` (see `fit_quality`), ``n_samples`` (texts read), ``n_words``, ``enumerated`` (1 where they are all
      there are), ``ridge_alpha``, and the width in both conventions, ``width_in_paper`` and ``width_in_package``.

    Raises:
      LitProbeError: see `PerturbedText.of`; also where the kernel is so narrow that no perturbed text has any weight.
    """
    perturbed = text.perturbed(options.replace)
    masks = lime_masks(perturbed.n_units, options.samples, options.seed)
    weights = kernel(masks, options.kernel_width, options.kernel)
    alpha = ridge_alpha(masks, weights)
    if alpha < np.finfo(float).tiny:
        raise LitProbeError(f"kernel_width is {options.kernel_width}: no perturbed text has any weight. Give a larger one.")
    values = text.values(perturbed, masks)
    scores, fitted = surrogate(masks, values, weights, alpha)
    diagnostics = {
        **fit_quality(values, fitted, weights),
        "n_samples": len(masks),
        "n_words": perturbed.n_units,
        "enumerated": int(len(masks) == 2**perturbed.n_units),
        "ridge_alpha": alpha,
        "width_in_paper": width_in("paper", options.kernel_width, options.kernel),
        "width_in_package": width_in("package", options.kernel_width, options.kernel),
    }
    return MethodScores(perturbed.over_tokens(scores), diagnostics)


def lime_masks(n_words: int, n_samples: int, seed: int) -> Masks:
    """``[n, n_words]`` which words are left in: the full text first, no row twice.

    All ``2 ** n_words`` where they are no more than ``n_samples``. Else ``n_samples`` of them: as many with one word taken out
    as with two, three, … or all, as far as there are different ones, and which words is drawn.
    """
    if 2**n_words <= n_samples:
        return all_masks(n_words)
    random = np.random.default_rng(seed)
    n_out = np.arange(1, n_words + 1)
    counts = quotas(np.ones(n_words), n_subsets(n_words, n_out, n_samples), n_samples - 1, random)
    return np.concatenate([np.ones((1, n_words), dtype=bool), ~draw_subsets(n_words, n_out, counts, random)])


def kernel(masks: Masks, width: float, convention: str = "paper") -> NDArray[np.float64]:
    """``[n]`` weights of the masks, 0..1, by the cosine distance d between a mask and the full text's.

    d is 0 for the full text and 1 for the empty one. The paper's kernel is ``exp(-d² / width²)``. That of its authors' package
    ``lime`` is the square root of this, ``exp(-d² / (2 width²))``; captum's is the same.

    Args:
      masks: ``[n, n_words]``.
      width: in the convention, above 0. The package counts distances from 0 to 100, and so its widths: 25 is 0.25 here.
      convention: ``paper`` or ``package``.
    """
    distance = 1 - np.sqrt(masks.mean(axis=1))
    weights: NDArray[np.float64] = np.exp(-((distance / width) ** 2) / _HALVED[convention])
    return weights


def width_in(convention: str, width: float, given: str) -> float:
    """The width of the same kernel in a convention, where ``width`` is that in the convention ``given``.

    >>> round(width_in("package", 0.25, "paper"), 4), width_in("paper", 0.25, "paper")
    (0.1768, 0.25)
    """
    return float(width * np.sqrt(_HALVED[given] / _HALVED[convention]))


def ridge_alpha(masks: Masks, weights: NDArray[np.float64]) -> float:
    """The surrogate's penalty: 1 % of the weighted sum of squares of a word's column about its mean, averaged over words."""
    # Of words out, not in: beside a share in of almost 1, what a narrow kernel leaves would be lost to rounding.
    share_out = np.average(~masks, axis=0, weights=weights)
    return float(_RIDGE * weights.sum() * (share_out * (1 - share_out)).mean())


def surrogate(
    masks: Masks, values: NDArray[np.float64], weights: NDArray[np.float64], alpha: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted ridge regression of ``values`` ``[n]`` on ``masks`` ``[n, n_words]``.

    Returns:
      ``[n_words]`` coefficients and ``[n]`` fitted values.
    """
    from sklearn.linear_model import Ridge

    columns = masks.astype(np.float64)
    fit = Ridge(alpha=alpha).fit(columns, values, sample_weight=weights)
    return fit.coef_, fit.predict(columns)
