import pytest
from lit_nlp.api import types
from lit_nlp.api.dataset import Dataset, IndexedDataset
from lit_nlp.components.pca import PCAModel
from lit_nlp.lib import caching, serialize
from tiny_probing import computed, edited, models_of, tiny_splits, with_foreign_rows

from lit_probe.encoder.encoder import load_encoder
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.metrics import LIT_METRICS
from lit_probe.lit.interpreters import INTERPRETERS

metric, of_numbers = LIT_METRICS.values()


def run(model, dataset, inputs):
    answer = metric.run(inputs, model, dataset, model_outputs=model.predict(inputs))
    return serialize.from_json(serialize.to_json(answer, simple=True, allow_nan=False))


def scores(answer):
    return {entry["pred_key"]: entry["metrics"] for entry in answer}


def rows_of(dataset, *splits):
    return [example for example in dataset.examples if example["probe_split"] in splits]


@pytest.mark.parametrize("split", ["dev", "test"])
def test_the_table_agrees_with_the_curve_to_the_last_digit(model, dataset, split):
    rows = rows_of(dataset, split)[3:35]
    table = scores(run(model, dataset, rows[::-1]))
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "mcc", "auroc", "log_loss"):
        answer = INTERPRETERS["layer_metrics"].run(rows, model, dataset, config={"metric": name})
        for layer in answer["series"][0]["layers"]:
            assert table[f"probe_layer_{layer['layer']:02d}"][name] == layer["score"]
        best = answer["series"][0]["layers"][answer["best_layer"]]
        assert table["probe"][name] == best["score"]


def test_train_and_edited_rows_are_left_out(model, dataset):
    dev = rows_of(dataset, "dev")
    edits = [edited(row, text="an edit of a dev row", label="negative") for row in dev[:2]]
    assert run(model, dataset, [*edits, *dataset.examples]) == run(model, dataset, dev)
    assert scores(run(model, dataset, dataset.examples))["probe"]["n"] == len(dev)


def test_test_rows_are_scored_only_where_no_dev_row_was_asked_for(model, dataset):
    test = rows_of(dataset, "test")
    assert scores(run(model, dataset, [*rows_of(dataset, "train"), *test]))["probe"]["n"] == len(test)
    assert scores(run(model, dataset, [*test, *rows_of(dataset, "dev")[:1]]))["probe"]["n"] == 1


def test_how_many_rows_were_scored_stands_first(model, dataset):
    assert next(iter(metric.meta_spec())) == "n" == next(iter(scores(run(model, dataset, dataset.examples))["probe"]))


def test_rows_seen_in_training_are_left_out(model):
    new = ["snow fell all night", "who owns this bicycle", "blue", "seven"]
    again, foreign = with_foreign_rows(model, [*model.dataset.splits.train.texts[:3], *new])
    assert scores(run(again, foreign, rows_of(foreign, "dev")))["probe"]["n"] == len(new) - 2


@pytest.mark.parametrize("position", [0, 10, -1])
@pytest.mark.parametrize("label", [None, "", "neutral", 1])
def test_missing_and_unknown_labels_are_survived_wherever_they_stand(model, dataset, position, label):
    rows = [dict(row) for row in rows_of(dataset, "dev")]
    rows[position]["label"] = label
    if label is None:
        del rows[position]["label"]
    rest = [row for i, row in enumerate(rows) if i != position % len(rows)]
    assert run(model, dataset, rows) == run(model, dataset, rest)


def test_a_selection_without_any_held_out_row_has_no_scores(model, dataset):
    for rows in (rows_of(dataset, "train"), [edited(dataset.examples[0])]):
        for entry in run(model, dataset, rows):
            assert entry["metrics"]["n"] == 0
            assert {value for name, value in entry["metrics"].items() if name != "n"} == {None}


def test_one_row_has_an_accuracy_and_no_auroc(model, dataset):
    entry = scores(run(model, dataset, dataset.examples[:1]))["probe"]
    assert entry["n"] == 1 and entry["accuracy"] in (0.0, 1.0) and entry["auroc"] is None


def test_every_head_that_speaks_of_the_label_has_a_row_and_no_other(model, dataset):
    found = scores(run(model, dataset, dataset.examples[:5]))
    assert list(found) == ["probe", *(f"probe_layer_{layer:02d}" for layer in range(4))]


def test_a_checkpoints_own_head_is_scored_when_it_speaks_of_the_same_classes(tiny_folder):
    encoder = load_encoder(str(tiny_folder(n_classes=2)))
    (model,) = models_of([computed(encoder, tiny_splits(label_names=("class 0", "class 1")))])
    dataset = IndexedDataset(base=model.dataset)
    dev = rows_of(dataset, "dev")
    own = [("class 0", "class 1")[prediction["model"].argmax()] for prediction in model.predict(dev)]
    expected = sum(answer == row["label"] for answer, row in zip(own, dev, strict=True)) / len(dev)
    assert scores(run(model, dataset, dev))["model"]["accuracy"] == expected


def test_its_columns_are_those_it_computes(model, dataset):
    spec = metric.meta_spec()
    assert all(isinstance(column, types.MetricResult) for column in spec.values())
    assert set(scores(run(model, dataset, dataset.examples[:5]))["probe"]) == set(spec)
    assert spec["log_loss"].best_value is types.MetricBestValue.LOWEST
    assert spec["accuracy"].best_value is types.MetricBestValue.HIGHEST


def test_it_predicts_by_itself_when_lit_has_not(model, dataset):
    rows = dataset.examples[:20]
    assert metric.run(rows, model, dataset) == metric.run(rows, model, dataset, model_outputs=model.predict(rows))


def test_margins_of_lits_panels_do_not_move_the_scores(model, dataset):
    rows = dataset.examples[:20]
    config = {"probe": {"": {"margin": 3, "facetData": {"facets": {}}}}}
    assert metric.run(rows, model, dataset, config=config) == metric.run(rows, model, dataset)


def test_it_offers_itself_for_our_models_on_labelled_rows_only(model, dataset):
    assert metric.is_compatible(caching.CachingModelWrapper(model, "m"), dataset)
    assert metric.is_compatible(model, ProbeDataset(tiny_splits()))
    assert not metric.is_compatible(model, Dataset(spec={"text": types.TextSegment()}, examples=[]))
    assert not metric.is_compatible(PCAModel(n_components=2), dataset)
