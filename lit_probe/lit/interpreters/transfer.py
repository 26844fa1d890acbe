"""How far the probes of each data set read the same classes off the texts of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types

from lit_probe.checks.transfer import transfer
from lit_probe.lit.host.model import probe_model
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter

_ONE_DATA_SET = "There is one data set with these classes only, and no other to transfer to. Name another data set."


class TransferInterpreter(ProbeInterpreter):
    """Is what is decodable on one data set decodable with the same probes on another? A table for every layer."""

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> dict[str, Any]:
        """The scores of all pairs of the encoder's data sets with the model's classes, or why there are none yet.

        Args:
          inputs: not used.
          model: an encoder with layer probes.
          dataset: not used.
          model_outputs: not used.
          config: not used.

        Returns:
          ``status``: ``ready`` with what ``transfer`` gives, or with ``available`` False and a ``reason``
          where there is one data set only; ``computing`` with ``message`` and ``fraction``, also while a data set of these
          classes is still being probed; ``failed`` with ``message``.
        """
        probes = probe_model(model)
        statuses = [study.status() for study in probes.comparable_studies]
        for status in statuses:
            if status and status["status"] == "computing":
                return status
        studies = [study.result() for study, status in zip(probes.comparable_studies, statuses, strict=True) if status is None]
        failures = [status["message"] for status in statuses if status]
        if len(studies) < 2:
            return {"status": "ready", "available": False, "reason": _ONE_DATA_SET, "layers": [], "notes": failures}
        key = ("transfer", *(study.fingerprint for study in studies))
        title = f"Transfer between the data sets of {probes.encoder.name}"
        answer = probes.checks.ask(key, title, lambda progress: transfer(studies).to_json(), quick=True)
        return {**answer, "notes": [*answer["notes"], *failures]} if answer["status"] == "ready" else answer
