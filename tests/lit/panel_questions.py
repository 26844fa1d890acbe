"""What the panels about checks, words, neurons and edits ask, and what they get in the end."""

from __future__ import annotations

import json
import time
from typing import Any

from lit_nlp.api.dataset import IndexedDataset
from lit_nlp.lib import serialize

from lit_probe.lit.interpreters import INTERPRETERS

METHOD, RANKING, ABLATED = "input_x_gradient", {"method": "l2", "layer": 1}, {"layer": 1, "units": [0, 1], "n_random": 3}
# What the panels about words, neurons and edits ask: the interpreter, how many texts come along (one and its edit), the question.
ASKED: dict[str, tuple[str, int, dict[str, Any]]] = {
    "layer_predictions": ("layer_predictions", 1, {}),
    "salience_methods": ("salience_methods", 0, {}),
    "salience_map": ("salience_map", 1, {"method": METHOD}),
    "salience_baselines": ("salience_baselines", 1, {"method": "occlusion"}),
    "faithfulness": ("salience_checks", 0, {"check": "faithfulness", "sample": 4, "methods": [METHOD]}),
    "stability": ("salience_checks", 0, {"check": "stability", "sample": 2, "methods": [METHOD]}),
    "salient_words": ("salience_checks", 0, {"check": "words", "sample": 20, "method": METHOD}),
    "neuron_choices": ("neuron_ranking", 0, {"choices": True}),
    "neuron_ranking": ("neuron_ranking", 0, {**RANKING, "top": 2, "stability": True}),
    "neuron_distribution": ("neuron_evidence", 0, {"part": "distribution", "layer": 1, "unit": 0}),
    "neuron_column": ("neuron_evidence", 2, {"part": "column", "layer": 1, "unit": 0}),
    "neuron_words": ("neuron_evidence", 0, {"part": "words", "layer": 1, "unit": 0, "top": 2}),
    "neuron_tokens": ("neuron_evidence", 2, {"part": "tokens", "layer": 1, "units": [0, 1]}),
    "neuron_clusters": ("neuron_evidence", 0, {"part": "clusters", **RANKING, "unit": 0}),
    "neuron_factors": ("neuron_evidence", 1, {"part": "factors", "first": 1, "components": 2}),
    "ablated_texts": ("neuron_ablation", 1, {"part": "text", **ABLATED}),
    "ablation_curve": ("neuron_ablation", 0, {"part": "curve", **ABLATED, "sample": 4}),
    "erasure": ("neuron_ablation", 0, {"part": "erasure"}),
    "neuron_evaluation": ("neuron_ablation", 0, {"part": "evaluation", **RANKING, "evaluator": "logistic"}),
    "minimal_set": ("neuron_ablation", 0, {"part": "minimal_set", **RANKING, "evaluator": "logistic"}),
    "neuron_comparison": ("neuron_ablation", 0, {"part": "comparison", "layer": 1}),
    "counterfactual_by_layer": ("counterfactual_by_layer", 2, {"part": "trajectory"}),
    "edit_salience": ("counterfactual_by_layer", 2, {"part": "salience", "layer": "1"}),
    "edit_neurons": ("counterfactual_by_layer", 2, {"part": "neurons", "layer": "1"}),
    "counterfactual_pairs": ("counterfactual_pairs", 2, {"source": "sent"}),
    "attention_heads": ("attention", 2, {"part": "heads"}),
    "attention_head": ("attention", 2, {"part": "head", "block": 2, "head": 1}),
    "attention_units": ("attention", 1, {"part": "units", "block": 2, "head": 1, "token": 1}),
    "projections": ("projections", 2, {}),
}
CHECKS = ("layer_comparison", "selectivity", "description_length", "learning_curve", "calibration", "agreement", "repeats")


def answer_of(model: Any, interpreter: str, inputs: Any = (), **config: Any) -> Any:
    """What the panel gets in the end."""
    deadline = time.monotonic() + 60
    dataset = IndexedDataset(base=model.dataset)
    while True:
        answer = INTERPRETERS[interpreter].run(list(inputs), model, dataset, config=config)
        if answer["status"] != "computing":
            return json.loads(json.dumps(serialize.from_json(serialize.to_json(answer, simple=True, allow_nan=False))))
        assert time.monotonic() < deadline, answer
        time.sleep(0.02)
