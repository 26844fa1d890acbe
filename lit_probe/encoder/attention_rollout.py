"""Attention rollout: how the tokens that went in are mixed, block by block, if attention were all there is.

Abnar & Zuidema 2020, https://aclanthology.org/2020.acl-main.385. The weights of a block are averaged over its heads, half of
every token stays what it was (the stream that runs past the attention), and the blocks are multiplied. It knows neither what is
in a token's values nor what the feed-forward parts do, nor any class: it is a picture of mixing, and no explanation of a
prediction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.attention import Attention
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.pooling import pool_tokens
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import EncodedText, PaddedBatch

if TYPE_CHECKING:
    from torch import Tensor

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


def rollout_by_token(of: Attention, read: Floats) -> Floats:
    """``[n_layers, n_tokens]`` what share of what is read of a text comes from which input token, by the rollout alone.

    Args:
      of: the weights.
      read: ``[n_tokens]`` what share of it is read at which token of a layer, such as `read_by_pooling` says; they add up to 1.
    """
    return np.stack([read @ mixed for mixed in attention_rollout(of)])


def read_by_pooling(encoder: Encoder, encoded: EncodedText, pooling: str) -> Floats:
    """``[n_tokens]`` what share of a text's vector is read at which token; see `read_by`.

    Args:
      encoder: the encoder.
      encoded: the text as it reads it.
      pooling: a name in ``POOLINGS``.
    """
    return on_encoder_thread(read_by, encoder, encoded, lambda hidden, batch: pool_tokens(pooling, hidden, batch))


def read_by(encoder: Encoder, encoded: EncodedText, pool: Callable[[Tensor, PaddedBatch], Tensor]) -> Floats:
    """``[n_tokens]`` what share of a pooled vector each token gives, by the pooling alone. To be called on the encoder thread.

    Of ``max``, which takes units from many tokens, every token that it looks at gives the same share.
    """
    import torch

    batch = encoder.padded([encoded])
    # Each token has a unit of its own, so a unit of the vector says what is taken of that token.
    taken = pool(torch.eye(batch.ids.shape[1], device=batch.ids.device).unsqueeze(0), batch)[0].double()
    shares: Floats = (taken / taken.sum()).cpu().numpy()
    return shares
