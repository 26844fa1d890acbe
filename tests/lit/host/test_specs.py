import numpy as np
import pytest
from lit_nlp.api import types
from lit_nlp.lib import serialize, utils

from lit_probe.lit.host import specs
from lit_probe.lit.host.labels import ClassLabels, NumberLabels

FIELDS = [f"layer_{layer:02d}" for layer in range(5)]
LABELS = ("negative", "positive")
LABEL, OPTIONAL = ClassLabels(LABELS).type(), ClassLabels(LABELS).type(required=False)


def class_fields(spec):
    return utils.find_spec_keys(spec, types.MulticlassPreds)


def all_specs():
    yield specs.dataset_spec(LABEL, {"rating": types.Scalar()})
    yield specs.model_input_spec(OPTIONAL)
    yield specs.model_output_spec(FIELDS, LABELS, ("A", "B", "C"), (0, 2, 4))
    yield specs.number_output_spec(FIELDS, NumberLabels(1.0, 5.0).type(), (0, 2, 4))


@pytest.mark.parametrize("spec", [*all_specs()])
def test_specs_use_lits_own_types_and_survive_json(spec):
    assert all(type(field).__module__ == types.__name__ for field in spec.values())
    assert serialize.from_json(serialize.to_json(spec)) == spec


def test_the_first_and_the_last_class_field_are_the_dev_chosen_probe():
    for head, layers in [(None, ()), (("A", "B"), ()), (None, (0, 2, 4)), (LABELS, (1, 3))]:
        found = class_fields(specs.model_output_spec(FIELDS, LABELS, head, layers))
        assert found[0] == "probe"
        assert found[-1] == ("probe" if len(found) == 1 else "probe_color_by")


def test_the_first_vectors_are_those_of_the_dev_chosen_layer():
    spec = specs.model_output_spec(FIELDS, LABELS, None, ())
    assert utils.find_spec_keys(spec, types.Embeddings) == ["chosen_layer", *(f"layer_0{layer}" for layer in range(5))]


def test_the_color_field_is_no_second_row_in_the_metrics_table():
    spec = specs.model_output_spec(FIELDS, LABELS, None, (0, 4))
    assert spec["probe"].parent == "label"
    assert spec["probe_color_by"].parent is None


def test_the_checkpoints_own_head_is_compared_with_the_label_only_when_it_speaks_of_the_same_classes():
    assert specs.model_output_spec(FIELDS, LABELS, LABELS, ())["model"].parent == "label"
    assert specs.model_output_spec(FIELDS, LABELS, ("positive", "negative"), ())["model"].parent is None
    assert specs.model_output_spec(FIELDS, LABELS, ("LABEL_0", "LABEL_1"), ())["model"].vocab == ["LABEL_0", "LABEL_1"]


def test_a_data_set_and_a_model_agree_on_the_label_exactly_when_the_classes_are_the_same():
    field = specs.dataset_spec(LABEL, {})["label"]
    assert field.is_compatible(specs.model_input_spec(OPTIONAL)["label"])
    assert not field.is_compatible(specs.model_input_spec(ClassLabels(("positive", "negative")).type(required=False))["label"])
    assert not field.is_compatible(specs.model_input_spec(ClassLabels((*LABELS, "neutral")).type(required=False))["label"])


@pytest.mark.parametrize("n_layers", [2, 4, 7, 13, 25, 49])
@pytest.mark.parametrize("n_shown", [1, 500, 1_000, 3_193, 5_000, 12_500, 25_000, 1_000_000])
def test_shown_layers_stay_within_what_a_browser_holds_and_keep_both_ends(n_layers, n_shown):
    layers = specs.shown_layers(n_layers, n_shown)
    assert len(layers) * n_shown <= specs.MAX_LAYER_PREDICTIONS
    assert list(layers) == sorted(set(layers))
    if layers:
        assert layers[0] == 0 and layers[-1] == n_layers - 1
    assert layers == tuple(range(n_layers)) or n_layers * n_shown > specs.MAX_LAYER_PREDICTIONS


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([True, False]), types.Boolean),
        (np.array([3, 1, 2]), types.Scalar),
        (np.array([0.5, 1.5]), types.Scalar),
        (np.array([0.5, np.nan, 0.5, np.nan]), types.CategoryLabel),
        (np.array(["plain", "irony", "plain", "irony"]), types.CategoryLabel),
        (np.array(["plain", None, "plain", None], dtype=object), types.CategoryLabel),
        (np.array([f"title {i}" for i in range(40)]), types.TextSegment),
        (np.array([str(i) for i in range(31)] * 4), types.TextSegment),
    ],
)
def test_a_column_gets_the_type_that_its_values_have(values, expected):
    assert type(specs.column_type(values)) is expected


def test_a_constant_or_empty_number_column_has_a_slider_that_lit_can_draw():
    for values in (np.array([2.0, 2.0]), np.array([], dtype=np.float64)):
        field = specs.column_type(values)
        assert field.step > 0 and field.min_val <= field.max_val


def test_the_vocabulary_of_a_column_holds_the_empty_string_for_missing_values():
    values = np.array(["a", None, "a", "b", "b", "a"], dtype=object)
    assert specs.column_type(values).vocab == ["", "a", "b"]
