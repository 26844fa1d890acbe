"""At which layer is the concept decodable?"""

from lit_nlp.api.layout import LitCanonicalLayout
from lit_nlp.api.layout import LitModuleName as Panel

from lit_probe.layouts.panels import (
    AGREEMENT,
    CALIBRATION,
    DESCRIPTION_LENGTH,
    LEARNING_CURVE,
    PROBE_BY_LAYER,
    PROVENANCE,
    SELECTIVITY,
    SLICES_BY_LAYER,
    TRANSFER,
)

# One panel per tab: side by side, their charts would be too narrow on a laptop's screen. LIT cuts off the tabs for which there
# is no room, so names are short and what is asked for most stands first.
DECODABILITY = LitCanonicalLayout(
    # The left side has the full height of the page, which LIT's upper and lower groups share.
    left={
        "Probe by layer": [PROBE_BY_LAYER],
        "Selectivity": [SELECTIVITY],
        "Calibration": [CALIBRATION],
        "Learning curve": [LEARNING_CURVE],
        "Description length": [DESCRIPTION_LENGTH],
        "Transfer": [TRANSFER],
    },
    upper={
        "Examples": [Panel.DataTableModule],
        "Embeddings by layer": [Panel.EmbeddingsModule],
        "Slices": [SLICES_BY_LAYER],
        "Provenance": [PROVENANCE],
        "Reading guide": [Panel.DocumentationModule],
    },
    lower={
        # Alone in its tab: beside other panels its buttons would be cut off on a laptop's screen.
        "Edit": [Panel.DatapointEditorModule],
        "Predictions": [Panel.ClassificationModule],
        # Metrics alone: its score columns need the width.
        "Metrics": [Panel.MetricsModule],
        "Errors": [Panel.ConfusionMatrixModule, Panel.CurvesModule],
        "Salience": [Panel.SalienceMapModule],
        "Generate": [Panel.GeneratorModule],
        "Model": [AGREEMENT],
    },
    description="At which layer is the concept decodable? Every layer's probe, scored on all rows, a slice or a selection.",
)
