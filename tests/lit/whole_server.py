"""A running server with everything on it: texts, words and a number, token fields, all interpreters, generators and metrics."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tiny_probing import tiny_splits
from tiny_words import word_splits

from lit_probe.encoder.encoder import Encoder
from lit_probe.lit.app import AppOptions, assemble, guarded, start
from lit_probe.lit.host.pending_checks import PendingChecks
from lit_probe.lit.server.limits import DEFAULT_LIMITS, Limits
from lit_probe.lit.server.web import Server, serve
from lit_probe.probing.study import probe_layers

# A wide margin over anything planned: who gets no answer by then fails.
PATIENCE_S = 60


@dataclass
class Answer:
    """What the server says.

    Attributes:
      status: the HTTP status.
      text: the body.
    """

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


class WholeServer:
    """The server; it answers once its probes are ready. What a question has started in the background ends with the question.

    Args:
      splits_list: what is shown.
      encoder: a tiny one.
      limits: how much it takes.
    """

    def __init__(self, encoder: Encoder, splits_list: list[Any], limits: Limits = DEFAULT_LIMITS):
        one_unit = splits_list[0].unit == "text"
        options = AppOptions(token_fields=one_unit, limits=limits)
        self.checks = PendingChecks()
        assembled = assemble([encoder], splits_list, options, self.checks)
        app = guarded(assembled, options, self.checks)
        start(assembled.studies, lambda one, splits, progress: probe_layers(one, splits))
        self.server: Server = serve(app, "127.0.0.1", 0, threads=8, limits=limits).start()
        self.info = self.ask("/get_info").json
        self.ids = {
            name: [one["id"] for one in self.ask("/get_dataset", dataset_name=name).json] for name in self.info["datasets"]
        }
        for model in self.info["models"]:
            for dataset in self.info["models"][model]["datasets"]:
                while self.ask("/get_preds", {"inputs": []}, model=model, dataset_name=dataset).status == 503:
                    pass

    def ask(self, path: str, body: Any = None, method: str = "POST", **parameters: str) -> Answer:
        """What is answered; bytes are sent as they are."""
        sent = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE_S)
        try:
            connection.request(method, f"{path}?{urlencode(parameters)}" if parameters else path, sent)
            response = connection.getresponse()
            return Answer(response.status, response.read().decode("utf-8", "replace"))
        finally:
            connection.close()
            self.checks.cancel_all()

    def components(self) -> list[tuple[str, str, Mapping[str, str]]]:
        """Path and name of everything that may be asked of the first model, and what names it in an address."""
        [(model, about), *_] = self.info["models"].items()
        names = {"model": model, "dataset_name": about["datasets"][0]}
        return [
            *(("/get_interpretations", one, {**names, "interpreter": one}) for one in about["interpreters"]),
            *(("/get_generated", one, {**names, "generator": one}) for one in about["generators"]),
            *(("/get_metrics", one, {**names, "metrics": one}) for one in about["metrics"]),
        ]

    def config_spec(self, path: str, name: str) -> Mapping[str, Any]:
        """The keys of a component that LIT's page knows."""
        kind = {"/get_interpretations": "interpreters", "/get_generated": "generators", "/get_metrics": "metrics"}[path]
        return dict(self.info[kind][name]["configSpec"])

    def close(self) -> None:
        """Ends it."""
        self.server.close()


def text_server(encoder: Encoder, **options: Any) -> WholeServer:
    """With texts, and token fields."""
    return WholeServer(encoder, [tiny_splits(), tiny_splits("other", start=-70)], **options)


def word_server(encoder: Encoder, **options: Any) -> WholeServer:
    """With words."""
    return WholeServer(encoder, [word_splits()], **options)
