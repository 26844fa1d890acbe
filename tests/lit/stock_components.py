"""Every component of stock LIT, run on a model of ours as its page runs it: which work."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foreign_lit import CLIENT
from lit_nlp import app as lit_app
from lit_nlp.api import types
from lit_nlp.api.dataset import Dataset
from lit_nlp.api.model import Model
from lit_nlp.components import core, salience_clustering
from tiny_probing import tiny_splits
from werkzeug.test import Client

import lit_probe.lit
from lit_probe.encoder.cache import Cache

PAGE = Path(__file__).parents[2] / "docs" / "stock-lit.md"
WORKS, WITH_TOKEN_FIELDS, NOT = "yes", "with `token_fields`", "no"
_FIELD = {"model_name": "mine", "field_name": "chosen_layer", "use_input": False, "proj_kw": {"n_components": 3}}
_FLIPS = {
    "Max number of counterfacuals to generate": "3",
    "Max number of counterfactuals to generate": "3",
    "Max number of token ablations": "2",
    "Max number of token flips": "2",
    "Comma-separated list of tokens to never flip": [],
    "Comma-separated list of tokens to never ablate": [],
    "Regression threshold": "0",
    "Prediction key": "probe",
    "Fields to ablate": ["sentence"],
    "Fields to flip tokens in": ["tokens"],
}
# What the page sends of each component's form; the others are asked without a configuration.
_CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "pca": _FIELD,
    "umap": _FIELD,
    "nearest neighbors": {"embedding_name": "chosen_layer", "num_neighbors": 3, "use_input": False},
    "curves": {"Label": "1", "Prediction field": "probe"},
    "Integrated Gradients": {"Class to explain": "", "Normalize": True, "Interpolation steps": "10"},
    "Salience Clustering": {
        salience_clustering.SALIENCE_MAPPER_KEY: "LIME",
        salience_clustering.N_CLUSTERS_KEY: 2,
        salience_clustering.TOP_K_TOKENS_KEY: 2,
        salience_clustering.N_TOKENS_TO_DISPLAY_KEY: 5,
        salience_clustering.SEED_KEY: "0",
    },
    "pdp": {"feature": "label"},
    "Scrambler": {"Fields to scramble": ["sentence"]},
    "Word Replacer": {"Substitutions": "the -> a", "Fields to replace": ["sentence"]},
    "Ablation Flip": _FLIPS,
    "Hotflip": _FLIPS,
}
_FEW = {"nearest neighbors": 1, "LIME": 1, "Integrated Gradients": 1, "Salience Clustering": 6, "thresholder": 40}


class StockServer:
    """A stock LIT with one model and one data set, and nothing of ours but the model."""

    def __init__(self, model: Model, data: Dataset):
        self._client = Client(lit_app.LitApp({"mine": model}, {"data": data}, client_root=CLIENT))
        self.info = self._ask("/get_info")
        self._rows = self._ask("/get_dataset?dataset_name=data")
        self._ids = [one["id"] for one in self._rows]

    def _ask(self, path: str, body: Any = None) -> Any:
        response = self._client.post(path, json=body or {})
        assert response.status_code == 200, response.get_data(as_text=True)[:3_000]
        return json.loads(response.get_data())

    def works(self, kind: str, name: str) -> bool:
        """Whether the page offers the component, and it answers with something."""
        if name not in self.info["models"]["mine"][kind]:
            return False
        return bool({"interpreters": self._interprets, "generators": self._generates, "metrics": self._measures}[kind](name))

    def _interprets(self, name: str) -> bool:
        address = f"/get_interpretations?model=mine&dataset_name=data&interpreter={name}"
        config = dict(_CONFIGS.get(name, {}))
        if name == "tcav":
            concept = [one["id"] for one in self._rows if "great" in one["data"]["sentence"]]
            config = {"concept_set_ids": concept, "class_to_explain": "1", "grad_layer": "chosen_layer_gradients"}
        body = {"inputs": self._ids[: _FEW.get(name)]} | ({"config": config} if config else {})
        return _says_something(self._ask(address, body))

    def _generates(self, name: str) -> bool:
        address = f"/get_generated?model=mine&dataset_name=data&generator={name}"
        spec = self.info["generators"][name]["configSpec"]
        config = {key: value for key, value in _CONFIGS[name].items() if key in spec}
        return any(self._ask(address, {"inputs": self._ids[:3], "config": config}))

    def _measures(self, name: str) -> bool:
        row = self._rows[0]
        meta = {"added": True, "parentId": row["id"], "source": "manual"}
        edit = {"id": "", "meta": meta, "data": {**row["data"], "sentence": "a dull film", "_id": "", "_meta": meta}}
        address = f"/get_metrics?model=mine&dataset_name=data&metrics={name}"
        return _says_something(self._ask(address, {"inputs": [*self._ids, edit]}))


def _says_something(answer: Any) -> bool:
    """Whether there is a number in it."""
    if isinstance(answer, Mapping):
        return any(map(_says_something, answer.values()))
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        return any(map(_says_something, answer))
    return isinstance(answer, int | float) and not isinstance(answer, bool)


def registered() -> dict[str, list[str]]:
    """All components that LIT has by itself. UMAP is one where it is installed, and is in the table wherever."""
    interpreters = dict.fromkeys([*core.default_interpreters({}), "umap"])
    return {
        "interpreters": list(interpreters),
        "generators": list(core.default_generators()),
        "metrics": list(core.default_metrics()),
    }


class Reviews(Dataset):
    """Sentences as in GLUE's SST-2, with a concept that can be read off."""

    def __init__(self, n: int = 156, **columns: Any):
        splits = tiny_splits()
        rows = [(text, str(label)) for _, part in splits.items() for text, label in zip(part.texts, part.labels, strict=True)]
        self._columns = columns
        own = {name: value for name, (_, value) in columns.items()}
        self._examples = [{"sentence": text, "label": label, **own} for text, label in rows[:n]]

    def spec(self) -> types.Spec:
        own = {name: kind for name, (kind, _) in self._columns.items()}
        return {"sentence": types.TextSegment(), "label": types.CategoryLabel(vocab=["0", "1"]), **own}


def stock_model(folder: Any, token_fields: bool) -> Model:
    """A model of ours on the reviews, ready."""
    return lit_probe.lit.ProbeModel(folder, Reviews(), cache=Cache(None), background=False, token_fields=token_fields)


def told(section: str) -> dict[str, str]:
    """What `docs/stock-lit.md` says of each component of a section: the first column, and whether it works."""
    text = PAGE.read_text("utf-8").split(f"## {section}\n")[1].split("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    rows = cells[2:]
    assert all(why for _, works, why in rows if works == NOT), "what does not work has its reason"
    found = {name.strip("`"): works for name, works, _ in rows}
    assert len(found) == len(rows)
    return found
