"""Pooled vectors by text: those of the data sets from their studies, those of edited texts from the encoder, once.

LIT asks for the predictions of an edited text again before every interpreter that runs on it, several panels at a time. They
all ask here, so an edit costs one forward pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.labelled_texts import SplitName, clean_text
from lit_probe.encoder.activations import Block, extract_activations, widened
from lit_probe.encoder.dtypes import FLOAT32
from lit_probe.encoder.encoder import Encoder
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.once import Memo


class Place(NamedTuple):
    """Where a text of a data set stands."""

    study: PendingStudy
    split: SplitName
    row: int


@dataclass(frozen=True)
class PooledText:
    """What the encoder makes of one text.

    Attributes:
      values: ``[n_layers]`` vectors ``[width]`` float32; for a data set's text views of its study's arrays.
      truncated: whether the text was longer than the encoder reads.
      unknown: the share of its tokens that the vocabulary cannot spell, 0 to 1.
      head_probabilities: ``[n_head_classes]`` of the checkpoint's own head; empty without one.
    """

    values: tuple[NDArray[np.float32], ...]
    truncated: bool
    unknown: float
    head_probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class PooledBatch:
    """Pooled texts as layer-wise probes want them.

    Attributes:
      texts: ``n_examples`` of them, possibly none.
      widths: ``[n_layers]`` how many units each site has.
    """

    texts: Sequence[PooledText]
    widths: tuple[int, ...]

    @property
    def n_layers(self) -> int:
        """Number of sites; of layers, the embedding output included."""
        return len(self.widths)

    def __len__(self) -> int:
        return len(self.texts)

    def layer(self, index: int) -> NDArray[np.float32]:
        """``[n_examples, width]`` of one site, contiguous."""
        return np.array([text.values[index] for text in self.texts], dtype=np.float32).reshape(len(self), self.widths[index])


# By text, pooling, and as what activations are kept.
TextMemo = Memo[tuple[str, str, str], PooledText]


def text_memo(size: int = 256) -> TextMemo:
    """Remembers so many texts."""
    return Memo(size)


class PooledTexts:
    """The pooled texts of one encoder, shared by all its LIT models.

    Args:
      encoder: the frozen encoder.
      studies: the studies of this encoder, one per data set.
      memo: remembers texts that stand in no data set; runs of one encoder may share it.
    """

    def __init__(self, encoder: Encoder, studies: Sequence[PendingStudy], memo: TextMemo | None = None):
        self.encoder = encoder
        self.studies = {study.splits.name: study for study in studies}
        self._places: dict[str, dict[str, Place]] = {
            study.splits.name: {
                clean_text(text): Place(study, split, row)
                for split, rows in study.splits.items()
                for row, text in enumerate(rows.texts)
            }
            for study in studies
        }
        self._memo = text_memo() if memo is None else memo

    def place(self, text: str, dataset: str) -> Place | None:
        """Where the text stands: in ``dataset`` if it is there, else in another data set of this encoder.

        A data set whose study is not ready has no vectors to give and is passed over.
        """
        for name in (dataset, *self._places):
            place = self.row(text, name)
            if place is not None and place.study.ready:
                return place
        return None

    def row(self, text: str, dataset: str) -> Place | None:
        """Which row of ``dataset`` the text is, shown or not, or None."""
        return self._places.get(dataset, {}).get(text)

    def n_new(self, texts: Iterable[str]) -> int:
        """How many different texts stand in no data set."""
        return sum(not any(text in places for places in self._places.values()) for text in set(texts))

    def pooled(self, texts: Sequence[str], dataset: str, pooling: str, dtype: str = FLOAT32) -> PooledBatch:
        """Pooled vectors of all texts: new ones, and those of studies that are not ready, are encoded once.

        New ones are rounded as the others are kept, so that two texts of the same tokens differ in nothing.

        Args:
          texts: cleaned texts, see ``fields.text_of``.
          dataset: the data set to look into first.
          pooling: the pooling of the studies, for texts that are encoded.
          dtype: as what the studies' activations are kept.

        Raises:
          LitProbeError: the encoder cannot encode a new text.
        """
        places = [self.place(text, dataset) for text in texts]
        new = self._encode_once([text for text, place in zip(texts, places, strict=True) if place is None], pooling, dtype)
        pooled = [new[text] if place is None else _stored(place) for text, place in zip(texts, places, strict=True)]
        return PooledBatch(pooled, self.encoder.widths)

    def _encode_once(self, texts: Sequence[str], pooling: str, dtype: str) -> dict[str, PooledText]:
        """Pooled vectors of texts that stand in no data set, from the memo or the encoder."""

        def encode(keys: list[tuple[str, str, str]]) -> dict[tuple[str, str, str], PooledText]:
            found = self._encode([text for text, *_ in keys], pooling, dtype)
            return {key: found[key[0]] for key in keys}

        found = self._memo.get_all([(text, pooling, dtype) for text in texts], encode)
        return {text: value for (text, *_), value in found.items()}

    def _encode(self, texts: Sequence[str], pooling: str, dtype: str) -> dict[str, PooledText]:
        blocks = [block.kept_as(dtype) for block in extract_activations(self.encoder, texts, pooling).blocks]
        rows = ((block, index) for block in blocks for index in range(len(block)))
        return {text: pooled_text(block, index) for text, (block, index) in zip(texts, rows, strict=True)}


def pooled_text(block: Block, index: int) -> PooledText:
    """One text of a block that was just encoded."""
    # Copies, so that one remembered text does not keep the vectors of its whole block. An encoder that overflows on a strange
    # text must not stop LIT from showing the others, and JSON has no NaN.
    return PooledText(
        tuple(np.nan_to_num(widened(values[index])) for values in block.values),
        bool(block.truncated[index]),
        float(block.unknown[index]),
        np.nan_to_num(block.head_probabilities[index]),
    )


def _stored(place: Place) -> PooledText:
    row = place.row
    for block in place.study.result().activations[place.split].blocks:
        if row < len(block.truncated):
            # Plain views: slices of a memory map would each carry the map's own attributes.
            values = tuple(widened(np.asarray(one)[row]) for one in block.values)
            head = np.asarray(block.head_probabilities)[row]
            return PooledText(values, bool(block.truncated[row]), float(block.unknown[row]), head)
        row -= len(block.truncated)
    raise AssertionError(f"the study of {place.study.splits.name} lacks row {place.row} of {place.split}")
