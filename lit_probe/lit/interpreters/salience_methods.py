"""What can be asked about salience: methods, their options and limits, layers and classes."""

from __future__ import annotations

from typing import Any

from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.lit.host import explaining
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.lit.interpreters.salience import description_of
from lit_probe.probing.probe_forward import NUMBER_SCALAR, SCALARS
from lit_probe.salience import SALIENCE_METHODS


class SalienceMethodsInterpreter(ProbeInterpreter):
    """The salience methods, with what can be chosen about each of them."""

    def waits_for(self, question: Question) -> None:
        """The choices are there before the probes are."""

    needs = "its tokens and gradients"
    targets = (CLASSES, NUMBER)

    def answer(self, question: Question) -> dict[str, Any]:
        """The choices of a panel; ``best_layer`` is None until the probes are ready.

        ``head_classes`` tells for each class of the probes which one of the model's own it is, or is None.
        """
        probes = question.probes
        head = probes.head_label_names
        return {
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
                    "baseline": method.baseline,
                    "no_explanation": method.no_explanation,
                }
                for method in SALIENCE_METHODS.values()
            ],
            "options": {
                name: {"default": key.default, "title": explaining.TITLES.get(name, name), **key.limits}
                for name, key in explaining.OPTION_KEYS.items()
            },
            "scalars": list(SCALARS) if probes.target == CLASSES else [NUMBER_SCALAR],
            "aggregations": {"signed": explaining.AGGREGATIONS[True], "sizes": explaining.AGGREGATIONS[False]},
            "n_layers": probes.encoder.n_layers,
            "best_layer": probes.study.result().best_layer if probes.study.ready else None,
            "class_names": {"probe": list(probes.label_names), "model": None if head is None else list(head)},
            "head_classes": explaining.explainer_of(probes).head_classes(),
        }
