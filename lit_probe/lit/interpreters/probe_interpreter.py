"""What all our interpreters have in common: they ask an encoder with layer probes, and no other model."""

from __future__ import annotations

from lit_nlp.api import components
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model

from lit_probe.lit.host.model import is_probe_model


class ProbeInterpreter(components.Interpreter):
    """An interpreter that works on any data set, for models of ours alone."""

    def is_compatible(self, model: lit_model.Model, dataset: lit_dataset.Dataset) -> bool:
        """True for an encoder with layer probes."""
        return is_probe_model(model)
