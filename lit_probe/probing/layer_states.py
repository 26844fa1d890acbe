"""The hidden states of some texts at one layer, and what the layers after it make of them once they are changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.joining import JOININGS, Spans, WordPlaces, encoded_words
from lit_probe.encoder.layer_calls import run_from, run_to
from lit_probe.encoder.pooling import POOLINGS, pool_tokens
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import EncodedText, PaddedBatch
from lit_probe.errors import LitProbeError
from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.training_data import standardisation
from lit_probe.registry import lookup

if TYPE_CHECKING:
    from torch import Tensor


# From the hidden states ``[b, n_tokens, d_model]`` of a batch to those that take their place.
Change = Callable[["Tensor", PaddedBatch], "Tensor"]


@dataclass(frozen=True, eq=False)
class TokenStatistics:
    """What is usual for the neurons of a layer, over the attended tokens of some train texts.

    Attributes:
      tokens: ``[n_tokens, d_model]`` float32.
    """

    tokens: NDArray[np.float32]

    @cached_property
    def mean(self) -> NDArray[np.float32]:
        """``[d_model]`` the mean of each neuron."""
        mean: NDArray[np.float32] = self.tokens.mean(axis=0, dtype=np.float64).astype(np.float32)
        return mean

    @cached_property
    def scale(self) -> NDArray[np.float64]:
        """``[d_model]`` the standard deviation of each neuron; 1 for one that does not vary."""
        return np.where(self.alive, self._scale, 1.0)

    @cached_property
    def alive(self) -> NDArray[np.bool_]:
        """``[d_model]`` which neurons vary."""
        alive: NDArray[np.bool_] = np.isfinite(self._scale)
        return alive

    @cached_property
    def _scale(self) -> NDArray[np.float64]:
        _, scale = standardisation(self.tokens)
        return scale


@dataclass(frozen=True, eq=False)
class LaterLayers:
    """What a pass that goes on from one layer gives: of each row, a text or a word of one.

    Attributes:
      layers: the layer from which it went on, then those after it.
      pooled: ``[layers]`` arrays ``[n_rows, width]`` float32.
      head_probabilities: ``[n_rows, n_head_classes]`` of the checkpoint's own head, of words about the text of each; or None.
      step: ``[n_texts]`` Euclidean length of the change of that layer's hidden states, over a text's attended tokens.
      length: ``[n_texts]`` the same of the hidden states before it.
      text_of_row: ``[n_rows]`` which of the texts each row is, or stands in.
    """

    layers: tuple[int, ...]
    pooled: tuple[NDArray[np.float32], ...]
    head_probabilities: NDArray[np.float32] | None
    step: NDArray[np.float64]
    length: NDArray[np.float64]
    text_of_row: NDArray[np.int64]

    @property
    def moved(self) -> NDArray[np.float64]:
        """``[n_rows]`` how far the hidden states of a row's text were moved, as a share of their length; 1 where all were 0."""
        return _share(self.step, self.length)[self.text_of_row]

    @property
    def moved_together(self) -> float:
        """The same of all texts taken as one."""
        return float(_share(np.linalg.norm(self.step), np.linalg.norm(self.length)))

    def probabilities(self, probes: Sequence[FittedProbe]) -> NDArray[np.float64]:
        """``[n_rows, layers, n_classes]``: what each layer's probe says. ``probes`` are those of all layers."""
        each = [probes[layer].predict_proba(pooled) for layer, pooled in zip(self.layers, self.pooled, strict=True)]
        return np.stack(each, axis=1)


@dataclass(frozen=True, eq=False)
class _Batch:
    """The hidden states of some texts at the layer.

    Attributes:
      texts: ``[b]`` which texts.
      rows: the rows that these texts are, or the words in them.
      padded: what the encoder reads.
      hidden: ``[b, n_tokens, d_model]``.
      vectors: from states ``[b, n_tokens, units]`` to those of the rows ``[len(rows), units]``.
    """

    texts: Sequence[int]
    rows: Sequence[int]
    padded: PaddedBatch
    hidden: Tensor
    vectors: Callable[[Tensor], Tensor]


