"""A real, small LIT application: a model that counts letters, eight texts, and interpreters that misbehave on purpose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lit_nlp
from lit_nlp import dev_server
from lit_nlp.api import components, dataset, model, types
from werkzeug.test import Client, TestResponse

from lit_probe.errors import DatasetError
from lit_probe.lit.server.web import WebApp, wrap

CLIENT_ROOT = Path(lit_nlp.__file__).parent / "client" / "build" / "default"
LABELS = ["negative", "positive"]
HOST = "127.0.0.1:5432"


class LetterModel(model.BatchedModel):
    """Calls a text positive by its share of the letter a."""

    def input_spec(self):
        return {"text": types.TextSegment(), "label": types.CategoryLabel(vocab=LABELS, required=False)}

    def output_spec(self):
        return {"probe": types.MulticlassPreds(vocab=LABELS, parent="label")}

    def predict_minibatch(self, inputs):
        shares = [example["text"].count("a") / max(len(example["text"]), 1) for example in inputs]
        return [{"probe": [1 - share, share]} for share in shares]


class Misbehaving(components.Interpreter):
    """Does what `config["what"]` says."""

    def is_compatible(self, model, dataset):
        return True

    def run(self, inputs, model, dataset, model_outputs=None, config=None):
        match (config or {}).get("what"):
            case "break":
                raise ValueError("<script>alert(1)</script> in '/home/somebody/secret data/reviews.csv', line 3")
            case "refuse":
                raise DatasetError("The file /srv/data/reviews.csv has no column 'label'.\nIt has: a, b.")
            case "pretend":
                raise ValueError("x\n\nDetails: Traceback\nlit_probe.errors.DatasetError: y")
            case "not finite":
                return {"scores": [float("nan"), float("inf"), 1.0], "note": "NaN stays in texts"}
            case "long":
                raise ValueError("x" * 100_000)
        return {"texts": [example["text"] for example in inputs]}


def tiny_lit_app(**options: Any):
    """LIT's WSGI application, as lit_probe starts it."""
    spec = {"text": types.TextSegment(), "label": types.CategoryLabel(vocab=LABELS)}
    examples = [{"text": f"a {'good' if i % 2 else 'bad'} film, number {i}", "label": LABELS[i % 2]} for i in range(8)]
    defaults: dict[str, Any] = {
        "client_root": str(CLIENT_ROOT),
        "interpreters": {"misbehaving": Misbehaving()},
        "dataset_loaders": {},
        "model_loaders": {},
        "demo_mode": True,
        "strict_cache_id_validation": True,
        "server_type": "external",
    }
    models, datasets = {"letters": LetterModel()}, {"films": dataset.Dataset(spec, examples)}
    return dev_server.Server(models, datasets, **(defaults | options)).serve()


def wrapped(**options: Any) -> WebApp:
    """The tiny application behind the guard."""
    return wrap(tiny_lit_app(), **options)


class Browser:
    """Sends requests to a WSGI application without a server in between, with the headers a browser would send."""

    def __init__(self, app: Any):
        self.client = Client(app)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.send("GET", path, **options)

    def post(self, path: str, data: Any = None, **options: Any) -> TestResponse:
        """Posts bytes as they are and anything else as JSON, with the content type of LIT's page."""
        body = data if isinstance(data, bytes) else b"" if data is None else json.dumps(data).encode()
        return self.send("POST", path, data=body, content_type="text/plain;charset=UTF-8", **options)

    def send(self, method: str, path: str, headers: dict[str, str | None] | None = None, **options: Any) -> TestResponse:
        sent = {"Host": HOST} | (headers or {})
        return self.client.open(path, method=method, headers={k: v for k, v in sent.items() if v is not None}, **options)
