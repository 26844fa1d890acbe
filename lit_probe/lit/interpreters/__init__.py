"""What our panels ask the server, one file per question; the rows of LIT's salience panel stand in ``salience``."""

from __future__ import annotations

from lit_nlp.api import components

from lit_probe.lit.interpreters.counterfactual_by_layer import CounterfactualByLayerInterpreter
from lit_probe.lit.interpreters.counterfactual_pairs import CounterfactualPairsInterpreter
from lit_probe.lit.interpreters.encoder_comparison import EncoderComparisonInterpreter
from lit_probe.lit.interpreters.layer_metrics import LayerMetricsInterpreter
from lit_probe.lit.interpreters.layer_predictions import LayerPredictionsInterpreter
from lit_probe.lit.interpreters.neuron_ablation import NeuronAblationInterpreter
from lit_probe.lit.interpreters.neuron_evidence import NeuronEvidenceInterpreter
from lit_probe.lit.interpreters.neuron_ranking import NeuronRankingInterpreter
from lit_probe.lit.interpreters.probe_checks import ProbeChecksInterpreter
from lit_probe.lit.interpreters.provenance import ProvenanceInterpreter
from lit_probe.lit.interpreters.report import ReportInterpreter
from lit_probe.lit.interpreters.salience_baselines import SalienceBaselinesInterpreter
from lit_probe.lit.interpreters.salience_checks import SalienceChecksInterpreter
from lit_probe.lit.interpreters.salience_map import SalienceMapInterpreter
from lit_probe.lit.interpreters.salience_methods import SalienceMethodsInterpreter
from lit_probe.lit.interpreters.slice_comparison import SliceComparisonInterpreter
from lit_probe.lit.interpreters.transfer import TransferInterpreter

INTERPRETERS: dict[str, components.Interpreter] = {
    "layer_metrics": LayerMetricsInterpreter(),
    "layer_predictions": LayerPredictionsInterpreter(),
    "probe_checks": ProbeChecksInterpreter(),
    "encoder_comparison": EncoderComparisonInterpreter(),
    "slice_comparison": SliceComparisonInterpreter(),
    "transfer": TransferInterpreter(),
    "provenance": ProvenanceInterpreter(),
    "report": ReportInterpreter(),
    "salience_methods": SalienceMethodsInterpreter(),
    "salience_map": SalienceMapInterpreter(),
    "salience_baselines": SalienceBaselinesInterpreter(),
    "salience_checks": SalienceChecksInterpreter(),
    "neuron_ranking": NeuronRankingInterpreter(),
    "neuron_evidence": NeuronEvidenceInterpreter(),
    "neuron_ablation": NeuronAblationInterpreter(),
    "counterfactual_by_layer": CounterfactualByLayerInterpreter(),
    "counterfactual_pairs": CounterfactualPairsInterpreter(),
}
