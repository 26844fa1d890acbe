"""Which slices differ from all examples, and whether they still do where it is counted how many were looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lit_probe.checks.slices import compare_slices
from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.encoder.cache import text_hash
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.config_values import Key, any_text, flag, maybe, one_layer
from lit_probe.lit.host.row_selection import select_rows
from lit_probe.lit.interpreters.layer_metrics import DECISION, HEADLINE, decision_of
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.progress import Progress
from lit_probe.registry import lookup
from lit_probe.scores.by_target import metrics_of, rows_of_target


def _slices(value: Any, name: str) -> tuple[tuple[int, ...], ...]:
    match value:
        case [*slices] if all(isinstance(one, Sequence) and all(type(place) is int for place in one) for one in slices):
            return tuple(map(tuple, slices))
    raise LitProbeError(f"{name!r} lists for each slice the places of its examples among those sent, as in [[0, 2], [1]].")


class SliceComparisonInterpreter(ProbeInterpreter):
    """Which slices differ from all examples that are sent, at one layer?

    Dev rows are compared or, where there are none, test rows, as in LIT's metrics table. An encoder without such a layer, and one
    where none is named, is compared at the layer that was chosen on dev.
    """

    # ``slices``: for each slice the places of its examples among those that are sent.
    keys = {
        "metric": any_text(HEADLINE),
        "decision": DECISION,
        "layer": maybe(one_layer()),
        "slices": Key(_slices),
        "cancel": flag(),
    }
    reads_texts = True
    waits_for_rows = True
    targets = (CLASSES, NUMBER)

    def check(self, question: Question) -> None:
        """Refuses a metric that there is not for these classes, and examples that were not sent."""
        if question["metric"] != HEADLINE:
            lookup(metrics_of(question.probes.label_names), question["metric"], "metric")
        places = {place for one in question["slices"] for place in one}
        n = len(question.texts)
        if places and not (min(places) >= 0 and max(places) < n):
            raise LitProbeError(f"'slices' may name the places 0 to {n - 1} of the examples sent.")

    def answer(self, question: Question) -> dict[str, Any]:
        """What `compare_slices` gives, with ``layer`` and ``split``; the notes say what rows are put in, too."""
        probes, study, wanted = question.probes, question.study, question["layer"]
        layer = study.best_layer if wanted is None or wanted >= study.layerwise.n_layers else wanted
        by_split = select_rows(question.inputs, probes, question.shown).by_split
        if not by_split:
            raise LitProbeError("There are no dev or test rows among these examples.")
        split, rows = next(iter(by_split.items()))  # dev stands first
        metric = metrics_of(probes.label_names)[study.headline if question["metric"] == HEADLINE else question["metric"]]
        decision = decision_of(question)

        def compute(progress: Progress) -> dict[str, Any]:
            said = probes.predictions(probes.pooled(rows.texts))[:, [layer]]
            scored = rows_of_target(said, rows.labels, rows.groups, study.seed, probes.label_names, decision)
            members = np.array([np.isin(rows.indices, one) for one in question["slices"]]).reshape(-1, len(rows))
            found = compare_slices(scored, members, metric, progress=progress)
            decided = (decision.sentence,) if found.notes and metric.decides else ()
            return replace(found, notes=(*found.notes, *decided)).to_json()

        key = (metric.name, decision.rule, layer, split, question["slices"], text_hash(rows.texts))
        return {**question.ask(key, "Comparison of slices", compute, quick=True), "layer": layer, "split": split}
