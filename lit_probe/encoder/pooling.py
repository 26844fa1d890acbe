"""From the hidden states of a text's tokens to one vector.

Each pooling has the form ``(hidden [b, n_tokens, d_model], attention_mask [b, n_tokens], special_tokens_mask [b, n_tokens])
-> [b, d_model]``. Both masks are boolean; padding is neither attended nor content. A *content token* is attended and not
special. Padding and batch neighbours change nothing. The tokens of a template around the text are no content tokens, but for
`WITH_TEMPLATE`. Hidden states may be of half precision: sums over tokens are taken in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from lit_probe.encoder.tokens import HiddenStates, PaddedBatch

Pooling = Callable[["Tensor", "Tensor", "Tensor"], "Tensor"]


def mean(hidden: Tensor, attention_mask: Tensor, special_tokens_mask: Tensor) -> Tensor:
    """Mean over the content tokens; zeros for a text that has none."""
    return _mean_over(hidden, attention_mask & ~special_tokens_mask)


def mean_all(hidden: Tensor, attention_mask: Tensor, special_tokens_mask: Tensor) -> Tensor:
    """Mean over all attended tokens, special tokens included, as sentence-transformers does."""
    return _mean_over(hidden, attention_mask)


def mean_after_first(hidden: Tensor, attention_mask: Tensor, special_tokens_mask: Tensor) -> Tensor:
    """Mean over the content tokens without the text's first token, on which decoders rest their attention.

    A text whose only content token is its first one keeps it; zeros for a text that has none.
    """
    content = attention_mask & ~special_tokens_mask
    first = attention_mask & (attention_mask.cumsum(dim=1) == 1)
    after = content & ~first
    return _mean_over(hidden, after | (content & ~after.any(dim=1, keepdim=True)))


def cls(hidden: Tensor, attention_mask: Tensor, special_tokens_mask: Tensor) -> Tensor:
    """The first attended token, wherever the padding stands."""
    return _token_at(hidden, attention_mask.int().argmax(dim=1))


def last(hidden: Tensor, attention_mask: Tensor, special_tokens_mask: Tensor) -> Tensor:
    """The last content token; zeros for a text that has none."""
    content = attention_mask & ~special_tokens_mask
    index = content.shape[1] - 1 - content.int().flip(1).argmax(dim=1)
    return _token_at(hidden, index) * content.any(dim=1, keepdim=True)


def max_(hidden: Tensor, attention_mask: Tensor, special_tokens_mask: Tensor) -> Tensor:
    """The largest value of each unit over the content tokens; zeros for a text that has none."""
    content = attention_mask & ~special_tokens_mask
    largest = hidden.masked_fill(~content.unsqueeze(-1), float("-inf")).amax(dim=1)
    return largest.masked_fill(~content.any(dim=1, keepdim=True), 0.0)


POOLINGS: dict[str, Pooling] = {
    "mean": mean,
    "mean_all": mean_all,
    "mean_after_first": mean_after_first,
    "cls": cls,
    "last": last,
    "max": max_,
}

WITH_TEMPLATE = frozenset({"last"})
"""The poolings to which a template's tokens are content: what a prompt ends with is asked for, not the text's own last word."""


def pool_tokens(pooling: str, hidden: Tensor, batch: PaddedBatch | HiddenStates) -> Tensor:
    """``[b, d_model]`` one vector for each text.

    Args:
      pooling: a name in ``POOLINGS``.
      hidden: ``[b, n_tokens, d_model]``.
      batch: whose masks say what each token is.
    """
    special = batch.special_tokens_mask
    if batch.template_mask is not None and pooling in WITH_TEMPLATE:
        special = special & ~batch.template_mask
    return POOLINGS[pooling](hidden, batch.attention_mask, special)


def _mean_over(hidden: Tensor, mask: Tensor) -> Tensor:
    # Half precision has 8 to 11 binary digits: a sum over some hundred tokens would keep the first few of each.
    hidden = hidden.float()
    weights = mask.to(hidden.dtype)
    weights = weights / weights.sum(dim=1, keepdim=True).clamp(min=1.0)
    # One small matrix product per text instead of a [b, n_tokens, d_model] product in memory.
    return (weights.unsqueeze(1) @ hidden).squeeze(1)


def _token_at(hidden: Tensor, index: Tensor) -> Tensor:
    return hidden.gather(1, index.view(-1, 1, 1).expand(-1, 1, hidden.shape[2])).squeeze(1)
