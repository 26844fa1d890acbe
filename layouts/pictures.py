"""How does it look inside?"""

from lit_nlp.api.layout import LitCanonicalLayout
from lit_nlp.api.layout import LitModuleName as Panel

from lit_probe.layouts.panels import LENS, PROBE_BY_LAYER

PICTURES = LitCanonicalLayout(
    # The left side has the full height of the page, which pictures of all layers want.
    left={
        "Probe by layer": [PROBE_BY_LAYER],
        "Lens": [LENS],
    },
    upper={
        "Examples": [Panel.DataTableModule],
        "Edit": [Panel.DatapointEditorModule],
        "Guide": [Panel.DocumentationModule],
    },
    lower={
        "Predictions": [Panel.ClassificationModule],
    },
    description="How does it look inside? Pictures of every layer, linked to the rows, labels, edits and probes of the page.",
)
