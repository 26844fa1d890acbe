import json
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from lit_probe.encoder.memory import MemoryBudget
from lit_probe.errors import CacheError, ProbeError, UnknownNameError
from lit_probe.probing.layerwise import ActivationView, LayerMetrics, LayerwiseProbe, layers_at_a_time
from lit_probe.scores.metrics import majority_score, metrics_for, score_layers


@dataclass(frozen=True)
class Layers:
    """Activations from an array ``[n_examples, n_layers, d_model]``."""

    values: NDArray[np.float32]

    @property
    def n_layers(self) -> int:
        return self.values.shape[1]

    @property
    def widths(self) -> tuple[int, ...]:
        return (self.values.shape[2],) * self.n_layers

    def __len__(self) -> int:
        return len(self.values)

    def layer(self, index: int) -> NDArray[np.float32]:
        return np.ascontiguousarray(self.values[:, index])


NAMES = ("negative", "positive")
STRENGTHS = (0.0, 1.0, 3.0, 2.0, 0.5)


def split(n: int, seed: int) -> tuple[Layers, NDArray[np.int64]]:
    """Five layers of noise in which the class shifts one feature by ``STRENGTHS``."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, n)
    values = random.normal(size=(n, 5, 8)).astype(np.float32)
    values[:, :, 3] += np.array(STRENGTHS, np.float32) * labels[:, None]
    return Layers(values), labels


@pytest.fixture(scope="module")
def fitted() -> LayerwiseProbe:
    return LayerwiseProbe.fit(*split(300, 0), NAMES)


def same(one: LayerwiseProbe, other: LayerwiseProbe) -> bool:
    pairs = [(a.to_arrays(), b.to_arrays()) for a, b in zip(one.probes, other.probes, strict=True)]
    return all(np.array_equal(a[name], b[name]) for a, b in pairs for name in a)


def test_the_layer_where_the_signal_was_planted_is_the_best_on_dev(fitted):
    dev, labels = split(400, 1)
    probabilities = fitted.predict_proba(dev)
    assert probabilities.shape == (400, 5, 2) and probabilities.dtype == np.float64
    scores = score_layers("accuracy", probabilities, labels)
    assert scores[0].low < 0.5 < scores[0].high
    assert fitted.not_converged == []


@pytest.mark.parametrize("n_jobs", [1, 2, 5, 16])
def test_the_number_of_layers_fitted_at_a_time_does_not_change_a_digit(fitted, n_jobs):
    train, labels = split(300, 0)
    assert same(LayerwiseProbe.fit(train, labels, NAMES, n_jobs=n_jobs), fitted)


def test_each_layer_has_the_probe_of_that_layer_alone(fitted):
    train, labels = split(300, 0)
    alone = [LayerwiseProbe.fit(Layers(train.values[:, [layer]]), labels, NAMES).probes[0] for layer in range(5)]
    assert same(LayerwiseProbe(tuple(alone), NAMES, "logistic", 0), fitted)


def test_groups_and_seed_reach_every_layer():
    train, labels = split(300, 0)
    layerwise = LayerwiseProbe.fit(train, labels, NAMES, groups=np.arange(300) // 3, seed=7)
    assert all(probe.settings["cv"]["by"] == "group" and probe.settings["seed"] == 7 for probe in layerwise.probes)
    assert layerwise.seed == 7


@pytest.mark.parametrize("kind", ["logistic", "mlp", "majority"])
def test_every_kind_of_probe_can_be_fitted_layer_by_layer(kind):
    train, labels = split(200, 0)
    layerwise = LayerwiseProbe.fit(Layers(train.values[:, 2:3]), labels, NAMES, probe=kind)
    assert layerwise.kind == layerwise.probes[0].kind == kind


def test_progress_counts_the_layers():
    heard = []
    LayerwiseProbe.fit(*split(60, 0), NAMES, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(done, 5) for done in range(1, 6)]


def test_a_callback_that_raises_stops_the_fitting():
    class StopError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise StopError

    with pytest.raises(StopError):
        LayerwiseProbe.fit(*split(60, 0), NAMES, progress=stop)


def test_a_text_alone_gets_the_digits_it_gets_among_others(fitted):
    dev, _ = split(50, 1)
    together = fitted.predict_proba(dev)
    alone = np.concatenate([fitted.predict_proba(Layers(dev.values[[row]])) for row in range(50)])
    assert np.array_equal(together, alone)


def test_a_saved_probe_gives_identical_numbers_and_holds_no_pickle(fitted, tmp_path):
    fitted.save(tmp_path / "probes")
    assert sorted(path.suffix for path in (tmp_path / "probes").iterdir()) == [".json", ".safetensors"]
    loaded = LayerwiseProbe.load(tmp_path / "probes")
    assert same(loaded, fitted)
    assert (loaded.label_names, loaded.kind, loaded.seed) == (fitted.label_names, fitted.kind, fitted.seed)
    assert [probe.settings for probe in loaded.probes] == [probe.settings for probe in fitted.probes]


def test_torn_and_incomplete_files_are_not_trusted(fitted, tmp_path):
    with pytest.raises(CacheError, match="no readable probe"):
        LayerwiseProbe.load(tmp_path)
    fitted.save(tmp_path)
    tensors, description = tmp_path / "layerwise_probe.safetensors", tmp_path / "layerwise_probe.json"
    header = json.loads(description.read_text())
    header["layers"].append(header["layers"][0])
    description.write_text(json.dumps(header))
    with pytest.raises(CacheError, match="checksum"):
        LayerwiseProbe.load(tmp_path)
    fitted.save(tmp_path)
    tensors.write_bytes(tensors.read_bytes()[:1000])
    with pytest.raises(CacheError, match="checksum"):
        LayerwiseProbe.load(tmp_path)


def test_reading_and_scoring_saved_probes_loads_neither_torch_nor_scikit_learn(fitted, tmp_path):
    fitted.save(tmp_path)
    code = f"""
