import numpy as np
from planted import planted

from lit_probe.probing.probes import fit_majority


def test_the_majority_probe_predicts_the_train_frequencies_whatever_it_reads():
    data = planted(3)
    labels = np.array([0] * 100 + [1] * 50 + [2] * 250)
    probe = fit_majority(data.x, labels, 3)
    assert np.allclose(probe.predict_proba(data.test_x), [0.25, 0.125, 0.625])
    assert (probe.predict(data.test_x) == 2).all()
    assert not probe.coef_.any()
