"""One text as captum calls it: a function from embeddings to the explained number, which keeps what it learns on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.tokens import EncodedText
from lit_probe.errors import EncoderError
from lit_probe.probing.probe_forward import ALL_SCALARS, Forward, Target

if TYPE_CHECKING:
    from torch import Tensor


class ExplainedText:
    """The explained number of one text, as a function of its word embeddings. To be used on the encoder thread only.

    The first row that it is ever called with must be the text itself: that row gives ``value`` and, where no target was asked
    for, the predicted class. So neither costs a forward pass of its own.

    Attributes:
      forward: what is explained.
      text: the text's tokens.
    """

    def __init__(self, forward: Forward, text: EncodedText, target: Target | None, check: Callable[[], None] | None):
        self.forward = forward
        self.text = text
        self._target = target
        self._check = check
        self._value: float | None = None
        self._logits = forward.of_text(text)
        if target is not None:
            forward.check(target)

    @property
    def target(self) -> Target:
        """What is explained; known after the first call."""
        assert self._target is not None
        return self._target

    @property
    def value(self) -> float:
        """The explained number of the text itself; known after the first call."""
        assert self._value is not None
        return self._value

    @cached_property
    def embeddings(self) -> Tensor:
        """``[1, n_tokens, d_embedding]`` the text's word embeddings, a leaf that wants gradients and is nobody else's."""
        # captum would otherwise set this itself, warn of it, and forget to take it back when a pass fails.
        return self.forward.embeddings(self.text).unsqueeze(0).clone().requires_grad_()

    @cached_property
    def content(self) -> Tensor:
        """``[n_tokens, 1]`` bool, False for special tokens."""
        import torch

        return ~torch.tensor(self.text.special, device=self.embeddings.device).unsqueeze(1)

    @property
    def rows_per_pass(self) -> int:
        """How many rows of this text fit into the encoder's token budget."""
        return max(1, self.forward.encoder.token_budget // len(self.text.ids))

    def __call__(self, embeddings: Tensor) -> Tensor:
        """``[b]`` float64: the explained number of each row of ``embeddings`` ``[b, n_tokens, d_embedding]``.

        Raises:
          EncoderError: the model gives no gradient.
          CancelledError: as the check that it was made with says.
        """
        import torch

        if self._check is not None:
            self._check()
        logits = self._logits(embeddings)
        if torch.is_grad_enabled() and not logits.requires_grad:
            raise EncoderError(
                f"{self.forward.encoder.checkpoint.model_id!r} passes no gradient to its word embeddings, so gradient methods "
                "cannot explain it. Occlusion, LIME and KernelSHAP still can."
            )
        if self._target is None:
            self._target = predicted(self.forward, logits[0].detach().cpu().numpy())
        values = ALL_SCALARS[self._target.scalar](logits, self._target.class_index)
        if self._value is None:
            self._value = float(values[0].detach())
        return values

    def parts(self, n: int) -> Iterator[slice]:
        """``n`` rows in order, divided into as many at a time as one pass takes."""
        step = self.rows_per_pass
        return (slice(start, min(start + step, n)) for start in range(0, n, step))

    def gradients(self, rows: Tensor) -> Tensor:
        """``[b, n_tokens, d_embedding]`` the gradient of each row's number, in one pass.

        Args:
          rows: ``[b, n_tokens, d_embedding]``, at most ``rows_per_pass``.
        """
        from captum.attr import Saliency

        found: Tensor = Saliency(self).attribute(rows.requires_grad_(), abs=False)
        return found.detach()

    def change_from(self, baselines: Tensor) -> NDArray[np.float64]:
        """``[b]`` how much larger the text's number is than that of each baseline ``[b, n_tokens, d_embedding]``.

        The text and its baselines share a forward pass as far as they fit into the token budget.
        """
        import torch

        with torch.no_grad():
            rows = torch.cat([self.embeddings, baselines])
            values = torch.cat([self(rows[part]) for part in self.parts(len(rows))]).cpu().numpy()
        changes: NDArray[np.float64] = values[0] - values[1:]
        return changes


def predicted(forward: Forward, logits: NDArray[np.float64]) -> Target:
    """The logit of the class that is decided, given the logits ``[n_classes]``; the lower class on a tie. Or the number."""
    return forward.target(int(forward.decided(logits)))
