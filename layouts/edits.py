"""What changes, at which layer, when I edit the text?"""

from lit_nlp.api.layout import LitCanonicalLayout
from lit_nlp.api.layout import LitModuleName as Panel

from lit_probe.layouts.panels import COUNTERFACTUAL_BY_LAYER, PROBE_BY_LAYER, WORDS_BY_LAYER

EDITS = LitCanonicalLayout(
    left={"Counterfactual": [COUNTERFACTUAL_BY_LAYER], "Words": [WORDS_BY_LAYER], "Probe by layer": [PROBE_BY_LAYER]},
    upper={
        "Edit": [Panel.DatapointEditorModule],
        "Generate": [Panel.GeneratorModule],
        "Guide": [Panel.DocumentationModule],
    },
    lower={
        "Examples": [Panel.DataTableModule],
        "Predictions": [Panel.ClassificationModule, Panel.RegressionModule],
        "Explanations": [Panel.SalienceMapModule],
    },
    description=(
        "What changes, at which layer, when I edit the text? Select an example, edit it and press Add: "
        "the panel shows original and edit layer by layer, and from which layer on the probe answers otherwise."
    ),
)
