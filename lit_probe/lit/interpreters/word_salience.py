"""Which words of a sentence speak for the tag of one of them, to the probe of a layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from lit_probe.data.asked import WORD
from lit_probe.encoder.joining import tokens_of_words
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.config_values import one_layer, one_of, whole_number
from lit_probe.lit.host.word_model import WordModel
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.probing.probe_forward import Target, forward_of_word
from lit_probe.salience import SALIENCE_METHODS, explain
from lit_probe.salience.token_scores import BY_WORD

# Others take words out of the text, and the word that is explained would stand elsewhere.
_METHODS = tuple(name for name, method in SALIENCE_METHODS.items() if method.gradient and method.cheap)


class WordSalienceInterpreter(ProbeInterpreter):
    """Which words of a sentence speak for the tag of one of them? The logit of its tag, or of the predicted one if it has none.

    ``word`` is the place of the word among those of the sentence, as `words_by_layer` lists them.
    """

    keys = {
        "layer": one_layer(),
        "word": whole_number(0, 1_000_000),
        "method": one_of(_METHODS, "input_x_gradient"),
    }
    reads_texts = True
    units = (WORD,)
    needs = "gradients"

    def check(self, question: Question) -> None:
        """Refuses more than one sentence, and a place where no word stands."""
        if len(question.inputs) != 1:
            raise LitProbeError(f"The tag of one word of one sentence is explained; {len(question.inputs)} sentences were sent.")
        sentence = _model(question).sentence_of(question.inputs[0])
        if question["word"] >= len(sentence):
            raise LitProbeError(f"The sentence has {len(sentence)} words, so there is none at place {question['word']}.")

    def answer(self, question: Question) -> dict[str, Any]:
        """One pass there and back.

        Returns:
          ``tag``, whose logit is explained; ``predicted``, whether it is the predicted one for want of another; ``value``, the
          logit; ``title`` and ``signed`` of the method; and ``scores``, ``[n_words]``: the sum, of sizes the L2 norm, of a word's
          tokens, None for a word that was not read.
        """
        model, study, layer = _model(question), question.study, question.layer
        sentence, place = model.sentence_of(question.inputs[0]), question["word"]
        [encoded] = model.encoder.encode([sentence.text], with_tokens=True)
        places = tokens_of_words(sentence.text, encoded, sentence.spans)
        if not places[place]:
            raise LitProbeError(f"“{sentence.forms[place]}” was cut off: the encoder read no token of it.")
        forward = forward_of_word(
            model.encoder, study.pooling, places[place], layer, study.layerwise.probes[layer], model.label_names, study.decision
        )
        [found] = model.tagged([sentence], whole=True)
        tag, own = sentence.tags[place], sentence.tags[place] is not None
        tag = int(study.decision.classes(found.probabilities[place, layer])) if tag is None else tag
        scores = explain(forward, sentence.text, question["method"], Target(tag))
        method = SALIENCE_METHODS[question["method"]]
        of_word = BY_WORD["sum" if method.signed else "l2"]
        return {
            "layer": layer,
            "word": place,
            "tag": tag,
            "predicted": not own,
            "value": scores.value,
            "title": method.title,
            "signed": method.signed,
            "scores": [of_word(np.asarray(scores.scores)[own_places]) if own_places else None for own_places in places],
            "warning": scores.warning,
        }


def _model(question: Question) -> WordModel:
    assert isinstance(question.probes, WordModel)
    return question.probes
