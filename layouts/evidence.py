"""Would a careful reader accept the curve?"""

from lit_nlp.api.layout import LitCanonicalLayout
from lit_nlp.api.layout import LitModuleName as Panel

from lit_probe.layouts.panels import (
    AGREEMENT,
    CALIBRATION,
    CONCEPTS,
    DESCRIPTION_LENGTH,
    LEARNING_CURVE,
    PROBE_BY_LAYER,
    PROVENANCE,
    SELECTIVITY,
    SLICES_BY_LAYER,
    TRANSFER,
)

EVIDENCE = LitCanonicalLayout(
    left={"Probe by layer": [PROBE_BY_LAYER], "Concepts": [CONCEPTS], "Transfer": [TRANSFER], "Provenance": [PROVENANCE]},
    upper={"Selectivity": [SELECTIVITY], "Description length": [DESCRIPTION_LENGTH], "Learning curve": [LEARNING_CURVE]},
    lower={
        "Calibration": [CALIBRATION],
        "Slices": [SLICES_BY_LAYER],
        "Model": [AGREEMENT],
        "Examples": [Panel.DataTableModule],
    },
    description=(
        "Would a careful reader accept the curve? Beside it: control labels, description length, learning curve, calibration, "
        "slices, the model's own answers, other concepts and data sets."
    ),
)
