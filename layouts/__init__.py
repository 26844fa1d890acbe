"""LIT layouts, one file per question. The first one is what the page opens with.

LIT's Scalars and Dive panels are in none of them, stock layouts included: with a probe per layer, their drawing contexts take
the browser minutes and cost the Embeddings panel its own. Slices need no panel: their editor stands in LIT's toolbar.
"""

from lit_nlp.api.layout import LitCanonicalLayout

from lit_probe.layouts.decodability import DECODABILITY
from lit_probe.layouts.edits import EDITS
from lit_probe.layouts.evidence import EVIDENCE
from lit_probe.layouts.neurons import NEURONS_LAYOUT
from lit_probe.layouts.notebook import NOTEBOOK
from lit_probe.layouts.pictures import PICTURES
from lit_probe.layouts.stock import STOCK
from lit_probe.layouts.words import WORDS

LAYOUTS: dict[str, LitCanonicalLayout] = {
    "decodability": DECODABILITY,
    "evidence": EVIDENCE,
    "edits": EDITS,
    "words": WORDS,
    "neurons": NEURONS_LAYOUT,
    "pictures": PICTURES,
    "notebook": NOTEBOOK,
    **STOCK,
}

DEFAULT_LAYOUT = next(iter(LAYOUTS))
