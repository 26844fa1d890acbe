"""How far two encoders with probes on the same data set are apart."""

from __future__ import annotations

from typing import Any

from lit_probe.checks.encoder_comparison import compare_encoders
from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD
from lit_probe.lit.host.config_values import any_text, flag, maybe, one_layer
from lit_probe.lit.host.pending_checks import NotReadyError
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.probing.study import LayerStudy
from lit_probe.registry import lookup


class EncoderComparisonInterpreter(ProbeInterpreter):
    """Is the concept better decodable from one encoder than from another? A layer of each, on the same dev rows.

    ``other`` is the other model's name in LIT. Both are compared at ``layer``; an encoder without such a layer, and both where
    none is named, at the layer that was chosen on dev.
    """

    keys = {"other": any_text(), "layer": maybe(one_layer()), "cancel": flag()}
    units = (TEXT, WORD)
    targets = (CLASSES, NUMBER)

    def check(self, question: Question) -> None:
        """Refuses a model whose probes were trained on another data set."""
        self._other(question)

    def answer(self, question: Question) -> dict[str, Any]:
        """The score of the model less that of the other one, with interval and tests."""
        pending = self._other(question)
        if status := pending.status():
            raise NotReadyError(status)
        one, other = question.study, pending.result()

        def layer_of(study: LayerStudy) -> int:
            wanted = question["layer"]
            return study.best_layer if wanted is None or wanted >= study.layerwise.n_layers else wanted

        layers = layer_of(one), layer_of(other)
        return question.ask(
            (pending.encoder.name, *layers),
            f"Comparison with {pending.encoder.name}",
            lambda _: compare_encoders(one, layers[0], other, layers[1]).to_json(),
            quick=True,
        )

    @staticmethod
    def _other(question: Question) -> PendingStudy:
        return lookup(question.probes.peers, question["other"], "model")
