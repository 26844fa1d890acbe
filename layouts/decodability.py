"""At which layer is the concept decodable?"""

from lit_nlp.api.layout import LitCanonicalLayout
from lit_nlp.api.layout import LitModuleName as Panel

from lit_probe.layouts.panels import (
    CALIBRATION,
    NEW_PROBE,
    PROBE_BY_LAYER,
    PROVENANCE,
    SELECTIVITY,
    SLICES_BY_LAYER,
    WORDS_BY_LAYER,
)

# One panel per tab: side by side, their charts would be too narrow on a laptop's screen. Names are short and tabs few, so that
# all of them have room on a page of a thousand pixels; the layout `evidence` has every check.
DECODABILITY = LitCanonicalLayout(
    # The left side has the full height of the page, which LIT's upper and lower groups share.
    left={
        "Probe by layer": [PROBE_BY_LAYER],
        # Of data sets whose rows are words; on others the tab is not there.
        "Words": [WORDS_BY_LAYER],
        "Selectivity": [SELECTIVITY],
        "Calibration": [CALIBRATION],
        "Slices": [SLICES_BY_LAYER],
    },
    upper={
        "Examples": [Panel.DataTableModule],
        "Embeddings": [Panel.EmbeddingsModule],
        "New probe": [NEW_PROBE],
        "Provenance": [PROVENANCE],
        "Guide": [Panel.DocumentationModule],
    },
    lower={
        # Alone in its tab: beside other panels its buttons would be cut off on a laptop's screen.
        "Edit": [Panel.DatapointEditorModule],
        "Predictions": [Panel.ClassificationModule, Panel.RegressionModule],
        # Metrics alone: its score columns need the width.
        "Metrics": [Panel.MetricsModule],
        "Errors": [Panel.ConfusionMatrixModule, Panel.CurvesModule],
        "Salience": [Panel.SalienceMapModule],
        "Generate": [Panel.GeneratorModule],
    },
    description="At which layer is the concept decodable? Every layer's probe, scored on all rows, a slice or a selection.",
)
