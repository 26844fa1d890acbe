"""The card behind every number: what reproduces it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types

from lit_probe.errors import LitProbeError
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.model import probe_model
from lit_probe.provenance import card


class ProvenanceInterpreter(ProbeInterpreter):
    """Model, data, settings, seeds and versions behind the numbers, and the command that computes them again."""

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> dict[str, Any]:
        """The card of the model's study, or that it is still being computed or has failed.

        Args:
          inputs: not used.
          model: an encoder with layer probes.
          dataset: not used: the card is about the data set that the probes were trained on.
          model_outputs: not used.
          config: ``number``, what the card was opened from, which is kept on it.

        Raises:
          LitProbeError: ``number`` is no object.
        """
        number = (config or {}).get("number")
        if number is not None and not isinstance(number, Mapping):
            raise LitProbeError(
                f"A number is described by an object, as {{'metric': 'accuracy', 'layer': 3}} is, not by {type(number).__name__}."
            )
        probes = probe_model(model)
        if status := probes.study.status():
            return status
        copies = {key: probes.dataset.near_duplicates[key] for key in ("threshold", "exact", "near", "notes")}
        return {"status": "ready", "card": card(probes.study.result(), number), "near_duplicates": copies}
