"""The probe that docs/add-a-probe.md builds is a real one, and obeys the laws."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from page_code import blocks_of
from planted import planted
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import StandardScaler

from lit_probe.probing.probes import PROBES, ProbeKind

LAWS = runpy.run_path(str(Path(__file__).parent / "test_probe_laws.py"))


@pytest.fixture
def fit():
    (code,) = blocks_of("add-a-probe.md")
    names: dict = {}
    exec(code, names)
    return names["fit_centroid"]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_probe_in_the_documentation_predicts_the_nearest_class_mean(fit, n_classes):
    data = planted(n_classes)
    probe = fit(data.x, data.labels, n_classes)
    scaler = StandardScaler().fit(data.x)
    expected = NearestCentroid().fit(scaler.transform(data.x), data.labels).predict(scaler.transform(data.test_x))
    assert np.mean(probe.predict(data.test_x) == expected) > 0.995


@pytest.mark.parametrize(
    ("law", "arguments"),
    [
        ("test_a_planted_direction_is_found", (3,)),
        ("test_permuted_labels_give_chance", ()),
        ("test_rows_that_are_not_fitted_on_leave_the_probe_bit_identical", ()),
        ("test_a_row_that_is_fitted_on_changes_the_probe", ()),
        ("test_scaling_a_layer_by_a_thousand_moves_accuracy_by_less_than_a_tenth_of_a_point", ()),
        ("test_features_that_never_vary_give_the_class_frequencies", ()),
        ("test_float32_and_float64_activations_give_the_same_probe", ()),
        ("test_a_class_with_one_example_is_refused_by_name", ()),
    ],
)
def test_the_probe_in_the_documentation_obeys_the_laws(fit, law, arguments, monkeypatch):
    monkeypatch.setitem(PROBES, "centroid", ProbeKind(fit))
    LAWS[law]("centroid", *arguments)
