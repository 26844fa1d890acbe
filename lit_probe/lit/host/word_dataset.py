"""A data set whose rows are words, as LIT shows it: an example is a sentence with its words and their tags."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from lit_nlp.api import dataset as lit_dataset

from lit_probe.data.labelled_texts import SplitName, Splits, clean_text
from lit_probe.lit.host import fields, specs
from lit_probe.lit.host.copies import Copies
from lit_probe.lit.host.dataset import (
    DEFAULT_MAX_SHOWN,
    DEFAULT_SHOW_TRAIN,
    ProbeDataset,
    badges,
    description_of,
    examples_to_show,
)
from lit_probe.lit.host.labels import ClassLabels
from lit_probe.lit.host.sentences import Sentence, Sentences


class WordDataset(ProbeDataset):
    """Sentences in three splits, of which each word with a tag is a row.

    Args:
      splits: the words.
      show_train: the number of train sentences that are shown.
      max_shown: the number of sentences that are shown in all; see ``rows_to_show``.
      seed: the seed of the samples.
      not_read: see `ProbeDataset`.
      copies: see `ProbeDataset`.
      others: further data sets of words with these tags.

    Attributes:
      sentences: all sentences, those too that LIT does not show.
    """

    def __init__(
        self,
        splits: Splits,
        *,
        show_train: int = DEFAULT_SHOW_TRAIN,
        max_shown: int = DEFAULT_MAX_SHOWN,
        seed: int = 0,
        not_read: Callable[[Sequence[str]], Sequence[tuple[bool, float]]] = lambda texts: [(False, 0.0)] * len(texts),
        copies: Copies | None = None,
        others: Sequence[Splits] = (),
    ):
        self.splits = splits
        self.sentences = Sentences(splits)
        # None of the tags is shown as what has no tag.
        self.labels = ClassLabels(fields.shown_labels([fields.NO_TAG, *splits.label_names])[1:])
        self.text_fields = (fields.TEXT,)
        self.columns = {}
        whole: dict[SplitName, tuple[str, ...]] = {name: rows.whole_texts for name, rows in splits.items()}
        # Sentences have no class that a sample should hold in its share.
        alike = {name: np.zeros(len(texts), dtype=np.int64) for name, texts in whole.items()}
        self.shown = examples_to_show(alike, show_train, max_shown, seed)
        texts = {name: [clean_text(whole[name][row]) for row in rows] for name, rows in self.shown.items()}
        shown_texts = [text for of_split in texts.values() for text in of_split]
        self.copies = copies or Copies(splits)
        in_train = self._badges(texts, others)
        cut = [flag for flag, _ in not_read(shown_texts)]
        lit_dataset.Dataset.__init__(
            self,
            spec=specs.word_dataset_spec(badges(in_train)),
            examples=[
                {
                    fields.TEXT: text,
                    fields.WORDS: list(sentence.forms),
                    fields.TAGS: self.shown_tags(sentence.tags),
                    fields.IN_TRAIN: seen,
                    fields.SPLIT: str(sentence.split),
                    fields.TRUNCATED: bool(flag),
                }
                for text, seen, flag in zip(shown_texts, in_train, cut, strict=True)
                for sentence in [self._sentence(text)]
            ],
            description=description_of(splits, self.shown, self.copies),
        )
        self._position = {text: position for position, text in enumerate(shown_texts)}
        self._group = {}

    def _sentence(self, text: str) -> Sentence:
        found = self.sentences.known(text)
        assert found is not None
        return found

    def shown_tags(self, tags: Sequence[int | None]) -> list[str]:
        """The names of tags; `NO_TAG` for None."""
        return [fields.NO_TAG if tag is None else self.label_names[tag] for tag in tags]

    @property
    def places_of_dev(self) -> dict[int, int]:
        """Empty: an example holds many rows."""
        return {}
