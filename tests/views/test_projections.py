"""Pictures of layers: what each way promises of fits, places, seeds and refusals."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest
from planted_studies import noise, planted_study

import lit_probe
from lit_probe import probe_activations
from lit_probe.encoder.activations import Activations
from lit_probe.errors import CancelledError, LitProbeError, UnknownNameError
from lit_probe.views.planes import WAYS, bounded_perplexity, principal
from lit_probe.views.projections import Pictures, ProjectedRows, fit_projections, project

needs_umap = pytest.mark.skipif(importlib.util.find_spec("umap") is None, reason="umap-learn is not installed (extra umap)")
every_way = pytest.mark.parametrize("method", [pytest.param(name, marks=needs_umap if name == "umap" else ()) for name in WAYS])
N, WIDTH, N_LAYERS = 150, 12, 3


def clusters(n=N, n_classes=2, seed=0, far=6.0):
    """Values ``[n, n_layers, width]`` with a cluster for each class from layer 1 on, which layer 0 does not have."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    centres = random.normal(size=(n_classes, WIDTH)) * far
    values = random.normal(size=(n, N_LAYERS, WIDTH))
    values[:, 1:] += centres[labels][:, None]
    return values.astype(np.float32), labels


def study_of(values, labels, **options):
    return probe_activations(values, [f"class {label}" for label in labels], **options)


@pytest.fixture(scope="module")
def study():
    return study_of(*clusters())


@pytest.fixture(scope="module")
def fitted(study):
    return {name: fit_projections(study, name) for name in WAYS if name != "umap" or importlib.util.find_spec("umap")}


def vectors(study, split="dev"):
    return study.activations[split]


@every_way
def test_every_row_stands_where_it_would_alone(fitted, study, method):
    rows = vectors(study)
    together = fitted[method].pictures(rows)
    for row in (0, 3, len(rows) - 1):
        alone = fitted[method].pictures(rows.take(np.array([row])))
        for of_all, of_one in zip(together.layers, alone.layers, strict=True):
            np.testing.assert_allclose(of_one.xy[0], of_all.xy[row], rtol=0, atol=1e-6)


@every_way
def test_seeded_pictures_are_the_same_twice(study, method):
    first, second = (json.dumps(project(study, method).to_json()) for _ in range(2))
    assert first == second


@every_way
def test_it_is_fitted_to_train_alone(study, method):
    before = fit_projections(study, method)
    changed = dict(study.activations)
    changed["dev"] = Activations.from_array(np.full_like(changed["dev"].values, 1e3))
    other = type(study)(study.encoder, study.splits, changed, study.layerwise, study.seed)
    after = fit_projections(other, method)
    for one, two in zip(before.planes, after.planes, strict=True):
        np.testing.assert_array_equal(one.of_fitted, two.of_fitted)


@every_way
def test_planted_clusters_stand_apart_where_they_are_and_not_before(study, method):
    made = project(study, method)
    labels = made.labels

    def apart(xy):
        one, two = xy[labels == 0], xy[labels == 1]
        return np.linalg.norm(one.mean(0) - two.mean(0)) / (one.std() + two.std())

    at_embeddings, later, last = (apart(layer.xy) for layer in made.layers)
    assert later > 1 and last > 1
    assert method == "probe" or at_embeddings < 0.6


@every_way
def test_the_answer_is_finite_json_that_can_be_read_back(study, method):
    made = project(study, method, rows={"dev": [3, 1, 2]})
    written = json.loads(json.dumps(made.to_json(), allow_nan=False))
    assert json.dumps(ProjectedRows.from_json(written).to_json()) == json.dumps(written)
    assert [len(layer["xy"]) for layer in written["layers"]] == [3] * N_LAYERS
    assert written["splits"] == ["dev"] * 3 and written["rows"] == [3, 1, 2]
    assert written["labels"] == study.splits.dev.labels[[3, 1, 2]].tolist()
    assert set(Pictures.__dataclass_fields__) <= set(written)


@pytest.mark.parametrize("shape", [(40, 7), (7, 40), (30, 30), (3, 1)])
def test_principal_components_are_those_of_a_singular_value_decomposition(shape):
    x = np.random.default_rng(1).normal(size=shape) * np.arange(1, shape[1] + 1)
    found = principal(x, 2)
    _, sizes, basis = np.linalg.svd(x - x.mean(0), full_matrices=False)
    for i in range(min(2, *shape)):
        assert abs(found.axes[i] @ basis[i]) == pytest.approx(1, abs=1e-9)
        assert found.shares[i] == pytest.approx(sizes[i] ** 2 / (sizes**2).sum())
    assert found.axes.shape == (2, shape[1])


