import json
import tracemalloc

import numpy as np
import pytest
from planted import planted

from lit_probe.errors import CacheError, ProbeError
from lit_probe.probing.probes import FittedProbe, fit_logistic, fit_mlp


@pytest.fixture(scope="module")
def probe() -> FittedProbe:
    data = planted()
    return fit_logistic(data.x, data.labels, 2)


def test_binary_probabilities_are_the_sigmoid_of_the_coefficients(probe):
    x = planted().test_x
    score = ((x - probe.mean) / probe.scale) @ probe.coef_[0] + probe.intercept_[0]
    assert probe.predict_proba(x)[:, 1] == pytest.approx(1 / (1 + np.exp(-score)))


def test_an_mlp_applies_relu_between_its_layers():
    data = planted(3)
    mlp = fit_mlp(data.x, data.labels, 3)
    (first, first_bias), (last, last_bias) = mlp.layers
    hidden = np.maximum(((data.test_x - mlp.mean) / mlp.scale) @ first.T + first_bias, 0)
    assert mlp.logits(data.test_x) == pytest.approx(hidden @ last.T + last_bias)
    with pytest.raises(ProbeError, match="'mlp' has 2 layers of weights and no coef_"):
        _ = mlp.coef_


def test_many_rows_give_the_digits_of_few(probe):
    x = np.tile(planted().test_x, (20, 1))
    assert np.array_equal(probe.predict_proba(x)[:600], probe.predict_proba(x[:600]))
    assert probe.predict_proba(x[:0]).shape == (0, 2)


def test_a_wide_hidden_layer_takes_bounded_memory_and_gives_the_same_digits():
    rng = np.random.default_rng(0)
    narrow, wide = (rng.normal(size=(1, 3)), np.zeros(1)), (rng.normal(size=(20_000, 1)), np.zeros(20_000))
    probe = FittedProbe("mlp", [0, 1], np.zeros(3), np.ones(3), (narrow, wide, (rng.normal(size=(2, 20_000)), np.zeros(2))), True)
    rows = rng.normal(size=(1_000, 3))
    tracemalloc.start()
    try:
        found = probe.logits(rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 120 * 2**20, "1,000 rows at once take 320 MB and more"
    assert np.array_equal(found, np.concatenate([probe.logits(rows[row : row + 1]) for row in range(len(rows))]))


def test_a_strided_layer_gives_the_digits_of_a_contiguous_one(probe):
    x = planted().test_x
    layers = np.stack([x, -x], axis=1)
    assert np.array_equal(probe.predict_proba(layers[:, 0]), probe.predict_proba(x))


def test_extreme_logits_stay_finite(probe):
    probabilities = probe.predict_proba(planted().test_x * 1e6)
    assert np.isfinite(probabilities).all() and probabilities.max() == 1


def test_activations_of_another_width_are_refused(probe):
    with pytest.raises(ProbeError, match=r"\[n_examples, 16\]; got \[2, 5\]"):
        probe.predict_proba(np.zeros((2, 5)))
    with pytest.raises(ProbeError, match=r"got \[16\]"):
        probe.predict_proba(np.zeros(16))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes_": [0]}, "two or more"),
        ({"classes_": [1, 0]}, "in order"),
        ({"mean": [0.0]}, "one shape"),
        ({"layers": ()}, "0 pairs"),
        ({"layers": ((np.zeros((2, 3)), np.zeros(2)),)}, r"\[d_out, 2\]"),
        ({"layers": ((np.zeros((2, 2)), np.zeros(3)),)}, r"\(2, 2\) and \(3,\)"),
        ({"layers": ((np.zeros((3, 2)), np.zeros(3)),)}, "3 logits for 2 classes"),
        ({"layers": ((np.full((2, 2), np.nan), np.zeros(2)),)}, "finite"),
        ({"scale": [1.0, 0.0]}, "scale positive"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(changes, message):
    fields = {
        "kind": "logistic",
        "classes_": [0, 1],
        "mean": [0.0, 0.0],
        "scale": [1.0, 1.0],
        "layers": ((np.zeros((2, 2)), np.zeros(2)),),
        "converged": True,
    }
    FittedProbe(**fields)
    with pytest.raises(ProbeError, match=message):
        FittedProbe(**(fields | changes))


def test_a_missing_file_is_reported(probe, tmp_path):
    with pytest.raises(CacheError, match="no readable probe"):
        FittedProbe.load(tmp_path / "nothing")


def test_a_torn_file_is_not_trusted(probe, tmp_path):
    probe.save(tmp_path / "probe")
    path = tmp_path / "probe.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(CacheError, match="checksum of its two files differs"):
        FittedProbe.load(tmp_path / "probe")


def test_the_arrays_of_another_probe_are_not_trusted(probe, tmp_path):
    data = planted(seed=1)
    probe.save(tmp_path / "one")
    fit_logistic(data.x, data.labels, 2).save(tmp_path / "two")
    (tmp_path / "two.safetensors").replace(tmp_path / "one.safetensors")
    with pytest.raises(CacheError, match="checksum of its two files differs"):
        FittedProbe.load(tmp_path / "one")


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "is not JSON"), ("[]", "does not describe"), ('{"format": "other"}', "does not describe"), ("\x00", "is not JSON")],
)
def test_a_foreign_description_is_not_trusted(probe, tmp_path, text, message):
    probe.save(tmp_path / "probe")
    (tmp_path / "probe.json").write_text(text)
    with pytest.raises(CacheError, match=message):
        FittedProbe.load(tmp_path / "probe")


@pytest.mark.parametrize("changes", [{"kind": "mlp"}, {"converged": False}, {"settings": {}}, {"sha256": None}])
def test_a_description_that_was_changed_is_not_trusted(probe, tmp_path, changes):
    probe.save(tmp_path / "probe")
    header = json.loads((tmp_path / "probe.json").read_text())
    (tmp_path / "probe.json").write_text(json.dumps(header | changes))
    with pytest.raises(CacheError, match="checksum of its two files differs"):
        FittedProbe.load(tmp_path / "probe")


def test_a_failed_save_leaves_the_old_probe_and_no_debris(probe, tmp_path):
    probe.save(tmp_path / "probe")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    unsaveable = FittedProbe(**{**vars(probe), "settings": {"C": float("nan")}})
    with pytest.raises(ValueError, match="JSON"):
        unsaveable.save(tmp_path / "probe")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_cannot_be_written_raises_an_os_error(probe, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        probe.save(tmp_path / "file" / "probe")
