"""What the probes of all layers say about single texts, edited ones included."""

from __future__ import annotations

from typing import Any

from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.lit.host import fields
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question


class LayerPredictionsInterpreter(ProbeInterpreter):
    """What each layer's probe says of the selected text and its edits: the probability of each class, or a number."""

    reads_texts = True
    remembers = True
    waits_for_rows = True
    targets = (CLASSES, NUMBER)

    def answer(self, question: Question) -> dict[str, Any]:
        """What every layer says of each example, a number as ``[n_layers][1]``; a new text costs one forward pass."""
        probes, shown = question.probes, question.shown
        pooled = probes.pooled(question.texts)
        head = probes.head_label_names
        return {
            "label_names": list(probes.label_names),
            "best_layer": question.study.best_layer,
            "decision": question.study.decision.to_json(),
            "examples": [
                {
                    "label": probes.labels.read(example),
                    "edited": fields.is_edited(example) or not probes.holds(shown, example),
                    "truncated": text.truncated,
                    "probabilities": classes.tolist(),
                    "model": None
                    if head is None
                    else {"label_names": list(head), "probabilities": text.head_probabilities.tolist()},
                }
                for example, text, classes in zip(question.inputs, pooled.texts, probes.predictions(pooled), strict=True)
            ],
        }