def test_pca_is_not_mirrored_from_layer_to_layer():
    values, labels = clusters()
    values[:, 2] = -values[:, 1]
    _, one, two = fit_projections(study_of(values, labels), "pca").planes
    np.testing.assert_allclose(one.of_fitted, two.of_fitted, atol=1e-4)


def test_the_probes_plane_has_what_the_probe_says_from_left_to_right(study):
    rows = vectors(study)
    for layer, picture in enumerate(fit_projections(study, "probe").pictures(rows).layers):
        probe = study.layerwise.probes[layer]
        logits = probe.logits(rows.layer(layer))
        along = (logits[:, 1] - logits[:, 0]) / np.linalg.norm(probe.coef_)
        np.testing.assert_allclose(picture.xy[:, 0], along, atol=1e-9)
        standing = np.corrcoef(picture.xy.T)[0, 1]
        assert abs(standing) < 1 and picture.axes[0] == "direction of the probe, 'class 1' to the right"


def test_the_probes_plane_is_at_right_angles(study):
    for plane in fit_projections(study, "probe").planes:
        np.testing.assert_allclose(plane.plane.axes @ plane.plane.axes.T, np.eye(2), atol=1e-9)


def test_the_probes_plane_of_many_classes_and_of_a_number():
    values, labels = clusters(n_classes=5)
    of_classes = project(study_of(values, labels), "probe")
    assert of_classes.layers[2].axes[0] == "direction along which the probe’s logits vary most"
    numbers = values[:, 1, 0].astype(float)
    of_number = project(probe_activations(values, numbers.tolist(), target="number"), "probe")
    assert np.corrcoef(of_number.layers[1].xy[:, 0], of_number.labels)[0, 1] > 0.9


def test_a_probe_that_is_not_linear_has_no_plane_and_says_so(study):
    made = project(study_of(*clusters(n=90), probe="mlp"), "probe")
    assert {layer.reason for layer in made.layers} == {
        "A probe of kind 'mlp' has no plane: it is not linear, so it reads no one direction. Choose PCA."
    }
    made = project(study_of(*clusters(n=90), probe="majority"), "probe")
    assert {layer.reason for layer in made.layers} == {"The probe reads no direction here: all its weights are 0."}


def test_the_perplexity_is_bounded_by_the_rows():
    fitted = fit_projections(study_of(*clusters(n=60)), "tsne")
    assert fitted.n_fitted < 90 and fitted.perplexity == bounded_perplexity(30, fitted.n_fitted) == (fitted.n_fitted - 1) / 3
    for wrong in (1, 0, -3, float("nan"), float("inf")):
        with pytest.raises(LitProbeError, match="perplexity must be a number above 1"):
            fit_projections(study_of(*clusters(n=60)), "tsne", perplexity=wrong)


@pytest.mark.parametrize("method", ["tsne", pytest.param("umap", marks=needs_umap)])
def test_fewer_rows_than_it_needs_are_told_in_a_sentence(tiny_encoder, method):
    values, labels = noise(4)
    fitted = fit_projections(planted_study(tiny_encoder, values, labels, (values, labels), probe="mean_difference"), method)
    assert set(fitted.planes) == {f"{WAYS[method].title} is fitted to 5 rows or more, and there are 4. Choose PCA."}


@every_way
def test_a_layer_of_equal_vectors_says_so_and_the_others_are_drawn(tiny_encoder, method):
    values, labels = noise(60)
    values[:, 0] = 2.5
    study = planted_study(tiny_encoder, values, labels)
    first, second = fit_projections(study, method).pictures(vectors(study)).layers
    assert first.reason == "All 60 rows of train have the same vector here, so there is nothing to draw." and not len(first.xy)
    assert second.reason == "" and len(second.xy) == 40


@every_way
def test_a_layer_with_nan_says_so_and_the_others_are_drawn(tiny_encoder, method):
    values, labels = noise(60)
    study = planted_study(tiny_encoder, values, labels)
    broken = values.copy()
    broken[5, 1, 2] = np.nan
    broken[7, 1, 2] = np.inf
    study.activations["train"] = Activations.from_array(broken)
    first, second = fit_projections(study, method).planes
    assert not isinstance(first, str)
    assert second == "The vectors of 2 of 60 rows of train hold NaN or infinity here."
    study = planted_study(tiny_encoder, values, labels)
    first, second = fit_projections(study, method).pictures(Activations.from_array(broken)).layers
    assert first.reason == "" and second.reason == "The vectors of 2 of 60 rows hold NaN or infinity here."