class LayerStates:
    """The hidden states of some texts at one layer, kept so that many changes can be tried on them.

    Args:
      encoder: the frozen encoder.
      texts: ``[n_rows]`` one or more; their hidden states stay in memory (25 tokens of 384 units take 38 kB). Of words the text
        that each stands in, those of a text side by side.
      layer: 0..n_layers-1.
      pooling: a name in ``POOLINGS``, of words in ``JOININGS``.
      spans: ``[n_rows, 2]`` where each word begins and ends in its text; None where rows are whole texts.

    Raises:
      UnknownNameError: there is no such layer or pooling.
      LitProbeError: there is no text, or one without any token, or a word of which the encoder reads none.
    """

    def __init__(self, encoder: Encoder, texts: Sequence[str], layer: int, pooling: str, spans: Spans | None = None):
        encoder.check_layer(layer)
        if not texts:
            raise LitProbeError("There is no text in which neurons could be changed.")
        self.encoder = encoder
        self.layer = layer
        self._pooling = pooling
        self._places: Sequence[Sequence[int]] | None = None
        if spans is None:
            lookup(POOLINGS, pooling, "pooling")
            encoded, of_row = encoder.encode(texts), list(range(len(texts)))
        else:
            lookup(JOININGS, pooling, "way to join the tokens of a word")
            encoded, self._places, of_row = encoded_words(encoder, texts, spans)
            if unread := sum(not own for own in self._places):
                raise LitProbeError(
                    f"The encoder reads no token of {unread:,} of the {len(texts):,} words, so nothing changes there. "
                    "Leave them out."
                )
        if any(not text.ids for text in encoded):
            raise LitProbeError("A text has no token at all, so there is nothing in it to be changed.")
        self._n_texts = len(encoded)
        self._text_of_row = np.array(of_row, dtype=np.int64)
        self._batches = [self._batch(indices, [encoded[i] for i in indices]) for indices in encoder.batches(encoded)]

    def _batch(self, indices: list[int], texts: Sequence[EncodedText]) -> _Batch:
        def compute() -> _Batch:
            import torch

            padded = self.encoder.padded(texts)
            with torch.inference_mode():
                hidden = run_to(self.encoder, self.layer, padded)
            if self._places is None:
                return _Batch(indices, indices, padded, hidden, lambda states: pool_tokens(self._pooling, states, padded))
            # Words of a text stand side by side.
            ends = np.searchsorted(self._text_of_row, [(i, i + 1) for i in indices]).tolist()
            rows = [row for first, last in ends for row in range(first, last)]
            in_batch = [number for number, (first, last) in enumerate(ends) for _ in range(first, last)]
            places = [self._places[row] for row in rows]
            words = WordPlaces(self._pooling, places, in_batch, padded.ids.shape[1], padded.ids.device)
            return _Batch(indices, rows, padded, hidden, words.joined)

        return on_encoder_thread(compute)

    def statistics(self) -> TokenStatistics:
        """The values of all attended tokens."""
        tokens = [one.hidden[one.padded.attention_mask].float().cpu().numpy() for one in self._batches]
        return TokenStatistics(np.concatenate(tokens))

    def sizes(self, change: Change) -> NDArray[np.float64]:
        """``[d_model]`` how far the change moves each neuron: the root of its mean square over the attended tokens."""

        def compute(one: _Batch) -> tuple[NDArray[np.float64], int]:
            step = (change(one.hidden, one.padded) - one.hidden)[one.padded.attention_mask].double()
            return step.square().sum(dim=0).cpu().numpy(), len(step)

        squares, counts = zip(*(on_encoder_thread(compute, one) for one in self._batches), strict=True)
        sizes: NDArray[np.float64] = np.sqrt(sum(squares) / sum(counts))
        return sizes

    def go_on(self, change: Change | None = None) -> LaterLayers:
        """The rest of the pass, with ``change(hidden [b, n_tokens, d_model], batch)`` in place of the layer's hidden states.

        Raises:
          EncoderError: the architecture's pass cannot be entered at this layer.
        """
        sites = self.encoder.sites
        layers = later_than(self.encoder, self.layer)
        pooled = {layer: np.empty((len(self._text_of_row), sites[layer].width), dtype=np.float32) for layer in layers}
        n_classes = len(self.encoder.head_label_names or ())
        head = np.empty((self._n_texts, n_classes), dtype=np.float32) if n_classes else None
        step, length = np.zeros(self._n_texts), np.empty(self._n_texts)

        def run(batch: _Batch) -> None:
            import torch

            texts, padded, hidden = batch.texts, batch.padded, batch.hidden

            def keep(units_of: Mapping[int, slice], states: Tensor) -> None:
                vectors = batch.vectors(states).float().cpu().numpy()
                for layer, units in units_of.items():
                    if layer in pooled:
                        pooled[layer][batch.rows] = vectors[:, units]

            with torch.inference_mode():
                changed = hidden if change is None else change(hidden, padded)
                length[texts] = _lengths(hidden, padded)
                if changed is not hidden:
                    step[texts] = _lengths(changed - hidden, padded)
                logits = run_from(self.encoder, self.layer, changed, padded, keep)
                keep({self.layer: slice(None)}, changed)
                if head is not None:
                    head[texts] = logits.float().softmax(dim=-1).cpu().numpy()

        for batch in self._batches:
            # Batch by batch, so that a single text somebody has just edited waits for one batch, not for all.
            on_encoder_thread(run, batch)
        of_row = None if head is None else head[self._text_of_row]
        return LaterLayers(layers, tuple(pooled.values()), of_row, step, length, self._text_of_row)


def later_than(encoder: Encoder, layer: int) -> tuple[int, ...]:
    """The layer first, then those in which a change at it can be seen, ascending."""
    sites = encoder.sites
    return (layer, *(other for other, site in enumerate(sites) if site.comes_after(sites[layer])))


def _share(step: ArrayLike, length: ArrayLike) -> NDArray[np.float64]:
    """Steps as a share of what they started from. From 0, as a head that gives nothing has, any step is as long as the whole."""
    steps, lengths = np.asarray(step, dtype=np.float64), np.asarray(length, dtype=np.float64)
    return np.where(lengths > 0, steps / np.where(lengths > 0, lengths, 1.0), steps > 0)


def _lengths(states: Tensor, batch: PaddedBatch) -> NDArray[np.float64]:
    """``[b]`` the Euclidean length of each text's ``states`` ``[b, n_tokens, d_model]``, over its attended tokens."""
    import torch

    of_tokens = torch.linalg.vector_norm(states.float(), dim=-1).double() * batch.attention_mask
    lengths: NDArray[np.float64] = torch.linalg.vector_norm(of_tokens, dim=-1).cpu().numpy()
    return lengths
