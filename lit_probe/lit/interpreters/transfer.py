"""How far the probes of each data set read the same classes off the texts of the others."""

from __future__ import annotations

from typing import Any

from lit_probe.checks.transfer import transfer
from lit_probe.lit.host.config_values import flag
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question

_ONE_DATA_SET = "There is one data set with these classes only, and no other to transfer to. Name another data set."


class TransferInterpreter(ProbeInterpreter):
    """Is what is decodable on one data set decodable with the same probes on another? A table for every layer."""

    keys = {"cancel": flag()}

    def waits_for(self, question: Question) -> dict[str, Any] | None:
        """While a data set with these classes is still being probed. One whose probes failed is left out."""
        statuses = (study.status() for study in question.probes.comparable_studies)
        return next((status for status in statuses if status and status["status"] == "computing"), None)

    def answer(self, question: Question) -> dict[str, Any]:
        """The scores of all pairs of the encoder's data sets with the model's classes.

        Returns:
          What ``transfer`` gives, or ``available`` False and a ``reason`` where there is one data set only.
        """
        pending = question.probes.comparable_studies
        failures = [status["message"] for study in pending if (status := study.status())]
        studies = [study.result() for study in pending if study.status() is None]
        if len(studies) < 2:
            return {"available": False, "reason": _ONE_DATA_SET, "layers": [], "notes": failures}
        answer = question.ask(
            tuple(study.fingerprint for study in studies),
            "Transfer between the data sets",
            lambda progress: transfer(studies).to_json(),
            of=question.probes.encoder.name,
            quick=True,
        )
        return {**answer, "notes": [*answer["notes"], *failures]}
