"""Pooled activations of many texts: one vector per text and site."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.asked import TEXT, WORD, UnitKind
from lit_probe.encoder.ahead import made_ahead
from lit_probe.encoder.arriving import ArrivingVectors
from lit_probe.encoder.dtypes import FLOAT32
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.joining import DEFAULT_JOINING, JOININGS, Spans, WordPlaces, encoded_words, in_sentences
from lit_probe.encoder.pooling import POOLINGS, pool_tokens
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import EncodedText
from lit_probe.encoder.vector_encoder import NO_POOLING, VectorEncoder
from lit_probe.errors import EncoderError, UnknownNameError, UnservedError
from lit_probe.progress import Progress, no_progress, of_part
from lit_probe.registry import lookup

if TYPE_CHECKING:
    from torch import Tensor

# Texts are sorted by length within blocks of this size, whatever the size of the data set: a block is a shard of the cache,
# so an interrupted run goes on where it stopped, and cached and fresh numbers are the same to the last digit.
BLOCK_SIZE = 1_024
# Of words, so many texts make a block: some thousand words.
TEXTS_PER_WORD_BLOCK = 256


@dataclass(frozen=True)
class Block:
    """Pooled activations of up to ``BLOCK_SIZE`` texts.

    Attributes:
      values: ``[n_layers]`` arrays ``[n_block, width]``, each one stretch of memory or file: float32, or the upper halves of
        float32 (bfloat16) as uint16.
      truncated: ``[n_block]`` bool.
      unknown: ``[n_block]`` float32, the share of a text's tokens that the vocabulary cannot spell, 0 to 1.
      head_probabilities: ``[n_block, n_head_classes]`` float32 of the checkpoint's own head; no columns without one.
    """

    values: tuple[NDArray[np.float32 | np.uint16], ...]
    truncated: NDArray[np.bool_]
    unknown: NDArray[np.float32]
    head_probabilities: NDArray[np.float32]

    @classmethod
    def of_vectors(cls, values: Sequence[NDArray[np.float32]]) -> Block:
        """``[n_layers]`` arrays ``[n_block, width]`` that come from elsewhere: nothing is truncated, and there is no head."""
        n_block = len(values[0])
        unknown, head = np.zeros(n_block, dtype=np.float32), np.zeros((n_block, 0), dtype=np.float32)
        kept = tuple(np.ascontiguousarray(one, dtype=np.float32) for one in values)
        return cls(kept, np.zeros(n_block, dtype=bool), unknown, head)

    def __len__(self) -> int:
        return len(self.truncated)

    def kept_as(self, dtype: str) -> Block:
        """The block with its values as they are kept: ``float32`` leaves them, ``bfloat16`` rounds them."""
        return self if dtype == FLOAT32 else replace(self, values=tuple(narrowed(widened(one)) for one in self.values))


@dataclass(frozen=True)
class Activations:
    """Pooled activations of all sites for a list of texts, in their order.

    Attributes:
      blocks: their values, up to ``BLOCK_SIZE`` texts each; arrays in memory or mapped from the cache.
      pooling: name of the pooling, `NO_POOLING` for vectors that lit_probe has not pooled.
      fingerprint: the fingerprint of the encoder, see ``Encoder.fingerprint``.
      dtype: as what the values are kept, ``float32`` or ``bfloat16``; they are read as float32.
      taken_from: those of more texts that these were taken from, held so that nobody reads the texts again meanwhile.
    """

    blocks: tuple[Block, ...]
    pooling: str
    fingerprint: str
    dtype: str = FLOAT32
    taken_from: Activations | None = None

    @classmethod
    def from_array(cls, values: NDArray[np.float32], *, pooling: str = "mean", fingerprint: str = "") -> Activations:
        """Wraps ``[n_examples, n_layers, d_model]`` values that come from elsewhere."""
        return cls((Block.of_vectors(list(np.swapaxes(np.asarray(values), 0, 1))),), pooling, fingerprint)

    def __len__(self) -> int:
        return sum(map(len, self.blocks))

    @property
    def n_layers(self) -> int:
        """Number of sites; of layers, the embedding output included."""
        return len(self.blocks[0].values)

    @property
    def widths(self) -> tuple[int, ...]:
        """``[n_layers]`` the number of units of each site."""
        return tuple(values.shape[1] for values in self.blocks[0].values)

    @property
    def values(self) -> NDArray[np.float32]:
        """``[n_examples, n_layers, width]`` of sites that are equally wide, copied into memory."""
        return np.stack([self.layer(index) for index in range(self.n_layers)], axis=1)

    def layer(self, index: int) -> NDArray[np.float32]:
        """``[n_examples, width]`` of one site, contiguous; reads no other."""
        return np.concatenate([widened(block.values[index]) for block in self.blocks])

    def unit(self, index: int, unit: int) -> NDArray[np.float32]:
        """``[n_examples]`` of one unit of one site."""
        return np.concatenate([widened(block.values[index][:, unit]) for block in self.blocks])

    def take(self, rows: NDArray[np.int64]) -> Activations:
        """Those of the texts at ``rows``, in that order; the same object where these are all texts in their order."""
        if np.array_equal(rows, np.arange(len(self))):
            return self
        joined = Block(
            tuple(np.concatenate([block.values[site] for block in self.blocks])[rows] for site in range(self.n_layers)),
            self.truncated[rows],
            self.unknown[rows],
            np.concatenate([block.head_probabilities for block in self.blocks])[rows],
        )
        return replace(self, blocks=(joined,), taken_from=self)

    @property
    def truncated(self) -> NDArray[np.bool_]:
        """``[n_examples]``, True where a text was longer than the encoder read."""
        return np.concatenate([block.truncated for block in self.blocks])

    @property
    def share_truncated(self) -> float:
        """Share of the texts that were truncated, 0 to 1."""
        return float(self.truncated.mean()) if len(self) else 0.0

    @property
    def unknown(self) -> NDArray[np.float32]:
        """``[n_examples]`` the share of each text's tokens that the vocabulary cannot spell, 0 to 1."""
        return np.concatenate([block.unknown for block in self.blocks])

    @property
    def share_unknown(self) -> float:
        """Share of the texts with a token that the vocabulary cannot spell, 0 to 1."""
        return float((self.unknown > 0).mean()) if len(self) else 0.0

    @property
    def head_probabilities(self) -> NDArray[np.float32] | None:
        """``[n_examples, n_head_classes]`` predicted by the checkpoint's own classification head, or None if it has none."""
        probabilities = np.concatenate([block.head_probabilities for block in self.blocks])
        return probabilities if probabilities.shape[1] else None


