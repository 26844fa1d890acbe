"""Which words drive it?"""

from lit_nlp.api.layout import LitCanonicalLayout
from lit_nlp.api.layout import LitModuleName as Panel

from lit_probe.layouts.panels import PROBE_BY_LAYER, SALIENCE_QUALITY, SALIENCE_ROWS, SALIENT_WORDS

WORDS = LitCanonicalLayout(
    # The left side has the full height of the page, which these panels want.
    left={
        "Side by side": [SALIENCE_ROWS],
        "Trust": [SALIENCE_QUALITY],
        "Salient words": [SALIENT_WORDS],
        "Probe by layer": [PROBE_BY_LAYER],
    },
    upper={
        "Examples": [Panel.DataTableModule],
        "Edit": [Panel.DatapointEditorModule],
        "Guide": [Panel.DocumentationModule],
    },
    lower={
        "LIT’s maps": [Panel.SalienceMapModule],
        "Predictions": [Panel.ClassificationModule, Panel.RegressionModule],
    },
    description=(
        "Which words drive it? Select a text, or edit one, and see which words speak for a class to the probe of each layer and "
        "to the model, and how far to trust that."
    ),
)
