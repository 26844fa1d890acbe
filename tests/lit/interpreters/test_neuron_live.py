"""Neurons over HTTP, from a server as a user starts it."""

from __future__ import annotations

import json
import time
import urllib.error

import pytest
from live_server import PATIENCE_S, ask, curve, live_server, post

MODEL = "tiny-bert-on-demo"


def test_neurons_are_ranked_looked_at_and_switched_off(tiny_folder, tmp_path):
    with live_server([f"--model={tiny_folder()}", "--datasets=demo"], tmp_path) as url:

        def answer(name, inputs=(), **config):
            deadline = time.monotonic() + PATIENCE_S
            while (found := ask(url, name, MODEL, "demo", inputs, **config))["status"] == "computing":
                assert time.monotonic() < deadline, found
                time.sleep(0.05)
            return found

        assert ask(url, "neuron_ranking", MODEL, "demo", [], choices=True)["d_model"] == 32
        rows = post(url, "get_dataset?dataset_name=demo")
        ids = [row["id"] for row in rows]
        best = curve(url, MODEL, "demo")["best_layer"]
        ranked = answer("neuron_ranking", top="3", **{"class": rows[0]["data"]["label"]})
        assert ranked["layer"] == best and len(ranked["neurons"]) == 3
        name, unit = ranked["neurons"][0]["name"], ranked["neurons"][0]["unit"]

        column = answer("neuron_evidence", ids, part="column", unit=name)
        assert len(column["values"]) == len(rows) and column["column"] == f"neuron_{best}.{unit}"
        words = answer("neuron_evidence", part="words", unit=unit, split="dev")
        assert {context["id"] for context in words["highest"]["contexts"]} <= set(ids)
        meta = {"added": True, "source": "manual", "parentId": ids[0]}
        edit = {"data": {**rows[0]["data"], "text": "not a bad film", "_id": "", "_meta": meta}, "id": "", "meta": meta}
        tokens = answer("neuron_evidence", [ids[0], edit], part="tokens", units=[unit])
        assert tokens["texts"][1]["tokens"] == ["[CLS]", "not", "a", "bad", "film", "[SEP]"]
        off = answer("neuron_ablation", [ids[0], edit], part="text", units=[row["unit"] for row in ranked["neurons"]], n_random=3)
        assert off["layers"][0] == best and off["before"] != off["after"] and off["random"]["n"] == 3

        assert answer("neuron_evidence", part="distribution", unit="big")["message"].startswith(
            f"Layer {best} has no neuron 'big'."
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            answer("neuron_ablation", part="text", units="all")
        assert refused.value.code == 400 and "'units' must be a list" in json.dumps(refused.value.read().decode())
