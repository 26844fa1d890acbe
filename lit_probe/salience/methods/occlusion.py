"""Occlusion: how far the explained number falls when one word, or one token, is taken out.

Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901; for words of a text Li, Monroe & Jurafsky 2016,
https://arxiv.org/abs/1612.08220.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.tokens import EncodedText
from lit_probe.salience.methods.perturbations import PerturbedText

if TYPE_CHECKING:
    from lit_probe.encoder.words import Words
    from lit_probe.probing.probe_forward import Forward, Target
    from lit_probe.salience.options import SalienceOptions


def compute(
    forward: Forward,
    text: EncodedText,
    words: Words,
    target: Target,
    options: SalienceOptions,
    check: Callable[[], None] | None = None,
) -> tuple[NDArray[np.float64], dict[str, float | int | str]]:
    """The number of the full text less that without the unit; positive where the unit speaks for the target.

    Args:
      forward: what is explained.
      text: the text as its encoder reads it.
      words: the words that were read, and each token's.
      target: the explained number.
      options: ``unit`` (``word`` or ``token``) and ``replace`` (``mask``, ``unk`` or ``delete``).
      check: see `Forward.logits_of`.

    Returns:
      ``[n_tokens]`` scores, a word's divided equally over its tokens, special tokens 0; diagnostics ``n_samples`` (texts that
      the model read).

    Raises:
      LitProbeError: see `PerturbedText.of`.
    """
    perturbed = PerturbedText.of(forward, text, words, options.replace, options.unit)
    n = perturbed.n_units
    masks = np.concatenate([np.ones((1, n), dtype=bool), ~np.eye(n, dtype=bool)])
    values = perturbed.values(forward, target, masks, check)
    return perturbed.over_tokens(values[0] - values[1:]), {"n_samples": n + 1}
