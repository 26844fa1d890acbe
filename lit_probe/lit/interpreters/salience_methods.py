"""What can be asked about salience: methods, their options and limits, layers and classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types

from lit_probe.lit.host import explaining
from lit_probe.lit.host.model import probe_model
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.salience import description_of
from lit_probe.probing.probe_forward import SCALARS
from lit_probe.salience import SALIENCE_METHODS


class SalienceMethodsInterpreter(ProbeInterpreter):
    """The salience methods, with what can be chosen about each of them."""

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> dict[str, Any]:
        """The choices of a panel. They are there before the probes are, except for the ``best_layer``, which is None till then.

        ``head_classes`` tells for each class of the probes which one of the model's own it is, or is None.

        Args:
          inputs: not used.
          model: an encoder with layer probes.
          dataset: not used.
          model_outputs: not used.
          config: not used.
        """
        probes = probe_model(model)
        head = probes.head_label_names
        return {
            "status": "ready",
            "methods": [
                {
                    "name": method.name,
                    "title": method.title,
                    "description": description_of(method),
                    "signed": method.signed,
                    "gradient": method.gradient,
                    "cheap": method.cheap,
                    "deterministic": method.deterministic,
                    "uses": list(method.uses),
                }
                for method in SALIENCE_METHODS.values()
            ],
            "options": {
                name: {"default": default, "title": explaining.TITLES.get(name, name), **_limits(name)}
                for name, default in explaining.DEFAULTS.items()
            },
            "scalars": list(SCALARS),
            "aggregations": {"signed": explaining.AGGREGATIONS[True], "sizes": explaining.AGGREGATIONS[False]},
            "n_layers": probes.encoder.n_layers,
            "best_layer": probes.study.result().best_layer if probes.study.ready else None,
            "class_names": {"probe": list(probes.label_names), "model": None if head is None else list(head)},
            "head_classes": explaining.explainer_of(probes).head_classes(),
        }


def _limits(name: str) -> dict[str, Any]:
    if name in explaining.CHOICES:
        return {"choices": dict(explaining.CHOICES[name])}
    low, high = (explaining.WHOLE_NUMBERS | explaining.NUMBERS)[name]
    return {"low": low, "high": high}
