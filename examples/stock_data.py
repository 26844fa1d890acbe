"""Layer probes beside LIT's own components, on data in the form of LIT's own example SST-2: ``python examples/stock_data.py``.

LIT loads SST-2 with TensorFlow, which nothing here needs: the sentences are those of lit_probe's demo, under the same names of
fields and of classes. Token fields are asked for, so LIT's own gradient maps, TCAV and HotFlip work too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lit_nlp
from lit_nlp import dev_server
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import types
from lit_nlp.components import core

import lit_probe
import lit_probe.lit


class SST2Like(lit_dataset.Dataset):
    """As ``lit_nlp.examples.glue.data.SST2Data``: a field ``sentence`` and the labels 0 and 1."""

    LABELS = ("0", "1")

    def __init__(self):
        splits = lit_probe.load_dataset("demo")
        self._examples = [
            {"sentence": text, "label": self.LABELS[label]}
            for _, rows in splits.items()
            for text, label in zip(rows.texts, rows.labels)
        ]

    def spec(self) -> types.Spec:
        return {"sentence": types.TextSegment(), "label": types.CategoryLabel(vocab=list(self.LABELS))}


def application(encoder: Any = "sentence-transformers/all-MiniLM-L6-v2") -> Any:
    """LIT's server with everything that it has by itself, and our panels on its page."""
    datasets = {"sst2": SST2Like()}
    models = {"probes": lit_probe.lit.ProbeModel(encoder, datasets["sst2"], name="sst2", token_fields=True)}
    server = dev_server.Server(
        models,
        datasets,
        interpreters={**core.default_interpreters(models), **lit_probe.lit.interpreters(models)},
        layouts=lit_probe.lit.layouts(),
        default_layout="decodability",
        client_root=str(Path(lit_nlp.__file__).parent / "client" / "build" / "default"),
    )
    return lit_probe.lit.attach(server)


if __name__ == "__main__":
    running = lit_probe.lit.serve(application(), "127.0.0.1", 5432)
    print("LIT is open at", running.url)
    running.run()
