"""At which layer is the concept decodable?"""

from lit_nlp.api.layout import LitCanonicalLayout
from lit_nlp.api.layout import LitModuleName as Panel

from lit_probe.layouts.panels import PROBE_BY_LAYER

DECODABILITY = LitCanonicalLayout(
    # The left side has the full height of the page, which LIT's upper and lower groups share.
    left={"Probe by layer": [PROBE_BY_LAYER]},
    upper={
        "Examples": [Panel.DataTableModule],
        "Embeddings by layer": [Panel.EmbeddingsModule],
        "Reading guide": [Panel.DocumentationModule],
    },
    lower={
        # Alone in its tab: beside other panels its buttons would be cut off on a laptop's screen.
        "Edit": [Panel.DatapointEditorModule],
        "Predictions": [Panel.ClassificationModule],
        "Performance": [Panel.MetricsModule, Panel.ConfusionMatrixModule, Panel.CurvesModule],
        "Explanations": [Panel.SalienceMapModule],
        "Counterfactuals": [Panel.GeneratorModule],
    },
    description="At which layer is the concept decodable? Every layer's probe, scored on all rows, a slice or a selection.",
)
