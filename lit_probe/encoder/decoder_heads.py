"""Classification heads on decoders: they read the last real token of a text, found by the attention mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lit_probe.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class HeadOutput:
    """What such a model gives.

    Attributes:
      logits: ``[b, n_classes]``.
      hidden_states: ``n_layers`` tensors ``[b, n_tokens, d_model]``, or None where they were not asked for.
    """

    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None


class _ReadsByMask:
    """The forward pass of a ``…ForSequenceClassification`` decoder, for any batch.

    transformers looks for the padding token's id in place of the mask, and refuses batches where the configuration names none. As
    there, a text's own padding tokens at its end are passed over where the configuration names one.
    """

    def forward(self: Any, input_ids: Tensor, attention_mask: Tensor, output_hidden_states: bool = False) -> HeadOutput:
        import torch

        output = self.base_model(
            input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=output_hidden_states, use_cache=False
        )
        real = attention_mask.bool()
        if (pad := self.config.pad_token_id) is not None:
            not_padding = real & (input_ids != pad)
            real = torch.where(not_padding.any(dim=1, keepdim=True), not_padding, real)
        places = torch.arange(real.shape[1], device=real.device)
        last = (places * real).argmax(dim=1)
        rows = torch.arange(len(last), device=last.device)
        return HeadOutput(self.score(output.last_hidden_state[rows, last]), output.hidden_states)


def read_by_mask(model: Any, name: str) -> Any:
    """The model, whose forward pass is now that of `_ReadsByMask`.

    Raises:
      EncoderError: its head is no matrix called ``score``, as transformers names those that read one token.
    """
    if not hasattr(model, "score"):
        raise EncoderError(
            f"The classification head of {name!r}, a {type(model).__name__}, is not one that reads the last token of a decoder, "
            "so what it says is unknown. Save the model without it, with model.base_model.save_pretrained(folder)."
        )
    kind = type(model)
    if not issubclass(kind, _ReadsByMask):
        model.__class__ = type(kind.__name__, (_ReadsByMask, kind), {})
    return model
