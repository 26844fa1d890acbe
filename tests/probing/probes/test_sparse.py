"""Sparse probes: scikit-learn's solution, few weights, and a strength that train alone decides."""

from __future__ import annotations

import numpy as np
import pytest
from planted import planted
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lit_probe.probing.probes import PROBES, fit_logistic
from lit_probe.probing.probes.cross_validation import stratified_folds
from lit_probe.probing.probes.sparse import C_GRID

SHARES = {"l1": 1.0, "elastic_net": 0.5}


def theirs(kind: str, c: float) -> LogisticRegression:
    return LogisticRegression(C=c, l1_ratio=SHARES[kind], solver="saga", tol=1e-6, max_iter=20_000, random_state=0)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", SHARES)
def test_a_sparse_probe_is_scikit_learns(kind, n_classes):
    data = planted(n_classes, strength=1.0)
    ours = PROBES[kind].fit(data.x, data.labels, n_classes, c=0.1)
    model = make_pipeline(StandardScaler(), theirs(kind, 0.1)).fit(data.x.astype(np.float64), data.labels)
    assert ours.predict_proba(data.test_x) == pytest.approx(model.predict_proba(data.test_x.astype(np.float64)), abs=0.01)
    assert ours.coef_ == pytest.approx(model[-1].coef_, abs=0.02)
    assert ours.kind == kind and ours.settings["C"] == 0.1 and ours.settings["l1_ratio"] == SHARES[kind]


@pytest.mark.parametrize("kind", SHARES)
def test_its_strength_is_the_one_that_scikit_learn_finds_on_the_same_folds(kind):
    data = planted(strength=1.0)
    folds = stratified_folds(data.labels, None, 0).pairs
    pipeline = make_pipeline(StandardScaler(), theirs(kind, 1.0))
    search = GridSearchCV(pipeline, {"logisticregression__C": C_GRID}, scoring="neg_log_loss", cv=folds)
    search.fit(data.x.astype(np.float64), data.labels)
    ours = PROBES[kind].fit(data.x, data.labels, 2)
    assert ours.settings["cv_log_loss"] == pytest.approx(-search.cv_results_["mean_test_score"], abs=2e-3)
    assert ours.settings["C"] == search.best_params_["logisticregression__C"]
    assert ours.settings["cv"] == {"folds": 3, "by": "row", "note": ""}


def test_l1_keeps_the_units_that_tell_and_few_others():
    random = np.random.default_rng(0)
    x, labels = random.normal(size=(600, 50)), np.arange(600) % 2
    x[:, :3] += 1.2 * labels[:, None]
    l1, net = (PROBES[kind].fit(x, labels, 2) for kind in SHARES)
    kept = np.flatnonzero(l1.coef_[0])
    assert {0, 1, 2} <= set(kept.tolist()) and len(kept) == l1.settings["n_weights"] < 30
    assert len(kept) <= net.settings["n_weights"]
    assert np.count_nonzero(fit_logistic(x, labels, 2).coef_) == 50


def test_groups_stay_together_in_the_folds():
    data = planted(strength=1.0)
    groups = np.arange(400) // 10
    assert PROBES["l1"].fit(data.x, data.labels, 2, groups).settings["cv"]["by"] == "group"
