"""SmoothGrad and GradientSHAP against what they estimate."""

from __future__ import annotations

import numpy as np
import pytest

from lit_probe.probing.probe_forward import Target
from lit_probe.salience import SalienceOptions, explain
from lit_probe.salience.methods.baselines import INPUT_BASELINES

TEXT = "the plot was slow but great we loved it"


def test_smoothgrad_without_noise_is_the_gradients_length(planted):
    plain = explain(planted.forward(), TEXT, "gradient_l2", Target(1)).scores
    smooth = explain(planted.forward(), TEXT, "smoothgrad", Target(1), SalienceOptions(noise=0.0, noise_samples=3)).scores
    np.testing.assert_allclose(smooth, plain, rtol=1e-5)
    noisy = explain(planted.forward(), TEXT, "smoothgrad", Target(1), SalienceOptions(noise=0.5, noise_samples=3)).scores
    assert np.abs(noisy - plain).max() > 1e-3


def test_gradient_shap_nears_the_mean_of_integrated_gradients_over_all_baselines(planted):
    forward = planted.forward()
    paths = [
        explain(forward, TEXT, "integrated_gradients", Target(1), SalienceOptions(baseline=name, steps=100))
        for name in INPUT_BASELINES
    ]
    exact = np.mean([path.scores for path in paths], axis=0)
    few, many = (explain(forward, TEXT, "gradient_shap", Target(1), SalienceOptions(noise_samples=n)) for n in (8, 3000))
    assert many.diagnostics["change"] == pytest.approx(np.mean([path.diagnostics["change"] for path in paths]), abs=1e-5)
    assert np.abs(many.scores - exact).max() < 0.1 * np.abs(exact).max()
    assert np.abs(many.scores - exact).max() < np.abs(few.scores - exact).max()
    assert many.diagnostics["completeness_gap"] < few.diagnostics["completeness_gap"]
    gap = abs(few.scores.sum() - few.diagnostics["change"])
    assert few.diagnostics["completeness_gap"] == pytest.approx(gap)
