"""The same questions in the height of a notebook cell."""

from lit_nlp.api.layout import LitCanonicalLayout
from lit_nlp.api.layout import LitModuleName as Panel
from lit_probe.layouts.panels import PROBE_BY_LAYER

NOTEBOOK = LitCanonicalLayout(
    upper={
        "Probe by layer": [Panel.SimpleDataTableModule, PROBE_BY_LAYER],
        "Edit": [Panel.DatapointEditorModule, PROBE_BY_LAYER],
        "Embeddings by layer": [Panel.EmbeddingsModule, PROBE_BY_LAYER],
        "Performance": [Panel.MetricsModule, Panel.ConfusionMatrixModule],
        "Explanations": [Panel.SingleDatapointEditorModule, Panel.SalienceMapModule],
    },
    description="One row of panels, for a notebook cell.",
)
