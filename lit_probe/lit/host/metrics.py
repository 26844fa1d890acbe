"""Scores for LIT's metrics table, from the same functions and the same rows as the layer curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from lit_nlp.api import components, types
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model

from lit_probe.data.asked import CLASSES, NUMBER, TargetKind
from lit_probe.lit.host.dataset import probe_dataset
from lit_probe.lit.host.fields import HEAD, LABEL
from lit_probe.lit.host.model import is_probe_model, probe_model
from lit_probe.lit.host.row_selection import select_rows
from lit_probe.scores.by_target import ALL_METRICS, rows_of_target
from lit_probe.scores.decision import ARGMAX

_OF_CLASSES = {
    "accuracy": "Share of rows whose label the probe names.",
    "balanced_accuracy": "Mean over classes of the share of their rows that the probe names.",
    "macro_f1": "Mean over classes of the harmonic mean of precision and recall.",
    "mcc": "Matthews correlation of labels and answers: 0 is chance, 1 is perfect.",
    "auroc": "Area under the ROC curve, the mean of one against the rest for more than two classes: 0.5 is chance.",
    "log_loss": "Mean negative log of the probability given to the label, in nats: lower is better.",
}
_OF_NUMBERS = {
    "r2": "Share of the labels' variance that the probe explains: 0 is the mean of these rows, 1 is perfect.",
    "pearson": "Correlation of labels and answers: 0 is none, 1 is a straight line.",
    "spearman": "Correlation of the ranks of labels and answers: 1 is the same order.",
    "mae": "Mean distance of label and answer, in the unit of the label: lower is better.",
}
_N = "n"


class HeldOutMetrics(components.Metrics):
    """Scores on the dev rows among those asked for, or on their test rows where they hold no dev row.

    Test is there to be reported once, so it is never pooled with dev. Train and edited rows are left out.

    Args:
      target: what is asked of the rows that are scored.
    """

    def __init__(self, target: TargetKind):
        self._target = target
        self._descriptions, self._predicted, self._parent = _COLUMNS[target]

    def is_compatible(self, model: lit_model.Model, dataset: lit_dataset.Dataset) -> bool:
        """True for an encoder with layer probes on rows that have a label."""
        asks_it = is_probe_model(model) and probe_model(model).target == self._target
        return asks_it and super().is_compatible(model, dataset)

    def is_field_compatible(self, pred_spec: types.LitType, parent_spec: types.LitType | None) -> bool:
        """True for predictions whose parent is a label."""
        return isinstance(pred_spec, self._predicted) and isinstance(parent_spec, self._parent)

    def meta_spec(self) -> types.Spec:
        """The columns: how many rows were scored, and one per metric."""
        rows = types.MetricResult(
            description="Rows that were scored: labelled dev rows, or test rows where no dev row was asked for."
        )
        return {_N: rows} | {
            name: types.MetricResult(
                best_value=types.MetricBestValue.HIGHEST if ALL_METRICS[name].higher_is_better else types.MetricBestValue.LOWEST,
                description=f"{text} On dev rows, or on test rows where no dev row was asked for.",
            )
            for name, text in self._descriptions.items()
        }

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> list[dict[str, Any]]:
        """One entry per field of predictions: its scores, None where they are not defined on these rows.

        Args:
          inputs: the rows of the data set, a slice, a facet or a selection.
          model: an encoder with layer probes.
          dataset: the data set that the rows belong to.
          model_outputs: what the model predicts for them, if LIT has asked already.
          config: not used: the study's own rule decides the class, whatever the sliders of LIT's panels say.

        Returns:
          As said; nothing of probes that are asked for something else.
        """
        probes = probe_model(model)
        if probes.target != self._target:
            return []
        spec, dataset_spec = model.output_spec(), dataset.spec()
        fields = [
            name
            for name, field in spec.items()
            if self.is_field_compatible(field, dataset_spec.get(getattr(field, "parent", None)))
        ]
        outputs = list(model.predict(inputs)) if model_outputs is None else model_outputs
        selected = select_rows([probes.read(example) for example in inputs], probes, probe_dataset(dataset)).reported
        indices = selected.indices if selected else []
        labels = selected.labels if selected else probes.labels.values([])
        # The fields take the place of layers: what scores share is computed once for all of them.
        said = np.array([[np.atleast_1d(outputs[index][name]) for name in fields] for index in indices], dtype=np.float64)
        by_field = said.reshape(len(indices), len(fields), len(probes.label_names) or 1)
        # The checkpoint's own head answers with its most probable class.
        by_rule = {
            rule: rows_of_target(by_field, labels, label_names=probes.label_names, decision=rule)
            for rule in (probes.study.decision, ARGMAX)
        }
        by_metric = {rule: {name: ALL_METRICS[name].score(rows) for name in self._descriptions} for rule, rows in by_rule.items()}
        return [
            {
                "pred_key": field,
                "label_key": LABEL,
                "metrics": {_N: len(indices)}
                | {
                    name: scores[position].value
                    for name, scores in by_metric[ARGMAX if field == HEAD else probes.study.decision].items()
                },
            }
            for position, field in enumerate(fields)
        ]


# Of each target: its metrics, and the types of predictions and of labels.
_COLUMNS: dict[TargetKind, tuple[dict[str, str], type[types.LitType], type[types.LitType]]] = {
    CLASSES: (_OF_CLASSES, types.MulticlassPreds, types.CategoryLabel),
    NUMBER: (_OF_NUMBERS, types.RegressionScore, types.Scalar),
}

LIT_METRICS: dict[str, components.Metrics] = {
    "held out": HeldOutMetrics(CLASSES),
    "numbers": HeldOutMetrics(NUMBER),
}
