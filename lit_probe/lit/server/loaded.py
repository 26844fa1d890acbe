"""The names that a LIT application knows."""

from __future__ import annotations

import json
from collections.abc import KeysView, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from wsgiref.types import WSGIApplication

from werkzeug.test import create_environ
from werkzeug.wrappers import Response

from lit_probe.errors import LitProbeError


@dataclass(frozen=True)
class LoadedModel:
    """What goes with one model.

    Attributes:
      fields: names of its output fields.
      interpreters: names of those that fit it.
      generators: names of those that fit it.
      metrics: names of those that fit it.
    """

    fields: frozenset[str] = frozenset()
    interpreters: frozenset[str] = frozenset()
    generators: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Loaded:
    """What a LIT application holds, by name.

    Attributes:
      models: each with what goes with it.
      datasets: each with the ids of its examples, in their order; of equal ones the first, as on LIT's page.
      panels: the tags of the panels of each layout; those of the usual layout under the empty name.
      required_config: of each interpreter and generator the keys that a configuration must have, if there is one.
      syncs_state: whether the page may push its selection back to Python (notebooks).
    """

    models: Mapping[str, LoadedModel]
    datasets: Mapping[str, KeysView[str]]
    panels: Mapping[str, frozenset[str]]
    required_config: Mapping[str, frozenset[str]]
    syncs_state: bool

    @classmethod
    def ask(cls, lit_app: WSGIApplication) -> Loaded:
        """Asks the application through its own API, so that names and ids are exactly LIT's."""
        info = _ask(lit_app, "/get_info")
        panels = {name: _tags(layout) for name, layout in info["layouts"].items()}
        return cls(
            models={
                name: LoadedModel(
                    frozenset(model["spec"]["output"]),
                    *(frozenset(model[kind]) for kind in ("interpreters", "generators", "metrics")),
                )
                for name, model in info["models"].items()
            },
            datasets={
                name: dict.fromkeys(example["id"] for example in _ask(lit_app, "/get_dataset", dataset_name=name)).keys()
                for name in info["datasets"]
            },
            panels={"": panels.get(info["defaultLayout"], frozenset()), **panels},
            required_config={
                name: frozenset(key for key, type_ in component["configSpec"].items() if type_["required"])
                for name, component in {**info["interpreters"], **info["generators"]}.items()
            },
            syncs_state=info["syncState"],
        )


def _tags(layout: Mapping[str, Any]) -> frozenset[str]:
    shown = [one for part in ("upper", "lower", "left") for tab in layout[part].values() for one in tab]
    return frozenset(one if isinstance(one, str) else one["module"] for one in shown)


def _ask(lit_app: WSGIApplication, path: str, **parameters: str) -> Any:
    environ = create_environ(path, method="POST", query_string=parameters)
    response = Response.from_app(lit_app, environ, buffered=True)
    if response.status_code != HTTPStatus.OK:
        raise LitProbeError(f"LIT does not answer {path} {parameters}: {response.get_data(as_text=True)}")
    return json.loads(response.get_data())
