"""The probe that docs/add-a-probe.md builds is a real one."""

import re
from pathlib import Path

import numpy as np
import pytest
from planted import planted
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import StandardScaler

DOC = Path(__file__).parents[3] / "docs" / "add-a-probe.md"


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_probe_in_the_documentation_predicts_the_nearest_class_mean(n_classes):
    (code,) = re.findall(r"```python\n(.*?)```", DOC.read_text("utf-8"), flags=re.DOTALL)
    names: dict = {}
    exec(code, names)
    data = planted(n_classes)
    probe = names["fit_centroid"](data.x, data.labels, n_classes)
    scaler = StandardScaler().fit(data.x)
    expected = NearestCentroid().fit(scaler.transform(data.x), data.labels).predict(scaler.transform(data.test_x))
    assert np.mean(probe.predict(data.test_x) == expected) > 0.995
