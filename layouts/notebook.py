"""The same questions in the height of a notebook cell."""

from lit_nlp.api.layout import LitCanonicalLayout
from lit_nlp.api.layout import LitModuleName as Panel

from lit_probe.layouts.panels import PROBE_BY_LAYER, WORDS_BY_LAYER

NOTEBOOK = LitCanonicalLayout(
    left={"Probe by layer": [PROBE_BY_LAYER], "Words": [WORDS_BY_LAYER]},
    upper={
        "Examples": [Panel.SimpleDataTableModule],
        "Edit": [Panel.DatapointEditorModule],
        "Embeddings": [Panel.EmbeddingsModule],
        "Predictions": [Panel.ClassificationModule, Panel.RegressionModule],
        "Metrics": [Panel.MetricsModule],
        "Errors": [Panel.ConfusionMatrixModule],
        "Explanations": [Panel.SalienceMapModule],
    },
    description="The layer curve beside one panel at a time, for a notebook cell.",
)
