"""The activations of one layer at every token that the encoder reads, batch by batch: nothing is kept, no padding gets out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.layer_calls import run_to
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import EncodedText, PaddedBatch
from lit_probe.errors import LitProbeError, UnknownNameError

if TYPE_CHECKING:
    from torch import Tensor


def check_units(encoder: Encoder, layer: int, units: Sequence[int] = ()) -> None:
    """Does nothing if the encoder has these neurons.

    Raises:
      UnknownNameError: there is no such layer, or it has no such neuron.
    """
    encoder.check_layer(layer)
    width = encoder.widths[layer]
    strange = [unit for unit in units if not 0 <= unit < width]
    if strange:
        raise UnknownNameError(f"Unknown neuron {strange[0]}. Layer {layer} has neurons 0 to {width - 1}.")


def token_states(encoder: Encoder, encoded: Sequence[EncodedText], layer: int) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
    """The hidden states of one layer, batch by batch. Later blocks are not run.

    Args:
      encoder: the frozen encoder.
      encoded: what it makes of the texts; one without any token is in no batch.
      layer: 0 (embeddings) to n_layers-1.

    Yields:
      Indices of the batch's texts, and ``[n, d_model]`` the values of all their tokens, text after text in that order.

    Raises:
      UnknownNameError: there is no such layer.
      LitProbeError: a value is NaN or infinite.
    """
    check_units(encoder, layer)
    return token_rows(encoder, encoded, lambda batch: run_to(encoder, layer, batch), f"layer {layer}")


def token_rows(
    encoder: Encoder, encoded: Sequence[EncodedText], read: Callable[[PaddedBatch], Tensor], place: str
) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
    """`token_states` for anything that ``read`` finds in a forward pass over a batch: ``[b, n_tokens, n_units]``.

    ``place`` says in an error's message where the values come from.
    """

    def rows_of(indices: list[int]) -> NDArray[np.float32]:
        import torch

        batch = encoder.padded([encoded[i] for i in indices])
        with torch.inference_mode():
            values = read(batch)[batch.attention_mask].float().cpu().numpy()
        return np.asarray(values)

    for indices in encoder.batches(encoded):
        # Batch by batch, so that a single text somebody has just edited waits for one batch, not for all.
        rows = on_encoder_thread(rows_of, indices)
        finite = np.isfinite(rows)
        if not finite.all():
            unit = int(np.argmin(finite.all(axis=0)))
            raise LitProbeError(
                f"The activations of {encoder.name} at {place} hold NaN or infinity (first in neuron {unit}), so nothing can be "
                "said about its neurons."
            )
        yield indices, rows
