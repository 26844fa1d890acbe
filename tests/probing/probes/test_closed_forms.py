"""The probes without a search: LDA is scikit-learn's, and the mean difference points from mean to mean."""

import numpy as np
import pytest
from planted import planted
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import StandardScaler

from lit_probe.probing.probes import fit_lda, fit_mean_difference


@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_lda_gives_scikit_learns_probabilities(n_classes):
    data = planted(n_classes)
    x, test_x = data.x.astype(np.float64), data.test_x.astype(np.float64)
    scaler = StandardScaler().fit(x)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(scaler.transform(x), data.labels)
    expected = model.predict_proba(scaler.transform(test_x))
    assert fit_lda(x, data.labels, n_classes).predict_proba(test_x) == pytest.approx(expected, abs=1e-8)


def test_the_direction_of_the_mean_difference_leads_from_mean_to_mean():
    data = planted()
    scaled = StandardScaler().fit_transform(data.x.astype(np.float64))
    difference = scaled[data.labels == 1].mean(axis=0) - scaled[data.labels == 0].mean(axis=0)
    direction = fit_mean_difference(data.x, data.labels, 2).coef_[0]
    cosine = direction @ difference / np.linalg.norm(direction) / np.linalg.norm(difference)
    assert cosine == pytest.approx(1)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_no_other_sharpness_has_a_lower_log_loss_on_train(n_classes):
    data = planted(n_classes, strength=1.0)
    probe = fit_mean_difference(data.x, data.labels, n_classes)
    logits, prior = probe.logits(data.x), np.log(np.bincount(data.labels) / len(data.labels))

    def log_loss(factor: float) -> float:
        values = factor * (logits - prior) + prior
        return float((np.logaddexp.reduce(values, axis=1) - values[np.arange(len(values)), data.labels]).mean())

    assert probe.settings["train_log_loss"] == pytest.approx(log_loss(1.0))
    assert all(log_loss(1.0) <= log_loss(factor) for factor in (0.5, 0.99, 1.01, 2.0))


def test_classes_that_never_overlap_stay_finite():
    data = planted(strength=50.0)
    probe = fit_mean_difference(data.x, data.labels, 2)
    assert np.isfinite(probe.predict_proba(data.test_x)).all() and probe.settings["sharpness"] <= 1e3