def narrowed(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Finite float32 numbers as bfloat16, the upper halves of their bits, rounded to the nearest and in the middle to even.

    >>> widened(narrowed(np.array([1.0, -0.1, 3.14159274], dtype=np.float32))).tolist()
    [1.0, -0.10009765625, 3.140625]
    """
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return (np.where(np.isfinite(values), rounded, bits) >> np.uint32(16)).astype(np.uint16)


def widened(values: NDArray[np.float32 | np.uint16]) -> NDArray[np.float32]:
    """Numbers as they are kept, as float32."""
    if values.dtype != np.uint16:
        return values  # type: ignore[return-value]
    return (values.astype(np.uint32) << np.uint32(16)).view(np.float32)


def default_pooling(encoder: Encoder, unit: UnitKind) -> str:
    """The pooling of texts that the encoder's kind asks for; of words the usual joining."""
    return encoder.default_pooling if unit == TEXT else DEFAULT_JOINING


def check_pooling(encoder: Encoder, pooling: str, unit: UnitKind = TEXT) -> None:
    """That the encoder has a pooling of this name, or that words can be joined so; vectors are taken as they are given.

    Raises:
      UnknownNameError: it has none; the sentence lists those that there are.
      UnservedError: rows are words, and of the encoder only vectors of texts are known.
    """
    if unit == WORD:
        if isinstance(encoder, VectorEncoder):
            raise UnservedError(f"{encoder.name} is known by vectors of whole texts; the rows of this data set are words.")
        if pooling in POOLINGS and pooling not in JOININGS:
            raise UnknownNameError(f"{pooling} pools whole texts, and rows here are words. Choose one of: {', '.join(JOININGS)}.")
        lookup(JOININGS, pooling, "way to join the tokens of a word")
    elif pooling in JOININGS and pooling not in POOLINGS and not isinstance(encoder, VectorEncoder):
        poolings = ", ".join(sorted(POOLINGS))
        raise UnknownNameError(f"{pooling} joins the tokens of a word, and rows here are whole texts. Choose one of: {poolings}.")
    elif isinstance(encoder, VectorEncoder):
        lookup({NO_POOLING: None}, pooling, "pooling of vectors")
    else:
        lookup(POOLINGS, pooling, "pooling")


def extract_activations(
    encoder: Encoder,
    texts: Sequence[str],
    pooling: str | None = None,
    *,
    spans: Spans | None = None,
    progress: Progress = no_progress,
) -> Activations:
    """Pools what stands at all sites of every text, or joins that of every word, one forward pass per batch.

    Args:
      encoder: the frozen encoder.
      texts: any strings; of words ``[n_words]`` the text that each stands in, those of a text side by side, and it is read once.
      pooling: a name in ``POOLINGS``, of words in ``JOININGS``; by default what the encoder's kind asks for, of words ``last``.
      spans: ``[n_words, 2]`` where each word begins and ends in its text, in characters; None for whole texts.
      progress: hears how many of the texts are done.

    Returns:
      A row for each text, or for each word. A word of which no token was read (`unread_words`) has zeros.

    Raises:
      UnknownNameError: no such pooling.
      EncoderError: the weights cannot be loaded or used, or overflow in half precision.
    """
    unit = TEXT if spans is None else WORD
    pooling = pooling or default_pooling(encoder, unit)
    check_pooling(encoder, pooling, unit)

    def block(part: Rows, report: Progress) -> Block:
        return extract_block(encoder, part.texts, pooling, report, part.spans)

    blocks = tuple(made_ahead(split_rows(texts, spans, progress), block, lambda: encoder.blocks_at_once))
    return Activations(blocks, pooling, encoder.fingerprint)


@dataclass(frozen=True)
class Rows:
    """What becomes one block.

    Attributes:
      texts: ``[n_block]`` texts; of words the text that each stands in.
      spans: ``[n_block, 2]`` where each word begins and ends in its text; None for whole texts.
    """

    texts: Sequence[str]
    spans: Spans | None


def split_rows(texts: Sequence[str], spans: Spans | None, progress: Progress = no_progress) -> Iterator[tuple[Rows, Progress]]:
    """`split_into_blocks` of texts, or of words with their spans: no text is in two blocks."""
    if spans is None:
        yield from ((Rows(part, None), report) for part, report in split_into_blocks(texts, progress))
        return
    runs = in_sentences(texts)
    for first in range(0, max(1, len(runs)), TEXTS_PER_WORD_BLOCK):
        some = runs[first : first + TEXTS_PER_WORD_BLOCK]
        rows = slice(some[0][0], some[-1][1]) if some else slice(0, 0)
        yield Rows(texts[rows], spans[rows]), of_part(progress, first, first + len(some), len(runs))


def split_into_blocks(texts: Sequence[str], progress: Progress = no_progress) -> Iterator[tuple[Sequence[str], Progress]]:
    """The texts in blocks of ``BLOCK_SIZE``, each with what it reports to; one empty block when there are none."""
    for start in range(0, max(1, len(texts)), BLOCK_SIZE):
        part = texts[start : start + BLOCK_SIZE]
        yield part, of_part(progress, start, start + len(part), len(texts))


def extract_block(
    encoder: Encoder, texts: Sequence[str], pooling: str, progress: Progress = no_progress, spans: Spans | None = None
) -> Block:
    """The block of up to ``BLOCK_SIZE`` texts, or of the words of some, see ``extract_activations``."""
    if spans is not None:
        return _joined_block(encoder, texts, spans, pooling, progress)
    if isinstance(encoder, VectorEncoder):
        return Block.of_vectors(encoder.vectors(texts, progress))
    return pooled_block(encoder, encoder.encode(texts), pooling, progress)


def pooled_block(encoder: Encoder, encoded: Sequence[EncodedText], pooling: str, progress: Progress = no_progress) -> Block:
    """The block of texts of which the tokens are known, see ``extract_activations``."""
    values = tuple(np.zeros((len(encoded), width), dtype=np.float32) for width in encoder.widths)
    n_head_classes = len(encoder.head_label_names or ())
    # Of a text without any token nothing is known, so that no class is likelier than another.
    head_probabilities = np.full((len(encoded), n_head_classes), 1 / max(1, n_head_classes), dtype=np.float32)

    def run(indices: list[int]) -> ArrivingVectors:
        batch = encoder.padded([encoded[i] for i in indices])
        vectors = ArrivingVectors(len(indices), [*encoder.widths, n_head_classes], batch.ids.device)

        def take(units_of: Mapping[int, slice], states: Tensor) -> None:
            # Units are pooled one by one, so those of all heads can be at once.
            pooled = pool_tokens(pooling, states, batch)
            for place, units in units_of.items():
                vectors.put(place, pooled[:, units])

        head_logits = encoder.run(batch, take)
        if n_head_classes:
            vectors.put(encoder.n_layers, head_logits.float().softmax(dim=-1))
        vectors.send()
        return vectors

    def keep(indices: list[int], vectors: ArrivingVectors) -> None:
        for array, received in zip((*values, head_probabilities), vectors.received(), strict=True):
            array[indices] = received

    _run_batches(encoder, encoded, run, keep, progress)
    _check_finite(encoder, values, "texts")
    truncated = np.array([text.truncated for text in encoded], dtype=bool)
    return Block(values, truncated, np.array(encoder.unknown(encoded), dtype=np.float32), head_probabilities)


def _joined_block(encoder: Encoder, texts: Sequence[str], spans: Spans, joining: str, progress: Progress) -> Block:
    """The block of words, see ``extract_activations``; every text is in one batch, once."""
    encoded, places, of_text = encoded_words(encoder, texts, spans)
    values = tuple(np.zeros((len(texts), width), dtype=np.float32) for width in encoder.widths)
    rows_of: list[list[int]] = [[] for _ in encoded]
    for row, text in enumerate(of_text):
        if places[row]:
            rows_of[text].append(row)

    def rows_in(indices: list[int]) -> list[int]:
        return [row for i in indices for row in rows_of[i]]

    def run(indices: list[int]) -> ArrivingVectors:
        batch = encoder.padded([encoded[i] for i in indices])
        rows = rows_in(indices)
        vectors = ArrivingVectors(len(rows), encoder.widths, batch.ids.device)
        in_batch = [number for number, i in enumerate(indices) for _ in rows_of[i]]
        words = WordPlaces(joining, [places[row] for row in rows], in_batch, batch.ids.shape[1], batch.ids.device)

        def take(units_of: Mapping[int, slice], states: Tensor) -> None:
            joined = words.joined(states)
            for place, units in units_of.items():
                vectors.put(place, joined[:, units])

        encoder.run(batch, take)
        vectors.send()
        return vectors

    def keep(indices: list[int], vectors: ArrivingVectors) -> None:
        rows = rows_in(indices)
        for array, received in zip(values, vectors.received(), strict=True):
            array[rows] = received

    _run_batches(encoder, encoded, run, keep, progress)
    _check_finite(encoder, values, "words")
    unknown_id = encoder.tokenizer.unk_token_id
    ids = [[encoded[text].ids[place] for place in own] for own, text in zip(places, of_text, strict=True)]
    unknown = np.array([own.count(unknown_id) / max(1, len(own)) for own in ids], dtype=np.float32)
    truncated = np.array([encoded[text].truncated for text in of_text], dtype=bool)
    return Block(values, truncated, unknown, np.zeros((len(texts), 0), dtype=np.float32))


def _check_finite(encoder: Encoder, values: Sequence[NDArray[np.float32]], what: str) -> None:
    if encoder.dtype != FLOAT32 and (n_bad := int((~np.all([np.isfinite(one).all(axis=1) for one in values], axis=0)).sum())):
        raise EncoderError(
            f"Read in {encoder.dtype}, {encoder.name} gives NaN or infinity for {n_bad:,} of {len(values[0]):,} {what}, since "
            "its numbers grow too large. Give the option dtype=float32, or dtype=bfloat16, which holds larger ones."
        )


def _run_batches(
    encoder: Encoder,
    encoded: Sequence[EncodedText],
    run: Callable[[list[int]], ArrivingVectors],
    keep: Callable[[list[int], ArrivingVectors], None],
    progress: Progress,
) -> None:
    """Reads the texts batch by batch.

    Args:
      encoder: the frozen encoder.
      encoded: the texts.
      run: is called with the indices of each batch, on the encoder thread.
      keep: is called with them and with what ``run`` has made, on this thread. While it waits for a GPU, the next batch is there.
      progress: hears how many texts are kept.
    """
    n_done = 0
    underway: list[tuple[list[int], ArrivingVectors]] = []

    def finish() -> None:
        nonlocal n_done
        indices, vectors = underway.pop(0)
        try:
            keep(indices, vectors)
        except RuntimeError as error:  # of a GPU, which tells late what went wrong
            raise EncoderError(f"{encoder.name} cannot encode a batch of {len(indices)} texts: {error}") from error
        n_done += len(indices)
        progress(n_done, len(encoded))

    progress(n_done, len(encoded))
    for indices in encoder.batches(encoded) if encoded else ():
        # Batch by batch, so that a single text somebody has just edited waits for one batch, not for all.
        vectors = on_encoder_thread(run, indices)
        underway.append((indices, vectors))
        while len(underway) > vectors.is_underway:
            finish()
    while underway:
        finish()
