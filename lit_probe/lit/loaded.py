"""The names that a LIT application knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from wsgiref.types import WSGIApplication

from werkzeug.test import create_environ
from werkzeug.wrappers import Response

from lit_probe.errors import LitProbeError


@dataclass(frozen=True)
class Loaded:
    """What a LIT application holds, by name.

    Attributes:
      models: each with the names of its output fields.
      datasets: each with the ids of its examples.
      interpreters: their names.
      generators: their names.
      metrics: their names.
      syncs_state: whether the page may push its selection back to Python (notebooks).
    """

    models: Mapping[str, frozenset[str]]
    datasets: Mapping[str, frozenset[str]]
    interpreters: frozenset[str]
    generators: frozenset[str]
    metrics: frozenset[str]
    syncs_state: bool

    @classmethod
    def ask(cls, lit_app: WSGIApplication) -> Loaded:
        """Asks the application through its own API, so that names and ids are exactly LIT's."""
        info = _ask(lit_app, "/get_info")
        return cls(
            models={name: frozenset(model["spec"]["output"]) for name, model in info["models"].items()},
            datasets={
                name: frozenset(example["id"] for example in _ask(lit_app, "/get_dataset", dataset_name=name))
                for name in info["datasets"]
            },
            interpreters=frozenset(info["interpreters"]),
            generators=frozenset(info["generators"]),
            metrics=frozenset(info["metrics"]),
            syncs_state=info["syncState"],
        )


def _ask(lit_app: WSGIApplication, path: str, **parameters: str) -> Any:
    environ = create_environ(path, method="POST", query_string=parameters)
    response = Response.from_app(lit_app, environ, buffered=True)
    if response.status_code != HTTPStatus.OK:
        raise LitProbeError(f"LIT does not answer {path} {parameters}: {response.get_data(as_text=True)}")
    return json.loads(response.get_data())
