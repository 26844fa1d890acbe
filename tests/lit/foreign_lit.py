"""A LIT model and a data set as somebody else would write them, with a concept planted at known distances in three fields."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import lit_nlp
import numpy as np
from lit_nlp import app as lit_app
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types
from lit_nlp.components import core
from werkzeug.test import Client

import lit_probe.lit

CLIENT = str(Path(lit_nlp.__file__).parent / "client" / "build" / "default")
# Distance of the class means in standard deviations: what the best possible reader gets right is Φ(distance / 2).
DISTANCES = {"first": 0.0, "second": 2.0, "third": 6.0}
WIDTH = 6
PATIENCE_S = 60
_WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon".split()


class Sentences(lit_dataset.Dataset):
    """Rows like those of GLUE: a field ``sentence`` and the labels 0 and 1, and nothing that says which row is for what."""

    def __init__(self, n: int = 300, **columns: Callable[[int], Any]):
        rng = np.random.default_rng(0)
        sentences = [f"{' '.join(rng.permutation(_WORDS)[:9])} {row}" for row in range(n)]
        self._examples = [
            {"sentence": sentence, "label": str(row % 2), **{name: value(row) for name, value in columns.items()}}
            for row, sentence in enumerate(sentences)
        ]

    def spec(self) -> types.Spec:
        return {"sentence": types.TextSegment(), "label": types.CategoryLabel(vocab=["0", "1"])}


class Planted(lit_model.Model):
    """Vectors drawn for each sentence; its last word is its row, whose class moves them by the distance of the field."""

    def __init__(self, distances: Mapping[str, float] = DISTANCES):
        self.distances = dict(distances)
        self.n_asked = 0

    def input_spec(self) -> types.Spec:
        return {"sentence": types.TextSegment()}

    def output_spec(self) -> types.Spec:
        return {name: types.Embeddings() for name in self.distances}

    def vectors(self, sentence: str) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(zlib.crc32(sentence.encode()))
        row = sentence.rsplit(" ", 1)[-1]
        side = (int(row) % 2) - 0.5 if row.isdecimal() else 0.0
        return {name: rng.normal(size=WIDTH) + side * distance * np.eye(WIDTH)[0] for name, distance in self.distances.items()}

    def predict(self, inputs: Iterable[Any], **kwargs: Any) -> list[Any]:
        inputs = list(inputs)
        self.n_asked += len(inputs)
        return [self.vectors(example["sentence"]) for example in inputs]


class Page:
    """Asks an application as its page does."""

    def __init__(self, application: Any):
        self.client = Client(application)

    def post(self, path: str, body: Any = None) -> Any:
        response = self.client.post(path, json=body or {})
        assert response.status_code == 200, response.get_data(as_text=True)
        return json.loads(response.get_data())

    def ids(self, dataset: str) -> list[str]:
        return [one["id"] for one in self.post(f"/get_dataset?dataset_name={dataset}")]

    def ask(self, interpreter: str, model: str = "mine", dataset: str = "data", inputs: Any = (), **config: Any) -> Any:
        """The answer once it is there."""
        deadline = time.monotonic() + PATIENCE_S
        address = f"/get_interpretations?model={model}&dataset_name={dataset}&interpreter={interpreter}&do_predict=0"
        while True:
            answer = self.post(address, {"inputs": list(inputs), "config": config})
            if answer["status"] != "computing":
                return answer
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)


def lit_with(
    models: Mapping[str, lit_model.Model], datasets: Mapping[str, lit_dataset.Dataset], **options: Any
) -> lit_app.LitApp:
    """A stock LIT application with our interpreters and layouts merged into its own, as the docs say."""
    interpreters = {**core.default_interpreters(models), **lit_probe.lit.interpreters(models, **options)}
    layouts = lit_probe.lit.layouts()
    return lit_app.LitApp(
        models, datasets, interpreters=interpreters, layouts=layouts, default_layout="decodability", client_root=CLIENT
    )
