"""Attention rollout: how the tokens that went in are mixed, block by block, if attention were all there is.

Abnar & Zuidema 2020, https://aclanthology.org/2020.acl-main.385. The weights of a block are averaged over its heads, half of
every token stays what it was (the stream that runs past the attention), and the blocks are multiplied. It knows neither what is
in a token's values nor what the feed-forward parts do, nor any class: it is a picture of mixing, and no explanation of a
prediction.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.attention import Attention

Floats = NDArray[np.float64]


def attention_rollout(of: Attention) -> Iterator[Floats]:
    """``[n_tokens, n_tokens]`` for each layer, from the embeddings on: what share of a token (first axis) comes from which input.

    Rows add up to 1. At the embeddings every token is its own.

    >>> import numpy as np
    >>> weights = np.array([[[[1.0, 0.0], [1.0, 0.0]]]], dtype=np.float32)
    >>> [one.tolist() for one in attention_rollout(Attention(("a", "b"), (False, False), None, False, weights))]
    [[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.5, 0.5]]]
    """
    own = np.eye(len(of.tokens))
    mixed = own
    yield mixed
    for block in of.weights:
        step = (block.mean(axis=0, dtype=np.float64) + own) / 2
        mixed = (step / step.sum(axis=-1, keepdims=True)) @ mixed
        yield mixed


def rollout_by_token(of: Attention, pooling: str) -> Floats:
    """``[n_layers, n_tokens]`` what share of a layer's vector of the text comes from which input token, by the rollout alone.

    Args:
      of: the weights.
      pooling: how the vector is made, a name in ``POOLINGS``. Of ``max``, which takes units from many tokens, it is the mean
        over the text's own tokens.
    """
    own = np.flatnonzero(~np.array(of.special, dtype=bool))
    every = np.arange(len(of.tokens))
    after_first = own[own > 0]
    read = {
        "last": own[-1:],
        "cls": every[:1],
        "mean_all": every,
        "mean_after_first": after_first if len(after_first) else own,
    }.get(pooling, own)
    return np.stack([mixed[read].mean(axis=0) for mixed in attention_rollout(of)])
