"""An encoder with probes of words as a LIT model: an example is a sentence, and each of its words gets a tag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
from lit_nlp.api import types
from numpy.typing import NDArray

from lit_probe.data.labelled_texts import SplitName, clean_text
from lit_probe.data.rows import WORD_COLUMN
from lit_probe.encoder.activations import Activations, extract_activations
from lit_probe.encoder.joining import Spans, unread_words
from lit_probe.lit.host import fields, specs
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.model import ProbeModel, Readings
from lit_probe.lit.host.sentences import Sentence, Span
from lit_probe.lit.host.word_dataset import WordDataset
from lit_probe.once import Memo

_MEMO_SIZE = 256


@dataclass(frozen=True)
class WordReadings:
    """What the probes of all layers say of the words of one sentence.

    Attributes:
      probabilities: ``[n_words, n_layers, n_classes]`` float64; zeros for a word that was not read.
      read: ``[n_words]`` whether the encoder read a token of the word.
    """

    probabilities: NDArray[np.float64]
    read: NDArray[np.bool_]


class WordModel(ProbeModel):
    """A frozen text encoder with one probe per layer, trained on words with tags.

    Its one prediction for LIT is the tag of each word, by the probe of the dev-chosen layer. What other layers say is asked by
    panels, sentence by sentence.
    """

    @property
    def words(self) -> WordDataset:
        """The data set that the probes are trained on."""
        return cast(WordDataset, self.dataset)

    def input_spec(self) -> types.Spec:
        """See ``specs.word_model_input_spec``."""
        return specs.word_model_input_spec()

    def output_spec(self) -> types.Spec:
        """See ``specs.word_model_output_spec``."""
        return specs.word_model_output_spec()

    def sentence_of(self, example: Mapping[str, Any]) -> Sentence:
        """The words of an example, edited ones too: see `Sentences.read`.

        Raises:
          LitProbeError: the example has no text.
        """
        forms = example.get(fields.WORDS)
        named = [str(form) for form in forms] if isinstance(forms, Sequence) and not isinstance(forms, str) else []
        return self.words.sentences.read(self.text_of(example), named)

    def predict(self, inputs: Iterable[types.JsonDict], **kwargs: Any) -> list[dict[str, Any]]:
        """The words of each text and their tags. Of a data set's sentence the words that have a tag are asked, of another all.

        Raises:
          LitProbeError: an example has no text, or the probes are not ready or could not be computed.
        """
        study = self.study.result()
        sentences = [self.sentence_of(example) for example in inputs]
        predictions = []
        for sentence, found in zip(sentences, self.tagged(sentences), strict=True):
            asked = found.read & np.array([sentence.split is None or tag is not None for tag in sentence.tags], dtype=bool)
            tags = study.decision.classes(found.probabilities[:, study.best_layer]).tolist()
            shown = self.words.shown_tags([tag if one else None for tag, one in zip(tags, asked, strict=True)])
            predictions.append({fields.READ_WORDS: list(sentence.forms), fields.PREDICTED_TAGS: shown})
        return predictions

    def tagged(self, sentences: Sequence[Sentence], *, whole: bool = False) -> list[WordReadings]:
        """What the probes say of the words of some sentences.

        Words of the study have its numbers; others are encoded with their sentence, all sentences together and once.

        Args:
          sentences: the sentences.
          whole: also of the words without a tag in sentences of the data set; they are as if not read otherwise.

        Raises:
          LitProbeError: the probes are not ready, or the encoder cannot encode a new text.
        """
        study = self.study.result()
        rows = [self._study_rows(sentence) for sentence in sentences]
        new: dict[tuple[str, tuple[Span, ...]], None] = {}
        for sentence, known in zip(sentences, rows, strict=True):
            if spans := self._unknown(sentence, known, whole=whole):
                new[sentence.text, spans] = None
        encoded = self._new.get_all(list(new), self._encode)
        found = []
        for sentence, known in zip(sentences, rows, strict=True):
            shape = (len(sentence), study.layerwise.n_layers, len(study.splits.label_names))
            probabilities, read = np.zeros(shape), np.zeros(len(sentence), dtype=bool)
            spans = self._unknown(sentence, known, whole=whole)
            others = dict(zip(spans, range(len(spans)), strict=True))
            for place, (row, span) in enumerate(zip(known, sentence.spans, strict=True)):
                if row is not None:
                    assert sentence.split is not None
                    probabilities[place], read[place] = study.probabilities(sentence.split)[row], True
                elif span in others:
                    of_new = encoded[sentence.text, spans]
                    probabilities[place] = of_new.probabilities[others[span]]
                    read[place] = of_new.read[others[span]]
            found.append(WordReadings(probabilities, read))
        return found

    @staticmethod
    def _unknown(sentence: Sentence, known: Sequence[int | None], *, whole: bool) -> tuple[Span, ...]:
        """The places of the words that have to be encoded, each once."""
        asked = whole or sentence.split is None
        return tuple(
            dict.fromkeys(
                span
                for span, tag, row in zip(sentence.spans, sentence.tags, known, strict=True)
                if row is None and (asked or tag is not None)
            )
        )

    def _study_rows(self, sentence: Sentence) -> list[int | None]:
        """``[n_words]`` which row of its split in the study each word is."""
        if sentence.split is None:
            return [None] * len(sentence)
        rows = self._rows.get((sentence.split, sentence.text), {})
        places = zip(sentence.spans, sentence.forms, sentence.tags, strict=True)
        return [None if tag is None else rows.get((span, form)) for span, form, tag in places]

    @cached_property
    def _rows(self) -> dict[tuple[SplitName, str], dict[tuple[Span, str], int]]:
        """By split and text, the rows of the study that its words are."""
        found: dict[tuple[SplitName, str], dict[tuple[Span, str], int]] = {}
        for split, rows in self.study.result().splits.items():
            assert rows.spans is not None
            words = zip(rows.texts, rows.spans.tolist(), rows.columns[WORD_COLUMN], strict=True)
            for row, (text, (start, end), form) in enumerate(words):
                found.setdefault((split, clean_text(text)), {})[(start, end), str(form)] = row
        return found

    @cached_property
    def _new(self) -> Memo[tuple[str, tuple[Span, ...]], WordReadings]:
        return Memo(_MEMO_SIZE)

    def _encode(self, asked: list[tuple[str, tuple[Span, ...]]]) -> dict[tuple[str, tuple[Span, ...]], WordReadings]:
        texts = [text for text, spans in asked for _ in spans]
        places = np.array([span for _, spans in asked for span in spans], dtype=np.int64).reshape(-1, 2)
        read = ~unread_words(self.encoder, texts, places)
        probabilities = self.study.result().layerwise.predict_proba(self._joined(texts, places))
        ends = np.cumsum([len(spans) for _, spans in asked])
        parts = zip(asked, np.split(probabilities, ends[:-1]), np.split(read, ends[:-1]), strict=True)
        return {key: WordReadings(part, of_part) for key, part, of_part in parts}

    def _joined(self, texts: Sequence[str], spans: Spans) -> Activations:
        """The vectors of words, rounded as the study's are kept."""
        study = self.study.result()
        made = extract_activations(self.encoder, texts, study.pooling, spans=spans)
        return Activations(
            tuple(block.kept_as(study.kept_as) for block in made.blocks), made.pooling, made.fingerprint, study.kept_as
        )

    def read_rows(self, texts: Sequence[str], spans: Spans | None = None) -> Readings:
        """What the probes say of words that are not the study's; each has a token that is read."""
        assert spans is not None
        made = self._joined(texts, spans)
        return Readings(self.study.result().layerwise.predict_proba(made), made.truncated, made.unknown)

    def holds(self, dataset: ProbeDataset | None, example: Mapping[str, Any]) -> bool:
        """Whether the example is a sentence of the data set, with its split."""
        if not isinstance(dataset, WordDataset) or fields.is_edited(example):
            return False
        known = dataset.sentences.known(self.text_of(example))
        return known is not None and known.split == fields.split_of(example)
