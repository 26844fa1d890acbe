import pytest
from lit_nlp.api.dataset import Dataset, IndexedDataset
from lit_nlp.components.pca import PCAModel
from lit_nlp.lib import caching
from sklearn.metrics import roc_curve
from tiny_probing import edited

from lit_probe.errors import LitProbeError
from lit_probe.lit.host.stock_interpreters import STOCK_INTERPRETERS

curves, neighbours = (STOCK_INTERPRETERS[name] for name in ("curves", "nearest neighbors"))
NO_CURVES = {"roc_data": [], "pr_data": []}


def rows_of(dataset, *splits):
    return [example for example in dataset.examples if example["probe_split"] in splits]


def draw(model, dataset, inputs, field="probe_layer_01", label="positive"):
    config = {"Label": label, "Prediction field": field}
    answer = curves.run(inputs, model, dataset, model_outputs=model.predict(inputs), config=config)
    assert answer == curves.run(inputs, model, dataset, config=config), "the curves predict by themselves when LIT has not"
    return answer


# ---- curves


def test_the_curves_leave_out_train_and_edited_rows(model, dataset):
    dev = rows_of(dataset, "dev")
    edits = [edited(row, text="an edit of a dev row", label="negative") for row in dev[:5]]
    assert draw(model, dataset, [*edits, *dataset.examples]) == draw(model, dataset, dev)
    assert draw(model, dataset, rows_of(dataset, "train", "test")) == draw(model, dataset, rows_of(dataset, "test"))
    assert draw(model, dataset, [*rows_of(dataset, "train"), *edits]) == NO_CURVES


def test_the_curve_of_held_out_rows_is_the_one_drawn_by_hand(model, dataset):
    rows = rows_of(dataset, "dev")
    scores = [prediction["probe_layer_01"][1] for prediction in model.predict(rows)]
    x, y, _ = roc_curve([row["label"] == "positive" for row in rows], scores)
    drawn = draw(model, dataset, rows)["roc_data"]
    assert sorted(map(tuple, drawn)) == sorted(zip(x, y, strict=True)) and len(drawn) > 3


def test_rows_seen_in_training_are_left_out(models):
    model, other = models
    foreign = IndexedDataset(base=other.dataset)
    trained_on = set(model.dataset.splits.train.texts)
    test = rows_of(foreign, "test")
    unseen = [row for row in test if row["text"] not in trained_on]
    assert draw(model, foreign, test) == draw(model, foreign, unseen)


def test_rows_of_one_class_have_no_curves_and_no_warning(model, dataset, recwarn):
    rows = [row for row in rows_of(dataset, "dev") if row["label"] == "positive"]
    assert draw(model, dataset, rows) == draw(model, dataset, []) == NO_CURVES
    assert not list(recwarn)


def test_the_dev_chosen_layer_is_drawn_when_no_field_is_named(model, dataset):
    rows = rows_of(dataset, "dev")
    assert curves.run(rows, model, dataset, config={"Label": "negative"}) == draw(model, dataset, rows, "probe", "negative")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "'Label' must be named in the configuration. Choose one of: negative, positive."),
        ({}, "'Label' must be named"),
        ({"Label": "neutral"}, "Unknown Label 'neutral'. Choose one of: negative, positive."),
        ({"Label": ["positive"]}, "'Label' must be named"),
        ({"Label": "positive", "Prediction field": "zzz"}, "Unknown Prediction field 'zzz'. Choose one of: probe, "),
        ({"Label": "positive", "Prediction field": "layer_00"}, "Unknown Prediction field 'layer_00'"),
        ({"Label": "positive", "Prediction field": "probe_color_by"}, "Unknown Prediction field 'probe_color_by'"),
    ],
)
def test_curves_of_what_is_not_there_are_refused_with_the_choices(model, dataset, config, said):
    with pytest.raises(LitProbeError) as caught:
        curves.run(dataset.examples, model, dataset, config=config)
    assert str(caught.value).startswith(said)


def test_curves_offer_themselves_for_our_models_on_labelled_rows_only(model, dataset):
    assert curves.is_compatible(caching.CachingModelWrapper(model, "m"), dataset)
    assert not curves.is_compatible(model, Dataset(spec={}, examples=[]))
    assert not curves.is_compatible(PCAModel(n_components=2), dataset)


# ---- nearest neighbours


def test_the_nearest_neighbour_of_a_row_is_the_row_itself(model, dataset):
    config = {"embedding_name": "layer_02", "num_neighbors": 3, "use_input": False, "dataset_name": "tiny"}
    ((answer),) = neighbours.run(dataset.examples[4:5], model, dataset, config=config)
    found = answer["nearest_neighbors"]
    assert len(found) == 3 and found[0]["id"] == dataset.examples[4]["_id"] and found[0]["nn_distance"] == 0


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "'embedding_name' must be named in the configuration. Choose one of: chosen_layer, layer_00, "),
        ({}, "'embedding_name' must be named"),
        ({"embedding_name": "probe"}, "Unknown embedding_name 'probe'. Choose one of: chosen_layer, layer_00, "),
        ({"embedding_name": "layer_00", "num_neighbors": "many"}, "'num_neighbors' must be a whole number from 1 to "),
        ({"embedding_name": "layer_00", "num_neighbors": 0}, "'num_neighbors' must be a whole number"),
        ({"embedding_name": "layer_00", "num_neighbors": 2.5}, "'num_neighbors' must be a whole number"),
        ({"embedding_name": "layer_00", "num_neighbors": None}, "'num_neighbors' must be a whole number"),
        ({"embedding_name": "layer_00", "num_neighbors": 10**9}, "'num_neighbors' must be a whole number"),
    ],
)
def test_neighbours_at_what_is_no_layer_are_refused_with_the_choices(model, dataset, config, said):
    with pytest.raises(LitProbeError) as caught:
        neighbours.run(dataset.examples[:1], model, dataset, config=config)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("n_examples", [0, 2])
def test_neighbours_are_found_for_one_example_only(model, dataset, n_examples):
    with pytest.raises(LitProbeError, match=f"one example at a time; {n_examples} were sent"):
        neighbours.run(dataset.examples[:n_examples], model, dataset, config={"embedding_name": "layer_00"})


# ---- salience


def test_lits_own_salience_methods_give_way_to_ours():
    assert set(STOCK_INTERPRETERS) == {"nearest neighbors", "pca", "curves", "umap"}
