"""What the probes of all layers say about single texts, edited ones included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.messages import plain_message
from lit_probe.lit.host.read_only import check_few
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question


class LayerPredictionsInterpreter(ProbeInterpreter):
    """What each layer's probe says of the selected text and its edits: the probability of each class, or a number."""

    remembers = True
    waits_for_rows = True
    targets = (CLASSES, NUMBER)

    def check(self, question: Question) -> None:
        """Refuses many examples at once on a read-only server, and examples none of which has a text."""
        check_few(question.probes.checks, len(question.inputs))
        if question.inputs and all(text is None for text, _ in map(_text_of, question.inputs)):
            _ = question.texts

    def answer(self, question: Question) -> dict[str, Any]:
        """What every layer says of each example, a number as ``[n_layers][1]``; a new text costs one forward pass.

        Of several examples one without a text has ``status`` ``failed`` and a ``message`` in place of all this.
        """
        probes, shown = question.probes, question.shown
        texts = [_text_of(example) for example in question.inputs]
        pooled = probes.pooled([text for text, _ in texts if text is not None])
        read = iter(zip(pooled.texts, probes.predictions(pooled), strict=True))
        head = probes.head_label_names

        def said(example: Mapping[str, Any]) -> dict[str, Any]:
            text, classes = next(read)
            return {
                "label": probes.labels.read(example),
                "edited": fields.is_edited(example) or not probes.holds(shown, example),
                "truncated": text.truncated,
                "probabilities": classes.tolist(),
                "model": None if head is None else {"label_names": list(head), "probabilities": text.head_probabilities.tolist()},
            }

        return {
            "label_names": list(probes.label_names),
            "best_layer": question.study.best_layer,
            "decision": question.study.decision.to_json(),
            "examples": [
                {"status": "failed", "message": why} if text is None else said(example)
                for example, (text, why) in zip(question.inputs, texts, strict=True)
            ],
        }


def _text_of(example: Mapping[str, Any]) -> tuple[str | None, str]:
    """The example's text, or None and why there is none."""
    try:
        return fields.text_of(example), ""
    except LitProbeError as error:
        return None, plain_message(str(error))