@every_way
def test_no_row_and_one_row_can_be_placed(fitted, study, method):
    rows = vectors(study)
    for n in (0, 1):
        made = fitted[method].pictures(rows.take(np.arange(n)))
        assert [layer.xy.shape for layer in made.layers] == [(n, 2)] * N_LAYERS
        assert made.n_trusted == 0 and all(layer.trustworthiness is None for layer in made.layers)


@every_way
def test_units_in_one_direction_and_one_unit_alone_are_drawn(method):
    values, labels = clusters(n=60)
    line = values[:, :, :1] * np.ones(5, dtype=np.float32)
    for narrow in (line, values[:, :, :1]):
        made = project(study_of(narrow, labels), method)
        assert all(layer.reason == "" and np.isfinite(layer.xy).all() for layer in made.layers)
        if method == "pca":
            assert all(np.ptp(layer.xy[:, 1]) < 1e-3 * np.ptp(layer.xy[:, 0]) for layer in made.layers)


def test_trustworthiness_is_scikit_learns_and_is_measured_where_neighbours_are_kept(study, fitted):
    from sklearn.manifold import trustworthiness

    rows = vectors(study, "train")
    made = fitted["tsne"].pictures(rows)
    for layer in made.layers:
        assert layer.trustworthiness == trustworthiness(rows.layer(layer.layer), layer.xy, n_neighbors=15)
    assert made.n_trusted == len(rows)
    assert fitted["pca"].pictures(rows).n_trusted == 0
    assert fitted["tsne"].pictures(rows, trust=False).n_trusted == 0


@every_way
def test_progress_is_told_and_a_cancelled_fit_ends(study, method):
    heard = []
    fit_projections(study, method, progress=lambda done, total: heard.append((done, total)))
    assert heard == sorted(heard) and heard[-1] == (100 * N_LAYERS, 100 * N_LAYERS)
    assert method != "tsne" or len(heard) > 3 * 20

    def stop(done, total):
        if done:
            raise CancelledError("Enough.")

    with pytest.raises(CancelledError):
        fit_projections(study, method, progress=stop)


def test_rows_are_chosen_by_split_or_drawn_by_the_seed(study):
    everything = project(study)
    assert [everything.splits.count(name) for name in ("train", "dev", "test")] == [len(rows) for _, rows in study.splits.items()]
    some = project(study, max_rows=20, layers=[2])
    assert len(some.rows) == 20 and [layer.layer for layer in some.layers] == [2]
    assert json.dumps(some.to_json()) == json.dumps(project(study, max_rows=20, layers=[2]).to_json())
    for wrong, sentence in (
        ({"rows": {"dev": [999]}}, "dev of examples has rows 0 to"),
        ({"rows": {"dev": [-1]}}, "dev of examples has rows 0 to"),
        ({"rows": {"dev": []}}, "No row was asked for"),
        ({"rows": {}}, "No row was asked for"),
        ({"max_rows": 0}, "max_rows must be 1 or more"),
    ):
        with pytest.raises(LitProbeError, match=sentence):
            project(study, **wrong)
    for wrong in ({"rows": {"validation": [1]}}, {"method": "tnse"}, {"layers": [9]}):
        with pytest.raises(UnknownNameError):
            project(study, **wrong)


def test_it_is_public():
    assert lit_probe.project is project


PAGE = Path(__file__).parents[2] / "docs" / "pictures.md"


def test_the_page_on_pictures_names_every_way_and_its_python_runs(tiny_folder, capsys):
    section = PAGE.read_text("utf-8").split("## All layers at a glance")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(WAYS)
    [code] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    exec(code.replace("sentence-transformers/all-MiniLM-L6-v2", str(tiny_folder())), {})
    assert "('train', 'train')" in capsys.readouterr().out


def test_the_table_of_other_tools_names_what_there_is():
    section = PAGE.read_text("utf-8").split("## Coming from other tools")[1]
    for name in re.findall(r'project\(study, "(\w+)"\)|--projections=(\w+)|Projection `(\w+)`', section):
        assert set(name) - {""} <= set(WAYS)
    module = Path(__file__).parents[2] / "lit_probe" / "client" / "views" / "projections_module.js"
    assert "static title = 'Layers in 2-D'" in module.read_text("utf-8") and "**Layers in 2-D**" in section
