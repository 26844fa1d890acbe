"""What our panels ask the server, one file per question; the rows of LIT's salience panel stand in ``salience``.

``lit_probe.lit.interpreters(…)`` makes them for a LIT server of anybody: see `interpreters_for`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from lit_nlp.api import components
from lit_nlp.api import model as lit_model
from lit_nlp.components import core

from lit_probe.data.seeds import checked_seed
from lit_probe.lit.host.foreign import ForeignModels
from lit_probe.lit.host.model import ProbeModel, is_probe_model, probe_model
from lit_probe.lit.host.reader import FieldNames
from lit_probe.lit.interpreters.attention import AttentionInterpreter
from lit_probe.lit.interpreters.computations import ComputationsInterpreter
from lit_probe.lit.interpreters.concept_map import ConceptMapInterpreter
from lit_probe.lit.interpreters.counterfactual_by_layer import CounterfactualByLayerInterpreter
from lit_probe.lit.interpreters.counterfactual_pairs import CounterfactualPairsInterpreter
from lit_probe.lit.interpreters.encoder_comparison import EncoderComparisonInterpreter
from lit_probe.lit.interpreters.kept_probes import KeptProbeInterpreter, ProbeFileInterpreter
from lit_probe.lit.interpreters.layer_metrics import LayerMetricsInterpreter
from lit_probe.lit.interpreters.layer_predictions import LayerPredictionsInterpreter
from lit_probe.lit.interpreters.layer_similarity import LayerSimilarityInterpreter
from lit_probe.lit.interpreters.lens import LensInterpreter
from lit_probe.lit.interpreters.neuron_ablation import NeuronAblationInterpreter
from lit_probe.lit.interpreters.neuron_evidence import NeuronEvidenceInterpreter
from lit_probe.lit.interpreters.neuron_ranking import NeuronRankingInterpreter
from lit_probe.lit.interpreters.probe_checks import ProbeChecksInterpreter
from lit_probe.lit.interpreters.projections import ProjectionsInterpreter
from lit_probe.lit.interpreters.provenance import ProvenanceInterpreter
from lit_probe.lit.interpreters.report import ReportInterpreter
from lit_probe.lit.interpreters.row_splits import RowSplitsInterpreter
from lit_probe.lit.interpreters.salience import salience_rows
from lit_probe.lit.interpreters.salience_baselines import SalienceBaselinesInterpreter
from lit_probe.lit.interpreters.salience_checks import SalienceChecksInterpreter
from lit_probe.lit.interpreters.salience_map import SalienceMapInterpreter
from lit_probe.lit.interpreters.salience_methods import SalienceMethodsInterpreter
from lit_probe.lit.interpreters.slice_comparison import SliceComparisonInterpreter
from lit_probe.lit.interpreters.transfer import TransferInterpreter
from lit_probe.lit.interpreters.word_salience import WordSalienceInterpreter
from lit_probe.lit.interpreters.words_by_layer import WordsByLayerInterpreter
from lit_probe.probing.probes import PROBES, ProbeOptions
from lit_probe.probing.rules import StudyRules
from lit_probe.registry import lookup

INTERPRETERS: dict[str, components.Interpreter] = {
    "layer_metrics": LayerMetricsInterpreter(),
    "layer_predictions": LayerPredictionsInterpreter(),
    "words_by_layer": WordsByLayerInterpreter(),
    "word_salience": WordSalienceInterpreter(),
    "probe_checks": ProbeChecksInterpreter(),
    "concept_map": ConceptMapInterpreter(),
    "encoder_comparison": EncoderComparisonInterpreter(),
    "slice_comparison": SliceComparisonInterpreter(),
    "transfer": TransferInterpreter(),
    "layer_similarity": LayerSimilarityInterpreter(),
    "provenance": ProvenanceInterpreter(),
    "row_splits": RowSplitsInterpreter(),
    "report": ReportInterpreter(),
    "probe_file": ProbeFileInterpreter(),
    "kept_probe": KeptProbeInterpreter(),
    "salience_methods": SalienceMethodsInterpreter(),
    "salience_map": SalienceMapInterpreter(),
    "salience_baselines": SalienceBaselinesInterpreter(),
    "salience_checks": SalienceChecksInterpreter(),
    "neuron_ranking": NeuronRankingInterpreter(),
    "neuron_evidence": NeuronEvidenceInterpreter(),
    "neuron_ablation": NeuronAblationInterpreter(),
    "counterfactual_by_layer": CounterfactualByLayerInterpreter(),
    "counterfactual_pairs": CounterfactualPairsInterpreter(),
    "attention": AttentionInterpreter(),
    "projections": ProjectionsInterpreter(),
    "lens": LensInterpreter(),
    "computations": ComputationsInterpreter(),
}


def interpreters_for(
    models: Mapping[str, lit_model.Model] | None = None,
    *,
    text: str | Sequence[str] | None = None,
    label: str | None = None,
    group: str | None = None,
    split: str | None = None,
    embeddings: Sequence[str] | None = None,
    probe: str = "logistic",
    probe_options: ProbeOptions | None = None,
    seed: int = 0,
    rules: StudyRules | None = None,
) -> dict[str, components.Interpreter]:
    """Our interpreters for the ``interpreters`` of a LIT server: for models of ours, and for any other with vectors.

    Of a model that is not ours, the fields of type ``Embeddings`` are taken for layers: in the order of the numbers in their
    names, or else as its specification lists them. Probes are fitted when a panel first asks, on a split of the data set on the
    page. What reads tokens or gradients says that it cannot, in a sentence.

    Args:
      models: the server's models; those of ours get the rows of LIT's salience panel.
      text: as of `ProbeModel`.
      label: as of `ProbeModel`.
      group: as of `ProbeModel`.
      split: as of `ProbeModel`.
      embeddings: names of the fields that are layers, in their order; by default all.
      probe: the kind of probe.
      probe_options: how it is fitted, where not the usual way.
      seed: the seed of splits, cross-validation and probes.
      rules: how studies are scored, and how their layers are chosen; the usual way when None.

    Raises:
      UnknownNameError: there is no such kind of probe.
      UnservedError: it does not take an option.
    """
    seed = checked_seed(seed)
    (probe_options or ProbeOptions()).check_taken(probe, lookup(PROBES, probe, "probe").options)
    ours = [probe_model(model) for model in (models or {}).values() if is_probe_model(model)]
    foreign = ForeignModels(FieldNames(text, label, group, split, embeddings), probe, seed, rules, probe_options)
    return {**{name: type(one)(foreign) for name, one in INTERPRETERS.items()}, **_rows_beside_lits_own(ours)}


def _rows_beside_lits_own(models: Sequence[ProbeModel]) -> dict[str, components.Interpreter]:
    """The rows of LIT's salience panel for models of ours, under names that LIT's own rows do not have."""
    taken = core.default_interpreters({})
    rows = salience_rows(models) if models else {}
    return {f"{name} (lit_probe)" if name in taken else name: row for name, row in rows.items()}


class _Callable(ModuleType):
    """This folder is called as what a program asks it for, so it can be asked by that name."""

    def __call__(self, *args: Any, **options: Any) -> dict[str, components.Interpreter]:
        return interpreters_for(*args, **options)


sys.modules[__name__].__class__ = _Callable
