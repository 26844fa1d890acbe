"""How far two encoders with probes on the same data set are apart."""

from __future__ import annotations

from typing import Any

from lit_probe.checks.encoder_comparison import compare_encoders
from lit_probe.lit.host.config_values import any_text, flag, two_layers
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import NotReadyError, Question
from lit_probe.registry import lookup


class EncoderComparisonInterpreter(ProbeInterpreter):
    """Is the concept better decodable from one encoder than from another? A layer of each, on the same dev rows."""

    keys = {"other": any_text(), "layers": two_layers(), "cancel": flag()}

    def check(self, question: Question) -> None:
        """Refuses an encoder that has no probes on this data set."""
        self._other(question)

    def answer(self, question: Question) -> dict[str, Any]:
        """The score at the first layer, of the model, less that at the second, of the other encoder, with interval and tests."""
        layer, other_layer = question["layers"]
        pending = self._other(question)
        if status := pending.status():
            raise NotReadyError(status)
        one, other = question.study, pending.result()
        return question.ask(
            (pending.encoder.name, layer, other_layer),
            f"Comparison with {pending.encoder.name}",
            lambda _: compare_encoders(one, layer, other, other_layer).to_json(),
            quick=True,
        )

    @staticmethod
    def _other(question: Question) -> PendingStudy:
        return lookup({study.encoder.name: study for study in question.probes.peers}, question["other"], "encoder")
