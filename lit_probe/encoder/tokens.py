"""What the encoder reads and gives: the tokens of a text, a padded batch of them, and the hidden states of all layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
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


def shared_room(first: int, second: int, room: int) -> tuple[int, int]:
    """How many content tokens each text of a pair keeps: the longer one loses tokens first, then both alike.

    This is the rule ``longest_first`` of transformers, the odd token included.

    >>> shared_room(3, 10, 20), shared_room(3, 10, 8), shared_room(9, 10, 7), shared_room(10, 9, 7)
    ((3, 10), (3, 5), (3, 4), (4, 3))
    """
    short, long = sorted((first, second))
    if short + long > room:
        long = max(short, room - short)
    if short + long > room:
        short, long = room // 2, room - room // 2
    return (short, long) if first <= second else (long, short)


@dataclass(frozen=True)
class EncodedText:
    """The tokens of one text that the encoder reads.

    Attributes:
      ids: ``[n_tokens]`` token ids, special tokens included.
      special: ``[n_tokens]`` True for the special tokens that the tokenizer added, and for the tokens of a template.
      tokens: ``[n_tokens]`` the tokens as strings; empty unless asked for.
      offsets: ``[n_tokens]`` (start, end) of each token in the cleaned text, in characters; empty unless asked for.
      truncated: whether tokens of the text were left out.
      types: ``[n_tokens]`` which of the two texts of a pair each token belongs to, as the tokenizer numbers them for the model
        (its token type ids); empty for a single text.
      template: ``[n_tokens]`` True for the tokens of the template around the text; empty where there is none.
    """

    ids: list[int]
    special: list[bool]
    tokens: list[str]
    offsets: list[tuple[int, int]]
    truncated: bool
    types: list[int] = field(default_factory=list)
    template: list[bool] = field(default_factory=list)

    @property
    def is_pair(self) -> bool:
        """Whether it holds two texts."""
        return bool(self.types)

    def without_names(self) -> EncodedText:
        """What the model reads of it, without the tokens as strings and their offsets."""
        return replace(self, tokens=[], offsets=[])

    def only(self, kept: Sequence[int]) -> EncodedText:
        """The tokens at these places alone."""
        return EncodedText(
            [self.ids[i] for i in kept],
            [self.special[i] for i in kept],
            [self.tokens[i] for i in kept] if self.tokens else [],
            [self.offsets[i] for i in kept] if self.offsets else [],
            self.truncated,
            [self.types[i] for i in kept] if self.types else [],
            [self.template[i] for i in kept] if self.template else [],
        )


@dataclass(frozen=True)
class PaddedBatch:
    """A batch as the model reads it, on the encoder's device. Padding stands on the right.

    Attributes:
      ids: ``[b, n_tokens]`` int64 token ids.
      attention_mask: ``[b, n_tokens]`` bool, False for padding.
      special_tokens_mask: ``[b, n_tokens]`` bool, True for special tokens, those of a template and padding.
      types: ``[b, n_tokens]`` int64 token type ids; None where the model reads none, or the batch holds no pair.
      template_mask: ``[b, n_tokens]`` bool, True for the tokens of a template; None where there is none.
    """

    ids: Tensor
    attention_mask: Tensor
    special_tokens_mask: Tensor
    types: Tensor | None = None
    template_mask: Tensor | None = None

    @property
    def model_inputs(self) -> dict[str, Tensor]:
        """The arguments by which a transformers model is called with this batch."""
        inputs = {"input_ids": self.ids, "attention_mask": self.attention_mask.long()}
        return inputs if self.types is None else {**inputs, "token_type_ids": self.types}

    def repeated(self, n: int) -> PaddedBatch:
        """This batch of one text, ``n`` times, in the memory of one."""
        types, template = (None if one is None else one.expand(n, -1) for one in (self.types, self.template_mask))
        return PaddedBatch(
            self.ids.expand(n, -1), self.attention_mask.expand(n, -1), self.special_tokens_mask.expand(n, -1), types, template
        )


@dataclass(frozen=True)
class HiddenStates:
    """What one forward pass over a batch gives, on the encoder's device. Padding stands on the right.

    Attributes:
      layers: ``n_layers`` tensors ``[b, n_tokens, d_model]``; 0 is the embedding output, i the output of block i.
      attention_mask: ``[b, n_tokens]`` bool, False for padding.
      special_tokens_mask: ``[b, n_tokens]`` bool, True for special tokens, those of a template and padding.
      head_logits: ``[b, n_head_classes]`` of the checkpoint's own classification head, or None.
      template_mask: ``[b, n_tokens]`` bool, True for the tokens of a template; None where there is none.
    """

    layers: tuple[Tensor, ...]
    attention_mask: Tensor
    special_tokens_mask: Tensor
    head_logits: Tensor | None
    template_mask: Tensor | None = None


def padded_batch(batch: Sequence[EncodedText], pad_id: int | None, device: Any, *, with_types: bool) -> PaddedBatch:
    """The texts as one batch on the device, padded on the right to the longest of them.

    Args:
      batch: the texts.
      pad_id: the token of the padding; 0 where the tokenizer has none.
      device: the model's.
      with_types: whether the model reads token type ids. A batch without any pair has none: 0 is what models take where none are
        given, and single texts are read as ever.
    """
    import torch

    longest = max(len(text.ids) for text in batch)
    # Built as lists: one tensor from nested lists is quicker than many small ones copied together.
    ids = sent([text.ids + [pad_id or 0] * (longest - len(text.ids)) for text in batch], device)
    special = sent([text.special + [True] * (longest - len(text.ids)) for text in batch], device)
    lengths = sent([len(text.ids) for text in batch], device)
    types = None
    if with_types and any(text.is_pair for text in batch):
        types = sent([text.types + [0] * (longest - len(text.types)) for text in batch], device)
    template = None
    if any(text.template for text in batch):
        template = sent([text.template + [False] * (longest - len(text.template)) for text in batch], device)
    return PaddedBatch(ids, torch.arange(longest, device=device) < lengths.unsqueeze(1), special, types, template)


def sent(values: list[Any], device: Any) -> Tensor:
    """Numbers as a tensor on a device; a GPU goes on with what it has been handed before."""
    import torch

    device = torch.device(device)
    # From pageable memory the copy would wait for the batch before this one.
    return torch.tensor(values, pin_memory=device.type == "cuda").to(device, non_blocking=True)


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


def written(tokenizer: Any, token: int) -> str:
    """A token as people write it, with the space before it; as the vocabulary writes it where it is no whole character.

    Args:
      tokenizer: of transformers.
      token: its id.
    """
    raw = tokenizer.convert_ids_to_tokens(token)
    if raw is None:
        return f"[no token {token}]"  # heads are often padded to a round number
    if raw.startswith("▁"):
        return str(raw.replace("▁", " "))
    text = tokenizer.convert_tokens_to_string([raw])
    return str(raw) if not text or "\ufffd" in text else str(text)
