"""What does fitting one layer's logistic probe take, beside the same search written by hand with scikit-learn?

How the time grows with the rows, and the memory in copies of the layer. Then (ac) `fit_logistic` against scikit-learn's
LogisticRegression on the same folds and grid, warm-started from one value of C to the next, its last fit to the same
tolerance; on SST-2 sentences and on made rows whose spectrum falls as that of real layers. Times are CPU seconds: what is
fitted keeps to one core.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import data_folder, default_encoder, sentences
from benchmarks.figures import Figure, Times, of_rounds, tell
from lit_probe.encoder.activations import extract_activations
from lit_probe.probing.probes import fit_logistic
from lit_probe.probing.probes.cross_validation import stratified_folds
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.probes.logistic import C_GRID

ROUNDS = 3
# Rows, units, classes, and how many times as fast it is asked to be. By hand, the largest takes minutes.
MADE = (
    (20_000, 768, 2, 4),
    (4_000, 768, 6, 1),
    (4_000, 384, 16, 1),
    (3_000, 384, 77, 1),
    (3_000, 384, 150, 1),
    (1_000, 4_096, 2, 1),
)
GROWING = (25_000, 50_000, 100_000, 200_000)


def main() -> None:
    """Prints the figures."""
    fit_logistic(*made(200, 8, 2), 2)  # libraries are loaded
    for n_rows in GROWING:
        x, labels = made(n_rows, 768, 2)
        took, _ = _cpu_seconds(lambda x=x, y=labels: fit_logistic(x, y, 2))
        tell(
            Figure(f"(ai) {n_rows:,} x 768, 2 classes", took, "CPU s"), Figure("for a million rows", 1e6 * took / n_rows, "CPU s")
        )
    for n_rows, width, n_classes in ((20_000, 768, 2), (3_000, 384, 150)):
        x, labels = made(n_rows, width, n_classes)
        tracemalloc.start()
        fit_logistic(x, labels, n_classes)
        copies = tracemalloc.get_traced_memory()[1] / x.nbytes
        tracemalloc.stop()
        tell(Figure(f"memory above the layer, {n_rows:,} x {width}, {n_classes} classes", copies, "copies", at_most=2))
    for n_rows, width, n_classes, at_least in MADE:
        _compare(f"{n_rows:,} x {width}, {n_classes} classes", *made(n_rows, width, n_classes), 1, at_least)
    lines = (data_folder() / "sst2/sentences_train.tsv").read_text("utf-8").split("\n")[1:]
    labels = np.array([int(line.split("\t")[1]) for line in lines if line])
    pooled = extract_activations(default_encoder(), sentences("train"), "mean")
    for layer in (3, pooled.n_layers - 1):
        _compare(f"SST-2, layer {layer}", pooled.layer(layer), labels, ROUNDS, at_least=2)


def made(n_rows: int, width: int, n_classes: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Rows of which the i-th direction has a standard deviation of 1/i, and labels that depend on all directions."""
    random = np.random.default_rng(0)
    turn, _ = np.linalg.qr(random.normal(size=(width, width)))
    rows = random.normal(size=(n_rows, width))
    logits = rows @ (random.normal(size=(width, n_classes)) * np.arange(1.0, width + 1)[:, None] ** -0.5)
    labels = (2 * logits / logits.std() + random.gumbel(size=logits.shape)).argmax(axis=1)
    return (rows @ (turn / np.arange(1.0, width + 1)[:, None])).astype(np.float32), labels


def by_hand(x: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The value of C that scikit-learn finds on the same folds, after a last fit at it."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.preprocessing import StandardScaler

    folds = stratified_folds(labels, None, 0).pairs
    losses = np.empty((len(folds), len(C_GRID)))
    with fitting_scope:
        for fold, (fitted, held) in enumerate(folds):
            scaler = StandardScaler().fit(x[fitted])
            model = LogisticRegression(tol=1e-5, max_iter=10_000, warm_start=True)
            for index, c in enumerate(C_GRID):
                model.set_params(C=c).fit(scaler.transform(x[fitted]), labels[fitted])
                losses[fold, index] = log_loss(labels[held], model.predict_proba(scaler.transform(x[held])))
        best = C_GRID[int(losses.mean(axis=0).argmin())]
        LogisticRegression(C=best, tol=1e-7, max_iter=10_000).fit(StandardScaler().fit_transform(x.astype(np.float64)), labels)
    return best


def _compare(name: str, x: NDArray[np.float32], labels: NDArray[np.int64], rounds: int, at_least: float) -> None:
    n_classes = int(labels.max()) + 1
    ours, hand = [], []
    for _ in range(rounds):
        took, probe = _cpu_seconds(lambda: fit_logistic(x, labels, n_classes))
        ours.append(took)
        took, c = _cpu_seconds(lambda: by_hand(x, labels))
        hand.append(took)
    times = Times({"ours": ours, "by hand": hand})
    tell(
        times.ratio(f"(ac) {name}: by hand / ours", "by hand", "ours", at_least=at_least),
        of_rounds(f"{name}: ours", ours, "CPU s"),
    )
    if probe.settings["C"] != c:
        print(f"    C {probe.settings['C']} and {c}")


def _cpu_seconds(function: Callable[[], Any]) -> tuple[float, Any]:
    """What one call took of the cores, and its answer."""
    start = time.process_time()
    answer = function()
    return time.process_time() - start, answer
