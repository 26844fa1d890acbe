"""A rare class in LIT: its own panels decide as ours do, by the study's rule."""

from __future__ import annotations

import numpy as np
from lit_nlp.api.dataset import IndexedDataset
from lit_nlp.lib import caching
from tiny_probing import LABELS, computed, models_of, tiny_splits

from lit_probe.data.asked import CLASSES
from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.encoder.encoder import load_encoder
from lit_probe.lit.host import fields
from lit_probe.lit.host.metrics import HeldOutMetrics
from lit_probe.lit.interpreters import INTERPRETERS


def rare_splits() -> Splits:
    """One positive text in five, told by a word that half of the negative ones have too."""
    splits = tiny_splits()
    random = np.random.default_rng(0)

    def rare(rows: LabelledTexts) -> LabelledTexts:
        kept = (rows.labels == 0) | (random.random(len(rows)) < 0.25)
        return rows.select(np.flatnonzero(kept))

    return Splits("rare", rare(splits.train), rare(splits.dev), rare(splits.test))


def test_lits_threshold_and_metrics_are_those_of_the_study(tiny_folder):
    study = computed(load_encoder(str(tiny_folder())), rare_splits())
    (model,) = models_of([study])
    decision = study.result().decision
    assert decision.rule == "prior" and study.decision == decision
    spec = model.output_spec()[fields.PROBE]
    assert (spec.null_idx, spec.threshold) == (0, decision.shares[1])
    dataset = IndexedDataset(base=model.dataset)
    rows = [row for row in dataset.examples if row[fields.SPLIT] == "dev"]
    classes = decision.classes([one[fields.PROBE] for one in model.predict(rows)])
    # LIT's own rule: the second class from the threshold on.
    by_threshold = [int(one[fields.PROBE][1] >= spec.threshold) for one in model.predict(rows)]
    assert classes.tolist() == by_threshold
    right = np.array([model.label_names[c] == row[fields.LABEL] for c, row in zip(classes, rows, strict=True)])
    labels = np.array([row[fields.LABEL] for row in rows])
    by_class = [right[labels == name].mean() for name in model.label_names]
    found = HeldOutMetrics(CLASSES).run(rows, caching.CachingModelWrapper(model, "rare"), dataset)
    [table] = [one["metrics"] for one in found if one["pred_key"] == fields.PROBE]
    assert table["balanced_accuracy"] == np.mean(by_class)


def test_the_checkpoints_own_head_answers_with_its_most_probable_class(tiny_folder):
    encoder = load_encoder(str(tiny_folder(n_classes=2)))
    encoder.head_label_names = LABELS
    (model,) = models_of([computed(encoder, rare_splits())])
    dataset = IndexedDataset(base=model.dataset)
    rows = [row for row in dataset.examples if row[fields.SPLIT] == "dev"]
    found = {one["pred_key"]: one["metrics"] for one in HeldOutMetrics(CLASSES).run(rows, model, dataset)}
    answers = [int(one[fields.HEAD].argmax()) for one in model.predict(rows)]
    right = [model.head_label_names[c] == row[fields.LABEL] for c, row in zip(answers, rows, strict=True)]
    assert found[fields.HEAD]["accuracy"] == np.mean(right)
    spec = model.output_spec()
    assert spec[fields.HEAD].threshold is None
    assert spec[fields.COLOR_BY].threshold == spec[fields.PROBE].threshold


def test_the_curve_by_the_most_probable_class_is_one_question_away(tiny_folder):
    (model,) = models_of([computed(load_encoder(str(tiny_folder())), rare_splits())])
    dataset = IndexedDataset(base=model.dataset)

    def answer(**config):
        return INTERPRETERS["layer_metrics"].run([], model, dataset, config={"whole": True, **config})

    own, plain = answer(), answer(decision="argmax")
    assert own["metric"] == "balanced_accuracy" and own["decision"]["rule"] == "prior" and "share of train" in own["decided_by"]
    assert (plain["decision"]["rule"], plain["decision_of_study"]) == ("argmax", "prior")
    assert [row["score"] for row in own["series"][0]["layers"]] != [row["score"] for row in plain["series"][0]["layers"]]
    assert answer(metric="auroc")["decision"] is None and answer(metric="auroc")["decided_by"] == ""
    assert own["choice"]["layer"] == own["best_layer"] and own["choice"]["sentence"]
