"""One prediction on texts, as LIT's generators ask a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """

    def __init__(self, forward: Forward):
        self.forward = forward

    def input_spec(self) -> types.Spec:
        """The text."""
        return {fields.TEXT: types.TextSegment()}

    def output_spec(self) -> types.Spec:
        """The class probabilities. They have no label as their parent: LIT would overwrite it with the predicted class."""
        return {PREDICTION: types.MulticlassPreds(vocab=list(self.forward.class_names))}

    def predict(self, inputs: Iterable[types.JsonDict], **kwargs: Any) -> list[dict[str, Any]]:
        """The class probabilities of each text."""
        return [{PREDICTION: row} for row in self.probabilities([example[fields.TEXT] for example in inputs])]

    def probabilities(self, texts: list[str]) -> NDArray[np.float64]:
        """``[n_texts, n_classes]`` of which the largest is the decided class: LIT's generators take the most probable one."""
        logits = self.forward.decision.adjusted(self.forward.logits_of(self.forward.encoder.encode(texts)))
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return shares

    def class_of(self, prediction: Mapping[str, Any]) -> str:
        """The name of the decided class, see `probabilities`."""
        return self.forward.class_names[int(np.argmax(prediction[PREDICTION]))]
