"""What our panels ask the server, one file per question."""

from __future__ import annotations

from lit_nlp.api import components

from lit_probe.lit.interpreters.layer_metrics import LayerMetricsInterpreter
from lit_probe.lit.interpreters.layer_predictions import LayerPredictionsInterpreter
from lit_probe.lit.interpreters.probe_checks import ProbeChecksInterpreter
from lit_probe.lit.interpreters.provenance import ProvenanceInterpreter
from lit_probe.lit.interpreters.transfer import TransferInterpreter

INTERPRETERS: dict[str, components.Interpreter] = {
    "layer_metrics": LayerMetricsInterpreter(),
    "layer_predictions": LayerPredictionsInterpreter(),
    "probe_checks": ProbeChecksInterpreter(),
    "transfer": TransferInterpreter(),
    "provenance": ProvenanceInterpreter(),
}
