"""A model that is asked about no row of token ids twice: several methods erase the same words of a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.tokens import EncodedText, PaddedBatch
from lit_probe.probing.probe_forward import Forward

if TYPE_CHECKING:
    from torch import Tensor


class RememberedForward(Forward):
    """What another `Forward` says, kept for every row that `logits_of` was asked about.

    Besides time this saves rounding: a row's logits differ in the last digits with the rows that it is batched with, and here
    it has one value for everybody who asks. Make one per text, so that the memory is that of a text.

    Attributes: those of `Forward`.
    """

    def __init__(self, forward: Forward):
        super().__init__(forward.encoder, forward.name, forward.class_names, forward.layer, forward.decision)
        self._forward = forward
        self._known: dict[tuple[tuple[int, ...], tuple[bool, ...]], NDArray[np.float64]] = {}

    def of_text(self, text: EncodedText) -> Callable[[Tensor], Tensor]:
        """See `Forward.of_text`."""
        return self._forward.of_text(text)

    def read_tokens(self, text: EncodedText) -> NDArray[np.float64]:
        """See `Forward.read_tokens`."""
        return self._forward.read_tokens(text)

    def logits_of(self, texts: Sequence[EncodedText], check: Callable[[], None] | None = None) -> NDArray[np.float64]:
        """See `Forward.logits_of`; only rows that were never asked about are run, each once."""
        keys = [(tuple(text.ids), tuple(text.special)) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if missing:
            self._known.update(zip(missing, self._forward.logits_of(list(missing.values()), check), strict=True))
        return np.array([self._known[key] for key in keys]).reshape(len(texts), len(self.class_names))

    def _logits(self, batch: PaddedBatch) -> Tensor:
        return self._forward._logits(batch)