import sys
import numpy as np
from lit_probe.encoder.memory import MemoryBudget
from lit_probe.probing.layerwise import ActivationView, LayerMetrics, LayerwiseProbe, layers_at_a_time
layerwise = LayerwiseProbe.load({str(tmp_path)!r})
probabilities = np.stack([probe.predict_proba(np.zeros((40, 8))) for probe in layerwise.probes], axis=1)
labels = np.arange(40) % 2
LayerMetrics.measure("dev", probabilities, labels, layerwise.label_names, labels).rows()
print(sorted({{"torch", "sklearn", "pandas", "lit_nlp"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_wrong_with_a_layer_names_the_layer():
    train, labels = split(60, 0)
    train.values[5, 3, 0] = np.nan
    with pytest.raises(ProbeError, match="Layer 3: The activations of 1 of 60 training examples"):
        LayerwiseProbe.fit(train, labels, NAMES)


def test_a_class_without_examples_is_refused_by_its_name():
    train, labels = split(60, 0)
    with pytest.raises(ProbeError, match="'mixed' has 0"):
        LayerwiseProbe.fit(train, labels, (*NAMES, "mixed"))


def test_unknown_probes_and_foreign_activations_are_refused(fitted):
    train, labels = split(60, 0)
    with pytest.raises(UnknownNameError, match=r"Unknown probe 'svm'. Choose one of: elastic_net, l1, lda, logistic, maj"):
        LayerwiseProbe.fit(train, labels, NAMES, probe="svm")
    with pytest.raises(ProbeError, match="probes for 5 layers, but activations of 2"):
        fitted.predict_proba(Layers(train.values[:, :2]))
    with pytest.raises(ProbeError, match="3 classes"):
        LayerwiseProbe(fitted.probes, ("a", "b", "c"), "logistic", 0)


@pytest.mark.parametrize("names", [("low", "mid", "high"), tuple(f"{count} stars" for count in range(6))])
def test_three_and_six_classes_with_string_labels_work_throughout(names):
    random = np.random.default_rng(0)
    labels = np.arange(600) % len(names)
    values = random.normal(size=(600, 2, 12)).astype(np.float32)
    values[np.arange(600), 1, labels] += 3
    layerwise = LayerwiseProbe.fit(Layers(values[:300]), labels[:300], names)
    metrics = LayerMetrics.measure("dev", layerwise.predict_proba(Layers(values[300:])), labels[300:], names, labels[:300])
    rows = [row.to_json() for row in metrics.rows()]
    assert rows[1][f"recall_low:{names[-1]}"] > 1 / len(names)
    json.dumps(rows, allow_nan=False)


def test_rows_hold_every_metric_its_interval_and_the_majority_ready_for_json(fitted):
    (dev, labels), (_, train_labels) = split(200, 1), split(300, 0)
    probabilities = fitted.predict_proba(dev)
    metrics = LayerMetrics.measure("dev", probabilities, labels, NAMES, train_labels)
    rows = json.loads(json.dumps([row.to_json() for row in metrics.rows()], allow_nan=False))
    assert [row["layer"] for row in rows] == [0, 1, 2, 3, 4]
    assert all(row["split"] == "dev" and row["n"] == 200 for row in rows)
    assert metrics.n_by_class == tuple(np.bincount(labels))
    score = score_layers("recall:positive", probabilities, labels, label_names=NAMES)[2]
    assert rows[2]["recall:positive"] == score.value
    assert (rows[2]["recall_low:positive"], rows[2]["recall_high:positive"]) == (score.low, score.high)
    assert rows[2]["accuracy_reliable"] is True and rows[2]["accuracy_reason"] == ""
    assert rows[0]["majority_auroc"] == 0.5
    assert rows[0]["majority_accuracy"] == majority_score("accuracy", train_labels, labels, NAMES)
    assert len(rows[0]) == 3 + 6 * len(metrics_for(NAMES))


def test_a_split_too_small_to_score_still_gives_a_row_per_layer(fitted):
    rows = LayerMetrics.measure("test", np.zeros((0, 5, 2)), [], NAMES, [0, 1]).rows()
    accuracy = rows[0].scores["accuracy"]
    assert len(rows) == 5 and accuracy.value is None and accuracy.reason == "no rows"


def test_only_the_metrics_that_are_asked_for_are_computed(fitted):
    dev, labels = split(50, 1)
    metrics = LayerMetrics.measure("dev", fitted.predict_proba(dev), labels, NAMES, labels, metrics=["mcc"])
    assert list(metrics.scores) == ["mcc"]
    with pytest.raises(UnknownNameError, match="Unknown metric 'kappa'"):
        LayerMetrics.measure("dev", fitted.predict_proba(dev), labels, NAMES, labels, metrics=["kappa"])


def test_so_many_layers_are_fitted_at_a_time_as_there_is_memory_for():
    layers, _ = split(1_000, 0)
    of_layer = 1_000 * 8 * 4 / 1e9
    at_most = layers_at_a_time(layers, MemoryBudget.of(1))
    assert 1 <= at_most <= 4
    # A layer, and three copies of it beside it. However little there is, one is fitted.
    assert layers_at_a_time(layers, MemoryBudget.of(4.5 * of_layer)) == layers_at_a_time(layers, MemoryBudget.of(of_layer)) == 1
    assert layers_at_a_time(layers, MemoryBudget.of(8.5 * of_layer)) == min(at_most, 2)
    few = ActivationView(layers, np.arange(500))
    assert layers_at_a_time(few, MemoryBudget.of(4.5 * of_layer)) == min(at_most, 2)
    assert layers_at_a_time(ActivationView(layers, np.arange(0)), MemoryBudget.of(1)) == at_most
