"""Correlation clusters are those of the published formula, written out with scipy; one neuron stands for each."""

import json

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from lit_probe.errors import LitProbeError
from lit_probe.neurons.meaning.neuron_clusters import MAX_UNITS, correlation_clusters


@pytest.fixture(scope="module")
def activations():
    """40 neurons made of 6 sources in various strengths and signs."""
    random = np.random.default_rng(0)
    sources = random.normal(size=(300, 6))
    mixed = sources[:, np.arange(40) % 6] * random.choice([-1, 1], size=40)
    return (mixed + random.normal(size=(300, 40)) * random.uniform(0.1, 2, size=40)).astype(np.float32)


def published(x, threshold):
    distance = 1 - np.abs(np.corrcoef(x.T))
    distance = (distance + distance.T) / 2
    np.fill_diagonal(distance, 0)
    return fcluster(linkage(squareform(distance), method="average"), threshold, criterion="distance")


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.3, 0.5, 0.7, 0.95, 1.0])
def test_the_clusters_are_those_of_the_published_formula(activations, threshold):
    ours, theirs = correlation_clusters(activations, threshold), published(activations.astype(float), threshold)
    assert ours.n_clusters == len(set(theirs))
    np.testing.assert_array_equal(ours.of_unit[:, None] == ours.of_unit, theirs[:, None] == theirs)


def test_clusters_differ_with_the_threshold(activations):
    assert [correlation_clusters(activations, t).n_clusters for t in (0.0, 1.0)] == [40, 1]
    assert 1 < correlation_clusters(activations).n_clusters < 40


def test_one_neuron_stands_for_each_cluster_and_the_largest_comes_first(activations):
    clusters = correlation_clusters(activations, 0.5)
    sizes = [len(clusters.members(c)) for c in range(clusters.n_clusters)]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == 40
    np.testing.assert_array_equal(clusters.of_unit[clusters.independent], np.arange(clusters.n_clusters))
    strength = np.abs(np.corrcoef(activations.T.astype(float)))
    for c in range(clusters.n_clusters):
        units = clusters.members(c)
        inside = strength[np.ix_(units, units)]
        assert clusters.independent[c] == units[inside.sum(axis=1).argmax()] or len(units) == 2
        others = inside[~np.eye(len(units), dtype=bool)]
        assert clusters.cohesion[c] == pytest.approx(others.mean() if len(units) > 1 else 1.0)
    answer = clusters.to_json()
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert sorted(unit for cluster in answer["clusters"] for unit in cluster["units"]) == list(range(40))


def test_the_first_of_a_ranking_stands_for_its_cluster(activations):
    order = np.random.default_rng(1).permutation(40)
    clusters = correlation_clusters(activations, 0.5, order=order)
    for c in range(clusters.n_clusters):
        assert clusters.independent[c] == next(unit for unit in order if clusters.of_unit[unit] == c)


def test_the_order_and_scale_of_rows_and_neurons_change_no_cluster(activations):
    plain = correlation_clusters(activations, 0.5)
    random = np.random.default_rng(2)
    scaled = activations[random.permutation(300)] * np.where(np.arange(40) % 2, 1e30, -1e-30) + 0.0
    np.testing.assert_array_equal(correlation_clusters(scaled, 0.5).of_unit, plain.of_unit)
    np.testing.assert_array_equal(correlation_clusters(scaled, 0.5).independent, plain.independent)


def test_a_constant_neuron_stands_alone():
    x = np.random.default_rng(0).normal(size=(50, 4))
    x[:, 1], x[:, 3] = 0.1, 0.3
    x[:, 2] = -2 * x[:, 0]
    clusters = correlation_clusters(x, 0.5)
    assert [clusters.members(c).tolist() for c in range(clusters.n_clusters)] == [[0, 2], [1], [3]]
    assert correlation_clusters(x[:, :1]).to_json()["clusters"] == [{"units": [0], "independent": 0, "cohesion": 1.0}]


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (np.zeros((1, 4)), {}, "two rows or more"),
        (np.zeros(4), {}, "two rows or more"),
        (np.zeros((3, 0)), {}, "1 to 6,000 neurons"),
        (np.zeros((2, MAX_UNITS + 1)), {}, "1 to 6,000 neurons"),
        (np.array([[1.0, 2.0], [3.0, np.nan]]), {}, r"NaN or infinity \(first in neuron 1\)"),
        (np.eye(3), {"threshold": 1.5}, "0 to 1; got 1.5"),
        (np.eye(3), {"threshold": float("nan")}, "0 to 1; got nan"),
        (np.eye(3), {"order": [0, 1, 1]}, "each of 0 to 2 once"),
    ],
)
def test_bad_input_is_told(x, options, message):
    with pytest.raises(LitProbeError, match=message):
        correlation_clusters(x, **options)
