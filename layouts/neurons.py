"""Which neurons carry it?"""

from lit_nlp.api.layout import LitCanonicalLayout
from lit_nlp.api.layout import LitModuleName as Panel

from lit_probe.layouts.panels import NEURON_ACTIVATIONS, NEURONS, PROBE_BY_LAYER

NEURONS_LAYOUT = LitCanonicalLayout(
    # The left side has the full height of the page, which the list and its evidence want.
    left={
        "Neurons": [NEURONS],
        "Probe by layer": [PROBE_BY_LAYER],
    },
    upper={
        "Examples": [Panel.DataTableModule],
        "Edit": [Panel.DatapointEditorModule],
        "Embeddings": [Panel.EmbeddingsModule],
        "Guide": [Panel.DocumentationModule],
    },
    lower={
        "Neuron activations": [NEURON_ACTIVATIONS],
        "Predictions": [Panel.ClassificationModule, Panel.RegressionModule],
    },
    description=(
        "Which neurons carry it? The neurons of a layer from which the concept is decodable, on what they fire, and what the "
        "later layers and the model say when they are switched off."
    ),
)
