"""KernelSHAP: Shapley values of words, as the solution of a weighted regression over texts with some words taken out.

Lundberg & Lee 2017, https://arxiv.org/abs/1705.07874. A drawn coalition comes with its complement, which cancels much of the
noise (Covert & Lee 2021, https://arxiv.org/abs/2012.01536). That the scores add up is a constraint here, not a large weight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lit_probe.salience.methods.perturbations import AskedText, Masks, all_masks, draw_subsets, fit_quality, n_subsets, quotas
from lit_probe.salience.options import SalienceOptions
from lit_probe.salience.token_scores import MethodScores


def compute(text: AskedText, options: SalienceOptions) -> MethodScores:
    """The Shapley value of each word: the mean rise of the number when it joins, over all orders in which words may join.

    Exact where all ``2 ** n_words`` texts are read, else estimated. The scores always sum to the number of the full text less
    that of the text with every word taken out. A text of more words than samples has many solutions; the one of least squares
    is returned, and ``effective_samples`` below ``n_words`` tells.

    Args:
      text: what is explained.
      options: ``samples`` (texts that the model reads, the full and the empty one included), ``replace`` (``mask``, ``unk`` or
        ``delete``) and ``seed``.

    Returns:
      ``[n_tokens]`` scores, a word's divided equally over its tokens, special tokens 0; diagnostics ``r2`` and
      ``effective_samples`` (see `fit_quality`; the full and the empty text, which always fit, left out), ``n_samples`` (texts
      read), ``n_words`` and ``enumerated`` (1 where they are all there are).

    Raises:
      LitProbeError: see `PerturbedText.of`.
    """
    perturbed = text.perturbed(options.replace)
    masks = shap_masks(perturbed.n_units, options.samples, options.seed)
    values = text.values(perturbed, masks)
    weights = shapley_kernel(masks)
    scores, fitted = shapley_regression(masks, values, weights)
    diagnostics = {
        **fit_quality(values[1:-1], fitted[1:-1], weights),
        "n_samples": len(masks),
        "n_words": perturbed.n_units,
        "enumerated": int(len(masks) == 2**perturbed.n_units),
    }
    return MethodScores(perturbed.over_tokens(scores), diagnostics)


def shap_masks(n_words: int, n_samples: int, seed: int) -> Masks:
    """``[n, n_words]`` which words are left in: the full text first, the empty one last, no row twice.

    All ``2 ** n_words`` where they are no more than ``n_samples``. Else pairs of a mask and its complement, as many as fit, the
    sizes in proportion to the Shapley kernel as far as there are different ones.
    """
    if 2**n_words <= n_samples:
        return all_masks(n_words)
    random = np.random.default_rng(seed)
    sizes = np.arange(1, n_words // 2 + 1)
    in_the_middle = 2 * sizes == n_words
    # In the middle a subset's complement has its own size: half of them, those with the first word, stand for all pairs.
    share = _mass(n_words, sizes) * np.where(in_the_middle, 0.5, 1)
    room = n_subsets(n_words, sizes, 2 * n_samples) // np.where(in_the_middle, 2, 1)
    counts = quotas(share, room, (n_samples - 2) // 2, random)
    unequal = draw_subsets(n_words, sizes[~in_the_middle], counts[~in_the_middle], random)
    others = draw_subsets(n_words - 1, sizes[in_the_middle] - 1, counts[in_the_middle], random)
    drawn = np.concatenate([unequal, np.insert(others, 0, True, axis=1)])
    ends = np.ones((1, n_words), dtype=bool)
    return np.concatenate([ends, drawn, ~drawn, ~ends])


def shapley_kernel(masks: Masks) -> NDArray[np.float64]:
    """``[n - 2]`` weights of the masks between the full and the empty one.

    A size all of whose masks are there gets the mass that the Shapley kernel gives it, ``(n_words - 1) / (k (n_words - k))``,
    in equal parts. Masks of other sizes were drawn in proportion to that mass and share the rest of it equally.
    """
    n_words = masks.shape[1]
    size = masks[1:-1].sum(axis=1)
    sizes, row_size, counts = np.unique(size, return_inverse=True, return_counts=True)
    complete = counts == n_subsets(n_words, sizes, len(masks))
    mass = _mass(n_words, sizes)
    weights: NDArray[np.float64] = (mass / counts)[row_size]
    drawn = ~complete[row_size]
    if drawn.any():
        rest = _mass(n_words, np.arange(1, n_words)).sum() - mass[complete].sum()
        weights[drawn] = rest / drawn.sum()
    return weights


def _mass(n_words: int, sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    mass: NDArray[np.float64] = (n_words - 1) / (sizes * (n_words - sizes))
    return mass


def shapley_regression(
    masks: Masks, values: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The regression whose solution under the Shapley kernel are the Shapley values.

    Args:
      masks: ``[n, n_words]``, the full text first and the empty one last; both are met exactly.
      values: ``[n]`` the explained number of each.
      weights: ``[n - 2]`` of the masks between them.

    Returns:
      ``[n_words]`` scores with the sum ``values[0] - values[-1]``, and ``[n]`` fitted values.
    """
    columns = masks.astype(np.float64)
    n_words = columns.shape[1]
    equal = (values[0] - values[-1]) / n_words
    # Every word gets an equal part of the sum; how words differ from it sums to 0. With the row means taken off, a least-squares
    # solution of least norm does so by itself, and no word is treated unlike another.
    root = np.sqrt(weights)
    differences = (columns - columns.mean(axis=1, keepdims=True))[1:-1]
    left = (values - values[-1] - equal * columns.sum(axis=1))[1:-1]
    solution = np.linalg.lstsq(root[:, None] * differences, root * left, rcond=None)[0]
    scores = equal + solution
    return scores, values[-1] + columns @ scores
