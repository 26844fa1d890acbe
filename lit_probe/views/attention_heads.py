"""The attention heads of a model side by side: where each looks on the whole, a small picture of it, and what an edit changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.alignment import align
from lit_probe.encoder.attention import Attention
from lit_probe.results import Result

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HeadShares(Result):
    """Where the attention of each head goes, on average over the tokens of one text.

    Attributes:
      to_itself: ``[n_blocks, n_heads]`` share that a token gives to itself, 0 to 1.
      to_previous: likewise to the token before it; the first token has none.
      to_next: likewise to the token after it; the last token has none.
      to_special: likewise to tokens that the tokenizer or a template added. Many heads rest there when they have nothing to do
        (Clark et al. 2019, https://aclanthology.org/W19-4828).
      entropy: ``[n_blocks, n_heads]`` how spread out it is, in bits: 0 for one token, log2 of the number of tokens for all alike.
      between: of a pair of texts, ``[n_blocks, n_heads, 2, 2]`` what the tokens of one text (third axis) give to those of the
        first and of the second; special tokens count with the text that they stand with. None for a single text.
    """

    to_itself: Floats
    to_previous: Floats
    to_next: Floats
    to_special: Floats
    entropy: Floats
    between: Floats | None


def head_shares(of: Attention) -> HeadShares:
    """Where each head looks on the whole.

    >>> import numpy as np
    >>> weights = np.array([[[[1.0, 0.0], [0.5, 0.5]]]], dtype=np.float32)
    >>> shares = head_shares(Attention(("a", "b"), (False, False), None, False, weights))
    >>> float(shares.to_itself[0, 0]), float(shares.to_previous[0, 0]), float(shares.entropy[0, 0])
    (0.75, 0.5, 0.5)
    """
    weights = of.weights.astype(np.float64)
    special = np.array(of.special, dtype=bool)
    return HeadShares(
        to_itself=_diagonal(weights, 0),
        to_previous=_diagonal(weights, -1),
        to_next=_diagonal(weights, 1),
        to_special=weights[..., special].sum(axis=-1).mean(axis=-1),
        entropy=np.abs(weights * np.log2(np.where(weights > 0, weights, 1))).sum(axis=-1).mean(axis=-1),
        between=None if of.seam is None else _between(weights, of.seam),
    )


def _diagonal(weights: Floats, offset: int) -> Floats:
    along = np.diagonal(weights, offset, axis1=2, axis2=3)
    found: Floats = along.mean(axis=-1) if along.shape[-1] else np.zeros(weights.shape[:2])
    return found


def _between(weights: Floats, seam: int) -> Floats:
    texts = (slice(0, seam), slice(seam, None))
    blocks = [[weights[:, :, one, other].sum(axis=-1).mean(axis=-1) for other in texts] for one in texts]
    return np.moveaxis(np.array(blocks), (0, 1), (2, 3))


def small_pictures(of: Attention, at_most: int) -> NDArray[np.uint8]:
    """``[n_blocks, n_heads, side, side]`` each head's weights in few cells, 0 to 255 for weights of 0 to 1.

    A cell that stands for several tokens shows the largest weight among them, so that no line is lost.

    Args:
      of: the weights.
      at_most: the largest side; shorter texts have a cell for each two tokens.
    """
    n_tokens = len(of.tokens)
    side = min(n_tokens, at_most)
    starts = np.arange(side) * n_tokens // side
    coarse = np.maximum.reduceat(np.maximum.reduceat(of.weights, starts, axis=2), starts, axis=3)
    found: NDArray[np.uint8] = np.rint(np.clip(coarse, 0, 1) * 255).astype(np.uint8)
    return found


def aligned_tokens(one: Attention, other: Attention) -> tuple[int | None, ...]:
    """``[n_tokens]`` where each token of the other text stands in the one; None where it does not."""
    places: list[int | None] = [None] * len(other.tokens)
    for there, here in align(one.tokens, other.tokens).tolist():
        places[here] = there
    return tuple(places)


def head_changes(one: Attention, other: Attention, aligned: Sequence[int | None]) -> Floats | None:
    """``[n_blocks, n_heads]`` what part of their attention the tokens that stand in both texts turn elsewhere, 0 to 1.

    The total variation distance of a token's weights in the two texts, averaged over these tokens. What went to tokens that stand
    in one of the texts alone has gone elsewhere. None where no token stands in both.

    Args:
      one: a text's weights.
      other: those of its edit, by the same encoder.
      aligned: from `aligned_tokens`.
    """
    there = np.array([place for place in aligned if place is not None], dtype=np.int64)
    here = np.array([place for place, other_place in enumerate(aligned) if other_place is not None], dtype=np.int64)
    if not len(there):
        return None
    before, after = (of.weights[:, :, places].astype(np.float64) for of, places in ((one, there), (other, here)))
    shared = np.abs(before[..., there] - after[..., here]).sum(axis=-1)
    gone = np.delete(before, there, axis=-1).sum(axis=-1) + np.delete(after, here, axis=-1).sum(axis=-1)
    found: Floats = (shared + gone).mean(axis=-1) / 2
    return found
