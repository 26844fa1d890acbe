"""What the probes of all layers say about single texts, edited ones included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types

from lit_probe.lit.host import fields
from lit_probe.lit.host.dataset import probe_dataset
from lit_probe.lit.host.model import probe_model
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter


class LayerPredictionsInterpreter(ProbeInterpreter):
    """The probability that each layer's probe gives each class, for the selected text and its edits."""

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> dict[str, Any]:
        """Every layer's probabilities of each example, or why there are none yet.

        Args:
          inputs: any examples with a text; a new text costs one forward pass.
          model: an encoder with layer probes.
          dataset: that the examples belong to.
          model_outputs: not used: LIT keeps the fields of few layers.
          config: not used.

        Raises:
          LitProbeError: an example has no text.
        """
        probes = probe_model(model)
        texts = [fields.text_of(example) for example in inputs]
        shown = probe_dataset(dataset)
        if status := probes.status(shown):
            return status
        pooled = probes.pooled(texts)
        head = probes.head_label_names
        return {
            "status": "ready",
            "label_names": list(probes.label_names),
            "best_layer": probes.study.result().best_layer,
            "examples": [
                {
                    "label": fields.label_of(example, probes.label_names),
                    "edited": fields.is_edited(example) or not probes.holds(shown, example),
                    "truncated": text.truncated,
                    "probabilities": classes.tolist(),
                    "model": None
                    if head is None
                    else {"label_names": list(head), "probabilities": text.head_probabilities.tolist()},
                }
                for example, text, classes in zip(inputs, pooled.texts, probes.probabilities(pooled), strict=True)
            ],
        }
