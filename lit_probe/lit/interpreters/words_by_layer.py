"""What the probes of all layers say about each word of one sentence, and of an edited one beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lit_probe.data.asked import WORD
from lit_probe.encoder.alignment import align
from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.sentences import Sentence
from lit_probe.lit.host.word_model import WordModel, WordReadings
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question

MAX_SENTENCES = 2


class WordsByLayerInterpreter(ProbeInterpreter):
    """The probability of each word's tag at every layer: of one sentence, or of one and its edit, aligned word by word."""

    reads_texts = True
    remembers = True
    waits_for_rows = True
    units = (WORD,)

    def check(self, question: Question) -> None:
        """Refuses more sentences than are shown side by side."""
        if len(question.inputs) > MAX_SENTENCES:
            raise LitProbeError(f"This shows {MAX_SENTENCES} sentences at most; {len(question.inputs)} were sent.")

    def answer(self, question: Question) -> dict[str, Any]:
        """Each sentence with its words; a new text costs one forward pass.

        Returns:
          What is told of the probes, and ``examples``: for each its ``text``, ``split`` (None of an edited text), and ``words``
          as `_words`; of the second also ``aligned``, ``[n_words]`` where each word stands in the first, or None.
        """
        model = question.probes
        assert isinstance(model, WordModel)
        study = question.study
        sentences = [model.sentence_of(example) for example in question.inputs]
        return {
            "label_names": list(model.label_names),
            "best_layer": study.best_layer,
            "n_layers": study.layerwise.n_layers,
            "layer_names": model.layer_names,
            "encoder": model.encoder.name,
            "pooling": study.pooling,
            "probe": study.layerwise.kind,
            "trained_on": model.dataset.name,
            "decided_by": study.decision.sentence,
            "max_length": model.encoder.max_length,
            "examples": [
                {
                    "text": sentence.text,
                    "split": None if fields.is_edited(example) else sentence.split,
                    "words": _words(sentence, found, model),
                    "aligned": _aligned(sentences[0], sentence) if place else None,
                }
                for place, (example, sentence, found) in enumerate(
                    zip(question.inputs, sentences, model.tagged(sentences, whole=True), strict=True)
                )
            ],
        }


def _words(sentence: Sentence, found: WordReadings, model: WordModel) -> list[dict[str, Any]]:
    """For each word: ``word``; ``tag``, None where it has none; ``read``, whether the encoder read a token of it; and by layer
    ``probability`` of its tag (None without a tag), ``predicted``, the index of the tag that it gets, and ``certainty``, the
    probability of that one. A word that was not read has no numbers.
    """
    decided = model.study.result().decision.classes(found.probabilities)
    return [
        {
            "word": form,
            "tag": tag,
            "read": bool(read),
            "probability": None if tag is None or not read else of_word[:, tag].tolist(),
            "predicted": said.tolist() if read else None,
            "certainty": [float(row[one]) for row, one in zip(of_word, said, strict=True)] if read else None,
        }
        for form, tag, read, of_word, said in zip(
            sentence.forms, sentence.tags, found.read.tolist(), found.probabilities, decided, strict=True
        )
    ]


def _aligned(first: Sentence, other: Sentence) -> Sequence[int | None]:
    """Where each word of the other sentence stands in the first one; None where it does not."""
    places: list[int | None] = [None] * len(other)
    for there, here in align(first.forms, other.forms).tolist():
        places[here] = there
    return places
