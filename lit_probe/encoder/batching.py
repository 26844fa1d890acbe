"""Which texts share a forward pass: texts of like length, so that a device works on tokens and not on padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class BatchRule:
    """How large a batch may become.

    Attributes:
      max_tokens: padded tokens of one batch at most; one text alone may have more.
      max_padding: the share of a batch's padded tokens, 0 to 1, that may be padding, where it has more than `worthwhile` of them.
      worthwhile: so many padded tokens are worth a pass of their own, whatever their padding.
    """

    max_tokens: int
    max_padding: float = 1.0
    worthwhile: int = 0


def cut_into_batches(lengths: Sequence[int], rule: BatchRule, *, same_length: bool = False) -> list[slice]:
    """Where a list of texts is cut into batches, each a stretch of it.

    A text that is much shorter than the first one of a batch begins the next one, so that the share of padding stays small.

    Args:
      lengths: ``[n_texts]`` tokens of each text, the longest first; each 1 or more.
      rule: how large a batch may become.
      same_length: whether texts of different lengths may not share a batch at all.

    >>> cut_into_batches([9, 9, 8, 3, 3, 1], BatchRule(max_tokens=27))
    [slice(0, 3, None), slice(3, 6, None)]
    >>> cut_into_batches([9, 9, 8, 3, 3, 1], BatchRule(max_tokens=60, max_padding=0.2, worthwhile=6))
    [slice(0, 3, None), slice(3, 5, None), slice(5, 6, None)]
    """
    batches = []
    start = 0
    while start < len(lengths):
        longest = lengths[start]
        end = min(len(lengths), start + max(1, rule.max_tokens // longest))
        shortest = longest if same_length else (1 - rule.max_padding) * longest
        free = start if same_length else start + rule.worthwhile // longest
        stop = start + 1
        while stop < end and (stop < free or lengths[stop] >= shortest):
            stop += 1
        batches.append(slice(start, stop))
        start = stop
    return batches
