"""The pictures of layers on LIT's page: rows and edits stand where the library puts them."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from neuron_answers import answer_of, ask, of_split
from tiny_probing import edited

from lit_probe.errors import LitProbeError
from lit_probe.lit.interpreters.projections import MOST_AT_ONCE, rounded
from lit_probe.views.planes import WAYS
from lit_probe.views.projections import fit_projections

every_way = pytest.mark.parametrize(
    "method",
    [name for name in WAYS if name != "umap" or importlib.util.find_spec("umap")],
)


@pytest.fixture(scope="module")
def fitted(model):
    found = {}

    def of(method):
        if method not in found:
            found[method] = fit_projections(model.study.result(), method)
        return found[method]

    return of


@pytest.fixture(scope="module", autouse=True)
def compiled(model, fitted):
    """UMAP compiles itself at its first use, for longer than the tests wait for an answer where a machine is busy."""
    if importlib.util.find_spec("umap"):
        fitted("umap").pictures(model.study.result().activations["dev"])


def places(answer):
    return [np.array(layer["xy"]) for layer in answer["layers"]]


@every_way
def test_rows_stand_where_the_library_puts_their_vectors(model, dataset, fitted, method):
    rows = of_split(dataset, "dev")
    answer = answer_of("projections", model, dataset, *rows, method=method)
    expected = fitted(method).pictures(model.study.result().activations["dev"])
    assert answer["title"] == WAYS[method].title and answer["reading"] == WAYS[method].reading
    for found, layer, plane in zip(places(answer), expected.layers, fitted(method).planes, strict=True):
        np.testing.assert_array_equal(found, rounded(layer.xy, plane.of_fitted))
        assert np.abs(found - layer.xy).max() < 1e-3 * np.ptp(plane.of_fitted)
    assert [layer["trustworthiness"] for layer in answer["layers"]] == [layer.trustworthiness for layer in expected.layers]
    assert (answer["layers"][1]["trustworthiness"] is not None) == WAYS[method].keeps_neighbours


@every_way
def test_an_edit_stands_where_its_vector_is_projected_to_and_alone_as_among_others(model, dataset, fitted, method):
    answer_of("projections", model, dataset, method=method)
    first, second = of_split(dataset, "dev")[:2]
    edits = [edited(first, text=first["text"].replace("the", "a great")), edited(second, text=second["text"] + " indeed")]
    together = places(ask("projections", model, dataset, *edits, method=method, at_once=True))
    pooled = model.pooled([edit["text"] for edit in edits])
    for layer, (found, plane) in enumerate(zip(together, fitted(method).planes, strict=True)):
        np.testing.assert_array_equal(found, rounded(plane.plane.place(pooled.layer(layer)), plane.of_fitted))
    for i, edit in enumerate(edits):
        alone = places(ask("projections", model, dataset, edit, method=method, at_once=True))
        np.testing.assert_allclose([xy[0] for xy in alone], [xy[i] for xy in together], atol=1e-3)


@every_way
def test_an_edit_that_changes_nothing_stands_on_its_row(model, dataset, method):
    row = of_split(dataset, "test")[0]
    answer = answer_of("projections", model, dataset, *of_split(dataset, "test"), method=method)
    same = ask("projections", model, dataset, edited(row), method=method, at_once=True)
    np.testing.assert_allclose([xy[0] for xy in places(same)], [xy[0] for xy in places(answer)], atol=1e-3)


def test_no_example_and_too_many_at_once(model, dataset):
    answer = answer_of("projections", model, dataset)
    assert [layer["xy"] for layer in answer["layers"]] == [[]] * answer["n_layers"]
    many = of_split(dataset, "dev")[:1] * (MOST_AT_ONCE + 1)
    with pytest.raises(LitProbeError, match="200 examples are placed at once, and 201 were sent"):
        ask("projections", model, dataset, *many, at_once=True)


def test_another_data_sets_rows_are_placed_too(models, dataset):
    model, other = models
    rows = of_split(other.dataset, "dev")
    answer = answer_of("projections", model, other.dataset, *rows)
    assert answer["trained_on"] == "tiny" and all(len(layer["xy"]) == len(rows) for layer in answer["layers"])


def test_the_ways_say_which_cannot_be_asked_for(model, dataset):
    ways = answer_of("projections", model, dataset)["methods"]
    assert [way["name"] for way in ways] == list(WAYS)
    missing = {way["name"] for way in ways if way["missing"]}
    assert missing == (set() if importlib.util.find_spec("umap") else {"umap"})


@pytest.mark.parametrize("width", [1e-9, 0.3, 1, 40, 1e9])
def test_rounding_keeps_what_a_picture_can_show(width):
    xy = np.random.default_rng(0).uniform(0, width, size=(50, 2))
    kept = rounded(xy, np.array([[0, 0], [width, width]]))
    assert np.abs(kept - xy).max() <= width / 10_000
