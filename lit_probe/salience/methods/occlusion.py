"""Occlusion: how far the explained number falls when one word, or one token, is taken out.

Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901; for words of a text Li, Monroe & Jurafsky 2016,
https://arxiv.org/abs/1612.08220.
"""

from __future__ import annotations

import numpy as np

from lit_probe.salience.methods.perturbations import AskedText
from lit_probe.salience.options import SalienceOptions
from lit_probe.salience.token_scores import MethodScores


def compute(text: AskedText, options: SalienceOptions) -> MethodScores:
    """The number of the full text less that without the unit; positive where the unit speaks for the target.

    Args:
      text: what is explained.
      options: ``unit`` (``word`` or ``token``) and ``replace`` (``mask``, ``unk`` or ``delete``).

    Returns:
      ``[n_tokens]`` scores, a word's divided equally over its tokens, special tokens 0; diagnostics ``n_samples`` (texts that
      the model read).

    Raises:
      LitProbeError: see `PerturbedText.of`.
    """
    perturbed = text.perturbed(options.replace, options.unit)
    n = perturbed.n_units
    masks = np.concatenate([np.ones((1, n), dtype=bool), ~np.eye(n, dtype=bool)])
    values = text.values(perturbed, masks)
    return MethodScores(perturbed.over_tokens(values[0] - values[1:]), {"n_samples": n + 1})
