"""One prediction on texts, as LIT's generators ask a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from lit_nlp.api import model as lit_model
from lit_nlp.api import types
from numpy.typing import NDArray

from lit_probe.lit.host import fields
from lit_probe.probing.probe_forward import Forward

PREDICTION = "prediction"


class ForwardView(lit_model.Model):
    """The probe of one layer, or the checkpoint's own head: nothing else is computed, blocks after the probe's layer neither.

    LIT's generators ask for hundreds of predictions per text, one by one.

    Args:
      forward: what predicts.
      text_fields: the fields that hold an example's text: one, or the two of a pair.
    """

    def __init__(self, forward: Forward, text_fields: Sequence[str] = (fields.TEXT,)):
        self.forward = forward
        self.text_fields = tuple(text_fields)

    def input_spec(self) -> types.Spec:
        """The text, or the two of a pair."""
        return {name: types.TextSegment() for name in self.text_fields}

    def output_spec(self) -> types.Spec:
        """The class probabilities. They have no label as their parent: LIT would overwrite it with the predicted class."""
        return {PREDICTION: types.MulticlassPreds(vocab=list(self.forward.class_names))}

    def predict(self, inputs: Iterable[types.JsonDict], **kwargs: Any) -> list[dict[str, Any]]:
        """The class probabilities of each text."""
        return [{PREDICTION: row} for row in self.probabilities([self.text_of(example) for example in inputs])]

    def text_of(self, example: Mapping[str, Any]) -> str:
        """What the example says."""
        return fields.text_of(fields.with_text(example, self.text_fields))

    def probabilities(self, texts: list[str]) -> NDArray[np.float64]:
        """``[n_texts, n_classes]`` of which the largest is the decided class: LIT's generators take the most probable one."""
        logits = self.forward.decision.adjusted(self.forward.logits_of(self.forward.encoder.encode(texts)))
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return shares

    def class_of(self, prediction: Mapping[str, Any]) -> str:
        """The name of the decided class, see `probabilities`."""
        return self.forward.class_names[int(np.argmax(prediction[PREDICTION]))]
