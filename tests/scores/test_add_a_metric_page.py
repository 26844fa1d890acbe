"""The metric that docs/add-a-metric.md builds is a real one."""

from __future__ import annotations

from unittest.mock import patch

from page_code import blocks_of, within

from lit_probe.scores import metrics
from lit_probe.scores.metrics import METRICS, metrics_for


def test_the_pages_metric_is_scored_with_an_interval():
    with patch.dict(METRICS):
        names = within(metrics, *blocks_of("add-a-metric.md"))
        assert list(metrics_for(["no", "yes"]))[-1] == "top_2"
        names["test_top_2_is_scikit_learns"]()
    assert "top_2" not in METRICS
