"""What the encoder reads and gives: the tokens of a text, a padded batch of them, and the hidden states of all layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def _keep_head(n_content: int, room: int) -> list[int]:
    return list(range(room))


def _keep_tail(n_content: int, room: int) -> list[int]:
    return list(range(n_content - room, n_content))


def _keep_both_ends(n_content: int, room: int) -> list[int]:
    head = (room + 1) // 2
    return [*range(head), *range(n_content - (room - head), n_content)]


# Which content tokens of a text over the limit are kept: (number of content tokens, room for them) -> their indices.
KEEPS: dict[str, Callable[[int, int], list[int]]] = {"head": _keep_head, "tail": _keep_tail, "both-ends": _keep_both_ends}


@dataclass(frozen=True)
class EncodedText:
    """The tokens of one text that the encoder reads.

    Attributes:
      ids: ``[n_tokens]`` token ids, special tokens included.
      special: ``[n_tokens]`` True for the special tokens that the tokenizer added.
      tokens: ``[n_tokens]`` the tokens as strings; empty unless asked for.
      offsets: ``[n_tokens]`` (start, end) of each token in the cleaned text, in characters; empty unless asked for.
      truncated: whether tokens of the text were left out.
    """

    ids: list[int]
    special: list[bool]
    tokens: list[str]
    offsets: list[tuple[int, int]]
    truncated: bool


@dataclass(frozen=True)
class PaddedBatch:
    """A batch as the model reads it, on the encoder's device. Padding stands on the right.

    Attributes:
      ids: ``[b, n_tokens]`` int64 token ids.
      attention_mask: ``[b, n_tokens]`` bool, False for padding.
      special_tokens_mask: ``[b, n_tokens]`` bool, True for special tokens and padding.
    """

    ids: Tensor
    attention_mask: Tensor
    special_tokens_mask: Tensor


@dataclass(frozen=True)
class HiddenStates:
    """What one forward pass over a batch gives, on the encoder's device. Padding stands on the right.

    Attributes:
      layers: ``n_layers`` tensors ``[b, n_tokens, d_model]``; 0 is the embedding output, i the output of block i.
      attention_mask: ``[b, n_tokens]`` bool, False for padding.
      special_tokens_mask: ``[b, n_tokens]`` bool, True for special tokens and padding.
      head_logits: ``[b, n_head_classes]`` of the checkpoint's own classification head, or None.
    """

    layers: tuple[Tensor, ...]
    attention_mask: Tensor
    special_tokens_mask: Tensor
    head_logits: Tensor | None


def padded_batch(batch: Sequence[EncodedText], pad_id: int | None, device: Any) -> PaddedBatch:
    """The texts as one batch on the device, padded on the right to the longest of them."""
    import torch

    longest = max(len(text.ids) for text in batch)
    # Built as lists: one tensor from nested lists is quicker than many small ones copied together.
    ids = torch.tensor([text.ids + [pad_id or 0] * (longest - len(text.ids)) for text in batch], device=device)
    special = torch.tensor([text.special + [True] * (longest - len(text.ids)) for text in batch], device=device)
    lengths = torch.tensor([len(text.ids) for text in batch], device=device)
    return PaddedBatch(ids, torch.arange(longest, device=device) < lengths.unsqueeze(1), special)


def by_token(states: Any, batch: PaddedBatch) -> Tensor | None:
    """``[b, n_tokens, units]`` of what a module takes or gives for a batch; None where there is no vector for each token.

    Some architectures run the tokens of all texts together, ``[b * n_tokens, units]``, or pad to whole chunks.
    """
    rows, tokens = batch.ids.shape
    if getattr(states, "ndim", 0) == 2 and len(states) == rows * tokens:
        states = states.view(rows, tokens, -1)
    if getattr(states, "ndim", 0) != 3 or len(states) != rows or states.shape[1] < tokens:
        return None
    found: Tensor = states[:, :tokens]
    return found
