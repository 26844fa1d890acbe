"""How does it look inside?"""

from lit_nlp.api.layout import LitCanonicalLayout
from lit_nlp.api.layout import LitModuleName as Panel

from lit_probe.layouts.panels import ATTENTION, LENS, PATTERNS, PROBE_BY_LAYER, PROJECTIONS, SIMILARITY_OF_LAYERS

PICTURES = LitCanonicalLayout(
    # The left side has the full height of the page, which pictures of all layers want.
    left={
        # Known already: the pictures are computed when somebody looks at them.
        "Probe by layer": [PROBE_BY_LAYER],
        "Layers in 2-D": [PROJECTIONS],
        "Similarity": [SIMILARITY_OF_LAYERS],
        "Attention": [ATTENTION],
        "Lens": [LENS],
        "Patterns": [PATTERNS],
    },
    upper={
        "Examples": [Panel.DataTableModule],
        "Edit": [Panel.DatapointEditorModule],
        "Guide": [Panel.DocumentationModule],
    },
    lower={
        "Predictions": [Panel.ClassificationModule, Panel.RegressionModule],
    },
    description="How does it look inside? Pictures of every layer, linked to the rows, labels, edits and probes of the page.",
)
